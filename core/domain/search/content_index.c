/* What a file of a document says, told by whoever could read it: a handler, or a person. */
#include <stdio.h>
#include <string.h>
#include "component.h"
#include "search/index_text.h"

static bool has_file(const json_t *body, const char *id)
{
    size_t i;
    json_t *file;

    json_array_foreach(json_object_get(body, "files"), i, file) {
        const char *own = json_string_value(json_object_get(file, "id"));

        if (own != NULL && strcmp(own, id) == 0)
            return true;
    }
    return false;
}

static um_err find(struct um_call *c, struct component *m, char part[INDEX_PART_MAX])
{
    const char *file = um_arg(c, "fileId");
    um_err err = component_find(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), m);

    if (err == UM_OK)
        err = component_need(c, m, UM_MAY_UPDATE_CONTENT);
    if (err == UM_OK && !has_file(m->body, file))
        return um_fail(c, UM_U00404, "document %s has no file %s", component_id(m), file);
    snprintf(part, INDEX_PART_MAX, "file:%s", file);
    return err;
}

static um_err put(struct um_call *c)
{
    struct um_span text = UM_SPAN(json_string_value(c->body), json_string_length(c->body));
    char part[INDEX_PART_MAX];
    struct component m;
    bool cut = false;
    um_err err = find(c, &m, part);

    if (err == UM_OK)
        err = index_text(c, m.num, part, text, &cut);
    c->reply = json_pack("{s:b}", "complete", !cut);
    component_done(&m);
    return err;
}

static um_err remove_it(struct um_call *c)
{
    char part[INDEX_PART_MAX];
    struct component m;
    um_err err = find(c, &m, part);

    if (err == UM_OK)
        err = index_text_remove(c, m.num, part);
    component_done(&m);
    return err;
}

const struct um_domain_call um_content_index = { "content.index", put, UM_CALL_WRITES };
const struct um_domain_call um_content_unindex = { "content.unindex", remove_it, UM_CALL_WRITES };
