/* The bench of the engine's tests: an engine with a store in memory on loops that the test turns by hand (or on their own
 * threads), and WebSocket clients of a few lines on the other ends of socket pairs. */
#ifndef COLLAB_BENCH_H
#define COLLAB_BENCH_H
#include "um_test.h"
#include <umbel/collab.h>
#include <umbel/crdt.h>
#include "message.h"

#define ADDR(literal) UM_SPAN(literal, sizeof(literal) - 1)      /* may hold a NUL and a session */
#define NOTHING UM_SPAN(NULL, 0)

struct bench {
    unsigned n_reactors;
    bool threads;
    struct um_collab_conf cf;
    struct um_ws_conf ws;
    struct um_reactors *reactors;
    struct um_store *store;
    struct um_collab *collab;
    struct um_collab_stats before;               /* all zero, but for what a failed test has left */
    _Atomic bool drained;
    /* reservations */
    char holder[16];                             /* who alone may write; "": everybody */
    int64_t judged_until_ms;                     /* what a judgement says of itself */
    unsigned changes;                            /* told by `changed` */
    char editing[256];                           /* told by `editing`: "+ann -ann " */
    /* documents "own/...": they have rights of their own, and the test answers */
    struct question { struct um_loop *loop; um_collab_right_cb *cb; void *arg; char user[129]; enum um_collab_right right; } asked[8];
    unsigned n_asked;
};

/* cf and ws hold the defaults (loose limits); change them between init and start. */
void bench_init(struct bench *b, unsigned n_reactors);
void bench_start(struct bench *b);
void bench_stop(struct bench *b);                /* drains; nothing may be left open */
void bench_turn(struct bench *b);
void bench_turns(struct bench *b, int n);
void bench_drain(struct bench *b);
void bench_note_drained(void *drained);          /* for an um_collab_drain of the test's own */
#define bench_until(b, cond)                                                                   \
    do {                                                                                       \
        int64_t until_ms_ = um_now_ms() + BENCH_PATIENCE_MS;                                   \
        while (!(cond) && um_now_ms() < until_ms_)                                             \
            bench_turn(b);                                                                     \
        if (!(cond))                                                                           \
            fail_msg("never came true: %s", #cond);                                            \
    } while (0)
enum { BENCH_PATIENCE_MS = 30000 };
struct um_collab_stats bench_stats(const struct bench *b);
int64_t bench_count(unsigned counter);           /* enum collab_counter */
unsigned bench_home(const struct bench *b, const char *document);
/* The text of root "t" as the store has it now; "" when it has none. */
void bench_stored_text(struct bench *b, const char *document, struct um_buf *out);
void bench_answer(struct bench *b, unsigned i, enum um_collab_right right);       /* the I-th question */
void bench_store_append(struct bench *b, const char *document, struct um_span update);
void bench_store_delete(struct bench *b, const char *document);

/* ---- clients ---- */

struct peer {
    struct bench *bench;
    int fd;
    struct um_buf in;
    bool ended;
    unsigned code;                               /* of the server's Close; 0 none */
    bool deaf;                                   /* does not read */
    bool has_message;
    struct um_buf message;
    struct um_crdt *doc;                         /* what it has been sent, when it keeps a document */
};
void peer_open(struct bench *b, struct peer *p);                                 /* a Hocuspocus socket on reactor 0 */
void peer_open_as(struct bench *b, struct peer *p, const struct um_collab_peer *who, int sndbuf);
void peer_close(struct peer *p);
void peer_raw(struct peer *p, struct um_span message);
void peer_say(struct peer *p, struct um_span address, enum wire_type type, int kind, struct um_span payload);
void peer_say_empty(struct peer *p, struct um_span address, enum wire_type type, int kind);
void peer_token(struct peer *p, struct um_span address, const char *token, const char *version);  /* VERSION may be NULL */
/* The next message (keep-alives left out), waiting for it; fails the test when the socket ends first. */
struct um_span peer_next(struct peer *p);
bool peer_has_message(struct peer *p);           /* now, without waiting */
/* Expects the next message to be just this. */
#define peer_expect(p, address, type, kind, payload) peer_expect_at(p, address, type, kind, payload, true, __FILE__, __LINE__)
#define peer_expect_empty(p, address, type, kind) peer_expect_at(p, address, type, kind, NOTHING, false, __FILE__, __LINE__)
void peer_expect_at(struct peer *p, struct um_span address, enum wire_type type, int kind, struct um_span payload,
                    bool has_payload, const char *file, int line);
#define peer_expect_silence(p) peer_expect_silence_at(p, __FILE__, __LINE__)
void peer_expect_silence_at(struct peer *p, const char *file, int line);
#define peer_expect_close(p, code) peer_expect_close_at(p, code, __FILE__, __LINE__)
void peer_expect_close_at(struct peer *p, unsigned code, const char *file, int line);
/* Token, Step1 and the two answers to it: an admitted client of an empty document. */
void peer_join(struct peer *p, struct um_span address, const char *token);
/* Reads all messages up to and with a Step2; applies Updates and Step2 to p->doc. */
void peer_read_state(struct peer *p, struct um_span address);
/* Applies updates until the text of p->doc has LEN units. */
void peer_read_until_text(struct peer *p, size_t len);
unsigned peer_updates_read(void);
/* Applies what has come to p->doc; other messages are dropped. */
void peer_take_updates(struct peer *p);

/* An update of CLIENT (each starts at clock 0 and writes once) that puts TEXT into root "t". */
struct um_span text_update(struct um_buf *b, uint64_t client, const char *text);
struct um_span presence_of(struct um_buf *b, uint64_t client, uint64_t clock, const char *state);

#endif
