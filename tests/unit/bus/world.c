/* See world.h. */
#include <stdio.h>
#include <umbel/metrics.h>
#include "world_internal.h"

/* ---- chance ---- */

uint64_t world_random(struct world *w, uint64_t below)
{
    uint64_t z = (w->random += UINT64_C(0x9e3779b97f4a7c15));      /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return below > 0 ? z % below : z;
}

bool world_chance(struct world *w, unsigned percent) { return percent > 0 && world_random(w, 100) < percent; }

/* ---- cores ---- */

struct core *core_of_loop(struct world *w, const struct um_loop *l)
{
    for (unsigned i = 0; i < w->starts; i++)
        for (unsigned k = 0; w->every[i]->bench.reactors != NULL && k < w->every[i]->bench.n_reactors; k++)
            if (um_reactors_loop(w->every[i]->bench.reactors, k) == l)
                return w->every[i];
    fail_msg("a loop of nobody");
    return NULL;
}

struct core *core_start(struct world *w, unsigned index)
{
    struct core *c = um_xcalloc(1, sizeof(*c));

    assert_true(w->starts < STARTS_MAX && w->cores[index] == NULL);
    w->cores[index] = w->every[w->starts] = c;
    c->world = w;
    c->index = index;
    c->lives = true;
    c->started_ms = ++w->starts;
    snprintf(c->member, sizeof(c->member), "core-%u", index);
    um_list_init(&c->asked);
    bench_init(&c->bench, w->hubs);
    c->bench.cf = w->cf;
    bench_start(&c->bench);
    c->bench.collab->cluster = (struct um_cluster *)c;
    bus_join(c->bench.collab, c->member, c->started_ms, broker_open_port, c);
    world_step(w, 0);                        /* its ports open */
    return c;
}

static void turn(struct core *c)
{
    for (unsigned i = 0; i < c->bench.n_reactors; i++)
        um_loop_turn(um_reactors_loop(c->bench.reactors, i), 0);
}

static void free_engine(struct core *c)
{
    struct um_reactors *reactors = c->bench.reactors;

    turn(c);
    turn(c);
    um_collab_free(c->bench.collab);
    um_members_unref(c->seen);
    c->seen = NULL;
    c->bench.reactors = NULL;
    um_reactors_free(reactors);
}

static void drain(struct core *c)
{
    um_collab_drain(c->bench.collab, um_reactors_loop(c->bench.reactors, 0), bench_note_drained, &c->bench.drained);
}

static void send_home(struct core *c)
{
    struct world *w = c->world;

    for (unsigned i = 0; i < w->n_actors; i++)
        if (w->actors[i]->core == c)
            actor_leave(w->actors[i]);
}

void core_stop(struct core *c)
{
    struct world *w = c->world;

    drain(c);
    send_home(c);
    c->store_holds = false;
    world_until(w, c->bench.drained);
    world_step(w, 5);
    c->lives = false;
    w->cores[c->index] = NULL;
    free_engine(c);
}

void core_kill(struct core *c)
{
    c->lives = false;
    c->is_dead = true;
    c->left_ms = c->world->now_ms;
    c->world->cores[c->index] = NULL;
    send_home(c);
    store_bury(c);
}

/* Nobody hears what it still does, and nothing of it counts. */
static void clear_away(struct core *c)
{
    drain(c);
    for (int i = 0; i < 2000 && !c->bench.drained; i++) {
        c->world->now_ms += 20;
        turn(c);
        store_step(c->world);
    }
    assert_true(c->bench.drained);
    free_engine(c);
}

struct doc *core_doc(struct core *c, const char *document)
{
    struct um_span name = UM_SPAN_STR(document);
    struct doc *d = doc_get(hub_of_document(c->bench.collab, name), name, false);

    return d != NULL && d->bus.loaded && d->state != DOC_LOADING ? d : NULL;
}

bool core_text_is(struct core *c, const char *document, const char *text)
{
    struct doc *d = core_doc(c, document);
    struct um_crdt *copy;
    struct um_crdt_conf conf;
    struct um_buf state = { 0 }, has = { 0 };
    bool same;

    if (d == NULL || um_crdt_encode(d->crdt, NOTHING, &state) != UM_OK)
        return false;
    um_crdt_conf_init(&conf);                /* a copy: declaring a root would keep the document from its rest */
    assert_int_equal(um_crdt_new(&conf, &copy), UM_OK);
    assert_int_equal(um_crdt_declare_root(copy, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    assert_int_equal(um_crdt_load(copy, UM_SPAN(state.data, state.len), NULL), UM_OK);
    (void)!um_crdt_read_text(copy, UM_SPAN_STR("t"), &has);
    same = um_span_eq(UM_SPAN(has.data, has.len), UM_SPAN_STR(text));
    um_crdt_free(copy);
    um_buf_free(&state);
    um_buf_free(&has);
    return same;
}

struct bus_peer *core_peer(struct core *c, const char *document, struct core *other)
{
    struct doc *d = core_doc(c, document);
    uint64_t run = other->bench.collab->bus_run;

    if (d != NULL)
        UM_LIST_EACH(it, &d->bus.peers) {
            struct bus_peer *p = UM_CONTAINER(it, struct bus_peer, in_doc);
            if (p->origin->id >> 16 == run)
                return p;
        }
    return NULL;
}

unsigned core_doubts(struct core *c, const char *document)
{
    struct doc *d = core_doc(c, document);

    return d != NULL ? d->bus.n_doubts : 0;
}

/* ---- the world ---- */

void world_open(struct world *w, uint64_t seed)
{
    struct bench loose;

    *w = (struct world){ .seed = seed, .random = seed, .now_ms = 100000, .hubs = 1, .delay_ms = 1 };
    the_world = w;
    fakes_reset();
    um_list_init(&w->messages);
    um_list_init(&w->ports);
    bench_init(&loose, 1);
    w->cf = loose.cf;
    w->cf.sync_before_serve = true;
    w->cf.sync_timeout_ms = 1000;
    w->cf.compare_interval_ms = 5000;
    w->documents_before = bench_count(C_DOCUMENTS);
    w->unstored_before = bench_count(C_UNSTORED);
    w->doubts_before = bench_count(C_BUS_DOUBTS);
}

void world_close(struct world *w)
{
    for (unsigned i = 0; i < w->n_actors; i++)
        if (w->actors[i]->core != NULL)
            actor_leave(w->actors[i]);
    for (unsigned i = 0; i < CORES_MAX; i++)
        if (w->cores[i] != NULL)
            core_stop(w->cores[i]);
    for (unsigned i = 0; i < w->starts; i++)
        if (w->every[i]->is_dead)
            clear_away(w->every[i]);
    assert_int_equal(bench_count(C_DOCUMENTS), w->documents_before);
    assert_int_equal(bench_count(C_UNSTORED), w->unstored_before);
    assert_int_equal(bench_count(C_BUS_DOUBTS), w->doubts_before);
    while (w->n_actors > 0)
        actor_free(w->actors[--w->n_actors]);
    broker_free(w);
    store_free(w);
    for (unsigned i = 0; i < w->starts; i++)
        free(w->every[i]);
    the_world = NULL;
}

void world_step(struct world *w, int64_t ms)
{
    unsigned first = (unsigned)world_random(w, CORES_MAX);

    w->now_ms += ms;
    broker_step(w);
    for (unsigned i = 0; i < CORES_MAX; i++) {
        struct core *c = w->cores[(first + i) % CORES_MAX];
        if (c != NULL && !c->stands_still)
            turn(c);
    }
    for (unsigned i = 0; i < w->n_actors; i++)
        actor_hear(w->actors[i]);
    store_step(w);
}

void world_run(struct world *w, int64_t ms, int64_t step_ms)
{
    for (; ms > 0; ms -= step_ms)
        world_step(w, step_ms);
}
