/* A list as YAML: kinds in their order, under their keys. */
#include "list.h"

static json_t *form_of(const struct um_model_item *item)
{
    bool fits;

    return model_form_write(item->json, model_shapes[item->kind], &fits);
}

json_t *um_model_list_form(const struct um_model_list *l)
{
    json_t *root = json_object();
    size_t i;

    for (i = 0; i < l->n; i++) {
        const char *key = um_model_kind_key(l->items[i].kind);
        bool is_alone = l->items[i].kind == UM_MODEL_SCOPE && i == 0 && (l->n == 1 || l->items[1].kind != UM_MODEL_SCOPE);
        json_t *form = form_of(&l->items[i]), *of_kind = json_object_get(root, key);

        if (!is_alone && of_kind == NULL) {
            of_kind = json_array();
            json_object_set_new(root, key, of_kind);
        }
        if (form == NULL || (is_alone ? json_object_set_new(root, key, form) : json_array_append_new(of_kind, form)) != 0) {
            json_decref(root);
            return NULL;
        }
    }
    return root;
}

um_err um_model_list_write(const struct um_model_list *l, struct um_buf *out)
{
    json_t *root = um_model_list_form(l);
    um_err err = root != NULL ? um_yaml_write(root, model_one_line_keys, out) : UM_ENOMEM;

    json_decref(root);
    return err;
}
