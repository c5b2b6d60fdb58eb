/* What every session store promises; run against the one in memory, and by integration.session-redis (UMBEL_TEST_REDIS is the
 * port of a Redis) against the one there. Time is passed in. */
#include "um_test.h"
#include "um_test_redis.h"
#include <stdio.h>
#include <umbel/log.h>
#include <umbel/process.h>
#include <umbel/redis.h>
#include <umbel/session.h>
#include <umbel/util.h>

static const char *port;

static int64_t clock_ms;
static int64_t now(void) { return clock_ms; }

struct got {                                     /* what the last callback said */
    int calls;
    um_err err;
    const struct um_session *s;
    size_t n;
    char first[UM_SESSION_ID_LEN + 1];
    char ended[UM_SESSION_ID_LEN + 1];
    int ends;
    enum um_session_end why;
};
struct env {
    struct um_loop *loop;
    struct um_redis_conf redis_conf;
    struct um_redis *redis;                      /* NULL: in memory */
    char ns[32], session_ns[40];
    struct um_sessions *ss;
    struct got got;
};

#define UNTIL(e, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((e)->loop, 20);                   \
        assert_true(cond);                                 \
    } while (0)

static void note(void *arg, um_err err, const struct um_session *s)
{
    struct got *g = arg;
    g->calls++;
    g->err = err;
    um_session_unref(g->s);
    g->s = s != NULL ? um_session_ref(s) : NULL;
}

static void note_list(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct got *g = arg;
    g->calls++;
    g->err = err;
    g->n = n;
    if (n > 0)
        memcpy(g->first, list[0]->id, sizeof(g->first));
}

static void note_count(void *arg, um_err err, size_t n)
{
    struct got *g = arg;
    g->calls++;
    g->err = err;
    g->n = n;
}

static void note_end(void *arg, const char *id, enum um_session_end why)
{
    struct got *g = arg;
    g->ends++;
    g->why = why;
    memcpy(g->ended, id, sizeof(g->ended));
}

static void open_redis(struct env *e)
{
    char why[256];

    snprintf(e->ns, sizeof(e->ns), "t%llx", (unsigned long long)um_random_u64());
    snprintf(e->session_ns, sizeof(e->session_ns), "%s:s", e->ns);
    e->redis_conf = test_redis_conf(e->ns, atoi(port));
    assert_int_equal(um_redis_open(&e->redis, &e->redis_conf, why), UM_OK);
}

static struct um_sessions *open_store(struct env *e, const struct um_session_hooks *hooks)
{
    struct um_sessions_conf cf = {
        .timeout_s = 1800, .max_age_s = 7200, .max_sessions = 30, .max_per_user = 3,
        .max_attributes = 4, .max_value_bytes = 100, .max_total_bytes = 250, .now_ms = now,
        .redis_ns = e->session_ns, .grace_ms = 60000, .wait_ms = 200, .max_copies = 100,
    };
    struct um_sessions_redis on = { .redis = e->redis, .loops = &e->loop, .n_loops = 1 };
    struct um_sessions *ss;

    if (hooks != NULL)
        on.hooks = *hooks;
    if (e->redis != NULL)
        assert_int_equal(um_sessions_new_redis(&ss, &cf, &on), UM_OK);
    else
        assert_int_equal(um_sessions_new_memory(&ss, &cf), UM_OK);
    return ss;
}

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));

    clock_ms = 1000;
    e->loop = um_loop_new(0);
    if (port != NULL)
        open_redis(e);
    e->ss = open_store(e, NULL);
    um_sessions_listen(e->ss, e->loop, note_end, &e->got);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    um_loop_turn(e->loop, 0);
    um_session_unref(e->got.s);
    um_sessions_free(e->ss);
    um_redis_close(e->redis);
    um_loop_free(e->loop);
    free(e);
    return 0;
}

/* Runs the loop until the callback of the last call came: never before the call returned, exactly once. */
static void turn(struct env *e)
{
    assert_int_equal(e->got.calls, 0);
    UNTIL(e, e->got.calls > 0);
    assert_int_equal(e->got.calls, 1);
    e->got.calls = 0;
}

static const struct um_session *create(struct env *e, const char *user)
{
    um_session_create(e->ss, e->loop, user, NULL, 0, note, &e->got);
    turn(e);
    return e->got.s;
}

static um_err get(struct env *e, const char *id)
{
    um_session_get(e->ss, e->loop, id, note, &e->got);
    turn(e);
    return e->got.err;
}

static void a_session_holds_what_it_was_given(void **state)
{
    struct env *e = *state;
    const struct um_session_attr attrs[] = { { "csrf", UM_SPAN("abc", 3) }, { "none", UM_SPAN("", 0) } };
    char id[UM_SESSION_ID_LEN + 1];

    um_session_create(e->ss, e->loop, "ann", attrs, 2, note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_OK);
    memcpy(id, e->got.s->id, sizeof(id));
    assert_int_equal(get(e, id), UM_OK);
    assert_string_equal(e->got.s->user, "ann");
    assert_string_equal(um_session_attr_str(e->got.s, "csrf"), "abc");
    assert_null(um_session_attr_str(e->got.s, "none"));
    assert_int_equal(e->got.s->max_inactive_s, 1800);
    assert_true(e->got.s->created_at_ms > 0);
}

static void attributes_are_set_one_by_one(void **state)
{
    struct env *e = *state;
    char id[UM_SESSION_ID_LEN + 1];

    memcpy(id, create(e, "ann")->id, sizeof(id));
    um_session_set(e->ss, e->loop, id, "a", UM_SPAN("1", 1), NULL, NULL);
    um_session_set(e->ss, e->loop, id, "b", UM_SPAN("2", 1), note, &e->got);
    turn(e);
    assert_string_equal(um_session_attr_str(e->got.s, "a"), "1");
    assert_string_equal(um_session_attr_str(e->got.s, "b"), "2");
    um_session_set(e->ss, e->loop, id, "a", UM_SPAN("", 0), note, &e->got);
    turn(e);
    assert_null(um_session_attr_str(e->got.s, "a"));
}

static void limits_are_kept_at_value_and_refused_above(void **state)
{
    struct env *e = *state;
    uint8_t big[101];
    char id[UM_SESSION_ID_LEN + 1], name[2] = "a";

    memset(big, 'x', sizeof(big));
    memcpy(id, create(e, "ann")->id, sizeof(id));
    um_session_set(e->ss, e->loop, id, "a", UM_SPAN(big, 101), note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_ELIMIT);
    um_session_set(e->ss, e->loop, id, "a", UM_SPAN(big, 100), note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_OK);
    um_session_set(e->ss, e->loop, id, "b", UM_SPAN(big, 100), note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_OK);
    um_session_set(e->ss, e->loop, id, "c", UM_SPAN(big, 100), note, &e->got);      /* the total */
    turn(e);
    assert_int_equal(e->got.err, UM_ELIMIT);
    for (name[0] = 'a'; name[0] <= 'e'; name[0]++) {
        um_session_set(e->ss, e->loop, id, name, UM_SPAN("1", 1), note, &e->got);
        turn(e);
        assert_int_equal(e->got.err, name[0] <= 'd' ? UM_OK : UM_ELIMIT);           /* the number */
    }
}

static void unused_sessions_expire_and_used_ones_do_not(void **state)
{
    struct env *e = *state;
    char used[UM_SESSION_ID_LEN + 1], unused[UM_SESSION_ID_LEN + 1];

    memcpy(used, create(e, "ann")->id, sizeof(used));
    memcpy(unused, create(e, "ann")->id, sizeof(unused));
    clock_ms += 1799999;
    um_session_touch(e->ss, used);
    assert_int_equal(get(e, unused), UM_OK);
    clock_ms += 1;
    um_sessions_sweep(e->ss);
    UNTIL(e, e->got.ends == 1);
    assert_int_equal(e->got.why, UM_SESSION_EXPIRED);
    assert_string_equal(e->got.ended, unused);
    assert_int_equal(get(e, unused), UM_ENOTFOUND);
    assert_int_equal(get(e, used), UM_OK);
}

static void an_expired_session_is_dead_before_any_sweep(void **state)
{
    struct env *e = *state;
    char id[UM_SESSION_ID_LEN + 1];

    memcpy(id, create(e, "ann")->id, sizeof(id));
    clock_ms += 1800000;
    um_session_touch(e->ss, id);
    assert_int_equal(get(e, id), UM_ENOTFOUND);
}

static void age_ends_a_session_that_is_in_use(void **state)
{
    struct env *e = *state;
    char id[UM_SESSION_ID_LEN + 1];

    memcpy(id, create(e, "ann")->id, sizeof(id));
    for (int i = 0; i < 4; i++) {
        assert_int_equal(get(e, id), UM_OK);
        clock_ms += 1790000;
        um_session_touch(e->ss, id);
    }
    clock_ms += 40000;
    um_sessions_sweep(e->ss);
    assert_int_equal(get(e, id), UM_ENOTFOUND);
}

static void one_too_many_ends_the_one_unused_longest(void **state)
{
    struct env *e = *state;
    char id[3][UM_SESSION_ID_LEN + 1];

    for (int i = 0; i < 3; i++) {
        clock_ms++;
        memcpy(id[i], create(e, "ann")->id, sizeof(id[i]));
    }
    clock_ms++;
    um_session_touch(e->ss, id[0]);
    create(e, "bob");
    assert_int_equal(e->got.ends, 0);
    create(e, "ann");
    UNTIL(e, e->got.ends == 1);
    assert_int_equal(e->got.why, UM_SESSION_EVICTED);
    assert_string_equal(e->got.ended, id[1]);
    um_session_list(e->ss, e->loop, "ann", note_list, &e->got);
    turn(e);
    assert_int_equal(e->got.n, 3);
    assert_string_equal(e->got.first, id[0]);
}

static void the_store_is_bounded(void **state)
{
    struct env *e = *state;
    char user[3] = "a";

    for (int i = 0; i < 30; i++) {
        user[0] = (char)('A' + i);
        create(e, user);
        assert_int_equal(e->got.err, UM_OK);
    }
    create(e, "zz");
    assert_int_equal(e->got.err, UM_ELIMIT);
    um_session_count(e->ss, e->loop, note_count, &e->got);
    turn(e);
    assert_int_equal(e->got.n, 30);
}

static void after_a_change_of_id_the_old_one_is_dead(void **state)
{
    struct env *e = *state;
    char id[UM_SESSION_ID_LEN + 1], changed[UM_SESSION_ID_LEN + 1];

    memcpy(id, create(e, "ann")->id, sizeof(id));
    um_session_set(e->ss, e->loop, id, "a", UM_SPAN("1", 1), note, &e->got);
    turn(e);
    um_session_change_id(e->ss, e->loop, id, note, &e->got);
    turn(e);
    memcpy(changed, e->got.s->id, sizeof(changed));
    assert_string_not_equal(id, changed);
    UNTIL(e, e->got.ends == 1);
    assert_string_equal(e->got.ended, id);
    assert_int_equal(e->got.why, UM_SESSION_RENAMED);
    assert_int_equal(get(e, id), UM_ENOTFOUND);
    assert_int_equal(get(e, changed), UM_OK);
    assert_string_equal(um_session_attr_str(e->got.s, "a"), "1");
}

static void a_destroyed_session_stays_destroyed(void **state)
{
    struct env *e = *state;
    char id[UM_SESSION_ID_LEN + 1];

    memcpy(id, create(e, "ann")->id, sizeof(id));
    um_session_destroy(e->ss, e->loop, id, note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_OK);
    UNTIL(e, e->got.ends == 1);
    assert_int_equal(e->got.why, UM_SESSION_DESTROYED);
    um_session_touch(e->ss, id);
    um_session_set(e->ss, e->loop, id, "a", UM_SPAN("1", 1), note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_ENOTFOUND);
    assert_int_equal(get(e, id), UM_ENOTFOUND);
    um_session_destroy(e->ss, e->loop, id, note, &e->got);       /* repeating is success */
    turn(e);
    assert_int_equal(e->got.err, UM_OK);
    assert_int_equal(e->got.ends, 1);
}

static void a_session_is_found_by_its_hash(void **state)
{
    struct env *e = *state;
    char id[UM_SESSION_ID_LEN + 1], hash[UM_SESSION_HASH_LEN + 1];

    for (int i = 0; i < 3; i++)
        memcpy(id, create(e, i < 2 ? "ann" : "bob")->id, sizeof(id));
    um_session_hash(id, hash);
    um_session_find(e->ss, e->loop, hash, note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_OK);
    assert_string_equal(e->got.s->id, id);
    um_session_find(e->ss, e->loop, "e2ad169de3afb778ba32caa4070b751c", note, &e->got);
    turn(e);
    assert_int_equal(e->got.err, UM_ENOTFOUND);
}

static void the_cookie_is_that_of_spring_session(void **state)
{
    static const char id[] = "33fdd1b6-b496-4b33-9f7d-df96679d32fe";
    char cookie[UM_SESSION_COOKIE_LEN + 1], back[UM_SESSION_ID_LEN + 1];

    (void)state;
    um_session_cookie_encode(id, cookie);
    assert_string_equal(cookie, "MzNmZGQxYjYtYjQ5Ni00YjMzLTlmN2QtZGY5NjY3OWQzMmZl");
    assert_true(um_session_cookie_decode(UM_SPAN_STR(cookie), back));
    assert_string_equal(back, id);
    assert_false(um_session_cookie_decode(UM_SPAN(cookie, 47), back));
    assert_false(um_session_cookie_decode(UM_SPAN_STR(""), back));
    assert_false(um_session_cookie_decode(UM_SPAN_STR("MzNGREQxYjYtYjQ5Ni00YjMzLTlmN2QtZGY5NjY3OWQzMmZl"), back));   /* capitals */
    assert_false(um_session_cookie_decode(UM_SPAN_STR("!!NmZGQxYjYtYjQ5Ni00YjMzLTlmN2QtZGY5NjY3OWQzMmZl"), back));
}

static void the_hash_does_not_tell_the_id(void **state)
{
    char hash[UM_SESSION_HASH_LEN + 1];

    (void)state;
    um_session_hash("33fdd1b6-b496-4b33-9f7d-df96679d32fe", hash);
    assert_string_equal(hash, "e2ad169de3afb778ba32caa4070b751c");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_session_holds_what_it_was_given), T(attributes_are_set_one_by_one), T(limits_are_kept_at_value_and_refused_above),
        T(unused_sessions_expire_and_used_ones_do_not), T(an_expired_session_is_dead_before_any_sweep),
        T(age_ends_a_session_that_is_in_use), T(one_too_many_ends_the_one_unused_longest), T(the_store_is_bounded),
        T(after_a_change_of_id_the_old_one_is_dead), T(a_destroyed_session_stays_destroyed), T(a_session_is_found_by_its_hash),
        cmocka_unit_test(the_cookie_is_that_of_spring_session), cmocka_unit_test(the_hash_does_not_tell_the_id),
    };
    um_process_init();
    um_log_set_level(NULL, UM_OFF);
    port = getenv("UMBEL_TEST_REDIS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
