/* The state that a document has now, taken where it lives, and kept as a version. */
#include <stdlib.h>
#include <umbel/util.h>
#include "versions_internal.h"

/* ---- taking ---- */

struct taking {
    struct um_rest *rest;
    struct um_loop *loop;
    char *document;
    struct um_bytes *state;
    uint64_t seq;
    present_cb *cb;
    void *arg;
};

static um_err take(void *arg, struct um_crdt *crdt, uint64_t seq, struct um_crdt_applied *applied)
{
    struct taking *t = arg;

    (void)applied;
    t->seq = seq;
    return um_crdt_encode_shared(crdt, &t->state);
}

static void finish(struct taking *t, um_err err)
{
    t->cb(t->arg, err, t->state, t->seq);
    um_bytes_unref(t->state);
    free(t->document);
    free(t);
}

static void taken(void *arg, um_err err) { finish(arg, err); }

/* The engine cannot tell a deleted document from one that cannot be had now. */
static void exists(void *arg, um_err err, const struct um_store_entry *e)
{
    struct taking *t = arg;

    (void)e;
    if (err == UM_OK)
        um_collab_work_on(t->rest->collab, t->loop, t->document, "", take, taken, t);
    else
        finish(t, err);
}

void present_take(struct um_rest *r, struct um_loop *l, const char *document, present_cb *cb, void *arg)
{
    struct taking *t = um_xcalloc(1, sizeof(*t));

    t->rest = r;
    t->loop = l;
    t->document = um_xstrdup(document);
    t->cb = cb;
    t->arg = arg;
    um_store_get(r->deps.store, l, document, exists, t);
}

/* ---- keeping ----
 * The state may hold changes that were on their way to the store when it was taken, above its seq. When a version of that
 * seq is there already, it lacks them. They are through when the store has answered: then the document has a higher seq,
 * and is taken again. */

enum { ATTEMPTS = 3 };

struct keeping {
    struct um_rest *rest;
    struct um_loop *loop;
    char *document, *label, *user;
    bool replace;
    int attempts;
    uint32_t crc;
    size_t bytes;
    uint64_t seq;
    present_kept_cb *cb;
    void *arg;
};

static void keep_finish(struct keeping *k, um_err err, const struct um_store_version *v)
{
    k->cb(k->arg, err, v);
    free(k->document);
    free(k->label);
    free(k->user);
    free(k);
}

static void labelled(void *arg, um_err err, const struct um_store_version *v, struct um_bytes *state)
{
    (void)state;
    keep_finish(arg, err, v);
}

static void keep_taken(void *arg, um_err err, struct um_bytes *state, uint64_t seq);

static void kept(void *arg, um_err err, const struct um_store_version *v, struct um_bytes *state)
{
    struct keeping *k = arg;

    (void)state;
    if (err == UM_OK && (v->crc != k->crc || v->bytes != (int64_t)k->bytes) && ++k->attempts < ATTEMPTS)
        present_take(k->rest, k->loop, k->document, keep_taken, k);
    else if (err == UM_OK && k->label[0] != '\0' && (k->replace || v->label[0] == '\0'))
        um_store_label_version(k->rest->deps.store, k->loop, k->document, v->seq, k->label, labelled, k);
    else
        keep_finish(k, err, v);
}

static void keep_taken(void *arg, um_err err, struct um_bytes *state, uint64_t seq)
{
    struct keeping *k = arg;

    if (err != UM_OK) {
        keep_finish(k, err, NULL);
        return;
    }
    if (k->attempts > 0 && seq == k->seq)                /* nothing was on its way: encoded otherwise, that is all */
        k->attempts = ATTEMPTS;
    k->seq = seq;
    k->crc = um_crc32c(0, state->data, state->len);
    k->bytes = state->len;
    um_store_keep_version(k->rest->deps.store, k->loop, k->document, state, seq, "", k->user, kept, k);
}

void present_keep(struct um_rest *r, struct um_loop *l, const struct present_order *order, present_kept_cb *cb, void *arg)
{
    struct keeping *k = um_xcalloc(1, sizeof(*k));

    k->rest = r;
    k->loop = l;
    k->document = um_xstrdup(order->document);
    k->label = um_xstrdup(order->label);
    k->user = um_xstrdup(order->user);
    k->replace = order->replace;
    k->cb = cb;
    k->arg = arg;
    present_take(r, l, order->document, keep_taken, k);
}
