/* See objects.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "objects.h"
#include "operations/operation.h"

static const struct { enum um_code missing, exists; } codes[UM_KINDS_N] = {
#define X(id, word, cache, missing, exists) { UM_##missing, UM_##exists },
    UM_KINDS(X)
#undef X
};

/* ---- rows ---- */

static um_err write_row(struct um_call *c, enum um_kind k, const char *id, const json_t *body, bool is_new)
{
    char *text;
    um_err err = um_body_text(c, body, &text);

    if (err != UM_OK)
        return err;
    err = um_sql_exec(c->q, is_new ? "INSERT INTO objects(scope, kind, id, version, body, updated_ms) VALUES(?1, ?2, ?3, ?4, ?5, ?6)"
                                   : "UPDATE objects SET version = ?4, body = ?5, updated_ms = ?6 WHERE scope = ?1 AND kind = ?2 AND id = ?3",
                      UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_kind_word(k)), um_sql_word(id),
                                  UM_SQL_INT(um_body_version(body)), um_sql_word(text), UM_SQL_INT(c->now_ms)), NULL);
    free(text);
    return err;
}

static um_err mark(struct um_call *c, enum um_kind k)
{
    um_err err = um_model_touch(c->q, c->scope);

    return err == UM_OK ? um_raise(c, c->scope, um_kind_cache(k)) : err;
}

/* A handler refuses an object, or lets it be. */
static um_err ask_handlers(struct um_call *c, struct operation *o, const json_t *object)
{
    json_t *image = json_incref((json_t *)object);
    um_err err = operation_before(c, o, &image);

    json_decref(image);
    return err;
}

um_err object_put(struct um_call *c, enum um_kind k, const char *id, const json_t *asked, const json_t *before, const char *path,
                  json_t **kept)
{
    struct operation o = { .action = before != NULL ? UM_ACTION_UPDATE : UM_ACTION_CREATE, .object = operation_object_of(k), .before = before };
    um_err err = object_check(c, k, asked, path);
    json_t *body;

    if (err == UM_OK)
        err = ask_handlers(c, &o, asked);
    if (err != UM_OK)
        return err;
    if (before == NULL && um_model_count(c->model, k) >= (k == UM_KIND_ACL ? UM_DOMAIN_ACLS_MAX : UM_DOMAIN_OBJECTS_MAX))
        return um_fail(c, UM_U00413, "the scope has as many objects of this kind as it may have");
    body = um_body_next(c, asked, before);
    json_object_set_new(body, "id", json_string(id));
    err = write_row(c, k, id, body, before == NULL);
    if (err == UM_OK)
        err = mark(c, k);
    if (err == UM_OK)
        err = operation_after(c, &o, body);
    if (err == UM_OK && kept != NULL)
        *kept = body;
    else
        json_decref(body);
    return err;
}

um_err object_remove(struct um_call *c, enum um_kind k, const char *id)
{
    const json_t *before = um_model_find(c->model, k, id);
    struct operation o = { .action = UM_ACTION_DELETE, .object = operation_object_of(k), .before = before };
    um_err err = ask_handlers(c, &o, before);

    if (err == UM_OK)
        err = um_sql_exec(c->q, "DELETE FROM objects WHERE scope = ?1 AND kind = ?2 AND id = ?3",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_kind_word(k)), um_sql_word(id)), NULL);
    if (err == UM_OK)
        err = mark(c, k);
    return err == UM_OK ? operation_after(c, &o, before) : err;
}

um_err um_model_refresh(struct um_call *c)
{
    const struct um_model *m;
    um_err err = um_model_get(c->domain, c->q, c->scope, &m);

    if (err != UM_OK)
        return err;
    um_model_unref(c->model);
    c->model = m;
    return UM_OK;
}

/* ---- calls ---- */

static enum um_kind kind_of(const struct um_call *c)
{
    enum um_kind k = UM_KIND_DOCUMENT_CLASS;
    const char *word = um_arg(c, "kind");

    UM_ASSERT(word != NULL && um_kind_of(word, &k));
    return k;
}

static um_err find(struct um_call *c, enum um_kind k, const char *id, const json_t **out)
{
    *out = um_model_find(c->model, k, id);
    return *out != NULL ? UM_OK : um_fail(c, codes[k].missing, "there is no %s %s", um_kind_word(k), id);
}

static um_err list(struct um_call *c)
{
    enum um_kind k = kind_of(c);

    c->reply = json_array();
    for (size_t i = 0; i < um_model_count(c->model, k); i++)
        json_array_append(c->reply, (json_t *)um_model_at(c->model, k, i));
    return UM_OK;
}

static um_err get(struct um_call *c)
{
    enum um_kind k = kind_of(c);
    const json_t *body = NULL;
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        struct operation o = { .action = UM_ACTION_READ, .object = operation_object_of(k) };

        err = find(c, k, um_arg_id(c, "ids", i), &body);
        if (err == UM_OK)
            err = ask_handlers(c, &o, body);
        if (err == UM_OK) {
            json_array_append(c->reply, (json_t *)body);
            err = operation_after(c, &o, body);
        }
    }
    if (err == UM_OK && um_arg_n(c, "ids") == 1)
        c->version = um_body_version(body);
    return err;
}

static um_err create_one(struct um_call *c, enum um_kind k, const json_t *asked, size_t i)
{
    const char *id = um_body_id(asked);
    char path[32];
    json_t *kept;
    um_err err;

    snprintf(path, sizeof(path), "/%zu", i);
    if (id == NULL || !um_is_id(id))
        return um_fail_at(c, UM_U00400, path, "an id of 1 to %d bytes is needed", UM_DOMAIN_ID_MAX);
    if (um_model_find(c->model, k, id) != NULL)
        return um_fail_at(c, codes[k].exists, path, "%s %s exists", um_kind_word(k), id);
    err = object_put(c, k, id, asked, NULL, path, &kept);
    if (err == UM_OK)
        json_array_append_new(c->reply, kept);
    return err;
}

static um_err create(struct um_call *c)
{
    enum um_kind k = kind_of(c);
    um_err err = UM_OK;

    if (json_array_size(c->body) > UM_DOMAIN_IDS_MAX)
        return um_fail(c, UM_U00413, "at most %d objects in one call", UM_DOMAIN_IDS_MAX);
    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = create_one(c, k, json_array_get(c->body, i), i);
    return err;
}

static um_err update_one(struct um_call *c, enum um_kind k, size_t i)
{
    const json_t *asked = json_array_get(c->body, i), *before;
    const char *id = um_arg_id(c, "ids", i);
    char path[32];
    json_t *kept;
    um_err err = find(c, k, id, &before);

    snprintf(path, sizeof(path), "/%zu", i);
    if (err == UM_OK)
        err = um_body_check_version(c, asked, before, path);
    if (err == UM_OK)
        err = object_put(c, k, id, asked, before, path, &kept);
    if (err != UM_OK)
        return err;
    c->version = um_body_version(kept);
    json_array_append_new(c->reply, kept);
    return UM_OK;
}

static um_err update(struct um_call *c)
{
    enum um_kind k = kind_of(c);
    um_err err = um_body_check_ids(c);

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = update_one(c, k, i);
    if (um_arg_n(c, "ids") != 1)
        c->version = 0;
    return err;
}

static um_err remove_all(struct um_call *c)
{
    enum um_kind k = kind_of(c);
    const json_t *before;
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        err = find(c, k, um_arg_id(c, "ids", i), &before);
        if (err == UM_OK && um_arg_int(c, "force", 0) == 0)
            err = object_check_unused(c, k, um_arg_id(c, "ids", i));
        if (err == UM_OK)
            err = object_remove(c, k, um_arg_id(c, "ids", i));
    }
    return err;
}

const struct um_domain_call um_objects_list = { "objects.list", list, 0 };
const struct um_domain_call um_objects_get = { "objects.get", get, 0 };
const struct um_domain_call um_objects_create = { "objects.create", create, UM_CALL_WRITES };
const struct um_domain_call um_objects_update = { "objects.update", update, UM_CALL_WRITES };
const struct um_domain_call um_objects_delete = { "objects.delete", remove_all, UM_CALL_WRITES };
