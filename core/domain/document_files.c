/* Calls about the files of one document, or, for reading, of one of its versions: rights are the document's of today. */
#include <string.h>
#include "body.h"
#include "files.h"
#include "operations/operation.h"
#include "versions.h"

/* ---- reading ---- */

static um_err find(struct um_call *c, struct component *m)
{
    return component_find(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), m);
}

static void answer(struct um_call *c, const struct component *m)
{
    json_t *files = json_object_get(m->body, "files");

    c->reply = files != NULL ? json_incref(files) : json_array();
    c->version = um_body_version(m->body);
}

/* The document as it was in `versionId`, or as it is; M ends with component_done either way. */
static um_err find_as_it_was(struct um_call *c, struct component *m, json_t **was)
{
    um_err err = find(c, m);

    *was = NULL;
    if (err == UM_OK && um_arg(c, "versionId") != NULL)
        err = version_find(c, m, was);
    return err;
}

static um_err list(struct um_call *c)
{
    struct component m;
    json_t *was, *files;
    um_err err = find_as_it_was(c, &m, &was);

    if (err == UM_OK && was == NULL) {
        answer(c, &m);
    } else if (err == UM_OK) {
        files = json_object_get(was, "files");
        c->reply = files != NULL ? json_incref(files) : json_array();
    }
    json_decref(was);
    component_done(&m);
    return err;
}

static um_err no_such_file(struct um_call *c)
{
    return um_fail(c, UM_U00404, "the document has no file %s", um_arg(c, "fileId"));
}

/* Who may read it sees it; who may only download it gets it to be saved. */
static um_err check_content(struct um_call *c, const struct component *m, bool *may_read)
{
    bool may_download;
    um_err err = component_may(c, m, UM_MAY_READ_CONTENT, may_read);

    if (err != UM_OK || *may_read)
        return err;
    err = component_may(c, m, UM_MAY_DOWNLOAD_CONTENT, &may_download);
    return err != UM_OK || may_download ? err : component_need(c, m, UM_MAY_READ_CONTENT);
}

struct placed { json_t *list; bool show; };

static um_err add_place(void *arg, const struct um_content_file *f)
{
    const struct placed *to = arg;

    json_array_append_new(to->list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b}", "id", f->id, "name", f->name, "format",
                          f->format, "content", f->content, "place", f->place, "sha256", f->sha256, "size", (json_int_t)f->size,
                          "chunk", (json_int_t)f->chunk, "show", to->show));
    return UM_OK;
}

/* The entries of the files that are wanted: one, or all. */
static json_t *wanted_files(const struct um_call *c, const json_t *body)
{
    json_t *wanted = json_array(), *file;
    size_t i;

    json_array_foreach(json_object_get(body, "files"), i, file)
        if (um_arg(c, "fileId") == NULL || (um_body_id(file) != NULL && strcmp(um_body_id(file), um_arg(c, "fileId")) == 0))
            json_array_append(wanted, file);
    return wanted;
}

/* M's content is given to the caller: as it is, or as it WAS. */
static um_err tell_handlers(struct um_call *c, struct component *m, json_t *was)
{
    json_t *files = wanted_files(c, was != NULL ? was : m->body);
    struct operation o = { .action = UM_ACTION_GET_CONTENT, .object = m->category, .files = files };
    um_err err = operation_before(c, &o, &m->body);

    if (err == UM_OK)
        err = operation_after(c, &o, m->body);
    json_decref(files);
    return err;
}

static um_err contents(struct um_call *c)
{
    struct placed to = { json_array(), false };
    struct um_content_file f;
    struct component m;
    char owner[UM_CONTENT_OWNER_MAX + 1];
    json_t *was;
    um_err err = find_as_it_was(c, &m, &was);

    c->reply = to.list;
    if (err == UM_OK)
        err = check_content(c, &m, &to.show);
    if (err == UM_OK) {
        files_owner(c, component_id(&m), json_string_value(json_object_get(was, "currentVersion")), owner);
        err = um_arg(c, "fileId") != NULL ? um_content_get(c->q, owner, um_arg(c, "fileId"), &f)
                                          : um_content_each(c->q, owner, add_place, &to);
        if (err == UM_ENOTFOUND)
            err = no_such_file(c);
        else if (err == UM_OK && um_arg(c, "fileId") != NULL)
            err = add_place(&to, &f);
    }
    if (err == UM_OK)
        err = tell_handlers(c, &m, was);
    json_decref(was);
    component_done(&m);
    return err;
}

/* ---- changing ---- */

/* The document, free to have its content changed by the caller. */
static um_err find_to_change(struct um_call *c, struct component *m)
{
    um_err err = component_check_one_free(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"));

    *m = (struct component){ 0 };
    if (err == UM_OK)
        err = find(c, m);
    if (err == UM_OK)
        err = component_need(c, m, UM_MAY_UPDATE_CONTENT);
    return err == UM_OK ? um_body_check_version(c, NULL, m->body, "") : err;
}

/* FILES (adopted) are the document's from now on; temporary ones among them are bound. */
static um_err set_files(struct um_call *c, struct component *m, json_t *files)
{
    json_t *asked = json_copy(m->body);
    struct draft d = { .category = UM_CATEGORY_DOCUMENT, .id = component_id(m), .asked = asked, .before = m, .body = json_copy(m->body) };
    um_err err;

    json_object_set_new(asked, "files", files);
    err = files_bind(c, &d);
    if (err == UM_OK)
        err = component_save(c, m, json_incref(d.body), UM_CHANGE_CONTENT);
    if (err == UM_OK)
        answer(c, m);
    json_decref(d.body);
    json_decref(asked);
    return err;
}

static um_err add(struct um_call *c)
{
    struct component m;
    um_err err = find_to_change(c, &m);

    if (err == UM_OK) {
        json_t *files = json_array();

        if (um_arg_int(c, "replace", 0) == 0)
            json_array_extend(files, json_object_get(m.body, "files"));
        json_array_extend(files, (json_t *)c->body);
        err = set_files(c, &m, files);
    }
    component_done(&m);
    return err;
}

/* The files but FILE_ID, whose entry, or NULL, is *FOUND: borrowed from M. */
static json_t *others(const struct component *m, const char *file_id, json_t **found)
{
    json_t *files = json_array(), *file;
    size_t i;

    *found = NULL;
    json_array_foreach(json_object_get(m->body, "files"), i, file) {
        if (um_body_id(file) != NULL && strcmp(um_body_id(file), file_id) == 0)
            *found = file;
        else
            json_array_append(files, file);
    }
    return files;
}

/* What is gone is gone: that is no error. */
static um_err remove_one(struct um_call *c)
{
    struct component m;
    json_t *found, *files;
    um_err err = find_to_change(c, &m);

    if (err == UM_OK) {
        files = others(&m, um_arg(c, "fileId"), &found);
        if (found != NULL)
            err = set_files(c, &m, files);
        else
            json_decref(files);
    }
    json_decref(c->reply);
    c->reply = NULL;
    c->version = 0;
    component_done(&m);
    return err;
}

static um_err rename_entry(struct um_call *c, struct component *m, const char *name)
{
    json_t *body = json_deep_copy(m->body), *found;
    struct component copy = { .body = body };
    json_t *files = others(&copy, um_arg(c, "fileId"), &found);

    json_decref(files);
    if (found == NULL) {
        json_decref(body);
        return no_such_file(c);
    }
    json_object_set_new(found, "name", json_string(name));
    json_object_set_new(found, "Name", json_string(name));
    return component_save(c, m, body, UM_CHANGE_CONTENT);
}

static um_err rename_one(struct um_call *c)
{
    const char *name = json_string_value(c->body);
    char owner[UM_CONTENT_OWNER_MAX + 1];
    struct component m;
    um_err err = find_to_change(c, &m);

    if (err == UM_OK) {
        files_owner(c, component_id(&m), NULL, owner);
        err = um_content_rename(c->q, owner, um_arg(c, "fileId"), name != NULL ? name : "");
        if (err == UM_EINVAL)
            err = um_fail_at(c, UM_U00400, "", "a name has 1 to 512 bytes and no control characters");
        else if (err == UM_ENOTFOUND)
            err = no_such_file(c);
    }
    if (err == UM_OK)
        err = rename_entry(c, &m, name);
    if (err == UM_OK)
        answer(c, &m);
    component_done(&m);
    return err;
}

const struct um_domain_call um_document_files_list = { "documents.files.list", list, 0 };
const struct um_domain_call um_document_files_contents = { "documents.files.contents", contents, 0 };
const struct um_domain_call um_document_files_add = { "documents.files.add", add, UM_CALL_WRITES };
const struct um_domain_call um_document_files_rename = { "documents.files.rename", rename_one, UM_CALL_WRITES };
const struct um_domain_call um_document_files_delete = { "documents.files.delete", remove_one, UM_CALL_WRITES };
