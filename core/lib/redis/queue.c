/* Commands: waiting for the link, in flight, answered.
 *
 *   um_redis_command --READY--> in flight --reply--> told
 *        |                       |    ^ |
 *        +--away--> waiting -----+    | +--NOREPLICAS--> later (50 ms) --> in flight
 *        |             ^              +--NOSCRIPT: as EVAL
 *        |             +-- connection lost: those that may be repeated, and those refused unexecuted
 *        +--too many--> failed: told at the end of the turn
 *
 * One that wants no answer is put on the wire, behind a CLIENT REPLY SKIP, and forgotten.
 *
 * Invariants
 *  1. A command is on exactly one list, and its callback runs once, when it leaves the last one.
 *  2. Replies belong to the head of in_flight; a reply that is given up on costs the connection.
 *  3. n, bytes: the callers' commands on waiting, later and in_flight; bounded by redis.queue.*. */
#include <inttypes.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "link_int.h"

#define SWEEP_MS       50
#define AGAIN_MS       50                     /* NOREPLICAS: right after a failover for some 60 ms */
#define NOREPLICAS_MS  1000                   /* lasting so long, the master is doubted */

static void sweep(void *arg);

/* ---- places ---- */

static void hold(struct um_redis_link *l, struct cmd *c, int64_t wait_ms)
{
    c->due_at_ms = UM_MIN(um_loop_now_ms(l->loop) + wait_ms, c->deadline_at_ms);
    if (!um_timer_is_set(&l->queue.sweep))
        um_timer_set(l->loop, &l->queue.sweep, SWEEP_MS, sweep, l);
}

static bool is_idle(const struct queue *q)
{
    return um_list_is_empty(&q->waiting) && um_list_is_empty(&q->later) && um_list_is_empty(&q->in_flight);
}

static void count_in(struct um_redis_link *l, const struct cmd *c)
{
    if (c->internal)
        return;
    l->queue.n++;
    l->queue.bytes += c->len;
    redis_count(R_QUEUED, 1);
}

/* Off every list; told and freed. */
static void finish(struct um_redis_link *l, struct cmd *c, um_err err, const struct um_redis_reply *reply)
{
    static const int row[UM_ERR_N] = {
        [UM_EUNAVAIL] = R_E_UNAVAIL, [UM_ETIMEOUT] = R_E_TIMEOUT, [UM_EDENIED] = R_E_DENIED, [UM_ELIMIT] = R_E_LIMIT,
        [UM_ECORRUPT] = R_E_TYPE, [UM_EINVAL] = R_E_OTHER,
    };

    um_list_remove(&c->link);
    if (!c->internal) {
        l->queue.n--;
        l->queue.bytes -= c->len;
        redis_count(R_QUEUED, -1);
        if (err != UM_OK && !c->told)
            redis_count(row[err], 1);
    }
    if (c->cb != NULL)
        c->cb(c->arg, err, reply);
    free(c);
}

/* ---- sending ---- */

static pthread_mutex_t script_lock = PTHREAD_MUTEX_INITIALIZER;

static const char *script_sha1(struct um_redis_script *s)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned len = 0;

    if (atomic_load_explicit(&s->known, memory_order_acquire))
        return s->sha1;
    pthread_mutex_lock(&script_lock);
    if (!atomic_load_explicit(&s->known, memory_order_relaxed)) {
        UM_ASSERT(EVP_Digest(s->text, strlen(s->text), md, &len, EVP_sha1(), NULL) == 1 && len == 20);
        for (unsigned i = 0; i < len; i++) {
            s->sha1[2 * i] = digits[md[i] >> 4];
            s->sha1[2 * i + 1] = digits[md[i] & 15];
        }
        s->sha1[40] = '\0';
        atomic_store_explicit(&s->known, true, memory_order_release);
    }
    pthread_mutex_unlock(&script_lock);
    return s->sha1;
}

static void put_on_wire(struct um_buf *out, struct cmd *c)
{
    if (c->script != NULL) {
        const char *name = c->as_eval ? "EVAL" : "EVALSHA";
        resp_put_head(out, c->n_args + 2);
        resp_put_arg(out, UM_SPAN_STR(name));
        resp_put_arg(out, c->as_eval ? UM_SPAN_STR(c->script->text) : UM_SPAN(script_sha1(c->script), 40));
    }
    um_buf_put(out, c->data, c->len);
}

/* C is on no list. */
static void send_now(struct um_redis_link *l, struct cmd *c)
{
    put_on_wire(&l->conn.out, c);
    um_list_append(&l->queue.in_flight, &c->link);
    if (!c->internal)
        l->queue.n_in_flight++;
    c->sent_at_us = um_now_us();
    hold(l, c, l->redis->cf->timeout_ms);
    c->due_at_ms = um_loop_now_ms(l->loop) + l->redis->cf->timeout_ms;      /* whatever its caller's patience */
    conn_flush_later(&l->conn);
}

void queue_send_waiting(struct um_redis_link *l)
{
    while (l->state == LINK_READY && !um_list_is_empty(&l->queue.waiting)) {
        struct cmd *c = UM_CONTAINER(l->queue.waiting.next, struct cmd, link);
        um_list_remove(&c->link);
        send_now(l, c);
    }
}

static void send_later_ones(void *arg)
{
    struct um_redis_link *l = arg;
    struct um_list now;

    um_list_init(&now);
    um_list_splice(&now, &l->queue.later);
    while (!um_list_is_empty(&now)) {
        struct cmd *c = UM_CONTAINER(now.next, struct cmd, link);
        um_list_remove(&c->link);
        if (l->state == LINK_READY)
            send_now(l, c);
        else
            um_list_append(&l->queue.waiting, &c->link);
    }
}

/* ---- entry ---- */

static void tell_failed(void *arg)
{
    struct um_redis_link *l = arg;
    struct um_list now;

    um_list_init(&now);
    um_list_splice(&now, &l->queue.failed);
    while (!um_list_is_empty(&now)) {
        struct cmd *c = UM_CONTAINER(now.next, struct cmd, link);
        um_list_remove(&c->link);
        redis_count(R_E_UNAVAIL, 1);
        if (c->cb != NULL)
            c->cb(c->arg, UM_EUNAVAIL, NULL);
        free(c);
    }
}

static struct cmd *new_cmd(const struct um_redis_opts *opts, struct um_buf *data, int64_t now_ms, um_redis_cb *cb, void *arg)
{
    struct cmd *c = data->failed ? NULL : malloc(sizeof(*c) + data->len);

    if (c == NULL) {
        c = um_xcalloc(1, sizeof(*c));
        um_buf_clear(data);
        data->failed = true;
    }
    memset(c, 0, sizeof(*c));
    um_list_init(&c->link);
    c->cb = cb;
    c->arg = arg;
    c->flags = opts != NULL ? opts->flags : 0;
    c->deadline_at_ms = opts != NULL && opts->deadline_ms > 0 ? now_ms + opts->deadline_ms : INT64_MAX;
    c->len = data->len;
    if (c->len > 0)
        memcpy(c->data, data->data, c->len);
    return c;
}

static void enter(struct um_redis_link *l, struct cmd *c, bool failed)
{
    const struct um_redis_conf *cf = l->redis->cf;
    bool ready = l->state == LINK_READY;

    if (failed || l->freed || l->queue.n >= (size_t)cf->queue_max || l->queue.bytes + c->len > (size_t)cf->queue_bytes ||
        (!ready && (c->flags & (UM_REDIS_NO_WAIT | UM_REDIS_NO_ANSWER)))) {
        um_list_append(&l->queue.failed, &c->link);
        if (!l->freed)
            um_loop_defer(l->loop, UM_PHASE_FLUSH, &l->queue.tell);
        return;
    }
    count_in(l, c);
    if (ready) {
        send_now(l, c);
        return;
    }
    um_list_append(&l->queue.waiting, &c->link);
    hold(l, c, cf->queue_max_age_ms);
}

/* What the socket does not take is bounded like what waits. */
static void send_unanswered(struct um_redis_link *l, const struct um_span *argv, size_t n)
{
    static const char skip[] = "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$4\r\nSKIP\r\n";
    size_t bytes = l->conn.out.len - l->conn.sent;

    for (size_t i = 0; i < n; i++)
        bytes += argv[i].len;
    if (bytes > (size_t)l->redis->cf->queue_bytes) {
        redis_count(R_E_UNAVAIL, 1);
        return;
    }
    redis_count(R_UNANSWERED, 1);
    um_buf_put(&l->conn.out, skip, sizeof(skip) - 1);
    resp_put_command(&l->conn.out, argv, n);
    conn_flush_later(&l->conn);
}

void um_redis_command(struct um_redis_link *l, const struct um_redis_opts *opts, const struct um_span *argv, size_t n,
                      um_redis_cb *cb, void *arg)
{
    struct um_buf data = { 0 };
    bool unanswered = opts != NULL && (opts->flags & UM_REDIS_NO_ANSWER);
    struct cmd *c;

    UM_ASSERT(n > 0 && um_loop_is_mine(l->loop) && !(unanswered && cb != NULL));
    if (unanswered && l->state == LINK_READY && l->can_skip) {
        send_unanswered(l, argv, n);
        return;
    }
    resp_put_command(&data, argv, n);
    c = new_cmd(opts, &data, um_loop_now_ms(l->loop), cb, arg);
    enter(l, c, data.failed);
    um_buf_free(&data);
}

void um_redis_eval(struct um_redis_link *l, const struct um_redis_opts *opts, struct um_redis_script *script,
                   const struct um_span *argv, size_t n_keys, size_t n, um_redis_cb *cb, void *arg)
{
    struct um_buf data = { 0 };
    char number[24];
    struct cmd *c;

    UM_ASSERT(n_keys <= n && um_loop_is_mine(l->loop));
    snprintf(number, sizeof(number), "%zu", n_keys);
    resp_put_arg(&data, UM_SPAN_STR(number));
    for (size_t i = 0; i < n; i++)
        resp_put_arg(&data, argv[i]);
    c = new_cmd(opts, &data, um_loop_now_ms(l->loop), cb, arg);
    c->script = script;
    c->n_args = n + 1;
    enter(l, c, data.failed);
    um_buf_free(&data);
}

void queue_internal(struct um_redis_link *l, um_redis_cb *cb, const struct um_span *argv, size_t n)
{
    struct um_buf data = { 0 };
    struct cmd *c;

    resp_put_command(&data, argv, n);
    UM_ASSERT(!data.failed);
    c = new_cmd(NULL, &data, um_loop_now_ms(l->loop), cb, l);
    c->internal = true;
    um_buf_free(&data);
    send_now(l, c);
}

/* ---- answers ---- */

enum verdict { V_TELL, V_LEAVE, V_LATER, V_EVAL, V_LEAVE_AND_TELL };
static const struct { const char *code; enum verdict verdict; um_err err; } errors[] = {
    { "READONLY", V_LEAVE, UM_EUNAVAIL },    { "LOADING", V_LEAVE, UM_EUNAVAIL },  { "MASTERDOWN", V_LEAVE, UM_EUNAVAIL },
    { "NOREPLICAS", V_LATER, UM_EUNAVAIL },  { "NOSCRIPT", V_EVAL, UM_EINVAL },    { "NOAUTH", V_LEAVE_AND_TELL, UM_EDENIED },
    { "NOPERM", V_TELL, UM_EDENIED },        { "WRONGPASS", V_TELL, UM_EDENIED },  { "OOM", V_TELL, UM_ELIMIT },
    { "WRONGTYPE", V_TELL, UM_ECORRUPT },    { "MISCONF", V_TELL, UM_EUNAVAIL },   { "BUSY", V_TELL, UM_EUNAVAIL },
};

static enum verdict judge(const struct um_redis_reply *reply, um_err *err)
{
    *err = reply->kind == UM_REDIS_ERROR ? UM_EINVAL : UM_OK;
    for (size_t i = 0; *err != UM_OK && i < UM_COUNT(errors); i++)
        if (resp_is_error(reply, errors[i].code)) {
            *err = errors[i].err;
            return errors[i].verdict;
        }
    return V_TELL;
}

/* Refused unexecuted: kept on LIST for `redis.queue.max-age` from the first refusal, however many follow. */
static void keep_refused(struct um_redis_link *l, struct cmd *c, struct um_list *list)
{
    int64_t now = um_loop_now_ms(l->loop);

    if (c->refused_at_ms == 0)
        c->refused_at_ms = now;
    um_list_append(list, &c->link);
    hold(l, c, c->refused_at_ms + l->redis->cf->queue_max_age_ms - now);
}

static void first_word(char out[24], struct um_span text)
{
    size_t n = 0;

    while (n < text.len && n < 23 && text.data[n] > ' ') {
        out[n] = (char)text.data[n];
        n++;
    }
    out[n] = '\0';
}

static void take_refusal(struct um_redis_link *l, struct cmd *c)
{
    int64_t now = um_loop_now_ms(l->loop);

    if (l->queue.refused_since_ms == 0)
        l->queue.refused_since_ms = now;
    keep_refused(l, c, &l->queue.later);
    if (!um_timer_is_set(&l->queue.again))
        um_timer_set(l->loop, &l->queue.again, AGAIN_MS, send_later_ones, l);
    if (l->redis->target.sentinel && now - l->queue.refused_since_ms > NOREPLICAS_MS) {
        l->queue.refused_since_ms = 0;
        link_leave(l, "NOREPLICAS lasts");
    }
}

/* A caller's command at the head of in_flight; REPLY is its answer. */
static void take_answer(struct um_redis_link *l, struct cmd *c, const struct um_redis_reply *reply)
{
    um_err err;
    enum verdict verdict = judge(reply, &err);
    char word[24];

    um_list_remove(&c->link);
    l->queue.n_in_flight--;
    if (!(c->flags & UM_REDIS_BLOCKING))
        um_histogram_add(l->redis->commands, um_now_us() - c->sent_at_us);
    if (c->told && verdict != V_LEAVE_AND_TELL && err != UM_OK)
        verdict = V_TELL;                     /* nobody waits for it any more */
    switch (verdict) {
    case V_LEAVE:                             /* not executed: the next master gets it */
        redis_count(R_E_REDIRECT, 1);
        keep_refused(l, c, &l->queue.waiting);
        first_word(word, reply->text);
        link_leave(l, word);
        return;
    case V_LATER:
        redis_count(R_E_REDIRECT, 1);
        take_refusal(l, c);
        return;
    case V_EVAL:
        redis_count(R_E_NOSCRIPT, 1);
        if (c->script == NULL || c->as_eval)
            break;
        c->as_eval = true;
        if (l->state == LINK_READY)
            send_now(l, c);
        else
            keep_refused(l, c, &l->queue.waiting);
        return;
    case V_LEAVE_AND_TELL:
        link_leave(l, "NOAUTH");
        break;
    case V_TELL:
        if (err == UM_OK)
            l->queue.refused_since_ms = 0;
        break;
    }
    finish(l, c, err, reply);
}

void queue_take_reply(struct um_redis_link *l, const struct um_redis_reply *reply)
{
    struct cmd *c;

    if (um_list_is_empty(&l->queue.in_flight)) {
        link_lost(l, UM_EPROTO, "a reply that nobody asked for");
        return;
    }
    c = UM_CONTAINER(l->queue.in_flight.next, struct cmd, link);
    if (c->internal)
        finish(l, c, reply->kind == UM_REDIS_ERROR ? UM_EINVAL : UM_OK, reply);
    else
        take_answer(l, c, reply);
    if (is_idle(&l->queue))
        um_timer_stop(l->loop, &l->queue.sweep);
}

/* ---- time and loss ---- */

/* For one that waits: it was never sent, or refused unexecuted - or it was lost once, and who knows. */
static um_err undone(const struct cmd *c)
{
    return c->repeated ? UM_ETIMEOUT : UM_EUNAVAIL;
}

static void expire(struct um_redis_link *l, struct um_list *list, int64_t now)
{
    UM_LIST_EACH_SAFE(it, list) {
        struct cmd *c = UM_CONTAINER(it, struct cmd, link);
        if (c->due_at_ms <= now)
            finish(l, c, undone(c), NULL);
    }
}

/* A caller may be less patient than the link: it is told, and the answer still has its place in the stream. */
static bool in_flight_is_late(struct um_redis_link *l, int64_t now)
{
    bool late = false;

    UM_LIST_EACH_SAFE(it, &l->queue.in_flight) {
        struct cmd *c = UM_CONTAINER(it, struct cmd, link);
        um_redis_cb *cb = c->cb;
        late |= c->due_at_ms <= now;
        if (c->deadline_at_ms > now || c->told)
            continue;
        c->told = true;
        c->cb = NULL;
        redis_count(R_E_TIMEOUT, 1);
        if (cb != NULL)
            cb(c->arg, UM_ETIMEOUT, NULL);
    }
    return late;
}

static void sweep(void *arg)
{
    struct um_redis_link *l = arg;
    struct queue *q = &l->queue;
    int64_t now = um_loop_now_ms(l->loop);

    expire(l, &q->waiting, now);
    expire(l, &q->later, now);
    if (in_flight_is_late(l, now))
        link_lost(l, UM_ETIMEOUT, "no answer in time");
    if (!um_timer_is_set(&q->sweep) && !is_idle(q))
        um_timer_set(l->loop, &q->sweep, SWEEP_MS, sweep, l);
}

/* What may be repeated waits first, in its old order; a command whose own deadline has passed does not. */
void queue_connection_lost(struct um_redis_link *l)
{
    struct queue *q = &l->queue;
    int64_t now = um_loop_now_ms(l->loop);
    struct um_list sent, again;

    um_list_init(&sent);
    um_list_init(&again);
    um_list_splice(&sent, &q->in_flight);
    q->n_in_flight = 0;
    q->refused_since_ms = 0;
    um_timer_stop(l->loop, &q->again);
    while (!um_list_is_empty(&sent)) {
        struct cmd *c = UM_CONTAINER(sent.next, struct cmd, link);
        if (c->internal) {
            um_list_remove(&c->link);
            free(c);
        } else if ((c->flags & UM_REDIS_IDEMPOTENT) && !c->repeated && !c->told && c->deadline_at_ms > now && !l->freed) {
            c->repeated = true;
            redis_count(R_RETRIES, 1);
            um_list_remove(&c->link);
            um_list_append(&again, &c->link);
            hold(l, c, l->redis->cf->queue_max_age_ms);
        } else {
            finish(l, c, UM_ETIMEOUT, NULL);
        }
    }
    um_list_splice(&again, &q->later);
    um_list_splice(&again, &q->waiting);
    um_list_splice(&q->waiting, &again);
}

void queue_init(struct um_redis_link *l)
{
    struct queue *q = &l->queue;

    um_list_init(&q->waiting);
    um_list_init(&q->later);
    um_list_init(&q->in_flight);
    um_list_init(&q->failed);
    um_defer_init(&q->tell, tell_failed, l);
}

void queue_free(struct um_redis_link *l)
{
    struct queue *q = &l->queue;

    queue_connection_lost(l);
    while (!um_list_is_empty(&q->waiting)) {
        struct cmd *c = UM_CONTAINER(q->waiting.next, struct cmd, link);
        finish(l, c, undone(c), NULL);
    }
    while (!um_list_is_empty(&q->failed))
        tell_failed(l);
    um_timer_stop(l->loop, &q->sweep);
    um_timer_stop(l->loop, &q->again);
    um_defer_cancel(&q->tell);
}
