/* /core/rest/documents/{id}/files: the files of a document. What is uploaded becomes temporary files first; the platform's call binds
 * them, or they go again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/reserve.h>
#include <umbel/util.h>
#include "files.h"
#include "platform.h"

/* ---- uploads ---- */

/* [{"id":"tmp_…"},…] */
static json_t *references(const struct file_form *f)
{
    json_t *list = json_array();

    for (size_t i = 0; i < file_form_count(f); i++)
        json_array_append_new(list, json_pack("{s:s}", "id", file_form_file(f, i)->id));
    return list;
}

static void asked(void *arg, um_err err)
{
    struct file_form *f = arg;

    if (err != UM_OK && err != UM_ECLOSED)
        file_form_forget(f);
    file_form_free(f);
}

static void received(void *arg, struct file_form *f, struct um_http_req *rq)
{
    struct um_rest *r = arg;

    platform_ask(rq, r, &um_document_files_add, um_api_args(r->api, rq), references(f), asked, f);
}

void document_files_add(struct um_http_req *rq, void *ctx)
{
    static const struct file_form_spec spec = { .files_min = 1, .files_max = FILE_FORM_FILES_MAX };

    file_form_receive(rq, ctx, &spec, received, ctx, NULL);
}

/* ---- names ---- */

json_t *text_or_json(struct um_span body)
{
    json_t *text = json_loadb((const char *)body.data, body.len, JSON_DECODE_ANY, NULL);

    if (!json_is_string(text)) {
        json_decref(text);
        text = json_stringn((const char *)body.data, body.len);
    }
    if (text != NULL && strlen(json_string_value(text)) == json_string_length(text))
        return text;
    json_decref(text);
    return NULL;
}

void document_files_rename(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_span body = um_http_body(rq);
    json_t *name = body.len > 0 ? text_or_json(body) : NULL;

    if (name != NULL)
        platform_ask(rq, r, &um_document_files_rename, um_api_args(r->api, rq), name, NULL, NULL);
    else
        um_http_reply_error(rq, 400, "U00400", "the body is the file's name: a text of 1 to 512 bytes");
}

/* ---- labels of versions ---- */

void document_versions_create(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_span body = um_http_body(rq);
    json_t *label = body.len > 0 ? text_or_json(body) : json_null();

    if (label != NULL)
        platform_ask(rq, r, &um_versions_create, um_api_args(r->api, rq), label, NULL, NULL);
    else
        um_http_reply_error(rq, 400, "U00400", "the body is the version's label: a text of at most 200 bytes, or nothing");
}

/* ---- content ---- */

static void copy(char *out, size_t size, const json_t *o, const char *member)
{
    const char *s = json_string_value(json_object_get(o, member));

    snprintf(out, size, "%s", s != NULL ? s : "");
}

void file_from_json(const json_t *o, struct um_content_file *f)
{
    copy(f->id, sizeof(f->id), o, "id");
    copy(f->name, sizeof(f->name), o, "name");
    copy(f->format, sizeof(f->format), o, "format");
    copy(f->content, sizeof(f->content), o, "content");
    copy(f->place, sizeof(f->place), o, "place");
    copy(f->sha256, sizeof(f->sha256), o, "sha256");
    f->size = json_integer_value(json_object_get(o, "size"));
    f->chunk = json_integer_value(json_object_get(o, "chunk"));
}

static void serve(struct um_http_req *rq, struct um_rest *r, const json_t *o)
{
    struct um_content_file f;

    file_from_json(o, &f);
    file_serve(rq, r, &f, json_is_true(json_object_get(o, "show")));
}

static void found(void *arg, const struct um_domain_answer *answer)
{
    struct later *l = arg;
    struct um_rest *r = l->rest;
    struct um_http_req *rq = later_take(l);

    if (rq == NULL)
        return;
    if (answer->err == UM_OK)
        serve(rq, r, json_array_get(answer->reply, 0));
    else
        platform_refuse(rq, answer->problem);
}

static void drop(void *arg) { later_take(arg); }

void document_files_content(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_who who = platform_who(r, rq, session);

    um_domain_run_or(r->deps.domain, um_http_loop(rq), &um_document_files_contents, &who, um_api_args(r->api, rq), NULL, found, drop,
                     later_new(rq, r, NULL));
}
