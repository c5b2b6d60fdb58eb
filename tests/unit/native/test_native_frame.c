/* unit.native_frame: what a worker process may say, and what is made of it. */
#include <um_test.h>
#include <umbel/native.h>
#include "native_int.h"

enum { MAX = 1000 };

static struct frame_text text(const char *s) { return (struct frame_text){ s, strlen(s) }; }

static void what_is_written_is_read(void **state)
{
    static const struct frame f = { FRAME_ANSWER, 0x01020304, 3, { { "", 0 }, { "a\0b", 3 }, { "c", 1 } } };
    uint8_t bytes[100], back[100];
    size_t n = frame_size(&f);
    struct frame g;

    (void)state;
    frame_write(&f, bytes);
    for (size_t cut = 0; cut < n; cut++)
        assert_int_equal(frame_read(bytes, cut, MAX, &g), 0);
    assert_int_equal(frame_read(bytes, sizeof(bytes), MAX, &g), n);
    assert_int_equal(g.kind, FRAME_ANSWER);
    assert_int_equal(g.call, 0x01020304);
    assert_int_equal(g.n, 3);
    assert_int_equal(g.texts[1].len, 3);
    assert_string_equal(g.texts[2].text, "c");
    frame_write(&g, back);
    assert_memory_equal(bytes, back, n);
}

static void what_is_no_frame_is_said_to_be_none(void **state)
{
    static const struct { size_t at; uint8_t byte; } wrong[] = {
        { 3, 1 }, { 4, 0 }, { 4, FRAME_KINDS_N }, { 5, FRAME_TEXTS_MAX + 1 }, { 5, 2 }, { 5, 0 }, { 6, 1 }, { 7, 1 },      /* the head */
        { 12, 2 }, { 12, 0 }, { 15, 0x80 }, { 17, 'x' },                                                                /* a text */
    };
    const struct frame f = { FRAME_READY, 0, 1, { text("a") } };
    uint8_t bytes[FRAME_HEAD + 6 + 8] = { 0 };
    struct frame g;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(wrong); i++) {
        frame_write(&f, bytes);
        assert_int_equal(frame_read(bytes, frame_size(&f), MAX, &g), frame_size(&f));
        bytes[wrong[i].at] = wrong[i].byte;
        assert_int_equal(frame_read(bytes, sizeof(bytes), MAX, &g), -1);
    }
}

static void too_large_is_said_before_it_is_there(void **state)
{
    uint8_t head[FRAME_HEAD] = { 0xe9, 3, 0, 0, FRAME_ANSWER, ANSWER_N };        /* 1001 */
    struct frame g;

    (void)state;
    assert_int_equal(frame_read(head, sizeof(head), 1001, &g), 0);
    assert_int_equal(frame_read(head, sizeof(head), 1000, &g), -1);
}

static void a_frame_that_cannot_be_is_not_written(void **state)
{
    struct frame f = { FRAME_CALL, 0, 2, { { "", (size_t)INT32_MAX - 100 }, { "", 200 } } };

    (void)state;
    assert_int_equal(frame_size(&f), 0);
    f.texts[0].len = SIZE_MAX - 3;
    assert_int_equal(frame_size(&f), 0);
}

/* ---- answers ---- */

static struct call answered(const char *verdict, const char *code, const char *message, const char *json)
{
    struct frame f = { FRAME_ANSWER, 1, ANSWER_N, { text(verdict), text(code), text(message), text(json) } };
    struct call c = { 0 };

    answer_read(&c, &f);
    return c;
}

static void verdicts_become_answers(void **state)
{
    struct call c = answered("0", "", "", "{\"component\":{}}");

    (void)state;
    assert_true(c.is_done && c.reply == NULL);
    c = answered("1", "", "", "{\"component\":{\"name\":\"n\"}}");
    assert_true(c.is_done && json_is_object(json_object_get(c.reply, "component")));
    json_decref(c.reply);
    c = answered("2", "F00039", "no", "");
    assert_true(!c.is_done && !c.again);
    assert_string_equal(c.code, "F00039");
    assert_string_equal(c.message, "no");
    c = answered("2", "T1", "", "");
    assert_true(!c.is_done && c.again);
    assert_string_equal(c.code, "T1");
    assert_string_equal(c.message, "the handler refuses");
    c = answered("3", "F00039", "soon", "");
    assert_true(!c.is_done && c.again);
    assert_string_equal(c.code, UM_NATIVE_LATER);
}

static void what_is_no_answer_is_a_failure_that_may_pass(void **state)
{
    static const struct { const char *verdict, *json; } rows[] = {
        { "", "" }, { "4", "" }, { "-1", "" }, { "00", "" }, { "1", "" }, { "1", "[]" }, { "1", "{" }, { "1", "{\"a\":1,\"a\":2}" }, { "1", "{} x" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct call c = answered(rows[i].verdict, "", "", rows[i].json);

        assert_true(!c.is_done && c.again && c.message[0] != '\0');
        assert_string_equal(c.code, UM_NATIVE_ENDED);
        json_decref(c.reply);
    }
}

static void a_code_that_is_none_is_not_handed_on(void **state)
{
    static const char *const codes[] = { "", "F", "X00039", "F00039\r\nX: y", "f00039", "U00400", "F0000000000000039" };
    struct call c = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(codes); i++)
        assert_string_equal(answered("2", codes[i], "\xff", "").code, "T00000");
    assert_string_equal(answered("2", "", "\xff", "").message, "the handler refuses");
    answer_read(&c, &(struct frame){ FRAME_ANSWER, 1, ANSWER_N, { text("2"), text("F1"), { "\0no", 3 }, text("") } });
    assert_string_equal(c.message, "the handler refuses");
}

static void names_of_libraries_lead_nowhere_else(void **state)
{
    static const char *const wrong[] = { "", ".", "..", "../x", "a/b", ".hidden", "a b", "a%2f", "\xc3\xa4",
                                         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    char why[UM_NATIVE_WHY_MAX];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(wrong); i++)
        assert_false(um_native_is_name(wrong[i], why));
    assert_true(um_native_is_name("stamp-1.2_x", why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(what_is_no_frame_is_said_to_be_none),
        cmocka_unit_test(too_large_is_said_before_it_is_there), cmocka_unit_test(a_frame_that_cannot_be_is_not_written),
        cmocka_unit_test(verdicts_become_answers), cmocka_unit_test(what_is_no_answer_is_a_failure_that_may_pass),
        cmocka_unit_test(a_code_that_is_none_is_not_handed_on), cmocka_unit_test(names_of_libraries_lead_nowhere_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
