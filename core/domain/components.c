/* Components of the four categories: read, create, replace, delete. All or none of a call is done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "operations/chain.h"
#include "operations/operation.h"
#include "parts.h"
#include "retention.h"

static um_err read_one(struct um_call *c, struct component *m)
{
    struct operation o = { .action = UM_ACTION_READ, .object = m->category };
    um_err err = operation_before(c, &o, &m->body);

    if (err == UM_OK)
        err = component_show(c, m);
    return err == UM_OK ? operation_after(c, &o, m->body) : err;
}

static um_err get(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        struct component m;

        err = component_find(c, component_category(c), um_arg_id(c, "ids", i), &m);
        if (err == UM_OK)
            err = read_one(c, &m);
        component_done(&m);
    }
    return err;
}

/* What follows when M has been kept as D says, or not: ERR. */
static um_err end_one(struct um_call *c, struct component *m, struct draft *d, um_err err)
{
    if (err == UM_OK && d->category == UM_CATEGORY_FOLDER)
        err = folder_kept(c, m, d);
    if (err == UM_OK)
        err = component_show(c, m);
    json_decref(d->body);
    component_done(m);
    return err;
}

/* ---- create ---- */

/* The id that is asked for; without one, a new one. */
static um_err choose_id(struct um_call *c, struct draft *d)
{
    const json_t *asked = json_object_get(d->asked, "id");

    d->id = json_string_value(asked);
    if (asked == NULL || json_is_null(asked) || (d->id != NULL && *d->id == '\0')) {
        d->id = chain_make_id(c->chain);
    }
    if (d->id != NULL && um_is_id(d->id))
        return UM_OK;
    return draft_fail(c, d, UM_U00400, "id", "an id has 1 to 200 bytes without control characters");
}

static um_err create_one(struct um_call *c, size_t i)
{
    struct draft d = { .category = component_category(c), .asked = json_array_get(c->body, i) };
    struct component m = { .category = d.category };
    um_err err;

    snprintf(d.path, sizeof(d.path), "/%zu", i);
    err = choose_id(c, &d);
    if (err == UM_OK)
        err = draft_make(c, &d);
    if (err == UM_OK) {
        m.body = um_body_next(c, d.body, NULL);
        err = component_insert(c, &m, d.path);
    }
    return end_one(c, &m, &d, err);
}

static um_err create(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = create_one(c, i);
    return err;
}

/* ---- those that are there ---- */

/* Nobody else holds one of the path's; tokens come with the bodies, or for a single one by header. */
static um_err check_free(struct um_call *c)
{
    size_t n = um_arg_n(c, "ids");
    const char **ids = um_xcalloc(n + 1, sizeof(*ids));
    int64_t *tokens = um_xcalloc(n + 1, sizeof(*tokens));
    um_err err;

    for (size_t i = 0; i < n; i++) {
        ids[i] = um_arg_id(c, "ids", i);
        tokens[i] = json_integer_value(json_object_get(json_array_get(c->body, i), "reservationToken"));
    }
    if (n == 1 && tokens[0] == 0)
        tokens[0] = um_arg_int(c, "X-Reservation-Token", 0);
    err = component_check_free(c, component_category(c), ids, tokens, n);
    free(ids);
    free(tokens);
    return err;
}

static um_err replace(struct um_call *c, struct component *m, struct draft *d)
{
    um_err err = component_need(c, m, UM_MAY_UPDATE);

    if (err == UM_OK)
        err = um_body_check_version(c, d->asked, m->body, d->path);
    if (err == UM_OK)
        err = draft_make(c, d);
    return err == UM_OK ? component_save(c, m, json_incref(d->body), UM_CHANGE_UPDATED) : err;
}

static um_err update_one(struct um_call *c, size_t i)
{
    struct component m;
    struct draft d = { .category = component_category(c), .asked = json_array_get(c->body, i), .before = &m,
                       .id = um_arg_id(c, "ids", i) };
    um_err err = component_find(c, d.category, um_arg_id(c, "ids", i), &m);

    snprintf(d.path, sizeof(d.path), "/%zu", i);
    if (err == UM_OK)
        err = replace(c, &m, &d);
    return end_one(c, &m, &d, err);
}

static um_err update(struct um_call *c)
{
    um_err err = um_body_check_ids(c);

    c->reply = json_array();
    if (err == UM_OK)
        err = check_free(c);
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = update_one(c, i);
    return err;
}

static um_err remove_one(struct um_call *c, const char *id)
{
    struct component m;
    bool forced = false;
    um_err err = component_find(c, component_category(c), id, &m);

    if (err == UM_OK)
        err = component_need(c, &m, UM_MAY_DELETE);
    if (err == UM_OK)
        err = um_body_check_version(c, NULL, m.body, "");
    if (err == UM_OK)
        err = retention_may_delete(c, &m, &forced);
    if (err == UM_OK)
        err = forced ? retention_override(c, &m) : component_remove(c, &m);
    component_done(&m);
    return err;
}

static um_err remove_all(struct um_call *c)
{
    um_err err = check_free(c);

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++)
        err = remove_one(c, um_arg_id(c, "ids", i));
    return err;
}

const struct um_domain_call um_components_get = { "components.get", get, 0 };
const struct um_domain_call um_components_create = { "components.create", create, UM_CALL_WRITES };
const struct um_domain_call um_components_update = { "components.update", update, UM_CALL_WRITES };
const struct um_domain_call um_components_delete = { "components.delete", remove_all, UM_CALL_WRITES };
