/* Update v2 to v1. Nothing is trusted: columns may end early, claim any number of values and name any clock. What
 * depends on a value's meaning (names, ids, nesting) is left to the check of the v1 update that comes out. */
#include "columns.h"
#include "v2.h"
#include "value.h"
#include <umbel/crdt_v2.h>

struct v2_reader {
    struct rd rest;
    struct byte_column info, parent_info;
    struct uint_column client, type_ref, len;
    struct diff_column key_clock, left_clock, right_clock;
    struct text_column text;
    VEC(struct column_text) keys;     /* those read so far */
    struct um_buf value;              /* scratch */
    struct value_room room;
    struct um_buf *out;
    struct mem *m;
    const struct um_crdt_limits *limits;
    struct v2_reading *how;
    um_err err;
};

static void fail(struct v2_reader *v, um_err err)
{
    if (v->err == UM_OK)
        v->err = err;
}

struct v2_reading v2_reading_of(size_t len, const struct um_crdt_limits *limits)
{
    uint64_t structs = UM_CRDT_V2_FREE_STRUCTS + (uint64_t)len / UM_CRDT_V2_BYTES_PER_STRUCT;

    return (struct v2_reading){ .structs = (uint32_t)UM_MIN(structs, limits->update_structs),
                                .bytes = limits->update_bytes };
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static uint32_t clock_read(struct v2_reader *v, struct diff_column *c)
{
    int64_t clock = diff_column_read(c);

    if (clock >= 0 && clock <= UINT32_MAX)
        return (uint32_t)clock;
    fail(v, clock < 0 ? UM_EPROTO : UM_ELIMIT);
    c->value = 0;
    return 0;
}

static inline uint8_t *id_write(struct v2_reader *v, uint8_t *p, struct diff_column *clock)
{
    p = wr_uint(p, uint_column_read(&v->client));
    return wr_uint(p, clock_read(v, clock));
}

/* One half of the four-byte character at PAIR. */
static uint8_t *half_write(uint8_t *p, const uint8_t *pair, bool low)
{
    uint32_t c = (uint32_t)(pair[0] & 7) << 18 | (uint32_t)(pair[1] & 63) << 12 | (uint32_t)(pair[2] & 63) << 6 |
                 (pair[3] & 63);
    uint32_t half = low ? 0xdc00 + (c & 0x3ff) : 0xd7c0 + (c >> 10);

    *p++ = (uint8_t)(0xe0 | half >> 12);
    *p++ = (uint8_t)(0x80 | (half >> 6 & 63));
    *p++ = (uint8_t)(0x80 | (half & 63));
    return p;
}

static void text_put(struct v2_reader *v, struct um_buf *out, struct column_text t)
{
    size_t len = t.body.len + 3 * ((size_t)t.head_half + t.tail_half);
    uint8_t *start, *p;

    if ((start = um_buf_room(out, LIB0_UINT_MAX_BYTES + len)) == NULL)
        return;
    p = wr_uint(start, len);
    if (len == t.body.len) {
        um_buf_advance(out, (size_t)(wr_bytes(p, t.body.data, len) - start));
        return;
    }
    if (!v->how->inner) {
        content_write(out, KIND_STRING, 0, t.body, t.head_half, t.tail_half);
        return;
    }
    if (t.head_half)
        p = half_write(p, t.body.data - 4, true);
    p = wr_bytes(p, t.body.data, t.body.len);
    if (t.tail_half)
        p = half_write(p, t.body.data + t.body.len, false);
    um_buf_advance(out, (size_t)(p - start));
    v->how->is_inner = true;
}

/* The writer of yjs numbers its keys and always writes them, too; a reader takes a known number for the key that
 * had it. */
static struct column_text key_read(struct v2_reader *v)
{
    struct column_text key = { 0 };
    int64_t n = diff_column_read(&v->key_clock);

    if (n < 0 || n > (int64_t)LIB0_MAX_INT) {
        fail(v, UM_EPROTO);
        v->key_clock.value = 0;
        return key;
    }
    if (n < v->keys.n)
        return v->keys.v[n];
    key = text_column_read(&v->text);
    if (key.body.len > v->limits->key_bytes)
        fail(v, UM_ELIMIT);
    if (vec_room(v->m, &v->keys, 1))
        v->keys.v[v->keys.n++] = key;
    else
        fail(v, UM_ENOMEM);
    return key;
}

static struct um_span any_read(struct v2_reader *v, bool check)
{
    const uint8_t *from = v->rest.p;

    rd_any(&v->rest, v->limits->value_depth, check);
    return UM_SPAN(from, (size_t)(v->rest.p - from));
}

/* Most values of marks. False: not one of them. */
static bool json_word_put(struct v2_reader *v)
{
    static const char words[][7] = { [ANY_TRUE - ANY_TRUE] = "\4true", [ANY_FALSE - ANY_TRUE] = "\5false",
                                     [ANY_NULL - ANY_TRUE] = "\4null" };
    uint8_t tag = rd_left(&v->rest) > 0 ? *v->rest.p : 0;

    if (tag != ANY_TRUE && tag != ANY_FALSE && tag != ANY_NULL)
        return false;
    v->rest.p++;
    um_buf_put(v->out, words[tag - ANY_TRUE], 1 + (size_t)words[tag - ANY_TRUE][0]);
    return true;
}

/* An `any` where v1 has JSON text. */
static void json_put(struct v2_reader *v)
{
    struct um_span any;
    bool lossy;
    um_err err;

    if (json_word_put(v))
        return;
    any = any_read(v, true);
    if (v->rest.err != UM_OK)
        return;
    um_buf_clear(&v->value);
    if ((err = any_to_json_in(&v->room, any, &v->value, &lossy)) != UM_OK)
        fail(v, err);
    if (lossy && v->how->inner) {
        um_buf_clear(&v->value);
        um_buf_put_u8(&v->value, 0);
        um_buf_put(&v->value, any.data, any.len);
        v->how->is_inner = true;
    }
    v->out->failed |= v->value.failed;
    buf_put_string(v->out, UM_SPAN(v->value.data, v->value.len));
}

/* ---- content ------------------------------------------------------------------------------------------- */

static void json_texts_put(struct v2_reader *v)
{
    uint64_t n = uint_column_read(&v->len);

    if (n > v->text.units) {              /* a JSON text is one character at least */
        fail(v, UM_EPROTO);
        return;
    }
    buf_put_uint(v->out, n);
    for (; n > 0 && v->err == UM_OK; n--)
        text_put(v, v->out, text_column_read(&v->text));
}

static void any_values_put(struct v2_reader *v)
{
    uint64_t n = uint_column_read(&v->len);
    const uint8_t *from = v->rest.p;

    if (n > rd_left(&v->rest)) {
        fail(v, UM_EPROTO);
        return;
    }
    buf_put_uint(v->out, n);
    for (; n > 0 && v->rest.err == UM_OK; n--)
        any_read(v, false);
    um_buf_put(v->out, from, (size_t)(v->rest.p - from));
}

static void type_put(struct v2_reader *v)
{
    uint64_t ref = uint_column_read(&v->type_ref);

    buf_put_uint(v->out, ref);
    if (ref == UM_CRDT_XML_ELEMENT || ref == UM_CRDT_XML_HOOK)
        text_put(v, v->out, key_read(v));
}

static void doc_put(struct v2_reader *v)
{
    struct um_span options;

    um_buf_clear(&v->value);
    text_put(v, &v->value, text_column_read(&v->text));
    options = any_read(v, true);
    if (options.len == 0 || options.data[0] == ANY_UNDEFINED || options.data[0] == ANY_NULL) {
        fail(v, UM_EPROTO);               /* yjs throws too: it reads a property of the options */
        return;
    }
    um_buf_put(&v->value, options.data, options.len);
    v->out->failed |= v->value.failed;
    if (v->rest.err == UM_OK && !v->value.failed)
        content_write(v->out, KIND_DOC, 1, UM_SPAN(v->value.data, v->value.len), false, false);
}

static void content_put(struct v2_reader *v, uint8_t kind)
{
    switch (kind) {
    case KIND_GC: case KIND_DELETED:
        buf_put_uint(v->out, uint_column_read(&v->len));
        return;
    case KIND_SKIP:
        buf_put_uint(v->out, rd_uint(&v->rest));
        return;
    case KIND_JSON:
        json_texts_put(v);
        return;
    case KIND_BINARY:
        buf_put_string(v->out, rd_bytes(&v->rest));
        return;
    case KIND_STRING:
        text_put(v, v->out, text_column_read(&v->text));
        return;
    case KIND_FORMAT:
        text_put(v, v->out, key_read(v));
        json_put(v);
        return;
    case KIND_EMBED:
        json_put(v);
        return;
    case KIND_TYPE:
        type_put(v);
        return;
    case KIND_ANY:
        any_values_put(v);
        return;
    case KIND_DOC:
        doc_put(v);
        return;
    default:
        fail(v, UM_EPROTO);
    }
}

/* ---- structs ------------------------------------------------------------------------------------------- */

/* What precedes an item's content. */
static void head_put(struct v2_reader *v, uint8_t info)
{
    uint8_t *start = um_buf_room(v->out, 2 + 6 * LIB0_UINT_MAX_BYTES), *p = start;
    bool root = false;

    if (start == NULL)
        return;
    if ((info & (INFO_ORIGIN | INFO_RIGHT)) != 0)
        info &= (uint8_t)~INFO_KEY;
    *p++ = info;
    if ((info & INFO_ORIGIN) != 0)
        p = id_write(v, p, &v->left_clock);
    if ((info & INFO_RIGHT) != 0)
        p = id_write(v, p, &v->right_clock);
    if ((info & (INFO_ORIGIN | INFO_RIGHT)) == 0) {
        root = byte_column_read(&v->parent_info) == 1;
        *p++ = root;
        if (!root)
            p = id_write(v, p, &v->left_clock);
    }
    um_buf_advance(v->out, (size_t)(p - start));
    if (root)
        text_put(v, v->out, text_column_read(&v->text));
    if ((info & INFO_KEY) != 0)
        text_put(v, v->out, text_column_read(&v->text));
}

static void struct_put(struct v2_reader *v)
{
    uint8_t info = byte_column_read(&v->info), kind = info & INFO_KIND;

    if (kind == KIND_GC || kind == KIND_SKIP)
        um_buf_put_u8(v->out, kind);      /* flags mean nothing here */
    else
        head_put(v, info);
    content_put(v, kind);
}

static bool reader_ok(struct v2_reader *v, size_t start)
{
    if (v->rest.err != UM_OK)
        fail(v, v->rest.err);
    if (v->out->failed)
        fail(v, UM_ENOMEM);
    else if (v->out->len - start > v->how->bytes)
        fail(v, UM_ELIMIT);
    return v->err == UM_OK;
}

static void sections_put(struct v2_reader *v)
{
    size_t start = v->out->len;
    uint64_t sections = rd_uint(&v->rest);

    if (sections > rd_left(&v->rest) / 2)
        fail(v, UM_EPROTO);
    else if (sections > v->limits->update_clients)
        fail(v, UM_ELIMIT);
    buf_put_uint(v->out, sections);
    for (; sections > 0 && reader_ok(v, start); sections--) {
        uint64_t n = rd_uint(&v->rest);

        if (n > v->how->structs)
            fail(v, UM_ELIMIT);
        else
            v->how->structs -= (uint32_t)n;
        buf_put_uint(v->out, n);
        buf_put_uint(v->out, uint_column_read(&v->client));
        buf_put_uint(v->out, rd_uint(&v->rest));
        for (; n > 0 && reader_ok(v, start); n--)
            struct_put(v);
    }
    reader_ok(v, start);
}

static void reader_make(struct v2_reader *v, struct um_span update)
{
    struct rd *r = &v->rest;

    *r = rd_make(update);
    rd_uint(r);                           /* feature flag: yjs ignores it */
    v->key_clock = diff_column_make(rd_bytes(r), &v->err);
    v->client = uint_column_make(rd_bytes(r), &v->err);
    v->left_clock = diff_column_make(rd_bytes(r), &v->err);
    v->right_clock = diff_column_make(rd_bytes(r), &v->err);
    v->info = byte_column_make(rd_bytes(r), &v->err);
    v->text = text_column_make(rd_bytes(r), &v->err);
    v->parent_info = byte_column_make(rd_bytes(r), &v->err);
    v->type_ref = uint_column_make(rd_bytes(r), &v->err);
    v->len = uint_column_make(rd_bytes(r), &v->err);
    if (r->err != UM_OK)
        fail(v, r->err);
}

um_err update_from_v2(struct mem *m, struct um_span update, const struct um_crdt_limits *limits,
                      struct v2_reading *how, struct um_buf *out)
{
    struct v2_reader v = { .m = m, .limits = limits, .how = how, .out = out };
    size_t start = out->len;

    how->is_inner = false;
    if (update.len > limits->update_bytes)
        return UM_ELIMIT;
    reader_make(&v, update);
    if (v.err == UM_OK && um_buf_room(out, update.len + update.len / 2) == NULL)      /* about what it becomes */
        v.err = UM_ENOMEM;
    if (v.err == UM_OK)
        sections_put(&v);
    if (v.err == UM_OK)
        v.err = ds_from_v2(m, &v.rest, limits, out);
    if (v.err == UM_OK) {
        how->bytes -= UM_MIN(how->bytes, out->len - start);
        how->used = (size_t)(v.rest.p - update.data);
    }
    vec_free(m, &v.keys);
    um_buf_free(&v.value);
    value_room_free(&v.room);
    return v.err;
}
