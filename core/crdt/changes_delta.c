/* The change of one list as a delta. Lists tell values; texts tell strings with their attributes, and changes of
 * attributes over what stayed. yjs deletes redundant marks while it computes the delta of a text; here they are
 * only passed over, so that the delta is the same and the document stays as it is. */
#include "changes.h"
#include "json_same.h"
#include <umbel/map.h>

enum op { NO_OP, OP_INSERT, OP_RETAIN, OP_DELETE };

/* What is known of one attribute. Values are JSON texts; data NULL: null, or none. */
struct attr {
    struct um_span key;
    struct um_span now, old;          /* behind the present item: after and before the transaction */
    struct um_span want;              /* what a retained range gets, when WANTED */
    uint32_t now_at, want_at;         /* places in the lists of those that count; NONE */
};
typedef VEC(struct attr) attr_vec;
typedef VEC(uint32_t) at_vec;

struct delta {
    struct reader *r;
    const struct tx_changes *ch;
    enum op op;                       /* the one that is being gathered */
    uint64_t n;                       /* its units (retain, delete) */
    bool begun;                       /* a comma is due */
    size_t keep;                      /* output that will not be dropped as a useless retain at the end */
    attr_vec attrs;
    struct table by_key;
    at_vec now, want;                 /* attributes that are active; that a retained range gets */
};

/* ---- lists --------------------------------------------------------------------------------------------- */

static void op_open(struct delta *d, const char *head)
{
    emit_text(d->r, d->begun ? ",{" : "{");
    emit_text(d->r, head);
    d->begun = true;
}

static void list_op_end(struct delta *d)
{
    if (d->op == OP_INSERT) {
        emit_text(d->r, "]}");
    } else if (d->op != NO_OP) {
        op_open(d, d->op == OP_DELETE ? "\"delete\":" : "\"retain\":");
        emit_count(d->r, d->n);
        emit_text(d->r, "}");
    }
    d->op = NO_OP;
    d->n = 0;
}

static void list_op(struct delta *d, enum op op, uint32_t n)
{
    if (d->op != op) {
        list_op_end(d);
        d->op = op;
        if (op == OP_INSERT)
            op_open(d, "\"insert\":[");
    }
    d->n += n;
}

static void values_emit(struct delta *d, uint32_t item)
{
    const struct item *it = item_at(d->ch->doc, item);
    size_t at = 0;
    bool comma;

    list_op(d, OP_INSERT, 0);
    if (!item_is_countable(it))
        return;
    comma = d->n > 0;
    for (uint32_t unit = 0; unit < it->len && d->r->err == UM_OK; unit++, comma = true) {
        emit_text(d->r, comma ? "," : "");
        unit_value(d->r, item, unit, &at, false, false);
        reader_run(d->r);
    }
    d->n += it->len;
}

static void list_delta(struct delta *d, uint32_t type)
{
    const struct um_crdt *doc = d->ch->doc;

    for (uint32_t i = doc->types.v[type].start; i != NONE && d->r->err == UM_OK; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (!item_is_deleted(it) && was_added(d->ch, it))
            values_emit(d, i);
        else if (!item_is_deleted(it))
            list_op(d, OP_RETAIN, it->len);
        else if (was_deleted(d->ch, it) && !was_added(d->ch, it))
            list_op(d, OP_DELETE, it->len);
    }
    if (d->op != OP_RETAIN)
        list_op_end(d);
}

/* ---- attributes of texts ------------------------------------------------------------------------------- */

static uint64_t attr_hash(const void *ctx, uint32_t i)
{
    const struct delta *d = ctx;

    return um_hash_keyed(d->r->doc->hash_key, d->attrs.v[i].key);
}

static struct attr *attr_of(struct delta *d, struct um_span key)
{
    struct mem *m = &d->r->mem;
    uint32_t *slot;

    if (!vec_room(m, &d->attrs, 1) || !table_room(m, &d->by_key, 1, attr_hash, d)) {
        d->r->err = UM_ENOMEM;
        return NULL;
    }
    for (uint64_t h = um_hash_keyed(d->r->doc->hash_key, key);; h++) {
        slot = &d->by_key.v[h & (d->by_key.cap - 1)];
        if (*slot == NONE)
            break;
        if (um_span_eq(d->attrs.v[*slot].key, key))
            return &d->attrs.v[*slot];
    }
    *slot = d->attrs.n++;
    d->by_key.n++;
    d->attrs.v[*slot] = (struct attr){ .key = key, .now_at = NONE, .want_at = NONE };
    return &d->attrs.v[*slot];
}

/* Adds attribute A to a list of those that count; *AT is its place there. */
static void at_add(struct delta *d, at_vec *v, const struct attr *a, uint32_t *at)
{
    if (*at != NONE)
        return;
    if (v->n >= ATTRIBUTES_MAX) {
        d->r->err = UM_ELIMIT;
    } else if (!vec_room(&d->r->mem, v, 1)) {
        d->r->err = UM_ENOMEM;
    } else {
        *at = v->n;
        v->v[v->n++] = (uint32_t)(a - d->attrs.v);
    }
}

static void now_set(struct delta *d, struct attr *a, struct um_span value)
{
    a->now = value;
    if (value.data != NULL) {
        at_add(d, &d->now, a, &a->now_at);
    } else if (a->now_at != NONE) {
        uint32_t last = d->now.v[--d->now.n];

        d->now.v[a->now_at] = last;
        d->attrs.v[last].now_at = a->now_at;
        a->now_at = NONE;
    }
}

static void want_set(struct delta *d, struct attr *a, struct um_span value)
{
    a->want = value;
    at_add(d, &d->want, a, &a->want_at);
}

static void want_remove(struct delta *d, struct attr *a)
{
    uint32_t last;

    if (a->want_at == NONE)
        return;
    last = d->want.v[--d->want.n];
    d->want.v[a->want_at] = last;
    d->attrs.v[last].want_at = a->want_at;
    a->want_at = NONE;
}

static void attrs_emit(struct delta *d, const at_vec *v, bool now)
{
    if (v->n == 0)
        return;
    emit_text(d->r, ",\"attributes\":{");
    for (uint32_t i = 0; i < v->n; i++) {
        const struct attr *a = &d->attrs.v[v->v[i]];
        struct um_span value = now ? a->now : a->want;

        emit_text(d->r, i > 0 ? "," : "");
        emit_json_string(d->r, a->key);
        emit_text(d->r, ":");
        emit_json_text(d->r, value.data == NULL ? UM_SPAN_STR("null") : value);
    }
    emit_text(d->r, "}");
}

/* ---- texts --------------------------------------------------------------------------------------------- */

static void text_op_end(struct delta *d)
{
    bool useless = d->op == OP_RETAIN && d->want.n == 0;

    if (d->op == NO_OP)
        return;
    if (d->op == OP_INSERT) {
        emit_text(d->r, "\"");
        attrs_emit(d, &d->now, true);
    } else {
        op_open(d, d->op == OP_DELETE ? "\"delete\":" : "\"retain\":");
        emit_count(d->r, d->n);
        if (d->op == OP_RETAIN)
            attrs_emit(d, &d->want, false);
    }
    emit_text(d->r, "}");
    if (!useless)
        d->keep = d->r->out->len;
    d->op = NO_OP;
    d->n = 0;
}

static void text_op(struct delta *d, enum op op, uint32_t n)
{
    if (d->op != op) {
        text_op_end(d);
        d->op = op;
        if (op == OP_INSERT)
            op_open(d, "\"insert\":\"");
    }
    d->n += n;
}

static void content_added(struct delta *d, uint32_t i)
{
    size_t at = 0;

    if (item_at(d->ch->doc, i)->kind == KIND_STRING) {
        text_op(d, OP_INSERT, 0);
        d->r->in_string = true;
        string_emit(d->r, item_at(d->ch->doc, i));
        d->r->in_string = false;
        return;
    }
    text_op_end(d);
    op_open(d, "\"insert\":");
    unit_value(d->r, i, 0, &at, false, false);
    reader_run(d->r);
    attrs_emit(d, &d->now, true);
    emit_text(d->r, "}");
    d->keep = d->r->out->len;
}

/* What a mark does to the attributes of a range that stayed. True: yjs would delete it here, as it says nothing
 * new; it counts as gone from now on. */
static bool mark_passed(struct delta *d, const struct item *it, struct attr *a, struct um_span value)
{
    if (was_added(d->ch, it)) {
        if (json_value_same(d->r->doc, a->now, value))
            return value.data != NULL;
        if (d->op == OP_RETAIN)
            text_op_end(d);
        if (json_value_same(d->r->doc, value, a->old))
            want_remove(d, a);
        else
            want_set(d, a, value);
        return false;
    }
    a->old = value;
    if (item_is_deleted(it)) {
        if (json_value_same(d->r->doc, a->now, value))
            return false;
        if (d->op == OP_RETAIN)
            text_op_end(d);
        want_set(d, a, a->now);
        return false;
    }
    if (a->want_at == NONE)
        return false;
    if (json_value_same(d->r->doc, a->want, value))
        return value.data != NULL;
    if (d->op == OP_RETAIN)
        text_op_end(d);
    if (value.data == NULL)
        want_remove(d, a);
    else
        want_set(d, a, value);
    return false;
}

static void mark_step(struct delta *d, const struct item *it)
{
    struct rd b = rd_make(item_body(d->ch->doc, it));
    struct um_span key = rd_bytes(&b), value = rd_bytes(&b);
    struct attr *a;

    if (item_is_deleted(it) && (was_added(d->ch, it) || !was_deleted(d->ch, it)))
        return;
    if (um_span_eq(value, UM_SPAN_STR("null")))
        value = UM_SPAN(NULL, 0);
    if ((a = attr_of(d, key)) == NULL || mark_passed(d, it, a, value) || item_is_deleted(it))
        return;
    if (d->op == OP_INSERT)
        text_op_end(d);
    now_set(d, a, value);
}

#define KINDS_OF_TEXT (KINDS(KIND_STRING) | KINDS(KIND_EMBED) | KINDS(KIND_TYPE))

static void text_delta(struct delta *d, uint32_t type)
{
    const struct um_crdt *doc = d->ch->doc;

    d->keep = d->r->out->len;
    for (uint32_t i = doc->types.v[type].start; i != NONE && d->r->err == UM_OK; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (it->kind == KIND_FORMAT)
            mark_step(d, it);
        else if ((KINDS(it->kind) & KINDS_OF_TEXT) == 0)
            continue;
        else if (!item_is_deleted(it) && was_added(d->ch, it))
            content_added(d, i);
        else if (!item_is_deleted(it))
            text_op(d, OP_RETAIN, it->len);
        else if (was_deleted(d->ch, it) && !was_added(d->ch, it))
            text_op(d, OP_DELETE, it->len);
    }
    text_op_end(d);
    if (!d->r->out->failed)
        d->r->out->len = d->keep;
}

void delta_emit(struct reader *r, const struct tx_changes *ch, uint32_t type)
{
    uint8_t kind = ch->doc->types.v[type].kind;
    struct delta d = { .r = r, .ch = ch };

    emit_text(r, "[");
    if (kind == UM_CRDT_TEXT || kind == UM_CRDT_XML_TEXT)
        text_delta(&d, type);
    else
        list_delta(&d, type);
    emit_text(r, "]");
    vec_free(&r->mem, &d.attrs);
    vec_free(&r->mem, &d.now);
    vec_free(&r->mem, &d.want);
    mem_free(&r->mem, d.by_key.v, d.by_key.cap * sizeof(*d.by_key.v));
}
