/* Annotations: marks on the pages of a document. They lie beside it: who adds one changes neither the document nor its version,
 * and they go with it. Whose they are decides who may change and remove them; the rest is the document's ACL. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "annotations.h"
#include "body.h"

enum {
    ANNOTATIONS_MAX = 1000,                  /* of a document */
    ANNOTATION_MAX = 16 << 10,               /* bytes of one as JSON */
};

struct annotation { int64_t num; json_t *body; };       /* num 0: there is none */

static um_err find_document(struct um_call *c, struct component *m, enum um_permission p)
{
    um_err err = component_find(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), m);

    return err == UM_OK ? component_need(c, m, p) : err;
}

/* ---- rows ---- */

/* OUT's num is 0 when there is none. The caller decrefs its body. */
static um_err fetch(struct um_call *c, const struct component *m, const char *id, struct annotation *out)
{
    struct um_sql_row row;
    struct um_span text;
    um_err err = um_sql_one(c->q, "SELECT num, body FROM annotations WHERE document = ?1 AND id = ?2",
                            UM_SQL_ARGS(UM_SQL_INT(m->num), um_sql_word(id)), &row);

    *out = (struct annotation){ 0 };
    if (err != UM_OK)
        return err == UM_ENOTFOUND ? UM_OK : err;
    out->num = um_sql_int(&row, 0);
    text = um_sql_span(&row, 1);
    out->body = json_loadb((const char *)text.data, text.len, 0, NULL);
    return out->body != NULL ? UM_OK : UM_ECORRUPT;
}

static um_err check_room(struct um_call *c, const struct component *m)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT) FROM annotations WHERE document = ?1", UM_SQL_ARGS(UM_SQL_INT(m->num)),
                            &row);

    return err == UM_OK && um_sql_int(&row, 0) >= ANNOTATIONS_MAX
               ? um_fail(c, UM_U00413, "a document has at most %d annotations", ANNOTATIONS_MAX) : err;
}

static um_err write_row(struct um_call *c, const struct component *m, const struct annotation *before, const char *id, const char *text)
{
    um_err err;

    if (before->num != 0)
        return um_sql_exec(c->q, "UPDATE annotations SET body = ?2 WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(before->num), um_sql_word(text)),
                           NULL);
    err = check_room(c, m);
    return err != UM_OK ? err : um_sql_exec(c->q, "INSERT INTO annotations(document, id, author, body) VALUES(?1, ?2, ?3, ?4)",
                                            UM_SQL_ARGS(UM_SQL_INT(m->num), um_sql_word(id), um_sql_word(c->who->user), um_sql_word(text)),
                                            NULL);
}

/* ---- reading ---- */

static um_err add(void *arg, const struct um_sql_row *row)
{
    struct um_span text = um_sql_span(row, 0);
    json_t *body = json_loadb((const char *)text.data, text.len, 0, NULL);

    return body != NULL && json_array_append_new(arg, body) == 0 ? UM_OK : UM_ECORRUPT;
}

static um_err list(struct um_call *c)
{
    struct component m;
    um_err err = find_document(c, &m, UM_MAY_READ_ANNOTATION);

    c->reply = json_array();
    if (err == UM_OK)
        err = um_sql_each(c->q, "SELECT body FROM annotations WHERE document = ?1 ORDER BY num LIMIT ?2 OFFSET ?3",
                          UM_SQL_ARGS(UM_SQL_INT(m.num), UM_SQL_INT(um_arg_int(c, "max", ANNOTATIONS_MAX)),
                                      UM_SQL_INT(um_arg_int(c, "start", 0))), add, c->reply);
    component_done(&m);
    return err;
}

/* ---- changing ---- */

/* Somebody else's needs more than one's own, for which CREATE_ANNOTATION is enough. */
static um_err need_to_change(struct um_call *c, const struct component *m, const char *author)
{
    if (um_has_role(c, "ADMIN"))
        return UM_OK;
    return component_need(c, m, author != NULL && strcmp(author, c->who->user) == 0 ? UM_MAY_CREATE_ANNOTATION : UM_MAY_UPDATE);
}

static um_err keep(struct um_call *c, const struct component *m, const struct annotation *before, const char *id, const json_t *asked,
                   const char *path)
{
    json_t *next = um_body_next(c, asked, before->body);
    char *text = NULL;
    um_err err;

    json_object_set_new(next, "id", json_string(id));
    if (before->num == 0)                    /* whoever it says: it is the caller's */
        json_object_set_new(json_object_get(next, "data"), "owner", json_string(c->who->user));
    err = um_body_text(c, next, &text);
    if (err == UM_OK && strlen(text) > ANNOTATION_MAX)
        err = um_fail_at(c, UM_U00413, path, "an annotation has at most %d bytes", ANNOTATION_MAX);
    if (err == UM_OK)
        err = write_row(c, m, before, id, text);
    free(text);
    if (err == UM_OK)
        json_array_append(c->reply, next);
    json_decref(next);
    return err;
}

static um_err put_one(struct um_call *c, const struct component *m, const json_t *asked, size_t i)
{
    const char *id = um_body_id(asked);
    struct annotation before;
    char path[32], made[37];
    um_err err;

    snprintf(path, sizeof(path), "/%zu", i);
    um_random_uuid(made);
    if (id == NULL || *id == '\0')
        id = made;
    if (!um_is_id(id))
        return um_fail_at(c, UM_U00400, path, "an id has 1 to %d bytes without control characters", UM_DOMAIN_ID_MAX);
    err = fetch(c, m, id, &before);
    if (err == UM_OK && before.num != 0)
        err = need_to_change(c, m, um_body_data(before.body, "owner"));
    if (err == UM_OK)
        err = um_body_check_version(c, asked, before.body, path);
    if (err == UM_OK)
        err = keep(c, m, &before, id, asked, path);
    json_decref(before.body);
    return err;
}

static um_err put(struct um_call *c)
{
    struct component m;
    um_err err = find_document(c, &m, UM_MAY_CREATE_ANNOTATION);

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = put_one(c, &m, json_array_get(c->body, i), i);
    component_done(&m);
    return err;
}

/* What is gone is gone: that is no error. */
static um_err remove_some(struct um_call *c)
{
    struct component m;
    um_err err = component_find(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), &m);

    for (size_t i = 0; i < um_arg_n(c, "ids") && err == UM_OK; i++) {
        struct annotation a;

        err = fetch(c, &m, um_arg_id(c, "ids", i), &a);
        if (err == UM_OK)
            err = need_to_change(c, &m, a.num != 0 ? um_body_data(a.body, "owner") : c->who->user);
        if (err == UM_OK)
            err = um_sql_exec(c->q, "DELETE FROM annotations WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(a.num)), NULL);
        json_decref(a.body);
    }
    component_done(&m);
    return err;
}

/* All of them, or none when one of them may not be removed. */
static um_err remove_all(struct um_call *c)
{
    struct component m;
    struct um_sql_row row;
    um_err err = component_find(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), &m);

    if (err == UM_OK) {
        err = um_sql_one(c->q, "SELECT num FROM annotations WHERE document = ?1 AND author <> ?2 LIMIT 1",
                         UM_SQL_ARGS(UM_SQL_INT(m.num), um_sql_word(c->who->user)), &row);
        if (err == UM_OK || err == UM_ENOTFOUND)
            err = need_to_change(c, &m, err == UM_OK ? NULL : c->who->user);
    }
    if (err == UM_OK)
        err = annotations_forget(c, &m);
    component_done(&m);
    return err;
}

um_err annotations_forget(struct um_call *c, const struct component *m)
{
    return um_sql_exec(c->q, "DELETE FROM annotations WHERE document = ?1", UM_SQL_ARGS(UM_SQL_INT(m->num)), NULL);
}

const struct um_domain_call um_annotations_list = { "documents.annotations.list", list, 0 };
const struct um_domain_call um_annotations_put = { "documents.annotations.put", put, UM_CALL_WRITES };
const struct um_domain_call um_annotations_delete = { "documents.annotations.delete", remove_some, UM_CALL_WRITES };
const struct um_domain_call um_annotations_clear = { "documents.annotations.clear", remove_all, UM_CALL_WRITES };
