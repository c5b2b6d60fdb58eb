/* The face of cachegen: life, and calls from any thread, which travel to its loop as messages. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "cachegen_int.h"

struct um_metric cachegen_metrics[M_N] = {
    [M_BAD]      = { "cache.bad-messages", "messages", "messages about caches that could not be read", UM_COUNTER, 0 },
    [M_LOST]     = { "cache.too-many", "caches", "messages about one cache too many", UM_COUNTER, 0 },
    [M_COMPARED] = { "cache.comparisons", "times", "comparisons of all versions with the database", UM_COUNTER, 0 },
    [M_FAILED]   = { "cache.comparisons.failed", "times", "comparisons that the database, or the core, did not answer", UM_COUNTER, 0 },
};

static const char *const labels[] = { "cache", "origin", NULL };
struct um_histograms cachegen_invalidations = {
    .name = "cache.invalidations", .help = "times that a cache was told to drop or read again, by news or by a comparison", .labels = labels,
    .counts = "caches",
};
struct um_histograms cachegen_lag = { .name = "cache.lag.seconds", .help = "from hearing of a version to having applied it" };

void cachegen_ref(struct um_cachegen *g) { atomic_fetch_add(&g->refs, 1); }

void cachegen_unref(struct um_cachegen *g)
{
    if (atomic_fetch_sub(&g->refs, 1) != 1)
        return;
    entries_free(g);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

/* ---- calls that travel ---- */

struct order {
    struct um_msg msg;
    struct um_cachegen *g;
    char *scope, *name;
    uint64_t version;
    struct um_bytes *news;                   /* NULL: none */
    struct um_loop *loop;
    um_cachegen_done *done;
    void *arg;
};

static struct order *order_new(struct um_cachegen *g, const char *scope, const char *name, uint64_t version)
{
    struct order *o = um_xcalloc(1, sizeof(*o));

    cachegen_ref(g);
    o->g = g;
    o->scope = um_xstrdup(scope);
    o->name = um_xstrdup(name);
    o->version = version;
    return o;
}

static void order_free(struct order *o)
{
    cachegen_unref(o->g);
    um_bytes_unref(o->news);
    free(o->scope);
    free(o->name);
    free(o);
}

static void run_applied(struct um_msg *m)
{
    struct order *o = UM_CONTAINER(m, struct order, msg);
    struct entry *e = atomic_load(&o->g->closed) ? NULL : entry_find(o->g, o->scope, o->name);

    if (e != NULL)
        entry_take_applied(o->g, e, o->version);
    order_free(o);
}

void um_cachegen_applied(struct um_cachegen *g, const char *scope, const char *name, uint64_t version)
{
    um_loop_post(g->loop, &order_new(g, scope, name, version)->msg, run_applied);
}

/* Ours first, for the reply waits for nobody longer than for us. */
static void announce(struct um_cachegen *g, const struct order *o, struct entry *e)
{
    struct um_span news = o->news != NULL ? um_bytes_span(o->news) : UM_SPAN(NULL, 0);
    bool waits = o->done != NULL && wait_begin(g, e, o->version, o->loop, o->done, o->arg);

    bus_say(g, e, o->version, news, waits);
    entry_take_news(g, e, o->version, news);
    waits_take_applied(g, e, NULL, e->applied);
}

static void run_announce(struct um_msg *m)
{
    struct order *o = UM_CONTAINER(m, struct order, msg);
    struct entry *e = atomic_load(&o->g->closed) ? NULL : entry_get(o->g, o->scope, o->name);

    if (e != NULL)
        announce(o->g, o, e);
    else if (o->done != NULL)
        wait_for_nobody(o->g, o->loop, o->done, o->arg);
    order_free(o);
}

void um_cachegen_announce(struct um_cachegen *g, struct um_loop *l, const char *scope, const char *name, uint64_t version,
                          struct um_span news, um_cachegen_done *done, void *arg)
{
    struct order *o = order_new(g, scope, name, version);

    if (news.len > 0 && news.len <= UM_CACHEGEN_NEWS_MAX)
        o->news = um_bytes_dup(news.data, news.len);
    o->loop = l;
    o->done = done;
    o->arg = arg;
    um_loop_post(g->loop, &o->msg, run_announce);
}

/* ---- questions ---- */

uint64_t um_cachegen_version(struct um_cachegen *g, const char *scope, const char *name)
{
    uint64_t version = 0;
    struct entry *e;

    pthread_mutex_lock(&g->lock);
    if ((e = entry_find(g, scope, name)) != NULL)
        version = e->heard;
    pthread_mutex_unlock(&g->lock);
    return version;
}

bool um_cachegen_is_fresh(const struct um_cachegen *g)
{
    int64_t at_ms = atomic_load(&g->compared_at_ms);

    return at_ms != INT64_MIN && um_now_ms() - at_ms < g->conf.max_stale_ms;
}

void um_cachegen_each(struct um_cachegen *g, void (*cb)(void *arg, const char *scope, const char *name, uint64_t version,
                                                        uint64_t applied), void *arg)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    pthread_mutex_lock(&g->lock);
    while (um_map_next(&g->entries, &pos, &key, &value)) {
        const struct entry *e = value;

        cb(arg, e->scope, e->name, e->heard, e->applied);
    }
    pthread_mutex_unlock(&g->lock);
}

/* ---- life ---- */

void um_cachegen_listen(struct um_cachegen *g, struct um_loop *l, const char *name, um_cachegen_fn *fn, void *arg)
{
    UM_ASSERT(g->n_listeners < LISTENERS_MAX);
    for (size_t i = 0; i < g->n_listeners; i++)
        UM_ASSERT(strcmp(g->listeners[i].name, name) != 0);
    g->listeners[g->n_listeners++] = (struct listener){ um_xstrdup(name), l, fn, arg };
    entry_get(g, "", name)->listener = &g->listeners[g->n_listeners - 1];
}

static void begin(void *arg) { compare_now(arg); }

um_err um_cachegen_new(struct um_cachegen **out, struct um_redis *redis, struct um_loop *loop, struct um_cluster *cluster,
                       const struct um_cachegen_source *source, const struct um_cachegen_conf *cf)
{
    struct um_cachegen *g = um_xcalloc(1, sizeof(*g));

    um_metrics_register(cachegen_metrics, M_N);
    um_histograms_register(&cachegen_invalidations);
    um_histograms_register(&cachegen_lag);
    atomic_init(&g->refs, 1);
    atomic_init(&g->compared_at_ms, INT64_MIN);
    pthread_mutex_init(&g->lock, NULL);
    g->loop = loop;
    g->cluster = cluster;
    g->source = *source;
    g->conf = *cf;
    um_list_init(&g->waits);
    if (redis != NULL)
        bus_open(g, redis);
    um_timer_set(loop, &g->timer, 0, begin, g);      /* behind the listeners */
    *out = g;
    return UM_OK;
}

void um_cachegen_free(struct um_cachegen *g)
{
    if (g == NULL)
        return;
    atomic_store(&g->closed, true);
    um_timer_stop(g->loop, &g->timer);
    if (g->link != NULL)
        bus_close(g);
    waits_free(g);
    for (size_t i = 0; i < g->n_listeners; i++)
        free((char *)g->listeners[i].name);
    cachegen_unref(g);
}
