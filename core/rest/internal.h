/* What the files of this module share. */
#ifndef REST_INTERNAL_H
#define REST_INTERNAL_H
#include <stdatomic.h>
#include <umbel/api.h>
#include <umbel/conf.h>
#include <umbel/map.h>
#include <umbel/rest.h>
#include <umbel/store_shared.h>
#include <umbel/throttle.h>

struct users;                                /* the internal realm; only hashes are added after start */

struct mount;

struct um_rest {
    struct um_rest_deps deps;
    struct um_api *api;                      /* the rows of our calls */
    struct um_collab *collab;
    struct users *users;
    struct um_actuator *actuator;
    struct mount *mount;                     /* the rows behind the api */
    struct um_throttle *throttle;
    struct revocations *revocations;
    struct um_pool *pool;                    /* password hashing */
    struct um_pool *readers;                 /* rendering and comparing versions */
    _Atomic int tasks;                       /* requests that hold states of documents: version_task.c */
    _Atomic bool draining;
    _Atomic int64_t beat_ms[UM_REST_LOOPS_MAX];   /* when each loop last turned; 0: not heard of */
    int64_t started_wall_ms;
};

#define REST_TASKS_MAX 8                     /* at a time, */
#define REST_STATE_MAX (64 << 20)            /* each with states of at most so many bytes */

/* internal_sessions.c: what was revoked, as this core knows */
struct revocations;
struct revocations *revocations_new(struct um_rest *r, struct um_loop *l);
void revocations_free(struct revocations *v);                          /* the store has stopped; NULL is fine */
bool revocations_have(const struct revocations *v, const char *sid);   /* V, SID: may be NULL; any thread */

/* caller.c: who is asking */
/* The role of rows for gateways that speak for themselves: their own token, and no user's. */
#define REST_GATEWAY "(gateway)"
struct caller {
    struct um_token_claims claims;
    json_t *fresh;                           /* of an account, once it was judged: what its lists in CLAIMS are now */
    const char **profiles, **groups;
};
bool caller_check(struct um_http_req *rq, const struct um_http_route *route, void *ctx);
/* RQ is asked by who has these CLAIMS, whose strings outlive it (nothing is owned). False: he may not; replied. */
bool caller_is(struct um_http_req *rq, const struct um_rest *r, const struct um_token_claims *claims, const struct um_http_route *route);
/* For a public row that treats who has a token otherwise: false: it is not valid; replied. Of an account only the platform's calls
 * know whether it still is one. */
bool caller_optional(struct um_http_req *rq, struct um_rest *r);
/* RQ, of such a row and without a token, is asked by USER of SCOPE, who has shown it. Copied. */
void caller_become(struct um_http_req *rq, const char *user, const char *scope);
const struct caller *caller_of(const struct um_http_req *rq);          /* not NULL behind a row that is not public */
const char *caller_token(const struct um_http_req *rq);                /* header token, or Authorization: Bearer */
bool caller_has_role(struct um_rest *r, const struct um_http_req *rq, const char *role);   /* of a public row's caller */
bool caller_identity(struct um_rest *r, struct um_span token, struct um_collab_identity *out);

/* scopes.c: which scope a request is about. Never "": the default scope has a name. */
const char *caller_scope(const struct um_rest *r, const struct um_http_req *rq);
/* Of rows with the parameters PARAM_ANY_SCOPE: by its query too, and SCOPE_ALL is every scope. NULL: it is not his; replied. */
#define SCOPE_ALL "*"
const char *caller_scope_asked(struct um_rest *r, struct um_http_req *rq);

/* users.c */
#define USER_MAX 128
struct user {
    const char *id, *display_name;
    const char *text;                        /* the password as the properties have it; borrowed from them */
    char *_Atomic hash;                      /* NULL: TEXT is plain, and nobody has tried it yet */
    char **profiles;
    size_t n_profiles;
};
um_err users_load(struct users **out, const struct um_rest_deps *deps, char why[256]);
struct user *users_find(const struct users *u, const char *id);
bool users_check(struct user *u, const char *password);                /* U NULL: nobody; costs as much time. Any thread */
void users_free(struct users *u);

/* A reply that comes later: `rq` turns NULL when the client has left meanwhile. */
struct later { struct um_http_req *rq; struct um_rest *rest; struct um_loop *loop; char *text; };
struct later *later_new(struct um_http_req *rq, struct um_rest *rest, const char *text);
struct um_http_req *later_take(struct later *l);                       /* the request or NULL; frees L */
/* The reply for a failed call to the store. */
void reply_store_error(struct um_http_req *rq, um_err err);

/* routes.c: what is asked, once it is known who asks: for who lets caller_check wait, before um_http_continue. False: replied, or it
 * goes on later. */
bool rest_check_asked(struct um_http_req *rq, struct um_rest *r);
/* admin/scope.c: rows of administration about one document: is it of the caller's scope? Else replied. Other rows: true. */
bool admin_check_document(struct um_http_req *rq, struct um_rest *r);

/* admin/: what this core answers when members are asked, and what it says of its own parts. Before the loops run. */
void admin_serve(struct um_rest *r);
void admin_check_serve(struct um_rest *r);

/* accounts.c: tokens of a user of a scope are worth nothing any more: his sessions at the gateways end. */
struct um_domain_change;
void account_ended(struct um_rest *r, const struct um_domain_change *change);

/* announce.c: the caches of ROWS have changed and have these versions now. Tells every node of it, waits for them (at most
 * cache.apply-wait), adds X-Cluster-Version and X-Cluster-Applied to the reply, and runs THEN on L, which replies. RQ is NULL
 * when the client has left, then or meanwhile. NODES: [{"id","ok"}]. NEWS: see umbel/cachegen.h. Strings of ROWS and NEWS are copied. */
typedef void announced_fn(void *arg, struct um_http_req *rq, const json_t *nodes);
void announce(struct um_rest *r, struct um_loop *l, struct um_http_req *rq, const struct um_store_cache *rows, size_t n,
              struct um_span news, announced_fn *then, void *arg);
void cache_name(struct um_buf *out, const char *scope, const char *name);      /* "GEC-DocumentClass", or the name alone */

um_http_handler authentication_post, users_create, users_password, jobs_lease;
um_http_handler documents_list, documents_create, documents_get, documents_rename, documents_delete;
um_http_handler versions_list, versions_keep, versions_get, versions_name, versions_content,
    versions_compare, versions_restore;
um_http_handler reservation_take, reservation_release, reservation_renew, reservation_state, reservation_own, reservation_list,
    reservation_break;
um_http_handler admin_collab_get, admin_collab_close, admin_archive_run, admin_cluster_get;
um_http_handler admin_check, admin_documents_list, admin_documents_get, admin_documents_close, admin_documents_reload,
    admin_connections_list, admin_connections_close, admin_sessions_list, admin_sessions_end_all, admin_sessions_end, admin_locks_list,
    unlock_user, encrypt_post, admin_drain, admin_loggers_list, admin_loggers_set, admin_config_list, admin_audit_list, admin_content_get, admin_content_put, admin_documents_fork;
um_http_handler internal_audit, internal_session_end, internal_revocations_get;
um_http_handler caches_list, caches_clear, internal_caches_get, internal_caches_clear, actuator_caches_list, actuator_caches_clear,
    actuator_cache_get, actuator_cache_clear;
um_http_handler actuator_index, actuator_health, actuator_liveness, actuator_readiness, actuator_status, actuator_info, actuator_metrics,
    actuator_metric, actuator_prometheus, actuator_loggers, actuator_logger, actuator_logger_set, actuator_env, actuator_env_one,
    actuator_configprops, actuator_exchanges, actuator_threads, actuator_logfile, actuator_shutdown, actuator_failpoint;
um_http_handler features_list, features_internal, features_custom, features_get;
um_http_handler description_get, viewer_get, viewer_index;
um_http_handler socket_collab, socket_room, socket_echo, socket_welcome;

#endif
