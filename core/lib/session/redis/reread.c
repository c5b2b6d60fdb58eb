/* Knowing what was revoked (S5).
 *
 * Readings of the list are numbered. A lane that has met another epoch needs one that began after that, and serves nobody
 * whose session it has not verified before until that reading has succeeded. One reading runs at a time, at home; a failed one
 * is tried again. Without a hook there is nothing to read, and a lane is always fresh. */
#include <umbel/log.h>
#include <umbel/util.h>

#include "store.h"

#define AGAIN_MS    500
#define HOLD_MS     3000                  /* a call waits so long for the list */
#define HOLD_MAX    10000                 /* calls that wait, per lane; the next ones fail at once */

bool lane_is_fresh(struct lane *lane)
{
    return lane->rs->hooks.read == NULL || atomic_load(&lane->rs->reading_done) >= atomic_load(&lane->needs);
}

/* ---- calls that wait ---- */

static void run_held(void *arg)
{
    struct lane *lane = arg;
    struct um_list now;

    um_list_init(&now);
    um_list_splice(&now, &lane->held);
    lane->n_held = 0;
    um_timer_stop(lane->loop, &lane->held_until);
    UM_LIST_EACH_SAFE(it, &now) {
        struct op *op = UM_CONTAINER(it, struct op, link);
        um_list_remove(&op->link);
        op->run(op);
    }
}

static void give_up_held(void *arg)
{
    struct lane *lane = arg;
    struct um_list now;

    um_list_init(&now);
    um_list_splice(&now, &lane->held);
    lane->n_held = 0;
    UM_LIST_EACH_SAFE(it, &now)
        op_answer(UM_CONTAINER(it, struct op, link), UM_EUNAVAIL, NULL);
}

void lane_hold(struct lane *lane, struct op *op)
{
    if (lane->n_held >= HOLD_MAX) {
        op_answer(op, UM_EUNAVAIL, NULL);
        return;
    }
    um_list_append(&lane->held, &op->link);
    lane->n_held++;
    if (!um_timer_is_set(&lane->held_until))
        um_timer_set(lane->loop, &lane->held_until, HOLD_MS, give_up_held, lane);
}

/* ---- reading ---- */

static void read_now(void *arg);

static void was_read(void *arg, um_err err, const struct um_revocation *rows, size_t n)
{
    struct redis_sessions *rs = arg;
    struct um_loop *l = home_of(rs)->loop;

    rs->is_reading = false;
    if (err == UM_OK)
        err = um_revoked_replace(rs->revoked, rows, n, rs->reading_since_ms);
    if (err != UM_OK) {
        um_log_limited(UM_WARN, "session", "revocations cannot be read", UM_S("reason", um_err_text(err)));
        um_timer_set(l, &rs->reread, AGAIN_MS, read_now, rs);
        return;
    }
    atomic_store(&session_rows[SESSION_M_REVOCATIONS].value, (int64_t)um_revoked_count(rs->revoked));
    atomic_store(&rs->reading_done, atomic_load(&rs->readings));
    for (size_t i = 0; i < rs->n_lanes; i++)
        um_loop_call(rs->lanes[i].loop, run_held, &rs->lanes[i]);
    if (atomic_exchange(&rs->epoch_changed, false))
        session_announce_doubt(&rs->base);
    else
        session_announce_revoked(&rs->base);
    if (rs->protect != NULL)
        protect_restore(rs->protect);
    if (rs->read_again)
        um_timer_set(l, &rs->reread, 0, read_now, rs);
}

static void read_now(void *arg)
{
    struct redis_sessions *rs = arg;

    if (rs->hooks.read == NULL || rs->closes)
        return;
    if (rs->is_reading) {
        rs->read_again = true;
        return;
    }
    um_timer_stop(home_of(rs)->loop, &rs->reread);
    rs->is_reading = true;
    rs->read_again = false;
    rs->reading_since_ms = um_now_ms();
    atomic_fetch_add(&rs->readings, 1);
    rs->hooks.read(rs->hooks.ctx, home_of(rs)->loop, was_read, rs);
}

void revocations_read(struct redis_sessions *rs)
{
    um_loop_call(home_of(rs)->loop, read_now, rs);
}

void lane_doubts(struct lane *lane)
{
    struct redis_sessions *rs = lane->rs;

    atomic_store(&lane->needs, atomic_load(&rs->readings) + 1);
    atomic_store(&rs->epoch_changed, true);
    revocations_read(rs);
    if (rs->hooks.read == NULL)
        session_announce_doubt(&rs->base);
    if (rs->hooks.read == NULL && rs->protect != NULL)
        protect_restore(rs->protect);
}
