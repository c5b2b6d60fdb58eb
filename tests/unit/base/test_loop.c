#include <pthread.h>
#include <unistd.h>
#include <um_test.h>
#include <umbel/loop.h>

static int trace[64], n_trace;
static void note(void *arg) { trace[n_trace++] = (int)(intptr_t)arg; }

static void timers_run_in_order_of_their_moment(void **state)
{
    (void)state;
    struct um_loop *l = um_loop_new(0);
    struct um_timer t[8] = { 0 };
    static const int delay[8] = { 7, 3, 5, 1, 8, 2, 6, 4 };

    n_trace = 0;
    for (int i = 0; i < 8; i++)
        um_timer_set(l, &t[i], delay[i], note, (void *)(intptr_t)delay[i]);
    um_timer_stop(l, &t[2]);                                  /* 5 */
    for (int turns = 0; n_trace < 7 && turns < 1000; turns++)
        um_loop_turn(l, 10);
    static const int want[] = { 1, 2, 3, 4, 6, 7, 8 };
    assert_memory_equal(trace, want, sizeof(want));
    assert_false(um_timer_is_set(&t[2]));
    um_loop_free(l);
}

static void stopping_any_timer_keeps_the_others(void **state)
{
    (void)state;
    struct um_loop *l = um_loop_new(0);
    static struct um_timer t[200];

    for (int i = 0; i < 200; i++)
        um_timer_set(l, &t[i], (i * 7919) % 100, note, NULL);
    n_trace = 0;
    for (int i = 0; i < 200; i++)
        if (i % 10)
            um_timer_stop(l, &t[i]);
    for (int turns = 0; n_trace < 20 && turns < 1000; turns++)
        um_loop_turn(l, 10);
    assert_int_equal(n_trace, 20);
    um_loop_free(l);
}

static void settling_hears_what_was_posted_and_starts_nothing(void **state)
{
    (void)state;
    struct um_loop *l = um_loop_new(0);
    struct um_timer t = { 0 };

    n_trace = 0;
    um_timer_set(l, &t, 0, note, (void *)(intptr_t)1);
    um_loop_call(l, note, (void *)(intptr_t)2);
    um_loop_settle(l);
    assert_int_equal(n_trace, 1);
    assert_int_equal(trace[0], 2);
    assert_true(um_timer_is_set(&t));
    um_timer_stop(l, &t);
    um_loop_free(l);
}

static void deferred_work_runs_once_in_its_phase(void **state)
{
    (void)state;
    struct um_loop *l = um_loop_new(0);
    struct um_defer a, b;

    n_trace = 0;
    um_defer_init(&a, note, (void *)1);
    um_defer_init(&b, note, (void *)2);
    um_loop_defer(l, UM_PHASE_REAP, &a);
    um_loop_defer(l, UM_PHASE_FLUSH, &b);
    um_loop_defer(l, UM_PHASE_REAP, &a);
    um_loop_turn(l, 0);
    assert_int_equal(n_trace, 2);
    assert_int_equal(trace[0], 2);
    assert_int_equal(trace[1], 1);
    um_loop_free(l);
}

struct numbered { struct um_msg msg; int from, n; };
static int last_from[4];
static int received;
static struct um_loop *target;

static void take(struct um_msg *m)
{
    struct numbered *x = UM_CONTAINER(m, struct numbered, msg);
    assert_int_equal(x->n, last_from[x->from] + 1);
    last_from[x->from] = x->n;
    received++;
    free(x);
}

static void *post_many(void *arg)
{
    for (int i = 1; i <= 10000; i++) {
        struct numbered *x = um_xcalloc(1, sizeof(*x));
        x->from = (int)(intptr_t)arg;
        x->n = i;
        um_loop_post(target, &x->msg, take);
    }
    return NULL;
}

static void posts_of_a_thread_keep_their_order_and_none_is_lost(void **state)
{
    (void)state;
    pthread_t threads[4];

    target = um_loop_new(0);
    for (int i = 0; i < 4; i++)
        pthread_create(&threads[i], NULL, post_many, (void *)(intptr_t)i);
    for (int turns = 0; received < 40000 && turns < 1000000; turns++)
        um_loop_turn(target, 1000);
    assert_int_equal(received, 40000);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    um_loop_free(target);
}

struct pair { struct um_loop *l; struct um_io io[2]; int hits; };
static void stop_both(void *arg, unsigned events)
{
    struct pair *p = arg;
    (void)events;
    p->hits++;
    um_io_stop(p->l, &p->io[0]);
    um_io_stop(p->l, &p->io[1]);
}

/* A wake-up for each time that the inbox was empty, however often: the thread posts the next when the last one has been run,
 * and the loop's own callback posts on, from its turn, where no wake-up is needed. */
enum { ROUND_TRIPS = 2000 };
static struct { struct um_loop *loop; int of_thread, of_turn; pthread_mutex_t lock; pthread_cond_t ran; } trip;

static void run_in_turn(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&trip.lock);
    trip.of_turn++;
    pthread_cond_signal(&trip.ran);
    pthread_mutex_unlock(&trip.lock);
}

static void post_on(void *arg)
{
    (void)arg;
    trip.of_thread++;
    um_loop_call(trip.loop, run_in_turn, NULL);
}

static void *make_trips(void *arg)
{
    for (int i = 0; i < ROUND_TRIPS; i++) {
        um_loop_call(trip.loop, post_on, NULL);
        pthread_mutex_lock(&trip.lock);
        while (trip.of_turn == i)
            pthread_cond_wait(&trip.ran, &trip.lock);
        pthread_mutex_unlock(&trip.lock);
    }
    um_loop_stop(trip.loop);
    return arg;
}

static void a_sleeping_loop_is_woken_for_every_post_and_needs_none_for_its_own(void **state)
{
    pthread_t thread;

    (void)state;
    trip.loop = um_loop_new(0);
    trip.of_thread = trip.of_turn = 0;
    pthread_mutex_init(&trip.lock, NULL);
    pthread_cond_init(&trip.ran, NULL);
    assert_int_equal(pthread_create(&thread, NULL, make_trips, NULL), 0);
    um_loop_run(trip.loop);                                   /* would never return if a wake-up were missing */
    pthread_join(thread, NULL);
    assert_int_equal(trip.of_thread, ROUND_TRIPS);
    assert_int_equal(trip.of_turn, ROUND_TRIPS);
    pthread_cond_destroy(&trip.ran);
    pthread_mutex_destroy(&trip.lock);
    um_loop_free(trip.loop);
}

static void what_is_done_again_and_again_shares_its_turns(void **state)
{
    (void)state;
    struct um_loop *l = um_loop_new(0);
    struct um_timer slow = { 0 }, quick = { 0 };

    for (int i = 0; i < 3; i++) {
        um_timer_set(l, &slow, um_loop_next_ms(l, 60), note, NULL);
        um_timer_set(l, &quick, um_loop_next_ms(l, 20), note, NULL);
        assert_int_equal(slow.at_ms % 60, 0);
        assert_int_equal(quick.at_ms % 20, 0);
        assert_true(slow.at_ms > um_loop_now_ms(l) && slow.at_ms <= um_loop_now_ms(l) + 60);
        n_trace = 0;
        for (int turns = 0; n_trace < 2 && turns < 1000; turns++)
            um_loop_turn(l, 100);
    }
    um_loop_free(l);
}

static void a_stopped_descriptor_is_silent_even_in_the_same_batch(void **state)
{
    (void)state;
    struct pair p = { .l = um_loop_new(0) };
    int a[2], b[2];

    assert_int_equal(pipe(a) | pipe(b), 0);
    assert_int_equal(um_io_start(p.l, &p.io[0], a[0], UM_READ, stop_both, &p), UM_OK);
    assert_int_equal(um_io_start(p.l, &p.io[1], b[0], UM_READ, stop_both, &p), UM_OK);
    assert_int_equal(write(a[1], "x", 1) + write(b[1], "x", 1), 2);
    um_loop_turn(p.l, 100);
    um_loop_turn(p.l, 0);
    assert_int_equal(p.hits, 1);
    um_loop_free(p.l);
    close(a[0]), close(a[1]), close(b[0]), close(b[1]);
}

struct job { struct um_work work; int result; };
static void square(struct um_work *w) { struct job *j = UM_CONTAINER(w, struct job, work); j->result *= j->result; }
static void count_done(struct um_work *w) { (void)w; received++; }

static void pool_brings_results_back_to_the_loop(void **state)
{
    (void)state;
    struct um_loop *l = um_loop_new(0);
    struct um_pool *p = um_pool_new(2, 100);
    struct job jobs[50];

    received = 0;
    for (int i = 0; i < 50; i++) {
        jobs[i] = (struct job){ .work = { .loop = l, .fn = square, .done = count_done }, .result = i };
        assert_int_equal(um_work_submit(p, &jobs[i].work), UM_OK);
    }
    for (int turns = 0; received < 50 && turns < 100000; turns++)
        um_loop_turn(l, 1000);
    for (int i = 0; i < 50; i++)
        assert_int_equal(jobs[i].result, i * i);
    um_pool_free(p);
    um_loop_free(l);
}

static void reactors_start_and_stop(void **state)
{
    (void)state;
    struct um_reactors *r = um_reactors_new(3);
    um_reactors_start(r);
    um_reactors_stop(r);
    um_reactors_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(timers_run_in_order_of_their_moment),
        cmocka_unit_test(stopping_any_timer_keeps_the_others),
        cmocka_unit_test(settling_hears_what_was_posted_and_starts_nothing),
        cmocka_unit_test(deferred_work_runs_once_in_its_phase),
        cmocka_unit_test(posts_of_a_thread_keep_their_order_and_none_is_lost),
        cmocka_unit_test(a_sleeping_loop_is_woken_for_every_post_and_needs_none_for_its_own),
        cmocka_unit_test(what_is_done_again_and_again_shares_its_turns),
        cmocka_unit_test(a_stopped_descriptor_is_silent_even_in_the_same_batch),
        cmocka_unit_test(pool_brings_results_back_to_the_loop),
        cmocka_unit_test(reactors_start_and_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
