/* The rules of the hop to the core: who the client is, which headers travel, how targets are written, what a WebSocket
 * handshake has to say. No sockets here. */
#include "um_test.h"
#include <proxy/client.h>
#include <proxy/handshake.h>
#include <proxy/hop.h>
#include <proxy/target.h>
#include <umbel/http.h>

/* ---- clients ---- */

static struct um_trusted *trust(const char *const *items, size_t n)
{
    struct um_trusted *t;
    const char *bad;
    assert_int_equal(um_trusted_new(&t, items, n, &bad), UM_OK);
    return t;
}

static void forwarded_headers_of_strangers_mean_nothing(void **state)
{
    const char *const items[] = { "10.0.0.1" };
    struct um_trusted *t = trust(items, 1);
    struct um_client c;

    (void)state;
    um_client_resolve(t, "192.0.2.7", "127.0.0.1", "https", &c);
    assert_string_equal(c.address, "192.0.2.7");
    assert_false(c.secure);
    um_trusted_free(t);
}

static void the_client_is_the_last_one_that_no_proxy_of_ours_is(void **state)
{
    const char *const items[] = { "10.0.0.0/8", "2001:db8::/32" };
    static const struct { const char *peer, *list, *client; } rows[] = {
        { "10.0.0.1", NULL, "10.0.0.1" },
        { "10.0.0.1", "192.0.2.7", "192.0.2.7" },
        { "10.0.0.1", "1.1.1.1, 192.0.2.7", "192.0.2.7" },
        { "10.0.0.1", "1.1.1.1, 192.0.2.7 ,10.9.9.9,2001:db8::5", "192.0.2.7" },
        { "2001:db8::1", "2002::1", "2002::1" },
        { "10.0.0.1", "1.1.1.1, unknown", "10.0.0.1" },
        { "10.0.0.1", "", "10.0.0.1" },
        { "10.0.0.1", "1.1.1.1, junk, 10.2.2.2", "10.2.2.2" },
        { "10.0.0.1", "10.0.0.9,10.0.0.8", "10.0.0.9" },
    };
    struct um_trusted *t = trust(items, 2);
    struct um_client c;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        um_client_resolve(t, rows[i].peer, rows[i].list, "HTTPS", &c);
        assert_string_equal(c.address, rows[i].client);
        assert_true(c.secure);
    }
    um_trusted_free(t);
}

static void networks_are_read_strictly(void **state)
{
    static const char *const bad_ones[] = { "", "10", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/8x", "::/129", "localhost", "10.0.0.0/-1" };
    struct um_trusted *t;
    const char *bad;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(bad_ones); i++)
        assert_int_equal(um_trusted_new(&t, &bad_ones[i], 1, &bad), UM_EINVAL);
    const char *const all[] = { "0.0.0.0/0" };
    t = trust(all, 1);
    assert_true(um_trusted_has(t, "8.8.8.8"));
    assert_false(um_trusted_has(t, "2001:db8::1"));
    um_trusted_free(t);
    const char *const odd[] = { "172.16.0.0/12" };
    t = trust(odd, 1);
    assert_true(um_trusted_has(t, "172.31.255.255"));
    assert_false(um_trusted_has(t, "172.32.0.0"));
    um_trusted_free(t);
}

/* ---- headers ---- */

static void requests_leave_behind_what_belongs_to_a_hop(void **state)
{
    static const struct { const char *name, *connection; bool own, keeps; } rows[] = {
        { "Accept", NULL, false, true },
        { "content-type", NULL, false, true },
        { "If-Match", NULL, false, true },
        { "Connection", "close", true, false },
        { "Keep-Alive", NULL, true, false },
        { "Transfer-Encoding", NULL, true, false },
        { "TE", NULL, true, false },
        { "Upgrade", NULL, true, false },
        { "Content-Length", NULL, true, false },
        { "Expect", NULL, true, false },
        { "Host", NULL, true, false },
        { "Cookie", NULL, true, false },
        { "X-Forwarded-For", NULL, true, false },
        { "x-forwarded-anything", NULL, true, false },
        { "X-Real-IP", NULL, true, false },
        { "Forwarded", NULL, true, false },
        { "X-User-Name", NULL, true, false },
        { "Sec-WebSocket-Key", NULL, true, false },
        { "X-Custom", "close, X-Custom", true, false },       /* named by Connection */
        { "Authorization", "authorization", true, true },     /* but not this one */
        { "token", "token", true, true },
        { "token", NULL, false, false },
        { "Authorization", NULL, false, false },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (um_hop_request_keeps(rows[i].name, rows[i].connection, rows[i].own) != rows[i].keeps)
            fail_msg("row %zu: %s", i, rows[i].name);
}

static void answers_leave_behind_what_belongs_to_a_hop(void **state)
{
    (void)state;
    assert_true(um_hop_response_keeps("ETag", NULL));
    assert_true(um_hop_response_keeps("Cache-Control", NULL));
    assert_true(um_hop_response_keeps("Retry-After", NULL));
    assert_false(um_hop_response_keeps("set-cookie", NULL));
    assert_false(um_hop_response_keeps("Transfer-Encoding", NULL));
    assert_false(um_hop_response_keeps("Connection", "close"));
    assert_false(um_hop_response_keeps("X-Thing", "X-Thing"));
    assert_false(um_hop_response_keeps("Date", NULL));
}

/* ---- targets ---- */

static void targets_have_one_form(void **state)
{
    static const struct { const char *raw, *written; } rows[] = {
        { "/", "/" },
        { "/core/rest", "/core/rest" },
        { "/core/rest/", "/core/rest/" },
        { "/core//rest", "/core//rest" },
        { "/core/a%2Fb", "/core/a%2Fb" },
        { "/core/%61", "/core/a" },
        { "/core/a,b;c:d", "/core/a,b%3Bc%3Ad" },        /* between ids */
        { "/core/a%2Cb,%2C", "/core/a%2Cb,%2C" },       /* of an id */
        { "/core/./rest/.", "/core/rest/" },
        { "/gui/../core/x", "/core/x" },
        { "/core/%2e%2E/gui", "/gui" },
        { "/core/x/..", "/core/" },
        { "/core/caf%C3%A9?q=%20&r=a/../b", "/core/caf%C3%A9?q=%20&r=a/../b" },
        { "/core?", "/core?" },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf once = {0}, twice = {0};
        assert_int_equal(um_target_rewrite(rows[i].raw, &once), UM_OK);
        assert_string_equal(um_buf_cstr(&once), rows[i].written);
        assert_int_equal(um_target_rewrite(um_buf_cstr(&once), &twice), UM_OK);     /* writing again changes nothing */
        assert_string_equal(um_buf_cstr(&twice), rows[i].written);
        um_buf_free(&once);
        um_buf_free(&twice);
    }
}

static void targets_that_climb_or_hide_are_refused(void **state)
{
    static const char *const rows[] = { "", "core", "/..", "/../core", "/a/../../core", "/a%", "/a%2", "/a%zz", "/a%00", "/a%0d%0a" };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        struct um_buf out = {0};
        assert_int_equal(um_target_rewrite(rows[i], &out), UM_EPROTO);
        um_buf_free(&out);
    }
}

/* ---- handshakes ---- */

/* Key and accept of RFC 6455 1.3. */
#define KEY    "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
#define LINES  "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n"

static const struct um_handshake sample = { .target = "/collab?x=1", .host = "core:8081", .key = KEY, .protocols = "a, b" };

static enum um_handshake_result judge(const char *text, struct um_handshake_answer *out)
{
    return um_handshake_read(UM_SPAN_STR(text), &sample, out);
}

static void the_request_is_made_of_its_parts(void **state)
{
    const struct um_exchange_header headers[] = { { "token", "t" } };
    struct um_handshake h = sample;
    struct um_buf b = {0};

    (void)state;
    h.headers = headers;
    h.n = 1;
    um_handshake_write(&b, &h);
    assert_string_equal(um_buf_cstr(&b),
        "GET /collab?x=1 HTTP/1.1\r\nHost: core:8081\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " KEY "\r\nSec-WebSocket-Protocol: a, b\r\ntoken: t\r\n\r\n");
    um_buf_free(&b);
}

static void a_right_answer_opens_and_says_where_frames_begin(void **state)
{
    static const char text[] = "HTTP/1.1 101 Switching Protocols\r\n" LINES "sec-websocket-protocol:b \r\n\r\n\x81\x01x";
    struct um_handshake_answer a;

    (void)state;
    assert_int_equal(judge(text, &a), UM_HANDSHAKE_OPEN);
    assert_string_equal(a.protocol, "b");
    assert_string_equal(text + a.len, "\x81\x01x");
    for (size_t n = 0; n < a.len; n++)
        assert_int_equal(um_handshake_read(UM_SPAN(text, n), &sample, &a) == UM_HANDSHAKE_MORE, true);
}

static void wrong_answers_never_open(void **state)
{
    static const struct { const char *text; enum um_handshake_result result; } rows[] = {
        { "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", UM_HANDSHAKE_REFUSED },
        { "HTTP/1.1 200 OK\r\n" LINES "\r\n", UM_HANDSHAKE_REFUSED },
        { "HTTP/1.0 101 x\r\n" LINES "\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101x\r\n" LINES "\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\n" LINES "Sec-WebSocket-Accept: " ACCEPT "\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\n" LINES "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\n" LINES "Sec-WebSocket-Protocol: c\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\n" LINES " folded\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\n" LINES "no colon\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", UM_HANDSHAKE_BAD },
        { "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n", UM_HANDSHAKE_BAD },
        { "garbage\r\n\r\n", UM_HANDSHAKE_BAD },
        { "\r\n\r\n", UM_HANDSHAKE_BAD },
    };
    struct um_handshake_answer a;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (judge(rows[i].text, &a) != rows[i].result)
            fail_msg("row %zu", i);
}

static void an_endless_head_is_given_up(void **state)
{
    struct um_buf b = {0};
    struct um_handshake_answer a;

    (void)state;
    um_buf_puts(&b, "HTTP/1.1 101 x\r\n");
    while (b.len < UM_HANDSHAKE_MAX_BYTES)
        um_buf_puts(&b, "a: b\r\n");
    assert_int_equal(um_handshake_read(UM_SPAN(b.data, b.len), &sample, &a), UM_HANDSHAKE_BAD);
    um_buf_puts(&b, "\r\n");
    assert_int_equal(um_handshake_read(UM_SPAN(b.data, b.len), &sample, &a), UM_HANDSHAKE_BAD);
    um_buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forwarded_headers_of_strangers_mean_nothing),
        cmocka_unit_test(the_client_is_the_last_one_that_no_proxy_of_ours_is),
        cmocka_unit_test(networks_are_read_strictly),
        cmocka_unit_test(requests_leave_behind_what_belongs_to_a_hop),
        cmocka_unit_test(answers_leave_behind_what_belongs_to_a_hop),
        cmocka_unit_test(targets_have_one_form),
        cmocka_unit_test(targets_that_climb_or_hide_are_refused),
        cmocka_unit_test(the_request_is_made_of_its_parts),
        cmocka_unit_test(a_right_answer_opens_and_says_where_frames_begin),
        cmocka_unit_test(wrong_answers_never_open),
        cmocka_unit_test(an_endless_head_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
