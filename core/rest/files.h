/* Files, for the handlers: forms that bring them, replies that take them out. */
#ifndef REST_FILES_H
#define REST_FILES_H
#include <umbel/content_sql.h>
#include "internal.h"

/* ---- file_form.c: a multipart/form-data body, read while it arrives ---- */

enum {
    FILE_FORM_FILES_MAX = 20,                /* of one request */
    FILE_INLINE_MAX = 8 << 20,               /* bytes of files that are sent inside of JSON */
    FILE_FORM_OVERHEAD = 64 << 10,           /* bytes of a request beside its files */
};
struct file_form;
/* The form has arrived: its files are the caller's temporary ones now, durable. Called once, unless the form was refused (then
 * it has replied) or the client has left (then nothing stays). The form is the callee's: file_form_free. */
typedef void file_form_cb(void *arg, struct file_form *f, struct um_http_req *rq);
struct file_form_spec {                      /* borrowed strings, literals */
    size_t files_min, files_max;             /* parts `file` */
    const char *text;                        /* the name of a part that is no file; NULL: none is wanted. Others are passed over */
    size_t text_max;                         /* its bytes; beyond them 413 */
    bool text_required;
};
/* For a row with UM_HTTP_STREAM_BODY: takes over the reading and the request. ARG is freed by FREE_ARG (may be NULL) with the form. */
void file_form_receive(struct um_http_req *rq, struct um_rest *r, const struct file_form_spec *spec, file_form_cb *cb, void *arg,
                       void (*free_arg)(void *arg));
size_t file_form_count(const struct file_form *f);
const struct um_content_file *file_form_file(const struct file_form *f, size_t i);       /* in the order of the parts */
struct um_span file_form_text(const struct file_form *f);
/* The temporary files are of no use after all: they go. */
void file_form_forget(struct file_form *f);
void file_form_free(struct file_form *f);

/* ---- file_serve.c ---- */

/* Replies with the content of FILE: whole, or the range that is asked for. RQ is answered in any case. SHOW: a browser may show
 * it, if it is of a kind that browsers show; else it is to be saved. */
void file_serve(struct um_http_req *rq, struct um_rest *r, const struct um_content_file *file, bool show);

/* ---- files.c ---- */

json_t *file_json(const struct um_content_file *f);
/* What a failed call about a file means; true with UM_OK: nothing was replied. */
void file_refuse(struct um_http_req *rq, um_err err);
/* A row of um_document_files_contents. */
void file_from_json(const json_t *o, struct um_content_file *f);
/* BODY as a text: what a JSON string says, or else the bytes as they are. NULL: it is no UTF-8, or has a NUL. Caller decrefs. */
json_t *text_or_json(struct um_span body);
/* The scope that the caller's files are in; borrowed from the request and R. */
const char *file_scope(struct um_rest *r, struct um_http_req *rq);

um_http_handler files_tmp_create, files_tmp_get, files_tmp_delete;
um_http_handler document_files_list, document_files_add, document_files_rename, document_files_content, document_versions_create;
um_http_handler document_unique;

#endif
