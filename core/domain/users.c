/* Calls on users: read, found, made, replaced, enabled, given a password, removed. The door wants ROLE_ADMINS for changes; a
 * password somebody may also change for himself, when he knows the old one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "principals.h"
#include "roles.h"
#include "users.h"

/* ---- reading ---- */

static bool is_self(const struct um_call *c, const char *id) { return c->who->account != NULL && strcmp(c->who->user, id) == 0; }

static um_err find(struct um_call *c, const char *id, struct user_row *out)
{
    um_err err = user_read(c, id, out);

    return err == UM_OK && !out->is_there ? um_fail(c, UM_U00404, "there is no user %s", id) : err;
}

/* What the caller may see of him. */
static json_t *show(struct um_call *c, const char *id, const json_t *shown, bool resolves)
{
    struct principals *p;
    json_t *o;

    if (!is_self(c, id) && !um_has_role(c, ROLE_ADMINS))
        return json_pack("{s:s, s:O}", "id", id, "displayName", json_object_get(shown, "displayName"));
    o = json_copy((json_t *)shown);
    p = principals_new(c->model, id, json_object_get(shown, "profiles"));
    json_object_set_new(o, "groups", principals_list(p, PRINCIPAL_GROUP));
    if (resolves)
        json_object_set_new(o, "profiles", principals_list(p, PRINCIPAL_TEAM));
    principals_free(p);
    return o;
}

static um_err get(struct um_call *c)
{
    bool is_one = um_arg_n(c, "ids") == 1, resolves = um_arg_int(c, "resolveAuthorities", 0) != 0;
    json_t *all = json_array();
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        const char *id = um_arg_id(c, "ids", i);
        struct user_row row;

        err = find(c, id, &row);
        if (err == UM_OK)
            json_array_append_new(all, show(c, id, row.shown, resolves));
        c->version = is_one ? row.version : 0;
        user_row_done(&row);
    }
    c->reply = is_one ? json_incref(json_array_get(all, 0)) : json_incref(all);
    json_decref(all);
    return err;
}

/* ---- searching ---- */

struct found { json_t *rows; };

static um_err take(void *arg, const struct um_sql_row *row)
{
    struct found *f = arg;
    json_t *body = json_loads(um_sql_text(row, 1), 0, NULL);

    if (body == NULL)
        return UM_ECORRUPT;
    user_set_display_name(body, um_sql_text(row, 0));
    json_array_append_new(f->rows, json_pack("{s:s, s:O*, s:s, s:b}", "id", um_sql_text(row, 0), "displayName", json_object_get(body, "displayName"),
                                             "profiles", um_sql_text(row, 2), "enabled", um_sql_int(row, 3) != 0));
    json_decref(body);
    return UM_OK;
}

/* At most MAX of those whose names have words that begin like NAME's, behind AFTER. */
static um_err read_found(struct um_call *c, const char *name, const char *after, int64_t max, json_t *rows)
{
    json_t *asked = people_words_asked(name), *word;
    struct found f = { rows };
    struct um_sql_parts q = { 0 };
    char **patterns = um_xcalloc(json_array_size(asked) + 1, sizeof(*patterns));
    um_err err;
    size_t i;

    um_sql_add(&q, "SELECT id, body, profiles, enabled FROM users WHERE scope = ");
    um_sql_add_value(&q, um_sql_word(c->scope));
    um_sql_add(&q, " AND id > ");
    um_sql_add_value(&q, um_sql_word(after));
    json_array_foreach(asked, i, word) {
        patterns[i] = um_xasprintf("%% %s%%", json_string_value(word));
        um_sql_add(&q, " AND words LIKE ");
        um_sql_add_value(&q, um_sql_word(patterns[i]));
    }
    um_sql_add(&q, " ORDER BY id LIMIT ");
    um_sql_add_value(&q, UM_SQL_INT(max));
    err = um_sql_each_of(c->q, &q, take, &f);
    um_sql_parts_free(&q);
    for (i = 0; i < json_array_size(asked); i++)
        free(patterns[i]);
    free(patterns);
    json_decref(asked);
    return err;
}

static json_t *brief(struct um_call *c, const json_t *row)
{
    json_t *o = json_pack("{s:O, s:O*}", "id", json_object_get(row, "id"), "displayName", json_object_get(row, "displayName"));

    if (um_has_role(c, ROLE_ADMINS))
        json_object_set(o, "enabled", json_object_get(row, "enabled"));
    return o;
}

static um_err search(struct um_call *c)
{
    int64_t max = um_arg_int(c, "max", 50);
    const char *name = um_arg(c, "name"), *after = um_arg(c, "after");
    json_t *rows = json_array(), *results = json_array();
    um_err err = read_found(c, name != NULL ? name : "", after != NULL ? after : "", max + 1, rows);

    for (size_t i = 0; i < json_array_size(rows) && i < (size_t)max; i++)
        json_array_append_new(results, brief(c, json_array_get(rows, i)));
    c->reply = json_pack("{s:o}", "results", results);
    if (json_array_size(rows) > (size_t)max)
        json_object_set(c->reply, "next", json_object_get(json_array_get(rows, (size_t)max - 1), "id"));
    json_decref(rows);
    return err;
}

/* ---- members of teams ---- */

enum { TEAM_LOOKED_AT = 5000, TEAM_PAGE = 500 };       /* users whom one call looks at */

static bool is_in_one(struct um_call *c, const char *id, const char *profiles)
{
    json_t *own = json_loads(profiles, 0, NULL);
    struct principals *p = principals_new(c->model, id, own);
    bool is_in = false;

    for (size_t i = 0; i < um_arg_n(c, "profiles"); i++)
        is_in |= principals_have(p, um_arg_id(c, "profiles", i));
    principals_free(p);
    json_decref(own);
    return is_in;
}

/* One page of users; *AFTER: where the next one begins, NULL: there is none. */
static um_err look_at_some(struct um_call *c, const char *name, int64_t max, char **after)
{
    json_t *rows = json_array(), *row;
    um_err err = read_found(c, name, *after, TEAM_PAGE, rows);
    size_t i;

    json_array_foreach(rows, i, row)
        if (json_array_size(c->reply) < (size_t)max &&
            is_in_one(c, json_string_value(json_object_get(row, "id")), json_string_value(json_object_get(row, "profiles"))))
            json_array_append_new(c->reply, brief(c, row));
    free(*after);
    *after = NULL;
    if (json_array_size(rows) == TEAM_PAGE && json_array_size(c->reply) < (size_t)max)
        *after = um_xstrdup(json_string_value(json_object_get(json_array_get(rows, TEAM_PAGE - 1), "id")));
    json_decref(rows);
    return err;
}

static um_err of_teams(struct um_call *c)
{
    const char *name = um_arg(c, "username");
    int64_t max = um_arg_int(c, "max", 50);
    char *after = um_xstrdup("");
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t n = 0; n < TEAM_LOOKED_AT / TEAM_PAGE && after != NULL && err == UM_OK; n++)
        err = look_at_some(c, strcmp(name, "*") == 0 ? "" : name, max, &after);
    free(after);
    return err;
}

/* ---- changes ---- */

static um_err answer(struct um_call *c, const char *id)
{
    struct user_row row;
    um_err err = find(c, id, &row);

    if (err == UM_OK) {
        c->reply = show(c, id, row.shown, false);
        c->version = row.version;
    }
    user_row_done(&row);
    return err;
}

static um_err create(struct um_call *c)
{
    const char *id = um_body_id(c->body);
    um_err err = user_put(c, id, c->body, &(struct user_row){ 0 }, um_arg(c, "hash"), "");

    return err == UM_OK ? answer(c, id) : err;
}

/* If-Match, and the version of the body, where it has one. */
static um_err check_version(struct um_call *c, const struct user_row *row)
{
    json_t *has = json_pack("{s:{s:I}}", "data", "version", (json_int_t)row->version);
    json_t *wants = json_pack("{s:{s:I}}", "data", "version", json_integer_value(json_object_get(c->body, "version")));
    um_err err = um_body_check_version(c, wants, has, "/version");

    json_decref(has);
    json_decref(wants);
    return err;
}

static um_err update(struct um_call *c)
{
    const char *id = um_arg(c, "id"), *own = um_body_id(c->body);
    struct user_row row;
    um_err err = find(c, id, &row);

    if (err == UM_OK && own != NULL && strcmp(own, id) != 0)
        err = um_fail_at(c, UM_U00400, "/id", "the path names another one");
    if (err == UM_OK && json_object_get(c->body, "password") != NULL && !json_is_null(json_object_get(c->body, "password")))
        err = um_fail_at(c, UM_U00400, "/password", "a password is set by PUT /core/rest/users/{id}/password");
    if (err == UM_OK)
        err = check_version(c, &row);
    if (err == UM_OK)
        err = user_put(c, id, c->body, &row, NULL, "");
    user_row_done(&row);
    return err == UM_OK ? answer(c, id) : err;
}

static um_err enable(struct um_call *c)
{
    const char *id = um_arg(c, "id");
    struct user_row row;
    json_t *asked;
    um_err err = find(c, id, &row);

    if (err == UM_OK) {
        asked = json_copy(row.shown);
        json_object_set(asked, "enabled", json_object_get(c->body, "enabled"));
        err = user_put(c, id, asked, &row, NULL, "");
        json_decref(asked);
    }
    user_row_done(&row);
    return err == UM_OK ? answer(c, id) : err;
}

static um_err check_target(struct um_call *c, const char *id, const struct user_row *row)
{
    return roles_need(c, roles_of(c->model, id, json_object_get(row->shown, "profiles")));
}

static um_err remove_one(struct um_call *c)
{
    const char *id = um_arg(c, "id");
    struct user_row row;
    um_err err = find(c, id, &row);

    if (err == UM_OK)
        err = check_target(c, id, &row);
    if (err == UM_OK)
        err = check_version(c, &row);
    if (err == UM_OK)
        err = um_sql_exec(c->q, "DELETE FROM users WHERE scope = ?1 AND id = ?2", UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), NULL);
    if (err == UM_OK)
        err = people_audit(c, "DELETE", "USER", id, row.shown, NULL);
    if (err == UM_OK)
        err = user_tokens_end(c, id, row.stamp);
    user_row_done(&row);
    return err;
}

/* ---- passwords ---- */

/* By himself, whoever has proved that he is: the stamp that belongs to the old password is still the one. By somebody else: another
 * stamp. */
static um_err password(struct um_call *c)
{
    const char *id = um_arg(c, "id"), *proved = um_arg(c, "proved");
    int64_t stamp;
    struct user_row row;
    char own[32];
    um_err err = find(c, id, &row);

    snprintf(own, sizeof(own), "%lld", (long long)row.stamp);
    stamp = proved != NULL ? row.stamp : (int64_t)(um_random_u64() >> 1);
    if (err == UM_OK && proved != NULL && (strcmp(proved, own) != 0 || !row.enabled))
        err = um_fail(c, UM_U00409, "the account has changed meanwhile");
    if (err == UM_OK && proved == NULL && !um_has_role(c, ROLE_ADMINS))
        err = um_fail(c, UM_U00403, "this needs another role");
    if (err == UM_OK && proved == NULL)
        err = check_target(c, id, &row);
    if (err == UM_OK)
        err = um_sql_exec(c->q, "UPDATE users SET password = ?3, stamp = ?4, expired = ?5, version = version + 1, updated_ms = ?6"
                                " WHERE scope = ?1 AND id = ?2",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id), um_sql_word(um_arg(c, "hash")), UM_SQL_INT(stamp),
                                      UM_SQL_INT(um_arg_int(c, "expired", 0)), UM_SQL_INT(c->now_ms)), NULL);
    if (err == UM_OK)
        err = people_audit(c, "PASSWORD", "USER", id, NULL, NULL);
    if (err == UM_OK && proved == NULL)
        err = user_tokens_end(c, id, row.stamp);
    user_row_done(&row);
    return err;
}

/* ---- for who lets people in ---- */

static um_err credentials(struct um_call *c)
{
    const char *id = um_arg(c, "id");
    struct principals *p;
    struct user_row row;
    um_err err = find(c, id, &row);

    if (err == UM_OK) {
        p = principals_new(c->model, id, json_object_get(row.shown, "profiles"));
        c->reply = json_pack("{s:s, s:s, s:b, s:b, s:O, s:o, s:o}", "scope", c->scope, "hash", row.password, "enabled", row.enabled, "expired",
                             row.expired, "name", json_object_get(row.shown, "displayName"), "profiles", principals_list(p, PRINCIPAL_TEAM),
                             "groups", principals_list(p, PRINCIPAL_GROUP));
        json_object_set_new(c->reply, "account", json_sprintf("%lld", (long long)row.stamp));
        principals_free(p);
    }
    user_row_done(&row);
    return err;
}

/* Whoever has no account any more does not come as far as this. */
static um_err present(struct um_call *c)
{
    const struct principals *p;
    um_err err = principals_of(c, &p);

    c->reply = json_pack("{s:o, s:o}", "profiles", principals_list(p, PRINCIPAL_TEAM), "groups", principals_list(p, PRINCIPAL_GROUP));
    return err;
}

const struct um_domain_call um_users_get = { "users.get", get, 0 };
const struct um_domain_call um_users_search = { "users.search", search, 0 };
const struct um_domain_call um_users_of_teams = { "users.of_teams", of_teams, 0 };
const struct um_domain_call um_users_create = { "users.create", create, UM_CALL_WRITES };
const struct um_domain_call um_users_update = { "users.update", update, UM_CALL_WRITES };
const struct um_domain_call um_users_enable = { "users.enable", enable, UM_CALL_WRITES };
const struct um_domain_call um_users_delete = { "users.delete", remove_one, UM_CALL_WRITES };
const struct um_domain_call um_users_password = { "users.password", password, UM_CALL_WRITES };
const struct um_domain_call um_users_credentials = { "users.credentials", credentials, 0 };
const struct um_domain_call um_users_present = { "users.present", present, 0 };
