/* Reservations: what one process promises, alone or with Redis, and what only several show. UMBEL_TEST_REDIS (a port) and
 * UMBEL_STORE_URL (an empty PostgreSQL database) make the same tests run over both; without them the store is in memory. */
#include "um_test.h"
#include "um_test_redis.h"
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>
#include <umbel/cachegen.h>
#include <umbel/cluster.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/redis.h>
#include <umbel/reserve.h>
#include <umbel/util.h>

enum { NODES = 2, TTL = 60000, SHORT_TTL = 1000, HEARD = 4096, SEEN = 16 };

static const char *port, *url;

struct seen { char user[64], session[64]; uint64_t token; int64_t left_ms; };
struct said {
    int calls;
    um_err err;
    size_t n;
    struct seen rows[SEEN];
    char blockers[512];                       /* "id:user " each, with ~ before the user who edits */
};

struct node {
    struct um_cluster *cluster;
    struct um_cachegen *gen;
    struct um_store *store;
    struct um_reserve *r;
    um_cachegen_rows_cb *rows_cb;
    void *rows_arg;
    const char *mark;
    char heard[HEARD];                        /* "event:id:user " each */
};

struct bench {
    struct um_loop *loop;
    char ns[32], mark[16];                    /* MARK keeps the tests' ids apart in one database */
    struct um_redis_conf redis_conf;
    struct um_redis *redis;
    struct um_reserve_conf conf;
    struct um_cachegen_conf gen_conf;
    struct node n[NODES];
    char names[64][32];
    unsigned n_names;
};

#define UNTIL(b, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((b)->loop, 10);                   \
        if (!(cond))                                       \
            fail_msg("never came true: %s", #cond);        \
    } while (0)

/* ---- the bench ---- */

static void rows_came(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct node *w = arg;
    struct um_cachegen_row *out = um_xcalloc(n + 1, sizeof(*out));

    for (size_t i = 0; i < n; i++)
        out[i] = (struct um_cachegen_row){ rows[i].scope, rows[i].name, rows[i].version };
    w->rows_cb(w->rows_arg, err, out, n);
    free(out);
}

static void read_rows(void *ctx, struct um_loop *l, um_cachegen_rows_cb *cb, void *arg)
{
    struct node *n = ctx;

    n->rows_cb = cb;                          /* cachegen asks once at a time */
    n->rows_arg = arg;
    um_store_caches(n->store, l, rows_came, n);
}

static void heard(void *arg, const struct um_reserve_change *c)
{
    struct node *n = arg;
    size_t at = strlen(n->heard), mark = strcspn(c->id, "-");

    if (strncmp(c->id, n->mark, mark) != 0)
        return;                               /* of an earlier test, in the same database */
    snprintf(n->heard + at, HEARD - at, "%s:%s:%s%s%s ", um_reserve_event_text(c->event), c->id + mark + 1, c->user,
             *c->by != '\0' ? ":" : "", c->by);
}

static struct um_redis *open_redis(struct bench *b, int to)
{
    struct um_redis *r;
    char why[256];

    b->redis_conf = test_redis_conf(b->ns, to);
    assert_int_equal(um_redis_open(&r, &b->redis_conf, why), UM_OK);
    return r;
}

static struct node *start(struct bench *b, size_t i)
{
    struct node *n = &b->n[i];
    char id[16], why[256];
    struct um_member self = { .id = id, .role = "core", .address = "", .version = "1", .started_at_ms = 1 };
    struct um_store_conf store = { .url = url != NULL ? url : "memory:", .commit_delay_ms = 0, .commit_rows = 64,
        .max_waiting_bytes = 1 << 20, .connections = 2, .connect_timeout_ms = 5000, .timeout_ms = 5000, .user = "", .password = "" };
    static const struct um_cluster_handler nothing;

    snprintf(id, sizeof(id), "core-%zu", i);
    *n = (struct node){ .mark = b->mark, .store = i > 0 && url == NULL ? b->n[0].store : NULL };
    assert_int_equal(um_cluster_new(&n->cluster, b->redis, b->loop, &self, &nothing, NULL), UM_OK);
    if (n->store == NULL && um_store_open(&n->store, &store, why) != UM_OK)
        fail_msg("%s", why);
    assert_int_equal(um_cachegen_new(&n->gen, b->redis, b->loop, n->cluster,
                                     &(struct um_cachegen_source){ read_rows, n }, &b->gen_conf), UM_OK);
    assert_int_equal(um_reserve_new(&n->r, &(struct um_reserve_env){ b->loop, n->store, n->gen, b->redis, n->cluster, &b->conf }), UM_OK);
    um_reserve_listen(n->r, b->loop, heard, n);
    UNTIL(b, um_reserve_is_loaded(n->r) && um_cluster_is_admitted(n->cluster));
    return n;
}

static void stop(struct bench *b, size_t i)
{
    struct node *n = &b->n[i];
    bool shares = i > 0 && n->store == b->n[0].store;

    if (n->r == NULL)
        return;
    um_reserve_stop(n->r);
    um_cachegen_free(n->gen);
    if (!shares)
        um_store_close(n->store);
    um_loop_turn(b->loop, 0);
    um_reserve_free(n->r);
    um_cluster_free(n->cluster);
    *n = (struct node){ 0 };
}

static int set_up(void **state)
{
    struct bench *b = um_xcalloc(1, sizeof(*b));

    um_log_set_level(NULL, UM_OFF);
    b->loop = um_loop_new(0);
    snprintf(b->ns, sizeof(b->ns), "t%llx", (unsigned long long)um_random_u64());
    um_random_id(b->mark, 8);
    b->conf = (struct um_reserve_conf){ TTL, 100000, 1000 };
    b->gen_conf = (struct um_cachegen_conf){ 1000, 30000, 300 };
    if (port != NULL)
        b->redis = open_redis(b, atoi(port));
    *state = b;
    return 0;
}

static int take_down(void **state)
{
    struct bench *b = *state;

    for (size_t i = NODES; i-- > 0;)
        stop(b, i);
    um_redis_close(b->redis);
    um_loop_turn(b->loop, 0);
    um_loop_free(b->loop);
    free(b);
    return 0;
}

/* ---- calls that look synchronous ---- */

static void say(void *arg, um_err err, const struct um_reserve_answer *a)
{
    struct said *s = arg;

    s->calls++;
    s->err = err;
    s->n = a->n;
    for (size_t i = 0; i < a->n && i < SEEN; i++) {
        snprintf(s->rows[i].user, sizeof(s->rows[i].user), "%s", a->rows[i].user);
        snprintf(s->rows[i].session, sizeof(s->rows[i].session), "%s", a->rows[i].session + strcspn(a->rows[i].session, "-") + (strchr(a->rows[i].session, '-') != NULL));
        s->rows[i].token = a->rows[i].token;
        s->rows[i].left_ms = a->rows[i].left_ms;
    }
    for (size_t i = 0; i < a->n_blockers; i++) {
        const struct um_reserve_blocker *k = &a->blockers[i];
        size_t at = strlen(s->blockers);
        snprintf(s->blockers + at, sizeof(s->blockers) - at, "%s:%s%s ", k->id + strcspn(k->id, "-") + 1, k->editing ? "~" : "", k->user);
    }
}

/* A session of this test's own. */
static const char *ses(struct bench *b, const char *session)
{
    char *at = b->names[b->n_names++ % UM_COUNT(b->names)];

    snprintf(at, sizeof(b->names[0]), "%s%s%s", *session != '\0' ? b->mark : "", *session != '\0' ? "-" : "", session);
    return at;
}

/* A component of this test's own. */
static struct um_store_ref doc(struct bench *b, const char *name)
{
    char *at = b->names[b->n_names++ % UM_COUNT(b->names)];

    snprintf(at, sizeof(b->names[0]), "%s-%s", b->mark, name);
    return (struct um_store_ref){ "DOCUMENT", at, 0 };
}

#define FINISH(b, s) do { assert_int_equal((s).calls, 0); UNTIL(b, (s).calls == 1); } while (0)

static um_err take_with(struct bench *b, struct node *n, const char *name, const char *user, const char *session,
                        struct um_reserve_opts opts, struct said *out)
{
    struct said s = { 0 };
    struct um_store_ref ref = doc(b, name);

    um_reserve_take(n->r, b->loop, &ref, 1, user, ses(b, session), &opts, say, &s);
    FINISH(b, s);
    if (out != NULL)
        *out = s;
    return s.err;
}

static um_err take(struct bench *b, struct node *n, const char *name, const char *user, const char *session, struct said *out)
{
    return take_with(b, n, name, user, session, (struct um_reserve_opts){ 0 }, out);
}

static um_err release(struct bench *b, struct node *n, const char *name, const char *session, struct said *out)
{
    struct said s = { 0 };
    struct um_store_ref ref = doc(b, name);

    um_reserve_release(n->r, b->loop, &ref, 1, ses(b, session), say, &s);
    FINISH(b, s);
    if (out != NULL)
        *out = s;
    return s.err;
}

static um_err renew(struct bench *b, struct node *n, const char *name, const char *session, struct said *out)
{
    struct said s = { 0 };
    struct um_store_ref ref = doc(b, name);

    um_reserve_renew(n->r, b->loop, &ref, 1, ses(b, session), say, &s);
    FINISH(b, s);
    if (out != NULL)
        *out = s;
    return s.err;
}

static um_err state_of(struct bench *b, struct node *n, const char *name, struct seen *out)
{
    struct said s = { 0 };
    struct um_store_ref ref = doc(b, name);

    um_reserve_state(n->r, b->loop, &ref, 1, say, &s);
    FINISH(b, s);
    *out = s.rows[0];
    return s.err;
}

static um_err break_it(struct bench *b, struct node *n, const char *name, const char *by, struct said *out)
{
    struct said s = { 0 };

    um_reserve_break(n->r, b->loop, doc(b, name), by, &(struct um_store_about){ "main", name }, say, &s);
    FINISH(b, s);
    if (out != NULL)
        *out = s;
    return s.err;
}

/* Who holds it, from memory: "" nobody, "?" doubtful. */
static const char *holder(struct bench *b, struct node *n, const char *name)
{
    static struct um_reserve_holder h;
    enum um_reserve_is is = um_reserve_holder(n->r, "DOCUMENT", doc(b, name).id, &h);

    return is == UM_RESERVE_HELD ? h.user : is == UM_RESERVE_FREE ? "" : "?";
}

static bool may_write(struct bench *b, struct node *n, const char *name, const char *user)
{
    int64_t until_ms;

    return um_reserve_may_write(n->r, "DOCUMENT", doc(b, name).id, user, &until_ms);
}

static void edit(struct bench *b, struct node *n, const char *name, const char *user, bool begins)
{
    um_reserve_editing(n->r, "DOCUMENT", doc(b, name).id, user, begins);
}

/* ---- one process ---- */

static void a_grant_has_a_token_that_grows_and_its_holder_is_known_in_memory(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said first, second;
    struct seen now;

    assert_string_equal(holder(b, n, "d"), "");
    assert_true(may_write(b, n, "d", "bob"));
    assert_int_equal(take(b, n, "d", "ann", "s1", &first), UM_OK);
    assert_int_equal(first.n, 1);
    assert_true(first.rows[0].token > 0 && first.rows[0].left_ms > TTL - 20000 && first.rows[0].left_ms <= TTL);
    assert_string_equal(holder(b, n, "d"), "ann");
    assert_true(may_write(b, n, "d", "ann") && !may_write(b, n, "d", "bob") && !may_write(b, n, "d", ""));
    assert_int_equal(release(b, n, "d", "s1", NULL), UM_OK);
    assert_string_equal(holder(b, n, "d"), "");
    assert_int_equal(take(b, n, "d", "bob", "s2", &second), UM_OK);
    assert_true(second.rows[0].token > first.rows[0].token);
    assert_int_equal(state_of(b, n, "d", &now), UM_OK);
    assert_string_equal(now.user, "bob");
    UNTIL(b, strcmp(n->heard, "reserved:d:ann released:d:ann reserved:d:bob ") == 0);
}

static void all_or_nothing_and_the_one_in_the_way_is_named(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct um_store_ref refs[] = { doc(b, "z"), doc(b, "m"), doc(b, "a") };
    struct said s = { 0 };

    assert_int_equal(take(b, n, "m", "ann", "s1", NULL), UM_OK);
    um_reserve_take(n->r, b->loop, refs, 3, "bob", ses(b, "s2"), NULL, say, &s);
    FINISH(b, s);
    assert_int_equal(s.err, UM_ECONFLICT);
    assert_string_equal(s.blockers, "m:ann ");
    assert_string_equal(holder(b, n, "a"), "");
    assert_string_equal(holder(b, n, "z"), "");
    assert_int_equal(release(b, n, "m", "s1", NULL), UM_OK);
    s = (struct said){ 0 };
    um_reserve_take(n->r, b->loop, refs, 3, "bob", ses(b, "s2"), NULL, say, &s);
    FINISH(b, s);
    assert_int_equal(s.err, UM_OK);
    assert_int_equal(s.n, 3);
    assert_string_equal(holder(b, n, "z"), "bob");
}

static void the_session_holds_it_not_the_user(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said first, again, other;

    assert_int_equal(take(b, n, "d", "ann", "s1", &first), UM_OK);
    assert_int_equal(take(b, n, "d", "ann", "s1", &again), UM_OK);
    assert_int_equal(again.rows[0].token, first.rows[0].token);
    assert_int_equal(take(b, n, "d", "ann", "s2", &other), UM_ECONFLICT);
    assert_string_equal(other.blockers, "d:ann ");
    assert_int_equal(release(b, n, "d", "s2", &other), UM_OK);    /* not its own: it is left as it is */
    assert_string_equal(other.rows[0].session, "s1");
    assert_string_equal(holder(b, n, "d"), "ann");
}

static void only_the_holder_renews(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said s;

    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
    assert_int_equal(renew(b, n, "d", "s1", &s), UM_OK);
    assert_string_equal(s.rows[0].user, "ann");
    assert_int_equal(renew(b, n, "d", "s2", &s), UM_ECONFLICT);
    assert_string_equal(s.blockers, "d:ann ");
    assert_int_equal(renew(b, n, "free", "s2", &s), UM_ECONFLICT);
    assert_string_equal(s.blockers, "");
    assert_string_equal(s.rows[0].session, "");
}

static void a_lease_that_is_not_renewed_ends_and_is_announced(void **state)
{
    struct bench *b = *state;
    struct said first, second;
    int64_t end;

    b->conf.ttl_ms = SHORT_TTL;
    struct node *n = start(b, 0);
    int64_t active = um_metric_value(um_metrics_find("reservation.active"));
    assert_int_equal(take(b, n, "d", "ann", "s1", &first), UM_OK);
    UNTIL(b, strstr(n->heard, "expired:d:ann ") != NULL);
    assert_string_equal(holder(b, n, "d"), "");
    assert_int_equal(renew(b, n, "d", "s1", NULL), UM_ECONFLICT);
    assert_int_equal(take(b, n, "d", "bob", "s2", &second), UM_OK);
    assert_true(second.rows[0].token > first.rows[0].token);
    for (end = um_now_ms() + SHORT_TTL + 100; um_now_ms() < end;)  /* over, and taken before that was noticed: still one */
        ;
    assert_int_equal(take(b, n, "d", "zoe", "s3", NULL), UM_OK);
    assert_int_equal(um_metric_value(um_metrics_find("reservation.active")) - active, 1);
}

/* P02 in small: nobody turned the loop, as if the process had stood still; what it believes then is nothing. */
static void a_holder_that_was_not_confirmed_in_time_may_not_write(void **state)
{
    struct bench *b = *state;
    int64_t end;

    b->conf.ttl_ms = SHORT_TTL;
    struct node *n = start(b, 0);
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
    assert_true(may_write(b, n, "d", "ann"));
    for (end = um_now_ms() + SHORT_TTL; um_now_ms() < end;)
        ;
    assert_string_equal(holder(b, n, "d"), "?");
    assert_false(may_write(b, n, "d", "ann"));
    assert_false(may_write(b, n, "d", "bob"));
    UNTIL(b, strcmp(holder(b, n, "d"), "") == 0);
    assert_true(may_write(b, n, "d", "bob"));
}

static void writing_renews_the_lease(void **state)
{
    struct bench *b = *state;
    int64_t end;

    b->conf.ttl_ms = SHORT_TTL;
    struct node *n = start(b, 0);
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
    for (end = um_now_ms() + 3 * SHORT_TTL; um_now_ms() < end; um_loop_turn(b->loop, 10)) {
        um_reserve_wrote(n->r, "DOCUMENT", doc(b, "d").id, "bob");       /* not the holder: nothing */
        um_reserve_wrote(n->r, "DOCUMENT", doc(b, "d").id, "ann");
        assert_true(strstr(n->heard, "expired") == NULL);
    }
    assert_string_equal(holder(b, n, "d"), "ann");
}

static void a_broken_one_is_free_its_token_dead_and_the_act_on_record(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said first, broken, next;

    assert_int_equal(take(b, n, "d", "ann", "s1", &first), UM_OK);
    assert_int_equal(break_it(b, n, "d", "root", &broken), UM_OK);
    assert_string_equal(broken.rows[0].user, "ann");
    assert_string_equal(holder(b, n, "d"), "");
    assert_int_equal(renew(b, n, "d", "s1", NULL), UM_ECONFLICT);
    assert_int_equal(take(b, n, "d", "bob", "s2", &next), UM_OK);
    assert_true(next.rows[0].token > first.rows[0].token + 1);    /* the break took one */
    assert_int_equal(break_it(b, n, "free", "root", NULL), UM_ENOTFOUND);
    UNTIL(b, strcmp(n->heard, "reserved:d:ann broken:d:ann:root reserved:d:bob ") == 0);
}

static void the_end_of_a_session_frees_all_that_it_held(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said s = { 0 };

    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
    assert_int_equal(take(b, n, "e", "ann", "s1", NULL), UM_OK);
    assert_int_equal(take(b, n, "f", "ann", "s2", NULL), UM_OK);
    um_reserve_release_session(n->r, b->loop, ses(b, "s1"), say, &s);
    FINISH(b, s);
    assert_int_equal(s.err, UM_OK);
    assert_int_equal(s.n, 2);
    assert_string_equal(holder(b, n, "d"), "");
    assert_string_equal(holder(b, n, "e"), "");
    assert_string_equal(holder(b, n, "f"), "ann");
    um_reserve_release_session(n->r, b->loop, ses(b, "s1"), NULL, NULL);          /* twice is once */
}

static void others_who_edit_stand_in_the_way_politely(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said s;

    edit(b, n, "d", "ann", true);
    edit(b, n, "d", "bob", true);
    edit(b, n, "d", "bob", true);
    assert_int_equal(take(b, n, "d", "ann", "s1", &s), UM_ECONFLICT);
    assert_string_equal(s.blockers, "d:~bob ");
    edit(b, n, "d", "bob", false);
    assert_int_equal(take(b, n, "d", "ann", "s1", &s), UM_ECONFLICT);
    edit(b, n, "d", "bob", false);
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);  /* editing it oneself is no hindrance */
    edit(b, n, "d", "bob", true);
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);  /* nor is who came after the grant */
    assert_int_equal(take(b, n, "d", "bob", "s2", &s), UM_ECONFLICT);
    assert_string_equal(s.blockers, "d:~ann d:ann ");
    assert_int_equal(release(b, n, "d", "s1", NULL), UM_OK);
    assert_int_equal(take_with(b, n, "d", "ann", "s1", (struct um_reserve_opts){ .break_shared = true }, NULL), UM_OK);
}

static void who_waits_gets_it_when_the_others_have_left(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct um_store_ref ref = doc(b, "d");
    struct said s = { 0 }, late = { 0 };
    struct um_reserve_opts patient = { .wait_ms = 15000 }, hasty = { .wait_ms = 300 };

    edit(b, n, "d", "bob", true);
    assert_int_equal(take_with(b, n, "d", "ann", "s1", hasty, &s), UM_ECONFLICT);
    assert_string_equal(s.blockers, "d:~bob ");
    s = (struct said){ 0 };
    um_reserve_take(n->r, b->loop, &ref, 1, "ann", ses(b, "s1"), &patient, say, &s);
    for (int i = 0; i < 30; i++)
        um_loop_turn(b->loop, 10);
    assert_int_equal(s.calls, 0);
    edit(b, n, "d", "bob", false);
    FINISH(b, s);
    assert_int_equal(s.err, UM_OK);
    um_reserve_take(n->r, b->loop, &ref, 1, "zoe", ses(b, "s9"), &patient, say, &late);   /* and for a holder likewise */
    for (int i = 0; i < 30; i++)
        um_loop_turn(b->loop, 10);
    assert_int_equal(late.calls, 0);
    assert_int_equal(release(b, n, "d", "s1", NULL), UM_OK);
    FINISH(b, late);
    assert_int_equal(late.err, UM_OK);
}

static void what_cannot_be_is_refused(void **state)
{
    struct bench *b = *state;
    struct said s = { 0 };
    struct um_store_ref bad[] = { { "PLANET", "x", 0 }, { "DOCUMENT", "", 0 } }, *many = um_xcalloc(UM_RESERVE_REFS_MAX + 1, sizeof(*many));

    b->conf.max_per_session = 2;
    struct node *n = start(b, 0);
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        s = (struct said){ 0 };
        um_reserve_take(n->r, b->loop, &bad[i], 1, "ann", ses(b, "s1"), NULL, say, &s);
        FINISH(b, s);
        assert_int_equal(s.err, UM_EINVAL);
    }
    for (size_t i = 0; i <= UM_RESERVE_REFS_MAX; i++)
        many[i] = doc(b, "d");
    s = (struct said){ 0 };
    um_reserve_take(n->r, b->loop, many, UM_RESERVE_REFS_MAX + 1, "ann", ses(b, "s1"), NULL, say, &s);
    FINISH(b, s);
    assert_int_equal(s.err, UM_ELIMIT);
    free(many);
    assert_int_equal(take(b, n, "d", "", "s1", NULL), UM_EINVAL);
    assert_int_equal(take(b, n, "d", "ann", "", NULL), UM_EINVAL);
    assert_int_equal(take(b, n, "1", "ann", "s1", NULL), UM_OK);
    assert_int_equal(take(b, n, "2", "ann", "s1", NULL), UM_OK);
    assert_int_equal(take(b, n, "3", "ann", "s1", NULL), UM_ELIMIT);
    assert_int_equal(take(b, n, "2", "ann", "s1", NULL), UM_OK);          /* its own again is no more */
    assert_int_equal(take(b, n, "3", "ann", "s2", NULL), UM_OK);
}

struct listing { char text[512]; };

static void list_one(void *arg, const struct um_store_reserved *row)
{
    struct listing *l = arg;
    size_t at = strlen(l->text);

    snprintf(l->text + at, sizeof(l->text) - at, "%s:%s ", row->id + strcspn(row->id, "-") + 1, row->user);
}

static void they_are_listed_in_order_by_user_session_and_page(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct listing l = { "" };
    char ann[32], bob[32];

    snprintf(ann, sizeof(ann), "ann-%s", b->mark);           /* the database may hold other tests' */
    snprintf(bob, sizeof(bob), "bob-%s", b->mark);
    assert_int_equal(take(b, n, "c", ann, "s1", NULL), UM_OK);
    assert_int_equal(take(b, n, "a", ann, "s1", NULL), UM_OK);
    assert_int_equal(take(b, n, "b", bob, "s2", NULL), UM_OK);
    assert_int_equal(um_reserve_list(n->r, &(struct um_reserve_filter){ .user = ann, .start = 1, .max = 5 }, list_one, &l), 2);
    assert_true(strncmp(l.text, "c:ann", 5) == 0);
    l.text[0] = '\0';
    assert_int_equal(um_reserve_list(n->r, &(struct um_reserve_filter){ .session = ses(b, "s1"), .max = 1 }, list_one, &l), 2);
    assert_true(strncmp(l.text, "a:ann", 5) == 0 && strstr(l.text, "c:") == NULL);
    assert_int_equal(um_reserve_list(n->r, &(struct um_reserve_filter){ .user = ann, .category = "TASK", .max = 5 }, list_one, &l), 0);
}

static void while_redis_is_away_nothing_new_is_granted_and_the_rest_goes_on(void **state)
{
    struct bench *b = *state;
    struct um_redis *real = b->redis;
    struct node *n = &b->n[0];
    struct seen now;

    b->redis = open_redis(b, 1);                             /* nobody listens there */
    b->redis_conf.port = 1;
    /* not admitted to the cluster either, which nothing here waits for */
    {
        char why[256];
        struct um_member self = { .id = "x", .role = "core", .address = "", .version = "1" };
        struct um_store_conf store = { .url = url != NULL ? url : "memory:", .commit_rows = 64, .max_waiting_bytes = 1 << 20,
            .connections = 2, .connect_timeout_ms = 5000, .timeout_ms = 5000, .user = "", .password = "" };
        static const struct um_cluster_handler nothing;

        *n = (struct node){ 0 };
        assert_int_equal(um_cluster_new(&n->cluster, b->redis, b->loop, &self, &nothing, NULL), UM_OK);
        assert_int_equal(um_store_open(&n->store, &store, why), UM_OK);
        assert_int_equal(um_cachegen_new(&n->gen, b->redis, b->loop, n->cluster,
                                         &(struct um_cachegen_source){ read_rows, n }, &b->gen_conf), UM_OK);
        assert_int_equal(um_reserve_new(&n->r, &(struct um_reserve_env){ b->loop, n->store, n->gen, b->redis, n->cluster, &b->conf }), UM_OK);
    }
    UNTIL(b, um_reserve_is_loaded(n->r));
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_EUNAVAIL);
    assert_int_equal(state_of(b, n, "d", &now), UM_OK);
    assert_string_equal(now.session, "");
    assert_int_equal(release(b, n, "d", "s1", NULL), UM_OK);
    assert_int_equal(renew(b, n, "d", "s1", NULL), UM_ECONFLICT);
    stop(b, 0);
    um_redis_close(b->redis);
    b->redis = real;
}

struct reader { struct um_reserve *r; const char *id; _Atomic bool *over; };

static void *read_and_write(void *arg)
{
    struct reader *d = arg;
    int64_t until_ms;

    while (!atomic_load(d->over)) {
        (void)um_reserve_may_write(d->r, "DOCUMENT", d->id, "ann", &until_ms);
        um_reserve_wrote(d->r, "DOCUMENT", d->id, "ann");
        um_reserve_editing(d->r, "DOCUMENT", d->id, "ann", true);
        um_reserve_editing(d->r, "DOCUMENT", d->id, "ann", false);
        usleep(100);
    }
    return NULL;
}

static void rights_are_asked_on_any_thread_while_they_change(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    _Atomic bool over = false;
    struct reader reader = { n->r, doc(b, "d").id, &over };
    char id[32];
    pthread_t t[3];

    snprintf(id, sizeof(id), "%s", reader.id);
    reader.id = id;
    for (size_t i = 0; i < UM_COUNT(t); i++)
        assert_int_equal(pthread_create(&t[i], NULL, read_and_write, &reader), 0);
    for (int i = 0; i < 30; i++) {
        assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
        assert_string_equal(holder(b, n, "d"), "ann");
        assert_int_equal(release(b, n, "d", "s1", NULL), UM_OK);
    }
    atomic_store(&over, true);
    for (size_t i = 0; i < UM_COUNT(t); i++)
        pthread_join(t[i], NULL);
    assert_string_equal(holder(b, n, "d"), "");
}

#ifdef UMBEL_FAILPOINTS
static void an_answer_that_is_lost_is_unknown_and_the_same_session_takes_it_again(void **state)
{
    struct bench *b = *state;
    struct node *n = start(b, 0);
    struct said s;

    assert_int_equal(um_failpoint_set("resv.after_token", "error*1"), UM_OK);
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_EUNAVAIL);
    assert_int_equal(take(b, n, "d", "bob", "s2", &s), UM_ECONFLICT);     /* it was granted */
    assert_string_equal(s.blockers, "d:ann ");
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
    assert_int_equal(um_failpoint_set("resv.renew", "error*1"), UM_OK);
    assert_int_equal(renew(b, n, "d", "s1", NULL), UM_EUNAVAIL);
    assert_int_equal(renew(b, n, "d", "s1", NULL), UM_OK);
}

static void news_that_is_lost_is_found_by_comparing(void **state)
{
    struct bench *b = *state;

    b->gen_conf.compare_interval_ms = 200;
    struct node *n = start(b, 0);
    assert_int_equal(um_failpoint_set("resv.before_redis", "error*1"), UM_OK);
    assert_int_equal(take(b, n, "d", "ann", "s1", NULL), UM_OK);
    assert_string_equal(holder(b, n, "d"), "");
    UNTIL(b, strcmp(holder(b, n, "d"), "ann") == 0);
    UNTIL(b, strcmp(n->heard, "reserved:d:ann ") == 0);
}
#endif

/* ---- several, over Redis ---- */

static void members_of(struct bench *b, struct node *n, size_t want)
{
    size_t count = 0;

    for (int64_t end = um_now_ms() + 15000; count != want && um_now_ms() < end; um_loop_turn(b->loop, 10)) {
        struct um_members *m = um_cluster_members(n->cluster);
        count = m->n;
        um_members_unref(m);
    }
    assert_int_equal(count, want);
}

/* Two nodes that know each other: who does not is not waited for. */
static void start_both(struct bench *b, struct node **x, struct node **y)
{
    *x = start(b, 0);
    *y = start(b, 1);
    members_of(b, *x, 2);
    members_of(b, *y, 2);
}

static void the_other_node_knows_when_the_answer_comes(void **state)
{
    struct bench *b = *state;

    if (port == NULL)
        skip();
    struct node *x, *y;
    start_both(b, &x, &y);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(take(b, x, "d", "ann", "s1", NULL), UM_OK);
        assert_string_equal(holder(b, y, "d"), "ann");
        assert_false(may_write(b, y, "d", "bob"));
        assert_int_equal(take(b, y, "d", "bob", "s2", NULL), UM_ECONFLICT);
        assert_int_equal(release(b, y, "d", "s1", NULL), UM_OK);  /* the session's, wherever it speaks */
        UNTIL(b, strcmp(holder(b, x, "d"), "") == 0);
    }
}

static void who_edits_on_another_node_stands_in_the_way_until_that_node_is_gone(void **state)
{
    struct bench *b = *state;
    struct said s;

    if (port == NULL)
        skip();
    struct node *x, *y;
    start_both(b, &x, &y);
    edit(b, y, "d", "bob", true);
    UNTIL(b, take(b, x, "d", "ann", "s1", &s) == UM_ECONFLICT || release(b, x, "d", "s1", NULL) != UM_OK);
    assert_string_equal(s.blockers, "d:~bob ");
    edit(b, y, "e", "bob", true);
    edit(b, y, "e", "bob", false);
    assert_int_equal(take(b, x, "e", "ann", "s1", NULL), UM_OK);
    stop(b, 1);                                              /* without a farewell */
    UNTIL(b, take(b, x, "d", "ann", "s1", &s) == UM_OK);
}

/* S09, R1: whoever asks at the same time, one gets it, with a token that was never given before. */
static void of_two_that_ask_at_once_one_wins(void **state)
{
    struct bench *b = *state;
    uint64_t token = 0;

    if (port == NULL)
        skip();
    struct node *x, *y;
    start_both(b, &x, &y);
    for (int i = 0; i < 50; i++) {
        struct um_store_ref refs[] = { doc(b, "d"), doc(b, "e") }, turned[] = { refs[1], refs[0] };
        struct said s[2] = { 0 };

        um_reserve_take(x->r, b->loop, refs, 2, "ann", ses(b, "s1"), NULL, say, &s[0]);
        um_reserve_take(y->r, b->loop, turned, 2, "bob", ses(b, "s2"), NULL, say, &s[1]);
        UNTIL(b, s[0].calls == 1 && s[1].calls == 1);
        assert_int_equal((s[0].err == UM_OK) + (s[1].err == UM_OK), 1);
        int won = s[0].err == UM_OK ? 0 : 1;
        assert_int_equal(s[1 - won].err, UM_ECONFLICT);
        uint64_t got = s[won].rows[won == 0 ? 0 : 1].token;       /* of d */
        assert_true(got > token);
        token = got;
        assert_string_equal(holder(b, won == 0 ? y : x, "d"), won == 0 ? "ann" : "bob");
        assert_int_equal(release(b, x, "d", won == 0 ? "s1" : "s2", NULL), UM_OK);
        assert_int_equal(release(b, y, "e", won == 0 ? "s1" : "s2", NULL), UM_OK);
    }
}

/* S10: random acts on both nodes, beside a model of what must come out; a fifth of the news is lost on the way. */
enum { THINGS = 3, SESSIONS = 3, ACTS = 400 };
struct thing { char name[8]; int holder; uint64_t token; };      /* holder -1: nobody */

static void act_take(struct bench *b, struct node *n, struct thing *t, int s, const char *session)
{
    struct said said;
    um_err err = take(b, n, t->name, session, session, &said);

    assert_int_equal(err, t->holder >= 0 && t->holder != s ? UM_ECONFLICT : UM_OK);
    if (err != UM_OK)
        return;
    if (t->holder == s)
        assert_true(said.rows[0].token == t->token);
    else
        assert_true(said.rows[0].token > t->token);
    t->token = said.rows[0].token;
    t->holder = s;
}

static void act(struct bench *b, struct node *n, struct thing *t, int s, const char *session)
{
    bool own = t->holder == s;

    switch (um_random_below(5)) {
    case 0:
    case 1:
        act_take(b, n, t, s, session);
        break;
    case 2:
        assert_int_equal(release(b, n, t->name, session, NULL), UM_OK);
        t->holder = own ? -1 : t->holder;
        break;
    case 3:
        assert_int_equal(renew(b, n, t->name, session, NULL), own ? UM_OK : UM_ECONFLICT);
        break;
    default:
        assert_int_equal(break_it(b, n, t->name, "root", NULL), t->holder >= 0 ? UM_OK : UM_ENOTFOUND);
        t->token += t->holder >= 0;
        t->holder = -1;
    }
}

static void random_acts_on_two_nodes_come_out_as_in_a_model(void **state)
{
    static const char *const session[SESSIONS] = { "s1", "s2", "s3" };
    struct bench *b = *state;
    struct thing t[THINGS] = { { "x", -1, 0 }, { "y", -1, 0 }, { "z", -1, 0 } };

    if (port == NULL)
        skip();
    b->gen_conf = (struct um_cachegen_conf){ 200, 30000, 20 };
    struct node *n[NODES];
    start_both(b, &n[0], &n[1]);
#ifdef UMBEL_FAILPOINTS
    assert_int_equal(um_failpoint_set("resv.before_redis", "error%20"), UM_OK);
#endif
    for (int i = 0; i < ACTS; i++) {
        int s = (int)um_random_below(SESSIONS);

        act(b, n[um_random_below(NODES)], &t[um_random_below(THINGS)], s, session[s]);
        for (int k = 0; i % 40 == 39 && k < NODES * THINGS; k++) {       /* both copies come to the same */
            struct thing *at = &t[k % THINGS];
            UNTIL(b, strcmp(holder(b, n[k / THINGS], at->name), at->holder >= 0 ? session[at->holder] : "") == 0);
        }
    }
#ifdef UMBEL_FAILPOINTS
    assert_int_equal(um_failpoint_set("resv.before_redis", "off"), UM_OK);
#endif
}

/* R5: Redis forgets everything; nobody gets what somebody holds. */
static void what_redis_forgets_is_in_the_database(void **state)
{
    static const struct um_redis_link_handler nothing;
    struct bench *b = *state;
    struct said s;

    if (port == NULL)
        skip();
    struct node *x, *y;
    start_both(b, &x, &y);
    assert_int_equal(take(b, x, "d", "ann", "s1", NULL), UM_OK);
    edit(b, y, "e", "bob", true);
    UNTIL(b, take(b, x, "e", "ann", "s1", NULL) == UM_ECONFLICT || release(b, x, "e", "s1", NULL) != UM_OK);
    struct um_redis_link *l = um_redis_link_new(b->redis, b->loop, "hand", &nothing, NULL);
    UNTIL(b, um_redis_link_is_ready(l));
    um_redis_command(l, NULL, (struct um_span[]){ UM_SPAN_STR("FLUSHALL") }, 1, NULL, NULL);
    for (int i = 0; i < 20; i++)
        um_loop_turn(b->loop, 10);
    assert_int_equal(take(b, y, "d", "bob", "s2", &s), UM_ECONFLICT);
    assert_string_equal(s.blockers, "d:ann ");
    UNTIL(b, take(b, x, "e", "ann", "s1", NULL) == UM_ECONFLICT || release(b, x, "e", "s1", NULL) != UM_OK);   /* said again */
    um_redis_link_free(l);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, take_down)
    const struct CMUnitTest tests[] = {
        T(a_grant_has_a_token_that_grows_and_its_holder_is_known_in_memory),
        T(all_or_nothing_and_the_one_in_the_way_is_named),
        T(the_session_holds_it_not_the_user),
        T(only_the_holder_renews),
        T(a_lease_that_is_not_renewed_ends_and_is_announced),
        T(a_holder_that_was_not_confirmed_in_time_may_not_write),
        T(writing_renews_the_lease),
        T(a_broken_one_is_free_its_token_dead_and_the_act_on_record),
        T(the_end_of_a_session_frees_all_that_it_held),
        T(others_who_edit_stand_in_the_way_politely),
        T(who_waits_gets_it_when_the_others_have_left),
        T(what_cannot_be_is_refused),
        T(they_are_listed_in_order_by_user_session_and_page),
        T(while_redis_is_away_nothing_new_is_granted_and_the_rest_goes_on),
        T(rights_are_asked_on_any_thread_while_they_change),
#ifdef UMBEL_FAILPOINTS
        T(an_answer_that_is_lost_is_unknown_and_the_same_session_takes_it_again),
        T(news_that_is_lost_is_found_by_comparing),
#endif
        T(the_other_node_knows_when_the_answer_comes),
        T(who_edits_on_another_node_stands_in_the_way_until_that_node_is_gone),
        T(of_two_that_ask_at_once_one_wins),
        T(random_acts_on_two_nodes_come_out_as_in_a_model),
        T(what_redis_forgets_is_in_the_database),
    };

    port = getenv("UMBEL_TEST_REDIS");
    url = getenv("UMBEL_STORE_URL");
    return cmocka_run_group_tests_name("reserve", tests, NULL, NULL);
}
