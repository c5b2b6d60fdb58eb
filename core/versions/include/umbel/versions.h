/* Versions of documents, wherever their bytes are: in the store, or in the archive under
 * versions/<BLAKE2b of the document's name, 64 hex digits>/<seq>. Old ones are moved there in the background. A key says
 * what is under it, so that two processes that move the same version do no harm. */
#ifndef UMBEL_VERSIONS_H
#define UMBEL_VERSIONS_H
#include <umbel/archive.h>
#include <umbel/loop.h>
#include <umbel/store.h>

struct um_versions;
struct um_conf_table;

struct um_versions_conf {            /* key rows: um_versions_conf_table */
    int64_t archive_after_ms;        /* older versions go to the archive; 0: never */
    int64_t archive_every_ms;        /* between two looks for them */
};
extern const struct um_conf_table um_versions_conf_table;

/* ARCHIVE may be NULL: there is none. Both outlive it, and CF. */
struct um_versions *um_versions_new(struct um_store *store, struct um_archive *archive, const struct um_versions_conf *cf);
void um_versions_free(struct um_versions *v);        /* the loops have stopped; NULL is fine */
bool um_versions_has_archive(const struct um_versions *v);
bool um_versions_archive_is_healthy(const struct um_versions *v);    /* as um_archive_is_healthy; any thread */

/* Moves old versions from now on, from time to time; once, before L runs. Nothing happens without an archive. */
void um_versions_start(struct um_versions *v, struct um_loop *l);

/* As um_store_version, with STATE from wherever it is. UM_ELIMIT: more than MAX_BYTES; UM_ECLOSED: it is in an archive, and this process has none;
 * UM_EIO: the archive cannot be read now; UM_ECORRUPT: it has lost it, or has other bytes than were kept. Any thread. */
void um_versions_read(struct um_versions *v, struct um_loop *l, const char *document, uint64_t seq, int64_t max_bytes,
                      um_store_version_cb *cb, void *arg);

/* One look: what is old enough, at most UM_VERSIONS_RUN of it, goes to the archive; or, when DRY, is only told. UM_ECLOSED
 * without an archive (DRY works). An error when the list cannot be had; what becomes of single versions is in the report. */
#define UM_VERSIONS_RUN 100
struct um_versions_item { char *document; uint64_t seq; int64_t at_ms, bytes; };
struct um_versions_report {          /* borrowed during the callback */
    bool dry, more;                  /* more: there is more that is old enough */
    int64_t before_ms;
    const struct um_versions_item *items;
    size_t n;
    size_t moved, failed;
    int64_t moved_bytes;
};
typedef void um_versions_run_cb(void *arg, um_err err, const struct um_versions_report *report);
void um_versions_run(struct um_versions *v, struct um_loop *l, bool dry, um_versions_run_cb *cb, void *arg);

/* DOCUMENT was deleted in the store: so are the objects of its versions. Nobody hears of it but the log; deleting the
 * document again does it again. */
void um_versions_forget(struct um_versions *v, struct um_loop *l, const char *document);

#endif
