/* Update v1 to v2. */
#include "columns.h"
#include "v2.h"
#include "value.h"

struct v2_writer {
    struct byte_writer info, parent_info;
    struct uint_writer client, type_ref, len;
    struct diff_writer key_clock, left_clock, right_clock;
    struct text_writer text;
    struct um_buf rest;
    struct value_room room;
    uint32_t keys;                    /* written so far */
    bool bare_keys;
    um_err err;
};

static void id_write(struct v2_writer *v, const struct id *id, struct diff_writer *clock)
{
    uint_write(&v->client, id->client);
    diff_write(clock, id->clock);
}

/* Numbered, and written out every time: yjs does not look for known ones. */
static void key_write(struct v2_writer *v, struct um_span key)
{
    diff_write(&v->key_clock, v->keys++);
    text_write(&v->text, key);
}

static void any_write(struct v2_writer *v, struct um_span json)
{
    um_err err = UM_OK;

    if (json.data[0] == 0)                /* the inner form */
        um_buf_put(&v->rest, json.data + 1, json.len - 1);
    else
        err = json_to_any_in(&v->room, json, UINT32_MAX, &v->rest);
    if (v->err == UM_OK)
        v->err = err;
}

static void format_write(struct v2_writer *v, struct um_span body)
{
    struct rd r = rd_make(body);

    key_write(v, rd_bytes(&r));
    any_write(v, rd_bytes(&r));
}

static void texts_write(struct v2_writer *v, const struct wire *w)
{
    struct rd r = rd_make(w->body);

    uint_write(&v->len, w->len);
    for (uint32_t i = 0; i < w->len; i++)
        text_write(&v->text, rd_bytes(&r));
}

static void type_column_write(struct v2_writer *v, const struct wire *w)
{
    uint_write(&v->type_ref, w->type_ref);
    if (w->type_ref == UM_CRDT_XML_ELEMENT || w->type_ref == UM_CRDT_XML_HOOK)
        key_write(v, w->name);
}

/* The options go to the rest in the form that yjs gives them when it writes. */
static void doc_write(struct v2_writer *v, struct um_span body)
{
    uint8_t *room = um_buf_room(&v->rest, body.len);
    struct rd r = rd_make(body);
    size_t len;

    text_write(&v->text, rd_bytes(&r));
    if (room == NULL)
        return;
    len = doc_body_normalise(room, body);
    r = rd_make(UM_SPAN(room, len));
    rd_bytes(&r);
    memmove(room, r.p, rd_left(&r));
    um_buf_advance(&v->rest, rd_left(&r));
}

static void content_column_write(struct v2_writer *v, const struct wire *w)
{
    switch (w->kind) {
    case KIND_GC: case KIND_DELETED: uint_write(&v->len, w->len); return;
    case KIND_SKIP:   buf_put_uint(&v->rest, w->len); return;
    case KIND_JSON:   texts_write(v, w); return;
    case KIND_BINARY: buf_put_string(&v->rest, w->body); return;
    case KIND_STRING: text_write(&v->text, w->body); return;
    case KIND_EMBED:  any_write(v, w->body); return;
    case KIND_FORMAT: format_write(v, w->body); return;
    case KIND_TYPE:   type_column_write(v, w); return;
    case KIND_DOC:    doc_write(v, w->body); return;
    default:
        uint_write(&v->len, w->len);
        um_buf_put(&v->rest, w->body.data, w->body.len);
    }
}

static void struct_write(struct v2_writer *v, const struct wire *w)
{
    uint8_t info = w->info;

    if (v->bare_keys && (info & (INFO_ORIGIN | INFO_RIGHT)) != 0)
        info &= (uint8_t)~INFO_KEY;
    byte_write(&v->info, info);
    if ((info & INFO_ORIGIN) != 0)
        id_write(v, &w->origin, &v->left_clock);
    if ((info & INFO_RIGHT) != 0)
        id_write(v, &w->right, &v->right_clock);
    if (w->parent_form != PARENT_COPIED) {
        byte_write(&v->parent_info, w->parent_form == PARENT_ROOT);
        if (w->parent_form == PARENT_ROOT)
            text_write(&v->text, w->root);
        else
            id_write(v, &w->parent, &v->left_clock);
        if (w->key.data != NULL)
            text_write(&v->text, w->key);
    }
    content_column_write(v, w);
}

static void sections_write(struct v2_writer *v, struct rd *r)
{
    uint64_t n = rd_uint(r);

    buf_put_uint(&v->rest, n);
    for (; n > 0; n--) {
        struct section s;
        struct wire w;
        uint32_t clock;

        section_read(r, &s);
        buf_put_uint(&v->rest, s.n);
        uint_write(&v->client, s.client);
        buf_put_uint(&v->rest, s.clock);
        clock = s.clock;
        for (uint32_t i = 0; i < s.n; i++, clock += w.len) {
            wire_read(r, s.client, clock, &w, NULL);
            struct_write(v, &w);
        }
    }
}

static void writer_end(struct v2_writer *v, struct um_buf *out)
{
    buf_put_uint(out, 0);
    diff_writer_end(&v->key_clock, out);
    uint_writer_end(&v->client, out);
    diff_writer_end(&v->left_clock, out);
    diff_writer_end(&v->right_clock, out);
    byte_writer_end(&v->info, out);
    text_writer_end(&v->text, out);
    byte_writer_end(&v->parent_info, out);
    uint_writer_end(&v->type_ref, out);
    uint_writer_end(&v->len, out);
    out->failed |= v->rest.failed;
    um_buf_put(out, v->rest.data, v->rest.len);
    um_buf_free(&v->rest);
    value_room_free(&v->room);
}

um_err update_to_v2(struct mem *m, struct um_span update, bool bare_keys, struct um_buf *out)
{
    struct v2_writer v = { .bare_keys = bare_keys };
    struct rd r = rd_make(update);
    um_err err;

    sections_write(&v, &r);
    err = ds_to_v2(m, UM_SPAN(r.p, rd_left(&r)), &v.rest);
    if (v.err == UM_OK)
        v.err = err;
    writer_end(&v, out);
    if (v.err == UM_OK && out->failed)
        v.err = UM_ENOMEM;
    return v.err;
}
