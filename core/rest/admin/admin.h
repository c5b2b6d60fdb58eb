/* What the calls of the admin API share: an act and its fact, a question to the members and its answers. */
#ifndef REST_ADMIN_H
#define REST_ADMIN_H
#include <umbel/api.h>
#include <umbel/ask.h>
#include <umbel/domain.h>
#include <umbel/node.h>
#include "internal.h"

enum { ADMIN_WAIT_MS = 3000, ADMIN_ROWS_MAX = 1000, ADMIN_REASON_MAX = 120 };

/* Topics of umbel/ask.h that cores answer, beside those of umbel/node.h: members.c */
#define ASK_DOCUMENTS   "documents"          /* struct um_collab_filter as JSON, and "scope" -> {"rows","found"} */
#define ASK_CONNECTIONS "connections"        /* likewise */
#define ASK_CLOSE       "connection.close"   /* {"id","reason","scope"} -> {"closed"} */
#define ASK_RELOAD      "document.reload"    /* {"document"} -> {} */

/* ---- whose: scope.c ----
 *
 * An administrator sees and ends what is of his scope: the documents of its components, in the default scope also those without a
 * component; connections that have one of them open, and of those only these documents; sessions that were opened in it; facts
 * about it. SYSTEM_ADMIN has all, and may ask for one scope. */

bool admin_is_of_platform(const struct um_http_req *rq);             /* has he the role SYSTEM_ADMIN? */
/* As caller_scope_asked, but SCOPE_ALL for who has the role SYSTEM_ADMIN and names none. NULL: replied. */
const char *admin_scope(struct um_http_req *rq, struct um_rest *r);
/* Adds "scope" to a question's body, unless it is SCOPE_ALL. */
void admin_put_scope(json_t *body, const char *scope);
/* The scope of a document's name. */
const char *admin_scope_of(const struct um_rest *r, const char *document, char out[UM_DOMAIN_SCOPE_MAX + 1]);
/* Is DOCUMENT the caller's to administer? Else 404 is replied. */
bool admin_has_document(struct um_http_req *rq, struct um_rest *r, const char *document);

/* ---- acts: act.c ---- */

/* Something that an administrator does. It ends by one of the functions below; its fact is durable before the reply. The
 * client may leave: the act goes on. */
struct act;
/* ACTION: "DRAIN"; the object's type and id. Texts are copied, cut to what the table of facts takes. The fact is about the scope of a
 * DOCUMENT, or about none. */
struct act *act_new(struct um_http_req *rq, struct um_rest *r, const char *action, const char *type, const char *id);
struct um_loop *act_loop(const struct act *a);
struct um_rest *act_rest(const struct act *a);
const char *act_user(const struct act *a);
void act_scope(struct act *a, const char *scope);                            /* it is about this one; SCOPE_ALL: none */
void act_note(struct act *a, const char *key, json_t *value_adopt);          /* into the fact: "before", "after", "reason" */
void act_done(struct act *a, unsigned status, json_t *body_adopt);           /* BODY NULL: none */
void act_failed(struct act *a, unsigned status, const char *code, const char *message);      /* nothing was done: no fact */
void act_failed_store(struct act *a, um_err err);

/* The fact alone, of what begins now and has a reply of its own. */
void act_fact(struct um_http_req *rq, struct um_rest *r, const char *scope, const char *action, const char *type, const char *id);

/* ---- questions: members.c ---- */

/* Asks on behalf of a request. REPLY runs on its loop, unless the client has left. */
typedef void admin_answered(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n);
void admin_ask(struct um_http_req *rq, struct um_rest *r, struct um_ask_question q, json_t *body_adopt, admin_answered *reply, void *arg);
/* The same for an act: DONE ends it. */
typedef void act_answered(struct act *a, const struct um_ask_answer *answers, size_t n);
void act_ask(struct act *a, struct um_ask_question q, json_t *body_adopt, act_answered *done);

json_t *admin_members_json(const struct um_ask_answer *answers, size_t n);   /* [{"id","ok","error"}] */
/* All rows of the answers, sorted by KEY, cut to MAX: {"found","results","next","members"}. Each row gets "member". */
json_t *admin_rows_json(const struct um_ask_answer *answers, size_t n, const char *key, size_t max);
/* Why nothing came of a question to one member: replied. False: it was answered. */
bool act_was_refused(struct act *a, const struct um_ask_answer *answers, size_t n);

#endif
