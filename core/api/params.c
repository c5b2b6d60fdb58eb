/* The parameters of a request against its row. Nothing is kept: what was checked is read again when it is asked for, which is
 * cheap and leaves no state beside the request. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

struct judge {
    const struct api_row *row;
    struct um_http_req *rq;
    json_t *faults;                          /* NULL: none */
};

static const char *const places[] = { [UM_API_QUERY] = "query", [UM_API_HEADER] = "header", [UM_API_PATH] = "path" };

static void note(struct judge *j, enum um_api_in in, const char *name, const char *message)
{
    if (j->faults == NULL)
        j->faults = json_array();
    if (json_array_size(j->faults) < UM_API_FAULTS_MAX)
        json_array_append_new(j->faults, json_pack("{s:s, s:s, s:s}", "in", places[in], "name",
                                                   um_utf8_is_valid(name, strlen(name)) ? name : "?", "message", message));
}

/* ---- a list of ids, as sent ---- */

static bool is_named(struct um_span encoded, const char *name)
{
    struct um_buf b = { 0 };
    bool same = um_percent_decode(&b, encoded) && b.len == strlen(name) && memcmp(b.data, name, b.len) == 0;

    um_buf_free(&b);
    return same;
}

/* Of the query: its values are decoded elsewhere, and a comma of the list could not be told from one of an id any more. */
static struct um_span raw_query(const struct um_http_req *rq, const char *name)
{
    const char *p = strchr(um_http_raw_target(rq), '?');

    while (p != NULL && *p != '\0') {
        size_t len = strcspn(++p, "&"), n = strcspn(p, "=&");

        if (n < len && is_named(UM_SPAN(p, n), name))
            return UM_SPAN(p + n + 1, len - n - 1);
        p += len;
    }
    return UM_SPAN("", 0);
}

static struct um_span raw_of(const struct um_http_req *rq, const struct um_api_param *p)
{
    const char *raw = p->in == UM_API_PATH ? um_http_param_raw(rq, p->name) : NULL;

    return p->in == UM_API_QUERY ? raw_query(rq, p->name) : UM_SPAN_STR(raw != NULL ? raw : "");
}

/* ---- checking ---- */

static const char *given(const struct um_http_req *rq, const struct um_api_param *p)
{
    switch (p->in) {
    case UM_API_QUERY:  return um_http_query(rq, p->name);
    case UM_API_HEADER: return um_http_header(rq, p->name);
    default:            return um_http_param(rq, p->name);
    }
}

static void check_ids(struct judge *j, const struct um_api_param *p)
{
    struct um_span raw = raw_of(j->rq, p);
    char *text = um_xstrndup((const char *)raw.data, raw.len), message[160];
    int64_t n;

    if (!api_value(p, text, &n, message))
        note(j, p->in, p->name, message);
    free(text);
}

static void check_param(struct judge *j, const struct um_api_param *p)
{
    const char *text = given(j->rq, p);
    char message[160];
    int64_t n;

    if (text == NULL && p->required)
        note(j, p->in, p->name, "is missing");
    else if (text != NULL && p->in == UM_API_QUERY && !p->repeats && um_http_query_count(j->rq, p->name) > 1)
        note(j, p->in, p->name, "is there twice");
    else if (text != NULL && p->type == UM_API_IDS)
        check_ids(j, p);
    else if (text != NULL && !api_value(p, text, &n, message))
        note(j, p->in, p->name, message);
}

static void check_known(void *arg, const char *name, const char *value)
{
    struct judge *j = arg;

    (void)value;
    if (api_param(j->row, name, UM_API_QUERY) == NULL)
        note(j, UM_API_QUERY, name, "is not known");
}

static void refuse(struct um_http_req *rq, json_t *faults)
{
    const json_t *first = json_array_get(faults, 0);
    char message[256];

    snprintf(message, sizeof(message), "the parameter %.80s of the %s %s", json_string_value(json_object_get(first, "name")),
             json_string_value(json_object_get(first, "in")), json_string_value(json_object_get(first, "message")));
    um_http_reply_error_with(rq, 400, "U00400", message, faults);
}

bool um_api_check_params(const struct um_api *a, struct um_http_req *rq)
{
    const struct api_row *r = api_row_of(a, um_http_matched_route(rq));
    struct judge j = { r, rq, NULL };

    for (size_t i = 0; i < r->n_params; i++)
        check_param(&j, &r->params[i]);
    if (!r->row->any_query && !(r->row->flags & UM_HTTP_WEBSOCKET))
        um_http_each_query(rq, check_known, &j);
    if (j.faults == NULL)
        return true;
    refuse(rq, j.faults);
    return false;
}

/* ---- reading ---- */

/* Asking for one that the row does not have is a mistake of the handler. */
static const struct um_api_param *param_of(const struct um_api *a, const struct um_http_req *rq, const char *name)
{
    const struct api_row *r = api_row_of(a, um_http_matched_route(rq));
    const struct um_api_param *found = NULL;

    for (size_t i = 0; i < r->n_params && found == NULL; i++)
        if (strcmp(r->params[i].name, name) == 0)
            found = &r->params[i];
    UM_ASSERT(found != NULL);
    return found;
}

int64_t um_api_int(const struct um_api *a, struct um_http_req *rq, const char *name)
{
    const struct um_api_param *p = param_of(a, rq, name);
    const char *text = given(rq, p);
    char message[160];
    int64_t n = 0;

    if (text == NULL)
        text = p->initial;
    return text != NULL && api_value(p, text, &n, message) ? n : 0;
}

const char *um_api_text(const struct um_api *a, struct um_http_req *rq, const char *name)
{
    const struct um_api_param *p = param_of(a, rq, name);
    const char *text = given(rq, p);

    return text != NULL ? text : p->initial;
}

char **um_api_ids(const struct um_api *a, struct um_http_req *rq, const char *name, size_t *n)
{
    const struct um_api_param *p = param_of(a, rq, name);
    size_t count;
    char **ids = api_split_ids(raw_of(rq, p), p->in == UM_API_QUERY, (size_t)p->max, &count);

    if (ids == NULL) {                       /* header lists are no ids; the rest was checked */
        ids = um_xcalloc(1, sizeof(*ids));
        count = 0;
    }
    if (n != NULL)
        *n = count;
    return ids;
}

static json_t *ids_json(const struct um_api *a, struct um_http_req *rq, const char *name)
{
    size_t n;
    char **ids = um_api_ids(a, rq, name, &n);
    json_t *list = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(ids[i]));
    free(ids);
    return list;
}

static json_t *arg_json(const struct um_api *a, struct um_http_req *rq, const struct um_api_param *p)
{
    switch (p->type) {
    case UM_API_IDS:      return ids_json(a, rq, p->name);
    case UM_API_BOOL:     return json_boolean(um_api_int(a, rq, p->name) != 0);
    case UM_API_INT:
    case UM_API_DURATION: return json_integer(um_api_int(a, rq, p->name));
    default:              return json_string(um_api_text(a, rq, p->name));
    }
}

json_t *um_api_args(const struct um_api *a, struct um_http_req *rq)
{
    const struct api_row *r = api_row_of(a, um_http_matched_route(rq));
    json_t *args = json_object();

    for (size_t i = 0; i < r->n_params; i++)
        if (given(rq, &r->params[i]) != NULL || r->params[i].initial != NULL)
            json_object_set_new(args, r->params[i].name, arg_json(a, rq, &r->params[i]));
    return args;
}
