/* From the text of the schema files to nodes. Every keyword has a row; one that has none is refused, so that nothing is written
 * in a schema that is not checked. References are joined when all names are known; then loops that would never reach a part of
 * the value are looked for. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "schema.h"

#define REF_PREFIX "#/components/schemas/"

struct api_schemas {
    json_t *files;                           /* what the nodes borrow from */
    json_t *by_name;                         /* {"Name": schema}, sorted */
    struct api_schema *nodes;
    struct api_schema **named;               /* as in by_name */
    size_t n;
};

struct compiler { struct api_schemas *all; const char *component; char *why; };

static bool fail(struct compiler *c, const char *fmt, ...) UM_PRINTF(2, 3);
static bool fail(struct compiler *c, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(c->why, 256, "schema %s: ", c->component);

    va_start(ap, fmt);
    if (n > 0 && n < 256)
        vsnprintf(c->why + n, 256 - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
}

static bool compile(struct compiler *c, const json_t *text, struct api_schema **out);

/* ---- keywords ---- */

static const struct { const char *name; unsigned bits; } type_names[] = {
    { "null", API_NULL }, { "boolean", API_BOOL }, { "integer", API_INT }, { "number", API_NUMBER },
    { "string", API_STRING }, { "array", API_ARRAY }, { "object", API_OBJECT },
};

static bool add_type(struct compiler *c, struct api_schema *s, const json_t *v)
{
    const char *name = json_string_value(v);

    for (size_t i = 0; name != NULL && i < UM_COUNT(type_names); i++)
        if (strcmp(type_names[i].name, name) == 0) {
            s->types |= type_names[i].bits;
            return true;
        }
    return fail(c, "unknown type %s", name != NULL ? name : "");
}

static bool take_type(struct compiler *c, struct api_schema *s, const json_t *v)
{
    size_t i;
    json_t *one;

    if (!json_is_array(v))
        return add_type(c, s, v);
    json_array_foreach(v, i, one)
        if (!add_type(c, s, one))
            return false;
    return json_array_size(v) > 0 || fail(c, "type names none");
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

static bool take_properties(struct compiler *c, struct api_schema *s, const json_t *v)
{
    const char *name;
    json_t *sub;

    if (!json_is_object(v))
        return fail(c, "properties is no object");
    json_object_foreach((json_t *)v, name, sub) {
        struct api_schema *compiled;
        if (!compile(c, sub, &compiled))
            return false;
        property(s, name)->schema = compiled;
    }
    return true;
}

static bool take_required(struct compiler *c, struct api_schema *s, const json_t *v)
{
    size_t i;
    json_t *name;

    if (!json_is_array(v))
        return fail(c, "required is no array");
    json_array_foreach(v, i, name) {
        struct api_property *p;
        if (!json_is_string(name))
            return fail(c, "required has something that is no name");
        p = property(s, json_string_value(name));
        if (p->required)
            return fail(c, "requires %s twice", p->name);
        p->required = true;
        s->n_required++;
    }
    return true;
}

static bool take_additional(struct compiler *c, struct api_schema *s, const json_t *v)
{
    if (!json_is_boolean(v))
        return compile(c, v, &s->extra);
    s->closed = json_is_false(v);
    return true;
}

static bool take_items(struct compiler *c, struct api_schema *s, const json_t *v) { return compile(c, v, &s->items); }

static bool take_enum(struct compiler *c, struct api_schema *s, const json_t *v)
{
    s->values = v;
    return json_array_size(v) > 0 || fail(c, "enum has no values");
}

static bool take_const(struct compiler *c, struct api_schema *s, const json_t *v)
{
    (void)c;
    s->constant = v;
    return true;
}

static bool take_number(struct compiler *c, const json_t **out, const json_t *v)
{
    *out = v;
    return json_is_number(v) || fail(c, "a bound that is no number");
}

static bool take_minimum(struct compiler *c, struct api_schema *s, const json_t *v) { return take_number(c, &s->minimum, v); }
static bool take_maximum(struct compiler *c, struct api_schema *s, const json_t *v) { return take_number(c, &s->maximum, v); }

static bool take_size(struct compiler *c, int64_t *out, const json_t *v)
{
    *out = json_integer_value(v);
    return (json_is_integer(v) && *out >= 0) || fail(c, "a length or count that is no number");
}

static bool take_min_length(struct compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->length.min, v); }
static bool take_max_length(struct compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->length.max, v); }
static bool take_min_items(struct compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->count.min, v); }
static bool take_max_items(struct compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->count.max, v); }
static bool take_min_members(struct compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->members.min, v); }
static bool take_max_members(struct compiler *c, struct api_schema *s, const json_t *v) { return take_size(c, &s->members.max, v); }

static bool take_format(struct compiler *c, struct api_schema *s, const json_t *v)
{
    s->format = json_is_string(v) ? api_format_find(json_string_value(v)) : NULL;
    return s->format != NULL || fail(c, "unknown format %s", json_is_string(v) ? json_string_value(v) : "");
}

static bool take_any(struct compiler *c, struct api_schema *s, const json_t *v)
{
    size_t n = json_array_size(v);

    if (n == 0 || s->choices != NULL)
        return fail(c, "one list of alternatives, with at least one");
    s->choices = um_xcalloc(n, sizeof(struct api_schema *));
    for (; s->n_choices < n; s->n_choices++)
        if (!compile(c, json_array_get(v, s->n_choices), &s->choices[s->n_choices]))
            return false;
    return true;
}

static bool take_one(struct compiler *c, struct api_schema *s, const json_t *v)
{
    s->exactly_one = true;
    return take_any(c, s, v);
}

static bool take_ref(struct compiler *c, struct api_schema *s, const json_t *v)
{
    const char *ref = json_string_value(v);

    if (ref == NULL || strncmp(ref, REF_PREFIX, strlen(REF_PREFIX)) != 0)
        return fail(c, "$ref is " REF_PREFIX "Name");
    s->ref_name = ref + strlen(REF_PREFIX);
    return true;
}

static bool explain(struct compiler *c, struct api_schema *s, const json_t *v)
{
    (void)c;
    (void)s;
    (void)v;
    return true;
}

static const struct keyword { const char *name; bool (*take)(struct compiler *, struct api_schema *, const json_t *); } keywords[] = {
    { "type", take_type }, { "properties", take_properties }, { "required", take_required },
    { "additionalProperties", take_additional }, { "items", take_items }, { "enum", take_enum }, { "const", take_const },
    { "minimum", take_minimum }, { "maximum", take_maximum }, { "minLength", take_min_length }, { "maxLength", take_max_length },
    { "minItems", take_min_items }, { "maxItems", take_max_items }, { "minProperties", take_min_members },
    { "maxProperties", take_max_members }, { "format", take_format }, { "oneOf", take_one }, { "anyOf", take_any },
    { "$ref", take_ref }, { "description", explain }, { "default", explain }, { "title", explain }, { "examples", explain },
    { "deprecated", explain },
};

static const struct keyword *keyword_of(const char *name)
{
    for (size_t i = 0; i < UM_COUNT(keywords); i++)
        if (strcmp(keywords[i].name, name) == 0)
            return &keywords[i];
    return NULL;
}

/* ---- nodes ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct api_property *)a)->name, ((const struct api_property *)b)->name);
}

static struct api_schema *node_new(struct api_schemas *all)
{
    struct api_schema *s = um_xcalloc(1, sizeof(*s));

    s->length.max = s->count.max = s->members.max = INT64_MAX;
    s->next = all->nodes;
    all->nodes = s;
    return s;
}

static bool compile(struct compiler *c, const json_t *text, struct api_schema **out)
{
    struct api_schema *s = *out = node_new(c->all);
    const char *name;
    json_t *v;

    if (json_is_true(text))                  /* anything */
        return true;
    if (!json_is_object(text))
        return fail(c, "a schema is an object");
    json_object_foreach((json_t *)text, name, v) {
        const struct keyword *k = keyword_of(name);
        if (k == NULL)
            return fail(c, "the keyword %s is not known", name);
        if (!k->take(c, s, v))
            return false;
    }
    if (s->ref_name != NULL && (s->types != 0 || s->n_properties > 0 || s->choices != NULL || s->values != NULL))
        return fail(c, "what stands beside $ref %s is not checked", s->ref_name);
    if (s->n_properties > 0)
        qsort(s->properties, s->n_properties, sizeof(*s->properties), by_name);
    return true;
}

/* ---- files ---- */

static bool add_file(struct compiler *c, const struct um_embedded *file)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)file->data.data, file->data.len, JSON_REJECT_DUPLICATES, &error), *v;
    const char *name;

    c->component = file->name;
    if (!json_is_object(object)) {
        json_decref(object);
        return fail(c, "line %d: %s", error.line, error.text);
    }
    json_array_append_new(c->all->files, object);
    json_object_foreach(object, name, v) {
        if (json_object_get(c->all->by_name, name) != NULL)
            return fail(c, "there is another %s", name);
        json_object_set(c->all->by_name, name, v);
    }
    return true;
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static void sort(struct api_schemas *all)
{
    size_t n = json_object_size(all->by_name), i = 0;
    const char **names = um_xcalloc(n + 1, sizeof(*names)), *name;
    json_t *sorted = json_object(), *v;

    json_object_foreach(all->by_name, name, v)
        names[i++] = name;
    if (n > 0)
        qsort(names, n, sizeof(*names), by_text);
    for (i = 0; i < n; i++)
        json_object_set(sorted, names[i], json_object_get(all->by_name, names[i]));
    free(names);
    json_decref(all->by_name);
    all->by_name = sorted;
}

static bool compile_all(struct compiler *c)
{
    const char *name;
    json_t *v;

    c->all->named = um_xcalloc(json_object_size(c->all->by_name) + 1, sizeof(struct api_schema *));
    json_object_foreach(c->all->by_name, name, v) {
        c->component = name;
        if (!compile(c, v, &c->all->named[c->all->n]))
            return false;
        c->all->named[c->all->n++]->name = name;
    }
    return true;
}

static bool join(struct compiler *c)
{
    for (struct api_schema *s = c->all->nodes; s != NULL; s = s->next)
        if (s->ref_name != NULL) {
            s->ref = (struct api_schema *)api_schemas_find(c->all, s->ref_name);
            c->component = "files";
            if (s->ref == NULL)
                return fail(c, "there is no %s", s->ref_name);
        }
    return true;
}

/* A node that is asked again about the same value would be asked for ever. */
static bool has_loop(struct api_schema *s)
{
    bool found = s->mark == 1;

    if (s->mark != 0)
        return found;
    s->mark = 1;
    if (s->ref != NULL)
        found = has_loop(s->ref);
    for (size_t i = 0; !found && i < s->n_choices; i++)
        found = has_loop(s->choices[i]);
    s->mark = 2;
    return found;
}

static bool look_for_loops(struct compiler *c)
{
    for (size_t i = 0; i < c->all->n; i++) {
        c->component = c->all->named[i]->name;
        if (has_loop(c->all->named[i]))
            return fail(c, "refers to itself");
    }
    return true;
}

um_err api_schemas_new(struct api_schemas **out, const struct um_embedded *files, size_t n, char why[256])
{
    struct api_schemas *all = um_xcalloc(1, sizeof(*all));
    struct compiler c = { all, "", why };
    bool ok = true;

    *out = NULL;
    all->files = json_array();
    all->by_name = json_object();
    for (size_t i = 0; ok && i < n; i++)
        ok = add_file(&c, &files[i]);
    sort(all);
    if (!ok || !compile_all(&c) || !join(&c) || !look_for_loops(&c)) {
        api_schemas_free(all);
        return UM_EINVAL;
    }
    *out = all;
    return UM_OK;
}

void api_schemas_free(struct api_schemas *all)
{
    struct api_schema *s, *next;

    if (all == NULL)
        return;
    for (s = all->nodes; s != NULL; s = next) {
        next = s->next;
        free(s->properties);
        free(s->choices);
        free(s);
    }
    free(all->named);
    json_decref(all->by_name);
    json_decref(all->files);
    free(all);
}

static int name_of(const void *name, const void *s) { return strcmp(name, (*(struct api_schema *const *)s)->name); }

const struct api_schema *api_schemas_find(const struct api_schemas *s, const char *name)
{
    struct api_schema **found = s->n > 0 ? bsearch(name, s->named, s->n, sizeof(*s->named), name_of) : NULL;

    return found != NULL ? *found : NULL;
}

json_t *api_schemas_json(const struct api_schemas *s) { return s->by_name; }

const struct api_schema *api_schema_real(const struct api_schema *s)
{
    while (s->ref != NULL)
        s = s->ref;
    return s;
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
