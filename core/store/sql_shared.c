/* The shared tables inside units: the statements that both databases understand, behind the ledger's rules (shared.h). */
#include <umbel/sql_shared.h>
#include "shared.h"
#include "store_internal.h"
#include "unit.h"

#define LEASE "SELECT user_id, session, token, since, expires FROM reservations WHERE category = ?1 AND id = ?2"
#define EMPTY_IF_NULL(s) um_sql_word((s) != NULL ? (s) : "")

/* A call that the store made wrong for the unit's sake ends the unit as a statement would. */
static um_err refuse(struct um_sql *q)
{
    q->err = q->err == UM_OK ? UM_EINVAL : q->err;
    return q->err;
}

um_err um_sql_raise_cache(struct um_sql *q, const char *scope, const char *name, uint64_t *version)
{
    bool is_ours = strcmp(name, STORE_RESERVATIONS_CACHE) == 0 || strcmp(name, STORE_REVOCATIONS_CACHE) == 0;
    struct um_sql_row row;
    um_err err;

    if (!store_is_text(scope, 0, UM_STORE_CACHE_MAX) || !store_is_text(name, 1, UM_STORE_CACHE_MAX) ||
        (is_ours && scope[0] == '\0'))
        return refuse(q);
    q->ours = true;
    err = um_sql_one(q, "INSERT INTO cache_versions(scope, name, version) VALUES(?1, ?2, 1) ON CONFLICT (scope, name)"
                     " DO UPDATE SET version = cache_versions.version + 1 RETURNING version",
                     UM_SQL_ARGS(um_sql_word(scope), um_sql_word(name)), &row);
    q->ours = false;
    if (err == UM_OK && version != NULL)
        *version = (uint64_t)um_sql_int(&row, 0);
    return err;
}

um_err um_sql_reserved(struct um_sql *q, const char *category, const char *id, struct um_store_reserved *out)
{
    const char *text = q->driver->is_postgres && q->writes ? LEASE " FOR SHARE" : LEASE;
    int64_t now_ms = um_sql_now_ms(q);
    struct um_sql_row row;
    um_err err;

    if (!um_store_is_category(category) || !store_is_text(id, 1, UM_STORE_REF_ID_MAX))
        return refuse(q);
    *out = (struct um_store_reserved){ .category = category, .id = id, .user = "", .session = "" };
    err = um_sql_one(q, text, UM_SQL_ARGS(um_sql_word(category), um_sql_word(id)), &row);
    if (err == UM_ENOTFOUND)
        return UM_OK;
    if (err != UM_OK)
        return err;
    out->user = um_sql_text(&row, 0);
    out->session = um_sql_text(&row, 1);
    out->token = (uint64_t)um_sql_int(&row, 2);
    out->since_ms = um_sql_int(&row, 3);
    out->left_ms = out->session[0] != '\0' ? um_sql_int(&row, 4) - now_ms : 0;
    return UM_OK;
}

um_err um_sql_audit(struct um_sql *q, const struct um_store_audit *row)
{
    int64_t now_ms = um_sql_now_ms(q);
    um_err err;

    if (!store_is_text(row->user, 0, UM_STORE_HOLDER_MAX) || !store_is_text(row->action, 0, UM_STORE_ACTION_MAX) ||
        !store_is_text(row->object_type, 0, UM_STORE_ACTION_MAX) || !store_is_text(row->object_id, 0, UM_STORE_REF_ID_MAX) ||
        !store_is_text(row->detail, 0, UM_STORE_DETAIL_MAX) || !store_is_text(row->scope, 0, UM_STORE_CACHE_MAX))
        return refuse(q);
    q->ours = true;
    err = um_sql_exec(q, "INSERT INTO audit(at, user_id, action, object_type, object_id, detail, scope)"
                      " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                      UM_SQL_ARGS(UM_SQL_INT(now_ms), EMPTY_IF_NULL(row->user), EMPTY_IF_NULL(row->action),
                                  EMPTY_IF_NULL(row->object_type), EMPTY_IF_NULL(row->object_id), EMPTY_IF_NULL(row->detail),
                                  EMPTY_IF_NULL(row->scope)), NULL);
    q->ours = false;
    return err;
}
