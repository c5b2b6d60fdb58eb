/* One HTTP request by libcurl.
 *
 *   HEAD --blank line--> BODY --> (done)        `patience` runs while it is the core's turn to move: it stops while we
 *    ^  |                                       hold the transfer (our reader is slow, or our client has not sent more)
 *    +--+ the next core
 *
 * Invariants:
 * 1. curl must not be called back from inside its own callbacks: resuming and cancelling happen at the end of the turn.
 * 2. curl repeats a request by itself when a pooled connection turns out dead before any byte of the answer. That is right
 *    for what is idempotent; anything else gets a new connection, or its body cannot be rewound and it fails. */
#include <proxy/exchange.h>

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <proxy/hop.h>

#include "upstream_int.h"

enum { HEAD_MAX_BYTES = 64 * 1024, HEADERS_MAX = 200 };

struct um_exchange {
    struct upstream_job job;
    const struct um_exchange_handler *handler;
    void *arg;
    struct curl_slist *headers;
    struct um_buf head;                   /* the answer's header lines, each NUL-terminated */
    unsigned status;
    bool has_head;
    bool holds_answer, holds_body;        /* curl is paused in this direction */
    bool dead;                            /* cancelled: nobody is told anything */
    struct um_defer later;
    struct um_timer patience;
    int64_t timeout_ms;
    /* What the next attempt is made of. */
    struct um_tries tries;
    struct um_core *core;                 /* of this attempt; held by `tries` */
    char *method, *target;
    struct um_buf key;
    int64_t body_length;
    bool repeatable;
    bool answered;                        /* a line of the answer has come */
    bool body_begun;
};

static struct um_exchange *of(struct upstream_job *job)
{
    return UM_CONTAINER(job, struct um_exchange, job);
}

static struct um_loop *loop_of(const struct um_exchange *x)
{
    return um_upstream_loop(x->job.up);
}

static void free_exchange(struct um_exchange *x)
{
    if (!um_list_is_empty(&x->job.link))
        upstream_drop(&x->job);
    um_tries_end(&x->tries);
    um_buf_free(&x->key);
    free(x->method);
    free(x->target);
    um_timer_stop(loop_of(x), &x->patience);
    um_defer_cancel(&x->later);
    curl_slist_free_all(x->headers);
    um_buf_free(&x->head);
    free(x);
}

/* ---- time ---- */

static void finish(struct um_exchange *x, um_err err)
{
    const struct um_exchange_handler *handler = x->handler;
    void *arg = x->arg;
    bool dead = x->dead;

    if (!dead && x->core != NULL && err != UM_ECLOSED)
        um_core_note(x->core, err != UM_EUNAVAIL && err != UM_ETIMEOUT, um_loop_now_ms(loop_of(x)));
    free_exchange(x);
    if (!dead)
        handler->on_done(arg, err);
}

static void out_of_patience(void *arg)
{
    finish(arg, UM_ETIMEOUT);
}

static void restart_patience(struct um_exchange *x)
{
    if (x->holds_answer || x->holds_body)
        um_timer_stop(loop_of(x), &x->patience);
    else
        um_timer_set(loop_of(x), &x->patience, x->timeout_ms, out_of_patience, x);
}

/* ---- the end of the turn: what could not be done inside curl's callbacks ---- */

static void run_later(void *arg)
{
    struct um_exchange *x = arg;
    int still;

    if (x->dead) {
        free_exchange(x);
        return;
    }
    still = (x->holds_answer ? CURLPAUSE_RECV : 0) | (x->holds_body ? CURLPAUSE_SEND : 0);
    restart_patience(x);
    curl_easy_pause(x->job.easy, still);  /* may deliver a piece at once, and be held again */
}

static void defer(struct um_exchange *x)
{
    um_loop_defer(loop_of(x), UM_PHASE_FLUSH, &x->later);
}

void um_exchange_resume(struct um_exchange *x)
{
    if (x->holds_answer) {
        x->holds_answer = false;
        defer(x);
    }
}

void um_exchange_body_ready(struct um_exchange *x)
{
    if (x->holds_body) {
        x->holds_body = false;
        defer(x);
    }
}

void um_exchange_cancel(struct um_exchange *x)
{
    if (x == NULL)
        return;
    x->dead = true;
    defer(x);
}

/* ---- curl's callbacks ---- */

static int64_t parse_length(const char *value)
{
    int64_t n = 0;
    size_t digits = strspn(value, "0123456789");

    if (digits == 0 || digits > 18 || value[digits] != '\0')
        return -1;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (value[i] - '0');
    return n;
}

static void deliver_head(struct um_exchange *x)
{
    struct um_exchange_header list[HEADERS_MAX];
    struct um_exchange_head head = { .status = x->status, .headers = list, .length = -1 };

    for (char *p = (char *)x->head.data, *end = p + x->head.len; p < end && head.n < HEADERS_MAX; p += strlen(p) + 1) {
        char *colon = strchr(p, ':');
        struct um_exchange_header *h = &list[head.n++];
        h->name = p;
        h->value = colon + 1 + strspn(colon + 1, " \t");
        p = colon + 1;
        colon[0] = '\0';
        if (strcasecmp(h->name, "Content-Length") == 0)
            head.length = parse_length(h->value);
        else if (strcasecmp(h->name, "Connection") == 0)
            head.connection = h->value;
    }
    x->has_head = true;
    x->handler->on_head(x->arg, &head);
}

/* Keeps "Name: value" without its line end; false when the head grows too large. */
static bool keep_line(struct um_exchange *x, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n);

    if (colon == NULL || colon == line || memchr(line, '\0', n) != NULL)
        return true;
    um_buf_put(&x->head, line, n);
    um_buf_put_u8(&x->head, '\0');
    return !x->head.failed && x->head.len <= HEAD_MAX_BYTES;
}

static size_t header_line(char *line, size_t size, size_t n, void *arg)
{
    struct um_exchange *x = arg;
    size_t len = n;

    (void)size;
    while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' '))
        len--;
    x->answered = true;
    if (x->dead)
        return 0;
    if (x->has_head)
        return n;                         /* trailers: nobody asked for them */
    restart_patience(x);
    if (len > 12 && memcmp(line, "HTTP/", 5) == 0 && x->head.len == 0)
        x->status = (unsigned)strtoul(line + strcspn(line, " ") + 1, NULL, 10);
    else if (len > 0)
        return keep_line(x, line, len) ? n : 0;
    else if (x->status >= 200)
        deliver_head(x);
    else
        um_buf_clear(&x->head);           /* 100 Continue and its like */
    return x->dead ? 0 : n;
}

static size_t answer_piece(char *data, size_t size, size_t n, void *arg)
{
    struct um_exchange *x = arg;

    (void)size;
    if (x->dead)
        return 0;
    if (!x->handler->on_data(x->arg, UM_SPAN(data, n))) {
        x->holds_answer = !x->dead;
        if (x->holds_answer)
            restart_patience(x);
        return x->dead ? 0 : CURL_WRITEFUNC_PAUSE;
    }
    if (!x->dead)
        restart_patience(x);
    return x->dead ? 0 : n;
}

static size_t body_piece(char *out, size_t size, size_t n, void *arg)
{
    struct um_exchange *x = arg;
    ptrdiff_t got;

    if (x->dead)
        return CURL_READFUNC_ABORT;
    got = x->handler->read_body(x->arg, (uint8_t *)out, size * n);
    x->body_begun |= got > 0;
    if (x->dead)
        return CURL_READFUNC_ABORT;
    x->holds_body = got == 0;
    restart_patience(x);
    return got == 0 ? CURL_READFUNC_PAUSE : got < 0 ? 0 : (size_t)got;
}

static int refuse_rewind(void *arg, curl_off_t offset, int origin)
{
    (void)arg;
    (void)offset;
    (void)origin;
    return CURL_SEEKFUNC_FAIL;
}

static um_err error_of(CURLcode code, bool has_head)
{
    switch (code) {
    case CURLE_OK:                return has_head ? UM_OK : UM_EPROTO;
    case CURLE_OUT_OF_MEMORY:     return UM_ENOMEM;
    case CURLE_OPERATION_TIMEDOUT:return UM_ETIMEOUT;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_WRITE_ERROR:       return UM_EPROTO;
    default:                      return UM_EUNAVAIL;
    }
}

/* ---- an attempt ---- */

static bool add_header(struct um_exchange *x, const char *name, const char *value)
{
    char *line = value[0] != '\0' ? um_xasprintf("%s: %s", name, value) : um_xasprintf("%s;", name);
    struct curl_slist *longer = curl_slist_append(x->headers, line);

    free(line);
    if (longer != NULL)
        x->headers = longer;
    return longer != NULL;
}

static bool suppress_header(struct um_exchange *x, const char *line)
{
    struct curl_slist *longer = curl_slist_append(x->headers, line);

    if (longer != NULL)
        x->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct um_exchange *x, const struct um_exchange_request *rq)
{
    bool has_accept = false, no_body = rq->body_length == 0;

    for (size_t i = 0; i < rq->n; i++) {
        has_accept |= strcasecmp(rq->headers[i].name, "Accept") == 0;
        if (!add_header(x, rq->headers[i].name, rq->headers[i].value))
            return false;
    }
    if (no_body && (strcmp(rq->method, "POST") == 0 || strcmp(rq->method, "PUT") == 0 || strcmp(rq->method, "PATCH") == 0))
        if (!add_header(x, "Content-Length", "0"))
            return false;
    return (has_accept || suppress_header(x, "Accept:")) && suppress_header(x, "Expect:");
}

static bool set_method(struct um_exchange *x)
{
    CURL *e = x->job.easy;

    if (strcmp(x->method, "HEAD") == 0)
        return curl_easy_setopt(e, CURLOPT_NOBODY, 1L) == CURLE_OK;
    if (x->body_length != 0 &&
        (curl_easy_setopt(e, CURLOPT_UPLOAD, 1L) != CURLE_OK ||
         curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)x->body_length) != CURLE_OK))
        return false;
    if (x->body_length == 0 && !um_hop_is_idempotent(x->method) &&
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L) != CURLE_OK)
        return false;
    return curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, x->method) == CURLE_OK;
}

static bool set_callbacks(struct um_exchange *x)
{
    CURL *e = x->job.easy;

    return curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, header_line) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_HEADERDATA, x) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, answer_piece) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_WRITEDATA, x) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READFUNCTION, body_piece) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_READDATA, x) == CURLE_OK &&
           curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, refuse_rewind) == CURLE_OK;
}

/* UM_EUNAVAIL: no core is left. */
static um_err start_attempt(struct um_exchange *x)
{
    struct um_upstream *up = x->job.up;
    um_err err = UM_ENOMEM;

    x->tries.needs = "rest";
    if ((x->core = upstream_next(up, &x->tries, UM_SPAN(x->key.data, x->key.len))) == NULL)
        return UM_EUNAVAIL;
    x->holds_answer = x->holds_body = x->body_begun = false;
    if ((x->job.easy = upstream_handle(up, x->core, x->target)) == NULL)
        return UM_ENOMEM;
    if (set_method(x) && set_callbacks(x) && curl_easy_setopt(x->job.easy, CURLOPT_HTTPHEADER, x->headers) == CURLE_OK)
        err = upstream_add(up, &x->job);
    if (err == UM_OK) {
        restart_patience(x);
    } else {
        curl_easy_cleanup(x->job.easy);
        x->job.easy = NULL;
    }
    return err;
}

/* ---- the end of an attempt ---- */

/* May the next core be asked, after CODE? See the header. */
static bool may_repeat(struct um_exchange *x, CURLcode code)
{
    curl_off_t connected_us = 0;
    long sent_bytes = 0;
    bool reached;

    curl_easy_getinfo(x->job.easy, CURLINFO_CONNECT_TIME_T, &connected_us);
    curl_easy_getinfo(x->job.easy, CURLINFO_REQUEST_SIZE, &sent_bytes);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        reached = false;
        break;
    case CURLE_OPERATION_TIMEDOUT:        /* the only time limit that curl has from us is that of connecting */
        reached = connected_us != 0;
        break;
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_FAIL_REWIND:
        reached = true;
        break;
    default:
        return false;
    }
    if (x->answered || (!x->repeatable && (reached || sent_bytes > 0)))
        return false;
    return !x->body_begun || (x->handler->rewind_body != NULL && x->handler->rewind_body(x->arg));
}

static void transfer_done(struct upstream_job *job, CURLcode code)
{
    struct um_exchange *x = of(job);

    if (!x->dead && may_repeat(x, code)) {
        um_core_note(x->core, false, um_loop_now_ms(loop_of(x)));
        x->core = NULL;
        upstream_drop(job);
        if (start_attempt(x) == UM_OK)
            return;
    }
    finish(x, error_of(code, x->has_head));
}

static void transfer_abandoned(struct upstream_job *job)
{
    finish(of(job), UM_ECLOSED);
}

static void no_core(void *arg)
{
    finish(arg, UM_EUNAVAIL);
}

/* ---- the request ---- */

struct um_exchange *um_exchange_start(struct um_upstream *up, const struct um_exchange_request *rq,
                                      const struct um_exchange_handler *handler, void *arg)
{
    struct um_exchange *x = calloc(1, sizeof(*x));
    um_err err = UM_ENOMEM;

    if (x == NULL)
        return NULL;
    x->handler = handler;
    x->arg = arg;
    x->timeout_ms = rq->timeout_ms != 0 ? rq->timeout_ms : um_upstream_conf(up)->timeout_ms;
    x->method = um_xstrdup(rq->method);
    x->target = um_xstrdup(rq->target);
    x->body_length = rq->body_length;
    x->repeatable = rq->repeatable || um_hop_is_idempotent(rq->method);
    um_buf_put(&x->key, rq->key.data, rq->key.len);
    um_list_init(&x->job.link);
    x->job.up = up;
    x->job.done = transfer_done;
    x->job.abandon = transfer_abandoned;
    um_defer_init(&x->later, run_later, x);
    if (!x->key.failed && set_headers(x, rq))
        err = start_attempt(x);
    if (err == UM_EUNAVAIL) {             /* nobody is told before we return */
        upstream_add_idle(up, &x->job);
        um_timer_set(loop_of(x), &x->patience, 0, no_core, x);
    } else if (err != UM_OK) {
        free_exchange(x);
        x = NULL;
    }
    return x;
}
