/* Moving a SQLite installation to PostgreSQL.
 *
 * The source is only read, and may be in use. Each pass compares every document on both sides and copies those that differ,
 * one transaction each, so it can be broken off and repeated. While a core has the source open a pass is a rehearsal that
 * shortens the last one; when none has, the source is locked, nothing can change any more, and the pass is the final one.
 * Blocks; any thread. */
#ifndef UMBEL_STORE_TRANSFER_H
#define UMBEL_STORE_TRANSFER_H
#include <umbel/base.h>

enum um_transfer_phase { UM_TRANSFER_COPYING, UM_TRANSFER_VERIFYING };

struct um_transfer_state {
    enum um_transfer_phase phase;
    int64_t documents, done;             /* of the source; compared, or verified, so far */
    int64_t copied, removed;             /* documents that differed; that only the target had */
    int64_t bytes;                       /* copied, or verified */
    int64_t different;                   /* found by verification; a core that is running may explain them */
    bool final;                          /* the source is locked */
};

struct um_transfer_conf {
    const char *from;                    /* sqlite:///path or a path */
    const char *to;                      /* postgresql://… */
    const char *user, *password;         /* when the URL has none; may be NULL */
    bool verify_only;
    void (*progress)(void *arg, const struct um_transfer_state *s);     /* may be NULL; after each document */
    void *arg;
};

/* UM_EINVAL: a URL or a table is not what it must be. UM_ECONFLICT: the target holds documents that did not come from
 * here. UM_EUNAVAIL, UM_EIO: of either side. WHY gets a sentence. */
UM_CHECK_RESULT um_err um_store_transfer(const struct um_transfer_conf *cf, struct um_transfer_state *out, char why[256]);

#endif
