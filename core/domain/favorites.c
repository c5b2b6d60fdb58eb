/* Favourites: components that a user keeps at hand. They name components and give no right to them: what the caller may not
 * READ is not shown, and what is deleted is nobody's favourite any more. */
#include <string.h>
#include "body.h"
#include "dates.h"
#include "favorites.h"
#include "parts.h"

enum { FAVORITES_MAX = 200 };                /* of a user in a scope */

/* ---- reading ---- */

static um_err add(void *arg, const struct um_sql_row *row)
{
    static const char *const texts[] = { "id", "category", "name", "classId", "ACL", "user" };
    json_t *one = json_object();
    char date[UM_DATE_MAX];

    for (size_t i = 0; i < UM_COUNT(texts); i++)
        json_object_set_new(one, texts[i], json_string(um_sql_text(row, i)));
    um_date_text(um_sql_int(row, UM_COUNT(texts)), date);
    json_object_set_new(one, "creationDate", json_string(date));
    return json_array_append_new(arg, one) == 0 ? UM_OK : UM_ENOMEM;
}

/* A component is only read whole where its ACL has rules about it. */
static um_err may_read(struct um_call *c, const json_t *one, bool *may)
{
    const char *acl = json_string_value(json_object_get(one, "ACL"));
    const struct acl *of = um_model_acl(c->model, acl);
    struct component m;
    enum um_category k;
    um_err err;

    if (of == NULL || !acl_has_rules(of))
        return um_may(c, acl, NULL, UM_MAY_READ, may);
    *may = false;
    if (!um_category_of(json_string_value(json_object_get(one, "category")), &k))
        return UM_ECORRUPT;
    err = component_fetch(c, k, um_body_id(one), &m);
    if (err == UM_OK)
        err = component_may(c, &m, UM_MAY_READ, may);
    component_done(&m);
    return err;
}

static um_err list_of(struct um_call *c, const char *user)
{
    json_t *all = json_array(), *one;
    um_err err = um_sql_each(c->q, "SELECT m.id, m.category, m.name, m.class_id, m.acl, f.user_id, f.created_ms"
                                   " FROM favorites f JOIN components m ON m.num = f.component WHERE f.scope = ?1 AND f.user_id = ?2"
                                   " ORDER BY f.created_ms DESC, m.num DESC LIMIT ?3",
                             UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(user), UM_SQL_INT(FAVORITES_MAX)), add, all);
    bool may;
    size_t i;

    json_array_foreach(all, i, one) {
        if (err == UM_OK)
            err = may_read(c, one, &may);
        if (err != UM_OK || !may)
            continue;
        json_object_del(one, "ACL");
        json_array_append(c->reply, one);
    }
    json_decref(all);
    return err;
}

static um_err list(struct um_call *c)
{
    c->reply = json_array();
    return list_of(c, c->who->user);
}

static um_err list_users(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "authorities") && err == UM_OK; i++) {
        const char *user = um_arg_id(c, "authorities", i);

        if (strcmp(user, c->who->user) != 0 && !um_has_role(c, "ADMIN"))
            return um_fail(c, UM_U00403, "the favourites of %s need role ADMIN", user);
        err = list_of(c, user);
    }
    return err;
}

/* ---- changing ---- */

static um_err check_room(struct um_call *c, const struct component *m)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT) FROM favorites WHERE scope = ?1 AND user_id = ?2 AND component <> ?3",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), UM_SQL_INT(m->num)), &row);

    return err == UM_OK && um_sql_int(&row, 0) >= FAVORITES_MAX
               ? um_fail(c, UM_U00413, "a user has at most %d favourites", FAVORITES_MAX) : err;
}

/* One that is there already stays as it is. */
static um_err put(struct um_call *c)
{
    struct component m = { 0 };
    um_err err = reference_find(c, c->body, "", &m);

    if (err == UM_OK)
        err = check_room(c, &m);
    if (err == UM_OK)
        err = um_sql_exec(c->q, "INSERT INTO favorites(scope, user_id, component, created_ms) VALUES(?1, ?2, ?3, ?4)"
                                " ON CONFLICT (scope, user_id, component) DO NOTHING",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), UM_SQL_INT(m.num), UM_SQL_INT(c->now_ms)),
                          NULL);
    component_done(&m);
    return err;
}

/* By the component's id, in one category or (NULL) in any. What is no favourite is none: that is no error. */
static um_err remove_one(struct um_call *c, const char *category, const char *id)
{
    return um_sql_exec(c->q, "DELETE FROM favorites WHERE scope = ?1 AND user_id = ?2 AND component IN (SELECT m.num FROM favorites f"
                             " JOIN components m ON m.num = f.component WHERE f.scope = ?1 AND f.user_id = ?2 AND m.id = ?3"
                             " AND (m.category = ?4 OR ?5 = 0))",
                       UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), um_sql_word(id),
                                   um_sql_word(category != NULL ? category : ""), UM_SQL_INT(category != NULL)), NULL);
}

static um_err remove_reference(struct um_call *c) { return remove_one(c, um_arg(c, "category"), um_arg(c, "id")); }

static um_err remove_all(struct um_call *c)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++)
        err = remove_one(c, NULL, um_arg_id(c, "ids", i));
    return err;
}

um_err favorites_forget(struct um_call *c, const struct component *m)
{
    return um_sql_exec(c->q, "DELETE FROM favorites WHERE component = ?1", UM_SQL_ARGS(UM_SQL_INT(m->num)), NULL);
}

const struct um_domain_call um_favorites_list = { "favorites.list", list, 0 };
const struct um_domain_call um_favorites_users = { "favorites.users", list_users, 0 };
const struct um_domain_call um_favorites_put = { "favorites.put", put, UM_CALL_WRITES };
const struct um_domain_call um_favorites_remove = { "favorites.remove", remove_reference, UM_CALL_WRITES };
const struct um_domain_call um_favorites_delete = { "favorites.delete", remove_all, UM_CALL_WRITES };
