/* See plain.h. Of mark-up only what stands between tags counts; entities other than the five of XML, and numbers, are blanks: words
 * are looked for here, not looks. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/util.h>
#include "plain.h"

static bool is(const char *format, const char *type)
{
    size_t n = strcspn(format, "; \t");

    return n == strlen(type) && strncasecmp(format, type, n) == 0;
}

static bool ends(const char *format, const char *end)
{
    size_t n = strcspn(format, "; \t"), k = strlen(end);

    return n > k && strncasecmp(format + n - k, end, k) == 0;
}

static bool is_marked_up(const char *format)
{
    return is(format, "text/html") || is(format, "text/xml") || is(format, "application/xml") || ends(format, "+xml");
}

bool plain_can_read(const char *format)
{
    return strncasecmp(format, "text/", 5) == 0 || is(format, "application/json") || ends(format, "+json") || is_marked_up(format);
}

/* ---- mark-up ---- */

struct reading { const char *p, *end; struct um_buf *out; };

static bool begins(const struct reading *r, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(r->end - r->p) >= n && strncasecmp(r->p, word, n) == 0;
}

static void skip_past(struct reading *r, const char *word)
{
    while (r->p < r->end && !begins(r, word))
        r->p++;
    r->p = begins(r, word) ? r->p + strlen(word) : r->end;
}

/* At a `<`: past the tag, and past what a reader does not see. */
static void skip_tag(struct reading *r)
{
    static const struct { const char *begin, *end; } hidden[] = {
        { "<!--", "-->" }, { "<script", "</script" }, { "<style", "</style" },
    };

    if (begins(r, "<![CDATA[")) {
        r->p += strlen("<![CDATA[");
        return;
    }
    for (size_t i = 0; i < UM_COUNT(hidden); i++)
        if (begins(r, hidden[i].begin)) {
            skip_past(r, hidden[i].end);
            if (i == 0)
                return;
            break;
        }
    skip_past(r, ">");
    um_buf_puts(r->out, " ");
}

static void put_character(struct um_buf *out, unsigned long c)
{
    uint8_t b[4];
    size_t n = 1;

    if (c < 0x20 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        um_buf_puts(out, " ");
        return;
    }
    if (c < 0x80) {
        b[0] = (uint8_t)c;
    } else {
        n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        for (size_t i = n; i-- > 1; c >>= 6)
            b[i] = (uint8_t)(0x80 | (c & 0x3f));
        b[0] = (uint8_t)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
    }
    um_buf_put(out, b, n);
}

static unsigned long number_of(const struct reading *r, const char **end)
{
    char text[12];
    bool hex = r->p[2] == 'x' || r->p[2] == 'X';
    size_t from = hex ? 3 : 2, n = 0;

    while (n < sizeof(text) - 1 && r->p + from + n < r->end && isxdigit((unsigned char)r->p[from + n])) {
        text[n] = r->p[from + n];
        n++;
    }
    text[n] = '\0';
    *end = r->p + from + n;
    return n > 0 ? strtoul(text, NULL, hex ? 16 : 10) : 0;
}

/* At a `&`. */
static void read_entity(struct reading *r)
{
    static const struct { const char *name; char is; } known[] = {
        { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' }, { "&quot;", '"' }, { "&apos;", '\'' }, { "&nbsp;", ' ' },
    };
    const char *end;

    for (size_t i = 0; i < UM_COUNT(known); i++)
        if (begins(r, known[i].name)) {
            put_character(r->out, (unsigned char)known[i].is);
            r->p += strlen(known[i].name);
            return;
        }
    if (r->end - r->p > 3 && r->p[1] == '#') {
        put_character(r->out, number_of(r, &end));
        r->p = end;
        if (r->p < r->end && *r->p == ';')
            r->p++;
        return;
    }
    um_buf_puts(r->out, " ");
    r->p++;
}

static void read_markup(struct um_span text, struct um_buf *out)
{
    struct reading r = { (const char *)text.data, (const char *)text.data + text.len, out };

    while (r.p < r.end) {
        size_t n = 0;

        while (r.p + n < r.end && r.p[n] != '<' && r.p[n] != '&')
            n++;
        um_buf_put(out, (const uint8_t *)r.p, n);
        r.p += n;
        if (r.p < r.end && *r.p == '<')
            skip_tag(&r);
        else if (r.p < r.end)
            read_entity(&r);
    }
}

/* ---- bytes ---- */

/* Without the character that the end of what was read has cut. */
static size_t whole(struct um_span s)
{
    size_t n = s.len;

    for (size_t back = 1; back <= 3 && back <= s.len; back++) {
        uint8_t b = s.data[s.len - back];

        if ((b & 0xc0) == 0xc0) {
            size_t want = b >= 0xf0 ? 4 : b >= 0xe0 ? 3 : 2;
            return want > back ? s.len - back : n;
        }
        if ((b & 0x80) == 0)
            break;
    }
    return n;
}

static void from_latin1(struct um_span s, struct um_buf *out)
{
    for (size_t i = 0; i < s.len; i++)
        put_character(out, s.data[i]);
}

void plain_text(const char *format, struct um_span bytes, struct um_buf *out)
{
    struct um_buf utf8 = { 0 };
    struct um_span text = UM_SPAN(bytes.data, whole(bytes));

    if (!um_utf8_is_valid((const char *)text.data, text.len) || memchr(text.data, '\0', text.len) != NULL) {
        from_latin1(bytes, &utf8);
        text = UM_SPAN(utf8.data, utf8.len);
    }
    if (is_marked_up(format))
        read_markup(text, out);
    else
        um_buf_put(out, text.data, text.len);
    um_buf_free(&utf8);
}
