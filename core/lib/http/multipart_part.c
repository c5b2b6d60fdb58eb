/* Parameters as RFC 2045 and 8187 have them, and as browsers write them: in a quoted name they put %22 for a quote and nothing
 * else (HTML, "multipart form data"); old ones send the whole path of a file. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "multipart_int.h"

struct param { struct um_span name; char *value; };              /* VALUE is the caller's */

/* ---- parameters ---- */

static bool is_token(uint8_t c)
{
    return c > 32 && c < 127 && strchr("()<>@,;:\\\"/[]?={}", c) == NULL;
}

static void skip_blanks(struct um_reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\t'))
        r->p++;
}

static struct um_span read_token(struct um_reader *r)
{
    const uint8_t *from = r->p;

    while (r->p < r->end && is_token(*r->p))
        r->p++;
    return UM_SPAN(from, (size_t)(r->p - from));
}

/* Behind the opening quote. A backslash stands for itself but before a quote or another one. */
static char *read_quoted(struct um_reader *r)
{
    struct um_buf b = { 0 };
    bool closed = false;
    char *out = NULL;

    while (r->p < r->end && !closed) {
        uint8_t c = *r->p++;

        if (c == '\\' && r->p < r->end && (*r->p == '"' || *r->p == '\\'))
            um_buf_put_u8(&b, *r->p++);
        else if (c == '%' && um_reader_left(r) >= 2 && memcmp(r->p, "22", 2) == 0)
            um_buf_put_u8(&b, '"'), r->p += 2;
        else if (c == '"')
            closed = true;
        else
            um_buf_put_u8(&b, c);
    }
    if (closed && !b.failed)
        out = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return out;
}

static char *read_value(struct um_reader *r)
{
    struct um_span token;

    if (r->p < r->end && *r->p == '"') {
        r->p++;
        return read_quoted(r);
    }
    token = read_token(r);
    return token.len > 0 ? um_xstrndup((const char *)token.data, token.len) : NULL;
}

static bool take(struct um_reader *r, char c)
{
    return r->p < r->end && *r->p++ == (uint8_t)c;
}

/* The next `; name=value`. False: there is none, or it is malformed and R has failed. */
static bool next_param(struct um_reader *r, struct param *out)
{
    *out = (struct param){ 0 };
    skip_blanks(r);
    if (r->p == r->end)
        return false;
    r->failed = !take(r, ';');
    skip_blanks(r);
    out->name = read_token(r);
    r->failed = r->failed || out->name.len == 0 || !take(r, '=');
    if (!r->failed)
        out->value = read_value(r);
    r->failed = out->value == NULL;
    return !r->failed;
}

static bool span_is(struct um_span s, const char *word)
{
    return s.len == strlen(word) && strncasecmp((const char *)s.data, word, s.len) == 0;
}

/* ---- the form ---- */

static bool is_boundary(const char *s)
{
    size_t n = strlen(s);

    if (n == 0 || n > UM_MULTIPART_BOUNDARY_MAX || s[n - 1] == ' ')
        return false;
    return strspn(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'()+_,-./:=? ") == n;
}

bool multipart_boundary(const char *type, char out[UM_MULTIPART_BOUNDARY_MAX + 1])
{
    static const char word[] = "multipart/form-data";
    struct um_reader r;
    struct param p;
    size_t found = 0;
    bool ok = true;

    if (type == NULL || strncasecmp(type, word, sizeof(word) - 1) != 0)
        return false;
    r = um_reader(UM_SPAN_STR(type + sizeof(word) - 1));
    while (next_param(&r, &p)) {
        if (span_is(p.name, "boundary")) {
            ok = ++found == 1 && is_boundary(p.value);
            if (ok)
                memcpy(out, p.value, strlen(p.value) + 1);
        }
        free(p.value);
        if (!ok)
            return false;
    }
    return found == 1 && !r.failed;
}

/* ---- a part ---- */

/* Without folders: a name, as it was on the sender's machine. */
static const char *base_name(const char *s)
{
    const char *slash = strrchr(s, '/'), *back = strrchr(s, '\\');

    if (slash != NULL && (back == NULL || slash > back))
        return slash + 1;
    return back != NULL ? back + 1 : s;
}

static bool is_text(const char *s)
{
    for (const char *p = s; *p != '\0'; p++)
        if ((uint8_t)*p < 32 || *p == 127)
            return false;
    return um_utf8_is_valid(s, strlen(s));
}

/* UTF-8'language'percent-encoded (RFC 8187); other charsets are not spoken any more. */
static char *decode_extended(const char *value)
{
    struct um_buf b = { 0 };
    const char *text = strncasecmp(value, "UTF-8'", 6) == 0 ? strchr(value + 6, '\'') : NULL;
    char *out = NULL;

    if (text != NULL && um_percent_decode(&b, UM_SPAN_STR(text + 1)) && (b.len == 0 || memchr(b.data, 0, b.len) == NULL))
        out = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return out;
}

/* Takes VALUE over. False: the second one of its kind, or none at all. */
static bool set_once(char **place, char *value)
{
    if (*place != NULL || value == NULL) {
        free(value);
        return false;
    }
    *place = value;
    return true;
}

static um_err parse_disposition(struct multipart_part *out, struct um_span value, const char **why)
{
    struct um_reader r = um_reader(value);
    char *extended = NULL;
    struct param p;
    bool ok = span_is(read_token(&r), "form-data") && out->name == NULL;

    while (ok && next_param(&r, &p)) {
        if (span_is(p.name, "name"))
            ok = set_once(&out->name, p.value);
        else if (span_is(p.name, "filename"))
            ok = set_once(&out->filename, p.value);
        else if (span_is(p.name, "filename*"))
            ok = set_once(&extended, decode_extended(p.value)), free(p.value);
        else
            free(p.value);
    }
    if (extended != NULL) {
        free(out->filename);
        out->filename = extended;
    }
    if (ok && !r.failed && out->name != NULL)
        return UM_OK;
    *why = "a part of the form has no valid Content-Disposition";
    return UM_EPROTO;
}

static um_err parse_header(struct multipart_part *out, struct um_span name, struct um_span value, const char **why)
{
    if (span_is(name, "Content-Disposition"))
        return parse_disposition(out, value, why);
    if (span_is(name, "Content-Type")) {
        if (set_once(&out->type, um_xstrndup((const char *)value.data, value.len)))
            return UM_OK;
        *why = "a part of the form has two types";
        return UM_EPROTO;
    }
    if (span_is(name, "Content-Transfer-Encoding") && !span_is(value, "binary") && !span_is(value, "8bit") && !span_is(value, "7bit")) {
        *why = "a part of the form is encoded";
        return UM_EPROTO;
    }
    return UM_OK;
}

/* The next line without its CRLF; false: a line feed or another control character stands where none may. */
static bool next_line(struct um_reader *r, struct um_span *out)
{
    const uint8_t *from = r->p, *cr = memchr(from, '\r', um_reader_left(r));

    if (cr == NULL || cr + 1 == r->end || cr[1] != '\n')
        return false;
    for (const uint8_t *p = from; p < cr; p++)
        if ((*p < 32 && *p != '\t') || *p == 127)
            return false;
    *out = UM_SPAN(from, (size_t)(cr - from));
    r->p = cr + 2;
    return true;
}

static um_err parse_line(struct multipart_part *out, struct um_span line, const char **why)
{
    struct um_reader r = um_reader(line);
    struct um_span name = read_token(&r);

    if (name.len > 0 && r.p < r.end && *r.p++ == ':') {
        skip_blanks(&r);
        while (r.end > r.p && (r.end[-1] == ' ' || r.end[-1] == '\t'))
            r.end--;
        return parse_header(out, name, UM_SPAN(r.p, um_reader_left(&r)), why);
    }
    *why = "a header of a part is malformed";
    return UM_EPROTO;
}

um_err multipart_part_parse(struct multipart_part *out, const struct um_buf *headers, const char **why)
{
    struct um_reader r = um_reader(UM_SPAN(headers->data, headers->len));
    struct um_span line;
    um_err err = UM_OK;

    *out = (struct multipart_part){ 0 };
    *why = "a header of a part is malformed";
    while (err == UM_OK && um_reader_left(&r) > 0)
        err = !next_line(&r, &line) ? UM_EPROTO : line.len > 0 ? parse_line(out, line, why) : UM_OK;
    if (err == UM_OK && out->name == NULL) {
        *why = "a part of the form has no name";
        err = UM_EPROTO;
    }
    if (err == UM_OK && (!is_text(out->name) || (out->filename != NULL && !is_text(out->filename)) ||
                         (out->type != NULL && !is_text(out->type)))) {
        *why = "a name in the form is not UTF-8, or has control characters";
        err = UM_EPROTO;
    }
    if (err != UM_OK) {
        multipart_part_free(out);
        return err;
    }
    out->part = (struct um_multipart_part){ out->name, out->filename != NULL ? base_name(out->filename) : NULL, out->type };
    return UM_OK;
}

void multipart_part_free(struct multipart_part *p)
{
    free(p->name);
    free(p->filename);
    free(p->type);
    *p = (struct multipart_part){ 0 };
}
