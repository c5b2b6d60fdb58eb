/* Groups of users: configuration objects (objects.h), so that the model has them and a membership counts at once at every core.
 * Whoever changes one has every role that its members have by it, before and after. */
#include <stdlib.h>
#include <string.h>
#include "body.h"
#include "objects.h"
#include "principals.h"
#include "roles.h"

static um_err find(struct um_call *c, const char *id, const json_t **out)
{
    *out = um_model_find(c->model, UM_KIND_GROUP, id);
    return *out != NULL ? UM_OK : um_fail(c, UM_U00404, "there is no group %s", id);
}

/* ---- reading ---- */

static void copy_member(json_t *to, const json_t *from, const char *name)
{
    json_t *v = json_object_get(from, name);

    if (v != NULL && !json_is_null(v))
        json_object_set(to, name, v);
}

/* LIST without NAME: a group is not told that it is in itself. */
static json_t *without(json_t *list, const char *name)
{
    json_t *v;
    size_t i;

    json_array_foreach(list, i, v)
        if (strcmp(json_string_value(v), name) == 0) {
            json_array_remove(list, i);
            break;
        }
    return list;
}

static json_t *show(struct um_call *c, const json_t *group)
{
    static const char *const told[] = { "id", "displayName", "mail", "attributes", "profiles", "members", "data" };
    json_t *o = json_object();
    struct principals *p;

    for (size_t i = 0; i < UM_COUNT(told); i++)
        if (i < 2 || um_has_role(c, ROLE_ADMINS))
            copy_member(o, group, told[i]);
    if (!um_has_role(c, ROLE_ADMINS))
        return o;
    p = principals_new(c->model, um_body_id(group), NULL);
    json_object_set_new(o, "groups", without(principals_list(p, PRINCIPAL_GROUP), um_body_id(group)));
    principals_free(p);
    return o;
}

static um_err get(struct um_call *c)
{
    bool is_one = um_arg_n(c, "ids") == 1;
    json_t *all = json_array();
    const json_t *group = NULL;
    um_err err = UM_OK;

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        err = find(c, um_arg_id(c, "ids", i), &group);
        if (err == UM_OK)
            json_array_append_new(all, show(c, group));
    }
    if (err == UM_OK && is_one)
        c->version = um_body_version(group);
    c->reply = is_one ? json_incref(json_array_get(all, 0)) : json_incref(all);
    json_decref(all);
    return err;
}

static bool fits(const json_t *group, const json_t *asked)
{
    char *words = people_words(um_body_id(group), group);
    bool does = people_words_fit(words, asked);

    free(words);
    return does;
}

static json_t *brief(const json_t *group)
{
    json_t *o = json_object();

    copy_member(o, group, "id");
    copy_member(o, group, "displayName");
    return o;
}

static um_err search(struct um_call *c)
{
    const char *name = um_arg(c, "name"), *after = um_arg(c, "after"), *last = NULL;
    size_t max = (size_t)um_arg_int(c, "max", 50);
    json_t *asked = people_words_asked(name != NULL ? name : ""), *results = json_array();
    bool more = false;

    for (size_t i = 0; i < um_model_count(c->model, UM_KIND_GROUP) && !more; i++) {
        const json_t *group = um_model_at(c->model, UM_KIND_GROUP, i);

        if ((after != NULL && strcmp(um_body_id(group), after) <= 0) || !fits(group, asked))
            continue;
        more = json_array_size(results) == max;
        if (more)
            break;
        last = um_body_id(group);
        json_array_append_new(results, brief(group));
    }
    json_decref(asked);
    c->reply = json_pack("{s:o}", "results", results);
    if (more)
        json_object_set_new(c->reply, "next", json_string(last));
    return UM_OK;
}

/* ---- changes ---- */

um_err group_change(struct um_call *c, const char *id, const json_t *asked, const char *path)
{
    const json_t *before = um_model_find(c->model, UM_KIND_GROUP, id);
    const struct um_model *old = c->model;
    json_t *kept = NULL, *was = json_incref((json_t *)before);
    unsigned roles = before != NULL ? roles_of(old, id, NULL) : 0;
    um_err err = UM_OK;

    if (before == NULL)
        err = people_check_new(c, id);
    if (err == UM_OK && asked != NULL)
        err = people_check_profiles(c, asked, path);
    if (err == UM_OK)
        err = asked != NULL ? object_put(c, UM_KIND_GROUP, id, asked, before, path, &kept) : object_remove(c, UM_KIND_GROUP, id);
    if (err == UM_OK)
        err = um_model_refresh(c);
    if (err == UM_OK)
        err = roles_need(c, roles | (asked != NULL ? roles_of(c->model, id, NULL) : 0));
    if (err == UM_OK)
        err = people_audit(c, asked == NULL ? "DELETE" : was == NULL ? "CREATE" : "UPDATE", "GROUP", id, was, kept);
    json_decref(was);
    json_decref(kept);
    return err;
}

static um_err answer(struct um_call *c, const char *id)
{
    const json_t *group;
    um_err err = find(c, id, &group);

    if (err == UM_OK) {
        c->reply = show(c, group);
        c->version = um_body_version(group);
    }
    return err;
}

/* What is kept of a body: groups of the group are said by those. */
static json_t *kept_of(const json_t *body)
{
    static const char *const members[] = { "displayName", "mail", "attributes", "profiles", "members", "data" };
    json_t *o = json_object();

    for (size_t i = 0; i < UM_COUNT(members); i++)
        copy_member(o, body, members[i]);
    return o;
}

static um_err put(struct um_call *c, const char *id)
{
    json_t *kept = kept_of(c->body);
    um_err err = group_change(c, id, kept, "");

    json_decref(kept);
    return err == UM_OK ? answer(c, id) : err;
}

static um_err create(struct um_call *c)
{
    const char *id = um_body_id(c->body);
    um_err err = um_model_find(c->model, UM_KIND_GROUP, id) == NULL ? UM_OK : people_check_new(c, id);

    return err == UM_OK ? put(c, id) : err;
}

static um_err update(struct um_call *c)
{
    const char *id = um_arg(c, "id"), *own = um_body_id(c->body);
    const json_t *before;
    um_err err = find(c, id, &before);

    if (err == UM_OK && own != NULL && strcmp(own, id) != 0)
        err = um_fail_at(c, UM_U00400, "/id", "the path names another one");
    if (err == UM_OK)
        err = um_body_check_version(c, c->body, before, "/data/version");
    return err == UM_OK ? put(c, id) : err;
}

static um_err remove_one(struct um_call *c)
{
    const json_t *before;
    um_err err = find(c, um_arg(c, "id"), &before);

    return err == UM_OK ? group_change(c, um_arg(c, "id"), NULL, "") : err;
}

const struct um_domain_call um_groups_get = { "groups.get", get, 0 };
const struct um_domain_call um_groups_search = { "groups.search", search, 0 };
const struct um_domain_call um_groups_create = { "groups.create", create, UM_CALL_WRITES };
const struct um_domain_call um_groups_update = { "groups.update", update, UM_CALL_WRITES };
const struct um_domain_call um_groups_delete = { "groups.delete", remove_one, UM_CALL_WRITES };
