/* Mostly the bytes tell whether two values are the same; other writers than yjs may have printed one in another way.
 * Without memory they are different, which costs a superfluous mark. */
#include "json_same.h"
#include "value.h"
#include <stdlib.h>

struct entry_of {                     /* of an object or array; both as `any` */
    struct um_span key, value;        /* key.data NULL: an array's */
};
struct entries {
    struct um_buf any;
    struct mem mem;
    VEC(struct entry_of) v;
    bool array;
};

static bool is_number(struct um_span s) { return s.len > 0 && (s.data[0] == '-' || (s.data[0] >= '0' && s.data[0] <= '9')); }

static bool is_escaped(struct um_span s) { return s.len > 0 && s.data[0] == '"' && memchr(s.data, '\\', s.len) != NULL; }

/* One level of a JSON object or array, or the value itself as the only entry. */
static bool entries_read(const struct um_crdt *doc, struct entries *e, struct um_span json)
{
    struct rd r;
    uint64_t n = 1;
    uint8_t tag;

    memset(e, 0, sizeof(*e));
    mem_init(&e->mem, &doc->mem.alloc);
    if (json_to_any(json, UINT32_MAX, &e->any) != UM_OK || e->any.failed)
        return false;
    r = rd_make(UM_SPAN(e->any.data, e->any.len));
    tag = *r.p;
    e->array = tag == ANY_ARRAY;
    if (tag == ANY_OBJECT || tag == ANY_ARRAY) {
        r.p++;
        n = rd_uint(&r);
    }
    if (!vec_room(&e->mem, &e->v, n))
        return false;
    for (; n > 0; n--) {
        struct entry_of entry = { 0 };
        const uint8_t *from;

        if (tag == ANY_OBJECT)
            entry.key = rd_bytes(&r);
        from = r.p;
        rd_any(&r, UINT32_MAX, false);
        entry.value = UM_SPAN(from, (size_t)(r.p - from));
        e->v.v[e->v.n++] = entry;
    }
    return true;
}

static void entries_free(struct entries *e)
{
    vec_free(&e->mem, &e->v);
    um_buf_free(&e->any);
}

/* JavaScript's === for two values that are not the same object. */
static bool any_scalar_same(struct um_span a, struct um_span b)
{
    struct rd x = rd_make(a), y = rd_make(b);
    uint8_t i = rd_u8(&x), k = rd_u8(&y);
    bool numbers = i >= ANY_FLOAT64 && i <= ANY_INT && k >= ANY_FLOAT64 && k <= ANY_INT;

    if (i == ANY_OBJECT || i == ANY_ARRAY || i == ANY_BYTES)
        return false;
    if (numbers) {
        double v = any_number(&x, i), w = any_number(&y, k);

        return !(v < w) && !(v > w);
    }
    return um_span_eq(a, b);
}

bool json_scalar_same(const struct um_crdt *doc, struct um_span a, struct um_span b)
{
    struct entries x, y;
    bool same;

    if (um_span_eq(a, b))
        return true;
    if (!(is_number(a) && is_number(b)) && !is_escaped(a) && !is_escaped(b))
        return false;
    same = entries_read(doc, &x, a);
    same = entries_read(doc, &y, b) && same && any_scalar_same(x.v.v[0].value, y.v.v[0].value);
    entries_free(&x);
    entries_free(&y);
    return same;
}

static int key_order(const void *a, const void *b)
{
    const struct entry_of *x = a, *y = b;
    size_t n = UM_MIN(x->key.len, y->key.len);
    int order = n > 0 ? memcmp(x->key.data, y->key.data, n) : 0;

    return order != 0 ? order : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

/* Is KEY what JavaScript calls element INDEX of an array? */
static bool key_is_index(struct um_span key, uint32_t index)
{
    char digits[12];
    size_t at = sizeof(digits);

    do {
        digits[--at] = (char)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    return um_span_eq(key, UM_SPAN(digits + at, sizeof(digits) - at));
}

/* An object equals an array when its keys are the indices; those come first and in order. */
static bool entries_same(struct entries *x, struct entries *y)
{
    if (x->v.n != y->v.n)
        return false;
    if (!x->array && !y->array && x->v.n > 1) {
        qsort(x->v.v, x->v.n, sizeof(*x->v.v), key_order);
        qsort(y->v.v, y->v.n, sizeof(*y->v.v), key_order);
    }
    for (uint32_t i = 0; i < x->v.n; i++) {
        struct um_span a = x->v.v[i].key, b = y->v.v[i].key;

        if (x->array != y->array ? !key_is_index(x->array ? b : a, i) : !um_span_eq(a, b))
            return false;
        if (!any_scalar_same(x->v.v[i].value, y->v.v[i].value))
            return false;
    }
    return true;
}

/* Does it hold no object or array? */
static bool is_flat(struct um_span json)
{
    bool quoted = false;

    for (size_t i = 1; i < json.len; i++) {
        uint8_t c = json.data[i];

        if (c == '"')
            quoted = !quoted;
        else if (quoted && c == '\\')
            i++;
        else if (!quoted && (c == '{' || c == '['))
            return false;
    }
    return true;
}

/* Mostly the bytes are the same, and no memory is needed. */
bool json_flat_same(const struct um_crdt *doc, struct um_span a, struct um_span b)
{
    struct entries x, y;
    bool same;

    if (um_span_eq(a, b))
        return is_flat(a);
    same = entries_read(doc, &x, a);
    same = entries_read(doc, &y, b) && same && entries_same(&x, &y);
    entries_free(&x);
    entries_free(&y);
    return same;
}

bool json_value_same(const struct um_crdt *doc, struct um_span a, struct um_span b)
{
    if (a.data == NULL || b.data == NULL || a.data == b.data)
        return a.data == b.data;
    return json_is_nested(a) && json_is_nested(b) ? json_flat_same(doc, a, b) : json_scalar_same(doc, a, b);
}
