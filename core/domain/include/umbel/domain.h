/* The platform: scopes, classes, ACLs, components, and what is done with them.
 *
 * A call is sequential code that runs in a unit of work of the store (umbel/store_work.h): who may do it, what it finds and what
 * it writes is one step, as if nobody else were there. It is asked with JSON and answers with JSON, in the shapes of the REST
 * interface, and knows nothing of HTTP. All calls are in umbel/domain_calls.h.
 *
 * The model of a scope (classes, tags, ACLs, teams) is kept in memory by each process. Every call compares it with the database
 * by one row, so no call ever works with an old one, whatever Redis does. */
#ifndef UMBEL_DOMAIN_H
#define UMBEL_DOMAIN_H
#include <jansson.h>
#include <umbel/store_shared.h>
#include <umbel/store_work.h>
#include <umbel/token.h>

struct um_conf_table;
struct um_domain;                            /* one per process; its calls may come from any thread */
struct um_domain_call;

enum {
    UM_DOMAIN_ID_MAX = 200,                  /* bytes of an id: scopes, classes, components, users */
    UM_DOMAIN_SCOPE_MAX = 64,
    UM_DOMAIN_IDS_MAX = 200,                 /* objects of one call */
    UM_DOMAIN_KEY_MAX = 64,                  /* bytes of an idempotency key */
    UM_DOMAIN_BODY_MAX = 4 << 20,            /* bytes of an object as JSON */
    UM_DOMAIN_OBJECTS_MAX = 20000,           /* of a scope's model; ACLs among them: */
    UM_DOMAIN_ACLS_MAX = 1000,
};

struct um_domain_conf {
    const char *default_scope;               /* scope.default */
    int64_t max_depth;                       /* operation.max-depth */
    const char *facts[4];                    /* fact.registrations.document, .folder, .task, .virtual.folder; NULL: nothing is told */
};
extern const struct um_conf_table um_domain_conf_table;

/* UM_EINVAL: the configuration; logged. */
um_err um_domain_new(struct um_domain **out, struct um_store *st, const struct um_domain_conf *cf) UM_CHECK_RESULT;
void um_domain_free(struct um_domain *d);    /* the store is closed; NULL is fine */

/* ---- asking ---- */

/* Who asks. SCOPE "" is the default scope. What the rights need beside it (groups of groups, teams) is read from the database. */
struct um_who {
    const char *user, *scope;
    const char *session;                     /* whose reservations count as his own */
    const char *request, *address;           /* id of the request, where it came from: for facts and log */
    struct um_token_list profiles, groups;   /* of his token: from the internal realm, or an identity provider */
    /* Of a user of the scope (umbel/domain_calls.h, users): what his token says of his account, and NULL of anybody else. Then his
     * rights and roles are what the database says at this moment, not the token; U00401 when the account is no more, disabled, or another. */
    const char *account;
    const char *role;                        /* needed by the call, "A|B": one of them; NULL: none, or the door has judged */
    bool read_only;                          /* his token may only read */
    unsigned depth;                          /* of operations that caused this one: handlers that write (umbel/domain_handlers.h) */
    const char *idempotency_key;             /* NULL or "": none. UM_DOMAIN_KEY_MAX bytes at most */
};

/* What is wrong with a call that was refused. */
struct um_problem {
    const char *code;                        /* "F00012" */
    unsigned status;                         /* of HTTP */
    const char *message;
    const json_t *details;                   /* [{"path", "message"}] or what the code promises; NULL */
};

enum um_change_kind { UM_CHANGE_CREATED, UM_CHANGE_UPDATED, UM_CHANGE_DELETED, UM_CHANGE_CONTENT, UM_CHANGE_ACCOUNT };
struct um_domain_change {                    /* a component that is not what it was; of UM_CHANGE_ACCOUNT: a user whose tokens are over */
    enum um_change_kind kind;
    const char *scope, *category, *id;       /* of a user "USER" */
    const char *class_id;                    /* of a user: what the tokens say of his account */
};

struct um_domain_answer {                    /* borrowed during the callback */
    um_err err;
    const struct um_problem *problem;        /* NULL when OK, else never */
    json_t *reply;                           /* NULL: nothing to say. json_incref to keep it */
    int64_t version;                         /* of the one object that REPLY is about, for its ETag; 0: none */
    const struct um_store_cache *caches;     /* raised: to be announced (umbel/cachegen.h) before the caller is answered */
    size_t n_caches;
    const struct um_domain_change *changes;
    size_t n_changes;
};
/* Once, on L, not inside the call; never when the store is closed before. */
typedef void um_domain_cb(void *arg, const struct um_domain_answer *a);

/* ARGS: an object of the parameters, or NULL; BODY: what the schema of the call has let through, or NULL. Both are D's from now
 * on: adopted, and read on another thread. */
void um_domain_run(struct um_domain *d, struct um_loop *l, const struct um_domain_call *call, const struct um_who *who,
                   json_t *args, json_t *body, um_domain_cb *cb, void *arg);

/* The same for who has something to free: DROP runs instead of CB when the store is closed before, in um_domain_free. */
typedef void um_domain_drop(void *arg);
void um_domain_run_or(struct um_domain *d, struct um_loop *l, const struct um_domain_call *call, const struct um_who *who,
                      json_t *args, json_t *body, um_domain_cb *cb, um_domain_drop *drop, void *arg);

/* Where files lie that the platform itself reads. Before threads start. */
struct um_content;
void um_domain_use_content(struct um_domain *d, struct um_content *content);

/* FN hears of every change of a component after its commit, on the thread of the answer's loop. Before threads start. */
typedef void um_domain_change_fn(void *arg, const struct um_domain_change *change);
void um_domain_on_change(struct um_domain *d, um_domain_change_fn *fn, void *arg);

/* ---- names that others use ---- */

/* The id of a component in what is kept without scopes (reservations): its own in the default scope, where documents without
 * a component stand beside it, and elsewhere the name of its body, "component/<scope>/<id>". So does an id of the default scope
 * that begins with "component/": no two scopes ever share one. SCOPE "" is the default scope. False: too long for an id there. */
enum { UM_DOMAIN_SHARED_MAX = 512 };
bool um_domain_shared_id(const struct um_domain *d, const char *scope, const char *id, char out[UM_DOMAIN_SHARED_MAX + 1]);
/* The other way; *ID points into SHARED. False: nothing can be called so. */
bool um_domain_shared_parts(const struct um_domain *d, const char *shared, char scope[UM_DOMAIN_SCOPE_MAX + 1], const char **id);
const char *um_domain_default_scope(const struct um_domain *d);

#endif
