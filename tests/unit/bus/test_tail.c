/* The tail of the streams: what is kept, what may be cut, what a document gets that is opened later. */
#include "um_test.h"
#include <stdio.h>
#include <string.h>
#include "bus_tail.h"

static struct um_span S(const char *s) { return UM_SPAN(s, strlen(s)); }

static void put_update(struct um_buf *out, uint64_t origin, const char *name, uint64_t number, uint64_t stored)
{
    struct bus_at at = { S(name), 1, number, stored };

    um_buf_clear(out);
    bus_put_head(out, BUS_UPDATE, origin);
    bus_put_at(out, &at);
    um_buf_put_varuint(out, 0);
}

static bool add(struct tail *t, uint64_t ms, uint64_t origin, const char *name, uint64_t number, uint64_t stored)
{
    struct um_buf b = { 0 };
    bool taken;

    put_update(&b, origin, name, number, stored);
    taken = tail_add(t, tail_stream_of(S(name)), (struct tail_id){ ms, 0 }, UM_SPAN(b.data, b.len), (int64_t)ms);
    um_buf_free(&b);
    return taken;
}

static void beat(struct tail *t, uint64_t origin, const char *name, uint64_t stored)
{
    struct bus_at at = { S(name), 1, stored, stored };
    struct um_buf b = { 0 };

    bus_put_head(&b, BUS_BEAT, origin);
    bus_put_at(&b, &at);
    tail_hear(t, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

struct seen { size_t n; uint64_t numbers[8], stored; };
static void see(void *arg, struct um_span message, uint64_t stored)
{
    struct seen *s = arg;
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;

    assert_true(bus_read_head(message, &r, &kind, &origin));
    s->numbers[s->n++] = bus_read_at(&r).number;
    s->stored = stored;
}

static struct seen replay(struct tail *t, const char *name)
{
    struct seen s = { 0 };

    size_t n = tail_replay(t, S(name), see, &s);

    assert_int_equal(n, s.n);
    return s;
}

static void a_document_gets_its_own_updates_in_order_and_each_once(void **state)
{
    struct tail t;

    (void)state;
    tail_init(&t);
    assert_true(add(&t, 10, 7, "a", 1, 0));
    assert_true(add(&t, 30, 7, "a", 3, 0));
    assert_true(add(&t, 20, 8, "a", 2, 0));          /* a stream is read again from its beginning */
    assert_false(add(&t, 30, 7, "a", 3, 0));
    assert_true(add(&t, 40, 7, "b", 1, 0));
    struct seen s = replay(&t, "a");
    assert_int_equal(s.n, 3);
    assert_true(s.numbers[0] == 1 && s.numbers[1] == 2 && s.numbers[2] == 3);
    assert_int_equal(replay(&t, "b").n, 1);
    assert_int_equal(replay(&t, "c").n, 0);
    tail_free(&t);
}

static void nothing_is_cut_before_its_speaker_has_said_that_it_is_stored(void **state)
{
    unsigned i = tail_stream_of(S("a"));
    struct tail_id upto;
    struct tail t;

    (void)state;
    tail_init(&t);
    add(&t, 10, 7, "a", 1, 0);
    add(&t, 20, 8, "a", 1, 0);
    add(&t, 30, 7, "a", 2, 1);                       /* 1 of hub 7 is stored */
    assert_false(tail_trim(&t, i, 11, &upto));        /* too young */
    assert_true(tail_trim(&t, i, 100000, &upto));
    assert_true(upto.ms == 10 && upto.seq == 1);
    beat(&t, 7, "a", 2);
    assert_false(tail_trim(&t, i, 100000, &upto));    /* hub 8 has said nothing */
    assert_int_equal(replay(&t, "a").n, 2);
    beat(&t, 8, "a", 1);
    assert_true(tail_trim(&t, i, 100000, &upto));
    assert_true(upto.ms == 30 && upto.seq == 1);
    assert_true(tail_is_empty(&t, i) && t.n == 0 && t.bytes == 0);
    tail_free(&t);
}

static bool is_of_hub_8(void *arg, struct um_span document, uint64_t origin)
{
    (void)arg;
    assert_true(um_span_eq(document, S("a")));
    return origin == 8;
}
static void count_gone(void *arg, unsigned stream, struct tail_id id)
{
    assert_true(stream == tail_stream_of(S("a")) && id.ms == 20);
    ++*(int *)arg;
}

static void what_was_stored_for_the_dead_is_dropped_alone(void **state)
{
    unsigned i = tail_stream_of(S("a"));
    struct tail t;
    int gone = 0;

    (void)state;
    tail_init(&t);
    add(&t, 10, 7, "a", 1, 0);
    add(&t, 20, 8, "a", 1, 0);
    tail_orphans(&t, 25, 100, is_of_hub_8, count_gone, &gone);
    assert_int_equal(gone, 0);                       /* too young to ask */
    tail_orphans(&t, 1000, 100, is_of_hub_8, count_gone, &gone);
    assert_int_equal(gone, 1);
    assert_int_equal(replay(&t, "a").n, 1);
    tail_forget(&t, i, (struct tail_id){ 11, 0 });
    assert_true(tail_is_empty(&t, i));
    tail_free(&t);
}

static void positions_and_messages_of_others_are_not_believed(void **state)
{
    static const char *const bad[] = { "", "1", "1-", "-1", "x-1", "1-2-3", "1-x" };
    struct tail_id id;
    struct tail t;

    (void)state;
    tail_init(&t);
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        if (strcmp(bad[i], "1-") != 0 && tail_id_read(S(bad[i]), &id))
            fail_msg("%s", bad[i]);
    assert_true(tail_id_read(S("17-4"), &id) && id.ms == 17 && id.seq == 4);
    assert_false(tail_add(&t, 0, id, S("nonsense"), 0));
    assert_false(tail_add(&t, 0, id, S("\x01\x03" "12345678" "\xff"), 0));
    tail_hear(&t, S("\x01\x05" "12345678" "\xff"));
    assert_int_equal(t.n, 0);
    tail_free(&t);
}

static void too_much_costs_the_oldest_and_is_known(void **state)
{
    struct tail t;

    (void)state;
    tail_init(&t);
    for (uint64_t i = 0; i <= TAIL_MAX_ENTRIES; i++)
        add(&t, i + 1, 7, "a", i + 1, 0);
    assert_int_equal(t.n, TAIL_MAX_ENTRIES);
    assert_true(t.has_holes);
    tail_forget(&t, tail_stream_of(S("a")), (struct tail_id){ UINT64_MAX, 0 });
    assert_false(t.has_holes);
    tail_free(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_gets_its_own_updates_in_order_and_each_once),
        cmocka_unit_test(nothing_is_cut_before_its_speaker_has_said_that_it_is_stored),
        cmocka_unit_test(what_was_stored_for_the_dead_is_dropped_alone),
        cmocka_unit_test(positions_and_messages_of_others_are_not_believed),
        cmocka_unit_test(too_much_costs_the_oldest_and_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
