/* Socket.IO packets (protocol 5), the text part: <type>[<n>-][<namespace>,][<id>][JSON]. Pure. */
#ifndef SIO_PACKET_H
#define SIO_PACKET_H
#include <sio/data.h>

enum sio_type { SIO_CONNECT, SIO_DISCONNECT, SIO_EVENT, SIO_ACK, SIO_CONNECT_ERROR, SIO_BINARY_EVENT, SIO_BINARY_ACK };

struct sio_packet {
    enum sio_type type;                   /* never one of the binary two: n_att tells */
    struct um_span nsp;                   /* with its slash; borrowed, or a literal */
    bool has_id;
    uint64_t id;
    unsigned n_att;                       /* messages of bytes that follow */
    struct um_span data;                  /* JSON, checked; empty: none */
};
/* Checks everything but that the event may be sent. *WHY: a literal, what is wrong (UM_EPROTO). TEXT is valid UTF-8. */
um_err sio_packet_decode(struct um_span text, struct sio_packet *out, const char **why) UM_CHECK_RESULT;

/* Appends the text part. TYPE may be one of the binary two, and is made so when N_ATT is not 0. DATA empty: none. */
struct sio_head {
    enum sio_type type;
    const char *nsp;
    bool has_id;
    uint64_t id;
};
void sio_packet_put(struct um_buf *out, const struct sio_head *head, struct um_span data, size_t n_att);
/* What stands before the data: at most SIO_HEAD_MAX bytes and the namespace's name. Returns how many. */
enum { SIO_HEAD_MAX = 64 };
size_t sio_packet_head(char *out, size_t size, const struct sio_head *head, size_t n_att);

#endif
