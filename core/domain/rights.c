/* What the caller may do, told before he tries: for pages and programs that offer only what will be done. Nothing is decided by
 * it: every call judges anew. */
#include <string.h>
#include "body.h"
#include "component.h"

/* Adds to OBJECT the words of what the caller may do under the ACL. */
static um_err add_permissions(struct um_call *c, json_t *object, const char *acl, const struct acl_about *about)
{
    json_t *list = json_array();
    um_err err = UM_OK;

    json_object_set_new(object, "permissions", list);
    for (unsigned p = 0; p < UM_PERMISSIONS_N && err == UM_OK; p++) {
        bool may;

        err = um_may(c, acl, about, (enum um_permission)p, &may);
        if (err == UM_OK && may)
            json_array_append_new(list, json_string(um_permission_word((enum um_permission)p)));
    }
    return err;
}

/* A class's ACL is that of its new components, and says who may CREATE them. */
static um_err add_class(struct um_call *c, enum um_category k, const json_t *class)
{
    struct acl_about about = { .class_id = um_body_id(class) };
    json_t *one = json_pack("{s:s, s:s}", "category", um_category_word(k), "classId", about.class_id);

    json_array_append_new(c->reply, one);
    return add_permissions(c, one, um_body_data(class, "ACL"), &about);
}

static um_err of_classes(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (unsigned k = 0; k < UM_CATEGORIES_N; k++) {
        enum um_kind kind = um_class_kind((enum um_category)k);

        for (size_t i = 0; i < um_model_count(c->model, kind) && err == UM_OK; i++)
            err = add_class(c, (enum um_category)k, um_model_at(c->model, kind, i));
    }
    return err;
}

static um_err add_component(struct um_call *c, const char *id)
{
    struct component m;
    um_err err = component_find(c, component_category(c), id, &m);

    if (err == UM_OK) {
        struct acl_about about = { component_class_id(&m), json_object_get(m.body, "tags") };
        json_t *one = json_pack("{s:s, s:s}", "category", um_category_word(m.category), "id", id);

        json_array_append_new(c->reply, one);
        err = add_permissions(c, one, um_body_data(m.body, "ACL"), &about);
    }
    component_done(&m);
    return err;
}

static um_err of_components(struct um_call *c)
{
    um_err err = UM_OK;

    c->reply = json_array();
    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++)
        err = add_component(c, um_arg_id(c, "ids", i));
    return err;
}

const struct um_domain_call um_rights_of_classes = { "rights.classes", of_classes, 0 };
const struct um_domain_call um_rights_of_components = { "rights.components", of_components, 0 };
