/* See tags.h. First each tag that was asked for, then each that its class declares. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "conditions.h"
#include "fill.h"
#include "tag_pattern.h"
#include "tag_types.h"
#include "tags.h"

struct work {
    struct um_call *c;
    const struct tags_ask *ask;
    struct um_map references, seen;          /* name -> the reference; name -> the tag in OUT */
    json_t *out;
    size_t n_values;
};

static const char *name_of(const json_t *tag) { return json_string_value(json_object_get(tag, "name")); }
static bool has(const json_t *o, const char *member) { return json_is_true(json_object_get(o, member)); }

const json_t *tags_find(const json_t *tags, const char *name)
{
    size_t i;
    json_t *tag;

    json_array_foreach(tags, i, tag)
        if (name_of(tag) != NULL && strcmp(name_of(tag), name) == 0)
            return tag;
    return NULL;
}

static um_err fail(struct work *w, enum um_code code, size_t i, const char *member, const char *why)
{
    char at[100];

    snprintf(at, sizeof(at), "%s/%zu%s%s", w->ask->path, i, *member != '\0' ? "/" : "", member);
    return um_fail_at(w->c, code, at, "%s", why);
}

/* ---- one value ---- */

/* Is it among the allowed ones, and offered by one of its conditions? */
static bool is_offered(struct work *w, const json_t *tag_class, const char *value)
{
    struct acl_about about = { NULL, w->ask->asked };
    size_t i, k;
    json_t *allowed, *condition;

    json_array_foreach(json_object_get(tag_class, "allowedValues"), i, allowed) {
        const json_t *conditions = json_object_get(allowed, "conditions");
        const char *symbol = json_string_value(json_object_get(allowed, "symbolicName"));

        if (symbol == NULL || strcmp(symbol, value) != 0)
            continue;
        if (json_array_size(conditions) == 0)
            return true;
        json_array_foreach(conditions, k, condition)
            if (condition_holds(json_string_value(condition), NULL, &about))
                return true;
    }
    return false;
}

static const char *pattern_of(const json_t *reference, const json_t *tag_class)
{
    const char *own = json_string_value(json_object_get(reference, "pattern"));

    if (own == NULL || *own == '\0')
        own = json_string_value(json_object_get(tag_class, "pattern"));
    return own != NULL && *own != '\0' ? own : NULL;
}

static um_err match(struct work *w, const char *pattern, const char *value, char why[200])
{
    enum tag_match m;

    if (w->c->matches++ == TAGS_MATCHES_MAX)
        return um_fail(w->c, UM_U00413, "a call has at most %d values with patterns", TAGS_MATCHES_MAX);
    m = tag_pattern_match(pattern, value);
    if (m != TAG_MATCHES)
        snprintf(why, 200, m == TAG_DIFFERS ? "it does not match %.150s" : "it is too much work to match %.150s", pattern);
    return UM_OK;
}

/* WHY stays "" when it may be. */
static um_err check_value(struct work *w, const json_t *reference, const char *value, char why[200])
{
    const json_t *tag_class = um_model_find(w->c->model, UM_KIND_TAG_CLASS, json_string_value(json_object_get(reference, "tagName")));
    enum um_tag_type type = um_tag_type(tag_class);
    const char *pattern = pattern_of(reference, tag_class);

    why[0] = '\0';
    if (strlen(value) > TAGS_VALUE_MAX)
        snprintf(why, 200, "a value has at most %d bytes", TAGS_VALUE_MAX);
    else if (*value != '\0' && !um_tag_read(type, value, NULL))
        snprintf(why, 200, "it is not %s", um_tag_form(type));
    else if (*value != '\0' && um_tag_is_chosen(type) && json_array_size(json_object_get(tag_class, "allowedValues")) > 0 &&
             !is_offered(w, tag_class, value))
        snprintf(why, 200, "it is not one of the values to choose from");
    return why[0] == '\0' && *value != '\0' && pattern != NULL ? match(w, pattern, value, why) : UM_OK;
}

/* ---- one tag ---- */

static um_err check_values(struct work *w, const json_t *reference, const json_t *values, size_t i)
{
    char at[40], why[200];
    size_t k;
    json_t *value;
    um_err err;

    if (values != NULL && !json_is_array(values) && !json_is_null(values))
        return fail(w, UM_U00400, i, "value", "a list of texts");
    if (json_array_size(values) > 1 && !has(reference, "multivalued"))
        return fail(w, UM_U00400, i, "value", "it has one value only");
    w->n_values += json_array_size(values) + 1;
    if (w->n_values > TAGS_VALUES_MAX)
        return fail(w, UM_U00413, i, "value", "a component has too many tags, or values of tags");
    json_array_foreach(values, k, value) {
        snprintf(at, sizeof(at), "value/%zu", k);
        if (!json_is_string(value))
            return fail(w, UM_U00400, i, at, "a value is a text");
        err = check_value(w, reference, json_string_value(value), why);
        if (err != UM_OK || why[0] != '\0')
            return err != UM_OK ? err : fail(w, UM_U00400, i, at, why);
    }
    return UM_OK;
}

static void keep(struct work *w, const json_t *tag, const char *name, json_t *values)
{
    json_t *kept = tag != NULL ? json_copy((json_t *)tag) : json_object();

    json_object_set_new(kept, "name", json_string(name));
    json_object_set_new(kept, "value", values);
    json_object_set_new(kept, "readOnly", json_boolean(has(tag, "readOnly")));
    json_array_append_new(w->out, kept);
    um_map_put(&w->seen, UM_SPAN_STR(name), kept);
}

/* What a component was created with, and users do not change any more. */
static bool is_fixed(const struct work *w, const json_t *reference)
{
    return w->ask->before != NULL && has(reference, "readonly");
}

static bool same_values(const json_t *a, const json_t *b)
{
    return (json_array_size(a) == 0 && json_array_size(b) == 0) || json_equal(a, b) == 1;
}

static um_err take(struct work *w, const json_t *tag, size_t i)
{
    const char *name = name_of(tag);
    const json_t *reference = name != NULL ? um_map_get(&w->references, UM_SPAN_STR(name)) : NULL;
    const json_t *values = json_object_get(tag, "value");
    char why[300];
    um_err err;

    snprintf(why, sizeof(why), "the class has no tag %.200s", name != NULL ? name : "without a name");
    if (reference == NULL)
        return fail(w, UM_F00032, i, "name", why);
    if (um_map_get(&w->seen, UM_SPAN_STR(name)) != NULL)
        return fail(w, UM_U00400, i, "name", "the tag is there twice");
    if (is_fixed(w, reference) && !same_values(values, json_object_get(tags_find(w->ask->before, name), "value")))
        return fail(w, UM_U00400, i, "value", "the tag is read-only");
    err = check_values(w, reference, values, i);
    if (err == UM_OK)
        keep(w, tag, name, json_is_array(values) ? json_incref((json_t *)values) : json_array());
    return err;
}

/* ---- what is declared ---- */

static bool is_empty(const json_t *tag)
{
    size_t i;
    json_t *value;

    json_array_foreach(json_object_get(tag, "value"), i, value)
        if (json_string_length(value) > 0)
            return false;
    return true;
}

static json_t *filled(const struct um_call *c, const json_t *value)
{
    char *text = fill_text(c, json_string_value(value), NULL);
    json_t *v = json_string(text);

    free(text);
    return v;
}

/* A text, or a list of them. */
static json_t *defaults_of(const struct um_call *c, const json_t *reference)
{
    const json_t *v = json_object_get(reference, "defaultValue");
    json_t *values = json_array(), *one;
    size_t i;

    if (json_is_string(v) && json_string_length(v) > 0)
        json_array_append_new(values, filled(c, v));
    json_array_foreach(v, i, one)
        if (json_is_string(one))
            json_array_append_new(values, filled(c, one));
    return values;
}

static um_err add_default(struct work *w, const json_t *reference, const char *name)
{
    json_t *values = defaults_of(w->c, reference);
    um_err err = json_array_size(values) > 0 ? check_values(w, reference, values, json_array_size(w->ask->asked)) : UM_OK;

    if (err == UM_OK && json_array_size(values) > 0)
        keep(w, NULL, name, json_incref(values));
    json_decref(values);
    return err;
}

static um_err complete(struct work *w, const json_t *reference)
{
    const char *name = json_string_value(json_object_get(reference, "tagName"));
    const json_t *tag = um_map_get(&w->seen, UM_SPAN_STR(name)), *was = tags_find(w->ask->before, name);

    if (tag == NULL && was != NULL && is_fixed(w, reference)) {
        keep(w, was, name, json_incref(json_object_get(was, "value")));
        tag = was;
    }
    if (has(reference, "mandatory") && (tag == NULL || is_empty(tag)))
        return um_fail_at(w->c, UM_F00033, w->ask->path, "the tag %s is mandatory", name);
    return tag == NULL && w->ask->before == NULL ? add_default(w, reference, name) : UM_OK;
}

um_err tags_make(struct um_call *c, const struct tags_ask *a, json_t **out)
{
    struct work w = { .c = c, .ask = a, .out = json_array() };
    um_err err = UM_OK;
    size_t i;
    json_t *reference;

    *out = NULL;
    json_array_foreach(a->references, i, reference)
        um_map_put(&w.references, UM_SPAN_STR(json_string_value(json_object_get(reference, "tagName"))), reference);
    for (i = 0; i < json_array_size(a->asked) && err == UM_OK; i++)
        err = take(&w, json_array_get(a->asked, i), i);
    for (i = 0; i < json_array_size(a->references) && err == UM_OK; i++)
        err = complete(&w, json_array_get(a->references, i));
    um_map_free(&w.references);
    um_map_free(&w.seen);
    if (err == UM_OK)
        *out = w.out;
    else
        json_decref(w.out);
    return err;
}
