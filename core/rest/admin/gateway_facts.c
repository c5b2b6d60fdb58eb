/* POST /core/rest/internal/audit: what an administrator did at a gateway becomes a fact like those of our own. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/sql_shared.h>
#include <umbel/store_work.h>
#include "admin.h"

struct telling {
    struct later *later;
    json_t *fact;
    char *detail;
};

static const char *text(const struct telling *t, const char *name) { return json_string_value(json_object_get(t->fact, name)); }

static um_err write_fact(void *arg, struct um_sql *q)
{
    const struct telling *t = arg;

    return um_sql_audit(q, &(struct um_store_audit){ .user = text(t, "user"), .action = text(t, "action"), .object_type = text(t, "objectType"),
                                                     .object_id = text(t, "objectId"), .detail = t->detail, .scope = text(t, "scope") });
}

static void written(void *arg, um_err err)
{
    struct telling *t = arg;
    struct um_http_req *rq = later_take(t->later);

    if (rq != NULL && err == UM_OK)
        um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
    else if (rq != NULL)
        reply_store_error(rq, err);
    json_decref(t->fact);
    free(t->detail);
    free(t);
}

/* The schema counts characters, the table bytes. */
static bool fits(const struct telling *t)
{
    return strlen(text(t, "user")) <= UM_STORE_HOLDER_MAX && strlen(text(t, "action")) <= UM_STORE_ACTION_MAX &&
           strlen(text(t, "objectType")) <= UM_STORE_ACTION_MAX && strlen(text(t, "objectId")) <= UM_STORE_REF_ID_MAX &&
           strlen(t->detail) <= UM_STORE_DETAIL_MAX && (text(t, "scope") == NULL || strlen(text(t, "scope")) <= UM_DOMAIN_SCOPE_MAX);
}

void internal_audit(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    struct telling *t;

    if (body == NULL)
        return;
    t = um_xcalloc(1, sizeof(*t));
    t->fact = body;
    t->detail = json_dumps(json_object_get(body, "detail"), JSON_COMPACT);
    if (!fits(t)) {
        um_http_reply_error(rq, 400, "U00400", "a text of the fact is too long");
        json_decref(body);
        free(t->detail);
        free(t);
        return;
    }
    t->later = later_new(rq, r, NULL);
    um_log(UM_INFO, "audit", text(t, "action"), UM_S("user", text(t, "user")), UM_S("type", text(t, "objectType")), UM_S("id", text(t, "objectId")),
           UM_S("detail", t->detail), UM_S("by", "gateway"));
    um_store_transact(r->deps.store, um_http_loop(rq), write_fact, written, t);
}
