/* Questions to members: what one process may expect alone, and what several tell one another. The environment variable
 * UMBEL_TEST_REDIS (a port, given by integration.ask-redis) makes those run that need a real Redis. */
#include "um_test.h"
#include "um_test_redis.h"
#include <umbel/ask.h>
#include <umbel/cluster.h>
#include <umbel/log.h>
#include <umbel/process.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "seal.h"

#define KEY   "0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210"

static const char *port;

struct node {
    struct um_cluster *c;
    struct um_ask *a;
    unsigned asked;
    struct um_asked *kept;                    /* "later" */
};

struct bench {
    struct um_loop *loop;
    struct um_redis_conf cf;
    struct um_redis *redis;
    char ns[32];
    struct node n[3];
    json_t *got;                              /* [{"member","state",...}] of the last question; NULL: not answered yet */
    unsigned calls;
};

#define UNTIL(b, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((b)->loop, 20);                   \
        assert_true(cond);                                 \
    } while (0)

static const struct um_cluster_handler no_handler;

static void echo(void *arg, struct um_asked *q, const json_t *body)
{
    struct node *n = arg;

    n->asked++;
    um_ask_answer(q, json_deep_copy(body));
}

static void refuse(void *arg, struct um_asked *q, const json_t *body)
{
    (void)arg;
    (void)body;
    um_ask_fail(q, "not today");
}

static void later(void *arg, struct um_asked *q, const json_t *body)
{
    (void)body;
    ((struct node *)arg)->kept = q;
}

static void too_long(void *arg, struct um_asked *q, const json_t *body)
{
    char *text = um_xmalloc(UM_ASK_TEXT_MAX + 1);

    (void)arg;
    (void)body;
    memset(text, 'x', UM_ASK_TEXT_MAX);
    text[UM_ASK_TEXT_MAX] = '\0';
    um_ask_answer(q, json_string(text));
    free(text);
}

static void join(struct bench *b, size_t i, const char *id, const char *role, const char *key, const char *previous)
{
    struct um_member self = { .id = id, .role = role, .address = "h:1", .version = "1.0", .started_at_ms = 5 };
    struct node *n = &b->n[i];
    struct um_ask_setup setup = { b->redis, NULL, b->loop, UM_SPAN_STR(key), UM_SPAN_STR(previous) };

    assert_int_equal(um_cluster_new(&n->c, b->redis, b->loop, &self, &no_handler, NULL), UM_OK);
    setup.cluster = n->c;
    n->a = um_ask_new(&setup);
    um_ask_serve(n->a, "echo", echo, n);
    um_ask_serve(n->a, "refuse", refuse, n);
    um_ask_serve(n->a, "later", later, n);
    um_ask_serve(n->a, "long", too_long, n);
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

    for (size_t i = 0; i < UM_COUNT(b->n); i++)
        if (b->n[i].a != NULL)
            um_ask_stop(b->n[i].a);
    um_loop_settle(b->loop);
    for (size_t i = 0; i < UM_COUNT(b->n); i++) {
        um_ask_free(b->n[i].a);
        um_cluster_free(b->n[i].c);
    }
    um_redis_close(b->redis);
    um_loop_free(b->loop);
    json_decref(b->got);
    free(b);
    return 0;
}

static void done(void *arg, const struct um_ask_answer *answers, size_t n)
{
    static const char *const states[] = { "answered", "failed", "silent", "stranger" };
    struct bench *b = arg;

    b->calls++;
    json_decref(b->got);
    b->got = json_array();
    for (size_t i = 0; i < n; i++) {
        json_t *row = json_pack("{s:s, s:s, s:b, s:b}", "member", answers[i].member, "state", states[answers[i].state], "self",
                                answers[i].is_self, "previous", answers[i].by_previous);
        if (answers[i].body != NULL)
            json_object_set_new(row, "body", json_deep_copy(answers[i].body));
        if (answers[i].error != NULL)
            json_object_set_new(row, "error", json_string(answers[i].error));
        json_array_append_new(b->got, row);
    }
}

static const char *ask(struct bench *b, size_t i, const struct um_ask_question *q)
{
    static char *text;

    json_decref(b->got);
    b->got = NULL;
    um_ask(b->n[i].a, b->loop, q, done, b);
    assert_null(b->got);                      /* never inside the call */
    UNTIL(b, b->got != NULL);
    free(text);
    text = json_dumps(b->got, JSON_COMPACT | JSON_SORT_KEYS);
    return text;
}

/* ---- alone ---- */

static void alone(struct bench *b)
{
    join(b, 0, "a", "core", KEY, "");
    UNTIL(b, um_cluster_is_admitted(b->n[0].c));
}

static void a_process_answers_itself(void **state)
{
    struct bench *b = *state;
    json_t *body;

    if (port != NULL)
        return;
    alone(b);
    body = json_pack("{s:i}", "n", 7);
    assert_string_equal(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .body = body, .wait_ms = 10000 }),
                        "[{\"body\":{\"n\":7},\"member\":\"a\",\"previous\":false,\"self\":true,\"state\":\"answered\"}]");
    assert_string_equal(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .wait_ms = 10000 }),
                        "[{\"member\":\"a\",\"previous\":false,\"self\":true,\"state\":\"answered\"}]");
    json_decref(body);
}

static void who_is_not_there_is_not_asked(void **state)
{
    struct bench *b = *state;

    if (port != NULL)
        return;
    alone(b);
    assert_string_equal(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .member = "b", .wait_ms = 10000 }), "[]");
    assert_string_equal(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .role = "gateway", .wait_ms = 10000 }), "[]");
    assert_int_equal(b->n[0].asked, 0);
}

static void a_refusal_and_an_unknown_topic_come_as_errors(void **state)
{
    struct bench *b = *state;

    if (port != NULL)
        return;
    alone(b);
    assert_non_null(strstr(ask(b, 0, &(struct um_ask_question){ .topic = "refuse", .wait_ms = 10000 }), "\"error\":\"not today\""));
    assert_non_null(strstr(ask(b, 0, &(struct um_ask_question){ .topic = "none", .wait_ms = 10000 }), "\"state\":\"failed\""));
}

static void who_does_not_answer_in_time_is_silent_and_may_still_answer(void **state)
{
    struct bench *b = *state;

    if (port != NULL)
        return;
    alone(b);
    assert_non_null(strstr(ask(b, 0, &(struct um_ask_question){ .topic = "later", .wait_ms = 1 }), "silent"));
    um_ask_answer(b->n[0].kept, json_true());
    um_loop_turn(b->loop, 0);
    assert_int_equal(b->calls, 1);
}

static void stopping_ends_what_is_under_way_and_later_questions(void **state)
{
    struct bench *b = *state;

    if (port != NULL)
        return;
    alone(b);
    um_ask(b->n[0].a, b->loop, &(struct um_ask_question){ .topic = "later", .wait_ms = 20000 }, done, b);
    UNTIL(b, b->n[0].kept != NULL);
    um_ask_stop(b->n[0].a);
    UNTIL(b, b->calls == 1);
    um_ask_fail(b->n[0].kept, "too late");
    assert_string_equal(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .wait_ms = 20000 }), "[]");
}

static void a_seal_names_its_key(void **state)
{
    struct um_buf text = { 0 };
    struct um_span inside, key = UM_SPAN_STR(KEY), other = UM_SPAN_STR(OTHER), none = UM_SPAN("", 0);
    enum seal_by by;

    (void)state;
    seal(&text, key, UM_SPAN_STR("hello"));
    assert_true(seal_open(UM_SPAN(text.data, text.len), key, none, &inside, &by));
    assert_int_equal(by, SEAL_CURRENT);
    assert_true(um_span_eq(inside, UM_SPAN_STR("hello")));
    assert_true(seal_open(UM_SPAN(text.data, text.len), other, key, &inside, &by));
    assert_int_equal(by, SEAL_PREVIOUS);
    assert_true(seal_open(UM_SPAN(text.data, text.len), other, none, &inside, &by));
    assert_int_equal(by, SEAL_OTHER);
    text.data[text.len - 1] ^= 1;
    assert_true(seal_open(UM_SPAN(text.data, text.len), key, none, &inside, &by));
    assert_int_equal(by, SEAL_OTHER);
    assert_false(seal_open(UM_SPAN(text.data, 64), key, none, &inside, &by));
    assert_false(seal_open(none, key, none, &inside, &by));
    um_buf_free(&text);
}

/* ---- several ---- */

static bool sees(struct bench *b, size_t i, size_t n)
{
    struct um_members *m = um_cluster_members(b->n[i].c);
    bool is = m->n == n;

    um_members_unref(m);
    return is;
}

static void three(struct bench *b, const char *key_of_c, const char *previous_of_a)
{
    join(b, 0, "a", "core", KEY, previous_of_a);
    join(b, 1, "b", "core", KEY, "");
    join(b, 2, "c", "gateway", key_of_c, "");
    UNTIL(b, sees(b, 0, 3) && sees(b, 1, 3) && sees(b, 2, 3));
    UNTIL(b, um_redis_get_health(b->redis).ready == um_redis_get_health(b->redis).links);
}

static void every_member_answers_for_itself(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        return;
    three(b, KEY, "");
    const char *text = ask(b, 0, &(struct um_ask_question){ .topic = "echo", .wait_ms = 10000 });
    assert_non_null(strstr(text, "\"member\":\"a\",\"previous\":false,\"self\":true,\"state\":\"answered\""));
    assert_non_null(strstr(text, "\"member\":\"b\",\"previous\":false,\"self\":false,\"state\":\"answered\""));
    assert_non_null(strstr(text, "\"member\":\"c\",\"previous\":false,\"self\":false,\"state\":\"answered\""));
    text = ask(b, 2, &(struct um_ask_question){ .topic = "echo", .role = "core", .wait_ms = 10000 });
    assert_null(strstr(text, "\"member\":\"c\""));
    assert_int_equal(b->n[2].asked, 1);
    ask(b, 0, &(struct um_ask_question){ .topic = "echo", .member = "b", .wait_ms = 10000 });
    assert_int_equal(b->n[0].asked, 2);
    assert_int_equal(b->n[1].asked, 3);
}

static void another_key_is_told_and_nothing_else(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        return;
    three(b, OTHER, "");
    assert_non_null(strstr(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .wait_ms = 10000 }),
                           "\"member\":\"c\",\"previous\":false,\"self\":false,\"state\":\"stranger\""));
    assert_int_equal(b->n[2].asked, 0);       /* a question under another key is not served */
}

static void a_key_that_is_being_changed_is_still_known(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        return;
    three(b, OTHER, OTHER);
    assert_non_null(strstr(ask(b, 0, &(struct um_ask_question){ .topic = "echo", .member = "c", .wait_ms = 10000 }),
                           "\"previous\":true,\"self\":false,\"state\":\"failed\""));
}

static void a_long_answer_is_refused_by_its_sender(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        return;
    three(b, KEY, "");
    assert_non_null(strstr(ask(b, 0, &(struct um_ask_question){ .topic = "long", .member = "b", .wait_ms = 10000 }), "too long"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_process_answers_itself, set_up, take_down),
        cmocka_unit_test_setup_teardown(who_is_not_there_is_not_asked, set_up, take_down),
        cmocka_unit_test_setup_teardown(a_refusal_and_an_unknown_topic_come_as_errors, set_up, take_down),
        cmocka_unit_test_setup_teardown(who_does_not_answer_in_time_is_silent_and_may_still_answer, set_up, take_down),
        cmocka_unit_test_setup_teardown(stopping_ends_what_is_under_way_and_later_questions, set_up, take_down),
        cmocka_unit_test(a_seal_names_its_key),
        cmocka_unit_test_setup_teardown(every_member_answers_for_itself, set_up, take_down),
        cmocka_unit_test_setup_teardown(another_key_is_told_and_nothing_else, set_up, take_down),
        cmocka_unit_test_setup_teardown(a_key_that_is_being_changed_is_still_known, set_up, take_down),
        cmocka_unit_test_setup_teardown(a_long_answer_is_refused_by_its_sender, set_up, take_down),
    };

    um_process_init();
    um_log_set_level(NULL, UM_OFF);
    port = getenv("UMBEL_TEST_REDIS");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
