/* GET /core/rest/admin/audit: what administrators did, newest first. A page ends with the number of its last fact, and the next one begins
 * before it. */
#include <stdlib.h>
#include <umbel/sql.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "admin.h"

struct reading {
    struct later *later;
    char *user, *action, *type, *id, *scope;
    int64_t before, since_ms, until_ms, max;
    json_t *rows;
    int64_t last;
};

static void where(struct um_sql_parts *p, const char *column, const char *value)
{
    if (value == NULL)
        return;
    um_sql_add(p, " AND ");
    um_sql_add_name(p, column);
    um_sql_add(p, " = ");
    um_sql_add_value(p, um_sql_word(value));
}

static um_err take(void *arg, const struct um_sql_row *row)
{
    struct reading *r = arg;
    json_t *detail = json_loads(um_sql_text(row, 6), 0, NULL);
    char at[32];

    r->last = um_sql_int(row, 0);
    um_wall_iso(um_sql_int(row, 1), at);
    if (detail == NULL)
        detail = *um_sql_text(row, 6) != '\0' ? json_pack("{s:s}", "text", um_sql_text(row, 6)) : json_object();
    json_array_append_new(r->rows, json_pack("{s:I, s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "seq", (json_int_t)r->last, "at", at, "user",
                                             um_sql_text(row, 2), "action", um_sql_text(row, 3), "objectType", um_sql_text(row, 4),
                                             "objectId", um_sql_text(row, 5), "scope", um_sql_text(row, 7), "detail", detail));
    return UM_OK;
}

static um_err read_facts(void *arg, struct um_sql *q)
{
    struct reading *r = arg;
    struct um_sql_parts p = { 0 };
    um_err err;

    json_array_clear(r->rows);
    um_sql_add(&p, "SELECT id, at, user_id, action, object_type, object_id, detail, scope FROM audit WHERE id < ");
    um_sql_add_value(&p, UM_SQL_INT(r->before));
    um_sql_add(&p, " AND at >= ");
    um_sql_add_value(&p, UM_SQL_INT(r->since_ms));
    um_sql_add(&p, " AND at < ");
    um_sql_add_value(&p, UM_SQL_INT(r->until_ms));
    where(&p, "scope", r->scope);
    where(&p, "user_id", r->user);
    where(&p, "action", r->action);
    where(&p, "object_type", r->type);
    where(&p, "object_id", r->id);
    um_sql_add(&p, " ORDER BY id DESC LIMIT ");
    um_sql_add_value(&p, UM_SQL_INT(r->max + 1));
    err = um_sql_each_of(q, &p, take, r);
    um_sql_parts_free(&p);
    return err;
}

static void reply(void *arg, um_err err)
{
    struct reading *r = arg;
    struct um_http_req *rq = later_take(r->later);
    bool more = json_array_size(r->rows) > (size_t)r->max;
    json_t *body;

    if (more)
        json_array_remove(r->rows, (size_t)r->max);
    if (rq != NULL && err != UM_OK) {
        reply_store_error(rq, err);
    } else if (rq != NULL) {
        body = json_pack("{s:O}", "results", r->rows);
        json_object_set_new(body, "next", more ? json_incref(json_object_get(json_array_get(r->rows, (size_t)r->max - 1), "seq")) : json_null());
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_json(rq, 200, body);
    }
    json_decref(r->rows);
    free(r->user);
    free(r->action);
    free(r->type);
    free(r->id);
    free(r->scope);
    free(r);
}

static char *text_of(struct um_rest *r, struct um_http_req *rq, const char *name)
{
    const char *text = um_api_text(r->api, rq, name);

    return text != NULL ? um_xstrdup(text) : NULL;
}

static int64_t or_none(int64_t n) { return n > 0 ? n : INT64_MAX; }

void admin_audit_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *scope = admin_scope(rq, r);
    struct reading *a;

    if (scope == NULL)
        return;
    a = um_xcalloc(1, sizeof(*a));
    a->scope = strcmp(scope, SCOPE_ALL) != 0 ? um_xstrdup(scope) : NULL;
    a->user = text_of(r, rq, "user");
    a->action = text_of(r, rq, "action");
    a->type = text_of(r, rq, "objectType");
    a->id = text_of(r, rq, "objectId");
    a->before = or_none(um_api_int(r->api, rq, "before"));
    a->since_ms = um_api_int(r->api, rq, "since");
    a->until_ms = or_none(um_api_int(r->api, rq, "until"));
    a->max = um_api_int(r->api, rq, "max");
    a->rows = json_array();
    a->later = later_new(rq, r, NULL);
    um_store_inspect(r->deps.store, um_http_loop(rq), read_facts, reply, a);
}
