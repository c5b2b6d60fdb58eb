/* Signed tokens (JWT, RFC 7519) between our processes and for API clients. HMAC-SHA-256 only: a token that names any
 * other algorithm is refused, and its JSON is not even read before the signature has been found right.
 * Any thread; no state but a MAC context per thread. */
#ifndef UMBEL_TOKEN_H
#define UMBEL_TOKEN_H
#include <umbel/bytes.h>

struct um_conf_table;

enum {
    UM_TOKEN_KEY_MIN_BYTES = 32,
    UM_TOKEN_MAX_BYTES = 16 * 1024,       /* longer texts are refused unread */
    UM_TOKEN_MAX_LIST = 1000,             /* profiles, groups */
    UM_TOKEN_MAX_STRING = 512,            /* bytes of each string claim */
    UM_TOKEN_SLACK_S = 30,                /* clocks of two nodes may differ by this much */
};

/* What a token is for: claim `use`. A token made for one purpose is worth nothing for another. */
#define UM_TOKEN_USER    "user"           /* acts for a user: REST, collaboration */
#define UM_TOKEN_OPERATION "operation"    /* an operation caused this one: header X-Operation-Chain */
#define UM_TOKEN_GATEWAY "gateway"        /* a gateway speaks for itself: authentication of a user */

struct um_token_list {
    const char *const *items;
    size_t n;
};

/* Strings may be NULL (no such claim) but for sub and use. */
struct um_token_claims {
    const char *sub;                      /* user id */
    const char *name;                     /* display name */
    const char *scope;
    const char *use;
    const char *addr;                     /* address of the client on whose behalf a gateway asks */
    const char *access;                   /* "read-write" or "readonly"; NULL is read-write */
    const char *sid;                      /* um_session_hash of the browser session behind the token */
    const char *account;                  /* of a user of the scope: which state of his account (umbel/domain.h) it was made for */
    const char *jti;                      /* signing: NULL makes a random one */
    struct um_token_list profiles, groups;
    int64_t iat, exp, nbf;                /* seconds since 1970; nbf 0: none */
    int64_t depth;                        /* of operations that caused the one that it is for; 0: none */
    void *own;                            /* what um_token_verify has allocated */
};

/* Key material, borrowed: both spans outlive the ring. PREVIOUS (may be empty) verifies and never signs. */
struct um_token_ring {
    struct um_span current, previous;
};
/* UM_EINVAL when a key that is set has fewer than UM_TOKEN_KEY_MIN_BYTES, or CURRENT is empty. */
um_err um_token_ring_init(struct um_token_ring *ring, const char *current, const char *previous) UM_CHECK_RESULT;

/* Appends the compact form to OUT. UM_EINVAL: sub or use missing, or exp not after iat. */
um_err um_token_sign(const struct um_token_ring *ring, const struct um_token_claims *claims, struct um_buf *out) UM_CHECK_RESULT;

/* Checks form, signature, purpose and times. On UM_OK *CLAIMS holds strings of its own until um_token_claims_free.
 *   UM_EPROTO    not a token, or a claim of the wrong type
 *   UM_EDENIED   signed by somebody else, or made for another purpose than USE
 *   UM_ETIMEOUT  expired or not valid yet
 *   UM_ENOMEM */
um_err um_token_verify(const struct um_token_ring *ring, struct um_span text, const char *use, int64_t now_s,
                       struct um_token_claims *claims) UM_CHECK_RESULT;
void um_token_claims_free(struct um_token_claims *claims);      /* zeroed claims are fine */

bool um_token_list_contains(const struct um_token_list *list, const char *item);

/* Rows token.key, token.key.previous, token.expiration.time. */
struct um_token_conf {
    const char *key, *key_previous;       /* raw UTF-8 bytes are the key; "" when not set */
    int64_t expiration_s;
};
extern const struct um_conf_table um_token_conf_table;

#endif
