/* Forms with files. The reader of the form hands bytes on to the upload of the part that they belong to; while that has no room the
 * client is not read from. An upload that ends goes on by itself while the next part arrives; when all have ended and the form
 * has, the handler is called.
 *
 *   READING --last byte--> STORING --all stored--> (handler)
 *      |                      |
 *      +---- refused, gone ---+--> (replied or nobody left; uploads are dropped, files that are there go) */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain.h>
#include <umbel/log.h>
#include <umbel/multipart.h>
#include <umbel/store_work.h>
#include "files.h"

struct part { struct file_form *form; struct um_upload *upload; struct um_content_file file; bool stored; };
struct file_form {
    struct um_rest *rest;
    struct um_loop *loop;
    struct um_http_req *rq;                  /* NULL: answered, or left */
    struct file_form_spec spec;
    char *scope, *user;
    struct um_multipart *reader;
    struct part *parts;
    size_t n_parts, n_stored;
    struct part *present;                    /* whose bytes arrive; NULL: no file's */
    bool in_text, has_text, has_ended;
    struct um_buf text;
    um_err refused;                          /* inside the reader: why, for refuse() */
    file_form_cb *cb;
    void *arg;
    void (*free_arg)(void *arg);
};

/* ---- the end ---- */

void file_form_free(struct file_form *f)
{
    if (f == NULL)
        return;
    for (size_t i = 0; i < f->n_parts; i++)
        um_upload_drop(f->parts[i].upload);
    um_multipart_free(f->reader);
    um_buf_free(&f->text);
    if (f->free_arg != NULL)
        f->free_arg(f->arg);
    free(f->parts);
    free(f->scope);
    free(f->user);
    free(f);
}

struct forget { struct um_rest *rest; char owner[UM_CONTENT_OWNER_MAX + 1]; size_t n; char ids[][UM_CONTENT_ID_SIZE]; };

static um_err work_forget(void *arg, struct um_sql *q)
{
    const struct forget *g = arg;
    um_err err = UM_OK;

    for (size_t i = 0; i < g->n && err == UM_OK; i++) {
        err = um_content_unbind(q, g->owner, g->ids[i]);
        err = err == UM_ENOTFOUND ? UM_OK : err;
    }
    return err;
}

static void forgotten(void *arg, um_err err)
{
    struct forget *g = arg;

    if (err == UM_OK)                        /* otherwise they expire */
        um_content_sweep_soon(g->rest->deps.content);
    free(g);
}

void file_form_forget(struct file_form *f)
{
    struct forget *g = um_xcalloc(1, sizeof(*g) + f->n_parts * UM_CONTENT_ID_SIZE);

    g->rest = f->rest;
    for (size_t i = 0; i < f->n_parts; i++)
        if (f->parts[i].stored)
            memcpy(g->ids[g->n++], f->parts[i].file.id, UM_CONTENT_ID_SIZE);
    if (g->n > 0 && um_content_tmp_owner(f->scope, f->user, g->owner) == UM_OK)
        um_store_transact(f->rest->deps.store, f->loop, work_forget, forgotten, g);
    else
        free(g);
}

/* The request that is to be answered; F is gone. */
static struct um_http_req *give_up(struct file_form *f)
{
    struct um_http_req *rq = f->rq;

    if (rq != NULL)
        um_http_on_gone(rq, NULL, NULL);
    file_form_forget(f);
    file_form_free(f);
    return rq;
}

static void client_left(void *arg)
{
    struct file_form *f = arg;

    f->rq = NULL;
    give_up(f);
}

static void refuse_form(struct file_form *f, unsigned status, const char *code, const char *message)
{
    um_http_reply_error(give_up(f), status, code, message);
}

static void complete_when_all_is_there(struct file_form *f)
{
    struct um_http_req *rq = f->rq;

    if (!f->has_ended || f->n_stored < f->n_parts)
        return;
    um_http_on_gone(rq, NULL, NULL);
    f->rq = NULL;
    f->cb(f->arg, f, rq);
}

/* ---- files ---- */

static void have_room(void *arg)
{
    um_http_body_resume(((struct part *)arg)->form->rq);
}

static void uploaded(void *arg, um_err err, const struct um_content_file *file)
{
    struct part *p = arg;

    p->upload = NULL;
    if (err != UM_OK) {
        file_refuse(give_up(p->form), err);
        return;
    }
    p->file = *file;
    p->stored = true;
    p->form->n_stored++;
    complete_when_all_is_there(p->form);
}

static um_err begin_file(struct file_form *f, const struct um_multipart_part *part)
{
    struct part *p = &f->parts[f->n_parts];
    struct um_upload_spec spec = { f->scope, f->user, part->filename != NULL ? part->filename : "", part->type, have_room, uploaded, p };
    um_err err;

    if (f->n_parts == f->spec.files_max)
        return f->refused = UM_ELIMIT;
    p->form = f;
    if ((err = um_upload_new(&p->upload, f->rest->deps.content, f->loop, &spec)) != UM_OK)
        return f->refused = err;
    f->n_parts++;
    f->present = p;
    return UM_OK;
}

/* ---- what the reader finds ---- */

static um_err begin_part(void *arg, const struct um_multipart_part *part)
{
    struct file_form *f = arg;

    if (strcmp(part->name, "file") == 0)
        return begin_file(f, part);
    f->in_text = f->spec.text != NULL && strcmp(part->name, f->spec.text) == 0;
    if (f->in_text && f->has_text)
        return f->refused = UM_EEXIST;
    f->has_text |= f->in_text;
    return UM_OK;
}

static um_err take_bytes(void *arg, struct um_span bytes)
{
    struct file_form *f = arg;

    if (f->present != NULL && f->present->upload != NULL)
        um_upload_write(f->present->upload, bytes);
    if (!f->in_text)
        return UM_OK;
    if (f->text.len + bytes.len > f->spec.text_max)
        return f->refused = UM_ELIMIT;
    um_buf_put(&f->text, bytes.data, bytes.len);
    return f->text.failed ? (f->refused = UM_ENOMEM) : UM_OK;
}

static um_err end_part(void *arg)
{
    struct file_form *f = arg;

    if (f->present != NULL && f->present->upload != NULL)
        um_upload_end(f->present->upload);
    f->present = NULL;
    f->in_text = false;
    return UM_OK;
}

/* ---- the body ---- */

static void refuse_why(struct file_form *f, um_err err)
{
    if (f->refused == UM_EEXIST)
        refuse_form(f, 400, "U00400", "a part of the form comes twice");
    else if (f->refused == UM_ELIMIT)
        refuse_form(f, 413, "U00413", "the form has too many files, or another part is too large");
    else if (f->refused != UM_OK)
        file_refuse(give_up(f), err);
    else
        refuse_form(f, 400, "U00400", um_multipart_why(f->reader));
}

static size_t room_of(const struct file_form *f)
{
    return f->present != NULL && f->present->upload != NULL ? um_upload_room(f->present->upload) : SIZE_MAX;
}

/* Stops only when there is no room: then a step of the upload is under way, and its end goes on. (The reader may hold bytes back, so
 * what was fed into the room need not have filled it.) */
static size_t take_piece(void *arg, struct um_span piece)
{
    struct file_form *f = arg;
    size_t taken = 0, n;

    while ((n = UM_MIN(piece.len - taken, room_of(f))) > 0) {
        um_err err = um_multipart_feed(f->reader, UM_SPAN(piece.data + taken, n));

        taken += n;
        if (err != UM_OK) {
            refuse_why(f, err);
            return piece.len;
        }
    }
    return taken;
}

static void end_of_body(void *arg)
{
    struct file_form *f = arg;

    if (um_multipart_finish(f->reader) != UM_OK) {
        refuse_why(f, UM_EPROTO);
    } else if (f->n_parts < f->spec.files_min) {
        refuse_form(f, 400, "U00400", "the form has no part file");
    } else if (f->spec.text_required && !f->has_text) {
        refuse_form(f, 400, "U00400", "a part of the form is missing");
    } else {
        f->has_ended = true;
        complete_when_all_is_there(f);
    }
}

/* ---- public ---- */

/* What cannot fit is refused before it is sent. */
static bool may_fit(struct um_rest *r, const struct um_http_req *rq, const struct file_form_spec *spec)
{
    int64_t beside = FILE_FORM_OVERHEAD + (int64_t)spec->text_max, bytes = um_http_content_length(rq) - beside;

    return um_content_check_size(r->deps.content, bytes / (int64_t)spec->files_max) == UM_OK;
}

void file_form_receive(struct um_http_req *rq, struct um_rest *r, const struct file_form_spec *spec, file_form_cb *cb, void *arg,
                       void (*free_arg)(void *arg))
{
    static const struct um_multipart_sink sink = { begin_part, take_bytes, end_part };
    struct file_form *f = um_xcalloc(1, sizeof(*f));
    bool is_form = um_multipart_new(&f->reader, um_http_header(rq, "Content-Type"), &sink, f) == UM_OK;

    UM_ASSERT(spec->files_max >= 1 && spec->files_max <= FILE_FORM_FILES_MAX);
    f->rest = r;
    f->loop = um_http_loop(rq);
    f->rq = rq;
    f->spec = *spec;
    f->arg = arg;
    f->free_arg = free_arg;
    f->cb = cb;
    f->parts = um_xcalloc(spec->files_max + 1, sizeof(*f->parts));
    f->scope = um_xstrdup(file_scope(r, rq));
    f->user = um_xstrdup(caller_of(rq)->claims.sub);
    if (!is_form) {
        refuse_form(f, 415, "U00400", "the body is multipart/form-data, with a boundary");
    } else if (!may_fit(r, rq, spec)) {
        refuse_form(f, 413, "U00413", "the file is too large");
    } else {
        um_http_on_gone(rq, client_left, f);
        um_http_on_body(rq, take_piece, end_of_body, f);
    }
}

size_t file_form_count(const struct file_form *f) { return f->n_parts; }
const struct um_content_file *file_form_file(const struct file_form *f, size_t i) { return &f->parts[i].file; }
struct um_span file_form_text(const struct file_form *f) { return UM_SPAN(f->text.data, f->text.len); }
