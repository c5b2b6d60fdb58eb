/* Contents: the bytes of files, whatever they belong to. They lie in the database, in chunks, or in a directory that all cores
 * share; what belongs to whom is in the database in any case (umbel/content_sql.h). No content is ever changed.
 *
 * A content is uploaded as somebody's temporary file, tmp_<uuid>, and lives while a file refers to it. What nobody refers to,
 * what broke off, and temporary files that are not bound within file.tmp.ttl are swept away, by any core, together. */
#ifndef UMBEL_CONTENT_H
#define UMBEL_CONTENT_H
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_conf_table;
struct um_content;                           /* one per process; any thread */
struct um_store;

enum {
    UM_CONTENT_CHUNK = 256 << 10,            /* bytes; a transfer holds two of them at most */
    UM_CONTENT_ID_SIZE = 41,                 /* of an id with its NUL: tmp_<uuid> */
    UM_CONTENT_FILE_MAX = 200,               /* bytes of the id of a file that is bound */
    UM_CONTENT_NAME_MAX = 512,               /* bytes of a file's name */
    UM_CONTENT_FORMAT_MAX = 127,             /* of its FormatCode: a media type */
    UM_CONTENT_OWNER_MAX = 1024,
    UM_CONTENT_SHA_SIZE = 65,                /* SHA-256 as hex, with its NUL */
};

struct um_content_conf {
    const char *dir;                         /* file.dir; "": in the database */
    int64_t max_bytes;                       /* of a file */
    int64_t tmp_ttl_ms;
    int64_t max_transfers;                   /* uploads and downloads at a time */
    int64_t sweep_ms;                        /* 0: by itself, from tmp_ttl_ms */
};
extern const struct um_conf_table um_content_conf_table;

/* A file: a name, and the content that it refers to. */
struct um_content_file {
    char id[UM_CONTENT_FILE_MAX + 1];
    char name[UM_CONTENT_NAME_MAX + 1], format[UM_CONTENT_FORMAT_MAX + 1];
    char content[UM_CONTENT_ID_SIZE], place[16], sha256[UM_CONTENT_SHA_SIZE];
    int64_t size, chunk;                     /* bytes; of a chunk */
};

/* WHY gets a sentence for the operator (UM_EINVAL: the directory is not usable). CF's strings are copied; ST outlives it. L is
 * where it sweeps. */
um_err um_content_open(struct um_content **out, struct um_store *st, struct um_loop *l, const struct um_content_conf *cf,
                       char why[256]) UM_CHECK_RESULT;
void um_content_start(struct um_content *c); /* begins to sweep; before the loop runs, or on it */
void um_content_stop(struct um_content *c);  /* loops have stopped, the store has not: ends the workers. NULL is fine */
void um_content_free(struct um_content *c);  /* the store is closed, L is not freed; frees transfers that nobody ended. NULL is fine */
void um_content_sweep_soon(struct um_content *c);      /* something has become superfluous; any thread */
/* UM_ELIMIT, and counted: a file of so many bytes is too large. */
um_err um_content_check_size(const struct um_content *c, int64_t bytes) UM_CHECK_RESULT;

/* ---- uploads: all on the loop L ---- */

struct um_upload;
struct um_upload_spec {                      /* copied */
    const char *scope, *user;                /* whose temporary file it becomes */
    const char *name;                        /* UTF-8; what is longer than UM_CONTENT_NAME_MAX is refused: UM_EINVAL */
    const char *type;                        /* as the client says; NULL: nothing */
    void (*room)(void *arg);                 /* there is room again; may be NULL */
    /* Once, not inside a call, and the upload is freed: FILE is stored, and durable. UM_ELIMIT: larger than file.max-size;
     * UM_EUNAVAIL and others: nothing stays, or is swept away. */
    void (*done)(void *arg, um_err err, const struct um_content_file *file);
    void *arg;
};
/* UM_EBUSY: too many transfers; UM_EINVAL. */
um_err um_upload_new(struct um_upload **out, struct um_content *c, struct um_loop *l, const struct um_upload_spec *spec) UM_CHECK_RESULT;
/* How many bytes it takes now; a few more do no harm. 0: ROOM will be called. */
size_t um_upload_room(const struct um_upload *u);
void um_upload_write(struct um_upload *u, struct um_span bytes);
void um_upload_end(struct um_upload *u);     /* that was all */
void um_upload_drop(struct um_upload *u);    /* nothing stays, nobody is called any more. NULL is fine */

/* ---- downloads: all on the loop L ---- */

struct um_download;
/* LENGTH bytes of FILE's content from FIRST. WAKE: read again. UM_EBUSY: too many transfers. */
um_err um_download_new(struct um_download **out, struct um_content *c, struct um_loop *l, const struct um_content_file *file,
                       int64_t first, int64_t length, void (*wake)(void *arg), void *arg) UM_CHECK_RESULT;
/* Fetches the first bytes, without which there is nothing to reply: WAKE tells that they are there, or an error is. */
void um_download_start(struct um_download *d);
um_err um_download_error(const struct um_download *d);
/* As um_http_source reads: > 0 bytes, 0 nothing yet, -1 the end, -2 the bytes cannot be had. */
ptrdiff_t um_download_read(struct um_download *d, uint8_t *out, size_t n);
void um_download_free(struct um_download *d);          /* at any time; NULL is fine */

#endif
