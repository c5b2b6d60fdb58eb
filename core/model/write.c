/* A list as YAML: kinds in their order, under their keys. */
#include "list.h"

static json_t *form_of(const struct um_model_item *item)
{
    bool fits;

    return form_write(item->json, kind_shapes[item->kind], &fits);
}

um_err um_model_list_write(const struct um_model_list *l, struct um_buf *out)
{
    json_t *root = json_object();
    um_err err = UM_OK;
    size_t i;

    for (i = 0; i < l->n && err == UM_OK; i++) {
        const char *key = um_model_kind_key(l->items[i].kind);
        bool is_alone = l->items[i].kind == UM_MODEL_SCOPE && (i + 1 == l->n || l->items[i + 1].kind != UM_MODEL_SCOPE) && i == 0;
        json_t *form = form_of(&l->items[i]), *of_kind = json_object_get(root, key);

        if (!is_alone && of_kind == NULL) {
            of_kind = json_array();
            json_object_set_new(root, key, of_kind);
        }
        if (form == NULL || (is_alone ? json_object_set_new(root, key, form) : json_array_append_new(of_kind, form)) != 0)
            err = UM_ENOMEM;
    }
    if (err == UM_OK)
        err = um_yaml_write(root, one_line_keys, out);
    json_decref(root);
    return err;
}
