/* The rows of users: see users.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "dates.h"
#include "roles.h"
#include "users.h"

static const char *const told[] = { "displayName", "firstname", "lastname", "mail", "attributes" };

/* ---- reading ---- */

void user_set_display_name(json_t *body, const char *id)
{
    const char *shown = json_string_value(json_object_get(body, "displayName"));
    const char *first = json_string_value(json_object_get(body, "firstname")), *last = json_string_value(json_object_get(body, "lastname"));

    if (shown != NULL && *shown != '\0')
        return;
    if (first != NULL && last != NULL && *first != '\0' && *last != '\0')
        json_object_set_new(body, "displayName", json_sprintf("%s %s", first, last));
    else
        json_object_set_new(body, "displayName", json_string(id));
}

static json_t *shown_of(const struct um_sql_row *row, const char *id)
{
    json_t *o = json_loads(um_sql_text(row, 0), 0, NULL), *profiles = json_loads(um_sql_text(row, 1), 0, NULL);
    char created[UM_DATE_MAX];

    if (o == NULL || profiles == NULL) {
        json_decref(o);
        json_decref(profiles);
        return NULL;
    }
    um_date_text(um_sql_int(row, 6), created);
    json_object_set_new(o, "id", json_string(id));
    user_set_display_name(o, id);
    json_object_set_new(o, "profiles", profiles);
    json_object_set_new(o, "enabled", json_boolean(um_sql_int(row, 4) != 0));
    json_object_set_new(o, "credentialsExpired", json_boolean(um_sql_int(row, 5) != 0));
    json_object_set_new(o, "createdAt", json_string(created));
    json_object_set_new(o, "version", json_integer(um_sql_int(row, 7)));
    return o;
}

um_err user_read(struct um_call *c, const char *id, struct user_row *out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT body, profiles, password, stamp, enabled, expired, created_ms, version FROM users"
                                  " WHERE scope = ?1 AND id = ?2", UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), &row);

    *out = (struct user_row){ 0 };
    if (err != UM_OK)
        return err == UM_ENOTFOUND ? UM_OK : err;
    out->shown = shown_of(&row, id);
    if (out->shown == NULL)
        return UM_ECORRUPT;
    out->is_there = true;
    out->password = um_xstrdup(um_sql_text(&row, 2));
    out->stamp = um_sql_int(&row, 3);
    out->enabled = um_sql_int(&row, 4) != 0;
    out->expired = um_sql_int(&row, 5) != 0;
    out->version = um_sql_int(&row, 7);
    return UM_OK;
}

void user_row_done(struct user_row *row)
{
    json_decref(row->shown);
    free(row->password);
    *row = (struct user_row){ 0 };
}

um_err user_model_object(struct um_call *c, const char *id, json_t **out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT body, profiles, enabled, expired, version FROM users WHERE scope = ?1 AND id = ?2",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), &row);

    *out = NULL;
    if (err != UM_OK)
        return err == UM_ENOTFOUND ? UM_OK : err;
    *out = json_loads(um_sql_text(&row, 0), 0, NULL);
    if (*out == NULL)
        return UM_ECORRUPT;
    json_object_set_new(*out, "id", json_string(id));
    json_object_set_new(*out, "profiles", json_loads(um_sql_text(&row, 1), 0, NULL));
    json_object_set_new(*out, "enabled", json_boolean(um_sql_int(&row, 2) != 0));
    json_object_set_new(*out, "credentialsExpired", json_boolean(um_sql_int(&row, 3) != 0));
    json_object_set_new(*out, "data", json_pack("{s:I}", "version", (json_int_t)um_sql_int(&row, 4)));
    return UM_OK;
}

/* ---- writing ---- */

struct next { json_t *body, *profiles; bool enabled, expired; int64_t stamp, version; char *words; };

static bool truth(const json_t *asked, const char *member, bool without)
{
    const json_t *v = json_object_get(asked, member);

    return json_is_boolean(v) ? json_is_true(v) : without;
}

static void next_make(struct next *n, const char *id, const json_t *asked, const struct user_row *before)
{
    json_t *profiles = json_object_get(asked, "profiles");

    n->body = json_object();
    for (size_t i = 0; i < UM_COUNT(told); i++)
        if (json_object_get(asked, told[i]) != NULL && !json_is_null(json_object_get(asked, told[i])))
            json_object_set(n->body, told[i], json_object_get(asked, told[i]));
    n->profiles = json_is_array(profiles) ? json_incref(profiles) : json_array();
    n->enabled = truth(asked, "enabled", before->is_there ? before->enabled : true);
    n->expired = truth(asked, "credentialsExpired", before->is_there ? before->expired : false);
    n->stamp = before->is_there && (n->enabled || !before->enabled) ? before->stamp : (int64_t)(um_random_u64() >> 1);
    n->version = before->version + 1;
    n->words = people_words(id, n->body);
}

static void next_done(struct next *n)
{
    json_decref(n->body);
    json_decref(n->profiles);
    free(n->words);
}

static um_err write_row(struct um_call *c, const char *id, const struct next *n, const struct user_row *before, const char *hash)
{
    char *body, *profiles = json_dumps(n->profiles, JSON_COMPACT);
    um_err err = um_body_text(c, n->body, &body);

    if (err == UM_OK && (profiles == NULL || strlen(body) > USER_BODY_MAX))
        err = um_fail(c, UM_U00413, "a user has at most %d bytes", USER_BODY_MAX);
    if (err == UM_OK && !before->is_there)
        err = um_sql_exec(c->q, "INSERT INTO users(scope, id, version, body, profiles, words, password, stamp, enabled, expired, created_ms,"
                                " updated_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id), UM_SQL_INT(n->version), um_sql_word(body), um_sql_word(profiles),
                                      um_sql_word(n->words), um_sql_word(hash != NULL ? hash : ""), UM_SQL_INT(n->stamp),
                                      UM_SQL_INT(n->enabled), UM_SQL_INT(n->expired), UM_SQL_INT(c->now_ms)), NULL);
    else if (err == UM_OK)
        err = um_sql_exec(c->q, "UPDATE users SET version = ?3, body = ?4, profiles = ?5, words = ?6, stamp = ?7, enabled = ?8, expired = ?9,"
                                " updated_ms = ?10 WHERE scope = ?1 AND id = ?2",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id), UM_SQL_INT(n->version), um_sql_word(body), um_sql_word(profiles),
                                      um_sql_word(n->words), UM_SQL_INT(n->stamp), UM_SQL_INT(n->enabled), UM_SQL_INT(n->expired),
                                      UM_SQL_INT(c->now_ms)), NULL);
    free(body);
    free(profiles);
    return err;
}

/* Neither he who is nor he who will be has a role that the caller has not. */
static um_err check_roles(struct um_call *c, const char *id, const json_t *profiles, const struct user_row *before)
{
    return roles_need(c, roles_of(c->model, id, profiles) | roles_of(c->model, id, json_object_get(before->shown, "profiles")));
}

um_err user_tokens_end(struct um_call *c, const char *id, int64_t stamp)
{
    char text[32];

    snprintf(text, sizeof(text), "%lld", (long long)stamp);
    um_changed(c, UM_CHANGE_ACCOUNT, "USER", id, text);
    return um_raise(c, c->scope, USERS_CACHE);
}

/* Who has less teams than before loses what they let him do. */
static um_err tell_change(struct um_call *c, const char *id, const struct next *n, const struct user_row *before)
{
    if (!before->is_there)
        return UM_OK;
    if (n->stamp != before->stamp)
        return user_tokens_end(c, id, before->stamp);
    return json_equal(n->profiles, json_object_get(before->shown, "profiles")) ? UM_OK : um_raise(c, c->scope, USERS_CACHE);
}

um_err user_put(struct um_call *c, const char *id, const json_t *asked, const struct user_row *before, const char *hash, const char *path)
{
    struct next n = { 0 };
    struct user_row after = { 0 };
    um_err err = before->is_there ? UM_OK : people_check_new(c, id);

    if (err == UM_OK)
        err = people_check_profiles(c, asked, path);
    if (err != UM_OK)
        return err;
    next_make(&n, id, asked, before);
    err = check_roles(c, id, n.profiles, before);
    if (err == UM_OK)
        err = write_row(c, id, &n, before, hash);
    if (err == UM_OK)
        err = user_read(c, id, &after);
    if (err == UM_OK)
        err = people_audit(c, before->is_there ? "UPDATE" : "CREATE", "USER", id, before->shown, after.shown);
    if (err == UM_OK)
        err = tell_change(c, id, &n, before);
    user_row_done(&after);
    next_done(&n);
    return err;
}
