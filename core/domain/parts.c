/* References between components, and what a class may say of them. */
#include <stdio.h>
#include <string.h>
#include <umbel/map.h>
#include "body.h"
#include "fill.h"
#include "parts.h"
#include "tags.h"

/* ---- references ---- */

um_err reference_find(struct um_call *c, const json_t *reference, const char *path, struct component *m)
{
    const char *category = json_string_value(json_object_get(reference, "category")), *id = um_body_id(reference);
    enum um_category k;

    if (category == NULL || id == NULL || !um_category_of(category, &k) || !um_is_id(id))
        return um_fail_at(c, UM_U00400, path, "a reference has a category and an id");
    return component_find(c, k, id, m);
}

bool rule_admits(const json_t *rule, const char *class_member, const struct component *m)
{
    const char *category = json_string_value(json_object_get(rule, "category"));
    const char *class = json_string_value(json_object_get(rule, class_member));

    if (category != NULL && strcmp(category, um_category_word(m->category)) != 0)
        return false;
    return class == NULL || strcmp(class, "*") == 0 || strcmp(class, component_class_id(m)) == 0;
}

/* ---- answers ---- */

um_err component_show(struct um_call *c, const struct component *m)
{
    json_t *body = json_copy(m->body);
    um_err err = m->category == UM_CATEGORY_FOLDER ? folder_show(c, m, body) : UM_OK;

    json_array_append_new(c->reply, body);
    c->version = json_array_size(c->reply) == 1 ? um_body_version(m->body) : 0;
    return err;
}

/* ---- classes ---- */

static um_err check_category_of(struct um_call *c, const json_t *rule, const char *path, bool needed)
{
    const json_t *category = json_object_get(rule, "category");
    enum um_category k;

    if (category == NULL && !needed)
        return UM_OK;
    if (json_is_string(category) && um_category_of(json_string_value(category), &k))
        return UM_OK;
    return um_fail_at(c, UM_U00400, path, "there is no such category of components");
}

/* The members of a list have ids, each once. */
static um_err check_ids(struct um_call *c, const json_t *list, const char *path)
{
    struct um_map seen = { 0 };
    um_err err = UM_OK;

    for (size_t i = 0; i < json_array_size(list) && err == UM_OK; i++) {
        const char *id = um_body_id(json_array_get(list, i));
        char at[100];

        snprintf(at, sizeof(at), "%s/%zu/id", path, i);
        if (id == NULL || !um_is_id(id) || um_map_put(&seen, UM_SPAN_STR(id), &seen) != NULL)
            err = um_fail_at(c, UM_U00400, at, "an id, and each once");
    }
    um_map_free(&seen);
    return err;
}

static um_err check_children(struct um_call *c, enum um_kind k, const json_t *class, const char *path)
{
    const json_t *children = json_object_get(class, "children");
    char at[100];
    um_err err = UM_OK;

    snprintf(at, sizeof(at), "%s/children", path);
    if (k == UM_KIND_TASK_CLASS)             /* its slots; a folder's rules may name a class twice */
        err = check_ids(c, children, at);
    for (size_t i = 0; i < json_array_size(children) && err == UM_OK; i++) {
        snprintf(at, sizeof(at), "%s/children/%zu/category", path, i);
        err = check_category_of(c, json_array_get(children, i), at, k == UM_KIND_FOLDER_CLASS);
    }
    return err;
}

static um_err check_answers(struct um_call *c, const json_t *class, const char *path)
{
    const json_t *answers = json_object_get(class, "answers");
    char at[100];
    um_err err;

    snprintf(at, sizeof(at), "%s/answers", path);
    err = check_ids(c, answers, at);
    for (size_t i = 0; i < json_array_size(answers) && err == UM_OK; i++) {
        snprintf(at, sizeof(at), "%s/answers/%zu/reasons", path, i);
        err = tags_check_references(c, json_object_get(json_array_get(answers, i), "reasons"), at);
    }
    return err;
}

um_err parts_check_class(struct um_call *c, enum um_kind k, const json_t *class, const char *path)
{
    um_err err = k == UM_KIND_FOLDER_CLASS || k == UM_KIND_TASK_CLASS ? check_children(c, k, class, path) : UM_OK;

    return err == UM_OK && k == UM_KIND_TASK_CLASS ? check_answers(c, class, path) : err;
}
