/* Two sockets whose bytes go to one another until both have ended. B speaks WebSocket frames to A. On one loop. */
#ifndef PROXY_RELAY_H
#define PROXY_RELAY_H
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_relay;

struct um_relay_stats { uint64_t from_a, from_b; };
struct um_relay_handler {
    void (*on_from_a)(void *arg);                 /* A has sent something; may be NULL */
    void (*on_end)(void *arg, const char *why);   /* exactly once, unless freed before; the relay is gone after the return */
};
enum { UM_RELAY_SCRATCH_BYTES = 64 * 1024 };

/* Takes both descriptors (non-blocking). EARLY_A: bytes already read from A, EARLY_B from B (copied). SCRATCH:
 * UM_RELAY_SCRATCH_BYTES that all relays of a loop share. No callback before the return. */
struct um_relay *um_relay_new(struct um_loop *l, int fd_a, struct um_span early_a, int fd_b, struct um_span early_b,
                              uint8_t *scratch, const struct um_relay_handler *handler, void *arg);
void um_relay_free(struct um_relay *r);           /* cuts both; no callback; safe inside one; NULL is fine */
/* Ends it in order: what B has begun to say goes on to the end of its frame, then A gets a Close frame with CODE and WHY, and
 * on_end(WHY) runs when A has closed, a second later at most. What A says meanwhile is dropped. Once; not after on_end. */
void um_relay_close(struct um_relay *r, uint16_t code, const char *why);
struct um_relay_stats um_relay_stats(const struct um_relay *r);

#endif
