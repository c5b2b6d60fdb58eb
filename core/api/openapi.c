/* The description: OpenAPI 3.1, from the rows. Errors have one shape everywhere and are said once. */
#include <string.h>
#include "internal.h"

#define TITLE "Umbel core"
#define ABOUT "Documents that are edited together, and the platform around them. docs/api/rest.md has the conventions."

static json_t *security_schemes(void)
{
    return json_pack("{s:{s:s, s:s, s:s, s:s}, s:{s:s, s:s, s:s}}",
                     "token", "type", "apiKey", "in", "header", "name", "token", "description", "from POST /core/rest/authentication",
                     "bearer", "type", "http", "scheme", "bearer", "description", "the same as Authorization: Bearer");
}

static json_t *error_reply(void)
{
    return json_pack("{s:{s:s, s:{s:{s:{s:s}}}}}", "Error", "description", "4xx or 5xx. 429 and 503 have Retry-After",
                     "content", "application/json", "schema", "$ref", "#/components/schemas/Error");
}

/* Without an Error among the schemas, as in tests, none is told. */
static json_t *components(const struct um_api *a)
{
    json_t *c = json_pack("{s:o, s:O}", "securitySchemes", security_schemes(), "schemas", api_schemas_json(a->schemas));

    if (api_schemas_find(a->schemas, "Error") != NULL)
        json_object_set_new(c, "responses", error_reply());
    return c;
}

static json_t *tags(const struct um_api *a)
{
    json_t *list = json_array();

    for (size_t i = 0; i < a->n_groups; i++)
        json_array_append_new(list, json_pack("{s:s, s:s*}", "name", a->groups[i]->tag, "description", a->groups[i]->text));
    return list;
}

static void lower(const char *method, char out[16])
{
    size_t i;

    for (i = 0; i < 15 && method[i] != '\0'; i++)
        out[i] = (char)(method[i] | 0x20);
    out[i] = '\0';
}

static void add_path(json_t *paths, const struct api_row *r)
{
    struct um_buf path = { 0 };
    char method[16];
    json_t *item;

    api_path_text(r->row, &path);
    lower(r->row->method, method);
    item = json_object_get(paths, um_buf_cstr(&path));
    if (item == NULL) {
        item = json_object();
        json_object_set_new(paths, um_buf_cstr(&path), item);
    }
    json_object_set_new(item, method, api_describe_operation(r));
    um_buf_free(&path);
}

json_t *api_describe(const struct um_api *a)
{
    json_t *paths = json_object();

    for (size_t i = 0; i < a->n; i++)
        if (a->rows[i].row->id != NULL)
            add_path(paths, &a->rows[i]);
    return json_pack("{s:s, s:{s:s, s:s, s:s}, s:[{s:s}], s:o, s:o, s:o}", "openapi", "3.1.0",
                     "info", "title", TITLE, "version", UMBEL_VERSION, "description", ABOUT,
                     "servers", "url", "/", "tags", tags(a), "paths", paths, "components", components(a));
}
