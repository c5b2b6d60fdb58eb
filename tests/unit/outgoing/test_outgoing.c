/* unit.outgoing: calls to a real server on loopback, which `outgoing.allow` opens. */
#include <um_test.h>
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/conf.h>
#include <umbel/histogram.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/outgoing.h>
#include "names.h"
#include "server.h"

enum { TURNS = 6000, TURN_MS = 10 };

static struct rig {
    struct um_loop *loop;
    struct um_outgoing *o;
    struct um_outgoing_conf cf;
    struct server server;
} rig;

struct got {
    int calls;
    um_err err;
    unsigned status;
    char why[UM_OUTGOING_WHY_MAX];
    struct um_buf body;
    char headers[4096];                      /* "name=value\n" */
};

/* ---- rig ---- */

static void open_outgoing(void)
{
    char why[UM_OUTGOING_WHY_MAX] = "";

    if (um_outgoing_new(&rig.o, &rig.cf, why) != UM_OK)
        fail_msg("%s", why);
}

static void reopen(void)
{
    um_outgoing_free(rig.o);
    open_outgoing();
}

static int set_up(void **state)
{
    (void)state;
    um_log_set_level(NULL, UM_OFF);
    rig.loop = um_loop_new(0);
    rig.cf = (struct um_outgoing_conf){ .connect_ms = 5000, .read_ms = 30000, .max_total = 200, .max_per_route = 100, .max_answer = 1 << 20,
                                        .max_waiting = 10000, .max_waiting_bytes = 64 << 20, .allow = "127.0.0.1", .ca_file = "" };
    server_start(&rig.server, AF_INET);
    open_outgoing();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    um_outgoing_free(rig.o);
    rig.o = NULL;
    server_stop(&rig.server);
    um_loop_free(rig.loop);
    return 0;
}

static void note(void *arg, const struct um_outgoing_answer *a)
{
    struct got *g = arg;
    size_t at = 0;

    g->calls++;
    g->err = a->err;
    g->status = a->status;
    snprintf(g->why, sizeof(g->why), "%s", a->why);
    um_buf_clear(&g->body);
    um_buf_put(&g->body, a->body.data, a->body.len);
    g->headers[0] = '\0';
    for (size_t i = 0; i < a->n_headers && at < sizeof(g->headers) - 1; i++)
        at += (size_t)snprintf(g->headers + at, sizeof(g->headers) - at, "%s=%s\n", a->headers[i].name, a->headers[i].value);
    if (a->err != UM_OK)
        assert_true(a->why[0] != '\0' && a->body.len == 0 && a->status == 0);
}

static void turn_until(const int *value, int n)
{
    for (int i = 0; i < TURNS && *value < n; i++)
        um_loop_turn(rig.loop, TURN_MS);
    if (*value < n)
        fail_msg("only %d of %d came", *value, n);
}

static void url_of(char out[512], const char *path) { snprintf(out, 512, "http://127.0.0.1:%u%s", rig.server.port, path); }

static void forget(struct got *g)
{
    um_buf_free(&g->body);
    memset(g, 0, sizeof(*g));
}

static void ask(struct got *g, const struct um_outgoing_call *call)
{
    forget(g);
    um_outgoing_ask(rig.o, rig.loop, call, note, g);
    assert_int_equal(g->calls, 0);
    turn_until(&g->calls, 1);
}

static void get_url(struct got *g, const char *url) { ask(g, &(struct um_outgoing_call){ .method = "GET", .url = url }); }

static void get(struct got *g, const char *path)
{
    char url[512];

    url_of(url, path);
    get_url(g, url);
}

static void add_up(void *arg, const struct um_outgoing_answer *a)
{
    int *sums = arg;                         /* by error, and all at the end */

    sums[a->err]++;
    sums[UM_ERR_N]++;
}

static const char *body_of(struct got *g) { return um_buf_cstr(&g->body); }
static int64_t counter(const char *name) { return um_metric_value(um_metrics_find(name)); }

/* ---- what is sent, what comes back ---- */

static void a_call_arrives_as_it_was_asked(void **state)
{
    static const struct um_outgoing_header headers[] = { { "X-Operation-Id", "o1" }, { "Content-Type", "application/json" }, { "X-Empty", "" } };
    struct got g = { 0 };
    char url[512];

    (void)state;
    url_of(url, "/echo?a=%20b");
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .headers = headers, .n_headers = 3, .body = UM_SPAN("{\"a\":1}", 7) });
    assert_int_equal(g.err, UM_OK);
    assert_int_equal(g.status, 200);
    assert_string_equal(g.why, "");
    assert_non_null(strstr(body_of(&g), "POST /echo?a=%20b HTTP/1.1\r\n"));
    assert_non_null(strstr(body_of(&g), "\r\nX-Operation-Id: o1\r\n"));
    assert_non_null(strstr(body_of(&g), "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(body_of(&g), "\r\nX-Empty:\r\n"));
    assert_non_null(strstr(body_of(&g), "\r\nContent-Length: 7\r\n"));
    assert_non_null(strstr(body_of(&g), "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(body_of(&g), "Accept-Encoding"));
    assert_null(strstr(body_of(&g), "Expect"));
    assert_non_null(strstr(g.headers, "x-mixed=a b\n"));
    forget(&g);
}

static void every_method_is_said_and_no_other(void **state)
{
    static const char *const methods[] = { "GET", "POST", "PUT", "PATCH", "DELETE" }, *const wrong[] = { "get", "TRACE", "CONNECT", "GET /", "", "POST\r\n" };
    struct got g = { 0 };
    char url[512], start[64];

    (void)state;
    url_of(url, "/echo");
    for (size_t i = 0; i < UM_COUNT(methods); i++) {
        ask(&g, &(struct um_outgoing_call){ .method = methods[i], .url = url });
        snprintf(start, sizeof(start), "%s /echo HTTP/1.1\r\n", methods[i]);
        assert_memory_equal(body_of(&g), start, strlen(start));
        assert_null(strstr(body_of(&g), "urlencoded"));
    }
    ask(&g, &(struct um_outgoing_call){ .method = "HEAD", .url = url });
    assert_int_equal(g.status, 200);
    assert_int_equal(g.body.len, 0);
    for (size_t i = 0; i < UM_COUNT(wrong); i++) {
        ask(&g, &(struct um_outgoing_call){ .method = wrong[i], .url = url });
        assert_int_equal(g.err, UM_EINVAL);
    }
    assert_int_equal(rig.server.requests, 6);
    forget(&g);
}

static void a_body_is_signed_byte_for_byte(void **state)
{
    static const char expected[] = "\r\nX-Hocuspocus-Signature-256: sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8\r\n";
    struct got g = { 0 };
    char url[512];

    (void)state;                             /* the well-known vector of HMAC-SHA-256 */
    url_of(url, "/echo");
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .body = UM_SPAN("The quick brown fox jumps over the lazy dog", 43),
                                        .sign_secret = "key", .sign_header = "X-Hocuspocus-Signature-256" });
    assert_non_null(strstr(body_of(&g), expected));
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .sign_secret = "", .sign_header = "X-S" });
    assert_int_equal(g.err, UM_EINVAL);
    forget(&g);
}

static void a_header_cannot_bring_another_one(void **state)
{
    static const struct um_outgoing_header wrong[] = {
        { "X", "a\r\nEvil: 1" }, { "X", "a\nb" }, { "X", "a\rb" }, { "X", "a\x01" }, { "X", "a\x7f" }, { "X\r\nEvil", "1" }, { "X Y", "1" }, { "X:", "1" },
        { "", "1" }, { "X;", "" }, { "Host", "other" }, { "content-length", "0" }, { "Transfer-Encoding", "chunked" }, { "Connection", "close" },
        { "Accept-Encoding", "gzip" }, { "Expect", "100-continue" }, { "Upgrade", "h2c" }, { "Proxy-Authorization", "x" },
    };
    struct um_outgoing_header many[UM_OUTGOING_HEADERS_MAX + 1];
    struct got g = { 0 };
    char url[512];

    (void)state;
    url_of(url, "/echo");
    for (size_t i = 0; i < UM_COUNT(wrong); i++) {
        ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .headers = &wrong[i], .n_headers = 1 });
        assert_int_equal(g.err, UM_EINVAL);
    }
    for (size_t i = 0; i < UM_COUNT(many); i++)
        many[i] = (struct um_outgoing_header){ "X-Many", "1" };
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .headers = many, .n_headers = UM_OUTGOING_HEADERS_MAX });
    assert_int_equal(g.err, UM_OK);
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .headers = many, .n_headers = UM_OUTGOING_HEADERS_MAX + 1 });
    assert_int_equal(g.err, UM_EINVAL);
    assert_int_equal(rig.server.requests, 1);
    forget(&g);
}

static void an_error_of_the_service_is_an_answer(void **state)
{
    struct got g = { 0 };

    (void)state;
    get(&g, "/status");
    assert_int_equal(g.err, UM_OK);
    assert_int_equal(g.status, 418);
    assert_non_null(strstr(g.headers, "code=F00039\nmessage=no tea\n"));
    forget(&g);
}

static void headers_are_those_of_the_answer_alone(void **state)
{
    struct got g = { 0 };

    (void)state;
    get(&g, "/interim");
    assert_string_equal(body_of(&g), "hi");
    assert_string_equal(g.headers, "content-length=2\n");
    get(&g, "/trailers");
    assert_string_equal(body_of(&g), "hi");
    assert_null(strstr(g.headers, "x-late"));
    get(&g, "/odd");
    assert_int_equal(g.err, UM_OK);
    assert_null(strchr(g.headers, '\x1b'));
    assert_null(strstr(g.headers, "bad"));
    forget(&g);
}

static void a_redirect_is_told_and_never_followed(void **state)
{
    struct got g = { 0 };

    (void)state;
    get(&g, "/redirect");
    assert_int_equal(g.status, 302);
    assert_non_null(strstr(g.headers, "location=/echo\n"));
    assert_int_equal(rig.server.requests, 1);
    forget(&g);
}

/* ---- answers that harm ---- */

static void hostile_answers_end_with_their_error(void **state)
{
    static const struct { const char *path; um_err err; } rows[] = {
        { "/close", UM_EIO }, { "/half", UM_EIO }, { "/halfhead", UM_EIO }, { "/onlyinterim", UM_EIO }, { "/http09", UM_EPROTO }, { "/large", UM_ELIMIT },
        { "/huge-line", UM_ELIMIT }, { "/endless-head", UM_ELIMIT }, { "/continues", UM_ELIMIT }, { "/many-trailers", UM_ELIMIT },
        { "/transfer-bomb", UM_ELIMIT },
    };
    int64_t failed = counter("outgoing.failed");
    struct got g = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        get(&g, rows[i].path);
        if (g.err != rows[i].err)
            fail_msg("%s: %s (%s)", rows[i].path, um_err_text(g.err), g.why);
    }
    assert_int_equal(counter("outgoing.failed") - failed, UM_COUNT(rows));
    forget(&g);
}

static void what_was_compressed_unasked_stays_compressed(void **state)
{
    struct got g = { 0 };

    (void)state;
    get(&g, "/content-bomb");
    assert_int_equal(g.err, UM_OK);
    assert_true(g.body.len > 2 && g.body.len < 100000);
    assert_memory_equal(g.body.data, "\x1f\x8b", 2);
    forget(&g);
}

static void an_answer_holds_its_limit_and_not_a_byte_more(void **state)
{
    struct got g = { 0 };
    size_t len;

    (void)state;
    get(&g, "/echo");
    len = g.body.len;
    rig.cf.max_answer = (int64_t)len;
    reopen();
    get(&g, "/echo");
    assert_int_equal(g.err, UM_OK);
    assert_int_equal(g.body.len, len);
    rig.cf.max_answer = (int64_t)len - 1;
    reopen();
    get(&g, "/echo");
    assert_int_equal(g.err, UM_ELIMIT);
    forget(&g);
}

static void time_is_bounded_for_the_whole_however_it_trickles(void **state)
{
    struct got g = { 0 };
    char url[512];

    (void)state;
    url_of(url, "/hang");
    ask(&g, &(struct um_outgoing_call){ .method = "GET", .url = url, .read_ms = 100 });
    assert_int_equal(g.err, UM_ETIMEOUT);
    url_of(url, "/trickle");
    ask(&g, &(struct um_outgoing_call){ .method = "GET", .url = url, .read_ms = 100 });
    assert_int_equal(g.err, UM_ETIMEOUT);
    forget(&g);
}

/* A line of connections that nobody takes: the kernel answers no further ones. */
static void no_connection_in_time_is_told_as_nothing_sent(void **state)
{
    struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct got g = { 0 };
    uint16_t port;
    int fd = server_listen(AF_INET, 0, &port), held[8];
    char url[64];

    (void)state;
    sa.sin_port = htons(port);
    for (size_t i = 0; i < UM_COUNT(held); i++) {
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(held[i], (struct sockaddr *)&sa, sizeof(sa));
    }
    rig.cf.connect_ms = 100;
    reopen();
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", port);
    get_url(&g, url);
    assert_int_equal(g.err, UM_EUNAVAIL);
    for (size_t i = 0; i < UM_COUNT(held); i++)
        close(held[i]);
    close(fd);
    get_url(&g, url);                        /* and nobody listens there now */
    assert_int_equal(g.err, UM_EUNAVAIL);
    assert_string_equal(g.why, "no connection");
    forget(&g);
}

/* ---- the guard, on the real way ---- */

/* Where there is no IPv6, its addresses are no better than ones where nobody listens. */
static bool can_be_reached(const char *host)
{
    int fd = strchr(host, '[') != NULL || strcmp(host, "mapped.example") == 0 ? socket(AF_INET6, SOCK_STREAM, 0) : -2;

    if (fd >= 0)
        close(fd);
    return fd != -1;
}

static void names_of_this_machine_are_judged_where_they_lead(void **state)
{
    static const struct { const char *allow, *host; um_err err; } rows[] = {
        { "", "127.0.0.1", UM_EDENIED }, { "", "localhost", UM_EDENIED }, { "", "[::ffff:127.0.0.1]", UM_EDENIED }, { "", "[::1]", UM_EDENIED },
        { "", "a.localhost", UM_EDENIED }, { "", "0.0.0.0", UM_EDENIED }, { "", "[::]", UM_EDENIED },
        { "127.0.0.1", "127.0.0.1", UM_OK }, { "127.0.0.1", "127.0.0.2", UM_EDENIED }, { "127.0.0.0/8", "localhost", UM_OK },
        { "127.0.0.0/8", "[::ffff:127.0.0.1]", UM_OK }, { "127.0.0.1", "0.0.0.0", UM_EDENIED }, { "localhost", "LocalHost", UM_OK }, { "localhost", "127.0.0.1", UM_EDENIED },
        { "127.0.0.1", "2130706433", UM_EDENIED }, { "127.0.0.1", "127.1", UM_EDENIED }, { "127.0.0.1", "u@127.0.0.1", UM_EDENIED },
    };
    struct got g = { 0 };
    char url[512];
    int requests = 0;

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        if (rows[i].err == UM_OK && !can_be_reached(rows[i].host))
            continue;
        rig.cf.allow = rows[i].allow;
        reopen();
        snprintf(url, sizeof(url), "http://%s:%u/echo", rows[i].host, rig.server.port);
        get_url(&g, url);
        if (g.err != rows[i].err)
            fail_msg("%s with \"%s\": %s (%s)", rows[i].host, rows[i].allow, um_err_text(g.err), g.why);
        requests += g.err == UM_OK;
        assert_int_equal(rig.server.requests, requests);
    }
    forget(&g);
}

/* The text may pass, since localhost might be ::1, which is allowed; the server is at 127.0.0.1, which is not. */
static void an_address_is_judged_when_the_name_has_been_looked_up(void **state)
{
    char url[512], why[UM_OUTGOING_WHY_MAX];
    struct got g = { 0 };

    (void)state;
    rig.cf.allow = "::1";
    reopen();
    snprintf(url, sizeof(url), "http://localhost:%u/echo", rig.server.port);
    assert_true(um_outgoing_is_url(rig.o, url, why));
    get_url(&g, url);
    assert_int_not_equal(g.err, UM_OK);      /* EDENIED where there is no IPv6 at all */
    assert_int_equal(rig.server.connections, 0);
    rig.cf.allow = "127.0.0.1";
    reopen();
    get_url(&g, url);
    assert_int_equal(g.err, UM_OK);          /* ::1 was passed over */
    forget(&g);
}

static void a_name_that_leads_inside_does_not_get_there(void **state)
{
    static const struct { const char *allow, *host; um_err err; const char *why; } rows[] = {
        { "", "inside.example", UM_EDENIED, "a loopback address" }, { "", "mapped.example", UM_EDENIED, "a loopback address" },
        { "", "any.example", UM_EDENIED, "a reserved address" }, { "", "nat64.example", UM_EDENIED, "a reserved address" },
        { "", "metadata.example", UM_EDENIED, "a metadata service" }, { "", "private.example", UM_EDENIED, "a private address" },
        { "", "INSIDE.example.", UM_EUNAVAIL, "not known" }, { "127.0.0.2", "inside.example", UM_EDENIED, "a loopback address" },
        { "metadata.example", "metadata.example", UM_EDENIED, "a metadata service" }, { "any.example", "any.example", UM_EDENIED, "a reserved address" },
        { "x.inside.example", "inside.example", UM_EDENIED, "a loopback address" }, { "inside.example", "inside.example", UM_OK, "" },
        { "Mapped.Example", "mapped.example", UM_OK, "" }, { "127.0.0.0/8", "mapped.example", UM_OK, "" }, { "127.0.0.1", "both.example", UM_OK, "" },
        { "", "unknown.example", UM_EUNAVAIL, "not known" },
    };
    struct got g = { 0 };
    int requests = 0;
    char url[512];

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        if (rows[i].err == UM_OK && !can_be_reached(rows[i].host))
            continue;
        rig.cf.allow = rows[i].allow;
        reopen();
        snprintf(url, sizeof(url), "http://%s:%u/echo", rows[i].host, rig.server.port);
        get_url(&g, url);
        if (g.err != rows[i].err || strstr(g.why, rows[i].why) == NULL)
            fail_msg("%s with \"%s\": %s (%s)", rows[i].host, rows[i].allow, um_err_text(g.err), g.why);
        requests += g.err == UM_OK;
        assert_int_equal(rig.server.connections, requests);
    }
    forget(&g);
}

static void a_kept_connection_is_not_lent_to_another_name(void **state)
{
    struct got g = { 0 };
    char url[512];

    (void)state;
    rig.cf.allow = "inside.example";
    reopen();
    snprintf(url, sizeof(url), "http://inside.example:%u/echo", rig.server.port);
    get_url(&g, url);
    assert_int_equal(g.err, UM_OK);
    snprintf(url, sizeof(url), "http://other.example:%u/echo", rig.server.port);
    get_url(&g, url);
    assert_int_equal(g.err, UM_EDENIED);
    assert_int_equal(rig.server.requests, 1);
    forget(&g);
}

static void a_name_server_that_says_nothing_holds_up_nobody_else(void **state)
{
    int sums[UM_ERR_N + 1] = { 0 };
    struct got g = { 0 };

    (void)state;
    names_slow_may_end = false;
    for (int i = 0; i < 3; i++)
        um_outgoing_ask(rig.o, rig.loop, &(struct um_outgoing_call){ .method = "GET", .url = "http://slow.example/", .read_ms = 100 }, add_up, sums);
    turn_until(&sums[UM_ERR_N], 3);          /* given up, while the look-ups go on */
    assert_int_equal(sums[UM_EUNAVAIL], 3);
    assert_int_equal(names_slow_now, 3);
    get(&g, "/echo");
    assert_int_equal(g.err, UM_OK);
    names_slow_may_end = true;
    while (names_slow_now > 0)
        um_loop_turn(rig.loop, TURN_MS);
    forget(&g);
}

static void the_environment_names_no_proxy(void **state)
{
    struct got g = { 0 };

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1/", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1/", 1);
    reopen();
    get(&g, "/echo");
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(g.err, UM_OK);
    assert_memory_equal(body_of(&g), "GET /echo ", 10);
    forget(&g);
}

static void a_certificate_must_be_trusted_and_be_the_hosts(void **state)
{
    char file[] = "/tmp/umbel-outgoing-XXXXXX", url[64];
    struct tls_server tls = { 0 };
    struct got g = { 0 };
    int fd = mkstemp(file);

    (void)state;
    assert_true(fd >= 0);
    close(fd);
    tls_server_start(&tls, "localhost", file);
    rig.cf.ca_file = file;
    reopen();
    snprintf(url, sizeof(url), "https://localhost:%u/", tls.port);
    get_url(&g, url);
    assert_int_equal(g.err, UM_OK);
    assert_string_equal(body_of(&g), "hello");
    snprintf(url, sizeof(url), "https://127.0.0.1:%u/", tls.port);
    get_url(&g, url);                        /* not the certificate's name */
    assert_int_equal(g.err, UM_EUNAVAIL);
    assert_non_null(strstr(g.why, "certificate"));
    rig.cf.ca_file = "";
    reopen();
    snprintf(url, sizeof(url), "https://localhost:%u/", tls.port);
    get_url(&g, url);                        /* nobody vouches for it */
    assert_int_equal(g.err, UM_EUNAVAIL);
    tls_server_stop(&tls);
    unlink(file);
    forget(&g);
}

/* ---- places ---- */

static void connections_are_kept(void **state)
{
    struct got g = { 0 };

    (void)state;
    for (int i = 0; i < 5; i++)
        get(&g, "/echo");
    assert_int_equal(rig.server.requests, 5);
    assert_int_equal(rig.server.connections, 1);
    forget(&g);
}

static void ask_many(int sums[UM_ERR_N + 1], const char *path, int n, int64_t read_ms)
{
    char url[512];

    url_of(url, path);
    for (int i = 0; i < n; i++)
        um_outgoing_ask(rig.o, rig.loop, &(struct um_outgoing_call){ .method = "GET", .url = url, .read_ms = read_ms }, add_up, sums);
}

static void wait_for_open(int n)
{
    for (int i = 0; i < TURNS && rig.server.open < n; i++)
        um_loop_turn(rig.loop, TURN_MS);
    assert_int_equal(rig.server.open, n);
}

static void a_route_has_its_places_and_the_others_wait(void **state)
{
    int sums[UM_ERR_N + 1] = { 0 };

    (void)state;
    rig.cf.max_per_route = 3;
    reopen();
    ask_many(sums, "/gate", 50, 0);
    wait_for_open(3);
    assert_int_equal(counter("outgoing.active"), 3);
    assert_int_equal(counter("outgoing.waiting"), 47);
    rig.server.gate = true;
    turn_until(&sums[UM_ERR_N], 50);
    assert_int_equal(sums[UM_OK], 50);
    assert_int_equal(rig.server.most_open, 3);
    assert_int_equal(counter("outgoing.active"), 0);
    assert_int_equal(counter("outgoing.waiting"), 0);
}

static void a_full_route_leaves_places_to_others(void **state)
{
    int sums[UM_ERR_N + 1] = { 0 };
    struct server other;
    struct got g = { 0 };
    char url[64];

    (void)state;
    rig.cf.max_total = 4;
    rig.cf.max_per_route = 3;
    reopen();
    server_start(&other, AF_INET);
    ask_many(sums, "/gate", 20, 0);
    wait_for_open(3);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/echo", other.port);
    for (int i = 0; i < 3; i++) {
        get_url(&g, url);
        assert_int_equal(g.err, UM_OK);
    }
    assert_int_equal(sums[UM_ERR_N], 0);
    rig.server.gate = true;
    turn_until(&sums[UM_ERR_N], 20);
    reopen();                                /* lets go of the kept connection */
    server_stop(&other);
    forget(&g);
}

static void who_waits_too_long_is_told_that_nothing_was_sent(void **state)
{
    int sums[UM_ERR_N + 1] = { 0 };

    (void)state;
    rig.cf.max_per_route = 1;
    reopen();
    ask_many(sums, "/gate", 1, 0);
    wait_for_open(1);
    ask_many(sums, "/echo", 5, 60);
    turn_until(&sums[UM_ERR_N], 5);
    assert_int_equal(sums[UM_EUNAVAIL], 5);
    rig.server.gate = true;
    turn_until(&sums[UM_ERR_N], 6);
    assert_int_equal(sums[UM_OK], 1);
    assert_int_equal(rig.server.requests, 1);
}

static void no_more_wait_than_may(void **state)
{
    int sums[UM_ERR_N + 1] = { 0 };
    char url[512];

    (void)state;
    rig.cf.max_per_route = 1;
    rig.cf.max_waiting = 4;
    rig.cf.max_waiting_bytes = 100;
    reopen();
    ask_many(sums, "/gate", 1, 0);
    wait_for_open(1);
    ask_many(sums, "/echo", 10, 0);
    turn_until(&sums[UM_ERR_N], 6);
    assert_int_equal(sums[UM_EUNAVAIL], 6);
    rig.server.gate = true;
    turn_until(&sums[UM_ERR_N], 11);
    assert_int_equal(sums[UM_OK], 5);
    rig.server.gate = false;
    ask_many(sums, "/gate", 1, 0);           /* the same for their bytes */
    turn_until(&sums[UM_ERR_N], 11);
    url_of(url, "/echo");
    for (int i = 0; i < 10000 && counter("outgoing.active") < 1; i++)
        um_loop_turn(rig.loop, 1);
    for (int i = 0; i < 3; i++)
        um_outgoing_ask(rig.o, rig.loop, &(struct um_outgoing_call){ .method = "POST", .url = url, .body = UM_SPAN("0123456789012345678901234567890123456789", 40) },
                        add_up, sums);
    turn_until(&sums[UM_ERR_N], 12);
    assert_int_equal(sums[UM_EUNAVAIL], 7);
    rig.server.gate = true;
    turn_until(&sums[UM_ERR_N], 15);
}

static void the_end_answers_everybody_once(void **state)
{
    int sums[UM_ERR_N + 1] = { 0 };

    (void)state;
    rig.cf.max_per_route = 2;
    reopen();
    ask_many(sums, "/hang", 10, 0);
    wait_for_open(2);
    um_outgoing_free(rig.o);
    rig.o = NULL;
    turn_until(&sums[UM_ERR_N], 10);
    assert_int_equal(sums[UM_ECLOSED], 10);
    assert_int_equal(counter("outgoing.active"), 0);
    assert_int_equal(counter("outgoing.waiting"), 0);
}

struct asker { struct um_loop *loop; pthread_t thread; int sums[UM_ERR_N + 1]; };

static void *ask_from_thread(void *arg)
{
    struct asker *a = arg;
    char url[512];

    url_of(url, "/echo");
    for (int i = 0; i < 100; i++)
        um_outgoing_ask(rig.o, a->loop, &(struct um_outgoing_call){ .method = "POST", .url = url, .body = UM_SPAN("x", 1) }, add_up, a->sums);
    for (int i = 0; i < TURNS && a->sums[UM_ERR_N] < 100; i++)
        um_loop_turn(a->loop, TURN_MS);
    return NULL;
}

static void many_threads_ask_and_each_hears_its_own(void **state)
{
    struct asker askers[4] = { 0 };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(askers); i++) {
        askers[i].loop = um_loop_new((unsigned)i + 1);
        assert_int_equal(pthread_create(&askers[i].thread, NULL, ask_from_thread, &askers[i]), 0);
    }
    for (size_t i = 0; i < UM_COUNT(askers); i++) {
        pthread_join(askers[i].thread, NULL);
        assert_int_equal(askers[i].sums[UM_OK], 100);
        um_loop_free(askers[i].loop);
    }
    assert_int_equal(rig.server.requests, 400);
}

/* ---- what is seen of it ---- */

static void calls_are_timed_by_method_status_and_outcome(void **state)
{
    struct um_histograms *f;
    struct um_histogram *ok, *late;
    uint64_t before;
    struct got g = { 0 };

    (void)state;
    get(&g, "/echo");
    f = um_histograms_find("outgoing.requests");
    assert_non_null(f);
    ok = um_histogram_of(f, (const char *const[]){ "GET", "200", "SUCCESS" });
    late = um_histogram_of(f, (const char *const[]){ "GET", "none", "BROKEN" });
    before = um_histogram_count(late);
    assert_true(um_histogram_count(ok) > 0);
    get(&g, "/close");
    assert_int_equal(um_histogram_count(late), before + 1);
    forget(&g);
}

static void a_log_line_has_the_place_and_no_secret(void **state)
{
    static const struct um_outgoing_header header = { "Authorization", "Bearer hush-header" };
    char file[] = "/tmp/umbel-outgoing-log-XXXXXX", url[512], text[4096] = "";
    struct got g = { 0 };
    int fd = mkstemp(file), err_fd = dup(STDERR_FILENO);
    ssize_t n;

    (void)state;
    assert_true(fd >= 0 && err_fd >= 0);
    um_log_set_level(NULL, UM_TRACE);
    assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
    url_of(url, "/half/../close?token=hush-query");
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .headers = &header, .n_headers = 1, .body = UM_SPAN("hush-body", 9),
                                        .sign_secret = "hush-key", .sign_header = "X-S" });
    url_of(url, "/close?token=hush-query");
    ask(&g, &(struct um_outgoing_call){ .method = "POST", .url = url, .headers = &header, .n_headers = 1, .body = UM_SPAN("hush-body", 9) });
    assert_int_equal(g.err, UM_EIO);
    dup2(err_fd, STDERR_FILENO);
    close(err_fd);
    um_log_set_level(NULL, UM_OFF);
    n = pread(fd, text, sizeof(text) - 1, 0);
    close(fd);
    unlink(file);
    assert_true(n > 0);
    assert_non_null(strstr(text, "place=http://127.0.0.1:"));
    assert_null(strstr(text, "hush"));
    assert_null(strstr(g.why, "hush"));
    forget(&g);
}

static void defaults_are_those_of_the_table(void **state)
{
    const struct um_conf_table *const tables[] = { &um_outgoing_conf_table };
    struct um_outgoing_conf cf;
    struct um_conf *conf;

    (void)state;
    assert_int_equal(um_conf_load(&conf, &(struct um_conf_source){ .app = "none", .dir = "/", .tables = tables, .n_tables = 1 }), UM_OK);
    assert_int_equal(um_conf_bind(conf, um_outgoing_conf_table.keys, um_outgoing_conf_table.n, &cf), UM_OK);
    assert_int_equal(cf.connect_ms, 5000);
    assert_int_equal(cf.read_ms, 30000);
    assert_int_equal(cf.max_total, 200);
    assert_int_equal(cf.max_per_route, 100);
    assert_int_equal(cf.max_answer, 1 << 20);
    assert_string_equal(cf.allow, "");
    um_conf_free(conf);
}

static void what_allow_cannot_be_is_told_at_the_start(void **state)
{
    char why[UM_OUTGOING_WHY_MAX] = "";
    struct um_outgoing *o;

    (void)state;
    rig.cf.allow = "10.0.0.0/99";
    assert_int_equal(um_outgoing_new(&o, &rig.cf, why), UM_EINVAL);
    assert_non_null(strstr(why, "outgoing.allow"));
    assert_non_null(strstr(why, "10.0.0.0/99"));
    assert_null(o);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        T(a_call_arrives_as_it_was_asked),
        T(every_method_is_said_and_no_other),
        T(a_body_is_signed_byte_for_byte),
        T(a_header_cannot_bring_another_one),
        T(an_error_of_the_service_is_an_answer),
        T(headers_are_those_of_the_answer_alone),
        T(a_redirect_is_told_and_never_followed),
        T(hostile_answers_end_with_their_error),
        T(what_was_compressed_unasked_stays_compressed),
        T(an_answer_holds_its_limit_and_not_a_byte_more),
        T(time_is_bounded_for_the_whole_however_it_trickles),
        T(no_connection_in_time_is_told_as_nothing_sent),
        T(names_of_this_machine_are_judged_where_they_lead),
        T(an_address_is_judged_when_the_name_has_been_looked_up),
        T(a_name_that_leads_inside_does_not_get_there),
        T(a_kept_connection_is_not_lent_to_another_name),
        T(a_name_server_that_says_nothing_holds_up_nobody_else),
        T(the_environment_names_no_proxy),
        T(a_certificate_must_be_trusted_and_be_the_hosts),
        T(connections_are_kept),
        T(a_route_has_its_places_and_the_others_wait),
        T(a_full_route_leaves_places_to_others),
        T(who_waits_too_long_is_told_that_nothing_was_sent),
        T(no_more_wait_than_may),
        T(the_end_answers_everybody_once),
        T(many_threads_ask_and_each_hears_its_own),
        T(calls_are_timed_by_method_status_and_outcome),
        T(a_log_line_has_the_place_and_no_secret),
        T(defaults_are_those_of_the_table),
        T(what_allow_cannot_be_is_told_at_the_start),
    };

    signal(SIGPIPE, SIG_IGN);                /* of the server with TLS, as in the daemons */
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
