/* The short ways of typing and taking back leave exactly what the long way leaves: every replica is kept twice, once
 * with an observer, for which the short ways step aside. */
#include "support.h"
#include <edit.h>
#include <posindex.h>
#include <stdlib.h>
#include <umbel/crdt_events.h>

#define REPLICAS 3
#define STEPS 1500

struct replica {
    struct um_crdt *fast, *slow;
    struct um_crdt_type text_fast, text_slow;
    uint32_t cursor;
    size_t seen[REPLICAS];            /* of each replica's events */
};

struct session {
    uint32_t seed;
    bool marks;
    struct replica r[REPLICAS];
    struct um_buf events[REPLICAS];   /* each behind its length in 4 bytes */
    unsigned typed, taken;
};

static uint32_t next_random(struct session *s)
{
    s->seed = s->seed * 1664525u + 1013904223u;
    return s->seed >> 8;
}

static void hear_nothing(void *arg, const struct um_crdt_changes *changes)
{
    (void)arg;
    (void)changes;
}

static struct um_crdt *text_new(struct um_crdt_type *text, bool gc)
{
    struct um_crdt *doc = doc_new(gc);

    assert_int_equal(um_crdt_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, text) == UM_OK, true);
    return doc;
}

static uint32_t length_of(const struct replica *r)
{
    uint32_t n;

    assert_int_equal(um_crdt_length(r->fast, &r->text_fast, &n), UM_OK);
    return n;
}

/* ---- one call on both ----------------------------------------------------------------------------------- */

static void insert(struct session *s, struct replica *r, uint32_t at)
{
    static const char *const words[] = { "a", "b", "c", "de", "\xc3\xa9", "\xf0\x9f\x98\x80", "x\xf0\x9f\x98\x80", "long" };
    const char *text = words[next_random(s) % UM_COUNT(words)];
    struct um_span word = UM_SPAN_STR(text), none = UM_SPAN(NULL, 0);

    assert_int_equal(um_crdt_text_insert(r->fast, &r->text_fast, at, word, none), UM_OK);
    assert_int_equal(um_crdt_text_insert(r->slow, &r->text_slow, at, word, none), UM_OK);
    r->cursor = at + (uint32_t)utf16_len(word);
}

static void delete(struct replica *r, uint32_t at, uint32_t n)
{
    assert_int_equal(um_crdt_text_delete(r->fast, &r->text_fast, at, n), UM_OK);
    assert_int_equal(um_crdt_text_delete(r->slow, &r->text_slow, at, n), UM_OK);
    r->cursor = at;
}

static void format(struct session *s, struct replica *r, uint32_t at, uint32_t n)
{
    const char *text = next_random(s) % 2 == 0 ? "{\"b\":true}" : "{\"b\":null}";
    struct um_span attrs = UM_SPAN_STR(text);

    assert_int_equal(um_crdt_text_format(r->fast, &r->text_fast, at, n, attrs), UM_OK);
    assert_int_equal(um_crdt_text_format(r->slow, &r->text_slow, at, n, attrs), UM_OK);
}

/* Mostly what people do: typing on, taking back on either side of the cursor; sometimes elsewhere. */
static void edit(struct session *s, struct replica *r)
{
    uint32_t len = length_of(r), what = next_random(s) % 20, n = 1 + (next_random(s) % 4 == 0 ? next_random(s) % 3 : 0);

    r->cursor = UM_MIN(r->cursor, len);
    if (what < 9 || len == 0)
        insert(s, r, r->cursor);
    else if (what < 13)
        delete(r, r->cursor - UM_MIN(r->cursor, n), UM_MIN(r->cursor, n));
    else if (what < 16)
        delete(r, r->cursor, UM_MIN(n, len - r->cursor));
    else if (what == 16)
        insert(s, r, next_random(s) % (len + 1));
    else if (what == 17)
        delete(r, next_random(s) % len, 1);
    else if (what == 18 && s->marks)
        format(s, r, r->cursor, n);
    else
        r->cursor = next_random(s) % (len + 1);
}

/* ---- transactions, delivery ----------------------------------------------------------------------------- */

static void note_event(struct session *s, uint32_t from, struct um_span event)
{
    uint32_t len = (uint32_t)event.len;

    um_buf_put(&s->events[from], &len, 4);
    um_buf_put(&s->events[from], event.data, event.len);
}

static bool same(struct um_span a, struct um_span b) { return um_span_eq(a, b); }

static void transact(struct session *s, uint32_t who)
{
    struct replica *r = &s->r[who];
    struct um_crdt_applied a, b;
    uint32_t calls = next_random(s) % 5 == 0 ? 1 + next_random(s) % 4 : 1;

    assert_int_equal(um_crdt_begin(r->fast, 100 + who, NULL), UM_OK);
    assert_int_equal(um_crdt_begin(r->slow, 100 + who, NULL), UM_OK);
    while (calls-- > 0)
        edit(s, r);
    s->typed += r->fast->edit->course == COURSE_TYPED;
    s->taken += r->fast->edit->course == COURSE_TAKEN;
    assert_false(r->slow->edit->course == COURSE_TYPED || r->slow->edit->course == COURSE_TAKEN);
    assert_int_equal(um_crdt_commit(r->fast, &a), UM_OK);
    assert_int_equal(um_crdt_commit(r->slow, &b), UM_OK);
    assert_true(a.changed == b.changed && same(a.event, b.event));
    if (a.changed)
        note_event(s, who, a.event);
}

/* The next events of FROM, if there are any. */
static void deliver(struct session *s, uint32_t who, uint32_t from, uint32_t n)
{
    struct replica *r = &s->r[who];

    for (; n > 0 && r->seen[from] < s->events[from].len; n--) {
        const uint8_t *p = s->events[from].data + r->seen[from];
        struct um_crdt_applied a, b;
        uint32_t len;

        memcpy(&len, p, 4);
        r->seen[from] += 4 + len;
        assert_int_equal(um_crdt_apply(r->fast, UM_SPAN(p + 4, len), &a), UM_OK);
        assert_int_equal(um_crdt_apply(r->slow, UM_SPAN(p + 4, len), &b), UM_OK);
        assert_true(a.changed == b.changed && same(a.event, b.event) && a.n_more == b.n_more);
        for (size_t i = 0; i < a.n_more; i++)
            assert_true(same(a.more[i], b.more[i]));
    }
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

static void check_replica(const struct replica *r)
{
    struct um_buf a = state_of(r->fast), b = state_of(r->slow);

    assert_true(same(buf_span(&a), buf_span(&b)));
    for (uint32_t t = 1; t < r->fast->types.n; t++)
        assert_true(posindex_is_sound(r->fast, t));
    um_buf_free(&a);
    um_buf_free(&b);
}

static void run(uint32_t seed, bool gc, bool marks, unsigned *typed, unsigned *taken)
{
    struct session s = { .seed = seed, .marks = marks };

    for (uint32_t i = 0; i < REPLICAS; i++) {
        s.r[i].fast = text_new(&s.r[i].text_fast, gc);
        s.r[i].slow = text_new(&s.r[i].text_slow, gc);
        um_crdt_observe(s.r[i].slow, hear_nothing, NULL);
    }
    for (unsigned n = 0; n < STEPS; n++) {
        uint32_t who = next_random(&s) % REPLICAS, from = next_random(&s) % REPLICAS;

        for (uint32_t k = next_random(&s) % 12; k > 0; k--)
            transact(&s, who);
        if (from != who)
            deliver(&s, who, from, next_random(&s) % 30);
        if (n % 10 == 0)
            check_replica(&s.r[who]);
    }
    *typed += s.typed;
    *taken += s.taken;
    for (uint32_t i = 0; i < REPLICAS; i++) {
        check_replica(&s.r[i]);
        um_crdt_free(s.r[i].fast);
        um_crdt_free(s.r[i].slow);
        um_buf_free(&s.events[i]);
    }
}

static void short_ways_leave_what_the_long_way_leaves(void **state)
{
    unsigned typed = 0, taken = 0;

    (void)state;
    for (uint32_t seed = 1; seed <= 4; seed++)
        run(seed, true, false, &typed, &taken);
    assert_true(typed > 4000 && taken > 500);
}

static void also_among_marks_and_without_collection(void **state)
{
    unsigned typed = 0, taken = 0;

    (void)state;
    run(11, true, true, &typed, &taken);
    assert_true(typed > 500);
    taken = 0;
    run(12, false, false, &typed, &taken);
    assert_int_equal(taken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_ways_leave_what_the_long_way_leaves),
        cmocka_unit_test(also_among_marks_and_without_collection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
