/* Replies: headers that were gathered, the body, and what every reply carries. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "http_int.h"

static const struct { unsigned status; const char *reason; } reasons[] = {
    { 101, "Switching Protocols" }, { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
    { 206, "Partial Content" }, { 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" },
    { 304, "Not Modified" }, { 307, "Temporary Redirect" }, { 308, "Permanent Redirect" }, { 400, "Bad Request" },
    { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
    { 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
    { 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Payload Too Large" }, { 414, "URI Too Long" },
    { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" }, { 417, "Expectation Failed" },
    { 422, "Unprocessable Entity" }, { 423, "Locked" }, { 426, "Upgrade Required" }, { 428, "Precondition Required" },
    { 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
    { 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" }, { 504, "Gateway Timeout" },
};

const char *um_http_reason(unsigned status)
{
    for (size_t i = 0; i < UM_COUNT(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].reason;
    return "Unknown";
}

/* A line end in a value would begin another header; it can only come from text that somebody else sent. */
static char clean(char c)
{
    return (uint8_t)c < 32 || c == 127 ? ' ' : c;
}

void um_http_add_header(struct um_http_req *rq, const char *name, const char *value)
{
    if (rq->state == HTTP_DONE)
        return;
    um_buf_put(&rq->headers, name, strlen(name) + 1);
    for (const char *p = value; *p != '\0'; p++)
        um_buf_put_u8(&rq->headers, (uint8_t)clean(*p));
    um_buf_put_u8(&rq->headers, '\0');
    if (um_ascii_ieq(name, "Retry-After"))
        rq->has_retry_after = true;
}

static void add_headers(struct um_http_req *rq, struct MHD_Response *r)
{
    const char *p = (const char *)rq->headers.data, *end = p + rq->headers.len;

    while (!rq->headers.failed && p < end) {
        const char *value = p + strlen(p) + 1;

        if (value[0] != '\0' && MHD_add_response_header(r, p, value) == MHD_NO)
            um_log_limited(UM_WARN, "http", "header not accepted", UM_S("name", p));
        p = value + strlen(value) + 1;
    }
    (void)MHD_add_response_header(r, "X-Request-Id", rq->id);
    if ((rq->close || rq->http->draining) && rq->status != 101)
        (void)MHD_add_response_header(r, "Connection", "close");
}

static void count_status(unsigned status)
{
    unsigned class = status / 100;

    if (class >= 2 && class <= 5)
        http_count((enum http_metric)(HTTP_M_2XX + (class - 2)), 1);
}

void http_finish(struct um_http_req *rq, unsigned status, struct MHD_Response *response)
{
    UM_ASSERT(response != NULL && rq->response == NULL);
    rq->status = status;
    rq->response = response;
    if (!rq->has_retry_after && (status == 429 || status == 503))
        um_http_add_header(rq, "Retry-After", "1");
    add_headers(rq, response);
    rq->on_gone = NULL;
    rq->state = HTTP_DONE;
    rq->waiting = false;
    count_status(status);
    http_timed(rq);
    http_note_exchange(rq);
    um_log(UM_DEBUG, "http", "reply", UM_S("method", rq->method), UM_S("path", rq->path.text != NULL ? rq->path.text : "-"),
           UM_I("status", status), UM_S("request", rq->id));
    http_resume(rq);
}

static void add_type(struct um_http_req *rq, const char *content_type)
{
    if (content_type != NULL)
        um_http_add_header(rq, "Content-Type", content_type);
}

/* A request has one reply. One that comes after the deadline's finds nobody; twice is our own mistake, but no reason to
 * fall over in front of a client. */
static bool may_reply(const struct um_http_req *rq)
{
    if (rq->state != HTTP_DONE)
        return true;
    um_log_limited(UM_ERROR, "http", "second reply", UM_S("path", rq->path.text), UM_I("first", rq->status));
    return false;
}

void um_http_reply(struct um_http_req *rq, unsigned status, const char *content_type, struct um_span body)
{
    struct um_bytes *b = um_bytes_dup(body.data, body.len);

    UM_ASSERT(b != NULL || body.len > 65536);
    if (b == NULL) {
        um_http_reply_error(rq, 503, "U00503", "There is no memory for the reply.");
        return;
    }
    um_http_reply_bytes(rq, status, content_type, b);
    um_bytes_unref(b);
}

static void unref_body(void *cls)
{
    um_bytes_unref(cls);
}

void um_http_reply_bytes(struct um_http_req *rq, unsigned status, const char *content_type, struct um_bytes *body)
{
    if (!may_reply(rq))
        return;
    add_type(rq, content_type);
    http_finish(rq, status, MHD_create_response_from_buffer_with_free_callback_cls(body->len, body->data, unref_body,
                                                                                   um_bytes_ref(body)));
}

void um_http_reply_json(struct um_http_req *rq, unsigned status, json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    json_decref(body);
    if (text == NULL) {
        um_log_limited(UM_ERROR, "http", "reply is no JSON", UM_S("path", rq->path.text));
        um_http_reply_error(rq, 500, "T00000", "The reply could not be written.");
        return;
    }
    um_http_reply(rq, status, "application/json", UM_SPAN(text, strlen(text)));
    free(text);
}

static void put_string(struct um_buf *b, const char *name, const char *value)
{
    um_buf_printf(b, ",\"%s\":\"", name);
    um_json_escape(b, UM_SPAN(value, strlen(value)));
    um_buf_puts(b, "\"");
}

/* The moment as Spring's error body has it: an offset in place of the Z. */
static void put_timestamp(struct um_buf *b)
{
    char iso[32];
    size_t n;

    um_wall_iso(um_wall_ms(), iso);
    n = strlen(iso);
    um_buf_printf(b, "{\"timestamp\":\"%.*s+00:00\"", (int)(iso[n - 1] == 'Z' ? n - 1 : n), iso);
}

static void put_details(struct um_buf *b, const json_t *details)
{
    char *text = details != NULL ? json_dumps(details, JSON_COMPACT) : NULL;

    if (text != NULL)
        um_buf_printf(b, ",\"details\":%s", text);
    free(text);
}

static void reply_error(struct um_http_req *rq, unsigned status, const char *code, const char *message, const json_t *details)
{
    struct um_buf b = { 0 };

    if (!may_reply(rq))
        return;
    rq->code = code;
    put_timestamp(&b);
    um_buf_printf(&b, ",\"status\":%u", status);
    put_string(&b, "error", um_http_reason(status));
    put_string(&b, "path", rq->path.text != NULL ? rq->path.text : "");
    put_string(&b, "code", code);
    put_string(&b, "message", message);
    put_string(&b, "requestId", rq->id);
    put_details(&b, details);
    um_buf_puts(&b, "}");
    um_http_reply(rq, status, "application/json", UM_SPAN(b.data, b.failed ? 0 : b.len));
    um_buf_free(&b);
}

void um_http_reply_error(struct um_http_req *rq, unsigned status, const char *code, const char *message)
{
    reply_error(rq, status, code, message, NULL);
}

void um_http_reply_error_with(struct um_http_req *rq, unsigned status, const char *code, const char *message, json_t *details)
{
    reply_error(rq, status, code, message, details);
    json_decref(details);
}

/* What the guard says: the connection cannot be trusted to be in step any more. */
void http_refuse(struct um_http_req *rq, unsigned status, const char *message)
{
    http_count(HTTP_M_REFUSED, 1);
    if (status == 413)
        http_count(HTTP_M_BODY_SIZE, 1);
    if (status == 414 || status == 431)
        http_count(HTTP_M_HEADER_SIZE, 1);
    um_log_limited(UM_INFO, "http", "refused", UM_I("status", status), UM_S("why", message), UM_S("peer", rq->conn->peer));
    if (status == 405)
        um_http_add_header(rq, "Allow", rq->match.allow);
    rq->close = true;
    um_http_reply_error(rq, status, status == 503 ? "U00503" : "U00400", message);
}
