/* The words of a document's files, for the handler `fulltext`: which files there are, and where their bytes lie; what they say. Of the
 * platform itself: nobody is asked for a right. A document or a file that is gone has no words. */
#include <stdio.h>
#include <string.h>
#include "body.h"
#include "files.h"
#include "operations/registration.h"
#include "search/index_text.h"

static um_err add(void *arg, const struct um_content_file *f)
{
    json_array_append_new(arg, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I}", "id", f->id, "format", f->format, "content", f->content, "place",
                                         f->place, "size", (json_int_t)f->size, "chunk", (json_int_t)f->chunk));
    return UM_OK;
}

static um_err list(struct um_call *c)
{
    char owner[UM_CONTENT_OWNER_MAX + 1];
    struct component m;
    um_err err = component_fetch(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), &m);

    c->reply = json_array();
    if (err == UM_OK) {
        files_owner(c, component_id(&m), NULL, owner);
        err = um_content_each(c->q, owner, add, c->reply);
    }
    component_done(&m);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static um_err put(struct um_call *c)
{
    struct um_span text = UM_SPAN(json_string_value(c->body), json_string_length(c->body));
    const char *file = um_arg(c, "fileId");
    char owner[UM_CONTENT_OWNER_MAX + 1], part[INDEX_PART_MAX];
    struct um_content_file f;
    struct component m;
    um_err err = component_fetch(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), &m);

    if (err == UM_OK) {
        files_owner(c, component_id(&m), NULL, owner);
        err = um_content_get(c->q, owner, file, &f);
    }
    snprintf(part, sizeof(part), "file:%s", file);
    if (err == UM_OK)
        err = index_text(c, m.num, part, text, NULL);
    component_done(&m);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

const struct um_domain_call um_operations_files = { "operations.files", list, 0 };
const struct um_domain_call um_operations_file_text = { "operations.fileText", put, UM_CALL_WRITES };
