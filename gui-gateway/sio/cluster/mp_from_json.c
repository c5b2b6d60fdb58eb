/* JSON and attachments -> MessagePack. Strict JSON (RFC 8259, UTF-8), one pass: the head of an array or map is put right when its end
 * is known. See mp.h. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "mp.h"

enum { NUMBER_MAX = 400 };                          /* characters of a number: more than any double needs */

struct packer {
    const uint8_t *p, *end;
    struct um_buf *out;
    struct um_buf scratch;                          /* a text without its escapes */
    const struct um_span *bins;
    size_t n_bins;
};

static void skip_blanks(struct packer *s)
{
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\t' || *s->p == '\n' || *s->p == '\r'))
        s->p++;
}

static bool take(struct packer *s, char c)
{
    skip_blanks(s);
    if (s->p == s->end || *s->p != (uint8_t)c)
        return false;
    s->p++;
    return true;
}

/* ---- texts ---- */

static int hex4(const uint8_t *p, const uint8_t *end)
{
    int v = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int c = p[i] | 0x20, digit = p[i] >= '0' && p[i] <= '9' ? p[i] - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        v = v << 4 | digit;
    }
    return v;
}

static void put_utf8(struct um_buf *out, unsigned c)
{
    if (c >= 0xd800 && c < 0xe000)
        c = 0xfffd;                                 /* half of a pair: what Buffer.from makes of it */
    if (c < 0x80) {
        um_buf_put_u8(out, (uint8_t)c);
    } else if (c < 0x800) {
        um_buf_put(out, (uint8_t[]){ (uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 63)) }, 2);
    } else if (c < 0x10000) {
        um_buf_put(out, (uint8_t[]){ (uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 63)), (uint8_t)(0x80 | (c & 63)) }, 3);
    } else {
        um_buf_put(out, (uint8_t[]){ (uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 63)), (uint8_t)(0x80 | (c >> 6 & 63)),
                                     (uint8_t)(0x80 | (c & 63)) }, 4);
    }
}

/* After \u. */
static bool take_unicode(struct packer *s)
{
    int c = hex4(s->p, s->end), low;

    if (c < 0)
        return false;
    s->p += 4;
    if (c >= 0xd800 && c < 0xdc00 && s->end - s->p >= 6 && s->p[0] == '\\' && s->p[1] == 'u' &&
        (low = hex4(s->p + 2, s->end)) >= 0xdc00 && low < 0xe000) {
        s->p += 6;
        c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
    put_utf8(&s->scratch, (unsigned)c);
    return true;
}

static bool take_escape(struct packer *s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *at;

    if (s->p == s->end)
        return false;
    if (*s->p == 'u') {
        s->p++;
        return take_unicode(s);
    }
    at = *s->p != 0 ? strchr(from, *s->p) : NULL;
    if (at == NULL)
        return false;
    um_buf_put_u8(&s->scratch, (uint8_t)to[at - from]);
    s->p++;
    return true;
}

/* TEXT is borrowed: from the input, or from the scratch until the next text. */
static um_err take_text(struct packer *s, struct um_span *text)
{
    const uint8_t *from;

    if (!take(s, '"'))
        return UM_EPROTO;
    um_buf_clear(&s->scratch);
    for (from = s->p; s->p < s->end; ) {
        uint8_t c = *s->p;
        if (c < 0x20)
            return UM_EPROTO;
        if (c == '"')
            break;
        s->p++;
        if (c != '\\')
            continue;
        um_buf_put(&s->scratch, from, (size_t)(s->p - 1 - from));
        if (!take_escape(s))
            return UM_EPROTO;
        from = s->p;
    }
    if (s->p == s->end)
        return UM_EPROTO;
    *text = UM_SPAN(from, (size_t)(s->p - from));
    if (s->scratch.len > 0) {
        um_buf_put(&s->scratch, from, (size_t)(s->p - from));
        *text = UM_SPAN(s->scratch.data, s->scratch.len);
    }
    s->p++;
    if (s->scratch.failed)
        return UM_ENOMEM;
    return um_utf8_is_valid(text->data, text->len) ? UM_OK : UM_EPROTO;
}

/* ---- numbers and words ---- */

static size_t digits(const uint8_t *p, const uint8_t *end)
{
    size_t n = 0;

    while (p + n < end && p[n] >= '0' && p[n] <= '9')
        n++;
    return n;
}

/* The length of the number at P, 0 when there is none. WHOLE: neither fraction nor exponent. */
static size_t number_len(const uint8_t *p, const uint8_t *end, bool *whole)
{
    const uint8_t *at = p;
    size_t n;

    *whole = true;
    at += at < end && *at == '-';
    n = digits(at, end);
    if (n == 0 || (n > 1 && *at == '0'))
        return 0;
    at += n;
    if (at < end && *at == '.') {
        *whole = false;
        if ((n = digits(++at, end)) == 0)
            return 0;
        at += n;
    }
    if (at < end && (*at | 0x20) == 'e') {
        *whole = false;
        at++;
        at += at < end && (*at == '+' || *at == '-');
        if ((n = digits(at, end)) == 0)
            return 0;
        at += n;
    }
    return (size_t)(at - p);
}

static um_err pack_number(struct packer *s)
{
    char text[NUMBER_MAX + 1];
    bool whole;
    size_t n = number_len(s->p, s->end, &whole);

    if (n == 0)
        return UM_EPROTO;
    if (n > NUMBER_MAX)
        return UM_ELIMIT;
    memcpy(text, s->p, n);
    text[n] = 0;
    s->p += n;
    if (whole && n < 16)
        mp_put_int(s->out, strtoll(text, NULL, 10));
    else
        mp_put_number(s->out, strtod(text, NULL));
    return UM_OK;
}

static um_err pack_word(struct packer *s)
{
    static const struct { const char *word; uint8_t byte; } words[] = { { "null", 0xc0 }, { "true", 0xc3 }, { "false", 0xc2 } };

    for (size_t i = 0; i < UM_COUNT(words); i++) {
        size_t n = strlen(words[i].word);
        if ((size_t)(s->end - s->p) >= n && memcmp(s->p, words[i].word, n) == 0) {
            s->p += n;
            um_buf_put_u8(s->out, words[i].byte);
            return UM_OK;
        }
    }
    return UM_EPROTO;
}

/* ---- arrays and objects ---- */

static um_err pack_value(struct packer *s, unsigned depth);

/* The head of what began at AT with one byte for it. */
static um_err put_head(struct um_buf *out, size_t at, uint32_t n, bool is_map)
{
    struct um_buf head = { 0 };
    size_t more;

    if (out->failed)
        return UM_ENOMEM;
    if (n < 16) {
        out->data[at] = (uint8_t)((is_map ? 0x80 : 0x90) | n);
        return UM_OK;
    }
    (is_map ? mp_put_map : mp_put_array)(&head, n);
    more = head.len - 1;
    if (head.failed || um_buf_room(out, more) == NULL) {
        um_buf_free(&head);
        return UM_ENOMEM;
    }
    memmove(out->data + at + head.len, out->data + at + 1, out->len - at - 1);
    memcpy(out->data + at, head.data, head.len);
    um_buf_advance(out, more);
    um_buf_free(&head);
    return UM_OK;
}

static um_err pack_array(struct packer *s, unsigned depth)
{
    size_t at = s->out->len;
    uint32_t n = 0;
    um_err err;

    um_buf_put_u8(s->out, 0);
    if (take(s, ']'))
        return put_head(s->out, at, 0, false);
    do {
        if ((err = pack_value(s, depth)) != UM_OK)
            return err;
        n++;
    } while (take(s, ','));
    return take(s, ']') ? put_head(s->out, at, n, false) : UM_EPROTO;
}

struct holder {                                     /* what an object says of an attachment */
    bool is_one;
    double num;
};

static void note_member(struct packer *s, struct holder *h, bool is_flag, size_t value_at)
{
    struct um_reader r;
    struct mp_token t;

    if (s->out->failed)
        return;
    r = um_reader(UM_SPAN(s->out->data + value_at, s->out->len - value_at));
    if (!mp_next(&r, &t))
        return;
    if (is_flag)
        h->is_one = t.kind == MP_BOOL && t.integer;
    else
        h->num = t.kind == MP_INT ? (double)t.integer : -1;
}

static um_err pack_member(struct packer *s, struct holder *h, uint32_t *n, unsigned depth)
{
    size_t at = s->out->len, value_at;
    bool is_flag, is_num, is_proto;
    struct um_span key;
    um_err err = take_text(s, &key);

    if (err != UM_OK)
        return err;
    is_flag = um_span_eq(key, UM_SPAN_STR("_placeholder"));
    is_num = um_span_eq(key, UM_SPAN_STR("num"));
    is_proto = um_span_eq(key, UM_SPAN_STR("__proto__"));
    mp_put_str(s->out, key);
    value_at = s->out->len;
    if (!take(s, ':'))
        return UM_EPROTO;
    if ((err = pack_value(s, depth)) != UM_OK)
        return err;
    if (is_flag || is_num)
        note_member(s, h, is_flag, value_at);
    if (is_proto)
        s->out->len = at;
    else
        (*n)++;
    return UM_OK;
}

static um_err pack_attachment(struct packer *s, size_t at, double num)
{
    if (num < 0 || num >= (double)s->n_bins)
        return UM_EPROTO;
    s->out->len = at;
    mp_put_bin(s->out, s->bins[(size_t)num]);
    return UM_OK;
}

static um_err pack_map(struct packer *s, unsigned depth)
{
    struct holder h = { .num = -1 };
    size_t at = s->out->len;
    uint32_t n = 0;
    um_err err;

    um_buf_put_u8(s->out, 0);
    if (take(s, '}'))
        return put_head(s->out, at, 0, true);
    do {
        if ((err = pack_member(s, &h, &n, depth)) != UM_OK)
            return err;
    } while (take(s, ','));
    if (!take(s, '}'))
        return UM_EPROTO;
    return h.is_one && s->n_bins > 0 ? pack_attachment(s, at, h.num) : put_head(s->out, at, n, true);
}

static um_err pack_value(struct packer *s, unsigned depth)
{
    struct um_span text;
    um_err err;

    skip_blanks(s);
    if (s->p == s->end)
        return UM_EPROTO;
    switch (*s->p) {
    case '"':
        if ((err = take_text(s, &text)) == UM_OK)
            mp_put_str(s->out, text);
        return err;
    case '[': case '{':
        if (depth == 0)
            return UM_ELIMIT;
        return *s->p++ == '[' ? pack_array(s, depth - 1) : pack_map(s, depth - 1);
    case 'n': case 't': case 'f':
        return pack_word(s);
    default:
        return pack_number(s);
    }
}

um_err mp_from_json(struct um_span text, const struct um_span *bins, size_t n_bins, struct um_buf *out)
{
    struct packer s = { .p = text.data, .end = text.data + text.len, .out = out, .bins = bins, .n_bins = n_bins };
    size_t at = out->len;
    um_err err = pack_value(&s, MP_MAX_DEPTH);

    skip_blanks(&s);
    if (err == UM_OK && s.p != s.end)
        err = UM_EPROTO;
    if (err == UM_OK && out->failed)
        err = UM_ENOMEM;
    if (err != UM_OK && !out->failed)
        out->len = at;
    um_buf_free(&s.scratch);
    return err;
}
