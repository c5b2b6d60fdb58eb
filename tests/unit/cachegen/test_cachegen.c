/* Versions of caches: what one process may expect, alone or with Redis, and what only several show. The environment variable
 * UMBEL_TEST_REDIS (a port, given by integration.cachegen-redis) makes the same tests run over a real Redis. */
#include "um_test.h"
#include "um_test_redis.h"
#include <umbel/cachegen.h>
#include <umbel/cluster.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/process.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "message.h"

enum { NODES = 3, ROWS = 8, HOUR_MS = 3600 * 1000 };
static const char *port;
struct reading;

struct node {
    struct um_cluster *cluster;
    struct um_cachegen *g;
    bool slow;                                /* hears, but does not apply */
    int calls;
    uint64_t version;
    char scope[32], news[64], all[256];       /* of the last call; the news of all */
};

struct bench {
    struct um_loop *loop;
    struct um_redis_conf cf;
    struct um_redis *redis;
    char ns[32];
    struct node n[NODES];
    struct um_cachegen_row rows[ROWS];        /* what the database holds */
    size_t n_rows;
    um_err err;                               /* what it answers */
    int reads;
    bool holds;                               /* the next answer is kept back */
    struct reading *held;
};

#define UNTIL(b, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((b)->loop, 20);                   \
        assert_true(cond);                                 \
    } while (0)

/* ---- the database ---- */

struct reading { struct um_msg msg; struct bench *b; struct um_cachegen_row rows[ROWS]; size_t n; um_cachegen_rows_cb *cb; void *arg; };

static void answer(struct um_msg *m)
{
    struct reading *r = UM_CONTAINER(m, struct reading, msg);

    r->cb(r->arg, r->b->err, r->rows, r->n);
    free(r);
}

static void read_rows(void *ctx, struct um_loop *l, um_cachegen_rows_cb *cb, void *arg)
{
    struct reading *r = um_xcalloc(1, sizeof(*r));

    r->b = ctx;
    r->cb = cb;
    r->arg = arg;
    r->n = r->b->n_rows;
    memcpy(r->rows, r->b->rows, sizeof(r->rows));
    r->b->reads++;
    if (r->b->holds)
        r->b->held = r;
    else
        um_loop_post(l, &r->msg, answer);
}

static uint64_t raise_it(struct bench *b, const char *scope, const char *name)
{
    for (size_t i = 0; i < b->n_rows; i++)
        if (strcmp(b->rows[i].scope, scope) == 0 && strcmp(b->rows[i].name, name) == 0)
            return ++b->rows[i].version;
    b->rows[b->n_rows++] = (struct um_cachegen_row){ scope, name, 1 };
    return 1;
}

/* ---- nodes ---- */

static void on_cache(void *arg, const char *scope, uint64_t version, struct um_span news)
{
    struct node *n = arg;

    n->calls++;
    n->version = version;
    snprintf(n->scope, sizeof(n->scope), "%s", scope);
    snprintf(n->news, sizeof(n->news), "%.*s", (int)UM_MIN(news.len, sizeof(n->news) - 1), (const char *)news.data);
    snprintf(n->all + strlen(n->all), sizeof(n->all) - strlen(n->all), "%.*s;", (int)UM_MIN(news.len, 32u), (const char *)news.data);
    if (!n->slow)
        um_cachegen_applied(n->g, scope, "things", version);
}

static int set_up(void **state)
{
    struct bench *b = um_xcalloc(1, sizeof(*b));
    char why[256];

    b->loop = um_loop_new(0);
    snprintf(b->ns, sizeof(b->ns), "t%llx", (unsigned long long)um_random_u64());
    b->cf = test_redis_conf(b->ns, port != NULL ? atoi(port) : 1);
    if (port != NULL)
        assert_int_equal(um_redis_open(&b->redis, &b->cf, why), UM_OK);
    *state = b;
    return 0;
}

static int take_down(void **state)
{
    struct bench *b = *state;

    um_loop_turn(b->loop, 0);                 /* answers of the database that are on their way */
    for (size_t i = 0; i < NODES; i++) {
        um_cachegen_free(b->n[i].g);
        um_cluster_free(b->n[i].cluster);
    }
    um_redis_close(b->redis);
    um_loop_free(b->loop);
    free(b);
    return 0;
}

static size_t count_members(const struct node *n)
{
    struct um_members *m = um_cluster_members(n->cluster);
    size_t count = m->n;

    um_members_unref(m);
    return count;
}

/* The I-th node, "a", "b", ..., with a listener for "things". Without Redis each is alone; they have the database in common. */
static struct node *open_node(struct bench *b, size_t i, int64_t interval_ms, int64_t wait_ms)
{
    const struct um_cachegen_source source = { read_rows, b };
    const struct um_cachegen_conf cf = { interval_ms, HOUR_MS, wait_ms };
    const struct um_member self = { .id = (const char *[]){ "a", "b", "c" }[i], .role = "core", .address = "", .version = "1" };
    static const struct um_cluster_handler nothing;
    struct node *n = &b->n[i];
    int reads = b->reads;

    assert_int_equal(um_cluster_new(&n->cluster, b->redis, b->loop, &self, &nothing, NULL), UM_OK);
    assert_int_equal(um_cachegen_new(&n->g, b->redis, b->loop, n->cluster, &source, &cf), UM_OK);
    um_cachegen_listen(n->g, b->loop, "things", on_cache, n);
    UNTIL(b, um_cluster_is_admitted(n->cluster) && (b->err != UM_OK || um_cachegen_is_fresh(n->g)));
    if (port != NULL)                         /* once at the start, and once more when Redis is there */
        UNTIL(b, b->reads >= reads + 2);
    um_loop_turn(b->loop, 0);
    return n;
}

struct told { int calls; size_t n, of; char ids[64]; };
static void on_done(void *arg, const struct um_cachegen_applied_by *by)
{
    struct told *t = arg;

    t->calls++;
    t->n = by->n;
    t->of = by->of;
    for (size_t i = 0; i < by->n; i++)
        snprintf(t->ids + strlen(t->ids), sizeof(t->ids) - strlen(t->ids), "%s ", by->ids[i]);
}

static void announce(struct bench *b, struct node *n, uint64_t version, const char *news, struct told *t)
{
    um_cachegen_announce(n->g, b->loop, "", "things", version, UM_SPAN_STR(news), t != NULL ? on_done : NULL, t);
}

/* ---- both ---- */

static void news_come_in_order_and_the_announcer_hears_who_has_applied_them(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, HOUR_MS, HOUR_MS);
    struct told t[3] = { 0 };
    static const char *const news[] = { "one", "two", "three" };

    for (int i = 0; i < 3; i++)
        announce(b, n, raise_it(b, "", "things"), news[i], &t[i]);
    assert_int_equal(n->calls, 0);            /* never inside the call */
    UNTIL(b, t[2].calls == 1);
    assert_string_equal(n->all, "one;two;three;");
    assert_int_equal(n->version, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(t[i].calls, 1);
        assert_string_equal(t[i].ids, "a ");
        assert_int_equal(t[i].of, 1);
    }
}

static void who_does_not_apply_is_waited_for_no_longer_than_agreed(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, HOUR_MS, 50);
    struct told t = { 0 }, u = { 0 };

    n->slow = true;
    announce(b, n, raise_it(b, "", "things"), "x", &t);
    UNTIL(b, t.calls == 1);
    assert_int_equal(t.n, 0);
    assert_int_equal(t.of, 1);
    um_cachegen_applied(n->g, "", "things", 1);
    n->slow = false;
    announce(b, n, raise_it(b, "", "things"), "y", &u);
    UNTIL(b, u.calls == 1);
    assert_string_equal(u.ids, "a ");
    assert_string_equal(n->news, "y");
}

static void what_nobody_announced_is_found_by_comparing(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, 100, 50);

    raise_it(b, "GEC", "things");
    raise_it(b, "GEC", "things");
    UNTIL(b, n->calls == 1);
    assert_int_equal(n->version, 2);
    assert_string_equal(n->scope, "GEC");
    assert_string_equal(n->news, "");         /* anything may have changed */
    assert_int_equal(um_cachegen_version(n->g, "GEC", "things"), 2);
    b->rows[0].version = 1;                   /* a backup was restored: different, though not newer */
    UNTIL(b, n->calls == 2);
    assert_int_equal(n->version, 1);
}

static void after_a_gap_everything_is_read_again(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, HOUR_MS, 50);

    announce(b, n, 1, "one", NULL);
    announce(b, n, 3, "three", NULL);         /* two is missing */
    UNTIL(b, n->calls == 2);
    assert_string_equal(n->all, "one;;");
    announce(b, n, 3, "three", NULL);         /* doubled */
    announce(b, n, 2, "two", NULL);           /* late: what was read has it */
    announce(b, n, 4, "four", NULL);
    UNTIL(b, n->version == 4);
    assert_string_equal(n->all, "one;;four;");
    assert_int_equal(um_cachegen_version(n->g, "", "things"), 4);
    announce(b, n, 3, "three", NULL);         /* again, or of a database that went back */
    announce(b, n, 5, "five", NULL);
    UNTIL(b, n->version == 5);
    assert_string_equal(n->all, "one;;four;;five;");
}

static void news_before_the_first_comparison_do_not_count_as_all(void **state)
{
    struct bench *b = *state;
    struct node *n;

    b->err = UM_EUNAVAIL;
    raise_it(b, "", "things");
    n = open_node(b, 0, 100, 50);
    assert_false(um_cachegen_is_fresh(n->g));
    announce(b, n, 1, "one", NULL);           /* the first of this database, or of an older one? */
    UNTIL(b, n->calls == 1);
    assert_string_equal(n->news, "");
    b->err = UM_OK;
    UNTIL(b, um_cachegen_is_fresh(n->g));
    announce(b, n, raise_it(b, "", "things"), "two", NULL);
    UNTIL(b, n->version == 2);
    assert_string_equal(n->news, "two");
}

static void an_answer_that_was_overtaken_by_news_takes_nothing_back(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, 100, 50);
    struct reading *old;
    int reads;

    raise_it(b, "", "things");
    UNTIL(b, n->version == 1);
    b->holds = true;
    UNTIL(b, b->held != NULL);                /* it still says 1 */
    old = b->held;
    announce(b, n, raise_it(b, "", "things"), "two", NULL);
    UNTIL(b, n->version == 2);
    b->holds = false;
    reads = b->reads;
    um_loop_post(b->loop, &old->msg, answer);
    UNTIL(b, b->reads > reads + 1);
    assert_int_equal(n->calls, 2);
    assert_int_equal(n->version, 2);
}

static void without_a_comparison_for_too_long_nothing_is_fresh(void **state)
{
    struct bench *b = *state;
    const struct um_cachegen_source source = { read_rows, b };
    const struct um_cachegen_conf cf = { 50, 200, 50 };
    struct um_cachegen *g;

    assert_int_equal(um_cachegen_new(&g, b->redis, b->loop, NULL, &source, &cf), UM_OK);
    assert_false(um_cachegen_is_fresh(g));
    UNTIL(b, um_cachegen_is_fresh(g));
    b->err = UM_EIO;
    UNTIL(b, !um_cachegen_is_fresh(g));
    b->err = UM_OK;
    UNTIL(b, um_cachegen_is_fresh(g));
    um_loop_turn(b->loop, 0);
    um_cachegen_free(g);
}

static void news_that_are_too_long_are_told_without(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, HOUR_MS, 50);
    struct um_bytes *longer = um_bytes_new(UM_CACHEGEN_NEWS_MAX + 1);

    memset(longer->data, 'x', longer->len);
    um_cachegen_announce(n->g, b->loop, "", "things", 1, um_bytes_span(longer), NULL, NULL);
    um_cachegen_announce(n->g, b->loop, "", "things", 2, UM_SPAN(longer->data, UM_CACHEGEN_NEWS_MAX), NULL, NULL);
    UNTIL(b, n->calls == 2);
    assert_int_equal(n->all[0], ';');
    assert_int_equal(n->all[1], 'x');
    um_bytes_unref(longer);
}

static void find_other(void *arg, const char *scope, const char *name, uint64_t version, uint64_t applied)
{
    if (strcmp(scope, "S") == 0 && strcmp(name, "other") == 0)
        *(uint64_t *)arg = version * 100 + applied;
}

static void a_cache_that_nobody_keeps_is_applied_at_once(void **state)
{
    struct bench *b = *state;
    struct node *n = open_node(b, 0, HOUR_MS, HOUR_MS);
    struct told t = { 0 };
    uint64_t seen = 0;

    um_cachegen_announce(n->g, b->loop, "S", "other", 7, UM_SPAN(NULL, 0), on_done, &t);
    UNTIL(b, t.calls == 1);
    assert_string_equal(t.ids, "a ");
    assert_int_equal(n->calls, 0);
    um_cachegen_each(n->g, find_other, &seen);
    assert_int_equal(seen, 707);
}

static void a_message_is_read_as_it_was_written_and_nothing_else_is(void **state)
{
    struct message in = { .kind = 'w', .who = "0123456789abcdef", .scope = "", .name = "things", .version = 1ull << 50 }, out;
    struct um_buf b = { 0 };

    (void)state;
    in.news = UM_SPAN("n\0ws", 4);
    message_write(&b, &in);
    assert_true(message_read(&out, UM_SPAN(b.data, b.len)));
    assert_string_equal(out.who, in.who);
    assert_string_equal(out.scope, "");
    assert_string_equal(out.name, "things");
    assert_int_equal(out.version, in.version);
    assert_true(um_span_eq(out.news, in.news));
    for (size_t n = 0; n < b.len; n++)
        assert_false(message_read(&out, UM_SPAN(b.data, n)));
    um_buf_put_u8(&b, 7);                     /* a later version's */
    assert_true(message_read(&out, UM_SPAN(b.data, b.len)));
    b.data[1] = 2;
    assert_false(message_read(&out, UM_SPAN(b.data, b.len)));
    b.data[1] = 1;
    b.data[3] = 0;                            /* a text with a zero byte */
    assert_false(message_read(&out, UM_SPAN(b.data, b.len)));
    b.data[3] = 0xff;
    assert_false(message_read(&out, UM_SPAN(b.data, b.len)));
    b.data[3] = '0';
    b.data[0] = 'x';
    assert_false(message_read(&out, UM_SPAN(b.data, b.len)));
    um_buf_free(&b);
}

/* ---- several loops ---- */

enum { CHANGES = 200 };
struct listener { struct um_cachegen *g; _Atomic uint64_t version; _Atomic int calls; };
struct reports { _Atomic int all; };

static void hear_elsewhere(void *arg, const char *scope, uint64_t version, struct um_span news)
{
    struct listener *l = arg;

    (void)news;
    atomic_store(&l->version, version);
    atomic_fetch_add(&l->calls, 1);
    um_cachegen_applied(l->g, scope, "things", version);
}

static void report(void *arg, const struct um_cachegen_applied_by *by)
{
    struct reports *r = arg;

    (void)by;
    atomic_fetch_add(&r->all, 1);
}

static void look_at(void *arg, const char *scope, const char *name, uint64_t version, uint64_t applied)
{
    (void)scope;
    (void)name;
    *(uint64_t *)arg += version - applied;
}

static void calls_come_from_any_thread_and_go_to_the_loop_that_was_named(void **state)
{
    struct bench *b = *state;
    const struct um_cachegen_source source = { read_rows, b };
    const struct um_cachegen_conf cf = { HOUR_MS, HOUR_MS, 50 };
    struct um_reactors *threads = um_reactors_new(3);
    struct listener l = { 0 };
    struct reports r = { 0 };
    uint64_t seen = 0;

    assert_int_equal(um_cachegen_new(&l.g, NULL, um_reactors_loop(threads, 0), NULL, &source, &cf), UM_OK);
    um_cachegen_listen(l.g, um_reactors_loop(threads, 1), "things", hear_elsewhere, &l);
    um_reactors_start(threads);
    for (int64_t end = um_now_ms() + 20000; !um_cachegen_is_fresh(l.g) && um_now_ms() < end; )
        um_cachegen_each(l.g, look_at, &seen);
    for (uint64_t v = 1; v <= CHANGES; v++) {
        um_cachegen_announce(l.g, um_reactors_loop(threads, 2), "", "things", v, UM_SPAN("n", 1), report, &r);
        um_cachegen_each(l.g, look_at, &seen);
        assert_true(um_cachegen_version(l.g, "", "things") <= v);
    }
    for (int64_t end = um_now_ms() + 20000; atomic_load(&r.all) < CHANGES && um_now_ms() < end; )
        um_cachegen_each(l.g, look_at, &seen);
    um_reactors_stop(threads);
    assert_int_equal(atomic_load(&r.all), CHANGES);
    assert_int_equal(atomic_load(&l.calls), CHANGES);
    assert_int_equal(atomic_load(&l.version), CHANGES);
    um_cachegen_free(l.g);
    um_reactors_free(threads);
}

/* ---- several, over Redis ---- */

static void open_all(struct bench *b, int64_t interval_ms, int64_t wait_ms)
{
    for (size_t i = 0; i < NODES; i++)
        open_node(b, i, interval_ms, wait_ms);
    UNTIL(b, count_members(&b->n[0]) == NODES && count_members(&b->n[1]) == NODES && count_members(&b->n[2]) == NODES);
}

static void every_member_hears_the_news_and_says_so(void **state)
{
    struct bench *b = *state;
    struct told t = { 0 };

    if (port == NULL)
        skip();
    open_all(b, HOUR_MS, HOUR_MS);
    announce(b, &b->n[1], raise_it(b, "", "things"), "hello", &t);
    UNTIL(b, t.calls == 1);
    assert_string_equal(t.ids, "a b c ");
    assert_int_equal(t.of, 3);
    for (size_t i = 0; i < NODES; i++) {
        assert_int_equal(b->n[i].calls, 1);
        assert_string_equal(b->n[i].news, "hello");
    }
}

static void a_member_that_has_not_applied_it_is_left_out(void **state)
{
    struct bench *b = *state;
    struct told t = { 0 }, u = { 0 };

    if (port == NULL)
        skip();
    open_all(b, HOUR_MS, 500);
    b->n[2].slow = true;
    announce(b, &b->n[0], raise_it(b, "", "things"), "x", &t);
    UNTIL(b, t.calls == 1);
    assert_string_equal(t.ids, "a b ");
    assert_int_equal(t.of, 3);
    b->n[2].slow = false;                     /* who applies the second has applied the first */
    announce(b, &b->n[0], raise_it(b, "", "things"), "y", &u);
    UNTIL(b, u.calls == 1);
    assert_string_equal(u.ids, "a b c ");
}

static struct um_redis_link *by_hand(struct bench *b)
{
    struct um_redis_link *l = um_redis_link_new(b->redis, b->loop, "hand", &(struct um_redis_link_handler){ 0 }, NULL);

    UNTIL(b, um_redis_link_is_ready(l));
    return l;
}

static void say(struct um_redis_link *l, const char *a, const char *c, const char *d, struct um_span e)
{
    um_redis_command(l, NULL, (struct um_span[]){ UM_SPAN_STR(a), UM_SPAN_STR(c), UM_SPAN_STR(d), e }, e.data != NULL ? 4 : 3, NULL, NULL);
}

static void messages_that_cannot_be_read_are_counted_and_dropped(void **state)
{
    struct bench *b = *state;
    struct um_metric *bad = um_metrics_find("cache.bad-messages");
    struct um_redis_link *l;
    struct um_buf channel = { 0 };
    int64_t before;

    if (port == NULL)
        skip();
    struct node *n = open_node(b, 0, HOUR_MS, HOUR_MS);
    before = um_metric_value(bad);
    l = by_hand(b);
    um_redis_key(b->redis, &channel, "cache", NULL);
    say(l, "PUBLISH", um_buf_cstr(&channel), "garbage", UM_SPAN(NULL, 0));
    say(l, "PUBLISH", um_buf_cstr(&channel), "", UM_SPAN(NULL, 0));
    UNTIL(b, um_metric_value(bad) == before + 2);
    assert_int_equal(n->calls, 0);
    um_redis_link_free(l);
    um_buf_free(&channel);
}

/* No timer helps here: comparing on reconnection, and saying again what could not be said, must do. */
static void what_was_missed_while_redis_was_away_is_made_up_for(void **state)
{
    struct bench *b = *state;
    struct um_redis_link *l;

    if (port == NULL)
        skip();
    open_all(b, HOUR_MS, 50);
    l = by_hand(b);
    for (uint64_t round = 1; round <= 3; round++) {
        say(l, "CLIENT", "KILL", "TYPE", UM_SPAN_STR("pubsub"));
        if (round != 2)
            um_redis_command(l, NULL, (struct um_span[]){ UM_SPAN("CLIENT", 6), UM_SPAN("KILL", 4), UM_SPAN("TYPE", 4), UM_SPAN("normal", 6),
                             UM_SPAN("SKIPME", 6), UM_SPAN("yes", 3) }, 6, NULL, NULL);
        announce(b, &b->n[round % NODES], raise_it(b, "", "things"), "x", NULL);
        UNTIL(b, b->n[0].version == round && b->n[1].version == round && b->n[2].version == round);
    }
    um_redis_link_free(l);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, take_down)
    const struct CMUnitTest tests[] = {
        T(news_come_in_order_and_the_announcer_hears_who_has_applied_them),
        T(who_does_not_apply_is_waited_for_no_longer_than_agreed),
        T(what_nobody_announced_is_found_by_comparing),
        T(after_a_gap_everything_is_read_again),
        T(news_before_the_first_comparison_do_not_count_as_all),
        T(an_answer_that_was_overtaken_by_news_takes_nothing_back),
        T(without_a_comparison_for_too_long_nothing_is_fresh),
        T(news_that_are_too_long_are_told_without),
        T(a_cache_that_nobody_keeps_is_applied_at_once),
        T(a_message_is_read_as_it_was_written_and_nothing_else_is),
        T(calls_come_from_any_thread_and_go_to_the_loop_that_was_named),
        T(every_member_hears_the_news_and_says_so),
        T(a_member_that_has_not_applied_it_is_left_out),
        T(messages_that_cannot_be_read_are_counted_and_dropped),
        T(what_was_missed_while_redis_was_away_is_made_up_for),
    };
    um_process_init();
    um_log_set_level(NULL, UM_OFF);
    port = getenv("UMBEL_TEST_REDIS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
