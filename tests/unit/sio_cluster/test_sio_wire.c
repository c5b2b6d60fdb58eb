/* The Redis adapters' messages against what the Node packages put on the wire: each recorded message is read, written anew from what was
 * understood, and is the same bytes. */
#include "um_test.h"
#include <jansson.h>
#include <stdio.h>
#include <umbel/util.h>
#include "wire.h"

static json_t *load(const char *name)
{
    const char *dir = getenv("UMBEL_VECTORS");
    char path[600];
    json_error_t e;
    json_t *j;

    snprintf(path, sizeof(path), "%s/socketio/%s", dir != NULL ? dir : UM_TEST_VECTORS, name);
    if ((j = json_load_file(path, JSON_ALLOW_NUL | JSON_DECODE_ANY, &e)) == NULL)
        fail_msg("%s: %s", path, e.text);
    return j;
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    return s != NULL ? s : "";
}

static struct um_span unhex(const char *hex, struct um_buf *out)
{
    um_buf_clear(out);
    assert_true(um_hex_decode(out, UM_SPAN_STR(hex)));
    return UM_SPAN(out->data, out->len);
}

static void assert_bytes(const char *what, struct um_span got, struct um_span want)
{
    struct um_buf a = { 0 }, b = { 0 };

    if (um_span_eq(got, want))
        return;
    um_hex_encode(&a, got);
    um_hex_encode(&b, want);
    fail_msg("%s:\n got %s\nwant %s", what, um_buf_cstr(&a), um_buf_cstr(&b));
}

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

/* ---- MessagePack ---- */

/* VALUE as the JSON text of an application; false for what JSON has not. */
static bool as_json(const json_t *value, struct um_buf *text, struct um_buf *bin, size_t *n_bins)
{
    const char *hex = json_string_value(json_object_get(value, "__bin_hex"));
    char *dumped;

    *n_bins = 0;
    um_buf_clear(text);
    if (json_object_get(value, "__u16") != NULL)
        return false;
    if (json_object_get(value, "__date_ms") != NULL) {
        char iso[32];
        um_wall_iso((int64_t)json_integer_value(json_object_get(value, "__date_ms")), iso);
        um_buf_printf(text, "\"%s\"", iso);
        return true;
    }
    if (hex != NULL) {
        (void)unhex(hex, bin);
        *n_bins = 1;
        um_buf_puts(text, "{\"_placeholder\":true,\"num\":0}");
        return true;
    }
    dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    um_buf_puts(text, dumped);
    free(dumped);
    return true;
}

static bool is_one_way(const char *name)
{
    return strncmp(name, "date", 4) == 0 || strcmp(name, "nan") == 0 || strcmp(name, "infinity") == 0 ||
           strcmp(name, "map with undefined value") == 0 || strcmp(name, "number 1e+300") == 0;
}

static void check_encoding(const json_t *row)
{
    const char *name = text_of(row, "name");
    struct um_buf text = { 0 }, bin = { 0 }, want = { 0 }, out = { 0 };
    struct um_span bins[1];
    size_t n;

    if (as_json(json_object_get(row, "value"), &text, &bin, &n) && (!is_one_way(name) || strcmp(name, "number 1e+300") == 0)) {
        bins[0] = span_of(&bin);
        assert_int_equal(mp_from_json(span_of(&text), bins, n, &out), UM_OK);
        (void)unhex(text_of(row, "msgpack"), &want);
        assert_bytes(name, span_of(&out), span_of(&want));
    }
    um_buf_free(&text);
    um_buf_free(&bin);
    um_buf_free(&want);
    um_buf_free(&out);
}

static void assert_same_json(const char *what, struct um_buf *got, struct um_buf *want)
{
    json_t *a = json_loads(um_buf_cstr(got), JSON_DECODE_ANY, NULL), *b = json_loads(um_buf_cstr(want), JSON_DECODE_ANY, NULL);

    if (a == NULL || b == NULL || !json_equal(a, b))
        fail_msg("%s: got %s, want %s", what, um_buf_cstr(got), um_buf_cstr(want));
    json_decref(a);
    json_decref(b);
}

static void check_decoding(const json_t *row, const char *package)
{
    const char *name = text_of(row, "name");
    struct um_buf text = { 0 }, bin = { 0 }, bytes = { 0 }, out = { 0 };
    struct mp_bins bins = { .n = 0 };
    struct um_reader r;
    size_t n;

    r = um_reader(unhex(text_of(row, package), &bytes));
    assert_int_equal(mp_to_json(&r, &out, &bins), UM_OK);
    assert_int_equal(um_reader_left(&r), 0);
    if (strcmp(name, "nan") == 0 || strcmp(name, "infinity") == 0)
        assert_string_equal(um_buf_cstr(&out), "null");
    else if ((!is_one_way(name) || strncmp(name, "date", 4) == 0) && as_json(json_object_get(row, "value"), &text, &bin, &n)) {
        assert_same_json(name, &out, &text);
        assert_int_equal(bins.n, n);
        if (n == 1)
            assert_bytes(name, bins.items[0], span_of(&bin));
    }
    um_buf_free(&text);
    um_buf_free(&bin);
    um_buf_free(&bytes);
    um_buf_free(&out);
}

static void every_value_is_written_and_read_as_both_packages_do(void **state)
{
    json_t *all = load("msgpack-encodings.json"), *row;
    size_t i;

    (void)state;
    assert_true(json_array_size(json_object_get(all, "values")) > 40);
    json_array_foreach(json_object_get(all, "values"), i, row) {
        check_encoding(row);
        check_decoding(row, "notepack");
        check_decoding(row, "msgpack");
    }
    json_decref(all);
}

static const struct { const char *json, *hex; } one_way[] = {
    { "1e3", "cd03e8" }, { "-0", "00" }, { "1.0", "01" }, { "9007199254740992", "cb4340000000000000" },
    { "1e999", "cb7ff0000000000000" }, { " [ 1 , {\"a\" : null} ] ", "920181a161c0" },
    { "\"\\u00e9\\ud83d\\ude00\\n\\u0000\"", "a8c3a9f09f98800a00" }, { "\"\\ud800\"", "a3efbfbd" },
    { "{\"__proto__\":{\"x\":1},\"a\":2}", "81a16102" }, { "{\"_placeholder\":true,\"num\":0}", "82ac5f706c616365686f6c646572c3a36e756d00" },
};

static void texts_become_the_shortest_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(one_way); i++) {
        struct um_buf out = { 0 }, want = { 0 };
        assert_int_equal(mp_from_json(UM_SPAN_STR(one_way[i].json), NULL, 0, &out), UM_OK);
        assert_bytes(one_way[i].json, span_of(&out), unhex(one_way[i].hex, &want));
        um_buf_free(&out);
        um_buf_free(&want);
    }
}

static void what_is_not_json_is_refused_and_leaves_nothing(void **state)
{
    static const char *const rows[] = { "", " ", "[", "[1", "[1,", "[1,]", "{", "{\"a\"", "{\"a\":}", "{\"a\":1,}", "{a:1}", "tru", "nul", "01",
        "1.", ".5", "1e", "-", "+1", "\"a", "\"\\x\"", "\"\\u12\"", "\"\t\"", "\"\xff\"", "[1]x", "1 2", "'a'", "NaN" };
    struct um_buf out = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        if (mp_from_json(UM_SPAN_STR(rows[i]), NULL, 0, &out) != UM_EPROTO)
            fail_msg("taken: %s", rows[i]);
        assert_int_equal(out.len, 0);
    }
    um_buf_free(&out);
}

static const struct { const char *hex; um_err err; } bad_bytes[] = {
    { "", UM_EPROTO }, { "c1", UM_EPROTO }, { "d9", UM_EPROTO }, { "a3ff", UM_EPROTO }, { "ddffffffff", UM_EPROTO },
    { "dfffffffff00", UM_EPROTO }, { "dbffffffff", UM_EPROTO }, { "c6ffffffff00", UM_EPROTO }, { "9101c0c0", UM_OK }, { "d40500", UM_EPROTO },
    { "81c0c0", UM_EPROTO }, { "819000", UM_EPROTO }, { "92", UM_EPROTO }, { "d50000ff", UM_EPROTO }, { "c703ff000000", UM_EPROTO },
    { "92c4010182ac5f706c616365686f6c646572c3a36e756d05", UM_EPROTO },
};

static void hostile_bytes_are_refused_before_anything_is_allocated_for_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad_bytes); i++) {
        struct um_buf bytes = { 0 }, out = { 0 };
        struct mp_bins bins = { .n = 0 };
        struct um_reader r = um_reader(unhex(bad_bytes[i].hex, &bytes));
        um_err err = mp_to_json(&r, &out, &bins);
        if (err != bad_bytes[i].err)
            fail_msg("%s: %s", bad_bytes[i].hex, um_err_text(err));
        um_buf_free(&bytes);
        um_buf_free(&out);
    }
}

static um_err nested(unsigned depth, bool is_json)
{
    struct um_buf in = { 0 }, out = { 0 };
    struct um_reader r;
    um_err err;

    for (unsigned i = 0; i < depth; i++)
        um_buf_put_u8(&in, is_json ? '[' : 0x91);
    um_buf_puts(&in, is_json ? "1" : "\x01");
    for (unsigned i = 0; i < depth && is_json; i++)
        um_buf_put_u8(&in, ']');
    r = um_reader(span_of(&in));
    err = is_json ? mp_from_json(span_of(&in), NULL, 0, &out) : mp_to_json(&r, &out, NULL);
    um_buf_free(&in);
    um_buf_free(&out);
    return err;
}

static void depth_is_bounded_both_ways(void **state)
{
    (void)state;
    for (int is_json = 0; is_json < 2; is_json++) {
        assert_int_equal(nested(MP_MAX_DEPTH, is_json), UM_OK);
        assert_int_equal(nested(MP_MAX_DEPTH + 1, is_json), UM_ELIMIT);
        assert_int_equal(nested(100000, is_json), UM_ELIMIT);
    }
}

static void long_containers_get_their_head_when_their_end_is_known(void **state)
{
    struct um_buf text = { 0 }, out = { 0 }, back = { 0 };
    struct um_reader r;

    (void)state;
    um_buf_puts(&text, "{\"list\":[");
    for (int i = 0; i < 70000; i++)
        um_buf_printf(&text, "%s%d", i > 0 ? "," : "", i);
    um_buf_puts(&text, "],\"map\":{");
    for (int i = 0; i < 300; i++)
        um_buf_printf(&text, "%s\"k%d\":[]", i > 0 ? "," : "", i);
    um_buf_puts(&text, "}}");
    assert_int_equal(mp_from_json(span_of(&text), NULL, 0, &out), UM_OK);
    r = um_reader(span_of(&out));
    assert_int_equal(mp_to_json(&r, &back, NULL), UM_OK);
    assert_bytes("there and back", span_of(&back), span_of(&text));
    um_buf_free(&text);
    um_buf_free(&out);
    um_buf_free(&back);
}

/* ---- messages ---- */

struct again {                                      /* a message and what it was written anew from */
    struct wire_msg m;
    struct um_sio_opts o;
    struct um_sio_data *event, *values[64];
    size_t n_values;
    char uid[64], nsp[64], request_id[64];
    struct wire_say say;
};

static const char *copy(char out[64], struct um_span s)
{
    if (s.data == NULL)
        return NULL;
    assert_true(s.len < 64);
    memcpy(out, s.data, s.len);
    out[s.len] = 0;
    return out;
}

static void take_values(struct again *a)
{
    struct um_reader r = um_reader(a->m.sockets);
    struct um_span raw;
    struct mp_token t;

    assert_true(mp_next(&r, &t) && t.kind == MP_ARRAY && t.n < 64);
    for (a->n_values = 0; a->n_values < t.n; a->n_values++) {
        assert_true(mp_value(&r, &raw));
        assert_int_equal(wire_read_value(raw, &a->values[a->n_values]), UM_OK);
    }
}

static void take_names(struct again *a)
{
    for (a->n_values = 0; a->n_values < a->m.rooms.n; a->n_values++) {
        struct um_buf b = { 0 };
        um_buf_put_u8(&b, '"');
        um_json_escape(&b, a->m.rooms.items[a->n_values]);
        um_buf_put_u8(&b, '"');
        a->values[a->n_values] = um_sio_data_text(um_buf_cstr(&b));
        um_buf_free(&b);
    }
}

static void understand(struct again *a, struct um_span packet, struct um_span value)
{
    struct wire_packet p = { 0 };
    char nsp[64];

    a->o = wire_opts(&a->m);
    if (packet.data != NULL) {
        assert_int_equal(wire_read_packet(packet, &p), UM_OK);
        a->event = p.event;
        if (copy(nsp, p.nsp) != NULL)
            memcpy(a->nsp, nsp, sizeof(nsp));
    }
    if (value.data != NULL)
        assert_int_equal(wire_read_value(value, &a->event), UM_OK);
    if (a->m.sockets.data != NULL)
        take_values(a);
    (void)copy(a->nsp, a->m.nsp);
    a->say = (struct wire_say){ .uid = copy(a->uid, a->m.uid), .nsp = a->nsp, .request_id = copy(a->request_id, a->m.request_id), .type = a->m.type,
        .o = a->m.has_opts ? &a->o : NULL, .event = a->event, .rooms = a->m.rooms.items, .n_rooms = a->m.rooms.n, .values = a->values,
        .n_values = a->n_values, .client_count = (unsigned)UM_MAX(a->m.client_count, 0), .close = a->m.close };
}

static void forget(struct again *a)
{
    for (size_t i = 0; i < a->n_values; i++)
        um_sio_data_unref(a->values[i]);
    um_sio_data_unref(a->event);
    wire_clear(&a->m);
}

/* Flags of Node's that we neither need nor say, another order of members, numbers as rooms and dates, texts for us: understood only. */
static bool is_worded_otherwise(const char *op, struct um_span bytes)
{
    return memmem(bytes.data, bytes.len, "expectSingleResponse", 20) != NULL || strncmp(op, "emitter", 7) == 0 || strstr(op, "numeric") != NULL ||
           strstr(op, "date") != NULL;
}

static void check_classic_broadcast(const char *op, struct um_span bytes)
{
    struct again a = { 0 };
    struct um_buf out = { 0 };

    assert_int_equal(wire_read_broadcast(bytes, &a.m), UM_OK);
    understand(&a, a.m.packet, (struct um_span){ 0 });
    assert_int_equal(wire_put_broadcast(&out, &a.say), UM_OK);
    if (!is_worded_otherwise(op, bytes))
        assert_bytes(op, span_of(&out), bytes);
    um_buf_free(&out);
    forget(&a);
}

static void check_classic(const char *op, const char *channel, struct um_span bytes)
{
    bool is_request = strncmp(channel, "socket.io-request#", 18) == 0, is_ack;
    struct again a = { 0 };
    struct um_buf out = { 0 };
    struct um_span none = { 0 };

    assert_int_equal(wire_read_classic(bytes, &a.m), UM_OK);
    is_ack = a.m.type == CLASSIC_ACK;
    understand(&a, is_ack ? none : a.m.packet, is_ack ? a.m.packet : a.m.data);
    if (a.m.type == -1)
        a.say.type = a.m.sockets.data != NULL ? CLASSIC_FETCH : CLASSIC_ALL_ROOMS;
    if (a.say.type == CLASSIC_ALL_ROOMS && !is_request) {
        take_names(&a);
        a.say.n_values = a.n_values;
    }
    if (a.say.uid == NULL && is_request)
        a.say.uid = "emitter";                      /* who says no id */
    assert_int_equal(is_request ? wire_put_request(&out, &a.say) : wire_put_answer(&out, &a.say), UM_OK);
    if (!is_worded_otherwise(op, bytes))
        assert_bytes(op, span_of(&out), bytes);
    um_buf_free(&out);
    forget(&a);
}

static void each_publish(json_t *commands, unsigned least, void (*check)(const char *op, const char *channel, struct um_span bytes))
{
    struct um_buf bytes = { 0 };
    unsigned n = 0;
    json_t *c;
    size_t i;

    json_array_foreach(commands, i, c) {
        if (json_object_get(c, "payload_hex") == NULL)
            continue;
        check(text_of(c, "op"), text_of(c, "channel"), unhex(text_of(c, "payload_hex"), &bytes));
        n++;
    }
    um_buf_free(&bytes);
    assert_true(n >= least);
}

static void check_one_classic(const char *op, const char *channel, struct um_span bytes)
{
    if (strncmp(channel, "socket.io#", 10) == 0)
        check_classic_broadcast(op, bytes);
    else
        check_classic(op, channel, bytes);
}

static void the_classic_adapter_is_understood_and_spoken(void **state)
{
    json_t *all = load("redis-classic.json"), *more = json_object_get(all, "specific_response_channel");

    (void)state;
    each_publish(json_object_get(all, "commands"), 40, check_one_classic);
    each_publish(json_is_array(more) ? more : json_object_get(more, "commands"), 5, check_one_classic);
    json_decref(all);
}

static void the_emitter_is_understood(void **state)
{
    json_t *all = load("redis-emitter.json");

    (void)state;
    each_publish(json_object_get(all, "commands"), 10, check_one_classic);
    json_decref(all);
}

static void check_cluster(const char *op, struct um_span bytes, enum wire_form form)
{
    struct again a = { 0 };
    struct um_buf out = { 0 };
    struct um_span none = { 0 };
    bool is_packet;

    assert_int_equal(wire_read_cluster(bytes, &a.m), UM_OK);
    is_packet = a.m.type == CLUSTER_BROADCAST;
    understand(&a, is_packet ? a.m.packet : none, is_packet ? none : a.m.packet);
    assert_int_equal(wire_put_cluster(&out, &a.say, form), UM_OK);
    if (!is_worded_otherwise(op, bytes))
        assert_bytes(op, span_of(&out), bytes);
    um_buf_free(&out);
    forget(&a);
}
static void check_sharded(const char *op, const char *channel, struct um_span bytes)
{
    (void)channel;
    check_cluster(op, bytes, WIRE_JSON);
}
static void check_streams(const char *op, const char *channel, struct um_span bytes)
{
    (void)channel;
    check_cluster(op, bytes, WIRE_MSGPACK);
}

static void the_sharded_adapter_is_understood_and_spoken(void **state)
{
    json_t *all = load("redis-sharded.json"), *mode;
    const char *name;

    (void)state;
    json_object_foreach(json_object_get(all, "modes"), name, mode)
        each_publish(json_object_get(mode, "commands"), 20, check_sharded);
    json_decref(all);
}

static void check_entry(const char *op, int type, const char *data)
{
    struct again a = { 0 };
    struct um_buf out = { 0 };
    struct wire_packet p = { 0 };
    struct um_span none = { 0 };

    assert_int_equal(wire_read_entry(UM_SPAN_STR(data), &a.m), UM_OK);
    a.m.type = type;
    understand(&a, type == CLUSTER_BROADCAST ? a.m.packet : none, none);
    assert_int_equal(wire_put_entry(&out, &a.say), UM_OK);
    if (type == CLUSTER_BROADCAST) {
        assert_int_equal(wire_read_packet(a.m.packet, &p), UM_OK);
        assert_int_equal(p.has_id, strstr(op, "with ack") != NULL);
        um_sio_data_unref(p.event);
    }
    if (!p.has_id)
        assert_string_equal(um_buf_cstr(&out), data);
    um_buf_free(&out);
    forget(&a);
}

static void the_streams_adapter_is_understood_and_spoken(void **state)
{
    json_t *all = load("redis-streams.json"), *c, *args;
    unsigned n = 0;
    size_t i;

    (void)state;
    each_publish(json_object_get(all, "commands"), 7, check_streams);
    json_array_foreach(json_object_get(all, "commands"), i, c) {
        args = json_object_get(c, "args");
        if (strcmp(text_of(c, "command"), "XADD") != 0)
            continue;
        check_entry(text_of(c, "op"), atoi(json_string_value(json_array_get(args, 10))), json_string_value(json_array_get(args, 12)));
        n++;
    }
    assert_true(n >= 8);
    json_decref(all);
}

static void a_namespace_has_its_stream_with_the_sign_of_javascript(void **state)
{
    json_t *all = load("ids.json"), *row, *index;
    const char *n;
    size_t i;

    (void)state;
    json_array_foreach(json_object_get(all, "stream_hash"), i, row)
        json_object_foreach(json_object_get(row, "index"), n, index)
            assert_int_equal(wire_stream_index(UM_SPAN_STR(text_of(row, "namespace")), atoi(n)), json_integer_value(index));
    json_decref(all);
}

/* ---- what is not to be obeyed ---- */

static um_err read_any(struct um_span bytes, bool is_broadcast)
{
    struct wire_packet p = { 0 };
    struct wire_msg m;
    um_err err = is_broadcast ? wire_read_broadcast(bytes, &m) : wire_read_cluster(bytes, &m);

    if (err != UM_OK)
        return err;
    if (is_broadcast) {
        err = wire_read_packet(m.packet, &p);
        um_sio_data_unref(p.event);
    }
    wire_clear(&m);
    return err;
}

static void check_cut(const char *op, const char *channel, struct um_span bytes)
{
    bool is_broadcast = strncmp(channel, "socket.io#", 10) == 0;

    (void)op;
    for (size_t n = 0; n < bytes.len; n++) {
        uint8_t *exact = malloc(n + 1);             /* so that a read beyond the end is seen */
        memcpy(exact, bytes.data, n);
        exact = realloc(exact, n > 0 ? n : 1);
        assert_int_not_equal(read_any(UM_SPAN(exact, n), is_broadcast), UM_OK);
        free(exact);
    }
}

static void a_message_that_is_cut_anywhere_is_refused(void **state)
{
    json_t *all = load("redis-classic.json");

    (void)state;
    each_publish(json_object_get(all, "commands"), 40, check_cut);
    json_decref(all);
}

static um_err said(const char *json, bool is_broadcast)
{
    struct um_buf b = { 0 };
    um_err err;

    assert_int_equal(mp_from_json(UM_SPAN_STR(json), NULL, 0, &b), UM_OK);
    err = read_any(span_of(&b), is_broadcast);
    um_buf_free(&b);
    return err;
}

static void broadcasts_of_another_shape_are_refused(void **state)
{
    static const char *const rows[] = {
        "null", "{}", "[]", "[\"u\"]", "[\"u\",{\"type\":2,\"data\":[\"a\"]}]", "[\"u\",null,{\"rooms\":[]}]", "[\"u\",{\"type\":2,\"data\":[\"a\"]},null]",
        "[1,{\"type\":2,\"data\":[\"a\"]},{}]", "[\"u\",{\"type\":1},{}]", "[\"u\",{\"type\":3,\"data\":[\"a\"]},{}]", "[\"u\",{\"data\":[\"a\"]},{}]",
        "[\"u\",{\"type\":2,\"data\":{}},{}]", "[\"u\",{\"type\":2,\"data\":[]},{}]", "[\"u\",{\"type\":2,\"data\":[null]},{}]",
        "[\"u\",{\"type\":2,\"data\":[\"disconnect\"]},{}]", "[\"u\",{\"type\":2,\"data\":[\"a\"]},{\"rooms\":\"r\"}]",
        "[\"u\",{\"type\":2,\"data\":[\"a\"]},{\"rooms\":[{}]}]", "[\"u\",{\"type\":2,\"data\":[\"a\"]},{\"flags\":[]}]",
        "[\"u\",{\"type\":2,\"data\":[\"a\"]},{},1]",
    };

    (void)state;
    assert_int_equal(said("[\"u\",{\"type\":2,\"data\":[\"a\"]},{}]", true), UM_OK);
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (said(rows[i], true) == UM_OK)
            fail_msg("obeyed: %s", rows[i]);
}

static void a_number_and_its_text_are_one_room(void **state)
{
    struct um_buf b = { 0 };
    struct wire_msg m;

    (void)state;
    assert_int_equal(mp_from_json(UM_SPAN_STR("[\"u\",{\"type\":2,\"data\":[\"a\"]},{\"rooms\":[42,\"x\",-7],\"except\":[1]}]"), NULL, 0, &b), UM_OK);
    assert_int_equal(wire_read_broadcast(span_of(&b), &m), UM_OK);
    assert_int_equal(m.target.n, 3);
    assert_true(um_span_eq(m.target.items[0], UM_SPAN_STR("42")));
    assert_true(um_span_eq(m.target.items[1], UM_SPAN_STR("x")));
    assert_true(um_span_eq(m.target.items[2], UM_SPAN_STR("-7")));
    assert_true(um_span_eq(m.except.items[0], UM_SPAN_STR("1")));
    wire_clear(&m);
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_written_and_read_as_both_packages_do),
        cmocka_unit_test(texts_become_the_shortest_bytes),
        cmocka_unit_test(what_is_not_json_is_refused_and_leaves_nothing),
        cmocka_unit_test(hostile_bytes_are_refused_before_anything_is_allocated_for_them),
        cmocka_unit_test(depth_is_bounded_both_ways),
        cmocka_unit_test(long_containers_get_their_head_when_their_end_is_known),
        cmocka_unit_test(the_classic_adapter_is_understood_and_spoken),
        cmocka_unit_test(the_emitter_is_understood),
        cmocka_unit_test(the_sharded_adapter_is_understood_and_spoken),
        cmocka_unit_test(the_streams_adapter_is_understood_and_spoken),
        cmocka_unit_test(a_namespace_has_its_stream_with_the_sign_of_javascript),
        cmocka_unit_test(a_message_that_is_cut_anywhere_is_refused),
        cmocka_unit_test(broadcasts_of_another_shape_are_refused),
        cmocka_unit_test(a_number_and_its_text_are_one_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
