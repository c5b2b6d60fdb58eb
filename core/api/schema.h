/* Schemas, compiled. A schema is a node; what it says of parts of a value are further nodes. */
#ifndef API_SCHEMA_H
#define API_SCHEMA_H
#include <jansson.h>
#include <umbel/api.h>
#include <umbel/embedded.h>

enum {                                       /* of a value, as bits */
    API_NULL = 1, API_BOOL = 2, API_INT = 4, API_REAL = 8, API_STRING = 16, API_ARRAY = 32, API_OBJECT = 64,
    API_NUMBER = API_INT | API_REAL,
};
enum { API_DEPTH_MAX = 200 };                /* of nodes on the way to a value */
enum { API_TRIES_MAX = 1 << 22 };            /* nodes that alternatives may cost one value: a hostile one doubles them at
                                              * each level */

struct api_format { const char *name; bool (*fits)(const char *s, size_t n); const char *message; };
const struct api_format *api_format_find(const char *name);          /* NULL: unknown */

struct api_range { int64_t min, max; };      /* of lengths and counts */
struct api_property { const char *name; struct api_schema *schema; bool required; };
struct api_schema {
    struct api_schema *next;                 /* of all nodes, to free them */
    const char *name;                        /* of a component; NULL: of a part */
    const char *ref_name;
    struct api_schema *ref;                  /* then the rest is empty */
    unsigned types;                          /* bits; 0: any */
    struct api_property *properties;         /* by name */
    size_t n_properties, n_required;
    bool closed;                             /* additionalProperties: false */
    struct api_schema *extra, *items;        /* of further properties, of elements; NULL: any */
    const json_t *values, *constant, *minimum, *maximum;      /* borrowed from the text; NULL: not given */
    struct api_range length, count, members;
    const struct api_format *format;
    struct api_schema **choices;             /* oneOf, anyOf */
    size_t n_choices;
    bool exactly_one;
    unsigned char mark;                      /* while loops are looked for */
};

struct api_schemas;
um_err api_schemas_new(struct api_schemas **out, const struct um_embedded *files, size_t n, char why[256]) UM_CHECK_RESULT;
void api_schemas_free(struct api_schemas *s);
const struct api_schema *api_schemas_find(const struct api_schemas *s, const char *name);
/* {"Name": schema, ...} as written, by name; borrowed. */
json_t *api_schemas_json(const struct api_schemas *s);

const struct api_schema *api_schema_real(const struct api_schema *s);        /* behind its references */
bool api_schema_fits(const struct api_schema *s, const json_t *value, um_api_fault_fn *fn, void *arg);
/* "a string or null" */
void api_types_text(unsigned types, char out[96]);
unsigned api_type_of(const json_t *v);

#endif
