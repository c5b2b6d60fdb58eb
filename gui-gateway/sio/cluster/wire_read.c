/* Messages of the Redis adapters, read. See wire.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "wire.h"

enum { DIGITS = 24 };                               /* of a number that is a room's name */

/* ---- parts ---- */

/* All of an array of names, for one allocation: the spans, then the texts of those that are numbers. */
static um_err read_names(struct um_span raw, struct wire_names *out)
{
    struct um_reader r = um_reader(raw), again;
    struct mp_token t;
    size_t n, numbers = 0;
    char *digits;

    if (!mp_next(&r, &t) || t.kind != MP_ARRAY)
        return UM_EPROTO;
    n = t.n;
    again = r;
    for (size_t i = 0; i < n; i++) {
        if (!mp_next(&r, &t) || (t.kind != MP_STR && t.kind != MP_INT))
            return UM_EPROTO;
        numbers += t.kind == MP_INT;
    }
    free(out->items);
    *out = (struct wire_names){ .items = malloc(n * sizeof(*out->items) + numbers * DIGITS + 1) };
    if (out->items == NULL)
        return UM_ENOMEM;
    digits = (char *)(out->items + n);
    for (out->n = 0; out->n < n; out->n++) {
        (void)mp_next(&again, &t);
        if (t.kind == MP_INT) {
            t.bytes = UM_SPAN(digits, (size_t)snprintf(digits, DIGITS, "%" PRId64, t.integer));
            digits += DIGITS;
        }
        out->items[out->n] = t.bytes;
    }
    return UM_OK;
}

typedef um_err read_fn(void *arg, struct um_span raw);
struct field {
    const char *name;
    read_fn *read;
};

/* Runs the rows of FIELDS over the members of the map RAW; others are passed over. */
static um_err read_map(struct um_span raw, const struct field *fields, size_t n, void *arg)
{
    struct um_reader r = um_reader(raw);
    struct mp_token map, key;
    um_err err = UM_OK;

    if (!mp_next(&r, &map) || map.kind != MP_MAP)
        return UM_EPROTO;
    if (map.n > WIRE_MAX_KEYS)
        return UM_ELIMIT;
    for (uint32_t i = 0; i < map.n && err == UM_OK; i++) {
        struct um_span value;
        if (!mp_next(&r, &key) || key.kind == MP_ARRAY || key.kind == MP_MAP || !mp_value(&r, &value))
            return UM_EPROTO;
        for (size_t k = 0; k < n && key.kind == MP_STR; k++)
            if (um_span_eq(key.bytes, UM_SPAN_STR(fields[k].name)))
                err = fields[k].read(arg, value);
    }
    return err;
}

/* ---- values of one kind; nil counts as absent ---- */

static um_err one(struct um_span raw, struct mp_token *t)
{
    struct um_reader r = um_reader(raw);

    return mp_next(&r, t) ? UM_OK : UM_EPROTO;
}

static bool is_absent(const struct mp_token *t) { return t->kind == MP_NIL || t->kind == MP_UNDEFINED; }

static um_err read_text(struct um_span raw, struct um_span *out)
{
    struct mp_token t;
    um_err err = one(raw, &t);

    if (err == UM_OK && t.kind == MP_STR)
        *out = t.bytes;
    else if (err == UM_OK && !is_absent(&t))
        err = UM_EPROTO;
    return err;
}

static um_err read_int(struct um_span raw, int64_t max, int64_t *out)
{
    struct mp_token t;
    um_err err = one(raw, &t);

    if (err != UM_OK || is_absent(&t))
        return err;
    if (t.kind == MP_REAL && t.real >= 0 && t.real < 9e15)
        t = (struct mp_token){ .kind = MP_INT, .integer = (int64_t)t.real };
    if (t.kind != MP_INT || t.integer < 0)
        return UM_EPROTO;
    *out = UM_MIN(t.integer, max);
    return UM_OK;
}

/* ---- opts: {rooms, except, flags} ---- */

static um_err opts_rooms(void *arg, struct um_span raw) { return read_names(raw, &((struct wire_msg *)arg)->target); }
static um_err opts_except(void *arg, struct um_span raw) { return read_names(raw, &((struct wire_msg *)arg)->except); }

static um_err read_flag(struct wire_msg *m, struct um_span raw, bool when, unsigned flag)
{
    struct mp_token t;
    um_err err = one(raw, &t);

    if (err == UM_OK && t.kind == MP_BOOL && (t.integer != 0) == when)
        m->flags |= flag;
    return err;
}
static um_err flag_volatile(void *arg, struct um_span raw) { return read_flag(arg, raw, true, UM_SIO_VOLATILE); }
static um_err flag_compress(void *arg, struct um_span raw) { return read_flag(arg, raw, false, UM_SIO_NO_COMPRESS); }
static um_err flag_timeout(void *arg, struct um_span raw)
{
    struct wire_msg *m = arg;
    return read_int(raw, 86400000, &m->timeout_ms);
}

static um_err opts_flags(void *arg, struct um_span raw)
{
    static const struct field rows[] = { { "volatile", flag_volatile }, { "compress", flag_compress }, { "timeout", flag_timeout } };
    struct mp_token t;

    if (one(raw, &t) == UM_OK && is_absent(&t))
        return UM_OK;
    return read_map(raw, rows, UM_COUNT(rows), arg);
}

static um_err field_opts(void *arg, struct um_span raw)
{
    static const struct field rows[] = { { "rooms", opts_rooms }, { "except", opts_except }, { "flags", opts_flags } };
    struct wire_msg *m = arg;
    struct mp_token t;

    if (one(raw, &t) == UM_OK && is_absent(&t))
        return UM_OK;
    m->has_opts = true;
    return read_map(raw, rows, UM_COUNT(rows), m);
}

/* ---- messages ---- */

static um_err field_type(void *arg, struct um_span raw)
{
    int64_t v = -1;
    um_err err = read_int(raw, 1000, &v);

    ((struct wire_msg *)arg)->type = (int)v;
    return err;
}
#define TEXT_FIELD(name) \
    static um_err field_##name(void *arg, struct um_span raw) { return read_text(raw, &((struct wire_msg *)arg)->name); }
TEXT_FIELD(uid)
TEXT_FIELD(nsp)
TEXT_FIELD(request_id)
TEXT_FIELD(sid)
#define RAW_FIELD(name) \
    static um_err field_##name(void *arg, struct um_span raw) { ((struct wire_msg *)arg)->name = raw; return UM_OK; }
RAW_FIELD(data)
RAW_FIELD(packet)
RAW_FIELD(sockets)

static um_err field_room(void *arg, struct um_span raw)
{
    struct mp_token t;
    um_err err = one(raw, &t);

    if (err == UM_OK && t.kind == MP_STR)
        ((struct wire_msg *)arg)->room = t.bytes;
    return err;
}

static um_err field_rooms(void *arg, struct um_span raw)
{
    struct wire_msg *m = arg;
    m->has_rooms = true;
    return read_names(raw, &m->rooms);
}

static um_err field_close(void *arg, struct um_span raw)
{
    struct mp_token t;
    um_err err = one(raw, &t);

    ((struct wire_msg *)arg)->close = err == UM_OK && t.kind == MP_BOOL && t.integer != 0;
    return err;
}

static um_err field_count(void *arg, struct um_span raw) { return read_int(raw, 1 << 24, &((struct wire_msg *)arg)->client_count); }

static const struct field message_rows[] = {
    { "type", field_type }, { "uid", field_uid }, { "nsp", field_nsp }, { "requestId", field_request_id }, { "opts", field_opts },
    { "rooms", field_rooms }, { "close", field_close }, { "data", field_data }, { "packet", field_packet }, { "sockets", field_sockets },
    { "clientCount", field_count }, { "sid", field_sid }, { "room", field_room },
};
/* What stands inside of a cluster message. */
static const struct field inner_rows[] = {
    { "requestId", field_request_id }, { "opts", field_opts }, { "rooms", field_rooms }, { "close", field_close },
    { "packet", field_packet }, { "sockets", field_sockets }, { "clientCount", field_count },
};

static um_err begin(struct um_span *bytes, struct wire_msg *m)
{
    *m = (struct wire_msg){ .type = -1, .timeout_ms = 0, .client_count = -1 };
    if (bytes->len > WIRE_MAX_MESSAGE)
        return UM_ELIMIT;
    if (bytes->len > 0 && bytes->data[0] == '{') {
        um_err err = mp_from_json(*bytes, NULL, 0, &m->text);
        if (err != UM_OK)
            return err;
        *bytes = UM_SPAN(m->text.data, m->text.len);
    }
    return UM_OK;
}

/* One value and nothing after it. */
static bool is_whole(struct um_span bytes)
{
    struct um_reader r = um_reader(bytes);
    struct um_span raw;

    return mp_value(&r, &raw) && um_reader_left(&r) == 0;
}

static um_err end(struct wire_msg *m, um_err err)
{
    if (err != UM_OK)
        wire_clear(m);
    return err;
}

um_err wire_read_broadcast(struct um_span bytes, struct wire_msg *m)
{
    struct um_reader r = um_reader(bytes);
    struct um_span uid, opts;
    struct mp_token t;
    um_err err;

    *m = (struct wire_msg){ .type = -1, .client_count = -1 };
    if (bytes.len > WIRE_MAX_MESSAGE)
        return UM_ELIMIT;
    if (!mp_next(&r, &t) || t.kind != MP_ARRAY || t.n != 3 || !mp_value(&r, &uid) || !mp_value(&r, &m->packet) || !mp_value(&r, &opts) ||
        um_reader_left(&r) > 0)
        return UM_EPROTO;
    err = read_text(uid, &m->uid);
    if (err == UM_OK)
        err = field_opts(m, opts);
    if (err == UM_OK && !m->has_opts)
        err = UM_EPROTO;
    return end(m, err);
}

um_err wire_read_classic(struct um_span bytes, struct wire_msg *m)
{
    um_err err = begin(&bytes, m);

    if (err == UM_OK)
        err = is_whole(bytes) ? read_map(bytes, message_rows, UM_COUNT(message_rows), m) : UM_EPROTO;
    return end(m, err);
}

um_err wire_read_cluster(struct um_span bytes, struct wire_msg *m)
{
    um_err err = wire_read_classic(bytes, m);

    if (err == UM_OK && m->data.data != NULL)
        err = read_map(m->data, inner_rows, UM_COUNT(inner_rows), m);
    return end(m, err);
}

um_err wire_read_entry(struct um_span data, struct wire_msg *m)
{
    struct um_span bytes = data;
    um_err err = begin(&bytes, m);

    if (err == UM_OK && m->text.len == 0 && !um_base64_decode(&m->text, data))
        err = UM_EPROTO;
    bytes = UM_SPAN(m->text.data, m->text.len);
    if (err == UM_OK)
        err = is_whole(bytes) ? read_map(bytes, inner_rows, UM_COUNT(inner_rows), m) : UM_EPROTO;
    return end(m, err);
}

void wire_clear(struct wire_msg *m)
{
    free(m->target.items);
    free(m->except.items);
    free(m->rooms.items);
    um_buf_free(&m->text);
    *m = (struct wire_msg){ .type = -1, .client_count = -1 };
}

struct um_sio_opts wire_opts(const struct wire_msg *m)
{
    return (struct um_sio_opts){ .rooms = m->target.items, .n_rooms = m->target.n, .except = m->except.items, .n_except = m->except.n,
                                 .flags = m->flags, .timeout_ms = m->timeout_ms };
}

/* ---- values and events ---- */

um_err wire_read_value(struct um_span raw, struct um_sio_data **out)
{
    struct um_bytes *att[UM_SIO_ATTACHMENTS_MAX];
    struct um_reader r = um_reader(raw);
    struct mp_bins bins = { .n = 0 };
    struct um_buf json = { 0 };
    um_err err = mp_to_json(&r, &json, &bins);

    if (err == UM_OK) {
        for (size_t i = 0; i < bins.n; i++)
            att[i] = um_bytes_dup(bins.items[i].data, bins.items[i].len);
        *out = um_sio_data_new(um_buf_to_bytes(&json), att, bins.n);
        err = *out != NULL ? UM_OK : UM_ENOMEM;
    }
    um_buf_free(&json);
    return err;
}

static bool is_reserved(struct um_span name)
{
    static const char *const names[] = { "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener" };

    for (size_t i = 0; i < UM_COUNT(names); i++)
        if (um_span_eq(name, UM_SPAN_STR(names[i])))
            return true;
    return false;
}

/* A text, or a number that JSON has. */
static bool is_name(const struct mp_token *t)
{
    return t->kind == MP_STR || t->kind == MP_INT || (t->kind == MP_REAL && isfinite(t->real));
}

um_err wire_read_event(struct um_span raw, struct um_sio_data **out)
{
    struct um_reader r = um_reader(raw);
    struct mp_token t;

    if (!mp_next(&r, &t) || t.kind != MP_ARRAY || t.n == 0 || !mp_next(&r, &t) || !is_name(&t))
        return UM_EPROTO;
    return t.kind == MP_STR && is_reserved(t.bytes) ? UM_EPROTO : wire_read_value(raw, out);
}

struct packet_fields {
    int64_t type;
    struct um_span data, nsp, id;
};
static um_err packet_type(void *arg, struct um_span raw) { return read_int(raw, 1000, &((struct packet_fields *)arg)->type); }
static um_err packet_nsp(void *arg, struct um_span raw) { return read_text(raw, &((struct packet_fields *)arg)->nsp); }
static um_err packet_data(void *arg, struct um_span raw) { ((struct packet_fields *)arg)->data = raw; return UM_OK; }
static um_err packet_id(void *arg, struct um_span raw)
{
    struct mp_token t;

    if (one(raw, &t) == UM_OK && !is_absent(&t))
        ((struct packet_fields *)arg)->id = raw;
    return UM_OK;
}

um_err wire_read_packet(struct um_span raw, struct wire_packet *p)
{
    static const struct field rows[] = { { "type", packet_type }, { "data", packet_data }, { "nsp", packet_nsp }, { "id", packet_id } };
    struct packet_fields f = { .type = -1 };
    um_err err = raw.data != NULL ? read_map(raw, rows, UM_COUNT(rows), &f) : UM_EPROTO;

    *p = (struct wire_packet){ .nsp = f.nsp, .has_id = f.id.data != NULL };
    if (err != UM_OK)
        return err;
    if ((f.type != 2 && f.type != 5) || f.data.data == NULL)
        return UM_EPROTO;
    return wire_read_event(f.data, &p->event);
}
