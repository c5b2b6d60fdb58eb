/* See editing.h. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/list.h>
#include <umbel/log.h>
#include <umbel/map.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "answer.h"
#include "copy.h"
#include "editing.h"

enum {
    EXPIRE_MS = 10000, BEAT_MS = 3000, GATHER_MS = 30, ASK_MS = 1000,
    ADMISSION_MS = 200,                       /* how often we ask whether our id is ours */
    FIELDS_MAX = 100,                         /* told in one turn */
    USERS_TOLD = 32, VALUE_MAX = 16384,       /* of one component */
};

struct edited {                               /* a component that somebody here can write to */
    struct um_list dirty;                     /* in editing->dirty: Redis is to hear of it */
    char *category, *id;
    struct um_map users;                      /* user with its zero byte -> how often */
};

struct editing {
    struct um_reserve_env env;
    struct um_redis_link *link;               /* NULL without Redis */
    struct um_map all;                        /* copy_key -> struct edited */
    struct um_list dirty;
    struct um_list asks;
    struct um_timer beat, gather;
    struct um_buf key;
};

/* ---- what is edited here ---- */

static struct edited *edited_new(struct editing *e, struct um_span key, const char *category, const char *id)
{
    struct edited *d = um_xcalloc(1, sizeof(*d));

    d->category = um_xstrdup(category);
    d->id = um_xstrdup(id);
    um_list_init(&d->dirty);
    um_map_put(&e->all, key, d);
    return d;
}

static void edited_free(struct edited *d)
{
    um_list_remove(&d->dirty);
    um_map_free(&d->users);
    free(d->category);
    free(d->id);
    free(d);
}

static struct um_span user_key(const char *user) { return UM_SPAN(user, strlen(user) + 1); }

/* True: USER is new here, or has gone. */
static bool count_user(struct edited *d, const char *user, int by)
{
    intptr_t before = (intptr_t)um_map_get(&d->users, user_key(user)), n = before + by;

    if (n > 0)
        um_map_put(&d->users, user_key(user), (void *)n);
    else
        um_map_remove(&d->users, user_key(user));
    return (before > 0) != (n > 0);
}

/* ---- telling Redis ---- */

static void put_field(struct um_buf *b, const char *category, const char *id)
{
    um_buf_clear(b);
    um_buf_printf(b, "%s:%s", category, id);
}

static void put_users(struct um_buf *b, const struct edited *d)
{
    size_t pos = 0, n = 0;
    struct um_span user;
    void *value;

    um_buf_clear(b);
    um_buf_puts(b, "[");
    while (n < USERS_TOLD && um_map_next(&d->users, &pos, &user, &value)) {
        um_buf_puts(b, n++ > 0 ? ",\"" : "\"");
        um_json_escape(b, UM_SPAN(user.data, user.len - 1));
        um_buf_puts(b, "\"");
    }
    um_buf_puts(b, "]");
}

static struct um_span key_of(const struct editing *e) { return UM_SPAN(e->key.data, e->key.len); }

static void on_renewed(void *arg, um_err err, const struct um_redis_reply *reply);

static void renew_key(struct editing *e)
{
    char ms[16];

    snprintf(ms, sizeof(ms), "%d", EXPIRE_MS);
    um_redis_command(e->link, NULL, (struct um_span[]){ UM_SPAN_STR("PEXPIRE"), key_of(e), UM_SPAN_STR(ms) }, 3, on_renewed, e);
}

/* Says of one component what is so now: HSET, or HDEL when nobody is left (it is forgotten then). */
static void tell_one(struct editing *e, struct edited *d)
{
    struct um_buf field = { 0 }, users = { 0 };
    struct um_span argv[4] = { UM_SPAN_STR(d->users.n > 0 ? "HSET" : "HDEL"), key_of(e) };

    put_field(&field, d->category, d->id);
    put_users(&users, d);
    argv[2] = UM_SPAN(field.data, field.len);
    argv[3] = UM_SPAN(users.data, users.len);
    um_redis_command(e->link, NULL, argv, d->users.n > 0 ? 4 : 3, NULL, NULL);
    um_buf_free(&field);
    um_buf_free(&users);
}

static void forget_if_over(struct editing *e, struct edited *d)
{
    struct um_buf key = { 0 };

    um_list_remove(&d->dirty);
    if (d->users.n > 0)
        return;
    copy_key(&key, d->category, d->id);
    um_map_remove(&e->all, UM_SPAN(key.data, key.len));
    um_buf_free(&key);
    edited_free(d);
}

static void gather_due(void *arg);

static void mark(struct editing *e, struct edited *d)
{
    if (um_list_is_empty(&d->dirty))
        um_list_append(&e->dirty, &d->dirty);
    if (!um_timer_is_set(&e->gather))
        um_timer_set(e->env.loop, &e->gather, GATHER_MS, gather_due, e);
}

/* What an earlier life of ours, or an earlier master, had of us is replaced. */
static void begin_anew(struct editing *e)
{
    size_t pos = 0;
    void *value;

    um_redis_command(e->link, NULL, (struct um_span[]){ UM_SPAN_STR("DEL"), key_of(e) }, 2, NULL, NULL);
    while (um_map_next(&e->all, &pos, &(struct um_span){ 0 }, &value))
        mark(e, value);
}

/* Our id is ours once the cluster has admitted us. */
static bool knows_key(struct editing *e)
{
    struct um_members *m;

    if (e->key.len > 0)
        return true;
    m = um_cluster_members(e->env.cluster);
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].is_self)
            um_redis_key(e->env.redis, &e->key, "resv", "editing", m->list[i].id, NULL);
    um_members_unref(m);
    if (e->key.len > 0)
        begin_anew(e);
    return e->key.len > 0;
}

static void gather_due(void *arg)
{
    struct editing *e = arg;
    bool is_ready = e->link != NULL && um_redis_link_is_ready(e->link), tells = is_ready && knows_key(e);

    if (is_ready && !tells) {
        um_timer_set(e->env.loop, &e->gather, ADMISSION_MS, gather_due, e);
        return;
    }
    for (int n = 0; n < FIELDS_MAX && !um_list_is_empty(&e->dirty); n++) {
        struct edited *d = UM_CONTAINER(e->dirty.next, struct edited, dirty);

        if (tells)
            tell_one(e, d);
        forget_if_over(e, d);                 /* what is not told now is told when Redis is back: all of it */
    }
    if (tells && e->all.n > 0)
        renew_key(e);
    if (!um_list_is_empty(&e->dirty))
        um_timer_set(e->env.loop, &e->gather, GATHER_MS, gather_due, e);
}

static void on_renewed(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct editing *e = arg;

    if (err == UM_OK && reply->kind == UM_REDIS_INTEGER && reply->integer == 0 && e->all.n > 0)
        begin_anew(e);                        /* it had lapsed, or was flushed */
}

static void beat_due(void *arg)
{
    struct editing *e = arg;

    if (e->all.n > 0 && e->key.len > 0 && um_redis_link_is_ready(e->link))
        renew_key(e);
    um_timer_set(e->env.loop, &e->beat, BEAT_MS, beat_due, e);
}

static void on_ready(void *arg, bool ready)
{
    struct editing *e = arg;

    if (ready && e->key.len > 0)
        begin_anew(e);
    else if (ready)
        um_timer_set(e->env.loop, &e->gather, GATHER_MS, gather_due, e);
}

void editing_note(struct editing *e, const char *category, const char *id, const char *user, bool begins)
{
    struct um_buf key = { 0 };
    struct edited *d;

    copy_key(&key, category, id);
    d = um_map_get(&e->all, UM_SPAN(key.data, key.len));
    if (d == NULL && begins)
        d = edited_new(e, UM_SPAN(key.data, key.len), category, id);
    if (d != NULL && count_user(d, user, begins ? 1 : -1))
        mark(e, d);
    um_buf_free(&key);
}

bool editing_is_reachable(const struct editing *e) { return e->link == NULL || um_redis_link_is_ready(e->link); }

/* ---- asking ---- */

struct ask {
    struct um_list link;
    struct editing *e;
    const struct um_store_ref *refs;
    size_t n, waits_for;
    char user[UM_RESERVE_USER_MAX + 1];
    um_err err;
    struct answer found;
    editing_cb *cb;
    void *arg;
};
struct question { struct ask *ask; struct um_buf key; };      /* to one core's hash */

static void settle(struct ask *a)
{
    if (--a->waits_for > 0)
        return;
    um_list_remove(&a->link);
    if (a->cb != NULL)
        a->cb(a->arg, a->err, a->found.blockers, a->err == UM_OK ? a->found.n_blockers : 0);
    answer_clear(&a->found);
    free(a);
}

static void found_user(struct ask *a, const struct um_store_ref *ref, const char *user)
{
    if (strcmp(user, a->user) == 0 || a->found.n_blockers == BLOCKERS_MAX)
        return;
    for (size_t i = 0; i < a->found.n_blockers; i++) {        /* on two cores, or in two windows */
        const struct um_reserve_blocker *b = &a->found.blockers[i];
        if (strcmp(b->user, user) == 0 && strcmp(b->id, ref->id) == 0 && strcmp(b->category, ref->category) == 0)
            return;
    }
    answer_add_blocker(&a->found, &(struct um_reserve_blocker){ ref->category, ref->id, user, 0, true });
}

static void look_here(struct ask *a)
{
    struct um_buf key = { 0 };

    for (size_t i = 0; i < a->n; i++) {
        struct edited *d;
        struct um_span user;
        size_t pos = 0;
        void *value;

        copy_key(&key, a->refs[i].category, a->refs[i].id);
        d = um_map_get(&a->e->all, UM_SPAN(key.data, key.len));
        while (d != NULL && um_map_next(&d->users, &pos, &user, &value))
            found_user(a, &a->refs[i], (const char *)user.data);
    }
    um_buf_free(&key);
}

static void take_users(struct ask *a, const struct um_store_ref *ref, struct um_span text)
{
    json_t *list = text.len > 0 && text.len <= VALUE_MAX ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;

    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *user = json_string_value(json_array_get(list, i));
        if (user != NULL && strlen(user) <= UM_RESERVE_USER_MAX)
            found_user(a, ref, user);
    }
    json_decref(list);
}

static void on_fields(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct question *q = arg;
    struct ask *a = q->ask;

    if (err == UM_ECORRUPT && a->cb != NULL)
        um_redis_quarantine(a->e->link, UM_SPAN(q->key.data, q->key.len));
    else if (err != UM_OK)
        a->err = UM_EUNAVAIL;
    for (size_t i = 0; a->cb != NULL && err == UM_OK && i < a->n; i++)
        take_users(a, &a->refs[i], um_redis_item(reply, i));
    um_buf_free(&q->key);
    free(q);
    settle(a);
}

static void ask_core(struct ask *a, const char *core)
{
    struct um_span *argv = um_xcalloc(a->n + 2, sizeof(*argv));
    struct um_buf *fields = um_xcalloc(a->n, sizeof(*fields));
    struct question *q = um_xcalloc(1, sizeof(*q));

    q->ask = a;
    um_redis_key(a->e->env.redis, &q->key, "resv", "editing", core, NULL);
    argv[0] = UM_SPAN_STR("HMGET");
    argv[1] = UM_SPAN(q->key.data, q->key.len);
    for (size_t i = 0; i < a->n; i++) {
        put_field(&fields[i], a->refs[i].category, a->refs[i].id);
        argv[i + 2] = UM_SPAN(fields[i].data, fields[i].len);
    }
    a->waits_for++;
    um_redis_command(a->e->link, &(struct um_redis_opts){ UM_REDIS_IDEMPOTENT, ASK_MS }, argv, a->n + 2, on_fields, q);
    for (size_t i = 0; i < a->n; i++)
        um_buf_free(&fields[i]);
    free(fields);
    free(argv);
}

static void look_elsewhere(struct ask *a)
{
    struct um_members *m = um_cluster_members(a->e->env.cluster);

    for (size_t i = 0; i < m->n; i++)
        if (!m->list[i].is_self && strcmp(m->list[i].role, "core") == 0)
            ask_core(a, m->list[i].id);
    um_members_unref(m);
}

void editing_ask(struct editing *e, const struct um_store_ref *refs, size_t n, const char *user, editing_cb *cb, void *arg)
{
    struct ask *a = um_xcalloc(1, sizeof(*a));

    *a = (struct ask){ .e = e, .refs = refs, .n = n, .waits_for = 1, .cb = cb, .arg = arg };
    snprintf(a->user, sizeof(a->user), "%s", user);
    um_list_append(&e->asks, &a->link);
    look_here(a);
    if (e->link != NULL && n > 0)
        look_elsewhere(a);
    settle(a);
}

/* ---- life ---- */

struct editing *editing_new(const struct um_reserve_env *env)
{
    static const struct um_redis_link_handler handler = { .on_ready = on_ready };
    struct editing *e = um_xcalloc(1, sizeof(*e));

    e->env = *env;
    um_list_init(&e->dirty);
    um_list_init(&e->asks);
    if (env->redis == NULL)
        return e;
    e->link = um_redis_link_new(env->redis, env->loop, "reserve", &handler, e);
    um_timer_set(env->loop, &e->beat, BEAT_MS, beat_due, e);
    return e;
}

void editing_free(struct editing *e)
{
    size_t pos = 0;
    void *value;

    if (e == NULL)
        return;
    UM_LIST_EACH(it, &e->asks)
        UM_CONTAINER(it, struct ask, link)->cb = NULL;
    um_redis_link_free(e->link);
    um_timer_stop(e->env.loop, &e->beat);
    um_timer_stop(e->env.loop, &e->gather);
    while (um_map_next(&e->all, &pos, &(struct um_span){ 0 }, &value))
        edited_free(value);
    um_map_free(&e->all);
    um_buf_free(&e->key);
    free(e);
}
