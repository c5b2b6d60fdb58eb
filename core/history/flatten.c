/* A type as a sequence of blocks, each a sequence of tokens. XML is walked with a stack of what is still to come. */
#include "inside.h"
#include <stdlib.h>
#include <string.h>

struct todo {                         /* an element or text still to be read */
    struct um_crdt_type ref;
    enum um_crdt_kind kind;
    struct um_span name;
    uint32_t around;
};
struct flatten {
    struct history *h;
    struct side *s;
    LIST(struct todo) todo;
    LIST(struct um_crdt_value) children;
    uint32_t around;
    uint32_t first_stretch, first_token;      /* of the running block */
};

/* ---- stretches ----------------------------------------------------------------------------------------- */

static struct stretch *stretch_add(struct flatten *f, const struct um_crdt_run *run)
{
    struct side *s = f->s;
    const struct stretch *last;
    struct stretch *t;

    if (!list_room(&s->stretches, 1)) {
        fail(f->h, UM_ENOMEM);
        return NULL;
    }
    last = s->stretches.n > f->first_stretch ? &s->stretches.v[s->stretches.n - 1] : NULL;
    t = &s->stretches.v[s->stretches.n];
    *t = (struct stretch){ .from = (uint32_t)s->text.len, .client = run->client, .marks = (uint32_t)s->marks.len,
                           .marks_len = (uint32_t)run->attrs.len, .fresh = is_fresh(f->h, run->client, run->clock) };
    if (last != NULL && run->attrs.len > 0 && last->marks_len == run->attrs.len &&
        memcmp(s->marks.data + last->marks, run->attrs.data, run->attrs.len) == 0)
        t->marks = last->marks;
    else
        um_buf_put(&s->marks, run->attrs.data, run->attrs.len);
    s->stretches.n++;
    return t;
}

static void text_add(struct flatten *f, const struct um_crdt_run *run, struct um_span text)
{
    struct stretch *t;

    if (text.len == 0 || (t = stretch_add(f, run)) == NULL)
        return;
    um_buf_put(&f->s->text, text.data, text.len);
    t->bytes = (uint32_t)text.len;
}

static void object_add(struct flatten *f, const struct um_crdt_run *run)
{
    struct stretch *t = stretch_add(f, run);

    if (t == NULL)
        return;
    t->object = true;
    t->name = run->value.name;
    value_json(f->h, f->s->doc, &run->value, UM_CRDT_PLAIN, &f->s->text);
    t->bytes = (uint32_t)f->s->text.len - t->from;
}

/* ---- blocks -------------------------------------------------------------------------------------------- */

static uint64_t attributes_hash(struct history *h, const struct um_crdt *doc, const struct um_crdt_type *ref)
{
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value v;
    struct um_buf b = { 0 };
    struct um_span key;
    uint64_t sum = 0;

    while (h->err == UM_OK && um_crdt_map_next(doc, ref, &walk, &key, &v)) {
        um_buf_clear(&b);
        um_buf_put(&b, key.data, key.len);
        um_buf_put_u8(&b, 0xff);
        value_json(h, doc, &v, UM_CRDT_TAGGED, &b);
        sum += hash_of(h, UM_SPAN(b.data, b.len));
    }
    um_buf_free(&b);
    return sum;
}

static uint32_t around_add(struct flatten *f, const struct todo *t)
{
    struct side *s = f->s;
    struct around a = { .parent = t->around, .ref = t->ref, .name = t->name };
    uint64_t parts[2] = { hash_of(f->h, t->name), 0 };

    if (!list_room(&s->around, 1)) {
        fail(f->h, UM_ENOMEM);
        return t->around;
    }
    if (t->around != UM_ALIGN_NONE) {
        parts[1] = s->around.v[t->around].names;
        a.depth = s->around.v[t->around].depth + 1;
    }
    a.names = hash_of(f->h, UM_SPAN(parts, sizeof(parts)));
    a.attributes = attributes_hash(f->h, s->doc, &t->ref);
    s->around.v[s->around.n] = a;
    return s->around.n++;
}

/* Everything that shows of the running block: tokens with their formats, the block's attributes and those of the
 * elements that begin with it. */
static uint64_t block_hash(struct flatten *f, struct block *b)
{
    struct history *h = f->h;
    struct side *s = f->s;
    struct um_buf all = { 0 };
    uint32_t at = b->around;
    uint64_t v = b->kind;

    um_buf_put(&all, &v, sizeof(v));
    v = b->line ? 0 : attributes_hash(h, s->doc, &b->ref);
    um_buf_put(&all, &v, sizeof(v));
    for (; at != UM_ALIGN_NONE && !s->around.v[at].used; at = s->around.v[at].parent) {
        s->around.v[at].used = true;
        b->first_in++;
        um_buf_put(&all, &s->around.v[at].attributes, sizeof(v));
    }
    for (uint32_t i = f->first_stretch; i < s->stretches.n; i++) {
        const struct stretch *t = &s->stretches.v[i], *last = i > f->first_stretch ? t - 1 : NULL;
        bool goes_on = last != NULL && !t->object && !last->object && um_span_eq(marks_of(s, last), marks_of(s, t));

        if (!goes_on) {
            um_buf_put_u8(&all, t->object ? 0xff : 0xfe);
            um_buf_put(&all, marks_of(s, t).data, t->marks_len);
            um_buf_put_u8(&all, 0xfd);
        }
        um_buf_put(&all, s->text.data + t->from, t->bytes);
    }
    if (all.failed)
        fail(h, UM_ENOMEM);
    v = hash_of(h, UM_SPAN(all.data, all.len));
    um_buf_free(&all);
    return v;
}

static void block_begin(struct flatten *f)
{
    f->first_stretch = f->s->stretches.n;
    f->first_token = f->s->tokens.n;
}

static void block_end(struct flatten *f, const struct todo *t, bool line)
{
    struct side *s = f->s;
    struct block b = { .type = line ? UM_SPAN_STR("line") : t->name, .line = line, .around = t->around, .from = f->first_token };
    uint64_t parts[2];

    if (!line)
        b.ref = t->ref;
    if (s->text.failed || s->marks.failed || !list_room(&s->blocks, 1))
        fail(f->h, UM_ENOMEM);
    if (s->text.len > UINT32_MAX / 2 || s->marks.len > UINT32_MAX / 2)
        fail(f->h, UM_ELIMIT);
    if (f->h->err != UM_OK)
        return;
    tokens_add(f->h, s, f->first_stretch);
    b.to = s->tokens.n;
    parts[0] = hash_of(f->h, b.type);
    parts[1] = t->around == UM_ALIGN_NONE ? 0 : s->around.v[t->around].names;
    b.kind = hash_of(f->h, UM_SPAN(parts, sizeof(parts)));
    b.hash = block_hash(f, &b);
    s->blocks.v[s->blocks.n++] = b;
    block_begin(f);
}

/* ---- texts --------------------------------------------------------------------------------------------- */

struct text_reading {
    struct flatten *f;
    const struct todo *t;
    bool lines;
};

static um_err run_read(void *arg, const struct um_crdt_run *run)
{
    struct text_reading *r = arg;
    struct um_span text = run->value.data;

    if (run->value.kind != UM_CRDT_V_STRING) {
        object_add(r->f, run);
        return r->f->h->err;
    }
    while (r->lines && text.len > 0) {
        const uint8_t *end = memchr(text.data, '\n', text.len);

        if (end == NULL)
            break;
        text_add(r->f, run, UM_SPAN(text.data, (size_t)(end - text.data)));
        block_end(r->f, r->t, true);
        text = UM_SPAN(end + 1, text.len - (size_t)(end + 1 - text.data));
    }
    text_add(r->f, run, text);
    return r->f->h->err;
}

/* A text outside of elements: its lines. */
static void lines_read(struct flatten *f, const struct todo *t)
{
    struct text_reading r = { f, t, true };

    block_begin(f);
    fail(f->h, um_crdt_runs(f->s->doc, &t->ref, run_read, &r));
    if (f->s->stretches.n > f->first_stretch)
        block_end(f, t, true);
}

/* ---- elements ------------------------------------------------------------------------------------------ */

static bool is_text(enum um_crdt_kind kind) { return kind == UM_CRDT_TEXT || kind == UM_CRDT_XML_TEXT; }

static um_err child_read(void *arg, const struct um_crdt_run *run)
{
    struct flatten *f = arg;

    if (!list_room(&f->children, 1))
        return UM_ENOMEM;
    f->children.v[f->children.n++] = run->value;
    return UM_OK;
}

struct inline_reading {
    struct flatten *f;
    const struct todo *t;
};

/* A child of a block: a text, or an object within it. */
static um_err inline_read(void *arg, const struct um_crdt_run *run)
{
    struct inline_reading *r = arg;
    struct text_reading text = { r->f, r->t, false };

    if (run->value.kind == UM_CRDT_V_TYPE && is_text(run->value.type))
        return um_crdt_runs(r->f->s->doc, &run->value.ref, run_read, &text);
    object_add(r->f, run);
    return r->f->h->err;
}

/* Holds text, or no elements: a block. */
static bool is_block(const struct flatten *f)
{
    bool elements = false;

    for (uint32_t i = 0; i < f->children.n; i++) {
        const struct um_crdt_value *v = &f->children.v[i];

        if (v->kind == UM_CRDT_V_TYPE && is_text(v->type))
            return true;
        elements |= v->kind == UM_CRDT_V_TYPE;
    }
    return !elements;
}

static void children_later(struct flatten *f, uint32_t around)
{
    for (uint32_t i = f->children.n; i > 0; i--) {
        const struct um_crdt_value *v = &f->children.v[i - 1];

        if (v->kind != UM_CRDT_V_TYPE)
            continue;
        if (!list_room(&f->todo, 1)) {
            fail(f->h, UM_ENOMEM);
            return;
        }
        f->todo.v[f->todo.n++] = (struct todo){ v->ref, v->type, v->name, around };
    }
}

static void element_read(struct flatten *f, const struct todo *t)
{
    struct inline_reading r = { f, t };

    f->children.n = 0;
    fail(f->h, um_crdt_runs(f->s->doc, &t->ref, child_read, f));
    if (f->h->err != UM_OK)
        return;
    if (t->kind == UM_CRDT_XML_FRAGMENT) {
        children_later(f, t->around);
    } else if (is_block(f)) {
        block_begin(f);
        fail(f->h, um_crdt_runs(f->s->doc, &t->ref, inline_read, &r));
        block_end(f, t, false);
    } else {
        children_later(f, around_add(f, t));
    }
}

void side_read(struct history *h, struct side *s, const struct um_crdt_type *ref, enum um_crdt_kind kind)
{
    struct flatten f = { .h = h, .s = s };

    if (!list_room(&f.todo, 1))
        fail(h, UM_ENOMEM);
    else
        f.todo.v[f.todo.n++] = (struct todo){ .ref = *ref, .kind = kind, .name = UM_SPAN_STR(""), .around = UM_ALIGN_NONE };
    while (f.todo.n > 0 && h->err == UM_OK) {
        struct todo t = f.todo.v[--f.todo.n];

        if (is_text(t.kind))
            lines_read(&f, &t);
        else
            element_read(&f, &t);
    }
    list_free(&f.todo);
    list_free(&f.children);
}

void side_free(struct side *s)
{
    um_buf_free(&s->text);
    um_buf_free(&s->marks);
    list_free(&s->stretches);
    list_free(&s->tokens);
    list_free(&s->around);
    list_free(&s->blocks);
}
