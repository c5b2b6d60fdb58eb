/* What cores tell one another, one story each. */
#include "test_bus.h"

/* Ann at core A and Bob at core B, with document "d" open in front of them, and quiet. */
struct duo {
    struct world w;
    struct core *a, *b;
    struct actor *ann, *bob;
};

static void duo_open_comparing(struct duo *d, int64_t every_ms)
{
    world_open(&d->w, 1);
    d->w.cf.compare_interval_ms = every_ms;
    d->a = core_start(&d->w, 0);
    d->b = core_start(&d->w, 1);
    d->ann = actor_new(&d->w, "d");
    d->bob = actor_new(&d->w, "d");
    actor_connect(d->ann, d->a);
    world_until(&d->w, d->ann->synced);
    actor_connect(d->bob, d->b);
    world_until(&d->w, d->bob->synced && actor_sees(d->ann, d->bob) && actor_sees(d->bob, d->ann));
    world_run(&d->w, 30000, 100);            /* all that is said after a while is said */
    actor_show(d->ann);
    actor_show(d->bob);
    world_run(&d->w, 100, 5);
    world_forget_sent(&d->w);
}

static void duo_open(struct duo *d) { duo_open_comparing(d, 3600000); }

static unsigned sent(const struct world *w)
{
    unsigned n = 0;

    for (unsigned kind = BUS_HELLO; kind <= BUS_ORDER; kind++)
        n += w->sent[kind];
    return n;
}

static bool is_acknowledged(const struct actor *a) { return um_list_is_empty(&a->unacked); }

/* ---- what an edit costs ---- */

static void an_edit_costs_one_message_and_none_when_alone(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    actor_type(d.ann, "x");
    world_until(&d.w, actor_text_is(d.bob, "x") && is_acknowledged(d.ann));
    assert_int_equal(sent(&d.w), 1);
    actor_leave(d.bob);
    world_until(&d.w, core_peer(d.a, "d", d.b) == NULL);
    world_run(&d.w, 30000, 100);
    world_forget_sent(&d.w);
    actor_type(d.ann, "y");
    actor_show(d.ann);
    world_run(&d.w, 30000, 100);
    assert_true(is_acknowledged(d.ann));
    assert_int_equal(sent(&d.w), 0);
    world_close(&d.w);
}

static void a_message_does_not_grow_with_the_document(void **state)
{
    struct duo d;
    size_t first;

    (void)state;
    duo_open(&d);
    actor_type(d.ann, "a");
    world_run(&d.w, 100, 5);
    first = d.w.longest[BUS_UPDATE];
    for (int i = 0; i < 300; i++) {
        actor_type(i % 2 ? d.ann : d.bob, "some words ");
        world_step(&d.w, 5);
    }
    world_run(&d.w, 20000, 100);
    world_forget_sent(&d.w);
    actor_type(d.ann, "a");
    world_run(&d.w, 20000, 100);
    assert_int_equal(d.w.sent[BUS_UPDATE], 1);
    assert_true(d.w.longest[BUS_UPDATE] <= first + 16);
    for (unsigned kind = BUS_HELLO; kind <= BUS_ORDER; kind++)   /* nor does anything else that follows a letter */
        assert_true(d.w.longest[kind] < 200);
    world_close(&d.w);
}

static void three_cores_hear_one_message(void **state)
{
    struct duo d;
    struct actor *zoe;

    (void)state;
    duo_open(&d);
    zoe = actor_new(&d.w, "d");
    actor_connect(zoe, core_start(&d.w, 2));
    world_until(&d.w, zoe->synced);
    world_run(&d.w, 30000, 100);
    world_forget_sent(&d.w);
    actor_type(d.bob, "x");
    world_until(&d.w, actor_text_is(d.ann, "x") && actor_text_is(zoe, "x"));
    assert_int_equal(sent(&d.w), 1);
    world_close(&d.w);
}

/* ---- opening ---- */

static void who_opens_is_answered_by_who_has_it_and_by_who_has_not(void **state)
{
    struct duo d;
    struct core *c;
    struct actor *zoe;
    int64_t unanswered = bench_count(C_BUS_NO_ANSWER);

    (void)state;
    duo_open(&d);
    actor_leave(d.bob);
    actor_type(d.ann, "here");
    world_run(&d.w, 3000, 100);
    c = core_start(&d.w, 2);
    zoe = actor_new(&d.w, "d");
    world_forget_sent(&d.w);
    actor_connect(zoe, c);
    world_until(&d.w, zoe->synced);
    assert_true(actor_text_is(zoe, "here"));
    assert_int_equal(d.w.sent[BUS_HELLO], 1);
    assert_true(d.w.sent[BUS_STATE] >= 2);
    assert_non_null(core_peer(c, "d", d.a));
    assert_null(core_peer(c, "d", d.b));
    assert_int_equal(bench_count(C_BUS_NO_ANSWER), unanswered);
    world_close(&d.w);
}

static void cores_with_several_hubs_count_as_one_answer_each(void **state)
{
    struct world w;
    struct actor *ann, *bob;
    struct core *b;
    int64_t unanswered = bench_count(C_BUS_NO_ANSWER);

    (void)state;
    world_open(&w, 1);
    w.hubs = 3;
    ann = actor_new(&w, "d");
    bob = actor_new(&w, "d");
    actor_connect(ann, core_start(&w, 0));
    w.hubs = 2;
    b = core_start(&w, 1);
    w.hubs = 1;
    core_start(&w, 2);
    world_until(&w, ann->synced);
    actor_connect(bob, b);
    world_until(&w, bob->synced);
    actor_type(ann, "x");
    world_until(&w, actor_text_is(bob, "x"));
    actor_type(bob, "y");
    world_until(&w, actor_text_is(ann, "xy"));
    assert_int_equal(bench_count(C_BUS_NO_ANSWER), unanswered);
    world_close(&w);
}

static void the_first_reader_sees_what_lives_only_in_another_cores_memory(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    actor_leave(d.bob);
    world_run(&d.w, 1000, 100);
    d.a->store_holds = true;
    actor_type(d.ann, "unsaved");
    world_run(&d.w, 1000, 100);
    actor_connect(d.bob, d.b);
    world_until(&d.w, d.bob->synced);
    assert_true(actor_text_is(d.bob, "unsaved"));
    assert_true(store_text_is(&d.w, "d", ""));
    d.a->store_holds = false;
    world_close(&d.w);
}

static void who_comes_while_the_first_reader_waits_is_served_with_it(void **state)
{
    struct duo d;
    struct actor *zoe;
    int64_t failures = bench_count(C_LOAD_FAILURES);

    (void)state;
    duo_open(&d);
    actor_type(d.ann, "x");
    actor_leave(d.bob);
    world_run(&d.w, 1000, 100);
    world_lose(&d.w, BUS_HELLO, 1, d.b, d.a);
    zoe = actor_new(&d.w, "d");
    actor_connect(d.bob, d.b);
    world_run(&d.w, 100, 5);
    assert_false(d.bob->synced);             /* waits for an answer that will not come */
    actor_connect(zoe, d.b);
    world_until(&d.w, d.bob->synced && zoe->synced);
    assert_true(actor_text_is(d.bob, "x") && actor_text_is(zoe, "x"));
    assert_int_equal(bench_count(C_LOAD_FAILURES), failures);
    world_close(&d.w);
}

static void a_silent_core_is_not_waited_for_longer_than_the_limit_and_is_asked_again(void **state)
{
    struct duo d;
    int64_t unanswered = bench_count(C_BUS_NO_ANSWER), began_ms;

    (void)state;
    duo_open(&d);
    actor_leave(d.bob);
    world_run(&d.w, 1000, 100);
    world_lose(&d.w, BUS_HELLO, 2, d.b, d.a);
    began_ms = d.w.now_ms;
    actor_connect(d.bob, d.b);
    world_until(&d.w, d.bob->synced);
    assert_in_range(d.w.now_ms - began_ms, 1000, 1200);
    assert_int_equal(bench_count(C_BUS_NO_ANSWER), unanswered + 1);
    actor_type(d.bob, "now they know one another");
    world_until(&d.w, actor_text_is(d.ann, "now they know one another") && actor_sees(d.ann, d.bob) && actor_sees(d.bob, d.ann));
    world_close(&d.w);
}

static void a_doubled_answer_is_one_answer(void **state)
{
    struct duo d;
    struct core *c;

    (void)state;
    duo_open(&d);
    actor_leave(d.bob);
    world_run(&d.w, 1000, 100);
    c = core_start(&d.w, 2);
    d.a->stands_still = true;                /* has the document, and says nothing; C says that it has not, twice */
    d.w.double_percent = 100;
    actor_connect(d.bob, d.b);
    world_run(&d.w, 500, 5);
    assert_false(d.bob->synced);
    d.a->stands_still = false;
    world_until(&d.w, d.bob->synced);
    assert_null(core_doc(c, "d"));
    world_close(&d.w);
}

static void readers_need_not_wait(void **state)
{
    struct duo d;

    (void)state;
    world_open(&d.w, 1);
    d.w.cf.sync_before_serve = false;
    d.a = core_start(&d.w, 0);
    d.b = core_start(&d.w, 1);
    d.ann = actor_new(&d.w, "d");
    d.bob = actor_new(&d.w, "d");
    actor_connect(d.ann, d.a);
    actor_type(d.ann, "x");
    world_run(&d.w, 1000, 5);
    d.a->stands_still = true;
    actor_connect(d.bob, d.b);
    world_run(&d.w, 100, 5);
    assert_true(d.bob->synced);
    d.a->stands_still = false;
    actor_type(d.ann, "y");
    world_until(&d.w, actor_text_is(d.bob, "xy"));
    world_close(&d.w);
}

/* ---- losses ---- */

static void a_gap_is_noticed_asked_for_and_closed(void **state)
{
    struct duo d;
    int64_t gaps = bench_count(C_BUS_GAPS);

    (void)state;
    duo_open(&d);
    world_lose(&d.w, BUS_UPDATE, 1, d.a, d.b);
    actor_type(d.ann, "lost ");
    world_run(&d.w, 50, 5);
    assert_true(actor_text_is(d.bob, ""));
    actor_type(d.ann, "found");
    world_until(&d.w, actor_text_is(d.bob, "lost found"));
    assert_int_equal(bench_count(C_BUS_GAPS), gaps + 1);
    assert_int_equal(d.w.sent[BUS_HELLO], 1);
    assert_true(d.w.sent[BUS_STATE] >= 1);
    world_close(&d.w);
}

static void the_last_message_is_missed_too(void **state)
{
    struct duo d;
    int64_t began_ms;

    (void)state;
    duo_open(&d);
    world_lose(&d.w, BUS_UPDATE, 1, d.a, d.b);
    actor_type(d.ann, "last");
    began_ms = d.w.now_ms;
    world_until(&d.w, actor_text_is(d.bob, "last"));
    assert_in_range(d.w.now_ms - began_ms, 1000, 3000);          /* a beat and an answer later */
    world_close(&d.w);
}

static void a_lost_deletion_is_missed_as_well(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    actor_type(d.ann, "abc");
    world_until(&d.w, actor_text_is(d.bob, "abc"));
    world_lose(&d.w, BUS_UPDATE, 1, d.b, d.a);
    actor_erase(d.bob);
    world_until(&d.w, actor_text_is(d.ann, ""));
    world_close(&d.w);
}

static void a_core_that_was_cut_off_catches_up_both_ways_when_it_is_back(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    broker_cut(d.b, true);
    actor_type(d.bob, "bob ");
    world_run(&d.w, 1000, 50);
    actor_type(d.ann, "ann ");
    world_run(&d.w, 1000, 50);
    assert_false(actor_text_is(d.ann, "ann bob ") || actor_text_is(d.ann, "bob ann "));
    broker_heal(d.b);
    world_until(&d.w, actor_text_is(d.ann, "ann bob ") || actor_text_is(d.ann, "bob ann "));
    world_until(&d.w, actor_text_is(d.bob, "ann bob ") || actor_text_is(d.bob, "bob ann "));
    world_close(&d.w);
}

static void who_stood_still_asks_what_it_has_missed(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    d.b->stands_still = true;
    world_lose(&d.w, BUS_UPDATE, 1, d.a, d.b);
    actor_type(d.ann, "x");
    world_lose(&d.w, BUS_UPDATE, 1, d.a, d.b);
    world_run(&d.w, 10000, 100);
    world_lose(&d.w, BUS_BEAT, 100, d.a, d.b);
    d.b->stands_still = false;
    world_run(&d.w, 200, 5);
    assert_true(actor_text_is(d.bob, "x"));
    world_close(&d.w);
}

static void comparing_finds_what_numbers_do_not(void **state)
{
    struct duo d;
    struct doc *doc;

    (void)state;
    duo_open_comparing(&d, 5000);
    actor_type(d.ann, "x");
    world_until(&d.w, actor_text_is(d.bob, "x"));
    doc = core_doc(d.b, "d");
    world_lose(&d.w, BUS_UPDATE, 1, d.a, d.b);
    actor_type(d.ann, "y");
    world_run(&d.w, 50, 5);
    UM_CONTAINER(doc->bus.peers.next, struct bus_peer, in_doc)->received += 1;      /* believes that it has it */
    world_run(&d.w, 6000, 100);
    assert_true(actor_text_is(d.bob, "xy"));
    world_close(&d.w);
}

static void strangers_find_one_another_by_comparing(void **state)
{
    struct duo d;

    (void)state;
    duo_open_comparing(&d, 5000);
    peer_gone(core_peer(d.a, "d", d.b));     /* each has forgotten the other */
    peer_gone(core_peer(d.b, "d", d.a));
    actor_type(d.ann, "x");
    world_run(&d.w, 6000, 100);
    assert_true(actor_text_is(d.bob, "x"));
    actor_show(d.ann);                       /* as providers do every 15 s: who was taken for gone needs a higher clock */
    actor_show(d.bob);
    world_until(&d.w, actor_sees(d.ann, d.bob) && actor_sees(d.bob, d.ann));
    world_close(&d.w);
}

static void comparing_costs_no_answer_when_nobody_else_has_it(void **state)
{
    struct duo d;

    (void)state;
    duo_open_comparing(&d, 5000);
    actor_leave(d.bob);
    world_run(&d.w, 30000, 100);
    world_forget_sent(&d.w);
    world_run(&d.w, 10000, 100);
    assert_in_range(d.w.sent[BUS_HELLO], 1, 2);
    assert_int_equal(sent(&d.w), d.w.sent[BUS_HELLO]);
    world_close(&d.w);
}

static void who_is_taken_for_open_after_a_lost_farewell_is_found_out(void **state)
{
    struct duo d;

    (void)state;
    duo_open_comparing(&d, 5000);
    world_lose(&d.w, BUS_BYE, 1, d.b, d.a);
    actor_leave(d.bob);
    world_run(&d.w, 100, 5);
    assert_null(core_doc(d.b, "d"));
    assert_non_null(core_peer(d.a, "d", d.b));
    world_run(&d.w, 6000, 100);              /* a comparison */
    assert_null(core_peer(d.a, "d", d.b));
    world_close(&d.w);
}

static void a_document_that_was_opened_anew_counts_anew(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    for (int i = 0; i < 5; i++)
        actor_type(d.ann, "a");
    world_until(&d.w, actor_text_is(d.bob, "aaaaa"));
    world_lose(&d.w, BUS_BYE, 1, d.a, d.b);
    actor_leave(d.ann);
    world_until(&d.w, core_doc(d.a, "d") == NULL);
    world_lose(&d.w, BUS_HELLO, 1, d.a, d.b);                    /* B hears neither of the end nor of the beginning */
    actor_connect(d.ann, d.a);
    world_until(&d.w, d.ann->synced);
    actor_type(d.ann, "b");
    world_until(&d.w, actor_text_is(d.bob, "aaaaab"));
    actor_type(d.bob, "c");
    world_until(&d.w, actor_text_is(d.ann, "aaaaabc"));
    world_close(&d.w);
}

static void a_difference_that_is_too_long_comes_out_of_the_store(void **state)
{
    struct duo d;
    size_t n = BUS_MAX_STATE + 1000;
    char *text = um_xmalloc(n + 1);

    (void)state;
    memset(text, 'x', n);
    text[n] = '\0';
    duo_open(&d);
    broker_cut(d.b, true);
    actor_type(d.ann, text);
    world_until(&d.w, is_acknowledged(d.ann));
    assert_false(core_text_is(d.b, "d", text));
    world_forget_sent(&d.w);
    broker_heal(d.b);
    world_until(&d.w, core_text_is(d.b, "d", text));
    for (unsigned kind = BUS_HELLO; kind <= BUS_ORDER; kind++)
        assert_true(d.w.longest[kind] < 1000);
    free(text);
    world_close(&d.w);
}

/* ---- presence ---- */

static void presence_crosses_and_so_do_departures(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    assert_true(actor_sees(d.ann, d.bob) && actor_sees(d.bob, d.ann));
    actor_leave(d.bob);
    world_run(&d.w, 100, 5);
    assert_false(actor_sees(d.ann, d.bob));
    world_close(&d.w);
}

static void who_has_moved_is_not_removed_by_the_core_it_came_from(void **state)
{
    struct duo d;
    struct actor *zoe;

    (void)state;
    duo_open(&d);
    zoe = actor_new(&d.w, "d");
    actor_connect(zoe, d.a);                 /* keeps the document open there */
    world_until(&d.w, actor_sees(d.bob, zoe));
    actor_connect(d.ann, d.b);               /* the old core hears of the end of her socket about now */
    world_run(&d.w, 3000, 50);
    assert_true(actor_sees(d.bob, d.ann) && actor_sees(zoe, d.ann));
    world_close(&d.w);
}

static void an_id_is_its_users_on_every_core(void **state)
{
    struct duo d;
    struct um_buf out = { 0 };

    (void)state;
    duo_open(&d);
    peer_say(&d.bob->peer, ADDR("d"), WIRE_AWARENESS, NO_KIND, presence_of(&out, d.ann->client, 100, "null"));
    world_run(&d.w, 1000, 50);
    assert_true(actor_sees(d.bob, d.ann));
    actor_leave(d.ann);
    world_run(&d.w, 1000, 50);
    assert_false(actor_sees(d.bob, d.ann));
    um_buf_free(&out);
    world_close(&d.w);
}

static void a_dead_cores_people_vanish_with_it(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    core_kill(d.b);
    world_run(&d.w, MEMBER_MS + 1500, 50);
    assert_int_equal(core_doc(d.a, "d")->bus.n_peers, 0);
    world_run(&d.w, LOST_GRACE_MS + 3000, 50);       /* and the next sweep: they might have come to another core */
    assert_false(actor_sees(d.ann, d.bob));
    world_close(&d.w);
}

/* ---- doubts ---- */

/* Ann has written, Bob sees it, and core A's store does not move. */
static void write_in_doubt(struct duo *d)
{
    d->a->store_holds = true;
    actor_type(d->ann, "k");
    world_until(&d->w, actor_text_is(d->bob, "k"));
    assert_int_equal(core_doubts(d->b, "d"), 1);
    assert_true(store_text_is(&d->w, "d", ""));
}

static void what_is_known_by_word_alone_is_stored_before_it_is_acknowledged(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    write_in_doubt(&d);
    d.b->store_holds = true;
    actor_say_whole(d.bob);
    world_run(&d.w, 5000, 50);
    assert_false(is_acknowledged(d.bob));
    d.b->store_holds = false;
    world_until(&d.w, is_acknowledged(d.bob));
    assert_true(store_text_is(&d.w, "d", "k"));
    assert_false(is_acknowledged(d.ann));
    d.a->store_holds = false;
    world_until(&d.w, is_acknowledged(d.ann));
    world_close(&d.w);
}

static void what_comes_with_something_new_is_stored_before_it_is_acknowledged(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    write_in_doubt(&d);
    d.bob->core = NULL;                      /* writes unheard; what he says next has both */
    actor_type(d.bob, "n");
    d.bob->core = d.b;
    actor_say_whole(d.bob);
    world_until(&d.w, is_acknowledged(d.bob));
    assert_true(store_text_is(&d.w, "d", "kn"));
    d.a->store_holds = false;
    world_close(&d.w);
}

static void what_somebody_wrote_at_another_core_is_stored_before_its_step2_is_acknowledged(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    write_in_doubt(&d);
    actor_connect(d.ann, d.b);               /* B has it, so her Step2 does not bring it */
    world_until(&d.w, d.ann->synced && is_acknowledged(d.ann));
    assert_true(store_text_is(&d.w, "d", "k"));
    core_kill(d.a);
    core_kill(d.b);
    world_close(&d.w);
}

static void what_its_core_says_is_stored_is_believed(void **state)
{
    struct duo d;
    unsigned rows;

    (void)state;
    duo_open(&d);
    write_in_doubt(&d);
    d.a->store_holds = false;
    world_until(&d.w, core_doubts(d.b, "d") == 0);
    rows = store_rows(&d.w, "d");
    assert_int_equal(rows, 1);
    actor_say_whole(d.bob);
    world_until(&d.w, is_acknowledged(d.bob));
    world_run(&d.w, 1000, 50);
    assert_int_equal(store_rows(&d.w, "d"), rows);
    world_close(&d.w);
}

static void what_is_in_doubt_when_its_core_dies_is_stored_by_who_has_it(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    write_in_doubt(&d);
    core_kill(d.a);
    world_run(&d.w, MEMBER_MS + 2000, 50);
    assert_int_equal(core_doubts(d.b, "d"), 0);
    assert_true(store_text_is(&d.w, "d", "k"));
    world_close(&d.w);
}

static void what_others_have_in_doubt_is_in_doubt_with_who_hears_it_from_them(void **state)
{
    struct duo d;
    struct core *c;
    struct actor *zoe;

    (void)state;
    duo_open(&d);
    write_in_doubt(&d);
    c = core_start(&d.w, 2);
    world_lose(&d.w, BUS_STATE, 1000, d.a, c);                   /* A and C do not hear of one another */
    zoe = actor_new(&d.w, "d");
    actor_connect(zoe, c);
    world_until(&d.w, zoe->synced && actor_text_is(zoe, "k"));
    assert_int_equal(core_doubts(c, "d"), 1);
    core_kill(d.a);
    core_kill(d.b);
    world_run(&d.w, MEMBER_MS + 12000, 50);
    assert_int_equal(core_doubts(c, "d"), 0);
    assert_true(store_text_is(&d.w, "d", "k"));
    world_close(&d.w);
}

/* ---- storing ---- */

static void what_was_stored_late_is_folded_as_well(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    d.a->store_holds = true;
    actor_type(d.ann, "late");
    world_run(&d.w, 3000, 50);               /* longer than every debounce */
    d.a->store_holds = false;
    world_until(&d.w, is_acknowledged(d.ann));
    world_until(&d.w, core_doc(d.a, "d")->folded_seq == 1);
    world_close(&d.w);
}

/* ---- orders ---- */

static void a_document_that_one_core_closes_is_closed_on_all(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    um_collab_close_documents(d.a->bench.collab, "d", "maintenance");
    world_until(&d.w, d.ann->core == NULL || um_collab_connections_of(d.a->bench.collab, "d") == 0);
    world_until(&d.w, um_collab_connections_of(d.b->bench.collab, "d") == 0);
    world_close(&d.w);
}

static void a_document_that_one_core_deletes_ends_on_all(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    store_delete(&d.w, "d");
    um_collab_forget(d.a->bench.collab, "d");
    world_until(&d.w, core_doc(d.a, "d") == NULL && core_doc(d.b, "d") == NULL);
    world_close(&d.w);
}

static void only_the_store_deletes(void **state)
{
    struct duo d;

    (void)state;
    duo_open(&d);
    actor_type(d.bob, "x");
    um_collab_forget(d.a->bench.collab, "d");                    /* which is not true */
    world_run(&d.w, 1000, 50);
    assert_non_null(core_doc(d.b, "d"));
    assert_true(actor_text_is(d.bob, "x") && is_acknowledged(d.bob));
    world_close(&d.w);
}

/* ---- strangers, and nonsense ---- */

#define STRANGER ((UINT64_C(0xabcdef) << 16) | 1)

static void put_update(struct um_buf *out, uint64_t origin, uint64_t epoch, uint64_t number, uint64_t stored, const char *text)
{
    struct um_buf u = { 0 };

    bus_put_head(out, BUS_UPDATE, origin);
    bus_put_at(out, &(struct bus_at){ UM_SPAN_STR("d"), epoch, number, stored });
    um_buf_put_varuint(out, 1);
    um_buf_put_varbytes(out, text_update(&u, 77 + number, text));
    um_buf_free(&u);
}

static void inject(struct core *to, struct um_buf *message)
{
    broker_inject(to, UM_SPAN(message->data, message->len));
    um_buf_clear(message);
    world_run(to->world, 20, 5);
}

static void a_stranger_is_asked_who_it_is(void **state)
{
    struct duo d;
    struct um_buf m = { 0 };

    (void)state;
    duo_open(&d);
    put_update(&m, STRANGER, 1, 1, 0, "hello");
    inject(d.b, &m);
    assert_true(actor_text_is(d.bob, "hello"));
    assert_int_equal(d.w.sent[BUS_HELLO], 1);
    assert_int_equal(core_doubts(d.b, "d"), 1);
    world_run(&d.w, 13000, 100);             /* never answers: what it told is stored, and it is forgotten */
    assert_int_equal(core_doubts(d.b, "d"), 0);
    assert_true(store_text_is(&d.w, "d", "hello"));
    assert_int_equal(core_doc(d.b, "d")->bus.n_peers, 1);
    um_buf_free(&m);
    world_close(&d.w);
}

static void our_own_messages_are_nobodys(void **state)
{
    struct duo d;
    struct um_buf m = { 0 };

    (void)state;
    duo_open(&d);
    put_update(&m, d.b->bench.collab->bus_run << 16 | 1, 1, 1, 0, "echo");
    inject(d.b, &m);
    assert_true(actor_text_is(d.bob, ""));
    assert_int_equal(core_doc(d.b, "d")->bus.n_peers, 1);
    um_buf_free(&m);
    world_close(&d.w);
}

static void half_a_message_is_none(void **state)
{
    struct duo d;
    struct um_buf m = { 0 }, u = { 0 };
    int64_t refused = bench_count(C_BUS_REFUSED);

    (void)state;
    duo_open(&d);
    bus_put_head(&m, BUS_UPDATE, STRANGER);
    bus_put_at(&m, &(struct bus_at){ UM_SPAN_STR("d"), 1, 2, 0 });
    um_buf_put_varuint(&m, 2);
    um_buf_put_varbytes(&m, text_update(&u, 77, "half"));
    inject(d.b, &m);
    assert_int_equal(bench_count(C_BUS_REFUSED), refused + 1);
    assert_true(actor_text_is(d.bob, ""));
    assert_int_equal(core_doubts(d.b, "d"), 0);
    um_buf_free(&m);
    um_buf_free(&u);
    world_close(&d.w);
}

static void what_is_no_update_is_not_stored_for_a_dead_core(void **state)
{
    struct duo d;
    struct um_buf m = { 0 }, u = { 0 };

    (void)state;
    duo_open(&d);
    bus_put_head(&m, BUS_UPDATE, STRANGER);
    bus_put_at(&m, &(struct bus_at){ UM_SPAN_STR("d"), 1, 2, 0 });
    um_buf_put_varuint(&m, 2);
    um_buf_put_varbytes(&m, UM_SPAN_STR("\xff\xff\xff nonsense"));
    um_buf_put_varbytes(&m, text_update(&u, 77, "good"));
    um_buf_puts(&m, "and something behind it");
    inject(d.b, &m);
    assert_true(actor_text_is(d.bob, "good"));
    world_run(&d.w, 13000, 100);             /* the store of this test asserts that what it gets can be loaded */
    assert_int_equal(core_doubts(d.b, "d"), 0);
    assert_true(store_text_is(&d.w, "d", "good"));
    um_buf_free(&m);
    um_buf_free(&u);
    world_close(&d.w);
}

/* A STATE of core Y: nothing of its own, but the document as X has it at NUMBER of its opening EPOCH. */
static void put_hearsay(struct um_buf *out, uint64_t y, uint64_t x, uint64_t epoch, uint64_t number, const char *text)
{
    struct um_buf u = { 0 };

    bus_put_head(out, BUS_STATE, y);
    bus_put_ident(out, &(struct bus_ident){ UM_SPAN_STR("core-y"), 1, 1 });
    um_buf_put_u8(out, BUS_HAS_DOCUMENT);
    bus_put_at(out, &(struct bus_at){ UM_SPAN_STR("d"), 1, 0, 0 });
    um_buf_put_varuint(out, 0);
    um_buf_put_varbytes(out, text_update(&u, 99, text));
    um_buf_put_varuint(out, 0);
    um_buf_put_varuint(out, 1);
    bus_put_origin(out, x);
    um_buf_put_varuint(out, epoch);
    um_buf_put_varuint(out, number);
    um_buf_free(&u);
}

static void hearsay_of_a_newer_opening_is_no_older_ones(void **state)
{
    struct duo d;
    struct um_buf m = { 0 };

    (void)state;
    duo_open(&d);
    put_update(&m, STRANGER, 1, 5, 5, "x");                      /* five appends, all stored */
    inject(d.b, &m);
    assert_int_equal(core_doubts(d.b, "d"), 0);
    put_hearsay(&m, STRANGER + 0x10000, STRANGER, 2, 3, "y");    /* opened again meanwhile, and three in doubt */
    inject(d.b, &m);
    assert_int_equal(core_doubts(d.b, "d"), 1);
    put_update(&m, STRANGER, 2, 4, 0, "z");                      /* not among the five */
    inject(d.b, &m);
    assert_true(core_doubts(d.b, "d") > 1);
    um_buf_free(&m);
    world_close(&d.w);
}

int story_group(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_edit_costs_one_message_and_none_when_alone),
        cmocka_unit_test(a_message_does_not_grow_with_the_document),
        cmocka_unit_test(three_cores_hear_one_message),
        cmocka_unit_test(who_opens_is_answered_by_who_has_it_and_by_who_has_not),
        cmocka_unit_test(cores_with_several_hubs_count_as_one_answer_each),
        cmocka_unit_test(the_first_reader_sees_what_lives_only_in_another_cores_memory),
        cmocka_unit_test(who_comes_while_the_first_reader_waits_is_served_with_it),
        cmocka_unit_test(a_silent_core_is_not_waited_for_longer_than_the_limit_and_is_asked_again),
        cmocka_unit_test(a_doubled_answer_is_one_answer),
        cmocka_unit_test(readers_need_not_wait),
        cmocka_unit_test(a_gap_is_noticed_asked_for_and_closed),
        cmocka_unit_test(the_last_message_is_missed_too),
        cmocka_unit_test(a_lost_deletion_is_missed_as_well),
        cmocka_unit_test(a_core_that_was_cut_off_catches_up_both_ways_when_it_is_back),
        cmocka_unit_test(who_stood_still_asks_what_it_has_missed),
        cmocka_unit_test(comparing_finds_what_numbers_do_not),
        cmocka_unit_test(strangers_find_one_another_by_comparing),
        cmocka_unit_test(comparing_costs_no_answer_when_nobody_else_has_it),
        cmocka_unit_test(who_is_taken_for_open_after_a_lost_farewell_is_found_out),
        cmocka_unit_test(a_document_that_was_opened_anew_counts_anew),
        cmocka_unit_test(a_difference_that_is_too_long_comes_out_of_the_store),
        cmocka_unit_test(presence_crosses_and_so_do_departures),
        cmocka_unit_test(who_has_moved_is_not_removed_by_the_core_it_came_from),
        cmocka_unit_test(an_id_is_its_users_on_every_core),
        cmocka_unit_test(a_dead_cores_people_vanish_with_it),
        cmocka_unit_test(what_is_known_by_word_alone_is_stored_before_it_is_acknowledged),
        cmocka_unit_test(what_comes_with_something_new_is_stored_before_it_is_acknowledged),
        cmocka_unit_test(what_its_core_says_is_stored_is_believed),
        cmocka_unit_test(what_somebody_wrote_at_another_core_is_stored_before_its_step2_is_acknowledged),
        cmocka_unit_test(what_is_in_doubt_when_its_core_dies_is_stored_by_who_has_it),
        cmocka_unit_test(what_others_have_in_doubt_is_in_doubt_with_who_hears_it_from_them),
        cmocka_unit_test(what_was_stored_late_is_folded_as_well),
        cmocka_unit_test(a_document_that_one_core_closes_is_closed_on_all),
        cmocka_unit_test(a_document_that_one_core_deletes_ends_on_all),
        cmocka_unit_test(only_the_store_deletes),
        cmocka_unit_test(a_stranger_is_asked_who_it_is),
        cmocka_unit_test(our_own_messages_are_nobodys),
        cmocka_unit_test(half_a_message_is_none),
        cmocka_unit_test(what_is_no_update_is_not_stored_for_a_dead_core),
        cmocka_unit_test(hearsay_of_a_newer_opening_is_no_older_ones),
    };

    return cmocka_run_group_tests_name("bus stories", tests, NULL, NULL);
}
