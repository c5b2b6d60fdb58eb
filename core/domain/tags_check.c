/* What may be a tag class, and a reference to one. */
#include <stdio.h>
#include <string.h>
#include <umbel/map.h>
#include "conditions.h"
#include "tag_pattern.h"
#include "tag_types.h"
#include "tags.h"

enum { LEVELS_MAX = 2 };                     /* of conditional tags that look at conditional tags */

static um_err fail(struct um_call *c, const char *path, const char *member, const char *why)
{
    char at[200];

    snprintf(at, sizeof(at), "%s/%s", path, member);
    return um_fail_at(c, UM_U00400, at, "%s", why);
}

static um_err check_pattern(struct um_call *c, const json_t *v, const char *path)
{
    char why[200];

    if (v == NULL || json_is_null(v))
        return UM_OK;
    if (!json_is_string(v))
        return fail(c, path, "pattern", "a pattern is a text");
    return tag_pattern_fault(json_string_value(v), why) ? fail(c, path, "pattern", why) : UM_OK;
}

/* ---- a tag class ---- */

/* How many levels of conditional tags there are from NAMED on, itself too; what is not there yet counts for none. */
static unsigned levels(const struct um_model *m, const json_t *tag_class, unsigned depth)
{
    unsigned most = 0;
    size_t i, k;
    json_t *allowed, *condition;

    if (um_tag_type(tag_class) != UM_TAG_CONDITIONAL || depth > LEVELS_MAX)
        return 0;
    json_array_foreach(json_object_get(tag_class, "allowedValues"), i, allowed)
        json_array_foreach(json_object_get(allowed, "conditions"), k, condition) {
            char name[UM_DOMAIN_ID_MAX + 1];
            struct um_span tag;
            unsigned n;

            if (!condition_read(json_string_value(condition), &tag) || tag.len == 0 || tag.len > UM_DOMAIN_ID_MAX)
                continue;
            memcpy(name, tag.data, tag.len);
            name[tag.len] = '\0';
            n = levels(m, um_model_find(m, UM_KIND_TAG_CLASS, name), depth + 1);
            most = n > most ? n : most;
        }
    return most + 1;
}

static um_err check_conditions(struct um_call *c, const json_t *conditions, const char *path)
{
    struct um_span tag;
    size_t i;
    json_t *condition;

    json_array_foreach(conditions, i, condition)
        if (!json_is_string(condition) || !condition_read(json_string_value(condition), &tag) || tag.len == 0)
            return fail(c, path, "conditions", "a condition is ${tags.X}==A or ${tags.X}!=A");
    return UM_OK;
}

static um_err check_allowed(struct um_call *c, const json_t *tag_class, const char *path)
{
    struct um_map seen = { 0 };
    um_err err = UM_OK;
    size_t i;

    for (i = 0; i < json_array_size(json_object_get(tag_class, "allowedValues")) && err == UM_OK; i++) {
        json_t *allowed = json_array_get(json_object_get(tag_class, "allowedValues"), i);
        const char *symbol = json_string_value(json_object_get(allowed, "symbolicName"));
        char at[100];

        snprintf(at, sizeof(at), "%s/allowedValues/%zu", path, i);
        if (symbol == NULL || um_map_put(&seen, UM_SPAN_STR(symbol), allowed) != NULL)
            err = fail(c, at, "symbolicName", symbol == NULL ? "a value has a name" : "it is there twice");
        else
            err = check_conditions(c, json_object_get(allowed, "conditions"), at);
    }
    um_map_free(&seen);
    return err;
}

um_err tags_check_class(struct um_call *c, const json_t *tag_class, const char *path)
{
    const json_t *type = json_object_get(tag_class, "type");
    enum um_tag_type t;
    um_err err;

    if (type != NULL && (!json_is_string(type) || !um_tag_type_of(json_string_value(type), &t)))
        return fail(c, path, "type", "there is no such type of tags");
    err = check_pattern(c, json_object_get(tag_class, "pattern"), path);
    if (err == UM_OK)
        err = check_allowed(c, tag_class, path);
    if (err == UM_OK && levels(c->model, tag_class, 0) > LEVELS_MAX)
        return fail(c, path, "allowedValues", "conditional tags look at conditional ones over two levels at most");
    return err;
}

/* ---- references ---- */

static um_err check_reference(struct um_call *c, const json_t *reference, const char *path, struct um_map *seen)
{
    const char *name = json_string_value(json_object_get(reference, "tagName"));
    const json_t *tag_class = um_model_find(c->model, UM_KIND_TAG_CLASS, name);
    char at[120];

    snprintf(at, sizeof(at), "%s/tagName", path);
    if (name == NULL)
        return um_fail_at(c, UM_U00400, at, "a reference names its tag");
    if (tag_class == NULL)
        return um_fail_at(c, UM_F00205, at, "there is no tag class %s", name);
    if (um_map_put(seen, UM_SPAN_STR(name), (void *)reference) != NULL)
        return um_fail_at(c, UM_U00400, at, "the tag is there twice");
    if (um_tag_type(tag_class) == UM_TAG_CONDITIONAL && json_is_true(json_object_get(reference, "multivalued")))
        return fail(c, path, "multivalued", "a conditional tag has one value only");
    return check_pattern(c, json_object_get(reference, "pattern"), path);
}

um_err tags_check_references(struct um_call *c, const json_t *references, const char *path)
{
    struct um_map seen = { 0 };
    um_err err = UM_OK;

    for (size_t i = 0; i < json_array_size(references) && err == UM_OK; i++) {
        char at[100];

        snprintf(at, sizeof(at), "%s/%zu", path, i);
        err = check_reference(c, json_array_get(references, i), at, &seen);
    }
    um_map_free(&seen);
    return err;
}
