/* The bench of the WebSocket tests: a connection on one end of a socket pair, a hand-driven peer on the other. */
#ifndef WS_BENCH_H
#define WS_BENCH_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <umbel/ws.h>

struct ws_bench {
    struct um_loop *loop;
    struct um_ws *ws;
    int peer;                               /* the peer's end, non-blocking */
    struct um_ws_conf cf;
    struct um_buf log;                      /* "T:text|B:bytes|" per message */
    unsigned messages, drained, closed, code;
    char reason[128];
    void (*act)(struct ws_bench *b);        /* runs inside on_message, after the note */
    struct um_ws_parcel *parcel;
};
extern const struct um_ws_handler ws_bench_handler;

void bench_open(struct ws_bench *b, const struct um_ws_conf *cf, struct um_span early);
void bench_close(struct ws_bench *b);       /* ends what is left */
void bench_turns(struct ws_bench *b, int n);
void bench_until_closed(struct ws_bench *b);
void bench_write(struct ws_bench *b, const void *data, size_t len);
/* A masked client frame: BYTE0 is FIN, reserved bits and opcode. */
void bench_frame(struct um_buf *out, uint8_t byte0, const void *payload, size_t len);
void bench_send(struct ws_bench *b, uint8_t byte0, const char *text);
/* What the peer can read now (taking turns), appended. False: the stream has ended. */
bool bench_read(struct ws_bench *b, struct um_buf *out);
/* Reads to the end of the stream, then expects that its last bytes are a Close frame with CODE. */
void bench_expect_close(struct ws_bench *b, unsigned code);
struct um_ws_conf bench_conf(void);

int ws_group(void);
int ws_queue_group(void);
int ws_move_group(void);
#endif
