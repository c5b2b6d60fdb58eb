/* Which core something goes to. No sockets and no clock: members and time are made up here. */
#include "um_test.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <proxy/affinity.h>
#include <proxy/cores.h>
#include <umbel/log.h>

static const char *const three[] = { "http://a:1", "http://b:1", "http://c:1" };
static const struct um_conf_list list = { 3, three };
static const struct um_conf_list no_list = { 0, NULL };
static const struct um_span no_key = { NULL, 0 };

/* ---- members ---- */

static struct um_member made[8];
static size_t n_made;
static struct um_members *view;            /* NULL: make a new one */

static void forget_view(void)
{
    um_members_unref(view);
    view = NULL;
}

static void set_members(size_t n, const struct um_member *m)
{
    memcpy(made, m, n * sizeof(*m));
    n_made = n;
    forget_view();
}

static struct um_members *members(void *arg)
{
    (void)arg;
    if (view == NULL) {
        view = calloc(1, sizeof(*view));
        view->refs = 1;
        view->n = n_made;
        view->list = made;
    }
    atomic_fetch_add(&view->refs, 1);
    return view;
}

/* One attempt, held by nobody afterwards. */
static const char *once(struct um_cores *cs, struct um_span key, int64_t now)
{
    struct um_tries t = { 0 };
    struct um_core *c = um_cores_next(cs, &t, key, now);
    static char node[64];

    snprintf(node, sizeof(node), "%s", c != NULL ? um_core_host(c) : "none");
    um_tries_end(&t);
    return node;
}

static void note(struct um_cores *cs, const char *host, bool reached, int64_t now)
{
    struct um_tries t = { 0 };
    struct um_core *c;

    while ((c = um_cores_next(cs, &t, no_key, now)) != NULL)
        if (strcmp(um_core_host(c), host) == 0)
            um_core_note(c, reached, now);
    um_tries_end(&t);
}

static struct um_span key_of(int i)
{
    static char text[32];
    snprintf(text, sizeof(text), "document-%d", i);
    return UM_SPAN_STR(text);
}

/* ---- stories ---- */

static void what_belongs_to_nothing_goes_round(void **state)
{
    struct um_cores *cs = um_cores_new(&list, NULL, NULL);

    (void)state;
    for (int i = 0; i < 7; i++) {
        char want[8];
        snprintf(want, sizeof(want), "%c:1", 'a' + i % 3);
        assert_string_equal(once(cs, no_key, 0), want);
    }
    um_cores_free(cs);
}

static void the_one_with_the_fewest_under_way_is_asked(void **state)
{
    struct um_cores *cs = um_cores_new(&list, NULL, NULL);
    struct um_tries held[6] = { 0 };

    (void)state;
    for (int i = 0; i < 6; i++)
        assert_non_null(um_cores_next(cs, &held[i], no_key, 0));        /* a b c a b c */
    um_tries_end(&held[2]);
    assert_string_equal(once(cs, no_key, 0), "c:1");
    assert_string_equal(once(cs, no_key, 0), "c:1");                     /* though it was chosen last */
    um_tries_end(&held[1]);
    um_tries_end(&held[4]);
    assert_string_equal(once(cs, no_key, 0), "b:1");
    for (int i = 0; i < 6; i++)
        um_tries_end(&held[i]);
    assert_string_equal(once(cs, no_key, 0), "a:1");                     /* alike: longest ago */
    um_cores_free(cs);
}

static void check(struct um_cores *cs, const char *host, enum um_core_check verdict)
{
    struct um_tries t = { 0 };
    struct um_core *c;

    while ((c = um_cores_next(cs, &t, no_key, 0)) != NULL)
        if (strcmp(um_core_host(c), host) == 0)
            um_core_checked(c, verdict, 0);
    um_tries_end(&t);
}

static void one_that_does_not_answer_its_check_is_left_aside_until_it_does(void **state)
{
    struct um_cores *cs = um_cores_new(&list, NULL, NULL);

    (void)state;
    check(cs, "a:1", UM_CORE_SILENT);
    check(cs, "b:1", UM_CORE_NOT_READY);
    for (int i = 0; i < 4; i++)
        assert_string_equal(once(cs, no_key, 1000000), "c:1");           /* however long ago that was */
    check(cs, "c:1", UM_CORE_NOT_READY);
    assert_string_equal(once(cs, no_key, 1000000), "a:1");               /* none serves: one may have come back */
    check(cs, "a:1", UM_CORE_READY);
    check(cs, "c:1", UM_CORE_READY);
    check(cs, "c:1", UM_CORE_SILENT);
    note(cs, "c:1", true, 1000000);                                      /* a request that it answered says as much */
    check(cs, "a:1", UM_CORE_SILENT);
    assert_string_equal(once(cs, no_key, 1000000), "c:1");
    um_cores_free(cs);
}

static void a_key_stays_where_it_is_and_a_core_that_goes_moves_its_own_share_alone(void **state)
{
    static const char *const two[] = { "http://a:1", "http://c:1" };
    const struct um_conf_list less = { 2, two };
    struct um_cores *cs = um_cores_new(&list, NULL, NULL), *other = um_cores_new(&list, NULL, NULL);
    struct um_cores *fewer = um_cores_new(&less, NULL, NULL);
    int share[3] = { 0 };

    (void)state;
    for (int i = 0; i < 3000; i++) {
        char host[8];
        snprintf(host, sizeof(host), "%s", once(cs, key_of(i), 0));
        share[host[0] - 'a']++;
        assert_string_equal(once(cs, key_of(i), 0), host);
        assert_string_equal(once(other, key_of(i), 0), host);        /* at every gateway */
        if (host[0] != 'b')
            assert_string_equal(once(fewer, key_of(i), 0), host);
    }
    for (int i = 0; i < 3; i++)
        assert_in_range(share[i], 850, 1150);
    um_cores_free(cs);
    um_cores_free(other);
    um_cores_free(fewer);
}

static void attempts_go_to_each_core_once(void **state)
{
    struct um_cores *cs = um_cores_new(&list, NULL, NULL);
    struct um_tries t = { 0 };
    struct um_core *c[3];

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(um_cores_has_next(cs, &t));
        c[i] = um_cores_next(cs, &t, key_of(1), 0);
    }
    assert_true(c[0] != c[1] && c[1] != c[2] && c[0] != c[2]);
    assert_false(um_cores_has_next(cs, &t));
    assert_null(um_cores_next(cs, &t, key_of(1), 0));
    um_tries_end(&t);
    um_cores_free(cs);
}

static void there_is_a_limit_of_attempts(void **state)
{
    static const char *const many[] = { "http://a", "http://b", "http://c", "http://d", "http://e" };
    const struct um_conf_list five = { 5, many };
    struct um_cores *cs = um_cores_new(&five, NULL, NULL);
    struct um_tries t = { 0 };

    (void)state;
    for (int i = 0; i < UM_CORE_TRIES_MAX; i++)
        assert_non_null(um_cores_next(cs, &t, no_key, 0));
    assert_false(um_cores_has_next(cs, &t));
    assert_null(um_cores_next(cs, &t, no_key, 0));
    um_tries_end(&t);
    um_cores_free(cs);
}

static void one_that_fails_is_left_aside_for_a_growing_while(void **state)
{
    static const int64_t rests[] = { 100, 200, 400, 800, 1600, 2000, 2000 };
    struct um_cores *cs = um_cores_new(&list, NULL, NULL);
    int64_t now = 1000;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rests); i++) {
        note(cs, "b:1", false, now);
        note(cs, "b:1", false, now + 50);                  /* another one of the same fall */
        for (int k = 0; k < 6; k++)
            assert_string_not_equal(once(cs, no_key, now + rests[i] - 1), "b:1");
        for (int k = 0; k < 20; k++)
            assert_string_not_equal(once(cs, key_of(k), now + rests[i] - 1), "b:1");
        now += rests[i];
        assert_string_equal(once(cs, no_key, now), "b:1");  /* its turn has waited */
    }
    assert_true(um_cores_is_up(cs));
    note(cs, "b:1", true, now);
    note(cs, "b:1", false, now);
    assert_string_not_equal(once(cs, no_key, now + 99), "b:1");
    for (int k = 0; k < 3; k++)
        if (strcmp(once(cs, no_key, now + 100), "b:1") == 0)
            break;
        else
            assert_true(k < 2);
    um_cores_free(cs);
}

static void when_all_rest_the_first_to_come_back_is_asked(void **state)
{
    struct um_cores *cs = um_cores_new(&list, NULL, NULL);

    (void)state;
    note(cs, "b:1", false, 1000);
    note(cs, "a:1", false, 1010);
    note(cs, "c:1", false, 1020);
    assert_false(um_cores_is_up(cs));
    assert_string_equal(once(cs, no_key, 1030), "b:1");
    assert_string_equal(once(cs, key_of(3), 1030), "b:1");
    um_cores_free(cs);
}

static void the_members_that_are_cores_are_the_cores(void **state)
{
    const struct um_member m[] = { { .id = "1", .role = "core", .address = "x:1" }, { .id = "2", .role = "gateway", .address = "y:1" },
                                   { .id = "3", .role = "core", .address = "z:1" }, { .id = "4", .role = "core", .address = "" },
                                   { .id = "5", .role = "core", .address = "u@evil/x" } };
    struct um_cores *cs = um_cores_new(&list, members, NULL);

    (void)state;
    set_members(UM_COUNT(m), m);
    assert_string_equal(once(cs, no_key, 0), "x:1");
    assert_string_equal(once(cs, no_key, 0), "z:1");
    assert_string_equal(once(cs, no_key, 0), "x:1");
    set_members(1, m);                                     /* z is gone */
    assert_string_equal(once(cs, no_key, 0), "x:1");
    assert_string_equal(once(cs, no_key, 0), "x:1");
    set_members(3, m);                                     /* and back */
    assert_string_equal(once(cs, no_key, 0), "z:1");
    um_cores_free(cs);
    forget_view();
}

static void one_that_drains_gets_nothing_new(void **state)
{
    const struct um_member m[] = { { .id = "1", .role = "core", .address = "x:1", .draining = true },
                                   { .id = "2", .role = "core", .address = "y:1" } };
    struct um_cores *cs = um_cores_new(&no_list, members, NULL);
    struct um_tries t = { 0 };

    (void)state;
    set_members(2, m);
    for (int i = 0; i < 20; i++) {
        assert_string_equal(once(cs, no_key, 0), "y:1");
        assert_string_equal(once(cs, key_of(i), 0), "y:1");
    }
    note(cs, "y:1", false, 0);
    assert_string_equal(once(cs, no_key, 0), "y:1");       /* even then */
    assert_string_equal(um_core_host(um_cores_next(cs, &t, no_key, 0)), "y:1");
    assert_string_equal(um_core_host(um_cores_next(cs, &t, no_key, 0)), "x:1");    /* better than nothing */
    um_tries_end(&t);
    um_cores_free(cs);
    forget_view();
}

static void a_core_gets_only_what_it_serves(void **state)
{
    const struct um_member m[] = { { .id = "1", .role = "core", .address = "x:1", .serves = "rest,worker" },
                                   { .id = "2", .role = "core", .address = "y:1", .serves = "collab" } };
    struct um_cores *cs = um_cores_new(&no_list, members, NULL);

    (void)state;
    set_members(2, m);
    for (int i = 0; i < 4; i++) {
        struct um_tries rest = { .needs = "rest" }, collab = { .needs = "collab" };
        assert_string_equal(um_core_host(um_cores_next(cs, &rest, key_of(i), 0)), "x:1");
        assert_string_equal(um_core_host(um_cores_next(cs, &collab, key_of(i), 0)), "y:1");
        assert_false(um_cores_has_next(cs, &rest));
        assert_null(um_cores_next(cs, &rest, key_of(i), 0));
        um_tries_end(&rest);
        um_tries_end(&collab);
    }
    um_cores_free(cs);
    forget_view();
}

static void when_nobody_is_known_the_list_counts(void **state)
{
    const struct um_member m[] = { { .id = "1", .role = "core", .address = "x:1" } };
    struct um_cores *cs = um_cores_new(&list, members, NULL), *bare = um_cores_new(&no_list, members, NULL);

    (void)state;
    set_members(0, m);
    assert_string_equal(once(cs, no_key, 0), "a:1");
    assert_string_equal(once(bare, no_key, 0), "none");
    assert_false(um_cores_is_up(bare));
    set_members(1, m);
    assert_string_equal(once(cs, no_key, 0), "x:1");
    assert_string_equal(once(bare, no_key, 0), "x:1");
    um_cores_free(cs);
    um_cores_free(bare);
    forget_view();
}

static void a_core_that_left_stays_readable_while_it_is_held(void **state)
{
    const struct um_member m[] = { { .id = "1", .role = "core", .address = "x:1" }, { .id = "2", .role = "core", .address = "y:1" } };
    struct um_cores *cs = um_cores_new(&no_list, members, NULL);
    struct um_tries t = { 0 };
    struct um_core *c;

    (void)state;
    set_members(1, m);
    c = um_cores_next(cs, &t, no_key, 0);
    set_members(1, m + 1);
    assert_string_equal(once(cs, no_key, 0), "y:1");
    assert_string_equal(um_core_node(c), "http://x:1");
    um_core_note(c, false, 0);
    assert_true(um_cores_is_up(cs));
    um_tries_end(&t);
    assert_string_equal(once(cs, no_key, 0), "y:1");
    um_cores_free(cs);
    forget_view();
}

static void nodes_are_plain_base_addresses(void **state)
{
    static const char *const bad[] = { "", "http://", "https://a", "http://a/", "http://a:1/x", "http://u@a", "http://a b", "http://a\n", "a:1" };

    (void)state;
    assert_true(um_core_is_node("http://a:1"));
    assert_true(um_core_is_node("http://[::1]:8081"));
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_false(um_core_is_node(bad[i]));
}

static void documents_are_found_in_paths(void **state)
{
    static const struct { const char *path, *document; } rows[] = {
        { "/y/room", "room" },
        { "/y/a/b", "a/b" },
        { "/y/", "" },
        { "/core/rest/collab/documents/p1", "p1" },
        { "/core/rest/collab/documents/p1/versions/3", "p1" },
        { "/core/rest/collab/documents", "" },
        { "/core/rest/collab/documents/", "" },
        { "/collab", "" },
        { "/", "" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_span d = um_affinity_document(rows[i].path);
        if (!um_span_eq(d, UM_SPAN_STR(rows[i].document)))
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_one_with_the_fewest_under_way_is_asked), cmocka_unit_test(one_that_does_not_answer_its_check_is_left_aside_until_it_does),
        cmocka_unit_test(what_belongs_to_nothing_goes_round),
        cmocka_unit_test(a_core_gets_only_what_it_serves),
        cmocka_unit_test(a_key_stays_where_it_is_and_a_core_that_goes_moves_its_own_share_alone),
        cmocka_unit_test(attempts_go_to_each_core_once),
        cmocka_unit_test(there_is_a_limit_of_attempts),
        cmocka_unit_test(one_that_fails_is_left_aside_for_a_growing_while),
        cmocka_unit_test(when_all_rest_the_first_to_come_back_is_asked),
        cmocka_unit_test(the_members_that_are_cores_are_the_cores),
        cmocka_unit_test(one_that_drains_gets_nothing_new),
        cmocka_unit_test(when_nobody_is_known_the_list_counts),
        cmocka_unit_test(a_core_that_left_stays_readable_while_it_is_held),
        cmocka_unit_test(nodes_are_plain_base_addresses),
        cmocka_unit_test(documents_are_found_in_paths),
    };

    um_log_set_level(NULL, UM_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
