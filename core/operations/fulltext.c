/* The handler `fulltext`: the words of a document's files become findable. One file after the other is read, its text taken out
 * (plain.h), and put into the index; doing it twice does no harm. */
#include <stdio.h>
#include <stdlib.h>
#include <umbel/content.h>
#include <umbel/domain_calls.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"
#include "plain.h"

enum { READ_MAX = 8 << 20, PIECE = 16 << 10 };         /* bytes of a file that are looked at; read at once */

struct indexing {                            /* a job */
    struct um_operations *o;
    struct um_job_run *run;
    char *scope, *document, *user, *request;
    struct um_who who;
    json_t *files;
    size_t at;
    struct um_download *download;
    struct um_buf bytes;
    struct um_list link;                     /* of o->reading while there is a download */
};

static void stop_reading(struct indexing *x)
{
    if (x->download != NULL)
        um_list_remove(&x->link);
    um_download_free(x->download);
    x->download = NULL;
}

static void free_it(void *arg)
{
    struct indexing *x = arg;

    stop_reading(x);
    um_buf_free(&x->bytes);
    json_decref(x->files);
    free(x->scope);
    free(x->document);
    free(x->user);
    free(x->request);
    free(x);
}

static void finish(struct indexing *x)
{
    um_job_finish(x->run);
    free_it(x);
}

static void fail(struct indexing *x, const char *code, const char *why)
{
    um_job_fail(x->run, code, why, false);
    free_it(x);
}

static const char *text_of(const struct indexing *x, const char *member)
{
    const char *s = json_string_value(json_object_get(json_array_get(x->files, x->at), member));

    return s != NULL ? s : "";
}

static int64_t number_of(const struct indexing *x, const char *member)
{
    return json_integer_value(json_object_get(json_array_get(x->files, x->at), member));
}

static void ask(struct indexing *x, const struct um_domain_call *call, json_t *args, json_t *body, um_domain_cb *cb)
{
    um_domain_run_or(x->o->env.domain, x->o->env.loop, call, &x->who, args, body, cb, free_it, x);
}

/* ---- a file ---- */

static void next(struct indexing *x);

static void on_indexed(void *arg, const struct um_domain_answer *a)
{
    struct indexing *x = arg;

    if (a->err != UM_OK) {
        fail(x, a->problem->code, a->problem->message);
        return;
    }
    x->at++;
    next(x);
}

static void index_it(struct indexing *x)
{
    struct um_buf text = { 0 };
    json_t *words;

    stop_reading(x);
    plain_text(text_of(x, "format"), UM_SPAN(x->bytes.data, x->bytes.len), &text);
    um_buf_free(&x->bytes);
    words = json_stringn((const char *)text.data, text.len);
    um_buf_free(&text);
    if (words == NULL) {
        fail(x, "T00000", "the text of a file cannot be read");
        return;
    }
    ask(x, &um_operations_file_text, json_pack("{s:s, s:s}", "id", x->document, "fileId", text_of(x, "id")), words, on_indexed);
}

static void on_bytes(void *arg)
{
    struct indexing *x = arg;
    uint8_t piece[PIECE];
    ptrdiff_t n;

    if (um_download_error(x->download) != UM_OK) {
        fail(x, "T00702", "the bytes of a file cannot be had");
        return;
    }
    while ((n = um_download_read(x->download, piece, sizeof(piece))) > 0)
        um_buf_put(&x->bytes, piece, (size_t)n);
    if (n == -1)
        index_it(x);
    else if (n < 0)
        fail(x, "T00702", "the bytes of a file cannot be had");
}

static void read_it(struct indexing *x)
{
    struct um_content_file f = { .size = number_of(x, "size"), .chunk = number_of(x, "chunk") };

    snprintf(f.content, sizeof(f.content), "%s", text_of(x, "content"));
    snprintf(f.place, sizeof(f.place), "%s", text_of(x, "place"));
    if (um_download_new(&x->download, x->o->env.content, x->o->env.loop, &f, 0, UM_MIN(f.size, READ_MAX), on_bytes, x) != UM_OK) {
        fail(x, "T00702", "too many files are read at the moment");
        return;
    }
    um_list_append(&x->o->reading, &x->link);
    um_download_start(x->download);
}

/* Downloads are the content's, and went with it. */
void operations_fulltext_drop(struct um_operations *o)
{
    UM_LIST_EACH_SAFE(it, &o->reading) {
        struct indexing *x = UM_CONTAINER(it, struct indexing, link);

        um_list_remove(&x->link);
        x->download = NULL;
        free_it(x);
    }
}

/* ---- the document ---- */

static void next(struct indexing *x)
{
    while (x->at < json_array_size(x->files) && (!plain_can_read(text_of(x, "format")) || number_of(x, "size") == 0))
        x->at++;
    if (x->at < json_array_size(x->files))
        read_it(x);
    else
        finish(x);
}

static void on_files(void *arg, const struct um_domain_answer *a)
{
    struct indexing *x = arg;

    if (a->err != UM_OK) {
        fail(x, a->problem->code, a->problem->message);
        return;
    }
    x->files = json_incref(a->reply);
    next(x);
}

void operations_fulltext_job(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct indexing *x = um_xcalloc(1, sizeof(*x));

    *x = (struct indexing){ .o = arg, .run = run, .scope = um_xstrdup(job->scope), .document = um_xstrdup(job->object),
                            .user = um_xstrdup(job->user), .request = um_xstrdup(job->request) };
    x->who = (struct um_who){ .user = x->user, .scope = x->scope, .request = x->request, .depth = job->depth };
    ask(x, &um_operations_files, json_pack("{s:s}", "id", x->document), NULL, on_files);
}

struct um_handler_kind operations_fulltext = { .prefix = "fulltext", .is_word = true, .is_async = true };
