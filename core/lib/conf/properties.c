/* Reader and writer of `.properties`.
 *
 * Two layers. raw_char() gives the characters of one logical line: it joins lines that end in an odd number of
 * backslashes and drops the blanks that begin the joined one. next_char() decodes escapes on top of it, so an
 * escape may be cut by a joined line end, as in Java.
 *
 * 1. Text is UTF-8 and is passed on byte for byte; only \uXXXX makes new bytes.
 * 2. Blank is space, tab, form feed; no-break space is an ordinary character.
 * 3. Java keeps unpaired surrogates, UTF-8 has no room for them: they are refused. */
#include "properties.h"
#include <string.h>
#include <umbel/bytes.h>

struct reader {
    const uint8_t *p, *end;
    const uint8_t *start;             /* of the logical line */
    bool slash;                       /* an unpaired backslash stands before p */
    int line, column;                 /* of p */
    int at_line, at_column;           /* of the character that was read last */
};

enum lex { LEX_END, LEX_PLAIN, LEX_ESCAPED, LEX_UNIT, LEX_BAD };   /* UNIT: a UTF-16 unit from \u */

struct text {                         /* a key or a value that grows */
    struct um_buf buf;
    uint32_t high;                    /* first half of a surrogate pair, or 0 */
};

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\f';
}

static bool is_newline(int c)
{
    return c == '\n' || c == '\r';
}

static void step(struct reader *r)
{
    r->p++;
    if (r->p == r->end || (*r->p & 0xc0) != 0x80)
        r->column++;
}

static void step_newline(struct reader *r)
{
    if (*r->p == '\r' && r->p + 1 < r->end && r->p[1] == '\n')
        r->p++;
    r->p++;
    r->line++;
    r->column = 1;
}

static void skip_blanks(struct reader *r)
{
    while (r->p < r->end && is_blank(*r->p))
        step(r);
}

/* The backslash at p ends its line: on to the next one. */
static void join_line(struct reader *r)
{
    step(r);
    if (r->p < r->end) {
        step_newline(r);
        skip_blanks(r);
    }
}

static bool is_joint(const struct reader *r)
{
    return *r->p == '\\' && !r->slash && (r->p + 1 == r->end || is_newline(r->p[1]));
}

static int raw_char(struct reader *r)
{
    while (r->p < r->end && is_joint(r))
        join_line(r);
    if (r->p == r->end || is_newline(*r->p))
        return -1;
    r->at_line = r->line;
    r->at_column = r->column;
    int c = *r->p;
    r->slash = c == '\\' && !r->slash;
    step(r);
    return c;
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static enum lex read_unit(struct reader *r, uint32_t *c)
{
    *c = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(raw_char(r));
        if (digit < 0)
            return LEX_BAD;
        *c = *c << 4 | (uint32_t)digit;
    }
    return LEX_UNIT;
}

static enum lex next_char(struct reader *r, uint32_t *c)
{
    int raw = raw_char(r);

    if (raw < 0)
        return LEX_END;
    *c = (uint32_t)raw;
    if (raw != '\\')
        return LEX_PLAIN;
    int line = r->at_line, column = r->at_column;
    enum lex lex = LEX_ESCAPED;
    raw = raw_char(r);
    switch (raw) {
    case -1:  return LEX_END;
    case 't': *c = '\t'; break;
    case 'n': *c = '\n'; break;
    case 'r': *c = '\r'; break;
    case 'f': *c = '\f'; break;
    case 'u': lex = read_unit(r, c); break;
    default:  *c = (uint32_t)raw; break;
    }
    r->at_line = line;
    r->at_column = column;
    return lex;
}

/* ---- text ---- */

static void put_utf8(struct um_buf *b, uint32_t c)
{
    if (c < 0x80) {
        um_buf_put_u8(b, (uint8_t)c);
        return;
    }
    if (c < 0x800) {
        um_buf_put_u8(b, (uint8_t)(0xc0 | c >> 6));
    } else {
        if (c < 0x10000) {
            um_buf_put_u8(b, (uint8_t)(0xe0 | c >> 12));
        } else {
            um_buf_put_u8(b, (uint8_t)(0xf0 | c >> 18));
            um_buf_put_u8(b, (uint8_t)(0x80 | (c >> 12 & 0x3f)));
        }
        um_buf_put_u8(b, (uint8_t)(0x80 | (c >> 6 & 0x3f)));
    }
    um_buf_put_u8(b, (uint8_t)(0x80 | (c & 0x3f)));
}

/* false: half a surrogate pair stands alone */
static bool put_char(struct text *t, enum lex lex, uint32_t c)
{
    bool low = lex == LEX_UNIT && c >= 0xdc00 && c <= 0xdfff;

    if ((t->high != 0) != low)
        return false;
    if (low) {
        put_utf8(&t->buf, 0x10000 + ((t->high - 0xd800) << 10) + (c - 0xdc00));
        t->high = 0;
    } else if (lex == LEX_UNIT && c >= 0xd800 && c <= 0xdbff) {
        t->high = c;
    } else if (lex == LEX_UNIT) {
        put_utf8(&t->buf, c);
    } else {
        um_buf_put_u8(&t->buf, (uint8_t)c);
    }
    return true;
}

static um_err fail(const struct reader *r, struct properties_error *error, um_err err, const char *reason)
{
    *error = (struct properties_error){ r->at_line, r->at_column, reason };
    return err;
}

static um_err take_char(struct reader *r, struct text *t, enum lex lex, uint32_t c, struct properties_error *error)
{
    if (lex == LEX_BAD)
        return fail(r, error, UM_EPROTO, "malformed \\uxxxx encoding");
    if (!put_char(t, lex, c))
        return fail(r, error, UM_EPROTO, "half of a surrogate pair");
    if ((size_t)(r->p - r->start) > PROPERTIES_MAX_LINE)
        return fail(r, error, UM_ELIMIT, "line longer than 64KB");
    return t->buf.failed ? UM_ENOMEM : UM_OK;
}

static um_err end_text(struct reader *r, struct text *t, struct properties_error *error)
{
    return t->high == 0 ? UM_OK : fail(r, error, UM_EPROTO, "half of a surrogate pair");
}

/* ---- lines ---- */

/* Skips what may stand between key and value: blanks and, when SIGN is allowed, one = or :. */
static void skip_between(struct reader *r, bool sign)
{
    for (;;) {
        struct reader before = *r;
        uint32_t c;
        if (next_char(r, &c) == LEX_PLAIN) {
            if (is_blank((int)c))
                continue;
            if (sign && (c == '=' || c == ':')) {
                sign = false;
                continue;
            }
        }
        *r = before;
        return;
    }
}

static um_err read_key(struct reader *r, struct text *key, struct properties_error *error)
{
    for (;;) {
        struct reader before = *r;
        uint32_t c = 0;
        um_err err;
        enum lex lex = next_char(r, &c);
        if (lex == LEX_END)
            break;
        if (lex == LEX_PLAIN && (c == '=' || c == ':' || is_blank((int)c))) {
            *r = before;
            break;
        }
        if ((err = take_char(r, key, lex, c, error)) != UM_OK)
            return err;
    }
    return end_text(r, key, error);
}

/* Up to the end of the line or, when SPLIT, to a plain comma: then *MORE is set. */
static um_err read_value(struct reader *r, struct text *value, bool split, bool *more, struct properties_error *error)
{
    *more = false;
    for (;;) {
        uint32_t c = 0;
        um_err err;
        enum lex lex = next_char(r, &c);
        if (lex == LEX_END)
            break;
        if (split && lex == LEX_PLAIN && c == ',') {
            *more = true;
            break;
        }
        if ((err = take_char(r, value, lex, c, error)) != UM_OK)
            return err;
    }
    return end_text(r, value, error);
}

static struct um_span span_of(const struct text *t)
{
    return t->buf.len > 0 ? UM_SPAN(t->buf.data, t->buf.len) : UM_SPAN("", 0);
}

static void note_place(const struct reader *r, struct properties_entry *e)
{
    struct reader ahead = *r;
    uint32_t c;

    if (next_char(&ahead, &c) == LEX_END) {
        e->line = r->line;
        e->column = r->column;
    } else {
        e->line = ahead.at_line;
        e->column = ahead.at_column;
    }
}

/* key[] = a, b: one entry for each element. */
static um_err read_elements(struct reader *r, struct text *key, struct properties_entry *e,
                            const struct properties_sink *sink, struct properties_error *error)
{
    size_t base = key->buf.len - 2;
    bool more = true;
    um_err err = UM_OK;

    for (size_t i = 0; more && err == UM_OK; i++) {
        struct text value = { 0 };
        key->buf.len = base;
        um_buf_printf(&key->buf, "[%zu]", i);
        note_place(r, e);
        err = key->buf.failed ? UM_ENOMEM : read_value(r, &value, true, &more, error);
        e->key = span_of(key);
        e->value = span_of(&value);
        if (err == UM_OK)
            err = sink->entry(sink->arg, e);
        um_buf_free(&value.buf);
        skip_between(r, false);
    }
    return err;
}

static um_err read_entry(struct reader *r, const struct properties_sink *sink, struct properties_error *error)
{
    struct text key = { 0 }, value = { 0 };
    struct properties_entry e = { .key_line = r->line };
    bool more;
    um_err err;

    r->start = r->p;
    r->slash = false;
    if ((err = read_key(r, &key, error)) != UM_OK)
        goto out;
    skip_between(r, true);
    if (sink->lists && key.buf.len > 2 && memcmp(key.buf.data + key.buf.len - 2, "[]", 2) == 0) {
        err = read_elements(r, &key, &e, sink, error);
        goto out;
    }
    note_place(r, &e);
    if ((err = read_value(r, &value, false, &more, error)) != UM_OK)
        goto out;
    e.key = span_of(&key);
    e.value = span_of(&value);
    err = sink->entry(sink->arg, &e);
out:
    um_buf_free(&key.buf);
    um_buf_free(&value.buf);
    return err;
}

/* ---- comments and document separators ---- */

static bool is_separator(const struct reader *r)
{
    const uint8_t *p = r->p + 1;

    if (r->column != 1 || r->end - p < 3 || memcmp(p, "---", 3) != 0)
        return false;
    for (p += 3; p < r->end && !is_newline(*p); p++)
        if (!is_blank(*p))
            return false;
    return true;
}

static void skip_comment(struct reader *r)
{
    while (r->p < r->end && !is_newline(*r->p))
        step(r);
    if (r->p < r->end)
        step_newline(r);
}

/* A separator must not touch a comment that begins with the same character. */
static um_err read_comment(struct reader *r, int *last_line, int *last_sign, const struct properties_sink *sink)
{
    int sign = *r->p, line = r->line;
    bool separator = is_separator(r) && !(*last_sign == sign && *last_line == line - 1);

    skip_comment(r);
    if (separator) {
        struct reader after = *r;
        skip_blanks(&after);
        separator = after.p == after.end || *after.p != sign || after.line != line + 1;
    }
    *last_line = line;
    *last_sign = separator ? 0 : sign;
    return separator && sink->separator != NULL ? sink->separator(sink->arg, line) : UM_OK;
}

um_err properties_read(struct um_span text, const struct properties_sink *sink, struct properties_error *error)
{
    struct reader r = { .p = text.data, .end = text.data + text.len, .start = text.data, .line = 1, .column = 1 };
    int last_line = 0, last_sign = 0;
    um_err err = UM_OK;

    *error = (struct properties_error){ 0 };
    while (err == UM_OK && r.p < r.end) {
        r.slash = false;
        if (is_blank(*r.p))
            step(&r);
        else if (is_newline(*r.p))
            step_newline(&r);
        else if (*r.p == '#' || *r.p == '!')
            err = read_comment(&r, &last_line, &last_sign, sink);
        else if (is_joint(&r) && r.end - r.p > 2)
            join_line(&r);                        /* nothing before it: the line begins anew, as in Java; at the
                                                   * very end Java makes an entry without key of it */
        else
            err = read_entry(&r, sink, error);
    }
    return err;
}

/* ---- writing ---- */

static void write_text(struct um_buf *out, const char *text, bool is_key)
{
    bool leading = true;

    for (const char *p = text; *p != '\0'; p++) {
        switch (*p) {
        case '\t': um_buf_puts(out, "\\t"); break;
        case '\n': um_buf_puts(out, "\\n"); break;
        case '\r': um_buf_puts(out, "\\r"); break;
        case '\f': um_buf_puts(out, "\\f"); break;
        case ' ':
            um_buf_puts(out, is_key || leading ? "\\ " : " ");
            break;
        case '#': case '!': case '=': case ':':
            if (is_key)
                um_buf_put_u8(out, '\\');
            um_buf_put_u8(out, (uint8_t)*p);
            break;
        case '\\': um_buf_puts(out, "\\\\"); break;
        default: um_buf_put_u8(out, (uint8_t)*p);
        }
        leading = false;
    }
}

void properties_write_key(struct um_buf *out, const char *text)
{
    write_text(out, text, true);
}

/* The sign after the key has been written, so none of the signs needs an escape here. */
void properties_write_value(struct um_buf *out, const char *text)
{
    write_text(out, text, false);
}
