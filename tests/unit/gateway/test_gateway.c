/* The whole gateway but its main, on one loop with a core of straw: both are real servers on loopback ports, and the client
 * is a socket that is read while the loop turns. Waiting is bounded by WAIT_TURNS turns. */
#include "um_test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <proxy/forward.h>
#include <site.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include <umbel/ws.h>

#define KEY "0123456789abcdef0123456789abcdef"
enum { WAIT_TURNS = 20000, TURN_MS = 5, BIG = 3 * 1000 * 1000 };

struct env {
    struct um_loop *loop;
    struct um_http *core;                        /* NULL once killed */
    int core_port, port;
    struct um_sessions *sessions;
    struct um_throttle *throttle;
    struct um_trusted *trusted;
    struct um_upstream *upstream;
    struct um_auth *auth;
    struct um_site *site;
    struct um_vitals vitals;
    struct um_auth_conf auth_conf;
    struct um_upstream_conf upstream_conf;
    struct um_tunnels_conf tunnels_conf;
    struct um_ws_conf ws_conf;
    struct um_site_conf site_conf;
    struct um_token_ring ring;
    const char *node[2];                         /* the false core first, if there is one */
    size_t n_nodes;
    /* what the core of straw has seen */
    struct um_buf seen;                          /* "name: value\n" of the last request */
    char seen_target[256];
    size_t seen_body;
    unsigned refuse_with;                        /* status of the next handshake; 0: it agrees */
    struct um_ws *echo;                          /* says again what it hears; one at a time */
    /* a core that lets one down; -1: there is none, or nobody listens there */
    struct um_io false_core, false_peer;
    int false_fd;
    const char *false_answer;                    /* what it says before it closes */
    int false_seen;
    /* what the browser holds */
    char cookie[128], csrf[64];
};

/* ---- a core of straw ---- */

static void note_header(void *arg, const char *name, const char *value)
{
    um_buf_printf(arg, "%s: %s\n", name, value);
}

static void note_request(struct env *e, struct um_http_req *rq)
{
    um_buf_clear(&e->seen);
    um_http_each_header(rq, note_header, &e->seen);
    snprintf(e->seen_target, sizeof(e->seen_target), "%s", um_http_raw_target(rq));
}

static bool saw(struct env *e, const char *line)
{
    return strstr(um_buf_cstr(&e->seen), line) != NULL;
}

/* The claims of the token that came with the last request. */
static um_err claims_seen(struct env *e, const char *use, struct um_token_claims *c)
{
    const char *p = strstr(um_buf_cstr(&e->seen), "token: ");
    *c = (struct um_token_claims){0};
    if (p == NULL)
        return UM_ENOTFOUND;
    return um_token_verify(&e->ring, UM_SPAN(p + 7, strcspn(p + 7, "\n")), use, um_wall_ms() / 1000, c);
}

static void core_authentication(struct um_http_req *rq, void *ctx)
{
    struct env *e = ctx;
    json_t *json = um_http_body_json(rq);
    const char *user = json_string_value(json_object_get(json, "user"));
    const char *password = json_string_value(json_object_get(json, "password"));
    const char *profiles[] = { "ADMIN" };
    int64_t now = um_wall_ms() / 1000;
    struct um_token_claims c = { .sub = user, .name = "Ann A.", .scope = "main", .use = UM_TOKEN_USER,
                                 .profiles = { profiles, 1 }, .iat = now, .exp = now + 60 };
    struct um_token_claims asker;
    struct um_buf token = {0};

    note_request(e, rq);
    assert_int_equal(claims_seen(e, UM_TOKEN_GATEWAY, &asker), UM_OK);
    assert_string_equal(asker.addr, "127.0.0.1");
    um_token_claims_free(&asker);
    if (strcmp(password, "secret") == 0) {
        assert_int_equal(um_token_sign(&e->ring, &c, &token), UM_OK);
        um_http_reply_json(rq, 200, json_pack("{s:s}", "value", um_buf_cstr(&token)));
    } else {
        um_http_reply_error(rq, 401, "U00401", "no");
    }
    um_buf_free(&token);
    json_decref(json);
}

static void core_echo(struct um_http_req *rq, void *ctx)
{
    note_request(ctx, rq);
    um_http_add_header(rq, "Set-Cookie", "core=1");
    um_http_add_header(rq, "X-Core", "yes");
    um_http_reply(rq, 200, "text/plain", UM_SPAN("hello", 5));
}

static size_t core_take(void *arg, struct um_span piece)
{
    struct env *e = arg;
    e->seen_body += piece.len;
    return piece.len;
}

static struct um_http_req *swallowed;
static void core_taken(void *arg)
{
    (void)arg;
    um_http_reply(swallowed, 201, "text/plain", UM_SPAN("taken", 5));
}

static void core_swallow(struct um_http_req *rq, void *ctx)
{
    struct env *e = ctx;
    note_request(e, rq);
    e->seen_body = 0;
    swallowed = rq;
    if (um_http_has_body(rq))
        um_http_on_body(rq, core_take, core_taken, e);
    else
        core_taken(e);
}

struct big { size_t at; };
static ptrdiff_t big_read(void *arg, uint8_t *out, size_t n)
{
    struct big *b = arg;
    size_t take = UM_MIN(n, BIG - b->at);
    for (size_t i = 0; i < take; i++)
        out[i] = (uint8_t)('a' + (b->at + i) % 26);
    b->at += take;
    return take > 0 ? (ptrdiff_t)take : -1;
}

static void core_big(struct um_http_req *rq, void *ctx)
{
    struct um_http_source src = { big_read, free, calloc(1, sizeof(struct big)) };
    note_request(ctx, rq);
    um_http_reply_stream(rq, 200, "text/plain", -1, src);
}

static void echo_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    struct env *e = arg;
    um_ws_send_message(e->echo, kind, message);
}

static void echo_closed(void *arg, unsigned code, struct um_span reason)
{
    struct env *e = arg;

    (void)code;
    (void)reason;
    e->echo = NULL;
}

static void lone_closed(void *arg, unsigned code, struct um_span reason)
{
    (void)arg;
    (void)code;
    (void)reason;
}

static void lone_message(void *arg, enum um_ws_kind kind, struct um_span message)
{
    (void)arg;
    (void)kind;
    (void)message;
}

static const struct um_ws_handler echo_handler = { echo_message, NULL, echo_closed }, lone_handler = { lone_message, NULL, lone_closed };

static void echo_end(struct env *e)
{
    if (e->echo == NULL)
        return;
    um_ws_set_handler(e->echo, &lone_handler, NULL);
    um_ws_abort(e->echo);
    e->echo = NULL;
}

/* Those before it stay, and say nothing more. */
static void core_take_socket(void *arg, int fd, struct um_span early)
{
    struct env *e = arg;
    if (fd < 0)
        return;
    if (e->echo != NULL)
        um_ws_set_handler(e->echo, &lone_handler, NULL);
    e->echo = um_ws_new(e->loop, fd, early, &e->ws_conf, &echo_handler, e);
    assert_non_null(e->echo);
}

static void core_socket(struct um_http_req *rq, void *ctx)
{
    struct env *e = ctx;
    note_request(e, rq);
    if (e->refuse_with != 0)
        um_http_reply_error(rq, e->refuse_with, "U00401", "no");
    else
        um_http_upgrade(rq, um_http_header(rq, "Sec-WebSocket-Protocol"), core_take_socket, e);
}

static const struct um_http_route core_routes[] = {
    { "POST", "/core/rest/authentication", core_authentication, 0, NULL, "", 0 },
    { "GET",  "/core/big",                 core_big,            0, NULL, "", 0 },
    { "POST", "/core/swallow",             core_swallow,        UM_HTTP_STREAM_BODY, NULL, "", 64 << 20 },
    { "PUT",  "/core/swallow",             core_swallow,        UM_HTTP_STREAM_BODY, NULL, "", 64 << 20 },
    { "GET",  "/collab",                   core_socket,         UM_HTTP_WEBSOCKET, NULL, "", 0 },
    { "GET",  "/y/*",                      core_socket,         UM_HTTP_WEBSOCKET, NULL, "", 0 },
    { "*",    "/core/*",                   core_echo,           0, NULL, "", 0 },
};

/* ---- the browser ---- */

struct answer {
    unsigned status;
    struct um_buf raw;
    const char *body;
};

static int dial(const struct env *e)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)e->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Sends all of DATA and reads until the peer has closed, or (HEAD_ONLY) the head is there. */
static void converse(struct env *e, int fd, struct um_span data, bool head_only, struct um_buf *out)
{
    size_t sent = 0;
    uint8_t buf[65536];

    for (int i = 0; i < WAIT_TURNS; i++) {
        ssize_t n;
        if (sent < data.len && (n = send(fd, data.data + sent, data.len - sent, MSG_NOSIGNAL)) > 0)
            sent += (size_t)n;
        n = recv(fd, buf, sizeof(buf), 0);
        if (n > 0)
            um_buf_put(out, buf, (size_t)n);
        else if (n == 0 || errno != EAGAIN)
            return;
        if (head_only && strstr(um_buf_cstr(out), "\r\n\r\n") != NULL)
            return;
        um_loop_turn(e->loop, n > 0 || sent < data.len ? 0 : TURN_MS);
    }
    fail_msg("no end of the answer: %s", um_buf_cstr(out));
}

static void read_answer(struct answer *a)
{
    const char *text = um_buf_cstr(&a->raw), *end = strstr(text, "\r\n\r\n");
    assert_non_null(end);
    a->status = (unsigned)strtoul(text + 9, NULL, 10);
    a->body = end + 4;
}

/* HEADERS: lines with their ends. BODY NULL: none. */
static struct answer ask(struct env *e, const char *method, const char *target, const char *headers, const char *body)
{
    struct um_buf rq = {0};
    struct answer a = {0};
    int fd = dial(e);

    um_buf_printf(&rq, "%s %s HTTP/1.1\r\nHost: gui.example\r\nConnection: close\r\n%s", method, target, headers);
    if (body != NULL)
        um_buf_printf(&rq, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
    else
        um_buf_puts(&rq, "\r\n");
    converse(e, fd, UM_SPAN(rq.data, rq.len), false, &a.raw);
    close(fd);
    um_buf_free(&rq);
    read_answer(&a);
    return a;
}

static unsigned status_of(struct answer a)
{
    um_buf_free(&a.raw);
    return a.status;
}

static bool says(const struct answer *a, const char *text)
{
    return strstr((const char *)a->raw.data, text) != NULL;
}

static struct answer try_login(struct env *e, const char *user, const char *password, const char *headers)
{
    char *body = um_xasprintf("{\"user\":\"%s\",\"password\":\"%s\"}", user, password);
    struct answer a = ask(e, "POST", "/gui/rest/session", headers, body);
    free(body);
    return a;
}

#define JSON_TYPE "Content-Type: application/json\r\n"
static void login(struct env *e)
{
    struct answer a = try_login(e, "ann", "secret", JSON_TYPE);
    const char *p;

    assert_int_equal(a.status, 200);
    p = strstr((const char *)a.raw.data, "Set-Cookie: ") + 12;
    snprintf(e->cookie, sizeof(e->cookie), "Cookie: %.*s\r\n", (int)strcspn(p, ";"), p);
    p = strstr(a.body, "\"csrf\":\"") + 8;
    snprintf(e->csrf, sizeof(e->csrf), "X-CSRF-TOKEN: %.*s\r\n", (int)strcspn(p, "\""), p);
    um_buf_free(&a.raw);
}

static char joined[1024];
static const char *with(const char *a, const char *b)
{
    snprintf(joined, sizeof(joined), "%s%s", a, b);
    return joined;
}

/* ---- set-up ---- */

static const struct um_http_conf http_conf = {
    .address = "127.0.0.1", .port = 0, .max_header_bytes = 16384, .max_headers = 100, .max_query = 1000, .max_body = 8 << 20,
    .header_timeout_ms = 10000, .min_rate_bytes = 0, .keep_alive_ms = 60000, .max_connections = 100, .max_per_address = 100,
    .deadline_ms = 30000, .json_max_depth = 64, .json_max_array = 1000, .json_max_string = 1 << 20,
};

static void start_core(struct env *e)
{
    struct um_http_conf cf = http_conf;
    cf.port = e->core_port;                      /* 0 the first time */
    assert_int_equal(um_http_new(&e->core, e->loop, &cf, core_routes, UM_COUNT(core_routes), NULL, e), UM_OK);
    e->core_port = um_http_port(e->core);
}

static void stop_core(struct env *e)
{
    um_http_free(e->core);
    e->core = NULL;
    um_loop_turn(e->loop, 0);
}

/* Takes what comes first, says its answer and closes. One connection at a time. */
static void false_core_asked(void *arg, unsigned events)
{
    struct env *e = arg;
    char buf[4096];

    (void)events;
    (void)!recv(e->false_peer.fd, buf, sizeof(buf), 0);
    (void)!send(e->false_peer.fd, e->false_answer, strlen(e->false_answer), MSG_NOSIGNAL);
    um_io_stop(e->loop, &e->false_peer);
    close(e->false_peer.fd);
}

static void false_core_called(void *arg, unsigned events)
{
    struct env *e = arg;
    int fd = accept4(e->false_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    (void)events;
    if (fd < 0)
        return;
    e->false_seen++;
    assert_int_equal(um_io_start(e->loop, &e->false_peer, fd, UM_READ, false_core_asked, e), UM_OK);
}

/* Its port stays its own even when nobody listens there. */
static void start_false_core(struct env *e, bool listens)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);

    e->false_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(e->false_fd, (struct sockaddr *)&at, len), 0);
    assert_int_equal(getsockname(e->false_fd, (struct sockaddr *)&at, &len), 0);
    e->node[e->n_nodes++] = um_xasprintf("http://127.0.0.1:%d", ntohs(at.sin_port));
    if (!listens)
        return;
    assert_int_equal(listen(e->false_fd, 100), 0);
    assert_int_equal(um_io_start(e->loop, &e->false_core, e->false_fd, UM_READ, false_core_called, e), UM_OK);
}

enum false_core { NONE, DEAF, FALSE };
static int setup_beside(void **state, enum false_core kind);
static int setup(void **state) { return setup_beside(state, NONE); }

static int setup_beside(void **state, enum false_core kind)
{
    struct env *e = calloc(1, sizeof(*e));
    const struct um_sessions_conf sessions = { .timeout_s = 1800, .max_sessions = 100, .max_per_user = 20, .max_attributes = 64,
                                               .max_value_bytes = 65536, .max_total_bytes = 262144 };
    const struct um_throttle_conf throttle = UM_THROTTLE_DEFAULTS;
    const char *bad, *const proxies[] = { "192.0.2.1" };
    struct um_auth_env auth;
    struct um_site_env site;

    *state = e;
    e->false_fd = -1;
    e->ws_conf = (struct um_ws_conf){ 1 << 20, 1000, 1 << 20, 1 << 16, 5000, 25000, 60000, 300, 1000, 1000, false };
    e->false_answer = "";
    e->loop = um_loop_new(0);
    start_core(e);
    if (kind != NONE)
        start_false_core(e, kind == FALSE);
    e->node[e->n_nodes++] = um_xasprintf("http://127.0.0.1:%d", e->core_port);
    e->upstream_conf = (struct um_upstream_conf){ { e->n_nodes, e->node }, 2000, 10000, 64, 0, "" };
    e->tunnels_conf = (struct um_tunnels_conf){ 5000, 100, 3000 };
    e->auth_conf = (struct um_auth_conf){ .cookie_name = "SESSION", .cookie_path = "/", .cookie_domain = "",
                                          .cookie_http_only = true, .scope = "main" };
    e->site_conf = (struct um_site_conf){ "default-src 'none'", "no-referrer", "", "", "", 600, 64 << 20 };
    assert_int_equal(um_token_ring_init(&e->ring, KEY, ""), UM_OK);
    assert_int_equal(um_trusted_new(&e->trusted, proxies, 1, &bad), UM_OK);
    assert_int_equal(um_sessions_new_memory(&e->sessions, &sessions), UM_OK);
    e->throttle = um_throttle_new(&throttle);
    assert_int_equal(um_upstream_new(&e->upstream, e->loop, &e->upstream_conf, NULL), UM_OK);
    auth = (struct um_auth_env){ e->loop, &e->auth_conf, &e->ring, e->trusted, e->sessions, e->throttle, e->upstream, &e->tunnels_conf, &e->ws_conf, NULL };
    e->auth = um_auth_new(&auth);
    site = (struct um_site_env){ .conf = &e->site_conf, .vitals = &e->vitals, .trusted = e->trusted, .auth = e->auth,
                                 .cores = um_upstream_cores(e->upstream) };
    assert_int_equal(um_site_new(&e->site, e->loop, &http_conf, &site), UM_OK);
    e->port = um_http_port(um_site_http(e->site));
    return 0;
}

static int teardown(void **state)
{
    struct env *e = *state;

    um_site_free(e->site);
    um_auth_free(e->auth);
    um_loop_turn(e->loop, 0);
    um_upstream_free(e->upstream);
    echo_end(e);
    um_http_free(e->core);
    um_loop_turn(e->loop, 0);
    um_sessions_free(e->sessions);
    um_throttle_free(e->throttle);
    um_trusted_free(e->trusted);
    if (e->false_fd >= 0) {
        um_io_stop(e->loop, &e->false_core);
        close(e->false_fd);
    }
    um_loop_free(e->loop);
    um_buf_free(&e->seen);
    for (size_t i = 0; i < e->n_nodes; i++)
        free((char *)e->node[i]);
    free(e);
    return 0;
}

/* ---- login ---- */

static void a_login_sets_a_careful_cookie_and_tells_who_is_in(void **state)
{
    struct env *e = *state;
    struct answer a = try_login(e, "ann", "secret", JSON_TYPE);

    assert_int_equal(a.status, 200);
    assert_true(says(&a, "Set-Cookie: SESSION="));
    assert_true(says(&a, "; Path=/; HttpOnly; SameSite=Lax\r\n"));
    assert_true(says(&a, "Cache-Control: no-store\r\n"));
    assert_true(says(&a, "X-Content-Type-Options: nosniff\r\n"));
    assert_true(says(&a, "{\"user\":\"ann\",\"displayName\":\"Ann A.\",\"profiles\":[\"ADMIN\"],\"scope\":\"main\",\"csrf\":\""));
    um_buf_free(&a.raw);
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", "", NULL)), 401);
    login(e);
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", e->cookie, NULL)), 200);
}

static void a_login_that_is_not_ours_to_hear_is_refused(void **state)
{
    struct env *e = *state;

    assert_int_equal(status_of(try_login(e, "ann", "secret", "")), 415);
    assert_int_equal(status_of(try_login(e, "ann", "secret", "Content-Type: text/plain\r\n")), 415);
    assert_int_equal(status_of(try_login(e, "ann", "secret", JSON_TYPE "Origin: http://evil.example\r\n")), 403);
    assert_int_equal(status_of(try_login(e, "ann", "secret", JSON_TYPE "Sec-Fetch-Site: cross-site\r\n")), 403);
    assert_int_equal(status_of(try_login(e, "ann", "secret", JSON_TYPE "Origin: http://gui.example\r\nSec-Fetch-Site: same-origin\r\n")), 200);
    assert_int_equal(status_of(try_login(e, "", "secret", JSON_TYPE)), 400);
    assert_int_equal(status_of(try_login(e, "ann", "", JSON_TYPE)), 400);
    assert_int_equal(status_of(ask(e, "POST", "/gui/rest/session", JSON_TYPE, "[1]")), 400);
}

static void guessing_is_slowed_down_for_the_guesser_alone(void **state)
{
    struct env *e = *state;
    struct answer a;

    for (int i = 0; i < 5; i++)
        assert_int_equal(status_of(try_login(e, "ann", "guess", JSON_TYPE)), 401);
    a = try_login(e, "ann", "secret", JSON_TYPE);
    assert_int_equal(a.status, 429);
    assert_true(says(&a, "Retry-After: 1\r\n"));
    um_buf_free(&a.raw);
    assert_int_equal(status_of(try_login(e, "bob", "secret", JSON_TYPE)), 200);
}

static void every_login_is_a_new_session_and_ends_the_one_before(void **state)
{
    struct env *e = *state;
    char before[128];
    struct answer a;

    login(e);
    snprintf(before, sizeof(before), "%s", e->cookie);
    a = try_login(e, "ann", "secret", with(JSON_TYPE, before));
    assert_int_equal(a.status, 200);
    assert_false(says(&a, before + strlen("Cookie: ")));
    um_buf_free(&a.raw);
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", before, NULL)), 401);
}

static void a_logout_needs_the_csrf_token_and_kills_the_session(void **state)
{
    struct env *e = *state;
    struct answer a;

    login(e);
    assert_int_equal(status_of(ask(e, "DELETE", "/gui/rest/session", e->cookie, NULL)), 403);
    a = ask(e, "DELETE", "/gui/rest/session", with(e->cookie, e->csrf), NULL);
    assert_int_equal(a.status, 204);
    assert_true(says(&a, "Set-Cookie: SESSION=; Max-Age=0;"));
    um_buf_free(&a.raw);
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", e->cookie, NULL)), 401);
    assert_int_equal(status_of(ask(e, "DELETE", "/gui/rest/session", "", NULL)), 204);
}

static void one_sees_and_ends_ones_own_sessions(void **state)
{
    struct env *e = *state;
    char *other, *id;
    struct answer a;

    login(e);
    other = um_xstrdup(e->cookie);
    login(e);
    a = ask(e, "GET", "/gui/rest/session/list", e->cookie, NULL);
    assert_int_equal(a.status, 200);
    assert_true(says(&a, "\"current\":true"));
    id = um_xasprintf("/gui/rest/session/%.32s", strstr(a.body, "\"id\":\"") + 6);      /* the older one comes first */
    um_buf_free(&a.raw);
    assert_int_equal(status_of(ask(e, "DELETE", id, e->cookie, NULL)), 403);
    assert_int_equal(status_of(ask(e, "DELETE", id, with(e->cookie, e->csrf), NULL)), 204);
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", other, NULL)), 401);
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", e->cookie, NULL)), 200);
    free(other);
    free(id);
}

/* ---- requests to the core ---- */

static void a_session_lends_its_user_to_the_core(void **state)
{
    struct env *e = *state;
    struct um_token_claims c;
    struct answer a;

    login(e);
    a = ask(e, "GET", "/core/rest/documents?a=%20b", with(e->cookie, "token: forged\r\nX-User-Id: root\r\n"
            "X-Forwarded-For: 1.2.3.4\r\nX-Custom: 1\r\n"), NULL);
    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "hello");
    assert_true(says(&a, "X-Core: yes\r\n"));
    assert_false(says(&a, "Set-Cookie"));
    assert_string_equal(e->seen_target, "/core/rest/documents?a=%20b");
    assert_true(saw(e, "X-Custom: 1\n"));
    assert_true(saw(e, "X-Forwarded-For: 127.0.0.1\n"));
    assert_true(saw(e, "X-Forwarded-Host: gui.example\n"));
    assert_false(saw(e, "SESSION"));
    assert_false(saw(e, "forged"));
    assert_false(saw(e, "X-User-Id"));
    assert_false(saw(e, "1.2.3.4"));
    assert_int_equal(claims_seen(e, UM_TOKEN_USER, &c), UM_OK);
    assert_string_equal(c.sub, "ann");
    assert_true(um_token_list_contains(&c.profiles, "ADMIN"));
    assert_int_equal(strlen(c.sid), UM_SESSION_HASH_LEN);
    um_token_claims_free(&c);
    um_buf_free(&a.raw);
}

static void a_change_needs_the_csrf_token_and_our_own_page(void **state)
{
    struct env *e = *state;

    login(e);
    e->seen_body = 99;
    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", e->cookie, "abc")), 403);
    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", with(e->cookie, "X-CSRF-TOKEN: guess\r\n"), "abc")), 403);
    char *both = um_xasprintf("%s%s", e->cookie, e->csrf);
    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", with(both, "Origin: null\r\n"), "abc")), 403);
    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", with(both, "Sec-Fetch-Site: cross-site\r\n"), "abc")), 403);
    assert_int_equal(e->seen_body, 99);          /* none of them reached the core */
    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", both, "abc")), 201);
    assert_int_equal(e->seen_body, 3);
    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", with(both, "Content-Length: 0\r\n"), NULL)), 201);
    free(both);
}

static void without_a_session_the_clients_own_token_goes_on(void **state)
{
    struct env *e = *state;

    assert_int_equal(status_of(ask(e, "POST", "/core/swallow", "token: mine\r\nAuthorization: Bearer x\r\n", "abc")), 201);
    assert_true(saw(e, "token: mine\n"));
    assert_true(saw(e, "Authorization: Bearer x\n"));
}

static void large_bodies_stream_both_ways(void **state)
{
    struct env *e = *state;
    struct answer a = ask(e, "GET", "/core/big", "", NULL);
    char *body = um_xmalloc(BIG + 1);

    assert_int_equal(a.status, 200);
    assert_true(says(&a, "Transfer-Encoding: chunked"));
    assert_true(a.raw.len > BIG);
    um_buf_free(&a.raw);
    memset(body, 'x', BIG);
    body[BIG] = '\0';
    a = ask(e, "POST", "/core/swallow", "", body);
    assert_int_equal(a.status, 201);
    assert_int_equal(e->seen_body, BIG);
    um_buf_free(&a.raw);
    free(body);
}

static void heads_have_no_body_and_other_methods_pass(void **state)
{
    struct env *e = *state;
    struct answer a = ask(e, "HEAD", "/core/rest/x", "", NULL);

    assert_int_equal(a.status, 200);
    assert_true(says(&a, "Content-Length: 5\r\n"));
    assert_string_equal(a.body, "");
    um_buf_free(&a.raw);
    assert_int_equal(status_of(ask(e, "PATCH", "/core/rest/x", "", "1")), 200);
    assert_int_equal(status_of(ask(e, "TRACE", "/core/rest/x", "", NULL)), 405);
}

static void a_client_that_leaves_takes_its_request_along(void **state)
{
    struct env *e = *state;
    static const char text[] = "GET /core/big HTTP/1.1\r\nHost: gui.example\r\n\r\n";
    struct um_buf out = {0};
    int fd = dial(e);

    converse(e, fd, UM_SPAN(text, sizeof(text) - 1), true, &out);
    close(fd);
    um_buf_free(&out);
    for (int i = 0; i < WAIT_TURNS && um_http_open_requests(um_site_http(e->site)) > 0; i++)
        um_loop_turn(e->loop, TURN_MS);
    assert_int_equal(um_http_open_requests(um_site_http(e->site)), 0);
}

static void while_the_core_is_away_the_answer_is_503_and_then_it_recovers(void **state)
{
    struct env *e = *state;
    struct answer a;

    login(e);
    stop_core(e);
    a = ask(e, "GET", "/core/rest/x", e->cookie, NULL);
    assert_int_equal(a.status, 503);
    assert_true(says(&a, "Retry-After: 1\r\n"));
    assert_true(says(&a, "\"code\":\"U00503\""));
    um_buf_free(&a.raw);
    assert_int_equal(status_of(try_login(e, "ann", "secret", JSON_TYPE)), 503);
    assert_int_equal(um_throttle_entries(e->throttle), 0);        /* not the user's fault */
    assert_int_equal(status_of(ask(e, "GET", "/gui/rest/session", e->cookie, NULL)), 200);
    start_core(e);
    assert_int_equal(status_of(ask(e, "GET", "/core/rest/x", e->cookie, NULL)), 200);
}

/* ---- tunnels ---- */

#define WS "GET %s HTTP/1.1\r\nHost: gui.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" \
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n"

/* The socket, with its handshake answered in A. */
static int open_socket_at(struct env *e, const char *target, const char *headers, struct answer *a)
{
    char *rq = um_xasprintf(WS, target, headers);
    int fd = dial(e);

    *a = (struct answer){0};
    converse(e, fd, UM_SPAN_STR(rq), true, &a->raw);
    free(rq);
    read_answer(a);
    return fd;
}

static int open_socket(struct env *e, const char *headers, struct answer *a)
{
    return open_socket_at(e, "/collab?doc=1", headers, a);
}

static unsigned socket_status(struct env *e, const char *headers)
{
    struct answer a;
    close(open_socket(e, headers, &a));
    return status_of(a);
}

/* A message for a document, as a client says it, comes back. */
static bool echoes(struct env *e, int fd)
{
    static const uint8_t said[] = { 0x82, 0x85, 0, 0, 0, 0, 1, 'd', 5, 1, 'x' };
    static const uint8_t heard[] = { 0x82, 5, 1, 'd', 5, 1, 'x' };
    char buf[16];

    assert_int_equal(send(fd, said, sizeof(said), MSG_NOSIGNAL), sizeof(said));
    for (int i = 0; i < WAIT_TURNS; i++) {
        ssize_t n = recv(fd, buf, sizeof(buf), 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return false;
        if (n > 0)
            return n == sizeof(heard) && memcmp(buf, heard, sizeof(heard)) == 0;
        um_loop_turn(e->loop, TURN_MS);
    }
    return false;
}

static bool ends(struct env *e, int fd)
{
    char c;

    for (int i = 0; i < WAIT_TURNS; i++) {
        ssize_t n = recv(fd, &c, 1, 0);
        if (n == 0 || (n < 0 && errno != EAGAIN))
            return true;
        um_loop_turn(e->loop, TURN_MS);
    }
    return false;
}

static void a_socket_with_a_session_is_joined_to_the_core(void **state)
{
    struct env *e = *state;
    struct um_token_claims c;
    struct answer a;
    int fd;

    login(e);
    fd = open_socket(e, with(e->cookie, "Origin: http://gui.example\r\nSec-WebSocket-Protocol: p1\r\n"), &a);
    assert_int_equal(a.status, 101);
    assert_true(says(&a, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert_true(says(&a, "Sec-WebSocket-Protocol: p1\r\n"));
    um_buf_free(&a.raw);
    assert_string_equal(e->seen_target, "/collab?doc=1");
    assert_int_equal(claims_seen(e, UM_TOKEN_USER, &c), UM_OK);
    assert_string_equal(c.sub, "ann");
    um_token_claims_free(&c);
    assert_false(saw(e, "SESSION"));
    assert_true(echoes(e, fd));
    close(fd);
    for (int i = 0; i < WAIT_TURNS && e->echo != NULL; i++)
        um_loop_turn(e->loop, TURN_MS);
    assert_null(e->echo);                        /* the core hears of the end */
}

static void a_cookie_opens_sockets_for_our_own_pages_only(void **state)
{
    static const char *const foreign[] = {
        "", "Origin: null\r\n", "Origin: http://evil.example\r\n", "Origin: http://gui.example.evil\r\n", "Origin: https://gui.example\r\n",
        "Origin: http://gui.example:81\r\n", "Origin: http://gui.example\r\nOrigin: http://gui.example\r\n",
    };
    struct env *e = *state;

    login(e);
    for (size_t i = 0; i < UM_COUNT(foreign); i++)
        assert_int_equal(socket_status(e, with(e->cookie, foreign[i])), 403);
    assert_int_equal(socket_status(e, with(e->cookie, "Origin: http://GUI.example\r\n")), 101);
}

static void read_file(const char *path, struct um_buf *out)
{
    char buf[4096];
    FILE *f = fopen(path, "r");
    size_t n;

    assert_non_null(f);
    while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
        um_buf_put(out, buf, n);
    fclose(f);
}

static void the_log_says_what_was_wrong_with_an_origin(void **state)
{
    char path[] = "/tmp/umbel-gateway-log-XXXXXX";
    struct um_log_conf to_file = { .service = "test", .file = path }, to_stderr = { .service = "test" };
    struct env *e = *state;
    struct um_buf log = {0};
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    close(fd);
    login(e);
    assert_int_equal(um_log_open(&to_file), UM_OK);
    um_log_set_level("gateway.auth", UM_WARN);
    socket_status(e, e->cookie);
    socket_status(e, with(e->cookie, "Origin: http://evil.example\r\n"));
    um_log_set_level("gateway.auth", UM_OFF);
    assert_int_equal(um_log_open(&to_stderr), UM_OK);
    read_file(path, &log);
    unlink(path);
    assert_non_null(strstr(um_buf_cstr(&log), "foreign-origin reason=missing origin=- host=gui.example"));
    assert_non_null(strstr(um_buf_cstr(&log), "foreign-origin reason=foreign origin=http://evil.example"));
    um_buf_free(&log);
}

static void without_a_session_the_core_judges(void **state)
{
    struct env *e = *state;
    struct um_token_claims c;

    assert_int_equal(socket_status(e, "Origin: http://elsewhere.example\r\n"), 101);
    assert_int_equal(claims_seen(e, UM_TOKEN_USER, &c), UM_ENOTFOUND);
    e->refuse_with = 401;
    assert_int_equal(socket_status(e, ""), 401);
}

static struct answer refused_with(struct env *e, unsigned status)
{
    struct answer a;

    e->refuse_with = status;
    close(open_socket(e, "", &a));
    return a;
}

static void what_the_core_has_against_a_handshake_reaches_the_client(void **state)
{
    static const unsigned statuses[] = { 400, 401, 403, 404, 426, 429 };
    struct env *e = *state;

    for (size_t i = 0; i < UM_COUNT(statuses); i++) {
        struct answer a = refused_with(e, statuses[i]);
        assert_int_equal(a.status, statuses[i]);
        assert_int_equal(says(&a, "\r\nRetry-After: "), statuses[i] == 429);
        assert_int_equal(says(&a, "\r\nUpgrade: websocket\r\n"), statuses[i] == 426);
        um_buf_free(&a.raw);
    }
}

static void a_handshake_that_the_core_cannot_answer_may_be_tried_again(void **state)
{
    static const unsigned statuses[] = { 500, 502, 503, 302, 0 };     /* 0: the core is away */
    struct env *e = *state;

    for (size_t i = 0; i < UM_COUNT(statuses); i++) {
        struct answer a;
        if (statuses[i] == 0)
            stop_core(e);
        a = refused_with(e, statuses[i]);
        assert_int_equal(a.status, 503);
        assert_true(says(&a, "\r\nRetry-After: "));
        um_buf_free(&a.raw);
    }
}

static void logging_out_cuts_the_sockets_of_the_session(void **state)
{
    struct env *e = *state;
    struct answer a;
    int mine, free_one;

    login(e);
    free_one = open_socket(e, "", &a);
    um_buf_free(&a.raw);
    mine = open_socket(e, with(e->cookie, "Origin: http://gui.example\r\n"), &a);
    um_buf_free(&a.raw);
    assert_true(echoes(e, mine));
    assert_int_equal(status_of(ask(e, "DELETE", "/gui/rest/session", with(e->cookie, e->csrf), NULL)), 204);
    assert_true(ends(e, mine));
    close(mine);
    close(free_one);
}

static void tunnels_are_bounded(void **state)
{
    struct env *e = *state;
    int fds[101];
    struct answer a;

    for (int i = 0; i < 100; i++) {
        fds[i] = open_socket(e, "", &a);
        assert_int_equal(a.status, 101);
        um_buf_free(&a.raw);
    }
    assert_int_equal(socket_status(e, ""), 503);
    for (int i = 0; i < 100; i++)
        close(fds[i]);
}

/* ---- several cores ---- */

/* A request that the false core gets first, each beside a gateway of its own: a core that has failed is left aside. */
struct attempt {
    enum false_core kind;
    const char *answer, *method, *target, *body;
    size_t padding;                              /* bytes added to the body */
    unsigned status;
    int seen;                                    /* by the false core */
    bool arrives;                                /* at the true one */
};

static void make_attempt(const struct attempt *row)
{
    void *state;
    struct env *e;
    char *body = row->body != NULL ? um_xasprintf("%s%*s", row->body, (int)row->padding, "") : NULL;

    setup_beside(&state, row->kind);
    e = state;
    e->false_answer = row->answer;
    unsigned status = status_of(ask(e, row->method, row->target, strstr(row->target, "session") != NULL ? JSON_TYPE : "", body));
    if (status != row->status || e->false_seen != row->seen || (e->seen.len > 0) != row->arrives)
        fail_msg("%s %s: %u, seen %d, %s", row->method, row->target, status, e->false_seen, um_buf_cstr(&e->seen));
    if (row->arrives && strcmp(row->target, "/core/swallow") == 0)
        assert_int_equal(e->seen_body, body != NULL ? strlen(body) : 0);
    free(body);
    teardown(&state);
}

#define LOGIN "{\"user\":\"ann\",\"password\":\"secret\"}"
static void what_may_be_done_twice_goes_to_the_next_core_when_one_breaks_off(void **state)
{
    static const struct attempt rows[] = {
        { FALSE, "", "GET", "/core/x", NULL, 0, 200, 1, true },
        { FALSE, "", "HEAD", "/core/x", NULL, 0, 200, 1, true },
        { FALSE, "", "DELETE", "/core/x", NULL, 0, 200, 1, true },
        { FALSE, "", "PUT", "/core/swallow", "twice", 0, 201, 1, true },
        { FALSE, "", "PUT", "/core/swallow", "twice", 60000, 201, 1, true },
        { FALSE, "", "PUT", "/core/swallow", NULL, 0, 201, 1, true },
        { FALSE, "", "POST", "/gui/rest/session", LOGIN, 0, 200, 1, true },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        make_attempt(&rows[i]);
}

static void what_may_not_be_done_twice_is_not_when_it_has_been_sent(void **state)
{
    static const struct attempt rows[] = {
        { FALSE, "", "POST", "/core/swallow", "once", 0, 503, 1, false },
        { FALSE, "", "POST", "/core/swallow", NULL, 0, 503, 1, false },
        { FALSE, "", "PATCH", "/core/x", "once", 0, 503, 1, false },
        { FALSE, "", "PUT", "/core/swallow", "begun, and too large to be kept", 2000000, 503, 1, false },
        { FALSE, "HTTP/1.1 200 OK\r\nContent-", "GET", "/core/x", NULL, 0, 503, 1, false },        /* it has begun to answer */
        { FALSE, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "GET", "/core/x", NULL, 0, 503, 1, false },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        make_attempt(&rows[i]);
}

static void whatever_was_not_sent_goes_to_the_next_core(void **state)
{
    static const struct attempt rows[] = {
        { DEAF, "", "GET", "/core/x", NULL, 0, 200, 0, true },
        { DEAF, "", "POST", "/core/swallow", "once", 0, 201, 0, true },
        { DEAF, "", "POST", "/core/swallow", "once", 2000000, 201, 0, true },
        { DEAF, "", "POST", "/core/swallow", NULL, 0, 201, 0, true },
        { DEAF, "", "PATCH", "/core/x", "once", 0, 200, 0, true },
        { DEAF, "", "POST", "/gui/rest/session", LOGIN, 0, 200, 0, true },
    };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(rows); i++)
        make_attempt(&rows[i]);
}

/* Rooms until one of them belongs to the false core. */
static void a_handshake_goes_on_at_the_next_core(void **state)
{
    static const char *const answers[] = { "", "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", "no HTTP\r\n\r\n" };

    (void)state;
    for (size_t i = 0; i < UM_COUNT(answers); i++) {
        void *st;
        struct env *e;
        setup_beside(&st, FALSE);
        e = st;
        e->false_answer = answers[i];
        for (int room = 0; room < 64 && e->false_seen == 0; room++) {
            struct answer a;
            char target[16];
            snprintf(target, sizeof(target), "/y/r%d", room);
            int fd = open_socket_at(e, target, "", &a);
            assert_int_equal(a.status, 101);
            assert_true(echoes(e, fd));
            close(fd);
            um_buf_free(&a.raw);
            echo_end(e);
        }
        assert_int_equal(e->false_seen, 1);
        teardown(&st);
    }
}

static void a_refusal_is_for_the_client_whichever_core_said_it(void **state)
{
    void *st;
    struct env *e;

    (void)state;
    setup_beside(&st, FALSE);
    e = st;
    e->false_answer = "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n";
    for (int room = 0; room < 64 && e->false_seen == 0; room++) {
        struct answer a;
        char target[16];
        snprintf(target, sizeof(target), "/y/r%d", room);
        close(open_socket_at(e, target, "", &a));
        assert_int_equal(a.status, e->false_seen > 0 ? 403 : 101);
        um_buf_free(&a.raw);
        echo_end(e);
    }
    assert_int_equal(e->false_seen, 1);
    teardown(&st);
}

/* ---- the rest ---- */

static void health_and_status_follow_the_state(void **state)
{
    struct env *e = *state;
    struct answer a = ask(e, "GET", "/gui/actuator/health", "", NULL);

    assert_int_equal(a.status, 200);
    assert_string_equal(a.body, "{\"status\":\"UP\",\"groups\":[\"liveness\",\"readiness\"]}");
    um_buf_free(&a.raw);
    atomic_store(&e->vitals.refuses, true);
    a = ask(e, "GET", "/gui/actuator/health/readiness", "", NULL);
    assert_int_equal(a.status, 503);
    assert_string_equal(a.body, "{\"status\":\"OUT_OF_SERVICE\"}");
    um_buf_free(&a.raw);
    assert_int_equal(status_of(ask(e, "GET", "/gui/actuator/health/liveness", "", NULL)), 200);
    assert_int_equal(status_of(ask(e, "GET", "/gui/actuator/status", "", NULL)), 503);
    assert_int_equal(status_of(ask(e, "GET", "/gui/actuator/health/nonsense", "", NULL)), 404);
}

static void unknown_paths_and_escapes_are_404(void **state)
{
    struct env *e = *state;

    assert_int_equal(status_of(ask(e, "GET", "/", "", NULL)), 302);
    assert_int_equal(status_of(ask(e, "GET", "/nothing", "", NULL)), 404);
    assert_int_equal(status_of(ask(e, "GET", "/gui/assets/../../etc/passwd", "", NULL)), 404);
    assert_int_equal(status_of(ask(e, "GET", "/gui/assets/%2e%2e%2fetc", "", NULL)), 404);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_login_sets_a_careful_cookie_and_tells_who_is_in), T(a_login_that_is_not_ours_to_hear_is_refused),
        T(guessing_is_slowed_down_for_the_guesser_alone), T(every_login_is_a_new_session_and_ends_the_one_before),
        T(a_logout_needs_the_csrf_token_and_kills_the_session), T(one_sees_and_ends_ones_own_sessions),
        T(a_session_lends_its_user_to_the_core), T(a_change_needs_the_csrf_token_and_our_own_page),
        T(without_a_session_the_clients_own_token_goes_on), T(large_bodies_stream_both_ways),
        T(heads_have_no_body_and_other_methods_pass), T(a_client_that_leaves_takes_its_request_along),
        T(while_the_core_is_away_the_answer_is_503_and_then_it_recovers),
        T(a_socket_with_a_session_is_joined_to_the_core), T(a_cookie_opens_sockets_for_our_own_pages_only),
        T(without_a_session_the_core_judges), T(what_the_core_has_against_a_handshake_reaches_the_client),
        T(a_handshake_that_the_core_cannot_answer_may_be_tried_again), T(logging_out_cuts_the_sockets_of_the_session),
        T(tunnels_are_bounded), T(the_log_says_what_was_wrong_with_an_origin),
        cmocka_unit_test(what_may_be_done_twice_goes_to_the_next_core_when_one_breaks_off),
        cmocka_unit_test(what_may_not_be_done_twice_is_not_when_it_has_been_sent),
        cmocka_unit_test(whatever_was_not_sent_goes_to_the_next_core),
        cmocka_unit_test(a_handshake_goes_on_at_the_next_core),
        cmocka_unit_test(a_refusal_is_for_the_client_whichever_core_said_it),
        T(health_and_status_follow_the_state), T(unknown_paths_and_escapes_are_404),
    };

    assert_int_equal(um_upstream_start(), UM_OK);
    um_http_start();
    um_forward_start();
    um_tunnel_start();
    um_auth_start();
    um_log_set_level(NULL, UM_OFF);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
