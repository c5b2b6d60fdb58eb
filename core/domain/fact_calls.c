/* The history of a component for whom its ACL lets read it, facts that administrators add, and a search over all of a scope's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "dates.h"
#include "facts.h"
#include "fact_row.h"

enum { FOUND_MAX = 10000, ACTION_MAX = 50, DESCRIPTION_MAX = 4000, PAGE_MAX = 1000 };

#define COLUMNS "num, category, object, action, user_id, request, technical, created_ms, description, fields"

/* ---- rows ---- */

static um_err add_fact(void *arg, const struct um_sql_row *row)
{
    static const char *const texts[] = { "objectType", "objectId", "action", "user", "requestId" };
    struct um_span fields = um_sql_span(row, 9);
    json_t *fact = json_object(), *list = json_loadb((const char *)fields.data, fields.len, 0, NULL);
    char text[UM_DATE_MAX];

    snprintf(text, sizeof(text), "%lld", (long long)um_sql_int(row, 0));
    json_object_set_new(fact, "id", json_string(text));
    for (size_t i = 0; i < UM_COUNT(texts); i++)
        json_object_set_new(fact, texts[i], json_string(um_sql_text(row, 1 + i)));
    um_date_text(um_sql_int(row, 7), text);
    json_object_set_new(fact, "creationDate", json_string(text));
    json_object_set_new(fact, "technical", json_boolean(um_sql_int(row, 6) != 0));
    json_object_set_new(fact, "description", json_string(um_sql_text(row, 8)));
    json_object_set_new(fact, "updatedFields", list != NULL ? list : json_array());
    json_array_append_new(arg, fact);
    return UM_OK;
}

/* ---- of one component ---- */

static um_err list(struct um_call *c)
{
    struct component m;
    um_err err = component_find(c, component_category(c), um_arg(c, "id"), &m);

    if (err == UM_OK)
        err = component_need(c, &m, UM_MAY_READ_HISTORY);
    c->reply = json_array();
    if (err == UM_OK)
        err = um_sql_each(c->q, "SELECT " COLUMNS " FROM facts WHERE scope = ?1 AND category = ?2 AND object = ?3"
                                " ORDER BY num DESC LIMIT ?4 OFFSET ?5",
                          UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(um_category_word(m.category)),
                                      um_sql_word(um_arg(c, "id")), UM_SQL_INT(um_arg_int(c, "max", 50)),
                                      UM_SQL_INT(um_arg_int(c, "start", 0))), add_fact, c->reply);
    component_done(&m);
    return err;
}

static const char *text_of(const json_t *o, const char *member, const char *without)
{
    const char *text = json_string_value(json_object_get(o, member));

    return text != NULL ? text : without;
}

static um_err add_one(struct um_call *c, const struct component *m, const json_t *asked, size_t i)
{
    const char *action = text_of(asked, "action", "OTHER"), *description = text_of(asked, "description", "");
    const json_t *fields = json_object_get(asked, "updatedFields");
    char *text = json_is_array(fields) ? json_dumps(fields, JSON_COMPACT) : um_xstrdup("[]");
    struct um_sql_row row;
    int64_t num;
    char path[32];
    um_err err;

    snprintf(path, sizeof(path), "/%zu", i);
    if (*action == '\0' || strlen(action) > ACTION_MAX || strlen(description) > DESCRIPTION_MAX)
        err = um_fail_at(c, UM_U00400, path, "a fact has an action of at most %d bytes, and a description of at most %d",
                         ACTION_MAX, DESCRIPTION_MAX);
    else
        err = fact_insert(c, um_category_word(m->category), component_id(m), action, false, description, text, &num);
    free(text);
    if (err == UM_OK)
        err = um_sql_one(c->q, "SELECT " COLUMNS " FROM facts WHERE num = ?1", UM_SQL_ARGS(UM_SQL_INT(num)), &row);
    return err == UM_OK ? add_fact(c->reply, &row) : err;
}

/* The door wants role ADMIN. */
static um_err create(struct um_call *c)
{
    struct component m;
    um_err err = component_find(c, component_category(c), um_arg(c, "id"), &m);

    c->reply = json_array();
    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = add_one(c, &m, json_array_get(c->body, i), i);
    component_done(&m);
    return err;
}

/* ---- of a scope ---- */

static const struct { const char *name, *column; } criteria[] = {
    { "objectId", "object" }, { "objectType", "category" }, { "action", "action" }, { "user", "user_id" }, { "requestId", "request" },
};

static um_err add_criterion(struct um_call *c, struct um_sql_parts *q, const json_t *criterion, size_t at)
{
    const char *name = text_of(criterion, "name", ""), *value = text_of(criterion, "value", "");
    char path[64];

    um_sql_add(q, " AND ");
    for (size_t i = 0; i < UM_COUNT(criteria); i++)
        if (um_ascii_ieq(criteria[i].name, name)) {
            um_sql_add_name(q, criteria[i].column);
            um_sql_add(q, " = ");
            um_sql_add_value(q, um_sql_word(value));
            return UM_OK;
        }
    if (um_ascii_ieq(name, "technical")) {
        um_sql_add(q, "technical = ");
        um_sql_add_value(q, UM_SQL_INT(um_ascii_ieq(value, "true")));
        return UM_OK;
    }
    snprintf(path, sizeof(path), "/searchCriteria/%zu/name", at);
    return um_fail_at(c, UM_T00104, path, "facts are searched by objectId, objectType, action, user, requestId and technical");
}

static um_err add_where(struct um_call *c, struct um_sql_parts *q)
{
    const json_t *list = json_object_get(c->body, "searchCriteria");
    um_err err = UM_OK;

    um_sql_add(q, " FROM facts WHERE scope = ");
    um_sql_add_value(q, um_sql_word(c->scope));
    for (size_t i = 0; i < json_array_size(list) && err == UM_OK; i++)
        err = add_criterion(c, q, json_array_get(list, i), i);
    return err;
}

static um_err take_count(void *arg, const struct um_sql_row *row)
{
    *(int64_t *)arg = um_sql_int(row, 0);
    return UM_OK;
}

/* How many there are, at most FOUND_MAX. */
static um_err count(struct um_call *c, int64_t *n)
{
    struct um_sql_parts q = { 0 };
    um_err err;

    um_sql_add(&q, "SELECT CAST(count(*) AS BIGINT) FROM (SELECT num");
    err = add_where(c, &q);
    um_sql_add(&q, " LIMIT ");
    um_sql_add_value(&q, UM_SQL_INT(FOUND_MAX));
    um_sql_add(&q, ") AS found");
    if (err == UM_OK)
        err = um_sql_each_of(c->q, &q, take_count, n);
    um_sql_parts_free(&q);
    return err;
}

static um_err page(struct um_call *c, json_t *results)
{
    const json_t *context = json_object_get(c->body, "paginationContext");
    json_int_t max = json_integer_value(json_object_get(context, "maxResults"));
    json_int_t index = json_integer_value(json_object_get(context, "pageIndex"));
    struct um_sql_parts q = { 0 };
    um_err err;

    max = max < 1 ? 50 : max > PAGE_MAX ? PAGE_MAX : max;
    index = index < 0 ? 0 : index > FOUND_MAX ? FOUND_MAX : index;
    um_sql_add(&q, "SELECT " COLUMNS);
    err = add_where(c, &q);
    um_sql_add(&q, " ORDER BY num DESC LIMIT ");
    um_sql_add_value(&q, UM_SQL_INT(max));
    um_sql_add(&q, " OFFSET ");
    um_sql_add_value(&q, UM_SQL_INT(index * max));
    if (err == UM_OK)
        err = um_sql_each_of(c->q, &q, add_fact, results);
    um_sql_parts_free(&q);
    return err;
}

static um_err search(struct um_call *c)
{
    json_t *results = json_array();
    int64_t n = 0;
    um_err err = count(c, &n);

    if (err == UM_OK)
        err = page(c, results);
    c->reply = json_pack("{s:I, s:o}", "found", (json_int_t)n, "results", results);
    return err;
}

const struct um_domain_call um_facts_list = { "facts.list", list, 0 };
const struct um_domain_call um_facts_create = { "facts.create", create, UM_CALL_WRITES };
const struct um_domain_call um_facts_search = { "facts.search", search, 0 };
