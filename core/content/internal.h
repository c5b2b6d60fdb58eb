/* What the files of this module share: the store of contents, where bytes lie, transfers.
 *
 *   contents       a row per content: where it lies, how large it is, its hash
 *   content_chunks its bytes, when they lie in the database
 *   content_files  who refers to it: (owner, id); temporary files are those with expires_ms
 *
 * contents.due_ms says what may become of a content:
 *   NULL   it is complete, and stays while a file refers to it
 *   > 0    it is being uploaded; when the moment has passed, whoever uploaded it is gone
 *   0      it is condemned: no file refers to it, and none ever will. Its bytes go first, then the row
 *
 * Invariants
 * 1. Bytes in a directory have a row before they are there, and until they are gone: no sweep has to look into directories.
 * 2. due_ms is NULL only when all bytes are durable, and their number and hash are right.
 * 3. Every step of a sweep may be done twice, by two cores at once, or half. */
#ifndef CONTENT_INTERNAL_H
#define CONTENT_INTERNAL_H
#include <pthread.h>
#include <stdatomic.h>
#include <umbel/content_sql.h>
#include <umbel/list.h>
#include <umbel/metrics.h>
#include <umbel/store_work.h>

enum content_counter {
    M_UPLOADS, M_UPLOAD_BYTES, M_BROKEN_OFF, M_DOWNLOADS, M_DOWNLOAD_BYTES, M_LOST, M_SWEPT, M_TRANSFERS, M_MAX_SIZE,
    M_MAX_TRANSFERS, M_N
};
void content_counters_register(void);
void content_count(enum content_counter which, int64_t n);

/* ---- where bytes lie ---- */

struct content_io;
struct content_place {
    const char *name;                        /* in contents.place */
    /* Each ends with content_io_done, on the io's loop and not inside the call. */
    void (*put)(struct content_io *io);      /* NULL: the bytes go with the row (upload.c) */
    void (*finish)(struct content_io *io);   /* NULL as well. All bytes are durable when it is done */
    void (*get)(struct content_io *io);
    void (*remove)(struct content_io *io);   /* what is not there is UM_OK */
    /* In a unit of work: the first LEN bytes, which are in the first chunk. */
    um_err (*peek)(struct um_content *c, struct um_sql *q, const char *id, size_t len, struct um_buf *out);
};
extern const struct content_place content_database, content_directory;

struct content_io {                          /* an operation under way; embedded in who waits for it */
    struct um_work work;
    struct um_content *content;
    struct um_loop *loop;
    const struct content_place *place;
    const char *id;                          /* of the content; borrowed */
    int64_t n, chunk;                        /* which chunk; bytes of one */
    struct um_bytes *bytes;                  /* put: borrowed. get: a reference for who asked, on UM_OK */
    size_t len;                              /* get: bytes that must be there */
    um_err err;
    void (*run)(struct content_io *io);      /* directory: on a worker */
    void (*done)(struct content_io *io);
};

struct content_dir { int fd; char *path; };
um_err content_dir_open(struct content_dir *d, const char *path, char why[256]) UM_CHECK_RESULT;
void content_dir_close(struct content_dir *d);

/* ---- the store of contents ---- */

struct sweep;
struct um_content {
    struct um_store *store;
    struct um_content_conf conf;             /* DIR is in `dir` */
    const struct content_place *place;       /* of new contents */
    struct content_dir dir;                  /* fd -1: none is configured */
    struct um_pool *pool;                    /* that reads and writes it; NULL: none, or stopped */
    bool stopped;                            /* nobody asks the store any more, and nothing answers */
    struct sweep *sweep;
    pthread_mutex_t lock;                    /* of the next two */
    struct um_list transfers;
    int64_t n_transfers;
};

/* A unit of ours. As with a store that is closed, DONE does not come when all has been stopped. */
void content_transact(struct um_content *c, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg);

/* Of uploads and downloads: known to the store of contents, so that those that nobody ends any more are freed with it. */
struct transfer { struct um_list link; void (*free)(struct transfer *t); };
bool content_enter(struct um_content *c, struct transfer *t, void (*fn)(struct transfer *t));    /* false: too many */
void content_leave(struct um_content *c, struct transfer *t);
const struct content_place *content_place_of(const struct um_content *c, const char *name);      /* NULL: not to be had here */

/* sniff.c: what the bytes at the beginning of a file are, when the client calls it TYPE (NULL: nothing). */
enum { CONTENT_HEAD = 512 };
void content_sniff(struct um_span head, const char *type, char out[UM_CONTENT_FORMAT_MAX + 1]);

/* sql.c */
bool content_is_name(const char *name);      /* of a file: UTF-8 without control characters */
/* The content is condemned when no file refers to it. */
um_err content_release(struct um_sql *q, const char *id) UM_CHECK_RESULT;

struct sweep *sweep_new(struct um_content *c, struct um_loop *l);
void sweep_free(struct sweep *s);
void sweep_start(struct sweep *s);
void sweep_soon(struct sweep *s);            /* any thread */

#endif
