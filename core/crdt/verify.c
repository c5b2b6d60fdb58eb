/* Where a refused update is wrong. Runs only after update_scan has refused: a second, slower walk that knows the
 * field it is in. It must find something whenever the scan does; a test compares the two. */
#include "doc.h"
#include <stdlib.h>
#include <umbel/crdt_inspect.h>

struct finder {
    struct rd r;
    const uint8_t *start;
    const struct um_crdt_limits *limits;
    struct um_crdt_fault *fault;
    uint64_t client;                  /* the struct that is read */
    uint32_t clock;
    bool found;
};

static const char cut_off[] = "the update ends here";

static void found(struct finder *f, const uint8_t *at, const char *field, const char *why)
{
    if (f->found)
        return;
    f->found = true;
    f->fault->offset = (size_t)(at - f->start);
    f->fault->field = field;
    f->fault->why = why;
    f->r.p = f->r.end;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static uint64_t find_uint(struct finder *f, const char *field)
{
    const uint8_t *from = f->r.p;
    bool closed = false;
    uint64_t v;

    for (size_t i = 0; i < UM_MIN(rd_left(&f->r), 8); i++)
        closed |= from[i] < 0x80;
    v = rd_uint(&f->r);
    if (f->r.err != UM_OK)
        found(f, from, field, closed || f->r.end - from >= 8 ? "an integer above 2^53-1" : cut_off);
    return v;
}

static uint32_t find_u32(struct finder *f, const char *field)
{
    const uint8_t *from = f->r.p;
    uint64_t v = find_uint(f, field);

    if (v > UINT32_MAX)
        found(f, from, field, "above 2^32-1");
    return (uint32_t)v;
}

static struct um_span find_bytes(struct finder *f, const char *field)
{
    const uint8_t *from = f->r.p;
    uint64_t len = find_uint(f, field);
    struct um_span s = UM_SPAN(f->r.p, 0);

    if (len > rd_left(&f->r)) {
        found(f, from, field, "longer than what is left of the update");
        return s;
    }
    s.len = (size_t)len;
    f->r.p += len;
    return s;
}

static struct um_span find_string(struct finder *f, const char *field, uint32_t max)
{
    const uint8_t *from = f->r.p;
    struct rd again = f->r;
    struct um_span s = find_bytes(f, field);

    rd_string(&again, true);
    if (again.err != UM_OK)
        found(f, from, field, "not UTF-8");
    else if (s.len > max)
        found(f, from, field, "longer than the limit");
    return s;
}

static void find_json(struct finder *f, const char *field, bool word_undefined)
{
    const uint8_t *from = f->r.p;
    struct um_span s = find_string(f, field, UINT32_MAX);
    um_err err;

    if (f->found || (word_undefined && um_span_eq(s, UM_SPAN_STR("undefined"))))
        return;
    if ((err = json_check(s, f->limits->value_depth)) != UM_OK)
        found(f, from, field, err == UM_ELIMIT ? "nested deeper than the limit" : "not a JSON text");
}

static void find_any(struct finder *f, const char *field)
{
    const uint8_t *from = f->r.p;
    struct rd bare = f->r;

    rd_any(&f->r, f->limits->value_depth, true);
    if (f->r.err == UM_OK)
        return;
    rd_any(&bare, UINT32_MAX, false);
    if (f->r.err == UM_ELIMIT)
        found(f, from, field, "nested deeper than the limit");
    else
        found(f, from, field, bare.err == UM_OK ? "a string in it is not UTF-8" : "not a value, or the update ends in it");
}

static void find_id(struct finder *f, const char *field)
{
    const uint8_t *from = f->r.p;
    uint64_t client = find_uint(f, field);
    uint32_t clock = find_u32(f, field);

    if (client == f->client && clock >= f->clock)
        found(f, from, field, "its own client's, but not below the struct");
}

/* ---- structs ------------------------------------------------------------------------------------------- */

static void find_values(struct finder *f, uint8_t kind)
{
    const uint8_t *from = f->r.p;
    uint32_t n = find_u32(f, "count of values");

    if (n > rd_left(&f->r))
        found(f, from, "count of values", "more values than bytes");
    for (uint32_t i = 0; i < n && !f->found; i++) {
        if (kind == KIND_JSON)
            find_json(f, "value", true);
        else
            find_any(f, "value");
    }
}

static void find_type(struct finder *f)
{
    const uint8_t *from = f->r.p;
    uint64_t ref = find_uint(f, "type");

    if (ref > UM_CRDT_XML_TEXT)
        found(f, from, "type", "unknown type");
    if (ref == UM_CRDT_XML_ELEMENT || ref == UM_CRDT_XML_HOOK)
        find_string(f, "node name", f->limits->key_bytes);
}

static void find_doc(struct finder *f)
{
    find_string(f, "guid", UINT32_MAX);
    if (rd_left(&f->r) > 0 && (*f->r.p == ANY_UNDEFINED || *f->r.p == ANY_NULL))
        found(f, f->r.p, "options", "neither undefined nor null may stand here");
    find_any(f, "options");
}

static void find_content(struct finder *f, uint8_t kind)
{
    switch (kind) {
    case KIND_GC: case KIND_SKIP: case KIND_DELETED:
        find_u32(f, "length");
        return;
    case KIND_JSON: case KIND_ANY:
        find_values(f, kind);
        return;
    case KIND_BINARY:
        find_bytes(f, "content");
        return;
    case KIND_STRING:
        find_string(f, "content", UINT32_MAX);
        return;
    case KIND_EMBED:
        find_json(f, "content", false);
        return;
    case KIND_FORMAT:
        find_string(f, "format name", f->limits->key_bytes);
        find_json(f, "format value", false);
        return;
    case KIND_TYPE:
        find_type(f);
        return;
    default:
        find_doc(f);
    }
}

static void find_parent(struct finder *f, uint8_t info)
{
    if (find_uint(f, "parent flag") == 1)
        find_string(f, "root name", f->limits->root_name_bytes);
    else
        find_id(f, "parent");
    if ((info & INFO_KEY) != 0)
        find_string(f, "key", f->limits->key_bytes);
}

static void find_in_struct(struct finder *f)
{
    const uint8_t *from = f->r.p;
    uint8_t info = rd_u8(&f->r), kind = info & INFO_KIND;

    f->fault->in_struct = true;
    f->fault->client = f->client;
    f->fault->clock = f->clock;
    if (f->r.err != UM_OK)
        found(f, from, "kind", cut_off);
    else if (kind > KIND_SKIP)
        found(f, from, "kind", "unknown kind of struct");
    if (kind != KIND_GC && kind != KIND_SKIP) {
        if ((info & INFO_ORIGIN) != 0)
            find_id(f, "origin");
        if ((info & INFO_RIGHT) != 0)
            find_id(f, "right origin");
        if ((info & (INFO_ORIGIN | INFO_RIGHT)) == 0)
            find_parent(f, info);
    }
    find_content(f, kind);
    found(f, from, "length", "the clock passes 2^32-1");      /* what is left when every field is well */
}

/* ---- the update ---------------------------------------------------------------------------------------- */

static void find_in_section(struct finder *f, uint32_t *structs)
{
    const uint8_t *from = f->r.p;
    uint32_t n = find_u32(f, "count of structs");

    f->client = find_uint(f, "client");
    f->clock = find_u32(f, "clock");
    if (n > rd_left(&f->r) / 2)
        found(f, from, "count of structs", "more structs than bytes");
    else if (n > f->limits->update_structs - *structs)
        found(f, from, "count of structs", "more than the limit");
    *structs += n;
    for (; n > 0 && !f->found; n--) {
        struct rd before = f->r;
        struct wire w;

        wire_read(&f->r, f->client, f->clock, &w, f->limits);
        if (f->r.err != UM_OK) {
            f->r = before;
            find_in_struct(f);
            return;
        }
        f->clock += w.len;
    }
}

static void find_in_ranges(struct finder *f, uint32_t *ranges)
{
    const uint8_t *from;
    uint64_t n;

    find_uint(f, "client of deletions");
    from = f->r.p;
    n = find_uint(f, "count of ranges");
    if (n > rd_left(&f->r) / 2)
        found(f, from, "count of ranges", "more ranges than bytes");
    else if (n > f->limits->update_ranges - *ranges)
        found(f, from, "count of ranges", "more than the limit");
    *ranges += (uint32_t)n;
    for (; n > 0 && !f->found; n--) {
        uint32_t clock, len;

        from = f->r.p;
        clock = find_u32(f, "clock of a range");
        len = find_u32(f, "length of a range");
        if (len > UINT32_MAX - clock)
            found(f, from, "range", "ends beyond 2^32-1");
    }
}

static void find_walk(struct finder *f)
{
    uint64_t n = find_uint(f, "count of clients");
    uint32_t structs = 0, ranges = 0;

    if (n > rd_left(&f->r) / 3)
        found(f, f->start, "count of clients", "more clients than bytes");
    else if (n > f->limits->update_clients)
        found(f, f->start, "count of clients", "more than the limit");
    for (; n > 0 && !f->found; n--)
        find_in_section(f, &structs);
    if (f->found)
        return;
    {
        const uint8_t *from = f->r.p;

        n = find_uint(f, "count of clients with deletions");
        if (n > rd_left(&f->r) / 2)
            found(f, from, "count of clients with deletions", "more clients than bytes");
    }
    for (; n > 0 && !f->found; n--)
        find_in_ranges(f, &ranges);
}

/* ---- a client twice ------------------------------------------------------------------------------------ */

struct place {
    uint64_t client;
    size_t offset;
};

static int place_order(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The update is well-formed. Empty sections count for nothing. */
static um_err find_twice(struct finder *f, struct um_span update, struct mem *m)
{
    struct rd r = rd_make(update);
    VEC(struct place) places = { 0 };
    const struct place *first = NULL;

    for (uint64_t n = rd_uint(&r); n > 0; n--) {
        struct place p = { .offset = (size_t)(r.p - f->start) };
        struct section sec;

        section_read(&r, &sec);
        section_skip(&r, &sec);
        p.client = sec.client;
        if (sec.n == 0)
            continue;
        if (!vec_room(m, &places, 1)) {
            vec_free(m, &places);
            return UM_ENOMEM;
        }
        places.v[places.n++] = p;
    }
    if (places.n > 1)
        qsort(places.v, places.n, sizeof(*places.v), place_order);
    for (uint32_t i = 1; i < places.n; i++)
        if (places.v[i].client == places.v[i - 1].client && (first == NULL || places.v[i].offset < first->offset))
            first = &places.v[i];
    if (first != NULL)
        found(f, f->start + first->offset, "section", "a second section of this client");
    vec_free(m, &places);
    return UM_EPROTO;
}

um_err um_crdt_verify(const struct um_crdt_conf *conf, struct um_span update, struct um_crdt_fault *fault)
{
    struct um_crdt_conf cf = conf_of(conf);
    struct finder f = { .r = rd_make(update), .fault = fault };
    struct mem m;
    um_err err = um_crdt_validate(&cf, update, NULL);

    *fault = (struct um_crdt_fault){ .field = "update", .why = um_err_text(err) };
    if (err != UM_EPROTO && err != UM_ELIMIT)
        return err;
    f.start = f.r.p;
    f.limits = &cf.limits;
    mem_init(&m, &cf.alloc);
    if (update.len > cf.limits.update_bytes)
        found(&f, f.start, "update", "larger than the limit");
    else
        find_walk(&f);
    if (!f.found && find_twice(&f, update, &m) == UM_ENOMEM)
        return UM_ENOMEM;
    return err;
}
