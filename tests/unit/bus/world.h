/* Several cores in one process, on a clock, a store and a broker of the test's own: what happens is a function of the seed.
 *
 *   time      stands still but in world_step (world_fakes.c stands in for um_now_* and um_random_*)
 *   store     one for all cores, not "shared", so that it does not help the bus; says yes, no, or lies that it failed (world_store.c)
 *   broker    between the cores' ports: loses, doubles, delays and thereby swaps; cuts cores off (world_broker.c)
 *   members   who lives, as um_cluster tells it; a silent core is listed for 3 s more
 *
 * Whatever is acknowledged is looked for in the store at that moment (actor.c). */
#ifndef BUS_WORLD_H
#define BUS_WORLD_H
#include <umbel/cluster.h>
#include "bench.h"
#include "bus_peer.h"
#include "bus_tail.h"

enum { CORES_MAX = 5, STARTS_MAX = 64, ACTORS_MAX = 12, MEMBER_MS = 3000 };

struct world;

struct core {
    struct world *world;
    unsigned index;                          /* of its member's name */
    struct bench bench;                      /* its engine, as the engine's tests have it */
    char member[16];
    int64_t started_ms;
    bool lives, is_dead;                     /* dead: it is not turned any more, and nothing that it does counts */
    bool cut, knows_cut;                     /* from the broker */
    bool stands_still;                       /* its process is stopped */
    int64_t left_ms;                         /* cut or dead since */
    struct um_members *seen;                 /* the members, as it saw them last */
    struct um_list asked;                    /* struct store_op: what it wants of the store */
    bool store_holds;                        /* nothing of it comes to be done */
    uint64_t limbo_seq;
};

struct world {
    uint64_t seed, random;
    int64_t now_ms;
    struct core *cores[CORES_MAX];           /* NULL: not there */
    struct core *every[STARTS_MAX];          /* that was ever started: ports name them to the end */
    unsigned starts;
    struct um_collab_conf cf;                /* for cores that start */
    int64_t documents_before, unstored_before, doubts_before;      /* what failed tests have left */
    bool has_tail;                           /* ports of cores that start are such with a tail: updates go to all, and are kept */
    uint64_t updates;                        /* that went so */
    unsigned hubs;                           /* of a core that starts */
    /* the store */
    struct um_map documents;                 /* struct stored */
    unsigned fail_percent, lie_percent;      /* lie: of what failed, so much was done */
    unsigned slow_percent;                   /* does nothing in a step */
    /* the broker */
    struct um_list messages;
    struct um_list ports;
    unsigned lose_percent, double_percent, delay_percent;
    int64_t delay_ms;
    struct { unsigned kind, n; const struct core *from, *to; } lose;   /* the next N of a kind; NULL: whoever */
    unsigned sent[8];                        /* by kind, since world_forget_sent */
    size_t sent_bytes[8], longest[8];
    struct actor *actors[ACTORS_MAX];
    unsigned n_actors;
    unsigned acks;                           /* heard by all actors */
};

void world_open(struct world *w, uint64_t seed);
void world_close(struct world *w);           /* ends all cores; nothing may be left */
uint64_t world_random(struct world *w, uint64_t below);
bool world_chance(struct world *w, unsigned percent);
void world_step(struct world *w, int64_t ms);
void world_run(struct world *w, int64_t ms, int64_t step_ms);
#define world_until(w, cond)                                                                   \
    do {                                                                                       \
        int64_t until_ms_ = (w)->now_ms + 30000;                                               \
        while (!(cond) && (w)->now_ms < until_ms_)                                             \
            world_step(w, 5);                                                                  \
        if (!(cond))                                                                           \
            fail_msg("never came true: %s", #cond);                                            \
    } while (0)

struct core *core_start(struct world *w, unsigned index);
void core_stop(struct core *c);              /* drains and goes */
void core_kill(struct core *c);              /* its sockets close, what it asked of the store is done or not, and that is all */
struct doc *core_doc(struct core *c, const char *document);                /* NULL: not open there */
bool core_text_is(struct core *c, const char *document, const char *text); /* false when it is not open */
struct bus_peer *core_peer(struct core *c, const char *document, struct core *other);       /* NULL: not known */
unsigned core_doubts(struct core *c, const char *document);
struct core *core_of_loop(struct world *w, const struct um_loop *l);

/* the broker */
struct bus_port *broker_open_port(void *core, struct um_loop *l, uint64_t origin, const struct bus_port_handler *h, void *arg);
void broker_step(struct world *w);
void broker_cut(struct core *c, bool knows);
void broker_heal(struct core *c);
void broker_inject(struct core *to, struct um_span message);     /* to all its hubs, as if another core had sent it */
void broker_free(struct world *w);
void world_forget_sent(struct world *w);
void world_lose(struct world *w, enum bus_kind kind, unsigned n, const struct core *from, const struct core *to);

/* the store */
void store_step(struct world *w);
void store_bury(struct core *c);             /* C has died: some of what it asked is done */
void store_free(struct world *w);
bool store_has(struct world *w, const char *document, struct um_span update);
void store_text(struct world *w, const char *document, struct um_buf *out);
bool store_text_is(struct world *w, const char *document, const char *text);
struct um_crdt *store_mirror(struct world *w, const char *document);       /* all that was ever committed */
unsigned store_rows(struct world *w, const char *document);                /* appended so far */
void store_delete(struct world *w, const char *document);

/* ---- people: a provider each ---- */

struct actor {
    struct world *world;
    unsigned index;
    struct core *core;                       /* NULL: offline */
    struct peer peer;
    const char *document;
    char user[16];
    uint64_t client;
    struct um_crdt *doc;
    struct um_list unacked;                  /* struct said */
    bool synced;
    unsigned acks;
    uint64_t clock;                          /* of its presence */
    struct { uint64_t clock; bool present; } seen[ACTORS_MAX];
};
struct actor *actor_new(struct world *w, const char *document);
void actor_free(struct actor *a);            /* offline */
void actor_connect(struct actor *a, struct core *c);             /* leaves where it is */
void actor_leave(struct actor *a);
void actor_hear(struct actor *a);
void actor_type(struct actor *a, const char *text);              /* at the end */
void actor_erase(struct actor *a);                               /* all of it */
void actor_scribble(struct actor *a);                            /* somewhere: writes or deletes */
void actor_say_whole(struct actor *a);                           /* an update with all that it has */
void actor_show(struct actor *a);                                /* renews its presence */
bool actor_text_is(struct actor *a, const char *text);
bool actor_sees(const struct actor *a, const struct actor *other);

#endif
