/* Handlers of operations: what administrators have registered, as documents of the class OperationHandlerRegistration, to be
 * done before or after something is done with a component (platform reference, ch. 5; docs/operations.md).
 *
 * A handler is named by its registration: a URL, or a word. A kind is a family of handlers, known by how their names begin. The
 * platform decides which registrations apply to an operation, in which order, and what an answer changes; kinds know how their
 * handlers are asked. Asynchronous ones become jobs in the operation's own unit of work (umbel/jobs.h).
 *
 * A synchronous handler is asked between two runs of the call's unit, so that no transaction waits for it: the run that needs
 * an answer is rolled back, and the next one finds it. */
#ifndef UMBEL_DOMAIN_HANDLERS_H
#define UMBEL_DOMAIN_HANDLERS_H
#include <umbel/domain.h>

#define UM_REGISTRATION_CLASS "OperationHandlerRegistration"
enum {
    UM_HANDLER_NAME_MAX = 2000,              /* bytes */
    UM_HANDLER_CODE_MAX = 15,                /* of a code that a handler refuses with */
    UM_HANDLER_MESSAGE_MAX = 500,
};

struct um_handler_ask {                      /* borrowed during the call of RUN */
    const char *handler, *registration;
    const char *authorization;               /* NULL: none */
    bool inject_token;                       /* the caller's own rights go with it */
    const struct um_who *who;
    const char *scope, *category;            /* "DOCUMENT" */
    const char *operation;                   /* a UUID, the same however often the handler is asked */
    unsigned attempt, depth;
    const json_t *context;                   /* what is told: 5.3 */
};
struct um_handler_answer {                   /* borrowed during the callback */
    bool is_done;
    const json_t *reply;                     /* of a BEFORE handler: {"component": …} or {"request": …} replace; NULL: nothing to say */
    const char *code, *message;              /* when not: "F00039" is the caller's fault, "T…" anything else */
};
typedef void um_handler_answered(void *arg, const struct um_handler_answer *a);
/* Answers once, on L, never inside the call; not at all when the process ends before: then kinds end before the platform. */
typedef void um_handler_run(void *env, struct um_loop *l, const struct um_handler_ask *ask, um_handler_answered *cb, void *arg);

struct um_handler_kind {
    const char *prefix;                      /* "http://"; or, of IS_WORD, the whole name */
    bool is_word;
    bool (*check)(void *env, const char *handler, char why[256]);      /* of the rest of the name; NULL: it may be anything */
    bool (*admit)(void *env, const char *handler, char why[256]);      /* is it there now? Asked when one is enabled, in a unit; NULL: yes */
    um_handler_run *run;                     /* NULL: asynchronously only */
    bool is_async;                           /* jobs of it are done by somebody */
    bool may_reserve;                        /* who can reserve their component first: "reserve": true in the payload */
    void *env;
};
/* KIND lives as long as D. Before threads start. */
void um_domain_add_handlers(struct um_domain *d, const struct um_handler_kind *kind);

/* A unit that added these jobs is committed. On the answer's loop. */
/* N 0: some are due of which nothing is known. */
typedef void um_domain_jobs_fn(void *arg, const char *const *ids, size_t n);
struct um_jobs_conf;
void um_domain_use_jobs(struct um_domain *d, const struct um_jobs_conf *conf, um_domain_jobs_fn *fn, void *arg);

#endif
