/* What only the store in Redis promises: its layout, several gateways on one Redis, revocations, broken keys. Needs
 * UMBEL_TEST_REDIS, the port of a Redis (integration.session-store-redis); without it nothing runs. */
#include "um_test.h"
#include "um_test_redis.h"
#include <stdio.h>
#include <umbel/log.h>
#include <umbel/process.h>
#include <umbel/redis.h>
#include <umbel/session.h>
#include <umbel/util.h>

static const char *port;

struct gateway {
    struct env *e;
    struct um_sessions *ss;
    int ends;
    char ended[UM_SESSION_ID_LEN + 1];
    enum um_session_end why;
    int doubts, looks;
    /* hooks */
    int revokes, releases, reads;
    um_err revoke_err, read_err;
    struct um_revocation list[4];
    size_t n_list;
};
struct env {
    struct um_loop *loop;
    struct um_redis_conf conf;
    struct um_redis *redis;
    struct um_redis_link *hand;
    char ns[32], session_ns[40], text[512];
    int64_t integer;
    bool answered;
    um_err err;
    const struct um_session *s;
    size_t n;
    struct gateway g[2];
};

#define UNTIL(e, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((e)->loop, 20);                   \
        assert_true(cond);                                 \
    } while (0)

/* ---- a hand in Redis ---- */

static void took(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct env *e = arg;

    e->answered = true;
    e->err = err;
    e->text[0] = '\0';
    e->integer = reply != NULL ? reply->integer : 0;
    if (reply != NULL && reply->text.data != NULL)
        snprintf(e->text, sizeof(e->text), "%.*s", (int)reply->text.len, reply->text.data);
}

static const char *ask_n(struct env *e, const struct um_span *argv, size_t n)
{
    e->answered = false;
    um_redis_command(e->hand, NULL, argv, n, took, e);
    UNTIL(e, e->answered);
    return e->text;
}

/* WORD KEY MORE...: the key is below the namespace of the sessions. */
#define ASK(e, word, key, ...) ask_key(e, word, key, (const char *const[]){ __VA_ARGS__ __VA_OPT__(,) NULL })
static const char *ask_key(struct env *e, const char *word, const char *key, const char *const *more)
{
    struct um_span argv[12] = { UM_SPAN_STR(word) };
    char *whole = um_xasprintf("%s:%s", e->session_ns, key);
    size_t n = 2;

    argv[1] = UM_SPAN_STR(whole);
    for (; *more != NULL; more++)
        argv[n++] = UM_SPAN_STR(*more);
    ask_n(e, argv, n);
    free(whole);
    return e->text;
}

/* ---- gateways ---- */

static void note_end(void *arg, const char *id, enum um_session_end why)
{
    struct gateway *g = arg;
    g->ends++;
    g->why = why;
    memcpy(g->ended, id, sizeof(g->ended));
}

static void note_doubt(void *arg) { ((struct gateway *)arg)->doubts++; }
static void note_revoked(void *arg) { ((struct gateway *)arg)->looks++; }
static const struct um_session_doubt doubt = { note_doubt, note_revoked };

static void revoke(void *ctx, struct um_loop *l, const char *hash, int64_t for_ms, void (*done)(void *arg, um_err err), void *arg)
{
    struct gateway *g = ctx;

    (void)l;
    assert_int_equal(strlen(hash), UM_SESSION_HASH_LEN);
    *(for_ms > 0 ? &g->revokes : &g->releases) += 1;
    done(arg, g->revoke_err);
}

static void read_list(void *ctx, struct um_loop *l, void (*done)(void *arg, um_err err, const struct um_revocation *rows, size_t n), void *arg)
{
    struct gateway *g = ctx;

    (void)l;
    g->reads++;
    done(arg, g->read_err, g->list, g->n_list);
}

static struct gateway *open_gateway(struct env *e, size_t i, int64_t timeout_s)
{
    struct gateway *g = &e->g[i];
    const struct um_sessions_conf cf = {
        .timeout_s = timeout_s, .max_age_s = 7200, .max_sessions = 30, .max_per_user = 3, .max_attributes = 4,
        .max_value_bytes = 100, .max_total_bytes = 250, .redis_ns = e->session_ns, .grace_ms = 60000, .wait_ms = 200, .max_copies = 100,
    };
    const struct um_sessions_redis on = { e->redis, &e->loop, 1, { revoke, read_list, g } };

    g->e = e;
    assert_int_equal(um_sessions_new_redis(&g->ss, &cf, &on), UM_OK);
    um_sessions_listen(g->ss, e->loop, note_end, g);
    um_sessions_on_doubt(g->ss, e->loop, &doubt, g);
    return g;
}

static int setup(void **state)
{
    static const struct um_redis_link_handler handler;
    struct env *e = um_xcalloc(1, sizeof(*e));
    char why[256];

    e->loop = um_loop_new(0);
    snprintf(e->ns, sizeof(e->ns), "t%llx", (unsigned long long)um_random_u64());
    snprintf(e->session_ns, sizeof(e->session_ns), "%s:s", e->ns);
    e->conf = test_redis_conf(e->ns, atoi(port));
    assert_int_equal(um_redis_open(&e->redis, &e->conf, why), UM_OK);
    e->hand = um_redis_link_new(e->redis, e->loop, "hand", &handler, NULL);
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;

    um_session_unref(e->s);
    for (size_t i = 0; i < UM_COUNT(e->g); i++)
        um_sessions_free(e->g[i].ss);
    um_redis_link_free(e->hand);
    um_redis_close(e->redis);
    um_loop_free(e->loop);
    free(e);
    return 0;
}

static void note(void *arg, um_err err, const struct um_session *s)
{
    struct env *e = arg;

    e->answered = true;
    e->err = err;
    um_session_unref(e->s);
    e->s = s != NULL ? um_session_ref(s) : NULL;
}

static void note_list(void *arg, um_err err, const struct um_session *const *list, size_t n)
{
    struct env *e = arg;

    (void)list;
    e->answered = true;
    e->err = err;
    e->n = n;
}

#define CALL(e, call) do { (e)->answered = false; call; UNTIL(e, (e)->answered); } while (0)

static void create(struct gateway *g, const char *user, char id[UM_SESSION_ID_LEN + 1])
{
    const struct um_session_attr attrs[] = { { "scope", UM_SPAN("main", 4) }, { "profiles", UM_SPAN("[\"ADMIN\"]", 9) } };

    CALL(g->e, um_session_create(g->ss, g->e->loop, user, attrs, 2, note, g->e));
    assert_int_equal(g->e->err, UM_OK);
    memcpy(id, g->e->s->id, UM_SESSION_ID_LEN + 1);
}

static um_err get(struct gateway *g, const char *id)
{
    CALL(g->e, um_session_get(g->ss, g->e->loop, id, note, g->e));
    return g->e->err;
}

static um_err destroy(struct gateway *g, const char *id)
{
    CALL(g->e, um_session_destroy(g->ss, g->e->loop, id, note, g->e));
    return g->e->err;
}

static size_t count_of(struct gateway *g, const char *user)
{
    CALL(g->e, um_session_list(g->ss, g->e->loop, user, note_list, g->e));
    assert_int_equal(g->e->err, UM_OK);
    return g->e->n;
}

/* "sessions:<id>" and the like; valid until the next call. */
static const char *key(const char *kind, const char *id)
{
    static char text[300];

    snprintf(text, sizeof(text), "%s%s", kind, id);
    return text;
}

/* ---- stories ---- */

static void the_layout_is_that_of_spring_session(void **state)
{
    static const char principal[] = "org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME";
    struct env *e = *state;
    struct gateway *g = open_gateway(e, 0, 1800);
    char id[UM_SESSION_ID_LEN + 1], member[64], minute[64];
    long long ends, wall = um_wall_ms();

    create(g, "ann", id);
    assert_string_equal(ASK(e, "HGET", key("sessions:", id), "maxInactiveInterval"), "1800");
    ends = atoll(ASK(e, "HGET", key("sessions:", id), "lastAccessedTime")) + 1800000;
    assert_in_range(ends - 1800000, wall - 60000, wall + 60000);
    assert_string_equal(ASK(e, "HGET", key("sessions:", id), "sessionAttr:scope"), "\"main\"");
    assert_string_equal(ASK(e, "HGET", key("sessions:", id), "sessionAttr:profiles"), "[\"ADMIN\"]");
    char *field = um_xasprintf("sessionAttr:%s", principal);
    assert_string_equal(ASK(e, "HGET", key("sessions:", id), field), "\"ann\"");
    free(field);
    ASK(e, "TTL", key("sessions:", id));
    assert_in_range(e->integer, 2095, 2100);
    ASK(e, "TTL", key("sessions:expires:", id));
    assert_in_range(e->integer, 1795, 1800);
    ASK(e, "STRLEN", key("sessions:expires:", id));
    assert_int_equal(e->integer, 0);
    snprintf(minute, sizeof(minute), "expirations:%lld", (ends / 60000 + 1) * 60000);
    snprintf(member, sizeof(member), "expires:%s", id);
    ASK(e, "SISMEMBER", minute, member);
    assert_int_equal(e->integer, 1);
    ASK(e, "TTL", minute);
    assert_in_range(e->integer, 2095, 2100);
    char *index = um_xasprintf("index:%s:ann", principal);
    ASK(e, "SISMEMBER", index, id);
    assert_int_equal(e->integer, 1);
    assert_int_equal(destroy(g, id), UM_OK);
    ASK(e, "EXISTS", index);
    assert_int_equal(e->integer, 0);
    free(index);
    ASK(e, "EXISTS", minute);
    assert_int_equal(e->integer, 0);
    assert_string_equal(ASK(e, "HGET", key("sessions:", id), "maxInactiveInterval"), "0");
    ASK(e, "TTL", key("sessions:", id));
    assert_in_range(e->integer, 295, 300);
}

static void every_gateway_serves_a_session_and_hears_of_its_end(void **state)
{
    struct env *e = *state;
    struct gateway *a = open_gateway(e, 0, 1800), *b = open_gateway(e, 1, 1800);
    char id[UM_SESSION_ID_LEN + 1];

    create(a, "ann", id);
    assert_int_equal(get(b, id), UM_OK);
    assert_string_equal(um_session_attr_str(e->s, "profiles"), "[\"ADMIN\"]");
    assert_int_equal(count_of(b, "ann"), 1);
    assert_int_equal(destroy(a, id), UM_OK);
    assert_int_equal(a->revokes, 1);
    UNTIL(e, a->ends == 1 && b->ends == 1);
    assert_string_equal(b->ended, id);
    assert_int_equal(b->why, UM_SESSION_DESTROYED);
    assert_int_equal(get(b, id), UM_ENOTFOUND);
    assert_int_equal(count_of(b, "ann"), 0);
}

static void a_late_save_does_not_undo_a_logout(void **state)
{
    struct env *e = *state;
    struct gateway *a = open_gateway(e, 0, 1800), *b = open_gateway(e, 1, 1800);
    char id[UM_SESSION_ID_LEN + 1];

    create(a, "ann", id);
    assert_int_equal(get(b, id), UM_OK);
    assert_int_equal(destroy(a, id), UM_OK);
    um_session_touch(b->ss, id);
    CALL(e, um_session_set(b->ss, e->loop, id, "scope", UM_SPAN("x", 1), note, e));
    assert_int_equal(e->err, UM_ENOTFOUND);
    CALL(e, um_session_change_id(b->ss, e->loop, id, note, e));
    assert_int_equal(e->err, UM_ENOTFOUND);
    assert_string_equal(ASK(e, "HGET", key("sessions:", id), "maxInactiveInterval"), "0");
    assert_int_equal(get(a, id), UM_ENOTFOUND);
}

static void a_logout_is_certain_when_its_revocation_stands(void **state)
{
    struct env *e = *state;
    struct gateway *g = open_gateway(e, 0, 1800);
    char id[UM_SESSION_ID_LEN + 1];

    create(g, "ann", id);
    g->revoke_err = UM_EUNAVAIL;
    assert_int_equal(destroy(g, id), UM_EUNAVAIL);
    assert_int_equal(get(g, id), UM_ENOTFOUND);                   /* it has ended all the same, */
    assert_int_equal(destroy(g, id), UM_EUNAVAIL);                /* and is still not certain */
    g->revoke_err = UM_OK;
    int before = g->revokes;
    UNTIL(e, g->revokes > before);                                /* by itself */
    assert_int_equal(destroy(g, id), UM_OK);
    assert_int_equal(destroy(g, "33fdd1b6-b496-4b33-9f7d-df96679d32fe"), UM_OK);
    assert_int_equal(g->revokes, before + 1);                     /* what was never there is not revoked */
}

static void what_is_revoked_is_not_served_although_redis_has_it(void **state)
{
    struct env *e = *state;
    struct gateway *g = open_gateway(e, 0, 1800);
    char id[UM_SESSION_ID_LEN + 1], hash[UM_SESSION_HASH_LEN + 1];

    create(g, "ann", id);
    um_session_hash(id, hash);
    g->list[0] = (struct um_revocation){ hash, 60000 };
    g->n_list = 1;
    UNTIL(e, g->doubts > 0);                                      /* the first epoch */
    int before = g->looks;
    um_sessions_reread_revoked(g->ss);
    UNTIL(e, g->looks > before);
    assert_true(um_sessions_have_revoked(g->ss, id));
    assert_int_equal(get(g, id), UM_ENOTFOUND);
    assert_int_equal(count_of(g, "ann"), 0);
    UNTIL(e, strcmp(ASK(e, "HGET", key("sessions:", id), "maxInactiveInterval"), "0") == 0);     /* it goes again */
}

static void nobody_is_served_before_it_is_known_who_was_revoked(void **state)
{
    struct env *e = *state;
    struct gateway *a = open_gateway(e, 0, 1800), *b = &e->g[1];
    char id[UM_SESSION_ID_LEN + 1];

    create(a, "ann", id);
    b->read_err = UM_EUNAVAIL;
    open_gateway(e, 1, 1800);
    assert_int_equal(get(b, id), UM_EUNAVAIL);
    assert_true(b->reads > 1);                                    /* it asks again */
    e->answered = false;
    um_session_get(b->ss, e->loop, id, note, e);
    b->read_err = UM_OK;
    UNTIL(e, e->answered);
    assert_int_equal(e->err, UM_OK);
}

static void what_expires_ends_once_and_releases_what_it_held(void **state)
{
    struct env *e = *state;
    struct gateway *a = open_gateway(e, 0, 1), *b = open_gateway(e, 1, 1);
    char id[UM_SESSION_ID_LEN + 1];
    int64_t end = um_now_ms() + 20000;

    create(a, "ann", id);
    while (a->ends + b->ends < 2 && um_now_ms() < end) {
        um_sessions_sweep(a->ss);
        um_sessions_sweep(b->ss);
        um_loop_turn(e->loop, 20);
    }
    assert_int_equal(a->why, UM_SESSION_EXPIRED);
    assert_int_equal(b->why, UM_SESSION_EXPIRED);
    UNTIL(e, a->releases + b->releases > 0);
    for (int i = 0; i < 20; i++) {
        um_sessions_sweep(b->ss);
        um_loop_turn(e->loop, 5);
    }
    assert_int_equal(a->ends, 1);
    assert_int_equal(b->ends, 1);
    assert_int_equal(a->releases + b->releases, 1);
    assert_int_equal(a->revokes + b->revokes, 0);
}

static void a_session_in_no_list_but_that_of_its_minute_ends_too(void **state)
{
    struct env *e = *state;
    struct gateway *g = open_gateway(e, 0, 1);
    char minute[64], id[UM_SESSION_ID_LEN + 1];
    long long wall = um_wall_ms();

    create(g, "ann", id);                                         /* of a tool that knows Spring's layout alone, long ago: */
    snprintf(minute, sizeof(minute), "%lld", wall - 1200000);
    ASK(e, "HSET", key("sessions:", id), "lastAccessedTime", minute);
    char *live = um_xasprintf("%s:session:live", e->ns);
    ask_n(e, (struct um_span[]){ UM_SPAN("DEL", 3), UM_SPAN_STR(live) }, 2);
    free(live);
    snprintf(minute, sizeof(minute), "expirations:%lld", (wall / 60000 - 15) * 60000);
    ASK(e, "SADD", minute, key("expires:", id));
    int64_t end = um_now_ms() + 20000;
    while (g->ends == 0 && um_now_ms() < end) {
        um_sessions_sweep(g->ss);
        um_loop_turn(e->loop, 20);
    }
    assert_string_equal(g->ended, id);
    ASK(e, "EXISTS", minute);
    assert_int_equal(e->integer, 0);
}

static void what_java_wrote_is_read(void **state)
{
#define BYTES(lit) UM_SPAN(lit, sizeof(lit) - 1)
#define JAVA_NUMBER "\x78\x72\x00\x10java.lang.Number\x86\xac\x95\x1d\x0b\x94\xe0\x8b\x02\x00\x00\x78\x70"
#define JAVA_LONG "\xac\xed\x00\x05\x73\x72\x00\x0ejava.lang.Long\x3b\x8b\xe4\x90\xcc\x8f\x23\xdf\x02\x00\x01J\x00\x05value" JAVA_NUMBER
#define JAVA_INTEGER "\xac\xed\x00\x05\x73\x72\x00\x11java.lang.Integer\x12\xe2\xa0\xa4\xf7\x81\x87\x38\x02\x00\x01I\x00\x05value" JAVA_NUMBER
    static const char id[] = "33fdd1b6-b496-4b33-9f7d-df96679d32fe";
    struct env *e = *state;
    struct gateway *g = open_gateway(e, 0, 1800);
    uint8_t when[sizeof(JAVA_LONG) - 1 + 8];
    uint64_t wall = (uint64_t)um_wall_ms();

    memcpy(when, JAVA_LONG, sizeof(JAVA_LONG) - 1);
    for (int i = 0; i < 8; i++)
        when[sizeof(when) - 8 + (size_t)i] = (uint8_t)(wall >> (56 - 8 * i));
    char *hash = um_xasprintf("%s:sessions:%s", e->session_ns, id);
    ask_n(e, (struct um_span[]){ BYTES("HSET"), UM_SPAN_STR(hash), BYTES("creationTime"), UM_SPAN(when, sizeof(when)),
        BYTES("lastAccessedTime"), UM_SPAN(when, sizeof(when)), BYTES("maxInactiveInterval"), BYTES(JAVA_INTEGER "\xff\xff\xff\xff"),
        BYTES("sessionAttr:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME"),
        BYTES("\xac\xed\x00\x05t\x00\x03" "ann") }, 10);
    ask_n(e, (struct um_span[]){ BYTES("HSET"), UM_SPAN_STR(hash), BYTES("sessionAttr:list"), BYTES("\xac\xed\x00\x05sr\x00\x13java.util.ArrayList") }, 4);
    free(hash);
    assert_int_equal(get(g, id), UM_OK);
    assert_string_equal(e->s->user, "ann");
    assert_true(e->s->created_at_ms == (int64_t)wall);
    assert_int_equal(e->s->max_inactive_s, -1);                   /* never */
    assert_null(um_session_attr_str(e->s, "list"));               /* unreadable: left out */
    CALL(e, um_session_set(g->ss, e->loop, id, "ours", UM_SPAN("1", 1), note, e));
    assert_string_equal(um_session_attr_str(e->s, "ours"), "1");
    assert_int_equal(destroy(g, id), UM_OK);
    assert_int_equal(get(g, id), UM_ENOTFOUND);
}

static void keys_of_a_wrong_type_are_renamed_away_and_all_goes_on(void **state)
{
    struct env *e = *state;
    struct gateway *g = open_gateway(e, 0, 1800);
    char id[UM_SESSION_ID_LEN + 1], other[UM_SESSION_ID_LEN + 1];
    char *live = um_xasprintf("%s:session:live", e->ns);

    create(g, "ann", id);
    ASK(e, "SET", key("sessions:", id), "text");
    assert_int_equal(get(g, id), UM_ENOTFOUND);
    ASK(e, "EXISTS", key("sessions:", id));
    assert_int_equal(e->integer, 0);
    ask_n(e, (struct um_span[]){ UM_SPAN("SET", 3), UM_SPAN_STR(live), UM_SPAN("x", 1) }, 3);
    create(g, "ann", other);                                      /* by way of the quarantine of the list */
    ASK(e, "SET", "index:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME:ann", "x");
    assert_int_equal(count_of(g, "ann"), 0);
    assert_int_equal(get(g, other), UM_OK);
    create(g, "ann", id);
    assert_int_equal(count_of(g, "ann"), 1);
    free(live);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(the_layout_is_that_of_spring_session), T(every_gateway_serves_a_session_and_hears_of_its_end),
        T(a_late_save_does_not_undo_a_logout), T(a_logout_is_certain_when_its_revocation_stands),
        T(what_is_revoked_is_not_served_although_redis_has_it), T(nobody_is_served_before_it_is_known_who_was_revoked),
        T(what_expires_ends_once_and_releases_what_it_held), T(a_session_in_no_list_but_that_of_its_minute_ends_too),
        T(what_java_wrote_is_read), T(keys_of_a_wrong_type_are_renamed_away_and_all_goes_on),
    };
    um_process_init();
    um_log_set_level(NULL, UM_OFF);
    if ((port = getenv("UMBEL_TEST_REDIS")) == NULL)
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
