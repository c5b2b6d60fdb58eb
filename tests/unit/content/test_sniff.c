/* What a file is: the bytes decide, the client helps. */
#include "internal.h"
#include "um_test.h"

#define H(bytes) bytes, sizeof(bytes) - 1

static void bytes_decide_where_they_can(void **state)
{
    static const struct { const char *head; size_t len; const char *type, *want; } rows[] = {
        { H("%PDF-1.7\n"), "application/pdf", "application/pdf" },
        { H("%PDF-1.7\n"), "image/png", "application/pdf" },
        { H("%PDF-1.7\n"), NULL, "application/pdf" },
        { H("\x89PNG\r\n\x1a\n\0\0"), "text/html", "image/png" },
        { H("PK\3\4\0\0"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
          "application/vnd.openxmlformats-officedocument.wordprocessingml.document" },
        { H("PK\3\4\0\0"), "text/html", "application/zip" },
        { H("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0"), "application/msword", "application/msword" },
        { H("MZ\x90\0\3\0"), "image/png", "application/octet-stream" },
        { H("RIFF\0\0\0\0WEBPVP8 "), "", "image/webp" },
        { H("BMW is no picture"), "text/plain", "text/plain" },
        { H("BM\0\0\0\0"), NULL, "image/bmp" },
        { H("hello"), NULL, "text/plain" },
        { H("hello"), "application/pdf", "text/plain" },
        { H("a,b\n1,2\n"), "text/csv", "text/csv" },
        { H("{}"), "application/json; charset=utf-8", "application/json" },
        { H("<p>"), "TEXT/HTML", "text/html" },
        { H("a\0b"), NULL, "application/octet-stream" },
        { H("a\0b"), "application/x-own", "application/x-own" },
        { H("caf\xe9"), "application/octet-stream", "application/octet-stream" },
        { H(""), NULL, "application/octet-stream" },
        { H(""), "text/plain", "text/plain" },
        { H("hello"), "no type", "text/plain" },
        { H("hello"), "a/b\r\nX: y", "text/plain" },
        { H("hello"), "/", "text/plain" },
        { H("hello"), "text/", "text/plain" },
        { H("hello"), "a/b/c", "text/plain" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        char out[UM_CONTENT_FORMAT_MAX + 1];

        content_sniff(UM_SPAN(rows[i].head, rows[i].len), rows[i].type, out);
        if (strcmp(out, rows[i].want) != 0)
            fail_msg("%zu: \"%s\" as %s is %s", i, rows[i].head, rows[i].type, out);
    }
}

static void a_type_has_a_limit(void **state)
{
    char type[400] = "text/", out[UM_CONTENT_FORMAT_MAX + 1];

    (void)state;
    memset(type + 5, 'x', UM_CONTENT_FORMAT_MAX - 5);
    content_sniff(UM_SPAN("hello", 5), type, out);
    assert_string_equal(out, type);
    strcat(type, "x");
    content_sniff(UM_SPAN("hello", 5), type, out);
    assert_string_equal(out, "text/plain");
}

static void a_character_may_be_cut_at_the_end_of_the_head(void **state)
{
    uint8_t head[CONTENT_HEAD];
    char out[UM_CONTENT_FORMAT_MAX + 1];

    (void)state;
    memset(head, 'a', sizeof(head));
    head[sizeof(head) - 1] = 0xc3;
    content_sniff(UM_SPAN(head, sizeof(head)), NULL, out);
    assert_string_equal(out, "text/plain");
    content_sniff(UM_SPAN(head + 1, sizeof(head) - 1), NULL, out);
    assert_string_equal(out, "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_decide_where_they_can),
        cmocka_unit_test(a_type_has_a_limit),
        cmocka_unit_test(a_character_may_be_cut_at_the_end_of_the_head),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
