/* JSON bodies: jansson parses, but its own limits are far above ours, so a scan before it counts depth, elements and string
 * lengths without building anything. What the scan lets through may still be malformed: jansson says so. */
#include <string.h>
#include <umbel/util.h>
#include "http_int.h"

enum { MAX_DEPTH = 256 };               /* room of the scan; the key's own bound is below */

struct scan {
    const struct um_http_conf *cf;
    int64_t depth, string;
    uint32_t elements[MAX_DEPTH + 1];
    bool in_string, escaped;
};

static bool scan_string(struct scan *s, uint8_t c)
{
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->in_string = false;
    return ++s->string <= s->cf->json_max_string + 1;
}

static bool scan_byte(struct scan *s, uint8_t c)
{
    if (s->in_string)
        return scan_string(s, c);
    switch (c) {
    case '"':
        s->in_string = true;
        s->string = 0;
        return true;
    case '[':
    case '{':
        if (++s->depth > s->cf->json_max_depth || s->depth > MAX_DEPTH)
            return false;
        s->elements[s->depth] = 1;
        return true;
    case ']':
    case '}':
        s->depth -= s->depth > 0;
        return true;
    case ',':
        return ++s->elements[s->depth] <= s->cf->json_max_array;
    default:
        return true;
    }
}

static bool is_within_limits(struct um_span body, const struct um_http_conf *cf)
{
    struct scan s = { .cf = cf };

    for (size_t i = 0; i < body.len; i++)
        if (!scan_byte(&s, body.data[i]))
            return false;
    return true;
}

/* application/json, application/problem+json, with or without parameters; none at all is taken too. */
static bool is_json_type(const char *type)
{
    size_t n;
    char name[128];

    if (type == NULL)
        return true;
    n = strcspn(type, "; \t");
    if (n >= sizeof(name))
        return false;
    memcpy(name, type, n);
    name[n] = '\0';
    return um_ascii_ieq(name, "application/json") || (n > 5 && um_ascii_ieq(name + n - 5, "+json"));
}

json_t *um_http_body_json(struct um_http_req *rq)
{
    if (is_json_type(um_http_header(rq, "Content-Type")))
        return um_http_json(rq, um_http_body(rq));
    um_http_reply_error(rq, 415, "U00400", "The body must be JSON.");
    return NULL;
}

json_t *um_http_json(struct um_http_req *rq, struct um_span body)
{
    json_error_t error;
    json_t *json;

    if (!is_within_limits(body, &rq->http->cf)) {
        http_count(HTTP_M_JSON, 1);
        um_http_reply_error(rq, 400, "U00400", "The JSON is too deep or too large.");
        return NULL;
    }
    json = json_loadb((const char *)body.data, body.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (json == NULL)
        um_http_reply_error(rq, 400, "U00400", "The body is not valid JSON.");
    return json;
}
