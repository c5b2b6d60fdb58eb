/* What the files of this module share. */
#ifndef VERSIONS_INT_H
#define VERSIONS_INT_H
#include <umbel/versions.h>

struct um_versions {
    struct um_store *store;
    struct um_archive *archive;              /* NULL: none */
    const struct um_versions_conf *cf;
    struct um_loop *loop;                    /* of the timer */
    struct um_timer timer;
    struct versions_run *run;                /* the timer's, while it is under way */
};

struct versions_run;
struct versions_run *versions_run_begin(struct um_versions *v, struct um_loop *l, bool dry, um_versions_run_cb *cb, void *arg);
void versions_run_free(struct versions_run *r);      /* nothing calls back any more; NULL is fine */

#define VERSIONS_KEY_MAX 128
void versions_prefix(const char *document, char out[VERSIONS_KEY_MAX]);      /* of all keys of DOCUMENT, slash included */
void versions_key(const char *document, uint64_t seq, char out[VERSIONS_KEY_MAX]);
void versions_nobody(void *arg, um_err err);                                 /* hears what nobody waits for */

enum { VERSIONS_C_MOVED, VERSIONS_C_BYTES, VERSIONS_C_FAILED, VERSIONS_C_READ, VERSIONS_C_REMOVED, VERSIONS_C_N };
void versions_count(int which, int64_t n);

#endif
