/* Calls of the platform (umbel/domain.h) as rows of the interface. */
#ifndef REST_PLATFORM_H
#define REST_PLATFORM_H
#include <umbel/domain.h>
#include <umbel/http.h>

/* What a row's `call` points to: the call, and an argument that its path says without a parameter. */
struct platform_row { const struct um_domain_call *call; const char *name, *value; };

/* Takes the row's parameters and body, runs its call, tells the nodes which caches were raised, and replies: the first status
 * of the row, the call's reply as JSON, ETag; or the call's refusal. */
um_http_handler platform_call;

/* The same for handlers that have made ARGS and BODY themselves; both are adopted. THEN (may be NULL) runs once, before the reply:
 * what became of the call. UM_ECLOSED: nothing any more, for the store is closed: do not ask it. */
void platform_ask(struct um_http_req *rq, struct um_rest *r, const struct um_domain_call *call, json_t *args, json_t *body,
                  void (*then)(void *arg, um_err err), void *arg);

/* For handlers of their own that ask the platform in between. WHO is good until the request ends; SESSION has its text. */
struct um_who platform_who(struct um_rest *r, struct um_http_req *rq, char session[]);
void platform_refuse(struct um_http_req *rq, const struct um_problem *p);

#endif
