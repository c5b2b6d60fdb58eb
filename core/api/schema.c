/* From the text of the schema files to nodes. References are joined when all names are known; then loops that would never reach
 * a part of the value are looked for. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "schema_compile.h"

struct api_schemas {
    json_t *files;                           /* what the nodes borrow from */
    json_t *by_name;                         /* {"Name": schema}, sorted */
    struct api_schema *nodes;
    struct api_schema **named;               /* as in by_name */
    size_t n;
};

bool api_compile_fails(struct api_compiler *c, const char *fmt, ...)
{
    va_list ap;
    int n = snprintf(c->why, 256, "schema %s: ", c->component);

    va_start(ap, fmt);
    if (n > 0 && n < 256)
        vsnprintf(c->why + n, 256 - (size_t)n, fmt, ap);
    va_end(ap);
    return false;
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

bool api_compile(struct api_compiler *c, const json_t *text, struct api_schema **out)
{
    struct api_schema *s = *out = node_new(c->all);
    const char *name;
    json_t *v;

    if (json_is_true(text))                  /* anything */
        return true;
    if (!json_is_object(text))
        return api_compile_fails(c, "a schema is an object");
    json_object_foreach((json_t *)text, name, v) {
        const struct api_keyword *k = api_keyword_of(name);
        if (k == NULL)
            return api_compile_fails(c, "the keyword %s is not known", name);
        if (!k->take(c, s, v))
            return false;
    }
    if (s->ref_name != NULL && (s->types != 0 || s->n_properties > 0 || s->choices != NULL || s->values != NULL))
        return api_compile_fails(c, "what stands beside $ref %s is not checked", s->ref_name);
    if (s->n_properties > 0)
        qsort(s->properties, s->n_properties, sizeof(*s->properties), by_name);
    return true;
}

/* ---- files ---- */

static bool add_file(struct api_compiler *c, const struct um_embedded *file)
{
    json_error_t error;
    json_t *object = json_loadb((const char *)file->data.data, file->data.len, JSON_REJECT_DUPLICATES, &error), *v;
    const char *name;

    c->component = file->name;
    if (!json_is_object(object)) {
        json_decref(object);
        return api_compile_fails(c, "line %d: %s", error.line, error.text);
    }
    json_array_append_new(c->all->files, object);
    json_object_foreach(object, name, v) {
        if (json_object_get(c->all->by_name, name) != NULL)
            return api_compile_fails(c, "there is another %s", name);
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

static bool compile_all(struct api_compiler *c)
{
    const char *name;
    json_t *v;

    c->all->named = um_xcalloc(json_object_size(c->all->by_name) + 1, sizeof(struct api_schema *));
    json_object_foreach(c->all->by_name, name, v) {
        c->component = name;
        if (!api_compile(c, v, &c->all->named[c->all->n]))
            return false;
        c->all->named[c->all->n++]->name = name;
    }
    return true;
}

static bool join(struct api_compiler *c)
{
    for (struct api_schema *s = c->all->nodes; s != NULL; s = s->next)
        if (s->ref_name != NULL) {
            s->ref = (struct api_schema *)api_schemas_find(c->all, s->ref_name);
            c->component = "files";
            if (s->ref == NULL)
                return api_compile_fails(c, "there is no %s", s->ref_name);
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

static bool look_for_loops(struct api_compiler *c)
{
    for (size_t i = 0; i < c->all->n; i++) {
        c->component = c->all->named[i]->name;
        if (has_loop(c->all->named[i]))
            return api_compile_fails(c, "refers to itself");
    }
    return true;
}

um_err api_schemas_new(struct api_schemas **out, const struct um_embedded *files, size_t n, char why[256])
{
    struct api_schemas *all = um_xcalloc(1, sizeof(*all));
    struct api_compiler c = { all, "", why };
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
