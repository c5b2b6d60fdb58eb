/* Who wrote what: the visible list of a type in stretches of one client, and the writers of entries. */
#include "cold.h"
#include "copy.h"

struct runs {
    struct copy c;                    /* only what formats need */
    struct mem mem;
    const struct um_crdt *doc;
    struct active active;
    struct um_buf attrs, text;
    um_crdt_run_cb *cb;
    void *arg;
};

static um_err attrs_write(struct runs *r)
{
    um_err err = UM_OK;

    um_buf_clear(&r->attrs);
    um_buf_put_u8(&r->attrs, '{');
    for (uint32_t i = 0; i < r->active.v.n && err == UM_OK; i++) {
        if (i > 0)
            um_buf_put_u8(&r->attrs, ',');
        json_put_string(&r->attrs, r->active.v.v[i].key);
        um_buf_put_u8(&r->attrs, ':');
        err = mark_print(&r->c.room, r->active.v.v[i].json, &r->attrs);
    }
    um_buf_put_u8(&r->attrs, '}');
    return err == UM_OK && r->attrs.failed ? UM_ENOMEM : err;
}

static um_err run_tell(struct runs *r, const struct item *it, uint32_t unit, uint32_t units, const struct um_crdt_value *v)
{
    struct um_crdt_run run = { .client = r->doc->clients.v[it->client].id, .clock = it->clock + unit, .units = units,
                               .value = *v };

    if (r->active.v.n > 0)
        run.attrs = UM_SPAN(r->attrs.data, r->attrs.len);
    return r->cb(r->arg, &run);
}

/* A whole string of a text. */
static um_err string_tell(struct runs *r, const struct item *it)
{
    static const uint8_t replacement[] = { 0xef, 0xbf, 0xbd };
    struct um_crdt_value v = { .kind = UM_CRDT_V_STRING, .data = item_body(r->doc, it) };

    if ((it->flags & (F_HEAD_HALF | F_TAIL_HALF)) != 0) {
        um_buf_clear(&r->text);
        if ((it->flags & F_HEAD_HALF) != 0)
            um_buf_put(&r->text, replacement, 3);
        um_buf_put(&r->text, v.data.data, v.data.len);
        if ((it->flags & F_TAIL_HALF) != 0)
            um_buf_put(&r->text, replacement, 3);
        if (r->text.failed)
            return UM_ENOMEM;
        v.data = UM_SPAN(r->text.data, r->text.len);
    }
    return run_tell(r, it, 0, it->len, &v);
}

static um_err text_item(struct runs *r, uint32_t item)
{
    const struct item *it = item_at(r->doc, item);
    struct um_crdt_value v;
    size_t at = 0;
    um_err err;

    if (it->kind == KIND_STRING)
        return string_tell(r, it);
    if (it->kind == KIND_EMBED || it->kind == KIND_TYPE) {
        unit_read(r->doc, it, 0, &at, &v);
        return run_tell(r, it, 0, 1, &v);
    }
    if (it->kind != KIND_FORMAT)
        return UM_OK;
    err = active_apply(&r->c, &r->active, r->doc, item);
    return err == UM_OK ? attrs_write(r) : err;
}

static um_err list_item(struct runs *r, const struct item *it)
{
    size_t at = 0;
    um_err err = UM_OK;

    if (!item_is_countable(it))
        return UM_OK;
    for (uint32_t unit = 0; unit < it->len && err == UM_OK; unit++) {
        struct um_crdt_value v;

        unit_read(r->doc, it, unit, &at, &v);
        err = run_tell(r, it, unit, 1, &v);
    }
    return err;
}

/* A root that nobody declared is a text when there is text in it. */
static bool list_is_text(const struct um_crdt *doc, const struct type *t)
{
    if (t->kind != UM_CRDT_UNTYPED)
        return kind_is_text(t->kind);
    for (uint32_t i = t->start; i != NONE; i = item_at(doc, i)->right)
        if (item_is_visible(item_at(doc, i)) && (KINDS(item_at(doc, i)->kind) & (KINDS(KIND_STRING) | KINDS(KIND_EMBED))) != 0)
            return true;
    return false;
}

um_err um_crdt_runs(const struct um_crdt *doc, const struct um_crdt_type *type, um_crdt_run_cb *cb, void *arg)
{
    struct runs r = { .doc = doc, .cb = cb, .arg = arg };
    bool text;
    uint32_t t;
    um_err err = thaw(doc);

    if (err != UM_OK || (err = type_open(doc, type, TYPES_ALL, &t)) != UM_OK)
        return err;
    mem_init(&r.mem, &doc->mem.alloc);
    r.c.mem = &r.mem;
    memcpy(r.c.key, doc->hash_key, sizeof(r.c.key));
    text = list_is_text(doc, &doc->types.v[t]);
    for (uint32_t i = doc->types.v[t].start; i != NONE && err == UM_OK; i = item_at(doc, i)->right)
        if (!item_is_deleted(item_at(doc, i)))
            err = text ? text_item(&r, i) : list_item(&r, item_at(doc, i));
    vec_free(&r.mem, &r.active.v);
    um_buf_free(&r.attrs);
    um_buf_free(&r.text);
    um_buf_free(&r.c.bytes);
    um_buf_free(&r.c.more);
    value_room_free(&r.c.room);
    return err;
}

um_err um_crdt_map_writer(const struct um_crdt *doc, const struct um_crdt_type *type, struct um_span key,
                          uint64_t *client, uint32_t *clock)
{
    uint32_t t, name, slot, i;
    um_err err = thaw(doc);

    if (err != UM_OK || (err = type_open(doc, type, TYPES_ALL, &t)) != UM_OK)
        return err;
    if ((name = name_find(doc, key)) == NONE || (slot = slot_find(doc, t, name)) == NONE ||
        (i = slot_item(doc, slot)) == NONE)
        return UM_ENOTFOUND;
    *client = doc->clients.v[item_at(doc, i)->client].id;
    *clock = item_at(doc, i)->clock + item_at(doc, i)->len - 1;
    return UM_OK;
}
