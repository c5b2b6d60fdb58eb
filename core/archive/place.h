/* A place that keeps objects: a directory, an S3 store. Its functions run on the archive's threads and may block; keys have
 * been checked. The table of a place is all that the rest of the archive knows of it. */
#ifndef ARCHIVE_PLACE_H
#define ARCHIVE_PLACE_H
#include "op.h"
#include "stop.h"

/* archive.url taken apart. Strings are ours. */
struct archive_url {
    const struct archive_place *place;
    char *path;                      /* file: the directory */
    char *bucket, *prefix, *region;  /* s3; prefix without slashes at its ends; region "" when not given */
};
/* UM_EINVAL with WHY. Free OUT in any case. */
um_err archive_url_parse(struct archive_url *out, const char *text, char why[256]) UM_CHECK_RESULT;
void archive_url_free(struct archive_url *url);

struct archive_place {
    const char *name;
    /* CF's numbers have been completed; its strings are borrowed during the call. */
    um_err (*open)(void **self, const struct archive_url *url, const struct um_archive_conf *cf, char why[256]);
    void (*close)(void *self);
    /* What a thread needs for itself. STOP outlives it: waits end, transfers break off when it is set. */
    um_err (*worker_open)(void *self, struct archive_stop *stop, void **worker);
    void (*worker_close)(void *worker);

    um_err (*put)(void *worker, const char *key, struct um_span bytes);
    um_err (*get)(void *worker, const char *key, size_t max_bytes, struct um_bytes **out);
    um_err (*remove)(void *worker, const char *key);
    /* Fills PG in order of the keys' bytes; sets its `after` when more follows. */
    um_err (*list)(void *worker, const char *prefix, const char *after, struct archive_page *pg);
};
extern const struct archive_place archive_dir, archive_s3;

#endif
