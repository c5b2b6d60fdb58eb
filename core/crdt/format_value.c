/* When are the values of two formatting marks the same for yjs? Primitives by value; objects and arrays when they
 * have the same entries, but looking one level deep only: whatever holds another object is never the same.
 * Values are JSON texts without blanks, as JSON.stringify prints them, so those that are the same are equally long. */
#include "doc.h"
#include "reader.h"
#include <stdlib.h>

struct member {
    struct um_span key, value;
};

static bool opens(struct um_span json)
{
    return json.len > 0 && (json.data[0] == '{' || json.data[0] == '[');
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

static int member_order(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    size_t n = UM_MIN(x->key.len, y->key.len);
    int order = memcmp(x->key.data, y->key.data, n);

    return order != 0 ? order : (x->key.len > y->key.len) - (x->key.len < y->key.len);
}

typedef VEC(struct member) member_vec;

static bool members_read(struct mem *m, struct um_span object, member_vec *out)
{
    struct rd r = rd_make(UM_SPAN(object.data + 1, object.len - 1));

    for (;;) {
        struct um_span key = json_part(&r);

        if (key.len == 0)
            break;
        if (!vec_room(m, out, 1))
            return false;
        out->v[out->n++] = (struct member){ key, json_part(&r) };
    }
    if (out->n > 0)
        qsort(out->v, out->n, sizeof(*out->v), member_order);
    return true;
}

static bool objects_same(struct mem *m, struct um_span a, struct um_span b)
{
    member_vec x = { 0 }, y = { 0 };
    bool same = members_read(m, a, &x) && members_read(m, b, &y) && x.n == y.n;

    for (uint32_t i = 0; i < x.n && same; i++)
        same = um_span_eq(x.v[i].key, y.v[i].key) && um_span_eq(x.v[i].value, y.v[i].value);
    vec_free(m, &x);
    vec_free(m, &y);
    return same;
}

bool format_value_same(struct mem *m, struct um_span a, struct um_span b)
{
    if (a.len != b.len)
        return false;
    if (a.data == b.data)
        return true;
    if (!opens(a) || !opens(b))
        return um_span_eq(a, b);
    if (!is_flat(a) || !is_flat(b))
        return false;
    return um_span_eq(a, b) || (a.data[0] == '{' && b.data[0] == '{' && objects_same(m, a, b));
}
