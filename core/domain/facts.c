/* See facts.h. A row holds what is asked for by criteria; the fields that have changed are one JSON text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "fact_row.h"
#include "facts.h"
#include "internal.h"
#include "tags.h"

enum {
    FIELDS_MAX = 200,                        /* of a fact */
    FIELD_MAX = 1000,                        /* bytes of a field's value */
    REMOVED_TOGETHER = 1000,                 /* facts of a scope, in one unit */
};

static const char *const words[UM_ACTIONS_N] = {
#define X(id, change) #id,
    UM_ACTIONS(X)
#undef X
};

bool facts_read_actions(const char *list, uint32_t *bits, char *word, size_t size)
{
    *bits = 0;
    while (*list != '\0') {
        size_t n = strcspn(list, ", "), i = 0;

        snprintf(word, size, "%.*s", (int)n, list);
        while (i < UM_ACTIONS_N && n > 0 && !um_ascii_ieq(words[i], word))
            i++;
        if (i == UM_ACTIONS_N)
            return false;
        if (n > 0)
            *bits |= UINT32_C(1) << i;
        list += n + (list[n] != '\0');
    }
    return true;
}

/* ---- what has changed ---- */

/* The first SIZE-1 bytes of TEXT at most, cut between characters. */
static json_t *cut(const char *text)
{
    size_t n = strlen(text);

    if (n > FIELD_MAX)
        for (n = FIELD_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80; n--)
            continue;
    return json_stringn(text, n);
}

/* The texts of a list, with the vendor's sign between them. */
static char *joined(const json_t *list, const char *member)
{
    struct um_buf b = { 0 };
    char *out;
    size_t i;
    json_t *v;

    json_array_foreach(list, i, v) {
        const char *text = json_string_value(member != NULL ? json_object_get(v, member) : v);

        if (i > 0)
            um_buf_puts(&b, "\xc2\xa7");
        um_buf_puts(&b, text != NULL ? text : "");
    }
    out = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return out;
}

static void add(json_t *fields, const char *name, const char *value)
{
    json_array_append_new(fields, json_pack("{s:s, s:o}", "name", name, "value", cut(value != NULL ? value : "")));
}

static void add_list(json_t *fields, const char *name, const json_t *list, const char *member)
{
    char *value = joined(list, member);

    add(fields, name, value);
    free(value);
}

static void compare_text(json_t *fields, const char *name, const json_t *was, const json_t *is)
{
    if (!(was == NULL && is == NULL) && (was == NULL || is == NULL || !json_equal(was, is)))
        add(fields, name, json_string_value(is));
}

static void compare_tags(json_t *fields, const json_t *was, const json_t *is)
{
    size_t i;
    json_t *tag;

    json_array_foreach(is, i, tag) {
        const char *name = json_string_value(json_object_get(tag, "name"));
        const json_t *old = tags_find(was, name);

        if (old == NULL || !json_equal(json_object_get(old, "value"), json_object_get(tag, "value")))
            add_list(fields, name, json_object_get(tag, "value"), NULL);
    }
    json_array_foreach(was, i, tag) {
        const char *name = json_string_value(json_object_get(tag, "name"));

        if (tags_find(is, name) == NULL)
            add(fields, name, "");
    }
}

static json_t *changed_fields(const json_t *was, const json_t *is)
{
    static const char *const own[] = { "name", "assignee", "workflow", "versionLabel" };
    static const char *const data[] = { "classId", "ACL", "owner", "status" };
    json_t *fields = json_array();

    if (was == NULL || is == NULL)
        return fields;
    for (size_t i = 0; i < UM_COUNT(own); i++)
        compare_text(fields, own[i], json_object_get(was, own[i]), json_object_get(is, own[i]));
    for (size_t i = 0; i < UM_COUNT(data); i++)
        compare_text(fields, data[i], json_object_get(json_object_get(was, "data"), data[i]),
                     json_object_get(json_object_get(is, "data"), data[i]));
    compare_tags(fields, json_object_get(was, "tags"), json_object_get(is, "tags"));
    if (!json_equal(json_object_get(was, "files"), json_object_get(is, "files")) && json_object_get(is, "files") != NULL)
        add_list(fields, "files", json_object_get(is, "files"), "name");
    return fields;
}

/* ---- rows ---- */

um_err fact_insert(struct um_call *c, const char *category, const char *id, const char *action, bool technical,
                   const char *description, const char *fields, int64_t *num)
{
    const char *request = c->who->request != NULL ? c->who->request : "";
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "INSERT INTO facts(scope, category, object, action, user_id, request, technical, created_ms,"
                                  " description, fields) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) RETURNING num",
                            UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(category), um_sql_word(id), um_sql_word(action),
                                        um_sql_word(c->who->user), um_sql_word(request), UM_SQL_INT(technical),
                                        UM_SQL_INT(c->now_ms), um_sql_word(description), um_sql_word(fields)), &row);

    if (err == UM_OK && num != NULL)
        *num = um_sql_int(&row, 0);
    return err == UM_ENOTFOUND ? UM_EIO : err;
}

static bool is_told(const struct um_call *c, const struct component *m, enum um_action a)
{
    return (c->domain->facts[m->category] >> a & 1) != 0;
}

um_err facts_record(struct um_call *c, const struct component *m, enum um_action a, const json_t *before)
{
    json_t *fields;
    char *text;
    um_err err;

    if (a == UM_ACTION_UPDATE_CONTENT && !is_told(c, m, a))
        a = UM_ACTION_UPDATE;                /* of which it is a kind */
    if (!is_told(c, m, a))
        return UM_OK;
    fields = changed_fields(before, m->body);
    json_array_extend(fields, m->told);
    while (json_array_size(fields) > FIELDS_MAX)
        json_array_remove(fields, json_array_size(fields) - 1);
    text = json_dumps(fields, JSON_COMPACT);
    err = text == NULL ? UM_EINVAL
                       : fact_insert(c, um_category_word(m->category), component_id(m), words[a], true, "", text, NULL);
    free(text);
    json_decref(fields);
    return err;
}

um_err facts_remove_some(struct um_call *c, const char *scope, bool *left)
{
    int64_t n = 0;
    um_err err = um_sql_exec(c->q, "DELETE FROM facts WHERE num IN (SELECT num FROM facts WHERE scope = ?1 LIMIT ?2)",
                             UM_SQL_ARGS(um_sql_word(scope), UM_SQL_INT(REMOVED_TOGETHER)), &n);

    *left = n == REMOVED_TOGETHER;
    return err;
}
