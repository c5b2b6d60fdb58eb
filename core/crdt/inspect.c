/* The structs and ranges of an update, one after the other, and their content as JSON. */
#include "cold.h"
#include "reader.h"
#include <umbel/crdt_inspect.h>
#include <umbel/util.h>

_Static_assert((int)UM_CRDT_SEEN_SKIP == (int)KIND_SKIP, "the wire's numbers");
_Static_assert((int)UM_CRDT_PARENT_ID == (int)PARENT_ID, "the wire's forms");

const char *um_crdt_seen_name(enum um_crdt_seen_kind kind)
{
    static const char *const name[] = {
        "GC", "Deleted", "JSON", "Binary", "String", "Embed", "Format", "Type", "Any", "Doc", "Skip", "Range"
    };

    return (unsigned)kind < UM_COUNT(name) ? name[kind] : "unknown";
}

const char *um_crdt_kind_name(enum um_crdt_kind kind)
{
    static const char *const name[] = {
        "Array", "Map", "Text", "XmlElement", "XmlFragment", "XmlHook", "XmlText", "Untyped"
    };

    return (unsigned)kind < UM_COUNT(name) ? name[kind] : "unknown";
}

/* ---- walking ------------------------------------------------------------------------------------------- */

static void seen_of(struct um_crdt_seen *s, uint64_t client, const struct wire *w)
{
    *s = (struct um_crdt_seen){
        .kind = (enum um_crdt_seen_kind)w->kind, .client = client, .clock = w->clock, .len = w->len,
        .has_origin = (w->info & INFO_ORIGIN) != 0, .has_right = (w->info & INFO_RIGHT) != 0,
        .parent = (enum um_crdt_seen_parent)w->parent_form, .key = w->key, .name = w->name, .body = w->body
    };
    if (s->has_origin)
        s->origin = (struct um_crdt_id){ w->origin.client, w->origin.clock };
    if (s->has_right)
        s->right = (struct um_crdt_id){ w->right.client, w->right.clock };
    if (s->parent == UM_CRDT_PARENT_ROOT)
        s->root = w->root;
    if (s->parent == UM_CRDT_PARENT_ID)
        s->parent_id = (struct um_crdt_id){ w->parent.client, w->parent.clock };
    if (w->kind == KIND_TYPE)
        s->type = (enum um_crdt_kind)w->type_ref;
}

static um_err structs_walk(struct rd *r, const uint8_t *start, um_crdt_inspect_cb *cb, void *arg)
{
    um_err err = UM_OK;

    for (uint64_t n = rd_uint(r); n > 0 && err == UM_OK; n--) {
        struct section sec;
        uint32_t clock;
        struct wire w;

        section_read(r, &sec);
        clock = sec.clock;
        for (uint32_t i = 0; i < sec.n && err == UM_OK; i++, clock += w.len) {
            const uint8_t *from = r->p;
            struct um_crdt_seen s;

            wire_read(r, sec.client, clock, &w, NULL);
            seen_of(&s, sec.client, &w);
            s.offset = (size_t)(from - start);
            s.bytes = (size_t)(r->p - from);
            err = cb(arg, &s);
        }
    }
    return err;
}

static um_err ranges_walk(struct rd *r, const uint8_t *start, um_crdt_inspect_cb *cb, void *arg)
{
    um_err err = UM_OK;

    for (uint64_t clients = rd_uint(r); clients > 0 && err == UM_OK; clients--) {
        uint64_t client = rd_uint(r);

        for (uint64_t n = rd_uint(r); n > 0 && err == UM_OK; n--) {
            const uint8_t *from = r->p;
            struct um_crdt_seen s = { .kind = UM_CRDT_SEEN_RANGE, .client = client };

            s.clock = rd_u32(r);
            s.len = rd_u32(r);
            s.offset = (size_t)(from - start);
            s.bytes = (size_t)(r->p - from);
            err = cb(arg, &s);
        }
    }
    return err;
}

um_err um_crdt_inspect(const struct um_crdt_conf *conf, struct um_span update, um_crdt_inspect_cb *cb, void *arg)
{
    struct rd r = rd_make(update);
    const uint8_t *start = r.p;
    um_err err = um_crdt_validate(conf, update, NULL);

    if (err == UM_OK)
        err = structs_walk(&r, start, cb, arg);
    return err == UM_OK ? ranges_walk(&r, start, cb, arg) : err;
}

/* ---- content ------------------------------------------------------------------------------------------- */

static void put_values(struct reader *r, const struct um_crdt_seen *s)
{
    struct rd b = rd_make(s->body);

    emit_text(r, "[");
    for (uint32_t i = 0; i < s->len; i++) {
        if (i > 0)
            emit_text(r, ",");
        if (s->kind == UM_CRDT_SEEN_JSON)
            emit_json_text(r, rd_bytes(&b));
        else
            emit_any(r, &b);
    }
    emit_text(r, "]");
}

static void put_binary(struct reader *r, struct um_span body)
{
    emit_text(r, "\"");
    um_base64_encode(r->out, body);
    emit_text(r, "\"");
}

static void put_format(struct reader *r, struct um_span body)
{
    struct rd b = rd_make(body);

    emit_text(r, "{\"key\":");
    emit_json_string(r, rd_bytes(&b));
    emit_text(r, ",\"value\":");
    emit_json_text(r, rd_bytes(&b));
    emit_text(r, "}");
}

static void put_type(struct reader *r, const struct um_crdt_seen *s)
{
    emit_text(r, "{\"type\":\"");
    emit_text(r, um_crdt_kind_name(s->type));
    emit_text(r, "\",\"name\":");
    if (s->name.data != NULL)
        emit_json_string(r, s->name);
    else
        emit_text(r, "null");
    emit_text(r, "}");
}

static void put_doc(struct reader *r, struct um_span body)
{
    struct rd b = rd_make(body);

    emit_text(r, "{\"guid\":");
    emit_json_string(r, rd_bytes(&b));
    emit_text(r, ",\"opts\":");
    emit_any(r, &b);
    emit_text(r, "}");
}

um_err um_crdt_seen_content(const struct um_crdt_seen *seen, enum um_crdt_form form, struct um_buf *out)
{
    struct reader r = { .out = out, .form = form };

    switch (seen->kind) {
    case UM_CRDT_SEEN_STRING:
        emit_json_string(&r, seen->body);
        break;
    case UM_CRDT_SEEN_JSON: case UM_CRDT_SEEN_ANY:
        put_values(&r, seen);
        break;
    case UM_CRDT_SEEN_BINARY:
        put_binary(&r, seen->body);
        break;
    case UM_CRDT_SEEN_EMBED:
        emit_json_text(&r, seen->body);
        break;
    case UM_CRDT_SEEN_FORMAT:
        put_format(&r, seen->body);
        break;
    case UM_CRDT_SEEN_TYPE:
        put_type(&r, seen);
        break;
    case UM_CRDT_SEEN_DOC:
        put_doc(&r, seen->body);
        break;
    default:
        emit_text(&r, "null");
    }
    return out->failed ? UM_ENOMEM : UM_OK;
}

/* ---- roots --------------------------------------------------------------------------------------------- */

static enum um_crdt_kind kind_by_content(const struct um_crdt *doc, const struct type *t)
{
    enum um_crdt_kind guess = UM_CRDT_MAP;

    for (uint32_t i = t->start; i != NONE; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);
        uint32_t kind = KINDS(it->kind);

        if (it->kind == KIND_TYPE && doc->types.v[it->content].kind >= UM_CRDT_XML_ELEMENT)
            return UM_CRDT_XML_FRAGMENT;
        if ((kind & (KINDS(KIND_STRING) | KINDS(KIND_FORMAT) | KINDS(KIND_EMBED))) != 0)
            return UM_CRDT_TEXT;
        if ((kind & KINDS_COUNTABLE) != 0)
            return UM_CRDT_ARRAY;
        guess = UM_CRDT_ARRAY;            /* deleted content: a list at least */
    }
    return guess;
}

um_err um_crdt_guess_root(const struct um_crdt *doc, struct um_span name, enum um_crdt_kind *out)
{
    uint32_t t;
    um_err err = thaw(doc);

    if (err != UM_OK)
        return err;
    if ((t = root_find(doc, name)) == NONE)
        return UM_ENOTFOUND;
    *out = (enum um_crdt_kind)doc->types.v[t].kind;
    if (*out == UM_CRDT_UNTYPED)
        *out = kind_by_content(doc, &doc->types.v[t]);
    return UM_OK;
}
