/* /core/rest/admin/collab: the engine, for administrators. */
#include <string.h>
#include <umbel/log.h>
#include "internal.h"

void admin_collab_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct um_collab_stats s = um_collab_get_stats(r->collab);

    um_http_reply_json(rq, 200, json_pack("{s:I, s:I, s:I, s:I}", "documents", (json_int_t)s.documents, "connections",
                                          (json_int_t)s.connections, "sockets", (json_int_t)s.sockets, "unstoredBytes",
                                          (json_int_t)s.unstored_bytes));
}

void admin_collab_close(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = um_http_body_json(rq), *document;

    if (body == NULL)
        return;
    document = json_object_get(body, "document");
    if (document != NULL && !json_is_null(document) && !json_is_string(document)) {
        um_http_reply_error(rq, 400, "U00400", "document is a name or null");
    } else {
        const char *name = json_string_value(document);
        um_log(UM_INFO, "rest", "close connections", UM_S("doc", name), UM_S("user", caller_of(rq)->claims.sub));
        um_collab_close_documents(r->collab, name, "Reset Connection");
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    }
    json_decref(body);
}
