/* What an S3 store answers is read with limits, and nothing of it is carried out. */
#include <um_test.h>
#include <s3_int.h>
#include <stdio.h>

struct seen { char text[1024]; int left; };

static bool note(void *arg, const char *path, const char *text)
{
    struct seen *s = arg;
    size_t n = strlen(s->text);

    snprintf(s->text + n, sizeof(s->text) - n, "%s=%s;", path, text);
    return s->left-- > 0;
}

static um_err read_text(const char *xml, struct seen *s)
{
    *s = (struct seen){ .left = 100 };
    return s3_xml_read(UM_SPAN_STR(xml), note, s);
}

static void elements_come_in_order_with_their_path_and_text(void **state)
{
    struct seen s;

    (void)state;
    assert_int_equal(read_text("<?xml version='1.0'?><a xmlns='x'>\n<b>1 &lt; &#252;</b><c/><b><![CDATA[<2>]]></b></a>", &s), UM_OK);
    assert_string_equal(s.text, "/a/b=1 < \xc3\xbc;/a/c=;/a/b=<2>;/a=;");
}

static void what_is_not_whole_is_refused(void **state)
{
    static const char *const bad[] = { "", " ", "text", "<a>", "<a></b>", "<a/><b/>", "<a>&b;</a>", "<a>\x01</a>", "<a>\xff</a>" };
    struct seen s;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_int_equal(read_text(bad[i], &s), UM_EPROTO);
}

static void a_document_type_is_refused_before_any_entity_grows(void **state)
{
    struct seen s;

    (void)state;
    assert_int_equal(read_text("<!DOCTYPE a [<!ENTITY b 'bbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;</a>", &s), UM_EPROTO);
    assert_int_equal(read_text("<!DOCTYPE a SYSTEM 'file:///etc/passwd'><a/>", &s), UM_EPROTO);
    assert_string_equal(s.text, "");
}

static void depth_names_and_texts_have_limits(void **state)
{
    static char xml[20000];
    struct seen s;
    int n;

    (void)state;
    assert_int_equal(read_text("<a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a>", &s), UM_OK);
    assert_int_equal(read_text("<a><a><a><a><a><a><a><a><a/></a></a></a></a></a></a></a></a>", &s), UM_EPROTO);
    n = snprintf(xml, sizeof(xml), "<a>%08192d</a>", 0);
    assert_int_equal(s3_xml_read(UM_SPAN(xml, (size_t)n), note, &s), UM_OK);
    n = snprintf(xml, sizeof(xml), "<a>%08193d</a>", 0);
    assert_int_equal(s3_xml_read(UM_SPAN(xml, (size_t)n), note, &s), UM_EPROTO);
    n = snprintf(xml, sizeof(xml), "<a%0600d/>", 0);
    assert_int_equal(s3_xml_read(UM_SPAN(xml, (size_t)n), note, &s), UM_EPROTO);
}

static void the_reader_may_end_it(void **state)
{
    struct seen s = { .left = 1 };

    (void)state;
    assert_int_equal(s3_xml_read(UM_SPAN_STR("<a><b/><c/><d/></a>"), note, &s), UM_EPROTO);
    assert_string_equal(s.text, "/a/b=;/a/c=;");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_come_in_order_with_their_path_and_text),
        cmocka_unit_test(what_is_not_whole_is_refused),
        cmocka_unit_test(a_document_type_is_refused_before_any_entity_grows),
        cmocka_unit_test(depth_names_and_texts_have_limits),
        cmocka_unit_test(the_reader_may_end_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
