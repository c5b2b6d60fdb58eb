/* The store of sessions in Redis: its life, and the way of a call to its lane and back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "store.h"

#define USE_WRITE_MS   5000               /* a session's use is written at most this often, */
#define USE_WRITE_PART 4                  /* or, when that is more often, this many times in its idle time */
#define FLUSH_STEP_MS  500                /* at least so often it is looked what is due */
#define DOUBT_MS       30000              /* whoever keeps something open for a session asks again */

static struct redis_sessions *of(struct um_sessions *ss)
{
    return UM_CONTAINER(ss, struct redis_sessions, base);
}

/* ---- calls ---- */

static struct lane *lane_of(struct redis_sessions *rs, const struct um_loop *l)
{
    for (size_t i = 0; i < rs->n_lanes; i++)
        if (rs->lanes[i].loop == l)
            return &rs->lanes[i];
    return home_of(rs);
}

struct op *op_new(struct redis_sessions *rs, struct session_call *call, const char *id, void (*run)(struct op *op))
{
    struct op *op = um_xcalloc(1, sizeof(*op));

    um_list_init(&op->link);
    op->lane = lane_of(rs, call != NULL ? call->loop : NULL);
    op->call = call;
    op->run = run;
    if (id != NULL) {
        strncat(op->id, id, UM_SESSION_ID_LEN);
        um_session_hash(op->id, op->hash);
    }
    return op;
}

static void run_op(struct um_msg *m)
{
    struct op *op = UM_CONTAINER(m, struct op, msg);
    op->run(op);
}

void op_go(struct op *op)
{
    if (op->lane->rs->closes)
        op_answer(op, UM_EUNAVAIL, NULL);
    else if (um_loop_is_mine(op->lane->loop))
        op->run(op);
    else
        um_loop_post(op->lane->loop, &op->msg, run_op);
}

void op_move(struct op *op, struct lane *to, void (*run)(struct op *op))
{
    op->lane = to;
    op->run = run;
    op_go(op);
}

static void op_free(struct op *op)
{
    um_list_remove(&op->link);
    um_session_unref(op->content);
    um_buf_free(&op->value);
    free(op->text);
    free(op);
}

void op_answer(struct op *op, um_err err, const struct um_session *session)
{
    if (op->call != NULL) {
        op->call->err = err;
        op->call->session = session;
        session_answer(op->call);
    } else {
        um_session_unref(session);
    }
    op_free(op);
}

static const char wrong_type[] = "WRONGTYPE ";

/* A script names the key: "WRONGTYPE <key>". */
static bool rename_away(struct um_redis_link *link, const struct um_redis_reply *reply)
{
    size_t head = sizeof(wrong_type) - 1;

    if (reply == NULL || reply->text.len <= head || memcmp(reply->text.data, wrong_type, head) != 0)
        return false;
    um_redis_quarantine(link, UM_SPAN(reply->text.data + head, reply->text.len - head));
    return true;
}

bool op_failed(struct op *op, struct um_redis_link *link, um_err *err, const struct um_redis_reply *reply)
{
    if (*err == UM_ECORRUPT && rename_away(link, reply) && !op->is_second) {
        op->is_second = true;
        op_go(op);
        return true;
    }
    if (*err != UM_EUNAVAIL && *err != UM_ETIMEOUT)
        um_log_limited(UM_ERROR, "session", "Redis refuses", UM_S("reason", um_err_text(*err)),
                       UM_B("reply", reply != NULL ? reply->text : UM_SPAN("", 0)));
    *err = UM_EUNAVAIL;
    return false;
}

/* ---- the interface ---- */

static void redis_create(struct um_sessions *ss, struct session_call *call, const char *user,
                         const struct um_session_attr *attrs, size_t n)
{
    char id[UM_SESSION_ID_LEN + 1];
    struct op *op;

    um_random_uuid(id);
    op = op_new(of(ss), call, id, run_create);
    if (session_check_limits(&ss->cf, user, attrs, n) != UM_OK)
        op_answer(op, UM_ELIMIT, NULL);
    else if ((op->content = session_picture(id, user, attrs, n)) == NULL)
        op_answer(op, UM_ENOMEM, NULL);
    else
        op_go(op);
}

static void redis_get(struct um_sessions *ss, struct session_call *call, const char *id)
{
    op_go(op_new(of(ss), call, id, run_get));
}

static void redis_set(struct um_sessions *ss, struct session_call *call, const char *id, const char *name, struct um_span value)
{
    struct op *op = op_new(of(ss), call, id, run_set);

    op->text = um_xstrdup(name);
    if (value.len <= (size_t)ss->cf.max_value_bytes)
        um_buf_put(&op->value, value.data, value.len);
    if (value.len > (size_t)ss->cf.max_value_bytes)
        op_answer(op, UM_ELIMIT, NULL);
    else
        op_go(op);
}

static void redis_touch(struct um_sessions *ss, const char *id)
{
    struct redis_sessions *rs = of(ss);

    if (copies_touch(rs->copies, id))
        op_go(op_new(rs, NULL, id, run_touch));
}

static void redis_change_id(struct um_sessions *ss, struct session_call *call, const char *id)
{
    struct op *op = op_new(of(ss), call, id, run_change_id);

    um_random_uuid(op->new_id);
    op_go(op);
}

static void redis_destroy(struct um_sessions *ss, struct session_call *call, const char *id)
{
    op_go(op_new(of(ss), call, id, run_destroy));
}

static void redis_list(struct um_sessions *ss, struct session_call *call, const char *user)
{
    struct op *op = op_new(of(ss), call, NULL, run_list);

    op->text = um_xstrdup(user);
    op_go(op);
}

static void redis_find(struct um_sessions *ss, struct session_call *call, const char *hash)
{
    struct op *op = op_new(of(ss), call, NULL, run_find);

    strncat(op->hash, hash, UM_SESSION_HASH_LEN);
    op_go(op);
}

static void redis_count(struct um_sessions *ss, struct session_call *call)
{
    op_go(op_new(of(ss), call, NULL, run_count));
}

static void redis_sweep(struct um_sessions *ss)
{
    ends_sweep(of(ss));
}

static um_err redis_add_revoked(struct um_sessions *ss, const struct um_revocation *row)
{
    struct redis_sessions *rs = of(ss);
    um_err err = um_revoked_add(rs->revoked, row, 1);

    atomic_store(&session_rows[SESSION_M_REVOCATIONS].value, (int64_t)um_revoked_count(rs->revoked));
    session_announce_revoked(ss);
    return err;
}

static bool redis_has_revoked(struct um_sessions *ss, const char *hash) { return um_revoked_has(of(ss)->revoked, hash); }

static void redis_reread_revoked(struct um_sessions *ss)
{
    revocations_read(of(ss));
}

/* ---- clockwork, at home ---- */

static void flush_uses(void *arg)
{
    struct redis_sessions *rs = arg;

    uses_flush(rs, home_of(rs)->link, home_of(rs), NULL);
    um_timer_set(home_of(rs)->loop, &rs->flush, UM_MIN(FLUSH_STEP_MS, rs->write_every_ms / 2), flush_uses, rs);
}

static void doubt(void *arg)
{
    struct redis_sessions *rs = arg;

    session_announce_doubt(&rs->base);
    um_timer_set(home_of(rs)->loop, &rs->doubt, DOUBT_MS, doubt, rs);
}

static void on_epoch(void *arg, uint64_t epoch)
{
    (void)epoch;
    lane_doubts(arg);
}

/* ---- life ---- */

/* What other threads and the links have left in the inboxes is still delivered, to owners that are still there. */
static void turn_lanes(struct redis_sessions *rs)
{
    for (size_t i = 0; i < rs->n_lanes; i++)
        um_loop_turn(rs->lanes[i].loop, 0);
}

static void close_lane(struct lane *lane)
{
    um_timer_stop(lane->loop, &lane->held_until);
    UM_LIST_EACH_SAFE(it, &lane->held)
        op_answer(UM_CONTAINER(it, struct op, link), UM_EUNAVAIL, NULL);
    um_redis_link_free(lane->link);
}

static void redis_free(struct um_sessions *ss)
{
    struct redis_sessions *rs = of(ss);
    struct um_loop *l = home_of(rs)->loop;

    turn_lanes(rs);
    rs->closes = true;
    um_timer_stop(l, &rs->flush);
    um_timer_stop(l, &rs->doubt);
    um_timer_stop(l, &rs->reread);
    protect_free(rs->protect);
    for (size_t i = 0; i < rs->n_lanes; i++)
        close_lane(&rs->lanes[i]);
    turn_lanes(rs);
    releases_free(rs->releases);
    copies_free(rs->copies);
    um_revoked_free(rs->revoked);
    um_buf_free(&rs->channel);
    um_buf_free(&rs->live);
    free(rs->lanes);
    free(rs);
}

static const struct session_ops redis_ops = {
    .create = redis_create, .get = redis_get, .set = redis_set, .touch = redis_touch, .change_id = redis_change_id,
    .destroy = redis_destroy, .list = redis_list, .find = redis_find, .count = redis_count, .sweep = redis_sweep,
    .add_revoked = redis_add_revoked, .has_revoked = redis_has_revoked,
    .reread_revoked = redis_reread_revoked, .free = redis_free,
};

static void open_lanes(struct redis_sessions *rs, struct um_loop *const *loops, size_t n)
{
    static const struct um_redis_link_handler handler = { .on_epoch = on_epoch };

    rs->lanes = um_xcalloc(n, sizeof(*rs->lanes));
    rs->n_lanes = n;
    for (size_t i = 0; i < n; i++) {
        struct lane *lane = &rs->lanes[i];
        lane->rs = rs;
        lane->loop = loops[i];
        um_list_init(&lane->held);
        atomic_store(&lane->needs, 1);
        lane->link = um_redis_link_new(rs->redis, lane->loop, "sessions", &handler, lane);
    }
}

static void tell_settings(const struct um_sessions_conf *cf)
{
    if (cf->redis_configure == UM_SESSION_CONFIGURE_NOTIFY)
        um_log(UM_INFO, "session", "notify-keyspace-events is left as it is",
               UM_S("hint", "for Java listeners set it to Egx on every Redis; nothing here depends on it"));
    if (cf->redis_repository == UM_SESSION_REPOSITORY_DEFAULT)
        um_log(UM_INFO, "session", "the indexed layout is written, whatever repository-type says");
}

um_err um_sessions_new_redis(struct um_sessions **out, const struct um_sessions_conf *cf, const struct um_sessions_redis *on)
{
    struct redis_sessions *rs;

    *out = NULL;
    if (on->n_loops == 0 || cf->redis_ns[0] == '\0')
        return UM_EINVAL;
    session_rows_start();
    rs = um_xcalloc(1, sizeof(*rs));
    rs->base.ops = &redis_ops;
    rs->base.cf = *cf;
    rs->redis = on->redis;
    rs->hooks = on->hooks;
    rs->timeout_ms = session_timeout_s(cf) * 1000;
    rs->max_age_ms = cf->max_age_s * 1000;
    rs->database = um_redis_database(on->redis);
    um_random_id(rs->origin, sizeof(rs->origin) - 1);
    snprintf(rs->max_age, sizeof(rs->max_age), "%lld", (long long)rs->max_age_ms);
    um_redis_key(on->redis, &rs->channel, "session", "ended", NULL);
    um_redis_key(on->redis, &rs->live, "session", "live", NULL);
    rs->write_every_ms = UM_MIN(USE_WRITE_MS, rs->timeout_ms / USE_WRITE_PART);
    rs->copies = copies_new((size_t)cf->max_copies, rs->write_every_ms, cf->now_ms != NULL ? cf->now_ms : um_now_ms);
    rs->revoked = um_revoked_new();
    rs->releases = releases_new(rs);
    open_lanes(rs, on->loops, on->n_loops);
    if (um_redis_is_guarded(on->redis))
        rs->protect = protect_new(rs);
    ends_subscribe(rs);
    tell_settings(cf);
    flush_uses(rs);
    um_timer_set(home_of(rs)->loop, &rs->doubt, DOUBT_MS, doubt, rs);
    *out = &rs->base;
    return UM_OK;
}
