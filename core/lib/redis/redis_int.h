/* What the files of this module share. */
#ifndef REDIS_INT_H
#define REDIS_INT_H
#include <stdatomic.h>
#include <umbel/histogram.h>
#include <umbel/metrics.h>
#include "target.h"

struct ssl_ctx_st;                            /* OpenSSL's SSL_CTX */

/* Read-only once open, but for the counts. */
struct um_redis {
    const struct um_redis_conf *cf;
    struct redis_target target;
    struct ssl_ctx_st *tls;                   /* NULL: in clear */
    struct um_pool *pool;                     /* looks names up */
    char *ns;                                 /* percent-encoded */
    char id[13];                              /* random: the process, in heartbeat channels */
    struct um_histogram *commands;            /* how long each took */
    _Atomic int links, ready;
    _Atomic bool settings_told;               /* warnings about the server's settings, once per process */
    _Atomic bool no_skip_told;                /* likewise, that CLIENT REPLY is refused */
};

enum {
    R_UNANSWERED, R_RETRIES, R_CONNECTS, R_RECONNECTS, R_LOSSES, R_SWITCHES, R_EPOCHS, R_QUEUED, R_READY, R_SUBSCRIPTIONS, R_MESSAGES,
    R_RESUBSCRIBED, R_QUARANTINED, R_E_UNAVAIL, R_E_TIMEOUT, R_E_DENIED, R_E_LIMIT, R_E_TYPE, R_E_REDIRECT, R_E_NOSCRIPT,
    R_E_OTHER, R_N
};
extern struct um_metric redis_rows[R_N];
extern struct um_histograms redis_commands;   /* no labels: one series */
static inline void redis_count(int row, int64_t n) { um_count(&redis_rows[row], n); }

#define REDIS_PING_MS 5000                    /* an idle connection is asked this often */
#define REDIS_ROLE_MS 1000                    /* the master is asked what it is this often */

#endif
