/* The functions of crdt.h for updates in v2: translate, call, translate back. */
#include "doc.h"
#include "v2.h"
#include <umbel/crdt_v2.h>

#define GROWTH_MAX 16                 /* bytes of v1 for each of v2, when many updates are merged */

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

/* A peer's update as v1, not checked yet. */
static um_err to_v1(const struct um_crdt_conf *cf, struct um_span update, struct um_buf *v1, size_t *used)
{
    struct v2_reading how = v2_reading_of(update.len, &cf->limits);
    struct mem m;
    um_err err;

    mem_init(&m, &cf->alloc);
    err = update_from_v2(&m, update, &cf->limits, &how, v1);
    *used = how.used;
    return err;
}

/* Checked v1 in the inner form, appended. */
static um_err to_inner(struct mem *m, const struct um_crdt_conf *cf, struct um_span update, struct v2_reading *how,
                       struct um_buf *v1)
{
    size_t from = v1->len;
    um_err err;

    how->inner = true;
    if ((err = update_from_v2(m, update, &cf->limits, how, v1)) != UM_OK)
        return err;
    if (how->is_inner)
        return um_crdt_validate_v2(cf, update, NULL);
    return um_crdt_validate(cf, UM_SPAN(v1->data + from, v1->len - from), NULL);
}

/* BARE_KEYS: as for update_to_v2; merging and differences have seen to that themselves. */
static um_err to_v2(const struct um_crdt_conf *cf, struct um_span update, bool bare_keys, struct um_buf *out)
{
    struct mem m;

    mem_init(&m, &cf->alloc);
    return update_to_v2(&m, update, bare_keys, out);
}

/* ---- conversion ---------------------------------------------------------------------------------------- */

um_err um_crdt_v1_to_v2(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    um_err err = um_crdt_validate(&cf, update, NULL);

    return err != UM_OK ? err : to_v2(&cf, update, true, out);
}

um_err um_crdt_v2_to_v1(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_buf v1 = { 0 };
    size_t used;
    um_err err;

    if ((err = to_v1(&cf, update, &v1, &used)) == UM_OK && (err = um_crdt_validate(&cf, span_of(&v1), NULL)) == UM_OK) {
        um_buf_put(out, v1.data, v1.len);
        err = out->failed ? UM_ENOMEM : UM_OK;
    }
    um_buf_free(&v1);
    return err;
}

/* ---- documents ----------------------------------------------------------------------------------------- */

typedef um_err apply_fn(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out);

/* An event that is the update itself must outlive it here: its bytes become the document's. */
static um_err apply_as(struct um_crdt *doc, struct um_span update, const struct um_crdt_limits *limits,
                       struct v2_reading how, apply_fn *apply, struct um_crdt_applied *out)
{
    struct um_buf v1 = { 0 };
    um_err err = update_from_v2(&doc->mem, update, limits, &how, &v1);

    if (err == UM_OK)
        err = apply(doc, span_of(&v1), out);
    if (err == UM_OK && out != NULL && out->verbatim) {
        um_buf_free(&doc->event);
        doc->event = v1;
        out->verbatim = false;
        return UM_OK;
    }
    um_buf_free(&v1);
    return err;
}

um_err um_crdt_apply_v2(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out)
{
    return apply_as(doc, update, &doc->limits, v2_reading_of(update.len, &doc->limits), um_crdt_apply, out);
}

um_err um_crdt_load_v2(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out)
{
    struct um_crdt_limits limits = doc->limits;
    struct v2_reading how = { .structs = doc->limits.structs, .bytes = UINT32_MAX };

    limits.update_bytes = limits.update_structs = limits.update_clients = limits.update_ranges = UINT32_MAX;
    return apply_as(doc, update, &limits, how, um_crdt_load, out);
}

um_err um_crdt_encode_v2(const struct um_crdt *doc, struct um_span sv, struct um_buf *out)
{
    struct um_buf v1 = { 0 };
    struct mem m;
    um_err err;

    mem_init(&m, &doc->mem.alloc);
    if ((err = um_crdt_encode(doc, sv, &v1)) == UM_OK)
        err = update_to_v2(&m, span_of(&v1), false, out);
    um_buf_free(&v1);
    return err;
}

/* ---- updates without a document ------------------------------------------------------------------------ */

um_err um_crdt_validate_v2(const struct um_crdt_conf *conf, struct um_span update, struct um_crdt_update_stats *stats)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_buf v1 = { 0 };
    size_t used;
    um_err err;

    if ((err = to_v1(&cf, update, &v1, &used)) == UM_OK)
        err = um_crdt_validate(&cf, span_of(&v1), stats);
    if (err == UM_OK && stats != NULL)
        stats->bytes = used;
    um_buf_free(&v1);
    return err;
}

struct inputs {
    VEC(struct um_span) spans;
    VEC(size_t) ends;                 /* of each in V1 */
    struct um_buf v1;
};

static um_err inputs_read(struct mem *m, const struct um_crdt_conf *cf, const struct um_span *updates, size_t n,
                          struct inputs *in)
{
    struct v2_reading how;
    uint64_t structs, total = 0;
    um_err err = UM_OK;

    for (size_t i = 0; i < n; i++)
        total += updates[i].len;
    structs = UM_CRDT_V2_FREE_STRUCTS + total / UM_CRDT_V2_BYTES_PER_STRUCT;
    how.structs = (uint32_t)UM_MIN(structs, UINT32_MAX);
    how.bytes = UM_MAX(cf->limits.update_bytes, (size_t)total * GROWTH_MAX);
    for (size_t i = 0; i < n && err == UM_OK; i++) {
        if ((err = to_inner(m, cf, updates[i], &how, &in->v1)) == UM_OK)
            in->ends.v[in->ends.n++] = in->v1.len;
    }
    for (uint32_t i = 0; i < in->ends.n; i++) {
        size_t from = i == 0 ? 0 : in->ends.v[i - 1];

        in->spans.v[in->spans.n++] = UM_SPAN(in->v1.data + from, in->ends.v[i] - from);
    }
    return err;
}

static um_err merge_many(const struct um_crdt_conf *cf, const struct um_span *updates, size_t n, struct um_buf *out)
{
    struct um_buf merged = { 0 };
    struct inputs in = { 0 };
    struct mem m;
    um_err err = UM_ENOMEM;

    mem_init(&m, &cf->alloc);
    if (n < UINT32_MAX && vec_room(&m, &in.spans, n) && vec_room(&m, &in.ends, n))
        err = inputs_read(&m, cf, updates, n, &in);
    if (err == UM_OK && (err = updates_merge(&m, in.spans.v, n, &merged)) == UM_OK)
        err = to_v2(cf, span_of(&merged), false, out);
    um_buf_free(&merged);
    um_buf_free(&in.v1);
    vec_free(&m, &in.spans);
    vec_free(&m, &in.ends);
    return err;
}

um_err um_crdt_merge_v2(const struct um_crdt_conf *conf, const struct um_span *updates, size_t n, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_crdt_update_stats stats;
    um_err err;

    if (n != 1)
        return merge_many(&cf, updates, n, out);
    if ((err = um_crdt_validate_v2(&cf, updates[0], &stats)) != UM_OK)
        return err;
    um_buf_put(out, updates[0].data, stats.bytes);
    return out->failed ? UM_ENOMEM : UM_OK;
}

um_err um_crdt_diff_v2(const struct um_crdt_conf *conf, struct um_span update, struct um_span sv, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct v2_reading how = v2_reading_of(update.len, &cf.limits);
    struct um_buf v1 = { 0 }, diff = { 0 };
    sv_vec known = { 0 };
    struct mem m;
    um_err err;

    mem_init(&m, &cf.alloc);
    if ((err = to_inner(&m, &cf, update, &how, &v1)) == UM_OK &&
        (err = sv_read(&m, sv, &cf.limits, &known)) == UM_OK &&
        (err = update_diff(&m, span_of(&v1), &known, &diff)) == UM_OK)
        err = to_v2(&cf, span_of(&diff), false, out);
    vec_free(&m, &known);
    um_buf_free(&v1);
    um_buf_free(&diff);
    return err;
}

um_err um_crdt_sv_of_update_v2(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_buf v1 = { 0 };
    size_t used;
    um_err err;

    if ((err = to_v1(&cf, update, &v1, &used)) == UM_OK)
        err = um_crdt_sv_of_update(&cf, span_of(&v1), out);
    um_buf_free(&v1);
    return err;
}

um_err um_crdt_update_meta_v2(const struct um_crdt_conf *conf, struct um_span update, um_crdt_meta_cb *cb, void *arg)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct um_buf v1 = { 0 };
    size_t used;
    um_err err;

    if ((err = to_v1(&cf, update, &v1, &used)) == UM_OK)
        err = um_crdt_update_meta(&cf, span_of(&v1), cb, arg);
    um_buf_free(&v1);
    return err;
}
