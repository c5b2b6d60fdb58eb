/* Writing the upgrade request to a core and judging its answer.
 *
 * The request is made of parsed values, never of the client's bytes. No extension is offered, so that the bytes can be
 * relayed as they are; an answer that names one is refused, as is a second copy of any header that decides. */
#include <proxy/handshake.h>

#include <string.h>
#include <strings.h>
#include <umbel/http.h>
#include <umbel/util.h>

void um_handshake_key(char out[UM_HANDSHAKE_KEY_LEN + 1])
{
    struct um_buf b = {0};
    uint8_t nonce[16];

    um_random_bytes(nonce, sizeof(nonce));
    um_base64_encode(&b, UM_SPAN(nonce, sizeof(nonce)));
    UM_ASSERT(b.len == UM_HANDSHAKE_KEY_LEN);
    memcpy(out, um_buf_cstr(&b), UM_HANDSHAKE_KEY_LEN + 1);
    um_buf_free(&b);
}

void um_handshake_write(struct um_buf *out, const struct um_handshake *h)
{
    um_buf_printf(out, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n", h->target, h->host, h->key);
    if (h->protocols != NULL)
        um_buf_printf(out, "Sec-WebSocket-Protocol: %s\r\n", h->protocols);
    for (size_t i = 0; i < h->n; i++)
        um_buf_printf(out, "%s: %s\r\n", h->headers[i].name, h->headers[i].value);
    um_buf_puts(out, h->block != NULL ? h->block : "");
    um_buf_puts(out, "\r\n");
}

/* What the headers of an answer said; NULL or counted so that a doubled one is noticed. */
struct said {
    char value[256];
    unsigned count;
};
enum { SAID_UPGRADE, SAID_CONNECTION, SAID_ACCEPT, SAID_PROTOCOL, SAID_EXTENSIONS, SAID_N };
static const char *const said_name[SAID_N] = {
    [SAID_UPGRADE] = "Upgrade", [SAID_CONNECTION] = "Connection", [SAID_ACCEPT] = "Sec-WebSocket-Accept",
    [SAID_PROTOCOL] = "Sec-WebSocket-Protocol", [SAID_EXTENSIONS] = "Sec-WebSocket-Extensions",
};

static bool note_header(struct said said[SAID_N], const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n), *value, *end = line + n;

    if (colon == NULL || colon == line || memchr(line, '\0', n) != NULL || line[0] == ' ' || line[0] == '\t')
        return false;                                     /* folded lines are refused too */
    for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
        ;
    while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    for (size_t i = 0; i < SAID_N; i++) {
        if (strlen(said_name[i]) != (size_t)(colon - line) || strncasecmp(said_name[i], line, (size_t)(colon - line)) != 0)
            continue;
        if ((size_t)(end - value) >= sizeof(said[i].value))
            return false;
        memcpy(said[i].value, value, (size_t)(end - value));
        said[i].value[end - value] = '\0';
        said[i].count++;
    }
    return true;
}

/* "HTTP/1.1 101 Switching Protocols" -> 101; 0: no such line. */
static unsigned parse_status(const char *line, size_t n)
{
    unsigned status = 0;

    if (n < 12 || memcmp(line, "HTTP/1.1 ", 9) != 0 || (n > 12 && line[12] != ' '))
        return 0;
    for (size_t i = 9; i < 12; i++) {
        if (line[i] < '0' || line[i] > '9')
            return 0;
        status = status * 10 + (unsigned)(line[i] - '0');
    }
    return status;
}

static bool fits(const struct said said[SAID_N], const struct um_handshake *h)
{
    char accept[29];

    um_http_websocket_accept(h->key, accept);
    return said[SAID_UPGRADE].count == 1 && um_ascii_ieq(said[SAID_UPGRADE].value, "websocket") &&
           said[SAID_CONNECTION].count == 1 && um_token_list_has(said[SAID_CONNECTION].value, "upgrade") &&
           said[SAID_ACCEPT].count == 1 && strcmp(said[SAID_ACCEPT].value, accept) == 0 &&
           said[SAID_EXTENSIONS].count == 0 && said[SAID_PROTOCOL].count <= 1 &&
           (said[SAID_PROTOCOL].count == 0 ||
            (said[SAID_PROTOCOL].value[0] != '\0' && strlen(said[SAID_PROTOCOL].value) < UM_HANDSHAKE_PROTOCOL_MAX &&
             h->protocols != NULL && um_token_list_has(h->protocols, said[SAID_PROTOCOL].value)));
}

enum um_handshake_result um_handshake_read(struct um_span data, const struct um_handshake *h, struct um_handshake_answer *out)
{
    const char *p = (const char *)data.data;
    const char *end = data.len > 0 ? memmem(p, data.len, "\r\n\r\n", 4) : NULL;
    struct said said[SAID_N] = {0};

    *out = (struct um_handshake_answer){0};
    if (end == NULL)
        return data.len >= UM_HANDSHAKE_MAX_BYTES ? UM_HANDSHAKE_BAD : UM_HANDSHAKE_MORE;
    out->len = (size_t)(end - p) + 4;
    if (out->len > UM_HANDSHAKE_MAX_BYTES)
        return UM_HANDSHAKE_BAD;
    for (bool first = true; p < end + 2; first = false) {
        const char *eol = memmem(p, (size_t)(end + 2 - p), "\r\n", 2);
        if (first ? (out->status = parse_status(p, (size_t)(eol - p))) == 0 : !note_header(said, p, (size_t)(eol - p)))
            return UM_HANDSHAKE_BAD;
        p = eol + 2;
    }
    if (out->status != 101)
        return out->status >= 200 && out->status <= 599 ? UM_HANDSHAKE_REFUSED : UM_HANDSHAKE_BAD;
    if (!fits(said, h))
        return UM_HANDSHAKE_BAD;
    strcpy(out->protocol, said[SAID_PROTOCOL].value);
    return UM_HANDSHAKE_OPEN;
}
