/* Structs of the v1 wire: reading, checking, cutting, writing. Facts: docs/crdt.md. */
#include "wire.h"
#include "sort.h"
#include <stdlib.h>
#include <umbel/util.h>

#define CHECKED (limits != NULL)

static void id_read(struct rd *r, struct id *id)
{
    id->client = rd_uint(r);
    id->clock = rd_u32(r);
}

/* An id of the struct's own client must lie below the struct. */
static void id_check(struct rd *r, const struct id *id, uint64_t client, uint32_t clock)
{
    if (id->client == client && id->clock >= clock)
        rd_fail(r, UM_EPROTO);
}

static struct um_span name_read(struct rd *r, const struct um_crdt_limits *limits, uint32_t max)
{
    struct um_span s = rd_string(r, CHECKED);

    if (CHECKED && s.len > max)
        rd_fail(r, UM_ELIMIT);
    return s;
}

static void json_text_read(struct rd *r, const struct um_crdt_limits *limits, bool word_undefined)
{
    struct um_span s = rd_string(r, CHECKED);
    um_err err;

    if (!CHECKED || r->err != UM_OK)
        return;
    if (word_undefined && s.len == 9 && memcmp(s.data, "undefined", 9) == 0)
        return;
    if ((err = json_check(s, limits->value_depth)) != UM_OK)
        rd_fail(r, err);
}

/* KIND_JSON and KIND_ANY: a count, then as many values; the body is the values. */
static void values_read(struct rd *r, struct wire *w, const struct um_crdt_limits *limits)
{
    uint32_t n = rd_u32(r);
    const uint8_t *from = r->p;

    if (n > rd_left(r)) {
        rd_fail(r, UM_EPROTO);
        n = 0;
    }
    for (uint32_t i = 0; i < n && r->err == UM_OK; i++) {
        if (w->kind == KIND_JSON)
            json_text_read(r, limits, true);
        else
            rd_any(r, CHECKED ? limits->value_depth : UINT32_MAX, CHECKED);
    }
    w->len = n;
    w->body = UM_SPAN(from, (size_t)(r->p - from));
}

static void format_read(struct rd *r, struct wire *w, const struct um_crdt_limits *limits)
{
    const uint8_t *from = r->p;

    name_read(r, limits, CHECKED ? limits->key_bytes : 0);
    json_text_read(r, limits, false);
    w->body = UM_SPAN(from, (size_t)(r->p - from));
}

static void doc_read(struct rd *r, struct wire *w, const struct um_crdt_limits *limits)
{
    const uint8_t *from = r->p;

    rd_string(r, CHECKED);
    if (CHECKED && rd_left(r) > 0 && (*r->p == ANY_UNDEFINED || *r->p == ANY_NULL))
        rd_fail(r, UM_EPROTO);            /* yjs throws too: it reads a property of the options */
    rd_any(r, CHECKED ? limits->value_depth : UINT32_MAX, CHECKED);
    w->body = UM_SPAN(from, (size_t)(r->p - from));
}

static void type_read(struct rd *r, struct wire *w, const struct um_crdt_limits *limits)
{
    uint64_t ref = rd_uint(r);

    if (ref > UM_CRDT_XML_TEXT) {
        rd_fail(r, UM_EPROTO);
        return;
    }
    w->type_ref = (uint8_t)ref;
    if (ref == UM_CRDT_XML_ELEMENT || ref == UM_CRDT_XML_HOOK)
        w->name = name_read(r, limits, CHECKED ? limits->key_bytes : 0);
}

static void content_read(struct rd *r, struct wire *w, const struct um_crdt_limits *limits)
{
    w->len = 1;
    switch (w->kind) {
    case KIND_DELETED:
        w->len = rd_u32(r);
        return;
    case KIND_JSON: case KIND_ANY:
        values_read(r, w, limits);
        return;
    case KIND_BINARY:
        w->body = rd_bytes(r);
        return;
    case KIND_STRING:
        w->body = rd_string(r, CHECKED);
        w->len = (uint32_t)utf16_len(w->body);
        return;
    case KIND_EMBED:
        w->body = UM_SPAN(r->p, 0);
        json_text_read(r, limits, false);
        if (r->err == UM_OK) {
            struct rd again = { w->body.data, r->p, UM_OK };

            w->body = rd_bytes(&again);
        }
        return;
    case KIND_FORMAT:
        format_read(r, w, limits);
        return;
    case KIND_TYPE:
        type_read(r, w, limits);
        return;
    case KIND_DOC:
        doc_read(r, w, limits);
        return;
    default:
        rd_fail(r, UM_EPROTO);
    }
}

static void parent_read(struct rd *r, uint64_t client, struct wire *w, const struct um_crdt_limits *limits)
{
    if (rd_uint(r) == 1) {
        w->parent_form = PARENT_ROOT;
        w->root = name_read(r, limits, CHECKED ? limits->root_name_bytes : 0);
    } else {
        w->parent_form = PARENT_ID;
        id_read(r, &w->parent);
        id_check(r, &w->parent, client, w->clock);
    }
    if ((w->info & INFO_KEY) != 0)
        w->key = name_read(r, limits, CHECKED ? limits->key_bytes : 0);
}

void wire_read(struct rd *r, uint64_t client, uint32_t clock, struct wire *w, const struct um_crdt_limits *limits)
{
    w->info = rd_u8(r);
    w->kind = w->info & INFO_KIND;
    w->parent_form = PARENT_COPIED;
    w->half = false;
    w->clock = clock;
    w->key = (struct um_span){ NULL, 0 };     /* one by one: a chain reads back what was just written in halves, and stalls */
    w->body = (struct um_span){ NULL, 0 };
    w->name = (struct um_span){ NULL, 0 };
    if (w->kind == KIND_GC || w->kind == KIND_SKIP) {
        w->info &= INFO_KIND;             /* flags mean nothing here */
        w->len = rd_u32(r);
    } else {
        if ((w->info & INFO_ORIGIN) != 0) {
            id_read(r, &w->origin);
            id_check(r, &w->origin, client, clock);
        }
        if ((w->info & INFO_RIGHT) != 0) {
            id_read(r, &w->right);
            id_check(r, &w->right, client, clock);
        }
        if ((w->info & (INFO_ORIGIN | INFO_RIGHT)) == 0)
            parent_read(r, client, w, limits);
        content_read(r, w, limits);
    }
    if (w->len > UINT32_MAX - clock)
        rd_fail(r, UM_ELIMIT);
}

/* ---- cutting ------------------------------------------------------------------------------------------- */

size_t body_offset(enum kind kind, struct um_span body, uint32_t k, bool *half)
{
    struct rd r = rd_make(body);

    *half = false;
    if (kind == KIND_STRING)
        return utf16_offset(body, k, half);
    if (kind == KIND_JSON || kind == KIND_ANY) {
        for (; k > 0; k--) {
            if (kind == KIND_JSON)
                rd_bytes(&r);
            else
                rd_any(&r, UINT32_MAX, false);
        }
        return (size_t)(r.p - body.data);
    }
    return 0;
}

void wire_cut(struct wire *w, uint64_t client, uint32_t k)
{
    bool half;
    size_t at = body_offset(w->kind, w->body, k, &half);

    if (half)
        at += 4;                          /* the character goes; its second half is implied */
    if (w->body.data != NULL)
        w->body = UM_SPAN(w->body.data + at, w->body.len - at);
    w->half = half;
    w->clock += k;
    w->len -= k;
    if (w->kind != KIND_GC) {
        w->info |= INFO_ORIGIN;
        w->origin = (struct id){ client, w->clock - 1 };
        w->parent_form = PARENT_COPIED;
    }
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static const uint8_t replacement[3] = { 0xef, 0xbf, 0xbd };     /* U+FFFD: half of a surrogate pair */

static void string_write(struct um_buf *out, struct um_span body, bool head_half, bool tail_half)
{
    size_t len = body.len + 3 * ((size_t)head_half + tail_half);
    uint8_t *p = um_buf_room(out, LIB0_UINT_MAX_BYTES + len), *start = p;

    if (p == NULL)
        return;
    p = wr_uint(p, len);
    if (head_half)
        p = wr_bytes(p, replacement, 3);
    p = wr_bytes(p, body.data, body.len);
    if (tail_half)
        p = wr_bytes(p, replacement, 3);
    um_buf_advance(out, (size_t)(p - start));
}

void content_write(struct um_buf *out, enum kind kind, uint32_t len, struct um_span body, bool head_half, bool tail_half)
{
    uint8_t *room;

    switch (kind) {
    case KIND_GC: case KIND_SKIP: case KIND_DELETED:
        buf_put_uint(out, len);
        return;
    case KIND_STRING:
        string_write(out, body, head_half, tail_half);
        return;
    case KIND_BINARY: case KIND_EMBED:
        buf_put_string(out, body);
        return;
    case KIND_JSON: case KIND_ANY:
        buf_put_uint(out, len);
        um_buf_put(out, body.data, body.len);
        return;
    case KIND_DOC:
        if ((room = um_buf_room(out, body.len)) != NULL)
            um_buf_advance(out, doc_body_normalise(room, body));
        return;
    default:
        um_buf_put(out, body.data, body.len);
    }
}

void type_write(struct um_buf *out, uint8_t type_ref, struct um_span name)
{
    buf_put_uint(out, type_ref);
    if (type_ref == UM_CRDT_XML_ELEMENT || type_ref == UM_CRDT_XML_HOOK)
        buf_put_string(out, name);
}

void wire_write(struct um_buf *out, const struct wire *w)
{
    uint8_t info = w->info;
    uint8_t *start, *p = um_buf_room(out, 1 + 4 * LIB0_UINT_MAX_BYTES);

    if (p == NULL)
        return;
    if ((info & (INFO_ORIGIN | INFO_RIGHT)) != 0 && w->key.data == NULL)
        info &= (uint8_t)~INFO_KEY;
    start = p;
    *p++ = info;
    if ((info & INFO_ORIGIN) != 0)
        p = wr_uint(wr_uint(p, w->origin.client), w->origin.clock);
    if ((info & INFO_RIGHT) != 0)
        p = wr_uint(wr_uint(p, w->right.client), w->right.clock);
    if (w->parent_form == PARENT_ID)
        p = wr_uint(wr_uint(wr_uint(p, 0), w->parent.client), w->parent.clock);
    um_buf_advance(out, (size_t)(p - start));
    if (w->parent_form == PARENT_ROOT) {
        um_buf_put_u8(out, 1);
        buf_put_string(out, w->root);
    }
    if (w->parent_form != PARENT_COPIED && w->key.data != NULL)
        buf_put_string(out, w->key);
    if (w->kind == KIND_TYPE)
        type_write(out, w->type_ref, w->name);
    else
        content_write(out, w->kind, w->len, w->body, w->half, false);
}

/* ---- options of sub-documents -------------------------------------------------------------------------- */

/* The value of KEY in an any object, empty when absent. The last of duplicates counts, as in JavaScript. */
static struct um_span object_get(struct um_span object, const char *key)
{
    struct rd r = rd_make(object);
    struct um_span found = { NULL, 0 };
    uint64_t n;

    if (rd_u8(&r) != ANY_OBJECT)
        return found;
    for (n = rd_uint(&r); n > 0; n--) {
        struct um_span name = rd_bytes(&r);
        const uint8_t *from = r.p;

        rd_any(&r, UINT32_MAX, false);
        if (um_span_eq(name, UM_SPAN_STR(key)))
            found = UM_SPAN(from, (size_t)(r.p - from));
    }
    return found;
}

static uint8_t *option_write(uint8_t *p, const char *key, struct um_span value)
{
    size_t n = strlen(key);

    return wr_bytes(wr_bytes(wr_uint(p, n), key, n), value.data, value.len);
}

size_t doc_body_normalise(uint8_t *out, struct um_span body)
{
    static const uint8_t yes[] = { ANY_TRUE }, no[] = { ANY_FALSE };
    struct rd r = rd_make(body);
    struct um_span options, gc, load, meta;
    uint8_t *p = out, *count;

    rd_bytes(&r);
    options = UM_SPAN(r.p, rd_left(&r));
    gc = object_get(options, "gc");
    load = object_get(options, "autoLoad");
    meta = object_get(options, "meta");
    p = wr_bytes(p, body.data, (size_t)(r.p - body.data));
    *p++ = ANY_OBJECT;
    count = p++;
    *count = 0;
    if (gc.len > 0 && gc.data[0] != ANY_UNDEFINED && !any_is_true(gc)) {
        p = option_write(p, "gc", UM_SPAN(no, 1));
        (*count)++;
    }
    if (load.len > 0 && any_is_true(load)) {
        p = option_write(p, "autoLoad", UM_SPAN(yes, 1));
        (*count)++;
    }
    if (meta.len > 0 && meta.data[0] != ANY_UNDEFINED && meta.data[0] != ANY_NULL) {
        p = option_write(p, "meta", meta);
        (*count)++;
    }
    return (size_t)(p - out);
}

/* ---- whole updates ------------------------------------------------------------------------------------- */

void section_read(struct rd *r, struct section *s)
{
    s->n = rd_u32(r);
    s->client = rd_uint(r);
    s->clock = rd_u32(r);
    s->p = r->p;
}

uint32_t section_skip(struct rd *r, const struct section *s)
{
    uint32_t clock = s->clock;
    struct wire w;

    for (uint32_t i = 0; i < s->n; i++, clock += w.len)
        wire_read(r, s->client, clock, &w, NULL);
    return clock;
}

/* The clock behind the last struct. */
static uint32_t section_scan(struct rd *r, const struct section *sec, const struct um_crdt_limits *limits, struct scan *s)
{
    uint32_t clock = sec->clock;
    struct wire w;

    for (uint32_t i = 0; i < sec->n && r->err == UM_OK; i++) {
        wire_read(r, sec->client, clock, &w, limits);
        clock += w.len;
        s->skips += w.kind == KIND_SKIP;
        s->empty |= w.len == 0;
        s->types += w.kind == KIND_TYPE;
        s->keyed += w.key.data != NULL;
        s->named += w.parent_form == PARENT_ROOT;
        s->inside += w.parent_form == PARENT_ID;
    }
    return clock;
}

struct ends { struct mem *m; sv_vec *v; };    /* v NULL: nobody asks */

static void end_note(struct rd *r, const struct ends *ends, uint64_t client, uint32_t clock)
{
    if (ends->v == NULL || r->err != UM_OK)
        return;
    if (vec_room(ends->m, ends->v, 1))
        ends->v->v[ends->v->n++] = (struct sv_entry){ client, clock };
    else
        rd_fail(r, UM_ENOMEM);
}

static void sections_scan(struct rd *r, const struct um_crdt_limits *limits, struct scan *s, const struct ends *ends)
{
    uint64_t n = rd_uint(r), last = UINT64_MAX;

    if (n > rd_left(r) / 3)
        rd_fail(r, UM_EPROTO);
    else if (n > limits->update_clients)
        rd_fail(r, UM_ELIMIT);
    for (; n > 0 && r->err == UM_OK; n--) {
        struct section sec;

        section_read(r, &sec);
        if (sec.n > rd_left(r) / 2)
            rd_fail(r, UM_EPROTO);
        else if (sec.n > limits->update_structs - s->structs)
            rd_fail(r, UM_ELIMIT);
        if (r->err != UM_OK)
            return;
        s->sections++;
        s->structs += sec.n;
        if (sec.n > 0) {
            s->ordered &= sec.client < last;
            last = sec.client;
        }
        s->from_zero &= sec.n > 0 && sec.clock == 0;
        end_note(r, ends, sec.client, section_scan(r, &sec, limits, s));
    }
}

static void ranges_scan(struct rd *r, const struct um_crdt_limits *limits, struct scan *s)
{
    uint64_t clients = rd_uint(r);

    if (clients > rd_left(r) / 2)
        rd_fail(r, UM_EPROTO);
    for (; clients > 0 && r->err == UM_OK; clients--) {
        uint64_t n;

        rd_uint(r);
        n = rd_uint(r);
        if (n > rd_left(r) / 2)
            rd_fail(r, UM_EPROTO);
        else if (n > limits->update_ranges - s->ranges)
            rd_fail(r, UM_ELIMIT);
        if (r->err != UM_OK)
            return;
        s->ds_clients++;
        s->ranges += (uint32_t)n;
        for (; n > 0 && r->err == UM_OK; n--) {
            uint32_t clock = rd_u32(r), len = rd_u32(r);

            if (len > UINT32_MAX - clock)
                rd_fail(r, UM_ELIMIT);
            s->empty |= len == 0;
        }
    }
}

static um_err scan_whole(struct um_span update, const struct um_crdt_limits *limits, struct scan *s, struct ends ends)
{
    struct rd r = rd_make(update);

    memset(s, 0, sizeof(*s));
    s->ordered = s->from_zero = true;
    if (update.len > limits->update_bytes)
        return UM_ELIMIT;
    sections_scan(&r, limits, s, &ends);
    s->ds.data = r.p;
    ranges_scan(&r, limits, s);
    s->ds.len = (size_t)(r.p - s->ds.data);
    s->bytes = (size_t)(r.p - update.data);
    return r.err;
}

um_err update_scan(struct um_span update, const struct um_crdt_limits *limits, struct scan *s)
{
    return scan_whole(update, limits, s, (struct ends){ NULL, NULL });
}

um_err update_scan_ends(struct mem *m, struct um_span update, const struct um_crdt_limits *limits, struct scan *s,
                        sv_vec *ends)
{
    return scan_whole(update, limits, s, (struct ends){ m, ends });
}

static int client_order(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

um_err update_check_unique(struct mem *m, struct um_span update, const struct scan *s)
{
    struct rd r = rd_make(update);
    size_t size = (size_t)s->sections * sizeof(uint64_t);
    uint64_t *clients;
    uint32_t n = 0;
    um_err err = UM_OK;

    if (s->ordered)
        return UM_OK;
    if ((clients = mem_resize(m, NULL, 0, size)) == NULL)
        return UM_ENOMEM;
    rd_uint(&r);
    for (uint32_t i = 0; i < s->sections; i++) {
        struct section sec;

        section_read(&r, &sec);
        section_skip(&r, &sec);
        if (sec.n > 0)
            clients[n++] = sec.client;
    }
    if (!uints_sort(m, clients, n))
        qsort(clients, n, sizeof(*clients), client_order);
    for (uint32_t i = 1; i < n; i++)
        if (clients[i] == clients[i - 1])
            err = UM_EPROTO;
    mem_free(m, clients, size);
    return err;
}

/* ---- delete sets, state vectors ------------------------------------------------------------------------ */

struct range_walk range_walk_make(struct um_span ds)
{
    struct range_walk w = { .r = rd_make(ds) };

    w.clients_left = rd_uint(&w.r);
    return w;
}

bool range_next(struct range_walk *w, struct range *out)
{
    for (;;) {
        while (w->ranges_left == 0) {
            if (w->clients_left == 0)
                return false;
            w->clients_left--;
            w->client = rd_uint(&w->r);
            w->ranges_left = rd_uint(&w->r);
        }
        w->ranges_left--;
        out->client = w->client;
        out->clock = rd_u32(&w->r);
        out->len = rd_u32(&w->r);
        if (out->len > 0)
            return true;
    }
}

struct sv_placed {                    /* an entry and where it stood */
    struct sv_entry e;
    uint32_t place;
};

static int sv_order(const void *a, const void *b)         /* client descending, the latest first */
{
    const struct sv_placed *x = a, *y = b;

    if (x->e.client != y->e.client)
        return x->e.client > y->e.client ? -1 : 1;
    return (x->place < y->place) - (x->place > y->place);
}

static um_err sv_sort(struct mem *m, sv_vec *sv)
{
    size_t size = sv->n * sizeof(struct sv_placed);
    struct sv_placed *p = mem_resize(m, NULL, 0, size);
    uint32_t kept = 0;

    if (p == NULL)
        return UM_ENOMEM;
    for (uint32_t i = 0; i < sv->n; i++)
        p[i] = (struct sv_placed){ sv->v[i], i };
    qsort(p, sv->n, sizeof(*p), sv_order);
    for (uint32_t i = 0; i < sv->n; i++)
        if (kept == 0 || sv->v[kept - 1].client != p[i].e.client)
            sv->v[kept++] = p[i].e;
    sv->n = kept;
    mem_free(m, p, size);
    return UM_OK;
}

um_err sv_read(struct mem *m, struct um_span sv, const struct um_crdt_limits *limits, sv_vec *out)
{
    struct rd r = rd_make(sv);
    uint64_t n = sv.len == 0 ? 0 : rd_uint(&r);
    bool sorted = true;

    memset(out, 0, sizeof(*out));
    if (r.err != UM_OK || n > rd_left(&r) / 2)
        return UM_EPROTO;
    if (n > limits->state_vector_entries)
        return UM_ELIMIT;
    if (!vec_room(m, out, n))
        return UM_ENOMEM;
    for (; n > 0; n--) {
        struct sv_entry e;

        e.client = rd_uint(&r);
        e.clock = rd_uint(&r);
        sorted &= out->n == 0 || out->v[out->n - 1].client > e.client;
        out->v[out->n++] = e;
    }
    if (r.err == UM_OK && !sorted)
        r.err = sv_sort(m, out);
    if (r.err != UM_OK)
        vec_free(m, out);
    return r.err;
}

uint64_t sv_get(const sv_vec *sv, uint64_t client)
{
    uint32_t lo = 0, hi = sv->n;

    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;

        if (sv->v[mid].client > client)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sv->n && sv->v[lo].client == client ? sv->v[lo].clock : 0;
}
