/* RFC 6455 5.2, the bytes of one frame: pure functions.
 *
 *   byte 0   FIN | RSV1-3 | opcode      byte 1   MASK | length (126: 2 bytes follow, 127: 8)      4 bytes of mask */
#ifndef UMBEL_WS_FRAME_H
#define UMBEL_WS_FRAME_H
#include <umbel/bytes.h>

enum {
    WS_OP_CONTINUATION = 0,
    WS_OP_TEXT = 1,
    WS_OP_BINARY = 2,
    WS_OP_CLOSE = 8,
    WS_OP_PING = 9,
    WS_OP_PONG = 10,

    WS_MAX_HEADER = 14,
    WS_MAX_CONTROL = 125,
};

struct ws_header {
    bool fin;
    uint8_t opcode;
    uint64_t len;               /* of the payload; below 2^63 */
    uint32_t mask;              /* as the four bytes stand in memory */
};
static inline bool ws_is_control(uint8_t opcode) { return opcode >= WS_OP_CLOSE; }

/* A frame header of a client (MASKED) or of a server. The bytes that it has (1 to 14), 0 when more are needed, -1 when it
 * breaks the protocol, which is said as soon as the first wrong byte is there. */
int ws_header_read(struct ws_header *out, const uint8_t *p, size_t n, bool masked);

/* XORs N bytes with MASK. Returns the mask turned so that it fits the byte that follows. */
uint32_t ws_unmask(uint8_t *p, size_t n, uint32_t mask);

/* May a peer send this code in a Close frame (reliability: 1000-1003, 1007-1014, 3000-4999)? */
bool ws_close_code_is_valid(unsigned code);

/* A whole frame with a payload of at most 125 bytes, MASKED with zeros as ws.h says, or a server's; NULL: out of memory. */
struct um_bytes *ws_control_frame(uint8_t opcode, struct um_span payload, bool masked);

#endif
