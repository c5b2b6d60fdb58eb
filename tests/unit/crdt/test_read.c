/* What types show of content that yjs' own API does not write: built byte by byte, expected as JavaScript has it. */
#include "support.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_snapshot.h>

#define ROOT(n) (&(struct um_crdt_type){ .root = (n) })      /* the n-th of the document */

static void expect(um_err err, struct um_buf *got, const char *want)
{
    assert_int_equal(err, UM_OK);
    assert_string_equal(um_buf_cstr(got), want);
    um_buf_clear(got);
}

/* An update of client 1 with N structs: HEAD then CONTENT each, the first at clock 0. */
struct content {
    const char *bytes;
    size_t len;
};
#define CONTENT(s) { s, sizeof(s) - 1 }

static struct um_crdt *doc_of(const struct content *v, size_t n, enum um_crdt_kind kind)
{
    struct um_crdt *doc = doc_new(false);
    struct um_buf b = { 0 };

    um_buf_put_u8(&b, 1);
    um_buf_put_varuint(&b, n);
    um_buf_put(&b, "\1\0", 2);
    for (size_t i = 0; i < n; i++)
        um_buf_put(&b, v[i].bytes, v[i].len);
    um_buf_put_u8(&b, 0);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("r"), kind), UM_OK);
    um_buf_free(&b);
    return doc;
}

#define JSON_VALUES "\x19[1,[null,\"x\\n\"],{\"a\":[]}]" "\x15\"q\\u0041\\ud83d\\ude00\"" "\11undefined" "\4null" \
                    "\2{}" "\2[]" "\7[[],[]]" "\12[ \"\" , 1 ]"
#define ANY_VALUES "\x7d\1" "\x77\1" "a" "\x75\3\x7d\1\x75\3\x7d\2\x7e\x7f\x76\1\1k\x7e" "\x74\2\xff\1" \
                   "\x7a\xff\xff\xff\xff\xff\xff\xff\xff" "\x78\x79\x7e\x7f" "\x7c\x3f\0\0\0"

/* A list with every kind of content. */
static const struct content all[] = {
    CONTENT("\x08\1\1r\x0a" ANY_VALUES), CONTENT("\x82\1\11\x08" JSON_VALUES), CONTENT("\x83\1\x11\2\1\2"),
    CONTENT("\x89\1\x12\1g\x76\0"), CONTENT("\x84\1\x13\5a\xf0\x9f\x98\x80"), CONTENT("\x85\1\x16\7{\"x\":1}"),
    CONTENT("\x86\1\x17\1b\4true"), CONTENT("\x87\1\x18\1"),
};

static void children_print_as_their_string_value(void **state)
{
    struct um_crdt *doc = doc_of(all, UM_COUNT(all), UM_CRDT_XML_FRAGMENT);
    struct um_buf got = { 0 };

    (void)state;
    expect(um_crdt_read_xml(doc, UM_SPAN_STR("r"), &got), &got,
           "1" "a" "1,2,,,[object Object]" "255,1" "-1" "true" "false" "null" "undefined" "0.5"
           "1,,x\n,[object Object]" "qA\xf0\x9f\x98\x80" "undefined" "null" "[object Object]" "" "," ",1"
           "1,2" "[object Object]" "a\xef\xbf\xbd\xef\xbf\xbd" "[object Object]" "[object Object]");
    um_buf_free(&got);
    um_crdt_free(doc);
}

static void children_print_as_json(void **state)
{
    struct um_crdt *doc = doc_of(all, UM_COUNT(all), UM_CRDT_ARRAY);
    struct um_buf got = { 0 };

    (void)state;
    expect(um_crdt_read_json(doc, UM_SPAN_STR("r"), UM_CRDT_PLAIN, &got), &got,
           "[1,\"a\",[1,[2,null,null],{\"k\":null}],\"/wE=\",\"-1\",true,false,null,null,0.5,"
           "[1,[null,\"x\\n\"],{\"a\":[]}],\"q\\u0041\\ud83d\\ude00\",null,null,{},[],[[],[]],[ \"\" , 1 ],"
           "\"AQI=\",{\"guid\":\"g\"},\"a\",\"\xef\xbf\xbd\",\"\xef\xbf\xbd\",{\"x\":1},{}]");
    expect(um_crdt_read_json(doc, UM_SPAN_STR("r"), UM_CRDT_TAGGED, &got), &got,
           "[1,\"a\",[1,[2,null,{\"$\":\"undefined\"}],{\"k\":null}],{\"$\":\"bytes\",\"v\":\"/wE=\"},"
           "{\"$\":\"bigint\",\"v\":\"-1\"},true,false,null,{\"$\":\"undefined\"},0.5,"
           "[1,[null,\"x\\n\"],{\"a\":[]}],\"q\\u0041\\ud83d\\ude00\",{\"$\":\"undefined\"},null,{},[],[[],[]],[ \"\" , 1 ],"
           "{\"$\":\"bytes\",\"v\":\"AQI=\"},{\"$\":\"doc\",\"guid\":\"g\",\"autoLoad\":false,\"shouldLoad\":false,"
           "\"gc\":true,\"meta\":null},\"a\",\"\xef\xbf\xbd\",\"\xef\xbf\xbd\",{\"x\":1},{}]");
    um_buf_free(&got);
    um_crdt_free(doc);
}

/* Keys of an element or map: of every kind; an entry is the last value of what its key holds. */
static const struct content entries[] = {
    CONTENT("\x28\1\1r\3any\2\x7d\1\x7d\2"), CONTENT("\x22\1\1r\4json\2\1" "3\3[4]"), CONTENT("\x22\1\1r\1u\2\1" "1\11undefined"),
    CONTENT("\x28\1\1r\1v\1\x7f"), CONTENT("\x23\1\1r\1b\2\1\2"), CONTENT("\x29\1\1r\1d\1g\x76\0"), CONTENT("\x26\1\1r\1f\1k\4null"),
    CONTENT("\x24\1\1r\1s\2xy"), CONTENT("\x25\1\1r\1e\2[]"), CONTENT("\x27\1\1r\1m\1"), CONTENT("\x21\1\1r\1x\1"),
    CONTENT("\x28\1\1r\4\xf0\x9f\x98\x82\1\x78"), CONTENT("\x28\1\1r\3\xef\xbd\x9e\1\x78"), CONTENT("\x28\1\1r\4\xf0\x9f\x98\x80\1\x78"), CONTENT("\x28\1\1r\3\xe4\xb8\xad\1\x78"),
    CONTENT("\x28\1\1r\4\xf0\x9f\x98\x81\1\x78"),
};

/* Expected: of JSON.stringify in node. */
static void strings_are_escaped_as_json_stringify_does(void **state)
{
    static const char *const want =
        "\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f"
        "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f"
        " !\\\"#/[\\\\]\x7f\xc2\x80\xe2\x80\xa8\xe2\x80\xa9\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbf";
    struct um_buf text = { 0 }, update = { 0 }, got = { 0 }, json = { 0 };
    struct um_crdt *doc = doc_new(true);

    (void)state;
    for (uint8_t c = 0; c <= 0x20; c++)
        um_buf_put_u8(&text, c);
    um_buf_puts(&text, "!\"#/[\\]\x7f\xc2\x80\xe2\x80\xa8\xe2\x80\xa9\xef\xbf\xbd\xf0\x9f\x98\x80\xef\xbf\xbf");
    um_buf_put(&update, "\1\2\1\0\x28\1\1r", 8);          /* as a key and as a value, then as a text */
    for (int i = 0; i < 2; i++) {
        um_buf_put_varuint(&update, text.len);
        um_buf_put(&update, text.data, text.len);
        if (i == 0)
            um_buf_put(&update, "\1\x77", 2);
    }
    um_buf_put(&update, "\4\1\1t", 4);
    um_buf_put_varuint(&update, text.len);
    um_buf_put(&update, text.data, text.len);
    um_buf_put_u8(&update, 0);
    assert_int_equal(um_crdt_apply(doc, buf_span(&update), NULL), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("r"), UM_CRDT_MAP), UM_OK);
    assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    um_buf_printf(&json, "{\"%s\":\"%s\"}", want, want);
    expect(um_crdt_read_json(doc, UM_SPAN_STR("r"), UM_CRDT_PLAIN, &got), &got, um_buf_cstr(&json));
    um_buf_clear(&json);
    um_buf_printf(&json, "\"%s\"", want);
    expect(um_crdt_read_json(doc, UM_SPAN_STR("t"), UM_CRDT_PLAIN, &got), &got, um_buf_cstr(&json));
    um_buf_clear(&json);
    um_buf_printf(&json, "[{\"insert\":\"%s\"}]", want);
    expect(um_crdt_read_delta(doc, UM_SPAN_STR("t"), UM_CRDT_PLAIN, &got), &got, um_buf_cstr(&json));
    um_buf_free(&text);
    um_buf_free(&update);
    um_buf_free(&json);
    um_buf_free(&got);
    um_crdt_free(doc);
}

static void attributes_print_sorted_as_their_string_value(void **state)
{
    struct um_crdt *doc = doc_of(entries, UM_COUNT(entries), UM_CRDT_XML_ELEMENT);
    struct um_buf got = { 0 };

    (void)state;
    expect(um_crdt_read_xml(doc, UM_SPAN_STR("r"), &got), &got,
           "<undefined any=\"2\" b=\"1,2\" d=\"[object Object]\" e=\"\" f=\"undefined\" json=\"4\" m=\"[object Object]\" s=\"y\" "
           "u=\"undefined\" v=\"undefined\" \xe4\xb8\xad=\"true\" \xf0\x9f\x98\x80=\"true\" \xf0\x9f\x98\x81=\"true\" "
           "\xf0\x9f\x98\x82=\"true\" "
           "\xef\xbd\x9e=\"true\"></undefined>");
    um_buf_free(&got);
    um_crdt_free(doc);
}

static void entries_that_are_undefined_are_left_out_of_plain_json(void **state)
{
    struct um_crdt *doc = doc_of(entries, 11, UM_CRDT_MAP);
    struct um_buf got = { 0 };

    (void)state;
    expect(um_crdt_read_json(doc, UM_SPAN_STR("r"), UM_CRDT_PLAIN, &got), &got,
           "{\"any\":2,\"json\":[4],\"b\":\"AQI=\",\"d\":{\"guid\":\"g\"},\"s\":\"y\",\"e\":[],\"m\":{}}");
    expect(um_crdt_read_json(doc, UM_SPAN_STR("r"), UM_CRDT_TAGGED, &got), &got,
           "{\"any\":2,\"json\":[4],\"u\":{\"$\":\"undefined\"},\"v\":{\"$\":\"undefined\"},\"b\":{\"$\":\"bytes\",\"v\":\"AQI=\"},"
           "\"d\":{\"$\":\"doc\",\"guid\":\"g\",\"autoLoad\":false,\"shouldLoad\":false,\"gc\":true,\"meta\":null},"
           "\"f\":{\"$\":\"undefined\"},\"s\":\"y\",\"e\":[],\"m\":{}}");
    um_buf_free(&got);
    um_crdt_free(doc);
}

/* "x", a pair, "y": half of the pair is deleted, or hidden in a view. */
static void half_of_a_pair_stands_alone(void **state)
{
    static const struct content text[] = { CONTENT("\4\1\1r\6x\xf0\x9f\x98\x80y") };
    static const struct {
        const char *deletion, *snapshot, *want;
    } rows[] = {
        { "\0\1\1\1\1\1", NULL, "[\"x\",\"\xef\xbf\xbd\",\"y\"]" },
        { "\0\1\1\1\2\1", NULL, "[\"x\",\"\xef\xbf\xbd\",\"y\"]" },
        { "\0\1\1\1\1\1", "\1\1\1\1\2\1\1\4", "[\"x\",\"y\"]" },
        { "\0\1\1\1\2\1", "\1\1\1\0\2\1\1\4", "[\"\xef\xbf\xbd\",\"y\"]" },
        { NULL, "\1\1\2\0\1\2\1\1\1\4", "[\"\xef\xbf\xbd\",\"y\"]" },
        { NULL, "\1\1\1\0\2\1\1\4", "[\"\xef\xbf\xbd\",\"y\"]" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_crdt *doc = doc_of(text, 1, UM_CRDT_ARRAY);
        struct um_buf got = { 0 };
        const char *s = rows[i].snapshot;

        if (rows[i].deletion != NULL)
            assert_int_equal(um_crdt_apply(doc, UM_SPAN(rows[i].deletion, 6), NULL), UM_OK);
        expect(s == NULL ? um_crdt_read_json(doc, UM_SPAN_STR("r"), UM_CRDT_PLAIN, &got)
                         : um_crdt_read_list_at(doc, ROOT(1), UM_SPAN(s, s[2] == 2 ? 10 : 8), UM_CRDT_PLAIN, &got),
               &got, rows[i].want);
        um_buf_free(&got);
        um_crdt_free(doc);
    }
}

static void a_view_that_a_root_lacks_is_refused(void **state)
{
    struct um_crdt *doc = doc_of(all, 1, UM_CRDT_ARRAY);
    struct um_buf got = { 0 };
    struct um_span none = UM_SPAN_STR("none"), r = UM_SPAN_STR("r");

    (void)state;
    assert_int_equal(um_crdt_read_json(doc, none, UM_CRDT_PLAIN, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_text(doc, none, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_xml(doc, none, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_delta(doc, none, UM_CRDT_PLAIN, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_dump(doc, none, &got), UM_ENOTFOUND);
    assert_int_equal(um_crdt_read_text(doc, r, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_xml(doc, r, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_delta(doc, r, UM_CRDT_PLAIN, &got), UM_EINVAL);
    assert_int_equal(um_crdt_read_dump(doc, r, &got), UM_OK);
    um_buf_free(&got);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(children_print_as_their_string_value),
        cmocka_unit_test(children_print_as_json),
        cmocka_unit_test(strings_are_escaped_as_json_stringify_does),
        cmocka_unit_test(attributes_print_sorted_as_their_string_value),
        cmocka_unit_test(entries_that_are_undefined_are_left_out_of_plain_json),
        cmocka_unit_test(half_of_a_pair_stands_alone),
        cmocka_unit_test(a_view_that_a_root_lacks_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
