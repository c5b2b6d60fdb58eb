/* The reader of .properties against the vectors of OpenJDK, and where it has a mind of its own. */
#include <jansson.h>
#include <umbel/bytes.h>
#include <um_test.h>
#include "properties.h"

/* ---- allocations that fail ---- */

void *__real_realloc(void *p, size_t n);
void *__wrap_realloc(void *p, size_t n);
static long allocations_left = -1;          /* -1: all succeed */

void *__wrap_realloc(void *p, size_t n)
{
    if (allocations_left == 0)
        return NULL;
    if (allocations_left > 0)
        allocations_left--;
    return __real_realloc(p, n);
}

/* ---- what was read ---- */

struct seen { char *key, *value; size_t key_len, value_len; int key_line, line, column; };
struct result {
    struct seen all[64];
    size_t n;
    int separators[8];
    size_t n_separators;
    um_err err;
    struct properties_error error;
};

static char *copy(struct um_span s)
{
    char *p = malloc(s.len + 1);
    assert_non_null(p);
    memcpy(p, s.data, s.len);
    p[s.len] = '\0';
    return p;
}

static um_err take(void *arg, const struct properties_entry *e)
{
    struct result *r = arg;

    assert_true(r->n < UM_COUNT(r->all));
    r->all[r->n++] = (struct seen){ copy(e->key), copy(e->value), e->key.len, e->value.len, e->key_line, e->line, e->column };
    return UM_OK;
}

static um_err take_separator(void *arg, int line)
{
    struct result *r = arg;
    r->separators[r->n_separators++] = line;
    return UM_OK;
}

/* A copy of exact size, so that a reader that goes too far is caught. */
static void read_bytes(struct result *r, const void *data, size_t len, bool spring)
{
    struct properties_sink sink = { .entry = take, .separator = spring ? take_separator : NULL, .arg = r, .lists = spring };
    uint8_t *exact = malloc(len > 0 ? len : 1);

    assert_non_null(exact);
    memcpy(exact, data, len);
    memset(r, 0, sizeof(*r));
    r->err = properties_read(UM_SPAN(exact, len), &sink, &r->error);
    free(exact);
}

static void read_text(struct result *r, const char *text, bool spring)
{
    read_bytes(r, text, strlen(text), spring);
}

static void drop(struct result *r)
{
    for (size_t i = 0; i < r->n; i++) {
        free(r->all[i].key);
        free(r->all[i].value);
    }
    r->n = 0;
}

/* ---- vectors ---- */

static json_t *vectors(void)
{
    const char *dir = getenv("UMBEL_VECTORS");
    char path[4096];
    json_error_t error;

    snprintf(path, sizeof(path), "%s/properties.json", dir != NULL ? dir : UM_TEST_VECTORS);
    json_t *root = json_load_file(path, JSON_ALLOW_NUL, &error);
    if (root == NULL)
        fail_msg("%s:%d: %s", path, error.line, error.text);
    return root;
}

static bool equals(json_t *expected, const char *data, size_t len)
{
    return json_string_length(expected) == len && memcmp(json_string_value(expected), data, len) == 0;
}

static void every_vector_of_java_is_read_alike(void **state)
{
    (void)state;
    json_t *root = vectors(), *list = json_object_get(root, "vectors"), *vector;
    size_t i;

    assert_true(json_array_size(list) >= 76);
    json_array_foreach(list, i, vector) {
        json_t *text = json_object_get(vector, "text"), *entries = json_object_get(vector, "entries");
        struct result r;
        read_bytes(&r, json_string_value(text), json_string_length(text), false);
        assert_int_equal(r.err, UM_OK);
        size_t from = r.n - json_array_size(entries);      /* Java keeps the last of equal keys */
        if (r.n < json_array_size(entries))
            fail_msg("vector %zu: %zu entries", i, r.n);
        for (size_t k = from; k < r.n; k++) {
            json_t *pair = json_array_get(entries, k - from);
            if (!equals(json_array_get(pair, 0), r.all[k].key, r.all[k].key_len) ||
                !equals(json_array_get(pair, 1), r.all[k].value, r.all[k].value_len))
                fail_msg("vector %zu: \"%s\" -> \"%s\"", i, r.all[k].key, r.all[k].value);
        }
        for (size_t k = 0; k < from; k++)
            assert_string_equal(r.all[k].key, r.all[from].key);
        drop(&r);
    }
    json_decref(root);
}

static void malformed_escapes_are_refused(void **state)
{
    (void)state;
    json_t *root = vectors(), *list = json_object_get(root, "errors"), *vector;
    size_t i;

    assert_true(json_array_size(list) >= 3);
    json_array_foreach(list, i, vector) {
        struct result r;
        read_text(&r, json_string_value(json_object_get(vector, "text")), false);
        assert_int_equal(r.err, UM_EPROTO);
        assert_non_null(strstr(r.error.reason, "malformed"));
        assert_int_equal(r.error.line, 1);
        assert_int_equal(r.error.column, 3);
        drop(&r);
    }
    json_decref(root);
}

/* ---- ours ---- */

static void half_a_surrogate_pair_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "a=\\ud83d", "a=\\ude00", "a=\\ud83dx", "a=\\ud83d\\u0041", "\\ud83d=a", "a=\\ud83d\\ud83d" };
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        struct result r;
        read_text(&r, bad[i], false);
        assert_int_equal(r.err, UM_EPROTO);
        drop(&r);
    }
}

static void an_escape_may_be_cut_by_a_joined_line(void **state)
{
    (void)state;
    struct result r;
    read_text(&r, "a=\\u00\\\n  41\nb=\\ud83d\\\n\\ude00", false);
    assert_int_equal(r.n, 2);
    assert_string_equal(r.all[0].value, "A");
    assert_string_equal(r.all[1].value, "\xf0\x9f\x98\x80");
    drop(&r);
}

static void a_joined_line_without_text_begins_anew(void **state)
{
    (void)state;
    struct result r;
    read_text(&r, "\\\n#x=y\n\\\r\n\n  a=b", false);      /* as OpenJDK 17 does: a comment, nothing, an entry */
    assert_int_equal(r.n, 1);
    assert_string_equal(r.all[0].key, "a");
    drop(&r);
    static const char *const empty[] = { "\\", "\\\n", "\\\r" };
    for (size_t i = 0; i < UM_COUNT(empty); i++) {
        read_text(&r, empty[i], false);
        assert_int_equal(r.n, 1);
        assert_int_equal(r.all[0].key_len, 0);
        drop(&r);
    }
    read_text(&r, "\\\n ", false);
    assert_int_equal(r.n, 0);
    drop(&r);
}

static void places_count_lines_and_characters(void **state)
{
    (void)state;
    struct result r;
    read_text(&r, "# x\n\n  a = b\r\nk\xc3\xa9y=\\\n   v\nlast", false);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.all[0].line, 3);
    assert_int_equal(r.all[0].column, 7);
    assert_int_equal(r.all[1].key_line, 4);
    assert_int_equal(r.all[1].line, 5);
    assert_int_equal(r.all[1].column, 4);
    assert_int_equal(r.all[2].line, 6);
    assert_int_equal(r.all[2].column, 5);
    drop(&r);
}

static void a_separator_stands_alone_at_column_one(void **state)
{
    (void)state;
    struct result r;
    read_text(&r, "a=1\n#---\nb=2\n!---\nc=3\n", true);
    assert_int_equal(r.n, 3);
    assert_int_equal(r.n_separators, 2);
    assert_int_equal(r.separators[0], 2);
    assert_int_equal(r.separators[1], 4);
    drop(&r);

    static const char *const none[] = {
        "a=1\n #---\nb=2", "a=1\n#----\nb=2", "a=1\n#--\nb=2", "a=1\n#--- x\nb=2", "a=1\n# x\n#---\nb=2", "a=1\n#---\n# x\nb=2",
        "a=1\\\n#---\nb=2",
    };
    for (size_t i = 0; i < UM_COUNT(none); i++) {
        read_text(&r, none[i], true);
        if (r.n_separators != 0)
            fail_msg("%s", none[i]);
        drop(&r);
    }
    read_text(&r, "a=1\n! x\n#---\n! y\nb=2", true);      /* the other sign does not hinder */
    assert_int_equal(r.n_separators, 1);
    drop(&r);
}

static void brackets_split_a_value_at_plain_commas(void **state)
{
    (void)state;
    struct result r;
    read_text(&r, "k[]=a, b\\,c ,\\\n  d\nj[]=\nk[0]=x,y", true);
    assert_int_equal(r.n, 5);
    assert_string_equal(r.all[0].key, "k[0]");
    assert_string_equal(r.all[0].value, "a");
    assert_string_equal(r.all[1].value, "b,c ");
    assert_string_equal(r.all[2].key, "k[2]");
    assert_string_equal(r.all[2].value, "d");
    assert_int_equal(r.all[2].line, 2);
    assert_string_equal(r.all[3].key, "j[0]");
    assert_string_equal(r.all[4].value, "x,y");
    drop(&r);
    read_text(&r, "k[]=a,b", false);
    assert_int_equal(r.n, 1);
    assert_string_equal(r.all[0].key, "k[]");
    drop(&r);
}

static void a_line_is_bounded(void **state)
{
    (void)state;
    size_t n = PROPERTIES_MAX_LINE;
    char *text = malloc(n + 2);
    struct result r;

    memset(text, 'x', n + 1);
    text[1] = '=';
    read_bytes(&r, text, n, false);
    assert_int_equal(r.err, UM_OK);
    drop(&r);
    read_bytes(&r, text, n + 1, false);
    assert_int_equal(r.err, UM_ELIMIT);
    drop(&r);
    text[0] = '#';
    read_bytes(&r, text, n + 1, false);                  /* a comment may be long */
    assert_int_equal(r.err, UM_OK);
    drop(&r);
    free(text);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    static const char *const keys[] = { "a", "a b", "a=b:c", "#a", "!a", "tab\there", "back\\slash", "\xc3\xa9" };
    static const char *const values[] = { "", " leading", "trailing ", "= b", "#x", "C:\\tmp", "line\nbreak\r\f\t", "\xf0\x9f\x98\x80" };
    for (size_t i = 0; i < UM_COUNT(keys); i++) {
        struct um_buf b = { 0 };
        struct result r;
        properties_write_key(&b, keys[i]);
        um_buf_puts(&b, "=");
        properties_write_value(&b, values[i]);
        read_text(&r, um_buf_cstr(&b), false);
        assert_int_equal(r.n, 1);
        assert_string_equal(r.all[0].key, keys[i]);
        assert_string_equal(r.all[0].value, values[i]);
        drop(&r);
        um_buf_free(&b);
    }
}

static void reading_survives_every_failed_allocation(void **state)
{
    (void)state;
    char text[600];
    struct result r = { 0 };

    memset(text, 'k', sizeof(text));
    memcpy(text, "a[]=b,c\\u00e9\nd=", 15);
    for (long n = 0;; n++) {
        assert_true(n < 100);
        allocations_left = n;
        read_bytes(&r, text, sizeof(text), true);
        bool exhausted = allocations_left == 0;
        allocations_left = -1;
        drop(&r);
        if (r.err == UM_OK && !exhausted)
            break;
        assert_true(r.err == UM_OK || r.err == UM_ENOMEM);
    }
    assert_int_equal(r.err, UM_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_of_java_is_read_alike),
        cmocka_unit_test(malformed_escapes_are_refused),
        cmocka_unit_test(half_a_surrogate_pair_is_refused),
        cmocka_unit_test(an_escape_may_be_cut_by_a_joined_line),
        cmocka_unit_test(a_joined_line_without_text_begins_anew),
        cmocka_unit_test(places_count_lines_and_characters),
        cmocka_unit_test(a_separator_stands_alone_at_column_one),
        cmocka_unit_test(brackets_split_a_value_at_plain_commas),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(reading_survives_every_failed_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
