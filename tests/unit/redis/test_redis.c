/* The link against scripted servers: what it promises in umbel/redis.h, one by one. */
#include "um_test.h"
#include <umbel/log.h>
#include <umbel/process.h>
#include <umbel/util.h>
#include "fake_redis.h"
#include "link_int.h"

struct note { unsigned calls; um_err err; int64_t integer; char text[64]; };

struct bench {
    struct um_loop *loop;
    struct fake_redis server, other, sentinel[3];
    bool with_sentinels;
    struct um_redis_conf cf;
    struct um_redis *redis;
    struct um_redis_link *link;
    struct um_buf events;                     /* "epoch 1|ready|away|..." */
};
static struct bench *now_running;             /* for the answers of fake servers, which have no argument */

static void on_epoch(void *arg, uint64_t epoch)
{
    um_buf_printf(&((struct bench *)arg)->events, "epoch %d|", (int)epoch);
}

static void on_ready(void *arg, bool ready)
{
    um_buf_puts(&((struct bench *)arg)->events, ready ? "ready|" : "away|");
}

static const struct um_redis_link_handler handler = { on_epoch, on_ready };

static void note_answer(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct note *n = arg;

    n->calls++;
    n->err = err;
    n->integer = reply != NULL ? reply->integer : 0;
    snprintf(n->text, sizeof(n->text), "%.*s", reply != NULL ? (int)reply->text.len : 0, reply != NULL ? (const char *)reply->text.data : "");
}

/* Turns until COND, at most 10 s. */
#define UNTIL(b, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 10000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((b)->loop, 20);                   \
        assert_true(cond);                                 \
    } while (0)

static struct um_redis_conf conf_of(const struct bench *b)
{
    return (struct um_redis_conf){ .enabled = true, .ns = "umbel", .url = "", .host = "127.0.0.1", .port = b->server.port, .database = 3,
        .username = "ann", .password = "secret", .client_name = "", .ca_file = "", .cert_file = "", .key_file = "", .server_name = "",
        .bundle = "", .sentinel_master = "", .sentinel_username = "", .sentinel_password = "spw", .timeout_ms = 2000,
        .connect_timeout_ms = 1000, .queue_max = 50, .queue_bytes = 100000, .queue_max_age_ms = 2000 };
}

static int set_up(void **state)
{
    struct bench *b = um_xcalloc(1, sizeof(*b));

    b->loop = um_loop_new(0);
    fake_open(&b->server, b->loop);
    fake_open(&b->other, b->loop);
    b->cf = conf_of(b);
    *state = now_running = b;
    return 0;
}

static void connect_link(struct bench *b)
{
    char why[256];

    assert_int_equal(um_redis_open(&b->redis, &b->cf, why), UM_OK);
    b->link = um_redis_link_new(b->redis, b->loop, "unit", &handler, b);
}

static struct bench *ready_bench(void **state)
{
    struct bench *b = *state;

    connect_link(b);
    UNTIL(b, um_redis_link_is_ready(b->link));
    return b;
}

static int take_down(void **state)
{
    struct bench *b = *state;

    um_redis_link_free(b->link);
    fake_close(&b->server);
    fake_close(&b->other);
    for (int i = 0; b->with_sentinels && i < 3; i++)
        fake_close(&b->sentinel[i]);
    um_redis_close(b->redis);
    um_loop_free(b->loop);
    um_buf_free(&b->events);
    free(b);
    return 0;
}

static void command(struct bench *b, unsigned flags, const char *text, struct note *n)
{
    struct um_span argv[4];
    size_t count = 0;
    struct um_redis_opts opts = { .flags = flags };

    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        argv[count++] = UM_SPAN(text, len);
        text += len + (text[len] == ' ');
    }
    um_redis_command(b->link, &opts, argv, count, note_answer, n);
}

/* ---- the way up ---- */

static void logs_in_before_anything_else_and_asks_what_the_server_is(void **state)
{
    struct bench *b = ready_bench(state);

    assert_string_equal(um_buf_cstr(&b->server.log), "AUTH ann secret|SELECT 3|CLIENT SETNAME umbel-unit-0|ROLE|CLIENT REPLY ON|INFO|");
    assert_string_equal(um_buf_cstr(&b->events), "epoch 1|ready|");
    assert_int_equal(um_redis_get_health(b->redis).ready, 1);
}

static bool refuse_auth(struct fake_conn *c, const struct um_redis_reply *command)
{
    if (!fake_is(command, "AUTH"))
        return false;
    fake_say(c, "-WRONGPASS invalid username-password pair\r\n");
    return true;
}

static void a_refused_password_is_no_connection(void **state)
{
    struct bench *b = *state;

    b->server.answer = refuse_auth;
    connect_link(b);
    UNTIL(b, strstr(um_redis_link_get_stats(b->link).last_loss, "wrong user or password") != NULL);
    assert_int_equal(fake_count(&b->server, "SELECT 3"), 0);
    b->server.answer = NULL;
    UNTIL(b, um_redis_link_is_ready(b->link));
}

static void a_replica_is_not_taken(void **state)
{
    struct bench *b = *state;

    b->server.role = "slave";
    connect_link(b);
    UNTIL(b, b->server.accepted >= 3);
    assert_false(um_redis_link_is_ready(b->link));
    assert_int_equal(b->events.len, 0);
    b->server.role = "master";
    UNTIL(b, um_redis_link_is_ready(b->link));
}

/* ---- commands ---- */

static void answers_come_in_order_and_never_before_the_call_returns(void **state)
{
    struct bench *b = ready_bench(state);
    struct note one = { 0 }, two = { 0 };

    command(b, 0, "SET a 1", &one);
    command(b, 0, "GET a", &two);
    assert_int_equal(one.calls, 0);
    UNTIL(b, two.calls == 1);
    assert_int_equal(one.calls, 1);
    assert_string_equal(one.text, "OK");
    assert_non_null(strstr(um_buf_cstr(&b->server.log), "SET a 1|GET a|"));
    assert_int_equal(um_timer_is_set(&b->link->queue.sweep), !um_list_is_empty(&b->link->queue.in_flight));  /* nothing to watch */
}

static void what_was_given_before_the_link_was_ready_is_sent_then(void **state)
{
    struct bench *b = *state;
    struct note n = { 0 }, hasty = { 0 };

    connect_link(b);
    command(b, 0, "SET a 1", &n);
    command(b, UM_REDIS_NO_WAIT, "SET b 1", &hasty);
    assert_int_equal(hasty.calls, 0);
    UNTIL(b, n.calls == 1 && hasty.calls == 1);
    assert_int_equal(n.err, UM_OK);
    assert_int_equal(hasty.err, UM_EUNAVAIL);
    assert_int_equal(fake_count(&b->server, "SET b 1"), 0);
}

static void too_many_fail_at_once(void **state)
{
    struct bench *b = ready_bench(state);
    struct note fit = { 0 }, over = { 0 };

    for (int i = 0; i < 50; i++)
        command(b, 0, "GET a", &fit);
    command(b, 0, "GET b", &over);
    assert_int_equal(over.calls, 0);
    um_loop_turn(b->loop, 0);
    assert_int_equal(over.calls, 1);
    assert_int_equal(over.err, UM_EUNAVAIL);
    UNTIL(b, fit.calls == 50);
    char big[100001];
    memset(big, 'x', sizeof(big));
    um_redis_command(b->link, NULL, (struct um_span[]){ UM_SPAN("SET", 3), UM_SPAN(big, sizeof(big)) }, 2, note_answer, &over);
    UNTIL(b, over.calls == 2);
    assert_int_equal(over.err, UM_EUNAVAIL);
}

static bool drop_on_set(struct fake_conn *c, const struct um_redis_reply *command)
{
    if (!fake_is(command, "SET"))
        return false;
    fake_drop(c);
    return true;
}

static void a_lost_answer_is_unknown_and_only_idempotent_commands_are_repeated_once(void **state)
{
    struct bench *b = ready_bench(state);
    struct note plain = { 0 }, idempotent = { 0 };

    b->server.answer = drop_on_set;
    command(b, 0, "SET a 1", &plain);
    UNTIL(b, plain.calls == 1);
    assert_int_equal(plain.err, UM_ETIMEOUT);
    command(b, UM_REDIS_IDEMPOTENT, "SET b 1", &idempotent);
    UNTIL(b, idempotent.calls == 1);
    assert_int_equal(idempotent.err, UM_ETIMEOUT);
    assert_int_equal(fake_count(&b->server, "SET a 1"), 1);
    assert_int_equal(fake_count(&b->server, "SET b 1"), 2);
}

static bool drop_everything(struct fake_conn *c, const struct um_redis_reply *command)
{
    (void)command;
    fake_drop(c);
    return true;
}

static void what_was_sent_once_is_unknown_also_when_it_could_not_be_sent_again(void **state)
{
    struct bench *b = ready_bench(state);
    struct note sent = { 0 }, never = { 0 };

    b->server.answer = drop_everything;
    command(b, UM_REDIS_IDEMPOTENT, "SET a 1", &sent);
    UNTIL(b, !um_redis_link_is_ready(b->link));
    command(b, UM_REDIS_IDEMPOTENT, "SET b 1", &never);
    UNTIL(b, sent.calls == 1 && never.calls == 1);
    assert_int_equal(sent.err, UM_ETIMEOUT);
    assert_int_equal(never.err, UM_EUNAVAIL);
}

static bool refuse_first_set(struct fake_conn *c, const struct um_redis_reply *command)
{
    if (!fake_is(command, "SET") || fake_count(c->server, "SET a 1") > 1)
        return false;
    fake_say(c, "-READONLY You can't write against a read only replica.\r\n");
    return true;
}

static void a_command_refused_unexecuted_is_given_to_the_next_master(void **state)
{
    struct bench *b = ready_bench(state);
    struct note refused = { 0 }, behind = { 0 };

    b->server.answer = refuse_first_set;
    command(b, 0, "SET a 1", &refused);
    command(b, 0, "GET a", &behind);
    UNTIL(b, refused.calls == 1 && behind.calls == 1);
    assert_int_equal(refused.err, UM_OK);
    assert_int_equal(behind.err, UM_OK);
    assert_int_equal(fake_count(&b->server, "GET a"), 1);
    assert_string_equal(um_buf_cstr(&b->events), "epoch 1|ready|away|ready|");
}

static bool no_script(struct fake_conn *c, const struct um_redis_reply *command)
{
    if (fake_is(command, "EVALSHA"))
        fake_say(c, "-NOSCRIPT No matching script. Please use EVAL.\r\n");
    else if (fake_is(command, "EVAL"))
        fake_say(c, ":7\r\n");
    else
        return false;
    return true;
}

static void an_unknown_script_is_sent_whole(void **state)
{
    static struct um_redis_script script = UM_REDIS_SCRIPT("return 7");
    struct bench *b = ready_bench(state);
    struct note n = { 0 };

    b->server.answer = no_script;
    um_redis_eval(b->link, NULL, &script, (struct um_span[]){ UM_SPAN("k", 1), UM_SPAN("v", 1) }, 1, 2, note_answer, &n);
    UNTIL(b, n.calls == 1);
    assert_int_equal(n.err, UM_OK);
    assert_int_equal(n.integer, 7);
    assert_int_equal(fake_count(&b->server, "EVALSHA 59b6ab2fbe0ee4b25733de0f62e6cda4899ef8e9 1 k v"), 1);
    assert_int_equal(fake_count(&b->server, "EVAL return 7 1 k v"), 1);
}

static bool answer_nothing(struct fake_conn *c, const struct um_redis_reply *command)
{
    (void)c;
    return fake_is(command, "GET");
}

static void freeing_the_link_answers_what_is_left(void **state)
{
    struct bench *b = ready_bench(state);
    struct note sent = { 0 }, waiting = { 0 };

    b->server.answer = answer_nothing;
    command(b, UM_REDIS_IDEMPOTENT, "GET a", &sent);
    UNTIL(b, fake_count(&b->server, "GET a") == 1);
    um_redis_link_free(b->link);
    assert_int_equal(sent.calls, 1);
    assert_int_equal(sent.err, UM_ETIMEOUT);
    b->link = um_redis_link_new(b->redis, b->loop, "unit", &handler, b);
    command(b, 0, "GET a", &waiting);
    um_redis_link_free(b->link);
    b->link = NULL;
    assert_int_equal(waiting.calls, 1);
    assert_int_equal(waiting.err, UM_EUNAVAIL);
    um_loop_turn(b->loop, 0);
    assert_int_equal(sent.calls + waiting.calls, 2);
}

/* ---- without an answer ---- */

static void publish(struct bench *b, struct um_span text)
{
    static const struct um_redis_opts opts = { .flags = UM_REDIS_NO_ANSWER };

    um_redis_command(b->link, &opts, (struct um_span[]){ UM_SPAN("PUBLISH", 7), UM_SPAN("c", 1), text }, 3, NULL, NULL);
}

static void what_wants_no_answer_asks_for_none_and_the_next_command_gets_its_own(void **state)
{
    struct bench *b = ready_bench(state);
    struct note n = { 0 };

    command(b, 0, "SET a 1", &n);
    publish(b, UM_SPAN_STR("1"));
    publish(b, UM_SPAN_STR("2"));
    command(b, 0, "GET a", &n);
    assert_int_equal(um_redis_link_get_stats(b->link).in_flight, 2);
    UNTIL(b, n.calls == 2);
    assert_int_equal(n.err, UM_OK);
    assert_non_null(strstr(um_buf_cstr(&b->server.log), "SET a 1|CLIENT REPLY SKIP|PUBLISH c 1|CLIENT REPLY SKIP|PUBLISH c 2|GET a|"));
    assert_int_equal(um_redis_link_get_stats(b->link).in_flight, 0);
    assert_string_equal(um_buf_cstr(&b->events), "epoch 1|ready|");
}

static bool refuse_client_reply(struct fake_conn *c, const struct um_redis_reply *command)
{
    if (!fake_is(command, "CLIENT") || !um_span_eq(um_redis_item(command, 1), UM_SPAN_STR("REPLY")))
        return false;
    fake_say(c, "-NOPERM this user has no permissions to run the 'client|reply' command\r\n");
    return true;
}

static void who_may_not_leave_answers_out_gets_them(void **state)
{
    struct bench *b = *state;

    b->server.answer = refuse_client_reply;
    ready_bench(state);
    publish(b, UM_SPAN_STR("1"));
    assert_int_equal(um_redis_link_get_stats(b->link).in_flight, 1);
    UNTIL(b, um_redis_link_get_stats(b->link).in_flight == 0);
    assert_int_equal(fake_count(&b->server, "PUBLISH c 1"), 1);
    assert_int_equal(fake_count(&b->server, "CLIENT REPLY SKIP"), 0);
    assert_string_equal(um_buf_cstr(&b->events), "epoch 1|ready|");
}

static void what_wants_no_answer_does_not_wait_for_a_link_nor_pile_up(void **state)
{
    struct bench *b = *state;
    struct note n = { 0 };
    char big[60000];

    connect_link(b);
    publish(b, UM_SPAN_STR("early"));
    UNTIL(b, um_redis_link_is_ready(b->link));
    memset(big, 'x', sizeof(big));
    publish(b, UM_SPAN(big, sizeof(big)));
    publish(b, UM_SPAN(big, sizeof(big)));    /* more than the 100,000 bytes that may wait for the socket */
    publish(b, UM_SPAN_STR("small"));
    command(b, 0, "GET a", &n);
    UNTIL(b, n.calls == 1);
    assert_int_equal(fake_count(&b->server, "CLIENT REPLY SKIP"), 2);
    assert_int_equal(fake_count(&b->server, "PUBLISH c early"), 0);
    assert_int_equal(fake_count(&b->server, "PUBLISH c small"), 1);
}

static bool say_nothing(struct fake_conn *c, const struct um_redis_reply *command)
{
    (void)c;
    (void)command;
    return true;
}

static void a_server_that_went_silent_is_left_though_nobody_waits_for_an_answer(void **state)
{
    struct bench *b = *state;

    b->cf.timeout_ms = 100;
    ready_bench(state);
    b->server.answer = say_nothing;
    publish(b, UM_SPAN_STR("1"));
    UNTIL(b, !um_redis_link_is_ready(b->link));
    assert_string_equal(um_redis_link_get_stats(b->link).last_loss, "no answer in time");
    b->server.answer = NULL;
    UNTIL(b, um_redis_link_is_ready(b->link));
}

/* ---- epoch and subscriptions ---- */

static void the_epoch_rises_with_another_run_or_history_and_not_with_a_lost_connection(void **state)
{
    static const struct { const char *run, *repl; unsigned epoch; } rows[] = {
        { "run1", "repl1", 1 }, { "run2", "repl1", 2 }, { "run2", "repl2", 3 }, { "run2", "repl2", 3 }, { "", "", 4 }, { "", "", 5 },
    };
    struct bench *b = ready_bench(state);

    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        uint64_t connects = um_redis_link_get_stats(b->link).reconnects;
        b->server.run_id = rows[i].run;
        b->server.repl_id = rows[i].repl;
        fake_drop_all(&b->server);
        UNTIL(b, um_redis_link_get_stats(b->link).reconnects > connects && um_redis_link_is_ready(b->link));
        assert_int_equal(um_redis_link_epoch(b->link), rows[i].epoch);
    }
}

struct listener { struct bench *b; unsigned messages, live, again; struct um_redis_sub *sub; };

static void heard(void *arg, struct um_span channel, struct um_span payload)
{
    struct listener *x = arg;

    assert_true(channel.len > 0 && payload.len > 0);
    x->messages++;
    if (payload.data[0] == 'l') {             /* leave */
        um_redis_unsubscribe(x->sub);
        x->sub = NULL;
    }
}

static void lives(void *arg, bool again)
{
    struct listener *x = arg;

    x->live++;
    x->again += again;
    um_buf_puts(&x->b->events, again ? "again|" : "live|");
}

static const struct um_redis_sub_handler sub_handler = { heard, lives };

static void subscriptions_are_back_before_the_link_is_ready(void **state)
{
    struct bench *b = ready_bench(state);
    struct listener x = { .b = b };

    x.sub = um_redis_subscribe(b->link, UM_SPAN_STR("news"), false, &sub_handler, &x);
    UNTIL(b, x.live == 1);
    fake_publish(&b->server, "news", "1");
    UNTIL(b, x.messages == 1);
    fake_drop_all(&b->server);
    UNTIL(b, x.again == 1 && um_redis_link_is_ready(b->link));
    assert_string_equal(um_buf_cstr(&b->events), "epoch 1|ready|live|away|again|ready|");
    fake_publish(&b->server, "news", "2");
    UNTIL(b, x.messages == 2);
}

static void a_subscriber_may_leave_in_its_own_callback(void **state)
{
    struct bench *b = ready_bench(state);
    struct listener x = { .b = b }, y = { .b = b };

    x.sub = um_redis_subscribe(b->link, UM_SPAN_STR("news"), false, &sub_handler, &x);
    y.sub = um_redis_subscribe(b->link, UM_SPAN_STR("news"), false, &sub_handler, &y);
    UNTIL(b, x.live == 1 && y.live == 1);
    assert_int_equal(fake_count(&b->server, "SUBSCRIBE news"), 1);
    fake_publish(&b->server, "news", "leave");
    UNTIL(b, x.messages == 1 && y.messages == 1);
    UNTIL(b, b->link->side.n_channels == 0);
}

/* ---- Sentinel ---- */

static void with_sentinels(struct bench *b, const int epochs[3])
{
    static char nodes[3][32];
    static const char *items[3] = { nodes[0], nodes[1], nodes[2] };

    b->with_sentinels = true;
    for (int i = 0; i < 3; i++) {
        fake_open(&b->sentinel[i], b->loop);
        b->sentinel[i].master_host = "127.0.0.1";
        b->sentinel[i].master_port = b->server.port;
        b->sentinel[i].config_epoch = epochs[i];
        snprintf(nodes[i], sizeof(nodes[i]), "127.0.0.1:%d", b->sentinel[i].port);
    }
    b->other.run_id = "run-other";
    b->cf.port = 1;
    b->cf.sentinel_master = "m";
    b->cf.sentinel_nodes = (struct um_conf_list){ 3, items };
}

static void all_sentinels_are_asked_and_the_newest_is_believed(void **state)
{
    struct bench *b = *state;

    with_sentinels(b, (int[]){ 4, 9, 4 });
    b->sentinel[1].master_port = b->other.port;
    connect_link(b);
    UNTIL(b, um_redis_link_is_ready(b->link));
    assert_int_equal(b->server.accepted, 0);
    assert_int_equal(b->other.accepted, 1);
    assert_true(fake_count(&b->sentinel[0], "AUTH spw") > 0);       /* the sentinels' own password, not Redis' */
    assert_int_equal(fake_count(&b->sentinel[0], "AUTH ann secret"), 0);
}

static bool hold_get(struct fake_conn *c, const struct um_redis_reply *command)
{
    (void)c;
    return fake_is(command, "GET");
}

static void an_announced_master_is_taken_at_once_and_no_answer_of_the_old_one_is_passed_on(void **state)
{
    struct bench *b = *state;
    struct note n = { 0 }, next = { 0 };

    with_sentinels(b, (int[]){ 1, 1, 1 });
    connect_link(b);
    UNTIL(b, um_redis_link_is_ready(b->link) && fake_count(&b->sentinel[0], "SUBSCRIBE +switch-master") == 1);
    b->server.answer = hold_get;
    command(b, 0, "GET a", &n);
    UNTIL(b, fake_count(&b->server, "GET a") == 1);

    char text[80];
    snprintf(text, sizeof(text), "m 127.0.0.1 %d 127.0.0.1 %d", b->server.port, b->other.port);
    b->sentinel[0].master_port = b->other.port;
    b->sentinel[0].config_epoch = 2;          /* the two others still know the old one only */
    fake_publish(&b->sentinel[0], "+switch-master", text);
    for (size_t i = 0; i < FAKE_CONNS; i++)   /* and the old one answers late */
        if (b->server.conn[i].fd >= 0)
            fake_say(&b->server.conn[i], "+late\r\n");
    command(b, UM_REDIS_IDEMPOTENT, "GET b", &next);
    UNTIL(b, n.calls == 1 && next.calls == 1);
    if (n.err == UM_OK)                       /* the answer was read before the announcement */
        assert_string_equal(n.text, "late");
    UNTIL(b, um_redis_link_is_ready(b->link));
    assert_int_equal(b->link->master.port, b->other.port);
    assert_int_equal(um_redis_link_epoch(b->link), 2);
    assert_int_equal(um_redis_link_get_stats(b->link).switches, 1);
}

static void sentinels_that_have_not_heard_of_the_switch_cannot_lead_back(void **state)
{
    struct bench *b = *state;

    with_sentinels(b, (int[]){ 1, 1, 1 });
    connect_link(b);
    UNTIL(b, um_redis_link_is_ready(b->link) && fake_count(&b->sentinel[0], "SUBSCRIBE +switch-master") == 1);
    unsigned before = b->server.accepted;
    char text[80];
    snprintf(text, sizeof(text), "m 127.0.0.1 %d 127.0.0.1 %d", b->server.port, b->other.port);
    fake_publish(&b->sentinel[0], "+switch-master", text);
    UNTIL(b, strstr(um_redis_link_get_stats(b->link).last_loss, "still name the old master") != NULL);
    assert_int_equal(b->server.accepted, before);
    b->sentinel[2].master_port = b->other.port;
    b->sentinel[2].config_epoch = 2;
    UNTIL(b, um_redis_link_is_ready(b->link));
    assert_int_equal(b->link->master.port, b->other.port);
}

static void other_masters_switches_are_ignored(void **state)
{
    struct bench *b = *state;

    with_sentinels(b, (int[]){ 1, 1, 1 });
    connect_link(b);
    UNTIL(b, um_redis_link_is_ready(b->link) && fake_count(&b->sentinel[0], "SUBSCRIBE +switch-master") == 1);
    static const char *const texts[] = { "m2 127.0.0.1 1 127.0.0.1 2", "m", "m 1", "m 127.0.0.1 1 127.0.0.1 x", "m 127.0.0.1 1 127.0.0.1 0", " " };
    for (size_t i = 0; i < UM_COUNT(texts); i++)
        fake_publish(&b->sentinel[0], "+switch-master", texts[i]);
    struct note n = { 0 };
    command(b, 0, "GET a", &n);
    UNTIL(b, n.calls == 1);
    for (int i = 0; i < 20; i++)
        um_loop_turn(b->loop, 5);
    assert_int_equal(um_redis_link_get_stats(b->link).switches, 0);
    assert_string_equal(um_buf_cstr(&b->events), "epoch 1|ready|");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, take_down)
    const struct CMUnitTest tests[] = {
        T(logs_in_before_anything_else_and_asks_what_the_server_is),
        T(a_refused_password_is_no_connection),
        T(a_replica_is_not_taken),
        T(answers_come_in_order_and_never_before_the_call_returns),
        T(what_was_given_before_the_link_was_ready_is_sent_then),
        T(too_many_fail_at_once),
        T(a_lost_answer_is_unknown_and_only_idempotent_commands_are_repeated_once),
        T(what_was_sent_once_is_unknown_also_when_it_could_not_be_sent_again),
        T(a_command_refused_unexecuted_is_given_to_the_next_master),
        T(an_unknown_script_is_sent_whole),
        T(freeing_the_link_answers_what_is_left),
        T(what_wants_no_answer_asks_for_none_and_the_next_command_gets_its_own),
        T(who_may_not_leave_answers_out_gets_them),
        T(what_wants_no_answer_does_not_wait_for_a_link_nor_pile_up),
        T(a_server_that_went_silent_is_left_though_nobody_waits_for_an_answer),
        T(the_epoch_rises_with_another_run_or_history_and_not_with_a_lost_connection),
        T(subscriptions_are_back_before_the_link_is_ready),
        T(a_subscriber_may_leave_in_its_own_callback),
        T(all_sentinels_are_asked_and_the_newest_is_believed),
        T(an_announced_master_is_taken_at_once_and_no_answer_of_the_old_one_is_passed_on),
        T(sentinels_that_have_not_heard_of_the_switch_cannot_lead_back),
        T(other_masters_switches_are_ignored),
    };
    um_process_init();
    um_log_set_level(NULL, UM_ERROR);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
