/* Snapshots: the delete set and the state vector of a moment. Making, comparing, restoring; and laying one over a
 * document for the readers.
 *
 *   snapshot := deleteSet, stateVector           the delete set in its v1 or v2 form */
#include "snapshot.h"
#include "cold.h"
#include "v2.h"

/* ---- taking apart -------------------------------------------------------------------------------------- */

static void sv_drop_zeros(sv_vec *sv)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < sv->n; i++)
        if (sv->v[i].clock > 0)
            sv->v[n++] = sv->v[i];
    sv->n = n;
}

um_err snapshot_read(struct mem *m, struct um_span bytes, const struct um_crdt_limits *limits,
                     struct snapshot *out)
{
    struct rd r = rd_make(bytes);
    um_err err;

    memset(out, 0, sizeof(*out));
    if (bytes.len > limits->update_bytes)
        return UM_ELIMIT;
    if ((err = ds_read_from(m, &r, limits, &out->ds)) == UM_OK) {
        err = rd_left(&r) == 0 ? UM_EPROTO : sv_read(m, UM_SPAN(r.p, rd_left(&r)), limits, &out->sv);
        if (err != UM_OK)
            snapshot_free(m, out);
    }
    sv_drop_zeros(&out->sv);
    return err;
}

void snapshot_free(struct mem *m, struct snapshot *s)
{
    vec_free(m, &s->ds);
    vec_free(m, &s->sv);
}

static bool vectors_equal(const sv_vec *a, const sv_vec *b)
{
    bool same = a->n == b->n;

    for (uint32_t i = 0; i < a->n && same; i++)
        same = a->v[i].client == b->v[i].client && a->v[i].clock == b->v[i].clock;
    return same;
}

static void vector_write(const sv_vec *sv, struct um_buf *out)
{
    buf_put_uint(out, sv->n);
    for (uint32_t i = 0; i < sv->n; i++) {
        buf_put_uint(out, sv->v[i].client);
        buf_put_uint(out, sv->v[i].clock);
    }
}

/* ---- over a document ----------------------------------------------------------------------------------- */

um_err view_make(struct mem *m, const struct um_crdt *doc, struct um_span snapshot, struct view *out)
{
    const range_vec *ds = &out->snap.ds;
    um_err err;

    memset(out, 0, sizeof(*out));
    if ((err = snapshot_read(m, snapshot, &doc->limits, &out->snap)) != UM_OK)
        return err;
    if (!vec_room(m, &out->clients, doc->clients.n)) {
        view_free(m, out);
        return UM_ENOMEM;
    }
    out->clients.n = doc->clients.n;
    if (doc->clients.n > 0)
        memset(out->clients.v, 0, doc->clients.n * sizeof(*out->clients.v));
    for (uint32_t i = 0; i < out->snap.sv.n; i++) {
        uint32_t k = client_find(doc, out->snap.sv.v[i].client);

        if (k != NONE)
            out->clients.v[k].clock = (uint32_t)UM_MIN(out->snap.sv.v[i].clock, UINT32_MAX);
    }
    for (uint32_t i = 0, to; i < ds->n; i = to) {
        uint32_t k = client_find(doc, ds->v[i].client);

        for (to = i; to < ds->n && ds->v[to].client == ds->v[i].client;)
            to++;
        if (k != NONE) {
            out->clients.v[k].from = i;
            out->clients.v[k].n = to - i;
        }
    }
    return UM_OK;
}

void view_free(struct mem *m, struct view *w)
{
    snapshot_free(m, &w->snap);
    vec_free(m, &w->clients);
}

uint32_t view_known(const struct view *view, const struct item *it)
{
    uint32_t clock = view->clients.v[it->client].clock;

    return clock <= it->clock ? 0 : UM_MIN(clock - it->clock, it->len);
}

bool view_stretch(const struct view *view, const struct item *it, uint32_t from, uint32_t *to)
{
    const struct seen *s;
    const struct range *g;
    uint32_t known, i;

    *to = it->len;
    if (view == NULL)
        return !item_is_deleted(it);
    if ((known = view_known(view, it)) <= from)
        return false;
    s = &view->clients.v[it->client];
    i = range_behind(view->snap.ds.v + s->from, s->n, it->clock + from);
    *to = known;
    if (i == s->n)
        return true;
    g = &view->snap.ds.v[s->from + i];
    if (g->clock > it->clock + from) {
        *to = UM_MIN(known, g->clock - it->clock);
        return true;
    }
    *to = UM_MIN(it->len, g->clock + g->len - it->clock);
    return false;
}

/* ---- public -------------------------------------------------------------------------------------------- */

um_err um_crdt_ds(const struct um_crdt *doc, struct um_buf *out)
{
    um_err err = thaw(doc);

    if (err == UM_OK)
        err = ds_encode(doc, out);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

um_err um_crdt_snapshot(const struct um_crdt *doc, int version, struct um_buf *out)
{
    struct um_buf ds = { 0 };
    struct mem m;
    um_err err;

    if (version != 1 && version != 2)
        return UM_EINVAL;
    mem_init(&m, &doc->mem.alloc);
    if ((err = um_crdt_ds(doc, version == 1 ? out : &ds)) == UM_OK && version == 2)
        err = ds_to_v2(&m, UM_SPAN(ds.data, ds.len), out);
    um_buf_free(&ds);
    return err == UM_OK ? um_crdt_state_vector(doc, out) : err;
}

um_err um_crdt_snapshot_to_v2(const struct um_crdt_conf *conf, struct um_span snapshot, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_buf ds = { 0 };
    struct snapshot s;
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = snapshot_read(&m, snapshot, &cf.limits, &s)) == UM_OK) {
        ranges_write(&s.ds, &ds);
        err = ds.failed ? UM_ENOMEM : ds_to_v2(&m, UM_SPAN(ds.data, ds.len), out);
        vector_write(&s.sv, out);
    }
    snapshot_free(&m, &s);
    um_buf_free(&ds);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

um_err um_crdt_snapshot_from_v2(const struct um_crdt_conf *conf, struct um_span snapshot, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct rd r = rd_make(snapshot);
    sv_vec sv = { 0 };
    struct mem m;
    um_err err;

    if (snapshot.len > cf.limits.update_bytes)
        return UM_ELIMIT;
    mem_init(&m, &cf.alloc);
    if ((err = ds_from_v2(&m, &r, &cf.limits, out)) == UM_OK &&
        (err = rd_left(&r) == 0 ? UM_EPROTO : sv_read(&m, UM_SPAN(r.p, rd_left(&r)), &cf.limits, &sv)) == UM_OK) {
        sv_drop_zeros(&sv);
        vector_write(&sv, out);
    }
    vec_free(&m, &sv);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

um_err um_crdt_snapshot_validate(const struct um_crdt_conf *conf, struct um_span snapshot)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct snapshot s;
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    err = snapshot_read(&m, snapshot, &cf.limits, &s);
    snapshot_free(&m, &s);
    return err;
}

um_err um_crdt_snapshot_equal(const struct um_crdt_conf *conf, struct um_span a, struct um_span b, bool *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct snapshot x, y = { 0 };
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = snapshot_read(&m, a, &cf.limits, &x)) == UM_OK &&
        (err = snapshot_read(&m, b, &cf.limits, &y)) == UM_OK)
        *out = ranges_equal(&x.ds, &y.ds) && vectors_equal(&x.sv, &y.sv);
    snapshot_free(&m, &x);
    snapshot_free(&m, &y);
    return err;
}

static bool update_is_known(const struct snapshot *s, struct um_span update, const struct scan *scan)
{
    struct rd r = rd_make(update);
    struct range_walk walk = range_walk_make(scan->ds);
    struct range g;

    rd_uint(&r);
    for (uint32_t i = 0; i < scan->sections; i++) {
        struct section sec;
        uint32_t end;

        section_read(&r, &sec);
        end = section_skip(&r, &sec);
        if (sec.n > 0 && end > sv_get(&s->sv, sec.client))
            return false;
    }
    while (range_next(&walk, &g))
        if (!ranges_hold(&s->ds, &g))
            return false;
    return true;
}

um_err um_crdt_snapshot_contains_update(const struct um_crdt_conf *conf, struct um_span snapshot,
                                        struct um_span update, bool *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct snapshot s;
    struct scan scan;
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = snapshot_read(&m, snapshot, &cf.limits, &s)) == UM_OK &&
        (err = update_scan(update, &cf.limits, &scan)) == UM_OK)
        *out = update_is_known(&s, update, &scan);
    snapshot_free(&m, &s);
    return err;
}

/* ---- restoring ----------------------------------------------------------------------------------------- */

static um_err restore_write(const struct um_crdt *doc, const struct snapshot *s, struct um_buf *out)
{
    buf_put_uint(out, s->sv.n);
    for (uint32_t i = 0; i < s->sv.n; i++) {
        uint32_t k = client_find(doc, s->sv.v[i].client);

        if (k == NONE || doc->clients.v[k].state < s->sv.v[i].clock)
            return UM_EINVAL;
        section_write(doc, &doc->clients.v[k], 0, (uint32_t)s->sv.v[i].clock, out);
    }
    ranges_write(&s->ds, out);
    return out->failed ? UM_ENOMEM : UM_OK;
}

um_err um_crdt_snapshot_update(const struct um_crdt *doc, struct um_span snapshot, struct um_buf *out)
{
    struct snapshot s;
    struct mem m;
    um_err err;

    if (doc->gc)
        return UM_ECONFLICT;
    if ((err = thaw(doc)) != UM_OK)
        return err;
    mem_init(&m, &doc->mem.alloc);
    if ((err = snapshot_read(&m, snapshot, &doc->limits, &s)) == UM_OK)
        err = restore_write(doc, &s, out);
    snapshot_free(&m, &s);
    return err;
}

um_err um_crdt_from_snapshot(const struct um_crdt *doc, struct um_span snapshot, const struct um_crdt_conf *conf,
                             struct um_crdt **out)
{
    struct um_buf update = { 0 };
    um_err err;

    *out = NULL;
    if ((err = um_crdt_snapshot_update(doc, snapshot, &update)) == UM_OK &&
        (err = um_crdt_new(conf, out)) == UM_OK &&
        (err = um_crdt_load(*out, UM_SPAN(update.data, update.len), NULL)) != UM_OK) {
        um_crdt_free(*out);
        *out = NULL;
    }
    um_buf_free(&update);
    return err;
}
