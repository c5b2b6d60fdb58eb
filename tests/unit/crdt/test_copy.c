/* Becoming: whatever two documents hold, the one shows what the other shows, with few edits; and who wrote what. */
#include "support.h"
#include "copy_script.h"
#include "doc.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_copy.h>
#include <umbel/crdt_undo.h>

#define AUTHOR 77

/* ---- what documents show ------------------------------------------------------------------------------- */

/* How a text is cut into operations does not count. */
static void delta_join(json_t *delta)
{
    for (size_t i = 1; i < json_array_size(delta);) {
        json_t *a = json_array_get(delta, i - 1), *b = json_array_get(delta, i);
        json_t *x = json_object_get(a, "insert"), *y = json_object_get(b, "insert"), *text;
        json_t *u = json_object_get(a, "attributes"), *v = json_object_get(b, "attributes");

        if (!json_is_string(x) || !json_is_string(y) || (u == NULL) != (v == NULL) || (u != NULL && !json_same(u, v))) {
            i++;
            continue;
        }
        text = json_sprintf("%s%s", json_string_value(x), json_string_value(y));
        json_object_set_new(a, "insert", text);
        json_array_remove(delta, i);
    }
}

static void dump_settle(json_t *j)
{
    const char *key;
    json_t *v;
    size_t i;

    if (json_is_array(j))
        json_array_foreach(j, i, v)
            dump_settle(v);
    if (!json_is_object(j))
        return;
    if (json_object_get(j, "kind") != NULL)
        json_object_del(j, "xml");        /* a tag for each run: depends on the cutting */
    if (json_is_array(json_object_get(j, "delta")))
        delta_join(json_object_get(j, "delta"));
    json_object_foreach(j, key, v)
        dump_settle(v);
}

static json_t *dump_of(const struct um_crdt *doc, struct um_span root)
{
    struct um_buf b = { 0 };
    json_t *j = NULL;
    um_err err = um_crdt_read_dump(doc, root, &b);

    if (err == UM_OK) {
        json_error_t e;

        if ((j = json_loadb((const char *)b.data, b.len, JSON_ALLOW_NUL, &e)) == NULL)
            fail_msg("%s in %.*s", e.text, (int)b.len, (const char *)b.data);
        dump_settle(j);
    }
    um_buf_free(&b);
    return j;
}

static bool root_is_same(struct tally *t, const struct um_crdt *a, const struct um_crdt *b, struct um_span name)
{
    json_t *x = dump_of(a, name), *y = dump_of(b, name);
    bool same = check(t, x != NULL && y != NULL && json_same(x, y), "%.*s shows the same", (int)name.len, (const char *)name.data);

    if (!same) {
        char *p = json_dumps(x, JSON_ENCODE_ANY | JSON_SORT_KEYS), *q = json_dumps(y, JSON_ENCODE_ANY | JSON_SORT_KEYS);

        print_error("got  %s\nwant %s\n", p, q);
        free(p);
        free(q);
    }
    json_decref(x);
    json_decref(y);
    return same;
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

/* ---- one pair ------------------------------------------------------------------------------------------ */

static struct um_crdt_applied become_now(struct um_crdt *doc, const struct um_crdt *target, um_err want)
{
    struct um_crdt_applied out;

    assert_int_equal(um_crdt_begin(doc, AUTHOR, NULL), UM_OK);
    assert_int_equal(um_crdt_become(doc, target), want);
    assert_int_equal(um_crdt_commit(doc, &out), UM_OK);
    return out;
}

static void roots_are_same(struct tally *t, const struct um_crdt *a, const struct um_crdt *b)
{
    for (int i = 0; i < SCRIPT_ROOTS; i++)
        root_is_same(t, a, b, UM_SPAN_STR(script_roots[i].name));
}

/* DOC becomes TARGET; a mirror that hears of it agrees, undo takes it back, a second time changes nothing. */
static void pair_check(struct tally *t, struct um_crdt *doc, const struct um_crdt *target)
{
    struct um_crdt *mirror = script_doc(NULL), *before = script_doc(NULL);
    struct um_crdt_undo *undo;
    struct um_crdt_applied out;
    bool done;

    script_copy(doc, mirror);
    script_copy(doc, before);
    assert_int_equal(um_crdt_undo_new(doc, NULL, &undo), UM_OK);
    out = become_now(doc, target, UM_OK);
    if (out.changed)
        assert_int_equal(um_crdt_apply(mirror, out.event, NULL), UM_OK);
    roots_are_same(t, doc, target);
    roots_are_same(t, mirror, target);
    assert_int_equal(um_crdt_undo(undo, AUTHOR, &done, &out), UM_OK);
    roots_are_same(t, doc, before);
    assert_int_equal(um_crdt_redo(undo, AUTHOR, &done, &out), UM_OK);
    roots_are_same(t, doc, target);
    check(t, !become_now(doc, target, UM_OK).changed, "a second time changes nothing");
    um_crdt_undo_free(undo);
    um_crdt_free(mirror);
    um_crdt_free(before);
}

static void fill(uint8_t *data, size_t n, uint32_t *seed)
{
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        data[i] = (uint8_t)(*seed >> 24);
    }
}

static void random_documents_become_one_another(void **state)
{
    struct tally t = { .file = "random" };
    uint8_t data[1024];

    (void)state;
    for (uint32_t k = 0; k < 300 && t.failed == 0; k++) {
        struct um_crdt *a = script_doc(NULL), *b = script_doc(NULL);
        uint32_t seed = k * 7919 + 1;
        size_t n = 16 + k % 30 * 16;

        fill(data, sizeof(data), &seed);
        script_run(a, 1, false, data, n);
        if (k % 3 > 0)                    /* a common past */
            script_copy(a, b);
        fill(data, sizeof(data), &seed);
        script_run(a, 2, false, data, n / 4);
        fill(data, sizeof(data), &seed);
        script_run(b, 3, false, data, k % 5 == 4 ? 0 : n / 2);
        pair_check(&t, a, b);
        if (t.failed > 0)
            print_error("pair %u\n", k);
        um_crdt_free(a);
        um_crdt_free(b);
    }
    assert_true(t.checked > 1000);
    assert_int_equal(t.failed, 0);
}

/* ---- the vectors --------------------------------------------------------------------------------------- */

static struct um_crdt *vector_doc(const json_t *v, size_t n, bool declare)
{
    struct um_crdt *doc = doc_new(true);
    const json_t *updates = json_object_get(v, "updates_v1");

    for (size_t i = 0; i < UM_MIN(n, json_array_size(updates)); i++) {
        struct um_buf b = b64(json_array_get(updates, i));

        assert_int_equal(um_crdt_load(doc, buf_span(&b), NULL), UM_OK);
        um_buf_free(&b);
    }
    if (declare)
        declare_roots(doc, v);
    return doc;
}

static void vector_pair(struct tally *t, const json_t *v, size_t from, size_t to)
{
    struct um_crdt *a = vector_doc(v, from, false), *b = vector_doc(v, to, false), *shown = vector_doc(v, from, false);
    struct um_crdt *want = vector_doc(v, to, true);
    struct um_crdt_applied out = become_now(a, b, UM_OK);
    const char *name;
    const json_t *kind;

    if (out.changed)
        assert_int_equal(um_crdt_apply(shown, out.event, NULL), UM_OK);
    declare_roots(shown, v);
    json_object_foreach((json_t *)json_object_get(v, "roots"), name, kind)
        root_is_same(t, shown, want, UM_SPAN_STR(name));
    check(t, !become_now(a, b, UM_OK).changed, "a second time changes nothing");
    um_crdt_free(a);
    um_crdt_free(b);
    um_crdt_free(shown);
    um_crdt_free(want);
}

static void vector_becomes(struct tally *t, const json_t *v)
{
    size_t n = json_array_size(json_object_get(v, "updates_v1"));

    vector_pair(t, v, 0, n);
    vector_pair(t, v, n, n / 3);
    vector_pair(t, v, n / 2, n);
    vector_pair(t, v, n, 0);
}

static void documents_of_yjs_go_back_and_forth_in_their_past(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, vector_becomes);
    assert_true(t.checked > 300);
    assert_int_equal(t.failed, 0);
}

/* ---- Tiptap -------------------------------------------------------------------------------------------- */

static struct um_crdt_type child_of(const struct um_crdt *doc, const struct um_crdt_type *t, uint32_t index)
{
    struct um_crdt_value v;

    assert_int_equal(um_crdt_get(doc, t, index, &v), UM_OK);
    assert_int_equal(v.kind, UM_CRDT_V_TYPE);
    return v.ref;
}

static struct um_crdt *tiptap_doc(uint32_t paragraphs)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_type root;
    char text[64];

    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("default"), UM_CRDT_XML_FRAGMENT, &root), UM_OK);
    assert_int_equal(um_crdt_begin(doc, 5, NULL), UM_OK);
    for (uint32_t i = 0; i < paragraphs; i++) {
        struct um_crdt_value inner = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_TEXT, .text = UM_SPAN(text, 0) };
        struct um_crdt_value p = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = UM_SPAN_STR("paragraph"),
                                   .items = &inner, .n_items = 1 };

        snprintf(text, sizeof(text), "Paragraph %u has a few words of its own", i);
        inner.text = UM_SPAN_STR(text);
        assert_int_equal(um_crdt_list_push(doc, &root, &p, 1), UM_OK);
    }
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    return doc;
}

static void text_replace(struct um_crdt *doc, uint32_t paragraph, uint32_t at, uint32_t n, const char *text)
{
    struct um_crdt_type root, p, t;

    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR("default"), &root), UM_OK);
    p = child_of(doc, &root, paragraph);
    t = child_of(doc, &p, 0);
    assert_int_equal(um_crdt_begin(doc, 6, NULL), UM_OK);
    assert_int_equal(um_crdt_text_delete(doc, &t, at, n), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, &t, at, UM_SPAN_STR(text), UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
}

static void one_word_that_differs_is_a_small_event(void **state)
{
    struct um_crdt *old = tiptap_doc(200), *doc = doc_new(true), *fresh = tiptap_doc(200);
    struct um_crdt_type root, before, after;
    struct um_crdt_applied out;
    struct tally t = { .file = "tiptap" };

    (void)state;
    script_copy(old, doc);
    text_replace(doc, 100, 14, 3, "carries");
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("default"), UM_CRDT_XML_FRAGMENT), UM_OK);
    assert_int_equal(um_crdt_root_find(doc, UM_SPAN_STR("default"), &root), UM_OK);
    before = child_of(doc, &root, 150);
    out = become_now(doc, old, UM_OK);
    assert_true(out.changed);
    assert_in_range(out.event.len, 1, 199);
    after = child_of(doc, &root, 150);
    assert_true(before.client == after.client && before.clock == after.clock);
    root_is_same(&t, doc, old, UM_SPAN_STR("default"));
    /* A document that another made, with the same text: nothing to do. */
    assert_false(become_now(doc, fresh, UM_OK).changed);
    assert_int_equal(t.failed, 0);
    um_crdt_free(old);
    um_crdt_free(doc);
    um_crdt_free(fresh);
}

static void changes_far_apart_leave_what_lies_between(void **state)
{
    struct um_crdt *old = tiptap_doc(200), *doc = doc_new(true);
    struct um_crdt_type root;
    struct um_crdt_applied out;
    struct um_crdt_value p = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = UM_SPAN_STR("paragraph") };
    struct tally t = { .file = "tiptap" };

    (void)state;
    script_copy(old, doc);
    text_replace(doc, 190, 14, 3, "carries");
    text_replace(doc, 190, 22, 3, "lot");
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("default"), UM_CRDT_XML_FRAGMENT, &root), UM_OK);
    assert_int_equal(um_crdt_begin(doc, 6, NULL), UM_OK);
    assert_int_equal(um_crdt_list_insert(doc, &root, 3, &p, 1), UM_OK);
    assert_int_equal(um_crdt_list_delete(doc, &root, 50, 1), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    out = become_now(doc, old, UM_OK);
    assert_in_range(out.event.len, 1, 299);
    root_is_same(&t, doc, old, UM_SPAN_STR("default"));
    assert_int_equal(t.failed, 0);
    um_crdt_free(old);
    um_crdt_free(doc);
}

/* ---- contracts ----------------------------------------------------------------------------------------- */

static void it_stands_first_in_a_transaction(void **state)
{
    struct um_crdt *doc = tiptap_doc(2), *target = tiptap_doc(3);
    struct um_crdt_type m;
    struct um_crdt_value v = { .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("1") };

    (void)state;
    assert_int_equal(um_crdt_become(doc, target), UM_ECLOSED);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP, &m), UM_OK);
    assert_int_equal(um_crdt_begin(doc, AUTHOR, NULL), UM_OK);
    assert_int_equal(um_crdt_map_set(doc, &m, UM_SPAN_STR("k"), &v), UM_OK);
    assert_int_equal(um_crdt_become(doc, target), UM_EBUSY);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_begin(doc, AUTHOR, NULL), UM_OK);
    assert_int_equal(um_crdt_become(doc, doc), UM_OK);
    assert_int_equal(um_crdt_become(doc, target), UM_OK);
    assert_int_equal(um_crdt_map_set(doc, &m, UM_SPAN_STR("back"), &v), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_map_get(doc, &m, UM_SPAN_STR("k"), &v), UM_ENOTFOUND);
    assert_int_equal(um_crdt_map_get(doc, &m, UM_SPAN_STR("back"), &v), UM_OK);
    um_crdt_free(doc);
    um_crdt_free(target);
}

static void roots_of_two_kinds_are_refused_and_nothing_changes(void **state)
{
    struct um_crdt *doc = tiptap_doc(2), *target = doc_new(true);
    struct um_crdt_type t;
    struct um_buf before = state_of(doc), after;

    (void)state;
    assert_int_equal(um_crdt_root(target, UM_SPAN_STR("another"), UM_CRDT_TEXT, &t), UM_OK);
    assert_int_equal(um_crdt_begin(target, 8, NULL), UM_OK);
    assert_int_equal(um_crdt_text_insert(target, &t, 0, UM_SPAN_STR("text"), UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_root(target, UM_SPAN_STR("default"), UM_CRDT_TEXT, &t), UM_OK);
    assert_int_equal(um_crdt_text_insert(target, &t, 0, UM_SPAN_STR("text"), UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_commit(target, NULL), UM_OK);
    assert_false(become_now(doc, target, UM_EINVAL).changed);
    after = state_of(doc);
    assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
    um_buf_free(&before);
    um_buf_free(&after);
    um_crdt_free(doc);
    um_crdt_free(target);
}

/* An allocator that fails at the n-th call. */
static size_t calls_left = SIZE_MAX;
static void *failing_realloc(void *ctx, void *p, size_t size)
{
    (void)ctx;
    if (calls_left == 0)
        return NULL;
    calls_left--;
    return realloc(p, size);
}
static void plain_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void changes_heard(void *arg, const struct um_crdt_changes *changes) { *(size_t *)arg += changes->n; }

/* With memory that ends after N calls; true when it was enough. */
static bool become_with(const struct um_crdt_conf *cf, size_t n, struct um_crdt *past, const struct um_crdt *target, struct tally *t)
{
    struct um_crdt *doc = script_doc(cf);
    struct um_crdt_applied out;
    struct um_buf before, after;
    size_t heard = 0;
    um_err err;

    script_copy(past, doc);
    um_crdt_observe(doc, changes_heard, &heard);
    before = state_of(doc);
    assert_int_equal(um_crdt_begin(doc, AUTHOR, NULL), UM_OK);
    calls_left = n;
    err = um_crdt_become(doc, target);
    calls_left = SIZE_MAX;
    assert_int_equal(um_crdt_commit(doc, &out), UM_OK);
    if (err != UM_OK) {
        assert_int_equal(err, UM_ENOMEM);
        after = state_of(doc);
        check(t, !out.changed && heard == 0 && um_span_eq(buf_span(&before), buf_span(&after)), "nothing changed after %zu", n);
        um_buf_free(&after);
        roots_are_same(t, doc, past);
        become_now(doc, target, UM_OK);
    }
    roots_are_same(t, doc, target);
    um_buf_free(&before);
    um_crdt_free(doc);
    return err == UM_OK;
}

static void memory_that_ends_takes_everything_back(void **state)
{
    struct tally t = { .file = "memory" };
    struct um_crdt_conf cf;
    uint8_t data[700];

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, plain_free, NULL };
    for (uint32_t k = 0; k < 6; k++) {
        struct um_crdt *a = script_doc(NULL), *b = script_doc(NULL);
        uint32_t seed = k + 3;

        fill(data, sizeof(data), &seed);
        script_run(a, 1, false, data, sizeof(data));
        script_copy(a, b);
        fill(data, sizeof(data), &seed);
        script_run(b, 2, false, data, sizeof(data));
        for (size_t n = 0; !become_with(&cf, n, a, b, &t) && n < 2000 && t.failed == 0; n++)
            continue;
        um_crdt_free(a);
        um_crdt_free(b);
    }
    assert_int_equal(t.failed, 0);
    assert_true(t.checked > 500);
}

/* ---- shapes -------------------------------------------------------------------------------------------- */

static void deep_add(struct um_crdt *doc, struct um_crdt_type at, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = UM_SPAN_STR("b") };

        assert_int_equal(um_crdt_list_insert(doc, &at, 0, &v, 1), UM_OK);
        at = v.ref;
    }
}

static void documents_as_deep_as_can_be_are_copied(void **state)
{
    struct um_crdt *deep = doc_new(true), *doc = doc_new(true), *shallow;
    struct um_crdt_conf cf;
    struct um_crdt_type root;

    (void)state;
    assert_int_equal(um_crdt_root(deep, UM_SPAN_STR("x"), UM_CRDT_XML_FRAGMENT, &root), UM_OK);
    assert_int_equal(um_crdt_begin(deep, 1, NULL), UM_OK);
    deep_add(deep, root, 1000);
    assert_int_equal(um_crdt_commit(deep, NULL), UM_OK);
    assert_true(become_now(doc, deep, UM_OK).changed);
    assert_false(become_now(doc, deep, UM_OK).changed);
    um_crdt_conf_init(&cf);
    cf.limits.type_depth = 999;
    assert_int_equal(um_crdt_new(&cf, &shallow), UM_OK);
    assert_false(become_now(shallow, deep, UM_ELIMIT).changed);
    assert_int_equal(shallow->n_structs, 0);
    um_crdt_free(deep);
    um_crdt_free(doc);
    um_crdt_free(shallow);
}

/* 100,000 children that all differ, and a text of as many runs: done in the time limit of the test. */
static struct um_crdt *wide_doc(uint64_t client, const char *name, uint32_t n)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_type list, text;
    struct um_buf delta = { 0 };
    char number[24];

    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("x"), UM_CRDT_XML_FRAGMENT, &list), UM_OK);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &text), UM_OK);
    assert_int_equal(um_crdt_begin(doc, client, NULL), UM_OK);
    for (uint32_t i = 0; i < n; i++) {
        struct um_crdt_entry id = { UM_SPAN_STR("id"), { .kind = UM_CRDT_V_JSON, .data = UM_SPAN(number, 0) } };
        struct um_crdt_value v = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = UM_SPAN_STR(name),
                                   .entries = &id, .n_entries = 1 };

        snprintf(number, sizeof(number), "%llu", (unsigned long long)(client * n + i));
        id.value.data = UM_SPAN_STR(number);
        assert_int_equal(um_crdt_list_push(doc, &list, &v, 1), UM_OK);
        um_buf_printf(&delta, "%c{\"insert\":\"%x \"%s}", i > 0 ? ',' : '[', (unsigned)client * n + i,
                      i % 2 > 0 ? ",\"attributes\":{\"b\":true}" : "");
    }
    um_buf_puts(&delta, "]");
    assert_int_equal(um_crdt_text_apply_delta(doc, &text, buf_span(&delta)), UM_OK);
    um_buf_free(&delta);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    return doc;
}

static void wide_documents_become_one_another(void **state)
{
    struct um_crdt *a = wide_doc(1, "p", 100000), *b = wide_doc(2, "p", 100000), *c = wide_doc(3, "q", 50000);

    (void)state;
    assert_true(become_now(a, b, UM_OK).changed);
    assert_true(become_now(a, c, UM_OK).changed);
    assert_false(become_now(a, c, UM_OK).changed);
    um_crdt_free(a);
    um_crdt_free(b);
    um_crdt_free(c);
}

/* ---- who wrote what ------------------------------------------------------------------------------------ */

static um_err run_print(void *arg, const struct um_crdt_run *run)
{
    struct um_buf *out = arg;

    um_buf_printf(out, "%llu:%u+%u", (unsigned long long)run->client, run->clock, run->units);
    if (run->value.kind == UM_CRDT_V_STRING || run->value.kind == UM_CRDT_V_JSON)
        um_buf_printf(out, " %.*s", (int)run->value.data.len, (const char *)run->value.data.data);
    if (run->attrs.data != NULL)
        um_buf_printf(out, " %.*s", (int)run->attrs.len, (const char *)run->attrs.data);
    um_buf_puts(out, "; ");
    return UM_OK;
}

static um_err run_refuse(void *arg, const struct um_crdt_run *run)
{
    (void)run;
    ++*(int *)arg;
    return UM_EBUSY;
}

static void the_writer_of_each_stretch_is_told(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_type text, map, list;
    struct um_crdt_value v = { .kind = UM_CRDT_V_JSON, .data = UM_SPAN_STR("1") }, two[2] = { v, v };
    struct um_buf out = { 0 };
    uint64_t client;
    uint32_t clock;
    int calls = 0;

    (void)state;
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &text), UM_OK);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP, &map), UM_OK);
    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("a"), UM_CRDT_ARRAY, &list), UM_OK);
    assert_int_equal(um_crdt_begin(doc, 1, NULL), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, &text, 0, UM_SPAN_STR("abcd"), UM_SPAN(NULL, 0)), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_begin(doc, 2, NULL), UM_OK);
    assert_int_equal(um_crdt_text_insert(doc, &text, 2, UM_SPAN_STR("X"), UM_SPAN_STR("{\"z\":1,\"b\":true}")), UM_OK);
    assert_int_equal(um_crdt_map_set(doc, &map, UM_SPAN_STR("k"), &v), UM_OK);
    assert_int_equal(um_crdt_list_push(doc, &list, two, 2), UM_OK);
    assert_int_equal(um_crdt_commit(doc, NULL), UM_OK);
    assert_int_equal(um_crdt_runs(doc, &text, run_print, &out), UM_OK);
    assert_string_equal(um_buf_cstr(&out), "1:0+2 ab; 2:2+1 X {\"b\":true,\"z\":1}; 1:2+2 cd; ");
    um_buf_clear(&out);
    assert_int_equal(um_crdt_runs(doc, &list, run_print, &out), UM_OK);
    assert_string_equal(um_buf_cstr(&out), "2:6+1; 2:7+1; ");
    assert_int_equal(um_crdt_map_writer(doc, &map, UM_SPAN_STR("k"), &client, &clock), UM_OK);
    assert_true(client == 2 && clock == 5);
    assert_int_equal(um_crdt_map_writer(doc, &map, UM_SPAN_STR("none"), &client, &clock), UM_ENOTFOUND);
    assert_int_equal(um_crdt_runs(doc, &text, run_refuse, &calls), UM_EBUSY);
    assert_int_equal(calls, 1);
    um_buf_free(&out);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_documents_become_one_another),
        cmocka_unit_test(documents_of_yjs_go_back_and_forth_in_their_past),
        cmocka_unit_test(one_word_that_differs_is_a_small_event),
        cmocka_unit_test(changes_far_apart_leave_what_lies_between),
        cmocka_unit_test(it_stands_first_in_a_transaction),
        cmocka_unit_test(roots_of_two_kinds_are_refused_and_nothing_changes),
        cmocka_unit_test(memory_that_ends_takes_everything_back),
        cmocka_unit_test(documents_as_deep_as_can_be_are_copied),
        cmocka_unit_test(wide_documents_become_one_another),
        cmocka_unit_test(the_writer_of_each_stretch_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
