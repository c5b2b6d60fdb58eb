/* One request from its first line to its end: see http_int.h for the states. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "http_int.h"

enum {
    WATCH_AFTER_MS = 200,           /* a suspended request is watched for its client's leaving from then on */
    SWALLOW_QUIETLY = 64 * 1024,    /* a body that small is read to its end, so that the connection can go on */
};

struct memory {
    struct um_list link;
    char data[];
};

void *http_memory(struct um_http_req *rq, size_t n)
{
    struct memory *m = um_xmalloc(sizeof(*m) + n);

    um_list_append(&rq->memory, &m->link);
    return m->data;
}

/* --- birth and death --------------------------------------------------------------------------------------- */

/* The first call of all: the request line is there, as it was sent. */
void *http_on_target(void *cls, const char *target, struct MHD_Connection *c)
{
    struct um_http *h = cls;
    struct um_http_req *rq = um_xcalloc(1, sizeof(*rq));
    char *query;

    rq->http = h;
    rq->mhd = c;
    rq->conn = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    rq->conn->rq = rq;
    rq->target = um_xstrdup(target != NULL ? target : "");      /* bounded by the connection's pool */
    rq->method = "";
    rq->began_us = um_now_us();
    rq->content_length = -1;
    rq->deadline_ms = h->cf.deadline_ms;
    um_list_init(&rq->memory);
    um_list_append(&h->requests, &rq->link);
    h->n_requests++;
    http_count(HTTP_M_REQUESTS, 1);
    http_count(HTTP_M_OPEN, 1);
    /* Queries are decoded here, from our copy. libmicrohttpd would build a list of them in the connection's pool, and hangs
     * when a few hundred fill it: so its own query ends at the question mark. The line is in its buffer, not in ours. */
    query = target != NULL ? strchr(target, '?') : NULL;
    if (query != NULL)
        ((char *)(uintptr_t)query)[1] = '\0';
    return rq;
}

static void free_request(struct um_http_req *rq)
{
    struct um_http *h = rq->http;

    um_timer_stop(h->loop, &rq->timer);
    um_io_stop(h->loop, &rq->watch);
    if (rq->response != NULL)
        MHD_destroy_response(rq->response);
    if (rq->user != NULL && rq->free_user != NULL)
        rq->free_user(rq->user);
    http_path_free(&rq->path);
    http_query_free(&rq->query);
    um_buf_free(&rq->body);
    um_buf_free(&rq->headers);
    UM_LIST_EACH_SAFE(it, &rq->memory)
        free(UM_CONTAINER(it, struct memory, link));
    um_list_remove(&rq->link);
    h->n_requests--;
    http_count(HTTP_M_OPEN, -1);
    free(rq->field);
    free(rq->target);
    free(rq);
}

static void tell_gone(struct um_http_req *rq)
{
    void (*fn)(void *) = rq->on_gone;

    rq->on_gone = NULL;
    if (fn != NULL)
        fn(rq->gone_arg);
}

static void idle_timeout(void *arg)
{
    struct http_conn *c = arg;

    shutdown(c->fd, SHUT_RDWR);
}

void http_on_completed(void *cls, struct MHD_Connection *mhd, void **req, enum MHD_RequestTerminationCode why)
{
    struct um_http_req *rq = *req;
    struct http_conn *c;

    (void)cls;
    (void)mhd;
    *req = NULL;
    if (rq == NULL)
        return;
    c = rq->conn;
    if (rq->state != HTTP_DONE) {
        http_count(HTTP_M_GONE, 1);
        um_log(UM_DEBUG, "http", "ended without a reply", UM_S("request", rq->id), UM_I("why", why));
        tell_gone(rq);
    }
    http_upgrade_lost(rq);
    free_request(rq);
    /* What a client may dawdle until the next request is complete; idle ones are closed earlier by libmicrohttpd. */
    c->rq = NULL;
    um_timer_set(c->http->loop, &c->timer, c->http->cf.keep_alive_ms + c->http->cf.header_timeout_ms, idle_timeout, c);
}

/* --- waiting -------------------------------------------------------------------------------------------------- */

static void stop_waiting(struct um_http_req *rq)
{
    um_timer_stop(rq->http->loop, &rq->timer);
    um_io_stop(rq->http->loop, &rq->watch);
}

void http_resume(struct um_http_req *rq)
{
    if (!rq->suspended)
        return;
    rq->suspended = false;
    stop_waiting(rq);
    MHD_resume_connection(rq->mhd);
    http_run_soon(rq->http);
}

void http_gone(struct um_http_req *rq)
{
    if (rq->gone)
        return;
    rq->gone = true;
    if (rq->state != HTTP_DONE)
        tell_gone(rq);
    shutdown(rq->conn->fd, SHUT_RDWR);
    http_resume(rq);
}

/* A client that closes, or half-closes, does not wait for the reply. Bytes of a next request end the watch. */
static void on_watch(void *arg, unsigned events)
{
    struct um_http_req *rq = arg;
    char c;
    ssize_t n = recv(rq->conn->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n == 0 || (events & UM_HUP) || (n < 0 && errno != EAGAIN && errno != EINTR))
        http_gone(rq);
    else if (n > 0)
        um_io_want(rq->http->loop, &rq->watch, 0);
}

static void deadline_passed(struct um_http_req *rq)
{
    void (*fn)(void *) = rq->on_gone;

    http_count(HTTP_M_DEADLINE, 1);
    um_log_limited(UM_WARN, "http", "no reply in time", UM_S("path", rq->path.text), UM_S("request", rq->id));
    rq->on_gone = NULL;
    um_http_reply_error(rq, 503, "U00503", "The request took too long.");
    if (fn != NULL)
        fn(rq->gone_arg);
}

static void on_wait_timer(void *arg)
{
    struct um_http_req *rq = arg;
    int64_t left = rq->deadline_at_ms - um_loop_now_ms(rq->http->loop);

    if (rq->state != HTTP_DONE && left <= 0) {
        deadline_passed(rq);
        return;
    }
    if (rq->watch.cb == NULL && um_io_start(rq->http->loop, &rq->watch, rq->conn->fd, UM_READ, on_watch, rq) != UM_OK)
        um_log_limited(UM_WARN, "http", "cannot watch a client");
    if (rq->state != HTTP_DONE)
        um_timer_set(rq->http->loop, &rq->timer, left, on_wait_timer, rq);
}

static void arm_wait(struct um_http_req *rq)
{
    rq->deadline_at_ms = um_loop_now_ms(rq->http->loop) + rq->deadline_ms;
    um_timer_set(rq->http->loop, &rq->timer, UM_MIN(rq->deadline_ms, (int64_t)WATCH_AFTER_MS), on_wait_timer, rq);
}

void http_suspend(struct um_http_req *rq)
{
    rq->suspended = true;
    um_timer_stop(rq->http->loop, &rq->conn->timer);        /* not the client's time */
    MHD_suspend_connection(rq->mhd);
    arm_wait(rq);
}

void um_http_deadline(struct um_http_req *rq, int64_t ms)
{
    UM_ASSERT(ms > 0);
    rq->deadline_ms = ms;
    if (rq->suspended && rq->state != HTTP_DONE)
        arm_wait(rq);
}

void um_http_on_gone(struct um_http_req *rq, void (*fn)(void *arg), void *arg)
{
    if (rq->state == HTTP_DONE)
        return;
    rq->on_gone = fn;
    rq->gone_arg = arg;
}

/* --- the headers ------------------------------------------------------------------------------------------------ */

struct gather {
    struct um_http_req *rq;
    size_t room;
};

static enum MHD_Result gather_field(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len,
                                    const char *value, size_t value_len)
{
    struct gather *g = cls;

    (void)kind;
    if (g->rq->n_fields == g->room)
        return MHD_NO;
    g->rq->field[g->rq->n_fields++] = (struct http_field){
        name, value != NULL ? value : "", name_len, value != NULL ? value_len : 0,
    };
    return MHD_YES;
}

static void gather_fields(struct um_http_req *rq)
{
    int n = MHD_get_connection_values_n(rq->mhd, MHD_HEADER_KIND, NULL, NULL);
    struct gather g = { rq, (size_t)UM_MAX(n, 0) };

    rq->field = um_xcalloc(g.room + 1, sizeof(*rq->field));      /* bounded by the connection's pool */
    MHD_get_connection_values_n(rq->mhd, MHD_HEADER_KIND, gather_field, &g);
}

static void choose_id(struct um_http_req *rq)
{
    const char *given = um_http_header(rq, "X-Request-Id");
    size_t n = given != NULL ? strlen(given) : 0;

    for (size_t i = 0; i < n; i++)
        if (given[i] <= 32 || given[i] >= 127)
            n = 0;
    if (n >= 1 && n <= 64)
        memcpy(rq->id, given, n + 1);
    else
        um_random_id(rq->id, 16);
}

/* Guard and route. False: a refusal is the reply. */
static bool admit(struct um_http_req *rq, const char *version)
{
    struct http_head head = { rq->method, version, rq->target, rq->field, rq->n_fields };
    struct http_verdict v = http_guard(&head, &rq->http->cf);
    um_err err;

    if (rq->conn->over_cap) {
        http_count(HTTP_M_MAX_CONNECTIONS, 1);
        rq->close = true;
        um_http_reply_error(rq, 503, "U00503", "There are too many connections.");
        return false;
    }
    /* Also for a refusal's own sake: it names the path and, with 405, the methods. */
    err = http_path_parse(&rq->path, rq->target, strcspn(rq->target, "?"));
    if (err == UM_OK)
        rq->match = http_route_find(rq->http->router, rq->method, &rq->path, um_http_wants_websocket(rq));
    if (v.status != 0) {
        http_refuse(rq, v.status, v.why);
        return false;
    }
    if (err != UM_OK) {
        http_refuse(rq, err == UM_ENOMEM ? 503 : 400, "The path is malformed.");
        return false;
    }
    rq->content_length = v.content_length;
    rq->chunked = v.chunked;
    if (http_has_body(rq) && rq->content_length > 0 && (uint64_t)rq->content_length > http_body_limit(rq)) {
        http_refuse(rq, 413, "The body is too large.");
        return false;
    }
    return true;
}

/* --- work --------------------------------------------------------------------------------------------------------- */

static void answer_unmatched(struct um_http_req *rq)
{
    if (rq->match.needs_upgrade) {
        um_http_add_header(rq, "Upgrade", "websocket");
        um_http_add_header(rq, "Sec-WebSocket-Version", "13");
        um_http_reply_error(rq, 426, "U00400", "This is a WebSocket endpoint.");
    } else if (rq->match.allow[0] != '\0') {
        um_http_add_header(rq, "Allow", rq->match.allow);
        um_http_reply_error(rq, 405, "U00400", "The method is not allowed.");
    } else if (rq->http->hooks.not_found != NULL) {
        rq->ran = true;
        rq->http->hooks.not_found(rq, rq->http->ctx);
    } else {
        um_http_reply_error(rq, 404, "F00012", "There is nothing here.");
    }
}

static bool is_stream(const struct um_http_req *rq)
{
    return rq->match.route != NULL && (rq->match.route->flags & UM_HTTP_STREAM_BODY);
}

static void run_handler(struct um_http_req *rq)
{
    if (rq->ran || rq->waiting || rq->state == HTTP_DONE || (rq->state != HTTP_WORK && !is_stream(rq)))
        return;
    rq->ran = true;
    if ((rq->match.route->flags & UM_HTTP_WEBSOCKET) && !http_check_handshake(rq))
        return;
    rq->match.route->handler(rq, rq->http->ctx);
}

/* The hook judges by the headers; a handler that wants the whole body runs when that is there. */
static void start(struct um_http_req *rq)
{
    if (rq->match.route == NULL) {
        answer_unmatched(rq);
        return;
    }
    rq->waiting = true;
    if (rq->http->hooks.before == NULL || rq->http->hooks.before(rq, rq->match.route, rq->http->ctx))
        rq->waiting = false;
    run_handler(rq);
}

void um_http_continue(struct um_http_req *rq)
{
    if (!rq->waiting || rq->state == HTTP_DONE)
        return;
    rq->waiting = false;
    run_handler(rq);
    http_resume(rq);                /* the access handler goes on: with the body, or to the reply, or suspends again */
}

static void end_body(struct um_http_req *rq)
{
    if (!rq->ran || rq->ended || rq->on_end == NULL || rq->state != HTTP_WORK)
        return;
    rq->ended = true;
    rq->on_end(rq->body_arg);
}

/* --- libmicrohttpd's calls ---------------------------------------------------------------------------------------- */

static enum MHD_Result queue_reply(struct um_http_req *rq)
{
    struct MHD_Response *r = rq->response;
    enum MHD_Result ok;

    rq->response = NULL;
    ok = MHD_queue_response(rq->mhd, rq->status, r);
    MHD_destroy_response(r);
    return ok;
}

/* A reply at the headers ends the connection; what is small is read first, so that it can go on. */
static enum MHD_Result reply_early(struct um_http_req *rq)
{
    bool expects = um_http_header(rq, "Expect") != NULL;

    if (!rq->close && !http_has_body(rq))
        return MHD_YES;                                     /* the last call replies */
    if (!rq->close && !expects && rq->content_length >= 0 && rq->content_length <= SWALLOW_QUIETLY) {
        rq->swallow = true;
        http_body_window(rq);
        return MHD_YES;
    }
    rq->conn->linger = true;
    return queue_reply(rq);
}

static enum MHD_Result on_headers(struct um_http_req *rq, const char *method, const char *version)
{
    um_timer_stop(rq->http->loop, &rq->conn->timer);
    rq->method = method;
    rq->is_http11 = strcmp(version, "HTTP/1.1") == 0;
    rq->state = HTTP_BODY;
    gather_fields(rq);
    choose_id(rq);
    if (admit(rq, version) && http_has_body(rq))
        start(rq);
    if (rq->response != NULL)
        return reply_early(rq);
    if (http_has_body(rq))
        http_body_window(rq);
    return MHD_YES;
}

static enum MHD_Result on_piece(struct um_http_req *rq, const char *data, size_t *size)
{
    size_t before = *size;

    if (rq->state != HTTP_DONE && (rq->waiting || (is_stream(rq) && rq->on_body == NULL))) {
        http_suspend(rq);                                   /* nobody takes it yet */
        return MHD_YES;
    }
    if (!um_timer_is_set(&rq->conn->timer))
        http_body_window(rq);                               /* we had paused the client */
    if (!http_take_piece(rq, data, size))
        return MHD_NO;
    rq->received += before - *size;
    if (*size > 0)
        http_suspend(rq);
    return MHD_YES;
}

/* The whole body is there; or we come back after a resume. */
static enum MHD_Result on_complete(struct um_http_req *rq)
{
    um_timer_stop(rq->http->loop, &rq->conn->timer);
    if (rq->state == HTTP_BODY) {
        rq->state = HTTP_WORK;
        if (http_has_body(rq))
            run_handler(rq);
        else
            start(rq);
    }
    end_body(rq);
    if (rq->response != NULL)
        return queue_reply(rq);
    http_suspend(rq);
    return MHD_YES;
}

enum MHD_Result http_on_access(void *cls, struct MHD_Connection *c, const char *url, const char *method, const char *version,
                               const char *data, size_t *size, void **req)
{
    struct um_http_req *rq = *req;
    enum MHD_Result result;

    (void)cls;
    (void)c;
    (void)url;
    if (rq == NULL || rq->gone || (rq->state == HTTP_HEAD && rq->http->closed))
        return MHD_NO;
    if (rq->state == HTTP_HEAD)
        result = on_headers(rq, method, version);
    else if (*size > 0)
        result = on_piece(rq, data, size);
    else
        result = on_complete(rq);
    return result;
}

/* --- what a handler may ask --------------------------------------------------------------------------------------- */

struct um_loop *um_http_loop(const struct um_http_req *rq) { return rq->http->loop; }
const char *um_http_method(const struct um_http_req *rq) { return rq->method; }
const char *um_http_path(const struct um_http_req *rq) { return rq->path.text; }
const char *um_http_raw_target(const struct um_http_req *rq) { return rq->target; }
const char *um_http_peer(const struct um_http_req *rq) { return rq->conn->peer; }
bool um_http_is_secure(const struct um_http_req *rq) { return rq->conn->secure; }
const char *um_http_request_id(const struct um_http_req *rq) { return rq->id; }
void *um_http_user(const struct um_http_req *rq) { return rq->user; }
const struct um_http_route *um_http_matched_route(const struct um_http_req *rq) { return rq->match.route; }

void um_http_set_user(struct um_http_req *rq, void *user, void (*free_fn)(void *))
{
    if (rq->user != NULL && rq->free_user != NULL)
        rq->free_user(rq->user);
    rq->user = user;
    rq->free_user = free_fn;
}

const char *um_http_param(const struct um_http_req *rq, const char *name)
{
    int i;

    if (rq->match.route == NULL)
        return NULL;
    if (strcmp(name, "*") == 0)
        return http_route_rest(rq->http->router, rq->match.index, &rq->path);
    i = http_route_param(rq->http->router, rq->match.index, name);
    return i >= 0 ? rq->path.seg[i].decoded : NULL;
}

const char *um_http_param_raw(const struct um_http_req *rq, const char *name)
{
    int i = rq->match.route != NULL ? http_route_param(rq->http->router, rq->match.index, name) : -1;

    return i >= 0 ? rq->path.seg[i].raw : NULL;
}

/* Decoded when somebody asks; the request is const to its readers only. */
static const struct http_query *query_of(const struct um_http_req *rq)
{
    struct um_http_req *mine = (struct um_http_req *)(uintptr_t)rq;
    const char *raw = strchr(rq->target, '?');

    if (!rq->has_query && raw != NULL && http_query_parse(&mine->query, raw + 1) != UM_OK)
        um_log_limited(UM_WARN, "http", "no memory for a query");
    mine->has_query = true;
    return &rq->query;
}

const char *um_http_query(const struct um_http_req *rq, const char *name)
{
    const struct http_query *q = query_of(rq);

    for (size_t i = 0; i < q->n; i++)
        if (strcmp(q->pair[i].name, name) == 0)
            return q->pair[i].value;
    return NULL;
}

size_t um_http_query_count(const struct um_http_req *rq, const char *name)
{
    const struct http_query *q = query_of(rq);
    size_t n = 0;

    for (size_t i = 0; i < q->n; i++)
        n += strcmp(q->pair[i].name, name) == 0;
    return n;
}

void um_http_each_query(const struct um_http_req *rq, void (*fn)(void *arg, const char *name, const char *value), void *arg)
{
    const struct http_query *q = query_of(rq);

    for (size_t i = 0; i < q->n; i++)
        fn(arg, q->pair[i].name, q->pair[i].value);
}

const char *um_http_header(const struct um_http_req *rq, const char *name)
{
    for (size_t i = 0; i < rq->n_fields; i++)
        if (um_ascii_ieq(rq->field[i].name, name))
            return rq->field[i].value;
    return NULL;
}

void um_http_each_header(const struct um_http_req *rq, void (*fn)(void *arg, const char *name, const char *value), void *arg)
{
    for (size_t i = 0; i < rq->n_fields; i++)
        fn(arg, rq->field[i].name, rq->field[i].value);
}

/* "a=1; b=2" */
static const char *cookie_in(const struct um_http_req *rq, const char *p, const char *name, size_t *nth)
{
    size_t len = strlen(name);

    while (*p != '\0') {
        size_t n;

        p += strspn(p, "; \t");
        n = strcspn(p, ";");
        if (n > len && strncmp(p, name, len) == 0 && p[len] == '=' && (*nth)-- == 0) {
            char *value = http_memory((struct um_http_req *)(uintptr_t)rq, n - len);

            memcpy(value, p + len + 1, n - len - 1);
            value[n - len - 1] = '\0';
            return value;
        }
        p += n;
    }
    return NULL;
}

const char *um_http_cookie(const struct um_http_req *rq, const char *name, size_t nth)
{
    const char *value = NULL;

    for (size_t i = 0; i < rq->n_fields && value == NULL; i++)
        if (um_ascii_ieq(rq->field[i].name, "Cookie"))
            value = cookie_in(rq, rq->field[i].value, name, &nth);
    return value;
}
