/* Edit vectors: each operation must emit the very update that yjs did. */
#include "doc.h"
#include "support.h"
#include "value.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_types.h>
#include <umbel/crdt_v2.h>

struct session {
    struct tally *t;
    struct um_crdt *doc;
    const json_t *roots;
    bool trees;                       /* types bring their content along, else they are filled */
};

static struct um_span str(const json_t *v) { return UM_SPAN(json_string_value(v), json_string_length(v)); }
static const json_t *get(const json_t *o, const char *key) { return json_object_get(o, key); }
static uint32_t number(const json_t *v) { return (uint32_t)json_integer_value(v); }

/* ---- values -------------------------------------------------------------------------------------------- */

static const char *tag_of(const json_t *v) { return json_string_value(get(v, "$")); }
static bool is_new(const json_t *v) { return tag_of(v) != NULL && strcmp(tag_of(v), "new") == 0; }

static void put_any(struct um_buf *out, const json_t *v);

static void put_tagged(struct um_buf *out, const json_t *v)
{
    const char *tag = tag_of(v), *text = json_string_value(get(v, "v"));

    if (strcmp(tag, "undefined") == 0) {
        um_buf_put_u8(out, ANY_UNDEFINED);
    } else if (strcmp(tag, "bigint") == 0) {
        uint64_t n = (uint64_t)strtoll(text, NULL, 10);

        um_buf_put_u8(out, ANY_BIGINT);
        for (int i = 56; i >= 0; i -= 8)
            um_buf_put_u8(out, (uint8_t)(n >> i));
    } else if (strcmp(tag, "number") == 0) {
        any_put_number(out, strtod(text, NULL));
    } else {
        struct um_buf bytes = b64(get(v, "v"));

        um_buf_put_u8(out, ANY_BYTES);
        buf_put_string(out, buf_span(&bytes));
        um_buf_free(&bytes);
    }
}

static void put_object(struct um_buf *out, const json_t *v)
{
    const char *key;
    json_t *member;

    um_buf_put_u8(out, ANY_OBJECT);
    buf_put_uint(out, json_object_size(v));
    json_object_foreach((json_t *)v, key, member) {
        buf_put_string(out, UM_SPAN_STR(key));
        put_any(out, member);
    }
}

static void put_any(struct um_buf *out, const json_t *v)
{
    json_t *element;
    size_t i;

    if (tag_of(v) != NULL) {
        put_tagged(out, v);
    } else if (json_is_object(v)) {
        put_object(out, v);
    } else if (json_is_array(v)) {
        um_buf_put_u8(out, ANY_ARRAY);
        buf_put_uint(out, json_array_size(v));
        json_array_foreach((json_t *)v, i, element)
            put_any(out, element);
    } else if (json_is_string(v)) {
        any_put_string(out, str(v));
    } else if (json_is_number(v)) {
        any_put_number(out, json_number_value(v));
    } else {
        um_buf_put_u8(out, json_is_null(v) ? ANY_NULL : json_is_true(v) ? ANY_TRUE : ANY_FALSE);
    }
}

static bool has_tags(const json_t *v)
{
    const char *key;
    json_t *member;
    size_t i;

    if (tag_of(v) != NULL)
        return true;
    json_array_foreach((json_t *)v, i, member)
        if (has_tags(member))
            return true;
    json_object_foreach((json_t *)v, key, member)
        if (has_tags(member))
            return true;
    return false;
}

/* JSON where it can say the value, so that both ways are tried. KEEP holds the bytes. */
static struct um_crdt_value value_of(const json_t *v, struct um_buf *keep)
{
    struct um_crdt_value out = { .kind = UM_CRDT_V_ANY };
    const json_t *kind = get(v, "kind");

    if (is_new(v) && strcmp(json_string_value(kind), "Doc") == 0) {
        if (get(v, "opts") != NULL)
            put_any(keep, get(v, "opts"));
        return (struct um_crdt_value){ .kind = UM_CRDT_V_DOC, .data = str(get(v, "guid")), .options = buf_span(keep) };
    }
    if (is_new(v))
        return (struct um_crdt_value){ .kind = UM_CRDT_V_TYPE, .type = kind_of(json_string_value(kind)),
                                       .name = str(get(v, "name")) };
    if (has_tags(v)) {
        put_any(keep, v);
    } else {
        char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17));

        um_buf_puts(keep, text);
        free(text);
        out.kind = UM_CRDT_V_JSON;
    }
    out.data = buf_span(keep);
    return out;
}

static struct um_span json_of(const json_t *v, struct um_buf *keep)
{
    char *text;

    if (v == NULL)
        return UM_SPAN(NULL, 0);
    text = json_dumps(v, JSON_COMPACT | JSON_REAL_PRECISION(17));
    um_buf_puts(keep, text);
    free(text);
    return buf_span(keep);
}

/* ---- types with content -------------------------------------------------------------------------------- */

static um_err type_fill(struct session *s, const struct um_crdt_type *type, const json_t *v);

static um_err one_set(struct session *s, const struct um_crdt_type *type, struct um_span key, const json_t *v)
{
    struct um_buf keep = { 0 };
    struct um_crdt_value value = value_of(v, &keep);
    um_err err = um_crdt_map_set(s->doc, type, key, &value);

    if (err == UM_OK && value.kind == UM_CRDT_V_TYPE)
        err = type_fill(s, &value.ref, v);
    um_buf_free(&keep);
    return err;
}

static um_err all_set(struct session *s, const struct um_crdt_type *type, const json_t *entries)
{
    json_t *entry;
    size_t i;
    um_err err = UM_OK;

    json_array_foreach((json_t *)entries, i, entry)
        if (err == UM_OK)
            err = one_set(s, type, str(json_array_get(entry, 0)), json_array_get(entry, 1));
    return err;
}

/* Neighbours that are no types go in together. PUSH: INDEX says nothing. */
static um_err elements_insert(struct session *s, const struct um_crdt_type *type, uint32_t index, const json_t *values,
                              bool push)
{
    size_t n = json_array_size(values);
    struct um_crdt_value *v = calloc(n + 1, sizeof(*v));
    struct um_buf *keep = calloc(n + 1, sizeof(*keep));
    um_err err = UM_OK;

    for (size_t from = 0, to; from < n && err == UM_OK; from = to) {
        for (to = from; to < n && (to == from || (v[from].kind != UM_CRDT_V_TYPE && !is_new(json_array_get(values, to)))); to++)
            v[to] = value_of(json_array_get(values, to), &keep[to]);
        err = push ? um_crdt_list_push(s->doc, type, v + from, to - from)
                   : um_crdt_list_insert(s->doc, type, index + (uint32_t)from, v + from, to - from);
        if (err == UM_OK && v[from].kind == UM_CRDT_V_TYPE)
            err = type_fill(s, &v[from].ref, json_array_get(values, from));
    }
    for (size_t i = 0; i < n; i++)
        um_buf_free(&keep[i]);
    free(keep);
    free(v);
    return err;
}

static um_err type_fill(struct session *s, const struct um_crdt_type *type, const json_t *v)
{
    const json_t *text = get(v, "text");
    um_err err = UM_OK;

    if (text != NULL)
        err = um_crdt_text_insert(s->doc, type, 0, str(text), UM_SPAN(NULL, 0));
    if (err == UM_OK)
        err = elements_insert(s, type, 0, get(v, "items") != NULL ? get(v, "items") : get(v, "children"), false);
    if (err == UM_OK)
        err = all_set(s, type, get(v, "entries") != NULL ? get(v, "entries") : get(v, "attrs"));
    return err;
}

/* ---- whole trees --------------------------------------------------------------------------------------- */

#define KEPT_MAX 64
struct kept {                         /* what a tree of values borrows */
    struct um_buf bufs[KEPT_MAX];
    void *blocks[KEPT_MAX];
    size_t n_bufs, n_blocks;
};

static void kept_free(struct kept *k)
{
    for (size_t i = 0; i < k->n_bufs; i++)
        um_buf_free(&k->bufs[i]);
    for (size_t i = 0; i < k->n_blocks; i++)
        free(k->blocks[i]);
}

static void *kept_alloc(struct kept *k, size_t n, size_t size)
{
    assert_true(k->n_blocks < KEPT_MAX);
    return k->blocks[k->n_blocks++] = calloc(n, size);
}

/* V with all that it brings along. */
static void tree_of(const json_t *v, struct um_crdt_value *out, struct kept *keep)
{
    const json_t *items = get(v, "items") != NULL ? get(v, "items") : get(v, "children");
    const json_t *entries = get(v, "entries") != NULL ? get(v, "entries") : get(v, "attrs");

    assert_true(keep->n_bufs < KEPT_MAX);
    *out = value_of(v, &keep->bufs[keep->n_bufs++]);
    if (out->kind != UM_CRDT_V_TYPE)
        return;
    if (get(v, "text") != NULL)
        out->text = str(get(v, "text"));
    out->n_items = json_array_size(items);
    out->n_entries = json_array_size(entries);
    if (out->n_items > 0)
        out->items = kept_alloc(keep, out->n_items, sizeof(*out->items));
    if (out->n_entries > 0)
        out->entries = kept_alloc(keep, out->n_entries, sizeof(*out->entries));
    for (size_t i = 0; i < out->n_items; i++)
        tree_of(json_array_get(items, i), &out->items[i], keep);
    for (size_t i = 0; i < out->n_entries; i++) {
        out->entries[i].key = str(json_array_get(json_array_get(entries, i), 0));
        tree_of(json_array_get(json_array_get(entries, i), 1), &out->entries[i].value, keep);
    }
}

/* ---- paths --------------------------------------------------------------------------------------------- */

/* The unit of TEXT at which operation K of its delta begins: strings between marks are one operation. */
static uint32_t delta_unit(const struct um_crdt *doc, const struct um_crdt_type *text, uint32_t k)
{
    uint32_t holder = type_find(doc, text);
    uint32_t units = 0;
    bool run = false;

    for (uint32_t i = doc->types.v[holder].start; i != NONE; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (item_is_deleted(it))
            continue;
        if (it->kind == KIND_FORMAT) {
            run = false;
            continue;
        }
        if (!(run && it->kind == KIND_STRING) && k-- == 0)
            return units;
        run = it->kind == KIND_STRING;
        units += it->len;
    }
    return UINT32_MAX;
}

static um_err path_step(struct session *s, struct um_crdt_type *type, const json_t *step)
{
    struct um_crdt_value v = { 0 };
    enum um_crdt_kind kind;
    um_err err = um_crdt_type_kind(s->doc, type, &kind);

    if (err != UM_OK)
        return err;
    if (json_is_string(step))
        err = um_crdt_map_get(s->doc, type, str(step), &v);
    else if (kind == UM_CRDT_TEXT || kind == UM_CRDT_XML_TEXT)
        err = um_crdt_get(s->doc, type, delta_unit(s->doc, type, number(step)), &v);
    else
        err = um_crdt_get(s->doc, type, number(step), &v);
    if (err == UM_OK && v.kind != UM_CRDT_V_TYPE)
        err = UM_EINVAL;
    *type = v.ref;
    return err;
}

static um_err path_find(struct session *s, const json_t *path, struct um_crdt_type *type)
{
    const char *root = json_string_value(json_array_get(path, 0));
    um_err err = um_crdt_root(s->doc, UM_SPAN_STR(root), kind_of(json_string_value(get(s->roots, root))), type);

    for (size_t i = 1; i < json_array_size(path) && err == UM_OK; i++)
        err = path_step(s, type, json_array_get(path, i));
    return err;
}

/* ---- operations ---------------------------------------------------------------------------------------- */

typedef um_err op_fn(struct session *s, const struct um_crdt_type *type, const json_t *op);

static um_err op_text_insert(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    struct um_buf attrs = { 0 };
    um_err err = um_crdt_text_insert(s->doc, type, number(get(op, "index")), str(get(op, "text")),
                                     json_of(get(op, "attrs"), &attrs));

    um_buf_free(&attrs);
    return err;
}

static um_err op_text_delete(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    return um_crdt_text_delete(s->doc, type, number(get(op, "index")), number(get(op, "length")));
}

static um_err op_text_format(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    struct um_buf attrs = { 0 };
    um_err err = um_crdt_text_format(s->doc, type, number(get(op, "index")), number(get(op, "length")),
                                     json_of(get(op, "attrs"), &attrs));

    um_buf_free(&attrs);
    return err;
}

static um_err op_text_embed(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    struct um_buf attrs = { 0 };
    struct um_crdt_value value;
    struct kept keep = { 0 };
    um_err err;

    tree_of(get(op, "embed"), &value, &keep);
    err = um_crdt_text_embed(s->doc, type, number(get(op, "index")), &value, json_of(get(op, "attrs"), &attrs));
    um_buf_free(&attrs);
    kept_free(&keep);
    return err;
}

static um_err op_text_delta(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    struct um_buf delta = { 0 };
    um_err err = um_crdt_text_apply_delta(s->doc, type, json_of(get(op, "delta"), &delta));

    um_buf_free(&delta);
    return err;
}

/* All values at once. */
static um_err trees_insert(struct session *s, const struct um_crdt_type *type, const json_t *op, bool push)
{
    const json_t *values = get(op, "values");
    struct um_crdt_value v[16];
    struct kept keep = { 0 };
    size_t n = json_array_size(values);
    um_err err;

    assert_true(n <= UM_COUNT(v));
    for (size_t i = 0; i < n; i++)
        tree_of(json_array_get(values, i), &v[i], &keep);
    err = push ? um_crdt_list_push(s->doc, type, v, n) : um_crdt_list_insert(s->doc, type, number(get(op, "index")), v, n);
    kept_free(&keep);
    return err;
}

static um_err op_list_insert(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    if (s->trees)
        return trees_insert(s, type, op, false);
    return elements_insert(s, type, number(get(op, "index")), get(op, "values"), false);
}

static um_err op_list_push(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    if (s->trees)
        return trees_insert(s, type, op, true);
    return elements_insert(s, type, 0, get(op, "values"), true);
}

static um_err op_list_delete(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    return um_crdt_list_delete(s->doc, type, number(get(op, "index")), number(get(op, "length")));
}

static um_err op_map_set(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    struct um_crdt_value value;
    struct kept keep = { 0 };
    um_err err;

    if (!s->trees)
        return one_set(s, type, str(get(op, "key")), get(op, "value"));
    tree_of(get(op, "value"), &value, &keep);
    err = um_crdt_map_set(s->doc, type, str(get(op, "key")), &value);
    kept_free(&keep);
    return err;
}

static um_err op_map_delete(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    return um_crdt_map_delete(s->doc, type, str(get(op, "key")));
}

static um_err op_map_clear(struct session *s, const struct um_crdt_type *type, const json_t *op)
{
    (void)op;
    return um_crdt_map_clear(s->doc, type);
}

static const struct op_name {
    const char *name;
    op_fn *fn;
} ops[] = {
    { "text.insert", op_text_insert }, { "text.delete", op_text_delete }, { "text.format", op_text_format },
    { "text.embed", op_text_embed },   { "text.delta", op_text_delta },   { "list.insert", op_list_insert },
    { "list.push", op_list_push },     { "list.delete", op_list_delete }, { "map.set", op_map_set },
    { "map.delete", op_map_delete },   { "map.clear", op_map_clear },     { "attr.set", op_map_set },
    { "attr.remove", op_map_delete },
};

static void op_run(struct session *s, const json_t *op, size_t number_of)
{
    const char *name = json_string_value(get(op, "op"));
    struct um_crdt_type type;
    um_err err = UM_ENOTFOUND;
    json_t *part;
    size_t i;

    if (strcmp(name, "transact") == 0) {
        json_array_foreach(get(op, "ops"), i, part)
            op_run(s, part, number_of);
        return;
    }
    for (i = 0; i < UM_COUNT(ops); i++)
        if (strcmp(ops[i].name, name) == 0 && (err = path_find(s, get(op, "at"), &type)) == UM_OK)
            err = ops[i].fn(s, &type, op);
    check(s->t, err == UM_OK, "operation %zu: %s: %s", number_of, name, um_err_text(err));
}

/* ---- vectors ------------------------------------------------------------------------------------------- */

static void base_apply(struct um_crdt *doc, const json_t *updates)
{
    json_t *u;
    size_t i;

    json_array_foreach((json_t *)updates, i, u) {
        struct um_buf b = b64(u);

        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
        um_buf_free(&b);
    }
}

static void check_op(struct session *s, uint64_t client, const json_t *op, size_t i)
{
    const json_t *updates = get(op, "updates_v1");
    struct um_crdt_applied out;

    assert_int_equal(um_crdt_begin(s->doc, client, NULL), UM_OK);
    op_run(s, op, i);
    assert_int_equal(um_crdt_commit(s->doc, &out), UM_OK);
    if (check(s->t, (size_t)out.changed == json_array_size(updates), "operation %zu: event or none", i) && out.changed) {
        struct um_buf want = b64(json_array_get(updates, 0));

        check_bytes(s->t, out.event, buf_span(&want), "operation %zu: %s", i, json_string_value(get(op, "op")));
        um_buf_free(&want);
    }
}

static void check_end(struct session *s, const json_t *vector)
{
    struct um_buf got = { 0 }, want = b64(get(vector, "state_v1")), want_v2 = b64(get(vector, "state_v2"));
    const char *name;
    json_t *dump;

    check(s->t, um_crdt_encode(s->doc, UM_SPAN(NULL, 0), &got) == UM_OK, "state");
    check_bytes(s->t, buf_span(&got), buf_span(&want), "state");
    um_buf_clear(&got);
    check(s->t, um_crdt_encode_v2(s->doc, UM_SPAN(NULL, 0), &got) == UM_OK, "state, v2");
    check_bytes(s->t, buf_span(&got), buf_span(&want_v2), "state, v2");
    um_buf_clear(&got);
    json_object_foreach(json_object_get(vector, "content"), name, dump)
        check_json(s->t, um_crdt_read_dump(s->doc, UM_SPAN_STR(name), &got), &got, dump, "content");
    um_buf_free(&got);
    um_buf_free(&want);
    um_buf_free(&want_v2);
}

static void edits_replay(struct tally *t, const json_t *vector, bool trees)
{
    struct session s = { t, NULL, get(vector, "roots"), trees };
    json_t *op;
    size_t i;

    s.doc = doc_new(true);
    declare_roots(s.doc, vector);
    base_apply(s.doc, get(vector, "base_v1"));
    json_array_foreach(get(vector, "ops"), i, op)
        check_op(&s, (uint64_t)json_integer_value(get(vector, "client")), op, i);
    check_end(&s, vector);
    um_crdt_free(s.doc);
}

static void edits_of(struct tally *t, const json_t *vector)
{
    if (get(vector, "ops") == NULL)
        return;
    edits_replay(t, vector, false);
    edits_replay(t, vector, true);
}

static void edits_make_the_updates_of_yjs(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, edits_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(edits_make_the_updates_of_yjs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
