/* The body of a request against its row's schema. */
#include <stdio.h>
#include <umbel/util.h>
#include "internal.h"

static void note(void *arg, const char *pointer, const char *message)
{
    json_array_append_new(arg, json_pack("{s:s, s:s}", "path", pointer, "message", message));
}

static void refuse(struct um_http_req *rq, json_t *faults)
{
    const json_t *first = json_array_get(faults, 0);
    char message[256];

    snprintf(message, sizeof(message), "the body does not fit: %.100s %.120s",
             json_string_value(json_object_get(first, "path")), json_string_value(json_object_get(first, "message")));
    um_http_reply_error_with(rq, 400, "U00400", message, faults);
}

/* BODY (adopted) when it fits; NULL: replied. */
static json_t *judge(struct um_http_req *rq, const struct api_schema *schema, json_t *body)
{
    json_t *faults = json_array();

    if (body == NULL || api_schema_fits(schema, body, note, faults)) {
        json_decref(faults);
        return body;
    }
    json_decref(body);
    refuse(rq, faults);
    return NULL;
}

json_t *um_api_body(const struct um_api *a, struct um_http_req *rq)
{
    const struct api_row *r = api_row_of(a, um_http_matched_route(rq));

    UM_ASSERT(r->body != NULL);
    if (r->row->body_optional && um_http_body(rq).len == 0)
        return json_null();
    return judge(rq, r->body, um_http_body_json(rq));
}

json_t *um_api_part(const struct um_api *a, struct um_http_req *rq, struct um_span text, const char *name)
{
    const struct api_schema *s = api_schemas_find(a->schemas, name);

    UM_ASSERT(s != NULL);
    return judge(rq, s, um_http_json(rq, text));
}

bool um_api_fits(const struct um_api *a, const char *name, const json_t *value, um_api_fault_fn *fn, void *arg)
{
    const struct api_schema *s = api_schemas_find(a->schemas, name);

    UM_ASSERT(s != NULL);
    return api_schema_fits(s, value, fn, arg);
}
