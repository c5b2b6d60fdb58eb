/* What is known of each cache: the version it must reach, and the one that this process has applied.
 *
 *  1. News of the version after the last one heard is passed on as it came. Any other version means that something was missed,
 *     doubled or swapped: the listener is told to read again, and what it reads is newer than all that was announced.
 *  2. A version that was passed over a short while ago is late, as two who announce at once make it: the listener was told to
 *     read, and what it reads has it. Any other one below the last one heard was doubled, or tells of a database that went back:
 *     the listener reads again. The number is lowered by a comparison only, for the source knows.
 *  3. What came by news while a comparison was on its way is newer than its answer. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "cachegen_int.h"

/* ---- finding ---- */

static struct um_span entry_key(struct um_buf *b, const char *scope, const char *name)
{
    um_buf_puts(b, scope);
    um_buf_put_u8(b, 0);
    um_buf_puts(b, name);
    UM_ASSERT(!b->failed);
    return UM_SPAN(b->data, b->len);
}

struct entry *entry_find(struct um_cachegen *g, const char *scope, const char *name)
{
    struct um_buf b = { 0 };
    struct entry *e = um_map_get(&g->entries, entry_key(&b, scope, name));

    um_buf_free(&b);
    return e;
}

static const struct listener *listener_of(const struct um_cachegen *g, const char *name)
{
    for (size_t i = 0; i < g->n_listeners; i++)
        if (strcmp(g->listeners[i].name, name) == 0)
            return &g->listeners[i];
    return NULL;
}

struct entry *entry_get(struct um_cachegen *g, const char *scope, const char *name)
{
    struct entry *e = entry_find(g, scope, name);
    struct um_buf b = { 0 };

    if (e != NULL)
        return e;
    if (g->entries.n >= UM_CACHEGEN_CACHES_MAX || strlen(scope) > UM_CACHEGEN_TEXT_MAX || strlen(name) > UM_CACHEGEN_TEXT_MAX) {
        count(M_LOST, 1);
        return NULL;
    }
    e = um_xcalloc(1, sizeof(*e));
    e->scope = um_xstrdup(scope);
    e->name = um_xstrdup(name);
    e->listener = listener_of(g, name);
    pthread_mutex_lock(&g->lock);
    um_map_put(&g->entries, entry_key(&b, scope, name), e);
    pthread_mutex_unlock(&g->lock);
    um_buf_free(&b);
    return e;
}

/* ---- telling the listener ---- */

struct call {
    struct um_msg msg;
    struct um_cachegen *g;
    const struct listener *to;
    char *scope;
    uint64_t version;
    struct um_bytes *news;                   /* NULL: none */
};

static void run_call(struct um_msg *m)
{
    struct call *c = UM_CONTAINER(m, struct call, msg);

    if (!atomic_load(&c->g->closed))
        c->to->fn(c->to->arg, c->scope, c->version, c->news != NULL ? um_bytes_span(c->news) : UM_SPAN(NULL, 0));
    cachegen_unref(c->g);
    um_bytes_unref(c->news);
    free(c->scope);
    free(c);
}

static void tell(struct um_cachegen *g, const struct entry *e, struct um_span news)
{
    struct call *c = um_xcalloc(1, sizeof(*c));

    cachegen_ref(g);
    c->g = g;
    c->to = e->listener;
    c->scope = um_xstrdup(e->scope);
    c->version = e->heard;
    c->news = news.len > 0 ? um_bytes_dup(news.data, news.len) : NULL;     /* out of memory: it reads again */
    um_loop_post(c->to->loop, &c->msg, run_call);
}

/* ---- versions ---- */

static void settle(struct um_cachegen *g, struct entry *e)
{
    unsigned left = 0;

    for (unsigned i = 0; i < e->n_owed; i++) {
        if (e->owed[i].version > e->applied)
            e->owed[left++] = e->owed[i];
        else
            bus_answer(g, e, &e->owed[i]);
    }
    e->n_owed = left;
    waits_take_applied(g, e, NULL, e->applied);
}

static void set_applied(struct um_cachegen *g, struct entry *e, uint64_t version)
{
    pthread_mutex_lock(&g->lock);
    e->applied = version;
    pthread_mutex_unlock(&g->lock);
    if (version == e->heard)
        um_histogram_add(um_histogram_of(&cachegen_lag, NULL), um_now_us() - e->heard_at_us);
    settle(g, e);
}

/* What lies between the last version heard and VERSION is passed over. */
static void pass_over(const struct um_cachegen *g, struct entry *e, uint64_t version)
{
    uint64_t by = version > e->heard ? version - e->heard : 0;

    if (!g->compared || version < e->heard || by >= 64)
        e->passed_over = 0;                  /* too far to remember, or another count altogether */
    else if (by > 0)
        e->passed_over = e->passed_over << by | ((UINT64_C(1) << (by - 1)) - 1);
}

/* True: VERSION is late. It is not missed any more. */
static bool is_late(struct entry *e, uint64_t version)
{
    uint64_t below = version < e->heard ? e->heard - 1 - version : 64;
    bool late = below < 64 && (e->passed_over >> below & 1) != 0;

    if (late)
        e->passed_over &= ~(UINT64_C(1) << below);
    return late;
}

enum origin { BY_NEWS, BY_COMPARISON };

/* By the name alone: how many scopes there are is nobody's choice of ours. */
static void count_told(struct entry *e, enum origin by)
{
    static const char *const words[] = { [BY_NEWS] = "news", [BY_COMPARISON] = "comparison" };

    if (e->told[by] == NULL)
        e->told[by] = um_histogram_of(&cachegen_invalidations, (const char *const[]){ e->name, words[by] });
    um_histogram_add(e->told[by], 0);
}

static void deliver(struct um_cachegen *g, struct entry *e, uint64_t version, struct um_span news, enum origin by)
{
    pass_over(g, e, version);
    pthread_mutex_lock(&g->lock);
    e->heard = version;
    pthread_mutex_unlock(&g->lock);
    e->heard_at_us = um_now_us();
    if (e->listener == NULL) {
        set_applied(g, e, version);          /* nothing older is served here */
        return;
    }
    count_told(e, by);
    tell(g, e, news);
}

void entry_take_news(struct um_cachegen *g, struct entry *e, uint64_t version, struct um_span news)
{
    bool is_next = g->compared && version == e->heard + 1;

    if (is_late(e, version))
        return;
    e->heard_in = g->compare_no;
    if (version != e->heard)
        deliver(g, e, UM_MAX(version, e->heard), is_next ? news : UM_SPAN(NULL, 0), BY_NEWS);
}

void entry_take_truth(struct um_cachegen *g, struct entry *e, uint64_t version)
{
    if (e->heard_in != g->compare_no && version != e->heard)
        deliver(g, e, version, UM_SPAN(NULL, 0), BY_COMPARISON);
}

void entry_take_applied(struct um_cachegen *g, struct entry *e, uint64_t version)
{
    if (version == e->heard || (version > e->applied && version < e->heard))
        set_applied(g, e, version);
}

void entry_owe(struct um_cachegen *g, struct entry *e, const char *origin, uint64_t version)
{
    struct owed *o;

    if (e->n_owed == OWED_MAX)
        memmove(e->owed, e->owed + 1, --e->n_owed * sizeof(*e->owed));
    o = &e->owed[e->n_owed++];
    o->version = version;
    memcpy(o->origin, origin, strlen(origin) + 1);
    settle(g, e);
}

void entries_free(struct um_cachegen *g)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(&g->entries, &pos, &key, &value)) {
        struct entry *e = value;

        free(e->scope);
        free(e->name);
        free(e);
    }
    um_map_free(&g->entries);
}
