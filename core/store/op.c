/* Calls of the store and their way home. */
#include "op.h"
#include <stdlib.h>
#include <string.h>

/* ---- the gate ---- */

struct store_gate { _Atomic uint32_t refs; _Atomic bool closed; };

struct store_gate *store_gate_new(void)
{
    struct store_gate *g = um_xcalloc(1, sizeof(*g));

    atomic_init(&g->refs, 1);
    atomic_init(&g->closed, false);
    return g;
}

static void unref_gate(struct store_gate *g)
{
    if (atomic_fetch_sub_explicit(&g->refs, 1, memory_order_acq_rel) == 1)
        free(g);
}

void store_gate_close(struct store_gate *g)
{
    atomic_store(&g->closed, true);
    unref_gate(g);
}

/* ---- the call ---- */

static const char *put_text(char **at, const char *s, size_t n)
{
    char *here = *at;

    memcpy(here, s, n);
    here[n] = '\0';
    *at = here + n + 1;
    return here;
}

struct store_op *store_op_new(enum store_kind kind, struct um_loop *l, void *arg, const char *name, const char *title,
                              const char *user, struct um_bytes *bytes)
{
    const char *texts[3] = { name != NULL ? name : "", title != NULL ? title : "", user != NULL ? user : "" };
    size_t lens[3] = { strlen(texts[0]), strlen(texts[1]), strlen(texts[2]) };
    size_t size = sizeof(struct store_op) + lens[0] + lens[1] + lens[2] + 3;
    struct store_op *op = um_xmalloc(size);
    char *at = op->text;

    memset(op, 0, sizeof(*op));
    op->kind = kind;
    op->loop = l;
    op->arg = arg;
    op->name = put_text(&at, texts[0], lens[0]);
    op->title = put_text(&at, texts[1], lens[1]);
    op->user = put_text(&at, texts[2], lens[2]);
    op->bytes = bytes != NULL ? um_bytes_ref(bytes) : NULL;
    op->cost = (int64_t)(size + (bytes != NULL ? bytes->len : 0));
    return op;
}

void store_op_take_names(struct store_op *op, const char *const *names, size_t n)
{
    size_t size = n * sizeof(*names);
    char *at;

    for (size_t i = 0; i < n; i++)
        size += strlen(names[i]) + 1;
    op->names = um_xmalloc(size + 1);
    op->n_names = n;
    op->cost += (int64_t)size;
    at = (char *)(op->names + n);
    for (size_t i = 0; i < n; i++)
        op->names[i] = put_text(&at, names[i], strlen(names[i]));
}

void store_op_free(struct store_op *op)
{
    if (op == NULL)
        return;
    um_bytes_unref(op->bytes);
    free(op->names);
    free(op->tokens);
    free(op->heads);
    store_log_free(op->log);
    store_page_free(op->page);
    store_versions_free(op->versions);
    store_clients_free(op->clients);
    store_shared_free(op->shared);
    free(op);
}

void store_op_free_all(struct store_op *first)
{
    while (first != NULL) {
        struct store_op *next = first->next;

        store_op_free(first);
        first = next;
    }
}

/* ---- delivery ---- */

static void answer_version(const struct store_op *op)
{
    const struct store_versions *v = op->err == UM_OK ? op->versions : NULL;

    op->cb.version(op->arg, op->err, v != NULL && v->page.n > 0 ? v->rows : NULL, v != NULL ? v->state : NULL);
}

static void answer(struct store_op *op)
{
    bool ok = op->err == UM_OK;

    switch (op->kind) {
    case STORE_LOAD:
    case STORE_SINCE:
        op->cb.load(op->arg, op->err, ok ? &op->log->doc : NULL);
        break;
    case STORE_APPEND:
    case STORE_FOLD:
        op->cb.number(op->arg, op->err, ok ? op->number : 0);
        break;
    case STORE_LIST:
        op->cb.page(op->arg, op->err, ok ? &op->page->page : NULL);
        break;
    case STORE_CREATE:
    case STORE_GET:
    case STORE_TITLE:
    case STORE_DELETE:
        op->cb.entry(op->arg, op->err, ok && op->page != NULL ? op->page->page.entries : NULL);
        break;
    case STORE_HEADS:
        op->cb.heads(op->arg, op->err, ok ? op->heads : NULL, ok ? op->n_names : 0);
        break;
    case STORE_VERSIONS:
    case STORE_VERSIONS_BEFORE:
        op->cb.versions(op->arg, op->err, ok ? &op->versions->page : NULL);
        break;
    case STORE_VERSION:
    case STORE_KEEP:
    case STORE_LABEL:
    case STORE_ARCHIVE:
    case STORE_DROP:
        answer_version(op);
        break;
    case STORE_CLIENTS:
        op->cb.clients(op->arg, op->err, ok ? op->clients->rows : NULL, ok ? op->clients->n : 0);
        break;
    case STORE_WORK:
    case STORE_VIEW:
        op->cb.done(op->arg, op->err);
        break;
    case STORE_CLIENT:
        break;
    default:
        store_answer_shared(op);
    }
}

static void arrive(struct um_msg *m)
{
    struct store_op *op = UM_CONTAINER(m, struct store_op, msg);
    struct store_gate *gate = op->gate;

    while (op != NULL) {
        struct store_op *next = op->next;

        if (!atomic_load_explicit(&gate->closed, memory_order_acquire))    /* asked each time: a callback may close */
            answer(op);
        store_op_free(op);
        op = next;
    }
    unref_gate(gate);
}

void store_deliver(struct store_op *first)
{
    /* A handful of loops, many calls: each round takes out one loop's calls, in order. */
    while (first != NULL) {
        struct store_op *rest = NULL, **rest_end = &rest, *mine = first, **mine_end = &first->next;
        struct um_loop *l = first->loop;

        for (struct store_op *op = first->next; op != NULL; op = op->next) {
            struct store_op ***end = op->loop == l ? &mine_end : &rest_end;

            **end = op;
            *end = &op->next;
        }
        *mine_end = NULL;
        *rest_end = NULL;
        first = rest;
        if (l == NULL) {
            store_op_free_all(mine);
            continue;
        }
        atomic_fetch_add_explicit(&mine->gate->refs, 1, memory_order_relaxed);
        um_loop_post(l, &mine->msg, arrive);
    }
}

/* ---- queues ---- */

void store_queue_init(struct store_queue *q)
{
    q->first = NULL;
    q->end = &q->first;
    q->n = 0;
}

void store_queue_put(struct store_queue *q, struct store_op *op)
{
    op->next = NULL;
    *q->end = op;
    q->end = &op->next;
    q->n++;
}

struct store_op *store_queue_get(struct store_queue *q)
{
    struct store_op *op = q->first;

    if (op == NULL)
        return NULL;
    q->first = op->next;
    if (q->first == NULL)
        q->end = &q->first;
    q->n--;
    op->next = NULL;
    return op;
}

void store_queue_move(struct store_queue *to, struct store_queue *from)
{
    if (from->first == NULL)
        return;
    *to->end = from->first;
    to->end = from->end;
    to->n += from->n;
    store_queue_init(from);
}
