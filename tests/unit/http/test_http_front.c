/* What stands before HTTP: the head of a balancer, and the door that reads it. */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/util.h>
#include "http_bench.h"
#include "proxy_head.h"

/* ---- the head ---- */

static const uint8_t v2_sig[12] = "\r\n\r\n\0\r\nQUIT\n";

/* A head of version 2 with BODY behind its first 16 bytes. */
static struct um_span v2(uint8_t *out, uint8_t command, uint8_t family, const void *body, size_t n)
{
    memcpy(out, v2_sig, 12);
    out[12] = command;
    out[13] = family;
    out[14] = (uint8_t)(n >> 8);
    out[15] = (uint8_t)n;
    memcpy(out + 16, body, n);
    return UM_SPAN(out, 16 + n);
}

static const char *client_of(const struct http_proxy_head *h, char out[64])
{
    char text[INET6_ADDRSTRLEN];
    struct sockaddr_in v4;

    memcpy(&v4, &h->client, sizeof(v4));
    if (!h->has_client)
        return "-";
    if (v4.sin_family == AF_INET)
        snprintf(out, 64, "%s %d", inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text)), ntohs(v4.sin_port));
    else
        snprintf(out, 64, "%s %d", inet_ntop(AF_INET6, &h->client.sin6_addr, text, sizeof(text)), ntohs(h->client.sin6_port));
    return out;
}

static void version_1_names_the_client(void **state)
{
    static const struct { const char *head, *client; } rows[] = {
        { "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", "192.0.2.7 56324" },
        { "PROXY TCP6 2001:db8::7 2001:db8::1 4 65535\r\n", "2001:db8::7 4" },
        { "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255 65535" },
        { "PROXY UNKNOWN\r\n", "-" },
        { "PROXY UNKNOWN ffff:f::ffff ffff::1 65535 65535\r\n", "-" },
    };
    struct http_proxy_head h;
    char text[64];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        size_t n = strlen(rows[i].head);

        for (size_t some = 0; some < n; some++)
            assert_int_equal(http_proxy_read(UM_SPAN(rows[i].head, some), &h), HTTP_PROXY_MORE);
        assert_int_equal(http_proxy_read(UM_SPAN(rows[i].head, n), &h), HTTP_PROXY_DONE);
        assert_string_equal(client_of(&h, text), rows[i].client);
        assert_int_equal(h.bytes, n);
        assert_false(h.secure);
    }
}

static void what_is_no_head_is_refused(void **state)
{
    static const char *const rows[] = {
        "GET / HTTP/1.1\r\n", "PROXX", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n", "PROXY\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3 1.2.3.4 1 2\r\n",
        "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 1 2xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    static const char nul[] = "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 2\r\n";
    struct http_proxy_head h;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        assert_int_equal(http_proxy_read(UM_SPAN(rows[i], strlen(rows[i])), &h), HTTP_PROXY_BAD);
    assert_int_equal(http_proxy_read(UM_SPAN(nul, sizeof(nul) - 1), &h), HTTP_PROXY_BAD);
}

static void version_2_names_the_client_and_whether_it_speaks_tls(void **state)
{
    static const uint8_t four[] = { 192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 0x04, 1, 187,                /* 56324 -> 443 */
                                    0x01, 0, 2, 'h', '2', 0x20, 0, 5, 1, 0, 0, 0, 0 };            /* ALPN, SSL */
    static const uint8_t six[36] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 7, [32] = 0, 4, 0, 80 };
    uint8_t bytes[200];
    struct http_proxy_head h;
    struct um_span head = v2(bytes, 0x21, 0x11, four, sizeof(four));
    char text[64];

    (void)state;
    for (size_t some = 0; some < head.len; some++)
        assert_int_equal(http_proxy_read(UM_SPAN(head.data, some), &h), HTTP_PROXY_MORE);
    assert_int_equal(http_proxy_read(head, &h), HTTP_PROXY_DONE);
    assert_string_equal(client_of(&h, text), "192.0.2.7 56324");
    assert_true(h.secure);
    assert_int_equal(http_proxy_read(v2(bytes, 0x21, 0x21, six, sizeof(six)), &h), HTTP_PROXY_DONE);
    assert_string_equal(client_of(&h, text), "2001:db8::7 4");
    assert_false(h.secure);
    assert_int_equal(http_proxy_read(v2(bytes, 0x20, 0, "", 0), &h), HTTP_PROXY_DONE);            /* LOCAL: a check */
    assert_false(h.has_client);
    assert_int_equal(http_proxy_read(v2(bytes, 0x21, 0x31, four, sizeof(four)), &h), HTTP_PROXY_DONE);    /* a local socket */
    assert_false(h.has_client);
}

static void a_wrong_length_command_part_or_sum_of_version_2_is_refused(void **state)
{
    uint8_t body[19] = { 192, 0, 2, 7, 10, 0, 0, 1, 0, 1, 0, 2, 0x03, 0, 4 }, bytes[64];
    struct http_proxy_head h;
    struct um_span head;
    uint32_t sum;

    (void)state;
    assert_int_equal(http_proxy_read(v2(bytes, 0x21, 0x11, body, 11), &h), HTTP_PROXY_BAD);       /* half an address */
    assert_int_equal(http_proxy_read(v2(bytes, 0x21, 0x11, body, 14), &h), HTTP_PROXY_BAD);       /* half a part */
    assert_int_equal(http_proxy_read(v2(bytes, 0x11, 0x11, body, 12), &h), HTTP_PROXY_BAD);
    assert_int_equal(http_proxy_read(v2(bytes, 0x22, 0x11, body, 12), &h), HTTP_PROXY_BAD);
    (void)v2(bytes, 0x21, 0x11, body, 12);
    bytes[14] = 0x10;                                                                              /* 4 KB are announced */
    assert_int_equal(http_proxy_read(UM_SPAN(bytes, 16), &h), HTTP_PROXY_BAD);
    head = v2(bytes, 0x21, 0x11, body, sizeof(body));
    assert_int_equal(http_proxy_read(head, &h), HTTP_PROXY_BAD);                                   /* its sum is not 0 */
    sum = um_crc32c(0, bytes, head.len);
    for (int i = 0; i < 4; i++)
        bytes[head.len - 4 + (size_t)i] = (uint8_t)(sum >> (24 - 8 * i));
    assert_int_equal(http_proxy_read(head, &h), HTTP_PROXY_DONE);
    bytes[16] ^= 1;
    assert_int_equal(http_proxy_read(head, &h), HTTP_PROXY_BAD);
}

/* ---- the door ---- */

static void tell(struct um_http_req *rq, void *ctx)
{
    char text[128];

    (void)ctx;
    snprintf(text, sizeof(text), "you are %s%s.", um_http_peer(rq), um_http_is_secure(rq) ? ", by TLS" : "");
    um_http_reply(rq, 200, "text/plain", UM_SPAN(text, strlen(text)));
}
static const struct um_http_route routes[] = { { "GET", "/who", tell, 0, NULL, "who", 0 } };

static bool trusts(void *arg, const char *peer)
{
    return *(bool *)arg && strcmp(peer, "127.0.0.1") == 0;
}

struct front {
    struct http_bench b;
    struct um_http_front front;
    bool trusted;
};

static void open_front(struct front *f, int64_t header_timeout_ms)
{
    struct um_http_conf cf = http_bench_conf();

    *f = (struct front){ .trusted = true };
    f->front = (struct um_http_front){ .proxy_protocol = true, .trusts = trusts, .arg = &f->trusted };
    cf.front = &f->front;
    cf.header_timeout_ms = header_timeout_ms;
    http_bench_open_with(&f->b, &cf, routes, UM_COUNT(routes), NULL, NULL);
}

#define ASK "GET /who HTTP/1.1\r\nHost: x\r\n\r\n"

static void a_request_behind_the_head_is_the_client_s(void **state)
{
    static const uint8_t four[] = { 192, 0, 2, 9, 10, 0, 0, 1, 0, 1, 0, 2, 0x20, 0, 5, 1, 0, 0, 0, 0 };
    struct um_buf out = { 0 };
    uint8_t bytes[100];
    struct um_span head = v2(bytes, 0x21, 0x11, four, sizeof(four));
    struct front f;
    int fd;

    (void)state;
    open_front(&f, 20000);
    assert_int_equal(http_bench_ask(&f.b, "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n" ASK, &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "you are 192.0.2.7."));
    um_buf_clear(&out);
    assert_int_equal(http_bench_ask(&f.b, "PROXY UNKNOWN\r\n" ASK, &out), 200);
    assert_non_null(strstr(um_buf_cstr(&out), "you are 127.0.0.1."));
    um_buf_clear(&out);
    fd = http_bench_dial(&f.b);
    for (size_t i = 0; i < head.len; i++) {              /* in single bytes; nothing that follows is taken for the head's */
        http_bench_say(&f.b, fd, (const char *)head.data + i, 1);
        http_bench_turns(&f.b, 2);
    }
    http_bench_say(&f.b, fd, ASK, strlen(ASK));
    http_bench_await(&f.b, fd, &out, "you are 192.0.2.9, by TLS.");
    http_bench_say(&f.b, fd, ASK, strlen(ASK));          /* the connection goes on as any other */
    assert_false(http_bench_hear(&f.b, fd, &out));
    assert_int_equal(http_bench_replies(&out), 2);
    close(fd);
    um_buf_free(&out);
    http_bench_close(&f.b);
}

static void who_has_no_head_or_no_trust_gets_no_answer(void **state)
{
    struct um_buf out = { 0 };
    struct front f;
    int fd;

    (void)state;
    open_front(&f, 50);
    fd = http_bench_dial(&f.b);
    http_bench_say(&f.b, fd, ASK, strlen(ASK));
    assert_true(http_bench_hear(&f.b, fd, &out));
    close(fd);
    fd = http_bench_dial(&f.b);
    http_bench_say(&f.b, fd, "PROXY TCP4 1.2", 14);      /* and no more: the time of the header ends it */
    while (!http_bench_hear(&f.b, fd, &out))
        ;
    close(fd);
    f.trusted = false;
    fd = http_bench_dial(&f.b);
    http_bench_say(&f.b, fd, "PROXY UNKNOWN\r\n" ASK, 15 + strlen(ASK));
    assert_true(http_bench_hear(&f.b, fd, &out));
    close(fd);
    assert_int_equal(out.len, 0);
    fd = http_bench_dial(&f.b);                          /* one is still there when the server ends */
    f.trusted = true;
    http_bench_turns(&f.b, 3);
    http_bench_close(&f.b);
    close(fd);
}

static void a_certificate_that_cannot_be_used_is_named(void **state)
{
    struct um_http_front f = { .tls = true, .certificate = "/nowhere/cert.pem", .private_key = "/nowhere/key.pem", .ciphers = "" };
    char why[256];

    (void)state;
    assert_int_equal(um_http_front_check(&f, why), UM_EINVAL);
    assert_non_null(strstr(why, "server.ssl.certificate: /nowhere/cert.pem: "));
    f.ciphers = "nonsense";
    assert_int_equal(um_http_front_check(&f, why), UM_EINVAL);
    assert_non_null(strstr(why, "server.ssl.ciphers: nonsense: "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_names_the_client),
        cmocka_unit_test(what_is_no_head_is_refused),
        cmocka_unit_test(version_2_names_the_client_and_whether_it_speaks_tls),
        cmocka_unit_test(a_wrong_length_command_part_or_sum_of_version_2_is_refused),
        cmocka_unit_test(a_request_behind_the_head_is_the_client_s),
        cmocka_unit_test(who_has_no_head_or_no_trust_gets_no_answer),
        cmocka_unit_test(a_certificate_that_cannot_be_used_is_named),
    };
    um_http_start();
    return cmocka_run_group_tests_name("http_front", tests, NULL, NULL);
}
