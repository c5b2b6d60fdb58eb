/* See umbel/ask.h. Everything below is on the loop, but for um_ask, um_ask_answer and um_ask_fail, which get there by a call.
 *
 * 1. A question of ours (struct open) ends once: when all who were there have answered, or by its timer.
 * 2. What a stranger asks is told nothing: he gets the error alone, under our seal. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/ask.h>
#include <umbel/cluster.h>
#include <umbel/list.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "seal.h"

enum { RUN_CHARS = 16, SERVED_MAX = 32 };

enum { M_ASKED, M_ANSWERED, M_BAD, M_SILENT };
static struct um_metric rows[] = {
    [M_ASKED]    = { "ask.questions", "questions", "questions of ours to the members", UM_COUNTER, 0 },
    [M_ANSWERED] = { "ask.answered", "questions", "questions of members that were answered here", UM_COUNTER, 0 },
    [M_BAD]      = { "ask.refused", "messages", "messages that could not be read, or stood under another key", UM_COUNTER, 0 },
    [M_SILENT]   = { "ask.silent", "answers", "members that did not answer in time", UM_COUNTER, 0 },
};

struct row {
    char *member, *role, *version, *error;
    json_t *body;
    bool there, is_self, by_previous;
    enum um_ask_state state;
    int64_t us, at_wall_ms;
};

struct open {                                 /* a question of ours */
    struct um_list link;
    struct um_ask *ask;
    struct um_loop *home;
    um_ask_done *done;
    void *arg;
    uint64_t id;
    char *topic, *member, *role, *body;       /* BODY: JSON text, or NULL */
    int64_t wait_ms, since_us;
    struct um_timer timer;
    struct row *rows;
    size_t n, n_missing;
};

struct um_asked {
    struct um_ask *ask;
    uint64_t id;
    char from[RUN_CHARS + 1];
    json_t *body;                             /* the answer, on its way to the loop */
    char *error;
};

struct um_ask {
    struct um_ask_setup setup;
    struct um_redis_link *link;               /* NULL: alone, or stopped */
    struct um_buf channel, own;
    char run[RUN_CHARS + 1];
    uint64_t last_id;
    bool stopped;
    struct um_list open;
    size_t n_open;
    struct { const char *topic; um_ask_fn *fn; void *arg; } served[SERVED_MAX];
    size_t n_served;
};

static void publish(struct um_ask *a, struct um_span channel, json_t *message)
{
    static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT };
    char *text = json_dumps(message, JSON_COMPACT);
    struct um_buf sealed = { 0 };

    UM_ASSERT(text != NULL);
    seal(&sealed, a->setup.key, UM_SPAN_STR(text));
    um_redis_command(a->link, &at_once, (struct um_span[]){ UM_SPAN("PUBLISH", 7), channel, UM_SPAN(sealed.data, sealed.len) }, 3,
                     NULL, NULL);
    um_buf_free(&sealed);
    free(text);
    json_decref(message);
}

/* ---- our questions ---- */

static void row_free(struct row *r)
{
    free(r->member);
    free(r->role);
    free(r->version);
    free(r->error);
    json_decref(r->body);
}

static void come_home(void *arg)
{
    struct open *o = arg;
    struct um_ask_answer *list = um_xcalloc(o->n + 1, sizeof(*list));

    for (size_t i = 0; i < o->n; i++) {
        const struct row *r = &o->rows[i];
        list[i] = (struct um_ask_answer){ r->member, r->role, r->version, r->state, r->is_self, r->by_previous, r->us,
                                           r->at_wall_ms, r->body, r->error };
    }
    o->done(o->arg, list, o->n);
    free(list);
    for (size_t i = 0; i < o->n; i++)
        row_free(&o->rows[i]);
    free(o->rows);
    free(o->topic);
    free(o->member);
    free(o->role);
    free(o->body);
    free(o);
}

static void end(void *arg)
{
    struct open *o = arg;

    um_timer_stop(o->ask->setup.loop, &o->timer);
    um_list_remove(&o->link);
    o->ask->n_open--;
    um_count(&rows[M_SILENT], (int64_t)o->n_missing);
    um_loop_call(o->home, come_home, o);
}

static void take(struct open *o, struct row *r, enum um_ask_state state, json_t *body, const char *error)
{
    if (r->there)
        return;                               /* a message came twice */
    r->there = true;
    r->state = state;
    r->us = um_now_us() - o->since_us;
    r->at_wall_ms = um_wall_ms();
    r->body = json_incref(body);
    r->error = error != NULL ? um_xstrdup(error) : NULL;
    if (--o->n_missing == 0)
        end(o);
}

static struct open *find_open(struct um_ask *a, uint64_t id)
{
    UM_LIST_EACH(it, &a->open) {
        struct open *o = UM_CONTAINER(it, struct open, link);
        if (o->id == id)
            return o;
    }
    return NULL;
}

static struct row *find_row(struct open *o, const char *member)
{
    for (size_t i = 0; i < o->n; i++)
        if (strcmp(o->rows[i].member, member) == 0)
            return &o->rows[i];
    return NULL;
}

static bool is_asked(const struct open *o, const struct um_member *m)
{
    return (o->member == NULL || strcmp(o->member, m->id) == 0) && (o->role == NULL || strcmp(o->role, m->role) == 0);
}

static void list_members(struct open *o)
{
    struct um_members *members = um_cluster_members(o->ask->setup.cluster);

    o->rows = um_xcalloc(members->n + 1, sizeof(*o->rows));
    for (size_t i = 0; i < members->n; i++) {
        const struct um_member *m = &members->list[i];
        if (is_asked(o, m))
            o->rows[o->n++] = (struct row){ .member = um_xstrdup(m->id), .role = um_xstrdup(m->role), .version = um_xstrdup(m->version),
                                            .is_self = m->is_self, .state = UM_ASK_SILENT };
    }
    o->n_missing = o->n;
    um_members_unref(members);
}

static void answer_here(struct um_ask *a, struct um_asked *q, const char *topic, const json_t *body);

static void ask_others(struct open *o)
{
    struct um_ask *a = o->ask;
    json_t *body = o->body != NULL ? json_loads(o->body, JSON_DECODE_ANY, NULL) : NULL;
    json_t *m = json_pack("{s:I, s:s, s:s, s:s?, s:s?, s:o?}", "ask", (json_int_t)o->id, "from", a->run, "topic", o->topic, "member",
                          o->member, "role", o->role, "body", body);

    publish(a, UM_SPAN(a->channel.data, a->channel.len), m);
}

static void ask_self(struct open *o)
{
    struct um_asked *q = um_xcalloc(1, sizeof(*q));
    json_t *body = o->body != NULL ? json_loads(o->body, JSON_DECODE_ANY, NULL) : NULL;

    q->ask = o->ask;
    q->id = o->id;
    memcpy(q->from, o->ask->run, sizeof(q->from));
    answer_here(o->ask, q, o->topic, body);
    json_decref(body);
}

static void begin(void *arg)
{
    struct open *o = arg;
    struct um_ask *a = o->ask;
    bool self = false, others = false;

    if (!a->stopped && a->n_open < UM_ASK_OPEN_MAX)
        list_members(o);
    if (o->n == 0) {
        um_loop_call(o->home, come_home, o);
        return;
    }
    o->id = ++a->last_id;
    o->since_us = um_now_us();
    um_list_append(&a->open, &o->link);
    a->n_open++;
    um_count(&rows[M_ASKED], 1);
    for (size_t i = 0; i < o->n; i++) {
        self |= o->rows[i].is_self;
        others |= !o->rows[i].is_self;
    }
    um_timer_set(a->setup.loop, &o->timer, o->wait_ms, end, o);
    if (others && a->link != NULL)
        ask_others(o);
    if (self)
        ask_self(o);
}

void um_ask(struct um_ask *a, struct um_loop *l, const struct um_ask_question *q, um_ask_done *done, void *arg)
{
    struct open *o = um_xcalloc(1, sizeof(*o));

    o->ask = a;
    o->home = l;
    o->done = done;
    o->arg = arg;
    o->topic = um_xstrdup(q->topic);
    o->member = q->member != NULL ? um_xstrdup(q->member) : NULL;
    o->role = q->role != NULL ? um_xstrdup(q->role) : NULL;
    o->body = q->body != NULL ? json_dumps(q->body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
    o->wait_ms = UM_MIN(q->wait_ms, (int64_t)UM_ASK_WAIT_MAX_MS);
    um_loop_call(a->setup.loop, begin, o);
}

/* ---- answering ---- */

static void put_answer(struct um_asked *q)
{
    struct um_ask *a = q->ask;
    int64_t since;
    json_t *m = json_pack("{s:I, s:s, s:s}", "answer", (json_int_t)q->id, "member", um_cluster_self(a->setup.cluster, &since), "run",
                          a->run);
    struct um_buf channel = { 0 };
    char *text;

    if (q->body != NULL && (text = json_dumps(q->body, JSON_COMPACT | JSON_ENCODE_ANY)) != NULL) {
        if (strlen(text) > UM_ASK_TEXT_MAX - 1024) {
            free(q->error);
            q->error = um_xstrdup("the answer is too long: ask for less");
        }
        free(text);
    }
    if (q->error != NULL)
        json_object_set_new(m, "error", json_string(q->error));
    else if (q->body != NULL)
        json_object_set(m, "body", q->body);
    um_redis_key(a->setup.redis, &channel, "ask", q->from, NULL);
    publish(a, UM_SPAN(channel.data, channel.len), m);
    um_buf_free(&channel);
}

static void answered(void *arg)
{
    struct um_asked *q = arg;
    struct um_ask *a = q->ask;
    bool own = strcmp(q->from, a->run) == 0;
    struct open *o = own ? find_open(a, q->id) : NULL;
    int64_t since;

    if (o != NULL)
        take(o, find_row(o, um_cluster_self(a->setup.cluster, &since)), q->error != NULL ? UM_ASK_FAILED : UM_ASK_ANSWERED, q->body,
             q->error);
    else if (!own && a->link != NULL)
        put_answer(q);
    json_decref(q->body);
    free(q->error);
    free(q);
}

void um_ask_answer(struct um_asked *q, json_t *body)
{
    q->body = body;
    um_loop_call(q->ask->setup.loop, answered, q);
}

void um_ask_fail(struct um_asked *q, const char *why)
{
    q->error = um_xstrdup(why);
    um_loop_call(q->ask->setup.loop, answered, q);
}

void um_ask_serve(struct um_ask *a, const char *topic, um_ask_fn *fn, void *arg)
{
    UM_ASSERT(a->n_served < SERVED_MAX);
    a->served[a->n_served].topic = topic;
    a->served[a->n_served].fn = fn;
    a->served[a->n_served++].arg = arg;
}

static void answer_here(struct um_ask *a, struct um_asked *q, const char *topic, const json_t *body)
{
    for (size_t i = 0; i < a->n_served; i++)
        if (strcmp(a->served[i].topic, topic) == 0) {
            um_count(&rows[M_ANSWERED], 1);
            a->served[i].fn(a->served[i].arg, q, body);
            return;
        }
    um_ask_fail(q, "this member does not know the question: it is of another kind or version");
}

/* ---- what comes in ---- */

static void refuse(struct um_span text)
{
    um_count(&rows[M_BAD], 1);
    um_log_limited(UM_WARN, "ask", "a message cannot be read, or stands under another token.key",
                   UM_B("text", UM_SPAN(text.data, UM_MIN(text.len, 200))));
}

static bool is_run(const char *text) { return text != NULL && strlen(text) == RUN_CHARS; }

static bool is_for_us(const struct um_ask *a, const char *member, const char *role)
{
    struct um_members *members = um_cluster_members(a->setup.cluster);
    bool is = false;

    for (size_t i = 0; i < members->n; i++) {
        const struct um_member *m = &members->list[i];
        is |= m->is_self && (member == NULL || strcmp(member, m->id) == 0) && (role == NULL || strcmp(role, m->role) == 0);
    }
    um_members_unref(members);
    return is;
}

static bool take_question(struct um_ask *a, const json_t *m, enum seal_by by)
{
    const char *from = json_string_value(json_object_get(m, "from")), *topic = json_string_value(json_object_get(m, "topic"));
    const json_t *id = json_object_get(m, "ask");
    struct um_asked *q;

    if (!json_is_integer(id) || !is_run(from) || topic == NULL || strlen(topic) > UM_ASK_TOPIC_MAX)
        return false;
    if (strcmp(from, a->run) == 0 ||
        !is_for_us(a, json_string_value(json_object_get(m, "member")), json_string_value(json_object_get(m, "role"))))
        return true;
    q = um_xcalloc(1, sizeof(*q));
    q->ask = a;
    q->id = (uint64_t)json_integer_value(id);
    memcpy(q->from, from, RUN_CHARS);
    if (by == SEAL_OTHER)
        um_ask_fail(q, "the question stands under another token.key");
    else
        answer_here(a, q, topic, json_object_get(m, "body"));
    return by != SEAL_OTHER;
}

static bool take_answer(struct um_ask *a, const json_t *m, enum seal_by by)
{
    const char *member = json_string_value(json_object_get(m, "member"));
    const json_t *id = json_object_get(m, "answer");
    struct open *o;
    struct row *r;

    if (!json_is_integer(id) || member == NULL)
        return false;
    o = find_open(a, (uint64_t)json_integer_value(id));
    r = o != NULL ? find_row(o, member) : NULL;
    if (r == NULL)
        return true;                          /* too late, or of a member that we did not know of */
    r->by_previous = by == SEAL_PREVIOUS;
    if (by == SEAL_OTHER)
        take(o, r, UM_ASK_STRANGER, NULL, NULL);
    else if (json_object_get(m, "error") != NULL)
        take(o, r, UM_ASK_FAILED, NULL, json_string_value(json_object_get(m, "error")));
    else
        take(o, r, UM_ASK_ANSWERED, json_object_get(m, "body"), NULL);
    return by != SEAL_OTHER;
}

static void on_message(void *arg, struct um_span channel, struct um_span payload)
{
    struct um_ask *a = arg;
    struct um_span text;
    enum seal_by by;
    json_t *m = NULL;
    bool ok;

    if (a->stopped)
        return;
    if (payload.len <= UM_ASK_TEXT_MAX && seal_open(payload, a->setup.key, a->setup.previous, &text, &by))
        m = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    ok = m != NULL && (um_span_eq(channel, UM_SPAN(a->own.data, a->own.len)) ? take_answer : take_question)(a, m, by);
    if (!ok)
        refuse(payload);
    json_decref(m);
}

static const struct um_redis_sub_handler sub_handler = { .on_message = on_message };
static const struct um_redis_link_handler link_handler;

/* ---- life ---- */

struct um_ask *um_ask_new(const struct um_ask_setup *setup)
{
    struct um_ask *a = um_xcalloc(1, sizeof(*a));

    um_metrics_register(rows, UM_COUNT(rows));
    a->setup = *setup;
    um_random_id(a->run, RUN_CHARS);
    um_list_init(&a->open);
    if (setup->redis == NULL)
        return a;
    um_redis_key(setup->redis, &a->channel, "ask", NULL);
    um_redis_key(setup->redis, &a->own, "ask", a->run, NULL);
    a->link = um_redis_link_new(setup->redis, setup->loop, "ask", &link_handler, a);
    um_redis_subscribe(a->link, UM_SPAN(a->channel.data, a->channel.len), false, &sub_handler, a);
    um_redis_subscribe(a->link, UM_SPAN(a->own.data, a->own.len), false, &sub_handler, a);
    return a;
}

struct um_redis_link *um_ask_link(const struct um_ask *a) { return a->link; }

void um_ask_stop(struct um_ask *a)
{
    a->stopped = true;
    UM_LIST_EACH_SAFE(it, &a->open)
        end(UM_CONTAINER(it, struct open, link));
}

void um_ask_free(struct um_ask *a)
{
    if (a == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &a->open)
        um_timer_stop(a->setup.loop, &UM_CONTAINER(it, struct open, link)->timer);
    um_redis_link_free(a->link);
    um_buf_free(&a->channel);
    um_buf_free(&a->own);
    free(a);
}
