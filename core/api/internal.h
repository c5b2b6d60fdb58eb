/* What the files of this module share. */
#ifndef API_INTERNAL_H
#define API_INTERNAL_H
#include <umbel/api.h>
#include "schema.h"

struct api_row {
    const struct um_api_row *row;
    const struct um_api_group *group;
    struct um_api_param *params;             /* the row's, and those of the path that it does not name */
    size_t n_params;
    char *names;                             /* of parameters of the path */
    const struct api_schema *body;
};
struct um_api {
    const struct um_api_group *const *groups;
    size_t n_groups;
    struct api_schemas *schemas;
    struct api_row *rows;
    struct um_http_route *routes;            /* same indices */
    size_t n;
    struct um_bytes *description;
};

/* As um_api_new, with other schemas. */
um_err api_new_with(struct um_api **out, const struct um_api_group *const *groups, size_t n, const struct um_embedded *files,
                    size_t n_files, char why[256]) UM_CHECK_RESULT;
const struct api_row *api_row_of(const struct um_api *a, const struct um_http_route *route);
const struct um_api_param *api_param(const struct api_row *r, const char *name, enum um_api_in in);   /* NULL: none */

/* value.c: false: MESSAGE says what it must be. TEXT as decoded, of ids as sent. OUT gets the number of INT, DURATION, BOOL. */
bool api_value(const struct um_api_param *p, const char *text, int64_t *out, char message[160]);
/* Takes RAW apart at its commas. Each is decoded: "+" as a blank when PLUS. NULL: malformed, or more than MAX. The caller frees
 * the one block. */
char **api_split_ids(struct um_span raw, bool plus, size_t max, size_t *n);
json_t *api_param_schema(const struct um_api_param *p);

json_t *api_describe(const struct um_api *a);                            /* openapi.c */
json_t *api_describe_operation(const struct api_row *r);                 /* openapi_operation.c */
void api_path_text(const struct um_api_row *row, struct um_buf *out);   /* as OpenAPI writes it */

#endif
