/* What the files of this module share.
 *
 *   webhook.c   the object, its calls      ask.c      connect and create: somebody waits for the answer
 *   note.c      what is told of whom       begin.c    a document's first content, from the answer to create
 *   changes.c   marks, jobs                deliver.c  jobs: the body, and the call                       */
#ifndef WEBHOOK_INTERNAL_H
#define WEBHOOK_INTERNAL_H
#include <jansson.h>
#include <pthread.h>
#include <umbel/collab.h>
#include <umbel/jobs.h>
#include <umbel/metrics.h>
#include <umbel/outgoing.h>
#include <umbel/webhook.h>

#define REGISTRATION "collab.webhook"        /* of its jobs; in no scope a document's id */
#define HANDLER "webhook"

enum webhook_event { EVENT_CHANGE, EVENT_CONNECT, EVENT_CREATE, EVENT_DISCONNECT, EVENT_N };
extern const char *const webhook_events[EVENT_N];

#define WEBHOOK_COUNTERS(X)                                                                                             \
    X(ASKED,   "collab.webhook.asked",   "calls", "connections and documents that the webhook was asked about")            \
    X(REFUSED, "collab.webhook.refused", "calls", "of them: connections that it refused")                                  \
    X(FAILED,  "collab.webhook.failed",  "calls", "of them: without an answer, or with one that is of no use")             \
    X(NOTED,   "collab.webhook.noted",   "jobs",  "events that were put into the queue")                                   \
    X(TAKEN,   "collab.webhook.taken-over", "jobs", "of them: changes of a core that did not come to it")                  \
    X(LOST,    "collab.webhook.lost",    "events", "ends of connections that the database did not take in time")
enum webhook_counter {
#define X(id, name, unit, help) W_##id,
    WEBHOOK_COUNTERS(X)
#undef X
    W_N
};
extern struct um_metric webhook_counters[W_N];
static inline void webhook_count(enum webhook_counter c) { um_count(&webhook_counters[c], 1); }

/* What the store has at the moment; freed with the um_webhook when the store never answers. */
struct errand { struct um_list link; void (*free)(struct errand *e); };

struct um_webhook {
    struct um_webhook_env env;
    pthread_mutex_t lock;                    /* over `errands` */
    struct um_list errands;
    bool wants[EVENT_N];
    struct um_collab_service service;
    struct um_pool *pool;                    /* documents to JSON, and back */
    struct um_timer sweep;
    _Atomic unsigned n_leaving;              /* ends of connections on their way into the queue */
};

/* note.c: {documentName, …} of an event, without `document`. The caller decrefs. */
json_t *note_payload(enum webhook_event event, const char *document, const struct um_collab_identity *who);
/* {"event":…,"payload":…}, or NULL. DOCUMENT, when there is one, comes first in the payload, as it is: JSON. The caller frees. */
char *note_body(enum webhook_event event, const json_t *payload, struct um_span document);

/* webhook.c; any thread */
void errand_begin(struct um_webhook *w, struct errand *e, void (*free)(struct errand *e));
void errand_end(struct um_webhook *w, struct errand *e);
void webhook_send(const struct um_webhook *w, struct um_loop *l, struct um_span body, const char *key, unsigned attempt, int64_t timeout_ms,
                  um_outgoing_cb *cb, void *arg);
/* Why A is no success; false: it is one. */
bool webhook_failed(const struct um_outgoing_answer *a, char why[UM_JOB_MESSAGE_MAX]);

/* ask.c, changes.c: members of the service */
bool ask_join(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
              void (*cb)(void *arg, bool may, const char *reason, struct um_bytes *context), void *arg);
bool ask_begin(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
               void (*cb)(void *arg, struct um_bytes *state), void *arg);
void change_mark(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                 void (*cb)(void *arg, um_err err), void *arg);
void change_tell(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                 void (*cb)(void *arg, um_err err), void *arg);
void connection_left(void *ctx, const char *document, const struct um_collab_identity *who);
void change_sweep(void *arg);

/* begin.c: the state of a document with TEXT's fields. UM_EPROTO: it is no JSON object of ProseMirror documents. */
UM_CHECK_RESULT um_err begin_state(struct um_span text, struct um_bytes **state);

/* deliver.c */
um_job_fn deliver;

#endif
