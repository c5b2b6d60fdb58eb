/* GET /core/swagger-ui/...: the viewer of the description, from memory. It loads nothing from anywhere else, and its policy says so. */
#include <string.h>
#include <umbel/embedded.h>
#include "internal.h"

#define PAGE "/core/swagger-ui/index.html"
#define POLICY "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; " \
               "form-action 'none'; frame-ancestors 'none'"

extern const struct um_embedded rest_viewer_files[];
extern const size_t rest_viewer_files_n;

static const char *type_of(const char *name)
{
    static const struct { const char *end, *type; } types[] = {
        { ".html", "text/html; charset=utf-8" }, { ".css", "text/css; charset=utf-8" }, { ".js", "text/javascript; charset=utf-8" },
    };
    const char *end = strrchr(name, '.');

    for (size_t i = 0; end != NULL && i < UM_COUNT(types); i++)
        if (strcmp(types[i].end, end) == 0)
            return types[i].type;
    return "application/octet-stream";
}

void viewer_get(struct um_http_req *rq, void *ctx)
{
    const char *name = um_http_param(rq, "file");

    (void)ctx;
    for (size_t i = 0; i < rest_viewer_files_n; i++) {
        const struct um_embedded *f = &rest_viewer_files[i];
        if (strcmp(f->name, name) != 0)
            continue;
        um_http_add_header(rq, "Content-Security-Policy", POLICY);
        um_http_add_header(rq, "X-Content-Type-Options", "nosniff");
        um_http_add_header(rq, "Referrer-Policy", "no-referrer");
        um_http_add_header(rq, "Cache-Control", "no-cache");
        um_http_reply(rq, 200, type_of(f->name), f->data);
        return;
    }
    um_http_reply_error(rq, 404, "U00404", "the viewer has no such file");
}

void viewer_index(struct um_http_req *rq, void *ctx)
{
    (void)ctx;
    um_http_add_header(rq, "Location", PAGE);
    um_http_reply(rq, 302, NULL, UM_SPAN(NULL, 0));
}
