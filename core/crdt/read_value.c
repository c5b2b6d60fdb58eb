/* Values that are not shared types: lib0's `any`, JSON texts, sub-documents; as JSON and as JavaScript's
 * String(value) would print them. */
#include "reader.h"
#include "value.h"
#include <math.h>
#include <stdio.h>
#include <umbel/util.h>

static int64_t read_bigint(struct rd *r)
{
    uint64_t v = 0;

    for (int i = 0; i < 8; i++)
        v = v << 8 | rd_u8(r);
    return (int64_t)v;
}

/* ---- as JSON ------------------------------------------------------------------------------------------- */

void emit_json_string(struct reader *r, struct um_span s)
{
    json_put_string(r->out, s);
}

void emit_undefined(struct reader *r)
{
    emit_text(r, r->form == UM_CRDT_TAGGED ? "{\"$\":\"undefined\"}" : "null");
}

static void emit_number(struct reader *r, double v)
{
    char text[32];

    js_number(v, text);
    if (isfinite(v) && !(signbit(v) && !(v < 0))) {
        emit_text(r, text);
    } else if (r->form == UM_CRDT_TAGGED) {
        emit_text(r, "{\"$\":\"number\",\"v\":\"");
        emit_text(r, isfinite(v) ? "-0" : text);
        emit_text(r, "\"}");
    } else {
        emit_text(r, isfinite(v) ? "0" : "null");
    }
}

static void emit_bigint(struct reader *r, int64_t v)
{
    char text[64];

    snprintf(text, sizeof(text), r->form == UM_CRDT_TAGGED ? "{\"$\":\"bigint\",\"v\":\"%lld\"}" : "\"%lld\"", (long long)v);
    emit_text(r, text);
}

static void emit_bytes(struct reader *r, struct um_span s)
{
    emit_text(r, r->form == UM_CRDT_TAGGED ? "{\"$\":\"bytes\",\"v\":\"" : "\"");
    um_base64_encode(r->out, s);
    emit_text(r, r->form == UM_CRDT_TAGGED ? "\"}" : "\"");
}

/* A value without its children; *N of a container, which is opened. */
static void any_head_json(struct reader *r, struct rd *any, uint64_t *n, bool *object)
{
    uint8_t tag = rd_u8(any);

    *n = 0;
    *object = tag == ANY_OBJECT;
    switch (tag) {
    case ANY_NULL:      emit_text(r, "null"); return;
    case ANY_TRUE:      emit_text(r, "true"); return;
    case ANY_FALSE:     emit_text(r, "false"); return;
    case ANY_INT: case ANY_FLOAT32: case ANY_FLOAT64: emit_number(r, any_number(any, tag)); return;
    case ANY_BIGINT:    emit_bigint(r, read_bigint(any)); return;
    case ANY_STRING:    emit_json_string(r, rd_bytes(any)); return;
    case ANY_BYTES:     emit_bytes(r, rd_bytes(any)); return;
    case ANY_OBJECT: case ANY_ARRAY:
        *n = rd_uint(any);
        emit_text(r, *object ? "{" : "[");
        if (*n == 0)
            emit_text(r, *object ? "}" : "]");
        return;
    default:
        emit_undefined(r);
    }
}

void emit_any(struct reader *r, struct rd *any)
{
    UNSET uint64_t left[VALUE_DEPTH_MAX];
    UNSET uint8_t keyed[VALUE_DEPTH_MAX], begun[VALUE_DEPTH_MAX];
    uint64_t n;
    bool object;
    size_t depth = 0;

    any_head_json(r, any, &n, &object);
    for (;;) {
        if (n > 0 && depth < VALUE_DEPTH_MAX) {
            left[depth] = n;
            begun[depth] = false;
            keyed[depth++] = object;
        }
        while (depth > 0 && left[depth - 1] == 0)
            emit_text(r, keyed[--depth] ? "}" : "]");
        if (depth == 0 || any->err != UM_OK)
            return;
        left[depth - 1]--;
        n = 0;
        if (keyed[depth - 1]) {
            struct um_span key = rd_bytes(any);

            if (r->form == UM_CRDT_PLAIN && rd_left(any) > 0 && *any->p == ANY_UNDEFINED) {
                any->p++;
                continue;
            }
            if (begun[depth - 1])
                emit_text(r, ",");
            emit_json_string(r, key);
            emit_text(r, ":");
        } else if (begun[depth - 1]) {
            emit_text(r, ",");
        }
        begun[depth - 1] = true;
        any_head_json(r, any, &n, &object);
    }
}

void emit_json_text(struct reader *r, struct um_span json)
{
    if (um_span_eq(json, UM_SPAN_STR("undefined")))
        emit_undefined(r);
    else
        emit(r, json);
}

static bool option_is_true(struct um_span options, const char *key, struct um_span *value)
{
    struct rd o = rd_make(options);
    uint64_t n;

    rd_u8(&o);
    for (n = rd_uint(&o); n > 0; n--) {
        struct um_span name = rd_bytes(&o);
        const uint8_t *from = o.p;

        rd_any(&o, UINT32_MAX, false);
        if (um_span_eq(name, UM_SPAN_STR(key))) {
            *value = UM_SPAN(from, (size_t)(o.p - from));
            return true;
        }
    }
    return false;
}

bool sub_document_loads(struct um_span body)
{
    struct rd b = rd_make(body);
    struct um_span value;

    rd_bytes(&b);
    return option_is_true(UM_SPAN(b.p, rd_left(&b)), "autoLoad", &value);
}

/* BODY is in normal form: `gc` is only there when false, `autoLoad` only when true. */
void emit_sub_document(struct reader *r, struct um_span body)
{
    struct rd b = rd_make(body);
    struct um_span guid = rd_bytes(&b), options = UM_SPAN(b.p, rd_left(&b)), value = { 0 };
    bool gc = !option_is_true(options, "gc", &value), load = option_is_true(options, "autoLoad", &value);

    emit_text(r, r->form == UM_CRDT_TAGGED ? "{\"$\":\"doc\",\"guid\":" : "{\"guid\":");
    emit_json_string(r, guid);
    if (r->form == UM_CRDT_TAGGED) {
        emit_text(r, load ? ",\"autoLoad\":true,\"shouldLoad\":true" : ",\"autoLoad\":false,\"shouldLoad\":false");
        emit_text(r, gc ? ",\"gc\":true,\"meta\":" : ",\"gc\":false,\"meta\":");
        if (option_is_true(options, "meta", &value)) {
            struct rd meta = rd_make(value);

            emit_any(r, &meta);
        } else {
            emit_text(r, "null");
        }
    }
    emit_text(r, "}");
}

/* ---- as String(value) ---------------------------------------------------------------------------------- */

/* A scalar; within arrays undefined and null print nothing. */
static void any_scalar_as_string(struct reader *r, struct rd *any, uint8_t tag, bool inside)
{
    char text[32];

    switch (tag) {
    case ANY_UNDEFINED: emit_text(r, inside ? "" : "undefined"); return;
    case ANY_NULL:      emit_text(r, inside ? "" : "null"); return;
    case ANY_TRUE:      emit_text(r, "true"); return;
    case ANY_FALSE:     emit_text(r, "false"); return;
    case ANY_STRING:    emit(r, rd_bytes(any)); return;
    case ANY_BIGINT:
        snprintf(text, sizeof(text), "%lld", (long long)read_bigint(any));
        emit_text(r, text);
        return;
    default:
        js_number(any_number(any, tag), text);
        emit_text(r, text);
    }
}

static void bytes_as_string(struct reader *r, struct um_span s)
{
    char text[8];

    for (size_t i = 0; i < s.len; i++) {
        snprintf(text, sizeof(text), i == 0 ? "%u" : ",%u", s.data[i]);
        emit_text(r, text);
    }
}

/* Arrays print their elements joined by commas, so nested ones simply flatten. */
void emit_any_as_string(struct reader *r, struct rd *any)
{
    UNSET uint64_t left[VALUE_DEPTH_MAX];
    size_t depth = 0;

    for (;;) {
        const uint8_t *from = any->p;
        uint8_t tag = rd_u8(any);

        if (tag == ANY_ARRAY && depth < VALUE_DEPTH_MAX) {
            left[depth++] = rd_uint(any);
        } else if (tag == ANY_OBJECT) {
            any->p = from;
            rd_any(any, UINT32_MAX, false);
            emit_text(r, "[object Object]");
        } else if (tag == ANY_BYTES) {
            bytes_as_string(r, rd_bytes(any));
        } else {
            any_scalar_as_string(r, any, tag, depth > 0);
        }
        if (tag != ANY_ARRAY && depth > 0 && left[depth - 1] > 0)
            emit_text(r, ",");
        while (depth > 0 && left[depth - 1] == 0) {
            depth--;
            if (depth > 0 && left[depth - 1] > 0)
                emit_text(r, ",");
        }
        if (depth == 0 || any->err != UM_OK)
            return;
        left[depth - 1]--;
    }
}

/* ---- pieces of JSON texts. They are well-formed -------------------------------------------------------- */

static void json_skip_string(struct rd *r)
{
    for (r->p++; r->p < r->end && *r->p != '"'; r->p++)
        if (*r->p == '\\' && r->p + 1 < r->end)
            r->p++;
    if (r->p < r->end)
        r->p++;
}

static void json_skip_blank(struct rd *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t' || *r->p == ',' || *r->p == ':'))
        r->p++;
}

struct um_span json_part(struct rd *r)
{
    const uint8_t *from;
    size_t depth = 0;

    json_skip_blank(r);
    from = r->p;
    while (r->p < r->end) {
        uint8_t c = *r->p;

        if (c == '"') {
            json_skip_string(r);
        } else if (c == '[' || c == '{') {
            depth++;
            r->p++;
        } else if (c == ']' || c == '}') {
            if (depth == 0)
                break;
            depth--;
            r->p++;
        } else if (depth == 0) {
            while (r->p < r->end && strchr(",]} \n\r\t:", *r->p) == NULL)
                r->p++;
            break;
        } else {
            r->p++;
        }
        if (depth == 0)
            break;
    }
    return UM_SPAN(from, (size_t)(r->p - from));
}

static void json_scalar_as_string(struct reader *r, struct um_span part, bool inside)
{
    struct um_buf text = { 0 };

    if (part.len > 0 && part.data[0] == '"') {
        json_unescape(&text, part);
        emit(r, UM_SPAN(text.data, text.len));
        r->out->failed |= text.failed;
        um_buf_free(&text);
    } else if (!inside || !um_span_eq(part, UM_SPAN_STR("null"))) {
        emit(r, part);
    }
}

void emit_json_as_string(struct reader *r, struct um_span json)
{
    struct rd j = rd_make(json);
    size_t depth = 0;
    bool begun = false;

    for (;;) {
        json_skip_blank(&j);
        if (j.p == j.end)
            return;
        if (*j.p == ']') {
            j.p++;
            depth--;
            begun = true;
        } else {
            if (begun)
                emit_text(r, ",");
            begun = *j.p != '[';
            if (*j.p == '[') {
                j.p++;
                depth++;
            } else if (*j.p == '{') {
                json_part(&j);
                emit_text(r, "[object Object]");
            } else {
                json_scalar_as_string(r, json_part(&j), depth > 0);
            }
        }
        if (depth == 0)
            return;
    }
}
