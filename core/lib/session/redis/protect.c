/* A login is answered when a replica has its session (S1).
 *
 * WAIT is about what its own connection has written, and blocks that connection. So new sessions have a link of their own, and
 * one WAIT stands for all that were sent before it:
 *
 *   IDLE --a session--> WRITING (scripts, then WAIT, in one write) --all answered--> IDLE
 *                         ^   sessions that come meanwhile queue up   |
 *                         +-------------------------------------------+
 *
 * So a login waits for at most two WAITs, however many there are. When no replica answers in time, or the connection broke in
 * between, the login succeeds all the same; it is counted and remembered, and written again after the next change of epoch,
 * unless a later WAIT on the same connection has covered it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "store.h"

enum { QUEUE_MAX = 1000, UNPROTECTED_MAX = 1000 };
#define NO_CONNECTION UINT64_MAX

struct unprotected {
    struct um_list link;
    const struct um_session *session;
    uint64_t connection;
};
struct protect {
    struct redis_sessions *rs;
    struct um_redis_link *link;
    struct um_list queue, batch;          /* ops: not sent yet; of this turn */
    size_t n_queue, n_open;               /* n_open: scripts of the batch that are not answered */
    bool is_waiting;                      /* WAIT is not answered */
    bool is_covered;                      /* it was, by a replica, on the connection of the batch */
    bool wants_restore;
    uint64_t connection;                  /* counts the link's connections */
    uint64_t batch_connection;
    struct um_list unprotected;           /* oldest first */
    size_t n_unprotected;
};

/* ---- what no replica may have ---- */

static void forget(struct protect *p, struct unprotected *u)
{
    um_list_remove(&u->link);
    p->n_unprotected--;
    um_session_unref(u->session);
    free(u);
}

static void remember(struct protect *p, const struct um_session *s)
{
    struct unprotected *u = um_xcalloc(1, sizeof(*u));

    if (p->n_unprotected >= UNPROTECTED_MAX)
        forget(p, UM_CONTAINER(p->unprotected.next, struct unprotected, link));
    u->session = um_session_ref(s);
    u->connection = p->batch_connection;
    um_list_append(&p->unprotected, &u->link);
    p->n_unprotected++;
    um_count(&session_rows[SESSION_M_UNPROTECTED], 1);
    um_log_limited(UM_WARN, "session", "no replica has confirmed a new session", UM_I("remembered", p->n_unprotected));
}

static void forget_covered(struct protect *p)
{
    UM_LIST_EACH_SAFE(it, &p->unprotected) {
        struct unprotected *u = UM_CONTAINER(it, struct unprotected, link);
        if (u->connection == p->batch_connection)
            forget(p, u);
    }
}

/* ---- a batch ---- */

static void send_batch(struct protect *p);

static void finish_batch(struct protect *p, bool is_protected)
{
    struct um_list batch;

    um_list_init(&batch);
    um_list_splice(&batch, &p->batch);
    if (is_protected)
        forget_covered(p);
    UM_LIST_EACH_SAFE(it, &batch) {
        struct op *op = UM_CONTAINER(it, struct op, link);
        const struct um_session *s = op->outcome;
        op->outcome = NULL;
        if (s != NULL && !is_protected)
            remember(p, s);
        op_answer(op, op->err, s);
    }
    if (!um_list_is_empty(&p->queue))
        send_batch(p);
}

static void waited(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct protect *p = arg;

    p->is_waiting = false;
    p->is_covered = err == UM_OK && reply->integer >= 1 && p->connection == p->batch_connection;
    if (p->n_open == 0)
        finish_batch(p, p->is_covered);
}

void protect_done(struct op *op, um_err err, const struct um_session *session)
{
    struct protect *p = op->lane->rs->protect;

    op->err = err;
    op->outcome = session;
    if (--p->n_open == 0 && !p->is_waiting)
        finish_batch(p, p->is_covered);
}

static void send_wait(struct protect *p)
{
    int64_t wait_ms = p->rs->base.cf.wait_ms;
    char ms[24];

    snprintf(ms, sizeof(ms), "%lld", (long long)wait_ms);
    p->is_waiting = true;
    p->is_covered = false;
    um_redis_command(p->link, NULL, (struct um_span[]){ UM_SPAN("WAIT", 4), UM_SPAN("1", 1), UM_SPAN_STR(ms) }, 3, waited, p);
}

static void send_batch(struct protect *p)
{
    um_list_splice(&p->batch, &p->queue);
    p->n_queue = 0;
    p->batch_connection = p->connection;
    p->n_open = 1;                            /* ours, until all are sent: an op may be answered at once */
    UM_LIST_EACH_SAFE(it, &p->batch) {
        struct op *op = UM_CONTAINER(it, struct op, link);
        p->n_open++;
        op->send(op, p->link);
    }
    send_wait(p);
    p->n_open--;
}

static void enter(struct op *op)
{
    struct protect *p = op->lane->rs->protect;

    if (op->is_second) {                      /* its first try met a key of the wrong type; the WAIT came before this one */
        p->batch_connection = NO_CONNECTION;
        p->is_covered = false;
        op->send(op, p->link);
        return;
    }
    if (p->n_queue >= QUEUE_MAX) {
        op_answer(op, UM_EUNAVAIL, NULL);
        return;
    }
    um_list_append(&p->queue, &op->link);
    p->n_queue++;
    if (p->n_open == 0 && !p->is_waiting)
        send_batch(p);
}

void protect_run(struct protect *p, struct op *op, void (*send)(struct op *op, struct um_redis_link *link))
{
    op->send = send;
    op_move(op, home_of(p->rs), enter);
}

/* ---- after a change of epoch ---- */

static void restored(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    bool came_back = err == UM_OK && reply->integer == 1;

    if (came_back)
        um_log(UM_INFO, "session", "written again after a failover", UM_S("session", op->hash));
    protect_done(op, err, came_back || err != UM_OK ? um_session_ref(op->content) : NULL);
}

static void send_restore(struct op *op, struct um_redis_link *link)
{
    struct redis_sessions *rs = op->lane->rs;
    const struct um_session *s = op->content;
    struct args a;
    um_err err;

    args_begin(&a, rs, op->id);
    args_put_text(&a, op->id);
    args_put_text(&a, s->user);
    args_put_int(&a, s->max_inactive_s);
    args_put_int(&a, s->created_at_ms);
    args_put_int(&a, s->last_accessed_at_ms);
    err = args_put_fields(&a, s);
    args_send(&a, link, 0, err == UM_OK ? &script_restore : NULL, restored, op);
    if (err != UM_OK)
        protect_done(op, err, NULL);
}

void protect_restore(struct protect *p)
{
    struct um_list all;

    if (!p->wants_restore || !lane_is_fresh(home_of(p->rs)))
        return;
    p->wants_restore = false;
    um_list_init(&all);
    um_list_splice(&all, &p->unprotected);
    p->n_unprotected = 0;
    UM_LIST_EACH_SAFE(it, &all) {
        struct unprotected *u = UM_CONTAINER(it, struct unprotected, link);
        const struct um_session *newest = copies_get(p->rs->copies, u->session->id, INT64_MAX);
        struct op *op = op_new(p->rs, NULL, u->session->id, enter);
        op->content = (struct um_session *)(newest != NULL ? newest : um_session_ref(u->session));
        if (um_revoked_has(p->rs->revoked, op->hash))
            op_answer(op, UM_OK, NULL);
        else
            protect_run(p, op, send_restore);
        um_session_unref(u->session);
        free(u);
    }
}

/* ---- life ---- */

static void on_epoch(void *arg, uint64_t epoch)
{
    struct protect *p = arg;

    (void)epoch;
    p->wants_restore = true;
    lane_doubts(home_of(p->rs));
}

static void on_ready(void *arg, bool ready)
{
    struct protect *p = arg;
    p->connection += !ready;
}

struct protect *protect_new(struct redis_sessions *rs)
{
    static const struct um_redis_link_handler handler = { on_epoch, on_ready };
    struct protect *p = um_xcalloc(1, sizeof(*p));

    p->rs = rs;
    um_list_init(&p->queue);
    um_list_init(&p->batch);
    um_list_init(&p->unprotected);
    p->link = um_redis_link_new(rs->redis, home_of(rs)->loop, "logins", &handler, p);
    return p;
}

void protect_free(struct protect *p)
{
    if (p == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &p->queue)
        op_answer(UM_CONTAINER(it, struct op, link), UM_EUNAVAIL, NULL);
    um_redis_link_free(p->link);              /* answers the batch */
    UM_LIST_EACH_SAFE(it, &p->unprotected)
        forget(p, UM_CONTAINER(it, struct unprotected, link));
    free(p);
}
