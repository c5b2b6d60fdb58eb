/* Engine.IO packets (protocol 4) in both transports. Pure.
 *
 * On a WebSocket a text message is a digit and text, a binary message is bytes. In a payload of the polling transport packets are
 * joined by 0x1e, and bytes are `b` and base64. */
#ifndef SIO_EIO_PACKET_H
#define SIO_EIO_PACKET_H
#include <umbel/bytes.h>

enum eio_type { EIO_OPEN, EIO_CLOSE, EIO_PING, EIO_PONG, EIO_MESSAGE, EIO_UPGRADE, EIO_NOOP };
enum { EIO_SEPARATOR = 0x1e };

struct eio_packet {
    enum eio_type type;
    bool is_binary;                       /* a message of bytes */
    struct um_span data;
};

/* A text message of a WebSocket. UM_EPROTO: unknown digit, or empty. */
um_err eio_text_decode(struct um_span text, struct eio_packet *out) UM_CHECK_RESULT;

/* The next packet of the payload BODY: start with *pos = 0; UM_ENOTFOUND at the end. Bytes are decoded into SCRATCH, whose contents
 * *OUT borrows. UM_EPROTO: malformed; UM_ENOMEM. */
um_err eio_payload_next(struct um_span body, size_t *pos, struct um_buf *scratch, struct eio_packet *out) UM_CHECK_RESULT;

/* Appends whole server frames (several may stand in a row) in the form of the polling transport, with a separator between two
 * packets and one before the first when OUT is not empty. */
void eio_payload_put_frames(struct um_buf *out, struct um_span frames);

#endif
