/* Membership: what one process may expect, alone or with Redis, and what only several show. The environment variable
 * UMBEL_TEST_REDIS (a port, given by integration.cluster-redis) makes the same tests run over a real Redis. */
#include "um_test.h"
#include "um_test_redis.h"
#include <umbel/cluster.h>
#include <umbel/log.h>
#include <umbel/process.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "sign.h"

static const char *port;

struct node { struct um_cluster *c; unsigned changes, refused, left; char rival[64]; };

struct bench {
    struct um_loop *loop;
    struct um_redis_conf cf;
    struct um_redis *redis;
    char ns[32];
    struct node n[4];
};

static void on_change(void *arg) { ((struct node *)arg)->changes++; }
static void on_left(void *arg) { ((struct node *)arg)->left++; }
static void on_refused(void *arg, const char *address)
{
    struct node *n = arg;

    n->refused++;
    snprintf(n->rival, sizeof(n->rival), "%s", address);
}
static const struct um_cluster_handler handler = { on_change, on_refused };

#define UNTIL(b, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((b)->loop, 20);                   \
        assert_true(cond);                                 \
    } while (0)

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

    for (size_t i = 0; i < UM_COUNT(b->n); i++)
        um_cluster_free(b->n[i].c);
    um_redis_close(b->redis);
    um_loop_free(b->loop);
    free(b);
    return 0;
}

static struct node *join(struct bench *b, size_t i, const char *id, int64_t started)
{
    char address[32];
    struct um_member self = { .id = id, .role = "core", .address = address, .version = "1.0", .started_at_ms = started, .load = 7 };

    snprintf(address, sizeof(address), "host:%zu", i);
    b->n[i] = (struct node){ 0 };
    assert_int_equal(um_cluster_new(&b->n[i].c, b->redis, b->loop, &self, &handler, &b->n[i]), UM_OK);
    return &b->n[i];
}

static size_t count_at(struct node *n)
{
    struct um_members *m = um_cluster_members(n->c);
    size_t count = m->n;

    um_members_unref(m);
    return count;
}

/* Copies member ID as N sees it. */
static bool look(struct node *n, const char *id, struct um_member *out)
{
    struct um_members *m = um_cluster_members(n->c);
    bool found = false;

    for (size_t i = 0; i < m->n; i++)
        if (strcmp(m->list[i].id, id) == 0) {
            *out = m->list[i];
            found = true;
        }
    um_members_unref(m);
    return found;                             /* texts of OUT may not be read */
}

/* ---- both ---- */

static void a_process_is_admitted_and_sees_itself(void **state)
{
    struct bench *b = *state;
    struct node *n = join(b, 0, "core 1:a=b", 5);

    assert_int_equal(count_at(n), 0);
    assert_false(um_cluster_is_admitted(n->c));
    UNTIL(b, um_cluster_is_admitted(n->c));
    struct um_members *m = um_cluster_members(n->c);
    assert_int_equal(m->n, 1);
    assert_string_equal(m->list[0].id, "core 1:a=b");
    assert_string_equal(m->list[0].role, "core");
    assert_string_equal(m->list[0].address, "host:0");
    assert_string_equal(m->list[0].version, "1.0");
    assert_true(m->list[0].is_self && !m->list[0].draining);
    um_members_unref(m);
    assert_int_equal(n->changes, 1);
}

static void draining_is_told_and_leaving_is_the_end(void **state)
{
    struct bench *b = *state;
    struct node *n = join(b, 0, "a", 5);
    struct um_member me;

    UNTIL(b, um_cluster_is_admitted(n->c));
    um_cluster_set_draining(n->c, true);
    assert_true(look(n, "a", &me) && me.draining);
    um_cluster_leave(n->c, on_left, n);
    assert_int_equal(n->left, 0);
    UNTIL(b, n->left == 1);
    assert_int_equal(count_at(n), 0);
    assert_false(um_cluster_is_admitted(n->c));
}

static void the_address_may_come_later(void **state)
{
    struct bench *b = *state;
    struct node *n = join(b, 0, "core-1", 1);
    struct um_redis_link_stats link;

    um_cluster_set_address(n->c, "later:2");
    UNTIL(b, um_cluster_is_admitted(n->c));
    struct um_members *m = um_cluster_members(n->c);
    assert_string_equal(m->list[0].address, "later:2");
    um_members_unref(m);
    assert_int_equal(um_cluster_get_link(n->c, &link), port != NULL);
    if (port != NULL)
        UNTIL(b, um_cluster_get_link(n->c, &link) && strcmp(link.state, "READY") == 0);
}

static void a_member_without_a_name_is_refused(void **state)
{
    struct bench *b = *state;
    struct um_cluster *c;
    char longest[UM_MEMBER_TEXT_MAX + 2];
    struct um_member self = { .id = "", .role = "core", .address = "", .version = "1" };

    assert_int_equal(um_cluster_new(&c, b->redis, b->loop, &self, &handler, NULL), UM_EINVAL);
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    self.id = longest;
    assert_int_equal(um_cluster_new(&c, b->redis, b->loop, &self, &handler, NULL), UM_EINVAL);
}

static void a_member_serves_what_it_says_and_all_when_it_says_nothing(void **state)
{
    struct um_member some = { .serves = "rest,worker" }, older = { .serves = "" };

    (void)state;
    assert_true(um_member_serves(&some, "rest") && um_member_serves(&some, "worker"));
    assert_false(um_member_serves(&some, "collab") || um_member_serves(&some, "work"));
    assert_true(um_member_serves(&older, "collab"));
}

static void a_sign_is_read_as_it_was_written_and_nothing_else_is(void **state)
{
    struct sign in = { "0123456789abcdef", 'a', 17, 3, true, "a b", "core", "", "ü", "rest,worker" }, out;
    struct um_buf b = { 0 };
    static const char *const bad[] = { "", "x", "0123456789abcdef 2 a 1 1 0 =a =b =c =d", "0123456789abcdef 1 z 1 1 0 =a =b =c =d",
        "0123456789abcdef 1 a -1 1 0 =a =b =c =d", "0123456789abcdef 1 a 1 1 0 =a =b =c", "0123456789abcdef 1 a 1 1 0 = =b =c =d",
        "0123456789abcdef 1 a 1 1 0 a =b =c =d", "0123456789abcdef 1 a 1 1 0 =%zz =b =c =d", "0123456789abcdef 1 a 1 1 0 =%00 =b =c =d",
        "0123456789abcdef 1 a 1 1 0 =%ff =b =c =d", "0123456789abcdef 1 a 9999999999999999999 1 0 =a =b =c =d" };

    (void)state;
    sign_write(&b, &in);
    assert_true(sign_read(&out, UM_SPAN(b.data, b.len)));
    assert_string_equal(out.id, in.id);
    assert_string_equal(out.address, "");
    assert_string_equal(out.version, "ü");
    assert_string_equal(out.serves, "rest,worker");
    assert_true(out.draining && out.load == 3 && out.started_at_ms == 17 && out.kind == 'a');
    um_buf_puts(&b, " =later");
    assert_true(sign_read(&out, UM_SPAN(b.data, b.len)));
    um_buf_free(&b);
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        if (sign_read(&out, UM_SPAN_STR(bad[i])))
            fail_msg("%s", bad[i]);
}

/* ---- several, over Redis ---- */

static void members_see_each_other_with_what_changes(void **state)
{
    struct bench *b = *state;
    struct um_member m;

    if (port == NULL)
        skip();
    struct node *x = join(b, 0, "x", 5), *y = join(b, 1, "y", 6);
    UNTIL(b, count_at(x) == 2 && count_at(y) == 2);
    struct node *z = join(b, 2, "z", 7);      /* a newcomer does not wait for the next signs */
    UNTIL(b, count_at(z) == 3 && count_at(x) == 3 && count_at(y) == 3);
    assert_true(look(x, "y", &m) && !m.is_self && m.load == 7 && m.started_at_ms == 6);
    um_cluster_set_load(y->c, 99);
    UNTIL(b, look(x, "y", &m) && m.load == 99);
    um_cluster_set_draining(y->c, true);
    UNTIL(b, look(x, "y", &m) && m.draining);
    um_cluster_leave(y->c, on_left, y);
    UNTIL(b, y->left == 1 && count_at(x) == 2 && count_at(z) == 2);
}

static void a_silent_member_is_gone_and_may_come_back_at_once(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        skip();
    struct node *x = join(b, 0, "x", 5), *y = join(b, 1, "y", 6);
    UNTIL(b, count_at(x) == 2 && count_at(y) == 2);
    um_cluster_free(y->c);                    /* as kill -9: no farewell */
    y->c = NULL;
    y = join(b, 1, "y", 8);                   /* the old claim still stands */
    UNTIL(b, um_cluster_is_admitted(y->c));
    assert_int_equal(y->refused, 0);
    UNTIL(b, count_at(x) == 2 && count_at(y) == 2);
    um_cluster_free(y->c);
    y->c = NULL;
    int64_t began = um_now_ms();
    UNTIL(b, count_at(x) == 1);
    print_message("silent: gone after %d ms\n", (int)(um_now_ms() - began));
}

static void an_id_is_one_processs_at_a_time(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        skip();
    struct node *x = join(b, 0, "x", 5);
    UNTIL(b, um_cluster_is_admitted(x->c));
    struct node *rival = join(b, 1, "x", 6), *other = join(b, 2, "y", 7);
    UNTIL(b, rival->refused == 1);
    assert_string_equal(rival->rival, "host:0");
    assert_false(um_cluster_is_admitted(rival->c));
    assert_true(um_cluster_is_admitted(x->c));
    UNTIL(b, count_at(other) == 2 && count_at(x) == 2);
}

static void whoever_started_earlier_keeps_the_id_when_the_claim_was_lost(void **state)
{
    struct bench *b = *state;
    struct um_buf key = { 0 }, sign = { 0 };
    struct sign rival = { "0123456789abcdef", 'a', 9, 0, false, "x", "core", "elsewhere:1", "1", "" };

    if (port == NULL)
        skip();
    struct node *x = join(b, 0, "x", 5);
    UNTIL(b, um_cluster_is_admitted(x->c));
    struct um_redis_link *l = um_redis_link_new(b->redis, b->loop, "hand", &(struct um_redis_link_handler){ 0 }, NULL);
    UNTIL(b, um_redis_link_is_ready(l));
    um_redis_key(b->redis, &key, "member", "x", NULL);
    for (int round = 0; round < 2; round++) { /* a later one, then an earlier one */
        rival.started_at_ms = round == 0 ? 9 : 1;
        um_buf_clear(&sign);
        sign_write(&sign, &rival);
        um_redis_command(l, NULL, (struct um_span[]){ UM_SPAN("SET", 3), UM_SPAN(key.data, key.len), UM_SPAN(sign.data, sign.len) }, 3, NULL, NULL);
        if (round == 0)
            for (int64_t end = um_now_ms() + 2000; um_now_ms() < end; )
                um_loop_turn(b->loop, 50);
        else
            UNTIL(b, x->refused == 1);
        assert_int_equal(x->refused, round);
    }
    assert_string_equal(x->rival, "elsewhere:1");
    um_redis_link_free(l);
    um_buf_free(&key);
    um_buf_free(&sign);
}

static void while_redis_stands_still_nobody_is_given_up(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        skip();
    struct node *x = join(b, 0, "x", 5), *y = join(b, 1, "y", 6);
    UNTIL(b, count_at(x) == 2 && count_at(y) == 2);
    struct um_redis_link *l = um_redis_link_new(b->redis, b->loop, "hand", &(struct um_redis_link_handler){ 0 }, NULL);
    UNTIL(b, um_redis_link_is_ready(l));
    um_redis_command(l, NULL, (struct um_span[]){ UM_SPAN("CLIENT", 6), UM_SPAN("PAUSE", 5), UM_SPAN("5000", 4), UM_SPAN("ALL", 3) }, 4, NULL, NULL);
    for (int64_t end = um_now_ms() + 7000; um_now_ms() < end; ) {
        um_loop_turn(b->loop, 50);
        assert_int_equal(count_at(x), 2);
        assert_int_equal(count_at(y), 2);
    }
    um_redis_link_free(l);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, take_down)
    const struct CMUnitTest tests[] = {
        T(a_process_is_admitted_and_sees_itself),
        T(draining_is_told_and_leaving_is_the_end),
        T(the_address_may_come_later),
        T(a_member_without_a_name_is_refused),
        T(a_member_serves_what_it_says_and_all_when_it_says_nothing),
        T(a_sign_is_read_as_it_was_written_and_nothing_else_is),
        T(members_see_each_other_with_what_changes),
        T(a_silent_member_is_gone_and_may_come_back_at_once),
        T(an_id_is_one_processs_at_a_time),
        T(whoever_started_earlier_keeps_the_id_when_the_claim_was_lost),
        T(while_redis_stands_still_nobody_is_given_up),
    };
    um_process_init();
    um_log_set_level(NULL, UM_OFF);
    port = getenv("UMBEL_TEST_REDIS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
