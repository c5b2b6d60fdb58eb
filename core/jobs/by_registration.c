/* The queue by registration: how many jobs each has in which state, and what operators have said of it. */
#include <string.h>
#include <umbel/util.h>
#include "list.h"

static json_t *row_new(const char *scope, const char *registration)
{
    return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b, s:f}", "scope", scope, "registration", registration, "handler", "",
                     "waiting", 0, "delayed", 0, "processing", 0, "errors", 0, "oldestWaitingMs", 0, "paused", 0, "perSecond", 0.0);
}

struct gathering { json_t *list; int64_t now_ms; };

static um_err add_counts(void *arg, const struct um_sql_row *row)
{
    static const char *const names[] = { "waiting", "delayed", "processing", "errors" };
    struct gathering *g = arg;
    json_t *one = row_new(um_sql_text(row, 0), um_sql_text(row, 1));

    json_object_set_new(one, "handler", json_string(um_sql_text(row, 2)));
    for (size_t i = 0; i < UM_COUNT(names); i++)
        json_object_set_new(one, names[i], json_integer(um_sql_int(row, 3 + i)));
    if (!um_sql_is_null(row, 7))
        json_object_set_new(one, "oldestWaitingMs", json_integer(UM_MAX(g->now_ms - um_sql_int(row, 7), 0)));
    json_array_append_new(g->list, one);
    return UM_OK;
}

static json_t *find(json_t *list, const char *scope, const char *registration)
{
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one)
        if (strcmp(json_string_value(json_object_get(one, "scope")), scope) == 0 &&
            strcmp(json_string_value(json_object_get(one, "registration")), registration) == 0)
            return one;
    return NULL;
}

/* One without jobs is shown too: whoever paused it wants to find it again. */
static um_err add_control(void *arg, const struct um_sql_row *row)
{
    struct gathering *g = arg;
    json_t *one = find(g->list, um_sql_text(row, 0), um_sql_text(row, 1));

    if (one == NULL) {
        one = row_new(um_sql_text(row, 0), um_sql_text(row, 1));
        json_array_append_new(g->list, one);
    }
    json_object_set_new(one, "paused", json_boolean(um_sql_int(row, 2) != 0));
    json_object_set_new(one, "perSecond", json_real(um_sql_real(row, 3)));
    return UM_OK;
}

static void of_scope(struct um_sql_parts *p, const char *scope, bool or_all)
{
    if (scope == NULL)
        return;
    um_sql_add(p, " AND scope IN (");
    um_sql_add_value(p, um_sql_word(scope));
    um_sql_add(p, ", ");
    um_sql_add_value(p, um_sql_word(or_all ? "" : scope));
    um_sql_add(p, ")");
}

um_err um_jobs_registrations(struct um_sql *q, const char *scope, json_t **list)
{
    struct gathering g = { json_array(), um_sql_now_ms(q) };
    struct um_sql_parts counts = { 0 }, controls = { 0 };
    um_err err;

    um_sql_add(&counts, "SELECT scope, registration, max(handler), CAST(sum(CASE WHEN status < 3 THEN 1 ELSE 0 END) AS BIGINT),"
                        " CAST(sum(CASE WHEN status = 3 THEN 1 ELSE 0 END) AS BIGINT), CAST(sum(CASE WHEN status = 4 THEN 1 ELSE 0 END) AS BIGINT),"
                        " CAST(sum(CASE WHEN status = 5 THEN 1 ELSE 0 END) AS BIGINT), min(CASE WHEN status < 3 THEN created_ms END)"
                        " FROM jobs WHERE num > 0");
    of_scope(&counts, scope, false);
    um_sql_add(&counts, " GROUP BY scope, registration ORDER BY count(*) DESC, scope, registration LIMIT ");
    um_sql_add_value(&counts, UM_SQL_INT(UM_JOBS_REGISTRATIONS_MAX));
    err = um_sql_each_of(q, &counts, add_counts, &g);
    um_sql_add(&controls, "SELECT scope, registration, paused, rate FROM job_controls WHERE rate >= 0");
    of_scope(&controls, scope, true);
    um_sql_add(&controls, " ORDER BY scope, registration LIMIT ");
    um_sql_add_value(&controls, UM_SQL_INT(UM_JOBS_REGISTRATIONS_MAX));
    if (err == UM_OK)
        err = um_sql_each_of(q, &controls, add_control, &g);
    um_sql_parts_free(&counts);
    um_sql_parts_free(&controls);
    *list = err == UM_OK ? json_incref(g.list) : NULL;
    json_decref(g.list);
    return err;
}
