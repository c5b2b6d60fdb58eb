/* The request target: path and query taken apart and decoded once. Pure functions. */
#ifndef UMBEL_HTTP_TARGET_H
#define UMBEL_HTTP_TARGET_H
#include <umbel/base.h>

enum { HTTP_MAX_SEGMENTS = 256 };

struct http_segment {
    const char *decoded;
    const char *raw;             /* as sent */
    size_t at;                   /* where it stands in http_path.text */
};

struct http_path {               /* everything in one block */
    char *text;                  /* "/a/b%2Fc": decoded once, dots resolved, encoded separators left encoded */
    struct http_segment *seg;
    size_t n;                    /* segments; a slash at the end is not one */
    bool slash;                  /* there was one at the end */
};

/* RAW: begins with '/', no query, well-formed (the guard has seen it).
 *   UM_EPROTO  decoded it is not UTF-8, or holds a NUL
 *   UM_ELIMIT  more than HTTP_MAX_SEGMENTS
 *   UM_ENOMEM */
um_err http_path_parse(struct http_path *out, const char *raw, size_t len);
void http_path_free(struct http_path *p);

struct http_pair { const char *name, *value; };
struct http_query {
    struct http_pair *pair;
    size_t n;
    char *block;
};
size_t http_query_count(const char *raw);            /* parameters in a query, empty ones not counted */
um_err http_query_parse(struct http_query *out, const char *raw);    /* '+' is a blank; UM_ENOMEM */
void http_query_free(struct http_query *q);

#endif
