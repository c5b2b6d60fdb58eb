/* Stored searches: what was asked for, under a name, for its owner and for whom he says. What they find is the rights' of who
 * runs one. USERS of the database repeats `recipients.users`, for the list of what somebody may see. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "body.h"
#include "principals.h"
#include "search/request.h"

enum {
    STORED_SEARCHES_MAX = 200,               /* of an owner in a scope */
    RECIPIENTS_MAX = 100,                    /* of one */
    STORED_SEARCH_MAX = 64 << 10,            /* bytes of one as JSON */
    TEMPLATE_MAX = 200,                      /* bytes of its template's name */
};

struct stored { int64_t num; json_t *body; };

static void stored_done(struct stored *s)
{
    json_decref(s->body);
    *s = (struct stored){ 0 };
}

static const json_t *recipients_of(const json_t *body) { return json_object_get(json_object_get(body, "recipients"), "users"); }

/* ---- what may be one ---- */

static um_err check_request(struct um_call *c, const json_t *asked, const char *path)
{
    const char *word = json_string_value(json_object_get(asked, "category"));
    enum um_category k;
    char at[64];
    struct search *s;
    um_err err;

    snprintf(at, sizeof(at), "%s/category", path);
    if (word == NULL || !um_category_of(word, &k))
        return um_fail_at(c, UM_U00400, at, "a search is for DOCUMENT, FOLDER, TASK or VIRTUAL_FOLDER");
    snprintf(at, sizeof(at), "%s/request", path);
    s = um_xcalloc(1, sizeof(*s));
    err = search_read(c, k, json_object_get(asked, "request"), at, s);
    search_done(s);
    free(s);
    return err;
}

static um_err check_recipients(struct um_call *c, const json_t *asked, const char *path)
{
    const json_t *users = recipients_of(asked);
    struct um_map seen = { 0 };
    um_err err = UM_OK;
    char at[80];

    snprintf(at, sizeof(at), "%s/recipients/users", path);
    if (json_array_size(users) > RECIPIENTS_MAX)
        return um_fail_at(c, UM_U00413, at, "a search has at most %d recipients", RECIPIENTS_MAX);
    for (size_t i = 0; i < json_array_size(users) && err == UM_OK; i++) {
        const char *name = json_string_value(json_array_get(users, i));

        snprintf(at, sizeof(at), "%s/recipients/users/%zu", path, i);
        if (name == NULL || !um_is_id(name) || um_map_put(&seen, UM_SPAN_STR(name), &seen) != NULL)
            err = um_fail_at(c, UM_U00400, at, "a user, group or team, each once");
    }
    um_map_free(&seen);
    return err;
}

static um_err check(struct um_call *c, const json_t *asked, const char *path)
{
    const json_t *template = json_object_get(asked, "template");
    char at[64];
    um_err err;

    snprintf(at, sizeof(at), "%s/template", path);
    if (template != NULL && !json_is_null(template) && (!json_is_string(template) || json_string_length(template) > TEMPLATE_MAX))
        return um_fail_at(c, UM_U00400, at, "a text of at most %d bytes", TEMPLATE_MAX);
    err = check_recipients(c, asked, path);
    return err == UM_OK ? check_request(c, asked, path) : err;
}

/* ---- finding ---- */

static bool is_owner(const struct um_call *c, const json_t *body)
{
    const char *owner = um_body_data(body, "owner");

    return owner != NULL && strcmp(owner, c->who->user) == 0;
}

static um_err may_see(struct um_call *c, const json_t *body, bool *may)
{
    const struct principals *who;
    um_err err = principals_of(c, &who);
    size_t i;
    json_t *name;

    *may = is_owner(c, body) || um_has_role(c, "ADMIN");
    json_array_foreach(recipients_of(body), i, name)
        *may = *may || (err == UM_OK && json_is_string(name) && principals_have(who, json_string_value(name)));
    return err;
}

static um_err fetch(struct um_call *c, const char *id, struct stored *out)
{
    struct um_sql_row row;
    struct um_span text;
    um_err err = um_sql_one(c->q, "SELECT num, body FROM stored_searches WHERE scope = ?1 AND id = ?2",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), &row);

    *out = (struct stored){ 0 };
    if (err != UM_OK)
        return err;
    out->num = um_sql_int(&row, 0);
    text = um_sql_span(&row, 1);
    out->body = json_loadb((const char *)text.data, text.len, 0, NULL);
    return out->body != NULL ? UM_OK : UM_ECORRUPT;
}

/* One that the caller may not see is not there. */
static um_err find(struct um_call *c, const char *id, struct stored *out)
{
    bool may = false;
    um_err err = fetch(c, id, out);

    if (err == UM_OK)
        err = may_see(c, out->body, &may);
    return err == UM_ENOTFOUND || (err == UM_OK && !may) ? um_fail(c, UM_U00404, "there is no stored search %s", id) : err;
}

static um_err find_to_change(struct um_call *c, const char *id, struct stored *out)
{
    um_err err = find(c, id, out);

    if (err == UM_OK && !is_owner(c, out->body) && !um_has_role(c, "ADMIN"))
        return um_fail(c, UM_U00403, "the stored search %s is somebody else's", id);
    return err;
}

/* ---- reading ---- */

static um_err add_body(void *arg, const struct um_sql_row *row)
{
    struct um_span text = um_sql_span(row, 0);
    json_t *body = json_loadb((const char *)text.data, text.len, 0, NULL);

    return body != NULL && json_array_append_new(arg, body) == 0 ? UM_OK : UM_ECORRUPT;
}

struct names { const struct principals *who; json_t *list; };

static um_err add_own_name(void *arg, const struct um_sql_row *row)
{
    const struct names *names = arg;

    if (principals_have(names->who, um_sql_text(row, 0)))
        json_array_append_new(names->list, json_string(um_sql_text(row, 0)));
    return UM_OK;
}

/* The names of recipients in the scope that the caller has, as JSON; the caller frees it. */
static um_err own_names(struct um_call *c, char **out)
{
    struct names names = { .list = json_array() };
    um_err err = principals_of(c, &names.who);

    if (err == UM_OK)
        err = um_sql_each(c->q, "SELECT DISTINCT name FROM stored_search_users WHERE scope = ?1", UM_SQL_ARGS(um_sql_word(c->scope)),
                          add_own_name, &names);
    *out = json_dumps(names.list, JSON_COMPACT);
    json_decref(names.list);
    return err == UM_OK && *out == NULL ? UM_ENOMEM : err;
}

#define SELECT_SEEN(names) \
    "SELECT body FROM stored_searches WHERE scope = ?1 AND (?2 = 1 OR owner = ?3 OR num IN (SELECT search FROM stored_search_users" \
    " WHERE scope = ?1 AND name IN (" names "))) ORDER BY id LIMIT ?5 OFFSET ?6"

static um_err list(struct um_call *c)
{
    bool all = um_arg_int(c, "all", 0) != 0;
    char *names = NULL;
    um_err err = own_names(c, &names);

    c->reply = json_array();
    if (err == UM_OK && all && !um_has_role(c, "ADMIN"))
        err = um_fail(c, UM_U00403, "all stored searches need role ADMIN");
    if (err == UM_OK)
        err = um_sql_each(c->q, um_sql_is_postgres(c->q) ? SELECT_SEEN("SELECT jsonb_array_elements_text(CAST(?4 AS jsonb))")
                                                         : SELECT_SEEN("SELECT value FROM json_each(?4)"),
                          UM_SQL_ARGS(um_sql_word(c->scope), UM_SQL_INT(all), um_sql_word(c->who->user), um_sql_word(names),
                                      UM_SQL_INT(um_arg_int(c, "max", 50)), UM_SQL_INT(um_arg_int(c, "start", 0))), add_body, c->reply);
    free(names);
    return err;
}

static um_err get(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        struct stored s;

        err = find(c, um_arg_id(c, "ids", i), &s);
        if (err == UM_OK)
            json_array_append(c->reply, s.body);
        c->version = um_arg_n(c, "ids") == 1 ? um_body_version(s.body) : 0;
        stored_done(&s);
    }
    return err;
}

/* ---- changing ---- */

static um_err forget_recipients(struct um_call *c, int64_t num)
{
    return um_sql_exec(c->q, "DELETE FROM stored_search_users WHERE search = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);
}

static um_err write_recipients(struct um_call *c, const struct stored *s)
{
    um_err err = forget_recipients(c, s->num);
    size_t i;
    json_t *name;

    json_array_foreach(recipients_of(s->body), i, name)
        if (err == UM_OK)
            err = um_sql_exec(c->q, "INSERT INTO stored_search_users(scope, name, search) VALUES(?1, ?2, ?3)",
                              UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(json_string_value(name)), UM_SQL_INT(s->num)), NULL);
    return err;
}

static um_err write_row(struct um_call *c, struct stored *s, const char *text, const char *path)
{
    const char *id = um_body_id(s->body);
    struct um_sql_row row;
    um_err err;

    if (s->num != 0)
        return um_sql_exec(c->q, "UPDATE stored_searches SET body = ?2 WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(s->num), um_sql_word(text)),
                           NULL);
    err = um_sql_one(c->q, "INSERT INTO stored_searches(scope, id, owner, body) VALUES(?1, ?2, ?3, ?4)"
                           " ON CONFLICT (scope, id) DO NOTHING RETURNING num",
                     UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id), um_sql_word(um_body_data(s->body, "owner")), um_sql_word(text)),
                     &row);
    if (err == UM_ENOTFOUND)
        return um_fail_at(c, UM_U00410, path, "a stored search %s exists", id);
    s->num = err == UM_OK ? um_sql_int(&row, 0) : 0;
    return err;
}

/* ASKED becomes, or comes after, S (num 0: there is none yet), under ID; and is answered. */
static um_err put(struct um_call *c, struct stored *s, const char *id, const json_t *asked, const char *path)
{
    json_t *next = um_body_next(c, asked, s->body);
    char *text = NULL;
    um_err err;

    json_object_set_new(next, "id", json_string(id));
    if (s->num == 0)                         /* whoever it says: it is the caller's */
        json_object_set_new(json_object_get(next, "data"), "owner", json_string(c->who->user));
    json_decref(s->body);
    s->body = next;
    err = um_body_text(c, next, &text);
    if (err == UM_OK && strlen(text) > STORED_SEARCH_MAX)
        err = um_fail_at(c, UM_U00413, path, "a stored search has at most %d bytes", STORED_SEARCH_MAX);
    if (err == UM_OK)
        err = write_row(c, s, text, path);
    if (err == UM_OK)
        err = write_recipients(c, s);
    if (err == UM_OK)
        json_array_append(c->reply, next);
    c->version = um_body_version(next);
    free(text);
    return err;
}

static um_err check_room(struct um_call *c)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT) FROM stored_searches WHERE scope = ?1 AND owner = ?2",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user)), &row);

    return err == UM_OK && um_sql_int(&row, 0) >= STORED_SEARCHES_MAX
               ? um_fail(c, UM_U00413, "a user has at most %d stored searches", STORED_SEARCHES_MAX) : err;
}

static um_err create_one(struct um_call *c, const json_t *asked, size_t i)
{
    const char *id = um_body_id(asked);
    struct stored s = { 0 };
    char path[32], made[37];
    um_err err;

    snprintf(path, sizeof(path), "/%zu", i);
    um_random_uuid(made);
    if (id == NULL || *id == '\0')
        id = made;
    if (!um_is_id(id))
        return um_fail_at(c, UM_U00400, path, "an id has 1 to %d bytes without control characters", UM_DOMAIN_ID_MAX);
    err = check_room(c);
    if (err == UM_OK)
        err = check(c, asked, path);
    if (err == UM_OK)
        err = put(c, &s, id, asked, path);
    stored_done(&s);
    return err;
}

static um_err create(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = create_one(c, json_array_get(c->body, i), i);
    if (json_array_size(c->reply) != 1)
        c->version = 0;
    return err;
}

static um_err update_one(struct um_call *c, const json_t *asked, size_t i)
{
    struct stored s;
    char path[32];
    um_err err = find_to_change(c, um_arg_id(c, "ids", i), &s);

    snprintf(path, sizeof(path), "/%zu", i);
    if (err == UM_OK)
        err = um_body_check_version(c, asked, s.body, path);
    if (err == UM_OK)
        err = check(c, asked, path);
    if (err == UM_OK)
        err = put(c, &s, um_arg_id(c, "ids", i), asked, path);
    stored_done(&s);
    return err;
}

static um_err update(struct um_call *c)
{
    um_err err = um_body_check_ids(c);

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = update_one(c, json_array_get(c->body, i), i);
    if (json_array_size(c->reply) != 1)
        c->version = 0;
    return err;
}

static um_err remove_all(struct um_call *c)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        struct stored s;

        err = find_to_change(c, um_arg_id(c, "ids", i), &s);
        if (err == UM_OK)
            err = um_body_check_version(c, NULL, s.body, "");
        if (err == UM_OK)
            err = forget_recipients(c, s.num);
        if (err == UM_OK)
            err = um_sql_exec(c->q, "DELETE FROM stored_searches WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(s.num)), NULL);
        stored_done(&s);
    }
    return err;
}

const struct um_domain_call um_stored_searches_list = { "storedsearch.list", list, 0 };
const struct um_domain_call um_stored_searches_get = { "storedsearch.get", get, 0 };
const struct um_domain_call um_stored_searches_create = { "storedsearch.create", create, UM_CALL_WRITES };
const struct um_domain_call um_stored_searches_update = { "storedsearch.update", update, UM_CALL_WRITES };
const struct um_domain_call um_stored_searches_delete = { "storedsearch.delete", remove_all, UM_CALL_WRITES };
