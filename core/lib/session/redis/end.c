/* Ends of sessions: by a logout, by an administrator, by time; and hearing of those that others made.
 *
 *   destroy: is it there? -> a revocation through the hook -> Redis -> answer        (database first, Redis second, answer third)
 *
 * The answer is UM_OK when the revocation stands. When it cannot be written, the session ends in Redis all the same, the
 * answer is UM_EUNAVAIL, and the revocation is tried again until it stands or this process ends (release.c).
 *
 * Channel <redis.namespace>:session:ended: "<origin> <why> <id>", published by the script that ends the session. Messages may be
 * lost; so whoever keeps something open for a session is told to ask again (um_sessions_on_doubt). */
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "store.h"

#define SWEEP_MOST "100"                  /* sessions that one run of the script looks at */
#define REVOKE_MARGIN_MS (10 * 60 * 1000)

int64_t ends_revoke_for_ms(const struct redis_sessions *rs)
{
    return rs->timeout_ms + REVOKE_MARGIN_MS;
}

/* ---- those of this process ---- */

/* What follows an end beside telling: the hook releases what the session held. A rename is none for reservations, but the old
 * id must not come back. */
void ends_local(struct redis_sessions *rs, const char *id, enum um_session_end why)
{
    char hash[UM_SESSION_HASH_LEN + 1];

    copies_drop(rs->copies, id);
    um_count(&session_rows[why == UM_SESSION_EXPIRED ? SESSION_M_EXPIRED : SESSION_M_DELETED], why != UM_SESSION_RENAMED);
    session_announce_end(&rs->base, id, why);
    if (why == UM_SESSION_DESTROYED)
        return;                               /* its revocation came first */
    um_session_hash(id, hash);
    releases_add(rs->releases, hash, why == UM_SESSION_EXPIRED ? 0 : ends_revoke_for_ms(rs));
}

/* ---- destroying ---- */

static void destroyed(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    struct redis_sessions *rs = op->lane->rs;

    if (err != UM_OK && op_failed(op, op->lane->link, &err, reply))
        return;
    if (err == UM_OK || op->err == UM_OK)
        ends_local(rs, op->id, UM_SESSION_DESTROYED);
    op_answer(op, op->err, NULL);
}

/* Nobody waits for a Redis that is away once the revocation stands. */
static void delete_it(struct op *op)
{
    struct args a;

    args_begin(&a, op->lane->rs, op->id);
    args_put_text(&a, op->id);
    args_send(&a, op->lane->link, op->err == UM_OK ? UM_REDIS_NO_WAIT : 0, &script_destroy, destroyed, op);
}

static void revoked(void *arg, um_err err)
{
    struct op *op = arg;
    struct redis_sessions *rs = op->lane->rs;
    struct um_revocation row = { op->hash, ends_revoke_for_ms(rs) };

    op->err = err == UM_OK ? um_revoked_add(rs->revoked, &row, 1) : UM_EUNAVAIL;
    if (err != UM_OK) {
        um_log_limited(UM_WARN, "session", "a revocation is still to be written", UM_S("session", op->hash),
                       UM_S("reason", um_err_text(err)));
        releases_add(rs->releases, op->hash, row.left_ms);
    }
    op->run = delete_it;
    delete_it(op);
}

static void revoke(struct op *op)
{
    struct redis_sessions *rs = op->lane->rs;

    if (UM_FAILPOINT("session.before_revoke"))
        revoked(op, UM_EUNAVAIL);
    else if (rs->hooks.revoke != NULL)
        rs->hooks.revoke(rs->hooks.ctx, op->lane->loop, op->hash, ends_revoke_for_ms(rs), revoked, op);
    else
        revoked(op, UM_OK);
}

/* Only what is there is revoked, or cookies that somebody made up would fill the database. */
static void looked(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;

    if (err != UM_OK) {
        if (op_failed(op, op->lane->link, &err, reply))
            return;
        if (op_has_copy(op))
            revoke(op);
        else
            op_answer(op, err, NULL);
    } else if (reply->integer == 1 || releases_has(op->lane->rs->releases, op->hash)) {
        revoke(op);
    } else {
        op_answer(op, UM_OK, NULL);
    }
}

void run_destroy(struct op *op)
{
    struct args a;

    if (!um_redis_link_is_ready(op->lane->link) && op_has_copy(op)) {
        revoke(op);
        return;
    }
    args_begin(&a, op->lane->rs, op->id);
    args_put_text(&a, op->id);
    args_send(&a, op->lane->link, UM_REDIS_IDEMPOTENT, &script_is_alive, looked, op);
}

/* ---- time ---- */


static void swept(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    struct redis_sessions *rs = op->lane->rs;
    bool more = false;

    if (err != UM_OK && op_failed(op, op->lane->link, &err, reply))
        return;
    if (err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n >= 2) {
        atomic_store(&session_rows[SESSION_M_ACTIVE].value, reply->items[0]->integer);
        more = reply->items[1]->integer != 0;
        for (size_t i = 2; i < reply->n; i++)
            if (um_redis_item(reply, i).len == UM_SESSION_ID_LEN)
                ends_local(rs, (const char *)um_redis_item(reply, i).data, UM_SESSION_EXPIRED);
    }
    op_answer(op, err, NULL);
    atomic_store(&rs->is_sweeping, false);
    if (more)
        ends_sweep(rs);
}

static void run_sweep(struct op *op)
{
    struct args a;

    args_begin(&a, op->lane->rs, "");
    args_put_text(&a, SWEEP_MOST);
    args_send(&a, op->lane->link, UM_REDIS_NO_WAIT, &script_sweep, swept, op);
}

void ends_sweep(struct redis_sessions *rs)
{
    if (!atomic_exchange(&rs->is_sweeping, true))
        op_go(op_new(rs, NULL, NULL, run_sweep));
}

/* ---- those of others ---- */

/* "<origin> <why> <id>" */
static bool read_message(struct um_span text, struct um_span *origin, enum um_session_end *why, char id[UM_SESSION_ID_LEN + 1])
{
    static const char *const words[] = {
        [UM_SESSION_DESTROYED] = "destroyed", [UM_SESSION_EXPIRED] = "expired",
        [UM_SESSION_EVICTED] = "evicted", [UM_SESSION_RENAMED] = "renamed",
    };
    const uint8_t *a = memchr(text.data, ' ', text.len), *end = text.data + text.len, *b;

    if (a == NULL || (b = memchr(a + 1, ' ', (size_t)(end - a - 1))) == NULL || end - b - 1 != UM_SESSION_ID_LEN)
        return false;
    *origin = UM_SPAN(text.data, (size_t)(a - text.data));
    memcpy(id, b + 1, UM_SESSION_ID_LEN);
    id[UM_SESSION_ID_LEN] = '\0';
    for (size_t i = 0; i < UM_COUNT(words); i++)
        if (um_span_eq(UM_SPAN(a + 1, (size_t)(b - a - 1)), UM_SPAN_STR(words[i]))) {
            *why = (enum um_session_end)i;
            return true;
        }
    return false;
}

static void on_message(void *arg, struct um_span channel, struct um_span payload)
{
    struct redis_sessions *rs = arg;
    char id[UM_SESSION_ID_LEN + 1];
    enum um_session_end why;
    struct um_span origin;

    (void)channel;
    if (!read_message(payload, &origin, &why, id)) {
        um_log_limited(UM_WARN, "session", "a message cannot be read", UM_I("bytes", payload.len));
        return;
    }
    if (um_span_eq(origin, UM_SPAN_STR(rs->origin)))
        return;
    copies_drop(rs->copies, id);
    session_announce_end(&rs->base, id, why);
}

static void on_live(void *arg, bool again)
{
    struct redis_sessions *rs = arg;

    if (!again)
        return;
    revocations_read(rs);
    session_announce_doubt(&rs->base);
}

void ends_subscribe(struct redis_sessions *rs)
{
    static const struct um_redis_sub_handler handler = { on_message, on_live };

    rs->sub = um_redis_subscribe(home_of(rs)->link, UM_SPAN(rs->channel.data, rs->channel.len), false, &handler, rs);
}
