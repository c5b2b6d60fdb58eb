/* JSON values as YAML, in one form only: the same value gives the same bytes.
 *
 * 1. Block style; a map or list of a map stands two columns deeper than its key.
 * 2. A list of short texts, and what ONE_LINE names, stands on one line when that line has at most LINE_MAX bytes.
 * 3. A text stands bare, else as a literal block (line breaks), else in single quotes, else in double quotes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include <umbel/yaml.h>
#include "yaml_scalar.h"

enum { LINE_BYTES = 110 };

struct writer {
    struct um_buf *out;
    const char *const *one_line;
    um_err err;
};

static void fail(struct writer *w, um_err err)
{
    if (w->err == UM_OK)
        w->err = err;
}

/* ---- texts ---------------------------------------------------------------------------------------------- */

/* What a text holds, found in one walk. */
struct look {
    bool breaks;          /* \n */
    bool escapes;         /* characters that only double quotes can say */
    bool blank_ends;      /* a line of it ends in a blank */
};

/* The next code point of valid UTF-8. */
static uint32_t next_char(const char *s, size_t len, size_t *at)
{
    uint8_t c = (uint8_t)s[(*at)++];
    uint32_t v = c < 0x80 ? c : c < 0xE0 ? c & 0x1Fu : c < 0xF0 ? c & 0x0Fu : c & 0x07u;

    while (*at < len && ((uint8_t)s[*at] & 0xC0) == 0x80)
        v = v << 6 | ((uint8_t)s[(*at)++] & 0x3Fu);
    return v;
}

static bool is_printable(uint32_t c)
{
    return (c >= 0x20 && c <= 0x7E) || (c >= 0xA0 && c <= 0xFFFD && c != 0x2028 && c != 0x2029 && c != 0xFEFF) || c >= 0x10000;
}

static struct look look_at(const char *s, size_t len)
{
    struct look k = { 0 };
    size_t at = 0;

    while (at < len) {
        uint32_t c = next_char(s, len, &at);

        if (c == '\n') {
            k.breaks = true;
            k.blank_ends |= at > 1 && (s[at - 2] == ' ' || s[at - 2] == '\t');
        } else if (c != '\t' && !is_printable(c)) {
            k.escapes = true;
        }
    }
    k.blank_ends |= len > 0 && (s[len - 1] == ' ' || s[len - 1] == '\t');
    return k;
}

static bool can_be_bare(const char *s, size_t len, struct look k, bool in_line)
{
    size_t i;

    if (len == 0 || k.breaks || k.escapes || k.blank_ends || memchr(s, '\t', len) != NULL || yaml_scalar_is_ambiguous(s, len))
        return false;
    if (strchr(" -?:,[]{}#&*!|>'\"%@`", s[0]) != NULL)
        return false;
    for (i = 1; i < len; i++) {
        if (s[i] == ':' && (in_line || i + 1 == len || s[i + 1] == ' '))
            return false;
        if ((s[i] == '#' && s[i - 1] == ' ') || (in_line && strchr(",[]{}?", s[i]) != NULL))
            return false;
    }
    return true;
}

static void put_double_quoted(struct um_buf *out, const char *s, size_t len)
{
    size_t at = 0, from;

    um_buf_puts(out, "\"");
    while (at < len) {
        uint32_t c;

        from = at;
        c = next_char(s, len, &at);
        if (c == '"' || c == '\\')
            um_buf_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            um_buf_puts(out, "\\n");
        else if (c == '\t')
            um_buf_puts(out, "\\t");
        else if (is_printable(c))
            um_buf_put(out, s + from, at - from);
        else if (c < 0x100)
            um_buf_printf(out, "\\x%02X", c);
        else
            um_buf_printf(out, "\\u%04X", c);
    }
    um_buf_puts(out, "\"");
}

static void put_single_quoted(struct um_buf *out, const char *s, size_t len)
{
    size_t i;

    um_buf_puts(out, "'");
    for (i = 0; i < len; i++)
        um_buf_put(out, s[i] == '\'' ? "''" : s + i, s[i] == '\'' ? 2 : 1);
    um_buf_puts(out, "'");
}

static void put_text_on_line(struct writer *w, const char *s, size_t len, bool in_line)
{
    struct look k = look_at(s, len);

    if (memchr(s, '\0', len) != NULL)
        fail(w, UM_EINVAL);
    else if (can_be_bare(s, len, k, in_line))
        um_buf_put(w->out, s, len);
    else if (k.breaks || k.escapes || memchr(s, '\t', len) != NULL)
        put_double_quoted(w->out, s, len);
    else
        put_single_quoted(w->out, s, len);
}

/* A literal block says every byte back when no line ends in a blank and the first one shows the indentation. */
static bool can_be_literal(const char *s, size_t len, struct look k)
{
    return k.breaks && !k.escapes && !k.blank_ends && strchr(" \t\n", s[0]) == NULL && memchr(s, '\0', len) == NULL;
}

static void put_literal(struct writer *w, const char *s, size_t len, size_t indent)
{
    const char *line = s, *end = s + len;

    um_buf_puts(w->out, end[-1] != '\n' ? "|-" : len > 1 && end[-2] == '\n' ? "|+" : "|");
    while (line < end) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));

        if (stop == NULL)
            stop = end;
        um_buf_printf(w->out, "\n%*s", stop > line ? (int)indent : 0, "");
        um_buf_put(w->out, line, (size_t)(stop - line));
        line = stop + 1;
    }
    /* The last break of the text is the one that ends the line of every value. */
}

/* ---- scalars and keys ----------------------------------------------------------------------------------- */

static void put_real(struct writer *w, double v)
{
    char text[40];
    int precision;

    for (precision = 15; precision <= 17; precision++) {
        (void)snprintf(text, sizeof(text), "%.*g", precision, v);
        if (strtod(text, NULL) == v)
            break;
    }
    um_buf_printf(w->out, "%s%s", text, strpbrk(text, ".e") == NULL ? ".0" : "");
}

static void put_scalar(struct writer *w, const json_t *v, bool in_line)
{
    switch (json_typeof(v)) {
    case JSON_STRING: put_text_on_line(w, json_string_value(v), json_string_length(v), in_line); break;
    case JSON_INTEGER: um_buf_printf(w->out, "%lld", (long long)json_integer_value(v)); break;
    case JSON_REAL: put_real(w, json_real_value(v)); break;
    case JSON_TRUE: um_buf_puts(w->out, "true"); break;
    case JSON_FALSE: um_buf_puts(w->out, "false"); break;
    case JSON_OBJECT: um_buf_puts(w->out, "{}"); break;
    case JSON_ARRAY: um_buf_puts(w->out, "[]"); break;
    default: um_buf_puts(w->out, "null"); break;
    }
}

static void put_key(struct writer *w, const char *key, size_t len, bool in_line)
{
    if (len > YAML_KEY_BYTES)
        fail(w, UM_ELIMIT);
    put_text_on_line(w, key, len, in_line);
    um_buf_puts(w->out, ":");
}

/* ---- one line ------------------------------------------------------------------------------------------- */

static bool is_container(const json_t *v) { return json_object_size(v) > 0 || json_array_size(v) > 0; }

static bool is_one_line_key(const struct writer *w, const char *key)
{
    const char *const *k;

    for (k = w->one_line; k != NULL && *k != NULL; k++)
        if (strcmp(*k, key) == 0)
            return true;
    return false;
}

static bool fits_element(const json_t *v)
{
    return !is_container(v) && !(json_is_string(v) && memchr(json_string_value(v), '\n', json_string_length(v)) != NULL);
}

/* May V stand on one line by what it holds? A list of scalars may; a map of scalars and such lists. */
static bool may_be_one_line(const json_t *v)
{
    size_t i;
    const char *key;
    json_t *child;

    json_array_foreach(v, i, child)
        if (!fits_element(child))
            return false;
    json_object_foreach((json_t *)v, key, child) /* NOLINT: does not change it */
        if (!(json_is_array(child) ? may_be_one_line(child) : fits_element(child)))
            return false;
    return true;
}

static void put_one_line(struct writer *w, const json_t *v)
{
    const char *key, *gap = "";
    size_t i, len;
    json_t *child;

    if (!is_container(v)) {
        put_scalar(w, v, true);
        return;
    }
    um_buf_puts(w->out, json_is_array(v) ? "[" : "{");
    json_array_foreach(v, i, child) {
        um_buf_puts(w->out, gap);
        put_one_line(w, child);
        gap = ", ";
    }
    json_object_keylen_foreach((json_t *)v, key, len, child) {
        um_buf_puts(w->out, gap);
        put_key(w, key, len, true);
        um_buf_puts(w->out, " ");
        put_one_line(w, child);
        gap = ", ";
    }
    um_buf_puts(w->out, json_is_array(v) ? "]" : "}");
}

/* Writes V on this line when it may and fits; else leaves the buffer as it was. */
static bool try_one_line(struct writer *w, const json_t *v, size_t depth)
{
    size_t begin = w->out->len, i = begin;

    if (depth + 2 > YAML_DEPTH || !may_be_one_line(v) || json_object_size(v) + json_array_size(v) > LINE_BYTES)
        return false;
    while (i > 0 && w->out->data[i - 1] != '\n')
        i--;
    put_one_line(w, v);
    if (w->out->len - i <= LINE_BYTES)
        return true;
    w->out->len = begin;
    return false;
}

/* ---- blocks --------------------------------------------------------------------------------------------- */

static void put_block(struct writer *w, const json_t *v, size_t indent, size_t depth, bool one_line);

/* The value after "key:" or "-"; GAP is the blank that has not been written yet. */
static void put_value(struct writer *w, const json_t *v, size_t indent, size_t depth, bool one_line, bool after_dash)
{
    struct look k;

    if (!is_container(v)) {
        um_buf_puts(w->out, " ");
        if ((json_is_array(v) || json_is_object(v)) && depth >= YAML_DEPTH)
            fail(w, UM_ELIMIT);
        if (json_is_string(v)) {
            k = look_at(json_string_value(v), json_string_length(v));
            if (can_be_literal(json_string_value(v), json_string_length(v), k)) {
                put_literal(w, json_string_value(v), json_string_length(v), indent);
                return;
            }
        }
        put_scalar(w, v, false);
        return;
    }
    if ((json_is_array(v) && !after_dash) || (json_is_object(v) && one_line)) {
        um_buf_puts(w->out, " ");
        if (try_one_line(w, v, depth))
            return;
        w->out->len--;
    }
    if (after_dash)
        um_buf_puts(w->out, " ");
    else
        um_buf_printf(w->out, "\n%*s", (int)indent, "");
    put_block(w, v, indent, depth, one_line);
}

/* V, a container that is not empty; its first line begins where the buffer stands, the others at INDENT. */
static void put_block(struct writer *w, const json_t *v, size_t indent, size_t depth, bool one_line)
{
    bool is_first = true;
    const char *key;
    size_t i, len;
    json_t *child;

    if (depth >= YAML_DEPTH) {
        fail(w, UM_ELIMIT);
        return;
    }
    json_array_foreach(v, i, child) {
        if (!is_first)
            um_buf_printf(w->out, "\n%*s", (int)indent, "");
        um_buf_puts(w->out, "-");
        put_value(w, child, indent + 2, depth + 1, one_line, true);
        is_first = false;
    }
    json_object_keylen_foreach((json_t *)v, key, len, child) {
        if (!is_first)
            um_buf_printf(w->out, "\n%*s", (int)indent, "");
        put_key(w, key, len, false);
        put_value(w, child, indent + 2, depth + 1, is_one_line_key(w, key), false);
        is_first = false;
    }
}

um_err um_yaml_write(const json_t *value, const char *const *one_line, struct um_buf *out)
{
    struct writer w = { out, one_line, UM_OK };

    if (is_container(value)) {
        put_block(&w, value, 0, 0, false);
    } else {
        put_scalar(&w, value, false);
    }
    um_buf_puts(out, "\n");
    if (w.err == UM_OK && out->failed)
        w.err = UM_ENOMEM;
    return w.err;
}
