/* Virtual folders hold nothing: what is in one are the results of its class's searches, with the folder's tags and the caller
 * filled into them. */
#include <stdlib.h>
#include <string.h>
#include "body.h"
#include "fill.h"
#include "parts.h"
#include "tags.h"

/* "${tags.X}" and nothing else: all values of the tag, where a list is. */
static const json_t *whole_tag(const json_t *text, const json_t *tags)
{
    const char *p = json_string_value(text);
    char name[UM_DOMAIN_ID_MAX + 1];
    size_t n = p != NULL ? strlen(p) : 0;

    if (n < strlen("${tags.}") || strncmp(p, "${tags.", 7) != 0 || strchr(p, '}') != p + n - 1 || n - 8 > UM_DOMAIN_ID_MAX)
        return NULL;
    memcpy(name, p + 7, n - 8);
    name[n - 8] = '\0';
    return json_object_get(tags_find(tags, name), "value");
}

/* As deep as the body of a class may be. */
static json_t *filled(const struct um_call *c, const json_t *v, const json_t *tags)
{
    json_t *out, *part;
    const char *key;
    size_t i;
    char *text;

    if (json_is_string(v)) {
        text = fill_text(c, json_string_value(v), tags);
        out = json_string(text);
        free(text);
        return out;
    }
    if (json_is_array(v)) {
        out = json_array();
        json_array_foreach(v, i, part) {
            const json_t *values = whole_tag(part, tags);

            if (json_array_size(values) > 1)
                json_array_extend(out, (json_t *)values);
            else
                json_array_append_new(out, filled(c, part, tags));
        }
        return out;
    }
    if (!json_is_object(v))
        return json_incref((json_t *)v);
    out = json_object();
    json_object_foreach((json_t *)v, key, part)
        json_object_set_new(out, key, filled(c, part, tags));
    return out;
}

json_t *virtual_folder_searches(const struct um_call *c, const struct component *m)
{
    const json_t *tags = json_object_get(m->body, "tags");
    json_t *out = json_array(), *search;
    size_t i;

    json_array_foreach(json_object_get(component_class(c, m), "searches"), i, search) {
        json_t *one = json_copy(search), *request = json_object_get(search, "request");

        if (request != NULL)
            json_object_set_new(one, "request", filled(c, request, tags));
        json_array_append_new(out, one);
    }
    return out;
}

static um_err searches(struct um_call *c)
{
    struct component m;
    um_err err = component_find(c, UM_CATEGORY_VIRTUAL_FOLDER, um_arg_id(c, "ids", 0), &m);

    if (err == UM_OK)
        c->reply = virtual_folder_searches(c, &m);
    component_done(&m);
    return err;
}

const struct um_domain_call um_virtual_folders_searches = { "virtualFolder.searches", searches, 0 };
