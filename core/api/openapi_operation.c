/* One row as an OpenAPI operation. */
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

#define REST "rest"                          /* what a path's "*" is called */
#define JSON_MEDIA "application/json"

void api_path_text(const struct um_api_row *row, struct um_buf *out)
{
    size_t n = strlen(row->path);
    bool has_rest = n > 0 && row->path[n - 1] == '*';

    um_buf_put(out, row->path, n - has_rest);
    if (has_rest)
        um_buf_puts(out, "{" REST "}");
}

static json_t *ref(const char *name) { return json_pack("{s:s+}", "$ref", "#/components/schemas/", name); }

static const char *shown(const struct um_api_param *p) { return strcmp(p->name, "*") == 0 ? REST : p->name; }

static json_t *parameter(const struct um_api_param *p)
{
    static const char *const places[] = { [UM_API_QUERY] = "query", [UM_API_HEADER] = "header", [UM_API_PATH] = "path" };
    json_t *o = json_pack("{s:s, s:s, s:s*}", "name", shown(p), "in", places[p->in], "description", p->text);

    if (p->required || p->in == UM_API_PATH)
        json_object_set_new(o, "required", json_true());
    json_object_set_new(o, "schema", api_param_schema(p));
    if (p->type == UM_API_IDS) {             /* a,b: one parameter */
        json_object_set_new(o, "style", json_string(p->in == UM_API_PATH ? "simple" : "form"));
        json_object_set_new(o, "explode", json_false());
    }
    return o;
}

static json_t *parameters(const struct api_row *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->n_params; i++)
        json_array_append_new(list, parameter(&r->params[i]));
    return list;
}

static json_t *media(const char *type, const char *schema)
{
    json_t *of = schema != NULL ? json_pack("{s:o}", "schema", ref(schema)) : json_object();

    return json_pack("{s:o}", type != NULL ? type : JSON_MEDIA, of);
}

static json_t *body(const struct um_api_row *row)
{
    return json_pack("{s:b, s:o}", "required", !row->body_optional, "content", media(row->body_media, row->body));
}

static json_t *reply(const struct um_api_reply *r)
{
    json_t *o = json_pack("{s:s}", "description", r->text != NULL ? r->text : um_http_reason(r->status));

    if (r->schema != NULL || r->media != NULL)
        json_object_set_new(o, "content", media(r->media, r->schema));
    return o;
}

static void add_reply(json_t *all, const struct um_api_reply *r)
{
    char status[16];
    json_t *known, *more;

    snprintf(status, sizeof(status), "%u", r->status);
    known = json_object_get(all, status);
    if (known == NULL) {
        json_object_set_new(all, status, reply(r));
        return;
    }
    more = media(r->media, r->schema);
    json_object_update(json_object_get(known, "content"), more);
    json_decref(more);
}

static json_t *replies(const struct um_api_row *row)
{
    json_t *all = json_object();

    for (size_t i = 0; i < UM_API_REPLIES_MAX && row->replies[i].status != 0; i++)
        add_reply(all, &row->replies[i]);
    json_object_set_new(all, "default", json_pack("{s:s}", "$ref", "#/components/responses/Error"));
    return all;
}

static void add_ways(json_t *ways, json_t *roles_adopt)
{
    json_array_append_new(ways, json_pack("{s:O}", "token", roles_adopt));
    json_array_append_new(ways, json_pack("{s:o}", "bearer", roles_adopt));
}

/* What a caller proves; the roles stand in the lists, which OpenAPI 3.1 has for them. One of several roles: so many ways. */
static json_t *security(const struct um_api_row *row)
{
    json_t *ways = json_array();
    const char *role = row->role;

    if (row->flags & UM_HTTP_PUBLIC)
        return ways;
    if (role == NULL)
        add_ways(ways, json_array());
    while (role != NULL) {
        size_t n = strcspn(role, "|");

        add_ways(ways, json_pack("[s%]", role, n));
        role = role[n] == '|' ? role + n + 1 : NULL;
    }
    return ways;
}

json_t *api_describe_operation(const struct api_row *r)
{
    const struct um_api_row *row = r->row;
    json_t *o = json_pack("{s:[s], s:s, s:s}", "tags", r->group->tag, "operationId", row->id, "summary", row->summary);

    if (r->n_params > 0)
        json_object_set_new(o, "parameters", parameters(r));
    if (row->body != NULL || row->body_media != NULL)
        json_object_set_new(o, "requestBody", body(row));
    json_object_set_new(o, "responses", replies(row));
    json_object_set_new(o, "security", security(row));
    return o;
}
