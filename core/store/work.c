/* Units of work and inspections: their way in. They are run where the database is: sqlite/unit.c, postgres/unit.c. */
#include "store_internal.h"

static void call(struct um_store *st, enum store_kind kind, bool is_loose, struct um_loop *l, um_store_work *work,
                 um_store_done_cb *done, void *arg)
{
    struct store_op *op = store_op_new(kind, done != NULL ? l : NULL, arg, NULL, NULL, NULL, NULL);

    op->is_loose = is_loose;
    op->gate = st->gate;
    op->work = work;
    op->cb.done = done;
    op->cost = UM_STORE_UNIT_COST;
    op->ttl_ms = kind == STORE_WORK ? st->conf.unit_ms : st->conf.view_ms;
    store_pass_on(st, op);
}

void um_store_transact(struct um_store *st, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg)
{
    call(st, STORE_WORK, false, l, work, done, arg);
}

void um_store_transact_loosely(struct um_store *st, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg)
{
    call(st, STORE_WORK, true, l, work, done, arg);
}

void um_store_inspect(struct um_store *st, struct um_loop *l, um_store_work *work, um_store_done_cb *done, void *arg)
{
    call(st, STORE_VIEW, false, l, work, done, arg);
}
