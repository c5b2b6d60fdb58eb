/* Quill deltas: several operations on a text in one walk. All of it is read, looked up and reserved before the first
 * operation changes anything. */
#include "edit.h"
#include "value.h"

/* ---- reading ------------------------------------------------------------------------------------------- */

/* One operation's members as `any` values; len 0: absent. */
struct members {
    struct um_span insert, retain, del, attributes;
};

static struct um_span any_part(struct rd *r)
{
    const uint8_t *from = r->p;

    rd_any(r, UINT32_MAX, false);
    return UM_SPAN(from, (size_t)(r->p - from));
}

static um_err members_read(struct rd *r, struct members *m)
{
    *m = (struct members){ 0 };
    if (rd_u8(r) != ANY_OBJECT)
        return UM_EINVAL;
    for (uint64_t n = rd_uint(r); n > 0; n--) {
        struct um_span key = rd_bytes(r), value = any_part(r);

        if (um_span_eq(key, UM_SPAN_STR("insert")))
            m->insert = value;
        else if (um_span_eq(key, UM_SPAN_STR("retain")))
            m->retain = value;
        else if (um_span_eq(key, UM_SPAN_STR("delete")))
            m->del = value;
        else if (um_span_eq(key, UM_SPAN_STR("attributes")))
            m->attributes = value;
    }
    return UM_OK;
}

static um_err count_read(struct um_span any, uint32_t *out)
{
    struct rd r = rd_make(any);
    uint8_t tag = rd_u8(&r);
    double v;

    if (tag < ANY_FLOAT64 || tag > ANY_INT)
        return UM_EINVAL;
    v = any_number(&r, tag);
    if (!(v >= 0) || v > UINT32_MAX || v > (double)(uint32_t)v || v < (double)(uint32_t)v)
        return UM_EINVAL;
    *out = (uint32_t)v;
    return UM_OK;
}

/* What is inserted: a string, or any other value but null as an embed. */
static um_err insert_read(struct um_crdt *doc, struct um_span any, struct fresh *f)
{
    struct edit *e = doc->edit;
    um_err err = UM_OK;

    *f = (struct fresh){ .kind = KIND_EMBED, .len = 1, .from = e->text.len, .holder = NONE };
    if (any.data[0] == ANY_NULL)
        return UM_EINVAL;
    if (any.data[0] == ANY_STRING) {
        struct rd r = rd_make(UM_SPAN(any.data + 1, any.len - 1));
        struct um_span text = rd_bytes(&r);

        f->kind = KIND_STRING;
        f->len = (uint32_t)utf16_len(text);
        um_buf_put(&e->text, text.data, text.len);
    } else {
        err = text_put_json(doc, any);
    }
    f->to = e->text.len;
    return err == UM_OK && e->text.failed ? UM_ENOMEM : err;
}

static um_err op_read(struct um_crdt *doc, struct rd *r, struct delta_op *op)
{
    struct members m;
    um_err err;

    *op = (struct delta_op){ .kind = DELTA_INSERT };
    if ((err = members_read(r, &m)) != UM_OK)
        return err;
    if (m.insert.len > 0) {
        err = insert_read(doc, m.insert, &op->content);
    } else {
        op->kind = m.retain.len > 0 ? DELTA_RETAIN : DELTA_DELETE;
        err = m.retain.len + m.del.len == 0 ? UM_EINVAL : count_read(m.retain.len > 0 ? m.retain : m.del, &op->n);
    }
    if (err == UM_OK && m.attributes.len > 0 && m.attributes.data[0] != ANY_NULL)
        err = attributes_convert(doc, m.attributes, &op->from, &op->to);
    return err;
}

static um_err ops_read(struct um_crdt *doc, struct um_span delta)
{
    struct edit *e = doc->edit;
    struct um_buf any = { 0 };
    um_err err = json_to_any(delta, doc->limits.value_depth, &any);
    struct rd r = rd_make(UM_SPAN(any.data, any.len));
    uint64_t n = 0;

    if (err == UM_OK && any.failed)
        err = UM_ENOMEM;
    if (err == UM_OK && rd_u8(&r) != ANY_ARRAY)
        err = UM_EINVAL;
    if (err == UM_OK) {
        n = rd_uint(&r);
        if (!vec_room(&doc->mem, &e->ops, n))
            err = UM_ENOMEM;
    }
    for (; n > 0 && err == UM_OK; n--)
        err = op_read(doc, &r, &e->ops.v[e->ops.n++]);
    um_buf_free(&any);
    return err;
}

/* ---- preparing ----------------------------------------------------------------------------------------- */

static bool wants_marks(const struct edit *e)
{
    for (uint32_t i = 0; i < e->ops.n; i++)
        if (e->ops.v[i].to > e->ops.v[i].from)
            return true;
    return false;
}

/* Walks the text as the operations will. What they pass is what is there now: insertions stand behind them. */
static um_err ops_survey(struct text *t, struct need *need)
{
    struct edit *e = t->doc->edit;
    struct survey s = { .item = t->right };
    um_err err = UM_OK;

    for (uint32_t i = 0; i < e->ops.n && err == UM_OK; i++) {
        const struct delta_op *op = &e->ops.v[i];
        uint32_t rest = op->n;

        if ((err = attributes_intern(t->doc, op->from, op->to)) != UM_OK || op->kind == DELTA_INSERT)
            continue;
        if ((err = survey_pass(t, &s, &rest, op->kind == DELTA_RETAIN ? UNITS_FORMATTED : UNITS_DELETED)) == UM_OK)
            err = survey_gap(t, &s);
        if (op->kind == DELTA_RETAIN && rest > 0) {
            need->items++;
            need->units += rest;
            need->content += rest;
        }
        if (need->content > t->doc->limits.update_bytes)
            err = UM_ELIMIT;
    }
    return err;
}

/* Marks can be counted when all attributes are known. */
static um_err ops_need(struct text *t, struct need *need)
{
    struct edit *e = t->doc->edit;

    for (uint32_t i = 0; i < e->ops.n; i++) {
        const struct delta_op *op = &e->ops.v[i];

        if (op->kind == DELTA_INSERT)
            need_add(need, &op->content);
        if (t->marked && op->kind != DELTA_DELETE)
            need_marks(t->doc, need, op->from, op->to, op->kind == DELTA_INSERT);
        if (need->content > t->doc->limits.update_bytes)
            return UM_ELIMIT;
    }
    return UM_OK;
}

/* ---- changing ------------------------------------------------------------------------------------------ */

static void op_run(struct text *t, struct delta_op *op)
{
    switch (op->kind) {
    case DELTA_INSERT:
        if (op->content.len > 0) {
            text_want(t, op->from, op->to);
            text_want_others_off(t);
            text_put(t, &op->content, t->doc->edit->fresh.n);
        }
        return;
    case DELTA_RETAIN:
        text_want(t, op->from, op->to);
        text_format(t, op->n);
        return;
    case DELTA_DELETE:
        text_delete(t, op->n);
    }
}

um_err delta_run(struct um_crdt *doc, uint32_t type)
{
    struct edit *e = doc->edit;
    struct need need = { 0 };
    struct text t = { .doc = doc, .type = type, .left = NONE, .right = doc->types.v[type].start };
    um_err err;

    marks_clear(doc);
    t.marked = doc->types.v[type].marks || wants_marks(e);
    if ((err = ops_survey(&t, &need)) != UM_OK || (err = ops_need(&t, &need)) != UM_OK ||
        (err = marks_ready(doc)) != UM_OK || (err = edit_reserve(doc, &need)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < e->ops.n; i++)
        op_run(&t, &e->ops.v[i]);
    return UM_OK;
}

static um_err delta_apply(struct um_crdt *doc, uint32_t type, struct um_span delta)
{
    um_err err = ops_read(doc, delta);

    return err == UM_OK ? delta_run(doc, type) : err;
}

um_err um_crdt_text_apply_delta(struct um_crdt *doc, const struct um_crdt_type *type, struct um_span delta)
{
    uint32_t t;
    um_err err;

    if ((err = edit_start(doc, type, TYPES_TEXT, &t)) == UM_OK)
        err = delta_apply(doc, t, delta);
    return edit_end(doc, err);
}
