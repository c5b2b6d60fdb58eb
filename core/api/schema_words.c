/* The keywords of schemas, a row each; one that has none is refused, so that nothing is written in a schema that is not checked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "schema_compile.h"

#define REF_PREFIX "#/components/schemas/"

static const struct { const char *name; unsigned bits; } type_names[] = {
    { "null", API_NULL }, { "boolean", API_BOOL }, { "integer", API_INT }, { "number", API_NUMBER },
    { "string", API_STRING }, { "array", API_ARRAY }, { "object", API_OBJECT },
};

static bool add_type(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    const char *name = json_string_value(v);

    for (size_t i = 0; name != NULL && i < UM_COUNT(type_names); i++)
        if (strcmp(type_names[i].name, name) == 0) {
            s->types |= type_names[i].bits;
            return true;
        }
    return api_compile_fails(c, "unknown type %s", name != NULL ? name : "");
}

static bool take_type(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    size_t i;
    json_t *one;

    if (!json_is_array(v))
        return add_type(c, s, v);
    json_array_foreach(v, i, one)
        if (!add_type(c, s, one))
            return false;
    return json_array_size(v) > 0 || api_compile_fails(c, "type names none");
}

static struct api_property *property(struct api_schema *s, const char *name)
{
    for (size_t i = 0; i < s->n_properties; i++)
        if (strcmp(s->properties[i].name, name) == 0)
            return &s->properties[i];
    s->properties = um_xrealloc(s->properties, (s->n_properties + 1) * sizeof(*s->properties));
    s->properties[s->n_properties] = (struct api_property){ .name = name };
    return &s->properties[s->n_properties++];
}

static bool take_properties(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    const char *name;
    json_t *sub;

    if (!json_is_object(v))
        return api_compile_fails(c, "properties is no object");
    json_object_foreach((json_t *)v, name, sub) {
        struct api_schema *compiled;
        if (!api_compile(c, sub, &compiled))
            return false;
        property(s, name)->schema = compiled;
    }
    return true;
}

static bool take_required(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    size_t i;
    json_t *name;

    if (!json_is_array(v))
        return api_compile_fails(c, "required is no array");
    json_array_foreach(v, i, name) {
        struct api_property *p;
        if (!json_is_string(name))
            return api_compile_fails(c, "required has something that is no name");
        p = property(s, json_string_value(name));
        if (p->required)
            return api_compile_fails(c, "requires %s twice", p->name);
        p->required = true;
        s->n_required++;
    }
    return true;
}

static bool take_additional(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    if (!json_is_boolean(v))
        return api_compile(c, v, &s->extra);
    s->closed = json_is_false(v);
    return true;
}

static bool take_items(struct api_compiler *c, struct api_schema *s, const json_t *v) { return api_compile(c, v, &s->items); }

static bool take_enum(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    s->values = v;
    return json_array_size(v) > 0 || api_compile_fails(c, "enum has no values");
}

static bool take_const(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    (void)c;
    s->constant = v;
    return true;
}

static bool take_number(struct api_compiler *c, const json_t **out, const json_t *v)
{
    *out = v;
    return json_is_number(v) || api_compile_fails(c, "a bound that is no number");
}

static bool take_minimum(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    return take_number(c, &s->minimum, v);
}

static bool take_maximum(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    return take_number(c, &s->maximum, v);
}

static bool take_size(struct api_compiler *c, int64_t *out, const json_t *v)
{
    *out = json_integer_value(v);
    return (json_is_integer(v) && *out >= 0) || api_compile_fails(c, "a length or count that is no number");
}


#define TAKE_SIZE(name, at) \
    static bool name(struct api_compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->at, v); }
TAKE_SIZE(take_min_length, length.min)
TAKE_SIZE(take_max_length, length.max)
TAKE_SIZE(take_min_items, count.min)
TAKE_SIZE(take_max_items, count.max)
TAKE_SIZE(take_min_members, members.min)
TAKE_SIZE(take_max_members, members.max)

static bool take_format(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    s->format = json_is_string(v) ? api_format_find(json_string_value(v)) : NULL;
    return s->format != NULL || api_compile_fails(c, "unknown format %s", json_is_string(v) ? json_string_value(v) : "");
}

static bool take_any(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    size_t n = json_array_size(v);

    if (n == 0 || s->choices != NULL)
        return api_compile_fails(c, "one list of alternatives, with at least one");
    s->choices = um_xcalloc(n, sizeof(struct api_schema *));
    for (; s->n_choices < n; s->n_choices++)
        if (!api_compile(c, json_array_get(v, s->n_choices), &s->choices[s->n_choices]))
            return false;
    return true;
}

static bool take_one(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    s->exactly_one = true;
    return take_any(c, s, v);
}

static bool take_ref(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    const char *ref = json_string_value(v);

    if (ref == NULL || strncmp(ref, REF_PREFIX, strlen(REF_PREFIX)) != 0)
        return api_compile_fails(c, "$ref is " REF_PREFIX "Name");
    s->ref_name = ref + strlen(REF_PREFIX);
    return true;
}

static bool explain(struct api_compiler *c, struct api_schema *s, const json_t *v)
{
    (void)c;
    (void)s;
    (void)v;
    return true;
}

static const struct api_keyword keywords[] = {
    { "type", take_type }, { "properties", take_properties }, { "required", take_required },
    { "additionalProperties", take_additional }, { "items", take_items }, { "enum", take_enum }, { "const", take_const },
    { "minimum", take_minimum }, { "maximum", take_maximum },
    { "minLength", take_min_length }, { "maxLength", take_max_length },
    { "minItems", take_min_items }, { "maxItems", take_max_items },
    { "minProperties", take_min_members }, { "maxProperties", take_max_members },
    { "format", take_format }, { "oneOf", take_one }, { "anyOf", take_any }, { "$ref", take_ref },
    { "description", explain }, { "default", explain }, { "title", explain }, { "examples", explain }, { "deprecated", explain },
};

const struct api_keyword *api_keyword_of(const char *name)
{
    for (size_t i = 0; i < UM_COUNT(keywords); i++)
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

void api_types_text(unsigned types, char out[96])
{
    static const struct { unsigned bits; const char *text; } words[] = {
        { API_OBJECT, "an object" }, { API_ARRAY, "an array" }, { API_STRING, "a string" }, { API_NUMBER, "a number" },
        { API_INT, "an integer" }, { API_BOOL, "true or false" }, { API_NULL, "null" },
    };
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < UM_COUNT(words); i++)
        if ((types & words[i].bits) == words[i].bits) {
            n += (size_t)snprintf(out + n, 96 - n, "%s%s", n > 0 ? " or " : "", words[i].text);
            types &= ~words[i].bits;
        }
}
