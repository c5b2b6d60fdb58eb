/* The lowest readers, byte by byte: what each takes, what it refuses, and why. */
#include "columns.h"
#include "json_same.h"
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_inspect.h>

#define BYTES(...) UM_SPAN(((const uint8_t[]){ __VA_ARGS__ }), sizeof((const uint8_t[]){ __VA_ARGS__ }))

/* ---- memory that runs out: linked with --wrap=realloc ----------------------------------------------------- */

void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
static unsigned countdown;                /* 1: the next allocation fails */

void *__wrap_realloc(void *p, size_t size)
{
    if (countdown > 0 && --countdown == 0)
        return NULL;
    return __real_realloc(p, size);
}

/* ---- integers -------------------------------------------------------------------------------------------- */

static const struct {
    const char *bytes;
    size_t len;
    um_err err;
    double value;
} sints[] = {
#define SINT(bytes, err, value) { bytes, sizeof(bytes) - 1, err, value }
    SINT("\0", UM_OK, 0),
    SINT("\x3f", UM_OK, 63),
    SINT("\x7f", UM_OK, -63),
    SINT("\x80\1", UM_OK, 64),
    SINT("\xff\xff\xff\xff\xff\xff\xff\x1f", UM_OK, -9007199254740991.0),
    SINT("\xbf\xff\xff\xff\xff\xff\xff\x1f", UM_OK, 9007199254740991.0),
    SINT("\x80\x80\x80\x80\x80\x80\x80\x80\0", UM_OK, 0),
    SINT("\x80\x80\x80\x80\x80\x80\x80\x20", UM_EPROTO, 0),           /* 2^53 and more */
    SINT("\xbf\xff\xff\xff\xff\xff\xff\xff\xff", UM_EPROTO, 0),
    SINT("\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", UM_EPROTO, 0),     /* a digit too many, though it is 0 */
    SINT("", UM_EPROTO, 0),
    SINT("\x80", UM_EPROTO, 0),
#undef SINT
};

static void an_integer_with_a_sign_ends_at_2_to_the_53(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(sints); i++) {
        struct rd r = rd_make(UM_SPAN(sints[i].bytes, sints[i].len));
        double v = rd_sint(&r);

        if (r.err != sints[i].err || (r.err == UM_OK && (v < sints[i].value - 0.5 || v > sints[i].value + 0.5)))
            fail_msg("integer %zu: %s, %.17g", i, um_err_text(r.err), v);
    }
}

static void an_integer_without_a_sign_has_eight_bytes_at_most(void **state)
{
    static const uint8_t longest[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0 };
    static const uint8_t more[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x10, 0 };
    static const uint8_t endless[] = { 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0 };

    (void)state;
    for (size_t n = 0; n < 8; n++) {
        struct rd r = rd_make(UM_SPAN(longest, n));

        rd_uint(&r);
        assert_int_equal(r.err, UM_EPROTO);
        assert_true(r.p == r.end);
    }
    for (size_t behind = 0; behind < 2; behind++) {
        struct rd r = rd_make(UM_SPAN(longest, 8 + behind));

        assert_true(rd_uint(&r) == LIB0_MAX_INT);
        assert_int_equal(rd_left(&r), behind);
        r = rd_make(UM_SPAN(more, 8 + behind));
        rd_uint(&r);
        assert_int_equal(r.err, UM_EPROTO);
        r = rd_make(UM_SPAN(endless, 8 + behind));
        rd_uint(&r);
        assert_int_equal(r.err, UM_EPROTO);
    }
    for (size_t n = 1; n < 8; n++) {          /* near the end, where eight bytes cannot be taken at once */
        uint8_t bytes[7];
        struct rd r;

        memset(bytes, 0x81, n);
        bytes[n - 1] = 1;
        r = rd_make(UM_SPAN(bytes, n));
        rd_uint(&r);
        assert_int_equal(r.err, UM_OK);
        assert_int_equal(rd_left(&r), 0);
    }
}

/* ---- any ---------------------------------------------------------------------------------------------------- */

static void any_has_javascripts_truth(void **state)
{
    static const struct {
        struct um_span any;
        bool truth;
    } rows[] = {
        { { (const uint8_t *)"\x7f", 1 }, false },                                /* undefined */
        { { (const uint8_t *)"\x7e", 1 }, false },                                /* null */
        { { (const uint8_t *)"\x79", 1 }, false },
        { { (const uint8_t *)"\x78", 1 }, true },
        { { (const uint8_t *)"\x7d\0", 2 }, false },
        { { (const uint8_t *)"\x7d\x40", 2 }, false },                            /* -0 */
        { { (const uint8_t *)"\x7d\x41", 2 }, true },                             /* -1 */
        { { (const uint8_t *)"\x7d\1", 2 }, true },
        { { (const uint8_t *)"\x7c\x3f\0\0\0", 5 }, true },                       /* 0.5 */
        { { (const uint8_t *)"\x7c\x7f\xc0\0\0", 5 }, false },                    /* NaN */
        { { (const uint8_t *)"\x7b\xbf\xf0\0\0\0\0\0\0", 9 }, true },             /* -1.0 */
        { { (const uint8_t *)"\x7b\x7f\xf8\0\0\0\0\0\0", 9 }, false },            /* NaN */
        { { (const uint8_t *)"\x7a\0\0\0\0\0\0\0\0", 9 }, false },                /* 0n */
        { { (const uint8_t *)"\x7a\0\0\0\0\0\0\0\1", 9 }, true },
        { { (const uint8_t *)"\x77\0", 2 }, false },
        { { (const uint8_t *)"\x77\1" "0", 3 }, true },
        { { (const uint8_t *)"\x76\0", 2 }, true },
        { { (const uint8_t *)"\x75\0", 2 }, true },
        { { (const uint8_t *)"\x74\0", 2 }, true },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (any_is_true(rows[i].any) != rows[i].truth)
            fail_msg("value %zu", i);
}

/* ---- JSON --------------------------------------------------------------------------------------------------- */

static void json_is_what_json_parse_takes(void **state)
{
    static const char *const good[] = {
        "0", "-0", "1.5e3", "1E-2", "1e+2", "\"\"", "\"\\u09aF\\u00Fa\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", " [ ] ", "{}",
        "[1,{\"a\":[]}, null ]", "\ttrue\r\n", "false", "{ \"a\" : 1 , \"a\" : 2 }",
    };
    static const char *const bad[] = {
        "", " ", "-", "01", "1.", ".5", "1e", "1e+", "+1", "0x1", "NaN", "undefined", "tru", "\"", "\"\\", "\"\\\"", "\"\\u12\"",
        "\"\\u12", "\"\\ug000\"", "\"\\u0g00\"", "\"\\u00:0\"", "\"\\u000@\"", "\"\\u000`\"", "\"\\u000G\"", "\"\\u/000\"",
        "\"\\x\"", "\"\n\"", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1}", "{", "{1:2}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
        "{\"a\":1", "{\"a\" 1}", "{\"a\":1]", "{a:1}", "\"a\"b", "1 2", "[]]", "'a'",
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(good); i++)
        if (json_check(UM_SPAN_STR(good[i]), 3) != UM_OK)
            fail_msg("refused: %s", good[i]);
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        if (json_check(UM_SPAN_STR(bad[i]), 3) != UM_EPROTO)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(json_check(UM_SPAN("\"\\\0\"", 4), 3), UM_EPROTO);
    assert_int_equal(json_check(UM_SPAN_STR("[[[]]]"), 3), UM_OK);
    assert_int_equal(json_check(UM_SPAN_STR("[[[[]]]]"), 3), UM_ELIMIT);
}

/* ---- equality of JSON values ---------------------------------------------------------------------------------- */

static const struct {
    const char *a, *b;
    bool same;
} values[] = {
    { "true", "true", true },           { "true", "false", false },      { "null", "false", false },
    { "1", "1.0", true },               { "1", "10e-1", true },          { "1", "2", false },
    { "2", "1", false },                { "-0", "0", true },             { "1", "\"1\"", false },
    { "1", "true", false },             { "0.1", "1e-1", true },
    { "\"a\"", "\"\\u0061\"", true },   { "\"\\u0061\"", "\"a\"", true }, { "\"a\"", "\"\\u0062\"", false },
    { "\"\\n\"", "1", false },          { "1", "\"\\n\"", false },       { "\"\\n\"", "[1]", false },
    { "[]", "[]", true },               { "[]", "[ ]", true },           { "[]", "{}", true },
    { "{}", "[]", true },               { "[1]", "[1.0]", true },        { "[1]", "[2]", false },
    { "[1]", "[1,2]", false },          { "[1,2]", "[1,3]", false },     { "[\"[{\\\"\"]", "[\"[{\\\"\"]", true },
    { "[[]]", "[[]]", false },          { "[{}]", "[{}]", false },       { "[{}]", "[ {}]", false },
    { "[[]]", "[ []]", false },         { "[null]", "[ null]", true },   { "[1]", "{\"0\":1}", true },
    { "{\"0\":1}", "[1]", true },       { "[1]", "{\"1\":1}", false },   { "[1]", "{\"a\":1}", false },
    { "{\"0\":1}", "[2]", false },
    { "{\"a\":1,\"b\":2}", "{\"b\":2,\"a\":1}", true },
    { "{\"a\":1,\"b\":2}", "{\"a\":1,\"c\":2}", false },
    { "{\"a\":1,\"\":2}", "{\"\":2,\"a\":1}", true },
    { "{\"a\":1,\"ab\":2}", "{\"ab\":2,\"a\":1}", true },
    { "{\"ab\":1,\"a\":2}", "{\"a\":1,\"ab\":2}", false },
    { "{\"a\":1}", "{\"b\":1}", false },
    { "[0,1,2,3,4,5,6,7,8,9,10]", "{\"0\":0,\"1\":1,\"2\":2,\"3\":3,\"4\":4,\"5\":5,\"6\":6,\"7\":7,\"8\":8,\"9\":9,\"10\":10}", true },
};

static void values_of_marks_are_compared_as_yjs_does(void **state)
{
    struct um_crdt *doc = doc_new(true);

    (void)state;
    for (size_t i = 0; i < UM_COUNT(values); i++) {
        struct um_span a = UM_SPAN_STR(values[i].a), b;
        struct um_buf other = { 0 };

        um_buf_puts(&other, values[i].b);     /* never the very same bytes in memory */
        b = buf_span(&other);
        if (json_value_same(doc, a, b) != values[i].same)
            fail_msg("%s, %s", values[i].a, values[i].b);
        assert_true(json_value_same(doc, a, a));
        assert_false(json_value_same(doc, a, UM_SPAN(NULL, 0)));
        assert_false(json_value_same(doc, UM_SPAN(NULL, 0), b));
        um_buf_free(&other);
    }
    assert_true(json_value_same(doc, UM_SPAN(NULL, 0), UM_SPAN(NULL, 0)));
    um_crdt_free(doc);
}

static void without_memory_two_values_are_different(void **state)
{
    struct um_crdt *doc = doc_new(true);

    (void)state;
    for (size_t i = 0; i < UM_COUNT(values); i++) {
        struct um_span a = UM_SPAN_STR(values[i].a), b = UM_SPAN_STR(values[i].b);
        unsigned n = 1;

        if (!values[i].same || um_span_eq(a, b))
            continue;
        for (bool same = false; !same; n++) {
            assert_true(n < 100);
            countdown = n;
            same = json_value_same(doc, a, b);
            countdown = 0;
        }
        assert_true(n > 2);
    }
    um_crdt_free(doc);
}

/* ---- columns -------------------------------------------------------------------------------------------------- */

static void a_column_s_integers_end_at_2_to_the_53(void **state)
{
    static const struct {
        struct um_span bytes;
        um_err err;
        uint64_t value;
    } rows[] = {
        { { (const uint8_t *)"\x05", 1 }, UM_OK, 5 },
        { { (const uint8_t *)"\x80\1", 2 }, UM_OK, 64 },
        { { (const uint8_t *)"\x80\x80\1", 3 }, UM_OK, 8192 },
        { { (const uint8_t *)"\xbf\xff\xff\xff\xff\xff\xff\x1f", 8 }, UM_OK, LIB0_MAX_INT },
        { { (const uint8_t *)"\x80\x80\x80\x80\x80\x80\x80\x20", 8 }, UM_EPROTO, 0 },
        { { (const uint8_t *)"\x80\x80\x80\x80\x80\x80\x80\x80\x80\0", 10 }, UM_EPROTO, 0 },
        { { (const uint8_t *)"\x80\x80\x80", 3 }, UM_EPROTO, 0 },
        { { (const uint8_t *)"", 0 }, UM_EPROTO, 0 },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        um_err err = UM_OK;
        struct uint_column c = uint_column_make(rows[i].bytes, &err);
        uint64_t v = uint_column_read(&c);

        if (err != rows[i].err || v != rows[i].value)
            fail_msg("integer %zu: %s, %llu", i, um_err_text(err), (unsigned long long)v);
    }
}

static void an_empty_string_between_two_halves_of_a_pair_is_empty(void **state)
{
    /* one character of two units; lengths 1, 0, 1 */
    um_err err = UM_OK;
    struct text_column c = text_column_make(BYTES(4, 0xf0, 0x9f, 0x98, 0x80, 1, 0, 1), &err);
    struct column_text high = text_column_read(&c), none = text_column_read(&c), low = text_column_read(&c);

    (void)state;
    assert_true(high.tail_half && !high.head_half && high.body.len == 0);
    assert_true(!none.tail_half && !none.head_half && none.body.len == 0);
    assert_true(!low.tail_half && low.head_half && low.body.len == 0);
    assert_int_equal(err, UM_OK);
    text_column_read(&c);
    assert_int_equal(err, UM_EPROTO);
}

#define HIGH "\xed\xa0\xbd"               /* the halves of U+1F600 */
#define LOW  "\xed\xb8\x80"

/* STRINGS, ended by NULL, as one column's text. */
static void check_text(const char *const *strings, const char *want)
{
    struct text_writer w = { 0 };
    struct um_buf out = { 0 };
    struct rd r, column;

    for (; *strings != NULL; strings++)
        text_write(&w, UM_SPAN_STR(*strings));
    text_writer_end(&w, &out);
    r = rd_make(buf_span(&out));
    column = rd_make(rd_bytes(&r));
    assert_true(um_span_eq(rd_string(&column, true), UM_SPAN_STR(want)));
    um_buf_free(&out);
}

static void halves_of_a_pair_meet_or_become_replacements(void **state)
{
    static const char *const meet[] = { "a" HIGH, LOW "b", NULL }, *const alone[] = { LOW, "a" HIGH, NULL },
                     *const apart[] = { "abc", LOW, HIGH, "x", NULL }, *const turned[] = { LOW "x" LOW, NULL },
                     *const plain[] = { "\xed\x95\x9c", "\xed\x95\x9c", NULL };

    (void)state;
    check_text(meet, "a\xf0\x9f\x98\x80" "b");
    check_text(alone, "\xef\xbf\xbd" "a\xef\xbf\xbd");
    check_text(apart, "abc\xef\xbf\xbd\xef\xbf\xbd" "x");
    check_text(turned, "\xef\xbf\xbdx\xef\xbf\xbd");
    check_text(plain, "\xed\x95\x9c\xed\x95\x9c");
}

static void a_column_without_memory_fails_its_output(void **state)
{
    bool done = false;

    (void)state;
    for (unsigned n = 1; !done; n++) {
        struct text_writer w = { 0 };
        struct um_buf out = { 0 };

        assert_true(n < 100);
        countdown = n;
        for (int i = 0; i < 40; i++) {
            text_write(&w, UM_SPAN_STR("abcdefghijklmnopqrstuvwxyz" HIGH));
            text_write(&w, UM_SPAN_STR(LOW));
        }
        text_writer_end(&w, &out);
        countdown = 0;
        done = !out.failed;
        um_buf_free(&out);
    }
}

/* ---- nesting -------------------------------------------------------------------------------------------------- */

/* Two nested types of client 1, then UPDATE, where no type may lie deeper than LIMIT. */
static um_err nested(uint32_t limit, struct um_span update)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    um_err err;

    um_crdt_conf_init(&cf);
    cf.limits.type_depth = limit;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    assert_int_equal(um_crdt_apply(doc, BYTES(1, 2, 1, 0, 7, 1, 1, 'a', 0, 7, 0, 1, 0, 0, 0), NULL), UM_OK);
    assert_int_equal(um_crdt_apply(doc, BYTES(1, 2, 2, 0, 7, 1, 1, 'b', 0, 4, 0, 2, 0, 1, 'x', 1, 2, 1, 0, 1), NULL), UM_OK);
    err = um_crdt_apply(doc, update, NULL);
    um_crdt_free(doc);
    return err;
}

/* Each row's types are as deep as DEPTH: that limit takes them, one less refuses. */
static void types_are_as_deep_as_what_they_lie_in(void **state)
{
    const struct {
        const char *what;
        uint32_t depth;
        struct um_span update;
    } rows[] = {
#define ROW(what, depth, ...) { what, depth, { (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) } }
        ROW("in a known type", 3, 1, 1, 3, 0, 7, 0, 1, 1, 0, 0),
        ROW("beside a known type", 2, 1, 1, 3, 0, 0x87, 1, 1, 0, 0),
        ROW("in front of a known type", 2, 1, 1, 3, 0, 0x47, 1, 1, 0, 0),
        ROW("in a known type that was deleted and collected", 2, 1, 3, 3, 0, 7, 0, 2, 0, 0, 7, 0, 2, 0, 0, 7, 1, 1, 'a', 0, 0),
        ROW("in what was collected", 2, 1, 2, 3, 0, 7, 0, 2, 1, 0, 0x87, 2, 1, 0, 0),
        ROW("in a new type of another client", 4, 2, 1, 3, 0, 7, 0, 4, 0, 0, 1, 4, 0, 7, 0, 1, 1, 0, 0),
        ROW("in a type further down the section", 4, 2, 3, 4, 0, 4, 1, 1, 'a', 1, 'x', 7, 0, 1, 1, 0, 7, 0, 4, 1, 0, 1, 3, 0,
            7, 0, 4, 1, 0, 0),
        ROW("beside collected runs and holes", 3, 1, 3, 3, 0, 0, 1, 10, 1, 7, 0, 1, 1, 0, 0),
        ROW("in what is not a type", 2, 1, 2, 3, 0, 4, 1, 1, 'a', 1, 'x', 7, 0, 3, 0, 0, 0),
        ROW("two that wait for one another", 2, 2, 2, 4, 0, 0x87, 3, 0, 0, 7, 0, 1, 0, 0, 2, 3, 0, 0x87, 4, 0, 0, 7, 0, 1, 0, 0, 0),
        ROW("in a type of a client that nothing is known of", 2, 1, 2, 3, 0, 7, 0, 9, 0, 0, 7, 0, 1, 0, 0, 0),
        ROW("in a type still to come of a client that is known", 2, 1, 2, 3, 0, 7, 0, 1, 50, 0, 7, 0, 1, 0, 0, 0),
        ROW("the same, and that client's deletions", 2, 1, 2, 3, 0, 7, 0, 1, 50, 0, 7, 0, 1, 0, 0, 1, 1, 1, 60, 1),
        ROW("in a type below the client's section", 2, 2, 1, 4, 9, 7, 1, 1, 'a', 0, 2, 3, 0, 7, 0, 4, 2, 0, 7, 0, 1, 0, 0, 0),
#undef ROW
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        um_err enough = nested(rows[i].depth, rows[i].update);
        um_err low = rows[i].depth > 2 ? nested(rows[i].depth - 1, rows[i].update) : UM_ELIMIT;

        if (enough != UM_OK || low != UM_ELIMIT)
            fail_msg("%s: %s, and %s with one less", rows[i].what, um_err_text(enough), um_err_text(low));
    }
}

static void nesting_deeper_than_can_be_counted_is_refused(void **state)
{
    const uint32_t n = UINT16_MAX + 10;
    struct um_crdt *doc = doc_new(true);
    struct um_buf b = { 0 };

    (void)state;
    buf_put_uint(&b, n);
    for (uint32_t client = n; client > 0; client--) {         /* each in the type of the client below */
        buf_put_uint(&b, 1);
        buf_put_uint(&b, client);
        um_buf_put(&b, "\0\7\0", 3);
        buf_put_uint(&b, client - 1);
        um_buf_put(&b, "\0\0", 2);
    }
    um_buf_put_u8(&b, 0);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_ELIMIT);
    um_buf_free(&b);
    um_crdt_free(doc);
}

/* ---- the wire ------------------------------------------------------------------------------------------------- */

static void sub_documents_keep_the_options_that_count(void **state)
{
    static const struct {
        struct um_span in, want;          /* the options */
    } rows[] = {
#define ROW(in, want) { { (const uint8_t *)in, sizeof(in) - 1 }, { (const uint8_t *)want, sizeof(want) - 1 } }
        ROW("\x76\0", "\x76\0"),
        ROW("\x78", "\x76\0"),
        ROW("\x76\1\2gc\x7f", "\x76\0"),
        ROW("\x76\1\2gc\x78", "\x76\0"),
        ROW("\x76\1\2gc\x7e", "\x76\1\2gc\x79"),
        ROW("\x76\1\2gc\x77\0", "\x76\1\2gc\x79"),
        ROW("\x76\1\10autoLoad\x77\1x", "\x76\1\10autoLoad\x78"),
        ROW("\x76\1\10autoLoad\x79", "\x76\0"),
        ROW("\x76\1\4meta\x7f", "\x76\0"),
        ROW("\x76\1\4meta\x7e", "\x76\0"),
        ROW("\x76\1\4meta\x79", "\x76\1\4meta\x79"),
        ROW("\x76\2\4meta\x7d\1\4meta\x7d\2", "\x76\1\4meta\x7d\2"),
        ROW("\x76\2\1x\x7d\1\4meta\x75\1\x7e", "\x76\1\4meta\x75\1\x7e"),
#undef ROW
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_crdt *doc = doc_new(true);
        struct um_buf in = { 0 }, want = { 0 }, got = { 0 };

        um_buf_put(&in, "\1\1\5\0\x09\1\1d\1g", 10);
        um_buf_put(&want, in.data, in.len);
        um_buf_put(&in, rows[i].in.data, rows[i].in.len);
        um_buf_put(&want, rows[i].want.data, rows[i].want.len);
        um_buf_put_u8(&in, 0);
        um_buf_put_u8(&want, 0);
        assert_int_equal(um_crdt_apply(doc, buf_span(&in), NULL), UM_OK);
        assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &got), UM_OK);
        if (!um_span_eq(buf_span(&got), buf_span(&want)))
            fail_msg("options %zu", i);
        um_buf_free(&in);
        um_buf_free(&want);
        um_buf_free(&got);
        um_crdt_free(doc);
    }
}

static void state_vectors_are_refused_for_their_form_or_their_size(void **state)
{
    const struct {
        struct um_span sv;
        um_err err;
    } rows[] = {
#define ROW(err, ...) { { (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) }, err }
        ROW(UM_OK, 0), ROW(UM_OK, 1, 1, 0), ROW(UM_OK, 2, 1, 5, 9, 7), ROW(UM_OK, 2, 1, 5, 1, 7),
        ROW(UM_EPROTO, 0x80), ROW(UM_EPROTO, 1), ROW(UM_EPROTO, 1, 1), ROW(UM_EPROTO, 1, 1, 0x80),
        ROW(UM_EPROTO, 2, 1, 1, 1), ROW(UM_EPROTO, 0xff, 0xff, 0xff, 0x7f, 1, 1), ROW(UM_ELIMIT, 3, 3, 1, 2, 1, 1, 1),
#undef ROW
    };
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.limits.state_vector_entries = 2;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf out = { 0 };
        um_err err = um_crdt_encode(doc, rows[i].sv, &out), checked = um_crdt_sv_validate(&cf, rows[i].sv);

        um_buf_clear(&out);
        if (err != rows[i].err || checked != err || um_crdt_diff(&cf, BYTES(0, 0), rows[i].sv, &out) != err)
            fail_msg("vector %zu: %s, %s when only checked", i, um_err_text(err), um_err_text(checked));
        um_buf_free(&out);
    }
    um_crdt_free(doc);
}

static void of_a_vector_s_equal_clients_the_last_counts(void **state)
{
    const struct um_span rows[] = { BYTES(2, 1, 0, 1, 1), BYTES(3, 0, 7, 1, 0, 1, 1), BYTES(3, 1, 0, 9, 3, 1, 1),
                                    BYTES(2, 1, 1, 1, 0), BYTES(3, 1, 1, 9, 3, 1, 0) };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    assert_int_equal(um_crdt_apply(doc, BYTES(1, 1, 1, 0, 4, 1, 1, 't', 1, 'x', 0), NULL), UM_OK);
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf out = { 0 };

        assert_int_equal(um_crdt_encode(doc, rows[i], &out), UM_OK);
        assert_int_equal(out.data[0], i < 3 ? 0 : 1);         /* sections */
        um_buf_free(&out);
    }
    um_crdt_free(doc);
}

static void a_client_without_structs_may_stand_anywhere(void **state)
{
    /* clients 1, 2 (no structs) and 3, ascending; 2 again */
    const struct um_span update = BYTES(4, 1, 1, 0, 4, 1, 1, 't', 1, 'x', 0, 2, 0, 1, 3, 0, 4, 1, 1, 't', 1, 'y', 0, 2, 0, 0);
    struct um_crdt *doc = doc_new(true);
    struct um_crdt_fault fault;
    struct um_crdt_stats stats;

    (void)state;
    assert_int_equal(um_crdt_validate(NULL, update, NULL), UM_OK);
    assert_int_equal(um_crdt_verify(NULL, update, &fault), UM_OK);
    assert_int_equal(um_crdt_apply(doc, update, NULL), UM_OK);
    um_crdt_get_stats(doc, &stats);
    assert_int_equal(stats.structs, 2);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_integer_with_a_sign_ends_at_2_to_the_53),
        cmocka_unit_test(an_integer_without_a_sign_has_eight_bytes_at_most),
        cmocka_unit_test(any_has_javascripts_truth),
        cmocka_unit_test(json_is_what_json_parse_takes),
        cmocka_unit_test(values_of_marks_are_compared_as_yjs_does),
        cmocka_unit_test(without_memory_two_values_are_different),
        cmocka_unit_test(a_column_s_integers_end_at_2_to_the_53),
        cmocka_unit_test(an_empty_string_between_two_halves_of_a_pair_is_empty),
        cmocka_unit_test(halves_of_a_pair_meet_or_become_replacements),
        cmocka_unit_test(a_column_without_memory_fails_its_output),
        cmocka_unit_test(types_are_as_deep_as_what_they_lie_in),
        cmocka_unit_test(nesting_deeper_than_can_be_counted_is_refused),
        cmocka_unit_test(sub_documents_keep_the_options_that_count),
        cmocka_unit_test(state_vectors_are_refused_for_their_form_or_their_size),
        cmocka_unit_test(of_a_vector_s_equal_clients_the_last_counts),
        cmocka_unit_test(a_client_without_structs_may_stand_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
