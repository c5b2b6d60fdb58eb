/* /core/rest/collab/documents/{name}/versions: the states that a document had. Here are the list, one version, keeping the
 * present state, and names; version_content.c, version_compare.c and version_restore.c work with the bytes. */
#include <stdlib.h>
#include <umbel/util.h>
#include "internal.h"
#include "versions_internal.h"

json_t *version_json(const struct um_store_version *v)
{
    json_t *contributors = json_loads(v->contributors, 0, NULL);
    char at[32];

    um_wall_iso(v->at_ms, at);
    if (!json_is_array(contributors)) {
        json_decref(contributors);
        contributors = json_array();
    }
    return json_pack("{s:I, s:s, s:s, s:s, s:o, s:I, s:b}", "seq", (json_int_t)v->seq, "at", at, "label", v->label, "author",
                     v->author, "contributors", contributors, "bytes", (json_int_t)v->bytes, "archived", v->archive_key[0] != '\0');
}

void reply_version_error(struct um_http_req *rq, um_err err)
{
    static const struct { um_err err; unsigned status; const char *code, *message; } rows[] = {
        { UM_ENOTFOUND, 404, "F00012", "there is no such document or version" },
        { UM_ECLOSED,   503, "U00503", "this version is in an archive, and this core has none (archive.url)" },
        { UM_EIO,       503, "U00503", "the archive or the store cannot be read now" },
        { UM_EBUSY,     503, "U00503", "too many versions are being worked on" },
        { UM_ELIMIT,    422, "U00422", "the version is too large for this" },
        { UM_ECORRUPT,  500, "T00000", "the stored version is damaged" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (rows[i].err == err) {
            um_http_reply_error(rq, rows[i].status, rows[i].code, rows[i].message);
            return;
        }
    reply_store_error(rq, err);
}

static void reply_version(void *arg, um_err err, const struct um_store_version *v, struct um_bytes *state)
{
    struct um_http_req *rq = later_take(arg);

    (void)state;
    if (rq == NULL)
        return;
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (err == UM_OK)
        um_http_reply_json(rq, 200, version_json(v));
    else
        reply_version_error(rq, err);
}

/* ---- list, one ---- */

static void reply_list(void *arg, um_err err, const struct um_store_versions *page)
{
    struct um_http_req *rq = later_take(arg);
    json_t *results;

    if (rq == NULL)
        return;
    if (err != UM_OK) {
        reply_version_error(rq, err);
        return;
    }
    results = json_array();
    for (size_t i = 0; i < page->n; i++)
        json_array_append_new(results, version_json(&page->rows[i]));
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, json_pack("{s:o, s:b}", "results", results, "more", page->more));
}

void versions_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    bool is_bound = um_api_text(r->api, rq, "before") != NULL;
    uint64_t before = (uint64_t)um_api_int(r->api, rq, "before");

    if (is_bound && before == 0)                         /* the store's word for "from the newest" */
        um_http_reply_json(rq, 200, json_pack("{s:[], s:b}", "results", "more", 0));
    else
        um_store_versions(r->deps.store, um_http_loop(rq), um_http_param(rq, "name"), before, um_api_int(r->api, rq, "max"),
                          reply_list, later_new(rq, r, NULL));
}

void versions_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    um_store_version(r->deps.store, um_http_loop(rq), um_http_param(rq, "name"), (uint64_t)um_api_int(r->api, rq, "seq"),
                     reply_version, later_new(rq, r, NULL));
}

/* ---- names ---- */

/* A copy of the body's label, "" without one; NULL: replied. */
static char *read_label(struct um_http_req *rq, const struct um_rest *r)
{
    json_t *body = um_api_body(r->api, rq);
    const char *label = json_string_value(json_object_get(body, "label"));
    char *copy = body != NULL ? um_xstrdup(label != NULL ? label : "") : NULL;

    json_decref(body);
    return copy;
}

void versions_name(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char *label = read_label(rq, r);

    if (label == NULL)
        return;
    um_store_label_version(r->deps.store, um_http_loop(rq), um_http_param(rq, "name"), (uint64_t)um_api_int(r->api, rq, "seq"), label,
                           reply_version, later_new(rq, r, NULL));
    free(label);
}

/* ---- keep the present state ---- */

static void reply_kept(void *arg, um_err err, const struct um_store_version *v)
{
    struct later *l = arg;
    struct um_http_req *rq;

    task_leave(l->rest);
    rq = later_take(l);
    if (rq == NULL)
        return;
    if (err == UM_OK)
        um_http_reply_json(rq, 201, version_json(v));
    else
        reply_version_error(rq, err);
}

void versions_keep(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    char *label = read_label(rq, r);

    if (label == NULL)
        return;
    if (!task_enter(rq, r)) {
        free(label);
        return;
    }
    present_keep(r, um_http_loop(rq), &(struct present_order){ um_http_param(rq, "name"), label, caller_of(rq)->claims.sub, true },
                 reply_kept, later_new(rq, r, NULL));
    free(label);
}
