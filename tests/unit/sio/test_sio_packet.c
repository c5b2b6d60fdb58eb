/* The codecs of Engine.IO and Socket.IO against what the reference parsers make of the same bytes (tests/vectors/socketio). */
#include <um_test.h>
#include <jansson.h>
#include <stdio.h>
#include <umbel/util.h>

#include "eio_packet.h"
#include "packet.h"

static json_t *load(const char *name)
{
    const char *other = getenv("UMBEL_VECTORS");
    char path[1024];
    json_error_t e;
    json_t *j;

    snprintf(path, sizeof(path), "%s/%s", other != NULL ? other : UM_TEST_VECTORS "/socketio", name);
    if ((j = json_load_file(path, JSON_ALLOW_NUL, &e)) == NULL)
        fail_msg("%s: %s", path, e.text);
    return j;
}

static struct um_span text_of(const json_t *j) { return UM_SPAN(json_string_value(j), json_string_length(j)); }

static void unhex(struct um_buf *out, const json_t *j)
{
    um_buf_clear(out);
    assert_true(um_hex_decode(out, text_of(j)));
}

static void assert_span(struct um_span got, struct um_span wanted, const char *name)
{
    if (!um_span_eq(got, wanted))
        fail_msg("%s: got %.*s, wanted %.*s", name, (int)got.len, (const char *)got.data, (int)wanted.len, (const char *)wanted.data);
}

/* --- Engine.IO ------------------------------------------------------------------------------------------------ */

static const char *const eio_names[] = { "open", "close", "ping", "pong", "message", "upgrade", "noop" };

static bool has_same_data(const struct eio_packet *p, const json_t *data, struct um_buf *raw)
{
    if (json_is_object(data)) {
        unhex(raw, json_object_get(data, "hex"));
        return p->is_binary && um_span_eq(p->data, UM_SPAN(raw->data, raw->len));
    }
    return !p->is_binary && (json_is_string(data) ? um_span_eq(p->data, text_of(data)) : p->data.len == 0);
}

static void payloads_are_read_as_the_reference_reads_them(void **state)
{
    json_t *all = load("engineio-codec.json"), *c;
    struct um_buf body = { 0 }, scratch = { 0 }, raw = { 0 };
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "decode_payload"), i, c) {
        const char *name = json_string_value(json_object_get(c, "name"));
        struct eio_packet p;
        size_t pos = 0, k;
        json_t *w;

        unhex(&body, json_object_get(c, "hex"));
        json_array_foreach(json_object_get(c, "decoded"), k, w) {
            const char *type = json_string_value(json_object_get(w, "type"));
            um_err err = eio_payload_next(UM_SPAN(body.data, body.len), &pos, &scratch, &p);

            if (strcmp(type, "error") == 0) {
                if (err != UM_EPROTO)
                    fail_msg("%s: %d", name, err);
            } else if (err != UM_OK || strcmp(eio_names[p.type], type) != 0 || !has_same_data(&p, json_object_get(w, "data"), &raw)) {
                fail_msg("%s: packet %zu", name, k);
            }
        }
    }
    um_buf_free(&body);
    um_buf_free(&scratch);
    um_buf_free(&raw);
    json_decref(all);
}

/* One frame as we send it. */
static void put_frame(struct um_buf *out, int opcode, struct um_span payload)
{
    um_buf_put_u8(out, (uint8_t)(0x80 | opcode));
    if (payload.len < 126) {
        um_buf_put_u8(out, (uint8_t)payload.len);
    } else {
        um_buf_put_u8(out, 126);
        um_buf_put_u8(out, (uint8_t)(payload.len >> 8));
        um_buf_put_u8(out, (uint8_t)payload.len);
    }
    um_buf_put(out, payload.data, payload.len);
}

static void frames_become_the_polling_form_of_the_same_packets(void **state)
{
    json_t *all = load("engineio-codec.json"), *c;
    struct um_buf raw = { 0 }, frame = { 0 }, polling = { 0 }, wanted = { 0 };
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "packets"), i, c) {
        json_t *ws = json_object_get(c, "websocket");

        um_buf_clear(&frame);
        um_buf_clear(&polling);
        unhex(&raw, json_object_get(ws, "payload_hex"));
        unhex(&wanted, json_object_get(json_object_get(c, "polling"), "hex"));
        put_frame(&frame, (int)json_integer_value(json_object_get(ws, "opcode")), UM_SPAN(raw.data, raw.len));
        eio_payload_put_frames(&polling, UM_SPAN(frame.data, frame.len));
        assert_span(UM_SPAN(polling.data, polling.len), UM_SPAN(wanted.data, wanted.len), json_string_value(json_object_get(c, "name")));
    }
    um_buf_free(&raw);
    um_buf_free(&frame);
    um_buf_free(&polling);
    um_buf_free(&wanted);
    json_decref(all);
}

/* --- Socket.IO ------------------------------------------------------------------------------------------------ */

/* Takes the binary values out of J, in order. */
static json_t *with_placeholders(json_t *j, unsigned *n)
{
    const char *key;
    json_t *v;
    size_t i;
    void *tmp;

    if (json_object_get(j, "__bin_hex") != NULL)
        return json_pack("{s:b, s:i}", "_placeholder", 1, "num", (int)(*n)++);
    if (json_is_array(j))
        json_array_foreach(j, i, v)
            json_array_set_new(j, i, with_placeholders(v, n));
    json_object_foreach_safe(j, tmp, key, v)
        json_object_set_new(j, key, with_placeholders(v, n));
    return json_incref(j);
}

static void packets_are_written_as_the_reference_writes_them(void **state)
{
    json_t *all = load("socketio-codec.json"), *c;
    struct um_buf out = { 0 };
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "encode"), i, c) {
        json_t *p = json_object_get(c, "packet"), *id = json_object_get(p, "id"), *data = json_object_get(p, "data"), *plain = NULL;
        struct sio_head head = { (enum sio_type)json_integer_value(json_object_get(p, "type")), json_string_value(json_object_get(p, "nsp")),
                                 id != NULL, (uint64_t)json_integer_value(id) };
        unsigned n = 0;
        char *text = NULL;

        if (data != NULL) {
            plain = with_placeholders(data, &n);
            text = json_dumps(plain, JSON_COMPACT | JSON_ENCODE_ANY);
        }
        um_buf_clear(&out);
        sio_packet_put(&out, &head, text != NULL ? UM_SPAN_STR(text) : UM_SPAN("", 0), n);
        if (n == json_array_size(json_object_get(c, "attachments_hex")) && strchr(text != NULL ? text : "", '\\') == NULL)
            assert_span(UM_SPAN(out.data, out.len), text_of(json_object_get(c, "text")), json_string_value(json_object_get(c, "name")));
        free(text);
        json_decref(plain);
    }
    um_buf_free(&out);
    json_decref(all);
}

/* What JavaScript lets pass by accident; we do not. */
static bool is_accident(const char *text)
{
    static const char *const accidents[] = { "", "2", "2 [\"a\"]", "2/admin[\"a\"]" };

    for (size_t i = 0; i < UM_COUNT(accidents); i++)
        if (strcmp(text, accidents[i]) == 0)
            return true;
    return false;
}

static void decode_case(json_t *c)
{
    json_t *input = json_object_get(c, "input"), *first = json_array_get(input, 0), *wanted = json_array_get(json_object_get(c, "decoded"), 0);
    const char *text = json_string_value(json_object_get(first, "text")), *why = NULL;
    bool complete = json_array_size(json_object_get(c, "decoded")) > 0, refused = json_is_string(json_object_get(c, "error"));
    struct sio_packet p;
    um_err err;

    if (text == NULL || is_accident(text) || (json_array_size(input) > 1 && json_object_get(json_array_get(input, 1), "text") != NULL))
        return;                           /* the order of messages is the server's business: see its tests */
    err = sio_packet_decode(UM_SPAN_STR(text), &p, &why);
    if (refused) {
        if (err != UM_EPROTO || why == NULL)
            fail_msg("%s: accepted", text);
        return;
    }
    if (err != UM_OK)
        fail_msg("%s: %s", text, why);
    if (!complete)
        return;
    assert_int_equal(p.type, json_integer_value(json_object_get(wanted, "type")));
    assert_span(p.nsp, text_of(json_object_get(wanted, "nsp")), text);
    assert_int_equal(p.has_id, json_object_get(wanted, "id") != NULL);
    assert_int_equal(p.data.len > 0, json_object_get(wanted, "data") != NULL);
    assert_int_equal(p.n_att, json_array_size(input) - 1);
    if (p.has_id && strlen(text) < 18)
        assert_int_equal(p.id, json_integer_value(json_object_get(wanted, "id")));
    if (p.data.len > 0 && p.n_att == 0) {
        json_t *got = json_loadb((const char *)p.data.data, p.data.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

        assert_true(json_equal(got, json_object_get(wanted, "data")));
        json_decref(got);
    }
}

static void packets_are_read_as_the_reference_reads_them(void **state)
{
    json_t *all = load("socketio-codec.json"), *c;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "decode"), i, c)
        decode_case(c);
    json_decref(all);
}

/* --- values ----------------------------------------------------------------------------------------------------- */

static void json_is_judged_strictly(void **state)
{
    static const char *const right[] = { "1", "-0.5e+7", "\"\\ud800 \\n\"", "[]", "{\"a\":[{}]}", "null" };
    static const char *const wrong[] = { "", " 1", "01", "1.", "+1", "\"\n\"", "\"\\x\"", "[1,]", "{a:1}", "{\"a\":1,}", "nul", "[1]]", "\"\xff\"" };
    char deep[200];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(right); i++)
        assert_int_equal(um_sio_data_check(UM_SPAN_STR(right[i]), 0), UM_OK);
    for (size_t i = 0; i < UM_COUNT(wrong); i++)
        assert_int_not_equal(um_sio_data_check(UM_SPAN_STR(wrong[i]), 0), UM_OK);
    for (int depth = 64; depth <= 65; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        assert_int_equal(um_sio_data_check(UM_SPAN(deep, 2 * (size_t)depth), 0), depth == 64 ? UM_OK : UM_EPROTO);
    }
}

static void a_placeholder_is_one_however_it_is_spelled(void **state)
{
    (void)state;
    assert_int_equal(um_sio_data_check(UM_SPAN_STR("[{\"\\u005fplaceholder\":true,\"num\":0}]"), 0), UM_EPROTO);
    assert_int_equal(um_sio_data_check(UM_SPAN_STR("[{\"num\":0,\"_placeholder\":true}]"), 1), UM_OK);
    assert_int_equal(um_sio_data_check(UM_SPAN_STR("[{\"_placeholder\":true,\"num\":0.5}]"), 1), UM_EPROTO);
    assert_int_equal(um_sio_data_check(UM_SPAN_STR("[{\"_placeholder\":true,\"num\":1,\"_placeholder\":false}]"), 0), UM_OK);
}

static void arguments_are_walked_and_texts_decoded(void **state)
{
    static const char *const wanted[] = { "\"a,]\\\"\"", "{\"b\":[1,2]}", "-1", "{\"_placeholder\":true,\"num\":3}", "true" };
    struct um_span json = UM_SPAN_STR("[ \"a,]\\\"\" ,{\"b\":[1,2]}, -1,{\"_placeholder\":true,\"num\":3}, true ]"), e;
    size_t pos = 0, i = 0, num = 0;
    char text[16];

    (void)state;
    while (um_sio_each(json, &pos, &e)) {
        assert_true(i < UM_COUNT(wanted));
        assert_span(e, UM_SPAN_STR(wanted[i]), "element");
        assert_int_equal(um_sio_is_binary(e, &num), i == 3);
        i++;
    }
    assert_int_equal(i, UM_COUNT(wanted));
    assert_int_equal(num, 3);
    assert_true(um_sio_string(UM_SPAN_STR("\"\\u00e9\\ud83d\\ude00\\t\""), text, sizeof(text)));
    assert_string_equal(text, "\xc3\xa9\xf0\x9f\x98\x80\t");
    assert_false(um_sio_string(UM_SPAN_STR("\"\\ud800\""), text, sizeof(text)));
    assert_false(um_sio_string(UM_SPAN_STR("\"\\u0000\""), text, sizeof(text)));
    assert_false(um_sio_string(UM_SPAN_STR("\"0123456789abcdef\""), text, sizeof(text)));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(payloads_are_read_as_the_reference_reads_them),
        cmocka_unit_test(frames_become_the_polling_form_of_the_same_packets),
        cmocka_unit_test(packets_are_written_as_the_reference_writes_them),
        cmocka_unit_test(packets_are_read_as_the_reference_reads_them),
        cmocka_unit_test(json_is_judged_strictly),
        cmocka_unit_test(a_placeholder_is_one_however_it_is_spelled),
        cmocka_unit_test(arguments_are_walked_and_texts_decoded),
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
