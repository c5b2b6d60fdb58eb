/* YAML in and out: types, limits, places, the one written form. */
#include <umbel/yaml.h>
#include <um_test.h>

static struct um_yaml *read_ok(const char *text)
{
    struct um_model_error why;
    struct um_yaml *y;
    um_err err = um_yaml_read(UM_SPAN_STR(text), "t.yaml", &y, &why);

    if (err != UM_OK)
        print_error("%s: %u:%u %s: %s\n", text, why.at.line, why.at.column, why.path, why.what);
    assert_int_equal(err, UM_OK);
    return y;
}

static void reads_as(const char *text, const char *json)
{
    struct um_yaml *y = read_ok(text);
    char *got = json_dumps(um_yaml_peek(y, 0), JSON_COMPACT | JSON_ENCODE_ANY);

    assert_string_equal(got, json);
    free(got);
    um_yaml_free(y);
}

static void refused_bytes(const void *data, size_t len, um_err want, const char *message)
{
    struct um_buf b = { 0 };
    struct um_model_error why;
    struct um_yaml *y;
    um_err err = um_yaml_read(UM_SPAN(data, len), "t.yaml", &y, &why);

    assert_null(y);
    um_model_error_text(&why, &b);
    if (strstr(um_buf_cstr(&b), message) == NULL)
        print_error("got: %s\n", um_buf_cstr(&b));
    assert_non_null(strstr(um_buf_cstr(&b), message));
    assert_int_equal(err, want);
    um_buf_free(&b);
}

static void refused(const char *text, um_err want, const char *message) { refused_bytes(text, strlen(text), want, message); }

/* ---- types ---- */

static void only_json_has_types(void **state)
{
    (void)state;
    reads_as("[null, ~, true, False, -12, 12.50, 1e3, text]", "[null,null,true,false,-12,12.5,1000.0,\"text\"]");
    reads_as("[yes, no, on, off, NO, 007, 0o17, 0x1F, 1_000, 1:30, 2024-03-07, +5, .5, 1.]",
             "[\"yes\",\"no\",\"on\",\"off\",\"NO\",\"007\",\"0o17\",\"0x1F\",\"1_000\",\"1:30\",\"2024-03-07\",\"+5\",\".5\",\"1.\"]");
    reads_as("['12', \"true\", ! 5, !!str 5, !!float 5, !!int 5]", "[\"12\",\"true\",\"5\",\"5\",5.0,5]");
    reads_as("404: a\ntrue: b\n'': c", "{\"404\":\"a\",\"true\":\"b\",\"\":\"c\"}");
}

static void a_text_may_hold_several_documents(void **state)
{
    struct um_yaml *y = read_ok("a: 1\n---\nb: 2\n...\n---\n");

    (void)state;
    assert_int_equal(um_yaml_documents(y), 3);
    assert_int_equal(json_integer_value(json_object_get(um_yaml_peek(y, 1), "b")), 2);
    assert_true(json_is_null(um_yaml_peek(y, 2)));
    um_yaml_free(y);
}

static void an_alias_stands_for_a_copy(void **state)
{
    (void)state;
    reads_as("a: &x {k: [1, z]}\nb: *x\nc: &x 5\nd: *x\n", "{\"a\":{\"k\":[1,\"z\"]},\"b\":{\"k\":[1,\"z\"]},\"c\":5,\"d\":5}");
    refused("a: &x [1, *x]", UM_EPROTO, "t.yaml:1:11: a[1]: the alias *x stands inside");
    refused("a: *nobody", UM_EPROTO, "nobody");
    refused("--- &x 1\n--- *x\n", UM_EPROTO, "not known");
}

/* ---- refusals ---- */

static void the_same_key_twice_is_refused_with_its_place(void **state)
{
    (void)state;
    refused("top:\n  - a: 1\n    b: 2\n    a: 3\n", UM_EPROTO, "t.yaml:4:5: top[0]: the key \"a\" stands here twice");
}

static void what_json_cannot_say_is_refused(void **state)
{
    (void)state;
    refused("a: .inf", UM_EPROTO, "no number");
    refused("a: .NaN", UM_EPROTO, "no number");
    refused("a: \"x\\0y\"", UM_EPROTO, "t.yaml:1:4: a: a text with a NUL");
    refused("\"x\\0y\": 1", UM_EPROTO, "a key with a NUL");
    refused_bytes("a: x\0y", 6, UM_EPROTO, "t.yaml:1:");
    refused_bytes("a: 1\nb: \xC3\x28\n", 11, UM_EPROTO, "t.yaml:2:1: a line that is not UTF-8");
    refused("? [1, 2]\n: x", UM_EPROTO, "as a key");
    refused("? {a: 2}\n: x", UM_EPROTO, "as a key");
    refused("a: &x 1\n*x : 2", UM_EPROTO, "an alias as a key");
    refused("<<: {a: 1}", UM_EPROTO, "merge keys");
    refused("a: !!timestamp 2024-01-01", UM_EPROTO, "timestamp");
    refused("a: !!binary aGk=", UM_EPROTO, "binary");
    refused("a: !java/object:x 1", UM_EPROTO, "java");
    refused("a: !!int x", UM_EPROTO, "does not fit");
    refused("a: !!set {x: 1}", UM_EPROTO, "set");
    refused("a: [1, 2", UM_EPROTO, "t.yaml:2:1: did not find");
    refused("a: 1\n\tb: 2", UM_EPROTO, "t.yaml:2:");
}

static char *repeated(const char *head, const char *piece, size_t n, const char *tail)
{
    struct um_buf b = { 0 };

    um_buf_puts(&b, head);
    while (n-- > 0)
        um_buf_puts(&b, piece);
    um_buf_puts(&b, tail);
    um_buf_put_u8(&b, 0);
    assert_false(b.failed);
    return (char *)b.data;
}

/* HEAD and N times PIECE is read, with one PIECE more it is refused. */
static void limit_is(const char *head, const char *piece, size_t n, const char *tail, const char *message)
{
    char *text = repeated(head, piece, n, tail);

    um_yaml_free(read_ok(text));
    free(text);
    text = repeated(head, piece, n + 1, tail);
    refused(text, UM_ELIMIT, message);
    free(text);
}

static void every_limit_is_at_its_value(void **state)
{
    char *text;

    (void)state;
    limit_is("", "- ", YAML_DEPTH - 1, "[]", "32 maps and lists");
    limit_is("[", "1,", YAML_NODES - 1, "]", "200000 values");
    limit_is("", "k", YAML_KEY_BYTES, ": 1", "a key longer than 200 bytes");
    limit_is("", "--- a\n", YAML_DOCUMENTS, "", "1000 documents");
    refused("9223372036854775808", UM_ELIMIT, "beyond 64 bits");
    refused("-9223372036854775809", UM_ELIMIT, "beyond 64 bits");
    refused("1e400", UM_ELIMIT, "too large");
    refused("0.00000000000000000000000000000000000000001", UM_ELIMIT, "too long");
    text = repeated("[", "&a 1,", YAML_ANCHORS, "1]");
    um_yaml_free(read_ok(text));
    free(text);
    text = repeated("[", "&a 1,", YAML_ANCHORS + 1, "1]");
    refused(text, UM_ELIMIT, "256 anchors");
    free(text);
    text = repeated("'", "0123456789abcde\n", YAML_DOCUMENT_BYTES / 16 + 1, "'");
    refused(text, UM_ELIMIT, "a document of more than 4 MiB");
    free(text);
    text = repeated("", "0123456789abcde\n", YAML_STREAM_BYTES / 16 + 1, "");
    refused(text, UM_ELIMIT, "more than 16 MiB");
    free(text);
}

static void an_alias_counts_for_all_it_stands_for(void **state)
{
    struct um_buf b = { 0 };
    char *text;
    int i;

    (void)state;
    um_buf_puts(&b, "a0: &a0 [lol]\n");
    for (i = 1; i < 20; i++)
        um_buf_printf(&b, "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    refused(um_buf_cstr(&b), UM_ELIMIT, "200000 values");
    um_buf_clear(&b);
    um_buf_puts(&b, "a0: &a0 [1]\n");
    for (i = 1; i < 40; i++)
        um_buf_printf(&b, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    refused(um_buf_cstr(&b), UM_ELIMIT, "32 maps and lists");
    um_buf_free(&b);
    text = repeated("- &a ", "0123456789abcdef", 1 << 16, "\n- [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]");
    refused(text, UM_ELIMIT, "16 MiB of text");
    free(text);
}

/* ---- places ---- */

static void children_know_where_they_were_written(void **state)
{
    struct um_yaml *y = read_ok("a: 1\nlist:\n  - x\n  -   {k: v}\n");
    const json_t *root = um_yaml_peek(y, 0), *list = json_object_get(root, "list");
    struct um_place at;

    (void)state;
    at = um_yaml_place(y, root, 1);
    assert_int_equal(at.line, 2);
    assert_int_equal(at.column, 1);
    at = um_yaml_place(y, list, 1);
    assert_int_equal(at.line, 4);
    assert_int_equal(at.column, 7);
    assert_int_equal(um_yaml_place(y, list, 2).line, 0);
    um_yaml_free(y);
}

/* ---- writing ---- */

static void written_as(const char *json, const char *text)
{
    static const char *const one_line[] = { "displayNames", "entries", NULL };
    json_t *v = json_loads(json, JSON_DECODE_ANY, NULL);
    struct um_buf b = { 0 };
    struct um_yaml *y;

    assert_non_null(v);
    assert_int_equal(um_yaml_write(v, one_line, &b), UM_OK);
    assert_string_equal(um_buf_cstr(&b), text);
    y = read_ok(um_buf_cstr(&b));
    assert_true(json_equal(v, um_yaml_peek(y, 0)));
    um_yaml_free(y);
    um_buf_free(&b);
    json_decref(v);
}

static void blocks_and_short_lists(void **state)
{
    (void)state;
    written_as("{\"id\":\"x\",\"displayNames\":{\"EN\":\"Invoice\",\"FR\":\"Facture\"},\"tags\":[\"a\",\"b\"],\"none\":[],"
               "\"entries\":[{\"allow\":[\"READ\"],\"to\":\"*\"}],\"other\":[{\"a\":1,\"b\":[{\"c\":null}]},[1,[2]]]}",
               "id: x\n"
               "displayNames: {EN: Invoice, FR: Facture}\n"
               "tags: [a, b]\n"
               "none: []\n"
               "entries:\n"
               "  - {allow: [READ], to: '*'}\n"
               "other:\n"
               "  - a: 1\n"
               "    b:\n"
               "      - c: null\n"
               "  - - 1\n"
               "    - - 2\n");
    written_as("5", "5\n");
    written_as("[]", "[]\n");
}

static void texts_are_quoted_where_needed_only(void **state)
{
    static const struct { const char *json, *text; } rows[] = {
        { "\"plain words, http://host/ a#b\"", "plain words, http://host/ a#b" },
        { "\"Numéro de facture\"", "Numéro de facture" },
        { "\"\"", "''" }, { "\"yes\"", "'yes'" }, { "\"NO\"", "'NO'" }, { "\"null\"", "'null'" }, { "\"12\"", "'12'" },
        { "\"007\"", "'007'" }, { "\"2024-03-07\"", "'2024-03-07'" }, { "\"1:30\"", "'1:30'" }, { "\"0x1F\"", "'0x1F'" },
        { "\"3 days\"", "3 days" }, { "\"a: b\"", "'a: b'" }, { "\"a #b\"", "'a #b'" }, { "\"it's\"", "it's" },
        { "\"'x'\"", "'''x'''" }, { "\"[a]\"", "'[a]'" }, { "\" a\"", "' a'" }, { "\"a \"", "'a '" }, { "\"a\\tb\"", "\"a\\tb\"" },
        { "\"\\u0007\"", "\"\\x07\"" }, { "\"\\u0085\"", "\"\\x85\"" }, { "\"\\u2028\"", "\"\\u2028\"" }, { "\"\\ufeff\"", "\"\\uFEFF\"" },
        { "\"a\\r\\nb\"", "\"a\\x0D\\nb\"" }, { "\"\\ud83d\\ude00\"", "\xF0\x9F\x98\x80" }, { "\"<<\"", "'<<'" }, { "\"*\"", "'*'" },
        { "\"x:\"", "'x:'" }, { "1.5", "1.5" }, { "2.0", "2.0" }, { "1e30", "1e+30" }, { "0.1", "0.1" },
    };
    size_t i;

    (void)state;
    for (i = 0; i < UM_COUNT(rows); i++) {
        char *json = um_xasprintf("{\"k\":%s}", rows[i].json), *text = um_xasprintf("k: %s\n", rows[i].text);

        written_as(json, text);
        free(json);
        free(text);
    }
}

static void texts_with_lines_are_literal_blocks(void **state)
{
    (void)state;
    written_as("{\"a\":\"one\\n  two\\n\\n#three\\n\",\"b\":\"x\\ny\",\"c\":\"x\\n\\n\",\"d\":1}",
               "a: |\n  one\n    two\n\n  #three\nb: |-\n  x\n  y\nc: |+\n  x\n\nd: 1\n");
    written_as("[\"x\\n\",{\"a\":{\"b\":\"y\\nz\"}}]", "- |\n  x\n- a:\n    b: |-\n      y\n      z\n");
    written_as("\"x\\ny\\n\\n\"", "\"x\\ny\\n\\n\"\n");
    written_as("{\"a\":\"\\n\",\"b\":\" x\\ny\",\"c\":\"x \\ny\"}", "a: \"\\n\"\nb: \" x\\ny\"\nc: \"x \\ny\"\n");
}

static void a_long_line_becomes_a_block(void **state)
{
    char *json = repeated("{\"displayNames\":{\"EN\":\"", "0123456789", 11, "\",\"FR\":\"x\"}}");
    char *text = repeated("displayNames:\n  EN: '", "0123456789", 11, "'\n  FR: x\n");

    (void)state;
    written_as(json, text);
    free(json);
    free(text);
}

static void what_could_not_be_read_back_is_not_written(void **state)
{
    json_t *v = json_array(), *deeper = v, *nul = json_stringn_nocheck("a\0b", 3);
    struct um_buf b = { 0 };
    unsigned i;

    (void)state;
    for (i = 1; i <= YAML_DEPTH; i++) {
        json_array_append_new(deeper, json_array());
        deeper = json_array_get(deeper, 0);
    }
    assert_int_equal(um_yaml_write(v, NULL, &b), UM_ELIMIT);
    assert_int_equal(um_yaml_write(json_array_get(v, 0), NULL, &b), UM_OK);
    assert_int_equal(um_yaml_write(nul, NULL, &b), UM_EINVAL);
    json_decref(v);
    json_decref(nul);
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_json_has_types),
        cmocka_unit_test(a_text_may_hold_several_documents),
        cmocka_unit_test(an_alias_stands_for_a_copy),
        cmocka_unit_test(the_same_key_twice_is_refused_with_its_place),
        cmocka_unit_test(what_json_cannot_say_is_refused),
        cmocka_unit_test(every_limit_is_at_its_value),
        cmocka_unit_test(an_alias_counts_for_all_it_stands_for),
        cmocka_unit_test(children_know_where_they_were_written),
        cmocka_unit_test(blocks_and_short_lists),
        cmocka_unit_test(texts_are_quoted_where_needed_only),
        cmocka_unit_test(texts_with_lines_are_literal_blocks),
        cmocka_unit_test(a_long_line_becomes_a_block),
        cmocka_unit_test(what_could_not_be_read_back_is_not_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
