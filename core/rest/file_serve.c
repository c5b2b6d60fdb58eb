/* The content of a file as a reply: whole or a range, straight from where it lies, a chunk in memory. What is served cannot do
 * anything in a browser (SEC-12): its type is what its bytes are, it runs in a sandbox, and only what browsers show without
 * running anything is shown at all; the rest is saved. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/http_file.h>
#include "files.h"

struct serving {
    struct um_http_req *rq;
    struct um_download *download;
    struct um_content_file file;
    int64_t first, length;
    enum um_http_ranged ranged;
    bool show, streams;
};

static bool is_shown(const char *format)
{
    static const char *const shown[] = { "application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp",
                                         "text/plain", "audio/", "video/" };

    for (size_t i = 0; i < UM_COUNT(shown); i++) {
        size_t n = strlen(shown[i]);

        if (strncmp(format, shown[i], n) == 0 && (shown[i][n - 1] == '/' || format[n] == '\0'))
            return true;
    }
    return false;
}

static void add_headers(struct um_http_req *rq, const struct um_content_file *f, bool show)
{
    struct um_buf disposition = { 0 };
    char tag[UM_CONTENT_SHA_SIZE + 2];

    snprintf(tag, sizeof(tag), "\"%s\"", f->sha256);
    um_http_put_disposition(&disposition, show && is_shown(f->format) ? "inline" : "attachment", f->name);
    um_http_add_header(rq, "ETag", tag);
    um_http_add_header(rq, "Accept-Ranges", "bytes");
    um_http_add_header(rq, "Content-Disposition", um_buf_cstr(&disposition));
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_add_header(rq, "X-Content-Type-Options", "nosniff");
    um_http_add_header(rq, "Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
                       " media-src 'self'; frame-ancestors 'self'");
    um_buf_free(&disposition);
}

/* Only this very content goes on where the client has stopped. A date is not compared: it is never the same. */
static bool may_range(const struct um_http_req *rq, const struct um_content_file *f)
{
    const char *only = um_http_header(rq, "If-Range");
    size_t n = only != NULL ? strlen(only) : 0;

    return only == NULL || (n == strlen(f->sha256) + 2 && only[0] == '"' && only[n - 1] == '"' && strncmp(only + 1, f->sha256, n - 2) == 0);
}

static void add_range(struct serving *s)
{
    char text[80];

    if (s->ranged == UM_HTTP_RANGE)
        snprintf(text, sizeof(text), "bytes %" PRId64 "-%" PRId64 "/%" PRId64, s->first, s->first + s->length - 1, s->file.size);
    else
        snprintf(text, sizeof(text), "bytes */%" PRId64, s->file.size);
    um_http_add_header(s->rq, "Content-Range", text);
}

/* ---- streaming ---- */

static void serving_free(void *arg)
{
    struct serving *s = arg;

    um_download_free(s->download);
    free(s);
}

static ptrdiff_t read_more(void *arg, uint8_t *out, size_t n)
{
    struct serving *s = arg;

    return s->download != NULL ? um_download_read(s->download, out, n) : -2;     /* a HEAD has nothing to read */
}

static void stream(struct serving *s)
{
    struct um_http_req *rq = s->rq;
    unsigned status = s->ranged == UM_HTTP_RANGE ? 206 : 200;
    struct um_http_source source = { read_more, serving_free, s };
    char format[UM_CONTENT_FORMAT_MAX + 1];
    int64_t length = s->length;

    snprintf(format, sizeof(format), "%s", s->file.format);
    add_headers(rq, &s->file, s->show);
    if (status == 206)
        add_range(s);
    s->streams = true;
    um_http_reply_stream(rq, status, format, length, source);
}

/* The first bytes are there, or will not be: until now an error can still be told. */
static void have_bytes(void *arg)
{
    struct serving *s = arg;
    struct um_http_req *rq = s->rq;

    if (s->streams) {
        um_http_wake(rq);
        return;
    }
    um_http_on_gone(rq, NULL, NULL);
    if (um_download_error(s->download) == UM_OK) {
        stream(s);
        return;
    }
    serving_free(s);
    um_http_reply_error(rq, 500, "T00702", "the file cannot be had");
}

static void begin(struct serving *s, struct um_rest *r)
{
    um_err err = um_download_new(&s->download, r->deps.content, um_http_loop(s->rq), &s->file, s->first, s->length, have_bytes, s);

    if (err != UM_OK) {
        file_refuse(s->rq, err);
        serving_free(s);
        return;
    }
    um_http_on_gone(s->rq, serving_free, s);
    um_download_start(s->download);
}

void file_serve(struct um_http_req *rq, struct um_rest *r, const struct um_content_file *file, bool show)
{
    struct serving *s = um_xcalloc(1, sizeof(*s));
    bool is_head = strcmp(um_http_method(rq), "HEAD") == 0;

    s->rq = rq;
    s->file = *file;
    s->show = show;
    s->ranged = um_http_range(is_head || !may_range(rq, file) ? NULL : um_http_header(rq, "Range"), file->size, &s->first, &s->length);
    if (s->ranged == UM_HTTP_NO_RANGE) {
        add_range(s);
        um_http_reply_error(rq, 416, "U00416", "the file has no such range");
        serving_free(s);
    } else if (is_head || s->length == 0) {
        stream(s);
    } else {
        begin(s, r);
    }
}
