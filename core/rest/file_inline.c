/* Files with their bytes in the reply, as the vendor's clients ask for small ones: read one after the other, in base64. Few such
 * requests at a time (version_task.c), each with FILE_INLINE_MAX bytes of files at most. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "files.h"
#include "platform.h"
#include "versions_internal.h"

struct inlining {
    struct later *later;
    struct um_rest *rest;
    struct um_loop *loop;
    json_t *places, *files;                  /* where the bytes lie; what is replied so far */
    struct um_download *download;
    struct um_buf bytes;                     /* of the present file */
};

static struct um_http_req *release(struct inlining *n)
{
    struct um_http_req *rq = later_take(n->later);

    um_download_free(n->download);
    um_buf_free(&n->bytes);
    json_decref(n->places);
    json_decref(n->files);
    free(n);
    return rq;
}

static struct um_http_req *end(struct inlining *n)
{
    task_leave(n->rest);
    return release(n);
}

/* All has been stopped. */
static void drop(void *arg) { release(arg); }

static void fail(struct inlining *n, um_err err)
{
    struct um_http_req *rq = end(n);

    if (rq != NULL)
        file_refuse(rq, err);
}

static void reply(struct inlining *n)
{
    json_t *files = json_incref(n->files);
    struct um_http_req *rq = end(n);

    if (rq == NULL) {
        json_decref(files);
        return;
    }
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, files);
}

static void keep(struct inlining *n, const struct um_content_file *f)
{
    struct um_buf text = { 0 };
    json_t *file = file_json(f);

    um_base64_encode(&text, UM_SPAN(n->bytes.data, n->bytes.len));
    json_object_set_new(file, "name", json_string(f->name));
    json_object_set_new(file, "content", json_stringn((const char *)text.data, text.len));
    json_array_append_new(n->files, file);
    um_buf_free(&text);
    um_buf_clear(&n->bytes);
}

static void have_bytes(void *arg);

/* Reads until there is nothing yet, or all is there. */
static void go_on(struct inlining *n)
{
    size_t i = json_array_size(n->files);
    struct um_content_file f;
    uint8_t some[16384];
    ptrdiff_t got = 0;
    um_err err;

    for (; n->later->rq != NULL && i < json_array_size(n->places); i++) {
        file_from_json(json_array_get(n->places, i), &f);
        if (n->download == NULL &&
            (err = um_download_new(&n->download, n->rest->deps.content, n->loop, &f, 0, f.size, have_bytes, n)) != UM_OK) {
            fail(n, err);
            return;
        }
        while ((got = um_download_read(n->download, some, sizeof(some))) > 0)
            um_buf_put(&n->bytes, some, (size_t)got);
        if (got == 0)
            return;
        if (got == -2 || n->bytes.failed)
            break;
        um_download_free(n->download);
        n->download = NULL;
        keep(n, &f);
    }
    if (got == -2 || n->bytes.failed)
        fail(n, UM_ECORRUPT);
    else
        reply(n);
}

static void have_bytes(void *arg) { go_on(arg); }

static int64_t sum(const json_t *places)
{
    int64_t all = 0;
    size_t i;
    json_t *place;

    json_array_foreach(places, i, place)
        all += json_integer_value(json_object_get(place, "size"));
    return all;
}

static void found(void *arg, const struct um_domain_answer *answer)
{
    struct inlining *n = arg;
    struct um_http_req *rq;

    if (answer->err != UM_OK) {
        rq = end(n);
        if (rq != NULL)
            platform_refuse(rq, answer->problem);
        return;
    }
    n->places = json_incref(answer->reply);
    if (sum(n->places) > FILE_INLINE_MAX)
        fail(n, UM_ELIMIT);
    else
        go_on(n);
}

void document_files_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(r, rq, session);
    struct inlining *n;

    if (um_api_int(r->api, rq, "includeContent") == 0) {
        platform_ask(rq, r, &um_document_files_list, um_api_args(r->api, rq), NULL, NULL, NULL);
        return;
    }
    if (!task_enter(rq, r))
        return;
    n = um_xcalloc(1, sizeof(*n));
    n->rest = r;
    n->loop = um_http_loop(rq);
    n->files = json_array();
    n->later = later_new(rq, r, NULL);
    um_domain_run_or(r->deps.domain, n->loop, &um_document_files_contents, &who, um_api_args(r->api, rq), NULL, found, drop, n);
}
