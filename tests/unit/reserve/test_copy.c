/* The order of reports, and the bytes of news: pure. */
#include "um_test.h"
#include <umbel/util.h>
#include "copy.h"
#include "news.h"

enum { MARGIN = 10 };

/* What one component lived through, as its row was each time. */
static const struct um_store_reserved life[] = {
    { "DOCUMENT", "d", "ann", "s1", 1, 100, 500 },           /* granted */
    { "DOCUMENT", "d", "ann", "s1", 1, 100, 900 },           /* renewed */
    { "DOCUMENT", "d", "", "", 1, 0, 0 },                    /* given back */
    { "DOCUMENT", "d", "bob", "s2", 2, 200, 700 },           /* granted to another */
    { "DOCUMENT", "d", "", "", 3, 0, 0 },                    /* broken */
    { "DOCUMENT", "d", "zoe", "s3", 4, 300, 600 },
};

static void report(struct copy *c, const struct um_store_reserved *row, uint64_t version, struct copy_outcome *o)
{
    assert_true(copy_report(c, row, version, 1000, MARGIN, o));
}

static struct um_reserve_holder look(struct copy *c, int64_t now_ms, enum um_reserve_is *is)
{
    struct um_reserve_holder h;

    c->loaded = true;
    *is = copy_look(c, "DOCUMENT", "d", now_ms, &h);
    return h;
}

/* Tries every order of the first N of LIFE: whatever is told last, the newest wins. */
static void try_orders(unsigned n, unsigned left, unsigned *order, unsigned used)
{
    if (left > 0) {
        for (unsigned i = 0; i < n; i++)
            if (!(used & 1u << i)) {
                order[n - left] = i;
                try_orders(n, left - 1, order, used | 1u << i);
            }
        return;
    }
    struct copy c;
    struct copy_outcome o;
    enum um_reserve_is is;

    copy_init(&c);
    for (unsigned i = 0; i < 2 * n; i++)                     /* each twice */
        report(&c, &life[order[i % n]], order[i % n] + 1, &o);
    struct um_reserve_holder h = look(&c, 1000, &is);
    assert_int_equal(is, *life[n - 1].session != '\0' ? UM_RESERVE_HELD : UM_RESERVE_FREE);
    assert_string_equal(is == UM_RESERVE_HELD ? h.user : "", life[n - 1].user);
    assert_int_equal(c.held, is == UM_RESERVE_HELD);
    if (n == 2)
        assert_int_equal(h.sure_ms, 1000 + 900 - MARGIN);    /* the longer lease, in either order */
    copy_free(&c);
}

static void reports_in_any_order_end_in_the_same(void **state)
{
    unsigned order[UM_COUNT(life)];

    (void)state;
    for (unsigned n = 1; n <= UM_COUNT(life); n++)
        try_orders(n, n, order, 0);
}

static void each_change_is_told_once(void **state)
{
    struct copy c;
    struct copy_outcome o;

    (void)state;
    copy_init(&c);
    report(&c, &life[0], 1, &o);
    assert_int_equal(o.verdict, COPY_TAKEN);
    assert_string_equal(o.user, "ann");
    report(&c, &life[0], 1, &o);
    assert_int_equal(o.verdict, COPY_SAME);
    report(&c, &life[1], 2, &o);
    assert_int_equal(o.verdict, COPY_SAME);
    report(&c, &life[2], 3, &o);
    assert_int_equal(o.verdict, COPY_FREED);
    assert_string_equal(o.user, "ann");
    report(&c, &life[2], 3, &o);
    assert_int_equal(o.verdict, COPY_SAME);
    copy_free(&c);
}

static void a_lease_is_doubtful_before_it_ends_and_sure_again_when_confirmed(void **state)
{
    struct copy c;
    struct copy_outcome o;
    enum um_reserve_is is;
    struct um_store_ref due[4];
    int64_t next;

    (void)state;
    copy_init(&c);
    report(&c, &life[0], 1, &o);
    look(&c, 1000 + 500 - MARGIN - 1, &is);
    assert_int_equal(is, UM_RESERVE_HELD);
    assert_int_equal(copy_due(&c, 1000, due, 4, &next), 0);
    assert_int_equal(next, 1000 + 500 - MARGIN);
    look(&c, 1000 + 500 - MARGIN, &is);
    assert_int_equal(is, UM_RESERVE_DOUBTFUL);
    assert_int_equal(copy_due(&c, 1000 + 500 - MARGIN, due, 4, &next), 1);
    assert_string_equal(due[0].id, "d");
    free((char *)due[0].category);
    free((char *)due[0].id);
    assert_true(copy_report(&c, &life[0], 1, 1495, MARGIN, &o));      /* the database says: 500 ms from now */
    assert_int_equal(o.verdict, COPY_CONFIRMED);
    look(&c, 1500, &is);
    assert_int_equal(is, UM_RESERVE_HELD);
    copy_free(&c);
}

static size_t due(struct copy *c, int64_t now_ms, int64_t *next_ms)
{
    struct um_store_ref refs[4];
    size_t n = copy_due(c, now_ms, refs, UM_COUNT(refs), next_ms);

    for (size_t i = 0; i < n; i++) {
        free((char *)refs[i].category);
        free((char *)refs[i].id);
    }
    return n;
}

static void the_database_is_asked_once_a_second_about_a_doubtful_lease_and_when_it_should_be_over(void **state)
{
    enum { SURE = 1000 + 3000 - 1500 };
    struct um_store_reserved row = { "DOCUMENT", "d", "ann", "s1", 1, 100, 3000 };
    struct copy c;
    struct copy_outcome o;
    int64_t next;

    (void)state;
    copy_init(&c);
    assert_true(copy_report(&c, &row, 1, 1000, 1500, &o));
    assert_int_equal(due(&c, SURE, &next), 1);
    assert_int_equal(next, SURE + COPY_RECHECK_MS);
    assert_int_equal(due(&c, SURE + COPY_RECHECK_MS - 1, &next), 0);
    assert_int_equal(due(&c, SURE + COPY_RECHECK_MS, &next), 1);
    assert_int_equal(next, 1000 + 3000);
    assert_int_equal(due(&c, 1000 + 3000, &next), 1);
    assert_int_equal(next, 1000 + 3000 + COPY_RECHECK_MS);
    row.left_ms = 9000;                                      /* confirmed: later it is asked about anew */
    assert_true(copy_report(&c, &row, 2, 4100, 1500, &o));
    assert_int_equal(due(&c, 4100, &next), 0);
    assert_int_equal(next, 4100 + 9000 - 1500);
    copy_free(&c);
}

static void what_a_session_holds_does_not_count_again_when_it_takes_it_again(void **state)
{
    struct um_store_ref refs[] = { { "DOCUMENT", "d", 0 }, { "DOCUMENT", "e", 0 } };
    struct copy c;
    struct copy_outcome o;

    (void)state;
    copy_init(&c);
    report(&c, &life[0], 1, &o);
    assert_true(copy_has_room(&c, "s1", refs, 1, 1, 1));
    assert_true(copy_has_room(&c, "s1", refs, 2, 2, 2));
    assert_false(copy_has_room(&c, "s1", refs, 2, 2, 1));
    assert_false(copy_has_room(&c, "s2", refs, 1, 1, 1));
    copy_free(&c);
}

static void note_absent(void *arg, const char *category, const char *id, const struct copy_outcome *o)
{
    (void)category;
    snprintf(arg, 1024, "%s:%s", id, o->user);
}

static void what_a_reading_lacks_is_free_unless_it_is_newer(void **state)
{
    struct um_map nothing = { 0 };
    char absent[1024] = "";
    struct copy c;
    struct copy_outcome o;
    enum um_reserve_is is;

    (void)state;
    copy_init(&c);
    report(&c, &life[0], 7, &o);
    copy_sweep_absent(&c, &nothing, 6, 1000, note_absent, absent);    /* read before it was granted */
    look(&c, 1000, &is);
    assert_int_equal(is, UM_RESERVE_HELD);
    assert_string_equal(absent, "");
    copy_sweep_absent(&c, &nothing, 7, 1000, note_absent, absent);
    look(&c, 1000, &is);
    assert_int_equal(is, UM_RESERVE_FREE);
    assert_string_equal(absent, "d:ann");
    copy_free(&c);
}

static void a_grave_is_forgotten_in_the_end(void **state)
{
    struct copy c;
    struct copy_outcome o;
    struct um_store_ref due[4];
    int64_t next;

    (void)state;
    copy_init(&c);
    report(&c, &life[2], 3, &o);
    assert_int_equal(c.entries.n, 1);
    copy_due(&c, 1000 + COPY_GRAVE_MS, due, 4, &next);
    assert_int_equal(c.entries.n, 0);
    copy_free(&c);
}

static void before_it_was_read_everything_is_doubtful(void **state)
{
    struct um_reserve_holder h;
    struct copy c;

    (void)state;
    copy_init(&c);
    assert_int_equal(copy_look(&c, "DOCUMENT", "d", 5, &h), UM_RESERVE_DOUBTFUL);
    copy_free(&c);
}

/* ---- news ---- */

struct read_back { unsigned n; bool same; };

static void compare_row(void *arg, const struct news_head *head, const struct um_store_reserved *row)
{
    struct read_back *r = arg;
    const struct um_store_reserved *want = &life[r->n++];

    r->same = r->same && head->event == UM_RESERVE_BROKEN && strcmp(head->by, "root") == 0 && strcmp(row->category, want->category) == 0 &&
              strcmp(row->id, want->id) == 0 && strcmp(row->user, want->user) == 0 && strcmp(row->session, want->session) == 0 &&
              row->token == want->token && row->since_ms == want->since_ms && row->left_ms == want->left_ms;
}

static void nothing_of_it(void *arg, const struct news_head *head, const struct um_store_reserved *row)
{
    (void)arg;
    (void)head;
    (void)row;
}

static void news_is_read_as_it_was_written_and_nothing_else_is(void **state)
{
    struct read_back r = { 0, true };
    struct um_buf b = { 0 };

    (void)state;
    news_write(&b, UM_RESERVE_BROKEN, "root", life, UM_COUNT(life));
    assert_true(news_read(UM_SPAN(b.data, b.len), compare_row, &r));
    assert_int_equal(r.n, UM_COUNT(life));
    assert_true(r.same);
    for (size_t n = 0; n < b.len; n++)                       /* cut anywhere, it is refused */
        assert_false(news_read(UM_SPAN(b.data, n), nothing_of_it, NULL));
    um_buf_put_u8(&b, 0);
    assert_false(news_read(UM_SPAN(b.data, b.len), nothing_of_it, NULL));
    b.data[0] = 2;                                           /* a format of the future */
    assert_false(news_read(UM_SPAN(b.data, b.len - 1), nothing_of_it, NULL));
    um_buf_free(&b);
}

static void more_than_fits_is_told_without_rows(void **state)
{
    struct um_store_reserved *many = um_xcalloc(2000, sizeof(*many));
    struct um_buf b = { 0 };

    (void)state;
    for (size_t i = 0; i < 2000; i++) {
        many[i] = life[0];
        many[i].id = "0123456789012345678901234567890123456789";
    }
    news_write(&b, UM_RESERVE_TAKEN, "", many, 2000);
    assert_int_equal(b.len, 0);
    um_buf_free(&b);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_in_any_order_end_in_the_same),
        cmocka_unit_test(each_change_is_told_once),
        cmocka_unit_test(a_lease_is_doubtful_before_it_ends_and_sure_again_when_confirmed),
        cmocka_unit_test(the_database_is_asked_once_a_second_about_a_doubtful_lease_and_when_it_should_be_over),
        cmocka_unit_test(what_a_session_holds_does_not_count_again_when_it_takes_it_again),
        cmocka_unit_test(what_a_reading_lacks_is_free_unless_it_is_newer),
        cmocka_unit_test(a_grave_is_forgotten_in_the_end),
        cmocka_unit_test(before_it_was_read_everything_is_doubtful),
        cmocka_unit_test(news_is_read_as_it_was_written_and_nothing_else_is),
        cmocka_unit_test(more_than_fits_is_told_without_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
