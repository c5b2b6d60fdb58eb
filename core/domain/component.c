/* See component.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "component.h"
#include "dates.h"
#include "delegations.h"
#include "facts.h"
#include "favorites.h"
#include "index.h"
#include "operations/operation.h"
#include "operations/registration.h"
#include "parts.h"
#include "versions.h"

void component_done(struct component *m)
{
    json_decref(m->body);
    json_decref(m->told);
    json_decref(m->moved);
    *m = (struct component){ 0 };
}

const char *component_id(const struct component *m) { return um_body_id(m->body); }
const char *component_class_id(const struct component *m) { return um_body_data(m->body, "classId"); }

const json_t *component_class(const struct um_call *c, const struct component *m)
{
    return um_model_find(c->model, um_class_kind(m->category), component_class_id(m));
}

enum um_category component_category(const struct um_call *c)
{
    enum um_category k = UM_CATEGORY_DOCUMENT;
    const char *word = um_arg(c, "category");

    UM_ASSERT(word != NULL && um_category_of(word, &k));
    return k;
}

/* ---- finding ---- */

um_err component_fetch(struct um_call *c, enum um_category k, const char *id, struct component *out)
{
    struct um_sql_row row;
    struct um_span text;
    um_err err;

    *out = (struct component){ .category = k };
    err = um_sql_one(c->q, "SELECT num, body FROM components WHERE scope = ?1 AND category = ?2 AND id = ?3",
                     UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_category_word(k)), um_sql_word(id)), &row);
    if (err != UM_OK)
        return err;
    out->num = um_sql_int(&row, 0);
    text = um_sql_span(&row, 1);
    out->body = json_loadb((const char *)text.data, text.len, 0, NULL);
    return out->body != NULL ? UM_OK : UM_ECORRUPT;
}

um_err component_find(struct um_call *c, enum um_category k, const char *id, struct component *out)
{
    bool may = false;
    um_err err = component_fetch(c, k, id, out);

    if (err == UM_OK)
        err = component_may(c, out, UM_MAY_READ, &may);
    if (err == UM_ENOTFOUND || (err == UM_OK && !may))
        return um_fail(c, k == UM_CATEGORY_TASK ? UM_T00103 : UM_F00012, "there is no %s %s", um_category_word(k), id);
    return err;
}

bool component_has_shared_body(const struct um_call *c, const struct component *m)
{
    return c->model != NULL && m->category == UM_CATEGORY_DOCUMENT &&
           json_is_true(json_object_get(component_class(c, m), "collaborative"));
}

/* ---- judging ---- */

um_err component_may(struct um_call *c, const struct component *m, enum um_permission p, bool *may)
{
    struct acl_about about = { component_class_id(m), json_object_get(m->body, "tags") };
    um_err err = um_may(c, um_body_data(m->body, "ACL"), &about, p, may);

    return err == UM_OK && !*may && m->category == UM_CATEGORY_TASK ? delegation_may(c, m, &about, p, may) : err;
}

um_err component_need(struct um_call *c, const struct component *m, enum um_permission p)
{
    bool may;
    um_err err = component_may(c, m, p, &may);

    if (err != UM_OK || may)
        return err;
    return um_fail(c, UM_U00403, "%s %s needs the permission %s", um_category_word(m->category), component_id(m),
                   um_permission_word(p));
}

/* ---- keeping ---- */

static const char *text_or_empty(const char *s) { return s != NULL ? s : ""; }

/* The columns beside a body. They are made from it, and from nothing else. */
struct columns { const char *class_id, *name, *acl, *owner, *status, *assignee; int64_t version, created_ms; char *body; };

static um_err columns_of(struct um_call *c, const json_t *body, struct columns *out)
{
    const char *created = um_body_data(body, "creationDate");

    *out = (struct columns){
        .class_id = text_or_empty(um_body_data(body, "classId")),
        .name = text_or_empty(json_string_value(json_object_get(body, "name"))),
        .acl = text_or_empty(um_body_data(body, "ACL")), .owner = text_or_empty(um_body_data(body, "owner")),
        .status = text_or_empty(um_body_data(body, "status")),
        .assignee = text_or_empty(json_string_value(json_object_get(body, "assignee"))),
        .version = um_body_version(body), .created_ms = c->now_ms,
    };
    if (created != NULL)
        (void)um_date_read(created, &out->created_ms);
    return um_body_text(c, body, &out->body);
}

/* Who edits a body together is judged again when its component changes. */
static um_err tell(struct um_call *c, enum um_action a, const struct component *m)
{
    static const enum um_change_kind kinds[UM_ACTIONS_N] = {
#define X(id, change) UM_CHANGE_##change,
        UM_ACTIONS(X)
#undef X
    };

    um_changed(c, kinds[a], um_category_word(m->category), component_id(m), text_or_empty(component_class_id(m)));
    return a != UM_ACTION_CREATE && component_has_shared_body(c, m) ? um_raise(c, c->scope, "CollaborativeBody") : UM_OK;
}

static um_err write_row(struct um_call *c, const struct component *m, const struct columns *of)
{
    return um_sql_exec(c->q, "UPDATE components SET class_id = ?2, name = ?3, acl = ?4, owner = ?5, status = ?6, assignee = ?7,"
                             " version = ?8, updated_ms = ?9, body = ?10 WHERE num = ?1",
                       UM_SQL_ARGS(UM_SQL_INT(m->num), um_sql_word(of->class_id), um_sql_word(of->name), um_sql_word(of->acl),
                                   um_sql_word(of->owner), um_sql_word(of->status), um_sql_word(of->assignee), UM_SQL_INT(of->version),
                                   UM_SQL_INT(c->now_ms), um_sql_word(of->body)), NULL);
}

/* A version of it says so in its body, and can only be kept when it has a row. */
static um_err follow_new(struct um_call *c, struct component *m)
{
    struct columns of;
    bool kept;
    um_err err = versions_follow(c, m, NULL, m->body, &kept);

    if (err != UM_OK || !kept)
        return err;
    err = columns_of(c, m->body, &of);
    if (err == UM_OK)
        err = write_row(c, m, &of);
    free(of.body);
    return err;
}

/* It is written, as a registration too: those of this unit's beginning get to know of it. */
static um_err followed(struct um_call *c, const struct component *m, const struct operation *o)
{
    bool was = o->before != NULL && registration_is_one(m->category, o->before), is = registration_is_one(m->category, m->body);
    um_err err = UM_OK;

    if (is)
        err = registration_follow(c, m);
    else if (was)
        err = registration_forget(c, m);
    if (err == UM_OK && (was || is))
        err = registrations_changed(c);
    return err == UM_OK ? operation_after(c, o, m->body) : err;
}

um_err component_insert(struct um_call *c, struct component *m, const char *path)
{
    struct operation o = { .action = UM_ACTION_CREATE, .object = m->category };
    struct columns of;
    struct um_sql_row row;
    um_err err = operation_before(c, &o, &m->body);

    if (err == UM_OK)
        err = columns_of(c, m->body, &of);
    if (err != UM_OK)
        return err;
    err = um_sql_one(c->q, "INSERT INTO components(scope, category, id, class_id, name, acl, owner, status, assignee, version,"
                           " created_ms, updated_ms, body) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
                           " ON CONFLICT (scope, category, id) DO NOTHING RETURNING num",
                     UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_category_word(m->category)), um_sql_word(component_id(m)),
                                 um_sql_word(of.class_id), um_sql_word(of.name), um_sql_word(of.acl), um_sql_word(of.owner),
                                 um_sql_word(of.status), um_sql_word(of.assignee), UM_SQL_INT(of.version), UM_SQL_INT(of.created_ms),
                                 UM_SQL_INT(c->now_ms), um_sql_word(of.body)), &row);
    free(of.body);
    if (err == UM_ENOTFOUND)
        return um_fail_at(c, UM_T00108, path, "%s %s exists", um_category_word(m->category), component_id(m));
    if (err != UM_OK)
        return err;
    m->num = um_sql_int(&row, 0);
    err = component_body_begins(c, m);
    if (err == UM_OK)
        err = follow_new(c, m);
    if (err == UM_OK)
        err = index_put(c, m->num, m->category, m->body);
    if (err == UM_OK)
        err = facts_record(c, m, UM_ACTION_CREATE, NULL);
    if (err == UM_OK)
        err = followed(c, m, &o);
    return err == UM_OK ? tell(c, UM_ACTION_CREATE, m) : err;
}

um_err component_save_as(struct um_call *c, struct component *m, json_t *body, enum um_action a)
{
    json_t *next, *before = m->body;
    struct operation o = { .action = a, .object = m->category, .before = before, .moved = m->moved };
    struct columns of = { 0 };
    bool kept;
    um_err err = operation_before(c, &o, &body);

    next = um_body_next(c, body, before);
    json_decref(body);
    m->body = next;
    if (err == UM_OK)
        err = versions_follow(c, m, before, next, &kept);
    if (err == UM_OK)
        err = columns_of(c, next, &of);
    if (err == UM_OK)
        err = write_row(c, m, &of);
    if (err == UM_OK)
        err = index_put(c, m->num, m->category, next);
    if (err == UM_OK)
        err = facts_record(c, m, a, before);
    if (err == UM_OK)
        err = followed(c, m, &o);
    free(of.body);
    json_decref(before);
    json_decref(m->told);
    json_decref(m->moved);
    m->told = m->moved = NULL;
    return err == UM_OK ? tell(c, a, m) : err;
}

um_err component_save(struct um_call *c, struct component *m, json_t *body, enum um_change_kind kind)
{
    return component_save_as(c, m, body, kind == UM_CHANGE_CONTENT ? UM_ACTION_UPDATE_CONTENT : UM_ACTION_UPDATE);
}

/* What goes with one of a category. */
static um_err (*const forget[UM_CATEGORIES_N])(struct um_call *c, const struct component *m) = {
    [UM_CATEGORY_DOCUMENT] = document_forget,
};

um_err component_remove_untold(struct um_call *c, struct component *m)
{
    um_err err = index_remove(c, m->num);

    if (err == UM_OK && forget[m->category] != NULL)
        err = forget[m->category](c, m);
    if (err == UM_OK && registration_is_one(m->category, m->body))
        err = registration_forget(c, m);
    if (err == UM_OK)
        err = component_body_ends(c, m);
    if (err == UM_OK)
        err = favorites_forget(c, m);
    if (err == UM_OK)                        /* out of the folders that it lies in, and what lies in it */
        err = um_sql_exec(c->q, "DELETE FROM folder_children WHERE folder = ?1 OR child = ?1", UM_SQL_ARGS(UM_SQL_INT(m->num)),
                          NULL);
    if (err == UM_OK)
        err = um_sql_exec(c->q, "DELETE FROM components WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(m->num)), NULL);
    return err == UM_OK ? tell(c, UM_ACTION_DELETE, m) : err;
}

um_err component_remove(struct um_call *c, struct component *m)
{
    struct operation o = { .action = UM_ACTION_DELETE, .object = m->category, .before = m->body };
    json_t *image = json_incref(m->body);
    um_err err = operation_before(c, &o, &image);

    json_decref(image);
    if (err == UM_OK)
        err = component_remove_untold(c, m);
    if (err == UM_OK && registration_is_one(m->category, m->body))
        err = registrations_changed(c);
    if (err == UM_OK)
        err = facts_record(c, m, UM_ACTION_DELETE, NULL);
    return err == UM_OK ? operation_after(c, &o, m->body) : err;
}
