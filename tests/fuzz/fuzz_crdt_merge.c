/* The functions without a document over any bytes: what they make of valid updates is valid, and a document that
 * gets the merged update equals one that gets the parts. Input: two updates and a state vector, each of the first
 * two behind its length in two bytes. */
#include <umbel/crdt.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct um_span take(const uint8_t **p, const uint8_t *end)
{
    size_t len = 0;
    struct um_span s;

    if (end - *p >= 2) {
        len = (size_t)(*p)[0] << 8 | (*p)[1];
        *p += 2;
    }
    s = UM_SPAN(*p, UM_MIN(len, (size_t)(end - *p)));
    *p += s.len;
    return s;
}

/* Which clocks the updates cover: two structs with one id may differ in hostile input, and then the order in which
 * they arrive decides. */
struct cover {
    struct { uint64_t client; uint32_t from, to; } v[128];
    size_t n;
    bool overlaps;
};

static void note_cover(void *arg, uint64_t client, uint32_t from, uint32_t to)
{
    struct cover *c = arg;

    UM_ASSERT(client <= 9007199254740991u && from <= to);
    for (size_t i = 0; i < c->n; i++)
        c->overlaps |= c->v[i].client == client && c->v[i].from < to && from < c->v[i].to;
    if (c->n == UM_COUNT(c->v)) {
        c->overlaps = true;
        return;
    }
    c->v[c->n].client = client;
    c->v[c->n].from = from;
    c->v[c->n++].to = to;
}

/* Equal as far as a state vector shows. */
static void check_same(struct um_crdt *a, struct um_crdt *b)
{
    struct um_buf x = { 0 }, y = { 0 };

    UM_ASSERT(um_crdt_state_vector(a, &x) == UM_OK && um_crdt_state_vector(b, &y) == UM_OK);
    UM_ASSERT(um_span_eq(UM_SPAN(x.data, x.len), UM_SPAN(y.data, y.len)));
    um_buf_free(&x);
    um_buf_free(&y);
}

static void check_merge(const struct um_span *parts, size_t n, bool comparable)
{
    struct um_buf merged = { 0 };
    struct um_crdt *one, *many;
    struct um_crdt_conf cf;
    um_err err;

    um_crdt_conf_init(&cf);
    cf.eager_pending = true;              /* else one may wait where the other need not */
    UM_ASSERT(um_crdt_new(&cf, &one) == UM_OK && um_crdt_new(&cf, &many) == UM_OK);
    UM_ASSERT(um_crdt_merge(NULL, parts, n, &merged) == UM_OK);
    UM_ASSERT(um_crdt_validate(NULL, UM_SPAN(merged.data, merged.len), NULL) == UM_OK);
    err = um_crdt_apply(one, UM_SPAN(merged.data, merged.len), NULL);
    for (size_t i = 0; i < n && err == UM_OK; i++)
        err = um_crdt_apply(many, parts[i], NULL);
    for (int i = 0; i < 8 && err == UM_OK; i++)       /* what waits gets its chance, as with every update */
        if ((err = um_crdt_apply(many, UM_SPAN("\0\0", 2), NULL)) == UM_OK)
            err = um_crdt_apply(one, UM_SPAN("\0\0", 2), NULL);
    if (err == UM_OK && comparable)       /* a limit may be hit in one way and not in the other */
        check_same(one, many);
    um_buf_free(&merged);
    um_crdt_free(one);
    um_crdt_free(many);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *p = data, *end = data + size;
    struct um_span parts[2], sv;
    struct um_buf out = { 0 };
    struct cover cover = { 0 };
    bool valid[2];
    uint64_t clock;

    for (int i = 0; i < 2; i++) {
        parts[i] = take(&p, end);
        valid[i] = um_crdt_validate(NULL, parts[i], NULL) == UM_OK;
    }
    sv = UM_SPAN(p, (size_t)(end - p));
    (void)!um_crdt_sv_validate(NULL, sv);
    (void)!um_crdt_sv_get(sv, 1, &clock);
    (void)!um_crdt_update_meta(NULL, parts[0], note_cover, &cover);
    (void)!um_crdt_update_meta(NULL, parts[1], note_cover, &cover);
    (void)!um_crdt_sv_of_update(NULL, parts[0], &out);
    um_buf_clear(&out);
    if (um_crdt_diff(NULL, parts[0], sv, &out) == UM_OK)
        UM_ASSERT(um_crdt_validate(NULL, UM_SPAN(out.data, out.len), NULL) == UM_OK);
    if (valid[0] && valid[1])
        check_merge(parts, 2, !cover.overlaps);
    um_buf_free(&out);
    return 0;
}
