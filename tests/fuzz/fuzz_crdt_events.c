/* Any bytes as updates while somebody listens: what the observer is told is well-formed JSON in both forms, its parts
 * can be asked for one by one, and listening changes nothing: a document that nobody listens to ends in the same
 * bytes. Input: flags (1: no collection, 2: roots stay undeclared), then updates, each behind its length in two
 * bytes. */
#include <umbel/crdt_events.h>
#include "lib0.h"

#define UPDATES_MAX 64
#define DEPTH_MAX   2100              /* values in types in values */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    struct um_buf out;
    size_t n;
};

static struct um_crdt *doc_new(uint8_t flags)
{
    static const struct {
        const char *name;
        enum um_crdt_kind kind;
    } roots[] = { { "t", UM_CRDT_TEXT }, { "a", UM_CRDT_ARRAY }, { "m", UM_CRDT_MAP }, { "x", UM_CRDT_XML_FRAGMENT } };
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.gc = (flags & 1) == 0;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    for (size_t i = 0; i < UM_COUNT(roots) && (flags & 2) == 0; i++)
        UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR(roots[i].name), roots[i].kind) == UM_OK);
    return doc;
}

/* Too many attributes at once, and a text in its middle that has them, are the only refusals. */
static void check_part(struct told *t, um_err err)
{
    UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
    if (err == UM_OK)
        UM_ASSERT(json_check(UM_SPAN(t->out.data, t->out.len), DEPTH_MAX) == UM_OK);
    um_buf_clear(&t->out);
}

static void hear(void *arg, const struct um_crdt_changes *c)
{
    struct told *t = arg;

    UM_ASSERT(!c->incomplete && c->n + c->n_subdocs > 0);
    t->n++;
    check_part(t, um_crdt_changes_json(c, UM_CRDT_TAGGED, &t->out));
    check_part(t, um_crdt_changes_json(c, UM_CRDT_PLAIN, &t->out));
    for (size_t i = 0; i < c->n; i++) {
        UM_ASSERT(c->v[i].list || c->v[i].keys);
        check_part(t, um_crdt_change_path(c, i, &t->out));
        check_part(t, um_crdt_change_delta(c, i, UM_CRDT_PLAIN, &t->out));
        check_part(t, um_crdt_change_keys(c, i, UM_CRDT_PLAIN, &t->out));
    }
}

static void check_same_state(const struct um_crdt *a, const struct um_crdt *b)
{
    struct um_buf x = { 0 }, y = { 0 };

    UM_ASSERT(um_crdt_encode(a, UM_SPAN(NULL, 0), &x) == UM_OK && um_crdt_encode(b, UM_SPAN(NULL, 0), &y) == UM_OK);
    UM_ASSERT(um_span_eq(UM_SPAN(x.data, x.len), UM_SPAN(y.data, y.len)));
    um_buf_free(&x);
    um_buf_free(&y);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t flags = size == 0 ? 0 : data[0];
    struct um_crdt *doc = doc_new(flags), *deaf = doc_new(flags);
    struct told t = { 0 };

    um_crdt_observe(doc, hear, &t);
    for (size_t at = 1, n = 0; at + 2 <= size && n < UPDATES_MAX; n++) {
        size_t len = (size_t)data[at] << 8 | data[at + 1], told = t.n;
        struct um_crdt_applied applied = { 0 };
        um_err err;

        at += 2;
        len = UM_MIN(len, size - at);
        err = um_crdt_apply(doc, UM_SPAN(data + at, len), &applied);
        UM_ASSERT(um_crdt_apply(deaf, UM_SPAN(data + at, len), NULL) == err);
        UM_ASSERT(t.n == told || applied.changed);
        at += len;
    }
    check_same_state(doc, deaf);
    um_buf_free(&t.out);
    um_crdt_free(doc);
    um_crdt_free(deaf);
    return 0;
}
