/* The rows that a component is searched by: its tags, put with one statement, which come as one JSON array; and its words. */
#include <stdlib.h>
#include <string.h>
#include "index.h"
#include "search/fields.h"
#include "search/index_text.h"
#include "tag_types.h"

enum { TEXT_OF_TAGS_MAX = 1 << 20 };         /* bytes of name and tags that words are taken from */

/* ---- tags ---- */

static void add_tag(struct um_call *c, enum um_category category, json_t *rows, const json_t *tag)
{
    const char *name = json_string_value(json_object_get(tag, "name"));
    enum um_tag_type type = um_tag_type(um_model_find(c->model, UM_KIND_TAG_CLASS, name));
    size_t i;
    json_t *value;

    json_array_foreach(json_object_get(tag, "value"), i, value) {
        double number = 0;
        const char *text = json_string_value(value);
        bool is_number = um_tag_is_number(type) && *text != '\0' && um_tag_read(type, text, &number);

        json_array_append_new(rows, json_pack("{s:I, s:I, s:o, s:o}", "field", (json_int_t)field_number(c->scope, category, name),
                                              "position", (json_int_t)i, "value", json_stringn(text, field_cut(text)),
                                              "number", is_number ? json_real(number) : json_null()));
    }
}

static um_err insert(struct um_call *c, int64_t num, const char *rows)
{
    if (um_sql_is_postgres(c->q))
        return um_sql_exec(c->q, "INSERT INTO component_tags(num, field, position, value, number)"
                                 " SELECT ?1, r.field, r.position, r.value, r.number FROM json_to_recordset(CAST(?2 AS json))"
                                 " AS r(field bigint, position bigint, value text, number double precision)",
                           UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(rows)), NULL);
    return um_sql_exec(c->q, "INSERT INTO component_tags(num, field, position, value, number)"
                             " SELECT ?1, json_extract(r.value, ?3), json_extract(r.value, ?4), json_extract(r.value, ?5),"
                             " json_extract(r.value, ?6) FROM json_each(?2) AS r",
                       UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(rows), um_sql_word("$.field"), um_sql_word("$.position"),
                                   um_sql_word("$.value"), um_sql_word("$.number")), NULL);
}

static um_err put_tags(struct um_call *c, int64_t num, enum um_category category, const json_t *body)
{
    um_err err = um_sql_exec(c->q, "DELETE FROM component_tags WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);
    json_t *rows = json_array(), *tag;
    size_t i;
    char *text;

    json_array_foreach(json_object_get(body, "tags"), i, tag)
        add_tag(c, category, rows, tag);
    if (err == UM_OK && json_array_size(rows) > 0) {
        text = json_dumps(rows, JSON_COMPACT | JSON_REAL_PRECISION(17));
        err = text != NULL ? insert(c, num, text) : UM_EINVAL;
        free(text);
    }
    json_decref(rows);
    return err;
}

/* ---- words ---- */

static void add_text(struct um_buf *b, const json_t *value)
{
    if (json_is_string(value) && b->len + json_string_length(value) < TEXT_OF_TAGS_MAX) {
        um_buf_puts(b, json_string_value(value));
        um_buf_put_u8(b, '\n');
    }
}

static um_err put_words(struct um_call *c, int64_t num, enum um_category category, const json_t *body)
{
    struct um_buf b = { 0 };
    char mark[FIELD_MARK_MAX];
    json_t *tag, *value;
    size_t i, k;
    um_err err;

    add_text(&b, json_object_get(body, "name"));
    json_array_foreach(json_object_get(body, "tags"), i, tag)
        json_array_foreach(json_object_get(tag, "value"), k, value)
            add_text(&b, value);
    field_mark(c->scope, category, mark);
    err = b.failed ? UM_ENOMEM : index_text_after(c, num, "", mark, UM_SPAN(b.data, b.len), NULL);
    um_buf_free(&b);
    return err;
}

/* What files that the component has no more had in them, is not found any more. */
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

static um_err take_part(void *arg, const struct um_sql_row *row)
{
    json_array_append_new(arg, json_string(um_sql_text(row, 0)));
    return UM_OK;
}

static um_err drop_old_files(struct um_call *c, int64_t num, const json_t *body)
{
    static const char prefix[] = "file:";
    json_t *parts = json_array(), *part;
    size_t i;
    um_err err = um_sql_each(c->q, "SELECT part FROM component_text WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), take_part, parts);

    json_array_foreach(parts, i, part) {
        const char *name = json_string_value(part);

        if (err == UM_OK && strncmp(name, prefix, sizeof(prefix) - 1) == 0 && !has_file(body, name + sizeof(prefix) - 1))
            err = index_text_remove(c, num, name);
    }
    json_decref(parts);
    return err;
}

/* ---- */

um_err index_remove(struct um_call *c, int64_t num)
{
    um_err err = um_sql_exec(c->q, "DELETE FROM component_tags WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);

    return err == UM_OK ? index_text_remove(c, num, NULL) : err;
}

um_err index_put(struct um_call *c, int64_t num, enum um_category category, const json_t *body)
{
    um_err err = put_tags(c, num, category, body);

    if (err == UM_OK)
        err = put_words(c, num, category, body);
    return err == UM_OK ? drop_old_files(c, num, body) : err;
}
