/* Delete sets in v2: per client a position starts at 0; a range is the distance from it, then its length - 1, and
 * moves it to the range's end. */
#include "ds.h"
#include "v2.h"

/* ---- reading ------------------------------------------------------------------------------------------- */

static um_err client_ranges(struct mem *m, struct rd *r, uint32_t max, range_vec *out)
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
        if (!vec_room(m, out, 1))
            return UM_ENOMEM;
        out->v[out->n++] = g;
    }
    return r->err;
}

um_err ds_from_v2(struct mem *m, struct rd *rd, const struct um_crdt_limits *limits, struct um_buf *out)
{
    uint64_t clients = rd_uint(rd);
    range_vec v = { 0 };
    um_err err = rd->err;

    if (clients > rd_left(rd) / 2)
        err = UM_EPROTO;
    for (; clients > 0 && err == UM_OK; clients--)
        err = client_ranges(m, rd, limits->update_ranges, &v);
    if (err == UM_OK && (err = ranges_group(m, &v)) == UM_OK) {
        ranges_write(&v, out);
        err = out->failed ? UM_ENOMEM : UM_OK;
    }
    vec_free(m, &v);
    return err;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

/* One client's ranges in ascending order without overlap; returns how many are left. Ranges that only touch stay
 * apart, as they came, unless something had to be put right. */
static uint32_t group_settle(struct range *v, uint32_t n)
{
    range_vec group = { .v = v, .n = n };
    bool settled = true;

    for (uint32_t i = 1; i < n; i++)
        settled &= v[i - 1].clock + v[i - 1].len <= v[i].clock;
    if (!settled)
        ranges_normalise(&group);
    return group.n;
}

static void group_write(struct range *v, uint32_t n, struct um_buf *out)
{
    uint32_t at = 0;

    n = group_settle(v, n);
    buf_put_uint(out, v[0].client);
    buf_put_uint(out, n);
    for (uint32_t i = 0; i < n; i++) {
        buf_put_uint(out, v[i].clock - at);
        buf_put_uint(out, v[i].len - 1);
        at = v[i].clock + v[i].len;
    }
}

um_err ds_to_v2(struct mem *m, struct um_span ds, struct um_buf *out)
{
    range_vec v = { 0 };
    um_err err;

    if ((err = ranges_collect(m, ds, &v)) == UM_OK && (err = ranges_group(m, &v)) == UM_OK) {
        buf_put_uint(out, groups_count(&v));
        for (uint32_t i = 0, to; i < v.n; i = to) {
            to = group_end(&v, i);
            group_write(v.v + i, to - i, out);
        }
        err = out->failed ? UM_ENOMEM : UM_OK;
    }
    vec_free(m, &v);
    return err;
}
