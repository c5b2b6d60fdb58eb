/* Users of a model: their passwords are for accounts that it makes, and never for those that there are. */
#include <string.h>
#include <umbel/map.h>
#include <umbel/password.h>
#include "changes.h"

json_t *import_users(const struct um_model_list *list)
{
    json_t *ids = json_array();

    for (size_t i = 0; i < um_model_list_count(list); i++)
        if (um_model_list_at(list, i)->kind == UM_MODEL_USER)
            json_array_append_new(ids, json_string(um_model_list_at(list, i)->id));
    return ids;
}

static void note_kept(struct um_map *ids, const json_t *kept)
{
    json_t *row;
    size_t i;

    json_array_foreach(kept, i, row) {
        const char *kind = json_string_value(json_object_get(row, "kind"));

        if (kind != NULL && strcmp(kind, um_model_kind_word(UM_MODEL_USER)) == 0)
            um_map_put(ids, UM_SPAN_STR(json_string_value(json_object_get(json_object_get(row, "object"), "id"))), row);
    }
}

static um_err take_password(const struct um_model_item *item, bool is_kept, bool dry_run)
{
    const char *password = json_string_value(json_object_get(item->json, "password"));
    char hash[UM_PASSWORD_HASH_SIZE];
    um_err err;

    if (password == NULL || is_kept || *password == '\0') {
        json_object_del(item->json, "password");
        return UM_OK;
    }
    if (dry_run)
        return UM_OK;
    err = um_password_take(password, hash);
    if (err == UM_OK)
        json_object_set_new(item->json, "password", json_string(hash));
    return err;
}

um_err import_passwords(const json_t *kept, const struct um_model_list *list, bool dry_run)
{
    struct um_map ids = { 0 };
    um_err err = UM_OK;

    note_kept(&ids, kept);
    for (size_t i = 0; i < um_model_list_count(list) && err == UM_OK; i++) {
        const struct um_model_item *item = um_model_list_at(list, i);

        if (item->kind == UM_MODEL_USER)
            err = take_password(item, um_map_get(&ids, UM_SPAN_STR(item->id)) != NULL, dry_run);
    }
    um_map_free(&ids);
    return err;
}
