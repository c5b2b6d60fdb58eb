/* See files.h. */
#include <stdio.h>
#include <string.h>
#include "body.h"
#include "files.h"

static const json_t *find(const json_t *files, const char *id)
{
    size_t i;
    json_t *file;

    json_array_foreach(files, i, file)
        if (id != NULL && um_body_id(file) != NULL && strcmp(um_body_id(file), id) == 0)
            return file;
    return NULL;
}

um_err files_bind(struct um_call *c, struct draft *d)
{
    const json_t *before = d->before != NULL ? json_object_get(d->before->body, "files") : NULL;
    json_t *kept = json_array(), *file;
    size_t i;

    json_array_foreach(json_object_get(d->asked, "files"), i, file) {
        const json_t *known = find(before, um_body_id(file));
        char at[64];

        if (known == NULL) {
            json_decref(kept);
            snprintf(at, sizeof(at), "files/%zu/id", i);
            return draft_fail(c, d, UM_U00400, at, "there is no such file");
        }
        json_array_append(kept, (json_t *)known);
    }
    json_object_set_new(d->body, "files", kept);
    return UM_OK;
}

um_err files_forget(struct um_call *c, const struct component *m)
{
    (void)c, (void)m;
    return UM_OK;
}
