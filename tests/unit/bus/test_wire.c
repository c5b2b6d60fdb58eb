/* unit.bus_wire: what is written is read, and nothing else is. */
#include "um_test.h"
#include "bus_wire.h"

#define ORIGIN UINT64_C(0xfedcba9876540001)

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

static struct um_reader body_of(const struct um_buf *b, enum bus_kind want)
{
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;

    assert_true(bus_read_head(span_of(b), &r, &kind, &origin));
    assert_int_equal(kind, want);
    assert_true(origin == ORIGIN);
    return r;
}

static void expect_at(struct bus_at at, const struct bus_at *want)
{
    assert_true(um_span_eq(at.name, want->name));
    assert_true(at.epoch == want->epoch && at.number == want->number && at.stored == want->stored);
}

static const struct bus_at at = { { (const uint8_t *)"doc", 3 }, 7, 300, 299 };
static const struct bus_ident ident = { { (const uint8_t *)"core-1", 6 }, 1700000000000, 4 };

/* ---- whole messages ---- */

static void put_hello(struct um_buf *out)
{
    bus_put_head(out, BUS_HELLO, ORIGIN);
    bus_put_ident(out, &ident);
    for (int i = 0; i < 2; i++) {
        bus_put_at(out, &at);
        um_buf_put_u8(out, BUS_WANTS_STATE);
        um_buf_put_varbytes(out, UM_SPAN_STR("vector"));
    }
}

static void read_hello(struct um_reader *r)
{
    struct bus_ident id = bus_read_ident(r);

    assert_true(um_span_eq(id.member, ident.member) && id.started_ms == ident.started_ms && id.hubs == ident.hubs);
    for (int i = 0; i < 2; i++) {
        expect_at(bus_read_at(r), &at);
        assert_int_equal(um_read_u8(r), BUS_WANTS_STATE);
        assert_true(um_span_eq(um_read_varbytes(r), UM_SPAN_STR("vector")));
    }
}

static void put_state(struct um_buf *out)
{
    bus_put_head(out, BUS_STATE, ORIGIN);
    bus_put_ident(out, &ident);
    um_buf_put_u8(out, BUS_HAS_DOCUMENT | BUS_IN_STORE);
    bus_put_at(out, &at);
    um_buf_put_varbytes(out, UM_SPAN_STR("vector"));
    um_buf_put_varbytes(out, UM_SPAN_STR("update"));
    um_buf_put_varbytes(out, UM_SPAN(NULL, 0));
    um_buf_put_varuint(out, 2);
    for (uint64_t i = 0; i < 2; i++) {
        bus_put_origin(out, ORIGIN + i);
        um_buf_put_varuint(out, 3 + i);
        um_buf_put_varuint(out, UINT64_C(1) << 40);
    }
}

static void read_state(struct um_reader *r)
{
    struct bus_state s;

    bus_read_ident(r);
    s = bus_read_state(r);
    assert_int_equal(s.flags, BUS_HAS_DOCUMENT | BUS_IN_STORE);
    expect_at(s.at, &at);
    assert_true(um_span_eq(s.sv, UM_SPAN_STR("vector")) && um_span_eq(s.update, UM_SPAN_STR("update")) && s.presence.len == 0);
    assert_int_equal(s.n_doubts, 2);
    for (uint64_t i = 0; i < 2; i++) {
        struct bus_doubt x = bus_read_doubt(&s.doubts);
        assert_true(x.origin == ORIGIN + i && x.epoch == 3 + i && x.number == UINT64_C(1) << 40);
    }
}

static void put_update(struct um_buf *out)
{
    bus_put_head(out, BUS_UPDATE, ORIGIN);
    bus_put_at(out, &at);
    um_buf_put_varuint(out, 2);
    um_buf_put_varbytes(out, UM_SPAN_STR("one"));
    um_buf_put_varbytes(out, UM_SPAN_STR(""));
}

static void read_update(struct um_reader *r)
{
    expect_at(bus_read_at(r), &at);
    assert_int_equal(um_read_varuint(r), 2);
    assert_true(um_span_eq(um_read_varbytes(r), UM_SPAN_STR("one")));
    assert_int_equal(um_read_varbytes(r).len, 0);
}

static void put_presence(struct um_buf *out)
{
    struct um_buf told = { 0 };

    bus_put_presence(&told, &(struct bus_presence){ 42, 7, UM_SPAN_STR("{}"), UM_SPAN_STR("ann") });
    bus_put_head(out, BUS_PRESENCE, ORIGIN);
    um_buf_put_varbytes(out, UM_SPAN_STR("doc"));
    um_buf_put_varbytes(out, span_of(&told));
    um_buf_free(&told);
}

static void read_presence(struct um_reader *r)
{
    struct um_reader told;
    struct bus_presence p;

    assert_true(um_span_eq(um_read_varbytes(r), UM_SPAN_STR("doc")));
    told = um_reader(um_read_varbytes(r));
    p = bus_read_presence(&told);
    assert_true(p.client == 42 && p.clock == 7 && um_span_eq(p.state, UM_SPAN_STR("{}")) && um_span_eq(p.user, UM_SPAN_STR("ann")));
    assert_true(!told.failed && um_reader_left(&told) == 0);
}

static void put_beat(struct um_buf *out)
{
    bus_put_head(out, BUS_BEAT, ORIGIN);
    bus_put_at(out, &at);
    bus_put_at(out, &at);
}

static void read_beat(struct um_reader *r)
{
    expect_at(bus_read_at(r), &at);
    expect_at(bus_read_at(r), &at);
}

static void put_bye(struct um_buf *out)
{
    bus_put_head(out, BUS_BYE, ORIGIN);
    bus_put_at(out, &at);
}

static void read_bye(struct um_reader *r) { expect_at(bus_read_at(r), &at); }

static void put_order(struct um_buf *out)
{
    bus_put_head(out, BUS_ORDER, ORIGIN);
    um_buf_put_u8(out, BUS_CLOSE);
    um_buf_put_varbytes(out, UM_SPAN_STR(""));
    um_buf_put_varbytes(out, UM_SPAN_STR("why"));
}

static void read_order(struct um_reader *r)
{
    assert_int_equal(um_read_u8(r), BUS_CLOSE);
    assert_int_equal(um_read_varbytes(r).len, 0);
    assert_true(um_span_eq(um_read_varbytes(r), UM_SPAN_STR("why")));
}

static const struct {
    enum bus_kind kind;
    void (*put)(struct um_buf *out);
    void (*read)(struct um_reader *r);
} kinds[] = {
    { BUS_HELLO, put_hello, read_hello },   { BUS_STATE, put_state, read_state }, { BUS_UPDATE, put_update, read_update },
    { BUS_PRESENCE, put_presence, read_presence }, { BUS_BEAT, put_beat, read_beat }, { BUS_BYE, put_bye, read_bye },
    { BUS_ORDER, put_order, read_order },
};

static void what_is_written_is_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < UM_COUNT(kinds); i++) {
        struct um_buf b = { 0 };
        struct um_reader r;
        kinds[i].put(&b);
        r = body_of(&b, kinds[i].kind);
        kinds[i].read(&r);
        assert_false(r.failed);
        assert_int_equal(um_reader_left(&r), 0);
        um_buf_free(&b);
    }
}

/* ---- malformed ---- */

static bool head_is_read(const void *bytes, size_t n)
{
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;

    return bus_read_head(UM_SPAN(bytes, n), &r, &kind, &origin);
}

static void what_has_no_head_of_ours_is_refused(void **state)
{
    uint8_t head[BUS_HEAD_BYTES] = { BUS_VERSION, BUS_BEAT };

    (void)state;
    assert_true(head_is_read(head, sizeof(head)));
    for (size_t n = 0; n < sizeof(head); n++)
        assert_false(head_is_read(head, n));
    head[0] = BUS_VERSION + 1;
    assert_false(head_is_read(head, sizeof(head)));
    head[0] = BUS_VERSION;
    head[1] = 0;
    assert_false(head_is_read(head, sizeof(head)));
    head[1] = BUS_ORDER + 1;
    assert_false(head_is_read(head, sizeof(head)));
}

static void a_message_over_the_limit_is_dropped_unread(void **state)
{
    uint8_t *big = calloc(1, BUS_MAX_MESSAGE + 1);

    (void)state;
    assert_non_null(big);
    big[0] = BUS_VERSION;
    big[1] = BUS_UPDATE;
    assert_true(head_is_read(big, BUS_MAX_MESSAGE));
    assert_false(head_is_read(big, BUS_MAX_MESSAGE + 1));
    free(big);
}

static bool at_is_read(struct um_span name, uint64_t number, uint64_t stored)
{
    struct um_buf b = { 0 };
    struct um_reader r;

    bus_put_at(&b, &(struct bus_at){ name, 1, number, stored });
    r = um_reader(span_of(&b));
    bus_read_at(&r);
    um_buf_free(&b);
    return !r.failed;
}

static void a_position_has_a_name_and_nothing_stored_that_was_not_appended(void **state)
{
    char *name = malloc(BUS_MAX_NAME + 1);

    (void)state;
    memset(name, 'n', BUS_MAX_NAME + 1);
    assert_true(at_is_read(UM_SPAN_STR("d"), 5, 5));
    assert_false(at_is_read(UM_SPAN_STR("d"), 5, 6));
    assert_false(at_is_read(UM_SPAN_STR(""), 0, 0));
    assert_true(at_is_read(UM_SPAN(name, BUS_MAX_NAME), 0, 0));
    assert_false(at_is_read(UM_SPAN(name, BUS_MAX_NAME + 1), 0, 0));
    free(name);
}

static bool ident_is_read(size_t member, uint64_t hubs)
{
    char name[BUS_MAX_MEMBER + 1];
    struct um_buf b = { 0 };
    struct um_reader r;

    memset(name, 'm', sizeof(name));
    bus_put_ident(&b, &(struct bus_ident){ UM_SPAN(name, member), 0, hubs });
    r = um_reader(span_of(&b));
    bus_read_ident(&r);
    um_buf_free(&b);
    return !r.failed;
}

static void a_core_has_a_name_and_hubs(void **state)
{
    (void)state;
    assert_true(ident_is_read(1, 1));
    assert_true(ident_is_read(BUS_MAX_MEMBER, BUS_MAX_HUBS));
    assert_false(ident_is_read(0, 1));
    assert_false(ident_is_read(BUS_MAX_MEMBER + 1, 1));
    assert_false(ident_is_read(1, 0));
    assert_false(ident_is_read(1, BUS_MAX_HUBS + 1));
}

static bool state_is_read(uint64_t said, uint64_t there)
{
    struct um_buf b = { 0 };
    struct um_reader r;

    um_buf_put_u8(&b, BUS_HAS_DOCUMENT);
    bus_put_at(&b, &at);
    for (int i = 0; i < 3; i++)
        um_buf_put_varbytes(&b, UM_SPAN(NULL, 0));
    um_buf_put_varuint(&b, said);
    for (uint64_t i = 0; i < there; i++) {
        bus_put_origin(&b, i);
        um_buf_put_varuint(&b, 1);
        um_buf_put_varuint(&b, 1);
    }
    r = um_reader(span_of(&b));
    bus_read_state(&r);
    um_buf_free(&b);
    return !r.failed;
}

static void doubts_are_as_many_as_are_said_and_not_too_many(void **state)
{
    (void)state;
    assert_true(state_is_read(0, 0));
    assert_true(state_is_read(BUS_MAX_DOUBTS, BUS_MAX_DOUBTS));
    assert_false(state_is_read(BUS_MAX_DOUBTS + 1, BUS_MAX_DOUBTS + 1));
    assert_false(state_is_read(2, 1));
    assert_false(state_is_read(UINT64_C(1) << 52, 3));
}

/* Cut anywhere, a message fails, or is a shorter list; nothing is read behind its end (as the address sanitizer sees). */
static void a_message_that_was_cut_fails(void **state)
{
    (void)state;
    for (size_t n = BUS_HEAD_BYTES;; n++) {
        struct um_buf b = { 0 };
        struct um_reader r;
        uint8_t *copy;
        bool whole;

        put_state(&b);
        whole = n == b.len;
        copy = malloc(n);
        memcpy(copy, b.data, n);
        um_buf_free(&b);
        r = um_reader(UM_SPAN(copy, n));
        r.p += BUS_HEAD_BYTES;
        bus_read_ident(&r);
        bus_read_state(&r);
        assert_true(r.failed == !whole);
        free(copy);
        if (whole)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(what_has_no_head_of_ours_is_refused),
        cmocka_unit_test(a_message_over_the_limit_is_dropped_unread),
        cmocka_unit_test(a_position_has_a_name_and_nothing_stored_that_was_not_appended),
        cmocka_unit_test(a_core_has_a_name_and_hubs),
        cmocka_unit_test(doubts_are_as_many_as_are_said_and_not_too_many),
        cmocka_unit_test(a_message_that_was_cut_fails),
    };

    return cmocka_run_group_tests_name("bus wire", tests, NULL, NULL);
}
