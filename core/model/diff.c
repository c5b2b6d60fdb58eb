/* What leads from one list to another. Objects are compared in REST's form, member by member; lists element by element. */
#include <stdlib.h>
#include <string.h>
#include "list.h"

struct comparing {
    json_t *paths;
    bool more;
    struct um_buf path;
};

static void tell(struct comparing *c, const json_t *old, const json_t *new)
{
    json_t *one;

    if (json_array_size(c->paths) == MODEL_DIFF_PATHS) {
        c->more = true;
        return;
    }
    one = json_pack("{s:s, s:O*, s:O*}", "path", um_buf_cstr(&c->path), "old", old, "new", new);
    json_array_append_new(c->paths, one);
}

static void compare(struct comparing *c, const json_t *old, const json_t *new);

/* A step of a JSON pointer. */
static void step(struct comparing *c, const char *key, const json_t *old, const json_t *new)
{
    size_t mark = c->path.len;

    um_buf_puts(&c->path, "/");
    for (; *key != '\0'; key++)
        um_buf_put(&c->path, *key == '~' ? "~0" : *key == '/' ? "~1" : key, *key == '~' || *key == '/' ? 2 : 1);
    compare(c, old, new);
    c->path.len = mark;
}

static void step_index(struct comparing *c, size_t i, const json_t *old, const json_t *new)
{
    size_t mark = c->path.len;

    um_buf_printf(&c->path, "/%zu", i);
    compare(c, old, new);
    c->path.len = mark;
}

static void compare(struct comparing *c, const json_t *old, const json_t *new)
{
    const char *key;
    json_t *child;
    size_t i;

    if (json_equal(old, new))
        return;
    if (json_is_object(old) && json_is_object(new)) {
        json_object_foreach((json_t *)old, key, child)
            step(c, key, child, json_object_get(new, key));
        json_object_foreach((json_t *)new, key, child)
            if (json_object_get(old, key) == NULL)
                step(c, key, NULL, child);
    } else if (json_is_array(old) && json_is_array(new)) {
        for (i = 0; i < UM_MAX(json_array_size(old), json_array_size(new)); i++)
            step_index(c, i, json_array_get(old, i), json_array_get(new, i));
    } else {
        tell(c, old, new);
    }
}

static json_t *entry(const char *change, const struct um_model_item *item)
{
    json_t *e = json_pack("{s:s, s:s, s:s}", "change", change, "kind", um_model_kind_word(item->kind), "id", item->id);

    if (item->file != NULL) {
        json_object_set_new(e, "file", json_string(item->file));
        json_object_set_new(e, "line", json_integer(item->at.line));
    }
    return e;
}

static json_t *changed(const struct um_model_item *old, const struct um_model_item *new)
{
    struct comparing c = { json_array(), false, { 0 } };
    json_t *e;

    if (json_equal(old->json, new->json)) {
        json_decref(c.paths);
        return NULL;
    }
    compare(&c, old->json, new->json);
    um_buf_free(&c.path);
    e = entry("changed", new);
    json_object_set_new(e, "paths", c.paths);
    if (c.more)
        json_object_set_new(e, "more", json_true());
    return e;
}

static int item_order(const struct um_model_item *a, const struct um_model_item *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? 1 : -1;
    return a->kind != b->kind ? (int)a->kind - (int)b->kind : strcmp(a->id, b->id);
}

json_t *um_model_diff(const struct um_model_list *old, const struct um_model_list *new)
{
    json_t *out = json_array(), *e;
    size_t i = 0, k = 0;

    while (i < old->n || k < new->n) {
        const struct um_model_item *a = i < old->n ? &old->items[i] : NULL, *b = k < new->n ? &new->items[k] : NULL;
        int order = item_order(a, b);

        e = order < 0 ? entry("removed", a) : order > 0 ? entry("added", b) : changed(a, b);
        i += order <= 0;
        k += order >= 0;
        if (e != NULL)
            json_array_append_new(out, e);
    }
    return out;
}

/* ---- for people ----------------------------------------------------------------------------------------- */

static void put_value(struct um_buf *out, const json_t *v)
{
    char *text = v != NULL ? json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

    um_buf_printf(out, "%.200s%s", text != NULL ? text : "nothing", text != NULL && strlen(text) > 200 ? "…" : "");
    free(text);
}

void um_model_diff_text(const json_t *diff, struct um_buf *out)
{
    static const struct { const char *change, *sign; } signs[] = { { "added", "+" }, { "removed", "-" }, { "changed", "~" } };
    size_t counts[UM_COUNT(signs)] = { 0 }, i, k;
    json_t *e, *p;

    json_array_foreach(diff, i, e) {
        for (k = 0; strcmp(signs[k].change, json_string_value(json_object_get(e, "change"))) != 0; k++)
            ;
        counts[k]++;
        um_buf_printf(out, "%s %s %s\n", signs[k].sign, json_string_value(json_object_get(e, "kind")), json_string_value(json_object_get(e, "id")));
        for (k = 0; k < json_array_size(json_object_get(e, "paths")); k++) {
            p = json_array_get(json_object_get(e, "paths"), k);
            um_buf_printf(out, "    %s: ", json_string_value(json_object_get(p, "path")));
            put_value(out, json_object_get(p, "old"));
            um_buf_puts(out, " -> ");
            put_value(out, json_object_get(p, "new"));
            um_buf_puts(out, "\n");
        }
        if (json_object_get(e, "more") != NULL)
            um_buf_puts(out, "    and more\n");
    }
    um_buf_printf(out, "%zu added, %zu changed, %zu removed\n", counts[0], counts[2], counts[1]);
}
