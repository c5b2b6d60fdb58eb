/* What stock servers say over Redis: every message that was captured is read, and built again byte for byte. */
#include "vectors.h"
#include "bus_stock_wire.h"

#define BYTES(literal) UM_SPAN(literal, sizeof(literal) - 1)

static void assert_span(struct um_span got, struct um_span want)
{
    assert_int_equal(got.len, want.len);
    if (want.len > 0)
        assert_memory_equal(got.data, want.data, want.len);
}

static void the_example_is_read_and_built(void **state)
{
    static const char example[] = "\x06" "inst-a" "\x05" "doc-1" "\x00\x00\x01\x00";
    struct stock_message m;
    struct um_buf out = { 0 };

    (void)state;
    assert_true(stock_read(BYTES(example), &m));
    assert_span(m.identifier, BYTES("inst-a"));
    assert_span(m.name, BYTES("doc-1"));
    assert_int_equal(m.type, WIRE_SYNC);
    assert_int_equal(m.kind, SYNC_STEP1);
    assert_span(m.payload, BYTES("\x00"));
    assert_false(m.tag.is_umbel);
    stock_put(&out, &m);
    assert_span(UM_SPAN(out.data, out.len), BYTES(example));
    um_buf_free(&out);
}

/* The others were said to see what stock makes of them. */
static bool is_said_between_servers(const struct stock_message *m)
{
    return m->type <= WIRE_BROADCAST_STATELESS && m->type != WIRE_AUTH && m->type != WIRE_STATELESS;
}

static unsigned check_file(const char *name)
{
    json_t *all = vector_file(name), *entry;
    struct um_buf bytes = { 0 }, out = { 0 };
    unsigned n = 0;
    size_t i;

    json_array_foreach(all, i, entry) {
        struct um_span message = vector_bytes(entry, &bytes);
        struct stock_message m;
        if (strstr(vector_text(entry, "direction"), "redis publish") == NULL || message.len == 0)
            continue;
        if (!stock_read(message, &m))
            fail_msg("%s is not read", vector_text(entry, "name"));
        if (!is_said_between_servers(&m))
            continue;
        um_buf_clear(&out);
        stock_put(&out, &m);
        if (out.len != message.len || memcmp(out.data, message.data, out.len) != 0)
            fail_msg("%s is built otherwise", vector_text(entry, "name"));
        n++;
    }
    um_buf_free(&bytes);
    um_buf_free(&out);
    json_decref(all);
    return n;
}

static void every_captured_message_is_read_and_built(void **state)
{
    char path[512];
    struct dirent *e;
    unsigned n = 0;
    DIR *dir;

    (void)state;
    snprintf(path, sizeof(path), "%s/hocuspocus", vectors_dir());
    dir = opendir(path);
    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL)
        if (strncmp(e->d_name, "redis-", 6) == 0)
            n += check_file(e->d_name);
    closedir(dir);
    assert_true(n >= 129);
}

static void our_tag_comes_after_what_stock_reads(void **state)
{
    struct stock_message m = { BYTES("me"), BYTES("d"), WIRE_SYNC, SYNC_STEP1, BYTES("\x00"), { true, STOCK_OPENING, 0x1122334455667788 } };
    struct stock_message plain = m, got;
    struct um_buf tagged = { 0 }, bare = { 0 };

    (void)state;
    plain.tag.is_umbel = false;
    stock_put(&tagged, &m);
    stock_put(&bare, &plain);
    assert_true(tagged.len > bare.len);
    assert_memory_equal(tagged.data, bare.data, bare.len);
    assert_true(stock_read(UM_SPAN(tagged.data, tagged.len), &got));
    assert_true(got.tag.is_umbel);
    assert_int_equal(got.tag.flags, STOCK_OPENING);
    assert_true(got.tag.hub == 0x1122334455667788);
    assert_true(stock_read(UM_SPAN(tagged.data, tagged.len - 1), &got));     /* cut: it is anybody's */
    assert_false(got.tag.is_umbel);
    um_buf_free(&tagged);
    um_buf_free(&bare);
}

static void what_is_cut_or_wrong_is_refused(void **state)
{
    static const char whole[] = "\x02" "me" "\x01" "d" "\x00\x02\x02\x00\x00";
    static const struct { const char *bytes; size_t len; } wrong[] = {
        { "\x02" "me" "\x00" "\x03", 5 },                        /* no name */
        { "\x02" "me" "\x01" "\x00" "\x03", 6 },                 /* a name with a session */
        { "\x02" "me" "\x01" "\xff" "\x03", 6 },                 /* no UTF-8 */
        { "\x02" "me" "\x01" "d" "\x00\x03\x00", 8 },            /* no such kind */
        { "\x02" "me" "\x01" "d" "\x01\x05" "abcd", 11 },        /* cut */
    };
    struct stock_message m;

    (void)state;
    assert_true(stock_read(BYTES(whole), &m));
    for (size_t n = 0; n < sizeof(whole) - 1; n++)
        assert_false(stock_read(UM_SPAN(whole, n), &m));
    for (size_t i = 0; i < UM_COUNT(wrong); i++)
        assert_false(stock_read(UM_SPAN(wrong[i].bytes, wrong[i].len), &m));
}

static void other_types_are_read_without_a_body(void **state)
{
    struct stock_message m;

    (void)state;
    assert_true(stock_read(BYTES("\x02" "me" "\x01" "d" "\x03"), &m));
    assert_int_equal(m.type, WIRE_QUERY_AWARENESS);
    assert_true(stock_read(BYTES("\x02" "me" "\x01" "d" "\x63" "whatever"), &m));
    assert_int_equal(m.type, 0x63);
    assert_int_equal(m.payload.len, 0);
}

static void names_are_raw(void **state)
{
    struct um_buf out = { 0 };

    (void)state;
    stock_put_channel(&out, BYTES("hocuspocus"), BYTES("a b:c"));
    assert_string_equal(um_buf_cstr(&out), "hocuspocus:a b:c");
    um_buf_clear(&out);
    stock_put_reply_channel(&out, BYTES("hocuspocus"), BYTES("inst-a"));
    assert_string_equal(um_buf_cstr(&out), "hocuspocus#reply:inst-a");
    um_buf_clear(&out);
    stock_put_lock(&out, BYTES("p"), BYTES("d"));
    assert_string_equal(um_buf_cstr(&out), "p:d:lock");
    um_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_read_and_built),
        cmocka_unit_test(every_captured_message_is_read_and_built),
        cmocka_unit_test(our_tag_comes_after_what_stock_reads),
        cmocka_unit_test(what_is_cut_or_wrong_is_refused),
        cmocka_unit_test(other_types_are_read_without_a_body),
        cmocka_unit_test(names_are_raw),
    };
    return cmocka_run_group_tests_name("collab bus stock", tests, NULL, NULL);
}
