/* POST /core/rest/documents/unique and …/{id}/unique: a document and its files in one request. */
#include <stdlib.h>
#include <umbel/domain_calls.h>
#include <umbel/util.h>
#include "files.h"
#include "platform.h"

static void asked(void *arg, um_err err)
{
    struct file_form *f = arg;

    if (err != UM_OK && err != UM_ECLOSED)
        file_form_forget(f);
    file_form_free(f);
}

/* The one document of the part `document`, with the form's files behind those that it lists. NULL: replied. */
static json_t *read_document(struct um_http_req *rq, struct um_rest *r, const struct file_form *f)
{
    json_t *body = um_api_part(r->api, rq, file_form_text(f), "Documents"), *files, *one;

    if (body == NULL)
        return NULL;
    if (json_array_size(body) != 1) {
        json_decref(body);
        um_http_reply_error(rq, 400, "U00400", "the part document is an array of one document");
        return NULL;
    }
    one = json_array_get(body, 0);
    files = json_is_array(json_object_get(one, "files")) ? json_copy(json_object_get(one, "files")) : json_array();
    json_object_set_new(one, "files", files);
    for (size_t i = 0; i < file_form_count(f); i++)
        json_array_append_new(files, json_pack("{s:s}", "id", file_form_file(f, i)->id));
    return body;
}

static void received(void *arg, struct file_form *f, struct um_http_req *rq)
{
    struct um_rest *r = arg;
    const struct um_domain_call *call = um_http_param(rq, "id") != NULL ? &um_components_update : &um_components_create;
    json_t *body = read_document(rq, r, f), *args;

    if (body == NULL) {
        asked(f, UM_EINVAL);
        return;
    }
    args = um_api_args(r->api, rq);
    json_object_set_new(args, "category", json_string("DOCUMENT"));
    if (um_http_param(rq, "id") != NULL)
        json_object_set_new(args, "ids", json_pack("[s]", um_http_param(rq, "id")));
    platform_ask(rq, r, call, args, body, asked, f);
}

void document_unique(struct um_http_req *rq, void *ctx)
{
    static const struct file_form_spec spec = { .files_min = 1, .files_max = FILE_FORM_FILES_MAX, .text = "document",
                                                .text_max = UM_DOMAIN_BODY_MAX, .text_required = true };

    file_form_receive(rq, ctx, &spec, received, ctx, NULL);
}
