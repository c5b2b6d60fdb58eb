/* Maps, arrays, attributes: what changed, by path. Types that both sides have are entered, from a list of what is
 * still to be compared; texts and XML on both sides are compared as blocks. */
#include "inside.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_inspect.h>

#define NESTING_MAX 16u               /* blocks in attributes of blocks, and so on */

struct work {
    bool has_old, has_new, list;
    struct um_crdt_type old, new;
    json_t *path;
    uint32_t depth;
};
struct values {
    struct history *h;
    json_t *array;
    LIST(struct work) work;
};
struct element {
    struct um_crdt_value value;
    uint64_t hash, client;
    uint32_t clock;
};
typedef LIST(struct element) element_list;

/* One value that may have changed; either side may be missing. */
struct change {
    const struct work *at;
    const struct um_crdt_value *old, *new;
    uint64_t client;                  /* who wrote NEW, at which clock */
    uint32_t clock;
    json_t *path;
};

/* ---- values as JSON ------------------------------------------------------------------------------------ */

static void seen_text(struct history *h, enum um_crdt_seen_kind kind, struct um_span body, enum um_crdt_form form, struct um_buf *out)
{
    struct um_crdt_seen seen = { .kind = kind, .len = 1, .body = body };
    size_t from = out->len;

    fail(h, um_crdt_seen_content(&seen, form, out));
    if (kind == UM_CRDT_SEEN_ANY && h->err == UM_OK) {     /* an array of one */
        memmove(out->data + from, out->data + from + 1, out->len - from - 2);
        out->len -= 2;
    }
}

void value_json(struct history *h, const struct um_crdt *doc, const struct um_crdt_value *v, enum um_crdt_form form,
                struct um_buf *out)
{
    switch (v->kind) {
    case UM_CRDT_V_STRING:
        seen_text(h, UM_CRDT_SEEN_STRING, v->data, form, out);
        return;
    case UM_CRDT_V_JSON:
        seen_text(h, UM_CRDT_SEEN_EMBED, v->data, form, out);
        return;
    case UM_CRDT_V_ANY:
        seen_text(h, UM_CRDT_SEEN_ANY, v->data, form, out);
        return;
    case UM_CRDT_V_BYTES:
        seen_text(h, UM_CRDT_SEEN_BINARY, v->data, form, out);
        return;
    case UM_CRDT_V_DOC:
        um_buf_puts(out, "{\"guid\":");
        seen_text(h, UM_CRDT_SEEN_STRING, v->data, form, out);
        um_buf_puts(out, "}");
        return;
    case UM_CRDT_V_TYPE:
        fail(h, um_crdt_type_json(doc, &v->ref, form, out));
    }
}

static void value_put(struct history *h, json_t *o, const char *key, const char *bytes_key, const struct um_crdt *doc,
                      const struct um_crdt_value *v)
{
    struct um_buf b = { 0 };

    if (v == NULL)
        return;
    value_json(h, doc, v, UM_CRDT_PLAIN, &b);
    if (b.failed)
        fail(h, UM_ENOMEM);
    if (b.len > HISTORY_VALUE_BYTES || h->json_shown + b.len > HISTORY_JSON_BYTES) {
        put_json(h, o, bytes_key, json_integer((json_int_t)b.len));
    } else if (h->err == UM_OK) {
        h->json_shown += b.len;
        put_json(h, o, key, um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN_STR("undefined")) ? json_null() : parse_json(UM_SPAN(b.data, b.len)));
    }
    um_buf_free(&b);
}

static bool values_same(struct history *h, const struct um_crdt_value *a, const struct um_crdt_value *b)
{
    struct um_buf x = { 0 }, y = { 0 };
    bool same;

    value_json(h, h->old, a, UM_CRDT_TAGGED, &x);
    value_json(h, h->new, b, UM_CRDT_TAGGED, &y);
    same = (a->kind == UM_CRDT_V_TYPE) == (b->kind == UM_CRDT_V_TYPE) && um_span_eq(UM_SPAN(x.data, x.len), UM_SPAN(y.data, y.len));
    if (x.failed || y.failed)
        fail(h, UM_ENOMEM);
    um_buf_free(&x);
    um_buf_free(&y);
    return same;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

/* A new entry; NULL: counted, not shown. INSIDE: its writers stand in its blocks. */
static json_t *entry_add(struct values *v, const struct change *c, bool inside)
{
    struct history *h = v->h;
    enum status status = c->old == NULL ? ADDED : c->new == NULL ? REMOVED : CHANGED;
    struct user *u = c->new != NULL && !inside && is_fresh(h, c->client, c->clock) ? user_of(h, c->client) : NULL;
    json_t *o;

    h->totals.values++;
    if (u != NULL)
        u->values++;
    if (h->values_shown >= HISTORY_VALUES_SHOWN) {
        h->truncated = true;
        return NULL;
    }
    h->values_shown++;
    if (!push_json(h, v->array, o = json_object()))
        return NULL;
    put_json(h, o, "path", json_incref(c->path));
    put_json(h, o, "status", json_string(status_names[status]));
    if (c->new != NULL && !inside)
        put_by(h, o, c->client);
    return o;
}

static void entry_tell(struct values *v, const struct change *c)
{
    json_t *o = entry_add(v, c, false);

    if (o == NULL)
        return;
    value_put(v->h, o, "old", "oldBytes", v->h->old, c->old);
    value_put(v->h, o, "new", "newBytes", v->h->new, c->new);
}

/* Texts, XML: as blocks. */
static void blocks_tell(struct values *v, const struct change *c)
{
    json_t *into = json_object(), *o;

    v->h->nesting++;
    if (blocks_compare(v->h, &c->old->ref, c->old->type, &c->new->ref, c->new->type, into) && (o = entry_add(v, c, true)) != NULL)
        put_json(v->h, o, "blocks", json_incref(json_object_get(into, "blocks")));
    v->h->nesting--;
    json_decref(into);
}

static bool has_blocks(enum um_crdt_kind kind)
{
    return kind == UM_CRDT_TEXT || kind == UM_CRDT_XML_TEXT || kind == UM_CRDT_XML_FRAGMENT || kind == UM_CRDT_XML_ELEMENT;
}

static void change_tell(struct values *v, const struct change *c)
{
    const struct um_crdt_value *a = c->old, *b = c->new;
    bool types = a != NULL && b != NULL && a->kind == UM_CRDT_V_TYPE && b->kind == UM_CRDT_V_TYPE;

    if (types && has_blocks(a->type) && has_blocks(b->type) && v->h->nesting < NESTING_MAX) {
        blocks_tell(v, c);
    } else if (types && a->type == b->type && !has_blocks(a->type) && c->at->depth < HISTORY_DEPTH) {
        if (!list_room(&v->work, 1))
            fail(v->h, UM_ENOMEM);
        else
            v->work.v[v->work.n++] = (struct work){ true, true, a->type == UM_CRDT_ARRAY, a->ref, b->ref,
                                                    json_incref(c->path), c->at->depth + 1 };
    } else if (a == NULL || b == NULL || !values_same(v->h, a, b)) {
        entry_tell(v, c);
    }
}

/* Takes over STEP. */
static json_t *path_make(struct history *h, const json_t *path, json_t *step)
{
    json_t *copy = path != NULL ? json_copy((json_t *)path) : json_array();

    push_json(h, copy, step);
    return copy;
}

/* ---- entries ------------------------------------------------------------------------------------------- */

static void key_tell(struct values *v, const struct work *w, struct um_span key, const struct um_crdt_value *a,
                     const struct um_crdt_value *b)
{
    struct change c = { .at = w, .old = a, .new = b, .path = path_make(v->h, w->path, text_json(key)) };

    if (b != NULL)
        fail(v->h, um_crdt_map_writer(v->h->new, &w->new, key, &c.client, &c.clock));
    if (v->h->err == UM_OK)
        change_tell(v, &c);
    json_decref(c.path);
}

static void map_compare(struct values *v, const struct work *w)
{
    struct history *h = v->h;
    struct um_crdt_walk walk = { 0 };
    struct um_crdt_value a, b;
    struct um_span key;

    while (w->has_old && h->err == UM_OK && um_crdt_map_next(h->old, &w->old, &walk, &key, &a)) {
        bool there = w->has_new && um_crdt_map_get(h->new, &w->new, key, &b) == UM_OK;

        key_tell(v, w, key, &a, there ? &b : NULL);
    }
    walk = (struct um_crdt_walk){ 0 };
    while (w->has_new && h->err == UM_OK && um_crdt_map_next(h->new, &w->new, &walk, &key, &b))
        if (!w->has_old || um_crdt_map_get(h->old, &w->old, key, &a) != UM_OK)
            key_tell(v, w, key, NULL, &b);
}

/* ---- elements ------------------------------------------------------------------------------------------ */

struct elements_reading {
    struct history *h;
    const struct um_crdt *doc;
    element_list *out;
};

static um_err element_read(void *arg, const struct um_crdt_run *run)
{
    struct elements_reading *r = arg;
    struct element e = { .value = run->value, .client = run->client, .clock = run->clock };
    struct um_buf b = { 0 };

    value_json(r->h, r->doc, &run->value, UM_CRDT_TAGGED, &b);
    um_buf_put_u8(&b, run->value.kind == UM_CRDT_V_TYPE);
    e.hash = hash_of(r->h, UM_SPAN(b.data, b.len));
    if (b.failed || !list_room(r->out, 1))
        fail(r->h, UM_ENOMEM);
    else
        r->out->v[r->out->n++] = e;
    um_buf_free(&b);
    return r->h->err;
}

/* What stands for an element: its content; or KINDS: a type's kind, and nothing that others have for plain values. */
static uint64_t element_mark(const struct element *e, bool kinds, uint32_t other)
{
    if (!kinds)
        return e->hash;
    return e->value.kind == UM_CRDT_V_TYPE ? UINT64_MAX - e->value.type : other;
}

/* Aligns A[from..from+n) and B[begin..begin+m); MATCH is that of the whole. */
static void elements_align(struct history *h, const element_list *a, uint32_t from, uint32_t n, const element_list *b,
                           uint32_t begin, uint32_t m, bool kinds, uint32_t *match)
{
    struct um_align al = { .max_edits = HISTORY_BLOCK_EDITS, .steps = h->steps };
    uint64_t *x = malloc(((size_t)n + 1) * sizeof(*x)), *y = malloc(((size_t)m + 1) * sizeof(*y));

    for (uint32_t i = 0; x != NULL && i < n; i++)
        x[i] = element_mark(&a->v[from + i], kinds, i * 2);
    for (uint32_t i = 0; y != NULL && i < m; i++)
        y[i] = element_mark(&b->v[begin + i], kinds, i * 2 + 1);
    fail(h, x == NULL || y == NULL ? UM_ENOMEM : um_align(&al, x, n, y, m, match + from));
    h->steps = al.steps;
    free(x);
    free(y);
    for (uint32_t i = 0; i < n && h->err == UM_OK; i++)
        if (match[from + i] != UM_ALIGN_NONE)
            match[from + i] += begin;
}

/* Equal elements; between them types of one kind, which are entered. */
static void partners_find(struct history *h, const element_list *a, const element_list *b, uint32_t *match)
{
    elements_align(h, a, 0, a->n, b, 0, b->n, false, match);
    for (uint32_t i = 0, j = 0; i < a->n && h->err == UM_OK;) {
        uint32_t to = i, end;

        while (to < a->n && match[to] == UM_ALIGN_NONE)
            to++;
        end = to < a->n ? match[to] : b->n;
        if (to > i && end > j)
            elements_align(h, a, i, to - i, b, j, end - j, true, match);
        i = to + 1;
        j = end + 1;
    }
}

static void element_tell(struct values *v, const struct work *w, const struct element *a, const struct element *b, uint32_t index)
{
    struct change c = { .at = w, .old = a != NULL ? &a->value : NULL, .new = b != NULL ? &b->value : NULL,
                        .path = path_make(v->h, w->path, json_integer(index)) };

    if (b != NULL) {
        c.client = b->client;
        c.clock = b->clock;
    }
    if (v->h->err == UM_OK)
        change_tell(v, &c);
    json_decref(c.path);
}

/* Up to the next partners, or the ends: one after the other. */
static void gap_tell(struct values *v, const struct work *w, const element_list *a, uint32_t i, uint32_t to,
                     const element_list *b, uint32_t j, uint32_t end)
{
    for (; (i < to || j < end) && v->h->err == UM_OK; i += i < to, j += j < end)
        element_tell(v, w, i < to ? &a->v[i] : NULL, j < end ? &b->v[j] : NULL, j < end ? j : i);
}

static void elements_tell(struct values *v, const struct work *w, const element_list *a, const element_list *b, const uint32_t *match)
{
    for (uint32_t i = 0, j = 0; v->h->err == UM_OK; i++, j++) {
        uint32_t to = i, end;

        while (to < a->n && match[to] == UM_ALIGN_NONE)
            to++;
        end = to < a->n ? match[to] : b->n;
        gap_tell(v, w, a, i, to, b, j, end);
        if (to == a->n)
            return;
        if (a->v[to].hash != b->v[end].hash)
            element_tell(v, w, &a->v[to], &b->v[end], end);
        i = to;
        j = end;
    }
}

static void list_compare(struct values *v, const struct work *w)
{
    struct history *h = v->h;
    element_list a = { 0 }, b = { 0 };
    struct elements_reading old = { h, h->old, &a }, new = { h, h->new, &b };
    uint32_t *match;

    if (w->has_old)
        fail(h, um_crdt_runs(h->old, &w->old, element_read, &old));
    if (w->has_new && h->err == UM_OK)
        fail(h, um_crdt_runs(h->new, &w->new, element_read, &new));
    if ((match = malloc(((size_t)a.n + 1) * sizeof(*match))) == NULL)
        fail(h, UM_ENOMEM);
    if (h->err == UM_OK)
        partners_find(h, &a, &b, match);
    if (h->err == UM_OK)
        elements_tell(v, w, &a, &b, match);
    free(match);
    list_free(&a);
    list_free(&b);
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static void compare(struct history *h, const struct um_crdt_type *old, const struct um_crdt_type *new, bool list,
                    const json_t *prefix, json_t *array)
{
    struct values v = { .h = h, .array = array };
    struct work first = { .has_old = old != NULL, .has_new = new != NULL, .list = list };

    if (old != NULL)
        first.old = *old;
    if (new != NULL)
        first.new = *new;
    first.path = prefix != NULL ? json_copy((json_t *)prefix) : json_array();
    if (!list_room(&v.work, 1)) {
        fail(h, UM_ENOMEM);
        json_decref(first.path);
    } else {
        v.work.v[v.work.n++] = first;
    }
    for (uint32_t i = 0; i < v.work.n; i++) {
        struct work w = v.work.v[i];

        if (h->err == UM_OK && w.list)
            list_compare(&v, &w);
        else if (h->err == UM_OK)
            map_compare(&v, &w);
        json_decref(w.path);
    }
    list_free(&v.work);
}

void entries_compare(struct history *h, const struct um_crdt_type *old, const struct um_crdt_type *new,
                     const json_t *prefix, json_t *array)
{
    compare(h, old, new, false, prefix, array);
}

void values_compare(struct history *h, const struct um_crdt_type *old, const struct um_crdt_type *new, bool list,
                    json_t *array)
{
    compare(h, old, new, list, NULL, array);
}
