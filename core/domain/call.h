/* What the work of a call has in its hands: the unit, who asks, the model, and what comes of it.
 *
 * Everything in a um_call is made anew for each run of the unit (store_work.h): work sets all it answers in each run. */
#ifndef DOMAIN_CALL_H
#define DOMAIN_CALL_H
#include <umbel/domain.h>
#include <umbel/domain_calls.h>
#include <umbel/sql.h>
#include "model.h"

/* Codes of refusals: status of HTTP, and what they mean (platform reference 6.3). */
#define UM_CODES(X) \
    X(F00012, 404, "component does not exist") \
    X(F00013, 400, "creation date in the future") \
    X(F00032, 400, "tag not allowed by the class") \
    X(F00033, 400, "mandatory tag missing") \
    X(F00039, 400, "message for the user") \
    X(F00204, 400, "class without category") \
    X(F00205, 404, "tag class does not exist") \
    X(F00206, 404, "component class does not exist") \
    X(F00208, 400, "invalid or missing ACL on a class") \
    X(F00302, 403, "not allowed to create the scope") \
    X(F00414, 400, "task does not accept this attachment") \
    X(F00903, 409, "class object already exists") \
    X(T00103, 404, "task does not exist") \
    X(T00104, 400, "search could not be run") \
    X(T00108, 409, "component already exists") \
    X(T00702, 500, "files cannot be retrieved") \
    X(T00707, 410, "temporary file already consumed") \
    X(T01002, 404, "ACL cannot be got") \
    X(U00400, 400, "bad request") \
    X(U00401, 401, "who asks is nobody (any more)") \
    X(U00403, 403, "not allowed") \
    X(U00404, 404, "not there") \
    X(U00409, 409, "changed meanwhile, or still in use") \
    X(U00410, 409, "exists already") \
    X(U00411, 409, "retained: it may not be deleted yet") \
    X(U00412, 412, "another version is there") \
    X(U00413, 413, "too large, or too many") \
    X(U00423, 423, "reserved by somebody else")
enum um_code {
#define X(code, status, text) UM_##code,
    UM_CODES(X)
#undef X
    UM_CODES_N
};

struct outcome;                              /* call.c: what is to be told after the commit */
struct principals;                           /* principals.h */
struct chain;                                /* operations/chain.h */

struct um_call {
    struct um_domain *domain;
    struct um_sql *q;
    const struct um_domain_call *call;
    const struct um_who *who;
    const char *scope;                       /* the caller's, never "" */
    const struct um_model *model;            /* the scope's as the unit sees it at its begin; NULL with UM_CALL_ANY_SCOPE, unless
                                              * who asks has an account */
    struct um_account account;               /* of who asks, when he has one */
    struct principals *principals;           /* made when first asked for: acl.h */
    json_t *delegators;                      /* who has delegated to the caller; made when first asked for: delegation_rights.c */
    const json_t *args, *body;               /* BODY: may be NULL */
    int64_t now_ms;                          /* the unit's moment */
    json_t *reply;                           /* set by the work; adopted. NULL: nothing */
    int64_t version;                         /* ETag of the one object in REPLY */
    bool again;                              /* there is more to do than one unit should: after its commit the work runs once more, in
                                              * a unit of its own, until it leaves this unset. Only the last one's reply counts */
    unsigned matches;                        /* patterns tried so far: tags.h */
    unsigned children;                       /* of folders read so far: folders.c */
    unsigned depth;                          /* of operations in this unit that rules have caused, one by another */
    bool by_rules;                           /* what is done now is not the caller's doing: no right of his is asked for */
    struct outcome *outcome;
    struct chain *chain;                     /* what handlers have said in the runs before; never NULL */
};

/* ---- refusing: these are returned by the work, which ends with it ---- */

um_err um_fail(struct um_call *c, enum um_code code, const char *fmt, ...) UM_PRINTF(3, 4);
/* PATH: a JSON pointer into the body ("/0/tags/2"). */
um_err um_fail_at(struct um_call *c, enum um_code code, const char *path, const char *fmt, ...) UM_PRINTF(4, 5);
um_err um_fail_with(struct um_call *c, enum um_code code, json_t *details_adopt, const char *fmt, ...) UM_PRINTF(4, 5);

/* With a code of somebody else's, a handler's. */
um_err um_fail_as(struct um_call *c, const char *code, unsigned status, const char *message);

/* ---- the parameters: checked by the row of the call before it runs ---- */

const char *um_arg(const struct um_call *c, const char *name);               /* NULL without */
int64_t um_arg_int(const struct um_call *c, const char *name, int64_t without);    /* truths too */
size_t um_arg_n(const struct um_call *c, const char *name);                  /* ids: how many */
const char *um_arg_id(const struct um_call *c, const char *name, size_t i);

bool um_has_role(struct um_call *c, const char *roles);                      /* "A|B": one of them. SYSTEM_ADMIN has all */

/* ---- what came of it, told after the commit ---- */

/* Raises the cache NAME ("DocumentClass") of the scope. Last in a unit, by name: see umbel/sql_shared.h. Twice is once. */
UM_CHECK_RESULT um_err um_raise(struct um_call *c, const char *scope, const char *name);
void um_changed(struct um_call *c, enum um_change_kind kind, const char *category, const char *id, const char *class_id);

/* What a um_call holds beside the reply. A copy of one, for another scope, ends with this too. */
void um_call_done(struct um_call *c);

/* ---- call.c's side towards domain.c ---- */

struct outcome *outcome_new(void);
void outcome_reset(struct outcome *o);       /* before each run */
void outcome_free(struct outcome *o);        /* NULL is fine */
void outcome_answer(const struct outcome *o, struct um_domain_answer *a);    /* borrows from O */
/* The unit's caches are raised when its work is done, in order. */
UM_CHECK_RESULT um_err outcome_raise_all(struct um_call *c);
bool outcome_has_problem(const struct outcome *o);
/* A problem for an error that no refusal told. */
void outcome_set_error(struct outcome *o, um_err err);

#endif
