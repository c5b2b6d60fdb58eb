/* See proxy_head.h.
 *
 *   version 1   "PROXY TCP4|TCP6 source destination port port\r\n" or "PROXY UNKNOWN ...\r\n", at most 107 bytes
 *   version 2   signature(12) version|command(1) family|transport(1) length(2) addresses, then TLVs: type(1) length(2) value */
#include "proxy_head.h"

#include <arpa/inet.h>
#include <string.h>
#include <umbel/util.h>

enum { V1_MAX = 107, V2_HEAD = 16, FIELDS = 6 };
enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
enum { TCP4 = 0x11, TCP6 = 0x21 };
enum { TLV_CRC32C = 0x03, TLV_SSL = 0x20, TLV_HEAD = 3, CLIENT_SSL = 1 };
static const uint8_t signature[12] = { '\r', '\n', '\r', '\n', 0, '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

static bool set_client(struct http_proxy_head *out, int family, const void *address, uint16_t port)
{
    out->has_client = true;
    if (family == AF_INET6) {
        out->client = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
        memcpy(&out->client.sin6_addr, address, 16);
    } else {
        struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
        memcpy(&v4.sin_addr, address, 4);
        memcpy(&out->client, &v4, sizeof(v4));
    }
    return true;
}

/* ---- version 1 ---- */

static bool read_port(const char *text, uint16_t *out)
{
    unsigned v = 0;
    size_t n = strlen(text);

    if (n == 0 || n > 5 || (n > 1 && text[0] == '0'))
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        v = v * 10 + (unsigned)(*text - '0');
    }
    *out = (uint16_t)v;
    return v <= UINT16_MAX;
}

/* Splits LINE at single blanks; the last field has what is left, blanks and all. */
static size_t split(char *line, char *field[FIELDS])
{
    size_t n = 0;

    field[n++] = line;
    while (n < FIELDS && (line = strchr(line, ' ')) != NULL) {
        *line++ = '\0';
        field[n++] = line;
    }
    return n;
}

static bool read_line(char *line, struct http_proxy_head *out)
{
    char *field[FIELDS];
    size_t n = split(line, field);
    uint8_t source[16], destination[16];
    uint16_t from, to;
    int family;

    if (n >= 2 && strcmp(field[1], "UNKNOWN") == 0)
        return true;
    if (n != FIELDS)
        return false;
    family = strcmp(field[1], "TCP4") == 0 ? AF_INET : strcmp(field[1], "TCP6") == 0 ? AF_INET6 : AF_UNSPEC;
    return family != AF_UNSPEC && inet_pton(family, field[2], source) == 1 && inet_pton(family, field[3], destination) == 1 &&
           read_port(field[4], &from) && read_port(field[5], &to) && set_client(out, family, source, from);
}

static enum http_proxy_verdict read_v1(struct um_span head, struct http_proxy_head *out)
{
    const char *end = memmem(head.data, UM_MIN(head.len, (size_t)V1_MAX), "\r\n", 2);
    char line[V1_MAX + 1];
    size_t n;

    if (end == NULL)
        return head.len < V1_MAX ? HTTP_PROXY_MORE : HTTP_PROXY_BAD;
    n = (size_t)(end - (const char *)head.data);
    memcpy(line, head.data, n);
    line[n] = '\0';
    out->bytes = n + 2;
    return strlen(line) == n && read_line(line, out) ? HTTP_PROXY_DONE : HTTP_PROXY_BAD;
}

/* ---- version 2 ---- */

static uint16_t u16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

/* The sum of the whole head, with its own four bytes taken as zero. */
static bool sum_is_right(struct um_span head, const uint8_t *sum)
{
    static const uint8_t zero[4];
    const uint8_t *end = head.data + head.len;
    uint32_t crc = um_crc32c(0, head.data, (size_t)(sum - head.data));

    crc = um_crc32c(um_crc32c(crc, zero, sizeof(zero)), sum + 4, (size_t)(end - sum) - 4);
    return crc == ((uint32_t)u16(sum) << 16 | u16(sum + 2));
}

static bool read_tlvs(struct um_span head, const uint8_t *at, struct http_proxy_head *out)
{
    const uint8_t *end = head.data + head.len;

    while (at < end) {
        size_t left = (size_t)(end - at), len = left >= TLV_HEAD ? u16(at + 1) : 0;

        if (left < TLV_HEAD + len)
            return false;
        if (at[0] == TLV_CRC32C && (len != 4 || !sum_is_right(head, at + TLV_HEAD)))
            return false;
        if (at[0] == TLV_SSL && len > 0)
            out->secure = (at[TLV_HEAD] & CLIENT_SSL) != 0;
        at += TLV_HEAD + len;
    }
    return true;
}

static bool read_addresses(struct um_span head, struct http_proxy_head *out)
{
    uint8_t family = head.data[13];
    const uint8_t *at = head.data + V2_HEAD;
    size_t each = family == TCP4 ? 4 : family == TCP6 ? 16 : 0, all = 2 * each + 4;

    if (each == 0)                           /* datagrams, local sockets: not a client that we could name */
        return true;
    if (head.len < V2_HEAD + all)
        return false;
    (void)set_client(out, family == TCP4 ? AF_INET : AF_INET6, at, u16(at + 2 * each));
    return read_tlvs(head, at + all, out);
}

static enum http_proxy_verdict read_v2(struct um_span head, struct http_proxy_head *out)
{
    const uint8_t *at = head.data;

    if (head.len < V2_HEAD)
        return HTTP_PROXY_MORE;
    out->bytes = V2_HEAD + (size_t)u16(at + 14);
    if ((at[12] != COMMAND_LOCAL && at[12] != COMMAND_PROXY) || out->bytes > HTTP_PROXY_HEAD_MAX)
        return HTTP_PROXY_BAD;
    if (head.len < out->bytes)
        return HTTP_PROXY_MORE;
    head.len = out->bytes;
    return at[12] == COMMAND_LOCAL || read_addresses(head, out) ? HTTP_PROXY_DONE : HTTP_PROXY_BAD;
}

static bool begins_like(struct um_span head, const void *with, size_t n)
{
    return memcmp(head.data, with, UM_MIN(head.len, n)) == 0;
}

enum http_proxy_verdict http_proxy_read(struct um_span head, struct http_proxy_head *out)
{
    *out = (struct http_proxy_head){ 0 };
    if (head.len == 0)
        return HTTP_PROXY_MORE;
    if (begins_like(head, signature, sizeof(signature)))
        return read_v2(head, out);
    return begins_like(head, "PROXY ", 6) ? read_v1(head, out) : HTTP_PROXY_BAD;
}
