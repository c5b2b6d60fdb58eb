/* Presence by itself: the clock rules of y-protocols, our deviations from the stock server, limits, expiry, ownership.
 *
 * Deviations: nulls are applied and told; an id belongs to the seat whose entry was accepted last; a client that comes back
 * with its old clock is asked for a higher one. */
#include "vectors.h"
#include <inttypes.h>
#include "bus_wire.h"
#include "presence.h"

static const struct presence_limits loose = { 1000, 100, 100 };
static const char *const ann = "ann", *const ann2 = "ann again", *const bob = "bob";

/* Users: owners whose names begin alike are one. */
static um_err say(struct presence *p, struct um_span update, const void *owner, int64_t now_ms, const struct presence_limits *limits,
                  struct presence_result *out)
{
    struct presence_speaker by = { owner, *(const char *)owner == 'a' ? "a" : "b", false, false };

    return presence_apply(p, update, &by, now_ms, limits, out);
}

static void put_entry(struct um_buf *b, uint64_t client, uint64_t clock, const char *state)
{
    um_buf_put_varuint(b, client);
    um_buf_put_varuint(b, clock);
    um_buf_put_varuint(b, strlen(state));
    um_buf_puts(b, state);
}

static um_err apply(struct presence *p, const void *owner, int64_t now_ms, uint64_t client, uint64_t clock, const char *state,
                    struct presence_result *out)
{
    struct um_buf b = { 0 };
    um_err err;

    um_buf_put_u8(&b, 1);
    put_entry(&b, client, clock, state);
    err = say(p, UM_SPAN(b.data, b.len), owner, now_ms, &loose, out);
    um_buf_free(&b);
    return err;
}

static const struct presence_entry *find(const struct presence *p, uint64_t client)
{
    return um_map_get(&p->by_client, UM_SPAN(&client, sizeof(client)));
}

static void clear_dirty(struct presence *p)
{
    struct um_buf b = { 0 };
    const void *owner;

    (void)presence_take_dirty(p, &b, &owner);
    um_buf_free(&b);
}

static unsigned dirty(struct presence *p)
{
    unsigned n = 0;

    UM_LIST_EACH(it, &p->dirty)
        n++;
    return n;
}

/* ---- the worked cases of y-protocols ------------------------------------------------------------------------------- */

static void set_up(struct presence *p, json_t *before)
{
    const char *client;
    json_t *e;
    struct presence_result r;

    json_object_foreach(before, client, e) {
        uint64_t id = strtoull(client, NULL, 10), clock = (uint64_t)json_integer_value(json_object_get(e, "clock"));
        char *state = json_dumps(json_object_get(e, "state"), JSON_ENCODE_ANY | JSON_COMPACT);
        assert_int_equal(apply(p, ann, 0, id, clock, state, &r), UM_OK);
        assert_int_equal(r.accepted, 1);
        free(state);
    }
    clear_dirty(p);
}

static void check_after(const struct presence *p, json_t *after, const char *name)
{
    const char *client;
    json_t *e;

    if (p->n_known != json_object_size(after))
        fail_msg("%s: %zu ids are known", name, p->n_known);
    json_object_foreach(after, client, e) {
        const struct presence_entry *got = find(p, strtoull(client, NULL, 10));
        json_t *want = json_object_get(e, "state");
        assert_non_null(got);
        assert_int_equal(got->clock, json_integer_value(json_object_get(e, "clock")));
        if ((got->state == NULL) != json_is_null(want))
            fail_msg("%s: the state of %s", name, client);
        if (got->state != NULL) {
            json_t *state = json_loadb(got->state, got->state_len, JSON_DECODE_ANY, NULL);
            assert_true(json_equal(state, want));
            json_decref(state);
        }
    }
}

static size_t reported(json_t *event)
{
    return json_array_size(json_object_get(event, "added")) + json_array_size(json_object_get(event, "updated")) +
           json_array_size(json_object_get(event, "removed"));
}

static void the_clock_rules_are_those_of_y_protocols(void **state)
{
    json_t *all = vector_file("awareness-rules.json"), *entry;
    struct um_buf bytes = { 0 };
    size_t i;

    (void)state;
    json_array_foreach(all, i, entry) {
        struct presence p;
        struct presence_result r;
        presence_init(&p);
        set_up(&p, json_object_get(entry, "before"));
        assert_int_equal(say(&p, vector_bytes(entry, &bytes), ann, 0, &loose, &r), UM_OK);
        check_after(&p, json_object_get(entry, "after"), vector_text(entry, "name"));
        if (dirty(&p) != reported(json_object_get(entry, "update_event")))
            fail_msg("%s: %u ids would be told", vector_text(entry, "name"), dirty(&p));
        presence_free(&p);
    }
    assert_int_equal(i, 16);
    um_buf_free(&bytes);
    json_decref(all);
}

/* ---- our own rules --------------------------------------------------------------------------------------------------- */

static void an_id_belongs_to_the_seat_that_spoke_last_for_it(void **state)
{
    struct presence p;
    struct presence_result r;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 7, 1, "{}", &r), UM_OK);
    assert_int_equal(apply(&p, bob, 0, 7, 2, "{}", &r), UM_OK);          /* another user: ignored */
    assert_int_equal(r.accepted, 0);
    assert_false(r.needs_query);
    assert_int_equal(apply(&p, ann2, 0, 7, 2, "{}", &r), UM_OK);         /* the same user on a new connection */
    assert_int_equal(r.accepted, 1);
    presence_owner_left(&p, ann);
    assert_non_null(find(&p, 7)->state);
    clear_dirty(&p);
    presence_owner_left(&p, ann2);
    assert_null(find(&p, 7)->state);
    assert_int_equal(find(&p, 7)->clock, 2);
    assert_int_equal(dirty(&p), 1);
    assert_int_equal(apply(&p, bob, 0, 7, 3, "{}", &r), UM_OK);          /* nobody owns it now */
    assert_int_equal(r.accepted, 1);
    presence_free(&p);
}

static void a_client_that_was_taken_for_gone_is_asked_and_an_echo_revives_nobody(void **state)
{
    struct presence p;
    struct presence_result r;
    struct um_buf b = { 0 };

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 7, 5, "{}", &r), UM_OK);
    presence_owner_left(&p, ann);
    assert_int_equal(apply(&p, ann2, 0, 7, 5, "{}", &r), UM_OK);
    assert_int_equal(r.accepted, 0);
    assert_null(find(&p, 7)->state);
    assert_true(r.needs_query);
    assert_int_equal(r.query_client, 7);
    assert_int_equal(r.query_clock, 5);
    um_buf_put_u8(&b, 2);                                               /* with others beside it nothing is asked */
    put_entry(&b, 7, 5, "{}");
    put_entry(&b, 8, 1, "{}");
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann2, 0, &loose, &r), UM_OK);
    assert_false(r.needs_query);
    um_buf_free(&b);
    presence_free(&p);
}

/* The next one who is to be asked is at SEAT, and was taken for gone under CLOCK. */
static void expect_contested(struct presence *p, const void *seat, uint64_t id, uint64_t at)
{
    const void *who;
    uint64_t client, clock;

    assert_true(presence_take_contested(p, &who, &client, &clock));
    assert_ptr_equal(who, seat);
    assert_int_equal(client, id);
    assert_int_equal(clock, at);
    assert_false(presence_take_contested(p, &who, &client, &clock));
}

static void expect_nobody_contested(struct presence *p)
{
    const void *who;
    uint64_t client, clock;

    assert_false(presence_take_contested(p, &who, &client, &clock));
}

static void who_came_back_before_the_earlier_connection_ended_is_asked_when_it_ends(void **state)
{
    struct presence p;
    struct presence_result r;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 7, 5, "{}", &r), UM_OK);
    assert_int_equal(apply(&p, ann2, 0, 7, 5, "{}", &r), UM_OK);         /* the old connection has not ended yet */
    assert_int_equal(r.accepted, 0);
    expect_nobody_contested(&p);
    presence_owner_left(&p, ann);
    expect_contested(&p, ann2, 7, 5);
    assert_int_equal(apply(&p, ann2, 0, 7, 6, "{}", &r), UM_OK);
    presence_owner_left(&p, ann2);
    expect_nobody_contested(&p);
    presence_free(&p);
}

static void one_who_repeats_what_others_said_is_not_asked_for_them(void **state)
{
    struct presence p;
    struct presence_result r;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann2, 0, 8, 1, "{}", &r), UM_OK);
    assert_int_equal(apply(&p, ann, 0, 7, 5, "{}", &r), UM_OK);
    assert_int_equal(apply(&p, ann2, 0, 7, 5, "{}", &r), UM_OK);
    presence_owner_left(&p, ann);
    expect_nobody_contested(&p);
    presence_free(&p);
}

static const char core[] = "core", core2[] = "core, started again";

static void told_by(struct presence *p, const void *who, bool is_all, uint64_t client, uint64_t clock, const char *state)
{
    struct presence_result r;
    struct um_buf b = { 0 };

    if (client != 0)
        bus_put_presence(&b, &(struct bus_presence){ client, clock, UM_SPAN_STR(state), UM_SPAN_STR("a") });
    assert_int_equal(presence_apply_told(p, UM_SPAN(b.data, b.len), is_all, who, 0, &loose, &r), UM_OK);
    um_buf_free(&b);
}

/* CORE tells of ann's client CLIENT (0: of nobody). */
static void core_tells(struct presence *p, bool is_all, uint64_t client, uint64_t clock, const char *state)
{
    told_by(p, core, is_all, client, clock, state);
}

static void who_is_back_at_a_core_that_started_again_outlives_its_former_life(void **state)
{
    struct presence p;

    (void)state;
    presence_init(&p);
    core_tells(&p, false, 7, 5, "{}");
    told_by(&p, core2, true, 7, 5, "{}");
    presence_owner_left(&p, core);
    assert_non_null(find(&p, 7)->state);
    presence_owner_left(&p, core2);
    assert_null(find(&p, 7)->state);
    presence_free(&p);
}

static void whom_another_core_does_not_name_among_all_has_gone(void **state)
{
    struct presence p;
    struct presence_result r;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, bob, 0, 1, 1, "{}", &r), UM_OK);
    core_tells(&p, false, 7, 5, "{}");
    core_tells(&p, false, 8, 5, "{}");
    assert_non_null(find(&p, 7)->state);
    core_tells(&p, true, 8, 5, "{}");
    assert_null(find(&p, 7)->state);
    assert_non_null(find(&p, 8)->state);
    core_tells(&p, true, 0, 0, NULL);
    assert_null(find(&p, 8)->state);
    assert_non_null(find(&p, 1)->state);                                 /* connected here */
    presence_free(&p);
}

static void whom_another_core_took_for_gone_is_asked_where_they_are(void **state)
{
    struct presence here, there;
    struct presence_result r;
    struct um_buf news = { 0 };

    (void)state;
    presence_init(&here);
    presence_init(&there);
    assert_int_equal(apply(&here, ann, 0, 7, 5, "{}", &r), UM_OK);
    core_tells(&there, false, 7, 5, "{}");
    presence_owner_left(&there, core);                                   /* silent for too long */
    assert_false(presence_take_news(&there, &news));
    core_tells(&there, true, 7, 5, "{}");                                /* and back */
    assert_null(find(&there, 7)->state);
    assert_true(presence_take_news(&there, &news));
    assert_int_equal(presence_apply_told(&here, UM_SPAN(news.data, news.len), false, core, 0, &loose, &r), UM_OK);
    assert_non_null(find(&here, 7)->state);
    expect_contested(&here, ann, 7, 5);
    um_buf_free(&news);
    presence_free(&here);
    presence_free(&there);
}

static void each_limit_holds_at_its_value_and_refuses_one_more(void **state)
{
    struct presence_limits limits = { 6, 2, 3 };
    struct presence_result r;
    struct presence p;
    struct um_buf b = { 0 };

    (void)state;
    presence_init(&p);
    um_buf_put_u8(&b, 1);
    put_entry(&b, 1, 1, "\"1234\"");
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann, 0, &limits, &r), UM_OK);
    um_buf_clear(&b);
    um_buf_put_u8(&b, 1);
    put_entry(&b, 1, 2, "\"12345\"");                                    /* a state of 7 bytes */
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann, 0, &limits, &r), UM_ELIMIT);
    assert_int_equal(find(&p, 1)->clock, 1);
    um_buf_clear(&b);
    um_buf_put_u8(&b, 2);
    put_entry(&b, 2, 1, "{}");
    put_entry(&b, 3, 1, "{}");
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann, 0, &limits, &r), UM_OK);
    b.data[0] = 3;
    put_entry(&b, 1, 9, "{}");                                           /* three ids in a frame */
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann, 0, &limits, &r), UM_ELIMIT);
    um_buf_clear(&b);
    um_buf_put_u8(&b, 1);
    put_entry(&b, 4, 1, "{}");                                           /* a fourth id of the document */
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann, 0, &limits, &r), UM_ELIMIT);
    assert_int_equal(p.n_known, 3);
    um_buf_free(&b);
    presence_free(&p);
}

static void a_malformed_frame_changes_nothing(void **state)
{
    static const struct { const char *hex; } bad[] = {
        { "" }, { "02" }, { "01" }, { "0107" }, { "010701" }, { "0107010b7b22" },
        { "020701027b7d0801047b626164" },        /* the second state is {bad */
        { "0107010100" },                        /* a NUL is no JSON */
        { "01070102c328" },                      /* not UTF-8 */
        { "01ffffffffffffffffff0101027b7d" },    /* an id beyond 2^53 */
        { "ffffffff0f0701027b7d" },              /* four thousand million entries */
    };
    struct presence p;
    struct presence_result r;
    struct um_buf b = { 0 };

    (void)state;
    presence_init(&p);
    for (size_t i = 0; i < UM_COUNT(bad); i++) {
        um_buf_clear(&b);
        assert_true(um_hex_decode(&b, UM_SPAN_STR(bad[i].hex)));
        if (say(&p, UM_SPAN(b.data, b.len), ann, 0, &loose, &r) != UM_EPROTO)
            fail_msg("%s was taken", bad[i].hex);
    }
    assert_int_equal(p.n_known, 0);
    um_buf_free(&b);
    presence_free(&p);
}

static void whatever_json_parse_takes_is_a_state(void **state)
{
    static const char *const good[] = { "{}", "[]", "\"\"", "0", "-1.5e3", "true", " {} ", "12345678901234567890", "\"\\u0000\"",
                                        "\"\\ud83d\"", "\"\\ude00\\ud83d\"", "{\"\\uD800\":\"\\uDFFF\"}", "\"\\\\ud83d\"" };
    static const char *const bad[] = { "{", "{a:1}", "\"\\u12\"", "\"\\ud83\"", "nul", "undefined", "1 2", "\"\\q\"", "'a'" };
    struct presence p;
    struct presence_result r;

    (void)state;
    presence_init(&p);
    for (size_t i = 0; i < UM_COUNT(good); i++) {
        if (apply(&p, ann, 0, 1, i + 1, good[i], &r) != UM_OK)
            fail_msg("%s was refused", good[i]);
        assert_memory_equal(find(&p, 1)->state, good[i], strlen(good[i]));
    }
    for (size_t i = 0; i < UM_COUNT(bad); i++)
        if (apply(&p, ann, 0, 1, 100 + i, bad[i], &r) != UM_EPROTO)
            fail_msg("%s was taken", bad[i]);
    presence_free(&p);
}

static void a_state_that_is_not_renewed_goes_and_its_clock_is_remembered_for_a_while(void **state)
{
    struct presence p;
    struct presence_result r;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 1000, 7, 4, "{}", &r), UM_OK);
    clear_dirty(&p);
    assert_false(presence_expire(&p, 30999, 30000));
    assert_true(presence_expire(&p, 31000, 30000));
    assert_null(find(&p, 7)->state);
    assert_int_equal(find(&p, 7)->clock, 4);
    assert_int_equal(dirty(&p), 1);
    clear_dirty(&p);
    assert_false(presence_expire(&p, 300999, 30000));
    assert_int_equal(p.n_known, 1);
    assert_false(presence_expire(&p, 301000, 30000));
    assert_int_equal(p.n_known, 0);
    assert_null(find(&p, 7));
    presence_free(&p);
}

static void changes_of_a_turn_are_one_frame_that_names_its_only_owner(void **state)
{
    struct presence p;
    struct presence_result r;
    struct um_buf b = { 0 };
    const void *owner;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 7, 1, "{}", &r), UM_OK);
    assert_int_equal(apply(&p, ann, 0, 7, 2, "[]", &r), UM_OK);
    assert_true(presence_take_dirty(&p, &b, &owner));
    assert_ptr_equal(owner, ann);
    assert_true(um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN("\1\7\2\2[]", 6)));
    um_buf_clear(&b);
    assert_false(presence_take_dirty(&p, &b, &owner));
    assert_int_equal(apply(&p, ann, 0, 7, 3, "1", &r), UM_OK);
    assert_int_equal(apply(&p, bob, 0, 8, 1, "2", &r), UM_OK);
    assert_true(presence_take_dirty(&p, &b, &owner));
    assert_null(owner);                                                  /* from two: both hear it */
    um_buf_clear(&b);
    assert_true(presence_encode_all(&p, &b));
    assert_true(um_span_eq(UM_SPAN(b.data, b.len), UM_SPAN("\2\7\3\1" "1\10\1\1" "2", 9)));
    um_buf_free(&b);
    presence_free(&p);
}

static void a_reader_that_has_missed_something_is_told_who_left_too(void **state)
{
    struct um_buf now = { 0 }, known = { 0 }, want = { 0 };
    struct presence_result r;
    struct presence p;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 1, 1, "{}", &r), UM_OK);
    assert_int_equal(apply(&p, bob, 0, 2, 5, "{}", &r), UM_OK);
    presence_owner_left(&p, bob);
    assert_true(presence_encode_all(&p, &now));
    um_buf_put_u8(&want, 1);
    put_entry(&want, 1, 1, "{}");
    assert_true(um_span_eq(UM_SPAN(now.data, now.len), UM_SPAN(want.data, want.len)));
    assert_true(presence_encode_known(&p, &known));
    um_buf_clear(&want);
    um_buf_put_u8(&want, 2);
    put_entry(&want, 1, 1, "{}");
    put_entry(&want, 2, 5, "null");
    assert_true(um_span_eq(UM_SPAN(known.data, known.len), UM_SPAN(want.data, want.len)));
    um_buf_free(&now);
    um_buf_free(&known);
    um_buf_free(&want);
    presence_free(&p);
}

/* WANT: client, clock, state of the one entry; 0: none. */
static void assert_update(const struct um_buf *got, uint64_t client, uint64_t clock, const char *state)
{
    struct um_buf want = { 0 };

    um_buf_put_u8(&want, client != 0);
    if (client != 0)
        put_entry(&want, client, clock, state);
    assert_true(um_span_eq(UM_SPAN(got->data, got->len), UM_SPAN(want.data, want.len)));
    um_buf_free(&want);
}

static void stock_servers_are_told_once_of_those_who_are_here_and_of_nobody_else(void **state)
{
    struct presence_speaker stock = { "stock", NULL, true, false };
    struct um_buf b = { 0 };
    struct presence_result r;
    struct presence p;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 7, 1, "{}", &r), UM_OK);
    assert_int_equal(presence_apply(&p, UM_SPAN("\1\10\1\2{}", 6), &stock, 0, &loose, &r), UM_OK);
    assert_int_equal(r.accepted, 1);
    presence_encode_own(&p, &b);
    assert_update(&b, 7, 1, "{}");
    um_buf_clear(&b);
    assert_true(presence_take_stock_news(&p, &b));
    assert_update(&b, 7, 1, "{}");
    um_buf_clear(&b);
    assert_false(presence_take_stock_news(&p, &b));
    assert_true(presence_take_news(&p, &b));                             /* the cores have not been told by that */
    um_buf_clear(&b);
    presence_owner_left(&p, ann);
    assert_true(presence_take_stock_news(&p, &b));
    assert_update(&b, 7, 1, "null");
    um_buf_clear(&b);
    presence_encode_own(&p, &b);
    assert_update(&b, 0, 0, "");
    um_buf_free(&b);
    presence_free(&p);
}

static void a_stock_server_does_not_send_away_who_is_connected_here(void **state)
{
    struct presence_speaker stock = { "stock", NULL, true, false };
    struct presence_result r;
    struct presence p;

    (void)state;
    presence_init(&p);
    assert_int_equal(apply(&p, ann, 0, 7, 5, "{}", &r), UM_OK);
    assert_int_equal(presence_apply(&p, UM_SPAN("\1\7\5\4null", 8), &stock, 0, &loose, &r), UM_OK);
    assert_int_equal(r.accepted, 0);
    assert_non_null(find(&p, 7)->state);
    presence_free(&p);
}

static um_err claim(struct presence *p, struct um_span update, const char *owner, int64_t now_ms)
{
    struct presence_speaker by = { owner, *owner == 'a' ? "a" : "b", false, true };
    struct presence_result r;

    return presence_apply(p, update, &by, now_ms, &loose, &r);
}

/* A gateway brings Ann from another core, with what she last said there. */
static void who_is_claimed_is_here_and_nobody_is_told_that_she_left(void **state)
{
    struct um_buf b = { 0 }, out = { 0 };
    struct presence_speaker by_core = { core, "a", true, false };
    struct presence_result r;
    struct presence p;
    const void *owner;

    (void)state;
    presence_init(&p);
    um_buf_put_varuint(&b, 1);
    put_entry(&b, 7, 5, "{}");
    assert_int_equal(presence_apply(&p, UM_SPAN(b.data, b.len), &by_core, 0, &loose, &r), UM_OK);
    assert_true(presence_take_dirty(&p, &out, &owner));
    um_buf_clear(&out);
    assert_int_equal(claim(&p, UM_SPAN(b.data, b.len), ann, 0), UM_OK);
    assert_false(presence_take_dirty(&p, &out, &owner));        /* nothing is new for readers */
    assert_true(presence_take_news(&p, &out));                   /* other cores hear whose she is */
    presence_owner_left(&p, core);
    assert_false(presence_take_dirty(&p, &out, &owner));
    assert_int_equal(p.n_present, 1);
    presence_owner_left(&p, ann);
    assert_int_equal(p.n_present, 0);
    um_buf_free(&b);
    um_buf_free(&out);
    presence_free(&p);
}

static void who_has_moved_stays_until_she_is_heard_elsewhere_or_for_too_long_not(void **state)
{
    struct um_buf b = { 0 };
    struct presence_result r;
    struct presence p;

    (void)state;
    presence_init(&p);
    um_buf_put_varuint(&b, 1);
    put_entry(&b, 7, 5, "{}");
    assert_int_equal(say(&p, UM_SPAN(b.data, b.len), ann, 20000, &loose, &r), UM_OK);
    presence_owner_moved(&p, ann, INT64_MAX);
    presence_owner_left(&p, ann);
    assert_int_equal(p.n_present, 1);
    assert_false(presence_expire(&p, 49999, 30000));
    assert_int_equal(claim(&p, UM_SPAN(b.data, b.len), ann2, 40000), UM_OK);
    presence_owner_moved(&p, ann2, 5000);                        /* a core that is lost: it counts as heard then */
    assert_true(presence_expire(&p, 35000, 30000));
    assert_int_equal(p.n_present, 0);
    um_buf_free(&b);
    presence_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_clock_rules_are_those_of_y_protocols),
        cmocka_unit_test(an_id_belongs_to_the_seat_that_spoke_last_for_it),
        cmocka_unit_test(a_client_that_was_taken_for_gone_is_asked_and_an_echo_revives_nobody),
        cmocka_unit_test(who_came_back_before_the_earlier_connection_ended_is_asked_when_it_ends),
        cmocka_unit_test(one_who_repeats_what_others_said_is_not_asked_for_them),
        cmocka_unit_test(who_is_back_at_a_core_that_started_again_outlives_its_former_life),
        cmocka_unit_test(whom_another_core_does_not_name_among_all_has_gone),
        cmocka_unit_test(whom_another_core_took_for_gone_is_asked_where_they_are),
        cmocka_unit_test(each_limit_holds_at_its_value_and_refuses_one_more),
        cmocka_unit_test(a_malformed_frame_changes_nothing),
        cmocka_unit_test(whatever_json_parse_takes_is_a_state),
        cmocka_unit_test(a_state_that_is_not_renewed_goes_and_its_clock_is_remembered_for_a_while),
        cmocka_unit_test(changes_of_a_turn_are_one_frame_that_names_its_only_owner),
        cmocka_unit_test(a_reader_that_has_missed_something_is_told_who_left_too),
        cmocka_unit_test(stock_servers_are_told_once_of_those_who_are_here_and_of_nobody_else),
        cmocka_unit_test(a_stock_server_does_not_send_away_who_is_connected_here),
        cmocka_unit_test(who_is_claimed_is_here_and_nobody_is_told_that_she_left),
        cmocka_unit_test(who_has_moved_stays_until_she_is_heard_elsewhere_or_for_too_long_not),
    };
    return cmocka_run_group_tests_name("collab presence", tests, NULL, NULL);
}
