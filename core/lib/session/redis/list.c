/* Sessions of a user, one by its hash, and their number. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "store.h"

#define SCAN_STEP "500"

/* ---- of a user ---- */

static int older_first(const void *a, const void *b)
{
    const struct um_session *x = *(const struct um_session *const *)a, *y = *(const struct um_session *const *)b;

    if (x->created_at_ms != y->created_at_ms)
        return x->created_at_ms < y->created_at_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* A revoked one that came back with an older state of Redis is deleted again. */
static bool is_revoked(struct op *op, const char *id)
{
    char hash[UM_SESSION_HASH_LEN + 1];
    struct args a;

    um_session_hash(id, hash);
    if (!um_revoked_has(op->lane->rs->revoked, hash))
        return false;
    args_begin(&a, op->lane->rs, id);
    args_put_text(&a, id);
    args_send(&a, op->lane->link, 0, &script_destroy, NULL, NULL);
    return true;
}

static um_err take_row(struct op *op, int64_t now, const struct um_redis_reply *row)
{
    const char *id = (const char *)um_redis_item(row, 0).data;
    struct um_session *s = NULL;
    int64_t idle_ms;
    um_err err;

    if (row->n < 2 || um_redis_item(row, 0).len != UM_SESSION_ID_LEN || is_revoked(op, id))
        return UM_OK;
    if ((err = picture_read(now, row->items[1], id, &s, &idle_ms)) == UM_OK)
        op->call->list[op->call->n++] = s;
    return err == UM_ECORRUPT ? UM_OK : err;
}

static um_err take_rows(struct op *op, const struct um_redis_reply *reply)
{
    struct session_call *call = op->call;
    um_err err = UM_OK;

    if (reply->kind != UM_REDIS_ARRAY || reply->n < 2)
        return UM_OK;
    if ((call->list = calloc(reply->n, sizeof(*call->list))) == NULL)
        return UM_ENOMEM;
    for (size_t i = 1; i < reply->n && err == UM_OK; i++)
        if (reply->items[i]->kind == UM_REDIS_ARRAY)
            err = take_row(op, reply->items[0]->integer, reply->items[i]);
    qsort(call->list, call->n, sizeof(*call->list), older_first);
    return err;
}

static void listed(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;

    if (err == UM_OK)
        op_answer(op, take_rows(op, reply), NULL);
    else if (!op_failed(op, op->lane->link, &err, reply))
        op_answer(op, err, NULL);
}

void run_list(struct op *op)
{
    struct args a;

    if (!lane_is_fresh(op->lane)) {
        lane_hold(op->lane, op);
        return;
    }
    args_begin(&a, op->lane->rs, "");
    args_put_text(&a, op->text);
    args_send(&a, op->lane->link, UM_REDIS_IDEMPOTENT, &script_list, listed, op);
}

/* ---- by the hash: all that live are looked through, a step at a time ---- */

static void scan(struct op *op, struct um_span cursor);

static bool matches(const struct op *op, struct um_span id)
{
    char hash[UM_SESSION_HASH_LEN + 1];

    if (id.len != UM_SESSION_ID_LEN)
        return false;
    um_session_hash((const char *)id.data, hash);
    return um_const_time_eq(hash, op->hash, UM_SESSION_HASH_LEN);
}

static void scanned(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;
    const struct um_redis_reply *found;

    if (err != UM_OK) {
        if (!op_failed(op, op->lane->link, &err, reply))
            op_answer(op, err, NULL);
        return;
    }
    found = reply->kind == UM_REDIS_ARRAY && reply->n == 2 ? reply->items[1] : NULL;
    for (size_t i = 0; found != NULL && i < found->n; i += 2)              /* id, end, id, end... */
        if (matches(op, um_redis_item(found, i))) {
            memcpy(op->id, um_redis_item(found, i).data, UM_SESSION_ID_LEN);
            op->run = run_get;
            run_get(op);
            return;
        }
    if (found == NULL || um_span_eq(um_redis_item(reply, 0), UM_SPAN("0", 1)))
        op_answer(op, UM_ENOTFOUND, NULL);
    else
        scan(op, um_redis_item(reply, 0));
}

static void scan(struct op *op, struct um_span cursor)
{
    static const struct um_redis_opts opts = { .flags = UM_REDIS_IDEMPOTENT };
    const struct um_buf *live = &op->lane->rs->live;

    um_redis_command(op->lane->link, &opts, (struct um_span[]){ UM_SPAN("ZSCAN", 5), UM_SPAN(live->data, live->len), cursor,
                     UM_SPAN("COUNT", 5), UM_SPAN_STR(SCAN_STEP) }, 5, scanned, op);
}

void run_find(struct op *op)
{
    scan(op, UM_SPAN("0", 1));
}

/* ---- their number ---- */

static void counted(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct op *op = arg;

    if (err != UM_OK) {
        if (!op_failed(op, op->lane->link, &err, reply))
            op_answer(op, err, NULL);
        return;
    }
    op->call->n = (size_t)UM_MAX(reply->integer, 0);
    op_answer(op, UM_OK, NULL);
}

void run_count(struct op *op)
{
    struct args a;

    args_begin(&a, op->lane->rs, "");
    args_send(&a, op->lane->link, UM_REDIS_IDEMPOTENT, &script_count, counted, op);
}
