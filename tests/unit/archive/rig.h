/* An archive in a folder of its own, with calls that wait for their answer. */
#ifndef ARCHIVE_RIG_H
#define ARCHIVE_RIG_H
#include <um_test.h>
#include <umbel/archive.h>

struct rig { char dir[64], root[96], url[128]; struct um_archive_conf conf; struct um_loop *loop; struct um_archive *ar; };
struct got {
    int calls;
    um_err err;
    char text[256];                  /* get: the bytes; list: keys, each with a blank behind it */
    char after[256];                 /* "" at the end */
    int64_t bytes;                   /* of the object, or of the page's first */
};

void rig_init(struct rig *r);
void rig_open(struct rig *r);
void rig_close(struct rig *r);
void rig_free(struct rig *r);        /* and removes the folder */

/* Each waits; the answer is the error. */
um_err rig_put(struct rig *r, const char *key, const char *text);
um_err rig_get(struct rig *r, const char *key, size_t max, struct got *got);
um_err rig_delete(struct rig *r, const char *key);
um_err rig_list(struct rig *r, const char *prefix, const char *after, size_t max, struct got *got);
um_err rig_probe(struct rig *r);

void rig_turn_until(struct rig *r, const int *calls, int n);
void rig_path(const struct rig *r, const char *file, char out[512]);      /* below the archive's root */
int64_t rig_counter(const char *name);
void got_done(void *arg, um_err err);

#endif
