/* What may be an object of each kind. The schemas have seen the shapes; here is what an object says of others. */
#include <stdio.h>
#include <string.h>
#include "component.h"
#include "objects.h"
#include "parts.h"
#include "retention.h"
#include "tags.h"

static um_err check_acl_of(struct um_call *c, const json_t *asked, const char *path)
{
    const char *acl = json_string_value(json_object_get(json_object_get(asked, "data"), "ACL"));
    char at[64];

    if (um_model_acl(c->model, acl) != NULL)
        return UM_OK;
    snprintf(at, sizeof(at), "%s/data/ACL", path);
    return um_fail_at(c, UM_F00208, at, acl != NULL ? "there is no ACL %s" : "a class needs an ACL%s", acl != NULL ? acl : "");
}

static um_err check_category(struct um_call *c, enum um_kind k, const json_t *asked, const char *path)
{
    const char *category = json_string_value(json_object_get(asked, "category")), *own = um_category_word((enum um_category)k);
    char at[64];

    snprintf(at, sizeof(at), "%s/category", path);
    if (category == NULL || *category == '\0')
        return um_fail_at(c, UM_F00204, at, "a class needs its category, %s", own);
    return strcmp(category, own) == 0 ? UM_OK : um_fail_at(c, UM_F00204, at, "the category here is %s", own);
}

static um_err check_tags(struct um_call *c, const json_t *asked, const char *path)
{
    char at[64];

    snprintf(at, sizeof(at), "%s/tagReferences", path);
    return tags_check_references(c, json_object_get(asked, "tagReferences"), at);
}

static um_err check_class(struct um_call *c, enum um_kind k, const json_t *asked, const char *path)
{
    um_err err = check_category(c, k, asked, path);

    if (err == UM_OK)
        err = check_acl_of(c, asked, path);
    if (err == UM_OK)
        err = check_tags(c, asked, path);
    if (err == UM_OK)
        err = retention_check_class(c, asked, path);
    return err == UM_OK ? parts_check_class(c, k, asked, path) : err;
}

static um_err check_acl(struct um_call *c, const json_t *asked, const char *path)
{
    char at[64], why[200], whole[128];

    if (!acl_fault(asked, at, why))
        return UM_OK;
    snprintf(whole, sizeof(whole), "%s%s", path, at);
    return um_fail_at(c, UM_U00400, whole, "%s", why);
}

um_err object_check(struct um_call *c, enum um_kind k, const json_t *asked, const char *path)
{
    if (k == UM_KIND_ACL)
        return check_acl(c, asked, path);
    if (k == UM_KIND_TAG_CLASS)
        return tags_check_class(c, asked, path);
    return k <= UM_KIND_VIRTUAL_FOLDER_CLASS ? check_class(c, k, asked, path) : UM_OK;
}

/* ---- may it go? ---- */

static bool names_tag(const json_t *class, const char *tag)
{
    size_t i;
    json_t *reference;

    json_array_foreach(json_object_get(class, "tagReferences"), i, reference) {
        const char *name = json_string_value(json_object_get(reference, "tagName"));

        if (name != NULL && strcmp(name, tag) == 0)
            return true;
    }
    return false;
}

static bool names_acl(const json_t *class, const char *acl)
{
    const char *own = json_string_value(json_object_get(json_object_get(class, "data"), "ACL"));

    return own != NULL && strcmp(own, acl) == 0;
}

um_err object_check_unused(struct um_call *c, enum um_kind k, const char *id)
{
    bool (*names)(const json_t *class, const char *id) = k == UM_KIND_ACL ? names_acl : k == UM_KIND_TAG_CLASS ? names_tag : NULL;

    for (size_t i = 0; names != NULL && i < UM_CATEGORIES_N; i++) {
        enum um_kind of = um_class_kind((enum um_category)i);

        for (size_t n = 0; n < um_model_count(c->model, of); n++)
            if (names(um_model_at(c->model, of, n), id))
                return um_fail(c, UM_U00409, "the %s %s uses it", um_kind_word(of),
                               json_string_value(json_object_get(um_model_at(c->model, of, n), "id")));
    }
    return component_check_none(c, k, id);
}
