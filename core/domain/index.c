/* The rows of a component's tags, put with one statement: they come as one JSON array. */
#include <stdlib.h>
#include "index.h"
#include "tag_types.h"

static void add_tag(struct um_call *c, json_t *rows, const json_t *tag)
{
    const char *name = json_string_value(json_object_get(tag, "name"));
    enum um_tag_type type = um_tag_type(um_model_find(c->model, UM_KIND_TAG_CLASS, name));
    size_t i;
    json_t *value;

    json_array_foreach(json_object_get(tag, "value"), i, value) {
        double number = 0;
        const char *text = json_string_value(value);
        bool is_number = um_tag_is_number(type) && *text != '\0' && um_tag_read(type, text, &number);

        json_array_append_new(rows, json_pack("{s:s, s:I, s:O, s:o}", "tag", name, "position", (json_int_t)i, "value", value,
                                              "number", is_number ? json_real(number) : json_null()));
    }
}

static um_err insert(struct um_call *c, int64_t num, const char *rows)
{
    if (um_sql_is_postgres(c->q))
        return um_sql_exec(c->q, "INSERT INTO component_tags(num, tag, position, value, number)"
                                 " SELECT ?1, r.tag, r.position, r.value, r.number FROM json_to_recordset(CAST(?2 AS json))"
                                 " AS r(tag text, position bigint, value text, number double precision)",
                           UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(rows)), NULL);
    return um_sql_exec(c->q, "INSERT INTO component_tags(num, tag, position, value, number)"
                             " SELECT ?1, json_extract(r.value, ?3), json_extract(r.value, ?4), json_extract(r.value, ?5),"
                             " json_extract(r.value, ?6) FROM json_each(?2) AS r",
                       UM_SQL_ARGS(UM_SQL_INT(num), um_sql_word(rows), um_sql_word("$.tag"), um_sql_word("$.position"),
                                   um_sql_word("$.value"), um_sql_word("$.number")), NULL);
}

um_err index_remove(struct um_call *c, int64_t num)
{
    return um_sql_exec(c->q, "DELETE FROM component_tags WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), NULL);
}

um_err index_put(struct um_call *c, int64_t num, enum um_category category, const json_t *body)
{
    um_err err = index_remove(c, num);
    json_t *rows = json_array(), *tag;
    size_t i;
    char *text;

    (void)category;
    json_array_foreach(json_object_get(body, "tags"), i, tag)
        add_tag(c, rows, tag);
    if (err == UM_OK && json_array_size(rows) > 0) {
        text = json_dumps(rows, JSON_COMPACT | JSON_REAL_PRECISION(17));
        err = text != NULL ? insert(c, num, text) : UM_EINVAL;
        free(text);
    }
    json_decref(rows);
    return err;
}
