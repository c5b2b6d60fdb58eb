/* Where the frames of one direction of a WebSocket end (RFC 6455 5.2). Pure: it looks at lengths alone. */
#ifndef PROXY_FRAMES_H
#define PROXY_FRAMES_H
#include <umbel/base.h>

struct um_frames {                        /* zero-initialise */
    uint8_t head[14];
    uint8_t n_head;                       /* bytes of the head that is being read */
    uint64_t left;                        /* of the payload */
};
/* Goes on to the next end of a frame, or through all of DATA; returns how many bytes that were. */
size_t um_frames_feed(struct um_frames *f, const uint8_t *data, size_t n);
static inline bool um_frames_at_end(const struct um_frames *f) { return f->n_head == 0 && f->left == 0; }

/* A server's Close frame. REASON: at most 123 bytes. Returns its length. */
enum { UM_FRAMES_CLOSE_MAX = 127 };
size_t um_frames_close(uint8_t out[UM_FRAMES_CLOSE_MAX], uint16_t code, const char *reason);

#endif
