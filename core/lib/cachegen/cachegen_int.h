/* The parts of cachegen, as they see one another. entries: what is known of each cache; compare: the source is asked; bus: what
 * Redis carries; waits: changes of ours that others have to apply; cachegen: the face, for any thread.
 *
 * Everything happens on one loop. Other threads see the entries under a lock, and send messages; a message holds a reference,
 * so that one which arrives after the end finds it closed. */
#ifndef CACHEGEN_INT_H
#define CACHEGEN_INT_H
#include <pthread.h>
#include <stdatomic.h>
#include <umbel/cluster.h>
#include <umbel/histogram.h>
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/metrics.h>
#include <umbel/redis.h>
#include "message.h"

enum {
    COMPARE_AWAY_MS = 4000,                  /* between comparisons while nobody tells us news */
    OWED_MAX = 64,                           /* answers that one cache owes; the oldest are given up */
    WAITS_MAX = 4096,                        /* changes that wait for others; beyond it nobody is waited for */
    LISTENERS_MAX = 64,
};

enum { M_BAD, M_LOST, M_COMPARED, M_FAILED, M_N };
extern struct um_metric cachegen_metrics[M_N];
static inline void count(int which, int64_t n) { um_count(&cachegen_metrics[which], n); }
extern struct um_histograms cachegen_invalidations, cachegen_lag;

struct listener { const char *name; struct um_loop *loop; um_cachegen_fn *fn; void *arg; };

struct owed { char origin[ORIGIN_LEN + 1]; uint64_t version; };
struct entry {
    char *scope, *name;
    const struct listener *listener;         /* NULL: this process keeps nothing of it */
    struct um_histogram *told[2];            /* how often it was: by news, by a comparison; NULL: never */
    uint64_t heard, applied;
    uint64_t passed_over;                    /* bit I: of version heard-1-I no news has come, but a later version has */
    uint64_t heard_in;                       /* number of the comparison under way when news came last */
    int64_t heard_at_us;
    bool unsaid;                             /* a change of ours that could not be published */
    struct owed owed[OWED_MAX];
    unsigned n_owed;
};

struct um_cachegen {
    _Atomic uint32_t refs;
    _Atomic bool closed;
    struct um_loop *loop;
    struct um_cluster *cluster;              /* NULL: none */
    struct um_cachegen_source source;
    struct um_cachegen_conf conf;

    pthread_mutex_t lock;                    /* of entries, for other threads; only the loop changes them */
    struct um_map entries;                   /* scope, zero byte, name -> struct entry */
    struct listener listeners[LISTENERS_MAX];
    size_t n_listeners;

    bool reading, again;                     /* a comparison is under way; another one is due behind it */
    bool failing;                            /* the last one did */
    bool compared;                           /* one has succeeded: a cache without a row has none */
    uint64_t compare_no;
    int64_t began_ms;
    struct um_timer timer;
    _Atomic int64_t compared_at_ms;          /* when the last good one began; INT64_MIN: never */

    struct um_redis_link *link;              /* NULL: alone */
    struct um_redis_sub *news, *answers;
    struct um_redis *redis;
    bool live;                               /* news reach us */
    char origin[ORIGIN_LEN + 1];
    struct um_buf channel;

    struct um_list waits;
    size_t n_waits;
};

void cachegen_ref(struct um_cachegen *g);
void cachegen_unref(struct um_cachegen *g);

/* entries.c */
struct entry *entry_find(struct um_cachegen *g, const char *scope, const char *name);      /* NULL: unknown */
struct entry *entry_get(struct um_cachegen *g, const char *scope, const char *name);       /* makes it; NULL: too many, or too long */
void entry_take_news(struct um_cachegen *g, struct entry *e, uint64_t version, struct um_span news);
void entry_take_truth(struct um_cachegen *g, struct entry *e, uint64_t version);
void entry_take_applied(struct um_cachegen *g, struct entry *e, uint64_t version);
void entry_owe(struct um_cachegen *g, struct entry *e, const char *origin, uint64_t version);
void entries_free(struct um_cachegen *g);

/* compare.c */
void compare_now(struct um_cachegen *g);
void compare_later(struct um_cachegen *g);   /* sets the timer anew */

/* bus.c */
void bus_open(struct um_cachegen *g, struct um_redis *redis);
void bus_close(struct um_cachegen *g);
void bus_say(struct um_cachegen *g, struct entry *e, uint64_t version, struct um_span news, bool waits);
void bus_say_unsaid(struct um_cachegen *g);  /* what could not be said before */
void bus_answer(struct um_cachegen *g, const struct entry *e, const struct owed *to);

/* waits.c */
/* False: there are too many; DONE hears that nobody was waited for. */
bool wait_begin(struct um_cachegen *g, const struct entry *e, uint64_t version, struct um_loop *l, um_cachegen_done *done,
                void *arg);
void wait_for_nobody(struct um_cachegen *g, struct um_loop *l, um_cachegen_done *done, void *arg);
void waits_take_applied(struct um_cachegen *g, const struct entry *e, const char *member, uint64_t version);   /* NULL: us */
void waits_give_up_others(struct um_cachegen *g, const struct entry *e, uint64_t version);     /* they will not hear of it */
void waits_free(struct um_cachegen *g);

#endif
