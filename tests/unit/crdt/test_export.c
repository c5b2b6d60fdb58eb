/* Tiptap documents as HTML, Markdown and plain text: the expected outputs of tests/vectors/own/export.json, balance
 * and escaping of whatever the Yjs vectors hold, and what must not come through. */
#include "support.h"
#include "html_check.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_export.h>

typedef um_err read_fn(const struct um_crdt *doc, struct um_span root, struct um_buf *out);

static const struct {
    const char *name;
    read_fn *read;
} views[] = {
    { "html", um_crdt_read_html }, { "markdown", um_crdt_read_markdown }, { "plain", um_crdt_read_plain }
};

static json_t *cases_load(void)
{
    json_error_t err;
    json_t *j = json_load_file(UM_TEST_VECTORS "/own/export.json", JSON_ALLOW_NUL, &err);

    if (j == NULL)
        fail_msg("export.json: %s", err.text);
    return j;
}

static struct um_crdt *case_open(const json_t *c, struct um_span *root)
{
    struct um_crdt *doc = doc_new(true);
    struct um_buf b = b64(json_object_get(c, "update"));

    *root = UM_SPAN_STR(json_string_value(json_object_get(c, "root")));
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, *root, kind_of(json_string_value(json_object_get(c, "kind")))), UM_OK);
    um_buf_free(&b);
    return doc;
}

static void documents_read_as_an_editor_would_write_them(void **state)
{
    json_t *cases = cases_load(), *c;
    struct tally t = { 0 };
    size_t i;

    (void)state;
    json_array_foreach(cases, i, c) {
        struct um_span root;
        struct um_crdt *doc = case_open(c, &root);

        t.file = json_string_value(json_object_get(c, "name"));
        for (size_t k = 0; k < UM_COUNT(views); k++) {
            const json_t *want = json_object_get(c, views[k].name);
            struct um_span text = UM_SPAN(json_string_value(want), json_string_length(want));
            struct um_buf got = { 0 };

            assert_int_equal(views[k].read(doc, root, &got), UM_OK);
            check_bytes(&t, buf_span(&got), text, "%s", views[k].name);
            um_buf_free(&got);
        }
        um_crdt_free(doc);
    }
    json_decref(cases);
    assert_true(t.checked > 60);
    assert_int_equal(t.failed, 0);
}

static void vector_is_well_formed(struct tally *t, const json_t *v)
{
    struct um_crdt *doc = doc_new(true);
    const json_t *update, *kind;
    const char *name;
    size_t i;

    json_array_foreach(json_object_get(v, "updates_v1"), i, update) {
        struct um_buf b = b64(update);

        assert_int_equal(um_crdt_load(doc, buf_span(&b), NULL), UM_OK);
        um_buf_free(&b);
    }
    json_object_foreach((json_t *)json_object_get(v, "roots"), name, kind) {
        enum um_crdt_kind k = kind_of(json_string_value(kind));
        bool reads = k == UM_CRDT_TEXT || k >= UM_CRDT_XML_ELEMENT;

        assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR(name), k), UM_OK);
        for (size_t n = 0; n < UM_COUNT(views); n++) {
            struct um_buf out = { 0 };

            check(t, views[n].read(doc, UM_SPAN_STR(name), &out) == (reads ? UM_OK : UM_EINVAL), "%s %s", name, views[n].name);
            check(t, um_utf8_is_valid(out.data, out.len), "%s %s is UTF-8", name, views[n].name);
            check(t, n > 0 || html_is_balanced(buf_span(&out)), "%s is balanced", name);
            um_buf_free(&out);
        }
    }
    um_crdt_free(doc);
}

static void whatever_a_document_holds_the_html_is_balanced(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, vector_is_well_formed);
}

static void no_script_comes_through(void **state)
{
    static const char *const bad[] = { "<script", "javascript:", "JavaScript:", "vbscript:", "data:text", "onload=\"", "svg+xml", "url(" };
    json_t *cases = cases_load(), *c;
    size_t i;

    (void)state;
    json_array_foreach(cases, i, c) {
        struct um_span root;
        struct um_crdt *doc = case_open(c, &root);
        struct um_buf html = { 0 };

        assert_int_equal(um_crdt_read_html(doc, root, &html), UM_OK);
        for (size_t k = 0; k < UM_COUNT(bad); k++)
            assert_null(strstr(um_buf_cstr(&html), bad[k]));
        um_buf_free(&html);
        um_crdt_free(doc);
    }
    json_decref(cases);
}

/* An allocator that fails at the n-th call. */
static size_t calls_left;
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

static void memory_that_ends_is_an_error_and_nothing_leaks(void **state)
{
    json_t *cases = cases_load();
    const json_t *c = json_array_get(cases, 8);
    struct um_buf b = b64(json_object_get(c, "update"));
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    struct um_span root = UM_SPAN_STR("default");
    um_err err = UM_ENOMEM;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, plain_free, NULL };
    calls_left = SIZE_MAX;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, root, UM_CRDT_XML_FRAGMENT), UM_OK);
    for (size_t n = 0; err == UM_ENOMEM && n < 100; n++) {
        struct um_buf out = { 0 };

        calls_left = n;
        err = um_crdt_read_html(doc, root, &out);
        um_buf_free(&out);
    }
    assert_int_equal(err, UM_OK);
    um_crdt_free(doc);
    um_buf_free(&b);
    json_decref(cases);
}

static void roots_that_are_no_documents_are_refused(void **state)
{
    struct um_crdt *doc = doc_new(true);
    struct um_buf out = { 0 };

    (void)state;
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("m"), UM_CRDT_MAP), UM_OK);
    for (size_t k = 0; k < UM_COUNT(views); k++) {
        assert_int_equal(views[k].read(doc, UM_SPAN_STR("m"), &out), UM_EINVAL);
        assert_int_equal(views[k].read(doc, UM_SPAN_STR("nobody"), &out), UM_ENOTFOUND);
    }
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("x"), UM_CRDT_XML_FRAGMENT), UM_OK);
    for (size_t k = 0; k < UM_COUNT(views); k++)
        assert_int_equal(views[k].read(doc, UM_SPAN_STR("x"), &out), UM_OK);
    assert_int_equal(out.len, 0);
    um_buf_free(&out);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_read_as_an_editor_would_write_them),
        cmocka_unit_test(whatever_a_document_holds_the_html_is_balanced),
        cmocka_unit_test(no_script_comes_through),
        cmocka_unit_test(memory_that_ends_is_an_error_and_nothing_leaks),
        cmocka_unit_test(roots_that_are_no_documents_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
