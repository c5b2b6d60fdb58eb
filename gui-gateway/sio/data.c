/* Values of applications: see sio/data.h. */
#include <sio/data.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "json.h"

struct um_sio_data *um_sio_data_new(struct um_bytes *json, struct um_bytes *const *att, size_t n_att)
{
    struct um_sio_data *d = json != NULL ? malloc(sizeof(*d) + n_att * sizeof(struct um_bytes *)) : NULL;
    bool whole = d != NULL;

    for (size_t i = 0; i < n_att; i++) {
        whole &= att[i] != NULL;
        if (d != NULL)
            d->att[i] = att[i];
        else
            um_bytes_unref(att[i]);
    }
    if (d == NULL) {
        um_bytes_unref(json);
        return NULL;
    }
    atomic_init(&d->refs, 1);
    d->n_att = (uint32_t)n_att;
    d->json = json;
    if (!whole) {
        um_sio_data_unref(d);
        return NULL;
    }
    return d;
}

struct um_sio_data *um_sio_data_text(const char *json)
{
    return um_sio_data_new(um_bytes_dup(json, strlen(json)), NULL, 0);
}

struct um_sio_data *um_sio_data_ref(struct um_sio_data *d)
{
    atomic_fetch_add_explicit(&d->refs, 1, memory_order_relaxed);
    return d;
}

void um_sio_data_unref(struct um_sio_data *d)
{
    if (d == NULL || atomic_fetch_sub_explicit(&d->refs, 1, memory_order_acq_rel) != 1)
        return;
    um_bytes_unref(d->json);
    for (uint32_t i = 0; i < d->n_att; i++)
        um_bytes_unref(d->att[i]);
    free(d);
}

um_err um_sio_data_check(struct um_span json, size_t n_att)
{
    struct sio_json look;

    if (n_att > INT32_MAX || !um_utf8_is_valid(json.data, json.len) || sio_json_look(json, (int)n_att, &look) != SIO_JSON_OK ||
        look.value.len != json.len)
        return UM_EPROTO;
    return UM_OK;
}

/* --- reading what is right --------------------------------------------------------------------------------------- */

static bool is_blank(uint8_t c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

static size_t string_end(struct um_span s, size_t at)
{
    for (at++; at < s.len && s.data[at] != '"'; at++)
        at += s.data[at] == '\\';
    return UM_MIN(at + 1, s.len);
}

/* Where the value that begins at AT ends. */
static size_t value_end(struct um_span s, size_t at)
{
    int depth = 0;

    while (at < s.len) {
        uint8_t c = s.data[at];

        if (c == '"') {
            at = string_end(s, at);
            if (depth == 0)
                return at;
            continue;
        }
        if (depth == 0 && (c == ',' || c == ']' || c == '}' || is_blank(c)))
            return at;
        at++;
        depth += (c == '[' || c == '{') - (c == ']' || c == '}');
        if (depth == 0 && (c == ']' || c == '}'))
            return at;
    }
    return at;
}

bool um_sio_each(struct um_span json, size_t *pos, struct um_span *element)
{
    size_t at = *pos == 0 ? 1 : *pos, end;

    while (at < json.len && (is_blank(json.data[at]) || json.data[at] == ','))
        at++;
    if (json.len < 2 || json.data[0] != '[' || at >= json.len || json.data[at] == ']')
        return false;
    end = value_end(json, at);
    *element = UM_SPAN(json.data + at, end - at);
    *pos = end;
    return true;
}

bool um_sio_is_binary(struct um_span e, size_t *num)
{
    static const char head[] = "{\"_placeholder\":true,\"num\":";
    size_t n = sizeof(head) - 1, value = 0;

    if (e.len < n + 2 || e.len > n + 4 || memcmp(e.data, head, n) != 0 || e.data[e.len - 1] != '}')
        return false;
    for (size_t i = n; i < e.len - 1; i++) {
        if (e.data[i] < '0' || e.data[i] > '9')
            return false;
        value = value * 10 + (size_t)(e.data[i] - '0');
    }
    *num = value;
    return true;
}

static unsigned hex4(const uint8_t *p)
{
    unsigned v = 0;

    for (int i = 0; i < 4; i++)
        v = v * 16 + (unsigned)(p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
    return v;
}

static size_t put_utf8(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 63));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 63));
        out[2] = (char)(0x80 | (c & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 63));
    out[2] = (char)(0x80 | (c >> 6 & 63));
    out[3] = (char)(0x80 | (c & 63));
    return 4;
}

/* The escape at P (its backslash); *TAKEN bytes long. 0: a NUL, or half a pair. */
static uint32_t unescape(const uint8_t *p, const uint8_t *end, size_t *taken)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    uint32_t c, low;

    *taken = 2;
    if (p[1] != 'u') {
        const char *at = strchr(from, p[1]);
        return at != NULL ? (uint32_t)to[at - from] : 0;
    }
    *taken = 6;
    c = hex4(p + 2);
    if (c < 0xd800 || c > 0xdfff)
        return c;
    low = c < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u' ? hex4(p + 8) : 0;
    if (low < 0xdc00 || low > 0xdfff)
        return 0;
    *taken = 12;
    return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
}

bool um_sio_string(struct um_span e, char *out, size_t size)
{
    const uint8_t *p = e.data + 1, *end = e.data + e.len - 1;
    size_t n = 0;

    if (e.len < 2 || e.data[0] != '"')
        return false;
    while (p < end) {
        char c[4] = { (char)*p };
        size_t len = 1, taken = 1;

        if (*p == '\\') {
            uint32_t code = unescape(p, end, &taken);

            if (code == 0)
                return false;
            len = put_utf8(code, c);
        }
        if (n + len >= size)
            return false;
        memcpy(out + n, c, len);
        n += len;
        p += taken;
    }
    out[n] = '\0';
    return true;
}
