/* The events of the stock server's webhook extension: `change`, `connect`, `create`, `disconnect`, each a POST of
 *
 *   {"event":"change","payload":{…}}     X-Hocuspocus-Signature-256: sha256=<HMAC-SHA-256 of the body, hexadecimal>
 *
 * connect and create are asked while somebody waits, for their answers count. change and disconnect are told by the queue
 * (umbel/jobs.h): repeated, in order for each document, with an Idempotency-Key, visible and given up visibly.
 * docs/operations.md is the users' side.
 *
 * One object per process. */
#ifndef UMBEL_WEBHOOK_H
#define UMBEL_WEBHOOK_H
#include <umbel/conf.h>

struct um_collab_service;
struct um_jobs;
struct um_jobs_conf;
struct um_loop;
struct um_outgoing;
struct um_store;
struct um_webhook;

enum {
    UM_WEBHOOK_CONTEXT_MAX = 64 << 10,       /* bytes of an answer to connect */
    UM_WEBHOOK_CONTENT_MAX = 4 << 20,        /* of an answer to create */
    UM_WEBHOOK_DEPTH_MAX = 200,              /* of nodes in it */
};

struct um_webhook_conf {
    const char *url, *secret;                /* collab.webhook.url, .secret */
    struct um_conf_list events;              /* collab.webhook.events */
    int64_t debounce_ms, max_wait_ms;        /* collab.webhook.debounce, .debounce-max-wait */
    int64_t timeout_ms;                      /* collab.webhook.timeout: of connect and create */
};
extern const struct um_conf_table um_webhook_conf_table;

struct um_webhook_env {                      /* all outlive the um_webhook */
    struct um_loop *loop;                    /* that of JOBS */
    struct um_store *store;
    struct um_jobs *jobs;
    const struct um_jobs_conf *jobs_conf;
    struct um_outgoing *outgoing;
    const char *default_scope;               /* of documents that are no component's */
    const struct um_webhook_conf *conf;
};
/* Before threads start. *OUT NULL: no URL is configured. UM_EINVAL: WHY says what is wrong. */
um_err um_webhook_new(struct um_webhook **out, const struct um_webhook_env *env, char why[256]) UM_CHECK_RESULT;
/* What the engine asks; NULL for NULL. */
const struct um_collab_service *um_webhook_service(const struct um_webhook *w);
/* On the loop, or before it runs: marks of cores that died are looked for. NULL is fine, here and below. */
void um_webhook_start(struct um_webhook *w);
/* Loops have stopped: ends the workers; what they had to say waits in the loops, and needs W. */
void um_webhook_stop(struct um_webhook *w);
void um_webhook_free(struct um_webhook *w);  /* the store is closed, and nobody asks any more */

#endif
