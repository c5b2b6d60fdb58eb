#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include "dates.h"
#include "search/results.h"

#define ADD(q, words) um_sql_add(&(q)->parts, words)
enum { ROWS_AT_ONCE = 500 };

static const char *const columns[] = { "id", "category", "name", "class_id", "status", "owner", "assignee", "acl", "created_ms",
                                       "updated_ms", "body" };
static const char *const members[] = { "id", "category", "name", "classid", "status", "owner", "assignee", "acl", "creationDate",
                                       "lastUpdateDate" };
enum { BODY = UM_COUNT(columns) - 1 };       /* columns begin at 1 of a row: 0 is num */

static size_t column_at(const char *name)
{
    size_t i = 0;

    while (strcmp(columns[i], name) != 0)
        i++;
    return i + 1;
}

/* ---- a row ---- */

static void add_field(json_t *fields, const char *name, const char *value, const json_t *values)
{
    json_t *field = json_pack("{s:s, s:s}", "name", name, "value", value);

    if (json_array_size(values) > 1)
        json_object_set(field, "values", (json_t *)values);
    json_array_append_new(fields, field);
}

static void add_member(json_t *fields, const char *name, size_t column, const struct um_sql_row *row)
{
    char date[UM_DATE_MAX];

    if (row->columns[column].type == UM_SQL_TYPE_INT) {
        um_date_text(um_sql_int(row, column), date);
        add_field(fields, name, date, NULL);
    } else if (*um_sql_text(row, column) != '\0') {
        add_field(fields, name, um_sql_text(row, column), NULL);
    }
}

/* Several values are one text with a section sign between them. */
static void add_tag(json_t *fields, const json_t *tag)
{
    const json_t *values = json_object_get(tag, "value");
    const char *name = json_string_value(json_object_get(tag, "name"));
    struct um_buf b = { 0 };
    size_t i;
    json_t *v;

    if (name == NULL || json_array_size(values) == 0)
        return;
    json_array_foreach(values, i, v) {
        if (i > 0)
            um_buf_puts(&b, "\u00a7");
        um_buf_puts(&b, json_is_string(v) ? json_string_value(v) : "");
    }
    add_field(fields, name, um_buf_cstr(&b), values);
    um_buf_free(&b);
}

static const json_t *tag_of(const json_t *body, const char *name)
{
    size_t i;
    json_t *tag;

    json_array_foreach(json_object_get(body, "tags"), i, tag) {
        const char *own = json_string_value(json_object_get(tag, "name"));

        if (own != NULL && strcmp(own, name) == 0)
            return tag;
    }
    return NULL;
}

static void add_all(json_t *fields, const struct um_sql_row *row, const json_t *body)
{
    size_t i;
    json_t *tag;

    for (size_t k = 0; k < UM_COUNT(members); k++)
        add_member(fields, members[k], k + 1, row);
    json_array_foreach(json_object_get(body, "tags"), i, tag)
        add_tag(fields, tag);
}

static json_t *fields_of(const struct search *s, const struct um_sql_row *row, const json_t *body)
{
    json_t *fields = json_array();

    if (s->all_fields)
        add_all(fields, row, body);
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct field *f = &s->fields[i];

        if (f->column != NULL)
            add_member(fields, f->name, column_at(f->column), row);
        else if (f->kind != FIELD_WORDS)
            add_tag(fields, tag_of(body, f->name));
    }
    return fields;
}

/* ---- all of them ---- */

struct taking { const struct search *s; struct um_map by_num; bool has_body; };

static um_err take(void *arg, const struct um_sql_row *row)
{
    struct taking *t = arg;
    int64_t num = um_sql_int(row, 0);
    struct um_span text = t->has_body ? um_sql_span(row, 1 + BODY) : UM_SPAN(NULL, 0);
    json_t *body = t->has_body ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;

    if (t->has_body && body == NULL)
        return UM_ECORRUPT;
    um_map_put(&t->by_num, UM_SPAN(&num, sizeof(num)),
               json_pack("{s:s, s:s, s:o}", "id", um_sql_text(row, 1), "category", um_sql_text(row, 2), "fields",
                         fields_of(t->s, row, body)));
    json_decref(body);
    return UM_OK;
}

static bool wants_body(const struct search *s)
{
    bool wants = s->all_fields;

    for (size_t i = 0; i < s->n_fields; i++)
        wants |= s->fields[i].column == NULL && s->fields[i].kind != FIELD_WORDS;
    return wants;
}

static um_err read_some(struct search_sql *q, struct taking *t, const struct hits *h, size_t first, size_t end)
{
    um_err err;

    ADD(q, "SELECT b.num");
    for (size_t i = 0; i < UM_COUNT(columns) - !t->has_body; i++) {
        ADD(q, ", b.");
        um_sql_add_name(&q->parts, columns[i]);
    }
    ADD(q, " FROM components b WHERE b.num IN ");
    search_sql_list(q, search_sql_keep(q, hits_nums(h, first, end)), UM_SQL_TYPE_INT);
    err = um_sql_each_of(q->c->q, &q->parts, take, t);
    search_sql_clear(q);
    return err;
}

um_err results_read(struct search_sql *q, const struct hits *h, json_t **out)
{
    struct taking t = { q->s, { 0 }, wants_body(q->s) };
    um_err err = UM_OK;

    *out = json_array();
    for (size_t i = h->first; i < h->end && err == UM_OK; i += ROWS_AT_ONCE)
        err = read_some(q, &t, h, i, UM_MIN(i + ROWS_AT_ONCE, h->end));
    for (size_t i = h->first; i < h->end; i++) {
        json_t *row = um_map_remove(&t.by_num, UM_SPAN(&h->rows[i].num, sizeof(h->rows[i].num)));

        if (row != NULL)
            json_array_append_new(*out, row);
    }
    um_map_free(&t.by_num);
    return err;
}
