/* Sessions that ended before their time, by their hashes: what a process must not serve, whatever else it finds
 * (reliability.md S5). The truth is a table of the database; this is the copy in memory. Any thread. */
#ifndef UMBEL_REVOKED_H
#define UMBEL_REVOKED_H
#include <umbel/base.h>

struct um_revoked;
struct um_revocation {
    const char *hash;                     /* um_session_hash of the session's id */
    int64_t left_ms;                      /* how long it still matters */
};
enum { UM_REVOKED_MAX = 1000000 };        /* live ones of one process */

struct um_revoked *um_revoked_new(void);
void um_revoked_free(struct um_revoked *r);            /* NULL is fine */
bool um_revoked_has(struct um_revoked *r, const char *hash);
/* UM_ELIMIT: more than UM_REVOKED_MAX would live; nothing was changed. UM_EINVAL: a hash is none. */
um_err um_revoked_add(struct um_revoked *r, const struct um_revocation *rows, size_t n) UM_CHECK_RESULT;
/* From now on ROWS alone, and those that were added at SINCE_MS (um_now_ms) or later: ROWS were read after that. */
um_err um_revoked_replace(struct um_revoked *r, const struct um_revocation *rows, size_t n, int64_t since_ms) UM_CHECK_RESULT;
size_t um_revoked_count(struct um_revoked *r);

/* The news of one revocation, as cachegen carries it for the cache ("", "revocations"): "<hash> <ms>". */
#define UM_REVOKED_CACHE "revocations"
enum { UM_REVOKED_NEWS_MAX = 64, UM_REVOKED_HASH_LEN = 32 };
void um_revoked_write_news(char out[UM_REVOKED_NEWS_MAX], const struct um_revocation *row);
/* ROW->hash becomes HASH. False: it is none. */
bool um_revoked_read_news(struct um_span news, char hash[UM_REVOKED_HASH_LEN + 1], struct um_revocation *row);

#endif
