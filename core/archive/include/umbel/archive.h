/* The archive: where bytes go that the database should not keep, such as old versions of documents and large files. A
 * directory or an S3-compatible store; the archive knows nothing of documents.
 *
 * Every call copies or refs what it needs, returns at once, and runs CB exactly once on the loop that is given (never
 * inside the call). Calls run side by side on threads of the archive, in no order: who needs one waits for its callback.
 *
 * A key is 1..1024 bytes of UTF-8, segments between slashes: at most 32, each of 1..250 bytes, none of them `.` or `..`,
 * no control characters. The first segment `.umbel` is the archive's own. Anything else is UM_EINVAL.
 *
 * Of every call: UM_EUNAVAIL when too much waits, when the store is away after all retries, or when the archive closes;
 * UM_ETIMEOUT, UM_EDENIED (credentials, rights of a folder), UM_EIO, UM_EPROTO (an answer that makes no sense; the log says
 * more), UM_ENOMEM. After each of these a put or delete may or may not have happened; repeating it is safe. */
#ifndef UMBEL_ARCHIVE_H
#define UMBEL_ARCHIVE_H
#include <umbel/bytes.h>
#include <umbel/conf.h>
#include <umbel/loop.h>

struct um_archive;
struct um_conf_table;

enum um_archive_style { UM_ARCHIVE_STYLE_AUTO, UM_ARCHIVE_STYLE_PATH, UM_ARCHIVE_STYLE_HOST };

struct um_archive_conf {
    const char *url;                 /* "" (none) | file:///abs/path | s3://bucket/prefix?region=... */
    const char *s3_endpoint;         /* http(s)://host[:port]; "": AWS of the region */
    const char *s3_region;           /* "": us-east-1; the URL's region wins */
    int s3_path_style;               /* enum um_archive_style; AUTO: PATH when an endpoint is given */
    const char *s3_access_key, *s3_secret_key;
    const char *s3_ca_file;          /* PEM; "": the system's */
    int64_t part_bytes;              /* larger objects are sent in parts of so many bytes (8 MiB) */
    int64_t timeout_ms;              /* of one request (60 s) */
    int64_t retries;                 /* further tries of one request; 0: none */
    int64_t connections;             /* threads, and calls that run at the same time (4) */
    int64_t max_waiting_bytes;       /* puts that wait or run; beyond it UM_EUNAVAIL at once (256 MiB) */
};
extern const struct um_conf_table um_archive_conf_table;

/* Blocks (start of the process). A directory is made when only its last part misses, must be writable, and what a crash
 * left in it is removed. An S3 store is not asked anything yet: um_archive_probe does. WHY (may be NULL) gets a sentence for
 * the operator on failure. UM_EINVAL: a key of CF is wrong, or the URL is "". CF's strings are copied. */
um_err um_archive_open(struct um_archive **out, const struct um_archive_conf *cf, char why[256]) UM_CHECK_RESULT;
/* Drops what waits, breaks off what runs, blocks until the threads have ended (a second or two at most, unless a disk
 * hangs); no callbacks after it. NULL is fine. Not beside other calls, nor while another thread runs a loop that still has
 * answers to hear. A loop that is freed afterwards should have turned once more. */
void um_archive_close(struct um_archive *ar);
bool um_archive_is_healthy(const struct um_archive *ar);   /* did the place answer the last call? any thread */

typedef void um_archive_done_cb(void *arg, um_err err);
/* BYTES (1..1 GiB, else UM_EINVAL, UM_ELIMIT) are under KEY when CB hears UM_OK: durable in a directory, acknowledged by an
 * S3 store. What was there before is replaced in one step: a reader sees the one or the other. */
void um_archive_put(struct um_archive *ar, struct um_loop *l, const char *key, struct um_bytes *bytes,
                    um_archive_done_cb *cb, void *arg);

/* BYTES is borrowed during the callback (ref it to keep it), NULL on error. UM_ENOTFOUND; UM_ELIMIT: more than MAX_BYTES;
 * UM_ECORRUPT: not the bytes that were put. */
typedef void um_archive_get_cb(void *arg, um_err err, struct um_bytes *bytes);
void um_archive_get(struct um_archive *ar, struct um_loop *l, const char *key, size_t max_bytes,
                    um_archive_get_cb *cb, void *arg);

/* Deleting what is not there is UM_OK. */
void um_archive_delete(struct um_archive *ar, struct um_loop *l, const char *key, um_archive_done_cb *cb, void *arg);

struct um_archive_entry { const char *key; int64_t bytes, modified_at_ms; };   /* wall clock of the place */
struct um_archive_page {             /* borrowed during the callback */
    const struct um_archive_entry *entries;
    size_t n;                        /* may be less than MAX, even 0, when AFTER is set */
    const char *after;               /* where the next page begins; NULL: this is the last one */
};
typedef void um_archive_page_cb(void *arg, um_err err, const struct um_archive_page *page);
/* Keys that begin with PREFIX (not only whole segments; NULL or "": all) and stand behind AFTER (NULL: from the start), in
 * order of their bytes. MAX: 1..1000. Only keys by the rule above; other objects are left out. */
void um_archive_list(struct um_archive *ar, struct um_loop *l, const char *prefix, const char *after, size_t max,
                     um_archive_page_cb *cb, void *arg);

/* Writes, reads and deletes a small object of its own. UM_OK: the archive can be used. */
void um_archive_probe(struct um_archive *ar, struct um_loop *l, um_archive_done_cb *cb, void *arg);

#endif
