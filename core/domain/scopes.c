/* Scopes: tenants. Who may make one is decided at the door (role SYSTEM_ADMIN); who may read one, by its own ACL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "acl.h"
#include "body.h"
#include "component.h"
#include "internal.h"
#include "scopes.h"
#include "users.h"

static um_err add_body(void *arg, const struct um_sql_row *row)
{
    struct um_span text = um_sql_span(row, 0);
    json_t *body = json_loadb((const char *)text.data, text.len, 0, NULL);

    return body != NULL && json_array_append_new(arg, body) == 0 ? UM_OK : UM_ECORRUPT;
}

static um_err list(struct um_call *c)
{
    c->reply = json_array();
    return um_sql_each(c->q, "SELECT body FROM scopes ORDER BY id LIMIT 10000", UM_SQL_NO_ARGS, add_body, c->reply);
}

/* The rights of a scope are judged by its own teams and ACLs, so they are read with another model than the caller's. One
 * without an ACL is open to who has logged in to it. */
static um_err check_readable(struct um_call *c, const json_t *scope, const char *id)
{
    const char *acl = um_body_data(scope, "ACL");
    struct um_call of = *c;
    bool may = acl == NULL && strcmp(c->scope, id) == 0;
    um_err err = UM_OK;

    if (may || um_has_role(c, "SYSTEM_ADMIN") || (strcmp(c->scope, id) == 0 && um_has_role(c, "ADMIN")))
        return UM_OK;
    if (acl != NULL && (c->who->account == NULL || strcmp(c->scope, id) == 0)) {      /* there his name is another's */
        of.principals = NULL;
        of.account.profiles = json_incref(c->account.profiles);
        of.model = NULL;
        err = um_model_get(c->domain, c->q, id, &of.model);
        if (err == UM_OK)
            err = um_may(&of, acl, NULL, UM_MAY_READ, &may);
        um_call_done(&of);
    }
    return err == UM_OK && !may ? um_fail(c, UM_U00403, "scope %s needs the permission READ", id) : err;
}

bool um_scope_is_id(const char *id)
{
    return id != NULL && um_is_id(id) && strlen(id) <= UM_DOMAIN_SCOPE_MAX && strchr(id, '/') == NULL;
}

um_err um_scope_find(struct um_call *c, const char *id, json_t **out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT body FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word(id)), &row);

    *out = NULL;
    if (err != UM_OK)
        return err == UM_ENOTFOUND ? UM_OK : err;
    *out = json_loadb((const char *)um_sql_span(&row, 0).data, um_sql_span(&row, 0).len, 0, NULL);
    return *out != NULL ? UM_OK : UM_ECORRUPT;
}

static um_err read(struct um_call *c, const char *id, json_t **out)
{
    um_err err = um_scope_find(c, id, out);

    return err == UM_OK && *out == NULL ? um_fail(c, UM_U00404, "there is no scope %s", id) : err;
}

static um_err get(struct um_call *c)
{
    um_err err = UM_OK;
    json_t *body;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        err = read(c, um_arg_id(c, "ids", i), &body);
        if (err != UM_OK)
            return err;
        c->version = um_arg_n(c, "ids") == 1 ? um_body_version(body) : 0;
        json_array_append_new(c->reply, body);
        err = check_readable(c, body, um_arg_id(c, "ids", i));
    }
    return err;
}

um_err um_scope_put(struct um_call *c, const char *id, const json_t *asked, const json_t *before, json_t **kept)
{
    json_t *body = um_body_next(c, asked, before);
    char *text;
    um_err err;

    json_object_set_new(body, "id", json_string(id));
    *kept = body;
    err = um_body_text(c, body, &text);
    if (err != UM_OK)
        return err;
    err = um_sql_exec(c->q, before == NULL ? "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, ?2, ?3, ?4, ?4)"
                                           : "UPDATE scopes SET version = ?2, body = ?3, updated_ms = ?4 WHERE id = ?1",
                      UM_SQL_ARGS(um_sql_word(id), UM_SQL_INT(um_body_version(body)), um_sql_word(text), UM_SQL_INT(c->now_ms)), NULL);
    free(text);
    if (err == UM_OK)
        err = um_model_touch(c->q, id);
    return err == UM_OK ? um_raise(c, id, "Scope") : err;
}

static um_err put(struct um_call *c, const char *id, const json_t *asked, const json_t *before)
{
    json_t *kept;
    um_err err = um_scope_put(c, id, asked, before, &kept);

    c->version = um_body_version(kept);
    json_array_append_new(c->reply, kept);
    return err;
}

static um_err exists(struct um_call *c, const char *id, bool *out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT version FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word(id)), &row);

    *out = err == UM_OK;
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static um_err create(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++) {
        const json_t *asked = json_array_get(c->body, i);
        const char *id = um_body_id(asked);
        char path[32];
        bool there;

        snprintf(path, sizeof(path), "/%zu/id", i);
        if (!um_scope_is_id(id))
            return um_fail_at(c, UM_U00400, path, "an id of 1 to %d bytes without a slash is needed", UM_DOMAIN_SCOPE_MAX);
        err = exists(c, id, &there);
        if (err == UM_OK && there)
            return um_fail_at(c, UM_U00410, path, "symbolic name must be unique: scope %s exists", id);
        if (err == UM_OK)
            err = put(c, id, asked, NULL);
    }
    return err;
}

static bool may_change(struct um_call *c, const char *id)
{
    return um_has_role(c, "SYSTEM_ADMIN") || strcmp(c->scope, id) == 0;      /* the door wants role ADMIN */
}

static um_err update_one(struct um_call *c, size_t i)
{
    const char *id = um_arg_id(c, "ids", i);
    json_t *before = NULL;
    char path[32];
    um_err err;

    snprintf(path, sizeof(path), "/%zu", i);
    if (!may_change(c, id))
        return um_fail(c, UM_U00403, "scope %s is not the caller's", id);
    err = read(c, id, &before);
    if (err == UM_OK)
        err = um_body_check_version(c, json_array_get(c->body, i), before, path);
    if (err == UM_OK)
        err = put(c, id, json_array_get(c->body, i), before);
    json_decref(before);
    return err;
}

static um_err update(struct um_call *c)
{
    um_err err = um_body_check_ids(c);

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = update_one(c, i);
    if (um_arg_n(c, "ids") != 1)
        c->version = 0;
    return err;
}

/* Its components and their history go first, some in each unit; without `force` there must be none. */
static um_err remove_components(struct um_call *c, const char *id)
{
    bool any;
    um_err err;

    err = component_any(c, id, &any);
    if (err == UM_OK && any && um_arg_int(c, "force", 0) == 0)
        return um_fail(c, UM_U00409, "scope %s has components", id);
    return err == UM_OK ? component_remove_some(c, id, &c->again) : err;
}

static um_err remove_one(struct um_call *c, const char *id)
{
    static const char *const texts[] = {
        "DELETE FROM stored_search_users WHERE scope = ?1", "DELETE FROM stored_searches WHERE scope = ?1",
        "DELETE FROM delegations WHERE scope = ?1", "DELETE FROM users WHERE scope = ?1",
        "DELETE FROM objects WHERE scope = ?1", "DELETE FROM models WHERE scope = ?1", "DELETE FROM scopes WHERE id = ?1",
    };
    bool there;
    um_err err = exists(c, id, &there);

    if (err == UM_OK && !there)
        return um_fail(c, UM_U00404, "there is no scope %s", id);
    for (size_t i = 0; i < UM_COUNT(texts) && err == UM_OK; i++)
        err = um_sql_exec(c->q, texts[i], UM_SQL_ARGS(um_sql_word(id)), NULL);
    for (size_t k = 0; k < UM_KINDS_N && err == UM_OK; k++)
        err = um_raise(c, id, um_kind_cache((enum um_kind)k));
    if (err == UM_OK)
        err = um_raise(c, id, USERS_CACHE);
    return err == UM_OK ? um_raise(c, id, "Scope") : err;
}

static um_err remove_all(struct um_call *c)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK && !c->again; i++)
        err = remove_components(c, um_arg_id(c, "ids", i));
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK && !c->again; i++)
        err = remove_one(c, um_arg_id(c, "ids", i));
    return err;
}

const struct um_domain_call um_scopes_list = { "scopes.list", list, UM_CALL_ANY_SCOPE };
const struct um_domain_call um_scopes_get = { "scopes.get", get, UM_CALL_ANY_SCOPE };
const struct um_domain_call um_scopes_create = { "scopes.create", create, UM_CALL_WRITES | UM_CALL_ANY_SCOPE };
const struct um_domain_call um_scopes_update = { "scopes.update", update, UM_CALL_WRITES | UM_CALL_ANY_SCOPE };
const struct um_domain_call um_scopes_delete = { "scopes.delete", remove_all, UM_CALL_WRITES | UM_CALL_ANY_SCOPE };
