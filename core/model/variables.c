/* ${name} in the texts of a model: values that are given beside it. Only names that are declared or given are filled in;
 * other ${…} are the platform's own (${user.id}, ${tags.Status}) or a script's, and stay. What is filled in is not searched
 * again. Keys are left alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "list.h"

static struct variable *variable_of(const struct um_model_list *l, const char *name, size_t len)
{
    size_t i;

    for (i = 0; i < l->n_variables; i++)
        if (strlen(l->variables[i].name) == len && memcmp(l->variables[i].name, name, len) == 0)
            return &l->variables[i];
    return NULL;
}

static bool is_name(const char *s)
{
    size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");

    return n > 0 && n <= 64 && s[n] == '\0';
}

static struct variable *add(struct um_model_list *l, const char *name)
{
    struct variable *v = variable_of(l, name, strlen(name)), *more;

    if (v != NULL || l->n_variables == MODEL_VARIABLES)
        return v;
    more = realloc(l->variables, (l->n_variables + 1) * sizeof(*more));
    if (more == NULL)
        return NULL;
    l->variables = more;
    v = &more[l->n_variables];
    *v = (struct variable){ .name = strdup(name) };
    if (v->name == NULL)
        return NULL;
    l->n_variables++;
    return v;
}

um_err um_model_list_set(struct um_model_list *l, const char *name, const char *value, struct um_model_error *error)
{
    struct variable *v;

    *error = (struct um_model_error){ 0 };
    if (!is_name(name)) {
        (void)snprintf(error->what, sizeof(error->what), "\"%.100s\" cannot be the name of a variable", name);
        return UM_EPROTO;
    }
    v = add(l, name);
    if (v == NULL) {
        (void)snprintf(error->what, sizeof(error->what), "more than %u variables", MODEL_VARIABLES);
        return UM_ELIMIT;
    }
    free(v->value);
    v->value = um_xstrdup(value);
    v->is_given = true;
    return UM_OK;
}

um_err um_model_list_offer(struct um_model_list *l, const char *name, const char *value, struct um_model_error *error)
{
    um_err err = um_model_list_set(l, name, value, error);

    if (err == UM_OK)
        variable_of(l, name, strlen(name))->is_offered = true;
    return err;
}

static void declare_one(struct um_model_list *l, struct walk *w, const struct source *s, const char *name, const json_t *value,
                        struct um_place at)
{
    struct variable *v;

    if (!is_name(name)) {
        walk_refuse(w, at, "this cannot be the name of a variable");
    } else if (!json_is_string(value) && !json_is_null(value)) {
        walk_refuse(w, at, "a text is wanted, or nothing when it has to be given");
    } else if ((v = add(l, name)) == NULL) {
        walk_refuse(w, at, "more than %u variables", MODEL_VARIABLES);
    } else if (v->source != NULL) {
        walk_refuse(w, at, "declared before, at %.200s:%u:%u", v->source->name, v->at.line, v->at.column);
    } else {
        v->source = s;
        v->at = at;
        if (!v->is_given && json_is_string(value))
            v->value = um_xstrdup(json_string_value(value));
    }
}

um_err model_variables_declare(struct um_model_list *l, struct walk *w, const struct source *s, const json_t *declared)
{
    const char *name;
    json_t *value;
    size_t i = 0, mark;

    json_object_foreach((json_t *)declared, name, value) {
        mark = walk_enter_key(w, name);
        declare_one(l, w, s, name, value, walk_place(w, declared, i++));
        walk_leave(w, mark);
    }
    return w->err;
}

/* ---- filling in ----------------------------------------------------------------------------------------- */

struct filling {
    struct um_model_list *l;
    struct walk *w;
    size_t *bytes;                       /* of filled texts so far */
};

/* TEXT with its variables filled in; NULL: it has none, or (the walk failed) one has no value. */
static json_t *filled(struct filling *f, const char *text, struct um_place at)
{
    struct um_buf b = { 0 };
    const char *from = text, *open = text, *close;
    struct variable *v;
    json_t *out = NULL;

    while ((open = strstr(open, "${")) != NULL && (close = strchr(open, '}')) != NULL) {
        v = variable_of(f->l, open + 2, (size_t)(close - open) - 2);
        if (v == NULL) {
            open += 2;
            continue;
        }
        if (v->value == NULL) {
            walk_refuse(f->w, at, "the variable %s has no value: give one", v->name);
            break;
        }
        v->is_used = true;
        um_buf_put(&b, from, (size_t)(open - from));
        um_buf_puts(&b, v->value);
        from = open = close + 1;
        if (*f->bytes + b.len > MODEL_EXPANDED_BYTES) {
            walk_refuse(f->w, at, "variables make more than %u MiB of text", MODEL_EXPANDED_BYTES >> 20);
            f->w->err = UM_ELIMIT;
            break;
        }
    }
    if (from != text && f->w->err == UM_OK) {
        um_buf_puts(&b, from);
        *f->bytes += b.len;
        out = b.failed ? NULL : json_stringn((const char *)b.data, b.len);
        if (out == NULL)
            walk_refuse(f->w, at, "a text that is not UTF-8, or too large, comes of its variables");
    }
    um_buf_free(&b);
    return out;
}

static void fill(struct filling *f, json_t *container)
{
    const char *key;
    json_t *child, *text;
    size_t i = 0, mark;
    void *it;

    for (i = 0; i < json_array_size(container) && f->w->err == UM_OK; i++) {
        child = json_array_get(container, i);
        mark = walk_enter_index(f->w, i);
        if (json_is_string(child) && (text = filled(f, json_string_value(child), walk_place(f->w, container, i))) != NULL)
            json_array_set_new(container, i, text);
        else
            fill(f, child);
        walk_leave(f->w, mark);
    }
    for (i = 0, it = json_object_iter(container); it != NULL && f->w->err == UM_OK; it = json_object_iter_next(container, it), i++) {
        key = json_object_iter_key(it);
        child = json_object_iter_value(it);
        mark = walk_enter_key(f->w, key);
        if (json_is_string(child) && (text = filled(f, json_string_value(child), walk_place(f->w, container, i))) != NULL)
            json_object_iter_set_new(container, it, text);
        else
            fill(f, child);
        walk_leave(f->w, mark);
    }
}

static um_err check_used(struct um_model_list *l, struct um_model_error *error)
{
    size_t i;

    for (i = 0; i < l->n_variables; i++)
        if (l->variables[i].source == NULL && !l->variables[i].is_used && !l->variables[i].is_offered) {
            (void)snprintf(error->what, sizeof(error->what), "the variable %s is given, but the model does not use it", l->variables[i].name);
            return UM_EPROTO;
        }
    return UM_OK;
}

um_err model_variables_fill(struct um_model_list *l, struct um_model_error *error)
{
    size_t bytes = 0, i, d;

    for (i = 0; i < l->n_sources && l->n_variables > 0; i++) {
        struct walk w = { .yaml = l->sources[i]->yaml, .error = error };
        struct filling f = { l, &w, &bytes };

        (void)snprintf(error->file, sizeof(error->file), "%s", l->sources[i]->name);
        for (d = 0; d < um_yaml_documents(w.yaml) && w.err == UM_OK; d++)
            fill(&f, um_yaml_peek(w.yaml, d));
        if (w.err != UM_OK)
            return w.err;
    }
    error->file[0] = '\0';
    return check_used(l, error);
}

void model_variables_free(struct um_model_list *l)
{
    size_t i;

    for (i = 0; i < l->n_variables; i++) {
        free(l->variables[i].name);
        free(l->variables[i].value);
    }
    free(l->variables);
}
