/* /core/rest/admin/collab: the engine, for administrators. */
#include "admin/admin.h"

void admin_collab_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_collab_stats s = um_collab_get_stats(r->collab);

    um_http_reply_json(rq, 200, json_pack("{s:I, s:I, s:I, s:I}", "documents", (json_int_t)s.documents, "connections",
                                          (json_int_t)s.connections, "sockets", (json_int_t)s.sockets, "unstoredBytes",
                                          (json_int_t)s.unstored_bytes));
}

static bool may_close(struct um_http_req *rq, struct um_rest *r, const char *name)
{
    if (name != NULL)
        return admin_has_document(rq, r, name);
    if (admin_is_of_platform(rq))
        return true;
    um_http_reply_error(rq, 403, "U00403", "to close the documents of all scopes needs the role SYSTEM_ADMIN");
    return false;
}

void admin_collab_close(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    const char *name = json_string_value(json_object_get(body, "document"));

    if (body == NULL)
        return;
    if (!may_close(rq, r, name)) {
        json_decref(body);
        return;
    }
    um_collab_close_documents(r->collab, name, "Reset Connection");
    act_done(act_new(rq, r, "CLOSE", "DOCUMENT", name != NULL ? name : "*"), 204, NULL);
    json_decref(body);
}
