/* /core/rest/files/tmp: temporary files. They are of who uploaded them, in the scope in which that was. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain.h>
#include <umbel/log.h>
#include <umbel/reserve.h>
#include <umbel/store_work.h>
#include "files.h"
#include "platform.h"

const char *file_scope(struct um_rest *r, struct um_http_req *rq)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    const char *scope = platform_who(r, rq, session).scope;

    return scope != NULL && *scope != '\0' ? scope : um_domain_default_scope(r->deps.domain);
}

json_t *file_json(const struct um_content_file *f)
{
    return json_pack("{s:s, s:s, s:s, s:I, s:s}", "id", f->id, "Name", f->name, "FormatCode", f->format, "size", (json_int_t)f->size,
                     "sha256", f->sha256);
}

void file_refuse(struct um_http_req *rq, um_err err)
{
    static const struct { um_err err; unsigned status; const char *code, *message; } rows[] = {
        { UM_ENOTFOUND, 404, "U00404", "there is no such file" },
        { UM_ECLOSED,   410, "T00707", "the temporary file has been used up" },
        { UM_EINVAL,    400, "U00400", "a file needs a name of 1 to 512 bytes" },
        { UM_ELIMIT,    413, "U00413", "the file is too large" },
        { UM_EBUSY,     503, "U00503", "there are too many uploads and downloads at the moment" },
        { UM_EUNAVAIL,  503, "U00503", "files cannot be stored at the moment" },
        { UM_EIO,       503, "U00503", "files cannot be stored at the moment" },
        { UM_ENOMEM,    503, "U00503", "files cannot be stored at the moment" },
        { UM_ETIMEOUT,  503, "U00503", "the store does not answer" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (rows[i].err == err) {
            um_http_reply_error(rq, rows[i].status, rows[i].code, rows[i].message);
            return;
        }
    um_http_reply_error(rq, 500, "T00702", "the file cannot be had");
}

/* ---- upload ---- */

static void created(void *arg, struct file_form *f, struct um_http_req *rq)
{
    (void)arg;
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, file_json(file_form_file(f, 0)));
    file_form_free(f);
}

void files_tmp_create(struct um_http_req *rq, void *ctx)
{
    static const struct file_form_spec spec = { .files_min = 1, .files_max = 1 };

    file_form_receive(rq, ctx, &spec, created, NULL, NULL);
}

/* ---- one of them ---- */

struct one {
    struct later *later;
    char owner[UM_CONTENT_OWNER_MAX + 1], id[UM_CONTENT_ID_SIZE];
    struct um_content_file file;
};

/* NULL: replied. */
static struct one *one_new(struct um_http_req *rq, struct um_rest *r)
{
    const char *id = um_http_param(rq, "id");
    struct one *o = um_xcalloc(1, sizeof(*o));

    if (!um_content_is_tmp(id) || um_content_tmp_owner(file_scope(r, rq), caller_of(rq)->claims.sub, o->owner) != UM_OK) {
        file_refuse(rq, UM_ENOTFOUND);
        free(o);
        return NULL;
    }
    memcpy(o->id, id, strlen(id) + 1);
    o->later = later_new(rq, r, NULL);
    return o;
}

static um_err work_get(void *arg, struct um_sql *q)
{
    struct one *o = arg;

    return um_content_get(q, o->owner, o->id, &o->file);
}

static void got(void *arg, um_err err)
{
    struct one *o = arg;
    struct um_rest *r = o->later->rest;
    struct um_http_req *rq = later_take(o->later);

    if (rq != NULL && err == UM_OK)
        file_serve(rq, r, &o->file, true);
    else if (rq != NULL)
        file_refuse(rq, err);
    free(o);
}

void files_tmp_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct one *o = one_new(rq, r);

    if (o != NULL)
        um_store_inspect(r->deps.store, um_http_loop(rq), work_get, got, o);
}

static um_err work_delete(void *arg, struct um_sql *q)
{
    const struct one *o = arg;
    um_err err = um_content_unbind(q, o->owner, o->id);

    return err == UM_ENOTFOUND ? UM_OK : err;            /* gone is gone */
}

static void deleted(void *arg, um_err err)
{
    struct one *o = arg;
    struct um_rest *r = o->later->rest;
    struct um_http_req *rq = later_take(o->later);

    if (err == UM_OK)
        um_content_sweep_soon(r->deps.content);
    if (rq != NULL && err == UM_OK)
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else if (rq != NULL)
        file_refuse(rq, err);
    free(o);
}

void files_tmp_delete(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct one *o = one_new(rq, r);

    if (o != NULL)
        um_store_transact(r->deps.store, um_http_loop(rq), work_delete, deleted, o);
}
