/* What every database behind the store must keep of the shared tables: run in memory, on a file, and on UMBEL_STORE_URL when
 * it is set (an empty database; then also by two stores at once). Rows S09 and S10 of the reliability reference are here. */
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/store_shared.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "rig.h"

static const char *url;                          /* of the present round; NULL: a file of the test's own */

static int setup(void **state)
{
    struct rig *r = um_xcalloc(1, sizeof(*r));

    rig_init(r, url);
    rig_open(r);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    rig_free(*state);
    free(*state);
    return 0;
}

/* ---- answers, made to look synchronous ---- */

enum { SEEN = 64, TTL = 3600 * 1000, POLLS = 2000 };

struct seen { char category[20], id[64], user[64], session[64]; uint64_t token; int64_t since_ms, left_ms; };
struct said {
    int calls;
    um_err err;
    uint64_t version;
    size_t n;
    struct seen rows[SEEN];
    char text[2048];                             /* of other rows: their words */
    uint64_t versions[SEEN];
    int64_t left_ms[SEEN];
};

static void say_reserved(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct said *s = arg;

    s->calls++;
    s->err = err;
    s->version = version;
    s->n = n;
    for (size_t i = 0; i < n && i < SEEN; i++) {
        struct seen *at = &s->rows[i];

        snprintf(at->category, sizeof(at->category), "%s", rows[i].category);
        snprintf(at->id, sizeof(at->id), "%s", rows[i].id);
        snprintf(at->user, sizeof(at->user), "%s", rows[i].user);
        snprintf(at->session, sizeof(at->session), "%s", rows[i].session);
        at->token = rows[i].token;
        at->since_ms = rows[i].since_ms;
        at->left_ms = rows[i].left_ms;
    }
}

static void add_words(struct said *s, const char *a, const char *b, const char *c)
{
    size_t at = strlen(s->text);

    snprintf(s->text + at, sizeof(s->text) - at, "%s/%s/%s ", a, b, c);
}

static void say_caches(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct said *s = arg;

    s->calls++;
    s->err = err;
    s->n = n;
    for (size_t i = 0; i < n && i < SEEN; i++) {
        add_words(s, rows[i].scope, rows[i].name, "");
        s->versions[i] = rows[i].version;
    }
}

static void say_version(void *arg, um_err err, uint64_t version)
{
    struct said *s = arg;

    s->calls++;
    s->err = err;
    s->version = version;
}

static void say_revocations(void *arg, um_err err, uint64_t version, const struct um_store_revocation *rows, size_t n)
{
    struct said *s = arg;

    say_version(s, err, version);
    s->n = n;
    for (size_t i = 0; i < n && i < SEEN; i++) {
        add_words(s, rows[i].hash, "", "");
        s->left_ms[i] = rows[i].left_ms;
    }
}

static void say_audits(void *arg, um_err err, const struct um_store_audit *rows, size_t n)
{
    struct said *s = arg;

    s->calls++;
    s->err = err;
    s->n = n;
    for (size_t i = 0; i < n; i++) {
        add_words(s, rows[i].user, rows[i].action, rows[i].object_id);
        add_words(s, rows[i].object_type, rows[i].detail, rows[i].scope);
        if (i < SEEN)
            s->left_ms[i] = rows[i].at_ms;
    }
}

static um_err finish(struct rig *r, struct said *s)
{
    assert_int_equal(s->calls, 0);
    rig_turn_until(r, &s->calls, 1);
    assert_int_equal(s->calls, 1);
    return s->err;
}

#define CALL(s, ...) (*(s) = (struct said){ 0 }, __VA_ARGS__, finish(r, (s)))

static struct um_store_ref doc(const char *id) { return (struct um_store_ref){ "DOCUMENT", id, 0 }; }

static um_err reserve(struct rig *r, const char *id, const char *session, int64_t ttl_ms, struct said *s)
{
    struct um_store_ref ref = doc(id);

    return CALL(s, um_store_reserve(r->st, r->loop, &ref, 1, "user", session, ttl_ms, say_reserved, s));
}

static um_err look(struct rig *r, const char *id, struct said *s)
{
    struct um_store_ref ref = doc(id);

    return CALL(s, um_store_reserved(r->st, r->loop, &ref, 1, say_reserved, s));
}

static um_err renew(struct rig *r, const char *id, const char *session, int64_t ttl_ms, struct said *s)
{
    struct um_store_ref ref = doc(id);

    return CALL(s, um_store_renew(r->st, r->loop, &ref, id != NULL, session, ttl_ms, say_reserved, s));
}

static um_err release(struct rig *r, const char *id, const char *session, struct said *s)
{
    struct um_store_ref ref = doc(id);

    return CALL(s, um_store_release(r->st, r->loop, &ref, id != NULL, session, say_reserved, s));
}

static um_err break_it(struct rig *r, const char *id, struct said *s)
{
    return CALL(s, um_store_break(r->st, r->loop, doc(id), "admin", &(struct um_store_about){ "GEC", "its id" }, say_reserved, s));
}

static uint64_t reservations_version(struct rig *r)
{
    struct said s;

    assert_int_equal(CALL(&s, um_store_reservations(r->st, r->loop, say_reserved, &s)), UM_OK);
    return s.version;
}

/* Until the lease that SESSION has of ID is over. */
static void let_expire(struct rig *r, const char *id, const char *session)
{
    struct said s;

    assert_int_equal(renew(r, id, session, 1, &s), UM_OK);
    assert_int_equal(s.n, 1);
    for (int i = 0; i < POLLS; i++) {
        assert_int_equal(look(r, id, &s), UM_OK);
        if (s.rows[0].left_ms <= 0)
            return;
    }
    fail_msg("the lease of %s does not end", id);
}

/* ---- versions of caches ---- */

static void a_cache_is_raised_by_one_and_listed(void **state)
{
    struct rig *r = *state;
    const struct um_store_cache names[] = { { "", "Zeta", 0 }, { "GEC", "Alpha", 99 }, { "", "Zeta", 0 } };
    struct said s, again;

    assert_int_equal(CALL(&s, um_store_raise_caches(r->st, r->loop, names, 3, say_caches, &s)), UM_OK);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.text, "/Zeta/ GEC/Alpha/ /Zeta/ ");
    assert_int_equal(s.versions[2], s.versions[0] + 1);
    assert_int_equal(CALL(&again, um_store_raise_caches(r->st, r->loop, names, 2, say_caches, &again)), UM_OK);
    assert_int_equal(again.versions[0], s.versions[2] + 1);
    assert_int_equal(again.versions[1], s.versions[1] + 1);
    assert_int_equal(CALL(&s, um_store_caches(r->st, r->loop, say_caches, &s)), UM_OK);
    assert_non_null(strstr(s.text, "/Zeta/ "));
    assert_non_null(strstr(s.text, "GEC/Alpha/ "));
}

static void calls_of_one_transaction_get_versions_of_their_own(void **state)
{
    enum { CALLS = 40 };
    struct rig *r = *state;
    const struct um_store_cache name = { "S", "Together", 0 };
    struct said s[CALLS] = { 0 };

    for (int i = 0; i < CALLS; i++)
        um_store_raise_caches(r->st, r->loop, &name, 1, say_caches, &s[i]);
    rig_turn_until(r, &s[CALLS - 1].calls, 1);
    for (int i = 1; i < CALLS; i++)
        assert_int_equal(s[i].versions[0], s[0].versions[0] + (uint64_t)i);
}

/* ---- revocations ---- */

static void a_revoked_session_is_listed_until_its_end(void **state)
{
    struct rig *r = *state;
    struct said s, more;

    assert_int_equal(CALL(&s, um_store_revoke(r->st, r->loop, "hash-a", TTL, say_version, &s)), UM_OK);
    assert_int_equal(CALL(&more, um_store_revoke(r->st, r->loop, "hash-b", 1, say_version, &more)), UM_OK);
    assert_int_equal(more.version, s.version + 1);
    assert_int_equal(CALL(&s, um_store_revoke(r->st, r->loop, "hash-a", 1, say_version, &s)), UM_OK);
    for (int i = 0; i < POLLS; i++) {
        assert_int_equal(CALL(&more, um_store_revocations(r->st, r->loop, say_revocations, &more)), UM_OK);
        if (strstr(more.text, "hash-b") == NULL)
            break;
    }
    assert_string_equal(more.text, "hash-a// ");     /* the later end stays */
    assert_true(more.left_ms[0] > 0 && more.left_ms[0] <= TTL);
    assert_int_equal(more.version, s.version);
}

/* ---- reservations ---- */

static void a_reservation_names_its_holder_and_has_a_token(void **state)
{
    struct rig *r = *state;
    struct said s, t;
    uint64_t before = reservations_version(r);

    assert_int_equal(look(r, "one", &s), UM_OK);
    assert_int_equal(s.rows[0].token, 0);
    assert_string_equal(s.rows[0].session, "");
    assert_int_equal(reserve(r, "one", "s1", TTL, &s), UM_OK);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.rows[0].category, "DOCUMENT");
    assert_string_equal(s.rows[0].id, "one");
    assert_string_equal(s.rows[0].user, "user");
    assert_string_equal(s.rows[0].session, "s1");
    assert_int_equal(s.rows[0].token, 1);
    assert_int_equal(s.rows[0].left_ms, TTL);
    assert_true(s.rows[0].since_ms > 0);
    assert_int_equal(s.version, before + 1);
    assert_int_equal(look(r, "one", &t), UM_OK);
    assert_memory_equal(&t.rows[0], &s.rows[0], offsetof(struct seen, left_ms));
    assert_int_equal(t.version, s.version);
}

static void the_holder_keeps_its_token_and_others_are_told_who_it_is(void **state)
{
    struct rig *r = *state;
    struct said s;
    uint64_t version;

    assert_int_equal(reserve(r, "two", "s1", 60000, &s), UM_OK);
    assert_int_equal(reserve(r, "two", "s1", TTL, &s), UM_OK);
    assert_int_equal(s.rows[0].token, 1);
    assert_int_equal(s.rows[0].left_ms, TTL);
    version = s.version;
    assert_int_equal(reserve(r, "two", "s2", TTL, &s), UM_ECONFLICT);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.version, 0);
    assert_string_equal(s.rows[0].session, "s1");
    assert_int_equal(reservations_version(r), version);
}

static void of_a_list_all_are_reserved_or_none(void **state)
{
    struct rig *r = *state;
    const struct um_store_ref all[] = { doc("l-c"), doc("l-a"), { "FOLDER", "l-a", 0 }, doc("l-b") };
    struct said s;

    assert_int_equal(reserve(r, "l-b", "other", TTL, &s), UM_OK);
    assert_int_equal(CALL(&s, um_store_reserve(r->st, r->loop, all, 4, "ann", "s1", TTL, say_reserved, &s)), UM_ECONFLICT);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.rows[0].id, "l-b");
    assert_int_equal(CALL(&s, um_store_reserved(r->st, r->loop, all, 4, say_reserved, &s)), UM_OK);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(s.rows[i].session, "");
        assert_int_equal(s.rows[i].token, 0);    /* not even a token was spent */
    }
    assert_int_equal(release(r, "l-b", "other", &s), UM_OK);
    assert_int_equal(CALL(&s, um_store_reserve(r->st, r->loop, all, 4, "ann", "s1", TTL, say_reserved, &s)), UM_OK);
    assert_int_equal(s.n, 4);
    for (int i = 0; i < 4; i++) {
        assert_string_equal(s.rows[i].category, all[i].category);    /* in the order asked for */
        assert_string_equal(s.rows[i].id, all[i].id);
        assert_int_equal(s.rows[i].token, i == 3 ? 2 : 1);
    }
}

static void a_conflict_in_company_rolls_back_nobody_else(void **state)
{
    enum { CALLS = 30 };
    struct rig *r = *state;
    struct said s[CALLS] = { 0 }, before, look_at;
    char session[16], id[16];
    uint64_t last;

    assert_int_equal(reserve(r, "together", "s0", TTL, &before), UM_OK);
    assert_int_equal(release(r, "together", "s0", &before), UM_OK);
    last = before.version;
    for (int i = 0; i < CALLS; i++) {                /* in one transaction: the same, and one of its own */
        struct um_store_ref refs[2] = { doc("together"), doc(id) };

        snprintf(session, sizeof(session), "s%d", i % 3);
        snprintf(id, sizeof(id), "t%02d", i);
        um_store_reserve(r->st, r->loop, refs, 2, "ann", session, TTL, say_reserved, &s[i]);
    }
    rig_turn_until(r, &s[CALLS - 1].calls, 1);
    for (int i = 0; i < CALLS; i++) {
        assert_int_equal(s[i].err, i % 3 == 0 ? UM_OK : UM_ECONFLICT);
        if (s[i].err == UM_OK)
            assert_int_equal(s[i].version, ++last);
        snprintf(id, sizeof(id), "t%02d", i);
        assert_int_equal(look(r, id, &look_at), UM_OK);
        assert_int_equal(look_at.rows[0].token, i % 3 == 0);
    }
    assert_int_equal(look_at.version, last);
}

static void a_session_renews_and_releases_all_it_has(void **state)
{
    struct rig *r = *state;
    const struct um_store_ref mine[] = { doc("m2"), doc("m1"), { "TASK", "m1", 0 } };
    struct said s;

    assert_int_equal(CALL(&s, um_store_reserve(r->st, r->loop, mine, 3, "ann", "all", 60000, say_reserved, &s)), UM_OK);
    assert_int_equal(reserve(r, "m3", "another", 60000, &s), UM_OK);
    assert_int_equal(renew(r, NULL, "all", TTL, &s), UM_OK);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.rows[0].id, "m1");         /* sorted */
    assert_string_equal(s.rows[1].id, "m2");
    assert_string_equal(s.rows[2].category, "TASK");
    assert_int_equal(s.rows[0].left_ms, TTL);
    assert_int_not_equal(s.version, 0);
    assert_int_equal(release(r, NULL, "all", &s), UM_OK);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.rows[0].session, "");
    assert_int_equal(s.rows[0].token, 1);
    assert_int_equal(release(r, NULL, "all", &s), UM_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(s.version, 0);                  /* nothing changed */
    assert_int_equal(look(r, "m3", &s), UM_OK);
    assert_string_equal(s.rows[0].session, "another");
}

/* A call that was given up, and comes when its session has the component anew. */
static void what_names_an_earlier_grant_leaves_the_present_one_alone(void **state)
{
    struct rig *r = *state;
    struct um_store_ref refs[] = { { "DOCUMENT", "again", 1 }, { "DOCUMENT", "beside", 0 } };
    struct said s;

    assert_int_equal(reserve(r, "again", "s1", 60000, &s), UM_OK);
    assert_int_equal(release(r, "again", "s1", &s), UM_OK);
    assert_int_equal(reserve(r, "again", "s1", 60000, &s), UM_OK);
    assert_int_equal(reserve(r, "beside", "s1", 60000, &s), UM_OK);
    assert_int_equal(CALL(&s, um_store_renew(r->st, r->loop, refs, 2, "s1", TTL, say_reserved, &s)), UM_OK);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.rows[0].id, "beside");
    assert_int_equal(CALL(&s, um_store_release(r->st, r->loop, refs, 2, "s1", say_reserved, &s)), UM_OK);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.rows[0].id, "beside");
    assert_int_equal(look(r, "again", &s), UM_OK);
    assert_string_equal(s.rows[0].session, "s1");
    assert_true(s.rows[0].left_ms <= 60000);
    refs[0].token = 2;
    assert_int_equal(CALL(&s, um_store_renew(r->st, r->loop, refs, 1, "s1", TTL, say_reserved, &s)), UM_OK);
    assert_int_equal(s.n, 1);
    assert_int_equal(s.rows[0].left_ms, TTL);
    assert_int_equal(CALL(&s, um_store_release(r->st, r->loop, refs, 1, "s2", say_reserved, &s)), UM_OK);
    assert_int_equal(s.n, 0);                        /* the token alone is not enough */
    assert_int_equal(CALL(&s, um_store_release(r->st, r->loop, refs, 1, "s1", say_reserved, &s)), UM_OK);
    assert_int_equal(s.n, 1);
}

static um_err hold_the_writer(void *arg, struct um_sql *q)
{
    (void)q;
    while (!atomic_load((_Atomic bool *)arg))
        sched_yield();
    return UM_OK;
}

static void writer_is_free(void *arg, um_err err)
{
    (void)arg;
    assert_int_equal(err, UM_OK);
}

static void a_change_that_has_waited_for_too_long_is_not_done(void **state)
{
    struct rig *r = *state;
    struct um_store_ref ref = doc("tardy");
    _Atomic bool go = false;
    struct said s = { 0 };
    int64_t asked_ms;

    if (um_store_is_shared(r->st))
        skip();                                      /* units have a thread of their own there */
    rig_close(r);
    r->conf.timeout_ms = 100;
    rig_open(r);
    um_store_transact(r->st, r->loop, hold_the_writer, writer_is_free, &go);
    um_store_reserve(r->st, r->loop, &ref, 1, "ann", "s1", TTL, say_reserved, &s);
    asked_ms = um_now_ms();
    while (um_now_ms() <= asked_ms + r->conf.timeout_ms)
        sched_yield();
    atomic_store(&go, true);
    rig_turn_until(r, &s.calls, 1);
    assert_int_equal(s.err, UM_ETIMEOUT);
    assert_int_equal(look(r, "tardy", &s), UM_OK);
    assert_int_equal(s.rows[0].token, 0);
}

static void nobody_renews_or_releases_what_is_anothers(void **state)
{
    struct rig *r = *state;
    struct said s;

    assert_int_equal(reserve(r, "hers", "s1", TTL, &s), UM_OK);
    assert_int_equal(renew(r, "hers", "s2", 1, &s), UM_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(release(r, "hers", "s2", &s), UM_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(renew(r, "never", "s2", 1, &s), UM_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(look(r, "hers", &s), UM_OK);
    assert_string_equal(s.rows[0].session, "s1");
    assert_true(s.rows[0].left_ms > 60000);
}

static void a_lease_that_is_over_is_anybodys(void **state)
{
    struct rig *r = *state;
    struct said s;

    assert_int_equal(reserve(r, "late", "s1", TTL, &s), UM_OK);
    let_expire(r, "late", "s1");
    assert_int_equal(renew(r, "late", "s1", TTL, &s), UM_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(CALL(&s, um_store_reservations(r->st, r->loop, say_reserved, &s)), UM_OK);
    for (size_t i = 0; i < UM_MIN(s.n, (size_t)SEEN); i++)
        assert_string_not_equal(s.rows[i].id, "late");
    assert_int_equal(reserve(r, "late", "s2", TTL, &s), UM_OK);
    assert_int_equal(s.rows[0].token, 2);
    assert_string_equal(s.rows[0].session, "s2");
}

static void breaking_fences_off_the_holder_and_is_audited(void **state)
{
    struct rig *r = *state;
    struct said s;

    assert_int_equal(reserve(r, "broken", "s1", TTL, &s), UM_OK);
    assert_int_equal(break_it(r, "broken", &s), UM_OK);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.rows[0].session, "s1");
    assert_int_equal(s.rows[0].token, 1);
    assert_int_not_equal(s.version, 0);
    assert_int_equal(look(r, "broken", &s), UM_OK);
    assert_string_equal(s.rows[0].session, "");
    assert_int_equal(s.rows[0].token, 2);
    assert_int_equal(renew(r, "broken", "s1", TTL, &s), UM_OK);
    assert_int_equal(s.n, 0);
    assert_int_equal(break_it(r, "broken", &s), UM_OK);      /* again: nothing is left to break */
    assert_int_equal(s.version, 0);
    assert_int_equal(CALL(&s, um_store_audits(r->st, r->loop, 1, say_audits, &s)), UM_OK);
    assert_string_equal(s.text, "admin/UNLOCK/its id DOCUMENT/user/GEC ");
    assert_true(s.left_ms[0] > 0);
}

/* S10: every order of what can happen to one reservation, against the rules in the plainest form. */
struct model { const char *session; bool over; uint64_t token, granted; };
static const char *const acts[] = { "reserve A", "reserve B", "renew A", "expire", "break", "release A" };

static void do_reserve(struct rig *r, struct model *m, const char *id, const char *session)
{
    bool others = m->session != NULL && !m->over && strcmp(m->session, session) != 0;
    bool mine = m->session != NULL && !m->over && !others;
    struct said s;

    assert_int_equal(reserve(r, id, session, TTL, &s), others ? UM_ECONFLICT : UM_OK);
    if (others)
        return;
    if (!mine)
        assert_true(s.rows[0].token > m->granted);   /* higher than any that was ever given */
    m->token += !mine;
    m->granted = m->token;
    m->session = session;
    m->over = false;
}

static void act_on(struct rig *r, struct model *m, const char *id, const char *act)
{
    bool is_a = m->session != NULL && strcmp(m->session, "A") == 0;
    struct said s;

    if (strncmp(act, "reserve ", 8) == 0) {
        do_reserve(r, m, id, act + 8);
    } else if (strcmp(act, "renew A") == 0) {
        assert_int_equal(renew(r, id, "A", TTL, &s), UM_OK);
        assert_int_equal(s.n, is_a && !m->over);
    } else if (strcmp(act, "release A") == 0) {
        assert_int_equal(release(r, id, "A", &s), UM_OK);
        assert_int_equal(s.n, is_a);
        m->session = is_a ? NULL : m->session;
    } else if (strcmp(act, "break") == 0) {
        assert_int_equal(break_it(r, id, &s), UM_OK);
        m->token += m->session != NULL;
        m->session = NULL;
    } else if (m->session != NULL && !m->over) {
        let_expire(r, id, m->session);
        m->over = true;
    }
    assert_int_equal(look(r, id, &s), UM_OK);
    assert_int_equal(s.rows[0].token, m->token);
    assert_string_equal(s.rows[0].session, m->session != NULL ? m->session : "");
    assert_int_equal(s.rows[0].left_ms > 0, m->session != NULL && !m->over);
}

/* The N-th order of all acts but the one LEFT_OUT. */
static void run_order(struct rig *r, unsigned nth, size_t left_out)
{
    const char *left[UM_COUNT(acts)];
    struct model m = { 0 };
    size_t n = 0;
    char id[32];

    snprintf(id, sizeof(id), "order-%zu-%u", left_out, nth);
    for (size_t i = 0; i < UM_COUNT(acts); i++)
        if (i != left_out)
            left[n++] = acts[i];
    for (; n > 0; n--) {
        const char *act = left[nth % n];

        memmove(&left[nth % n], &left[nth % n + 1], (n - nth % n - 1) * sizeof(*left));
        nth /= (unsigned)n;
        act_on(r, &m, id, act);
    }
}

static void s10_in_every_order_one_holds_it_and_tokens_only_grow(void **state)
{
    for (unsigned nth = 0; nth < 120; nth++) {
        run_order(*state, nth, 5);               /* without the release */
        if (nth % 3 == 0)
            run_order(*state, nth, 2);           /* without the renewal */
    }
}

/* ---- two stores at once ---- */

static void reserve_both_ways(struct rig *r, bool forwards, struct said *s)
{
    const struct um_store_ref refs[] = { doc("race-1"), doc("race-2"), doc("race-3"), { "TASK", "race-1", 0 } };
    const struct um_store_ref back[] = { refs[3], refs[2], refs[1], refs[0] };
    const struct um_store_cache caches[] = { { "", "race-b", 0 }, { "", "race-a", 0 } };

    um_store_raise_caches(r->st, r->loop, &caches[forwards], 1, say_caches, &s[1]);
    um_store_reserve(r->st, r->loop, forwards ? refs : back, 4, "ann", forwards ? "one" : "two", TTL, say_reserved, &s[0]);
    um_store_raise_caches(r->st, r->loop, &caches[!forwards], 1, say_caches, &s[2]);
}

static void s09_of_two_that_reserve_at_once_one_wins(void **state)
{
    enum { ROUNDS = 60 };
    struct rig *r = *state, other;
    uint64_t token = 0;

    if (!um_store_is_shared(r->st))
        skip();
    rig_init(&other, url);
    rig_open(&other);
    for (int round = 0; round < ROUNDS; round++) {
        struct said s[2][3] = { 0 }, freed;
        int winner;

        reserve_both_ways(round % 2 ? r : &other, round % 2, s[round % 2]);
        reserve_both_ways(round % 2 ? &other : r, !(round % 2), s[!(round % 2)]);
        for (int i = 0; i < 3; i++) {
            rig_turn_until(&other, &s[0][i].calls, 1);
            rig_turn_until(r, &s[1][i].calls, 1);
            assert_int_equal(i == 0 ? UM_OK : s[0][i].err, UM_OK);
            assert_int_equal(i == 0 ? UM_OK : s[1][i].err, UM_OK);
        }
        winner = s[1][0].err == UM_OK;
        assert_int_equal(s[winner][0].err, UM_OK);
        assert_int_equal(s[!winner][0].err, UM_ECONFLICT);
        assert_string_equal(s[!winner][0].rows[0].session, winner ? "one" : "two");
        for (int i = 0; i < 4; i++)
            assert_int_equal(s[winner][0].rows[i].token, token + 1);
        token++;
        assert_int_equal(release(r, NULL, winner ? "one" : "two", &freed), UM_OK);
        assert_int_equal(freed.n, 4);
    }
    rig_free(&other);
}

/* ---- what is wrong with a call is said ---- */

static void bad_calls_are_refused(void **state)
{
    struct rig *r = *state;
    struct um_store_ref many[UM_STORE_REFS_MAX + 1], bad;
    char longer[UM_STORE_REF_ID_MAX + 2];
    struct said s;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    for (size_t i = 0; i < UM_COUNT(many); i++)
        many[i] = doc("x");
    assert_int_equal(CALL(&s, um_store_reserve(r->st, r->loop, many, UM_COUNT(many), "", "s", TTL, say_reserved, &s)), UM_ELIMIT);
    assert_int_equal(CALL(&s, um_store_reserve(r->st, r->loop, NULL, 0, "", "s", TTL, say_reserved, &s)), UM_EINVAL);
    assert_int_equal(reserve(r, "", "s", TTL, &s), UM_EINVAL);
    assert_int_equal(reserve(r, longer, "s", TTL, &s), UM_EINVAL);
    assert_int_equal(reserve(r, longer + 1, "s", TTL, &s), UM_OK);
    assert_int_equal(reserve(r, "\xff", "s", TTL, &s), UM_EINVAL);
    assert_int_equal(reserve(r, "x", "", TTL, &s), UM_EINVAL);
    assert_int_equal(reserve(r, "x", "s", 0, &s), UM_EINVAL);
    assert_int_equal(renew(r, "x", longer, TTL, &s), UM_EINVAL);
    bad = (struct um_store_ref){ "document", "x", 0 };
    assert_int_equal(CALL(&s, um_store_release(r->st, r->loop, &bad, 1, "s", say_reserved, &s)), UM_EINVAL);
    assert_int_equal(CALL(&s, um_store_revoke(r->st, r->loop, "", 1, say_version, &s)), UM_EINVAL);
    assert_int_equal(CALL(&s, um_store_revoke(r->st, r->loop, "h", INT64_MAX, say_version, &s)), UM_EINVAL);
    assert_int_equal(CALL(&s, um_store_audits(r->st, r->loop, 0, say_audits, &s)), UM_EINVAL);
    assert_int_equal(CALL(&s, um_store_raise_caches(r->st, r->loop, &(struct um_store_cache){ "", "", 0 }, 1, say_caches, &s)),
                     UM_EINVAL);
}

static void strange_words_survive(void **state)
{
    static const char *const ids[] = { "a'b\"c", "100%_\\", "ümläut/文", "{x,\"y\"}", " ", "NULL" };
    struct rig *r = *state;
    struct said s;

    for (size_t i = 0; i < UM_COUNT(ids); i++) {
        assert_int_equal(reserve(r, ids[i], ids[i], TTL, &s), UM_OK);
        assert_int_equal(look(r, ids[i], &s), UM_OK);
        assert_string_equal(s.rows[0].id, ids[i]);
        assert_string_equal(s.rows[0].session, ids[i]);
        um_store_audit(r->st, &(struct um_store_audit){ 0, ids[i], NULL, NULL, ids[i], NULL, NULL });
        assert_int_equal(release(r, NULL, ids[i], &s), UM_OK);       /* behind the audit row */
        assert_int_equal(CALL(&s, um_store_audits(r->st, r->loop, 1, say_audits, &s)), UM_OK);
        assert_int_equal(s.n, 1);
        assert_non_null(strstr(s.text, ids[i]));
    }
}

static void all_of_it_outlives_the_store(void **state)
{
    struct rig *r = *state;
    struct said s, t;

    if (url != NULL && strcmp(url, "memory:") == 0)
        skip();
    assert_int_equal(reserve(r, "outlives", "s1", TTL, &s), UM_OK);
    assert_int_equal(CALL(&t, um_store_revoke(r->st, r->loop, "outlived", TTL, say_version, &t)), UM_OK);
    rig_close(r);
    rig_open(r);
    assert_int_equal(look(r, "outlives", &t), UM_OK);
    assert_string_equal(t.rows[0].session, "s1");
    assert_int_equal(t.version, s.version);
    assert_int_equal(CALL(&t, um_store_revocations(r->st, r->loop, say_revocations, &t)), UM_OK);
    assert_non_null(strstr(t.text, "outlived"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static int run_suite(const char *title, const char *at)
{
    static const struct CMUnitTest tests[] = {
        T(a_cache_is_raised_by_one_and_listed),
        T(calls_of_one_transaction_get_versions_of_their_own),
        T(a_revoked_session_is_listed_until_its_end),
        T(a_reservation_names_its_holder_and_has_a_token),
        T(the_holder_keeps_its_token_and_others_are_told_who_it_is),
        T(of_a_list_all_are_reserved_or_none),
        T(a_conflict_in_company_rolls_back_nobody_else),
        T(a_session_renews_and_releases_all_it_has),
        T(what_names_an_earlier_grant_leaves_the_present_one_alone),
        T(a_change_that_has_waited_for_too_long_is_not_done),
        T(nobody_renews_or_releases_what_is_anothers),
        T(a_lease_that_is_over_is_anybodys),
        T(breaking_fences_off_the_holder_and_is_audited),
        T(s10_in_every_order_one_holds_it_and_tokens_only_grow),
        T(s09_of_two_that_reserve_at_once_one_wins),
        T(bad_calls_are_refused),
        T(strange_words_survive),
        T(all_of_it_outlives_the_store),
    };

    url = at;
    return _cmocka_run_group_tests(title, tests, UM_COUNT(tests), NULL, NULL);
}

int main(int argc, char **argv)
{
    const char *more = getenv("UMBEL_STORE_URL");
    int failed = 0;

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    failed += run_suite("in memory", "memory:");
    failed += run_suite("on a file", NULL);
    if (more != NULL && more[0] != '\0')
        failed += run_suite(more, more);
    return failed;
}
