/* The WebSocket handshake with a core, as its client (RFC 6455 4.1). Pure: text in, text out. */
#ifndef PROXY_HANDSHAKE_H
#define PROXY_HANDSHAKE_H
#include <proxy/exchange.h>
#include <umbel/bytes.h>

enum { UM_HANDSHAKE_MAX_BYTES = 16 * 1024, UM_HANDSHAKE_KEY_LEN = 24, UM_HANDSHAKE_PROTOCOL_MAX = 128 };

void um_handshake_key(char out[UM_HANDSHAKE_KEY_LEN + 1]);      /* a fresh random one */

struct um_handshake {                     /* all borrowed */
    const char *target, *host, *key;
    const char *protocols;                /* what the client offers, or NULL */
    const struct um_exchange_header *headers;
    size_t n;
    const char *block;                    /* more of them, each with its line end; NULL: none */
};
void um_handshake_write(struct um_buf *out, const struct um_handshake *h);

enum um_handshake_result {
    UM_HANDSHAKE_MORE,                    /* not complete yet */
    UM_HANDSHAKE_OPEN,                    /* 101, and everything fits */
    UM_HANDSHAKE_REFUSED,                 /* another status; nothing more is said on this connection */
    UM_HANDSHAKE_BAD,                     /* not an answer to this handshake */
};
struct um_handshake_answer {
    unsigned status;
    char protocol[UM_HANDSHAKE_PROTOCOL_MAX];   /* "" : none */
    size_t len;                           /* of the head: what follows are frames */
};
enum um_handshake_result um_handshake_read(struct um_span data, const struct um_handshake *h, struct um_handshake_answer *out);

#endif
