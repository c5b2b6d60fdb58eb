/* What came back, and its way to the loop that asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "outgoing_int.h"

void answer_forget_fields(struct call *c)
{
    um_buf_clear(&c->fields);
    c->n_fields = 0;
}

static bool is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s[i] <= ' ' || s[i] >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", s[i]) != NULL)
            return false;
    return n > 0;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

static bool has_controls(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
            return true;
    return false;
}

/* Lines that are no header (a status, a folded one), or hold control characters, are passed over. */
bool answer_add_field(struct call *c, const char *line, size_t n)
{
    const char *colon = memchr(line, ':', n), *value;
    size_t name_len = colon != NULL ? (size_t)(colon - line) : 0;

    if (!is_name(line, name_len) || c->n_fields >= UM_OUTGOING_ANSWER_HEADERS_MAX)
        return true;
    value = colon + 1;
    n -= name_len + 1;
    for (; n > 0 && is_blank(*value); value++, n--)
        ;
    while (n > 0 && is_blank(value[n - 1]))
        n--;
    if (has_controls(value, n))
        return true;
    for (size_t i = 0; i < name_len; i++)
        um_buf_put_u8(&c->fields, (uint8_t)(line[i] >= 'A' && line[i] <= 'Z' ? line[i] - 'A' + 'a' : line[i]));
    um_buf_put_u8(&c->fields, '\0');
    um_buf_put(&c->fields, value, n);
    um_buf_put_u8(&c->fields, '\0');
    c->n_fields++;
    return !c->fields.failed;
}

/* On the loop of who asked. */
static void tell(struct um_msg *m)
{
    struct call *c = UM_CONTAINER(m, struct call, msg);
    struct um_outgoing_header *headers = um_xcalloc(c->n_fields + 1, sizeof(*headers));
    struct um_outgoing_answer a = { .err = c->err, .why = c->why, .us = c->us };
    const char *p = (const char *)c->fields.data;

    if (c->err == UM_OK) {
        for (size_t i = 0; i < c->n_fields; i++) {
            headers[i].name = p;
            headers[i].value = p + strlen(p) + 1;
            p = headers[i].value + strlen(headers[i].value) + 1;
        }
        a.status = (unsigned)c->status;
        a.body = UM_SPAN(c->answer.data, c->answer.len);
        a.headers = headers;
        a.n_headers = c->n_fields;
    }
    c->cb(c->arg, &a);
    free(headers);
    call_free(c);
}

static void log_failure(const struct call *c)
{
    char place[URL_HOST_MAX + 32] = "-";

    if (c->err == UM_OK || c->err == UM_ECLOSED)
        return;
    if (c->url.port != 0)                /* no path: it may be what proves who calls */
        snprintf(place, sizeof(place), c->url.is_address && c->url.address.v6 ? "%s://[%s]:%u" : "%s://%s:%u", c->url.tls ? "https" : "http",
                 c->url.host, c->url.port);
    um_log_limited(UM_WARN, "outgoing", "call failed", UM_S("method", c->method), UM_S("place", place), UM_S("error", um_err_text(c->err)),
                   UM_S("reason", c->why), UM_I("us", c->us));
}

void answer_send(struct call *c, um_err err, const char *why)
{
    c->err = err;
    if (why != c->why)
        snprintf(c->why, sizeof(c->why), "%s", why);
    c->us = um_now_us() - c->begun_us;
    outgoing_count_call(c);
    log_failure(c);
    um_loop_post(c->loop, &c->msg, tell);
}
