/* What a download says of itself. */
#include <umbel/http_file.h>
#include "um_test.h"

static void a_range_is_what_rfc_9110_says(void **state)
{
    static const struct { const char *header; int64_t size; enum um_http_ranged is; int64_t first, length; } rows[] = {
        { NULL, 10, UM_HTTP_WHOLE, 0, 10 },              { "bytes=0-0", 10, UM_HTTP_RANGE, 0, 1 },
        { "bytes=0-9", 10, UM_HTTP_RANGE, 0, 10 },       { "bytes=2-5", 10, UM_HTTP_RANGE, 2, 4 },
        { "Bytes= 2-5 ", 10, UM_HTTP_RANGE, 2, 4 },      { "bytes=5-", 10, UM_HTTP_RANGE, 5, 5 },
        { "bytes=9-", 10, UM_HTTP_RANGE, 9, 1 },         { "bytes=10-", 10, UM_HTTP_NO_RANGE, 0, 10 },
        { "bytes=9-100", 10, UM_HTTP_RANGE, 9, 1 },      { "bytes=-3", 10, UM_HTTP_RANGE, 7, 3 },
        { "bytes=-100", 10, UM_HTTP_RANGE, 0, 10 },      { "bytes=-0", 10, UM_HTTP_NO_RANGE, 0, 10 },
        { "bytes=0-", 0, UM_HTTP_NO_RANGE, 0, 0 },       { "bytes=-1", 0, UM_HTTP_NO_RANGE, 0, 0 },
        { "bytes=0-99999999999999999999", 10, UM_HTTP_RANGE, 0, 10 },
        { "bytes=99999999999999999999-", 10, UM_HTTP_NO_RANGE, 0, 10 },
        { "bytes=-99999999999999999999", 10, UM_HTTP_RANGE, 0, 10 },
        { "bytes=5-4", 10, UM_HTTP_WHOLE, 0, 10 },       { "bytes=0-1,4-5", 10, UM_HTTP_WHOLE, 0, 10 },
        { "bytes=", 10, UM_HTTP_WHOLE, 0, 10 },          { "bytes=-", 10, UM_HTTP_WHOLE, 0, 10 },
        { "bytes=a-b", 10, UM_HTTP_WHOLE, 0, 10 },       { "lines=0-1", 10, UM_HTTP_WHOLE, 0, 10 },
        { "bytes=1", 10, UM_HTTP_WHOLE, 0, 10 },         { "bytes=1-2x", 10, UM_HTTP_WHOLE, 0, 10 },
        { "bytes=--1", 10, UM_HTTP_WHOLE, 0, 10 },       { "bytes=+1-2", 10, UM_HTTP_WHOLE, 0, 10 },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        int64_t first = -1, length = -1;
        enum um_http_ranged is = um_http_range(rows[i].header, rows[i].size, &first, &length);

        if (is != rows[i].is || first != rows[i].first || length != rows[i].length)
            fail_msg("%s: %d %ld %ld", rows[i].header, (int)is, (long)first, (long)length);
    }
}

static void a_name_cannot_end_its_quotes(void **state)
{
    static const struct { const char *name, *want; } rows[] = {
        { "a.txt", "inline; filename=\"a.txt\"; filename*=UTF-8''a.txt" },
        { "\xc3\xbc \xe6\x96\x87.txt", "inline; filename=\"_ _.txt\"; filename*=UTF-8''%C3%BC%20%E6%96%87.txt" },
        { "a\"; x=\"b\\%41/", "inline; filename=\"a_; x=_b__41_\"; filename*=UTF-8''a%22%3B%20x%3D%22b%5C%2541%2F" },
        { "a\r\nX: y", "inline; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf b = { 0 };

        um_http_put_disposition(&b, "inline", rows[i].name);
        assert_string_equal(um_buf_cstr(&b), rows[i].want);
        um_buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_is_what_rfc_9110_says),
        cmocka_unit_test(a_name_cannot_end_its_quotes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
