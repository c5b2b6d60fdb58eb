/* See files.h. */
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "files.h"
#include "operations/chain.h"

void files_owner(const struct um_call *c, const char *id, const char *version, char out[UM_CONTENT_OWNER_MAX + 1])
{
    struct um_buf b = { 0 };

    um_percent_encode(&b, UM_SPAN_STR(c->scope));
    um_buf_puts(&b, "/DOCUMENT/");
    um_percent_encode(&b, UM_SPAN_STR(id));
    if (version != NULL) {
        um_buf_puts(&b, "@");
        um_percent_encode(&b, UM_SPAN_STR(version));
    }
    UM_ASSERT(b.len <= UM_CONTENT_OWNER_MAX);
    snprintf(out, UM_CONTENT_OWNER_MAX + 1, "%s", um_buf_cstr(&b));
    um_buf_free(&b);
}

/* ---- a list ---- */

static const json_t *find(const json_t *files, const char *id)
{
    size_t i;
    json_t *file;

    json_array_foreach(files, i, file)
        if (id != NULL && um_body_id(file) != NULL && strcmp(um_body_id(file), id) == 0)
            return file;
    return NULL;
}

/* Is one of WHICH not in ALL? */
static bool lacks(const json_t *all, const json_t *which)
{
    size_t i;
    json_t *file;

    json_array_foreach(which, i, file)
        if (find(all, um_body_id(file)) == NULL)
            return true;
    return false;
}

static um_err refuse(struct um_call *c, const struct draft *d, size_t i, enum um_code code, const char *member, const char *why)
{
    char at[64];

    snprintf(at, sizeof(at), "files/%zu/%s", i, member);
    return draft_fail(c, d, code, at, why);
}

/* ---- a new one ---- */

static json_t *shown(const struct um_content_file *f)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:I, s:s}", "id", f->id, "name", f->name, "Name", f->name, "FormatCode", f->format,
                     "size", (json_int_t)f->size, "sha256", f->sha256);
}

static const char *asked_name(const json_t *file)
{
    const char *name = json_string_value(json_object_get(file, "Name"));

    return name != NULL && *name != '\0' ? name : json_string_value(json_object_get(file, "name"));
}

static um_err give_name(struct um_call *c, const struct draft *d, size_t i, const char *owner, const char *name, struct um_content_file *f)
{
    um_err err;

    if (name == NULL || *name == '\0' || strcmp(name, f->name) == 0)
        return UM_OK;
    err = um_content_rename(c->q, owner, f->id, name);
    if (err == UM_EINVAL)
        return refuse(c, d, i, UM_U00400, "name", "a name has 1 to 512 bytes and no control characters");
    snprintf(f->name, sizeof(f->name), "%s", name);
    return err;
}

/* OUT: what is kept of it. */
static um_err bind_one(struct um_call *c, const struct draft *d, size_t i, const json_t *file, const char *owner, json_t **out)
{
    struct um_content_file f;
    const char *id = chain_make_id(c->chain);
    um_err err;

    err = um_content_bind(c->q, c->scope, c->who->user, um_body_id(file), owner, id, &f);
    if (err == UM_ENOTFOUND)
        return refuse(c, d, i, UM_U00400, "id", "you have no such temporary file (any more)");
    if (err == UM_ECLOSED)
        return refuse(c, d, i, UM_T00707, "id", "the temporary file has been used up");
    if (err == UM_OK)
        err = give_name(c, d, i, owner, asked_name(file), &f);
    *out = err == UM_OK ? shown(&f) : NULL;
    return err;
}

static um_err take_one(struct um_call *c, const struct draft *d, size_t i, const json_t *before, const char *owner, json_t *kept)
{
    const json_t *file = json_array_get(json_object_get(d->asked, "files"), i);
    const json_t *known = find(before, um_body_id(file));
    json_t *bound = NULL;
    um_err err;

    if (um_body_id(file) == NULL || (known == NULL && !um_content_is_tmp(um_body_id(file))))
        return refuse(c, d, i, UM_U00400, "id", "there is no such file");
    if (find(kept, um_body_id(file)) != NULL)
        return refuse(c, d, i, UM_U00400, "id", "it is there twice");
    if (known != NULL)
        return json_array_append(kept, (json_t *)known) == 0 ? UM_OK : UM_ENOMEM;
    err = bind_one(c, d, i, file, owner, &bound);
    return err == UM_OK && json_array_append_new(kept, bound) != 0 ? UM_ENOMEM : err;
}

static um_err drop_others(struct um_call *c, const json_t *before, const json_t *kept, const char *owner)
{
    um_err err = UM_OK;
    json_t *file;
    size_t i;

    json_array_foreach(before, i, file) {
        if (err == UM_OK && find(kept, um_body_id(file)) == NULL)
            err = um_content_unbind(c->q, owner, um_body_id(file));
        err = err == UM_ENOTFOUND ? UM_OK : err;
    }
    return err;
}

um_err files_bind(struct um_call *c, struct draft *d)
{
    const json_t *before = d->before != NULL ? json_object_get(d->before->body, "files") : NULL;
    const json_t *asked = json_object_get(d->asked, "files");
    char owner[UM_CONTENT_OWNER_MAX + 1];
    json_t *kept = json_array();
    um_err err = UM_OK;

    if (json_array_size(asked) > FILES_MAX)
        err = draft_fail(c, d, UM_U00413, "files", "a document has at most 200 files");
    else if (d->before != NULL && (lacks(before, asked) || lacks(asked, before)))
        err = component_need(c, d->before, UM_MAY_UPDATE_CONTENT);
    files_owner(c, d->id, NULL, owner);
    for (size_t i = 0; i < json_array_size(asked) && err == UM_OK; i++)
        err = take_one(c, d, i, before, owner, kept);
    if (err == UM_OK)
        err = drop_others(c, before, kept, owner);
    json_object_set_new(d->body, "files", kept);
    return err;
}

um_err files_forget(struct um_call *c, const struct component *m)
{
    char owner[UM_CONTENT_OWNER_MAX + 1];

    files_owner(c, component_id(m), NULL, owner);
    return um_content_unbind_all(c->q, owner);
}
