/* A scope's model as a whole: all its objects at once, and changes of many kinds in one unit. What the changes are, and how a
 * model is written, is umbel/model.h's and umbel/import.h's business. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/sql_shared.h>
#include "body.h"
#include "objects.h"
#include "roles.h"
#include "scopes.h"
#include "users.h"

#define SCOPE_WORD "scope"
#define USERS_WORD "users"

/* ---- all of it ---- */

static void add(json_t *out, const char *kind, const json_t *object)
{
    json_array_append_new(out, json_pack("{s:s, s:O}", "kind", kind, "object", object));
}

/* Users are people, and may be very many: those that are asked for, if they are there. */
static um_err add_users(struct um_call *c)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "users") && err == UM_OK; i++) {
        json_t *user;

        err = user_model_object(c, um_arg_id(c, "users", i), &user);
        if (user != NULL)
            add(c->reply, USERS_WORD, user);
        json_decref(user);
    }
    return err;
}

static um_err read_all(struct um_call *c)
{
    c->reply = json_array();
    add(c->reply, SCOPE_WORD, um_model_scope(c->model));
    for (size_t k = 0; k < UM_KINDS_N; k++)
        for (size_t i = 0; i < um_model_count(c->model, (enum um_kind)k); i++)
            add(c->reply, um_kind_word((enum um_kind)k), um_model_at(c->model, (enum um_kind)k, i));
    return add_users(c);
}

/* ---- changes ---- */

struct change {
    const char *kind, *id;
    const json_t *object;                    /* NULL: it goes */
    int64_t version;                         /* of what is there now; 0: nothing */
    char path[128];                          /* for refusals: /documentclass/Invoice */
};

static void write_path(struct change *ch)
{
    bool is_plain = strlen(ch->id) <= 64 && strpbrk(ch->id, "/~") == NULL;

    snprintf(ch->path, sizeof(ch->path), "/%s%s%s", ch->kind, is_plain ? "/" : "", is_plain ? ch->id : "");
}

static um_err read_change(struct um_call *c, size_t i, struct change *ch)
{
    const json_t *from = json_array_get(c->body, i);

    ch->kind = json_string_value(json_object_get(from, "kind"));
    ch->id = json_string_value(json_object_get(from, "id"));
    ch->object = json_object_get(from, "object");
    ch->version = json_integer_value(json_object_get(from, "version"));
    if (ch->kind == NULL || ch->id == NULL)
        return um_fail(c, UM_U00400, "a change names a kind and an id");
    write_path(ch);
    return UM_OK;
}

/* The caller has compared with something else than what is there now. */
static um_err check_version(struct um_call *c, const struct change *ch, const json_t *before)
{
    if (um_body_version(before) == ch->version)
        return UM_OK;
    return um_fail_at(c, UM_U00412, ch->path, "%s %s has changed meanwhile", ch->kind, ch->id);
}

static um_err change_scope(struct um_call *c, const struct change *ch)
{
    json_t *before, *kept = NULL;
    um_err err;

    if (ch->object == NULL || strcmp(ch->id, c->scope) != 0 || !um_scope_is_id(ch->id))
        return um_fail_at(c, UM_U00400, ch->path, "this cannot be the scope %s", c->scope);
    err = um_scope_find(c, ch->id, &before);
    if (err == UM_OK)
        err = check_version(c, ch, before);
    if (err == UM_OK)
        err = um_scope_put(c, ch->id, ch->object, before, &kept);
    json_decref(kept);
    json_decref(before);
    return err;
}

/* Groups are judged when all of them are as they will be. */
struct judged { json_t *groups; unsigned roles; };

static um_err note_group(struct um_call *c, const struct change *ch, struct judged *j)
{
    bool is_new = um_model_find(c->model, UM_KIND_GROUP, ch->id) == NULL;
    um_err err = is_new ? people_check_new(c, ch->id) : UM_OK;

    j->roles |= is_new ? 0 : roles_of(c->model, ch->id, NULL);
    json_array_append_new(j->groups, json_string(ch->id));
    return err == UM_OK && ch->object != NULL ? people_check_profiles(c, ch->object, ch->path) : err;
}

static um_err judge_groups(struct um_call *c, struct judged *j)
{
    um_err err = json_array_size(j->groups) > 0 ? um_model_refresh(c) : UM_OK;
    json_t *id;
    size_t i;

    if (err != UM_OK || json_array_size(j->groups) == 0)
        return err;
    json_array_foreach(j->groups, i, id)
        if (um_model_find(c->model, UM_KIND_GROUP, json_string_value(id)) != NULL)
            j->roles |= roles_of(c->model, json_string_value(id), NULL);
    return roles_need(c, j->roles);
}

/* The password of who is there already is his own: a model sets it for new users only. */
static um_err change_user(struct um_call *c, const struct change *ch)
{
    struct user_row before;
    um_err err = user_read(c, ch->id, &before);

    if (err == UM_OK && before.version != ch->version)
        err = um_fail_at(c, UM_U00412, ch->path, "user %s has changed meanwhile", ch->id);
    if (err == UM_OK && ch->object == NULL)
        err = um_fail_at(c, UM_U00400, ch->path, "a model deletes no users");
    if (err == UM_OK)
        err = user_put(c, ch->id, ch->object, &before, json_string_value(json_object_get(ch->object, "password")), ch->path);
    user_row_done(&before);
    return err;
}

static um_err change_object(struct um_call *c, enum um_kind k, const struct change *ch)
{
    const json_t *before = um_model_find(c->model, k, ch->id);
    um_err err = um_is_id(ch->id) ? check_version(c, ch, before) : um_fail_at(c, UM_U00400, ch->path, "this cannot be an id");

    if (err != UM_OK)
        return err;
    if (ch->object != NULL)
        return object_put(c, k, ch->id, ch->object, before, ch->path, NULL);
    err = object_check_unused(c, k, ch->id);
    return err == UM_OK ? object_remove(c, k, ch->id) : err;
}

/* Objects refer to those of kinds before theirs: the model is read anew where the kind changes. */
static um_err refresh_at(struct um_call *c, const struct change *ch, const char *last)
{
    um_err err;

    if (last != NULL && strcmp(last, ch->kind) == 0)
        return UM_OK;
    err = um_model_refresh(c);
    return err == UM_ENOTFOUND ? um_fail(c, UM_U00404, "there is no scope %s", c->scope) : err;
}

/* ---- the fact ---- */

enum { FACT_IDS_BYTES = 1500 };              /* of the ids that a fact names; it says how many there are in any case */

/* "documentclass/Invoice", in the list of what was done to it. */
static void note(json_t *detail, const struct change *ch, size_t *bytes)
{
    const char *key = ch->object == NULL ? "deleted" : ch->version == 0 ? "created" : "updated";
    json_t *list = json_object_get(detail, key);

    *bytes += strlen(ch->kind) + strlen(ch->id) + 4;
    if (*bytes > FACT_IDS_BYTES)
        return;
    if (list == NULL) {
        list = json_array();
        json_object_set_new(detail, key, list);
    }
    json_array_append_new(list, json_sprintf("%s/%s", ch->kind, ch->id));
}

static um_err write_fact(struct um_call *c, json_t *detail)
{
    char *text = json_dumps(detail, JSON_COMPACT);
    um_err err = um_sql_audit(c->q, &(struct um_store_audit){ .user = c->who->user, .action = "IMPORT", .object_type = "MODEL",
                                                              .object_id = c->scope, .detail = text != NULL && strlen(text) <= UM_STORE_DETAIL_MAX ? text : "{}" });

    free(text);
    return err;
}

static um_err apply_one(struct um_call *c, const struct change *ch, const char *last, struct judged *j)
{
    enum um_kind k;
    um_err err;

    if (strcmp(ch->kind, SCOPE_WORD) == 0)
        return change_scope(c, ch);
    if (strcmp(ch->kind, USERS_WORD) != 0 && !um_kind_of(ch->kind, &k))
        return um_fail_at(c, UM_U00400, ch->path, "there is no kind %s", ch->kind);
    err = refresh_at(c, ch, last);
    if (err == UM_OK && strcmp(ch->kind, USERS_WORD) == 0)
        return change_user(c, ch);
    if (err == UM_OK && k == UM_KIND_GROUP)
        err = note_group(c, ch, j);
    return err == UM_OK ? change_object(c, k, ch) : err;
}

static um_err apply_all(struct um_call *c, json_t *detail)
{
    struct judged j = { json_array(), 0 };
    size_t bytes = 0;
    const char *last = NULL;
    um_err err = UM_OK;

    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++) {
        struct change ch;

        err = read_change(c, i, &ch);
        if (err != UM_OK)
            break;
        err = apply_one(c, &ch, last, &j);
        last = strcmp(ch.kind, SCOPE_WORD) == 0 ? NULL : ch.kind;
        note(detail, &ch, &bytes);
    }
    if (err == UM_OK)
        err = judge_groups(c, &j);
    json_decref(j.groups);
    return err;
}

static um_err apply(struct um_call *c)
{
    json_t *detail = json_pack("{s:s, s:s, s:I}", "from", c->who->address, "request", c->who->request, "changes",
                               (json_int_t)json_array_size(c->body));
    um_err err = apply_all(c, detail);

    if (err == UM_OK)
        err = write_fact(c, detail);
    json_decref(detail);
    return err;
}

const struct um_domain_call um_models_read = { "models.read", read_all, 0 };
const struct um_domain_call um_models_apply = { "models.apply", apply, UM_CALL_WRITES | UM_CALL_ANY_SCOPE };
