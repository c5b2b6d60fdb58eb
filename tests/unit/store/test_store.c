/* What every database behind the store must keep: run in memory, on a file, and on UMBEL_STORE_URL when it is set (an
 * empty database). A test uses names of its own where it can, for a database of the last kind outlives it. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/metrics.h>
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

/* ---- log and state ---- */

static void an_unknown_document_loads_as_absent(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_load(r, "nobody", &got), UM_OK);
    assert_false(got.exists);
    assert_false(got.deleted);
    assert_int_equal(got.version, 0);
    assert_int_equal(got.last_seq, 0);
    assert_int_equal(got.n_updates, 0);
}

static void updates_come_back_in_order_with_rising_numbers(void **state)
{
    struct rig *r = *state;
    struct got got;

    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(rig_append(r, "d", i == 1 ? "a" : i == 2 ? "b" : "c", &got), UM_OK);
        assert_int_equal(got.number, i);
    }
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_true(got.exists);
    assert_string_equal(got.updates, "abc");
    assert_string_equal(got.state, "");
    assert_int_equal(got.last_seq, 3);
    assert_int_equal(got.version, 0);
}

static void any_bytes_and_any_name_survive(void **state)
{
    struct rig *r = *state;
    static const char *const names[] = { "a'b\"c", "100%_\\", "ümläut/文", "SELECT 1;--" };
    struct got got = { 0 };

    for (size_t i = 0; i < UM_COUNT(names); i++) {
        assert_int_equal(rig_append(r, names[i], names[i], NULL), UM_OK);
        assert_int_equal(rig_load(r, names[i], &got), UM_OK);
        assert_string_equal(got.updates, names[i]);
    }
}

struct bytes_seen { int calls; uint8_t data[256]; size_t len; };
static void see_bytes(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct bytes_seen *seen = arg;

    seen->calls++;
    assert_int_equal(err, UM_OK);
    assert_int_equal(doc->n_updates, 1);
    seen->len = doc->updates[0].bytes.len;
    memcpy(seen->data, doc->updates[0].bytes.data, UM_MIN(seen->len, sizeof(seen->data)));
}

static void all_byte_values_survive(void **state)
{
    struct rig *r = *state;
    struct bytes_seen seen = { 0 };
    struct got got = { 0 };
    uint8_t all[256];
    struct um_bytes *b;

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)i;
    b = um_bytes_dup(all, sizeof(all));
    um_store_append(r->st, r->loop, "binary", b, NULL, got_number, &got);
    um_bytes_unref(b);
    rig_turn_until(r, &got.calls, 1);
    um_store_load(r->st, r->loop, "binary", see_bytes, &seen);
    rig_turn_until(r, &seen.calls, 1);
    assert_int_equal(seen.len, sizeof(all));
    assert_memory_equal(seen.data, all, sizeof(all));
}

struct ordered { struct got *all; uint64_t last; bool out_of_order; };
static void note_order(void *arg, um_err err, uint64_t seq)
{
    struct ordered *o = arg;

    o->all->calls++;
    if (err != UM_OK || seq != o->last + 1)
        o->out_of_order = true;
    o->last = seq;
}

static void appends_of_one_document_keep_their_order_in_any_company(void **state)
{
    enum { DOCS = 20, EACH = 25 };
    struct rig *r = *state;
    struct got all = { 0 }, got;
    struct ordered docs[DOCS] = { 0 };
    char name[16], text[2] = "a", want[EACH + 1] = "";

    for (int k = 0; k < EACH; k++) {
        text[0] = (char)('a' + k);
        strcat(want, text);
        for (int i = 0; i < DOCS; i++) {
            struct um_bytes *b = text_bytes(text);

            docs[i].all = &all;
            snprintf(name, sizeof(name), "many%d", i);
            um_store_append(r->st, r->loop, name, b, "ann", note_order, &docs[i]);
            um_bytes_unref(b);
        }
    }
    rig_turn_until(r, &all.calls, DOCS * EACH);
    for (int i = 0; i < DOCS; i++) {
        assert_false(docs[i].out_of_order);
        snprintf(name, sizeof(name), "many%d", i);
        assert_int_equal(rig_load(r, name, &got), UM_OK);
        assert_string_equal(got.updates, want);
    }
}

/* A thread with a loop and a document of its own. */
struct author { struct rig *rig; pthread_t thread; struct ordered order; struct got appends, loads; int number; bool is_late; };

static void *append_in_turn(void *arg)
{
    enum { LOADS = 40, EACH = LOADS * 7 };
    struct author *a = arg;
    struct um_loop *loop = um_loop_new(1);
    struct um_bytes *b = text_bytes("x");
    char name[16];
    int64_t end = um_now_ms() + 20000;

    snprintf(name, sizeof(name), "author%d", a->number);
    a->order.all = &a->appends;
    for (int i = 0; i < EACH; i++) {
        um_store_append(a->rig->st, loop, name, b, "ann", note_order, &a->order);
        if (i % 7 != 0)
            continue;
        um_store_load(a->rig->st, loop, name, got_load, &a->loads);
        um_loop_turn(loop, 0);
    }
    while ((a->appends.calls < EACH || a->loads.calls < LOADS) && um_now_ms() < end)
        um_loop_turn(loop, 10);
    a->is_late = a->appends.calls < EACH || a->loads.calls < LOADS;
    um_bytes_unref(b);
    um_loop_free(loop);
    return NULL;
}

static void appends_of_several_threads_keep_each_documents_order(void **state)
{
    struct rig *r = *state;
    struct author authors[3] = { 0 };

    for (int i = 0; i < 3; i++) {
        authors[i].rig = r;
        authors[i].number = i;
        assert_int_equal(pthread_create(&authors[i].thread, NULL, append_in_turn, &authors[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        pthread_join(authors[i].thread, NULL);
    for (int i = 0; i < 3; i++) {
        assert_false(authors[i].is_late);
        assert_false(authors[i].order.out_of_order);
    }
}

/* Not at the first attempt, perhaps: the writer's thread may still be on its way to rest. */
static void a_lonely_append_into_memory_is_made_before_the_call_returns_and_told_later(void **state)
{
    struct rig *r = *state;
    struct um_metric *commits = um_metrics_find("store.commits");
    struct um_bytes *b = text_bytes("x");
    int64_t end = um_now_ms() + 10000;
    bool at_once = false;

    for (int n = 1; strcmp(r->url, "memory:") == 0 && !at_once && um_now_ms() < end; n++) {
        struct got got = { 0 };
        int64_t before = um_metric_value(commits);
        um_store_append(r->st, r->loop, "lonely", b, "ann", got_number, &got);
        at_once = um_metric_value(commits) > before;
        assert_int_equal(got.calls, 0);
        rig_turn_until(r, &got.calls, 1);
        assert_int_equal(got.number, (uint64_t)n);
    }
    um_bytes_unref(b);
    assert_int_equal(at_once, strcmp(r->url, "memory:") == 0);
}

static void every_loop_hears_its_own(void **state)
{
    struct rig *r = *state;
    struct um_loop *other = um_loop_new(1);
    struct got mine = { 0 }, theirs = { 0 };
    struct um_bytes *b = text_bytes("x");

    um_store_append(r->st, r->loop, "two-loops", b, "ann", got_number, &mine);
    um_store_append(r->st, other, "two-loops", b, "bob", got_number, &theirs);
    um_store_append(r->st, r->loop, "two-loops", b, "ann", got_number, &mine);
    um_bytes_unref(b);
    rig_turn_until(r, &mine.calls, 2);
    assert_int_equal(theirs.calls, 0);
    for (int i = 0; i < 1000 && theirs.calls == 0; i++)
        um_loop_turn(other, 10);
    assert_int_equal(theirs.calls, 1);
    assert_int_equal(theirs.number, 2);
    assert_int_equal(mine.number, 3);
    um_loop_free(other);
}

struct racing { struct got *all; uint64_t at_least; };
static void see_consistent(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct racing *race = arg;

    race->all->calls++;
    assert_int_equal(err, UM_OK);
    assert_true(doc->last_seq >= race->at_least);
    assert_int_equal(doc->n_updates, doc->last_seq - doc->folded_seq);
    for (size_t i = 0; i < doc->n_updates; i++)
        assert_int_equal(doc->updates[i].seq, doc->folded_seq + 1 + i);
}

static void a_load_beside_appends_is_of_one_moment(void **state)
{
    enum { N = 200 };
    struct rig *r = *state;
    struct got appends = { 0 }, loads = { 0 };
    struct racing races[N];
    struct um_bytes *b = text_bytes("u");

    for (int i = 0; i < N; i++) {
        um_store_append(r->st, r->loop, "race", b, "ann", got_number, &appends);
        races[i] = (struct racing){ &loads, appends.number };
        um_store_load(r->st, r->loop, "race", see_consistent, &races[i]);
        um_loop_turn(r->loop, 0);
    }
    um_bytes_unref(b);
    rig_turn_until(r, &appends.calls, N);
    rig_turn_until(r, &loads.calls, N);
}

static void folding_replaces_the_state_and_trims_the_log(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_append(r, "f", "a", NULL);
    rig_append(r, "f", "b", NULL);
    rig_append(r, "f", "c", NULL);
    assert_int_equal(rig_fold(r, "f", "AB", 2, 0, &got), UM_OK);
    assert_int_equal(got.number, 1);
    assert_int_equal(rig_load(r, "f", &got), UM_OK);
    assert_string_equal(got.state, "AB");
    assert_string_equal(got.updates, "c");
    assert_int_equal(got.folded_seq, 2);
    assert_int_equal(got.version, 1);
    assert_int_equal(rig_fold(r, "f", "ABC", 3, 1, &got), UM_OK);
    assert_int_equal(got.number, 2);
    assert_int_equal(rig_append(r, "f", "d", &got), UM_OK);
    assert_int_equal(got.number, 4);              /* numbers go on over an empty log */
    assert_int_equal(rig_load(r, "f", &got), UM_OK);
    assert_string_equal(got.state, "ABC");
    assert_string_equal(got.updates, "d");
}

static void the_second_of_two_folders_is_told_and_changes_nothing(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_append(r, "g", "a", NULL);
    rig_append(r, "g", "b", NULL);
    assert_int_equal(rig_fold(r, "g", "AB", 2, 0, NULL), UM_OK);
    assert_int_equal(rig_fold(r, "g", "A", 1, 0, NULL), UM_ECONFLICT);
    assert_int_equal(rig_fold(r, "g", "A", 1, 1, NULL), UM_ECONFLICT);      /* the right version, an older state */
    assert_int_equal(rig_fold(r, "g", "X", 3, 1, NULL), UM_EINVAL);         /* covers what was never stored */
    assert_int_equal(rig_load(r, "g", &got), UM_OK);
    assert_string_equal(got.state, "AB");
    assert_int_equal(got.version, 1);
    assert_int_equal(rig_fold(r, "g-unknown", "A", 1, 1, NULL), UM_ECONFLICT);
    assert_int_equal(rig_load(r, "g-unknown", &got), UM_OK);
    assert_false(got.exists);
}

static void a_state_can_be_the_first_thing_stored(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_fold(r, "imported", "STATE", 0, 0, &got), UM_OK);
    assert_int_equal(got.number, 1);
    assert_int_equal(rig_load(r, "imported", &got), UM_OK);
    assert_string_equal(got.state, "STATE");
    assert_int_equal(got.last_seq, 0);
}

static void a_long_log_is_trimmed_in_steps(void **state)
{
    enum { N = 3000 };
    struct rig *r = *state;
    struct got got = { 0 };
    struct um_bytes *b = text_bytes("u");
    int64_t bytes;

    for (int i = 0; i < N; i++)
        um_store_append(r->st, r->loop, "long", b, "ann", got_number, &got);
    um_bytes_unref(b);
    rig_turn_until(r, &got.calls, N);
    assert_int_equal(rig_get(r, "long", &got), UM_OK);
    bytes = got.bytes;
    assert_int_equal(rig_fold(r, "long", "ALL", N - 1, 0, NULL), UM_OK);
    assert_int_equal(rig_load(r, "long", &got), UM_OK);      /* right at once, however much waits to be removed */
    assert_int_equal(got.n_updates, 1);
    assert_int_equal(got.last_seq, N);
    assert_int_equal(rig_append(r, "long", "u", &got), UM_OK);
    assert_int_equal(got.number, N + 1);
    assert_int_equal(rig_get(r, "long", &got), UM_OK);
    assert_true(got.bytes < bytes);
}

/* ---- deletion ---- */

static void what_is_deleted_stays_deleted(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_append(r, "gone", "a", NULL);
    rig_fold(r, "gone", "A", 1, 0, NULL);
    rig_append(r, "gone", "b", NULL);
    assert_int_equal(rig_delete(r, "gone", NULL), UM_OK);
    assert_int_equal(rig_append(r, "gone", "late", NULL), UM_EDENIED);
    assert_int_equal(rig_fold(r, "gone", "LATE", 2, 1, NULL), UM_EDENIED);
    assert_int_equal(rig_create(r, "gone", "again", "ann", NULL), UM_EEXIST);
    assert_int_equal(rig_set_title(r, "gone", "again", "ann", NULL), UM_ENOTFOUND);
    assert_int_equal(rig_get(r, "gone", NULL), UM_ENOTFOUND);
    assert_int_equal(rig_load(r, "gone", &got), UM_OK);
    assert_true(got.exists);
    assert_true(got.deleted);
    assert_string_equal(got.state, "");
    assert_int_equal(got.n_updates, 0);
}

static void deleting_what_is_gone_is_fine(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_delete(r, "never-was", NULL), UM_OK);
    assert_int_equal(rig_load(r, "never-was", &got), UM_OK);
    assert_false(got.exists);
    rig_append(r, "twice", "a", NULL);
    assert_int_equal(rig_delete(r, "twice", NULL), UM_OK);
    assert_int_equal(rig_delete(r, "twice", NULL), UM_OK);
}

/* ---- entries and lists ---- */

static void a_created_document_tells_who_and_when(void **state)
{
    struct rig *r = *state;
    struct got got;
    int64_t before_ms = um_wall_ms();

    assert_int_equal(rig_create(r, "made", "My title", "ann", &got), UM_OK);
    assert_string_equal(got.name, "made");
    assert_string_equal(got.title, "My title");
    assert_string_equal(got.created_by, "ann");
    assert_string_equal(got.updated_by, "ann");
    assert_true(got.created_at_ms >= before_ms && got.created_at_ms <= um_wall_ms());
    assert_int_equal(got.version, 0);
    assert_int_equal(rig_create(r, "made", "Other", "bob", NULL), UM_EEXIST);
    assert_int_equal(rig_get(r, "made", &got), UM_OK);
    assert_string_equal(got.title, "My title");
    assert_int_equal(rig_get(r, "unmade", NULL), UM_ENOTFOUND);
}

static void a_title_can_be_changed_and_taken_away(void **state)
{
    struct rig *r = *state;
    struct got got;

    assert_int_equal(rig_set_title(r, "t", "x", "ann", NULL), UM_ENOTFOUND);
    rig_append(r, "t", "a", NULL);
    assert_int_equal(rig_get(r, "t", &got), UM_OK);
    assert_string_equal(got.title, "t");          /* nobody gave one */
    assert_int_equal(rig_set_title(r, "t", "Tee", "bob", &got), UM_OK);
    assert_string_equal(got.title, "Tee");
    assert_int_equal(rig_set_title(r, "t", "", "bob", &got), UM_OK);
    assert_string_equal(got.title, "t");
    assert_int_equal(rig_load(r, "t", &got), UM_OK);
    assert_string_equal(got.updates, "a");
}

static void an_append_is_a_change_by_its_author(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_create(r, "by", "By", "zoe", NULL);
    rig_append(r, "by", "0123456789", NULL);      /* by ann */
    assert_int_equal(rig_get(r, "by", &got), UM_OK);
    assert_string_equal(got.created_by, "zoe");
    assert_string_equal(got.updated_by, "ann");
    assert_true(got.updated_at_ms >= got.created_at_ms);
    assert_true(got.bytes >= 10);
    assert_int_equal(rig_fold(r, "by", "S", 1, 0, NULL), UM_OK);
    assert_int_equal(rig_get(r, "by", &got), UM_OK);
    assert_string_equal(got.updated_by, "ann");   /* a fold changes nothing that people see */
}

/* Lets the wall clock move on, so that two changes have two moments. */
static void next_millisecond(void)
{
    int64_t now_ms = um_wall_ms();

    while (um_wall_ms() == now_ms)
        ;
}

static void the_newest_change_comes_first(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_create(r, "l1", "listed one", "ann", NULL);
    next_millisecond();
    rig_create(r, "l2", "listed two", "ann", NULL);
    next_millisecond();
    rig_create(r, "l3", "listed three", "ann", NULL);
    next_millisecond();
    assert_int_equal(rig_list(r, "listed", 10, NULL, &got), UM_OK);
    assert_string_equal(got.names, "l3 l2 l1 ");
    assert_int_equal(got.found, 3);
    assert_string_equal(got.after, "");
    rig_append(r, "l1", "a", NULL);
    assert_int_equal(rig_list(r, "listed", 10, NULL, &got), UM_OK);
    assert_string_equal(got.names, "l1 l3 l2 ");
    rig_delete(r, "l3", NULL);
    assert_int_equal(rig_list(r, "listed", 10, NULL, &got), UM_OK);
    assert_string_equal(got.names, "l1 l2 ");
    assert_int_equal(got.found, 2);
}

static void pages_together_hold_every_document_once(void **state)
{
    struct rig *r = *state;
    struct got got, made = { 0 };
    char after[128] = "", name[16], all[512] = "";
    size_t pages = 0;

    for (int i = 0; i < 23; i++) {                /* at once: many share a moment */
        snprintf(name, sizeof(name), "p%02d", i);
        um_store_create(r->st, r->loop, name, "paged", "ann", got_entry, &made);
    }
    rig_turn_until(r, &made.calls, 23);
    do {
        assert_int_equal(rig_list(r, "paged", 5, after[0] != '\0' ? after : NULL, &got), UM_OK);
        assert_int_equal(got.found, 23);
        assert_true(got.n <= 5);
        strcat(all, got.names);
        strcpy(after, got.after);
        pages++;
    } while (after[0] != '\0' && pages < 100);
    assert_int_equal(pages, 5);
    assert_int_equal(strlen(all), 23 * 4);
    for (int i = 0; i < 23; i++) {
        snprintf(name, sizeof(name), "p%02d ", i);
        assert_non_null(strstr(all, name));
    }
}

static void a_search_is_for_a_part_in_any_case_and_takes_signs_literally(void **state)
{
    struct rig *r = *state;
    struct got got;

    rig_create(r, "s1", "Needle in HAY", "ann", NULL);
    rig_create(r, "s2", "100% _needle_", "ann", NULL);
    rig_create(r, "s3", "back\\slash", "ann", NULL);
    rig_append(r, "needle-without-title", "a", NULL);
    assert_int_equal(rig_list(r, "nEEDle", 10, NULL, &got), UM_OK);
    assert_int_equal(got.found, 3);
    assert_int_equal(rig_list(r, "0% _", 10, NULL, &got), UM_OK);
    assert_string_equal(got.names, "s2 ");
    assert_int_equal(rig_list(r, "n_edle", 10, NULL, &got), UM_OK);
    assert_int_equal(got.found, 0);
    assert_int_equal(rig_list(r, "k\\s", 10, NULL, &got), UM_OK);
    assert_string_equal(got.names, "s3 ");
    assert_int_equal(rig_list(r, "' OR 1=1 --", 10, NULL, &got), UM_OK);
    assert_int_equal(got.found, 0);
}

static void a_cursor_that_is_not_ours_is_refused(void **state)
{
    struct rig *r = *state;
    static const char *const bad[] = {
        "", "x", "AAAA", "not base64!",
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" "AAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),      /* longer than any */
    };
    struct got got;
    char after[128];

    for (size_t i = 0; i < UM_COUNT(bad); i++)
        assert_int_equal(rig_list(r, NULL, 10, bad[i], NULL), UM_EINVAL);
    rig_create(r, "c1", "cursor", "ann", NULL);
    rig_create(r, "c2", "cursor", "ann", NULL);
    assert_int_equal(rig_list(r, "cursor", 1, NULL, &got), UM_OK);
    strcpy(after, got.after);
    after[0] = after[0] == 'A' ? 'B' : 'A';
    assert_int_equal(rig_list(r, "cursor", 1, after, NULL), UM_EINVAL);
}

/* ---- limits ---- */

static void wrong_arguments_are_told_by_the_callback(void **state)
{
    struct rig *r = *state;
    char name[600];

    memset(name, 'n', sizeof(name));
    name[513] = '\0';
    assert_int_equal(rig_append(r, name, "a", NULL), UM_EINVAL);
    name[512] = '\0';
    assert_int_equal(rig_append(r, name, "a", NULL), UM_OK);
    assert_int_equal(rig_append(r, "", "a", NULL), UM_EINVAL);
    assert_int_equal(rig_append(r, "bad\xff", "a", NULL), UM_EINVAL);
    assert_int_equal(rig_append(r, "empty", "", NULL), UM_EINVAL);
    assert_int_equal(rig_load(r, "", NULL), UM_EINVAL);
    assert_int_equal(rig_list(r, NULL, 0, NULL, NULL), UM_EINVAL);
    assert_int_equal(rig_list(r, NULL, 1001, NULL, NULL), UM_EINVAL);
    memset(name, 't', sizeof(name));
    name[257] = '\0';
    assert_int_equal(rig_list(r, name, 10, NULL, NULL), UM_EINVAL);
}

static void an_update_beyond_the_limit_is_refused(void **state)
{
    struct rig *r = *state;
    struct got got = { 0 };
    struct um_bytes *b = um_bytes_new((64u << 20) + 1);

    assert_non_null(b);
    um_store_append(r->st, r->loop, "big", b, "ann", got_number, &got);
    um_bytes_unref(b);
    rig_turn_until(r, &got.calls, 1);
    assert_int_equal(got.err, UM_ELIMIT);
    assert_int_equal(rig_load(r, "big", &got), UM_OK);
    assert_false(got.exists);
}

static void more_than_may_wait_is_refused_at_once(void **state)
{
    struct rig *r = *state;
    struct got fits = { 0 }, too_much = { 0 };
    struct um_bytes *b = um_bytes_new((1 << 20) - 2048);

    memset(b->data, 'x', b->len);
    rig_close(r);
    r->conf.commit_delay_ms = 1000;
    rig_open(r);
    assert_int_equal(rig_append(r, "wait", "x", NULL), UM_OK);     /* at once, after a silence; the next waits for company */
    um_store_append(r->st, r->loop, "wait", b, "ann", got_number, &fits);
    um_store_append(r->st, r->loop, "wait", b, "ann", got_number, &too_much);
    um_bytes_unref(b);
    rig_turn_until(r, &too_much.calls, 1);
    assert_int_equal(too_much.err, UM_EUNAVAIL);
    assert_int_equal(fits.calls, 0);
    rig_turn_until(r, &fits.calls, 1);
    assert_int_equal(fits.err, UM_OK);
    assert_int_equal(rig_append(r, "wait", "y", NULL), UM_OK);     /* there is room again */
}

static void a_closed_store_calls_nobody(void **state)
{
    struct rig *r = *state;
    struct got got = { 0 };
    struct um_bytes *b = text_bytes("x");

    for (int i = 0; i < 10; i++) {
        um_store_append(r->st, r->loop, "closing", b, "ann", got_number, &got);
        um_store_load(r->st, r->loop, "closing", got_load, &got);
    }
    um_bytes_unref(b);
    um_store_close(r->st);
    r->st = NULL;
    for (int i = 0; i < 3; i++)
        um_loop_turn(r->loop, 0);
    assert_int_equal(got.calls, 0);
    rig_close(r);
    rig_open(r);
    if (url != NULL && strcmp(url, "memory:") == 0)
        return;
    assert_int_equal(rig_load(r, "closing", &got), UM_OK);
    assert_int_equal(got.last_seq, 10);           /* what waited was finished */
}

static void a_fresh_store_is_healthy(void **state)
{
    struct rig *r = *state;

    assert_true(um_store_is_healthy(r->st));
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static int run_suite(const char *title, const char *at)
{
    static const struct CMUnitTest tests[] = {
        T(a_fresh_store_is_healthy),
        T(an_unknown_document_loads_as_absent),
        T(updates_come_back_in_order_with_rising_numbers),
        T(any_bytes_and_any_name_survive),
        T(all_byte_values_survive),
        T(appends_of_one_document_keep_their_order_in_any_company),
        T(appends_of_several_threads_keep_each_documents_order),
        T(a_lonely_append_into_memory_is_made_before_the_call_returns_and_told_later),
        T(every_loop_hears_its_own),
        T(a_load_beside_appends_is_of_one_moment),
        T(folding_replaces_the_state_and_trims_the_log),
        T(the_second_of_two_folders_is_told_and_changes_nothing),
        T(a_state_can_be_the_first_thing_stored),
        T(a_long_log_is_trimmed_in_steps),
        T(what_is_deleted_stays_deleted),
        T(deleting_what_is_gone_is_fine),
        T(a_created_document_tells_who_and_when),
        T(a_title_can_be_changed_and_taken_away),
        T(an_append_is_a_change_by_its_author),
        T(the_newest_change_comes_first),
        T(pages_together_hold_every_document_once),
        T(a_search_is_for_a_part_in_any_case_and_takes_signs_literally),
        T(a_cursor_that_is_not_ours_is_refused),
        T(wrong_arguments_are_told_by_the_callback),
        T(an_update_beyond_the_limit_is_refused),
        T(more_than_may_wait_is_refused_at_once),
        T(a_closed_store_calls_nobody),
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
