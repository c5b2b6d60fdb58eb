/* See versions.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "annotations.h"
#include "body.h"
#include "dates.h"
#include "files.h"
#include "parts.h"
#include "versions.h"

enum { LABEL_MAX = 200 };                    /* bytes */

static const char *mode_of(const struct um_call *c, const struct component *m)
{
    const char *mode = json_string_value(json_object_get(component_class(c, m), "versioningMode"));

    return mode != NULL ? mode : "NONE";
}

/* ---- what a document says of its version ---- */

static const char *const members[] = { "currentVersion", "versionLabel", "versionSeriesId" };

static void say(json_t *body, const char *id, const char *version, const char *label)
{
    const char *values[] = { version, label, id };

    for (size_t i = 0; i < UM_COUNT(members); i++)
        json_object_set_new(body, members[i], json_string(values[i]));
}

static void say_nothing(json_t *body)
{
    for (size_t i = 0; i < UM_COUNT(members); i++)
        json_object_del(body, members[i]);
}

static void say_as(json_t *body, const json_t *before)
{
    say_nothing(body);
    for (size_t i = 0; i < UM_COUNT(members); i++)
        if (json_object_get(before, members[i]) != NULL)
            json_object_set(body, members[i], json_object_get(before, members[i]));
}

/* ---- rows ---- */

struct version { int64_t num; char label[LABEL_MAX + 1]; json_t *body; };

static um_err drop(struct um_call *c, const struct component *m, int64_t num)
{
    char owner[UM_CONTENT_OWNER_MAX + 1], id[24];
    um_err err = um_sql_exec(c->q, "DELETE FROM document_versions WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);

    snprintf(id, sizeof(id), "%lld", (long long)num);
    files_owner(c, component_id(m), id, owner);
    return err == UM_OK ? um_content_unbind_all(c->q, owner) : err;
}

/* Room for one more. */
static um_err make_room(struct um_call *c, const struct component *m, bool automatic)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT), coalesce(min(num), 0) FROM document_versions WHERE document = ?1",
                            UM_SQL_ARGS(UM_SQL_INT(m->num)), &row);

    if (err != UM_OK || um_sql_int(&row, 0) < VERSIONS_MAX)
        return err;
    return automatic ? drop(c, m, um_sql_int(&row, 1)) : um_fail(c, UM_U00413, "a document has at most %d versions", VERSIONS_MAX);
}

static um_err share_files(struct um_call *c, const char *id, const char *from, const char *to)
{
    char source[UM_CONTENT_OWNER_MAX + 1], target[UM_CONTENT_OWNER_MAX + 1];

    files_owner(c, id, from, source);
    files_owner(c, id, to, target);
    return um_content_share_all(c->q, source, target);
}

/* Keeps NEXT as a version of M, and says in NEXT that it is this one. */
static um_err keep(struct um_call *c, const struct component *m, json_t *next, const char *label, bool automatic)
{
    struct um_sql_row row;
    char version[24], *text = NULL;
    um_err err = make_room(c, m, automatic);

    if (err == UM_OK)
        err = um_body_text(c, next, &text);
    if (err == UM_OK)
        err = um_sql_one(c->q, "INSERT INTO document_versions(document, label, author, created_ms, body)"
                               " VALUES(?1, ?2, ?3, ?4, ?5) RETURNING num",
                         UM_SQL_ARGS(UM_SQL_INT(m->num), um_sql_word(label), um_sql_word(c->who->user), UM_SQL_INT(c->now_ms),
                                     um_sql_word(text)), &row);
    free(text);
    if (err != UM_OK)
        return err;
    snprintf(version, sizeof(version), "%lld", (long long)um_sql_int(&row, 0));
    say(next, um_body_id(next), version, label);
    return share_files(c, um_body_id(next), NULL, version);
}

um_err versions_follow(struct um_call *c, const struct component *m, const json_t *before, json_t *next, bool *kept)
{
    const json_t *files = json_object_get(next, "files"), *were = json_object_get(before, "files");
    bool same = (json_array_size(files) == 0 && json_array_size(were) == 0) || json_equal(files, were) == 1;

    *kept = !same && m->category == UM_CATEGORY_DOCUMENT && strcmp(mode_of(c, m), "AUTO") == 0;
    return *kept ? keep(c, m, next, "", true) : UM_OK;
}

static um_err versions_forget(struct um_call *c, const struct component *m)
{
    return um_sql_exec(c->q, "DELETE FROM document_versions WHERE document = ?1", UM_SQL_ARGS(UM_SQL_INT(m->num)), NULL);
}

um_err document_complete(struct um_call *c, struct draft *d)
{
    say_as(d->body, d->before != NULL ? d->before->body : NULL);
    return files_bind(c, d);
}

um_err document_forget(struct um_call *c, const struct component *m)
{
    um_err err = files_forget(c, m);

    if (err == UM_OK)
        err = annotations_forget(c, m);
    return err == UM_OK ? versions_forget(c, m) : err;
}

/* ---- reading ---- */

static void version_done(struct version *v)
{
    json_decref(v->body);
    *v = (struct version){ 0 };
}

static json_t *shown(const struct um_sql_row *row)
{
    struct um_span text = um_sql_span(row, 4);
    json_t *body = json_loadb((const char *)text.data, text.len, 0, NULL);
    char version[24], date[UM_DATE_MAX];

    if (body == NULL)
        return NULL;
    snprintf(version, sizeof(version), "%lld", (long long)um_sql_int(row, 0));
    um_date_text(um_sql_int(row, 3), date);
    say(body, um_body_id(body), version, um_sql_text(row, 1));
    json_object_set_new(body, "versionAuthor", json_string(um_sql_text(row, 2)));
    json_object_set_new(body, "versionDate", json_string(date));
    return body;
}

#define COLUMNS "num, label, author, created_ms, body"

static um_err add_version(void *arg, const struct um_sql_row *row)
{
    json_t *body = shown(row);

    return body != NULL && json_array_append_new(arg, json_pack("{s:o}", "Document", body)) == 0 ? UM_OK : UM_ECORRUPT;
}

static bool read_num(const char *text, int64_t *num)
{
    size_t n = strspn(text, "0123456789");

    *num = n > 0 && n < 19 && text[n] == '\0' ? strtoll(text, NULL, 10) : 0;
    return *num > 0;
}

static um_err find(struct um_call *c, const struct component *m, struct version *out)
{
    const char *asked = um_arg(c, "versionId");
    struct um_sql_row row;
    um_err err = UM_ENOTFOUND;

    *out = (struct version){ 0 };
    if (read_num(asked, &out->num))
        err = um_sql_one(c->q, "SELECT " COLUMNS " FROM document_versions WHERE num = ?1 AND document = ?2",
                         UM_SQL_ARGS(UM_SQL_INT(out->num), UM_SQL_INT(m->num)), &row);
    if (err == UM_ENOTFOUND)
        return um_fail(c, UM_U00404, "the document has no version %s", asked);
    if (err != UM_OK)
        return err;
    snprintf(out->label, sizeof(out->label), "%s", um_sql_text(&row, 1));
    out->body = shown(&row);
    return out->body != NULL ? UM_OK : UM_ECORRUPT;
}

um_err version_find(struct um_call *c, const struct component *m, json_t **body)
{
    struct version v;
    um_err err = find(c, m, &v);

    *body = v.body;
    return err;
}

static um_err find_document(struct um_call *c, struct component *m)
{
    return component_find(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), m);
}

static um_err list(struct um_call *c)
{
    json_t *versions = json_array();
    struct component m;
    um_err err = find_document(c, &m);

    if (err == UM_OK)
        err = um_sql_each(c->q, "SELECT " COLUMNS " FROM document_versions WHERE document = ?1 ORDER BY num DESC LIMIT ?2 OFFSET ?3",
                          UM_SQL_ARGS(UM_SQL_INT(m.num), UM_SQL_INT(um_arg_int(c, "max", 50)),
                                      UM_SQL_INT(um_arg_int(c, "start", 0))), add_version, versions);
    c->reply = json_pack("{s:o}", "versions", versions);
    component_done(&m);
    return err;
}

static um_err get(struct um_call *c)
{
    struct version v = { 0 };
    struct component m;
    um_err err = find_document(c, &m);

    c->reply = json_array();
    if (err == UM_OK)
        err = find(c, &m, &v);
    if (err == UM_OK)
        json_array_append(c->reply, v.body);
    version_done(&v);
    component_done(&m);
    return err;
}

/* ---- changing ---- */

static um_err find_to_change(struct um_call *c, struct component *m, enum um_permission p)
{
    um_err err = component_check_one_free(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"));

    *m = (struct component){ 0 };
    if (err == UM_OK)
        err = find_document(c, m);
    if (err == UM_OK)
        err = component_need(c, m, p);
    return err == UM_OK ? um_body_check_version(c, NULL, m->body, "") : err;
}

static um_err create(struct um_call *c)
{
    const char *label = json_string_value(c->body);
    struct component m;
    json_t *next = NULL;
    um_err err = find_to_change(c, &m, UM_MAY_UPDATE_CONTENT);

    c->reply = json_array();
    if (err == UM_OK && strcmp(mode_of(c, &m), "NONE") == 0)
        err = um_fail(c, UM_U00400, "documents of class %s have no versions", component_class_id(&m));
    if (err == UM_OK && label != NULL && strlen(label) > LABEL_MAX)
        err = um_fail_at(c, UM_U00400, "", "a label has at most %d bytes", LABEL_MAX);
    if (err == UM_OK) {
        next = json_copy(m.body);
        err = keep(c, &m, next, label != NULL ? label : "", false);
    }
    if (err == UM_OK)
        err = component_save_as(c, &m, json_incref(next), UM_ACTION_VERSION);
    if (err == UM_OK)
        err = component_show(c, &m);
    json_decref(next);
    component_done(&m);
    return err;
}

static um_err remove_one(struct um_call *c)
{
    struct version v = { 0 };
    struct component m;
    const char *current;
    um_err err = find_to_change(c, &m, UM_MAY_DELETE);

    if (err == UM_OK)
        err = find(c, &m, &v);
    if (err == UM_OK)
        err = drop(c, &m, v.num);
    current = json_string_value(json_object_get(m.body, "currentVersion"));
    if (err == UM_OK && current != NULL && strcmp(current, um_arg(c, "versionId")) == 0) {
        json_t *next = json_copy(m.body);

        say_nothing(next);
        err = component_save_as(c, &m, next, UM_ACTION_UPDATE);
    }
    version_done(&v);
    component_done(&m);
    return err;
}

static um_err add_num(void *arg, const struct um_sql_row *row)
{
    json_array_append_new(arg, json_integer(um_sql_int(row, 0)));
    return UM_OK;
}

static um_err remove_all(struct um_call *c)
{
    json_t *nums = json_array(), *next;
    struct component m;
    um_err err = find_to_change(c, &m, UM_MAY_DELETE);

    if (err == UM_OK)
        err = um_sql_each(c->q, "SELECT num FROM document_versions WHERE document = ?1 LIMIT ?2",
                          UM_SQL_ARGS(UM_SQL_INT(m.num), UM_SQL_INT(VERSIONS_MAX)), add_num, nums);
    for (size_t i = 0; i < json_array_size(nums) && err == UM_OK; i++)
        err = drop(c, &m, json_integer_value(json_array_get(nums, i)));
    if (err == UM_OK && json_object_get(m.body, "currentVersion") != NULL) {
        next = json_copy(m.body);
        say_nothing(next);
        err = component_save_as(c, &m, next, UM_ACTION_UPDATE);
    }
    json_decref(nums);
    component_done(&m);
    return err;
}

/* ---- back to a version ---- */

/* The files that the document has go, those of the version come; only what refers to them changes. */
static um_err change_files(struct um_call *c, const struct component *m, const struct version *v)
{
    char owner[UM_CONTENT_OWNER_MAX + 1], version[24];
    um_err err = UM_OK;
    size_t i;
    json_t *file;

    files_owner(c, component_id(m), NULL, owner);
    json_array_foreach(json_object_get(m->body, "files"), i, file)
        if (err == UM_OK) {
            err = um_content_unbind(c->q, owner, um_body_id(file));
            err = err == UM_ENOTFOUND ? UM_OK : err;
        }
    snprintf(version, sizeof(version), "%lld", (long long)v->num);
    return err == UM_OK ? share_files(c, component_id(m), version, NULL) : err;
}

/* Name, tags, files and what else the version has; whose it is, under which ACL, and its status stay. Held against the class as
 * it is now: what it does not let be any more is refused. */
static um_err revert_to(struct um_call *c, struct component *m, const struct version *v)
{
    json_t *asked = json_copy(v->body), *data = json_copy(json_object_get(m->body, "data")), *was = json_copy(m->body);
    struct component before = { .category = m->category, .num = m->num, .body = was };
    struct draft d = { .category = m->category, .id = component_id(m), .asked = asked, .before = &before };
    char version[24];
    um_err err;

    json_object_set_new(data, "classId", json_string(um_body_data(v->body, "classId")));
    json_object_set_new(asked, "data", data);
    json_object_set(was, "files", json_object_get(v->body, "files"));
    json_object_set(was, "tags", json_object_get(v->body, "tags"));      /* what is read-only goes back too */
    err = change_files(c, m, v);
    if (err == UM_OK)
        err = draft_make(c, &d);
    if (err == UM_OK) {
        snprintf(version, sizeof(version), "%lld", (long long)v->num);
        say(d.body, component_id(m), version, v->label);
        json_object_del(d.body, "versionAuthor");
        json_object_del(d.body, "versionDate");
        err = component_save_as(c, m, json_incref(d.body), UM_ACTION_REVERT);
    }
    json_decref(d.body);
    json_decref(asked);
    json_decref(was);
    return err;
}

static um_err revert(struct um_call *c)
{
    struct version v = { 0 };
    struct component m;
    um_err err = find_to_change(c, &m, UM_MAY_UPDATE);

    c->reply = json_array();
    if (err == UM_OK)
        err = component_need(c, &m, UM_MAY_UPDATE_CONTENT);
    if (err == UM_OK)
        err = find(c, &m, &v);
    if (err == UM_OK)
        err = revert_to(c, &m, &v);
    if (err == UM_OK)
        err = component_show(c, &m);
    version_done(&v);
    component_done(&m);
    return err;
}

const struct um_domain_call um_versions_list = { "documents.versions.list", list, 0 };
const struct um_domain_call um_versions_get = { "documents.versions.get", get, 0 };
const struct um_domain_call um_versions_create = { "documents.versions.create", create, UM_CALL_WRITES };
const struct um_domain_call um_versions_revert = { "documents.versions.revert", revert, UM_CALL_WRITES };
const struct um_domain_call um_versions_delete = { "documents.versions.delete", remove_one, UM_CALL_WRITES };
const struct um_domain_call um_versions_clear = { "documents.versions.clear", remove_all, UM_CALL_WRITES };
