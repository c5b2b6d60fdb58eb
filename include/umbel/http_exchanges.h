/* The last requests of this process and how they ended, for people who look for a fault. Nothing is kept until somebody wants it.
 * Without bodies, and without what may be secret: queries, cookies, tokens. Any thread. */
#ifndef UMBEL_HTTP_EXCHANGES_H
#define UMBEL_HTTP_EXCHANGES_H
#include <umbel/base.h>

enum { UM_HTTP_EXCHANGES = 100, UM_HTTP_EXCHANGE_TEXT = 160 };

struct um_http_exchange {                    /* texts are cut */
    int64_t at_wall_ms;                      /* when the request began */
    int64_t took_us;                         /* until its reply */
    unsigned status;
    char method[8], peer[48], id[65];
    char host[UM_HTTP_EXCHANGE_TEXT], path[UM_HTTP_EXCHANGE_TEXT], agent[UM_HTTP_EXCHANGE_TEXT], accept[UM_HTTP_EXCHANGE_TEXT];     /* "" when there is none */
};

void um_http_exchanges_keep(void);           /* from now on */
/* The newest first. CB runs without a lock, on a copy. */
void um_http_exchanges_each(void (*cb)(void *arg, const struct um_http_exchange *e), void *arg);

#endif
