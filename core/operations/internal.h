/* What the files of this module share. */
#ifndef OPERATIONS_INTERNAL_H
#define OPERATIONS_INTERNAL_H
#include <umbel/domain_handlers.h>
#include <umbel/jobs.h>
#include <umbel/list.h>
#include <umbel/loop.h>
#include <umbel/operations.h>

struct um_operations;
struct operations_served { struct um_operations *o; um_job_fn *fn; };      /* who does the jobs of a kind */
enum { OPERATIONS_KINDS_MAX = 16 };
struct um_operations {
    struct um_operations_env env;
    struct operations_served served[OPERATIONS_KINDS_MAX];
    struct um_list reading;                  /* jobs of `fulltext` that wait for bytes of a file */
    struct um_list lookups;                  /* of this turn: lookup.c */
    struct um_defer ask;
};

/* Each a kind for the platform, and who does its jobs. ENV: the um_operations. */
extern struct um_handler_kind operations_http, operations_https, operations_log, operations_fulltext, operations_worker, operations_library;
um_job_fn operations_url_job, operations_log_job, operations_fulltext_job, operations_library_job;
void operations_fulltext_drop(struct um_operations *o);      /* those that were cut off by the end of the process */

/* ---- lookup.c; on the loop of the jobs ---- */

struct um_domain_answer;
struct lookup_wait {                         /* in who waits; texts are his, until one of the two has run, once and never in the call */
    struct um_list link;
    const char *scope, *registration, *user, *request;
    void (*answered)(struct lookup_wait *w, const struct um_domain_answer *a);      /* of um_operations_registration */
    void (*dropped)(struct lookup_wait *w);  /* the process ends */
};
void lookup_registration(struct um_operations *o, struct lookup_wait *w);
void lookups_init(struct um_operations *o);
void lookups_drop(struct um_operations *o);

/* ---- reserving.c ---- */

#define OPERATIONS_SESSION_PREFIX "job:"
enum { OPERATIONS_SESSION_SIZE = sizeof(OPERATIONS_SESSION_PREFIX) + UM_JOB_ID_LEN };
um_job_fn operations_job;                    /* ARG: an operations_served, whose FN does it, when its component is reserved if it is to be */
bool operations_reserves(const struct um_job *job);
void operations_session(const char *job, char out[OPERATIONS_SESSION_SIZE]);     /* in which it holds its component */

/* ---- url.c ---- */

struct um_outgoing_answer;
/* What the answer of a handler behind a URL says. REPLY: JSON of a body that is an object; the caller decrefs. */
struct url_answer { bool is_done; bool again; char code[UM_HANDLER_CODE_MAX + 1], message[UM_HANDLER_MESSAGE_MAX + 1]; json_t *reply; };
void url_answer_read(const struct um_outgoing_answer *a, struct url_answer *out);

#endif
