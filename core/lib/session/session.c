/* The face of the session stores: answers by callback on the caller's loop, the picture of a session, its limits. */
#include <umbel/session.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "session_impl.h"

enum { USER_MAX = 512, NAME_MAX_BYTES = 256 };

/* ---- figures ---- */

struct um_metric session_rows[SESSION_M_N] = {
    [SESSION_M_ACTIVE]      = { "session.active", "sessions", "sessions that live; with Redis those of all gateways", UM_GAUGE, 0 },
    [SESSION_M_CREATED]     = { "session.created", "sessions", "sessions begun", UM_COUNTER, 0 },
    [SESSION_M_EXPIRED]     = { "session.expired", "sessions", "sessions that ended for want of use or by age", UM_COUNTER, 0 },
    [SESSION_M_DELETED]     = { "session.deleted", "sessions", "sessions ended by a logout, an administrator or a newer login", UM_COUNTER, 0 },
    [SESSION_M_GRACE]       = { "session.grace", "requests", "sessions served from a local copy while Redis was away", UM_COUNTER, 0 },
    [SESSION_M_UNPROTECTED] = { "session.unprotected", "sessions", "new sessions that no replica confirmed in time", UM_COUNTER, 0 },
    [SESSION_M_REVOCATIONS] = { "session.revocations", "sessions", "ended sessions whose ids are refused", UM_GAUGE, 0 },
    [SESSION_M_BAD_VALUES]  = { "session.bad-values", "values", "values in Redis that cannot be read", UM_COUNTER, 0 },
};
static pthread_once_t rows_once = PTHREAD_ONCE_INIT;

static void register_rows(void)
{
    um_metrics_register(session_rows, SESSION_M_N);
}

void session_rows_start(void)
{
    pthread_once(&rows_once, register_rows);
}

int64_t session_timeout_s(const struct um_sessions_conf *cf)
{
    return cf->gui_timeout_s != 0 ? cf->gui_timeout_s : cf->timeout_s;
}

/* ---- answers ---- */

static void run_answer(struct um_msg *m)
{
    struct session_call *call = UM_CONTAINER(m, struct session_call, msg);

    switch (call->kind) {
    case SESSION_CB_ONE:
        if (call->cb.one != NULL)
            call->cb.one(call->arg, call->err, call->session);
        break;
    case SESSION_CB_LIST:
        call->cb.list(call->arg, call->err, call->list, call->n);
        break;
    case SESSION_CB_COUNT:
        call->cb.count(call->arg, call->err, call->n);
        break;
    }
    um_session_unref(call->session);
    for (size_t i = 0; call->list != NULL && i < call->n; i++)
        um_session_unref(call->list[i]);
    free(call->list);
    free(call);
}

void session_answer(struct session_call *call)
{
    um_loop_post(call->loop, &call->msg, run_answer);
}

static struct session_call *one_call(struct um_loop *l, um_session_cb *cb, void *arg)
{
    struct session_call *call = um_xcalloc(1, sizeof(*call));

    call->loop = l;
    call->kind = SESSION_CB_ONE;
    call->cb.one = cb;
    call->arg = arg;
    return call;
}

void um_session_create(struct um_sessions *ss, struct um_loop *l, const char *user, const struct um_session_attr *attrs,
                       size_t n_attrs, um_session_cb *cb, void *arg)
{
    ss->ops->create(ss, one_call(l, cb, arg), user, attrs, n_attrs);
}

void um_session_get(struct um_sessions *ss, struct um_loop *l, const char *id, um_session_cb *cb, void *arg)
{
    ss->ops->get(ss, one_call(l, cb, arg), id);
}

void um_session_set(struct um_sessions *ss, struct um_loop *l, const char *id, const char *name, struct um_span value,
                    um_session_cb *cb, void *arg)
{
    ss->ops->set(ss, one_call(l, cb, arg), id, name, value);
}

void um_session_touch(struct um_sessions *ss, const char *id)
{
    ss->ops->touch(ss, id);
}

void um_session_change_id(struct um_sessions *ss, struct um_loop *l, const char *id, um_session_cb *cb, void *arg)
{
    ss->ops->change_id(ss, one_call(l, cb, arg), id);
}

void um_session_destroy(struct um_sessions *ss, struct um_loop *l, const char *id, um_session_cb *cb, void *arg)
{
    ss->ops->destroy(ss, one_call(l, cb, arg), id);
}

void um_session_list(struct um_sessions *ss, struct um_loop *l, const char *user, um_session_list_cb *cb, void *arg)
{
    struct session_call *call = one_call(l, NULL, arg);

    call->kind = SESSION_CB_LIST;
    call->cb.list = cb;
    ss->ops->list(ss, call, user);
}

void um_session_find(struct um_sessions *ss, struct um_loop *l, const char *hash, um_session_cb *cb, void *arg)
{
    ss->ops->find(ss, one_call(l, cb, arg), hash);
}

void um_session_count(struct um_sessions *ss, struct um_loop *l, um_session_count_cb *cb, void *arg)
{
    struct session_call *call = one_call(l, NULL, arg);

    call->kind = SESSION_CB_COUNT;
    call->cb.count = cb;
    ss->ops->count(ss, call);
}

void um_sessions_sweep(struct um_sessions *ss)
{
    ss->ops->sweep(ss);
}

um_err um_sessions_add_revoked(struct um_sessions *ss, const struct um_revocation *row)
{
    return ss->ops->add_revoked != NULL ? ss->ops->add_revoked(ss, row) : UM_OK;
}

void um_sessions_reread_revoked(struct um_sessions *ss)
{
    if (ss->ops->reread_revoked != NULL)
        ss->ops->reread_revoked(ss);
}

void um_sessions_free(struct um_sessions *ss)
{
    struct session_listener *listeners;
    struct session_doubter *doubters;

    if (ss == NULL)
        return;
    listeners = ss->listeners;
    doubters = ss->doubters;
    ss->ops->free(ss);                          /* may still tell some of them */
    free(listeners);
    free(doubters);
}

/* ---- ends ---- */

const char *um_session_end_text(enum um_session_end why)
{
    static const char *const text[] = {
        [UM_SESSION_DESTROYED] = "destroyed", [UM_SESSION_EXPIRED] = "expired",
        [UM_SESSION_EVICTED] = "too many of this user", [UM_SESSION_RENAMED] = "id changed",
    };
    return text[why];
}

void um_sessions_listen(struct um_sessions *ss, struct um_loop *l, um_session_end_fn *fn, void *arg)
{
    ss->listeners = um_xrealloc(ss->listeners, (ss->n_listeners + 1) * sizeof(*ss->listeners));
    ss->listeners[ss->n_listeners++] = (struct session_listener){ l, fn, arg };
}

struct end_notice {
    struct um_msg msg;
    const struct session_listener *to;
    enum um_session_end why;
    char id[UM_SESSION_ID_LEN + 1];
};

static void run_notice(struct um_msg *m)
{
    struct end_notice *e = UM_CONTAINER(m, struct end_notice, msg);

    e->to->fn(e->to->arg, e->id, e->why);
    free(e);
}

void session_announce_end(struct um_sessions *ss, const char *id, enum um_session_end why)
{
    for (size_t i = 0; i < ss->n_listeners; i++) {
        struct end_notice *e = um_xcalloc(1, sizeof(*e));
        e->to = &ss->listeners[i];
        e->why = why;
        memcpy(e->id, id, sizeof(e->id));
        um_loop_post(e->to->loop, &e->msg, run_notice);
    }
}

bool um_sessions_have_revoked(struct um_sessions *ss, const char *id)
{
    char hash[UM_SESSION_HASH_LEN + 1];

    um_session_hash(id, hash);
    return um_sessions_have_revoked_hash(ss, hash);
}

bool um_sessions_have_revoked_hash(struct um_sessions *ss, const char *hash)
{
    return ss->ops->has_revoked != NULL && ss->ops->has_revoked(ss, hash);
}

void um_sessions_on_doubt(struct um_sessions *ss, struct um_loop *l, const struct um_session_doubt *fn, void *arg)
{
    ss->doubters = um_xrealloc(ss->doubters, (ss->n_doubters + 1) * sizeof(*ss->doubters));
    ss->doubters[ss->n_doubters++] = (struct session_doubter){ l, fn, arg };
}

void session_announce_doubt(struct um_sessions *ss)
{
    for (size_t i = 0; i < ss->n_doubters; i++)
        um_loop_call(ss->doubters[i].loop, ss->doubters[i].fn->ask, ss->doubters[i].arg);
}

void session_announce_revoked(struct um_sessions *ss)
{
    for (size_t i = 0; i < ss->n_doubters; i++)
        um_loop_call(ss->doubters[i].loop, ss->doubters[i].fn->look, ss->doubters[i].arg);
}

/* ---- pictures ---- */

const struct um_session *um_session_ref(const struct um_session *s)
{
    atomic_fetch_add_explicit(&((struct um_session *)s)->refs, 1, memory_order_relaxed);
    return s;
}

void um_session_unref(const struct um_session *s)
{
    struct um_session *mine = (struct um_session *)s;

    if (mine != NULL && atomic_fetch_sub_explicit(&mine->refs, 1, memory_order_acq_rel) == 1)
        free(mine);
}

struct um_span um_session_attr(const struct um_session *s, const char *name)
{
    for (size_t i = 0; i < s->n_attrs; i++)
        if (strcmp(s->attrs[i].name, name) == 0)
            return s->attrs[i].value;
    return UM_SPAN(NULL, 0);
}

const char *um_session_attr_str(const struct um_session *s, const char *name)
{
    return (const char *)um_session_attr(s, name).data;
}

static char *pack(char **at, const void *data, size_t n)
{
    char *s = *at;

    memcpy(s, data, n);
    s[n] = '\0';                                /* so that every value can be read as a string */
    *at += n + 1;
    return s;
}

struct um_session *session_picture(const char *id, const char *user, const struct um_session_attr *attrs, size_t n)
{
    size_t bytes = sizeof(struct um_session) + n * sizeof(*attrs) + strlen(user) + 1, kept = 0;
    struct um_session *s;
    struct um_session_attr *mine;
    char *at;

    for (size_t i = 0; i < n; i++)
        bytes += strlen(attrs[i].name) + attrs[i].value.len + 2;
    if ((s = calloc(1, bytes)) == NULL)
        return NULL;
    atomic_init(&s->refs, 1);
    mine = (struct um_session_attr *)(s + 1);
    at = (char *)(mine + n);
    memcpy(s->id, id, UM_SESSION_ID_LEN);
    s->user = pack(&at, user, strlen(user));
    for (size_t i = 0; i < n; i++) {
        if (attrs[i].value.len == 0)
            continue;
        mine[kept].name = pack(&at, attrs[i].name, strlen(attrs[i].name));
        mine[kept++].value = UM_SPAN(pack(&at, attrs[i].value.data, attrs[i].value.len), attrs[i].value.len);
    }
    s->attrs = mine;
    s->n_attrs = kept;
    return s;
}

um_err session_check_limits(const struct um_sessions_conf *cf, const char *user, const struct um_session_attr *attrs, size_t n)
{
    size_t total = strlen(user);

    if (n > (size_t)cf->max_attributes || total == 0 || total > USER_MAX)
        return UM_ELIMIT;
    for (size_t i = 0; i < n; i++) {
        if (attrs[i].value.len > (size_t)cf->max_value_bytes || strlen(attrs[i].name) > NAME_MAX_BYTES)
            return UM_ELIMIT;
        total += strlen(attrs[i].name) + attrs[i].value.len;
    }
    return total > (size_t)cf->max_total_bytes ? UM_ELIMIT : UM_OK;
}
