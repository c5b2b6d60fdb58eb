/* Calls of the archive and their way home. */
#include "op.h"
#include <stdlib.h>
#include <string.h>

/* ---- the gate ---- */

struct archive_gate { _Atomic uint32_t refs; _Atomic bool closed; };

struct archive_gate *archive_gate_new(void)
{
    struct archive_gate *g = um_xcalloc(1, sizeof(*g));

    atomic_init(&g->refs, 1);
    atomic_init(&g->closed, false);
    return g;
}

static void unref_gate(struct archive_gate *g)
{
    if (atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) == 1)
        free(g);
}

void archive_gate_close(struct archive_gate *g)
{
    atomic_store(&g->closed, true);
    unref_gate(g);
}

/* ---- a page ---- */

struct archive_page *archive_page_new(size_t max)
{
    struct archive_page *pg = um_xcalloc(1, sizeof(*pg));

    pg->rows = um_xcalloc(max, sizeof(*pg->rows));
    pg->page.entries = pg->rows;
    pg->max = max;
    return pg;
}

bool archive_page_is_full(const struct archive_page *pg)
{
    return pg->page.n == pg->max;
}

void archive_page_add(struct archive_page *pg, const char *key, int64_t bytes, int64_t modified_at_ms)
{
    UM_ASSERT(pg->page.n < pg->max);
    pg->rows[pg->page.n++] = (struct um_archive_entry){ um_xstrdup(key), bytes, modified_at_ms };
}

void archive_page_set_after(struct archive_page *pg, const char *key)
{
    char *copy = um_xstrdup(key);

    free(pg->after);
    pg->after = copy;
    pg->page.after = copy;
}

void archive_page_free(struct archive_page *pg)
{
    if (pg == NULL)
        return;
    for (size_t i = 0; i < pg->page.n; i++)
        free((char *)pg->rows[i].key);
    free(pg->rows);
    free(pg->after);
    free(pg);
}

/* ---- the call ---- */

struct archive_op *archive_op_new(enum archive_kind kind, struct um_loop *l, void *arg, const char *key,
                                  const char *after, struct um_bytes *bytes)
{
    size_t key_size = strlen(key != NULL ? key : "") + 1, after_size = strlen(after != NULL ? after : "") + 1;
    struct archive_op *op = um_xcalloc(1, sizeof(*op) + key_size + after_size);

    op->kind = kind;
    op->loop = l;
    op->arg = arg;
    op->key = memcpy(op->text, key != NULL ? key : "", key_size);
    op->after = memcpy(op->text + key_size, after != NULL ? after : "", after_size);
    op->bytes = bytes != NULL ? um_bytes_ref(bytes) : NULL;
    return op;
}

static void free_op(struct archive_op *op)
{
    um_bytes_unref(op->bytes);
    archive_page_free(op->page);
    free(op);
}

void archive_op_free_all(struct archive_op *first)
{
    while (first != NULL) {
        struct archive_op *next = first->next;

        free_op(first);
        first = next;
    }
}

/* ---- delivery ---- */

static void answer(struct archive_op *op)
{
    bool ok = op->err == UM_OK;

    switch (op->kind) {
    case ARCHIVE_GET:
        op->cb.get(op->arg, op->err, ok ? op->bytes : NULL);
        break;
    case ARCHIVE_LIST:
        op->cb.page(op->arg, op->err, ok ? &op->page->page : NULL);
        break;
    case ARCHIVE_PUT:
    case ARCHIVE_DELETE:
    case ARCHIVE_PROBE:
        op->cb.done(op->arg, op->err);
        break;
    }
}

static void arrive(struct um_msg *m)
{
    struct archive_op *op = UM_CONTAINER(m, struct archive_op, msg);
    struct archive_gate *gate = op->gate;

    if (!atomic_load_explicit(&gate->closed, memory_order_acquire))
        answer(op);
    free_op(op);
    unref_gate(gate);
}

void archive_deliver(struct archive_op *op)
{
    atomic_fetch_add_explicit(&op->gate->refs, 1, memory_order_relaxed);
    um_loop_post(op->loop, &op->msg, arrive);
}
