/* Delete sets in v2: per client a position starts at 0; a range is the distance from it, then its length - 1, and
 * moves it to the range's end. */
#include "v2.h"
#include <stdlib.h>

struct placed {                       /* a range in order of appearance, which sorting by client keeps */
    struct range g;
    uint32_t place;
};
typedef VEC(struct placed) placed_vec;

static int placed_by_client(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->g.client != y->g.client)
        return x->g.client < y->g.client ? 1 : -1;
    return (x->place > y->place) - (x->place < y->place);
}

static int placed_by_clock(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    return x->g.clock != y->g.clock ? (x->g.clock < y->g.clock ? -1 : 1) : placed_by_client(a, b);
}

static bool placed_add(struct mem *m, placed_vec *v, struct range g)
{
    if (!vec_room(m, v, 1))
        return false;
    v->v[v->n] = (struct placed){ g, v->n };
    v->n++;
    return true;
}

/* Groups by client, descending. */
static void placed_group(placed_vec *v)
{
    bool grouped = true;

    for (uint32_t i = 1; i < v->n; i++)
        grouped &= v->v[i - 1].g.client >= v->v[i].g.client;
    if (!grouped)
        qsort(v->v, v->n, sizeof(*v->v), placed_by_client);
}

static uint32_t group_end(const placed_vec *v, uint32_t from)
{
    uint32_t to = from;

    while (to < v->n && v->v[to].g.client == v->v[from].g.client)
        to++;
    return to;
}

static void groups_head(const placed_vec *v, struct um_buf *out)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->n; i = group_end(v, i))
        n++;
    buf_put_uint(out, n);
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static um_err client_ranges(struct mem *m, struct rd *r, uint32_t max, placed_vec *out)
{
    uint64_t client = rd_uint(r), n = rd_uint(r), at = 0;

    if (n > rd_left(r) / 2)
        rd_fail(r, UM_EPROTO);
    else if (n > max - out->n)
        rd_fail(r, UM_ELIMIT);
    for (; n > 0 && r->err == UM_OK; n--) {
        struct range g = { .client = client };
        uint64_t from = at + rd_u32(r);

        at = from + rd_u32(r) + 1;
        if (at > UINT32_MAX)
            rd_fail(r, UM_ELIMIT);
        g.clock = (uint32_t)from;
        g.len = (uint32_t)(at - from);
        if (r->err == UM_OK && !placed_add(m, out, g))
            return UM_ENOMEM;
    }
    return r->err;
}

um_err ds_from_v2(struct mem *m, struct rd *rd, const struct um_crdt_limits *limits, struct um_buf *out)
{
    uint64_t clients = rd_uint(rd);
    placed_vec v = { 0 };
    um_err err = rd->err;

    if (clients > rd_left(rd) / 2)
        err = UM_EPROTO;
    for (; clients > 0 && err == UM_OK; clients--)
        err = client_ranges(m, rd, limits->update_ranges, &v);
    if (err == UM_OK) {
        placed_group(&v);
        groups_head(&v, out);
        for (uint32_t i = 0, to; i < v.n;) {
            to = group_end(&v, i);
            buf_put_uint(out, v.v[i].g.client);
            buf_put_uint(out, to - i);
            for (; i < to; i++) {
                buf_put_uint(out, v.v[i].g.clock);
                buf_put_uint(out, v.v[i].g.len);
            }
        }
        err = out->failed ? UM_ENOMEM : UM_OK;
    }
    vec_free(m, &v);
    return err;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

/* One client's ranges in ascending order without overlap; returns how many are left. Ranges that only touch stay
 * apart, as they came, unless something had to be put right. */
static uint32_t group_settle(struct placed *v, uint32_t n)
{
    uint32_t k = 0;
    bool settled = true;

    for (uint32_t i = 1; i < n; i++)
        settled &= v[i - 1].g.clock + v[i - 1].g.len <= v[i].g.clock;
    if (settled)
        return n;
    qsort(v, n, sizeof(*v), placed_by_clock);
    for (uint32_t i = 1; i < n; i++) {
        uint32_t end = v[k].g.clock + v[k].g.len;

        if (v[i].g.clock <= end)
            v[k].g.len += v[i].g.clock + v[i].g.len > end ? v[i].g.clock + v[i].g.len - end : 0;
        else
            v[++k] = v[i];
    }
    return k + 1;
}

static void group_write(struct placed *v, uint32_t n, struct um_buf *out)
{
    uint32_t at = 0;

    n = group_settle(v, n);
    buf_put_uint(out, v[0].g.client);
    buf_put_uint(out, n);
    for (uint32_t i = 0; i < n; i++) {
        buf_put_uint(out, v[i].g.clock - at);
        buf_put_uint(out, v[i].g.len - 1);
        at = v[i].g.clock + v[i].g.len;
    }
}

um_err ds_to_v2(struct mem *m, struct um_span ds, struct um_buf *out)
{
    struct range_walk w = range_walk_make(ds);
    placed_vec v = { 0 };
    struct range g;
    um_err err = UM_OK;

    while (err == UM_OK && range_next(&w, &g))
        if (!placed_add(m, &v, g))
            err = UM_ENOMEM;
    if (err == UM_OK) {
        placed_group(&v);
        groups_head(&v, out);
        for (uint32_t i = 0, to; i < v.n; i = to) {
            to = group_end(&v, i);
            group_write(v.v + i, to - i, out);
        }
        err = out->failed ? UM_ENOMEM : UM_OK;
    }
    vec_free(m, &v);
    return err;
}
