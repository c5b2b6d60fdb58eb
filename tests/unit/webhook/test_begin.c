/* What a webhook answers to `create` becomes a document, which reads as it was written; what is of no use is refused. */
#include "um_test.h"
#include <stdio.h>
#include <umbel/crdt_export.h>
#include "internal.h"

/* TEXT as a document, and that as JSON again; NULL: refused with *ERR. The caller frees. */
static char *through(const char *text, um_err *err)
{
    struct um_bytes *state;
    struct um_buf json = { 0 };
    struct um_crdt *doc;
    char *back;

    *err = begin_state(UM_SPAN_STR(text), &state);
    if (state == NULL)
        return NULL;
    assert_int_equal(um_crdt_new(NULL, &doc), UM_OK);
    assert_int_equal(um_crdt_load(doc, um_bytes_span(state), NULL), UM_OK);
    assert_int_equal(um_crdt_read_prosemirror(doc, &json), UM_OK);
    back = um_xstrndup((const char *)json.data, json.len);
    um_buf_free(&json);
    um_crdt_free(doc);
    um_bytes_unref(state);
    return back;
}

static void a_document_reads_as_it_was_written(void **state)
{
    static const char *const texts[] = {
        "{\"default\":{\"type\":\"doc\",\"content\":[{\"type\":\"paragraph\",\"content\":[{\"type\":\"text\",\"text\":\"seed\"}]}]}}",
        "{\"a\":{\"type\":\"doc\",\"content\":[{\"type\":\"heading\",\"attrs\":{\"level\":2,\"on\":true,\"of\":{\"x\":[1,0.5,null]}},\"content\":["
        "{\"type\":\"text\",\"text\":\"A \xe2\x80\x9cone\xe2\x80\x9d \"},{\"type\":\"text\",\"text\":\"bold\",\"marks\":[{\"type\":\"bold\",\"attrs\":{}},"
        "{\"type\":\"link\",\"attrs\":{\"href\":\"https://example.org/\"}}]},{\"type\":\"hardBreak\"},{\"type\":\"text\",\"text\":\"end\"}]},"
        "{\"type\":\"horizontalRule\"}]},\"b\":{\"type\":\"doc\",\"content\":[{\"type\":\"paragraph\"}]}}",
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        um_err err;
        char *back = through(texts[i], &err);

        assert_non_null(back);
        assert_string_equal(back, texts[i]);
        free(back);
    }
}

static void an_answer_without_fields_leaves_the_document_empty(void **state)
{
    um_err err;

    (void)state;
    assert_null(through("{}", &err));
    assert_int_equal(err, UM_OK);
}

static void what_is_no_document_is_refused_whole(void **state)
{
    static const char *const texts[] = {
        "", "[]", "\"x\"", "{\"default\":", "{\"default\":3}", "{\"default\":{\"content\":[{}]}}", "{\"default\":{\"content\":[3]}}",
        "{\"default\":{\"content\":[{\"type\":\"p\"},{\"type\":7}]}}", "{\"a\":{\"content\":[]},\"a\":{\"content\":[]}}",
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        um_err err;

        assert_null(through(texts[i], &err));
        assert_int_equal(err, UM_EPROTO);
    }
}

static void nesting_has_a_limit(void **state)
{
    struct um_buf b = { 0 };
    um_err err;

    (void)state;
    um_buf_puts(&b, "{\"default\":{\"content\":[");
    for (int i = 0; i <= UM_WEBHOOK_DEPTH_MAX; i++)
        um_buf_puts(&b, "{\"type\":\"p\",\"content\":[");
    um_buf_puts(&b, "{\"type\":\"p\"}");
    for (int i = 0; i <= UM_WEBHOOK_DEPTH_MAX; i++)
        um_buf_puts(&b, "]}");
    um_buf_puts(&b, "]}}");
    assert_null(through(um_buf_cstr(&b), &err));
    assert_int_equal(err, UM_ELIMIT);
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_reads_as_it_was_written),
        cmocka_unit_test(an_answer_without_fields_leaves_the_document_empty),
        cmocka_unit_test(what_is_no_document_is_refused_whole),
        cmocka_unit_test(nesting_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
