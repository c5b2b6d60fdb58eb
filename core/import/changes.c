/* See changes.h. */
#include <string.h>
#include <umbel/map.h>
#include "changes.h"

/* Versions of what is kept, by "kind/id". Values are the objects. */
struct kept {
    struct um_model_list *list;
    struct um_map objects;
};

static bool kind_of(const char *word, enum um_model_kind *out)
{
    int k;

    for (k = 0; k < UM_MODEL_KINDS_N; k++)
        if (strcmp(um_model_kind_word((enum um_model_kind)k), word) == 0) {
            *out = (enum um_model_kind)k;
            return true;
        }
    return false;
}

static struct um_span key_of(struct um_buf *b, const char *kind, const char *id)
{
    um_buf_clear(b);
    um_buf_printf(b, "%s/%s", kind, id);
    return UM_SPAN(b->data, b->len);
}

static um_err take_kept(struct kept *k, const json_t *rows)
{
    struct um_buf key = { 0 };
    enum um_model_kind kind;
    um_err err = UM_OK;
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row) {
        const char *word = json_string_value(json_object_get(row, "kind"));
        json_t *object = json_object_get(row, "object");

        if (word == NULL || !kind_of(word, &kind))
            continue;
        err = um_model_list_add(k->list, kind, object);
        if (err != UM_OK)
            break;
        um_map_put(&k->objects, key_of(&key, word, json_string_value(json_object_get(object, "id"))), object);
    }
    um_buf_free(&key);
    um_model_list_sort(k->list);
    return err;
}

/* "scope" is never removed, nothing is by a merge. */
static void drop_removals(json_t *diff, enum um_import_mode mode)
{
    size_t i = 0;

    while (i < json_array_size(diff)) {
        json_t *e = json_array_get(diff, i);
        bool removes = strcmp(json_string_value(json_object_get(e, "change")), "removed") == 0;

        if (removes && (mode != UM_IMPORT_REPLACE || strcmp(json_string_value(json_object_get(e, "kind")), "scope") == 0))
            json_array_remove(diff, i);
        else
            i++;
    }
}

static json_t *change_of(const struct kept *k, const struct um_model_list *list, const json_t *e, struct um_buf *key)
{
    const char *word = json_string_value(json_object_get(e, "kind")), *id = json_string_value(json_object_get(e, "id"));
    const json_t *before = um_map_get(&k->objects, key_of(key, word, id));
    const struct um_model_item *item;
    enum um_model_kind kind = UM_MODEL_SCOPE;

    (void)kind_of(word, &kind);
    item = um_model_list_find(list, kind, id);
    return json_pack("{s:s, s:s, s:I, s:O*}", "kind", word, "id", id, "version",
                     json_integer_value(json_object_get(json_object_get(before, "data"), "version")), "object",
                     item != NULL ? item->json : NULL);
}

/* A diff is in the order in which objects can be made; they go in the opposite one, when nothing refers to them any more. */
static json_t *all_changes(const struct kept *k, const struct um_model_list *list, const json_t *diff)
{
    json_t *out = json_array(), *e;
    struct um_buf key = { 0 };
    size_t i;

    json_array_foreach(diff, i, e)
        if (strcmp(json_string_value(json_object_get(e, "change")), "removed") != 0)
            json_array_append_new(out, change_of(k, list, e, &key));
    for (i = json_array_size(diff); i-- > 0;) {
        e = json_array_get(diff, i);
        if (strcmp(json_string_value(json_object_get(e, "change")), "removed") == 0)
            json_array_append_new(out, change_of(k, list, e, &key));
    }
    um_buf_free(&key);
    return out;
}

um_err import_changes_of(const json_t *kept, const struct um_model_list *list, enum um_import_mode mode, json_t **diff, json_t **changes)
{
    struct kept k = { um_model_list_new(), { 0 } };
    um_err err = take_kept(&k, kept);

    *diff = *changes = NULL;
    if (err == UM_OK) {
        *diff = um_model_diff(k.list, list);
        drop_removals(*diff, mode);
        *changes = all_changes(&k, list, *diff);
        if (*diff == NULL || json_array_size(*changes) != json_array_size(*diff))
            err = UM_ENOMEM;
    }
    um_map_free(&k.objects);
    um_model_list_free(k.list);
    return err;
}
