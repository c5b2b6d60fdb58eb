/* The bytes of a frame, without a connection. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <umbel/util.h>
#include <umbel/ws.h>
#include "frame.h"

static int judge(const char *hex)
{
    struct um_buf b = { 0 };
    struct ws_header h;
    int n;

    assert_true(um_hex_decode(&b, UM_SPAN_STR(hex)));
    n = ws_header_read(&h, b.data, b.len, true);
    um_buf_free(&b);
    return n;
}

static void a_header_is_read_when_it_is_whole(void **state)
{
    (void)state;
    assert_int_equal(judge("81"), 0);
    assert_int_equal(judge("8180aabbcc"), 0);
    assert_int_equal(judge("8180aabbccdd"), 6);
    assert_int_equal(judge("82fe007eaabbccdd"), 8);
    assert_int_equal(judge("82ff0000000000010000aabbccdd"), 14);
    assert_int_equal(judge("82ff0000000000010000aabbcc"), 0);
}

static void what_breaks_a_rule_is_refused_at_its_first_byte(void **state)
{
    static const char *const wrong[] = {
        "c1", "a1", "91",                     /* reserved bits */
        "83", "84", "85", "86", "87",         /* reserved opcodes */
        "8b", "8c", "8d", "8e", "8f",
        "08", "09", "0a",                     /* fragmented control frames */
        "8100", "817e", "8900",               /* not masked */
        "89fe", "88ff",                       /* long control frames */
        "82fe007d", "82ff000000000000ffff",   /* not the shortest form */
        "82ff80",                             /* top bit of the length */
    };
    (void)state;
    for (size_t i = 0; i < UM_COUNT(wrong); i++)
        assert_int_equal(judge(wrong[i]), -1);
}

static void unmasking_gives_the_same_in_any_pieces(void **state)
{
    uint8_t whole[67], pieces[67], plain[67];
    uint32_t mask, m;

    (void)state;
    memcpy(&mask, "\x01\x80\xff\x5a", 4);
    for (size_t i = 0; i < sizeof(plain); i++) {
        plain[i] = (uint8_t)(i * 7);
        whole[i] = pieces[i] = plain[i] ^ ((const uint8_t *)"\x01\x80\xff\x5a")[i % 4];
    }
    ws_unmask(whole, sizeof(whole), mask);
    assert_memory_equal(whole, plain, sizeof(plain));
    for (size_t a = 0; a <= sizeof(plain); a++) {
        uint8_t copy[67];

        memcpy(copy, pieces, sizeof(copy));
        m = ws_unmask(copy, a, mask);
        ws_unmask(copy + a, sizeof(copy) - a, m);
        assert_memory_equal(copy, plain, sizeof(plain));
    }
}

static void frames_take_the_shortest_length_form(void **state)
{
    static const struct { size_t len; size_t header; } rows[] = {
        { 0, 2 }, { 125, 2 }, { 126, 4 }, { 65535, 4 }, { 65536, 10 }, { 100000, 10 },
    };
    static uint8_t data[100000];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_bytes *b = um_ws_frame(UM_WS_BINARY, UM_SPAN(data, rows[i].len));
        uint8_t header[10];

        assert_int_equal(b->len, rows[i].len + rows[i].header);
        assert_int_equal(um_ws_frame_header(header, UM_WS_BINARY, rows[i].len), rows[i].header);
        assert_memory_equal(b->data, header, rows[i].header);
        assert_int_equal(b->data[0], 0x82);
        um_bytes_unref(b);
    }
}

static void close_codes_of_the_rfc_only(void **state)
{
    static const struct { unsigned code; bool valid; } rows[] = {
        { 0, false }, { 999, false }, { 1000, true }, { 1003, true }, { 1004, false }, { 1005, false }, { 1006, false },
        { 1007, true }, { 1014, true }, { 1015, false }, { 2999, false }, { 3000, true }, { 4999, true }, { 5000, false },
        { 65535, false },
    };
    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_int_equal(ws_close_code_is_valid(rows[i].code), rows[i].valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_when_it_is_whole),
        cmocka_unit_test(what_breaks_a_rule_is_refused_at_its_first_byte),
        cmocka_unit_test(unmasking_gives_the_same_in_any_pieces),
        cmocka_unit_test(frames_take_the_shortest_length_form),
        cmocka_unit_test(close_codes_of_the_rfc_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
