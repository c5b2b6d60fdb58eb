/* The pure parts of handing documents over: heads of messages, what a client waits to have acknowledged, and where a document
 * belongs. */
#include "um_test.h"
#include <proxy/acks.h>
#include <proxy/cores.h>
#include <proxy/talk.h>
#include <stdio.h>
#include <umbel/util.h>

/* ---- heads ---- */

static enum um_talk_verdict read_hex(const char *hex, bool bare, struct um_talk *t)
{
    static struct um_buf b;

    um_buf_clear(&b);
    assert_true(um_hex_decode(&b, UM_SPAN_STR(hex)));
    return um_talk_read(UM_SPAN(b.data, b.len), bare, t);
}

static void a_head_says_document_session_type_and_kind(void **state)
{
    struct um_talk t;

    (void)state;
    assert_int_equal(read_hex("02706c" "00" "00" "0100", false, &t), UM_TALK_OK);
    assert_true(um_span_eq(t.name, UM_SPAN_STR("pl")));
    assert_int_equal(t.type, UM_TALK_SYNC);
    assert_int_equal(t.kind, UM_TALK_STEP1);
    assert_int_equal(t.payload.len, 2);
    assert_int_equal(read_hex("05706c007331" "03", false, &t), UM_TALK_OK);
    assert_true(um_span_eq(t.name, UM_SPAN_STR("pl")));
    assert_int_equal(t.address.len, 5);
    assert_true(t.kind == UM_TALK_NO_KIND);
    assert_int_equal(read_hex("0002020000", true, &t), UM_TALK_OK);
    assert_int_equal(t.kind, UM_TALK_UPDATE);
}

static void what_has_no_head_is_told_apart(void **state)
{
    static const struct { const char *hex; enum um_talk_verdict verdict; } rows[] = {
        { "00", UM_TALK_KEEP_ALIVE }, { "09", UM_TALK_KEEP_ALIVE }, { "0a", UM_TALK_KEEP_ALIVE }, { "", UM_TALK_BAD_ADDRESS },
        { "05706c", UM_TALK_BAD_ADDRESS }, { "02ff61" "00", UM_TALK_BAD_ADDRESS }, { "02706c", UM_TALK_NO_TYPE },
        { "02706c" "80", UM_TALK_NO_TYPE },
    };
    struct um_talk t;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_int_equal(read_hex(rows[i].hex, false, &t), rows[i].verdict);
    assert_int_equal(read_hex("", true, &t), UM_TALK_NO_TYPE);
}

static void presence_of_one_alone_is_its_own(void **state)
{
    struct um_talk t;
    struct um_span update;
    uint64_t client;
    bool gone;

    (void)state;
    assert_int_equal(read_hex("0061" "01", false, &t), UM_TALK_OK);
    assert_int_equal(read_hex("01" "06" "01" "07" "03" "02" "7b7d", true, &t), UM_TALK_OK);
    assert_true(um_talk_presence(t.body, &client, &update, &gone));
    assert_int_equal(client, 7);
    assert_int_equal(update.len, 6);
    assert_false(gone);
    assert_int_equal(read_hex("01" "08" "01" "07" "04" "04" "6e756c6c", true, &t), UM_TALK_OK);
    assert_true(um_talk_presence(t.body, &client, &update, &gone) && gone);
    assert_int_equal(read_hex("01" "0b" "02" "07" "03" "02" "7b7d" "08" "01" "02" "7b7d", true, &t), UM_TALK_OK);
    assert_false(um_talk_presence(t.body, &client, &update, &gone));
    assert_int_equal(read_hex("01" "03" "01" "07" "03", true, &t), UM_TALK_OK);
    assert_false(um_talk_presence(t.body, &client, &update, &gone));
}

/* ---- acknowledgements ---- */

static void what_a_core_answers_goes_on_one_by_one(void **state)
{
    struct um_acks a = { 0 };

    (void)state;
    um_acks_step1(&a);
    um_acks_update(&a, true);
    um_acks_step2(&a);
    um_acks_update(&a, true);
    assert_int_equal(a.waiting, 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(um_acks_status(&a, true), 1);
    assert_int_equal(a.waiting, 0);
    assert_int_equal(um_acks_status(&a, true), 0);               /* what nobody waits for */
}

static void one_stored_step2_answers_for_all_that_the_old_core_left_open(void **state)
{
    struct um_acks a = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++)
        um_acks_update(&a, true);
    assert_int_equal(um_acks_status(&a, true), 1);
    um_acks_lost(&a);
    um_acks_update(&a, false);                                   /* said to nobody */
    um_acks_step2(&a);
    um_acks_update(&a, true);
    assert_int_equal(um_acks_status(&a, true), 5);
    assert_int_equal(um_acks_status(&a, true), 1);
    assert_int_equal(a.waiting, 0);
}

static void a_step2_that_nobody_waits_for_is_not_told(void **state)
{
    struct um_acks a = { 0 };

    (void)state;
    um_acks_step2(&a);
    um_acks_update(&a, true);
    assert_int_equal(um_acks_status(&a, true), 0);
    assert_int_equal(um_acks_status(&a, true), 1);
}

static void what_is_refused_stays_open_until_a_later_step2_is_stored(void **state)
{
    struct um_acks a = { 0 };

    (void)state;
    um_acks_update(&a, false);
    um_acks_update(&a, false);
    um_acks_step2(&a);                                           /* of weight 2 */
    um_acks_update(&a, true);
    assert_int_equal(um_acks_status(&a, false), 0);              /* for which? for the one that weighs most */
    assert_int_equal(um_acks_status(&a, true), 1);
    assert_int_equal(a.waiting, 2);
    um_acks_step2(&a);
    assert_int_equal(um_acks_status(&a, true), 2);
}

/* Any order of events: never more than the client waits for, and never for what is not stored. */
static void never_more_and_never_earlier(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 20000; seed++) {
        struct um_acks a = { 0 };
        uint64_t r = seed * 0x9e3779b97f4a7c15u + 1;
        bool sent_is_ok[64] = { 0 };                             /* what the core will say */
        uint32_t covers[64] = { 0 }, said = 0, stored_up_to = 0, given = 0;
        size_t n = 0, at = 0;
        for (int step = 0; step < 40; step++) {
            r ^= r << 13, r ^= r >> 7, r ^= r << 17;
            switch (r % 6) {
            case 0: case 1:                                      /* an Update that goes to the core */
                um_acks_update(&a, true);
                covers[n] = ++said;
                sent_is_ok[n++] = true;
                break;
            case 2:
                um_acks_update(&a, false);
                said++;
                break;
            case 3:
                um_acks_step2(&a);
                covers[n] = said;
                sent_is_ok[n++] = true;
                break;
            case 4:
                um_acks_lost(&a);
                at = n;
                break;
            default:
                if (at < n && sent_is_ok[at]) {
                    uint32_t got = um_acks_status(&a, true);
                    stored_up_to = UM_MAX(stored_up_to, covers[at]);
                    at++;
                    given += got;
                }
            }
            if (given > said || given > stored_up_to)
                fail_msg("seed %llu: %u given, %u said, %u stored", (unsigned long long)seed, given, said, stored_up_to);
        }
        um_acks_lost(&a);
        um_acks_step2(&a);
        given += um_acks_status(&a, true);
        assert_int_equal(given, said);                           /* and in the end all */
    }
}

/* ---- where a document belongs ---- */

static struct um_members *view;
static struct um_members *members(void *arg)
{
    (void)arg;
    view->refs++;
    return view;
}

static struct um_members *view_of(const char *const *nodes, size_t n, const char *draining)
{
    struct um_members *m = um_xcalloc(1, sizeof(*m) + n * sizeof(struct um_member));
    struct um_member *list = (struct um_member *)(m + 1);

    for (size_t i = 0; i < n; i++)
        list[i] = (struct um_member){ .id = nodes[i], .role = "core", .address = nodes[i], .version = "1",
                                      .draining = draining != NULL && strcmp(draining, nodes[i]) == 0 };
    m->refs = 1;
    m->n = n;
    m->list = list;
    return m;
}

static void see(const char *const *nodes, size_t n, const char *draining)
{
    um_members_unref(view);
    view = view_of(nodes, n, draining);
}

static void a_document_moves_when_its_core_drains_or_a_better_one_comes_and_not_else(void **state)
{
    static const char *const nodes[] = { "a:1", "b:1", "c:1" };
    static const struct um_conf_list none = { 0, NULL };
    struct um_cores *cs;
    size_t moved = 0;

    (void)state;
    view = NULL;
    see(nodes, 2, NULL);
    cs = um_cores_new(&none, members, NULL);
    for (int i = 0; i < 60; i++) {
        struct um_tries tries = { 0 };
        char name[16];
        snprintf(name, sizeof(name), "doc-%d", i);
        see(nodes, 2, NULL);
        struct um_core *home = um_cores_next(cs, &tries, UM_SPAN_STR(name), 0), *to;
        uint64_t version = um_cores_version(cs);
        assert_null(um_cores_better(cs, home, UM_SPAN_STR(name), 0));
        um_core_note(home, false, 0);                            /* a failure elsewhere: something is there, though */
        assert_null(um_cores_better(cs, home, UM_SPAN_STR(name), 0));
        um_core_note(home, true, 0);
        see(nodes, 2, um_core_host(home));
        assert_true(um_cores_version(cs) > version);
        to = um_cores_better(cs, home, UM_SPAN_STR(name), 0);
        assert_non_null(to);
        assert_ptr_not_equal(to, home);
        see(nodes, 3, NULL);
        to = um_cores_better(cs, home, UM_SPAN_STR(name), 0);
        if (to != NULL) {
            assert_string_equal(um_core_host(to), "c:1");
            um_core_note(to, false, 0);                          /* one that does not answer is no better one */
            assert_null(um_cores_better(cs, home, UM_SPAN_STR(name), 0));
            um_core_note(to, true, 0);
            moved++;
        }
        um_tries_end(&tries);
    }
    assert_in_range(moved, 8, 32);                               /* about a third */
    um_cores_free(cs);
    um_members_unref(view);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_says_document_session_type_and_kind),
        cmocka_unit_test(what_has_no_head_is_told_apart),
        cmocka_unit_test(presence_of_one_alone_is_its_own),
        cmocka_unit_test(what_a_core_answers_goes_on_one_by_one),
        cmocka_unit_test(one_stored_step2_answers_for_all_that_the_old_core_left_open),
        cmocka_unit_test(a_step2_that_nobody_waits_for_is_not_told),
        cmocka_unit_test(what_is_refused_stays_open_until_a_later_step2_is_stored),
        cmocka_unit_test(never_more_and_never_earlier),
        cmocka_unit_test(a_document_moves_when_its_core_drains_or_a_better_one_comes_and_not_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
