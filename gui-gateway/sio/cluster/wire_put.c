/* Messages of the Redis adapters, written. Members stand in the order of the Node packages, so that the bytes are theirs. See wire.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "wire.h"

static void put_text(struct um_buf *out, struct um_span s)
{
    um_buf_put_u8(out, '"');
    um_json_escape(out, s);
    um_buf_put_u8(out, '"');
}

/* `,"key":"text"`, without the comma after a brace. */
static void put_member(struct um_buf *out, const char *key)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        um_buf_put_u8(out, ',');
    um_buf_printf(out, "\"%s\":", key);
}
static void put_text_member(struct um_buf *out, const char *key, const char *text)
{
    put_member(out, key);
    put_text(out, UM_SPAN_STR(text));
}
static void put_int_member(struct um_buf *out, const char *key, int64_t v)
{
    put_member(out, key);
    um_buf_printf(out, "%" PRId64, v);
}

static void put_names(struct um_buf *out, const char *key, const struct um_span *names, size_t n)
{
    put_member(out, key);
    um_buf_put_u8(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            um_buf_put_u8(out, ',');
        put_text(out, names[i]);
    }
    um_buf_put_u8(out, ']');
}

static void put_flags(struct um_buf *out, const struct um_sio_opts *o)
{
    put_member(out, "flags");
    um_buf_put_u8(out, '{');
    if (o->flags & UM_SIO_VOLATILE)
        um_buf_puts(out, "\"volatile\":true");
    if (o->flags & UM_SIO_NO_COMPRESS) {
        put_member(out, "compress");
        um_buf_puts(out, "false");
    }
    if (o->timeout_ms > 0)
        put_int_member(out, "timeout", o->timeout_ms);
    um_buf_put_u8(out, '}');
}

static void put_opts(struct um_buf *out, const struct um_sio_opts *o, bool with_flags)
{
    um_buf_put_u8(out, '{');
    put_names(out, "rooms", o->rooms, o->n_rooms);
    put_names(out, "except", o->except, o->n_except);
    if (with_flags)
        put_flags(out, o);
    um_buf_put_u8(out, '}');
}

static void put_data(struct um_buf *out, const struct um_sio_data *d)
{
    if (d == NULL)
        um_buf_puts(out, "null");
    else
        um_buf_put(out, d->json->data, d->json->len);
}

static void put_packet(struct um_buf *out, const struct wire_say *s, bool with_nsp)
{
    um_buf_puts(out, "{\"type\":2,\"data\":");
    put_data(out, s->event);
    if (with_nsp)
        put_text_member(out, "nsp", s->nsp);
    um_buf_put_u8(out, '}');
}

static void put_values(struct um_buf *out, const char *key, const struct wire_say *s)
{
    put_member(out, key);
    um_buf_put_u8(out, '[');
    for (size_t i = 0; i < s->n_values; i++) {
        if (i > 0)
            um_buf_put_u8(out, ',');
        put_data(out, s->values[i]);
    }
    um_buf_put_u8(out, ']');
}

/* TEXT, whole, becomes a message at the end of OUT. */
static um_err finish(struct um_buf *out, struct um_buf *text, const struct um_sio_data *event, enum wire_form form)
{
    size_t n = event != NULL ? event->n_att : 0, before = out->len;
    struct um_span bins[UM_SIO_ATTACHMENTS_MAX];
    um_err err = text->failed ? UM_ENOMEM : UM_OK;

    for (size_t i = 0; i < n && i < UM_COUNT(bins); i++)
        bins[i] = um_bytes_span(event->att[i]);
    if (err == UM_OK && (form == WIRE_MSGPACK || n > 0))
        err = mp_from_json(UM_SPAN(text->data, text->len), bins, n, out);
    else if (err == UM_OK)
        um_buf_put(out, text->data, text->len);
    um_buf_free(text);
    if (err == UM_OK && out->failed)
        err = UM_ENOMEM;
    return err == UM_OK && out->len - before > WIRE_MAX_MESSAGE ? UM_ELIMIT : err;
}

/* ---- classic ---- */

um_err wire_put_broadcast(struct um_buf *out, const struct wire_say *s)
{
    struct um_buf text = { 0 };

    um_buf_put_u8(&text, '[');
    put_text(&text, UM_SPAN_STR(s->uid));
    um_buf_put_u8(&text, ',');
    put_packet(&text, s, true);
    um_buf_put_u8(&text, ',');
    put_opts(&text, s->o, true);
    um_buf_put_u8(&text, ']');
    return finish(out, &text, s->event, WIRE_MSGPACK);
}

um_err wire_put_request(struct um_buf *out, const struct wire_say *s)
{
    struct um_buf text = { 0 };
    bool is_broadcast = s->type == CLASSIC_BROADCAST;

    um_buf_put_u8(&text, '{');
    put_text_member(&text, "uid", s->uid);
    if (s->request_id != NULL)
        put_text_member(&text, "requestId", s->request_id);
    put_int_member(&text, "type", s->type);
    if (is_broadcast) {
        put_member(&text, "packet");
        put_packet(&text, s, true);
    }
    if (s->o != NULL) {
        put_member(&text, "opts");
        put_opts(&text, s->o, is_broadcast);
    }
    if (s->type == CLASSIC_JOIN || s->type == CLASSIC_LEAVE)
        put_names(&text, "rooms", s->rooms, s->n_rooms);
    if (s->type == CLASSIC_DISCONNECT) {
        put_member(&text, "close");
        um_buf_puts(&text, s->close ? "true" : "false");
    }
    if (s->type == CLASSIC_SERVER_EMIT) {
        put_member(&text, "data");
        put_data(&text, s->event);
    }
    um_buf_put_u8(&text, '}');
    return finish(out, &text, s->event, is_broadcast ? WIRE_MSGPACK : WIRE_JSON);
}

um_err wire_put_answer(struct um_buf *out, const struct wire_say *s)
{
    struct um_buf text = { 0 };

    um_buf_put_u8(&text, '{');
    if (s->type == CLASSIC_SERVER_EMIT || s->type == CLASSIC_CLIENT_COUNT || s->type == CLASSIC_ACK)
        put_int_member(&text, "type", s->type);
    put_text_member(&text, "requestId", s->request_id);
    switch (s->type) {
    case CLASSIC_SOCKETS: case CLASSIC_FETCH: put_values(&text, "sockets", s); break;
    case CLASSIC_ALL_ROOMS: put_values(&text, "rooms", s); break;
    case CLASSIC_CLIENT_COUNT: put_int_member(&text, "clientCount", s->client_count); break;
    case CLASSIC_SERVER_EMIT: case CLASSIC_ACK:
        put_member(&text, s->type == CLASSIC_ACK ? "packet" : "data");
        put_data(&text, s->event);
        break;
    default: break;
    }
    if (s->uid != NULL)
        put_text_member(&text, "uid", s->uid);      /* ours alone: Node neither says nor reads it */
    um_buf_put_u8(&text, '}');
    return finish(out, &text, s->event, s->type == CLASSIC_ACK ? WIRE_MSGPACK : WIRE_JSON);
}

/* ---- sharded and streams ---- */

/* The members of `data`, in the order of socket.io-adapter. */
static void put_inner(struct um_buf *out, const struct wire_say *s)
{
    bool opts_first = s->type == CLUSTER_FETCH || s->type == CLUSTER_JOIN || s->type == CLUSTER_LEAVE || s->type == CLUSTER_DISCONNECT;

    um_buf_put_u8(out, '{');
    if (s->type == CLUSTER_BROADCAST) {
        put_member(out, "packet");
        put_packet(out, s, false);
    }
    if (opts_first) {
        put_member(out, "opts");
        put_opts(out, s->o, true);
    }
    if (s->request_id != NULL)
        put_text_member(out, "requestId", s->request_id);
    if (s->type == CLUSTER_BROADCAST) {
        put_member(out, "opts");
        put_opts(out, s->o, true);
    }
    if (s->type == CLUSTER_JOIN || s->type == CLUSTER_LEAVE)
        put_names(out, "rooms", s->rooms, s->n_rooms);
    if (s->type == CLUSTER_DISCONNECT) {
        put_member(out, "close");
        um_buf_puts(out, s->close ? "true" : "false");
    }
    if (s->type == CLUSTER_FETCHED)
        put_values(out, "sockets", s);
    if (s->type == CLUSTER_CLIENT_COUNT)
        put_int_member(out, "clientCount", s->client_count);
    if (s->type == CLUSTER_SERVER_EMIT || s->type == CLUSTER_SERVER_ANSWER || s->type == CLUSTER_ACK) {
        put_member(out, "packet");
        put_data(out, s->event);
    }
    um_buf_put_u8(out, '}');
}

um_err wire_put_cluster(struct um_buf *out, const struct wire_say *s, enum wire_form form)
{
    struct um_buf text = { 0 };

    um_buf_puts(&text, "{");
    put_int_member(&text, "type", s->type);
    if (s->type != CLUSTER_HELLO && s->type != CLUSTER_BEAT && s->type != CLUSTER_CLOSE) {
        put_member(&text, "data");
        put_inner(&text, s);
    }
    put_text_member(&text, "uid", s->uid);
    put_text_member(&text, "nsp", s->nsp);
    um_buf_put_u8(&text, '}');
    return finish(out, &text, s->event, form);
}

um_err wire_put_entry(struct um_buf *out, const struct wire_say *s)
{
    struct um_buf text = { 0 }, packed = { 0 };
    um_err err;

    put_inner(&text, s);
    if (s->event == NULL || s->event->n_att == 0)
        return finish(out, &text, NULL, WIRE_JSON);
    err = finish(&packed, &text, s->event, WIRE_MSGPACK);
    if (err == UM_OK)
        um_base64_encode(out, UM_SPAN(packed.data, packed.len));
    um_buf_free(&packed);
    return err != UM_OK ? err : out->failed ? UM_ENOMEM : UM_OK;
}

/* ---- names ---- */

void wire_channel(struct um_buf *out, const char *prefix, const char *nsp, struct um_span room)
{
    um_buf_printf(out, "%s#%s#", prefix, nsp);
    if (room.data == NULL)
        return;
    um_buf_put(out, room.data, room.len);
    um_buf_put_u8(out, '#');
}

void wire_id(char *out, size_t n)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", hex[] = "0123456789abcdef";
    uint8_t random[WIRE_CLUSTER_ID];

    um_random_bytes(random, sizeof(random));
    for (size_t i = 0; i < n; i++)
        out[i] = n == WIRE_CLUSTER_ID ? hex[random[i] & 15] : letters[random[i] & 63];
    out[n] = 0;
}

/* h = h * 31 + unit over UTF-16 units, in 32 bits with sign, as JavaScript's `| 0`. */
int wire_stream_index(struct um_span nsp, int n)
{
    uint32_t h = 0;

    for (size_t i = 0; i < nsp.len; ) {
        uint8_t b = nsp.data[i];
        size_t len = b < 0x80 ? 1 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : 4;
        uint32_t c = len == 1 ? b : b & (0x7fu >> len);

        for (size_t k = 1; k < len && i + k < nsp.len; k++)
            c = c << 6 | (nsp.data[i + k] & 63);
        if (c >= 0x10000) {
            h = h * 31 + (0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        h = h * 31 + c;
        i += len;
    }
    return (int32_t)h % n;
}
