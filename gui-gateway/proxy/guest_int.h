/* What guest.c (the client's socket and its ways to cores) and leg.c (one document) share. */
#ifndef PROXY_GUEST_INT_H
#define PROXY_GUEST_INT_H
#include <proxy/acks.h>
#include <proxy/guest.h>
#include <proxy/talk.h>
#include <umbel/metrics.h>

enum {
    GUEST_LEGS_MAX = 1000,                /* documents of one socket */
    GUEST_ADDRESS_MAX = 2048,             /* bytes of a name with its session */
    GUEST_HELD_MAX = 256 * 1024,          /* bytes that wait for a line before the client is read no further */
    LEG_KEPT_HELD_MAX = 64 * 1024,        /* of a document that goes elsewhere; more is dropped (it promises nothing) */
    LEG_AUTH_MAX = 32 * 1024,             /* a longer token is not kept: such a client is closed when its core goes */
    LEG_CLAIM_MAX = 64 * 1024,            /* a larger presence comes back by itself, seconds later */
    LEG_MARK_MAX = 16 * 1024,             /* a larger state vector is not kept: the whole document is sent again */
    LEG_ASK_MS = 30000,                   /* for a client to bring a fresh token */
    CLOSE_RESET = 4205, CLOSE_RESTART = 1012, CLOSE_LATER = 1013, CLOSE_POLICY = 1008, CLOSE_UNAUTHORIZED = 4401,
};

enum guest_metric { G_LEGS, G_LINES, G_LOST, G_MOVED, G_HANDED_OVER, G_GIVEN_UP, G_REPLAY_DENIED, G_MALFORMED, G_LIMIT, G_HELD_DROPPED, G_METRICS };
extern struct um_metric guest_metrics[G_METRICS];
static inline void guest_count(enum guest_metric m, int64_t n) { um_count(&guest_metrics[m], n); }

/* A way to one core. Without users it stays only when it is the last one: somebody has to see that the client does not sleep. */
struct way {
    struct um_list link;                  /* in um_guest.ways */
    struct um_guest *guest;
    struct um_core *core;                 /* held */
    struct um_line *line;                 /* NULL while the token for it is being made */
    struct um_renewal *renewal;
    unsigned n_users;                     /* legs that stand on it or wait for it */
    bool open, ending;
};

#define LEG_STATES(X) X(SEEKING) X(OPENING) X(LIVE) X(REPLAYING) X(ASKING) X(BRIDGING) X(ENDED)
enum leg_state {
#define X(s) LEG_##s,
    LEG_STATES(X)
#undef X
    LEG_N
};

struct leg {
    struct um_list link;                  /* in um_guest.legs */
    struct um_guest *guest;
    enum leg_state state;
    struct um_bytes *address;             /* name [NUL session]; of a room its name */
    size_t name_len;
    struct way *way;                      /* the core that it stands on; NULL: that is gone, or there was none yet */
    struct way *next;                     /* the one that it goes to */
    struct um_tries tries;
    struct um_timer timer;
    int64_t until_ms, stay_until_ms, lost_at_ms;
    int64_t back_off_ms;
    /* what a core has to be told again */
    struct um_bytes *auth;                /* the client's last token, as it came */
    struct um_bytes *claim;               /* its last word about its own presence: an awareness update */
    uint64_t client;
    struct um_bytes *mark;                /* state vector that the client has at least; NULL: not known */
    struct um_buf held;                   /* messages, length first, for the next line */
    struct um_acks acks;
    unsigned asked, skip;                 /* Step1 that the client has not answered yet; of them before the bridge */
    unsigned closing;                     /* Close of the client that the core has not answered */
    uint8_t scope;                        /* length of the last word of Authenticated: "readonly" or "read-write"; 0: none yet */
    bool fresh;                           /* no core has been told anything: what is held is all */
    bool stepped;                         /* the client has said Step1 */
    bool has_client, claim_is_null, too_long, moving, asked_token, speaks_4x;
};

struct um_guest {
    struct um_guests *gs;
    struct um_loop *loop;
    struct um_ws *ws;                     /* NULL once on_close ran */
    const struct um_guest_handler *handler;
    void *arg;
    struct um_list legs, ways;
    size_t n_legs;
    char *target, *protocols, *headers;
    const char *session_id;
    bool bare, ending, dead;
    struct um_defer reap;
};

/* guest.c */
struct way *way_to(struct um_guest *g, struct um_core *core);          /* an open one, or one that is being opened; NULL: no memory */
void way_use(struct way *w, int by);
bool way_say(struct way *w, struct um_span message);                   /* false: it is not open */
void guest_say(struct um_guest *g, struct um_span message);
void guest_balance(struct um_guest *g);                                /* reads the client, or not */
const char *guest_why(const struct um_guest *g);

/* leg.c; a leg may be gone after each of these */
/* On W, which is open; NULL: on the core that the hash says. NULL: the guest ends. */
struct leg *leg_new(struct um_guest *g, struct um_span address, size_t name_len, struct way *w);
void leg_free(struct leg *l);
void leg_hears_client(struct leg *l, const struct um_talk *t, struct um_span message);
void leg_hears_core(struct leg *l, struct way *w, const struct um_talk *t, struct um_span message);
void leg_way_open(struct leg *l, struct way *w);
void leg_way_failed(struct leg *l, struct way *w);                     /* it has not opened */
void leg_way_lost(struct leg *l, struct way *w);
bool leg_may_move(const struct leg *l);
void leg_move(struct leg *l);
struct um_span leg_key(const struct leg *l);

#endif
