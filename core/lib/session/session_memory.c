/* Sessions in the memory of one process, for a gateway that stands alone.
 *
 * Invariants, under one lock (a request takes it once or twice for less than a microsecond):
 * 1. A record is in `by_id`, in the ring of its user, in `by_use` and in `by_age`, or it does not exist.
 * 2. All sessions have the same idle time and the same greatest age, so the head of `by_use` is the first to expire of
 *    idleness and the head of `by_age` the first to expire of age: a sweep looks at nothing that stays.
 * 3. What is handed out is a picture (session_impl.h), never the record. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/metrics.h>
#include <umbel/util.h>

#include "session_impl.h"

struct user {                                   /* exists while it has sessions */
    struct um_list sessions;                    /* oldest first */
    size_t n;
};

struct record {
    struct um_list of_user, by_use, by_age;
    struct user *user;
    struct um_session *content;                 /* id, user, attributes; replaced as a whole */
    int64_t created_ms, used_ms;                /* monotonic */
    int64_t last_accessed_at_ms;                /* wall clock */
    char hash[UM_SESSION_HASH_LEN + 1];
};

struct memory {
    struct um_sessions base;
    pthread_mutex_t lock;
    struct um_map by_id, users;
    struct um_list by_use, by_age;
    int64_t timeout_ms, max_age_ms;             /* 0: no bound */
};

static struct memory *of(struct um_sessions *ss)
{
    return UM_CONTAINER(ss, struct memory, base);
}

static int64_t now_ms(const struct memory *m)
{
    return m->base.cf.now_ms != NULL ? m->base.cf.now_ms() : um_now_ms();
}

static bool is_over(const struct memory *m, const struct record *r, int64_t now)
{
    return now - r->used_ms >= m->timeout_ms || (m->max_age_ms > 0 && now - r->created_ms >= m->max_age_ms);
}

static struct um_span id_key(const struct record *r)
{
    return UM_SPAN(r->content->id, UM_SESSION_ID_LEN);
}

/* ---- under the lock ---- */

static void end_record(struct memory *m, struct record *r, enum um_session_end why)
{
    um_map_remove(&m->by_id, id_key(r));
    um_list_remove(&r->of_user);
    um_list_remove(&r->by_use);
    um_list_remove(&r->by_age);
    if (--r->user->n == 0) {
        um_map_remove(&m->users, UM_SPAN_STR(r->content->user));
        free(r->user);
    }
    um_count(&session_rows[SESSION_M_ACTIVE], -1);
    um_count(&session_rows[why == UM_SESSION_EXPIRED ? SESSION_M_EXPIRED : SESSION_M_DELETED], 1);
    session_announce_end(&m->base, r->content->id, why);
    um_session_unref(r->content);
    free(r);
}

/* The live record ID, or NULL; one that is over is ended on the way. */
static struct record *find_record(struct memory *m, const char *id)
{
    struct record *r = um_map_get(&m->by_id, UM_SPAN_STR(id));

    if (r != NULL && is_over(m, r, now_ms(m))) {
        end_record(m, r, UM_SESSION_EXPIRED);
        r = NULL;
    }
    return r;
}

static struct user *user_of(struct memory *m, const char *name)
{
    struct user *u = um_map_get(&m->users, UM_SPAN_STR(name));

    if (u == NULL) {
        u = um_xcalloc(1, sizeof(*u));
        um_list_init(&u->sessions);
        um_map_put(&m->users, UM_SPAN_STR(name), u);
    }
    return u;
}

static struct record *least_used(struct user *u)
{
    struct record *least = UM_CONTAINER(u->sessions.next, struct record, of_user);

    UM_LIST_EACH(it, &u->sessions) {
        struct record *r = UM_CONTAINER(it, struct record, of_user);
        if (r->used_ms < least->used_ms)
            least = r;
    }
    return least;
}

/* A picture for a caller: the content with the times of this moment. */
static um_err picture_of(const struct memory *m, const struct record *r, const struct um_session **out)
{
    struct um_session *s = session_picture(r->content->id, r->content->user, r->content->attrs, r->content->n_attrs);

    if (s == NULL)
        return UM_ENOMEM;
    s->created_at_ms = r->content->created_at_ms;
    s->last_accessed_at_ms = r->last_accessed_at_ms;
    s->max_inactive_s = m->timeout_ms / 1000;
    *out = s;
    return UM_OK;
}

static struct record *add_record(struct memory *m, struct um_session *content_adopt)
{
    struct record *r = um_xcalloc(1, sizeof(*r));
    struct user *u;

    /* Evicting may take the user's last session and the user with it: look it up again afterwards. */
    while ((u = user_of(m, content_adopt->user))->n >= (size_t)m->base.cf.max_per_user)
        end_record(m, least_used(u), UM_SESSION_EVICTED);
    r->content = content_adopt;
    um_session_hash(content_adopt->id, r->hash);
    r->user = u;
    u->n++;
    r->created_ms = r->used_ms = now_ms(m);
    r->last_accessed_at_ms = content_adopt->created_at_ms = um_wall_ms();
    um_list_append(&u->sessions, &r->of_user);
    um_list_append(&m->by_use, &r->by_use);
    um_list_append(&m->by_age, &r->by_age);
    um_map_put(&m->by_id, id_key(r), r);
    um_count(&session_rows[SESSION_M_ACTIVE], 1);
    um_count(&session_rows[SESSION_M_CREATED], 1);
    return r;
}

static void sweep_locked(struct memory *m)
{
    int64_t now = now_ms(m);
    struct record *r;

    while (!um_list_is_empty(&m->by_use) && is_over(m, r = UM_CONTAINER(m->by_use.next, struct record, by_use), now))
        end_record(m, r, UM_SESSION_EXPIRED);
    while (!um_list_is_empty(&m->by_age) && is_over(m, r = UM_CONTAINER(m->by_age.next, struct record, by_age), now))
        end_record(m, r, UM_SESSION_EXPIRED);
}

/* ---- the operations ---- */

static void memory_create(struct um_sessions *ss, struct session_call *call, const char *user,
                          const struct um_session_attr *attrs, size_t n)
{
    struct memory *m = of(ss);
    struct um_session *content = NULL;
    char id[UM_SESSION_ID_LEN + 1];

    um_random_uuid(id);
    call->err = session_check_limits(&ss->cf, user, attrs, n);
    if (call->err == UM_OK && (content = session_picture(id, user, attrs, n)) == NULL)
        call->err = UM_ENOMEM;
    if (call->err == UM_OK) {
        pthread_mutex_lock(&m->lock);
        sweep_locked(m);
        if (m->by_id.n >= (size_t)ss->cf.max_sessions) {
            call->err = UM_ELIMIT;
            um_session_unref(content);
        } else {
            call->err = picture_of(m, add_record(m, content), &call->session);
        }
        pthread_mutex_unlock(&m->lock);
    }
    session_answer(call);
}

static void memory_get(struct um_sessions *ss, struct session_call *call, const char *id)
{
    struct memory *m = of(ss);
    struct record *r;

    pthread_mutex_lock(&m->lock);
    r = find_record(m, id);
    call->err = r != NULL ? picture_of(m, r, &call->session) : UM_ENOTFOUND;
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

/* The content of R with NAME set to VALUE. */
static um_err replace_attr(struct memory *m, struct record *r, const char *name, struct um_span value)
{
    const struct um_session *old = r->content;
    struct um_session_attr *attrs = calloc(old->n_attrs + 1, sizeof(*attrs));
    struct um_session *changed = NULL;
    size_t n = 0;
    um_err err = UM_ENOMEM;

    if (attrs == NULL)
        return UM_ENOMEM;
    for (size_t i = 0; i < old->n_attrs; i++)
        if (strcmp(old->attrs[i].name, name) != 0)
            attrs[n++] = old->attrs[i];
    if (value.len > 0)
        attrs[n++] = (struct um_session_attr){ name, value };
    if ((err = session_check_limits(&m->base.cf, old->user, attrs, n)) == UM_OK &&
        (changed = session_picture(old->id, old->user, attrs, n)) == NULL)
        err = UM_ENOMEM;
    if (changed != NULL) {
        changed->created_at_ms = old->created_at_ms;
        um_session_unref(old);
        r->content = changed;
    }
    free(attrs);
    return err;
}

static void memory_set(struct um_sessions *ss, struct session_call *call, const char *id, const char *name, struct um_span value)
{
    struct memory *m = of(ss);
    struct record *r;

    pthread_mutex_lock(&m->lock);
    r = find_record(m, id);
    call->err = r == NULL ? UM_ENOTFOUND : replace_attr(m, r, name, value);
    if (call->err == UM_OK)
        call->err = picture_of(m, r, &call->session);
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

static void memory_touch(struct um_sessions *ss, const char *id)
{
    struct memory *m = of(ss);
    struct record *r;

    pthread_mutex_lock(&m->lock);
    if ((r = find_record(m, id)) != NULL) {
        r->used_ms = now_ms(m);
        r->last_accessed_at_ms = um_wall_ms();
        um_list_remove(&r->by_use);
        um_list_append(&m->by_use, &r->by_use);
    }
    pthread_mutex_unlock(&m->lock);
}

static um_err rename_record(struct memory *m, struct record *r)
{
    const struct um_session *old = r->content;
    struct um_session *changed;
    char id[UM_SESSION_ID_LEN + 1];

    um_random_uuid(id);
    if ((changed = session_picture(id, old->user, old->attrs, old->n_attrs)) == NULL)
        return UM_ENOMEM;
    changed->created_at_ms = old->created_at_ms;
    um_map_remove(&m->by_id, id_key(r));
    session_announce_end(&m->base, old->id, UM_SESSION_RENAMED);
    um_session_unref(old);
    r->content = changed;
    um_session_hash(id, r->hash);
    um_map_put(&m->by_id, id_key(r), r);
    return UM_OK;
}

static void memory_change_id(struct um_sessions *ss, struct session_call *call, const char *id)
{
    struct memory *m = of(ss);
    struct record *r;

    pthread_mutex_lock(&m->lock);
    r = find_record(m, id);
    call->err = r == NULL ? UM_ENOTFOUND : rename_record(m, r);
    if (call->err == UM_OK)
        call->err = picture_of(m, r, &call->session);
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

static void memory_destroy(struct um_sessions *ss, struct session_call *call, const char *id)
{
    struct memory *m = of(ss);
    struct record *r;

    pthread_mutex_lock(&m->lock);
    if ((r = find_record(m, id)) != NULL)
        end_record(m, r, UM_SESSION_DESTROYED);
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

static um_err list_locked(struct memory *m, struct session_call *call, const char *user)
{
    struct user *u = um_map_get(&m->users, UM_SPAN_STR(user));
    um_err err = UM_OK;

    if (u == NULL)
        return UM_OK;
    if ((call->list = calloc(u->n, sizeof(*call->list))) == NULL)
        return UM_ENOMEM;
    UM_LIST_EACH(it, &u->sessions) {
        const struct record *r = UM_CONTAINER(it, struct record, of_user);
        if (!is_over(m, r, now_ms(m)) && (err = picture_of(m, r, &call->list[call->n])) == UM_OK)
            call->n++;
    }
    return err;
}

static void memory_list(struct um_sessions *ss, struct session_call *call, const char *user)
{
    struct memory *m = of(ss);

    pthread_mutex_lock(&m->lock);
    call->err = list_locked(m, call, user);
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

/* Seldom asked for: all are looked through. */
static void memory_find(struct um_sessions *ss, struct session_call *call, const char *hash)
{
    struct memory *m = of(ss);

    call->err = UM_ENOTFOUND;
    pthread_mutex_lock(&m->lock);
    sweep_locked(m);
    UM_LIST_EACH(it, &m->by_use) {
        const struct record *r = UM_CONTAINER(it, struct record, by_use);
        if (strcmp(r->hash, hash) != 0)
            continue;
        call->err = picture_of(m, r, &call->session);
        break;
    }
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

static void memory_count(struct um_sessions *ss, struct session_call *call)
{
    struct memory *m = of(ss);

    pthread_mutex_lock(&m->lock);
    sweep_locked(m);
    call->n = m->by_id.n;
    pthread_mutex_unlock(&m->lock);
    session_answer(call);
}

static void memory_sweep(struct um_sessions *ss)
{
    struct memory *m = of(ss);

    pthread_mutex_lock(&m->lock);
    sweep_locked(m);
    pthread_mutex_unlock(&m->lock);
}

static void memory_free(struct um_sessions *ss)
{
    struct memory *m = of(ss);
    size_t pos = 0;
    void *value;
    struct um_span key;

    UM_LIST_EACH_SAFE(it, &m->by_use) {
        struct record *r = UM_CONTAINER(it, struct record, by_use);
        um_session_unref(r->content);
        free(r);
        um_count(&session_rows[SESSION_M_ACTIVE], -1);
    }
    while (um_map_next(&m->users, &pos, &key, &value))
        free(value);
    um_map_free(&m->by_id);
    um_map_free(&m->users);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static const struct session_ops memory_ops = {
    .create = memory_create, .get = memory_get, .set = memory_set, .touch = memory_touch, .change_id = memory_change_id,
    .destroy = memory_destroy, .list = memory_list, .find = memory_find,
    .count = memory_count, .sweep = memory_sweep, .free = memory_free,
};

um_err um_sessions_new_memory(struct um_sessions **out, const struct um_sessions_conf *cf)
{
    struct memory *m;

    *out = NULL;
    session_rows_start();
    if ((m = calloc(1, sizeof(*m))) == NULL)
        return UM_ENOMEM;
    m->base.ops = &memory_ops;
    m->base.cf = *cf;
    m->timeout_ms = session_timeout_s(cf) * 1000;
    m->max_age_ms = cf->max_age_s * 1000;
    pthread_mutex_init(&m->lock, NULL);
    um_list_init(&m->by_use);
    um_list_init(&m->by_age);
    *out = &m->base;
    return UM_OK;
}
