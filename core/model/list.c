/* The list: items, their names, their order; and reading what stands at the top of a text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "list.h"

static const struct { const char *word, *key; } kinds[UM_MODEL_KINDS_N] = {
#define X(id, word, key, element) [UM_MODEL_##id] = { word, key },
    UM_MODEL_KINDS(X)
#undef X
};

const char *um_model_kind_word(enum um_model_kind k) { return kinds[k].word; }
const char *um_model_kind_key(enum um_model_kind k) { return kinds[k].key; }

struct um_model_list *um_model_list_new(void) { return um_xcalloc(1, sizeof(struct um_model_list)); }

void um_model_list_free(struct um_model_list *l)
{
    size_t i;

    if (l == NULL)
        return;
    for (i = 0; i < l->n; i++)
        json_decref(l->items[i].json);
    for (i = 0; i < l->n_sources; i++) {
        um_yaml_free(l->sources[i]->yaml);
        free(l->sources[i]->name);
        free(l->sources[i]);
    }
    model_variables_free(l);
    um_map_free(&l->by_name);
    free(l->sources);
    free(l->items);
    free(l);
}

/* ---- items ---------------------------------------------------------------------------------------------- */

size_t um_model_list_count(const struct um_model_list *l) { return l->n; }

const struct um_model_item *um_model_list_at(const struct um_model_list *l, size_t i) { return &l->items[i]; }

/* For comparing items by kind and id. */
static int item_order(const void *a, const void *b)
{
    const struct um_model_item *x = a, *y = b;

    return x->kind != y->kind ? (x->kind > y->kind) - (x->kind < y->kind) : strcmp(x->id, y->id);
}

void um_model_list_sort(struct um_model_list *l)
{
    if (l->n > 0)
        qsort(l->items, l->n, sizeof(*l->items), item_order);
    um_map_free(&l->by_name);
}

const struct um_model_item *um_model_list_find(const struct um_model_list *l, enum um_model_kind k, const char *id)
{
    const struct um_model_item wanted = { .kind = k, .id = id };

    return l->n > 0 ? bsearch(&wanted, l->items, l->n, sizeof(*l->items), item_order) : NULL;
}

static bool grow(struct um_model_list *l)
{
    size_t cap = UM_MAX(16, l->cap * 2);
    struct um_model_item *more = l->n < l->cap ? l->items : realloc(l->items, cap * sizeof(*more));

    if (more == NULL)
        return false;
    l->cap = l->n < l->cap ? l->cap : cap;
    l->items = more;
    return true;
}

um_err model_list_put(struct um_model_list *l, enum um_model_kind k, json_t *rest, const char *file, struct um_place at,
                const struct um_model_item **there)
{
    const char *id = json_string_value(json_object_get(rest, "id"));
    struct um_buf name = { 0 };
    struct um_span key;
    uintptr_t index;
    um_err err = UM_OK;

    *there = NULL;
    um_buf_printf(&name, "%d/%s", (int)k, id);
    key = UM_SPAN(name.data, name.len);
    if (l->n >= MODEL_OBJECTS)
        err = UM_ELIMIT;
    else if (name.failed || !grow(l))
        err = UM_ENOMEM;
    else if ((index = (uintptr_t)um_map_get(&l->by_name, key)) != 0)
        err = UM_EEXIST;
    if (err == UM_OK) {
        l->items[l->n] = (struct um_model_item){ k, id, rest, file, at };
        um_map_put(&l->by_name, key, (void *)(uintptr_t)(++l->n));
    } else {
        *there = err == UM_EEXIST ? &l->items[index - 1] : NULL;
        json_decref(rest);
    }
    um_buf_free(&name);
    return err;
}

json_t *model_list_normal(enum um_model_kind k, const json_t *rest)
{
    struct um_model_error why = { 0 };
    struct walk w = { .error = &why };
    bool fits;
    json_t *form = model_form_write(rest, model_shapes[k], &fits), *normal;

    normal = form != NULL ? model_form_read(&w, form, model_shapes[k], (struct um_place){ 0, 0 }) : NULL;
    json_decref(form);
    return normal;
}

um_err um_model_list_add(struct um_model_list *l, enum um_model_kind k, const json_t *rest)
{
    const struct um_model_item *there;
    json_t *normal = model_list_normal(k, rest);

    return normal != NULL ? model_list_put(l, k, normal, NULL, (struct um_place){ 0, 0 }, &there) : UM_EINVAL;
}

um_err um_model_list_rename_scope(struct um_model_list *l, const char *id)
{
    struct um_model_item *item = l->items;

    if (l->n == 0 || item->kind != UM_MODEL_SCOPE)
        return UM_OK;
    if (json_object_set_new(item->json, "id", json_string(id)) != 0)
        return UM_ENOMEM;
    item->id = json_string_value(json_object_get(item->json, "id"));
    return UM_OK;
}

/* ---- sources -------------------------------------------------------------------------------------------- */

um_err model_list_adopt(struct um_model_list *l, const char *name, struct um_yaml *yaml)
{
    struct source *s = calloc(1, sizeof(*s)), **more = realloc(l->sources, (l->n_sources + 1) * sizeof(*more));

    if (more != NULL)
        l->sources = more;
    if (s == NULL || more == NULL || (s->name = strdup(name)) == NULL) {
        free(s);
        um_yaml_free(yaml);
        return UM_ENOMEM;
    }
    s->yaml = yaml;
    l->sources[l->n_sources++] = s;
    return UM_OK;
}

um_err um_model_list_read_yaml(struct um_model_list *l, struct um_span text, const char *name, struct um_model_error *error)
{
    struct um_yaml *y;
    um_err err = um_yaml_read(text, name, &y, error);

    UM_ASSERT(!l->is_finished);
    return err == UM_OK ? model_list_adopt(l, name, y) : err;
}

/* ---- the top of a document ------------------------------------------------------------------------------ */

#define VARIABLES_KEY "variables"

static void take(struct um_model_list *l, struct walk *w, const struct source *s, enum um_model_kind k, const json_t *from, struct um_place at)
{
    json_t *rest = model_form_read(w, from, model_shapes[k], at), *normal = rest != NULL ? model_list_normal(k, rest) : NULL;
    const struct um_model_item *there;
    um_err err;

    json_decref(rest);
    if (rest == NULL)
        return;
    if (normal == NULL) {
        walk_refuse_memory(w);
        return;
    }
    err = model_list_put(l, k, normal, s->name, at, &there);
    if (err == UM_EEXIST)
        walk_refuse(w, at, "%s \"%.200s\" stands at %.200s:%u:%u already", um_model_kind_word(k), there->id, there->file, there->at.line, there->at.column);
    else if (err == UM_ELIMIT)
        walk_refuse(w, at, "more than %u objects", MODEL_OBJECTS);
    else if (err != UM_OK)
        walk_refuse_memory(w);
}

static void take_all(struct um_model_list *l, struct walk *w, const struct source *s, enum um_model_kind k, const json_t *from, struct um_place at)
{
    json_t *child;
    size_t i, mark;

    if (k == UM_MODEL_SCOPE && json_is_object(from)) {
        take(l, w, s, k, from, at);
    } else if (!json_is_array(from) && !json_is_null(from)) {
        walk_refuse(w, at, "a list is wanted");
    } else {
        json_array_foreach(from, i, child) {
            mark = walk_enter_index(w, i);
            take(l, w, s, k, child, walk_place(w, from, i));
            walk_leave(w, mark);
        }
    }
}

static void refuse_top(struct walk *w, const char *key, struct um_place at)
{
    const char *names[UM_MODEL_KINDS_N + 1], *near;
    size_t i;

    for (i = 0; i < UM_MODEL_KINDS_N; i++)
        names[i] = kinds[i].key;
    names[UM_MODEL_KINDS_N] = VARIABLES_KEY;
    near = model_nearest(key, strlen(key), names, UM_COUNT(names));
    walk_refuse(w, at, "unknown key%s%s%s", near != NULL ? "; is " : "", near != NULL ? near : "", near != NULL ? " meant?" : "");
}

static int kind_of_key(const char *key)
{
    int k;

    for (k = 0; k < UM_MODEL_KINDS_N; k++)
        if (strcmp(kinds[k].key, key) == 0)
            return k;
    return -1;
}

/* DECLARING: only the variables are read; else all but them. */
static void read_document(struct um_model_list *l, struct walk *w, const struct source *s, const json_t *root, bool declaring)
{
    const char *key;
    json_t *child;
    size_t i = 0, mark;
    int k;

    if (!json_is_object(root)) {
        if (!json_is_null(root))
            walk_refuse(w, (struct um_place){ 1, 1 }, "a model is a map");
        return;
    }
    json_object_foreach((json_t *)root, key, child) {
        struct um_place at = walk_place(w, root, i++);

        mark = walk_enter_key(w, key);
        k = kind_of_key(key);
        if (strcmp(key, VARIABLES_KEY) == 0) {
            if (declaring && !json_is_object(child))
                walk_refuse(w, at, "a map is wanted");
            else if (declaring && model_variables_declare(l, w, s, child) != UM_OK)
                break;
        } else if (k < 0) {
            refuse_top(w, key, at);
        } else if (!declaring) {
            take_all(l, w, s, (enum um_model_kind)k, child, at);
        }
        walk_leave(w, mark);
    }
}

static um_err read_sources(struct um_model_list *l, struct um_model_error *error, bool declaring)
{
    size_t i, d;

    for (i = 0; i < l->n_sources; i++) {
        const struct source *s = l->sources[i];
        struct walk w = { .yaml = s->yaml, .error = error };

        (void)snprintf(error->file, sizeof(error->file), "%s", s->name);
        for (d = 0; d < um_yaml_documents(s->yaml) && w.err == UM_OK; d++)
            read_document(l, &w, s, um_yaml_peek(s->yaml, d), declaring);
        if (w.err != UM_OK)
            return w.err;
    }
    return UM_OK;
}

um_err um_model_list_finish(struct um_model_list *l, struct um_model_error *error)
{
    um_err err;

    UM_ASSERT(!l->is_finished);
    l->is_finished = true;
    *error = (struct um_model_error){ 0 };
    if ((err = read_sources(l, error, true)) != UM_OK || (err = model_variables_fill(l, error)) != UM_OK ||
        (err = read_sources(l, error, false)) != UM_OK)
        return err;
    um_model_list_sort(l);
    return UM_OK;
}
