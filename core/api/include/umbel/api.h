/* The calls of the REST interface, a row each: who may, what it is asked with, what it answers. The rows are all there is to
 * know of a call: from them come the routes, the checks of what arrives, the API's description (OpenAPI 3.1) and with it the
 * viewer, umbelctl and the tests that call every route.
 *
 * Schemas are JSON Schema 2020-12, in core/api/schemas/<topic>.json, one object {"Name": schema, ...} per file; the part that
 * we check ourselves: type (a name or a list), properties, required, additionalProperties (a truth or a schema), items, enum,
 * const, minLength, maxLength (in characters), minItems, maxItems, minProperties, maxProperties, minimum, maximum, format (a
 * name of core/api/format.c: no regular expressions), oneOf, anyOf, $ref "#/components/schemas/Name"; and what only explains:
 * default, description, title, examples, deprecated. Anything else stops the start: what is written there is checked. An
 * integer is one without a decimal point. */
#ifndef UMBEL_API_H
#define UMBEL_API_H
#include <umbel/http.h>

struct um_api;                               /* rows and schemas, compiled; immutable, any thread */

enum um_api_in { UM_API_QUERY, UM_API_HEADER, UM_API_PATH };
enum um_api_type {
    UM_API_STRING,                           /* UTF-8 of MIN..MAX bytes; MAX 0: UM_API_TEXT_MAX */
    UM_API_INT,                              /* MIN..MAX */
    UM_API_BOOL,                             /* true, false */
    UM_API_DURATION,                         /* 10s, PT1M, 1500; milliseconds, MIN..MAX */
    UM_API_ENUM,                             /* one of VALUES: "a|b|c" */
    UM_API_IDS,                              /* comma list, each id percent-encoded; MIN..MAX of them */
    UM_API_TYPES_N
};
enum {
    UM_API_TEXT_MAX = 1024,
    UM_API_FAULTS_MAX = 20,                  /* of a request, that are told */
    UM_API_REPLIES_MAX = 8,
};
/* Of a path all that {…} names ("*": its rest); those of the query and headers that the row knows. */
struct um_api_param {
    const char *name;
    enum um_api_in in;
    enum um_api_type type;
    int64_t min, max;
    const char *values;                      /* UM_API_ENUM */
    const char *initial;                     /* what it is without it; NULL: nothing */
    bool required;                           /* of a path always */
    bool repeats;                            /* of the query: may come several times; um_http_each_query has them all */
    const char *text;                        /* a sentence */
};

/* SCHEMA, MEDIA: NULL: no body / application/json. MEDIA without SCHEMA: bytes or text. Several rows of one status: its media
 * types. */
struct um_api_reply { unsigned status; const char *schema, *media, *text; };

struct um_api_row {
    const char *method, *path;
    um_http_handler *handler;
    unsigned flags;                          /* UM_HTTP_… */
    const char *role;                        /* NULL: any authenticated caller; "A|B": one of them */
    const char *refusal;                     /* code of the 403 for who has not got it; NULL: U00403 */
    const char *id;                          /* operationId, unique: "documents.create"; umbelctl's words too. NULL: not described
                                              * (another way to a described call, or of test builds only) */
    const char *summary;                     /* a sentence */
    size_t max_body;                         /* 0: the server's */
    const char *body;                        /* schema of the body; NULL: none is read, or BODY_MEDIA says what */
    const char *body_media;                  /* NULL: application/json */
    const struct um_api_param *params;       /* ends with an empty row; NULL: none but {…} of the path, as strings */
    struct um_api_reply replies[UM_API_REPLIES_MAX];     /* of success; ends with an empty one. Errors are the same everywhere */
    const void *call;                        /* the handler's own: which call of the domain this is */
    bool body_optional;                      /* um_api_body gives JSON null for a missing one */
    bool any_query;                          /* what it does not know of the query is passed over (sockets' rows: always) */
};

/* The rows of a module. */
struct um_api_group {
    const char *tag, *text;
    const struct um_api_row *rows;
    size_t n;
    const struct um_api_param *params;       /* of every row, behind its own; as a row's. May be NULL */
};

/* Compiles the groups (the list and what it points to are borrowed, static). A row or schema that contradicts itself, and a row that is never reached behind an
 * earlier one, is a defect of ours: WHY says which, UM_EINVAL. */
um_err um_api_new(struct um_api **out, const struct um_api_group *const *groups, size_t n, char why[256]) UM_CHECK_RESULT;
void um_api_free(struct um_api *a);
/* For um_http_new; in the order of the groups and rows. */
const struct um_http_route *um_api_routes(const struct um_api *a, size_t *n);
const struct um_api_row *um_api_row_of(const struct um_api *a, const struct um_http_route *route);
/* OpenAPI 3.1 as JSON text; kept, the same bytes each time. Borrowed. */
struct um_bytes *um_api_description(const struct um_api *a);

/* ---- of a request ---- */

/* Checks the parameters of RQ against its row: replies 400 U00400 with `details` [{"in","name","message"}] and returns false.
 * Query parameters that the row does not know, or that come twice, are refused. After it the calls below cannot fail. The core
 * does it before each handler (um_rest_hooks), so handlers need not. */
bool um_api_check_params(const struct um_api *a, struct um_http_req *rq);
int64_t um_api_int(const struct um_api *a, struct um_http_req *rq, const char *name);        /* INT, DURATION, BOOL; 0 without */
const char *um_api_text(const struct um_api *a, struct um_http_req *rq, const char *name);   /* NULL without; borrowed */
/* The ids of a comma list of the path or query, decoded; ends with NULL; the caller frees the one block. N may be NULL. Without
 * the parameter: an empty list. */
char **um_api_ids(const struct um_api *a, struct um_http_req *rq, const char *name, size_t *n);

/* All parameters that RQ has, or that its row gives an initial value, by name: numbers (INT, DURATION), truths, texts, lists of texts
 * (IDS). Caller decrefs. */
json_t *um_api_args(const struct um_api *a, struct um_http_req *rq);

/* The body as JSON, by the limits of um_http_body_json and by the row's schema. NULL: replied: 400 U00400, `details`
 * [{"path": "/0/tags/2/name", "message"}], at most UM_API_FAULTS_MAX of them. Caller decrefs. */
json_t *um_api_body(const struct um_api *a, struct um_http_req *rq);
/* The same of a part of the body, TEXT, by the schema NAME, which must exist. */
json_t *um_api_part(const struct um_api *a, struct um_http_req *rq, struct um_span text, const char *name);

/* ---- schemas alone ---- */

typedef void um_api_fault_fn(void *arg, const char *pointer, const char *message);
/* False: VALUE does not fit; FN (may be NULL) has heard of the first UM_API_FAULTS_MAX faults, with JSON pointers. NAME must
 * exist. */
bool um_api_fits(const struct um_api *a, const char *name, const json_t *value, um_api_fault_fn *fn, void *arg);

#endif
