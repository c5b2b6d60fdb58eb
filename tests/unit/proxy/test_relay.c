/* The relay between two sockets, on socket pairs: we hold the far ends. */
#include "um_test.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <proxy/frames.h>
#include <proxy/relay.h>
#include <umbel/util.h>

struct env {
    struct um_loop *loop;
    struct um_relay *relay;
    int a, b;                                    /* the far ends */
    int ends, heard_a;
    char why[64];
    uint8_t scratch[UM_RELAY_SCRATCH_BYTES];
};

static void from_a(void *arg) { ((struct env *)arg)->heard_a++; }

static void on_end(void *arg, const char *why)
{
    struct env *e = arg;
    e->ends++;
    e->relay = NULL;
    strncpy(e->why, why, sizeof(e->why) - 1);
}

static const struct um_relay_handler handler = { from_a, on_end };

static void start(struct env *e, const char *early_a, const char *early_b)
{
    int pa[2], pb[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pa), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pb), 0);
    e->a = pa[0];
    e->b = pb[0];
    e->relay = um_relay_new(e->loop, pa[1], UM_SPAN_STR(early_a), pb[1], UM_SPAN_STR(early_b), e->scratch, &handler, e);
}

static int setup(void **state)
{
    struct env *e = calloc(1, sizeof(*e));
    e->loop = um_loop_new(0);
    e->a = e->b = -1;
    *state = e;
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;
    um_relay_free(e->relay);
    um_loop_turn(e->loop, 0);
    um_loop_free(e->loop);
    if (e->a >= 0)
        close(e->a);
    if (e->b >= 0)
        close(e->b);
    free(e);
    return 0;
}

static void turns(struct env *e, int n)
{
    while (n-- > 0)
        um_loop_turn(e->loop, 0);
}

static void expect(struct env *e, int fd, const char *text)
{
    char buf[256];
    turns(e, 4);
    ssize_t n = recv(fd, buf, sizeof(buf), 0);
    assert_int_equal(n, strlen(text));
    assert_memory_equal(buf, text, (size_t)n);
}

/* Within the time that a client has for its own Close. */
static void expect_closed_soon(struct env *e)
{
    int64_t end = um_now_ms() + 20000;

    while (e->ends == 0 && um_now_ms() < end)
        um_loop_turn(e->loop, 50);
    assert_int_equal(e->ends, 1);
    assert_string_equal(e->why, "over");
}

static void bytes_go_both_ways_and_early_ones_come_first(void **state)
{
    struct env *e = *state;

    start(e, "from a, ", "from b, ");
    assert_int_equal(send(e->a, "a", 1, 0), 1);
    assert_int_equal(send(e->b, "b", 1, 0), 1);
    expect(e, e->b, "from a, a");
    expect(e, e->a, "from b, b");
    assert_true(e->heard_a > 0);
    assert_int_equal(um_relay_stats(e->relay).from_a, 9);
}

/* A writes until nothing moves; what is on the way is bounded by the kernel's buffers and one scratch buffer. Then B reads:
 * every byte is there, in order. */
static void a_slow_reader_stops_the_writer_and_loses_nothing(void **state)
{
    struct env *e = *state;
    uint8_t block[4096];
    size_t sent = 0, got = 0;
    int idle = 0;

    start(e, "", "");
    while (idle < 3) {
        for (size_t i = 0; i < sizeof(block); i++)
            block[i] = (uint8_t)((sent + i) % 251);
        ssize_t n = send(e->a, block, sizeof(block), MSG_DONTWAIT);
        idle = n > 0 ? 0 : idle + 1;
        sent += n > 0 ? (size_t)n : 0;
        turns(e, 2);
        assert_true(sent < 8u << 20);
    }
    for (idle = 0; idle < 3;) {
        ssize_t n = recv(e->b, block, sizeof(block), MSG_DONTWAIT);
        for (ssize_t i = 0; i < n; i++)
            assert_int_equal(block[i], (got + (size_t)i) % 251);
        idle = n > 0 ? 0 : idle + 1;
        got += n > 0 ? (size_t)n : 0;
        turns(e, 2);
    }
    assert_int_equal(got, sent);
}

static void an_end_is_passed_on_after_the_last_byte(void **state)
{
    struct env *e = *state;
    char c;

    start(e, "", "");
    assert_int_equal(send(e->a, "bye", 3, 0), 3);
    shutdown(e->a, SHUT_WR);
    expect(e, e->b, "bye");
    assert_int_equal(recv(e->b, &c, 1, 0), 0);
    assert_int_equal(e->ends, 0);                 /* the other direction is still open */
    assert_int_equal(send(e->b, "and you", 7, 0), 7);
    expect(e, e->a, "and you");
    shutdown(e->b, SHUT_WR);
    turns(e, 4);
    assert_int_equal(e->ends, 1);
    assert_string_equal(e->why, "both sides ended");
    assert_int_equal(recv(e->a, &c, 1, 0), 0);
}

static void a_side_that_vanishes_ends_it_once(void **state)
{
    struct env *e = *state;
    char c;

    start(e, "", "");
    turns(e, 2);
    close(e->b);
    e->b = -1;
    turns(e, 4);
    (void)!send(e->a, "x", 1, MSG_NOSIGNAL);
    turns(e, 4);
    assert_int_equal(e->ends, 1);
    ssize_t n = recv(e->a, &c, 1, 0);
    assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
}

/* The hang-up of a closed side is reported in every turn while its bytes cannot be taken: they still have to arrive. */
static void bytes_of_a_closed_side_survive_a_congested_reader(void **state)
{
    struct env *e = *state;
    uint8_t block[4096] = {0};
    size_t sent = 0, got = 0;

    start(e, "", "");
    for (int idle = 0; idle < 3; turns(e, 2)) {
        ssize_t n = send(e->a, block, sizeof(block), MSG_DONTWAIT);
        idle = n > 0 ? 0 : idle + 1;
        sent += n > 0 ? (size_t)n : 0;
    }
    close(e->a);
    e->a = -1;
    turns(e, 4);
    for (int idle = 0; idle < 3; turns(e, 2)) {
        ssize_t n = recv(e->b, block, sizeof(block), MSG_DONTWAIT);
        idle = n > 0 ? 0 : idle + 1;
        got += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(got, sent);
}

static void freeing_cuts_both_and_tells_nobody(void **state)
{
    struct env *e = *state;
    char c;

    start(e, "", "");
    turns(e, 2);
    um_relay_free(e->relay);
    e->relay = NULL;
    turns(e, 2);
    assert_int_equal(e->ends, 0);
    assert_int_equal(recv(e->a, &c, 1, 0), 0);
    assert_int_equal(recv(e->b, &c, 1, 0), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static void the_ends_of_frames_are_found_however_they_are_cut(void **state)
{
    static const uint8_t heads[][14] = { { 0x82, 0x00 }, { 0x82, 0x05 }, { 0x82, 0x7e, 0x00, 0x80 }, { 0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0 },
                                         { 0x81, 0x85, 1, 2, 3, 4 }, { 0x88, 0x02 } };
    static const size_t head_len[] = { 2, 2, 4, 10, 6, 2 }, payload[] = { 0, 5, 128, 65536, 5, 2 };

    (void)state;
    for (size_t step = 1; step < 40; step += 19) {
        for (size_t k = 0; k < UM_COUNT(heads); k++) {
            struct um_frames f = { 0 };
            size_t len = head_len[k] + payload[k], at = 0;
            uint8_t *frame = um_xcalloc(1, len);
            memcpy(frame, heads[k], head_len[k]);
            while (at < len) {
                size_t took = um_frames_feed(&f, frame + at, UM_MIN(step, len - at));
                assert_true(took > 0);
                at += took;
                assert_int_equal(um_frames_at_end(&f), at == len);
            }
            free(frame);
        }
    }
}

static void the_close_frame_comes_at_the_end_of_a_frame_and_nothing_after_it(void **state)
{
    struct env *e = *state;

    start(e, "", "\x82\x03" "ab");                            /* two of three bytes */
    expect(e, e->a, "\x82\x03" "ab");
    um_relay_close(e->relay, 1008, "over");
    assert_int_equal(send(e->a, "more", 4, 0), 4);
    turns(e, 4);
    assert_int_equal(e->ends, 0);
    assert_int_equal(send(e->b, "c\x82\x01x", 4, 0), 4);       /* the frame ends, another begins */
    expect(e, e->a, "c\x88\x06\x03\xf0over");
    char byte;
    assert_int_equal(recv(e->b, &byte, 1, 0), 0);               /* the core hears nothing of what came late */
    assert_int_equal(e->ends, 0);
    assert_int_equal(recv(e->a, &byte, 1, 0), 0);
    close(e->a);
    e->a = -1;
    turns(e, 4);
    assert_int_equal(e->ends, 1);
    assert_string_equal(e->why, "over");
}

static void a_relay_that_is_between_frames_closes_at_once(void **state)
{
    struct env *e = *state;

    start(e, "", "\x81\x02hi");
    um_relay_close(e->relay, 1008, "over");                     /* before its first turn, even */
    expect(e, e->a, "\x81\x02hi\x88\x06\x03\xf0over");
    um_relay_close(e->relay, 1008, "again");
    expect_closed_soon(e);
}

static void a_core_that_never_ends_its_frame_is_cut(void **state)
{
    struct env *e = *state;

    start(e, "", "\x82\x7f");
    turns(e, 2);
    um_relay_close(e->relay, 1008, "over");
    expect_closed_soon(e);
}

static void a_core_that_dies_in_its_frame_leaves_the_client_no_longer(void **state)
{
    struct env *e = *state;

    start(e, "", "\x82\x7f");
    turns(e, 2);
    um_relay_close(e->relay, 1008, "over");
    shutdown(e->b, SHUT_WR);
    expect_closed_soon(e);                                      /* not for the time of a half-closed relay */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(the_close_frame_comes_at_the_end_of_a_frame_and_nothing_after_it), T(a_relay_that_is_between_frames_closes_at_once),
        T(a_core_that_never_ends_its_frame_is_cut), T(a_core_that_dies_in_its_frame_leaves_the_client_no_longer),
        cmocka_unit_test(the_ends_of_frames_are_found_however_they_are_cut),
        T(bytes_go_both_ways_and_early_ones_come_first), T(a_slow_reader_stops_the_writer_and_loses_nothing),
        T(an_end_is_passed_on_after_the_last_byte), T(a_side_that_vanishes_ends_it_once),
        T(bytes_of_a_closed_side_survive_a_congested_reader), T(freeing_cuts_both_and_tells_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
