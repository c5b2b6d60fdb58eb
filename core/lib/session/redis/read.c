/* Finding a session.
 *
 *   revoked? -- yes --> none
 *      no
 *   does this process know what was revoked in this epoch? -- no --> verified within session.grace: from the copy
 *      yes                                                           otherwise: waits for that, then as below
 *   does Redis answer? -- yes --> what it says
 *      no  -------------------> verified within session.grace: from the copy; otherwise UM_EUNAVAIL */
#include <stdlib.h>
#include <string.h>

#include "store.h"

/* From the copy, if it was verified not long ago. */
static bool served_by_grace(struct op *op)
{
    struct redis_sessions *rs = op->lane->rs;
    const struct um_session *s = copies_get(rs->copies, op->id, rs->base.cf.grace_ms);

    if (s == NULL)
        return false;
    um_count(&session_rows[SESSION_M_GRACE], 1);
    op_answer(op, UM_OK, s);
    return true;
}

bool op_has_copy(struct op *op)
{
    const struct um_session *s = copies_get(op->lane->rs->copies, op->id, op->lane->rs->base.cf.grace_ms);

    um_session_unref(s);
    return s != NULL;
}

static void got(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    struct redis_sessions *rs = op->lane->rs;
    const struct um_session *s = NULL;

    if (err != UM_OK) {
        if (!op_failed(op, op->lane->link, &err, reply) && !served_by_grace(op))
            op_answer(op, err, NULL);
        return;
    }
    if (!lane_is_fresh(op->lane)) {           /* the answer of another master: judged again when it is known who was revoked */
        op->run(op);
        return;
    }
    err = um_revoked_has(rs->revoked, op->hash) ? UM_ENOTFOUND : picture_take(rs, reply, op->id, &s);
    if (err == UM_ENOTFOUND)
        copies_drop(rs->copies, op->id);
    op_answer(op, err, s);
}

void run_get(struct op *op)
{
    struct redis_sessions *rs = op->lane->rs;
    bool fresh = lane_is_fresh(op->lane);
    struct args a;

    if (um_revoked_has(rs->revoked, op->hash)) {
        copies_drop(rs->copies, op->id);
        op_answer(op, UM_ENOTFOUND, NULL);
        return;
    }
    if ((!fresh || !um_redis_link_is_ready(op->lane->link)) && served_by_grace(op))
        return;
    if (!fresh) {
        lane_hold(op->lane, op);
        return;
    }
    args_begin(&a, rs, op->id);
    args_put_text(&a, op->id);
    /* Who has a copy to fall back on asks once: a second time would be waiting for a link, and then for an answer, again. */
    args_send(&a, op->lane->link, op_has_copy(op) ? UM_REDIS_NO_WAIT : UM_REDIS_IDEMPOTENT, &script_get, got, op);
}
