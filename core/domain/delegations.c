/* Delegations as people make them. What they mean is in delegations.h. The delegator himself makes, changes and ends his, or who
 * administers the scope's security; each of these is a fact about the object type DELEGATION. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "dates.h"
#include "delegations.h"
#include "fact_row.h"

enum {
    DELEGATIONS_MAX = 100,                   /* of a delegator in a scope, those that are over too */
    DESCRIPTION_MAX = 1000,                  /* bytes */
    LISTED_MAX = 1000,
};

struct delegation {
    char id[UM_DOMAIN_ID_MAX + 1], creator[UM_DOMAIN_ID_MAX + 1], delegator[UM_DOMAIN_ID_MAX + 1], delegate[UM_DOMAIN_ID_MAX + 1],
        description[DESCRIPTION_MAX + 1];
    int64_t start_ms, end_ms, created_ms;    /* END_MS 0: until it is ended */
};

static bool administers(struct um_call *c) { return um_has_role(c, "ADMIN") || um_has_role(c, "SECURITY_ADMIN"); }
static bool is_caller(const struct um_call *c, const char *user) { return strcmp(c->who->user, user) == 0; }

/* ---- rows ---- */

#define COLUMNS "id, creator, delegator, delegate, description, start_ms, end_ms, created_ms"

static void read_row(const struct um_sql_row *row, struct delegation *d)
{
    char *const texts[] = { d->id, d->creator, d->delegator, d->delegate };

    for (size_t i = 0; i < UM_COUNT(texts); i++)
        snprintf(texts[i], UM_DOMAIN_ID_MAX + 1, "%s", um_sql_text(row, i));
    snprintf(d->description, sizeof(d->description), "%s", um_sql_text(row, 4));
    d->start_ms = um_sql_int(row, 5);
    d->end_ms = um_sql_int(row, 6);
    d->created_ms = um_sql_int(row, 7);
}

static void set_date(json_t *o, const char *member, int64_t at_ms)
{
    char date[UM_DATE_MAX];

    if (at_ms == 0)
        return;
    um_date_text(at_ms, date);
    json_object_set_new(o, member, json_string(date));
}

static json_t *shown(const struct delegation *d)
{
    json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", d->id, "creator", d->creator, "delegator", d->delegator, "delegate",
                          d->delegate, "description", d->description);

    set_date(o, "start", d->start_ms);
    set_date(o, "end", d->end_ms);
    set_date(o, "creationDate", d->created_ms);
    return o;
}

static um_err add(void *arg, const struct um_sql_row *row)
{
    struct delegation d;

    read_row(row, &d);
    return json_array_append_new(arg, shown(&d)) == 0 ? UM_OK : UM_ENOMEM;
}

static um_err write_row(struct um_call *c, const struct delegation *d, bool is_new, const char *path)
{
    struct um_sql_value end = d->end_ms != 0 ? UM_SQL_INT(d->end_ms) : UM_SQL_NULL(INT);
    int64_t n = 0;
    um_err err;

    if (!is_new)
        return um_sql_exec(c->q, "UPDATE delegations SET delegate = ?3, description = ?4, start_ms = ?5, end_ms = ?6"
                                 " WHERE scope = ?1 AND id = ?2",
                           UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(d->id), um_sql_word(d->delegate), um_sql_word(d->description),
                                       UM_SQL_INT(d->start_ms), end), NULL);
    err = um_sql_exec(c->q, "INSERT INTO delegations(scope, id, creator, delegator, delegate, description, start_ms, end_ms, created_ms)"
                            " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (scope, id) DO NOTHING",
                      UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(d->id), um_sql_word(d->creator), um_sql_word(d->delegator),
                                  um_sql_word(d->delegate), um_sql_word(d->description), UM_SQL_INT(d->start_ms), end,
                                  UM_SQL_INT(d->created_ms)), &n);
    return err == UM_OK && n == 0 ? um_fail_at(c, UM_U00410, path, "a delegation %s exists", d->id) : err;
}

/* ---- finding ---- */

/* One that is none of the caller's is not there. */
static um_err find(struct um_call *c, const char *id, struct delegation *d)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT " COLUMNS " FROM delegations WHERE scope = ?1 AND id = ?2",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), &row);

    *d = (struct delegation){ 0 };
    if (err == UM_OK)
        read_row(&row, d);
    if (err == UM_ENOTFOUND || (err == UM_OK && !is_caller(c, d->delegator) && !is_caller(c, d->delegate) && !administers(c)))
        return um_fail(c, UM_U00404, "there is no delegation %s", id);
    return err;
}

static um_err need_to_change(struct um_call *c, const char *delegator)
{
    return is_caller(c, delegator) || administers(c)
               ? UM_OK : um_fail(c, UM_U00403, "delegations of %s are made and ended by himself, or by role ADMIN or SECURITY_ADMIN", delegator);
}

static um_err get(struct um_call *c)
{
    struct delegation d;
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        err = find(c, um_arg_id(c, "ids", i), &d);
        if (err == UM_OK)
            json_array_append_new(c->reply, shown(&d));
    }
    return err;
}

/* TEXT selects by ?2, the user of the path; ?3: those that end after that moment. */
static um_err list(struct um_call *c, const char *text)
{
    const char *user = um_arg(c, "user");
    bool all = um_arg_int(c, "includeTerminated", 0) != 0;

    c->reply = json_array();
    if (!is_caller(c, user) && !administers(c))
        return um_fail(c, UM_U00403, "the delegations of %s need role ADMIN or SECURITY_ADMIN", user);
    return um_sql_each(c->q, text, UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(user), UM_SQL_INT(all ? 0 : c->now_ms),
                                               UM_SQL_INT(LISTED_MAX)), add, c->reply);
}

#define SELECT_OF(column) \
    "SELECT " COLUMNS " FROM delegations WHERE scope = ?1 AND " column " = ?2 AND (end_ms IS NULL OR end_ms > ?3)" \
    " ORDER BY start_ms, id LIMIT ?4"
static um_err list_delegate(struct um_call *c) { return list(c, SELECT_OF("delegate")); }
static um_err list_delegator(struct um_call *c) { return list(c, SELECT_OF("delegator")); }

/* ---- what may be one ---- */

static um_err wrong(struct um_call *c, const char *path, const char *member, const char *why)
{
    char at[64];

    snprintf(at, sizeof(at), "%s/%s", path, member);
    return um_fail_at(c, UM_U00400, at, "%s", why);
}

static um_err read_date(struct um_call *c, const json_t *asked, const char *path, const char *member, int64_t without, int64_t *out)
{
    const json_t *v = json_object_get(asked, member);

    *out = without;
    if (v == NULL || json_is_null(v))
        return UM_OK;
    return json_is_string(v) && um_date_read(json_string_value(v), out) ? UM_OK
               : wrong(c, path, member, "a moment, such as 2024-03-07 13:59:54.854 +0100");
}

/* What may be changed of one: to whom, from when to when, and why. */
static um_err read_asked(struct um_call *c, const json_t *asked, const char *path, struct delegation *d)
{
    const char *delegate = json_string_value(json_object_get(asked, "delegate"));
    const char *description = json_string_value(json_object_get(asked, "description"));
    um_err err;

    if (delegate == NULL || !um_is_id(delegate) || strcmp(delegate, d->delegator) == 0)
        return wrong(c, path, "delegate", "another user than the delegator");
    if (description != NULL && strlen(description) > DESCRIPTION_MAX)
        return wrong(c, path, "description", "a text of at most 1000 bytes");
    snprintf(d->delegate, sizeof(d->delegate), "%s", delegate);
    snprintf(d->description, sizeof(d->description), "%s", description != NULL ? description : "");
    err = read_date(c, asked, path, "start", d->start_ms != 0 ? d->start_ms : c->now_ms, &d->start_ms);
    if (err == UM_OK)
        err = read_date(c, asked, path, "end", 0, &d->end_ms);
    if (err == UM_OK && d->end_ms != 0 && d->end_ms <= d->start_ms)
        return wrong(c, path, "end", "a moment behind the start");
    return err;
}

/* ---- changing ---- */

static um_err tell(struct um_call *c, const struct delegation *d, const char *action)
{
    char start[UM_DATE_MAX], end[UM_DATE_MAX] = "";
    json_t *fields;
    char *text;
    um_err err;

    um_date_text(d->start_ms, start);
    if (d->end_ms != 0)
        um_date_text(d->end_ms, end);
    fields = json_pack("[{s:s, s:s}, {s:s, s:s}, {s:s, s:s}, {s:s, s:s}]", "name", "delegator", "value", d->delegator, "name", "delegate",
                       "value", d->delegate, "name", "start", "value", start, "name", "end", "value", end);
    text = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    err = text != NULL ? fact_insert(c, "DELEGATION", d->id, action, true, d->description, text, NULL) : UM_ENOMEM;
    free(text);
    return err;
}

static um_err check_room(struct um_call *c, const char *delegator)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT) FROM delegations WHERE scope = ?1 AND delegator = ?2",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(delegator)), &row);

    return err == UM_OK && um_sql_int(&row, 0) >= DELEGATIONS_MAX
               ? um_fail(c, UM_U00413, "a user has at most %d delegations; delete those that are over", DELEGATIONS_MAX) : err;
}

/* ID and delegator of a new one. */
static um_err begin(struct um_call *c, const json_t *asked, const char *path, struct delegation *d)
{
    const char *id = um_body_id(asked), *delegator = json_string_value(json_object_get(asked, "delegator"));
    char made[37];

    um_random_uuid(made);
    if (id == NULL || *id == '\0')
        id = made;
    if (delegator == NULL || *delegator == '\0')
        delegator = c->who->user;
    if (!um_is_id(id))
        return wrong(c, path, "id", "an id has 1 to 200 bytes without control characters");
    if (!um_is_id(delegator))
        return wrong(c, path, "delegator", "a user");
    *d = (struct delegation){ .created_ms = c->now_ms };
    snprintf(d->id, sizeof(d->id), "%s", id);
    snprintf(d->delegator, sizeof(d->delegator), "%s", delegator);
    snprintf(d->creator, sizeof(d->creator), "%s", c->who->user);
    return need_to_change(c, delegator);
}

static um_err keep(struct um_call *c, const json_t *asked, const char *path, struct delegation *d, bool is_new)
{
    um_err err = read_asked(c, asked, path, d);

    if (err == UM_OK)
        err = write_row(c, d, is_new, path);
    if (err == UM_OK)
        err = tell(c, d, is_new ? "CREATE" : "UPDATE");
    if (err == UM_OK)
        json_array_append_new(c->reply, shown(d));
    return err;
}

static um_err create(struct um_call *c)
{
    struct delegation d;
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++) {
        const json_t *asked = json_array_get(c->body, i);
        char path[32];

        snprintf(path, sizeof(path), "/%zu", i);
        err = begin(c, asked, path, &d);
        if (err == UM_OK)
            err = check_room(c, d.delegator);
        if (err == UM_OK)
            err = keep(c, asked, path, &d, true);
    }
    return err;
}

static um_err update_one(struct um_call *c, const json_t *asked, size_t i)
{
    const char *delegator = json_string_value(json_object_get(asked, "delegator"));
    struct delegation d;
    char path[32];
    um_err err = find(c, um_arg_id(c, "ids", i), &d);

    snprintf(path, sizeof(path), "/%zu", i);
    if (err == UM_OK)
        err = need_to_change(c, d.delegator);
    if (err == UM_OK && delegator != NULL && strcmp(delegator, d.delegator) != 0)
        err = wrong(c, path, "delegator", "it stays who it is");
    return err == UM_OK ? keep(c, asked, path, &d, false) : err;
}

static um_err update(struct um_call *c)
{
    um_err err = um_body_check_ids(c);

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = update_one(c, json_array_get(c->body, i), i);
    return err;
}

static um_err remove_all(struct um_call *c)
{
    struct delegation d;
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        err = find(c, um_arg_id(c, "ids", i), &d);
        if (err == UM_OK)
            err = need_to_change(c, d.delegator);
        if (err == UM_OK)
            err = um_sql_exec(c->q, "DELETE FROM delegations WHERE scope = ?1 AND id = ?2",
                              UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(d.id)), NULL);
        if (err == UM_OK)
            err = tell(c, &d, "DELETE");
    }
    return err;
}

const struct um_domain_call um_delegations_get = { "delegation.get", get, 0 };
const struct um_domain_call um_delegations_delegate = { "delegation.delegate", list_delegate, 0 };
const struct um_domain_call um_delegations_delegator = { "delegation.delegator", list_delegator, 0 };
const struct um_domain_call um_delegations_create = { "delegation.create", create, UM_CALL_WRITES };
const struct um_domain_call um_delegations_update = { "delegation.update", update, UM_CALL_WRITES };
const struct um_domain_call um_delegations_delete = { "delegation.delete", remove_all, UM_CALL_WRITES };
