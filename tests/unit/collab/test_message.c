/* Frames: every one that real clients and servers exchanged is read, and those of a server are built byte for byte. */
#include "vectors.h"
#include <umbel/ws.h>
#include "message.h"

/* A body is  [kind] [varbytes]  by type. */
static const struct { bool has_kind, has_payload; } shape[] = {
    [WIRE_SYNC] = { true, true },           [WIRE_AWARENESS] = { false, true }, [WIRE_AUTH] = { true, true },
    [WIRE_QUERY_AWARENESS] = { false, false }, [WIRE_SYNC_REPLY] = { true, true }, [WIRE_STATELESS] = { false, true },
    [WIRE_BROADCAST_STATELESS] = { false, true }, [WIRE_CLOSE] = { false, true }, [WIRE_SYNC_STATUS] = { true, false },
};

static struct um_bytes *build(const struct wire_frame *f, struct wire_addr to)
{
    struct um_reader r = um_reader(f->body);
    int kind = shape[f->type].has_kind ? (int)um_read_varuint(&r) : NO_KIND;
    bool has_payload = shape[f->type].has_payload && um_reader_left(&r) > 0;
    struct um_span payload = has_payload ? um_read_varbytes(&r) : UM_SPAN(NULL, 0);

    assert_false(r.failed);
    assert_int_equal(um_reader_left(&r), 0);
    return has_payload ? msg_make(to, (enum wire_type)f->type, kind, payload) : msg_make_empty(to, (enum wire_type)f->type, kind);
}

static void check_built(struct um_span message, const struct wire_frame *f, bool bare, const char *name)
{
    struct wire_addr to = { UM_SPAN(message.data, bare ? 0 : (size_t)(f->address.data - message.data) + f->address.len) };
    struct um_bytes *built = build(f, to), *want = um_ws_frame(UM_WS_BINARY, message);

    if (built->len != want->len || memcmp(built->data, want->data, want->len) != 0)
        fail_msg("%s is built otherwise", name);
    um_bytes_unref(built);
    um_bytes_unref(want);
}

static bool is_malformed(const json_t *entry)
{
    return strstr(vector_text(entry, "meaning"), "malformed") != NULL || strstr(vector_text(entry, "meaning"), "not valid UTF-8") != NULL;
}

static void check_frame(const json_t *entry, bool bare, unsigned *read, unsigned *built)
{
    bool from_server = strcmp(vector_text(entry, "direction"), "server->client") == 0;
    struct um_buf bytes = { 0 };
    struct um_span message = vector_bytes(entry, &bytes);
    struct wire_frame f;
    enum wire_verdict verdict;

    if (message.len > 0 && (from_server || strcmp(vector_text(entry, "direction"), "client->server") == 0)) {
        verdict = bare ? msg_read_bare(message, &f) : msg_read(message, &f);
        if (is_malformed(entry)) {
            assert_true(verdict == WIRE_BAD_ADDRESS || verdict == WIRE_NO_TYPE);
        } else if (verdict != WIRE_KEEP_ALIVE) {
            if (verdict != WIRE_OK)
                fail_msg("%s is not read: %d", vector_text(entry, "name"), verdict);
            ++*read;
            if (from_server && f.type < UM_COUNT(shape)) {
                check_built(message, &f, bare, vector_text(entry, "name"));
                ++*built;
            }
        }
    }
    um_buf_free(&bytes);
}

static void every_captured_frame_is_read_and_a_servers_frames_are_built_byte_for_byte(void **state)
{
    char path[512];
    unsigned read = 0, built = 0;
    struct dirent *e;
    DIR *dir;

    (void)state;
    snprintf(path, sizeof(path), "%s/hocuspocus", vectors_dir());
    dir = opendir(path);
    assert_non_null(dir);
    while ((e = readdir(dir)) != NULL) {
        bool bare = strncmp(e->d_name, "y-websocket", 11) == 0;
        if (strstr(e->d_name, ".json") == NULL || (!bare && strncmp(e->d_name, "ws-", 3) != 0))
            continue;
        json_t *all = vector_file(e->d_name), *entry;
        size_t i;
        json_array_foreach(all, i, entry)
            check_frame(entry, bare, &read, &built);
        json_decref(all);
    }
    closedir(dir);
    assert_true(read > 400);
    assert_true(built > 150);
}

static void check_primitive(const json_t *entry)
{
    const char *name = vector_text(entry, "name");
    struct um_buf bytes = { 0 }, again = { 0 };
    struct um_span want = vector_bytes(entry, &bytes);
    struct um_reader r = um_reader(want);

    if (strncmp(name, "varuint ", 8) == 0) {
        assert_int_equal(um_read_varuint(&r), strtoull(name + 8, NULL, 10));
        um_buf_put_varuint(&again, strtoull(name + 8, NULL, 10));
    } else if (strncmp(name, "varstring", 9) == 0 || strncmp(name, "varuint8array", 13) == 0) {
        struct um_span s = um_read_varbytes(&r);
        um_buf_put_varuint(&again, s.len);
        um_buf_put(&again, s.data, s.len);
    } else {
        um_buf_put(&again, want.data, want.len);         /* varint: nothing of ours uses it */
        r.p = r.end;
    }
    assert_false(r.failed);
    assert_int_equal(um_reader_left(&r), 0);
    assert_true(um_span_eq(UM_SPAN(again.data, again.len), want));
    if (strncmp(name, "varuint8array", 13) == 0 || strncmp(name, "varstring", 9) == 0)
        for (size_t cut = 0; cut < want.len; cut++) {    /* cut anywhere it is refused */
            r = um_reader(UM_SPAN(want.data, cut));
            um_read_varbytes(&r);
            assert_true(r.failed);
        }
    um_buf_free(&bytes);
    um_buf_free(&again);
}

static void the_primitives_of_lib0_are_read_and_written_as_lib0_does(void **state)
{
    json_t *all = vector_file("lib0-primitives.json"), *entry;
    size_t i;

    (void)state;
    json_array_foreach(all, i, entry)
        check_primitive(entry);
    assert_true(i >= 36);
    json_decref(all);
}

static void one_byte_frames_that_mean_alive_are_no_errors(void **state)
{
    struct wire_frame f;

    (void)state;
    assert_int_equal(msg_read(UM_SPAN("\x0a", 1), &f), WIRE_KEEP_ALIVE);
    assert_int_equal(msg_read(UM_SPAN("\x09", 1), &f), WIRE_KEEP_ALIVE);
    assert_int_equal(msg_read(UM_SPAN("\x00", 1), &f), WIRE_KEEP_ALIVE);
    assert_int_equal(msg_read(UM_SPAN("", 0), &f), WIRE_BAD_ADDRESS);
    assert_int_equal(msg_read(UM_SPAN("\x01", 1), &f), WIRE_BAD_ADDRESS);
    assert_int_equal(msg_read(UM_SPAN("\x01r", 2), &f), WIRE_NO_TYPE);
    assert_int_equal(msg_read_bare(UM_SPAN("", 0), &f), WIRE_NO_TYPE);
}

static void a_session_is_split_from_the_name_at_the_first_nul(void **state)
{
    struct wire_frame f;

    (void)state;
    assert_int_equal(msg_read(UM_SPAN("\x05" "d\0a\0b\x07", 7), &f), WIRE_OK);
    assert_true(um_span_eq(f.name, UM_SPAN_STR("d")));
    assert_true(um_span_eq(f.address, UM_SPAN("d\0a\0b", 5)));
    assert_int_equal(f.type, WIRE_CLOSE);
    assert_int_equal(msg_read(UM_SPAN("\x02\0c\x07", 4), &f), WIRE_OK);
    assert_int_equal(f.name.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_captured_frame_is_read_and_a_servers_frames_are_built_byte_for_byte),
        cmocka_unit_test(the_primitives_of_lib0_are_read_and_written_as_lib0_does),
        cmocka_unit_test(one_byte_frames_that_mean_alive_are_no_errors),
        cmocka_unit_test(a_session_is_split_from_the_name_at_the_first_nul),
    };
    return cmocka_run_group_tests_name("collab message", tests, NULL, NULL);
}
