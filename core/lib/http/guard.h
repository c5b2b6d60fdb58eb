/* The request guard of docs/security.md: what libmicrohttpd lets through and no handler may see. A pure function. */
#ifndef UMBEL_HTTP_GUARD_H
#define UMBEL_HTTP_GUARD_H
#include <umbel/http.h>

struct http_field {                 /* lengths matter: they come from the parser, not from strlen */
    const char *name, *value;
    size_t name_len, value_len;
};

struct http_head {
    const char *method, *version;   /* "HTTP/1.1" */
    const char *target;             /* as sent */
    const struct http_field *field;
    size_t n_fields;
};

struct http_verdict {
    unsigned status;                /* 0: it may pass */
    const char *why;                /* a literal */
    bool chunked;
    int64_t content_length;         /* -1: none */
};

struct http_verdict http_guard(const struct http_head *head, const struct um_http_conf *cf);

#endif
