/* Delete sets as values: read in any order, kept sorted and joined, written as yjs writes them. */
#include "snapshot.h"
#include <stdlib.h>

/* ---- sorted ranges ------------------------------------------------------------------------------------- */

static int range_order(const void *a, const void *b)
{
    const struct range *x = a, *y = b;

    if (x->client != y->client)
        return x->client > y->client ? -1 : 1;
    return (x->clock > y->clock) - (x->clock < y->clock);
}

void ranges_normalise(range_vec *v)
{
    uint32_t n = 0;
    bool sorted = true;

    if (v->n < 2)
        return;
    for (uint32_t i = 1; i < v->n && sorted; i++)
        sorted = range_order(&v->v[i - 1], &v->v[i]) < 0;
    if (!sorted)
        qsort(v->v, v->n, sizeof(*v->v), range_order);
    for (uint32_t i = 1; i < v->n; i++) {
        struct range *l = &v->v[n], *r = &v->v[i];

        if (l->client == r->client && l->clock + l->len >= r->clock)
            l->len = UM_MAX(l->len, r->clock + r->len - l->clock);
        else
            v->v[++n] = *r;
    }
    v->n = n + 1;
}

/* qsort may turn equals round. */
struct placed {
    struct range g;
    uint32_t place;
};

static int placed_order(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;

    if (x->g.client != y->g.client)
        return x->g.client > y->g.client ? -1 : 1;
    return (x->place > y->place) - (x->place < y->place);
}

um_err ranges_group(struct mem *m, range_vec *v)
{
    size_t size = v->n * sizeof(struct placed);
    struct placed *p;
    bool grouped = true;

    for (uint32_t i = 1; i < v->n; i++)
        grouped &= v->v[i - 1].client >= v->v[i].client;
    if (grouped)
        return UM_OK;
    if ((p = mem_resize(m, NULL, 0, size)) == NULL)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < v->n; i++)
        p[i] = (struct placed){ v->v[i], i };
    qsort(p, v->n, sizeof(*p), placed_order);
    for (uint32_t i = 0; i < v->n; i++)
        v->v[i] = p[i].g;
    mem_free(m, p, size);
    return UM_OK;
}

um_err ranges_collect(struct mem *m, struct um_span ds, range_vec *out)
{
    struct range_walk w = range_walk_make(ds);
    struct range g;

    while (range_next(&w, &g)) {
        if (!vec_room(m, out, 1))
            return UM_ENOMEM;
        out->v[out->n++] = g;
    }
    return UM_OK;
}

/* The N ranges of one client. */
static um_err client_read(struct mem *m, struct rd *r, uint64_t client, uint64_t n, range_vec *out)
{
    if (n > 0 && !vec_room(m, out, n))
        return UM_ENOMEM;
    for (; n > 0 && r->err == UM_OK; n--) {
        struct range g = { .client = client, .clock = rd_u32(r), .len = 0 };

        g.len = rd_u32(r);
        if (g.len > UINT32_MAX - g.clock)
            rd_fail(r, UM_ELIMIT);
        if (g.len > 0)
            out->v[out->n++] = g;
    }
    return r->err;
}

um_err ds_read_from(struct mem *m, struct rd *r, const struct um_crdt_limits *limits, range_vec *out)
{
    uint64_t clients = rd_uint(r);
    uint32_t room = limits->update_ranges;
    um_err err = r->err;

    memset(out, 0, sizeof(*out));
    if (clients > rd_left(r) / 2)
        err = UM_EPROTO;
    for (; clients > 0 && err == UM_OK; clients--) {
        uint64_t client = rd_uint(r), n = rd_uint(r);

        if (r->err != UM_OK || n > rd_left(r) / 2)
            err = UM_EPROTO;
        else if (n > room)
            err = UM_ELIMIT;
        else
            err = client_read(m, r, client, n, out);
        room -= (uint32_t)UM_MIN(n, room);
    }
    if (err == UM_OK)
        ranges_normalise(out);
    else
        vec_free(m, out);
    return err;
}

um_err ds_read(struct mem *m, struct um_span ds, const struct um_crdt_limits *limits, range_vec *out)
{
    struct rd r = rd_make(ds);

    memset(out, 0, sizeof(*out));
    return ds.len > limits->update_bytes ? UM_ELIMIT : ds_read_from(m, &r, limits, out);
}

uint32_t group_end(const range_vec *v, uint32_t from)
{
    uint32_t to = from;

    while (to < v->n && v->v[to].client == v->v[from].client)
        to++;
    return to;
}

uint32_t groups_count(const range_vec *v)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < v->n; i++)
        n += i == 0 || v->v[i].client != v->v[i - 1].client;
    return n;
}

void ranges_write(const range_vec *v, struct um_buf *out)
{
    buf_put_uint(out, groups_count(v));
    for (uint32_t i = 0; i < v->n;) {
        uint32_t to = group_end(v, i);

        buf_put_uint(out, v->v[i].client);
        buf_put_uint(out, to - i);
        for (; i < to; i++) {
            buf_put_uint(out, v->v[i].clock);
            buf_put_uint(out, v->v[i].len);
        }
    }
}

bool ranges_equal(const range_vec *a, const range_vec *b)
{
    bool same = a->n == b->n;

    for (uint32_t i = 0; i < a->n && same; i++)
        same = a->v[i].client == b->v[i].client && a->v[i].clock == b->v[i].clock && a->v[i].len == b->v[i].len;
    return same;
}

uint32_t range_behind(const struct range *v, uint32_t n, uint32_t clock)
{
    uint32_t lo = 0, hi = n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (v[mid].clock + v[mid].len > clock)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

/* The first range of V that is not before (CLIENT, CLOCK): it holds that clock or comes later. */
static uint32_t ranges_find(const range_vec *v, uint64_t client, uint32_t clock)
{
    uint32_t lo = 0, hi = v->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const struct range *g = &v->v[mid];

        if (g->client < client || (g->client == client && g->clock + g->len > clock))
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

bool ranges_hold(const range_vec *v, const struct range *g)
{
    uint32_t i = ranges_find(v, g->client, g->clock);

    return i < v->n && v->v[i].client == g->client && v->v[i].clock <= g->clock &&
           v->v[i].clock + v->v[i].len >= g->clock + g->len;
}

/* ---- public -------------------------------------------------------------------------------------------- */

um_err um_crdt_ds_of_update(const struct um_crdt_conf *conf, struct um_span update, struct um_span *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct scan scan;
    um_err err = update_scan(update, &cf.limits, &scan);

    if (err == UM_OK)
        *out = scan.ds;
    return err;
}

um_err um_crdt_ds_merge(const struct um_crdt_conf *conf, const struct um_span *sets, size_t n, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    range_vec all = { 0 }, one;
    struct mem m;
    um_err err = UM_OK;

    mem_init(&m, &cf.alloc);
    for (size_t i = 0; i < n && err == UM_OK; i++) {
        if ((err = ds_read(&m, sets[i], &cf.limits, &one)) != UM_OK)
            break;
        if (one.n > cf.limits.update_ranges - UM_MIN(all.n, cf.limits.update_ranges))
            err = UM_ELIMIT;
        else if (!vec_room(&m, &all, one.n))
            err = UM_ENOMEM;
        else if (one.n > 0)
            memcpy(all.v + all.n, one.v, one.n * sizeof(*one.v));
        all.n += err == UM_OK ? one.n : 0;
        vec_free(&m, &one);
    }
    ranges_normalise(&all);
    if (err == UM_OK)
        ranges_write(&all, out);
    vec_free(&m, &all);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

typedef bool compare_fn(const range_vec *a, const range_vec *b);

static bool ranges_include(const range_vec *a, const range_vec *b)
{
    for (uint32_t i = 0; i < b->n; i++)
        if (!ranges_hold(a, &b->v[i]))
            return false;
    return true;
}

static um_err compare(const struct um_crdt_conf *conf, struct um_span a, struct um_span b, compare_fn *fn,
                      bool *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    range_vec x, y = { 0 };
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = ds_read(&m, a, &cf.limits, &x)) == UM_OK && (err = ds_read(&m, b, &cf.limits, &y)) == UM_OK)
        *out = fn(&x, &y);
    vec_free(&m, &x);
    vec_free(&m, &y);
    return err;
}

um_err um_crdt_ds_equal(const struct um_crdt_conf *conf, struct um_span a, struct um_span b, bool *out)
{
    return compare(conf, a, b, ranges_equal, out);
}

um_err um_crdt_ds_includes(const struct um_crdt_conf *conf, struct um_span a, struct um_span b, bool *out)
{
    return compare(conf, a, b, ranges_include, out);
}

struct sought {
    uint64_t client;
    uint32_t clock;
    bool found;
};

static void note_found(void *arg, uint64_t client, uint32_t clock, uint32_t len)
{
    struct sought *s = arg;

    s->found |= client == s->client && s->clock >= clock && s->clock - clock < len;
}

um_err um_crdt_ds_has(const struct um_crdt_conf *conf, struct um_span set, uint64_t client, uint32_t clock,
                      bool *out)
{
    struct sought s = { client, clock, false };
    um_err err = um_crdt_ds_each(conf, set, note_found, &s);

    if (err == UM_OK)
        *out = s.found;
    return err;
}

um_err um_crdt_ds_each(const struct um_crdt_conf *conf, struct um_span set, um_crdt_ds_cb *cb, void *arg)
{
    struct um_crdt_conf cf = conf_of(conf);
    range_vec v;
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = ds_read(&m, set, &cf.limits, &v)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < v.n; i++)
        cb(arg, v.v[i].client, v.v[i].clock, v.v[i].len);
    vec_free(&m, &v);
    return UM_OK;
}
