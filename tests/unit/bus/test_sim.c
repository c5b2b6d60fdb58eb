/* Cores, people and trouble as a seed has it. While it lasts, whatever is acknowledged is in the store; some seconds after it
 * has ended, everybody has the same document. UMBEL_SEED=n runs one seed, UMBEL_SEEDS=n so many. */
#include <stdio.h>
#include "test_bus.h"

enum { SEEDS = 200, SEEDS_WITH_TAIL = 60, ROUNDS = 250, CALM_MS = 40000 };

static const char *const documents[] = { "a", "b" };

static struct core *any_core(struct world *w)
{
    unsigned first = (unsigned)world_random(w, CORES_MAX);

    for (unsigned i = 0; i < CORES_MAX; i++)
        if (w->cores[(first + i) % CORES_MAX] != NULL)
            return w->cores[(first + i) % CORES_MAX];
    return core_start(w, first);
}

static unsigned living(const struct world *w)
{
    unsigned n = 0;

    for (unsigned i = 0; i < CORES_MAX; i++)
        n += w->cores[i] != NULL;
    return n;
}

/* ---- what may happen ---- */

static void cut_or_heal(struct world *w)
{
    struct core *c = any_core(w);

    if (c->cut && world_chance(w, 60))
        broker_heal(c);
    else
        broker_cut(c, c->knows_cut || world_chance(w, 50));
}

static void hold_or_let_go(struct world *w)
{
    struct core *c = any_core(w);

    c->store_holds = !c->store_holds && world_chance(w, 60);
}

static void end_a_core(struct world *w)
{
    if (living(w) < 2 || w->starts + 8 > STARTS_MAX)
        return;
    if (world_chance(w, 70))
        core_kill(any_core(w));
    else
        core_stop(any_core(w));
}

static void begin_a_core(struct world *w)
{
    unsigned i = (unsigned)world_random(w, CORES_MAX);

    if (w->cores[i] == NULL && w->starts + 8 <= STARTS_MAX)
        core_start(w, i);
}

static void act(struct world *w)
{
    struct actor *a = w->actors[world_random(w, w->n_actors)];
    uint64_t what = world_random(w, 1000);

    if (what < 600)
        actor_scribble(a);
    else if (what < 700)
        actor_connect(a, any_core(w));
    else if (what < 730)
        actor_leave(a);
    else if (what < 790)
        actor_show(a);
    else if (what < 810)
        cut_or_heal(w);
    else if (what < 840)
        hold_or_let_go(w);
    else if (what < 848)
        end_a_core(w);
    else if (what < 860)
        begin_a_core(w);
    else if (what < 880)
        actor_say_whole(a);
    else
        world_step(w, (int64_t)world_random(w, 700));
}

/* ---- and how it must end ---- */

static void calm_down(struct world *w)
{
    w->lose_percent = w->double_percent = w->delay_percent = w->fail_percent = w->slow_percent = 0;
    for (unsigned i = 0; i < CORES_MAX; i++)
        if (w->cores[i] != NULL) {
            w->cores[i]->store_holds = false;
            broker_heal(w->cores[i]);
        }
    for (unsigned i = 0; i < w->n_actors; i++)
        if (w->actors[i]->core == NULL)
            actor_connect(w->actors[i], any_core(w));
}

static void state_of(struct um_crdt *c, struct um_buf *out)
{
    um_buf_clear(out);
    assert_int_equal(um_crdt_state_vector(c, out), UM_OK);
}

static bool same_state(struct um_crdt *c, const struct um_buf *want, struct um_buf *has)
{
    state_of(c, has);
    return has->len == want->len && memcmp(has->data, want->data, want->len) == 0;
}

static bool agree_on(struct world *w, const char *document, struct um_buf *want, struct um_buf *has, struct um_buf *text)
{
    state_of(store_mirror(w, document), want);
    store_text(w, document, text);
    for (unsigned i = 0; i < w->n_actors; i++) {
        struct actor *a = w->actors[i];
        if (strcmp(a->document, document) == 0 &&
            (a->core == NULL || !um_list_is_empty(&a->unacked) || !same_state(a->doc, want, has) ||
             !actor_text_is(a, um_buf_cstr(text))))
            return false;
    }
    for (unsigned i = 0; i < CORES_MAX; i++) {
        struct doc *d = w->cores[i] != NULL ? core_doc(w->cores[i], document) : NULL;
        if (d != NULL && (!same_state(d->crdt, want, has) || !core_text_is(w->cores[i], document, um_buf_cstr(text)) ||
                          d->bus.n_doubts > 0))
            return false;
    }
    return true;
}

static bool all_agree(struct world *w)
{
    struct um_buf want = { 0 }, has = { 0 }, text = { 0 };
    bool yes = true;

    for (unsigned i = 0; i < UM_COUNT(documents); i++)
        yes = yes && agree_on(w, documents[i], &want, &has, &text);
    um_buf_free(&want);
    um_buf_free(&has);
    um_buf_free(&text);
    return yes;
}

static bool all_see_one_another(const struct world *w)
{
    for (unsigned i = 0; i < w->n_actors; i++)
        for (unsigned k = 0; k < w->n_actors; k++) {
            const struct actor *a = w->actors[i], *b = w->actors[k];
            if (strcmp(a->document, b->document) == 0 && a != b && !actor_sees(a, b))
                return false;
        }
    return true;
}

static void show_all(struct world *w)
{
    for (unsigned i = 0; i < w->n_actors; i++)
        actor_show(w->actors[i]);
}

static void expect_peace(struct world *w, uint64_t seed)
{
    int64_t until_ms = w->now_ms + CALM_MS;
    unsigned rounds = 0;

    calm_down(w);
    while (!(all_agree(w) && all_see_one_another(w)) && w->now_ms < until_ms) {
        if (rounds++ % 50 == 0)
            show_all(w);
        world_run(w, 100, 20);
        for (unsigned i = 0; i < w->n_actors; i++)               /* thrown out by a document that could not be opened */
            if (w->actors[i]->core == NULL)
                actor_connect(w->actors[i], any_core(w));
    }
    if (!all_agree(w))
        fail_msg("seed %llu: no agreement", (unsigned long long)seed);
    if (!all_see_one_another(w))
        fail_msg("seed %llu: somebody is not seen", (unsigned long long)seed);
}

static void run_seed(uint64_t seed, bool has_tail)
{
    struct world w;
    unsigned n_cores, n_actors;

    world_open(&w, seed);
    w.has_tail = has_tail;
    w.hubs = 1 + (unsigned)world_random(&w, 2);
    w.lose_percent = w.double_percent = (unsigned)world_random(&w, 11);
    w.delay_percent = (unsigned)world_random(&w, 21);
    w.delay_ms = 1 + (int64_t)world_random(&w, 3000);
    w.fail_percent = (unsigned)world_random(&w, 30);
    w.lie_percent = (unsigned)world_random(&w, 60);
    w.slow_percent = (unsigned)world_random(&w, 50);
    w.cf.sync_before_serve = world_chance(&w, 80);
    n_cores = 2 + (unsigned)world_random(&w, CORES_MAX - 1);
    n_actors = 2 + (unsigned)world_random(&w, ACTORS_MAX - 1);
    for (unsigned i = 0; i < n_cores; i++)
        core_start(&w, i);
    for (unsigned i = 0; i < n_actors; i++)
        actor_connect(actor_new(&w, documents[world_random(&w, 4) == 0]), any_core(&w));
    for (unsigned i = 0; i < ROUNDS; i++) {
        act(&w);
        world_step(&w, (int64_t)world_random(&w, 30));
    }
    expect_peace(&w, seed);
    world_close(&w);
}

static void run_seeds(uint64_t seeds, bool has_tail)
{
    const char *one = getenv("UMBEL_SEED"), *many = getenv("UMBEL_SEEDS");
    uint64_t first = one != NULL ? strtoull(one, NULL, 10) : 1, n = many != NULL ? strtoull(many, NULL, 10) : one != NULL ? 1 : seeds;

    for (uint64_t i = 0; i < n; i++) {
        if (getenv("UMBEL_SEED_SHOW") != NULL)
            print_message("seed %llu\n", (unsigned long long)(first + i));
        run_seed(first + i, has_tail);
    }
}

static void nothing_acknowledged_is_lost_and_all_agree_in_the_end(void **state)
{
    (void)state;
    run_seeds(SEEDS, false);
}

static void nor_with_streams(void **state)
{
    (void)state;
    run_seeds(SEEDS_WITH_TAIL, true);
}

int sim_group(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(nothing_acknowledged_is_lost_and_all_agree_in_the_end), cmocka_unit_test(nor_with_streams) };

    return cmocka_run_group_tests_name("simulation", tests, NULL, NULL);
}
