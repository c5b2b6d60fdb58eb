/* MessagePack -> JSON and attachments. See mp.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "mp.h"

struct printer {
    struct um_reader *r;
    struct um_buf *out;
    struct mp_bins *bins;
    size_t first;                                   /* of ours in BINS */
    bool pretends;                                  /* an object of the sender looks like an attachment */
};

static void print_text(struct um_buf *out, struct um_span s)
{
    size_t from = 0;

    um_buf_put_u8(out, '"');
    if (!um_utf8_is_valid(s.data, s.len)) {
        um_json_escape(out, s);
    } else {
        for (size_t i = 0; i < s.len; i++) {
            uint8_t c = s.data[i];
            if (c >= 0x20 && c != '"' && c != '\\')
                continue;
            um_buf_put(out, s.data + from, i - from);
            um_json_escape(out, UM_SPAN(s.data + i, 1));
            from = i + 1;
        }
        um_buf_put(out, s.data + from, s.len - from);
    }
    um_buf_put_u8(out, '"');
}

/* The shortest decimal that reads as the same number. */
static void print_real(struct um_buf *out, double v)
{
    char text[32];

    if (!isfinite(v)) {
        um_buf_puts(out, "null");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    um_buf_puts(out, text);
}

static void print_date(struct um_buf *out, int64_t ms)
{
    char text[32];

    if (ms < -62167219200000 || ms > 253402300799999) {       /* years 0 to 9999; JavaScript's signs beyond are not for us */
        um_buf_puts(out, "null");
        return;
    }
    um_wall_iso(ms, text);
    um_buf_printf(out, "\"%s\"", text);
}

static um_err print_bin(struct printer *p, struct um_span bytes)
{
    if (p->bins == NULL)
        return UM_EPROTO;
    if (p->bins->n == UM_SIO_ATTACHMENTS_MAX)
        return UM_ELIMIT;
    um_buf_printf(p->out, "{\"_placeholder\":true,\"num\":%zu}", p->bins->n);
    p->bins->items[p->bins->n++] = bytes;
    return UM_OK;
}

static um_err print_value(struct printer *p, const struct mp_token *t, unsigned depth);

static um_err print_array(struct printer *p, uint32_t n, unsigned depth)
{
    struct mp_token t;
    um_err err;

    um_buf_put_u8(p->out, '[');
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0)
            um_buf_put_u8(p->out, ',');
        if (!mp_next(p->r, &t))
            return UM_EPROTO;
        if ((err = print_value(p, &t, depth)) != UM_OK)
            return err;
    }
    um_buf_put_u8(p->out, ']');
    return UM_OK;
}

static um_err print_key(struct printer *p, const struct mp_token *t)
{
    if (t->kind == MP_STR)
        print_text(p->out, t->bytes);
    else if (t->kind == MP_INT)
        um_buf_printf(p->out, "\"%" PRId64 "\"", t->integer);
    else
        return UM_EPROTO;
    um_buf_put_u8(p->out, ':');
    return UM_OK;
}

static um_err print_map(struct printer *p, uint32_t n, unsigned depth)
{
    struct mp_token key, t;
    bool first = true;
    um_err err;

    um_buf_put_u8(p->out, '{');
    for (uint32_t i = 0; i < n; i++) {
        struct um_reader at;
        if (!mp_next(p->r, &key))
            return UM_EPROTO;
        at = *p->r;
        if (!mp_next(p->r, &t))
            return UM_EPROTO;
        if (t.kind == MP_UNDEFINED)
            continue;
        *p->r = at;
        if (!first)
            um_buf_put_u8(p->out, ',');
        first = false;
        if ((err = print_key(p, &key)) != UM_OK || !mp_next(p->r, &t))
            return err != UM_OK ? err : UM_EPROTO;
        if (key.kind == MP_STR && um_span_eq(key.bytes, UM_SPAN_STR("_placeholder")) && t.kind == MP_BOOL && t.integer)
            p->pretends = true;
        if ((err = print_value(p, &t, depth)) != UM_OK)
            return err;
    }
    um_buf_put_u8(p->out, '}');
    return UM_OK;
}

static um_err print_value(struct printer *p, const struct mp_token *t, unsigned depth)
{
    switch (t->kind) {
    case MP_NIL: case MP_UNDEFINED: um_buf_puts(p->out, "null"); return UM_OK;
    case MP_BOOL: um_buf_puts(p->out, t->integer ? "true" : "false"); return UM_OK;
    case MP_INT: um_buf_printf(p->out, "%" PRId64, t->integer); return UM_OK;
    case MP_REAL: print_real(p->out, t->real); return UM_OK;
    case MP_STR: print_text(p->out, t->bytes); return UM_OK;
    case MP_DATE: print_date(p->out, t->integer); return UM_OK;
    case MP_BIN: return print_bin(p, t->bytes);
    case MP_ARRAY: return depth == 0 ? UM_ELIMIT : print_array(p, t->n, depth - 1);
    case MP_MAP: return depth == 0 ? UM_ELIMIT : print_map(p, t->n, depth - 1);
    }
    return UM_EPROTO;
}

um_err mp_to_json(struct um_reader *r, struct um_buf *out, struct mp_bins *bins)
{
    struct printer p = { .r = r, .out = out, .bins = bins, .first = bins != NULL ? bins->n : 0 };
    struct mp_token t;
    um_err err;

    if (!mp_next(r, &t))
        return UM_EPROTO;
    if ((err = print_value(&p, &t, MP_MAX_DEPTH)) != UM_OK)
        return err;
    if (p.pretends && bins != NULL && bins->n > p.first)
        return UM_EPROTO;
    return out->failed ? UM_ENOMEM : UM_OK;
}
