/* See umbel/http_file.h. */
#include <string.h>
#include <strings.h>
#include <umbel/http_file.h>
#include <umbel/util.h>

/* ---- ranges ---- */

enum { DIGITS_MAX = 18 };                    /* fit an int64_t */

/* The digits at *AT; -1: there are none. */
static int64_t read_number(const char **at)
{
    size_t n = strspn(*at, "0123456789");
    int64_t out = n == 0 ? -1 : n > DIGITS_MAX ? INT64_MAX : 0;

    for (size_t i = 0; i < n && n <= DIGITS_MAX; i++)
        out = out * 10 + ((*at)[i] - '0');
    *at += n;
    return out;
}

static enum um_http_ranged suffix(int64_t n, int64_t size, int64_t *first, int64_t *length)
{
    if (n == 0 || size == 0)
        return UM_HTTP_NO_RANGE;
    *length = UM_MIN(n, size);
    *first = size - *length;
    return UM_HTTP_RANGE;
}

enum um_http_ranged um_http_range(const char *header, int64_t size, int64_t *first, int64_t *length)
{
    const char *p = header;
    int64_t from, to;

    *first = 0;
    *length = size;
    if (p == NULL || strncasecmp(p, "bytes=", 6) != 0)
        return UM_HTTP_WHOLE;
    p += 6 + strspn(p + 6, " \t");
    from = read_number(&p);
    if (*p++ != '-')
        return UM_HTTP_WHOLE;
    to = read_number(&p);
    p += strspn(p, " \t");
    if (*p != '\0' || (from < 0 && to < 0) || (from >= 0 && to >= 0 && to < from))
        return UM_HTTP_WHOLE;
    if (from < 0)
        return suffix(to, size, first, length);
    if (from >= size)
        return UM_HTTP_NO_RANGE;
    *first = from;
    *length = (to < 0 ? size : UM_MIN(to, size - 1) + 1) - from;
    return UM_HTTP_RANGE;
}

/* ---- names ---- */

/* A quoted string that every browser reads alike: no quotes, backslashes, percent signs (some decode them). */
static void put_ascii(struct um_buf *out, const char *name)
{
    for (const uint8_t *p = (const uint8_t *)name; *p != '\0'; p++) {
        if ((*p & 0xc0) == 0x80)
            continue;                        /* a character is one sign, however many bytes it has */
        um_buf_put_u8(out, *p < 32 || *p > 126 || strchr("\"\\%/", *p) != NULL ? '_' : *p);
    }
}

void um_http_put_disposition(struct um_buf *out, const char *kind, const char *name)
{
    um_buf_printf(out, "%s; filename=\"", kind);
    put_ascii(out, name);
    um_buf_puts(out, "\"; filename*=UTF-8''");
    um_percent_encode(out, UM_SPAN_STR(name));
}
