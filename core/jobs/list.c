/* Jobs for operators: lists, counts, one of them, all in numbers. Statuses stand in the texts as numbers, for those of the indexes do. */
#include <string.h>
#include <umbel/util.h>
#include "list.h"

/* ---- words ---- */

static const char *const status_words[] = { [JOB_NEW] = "WAITING", [JOB_BEHIND] = "WAITING", [JOB_READY] = "WAITING",
                                            [JOB_DELAYED] = "DELAYED", [JOB_PROCESSING] = "PROCESSING", [JOB_ERROR] = "ERROR" };
static const struct { const char *word, *where; } conditions[] = {
    { "WAITING", "status < 3" }, { "DELAYED", "status = 3" }, { "PROCESSING", "status = 4" }, { "ERROR", "status = 5" },
};

static json_t *moment(const struct um_sql_row *row, size_t column)
{
    char iso[32];

    if (um_sql_is_null(row, column))
        return NULL;
    um_wall_iso(um_sql_int(row, column), iso);
    return json_string(iso);
}

static void set(json_t *job, const char *name, json_t *value)
{
    if (value != NULL)
        json_object_set_new(job, name, value);
}

json_t *list_row(const struct um_sql_row *row, int64_t max_attempts)
{
    static const struct { const char *name; size_t column; } texts[] = {
        { "registration", 3 }, { "handler", 4 }, { "action", 5 }, { "objectId", 8 }, { "user", 9 }, { "scope", 1 }, { "phase", 6 },
        { "objectType", 7 }, { "requestId", 10 },
    };
    int64_t status = um_sql_int(row, 2);
    json_t *job = json_object();

    /* What is asked for most stands first: tables of the terminal end somewhere. */
    set(job, "id", json_string(um_sql_text(row, 0)));
    set(job, "status", json_string(status_words[status]));
    set(job, "attempts", json_integer(um_sql_int(row, 15)));
    set(job, "maxAttempts", json_integer(max_attempts));
    if (!um_sql_is_null(row, 16))
        set(job, "error", json_pack("{s:s, s:s, s:o*}", "code", um_sql_text(row, 16), "message", um_sql_text(row, 17), "at", moment(row, 18)));
    set(job, "createdAt", moment(row, 11));
    set(job, status == JOB_PROCESSING ? "leaseExpiresAt" : "availableAt", moment(row, 12));
    set(job, "startedAt", moment(row, 13));
    if (!um_sql_is_null(row, 14))
        set(job, "worker", json_string(um_sql_text(row, 14)));
    for (size_t i = 0; i < UM_COUNT(texts); i++)
        set(job, texts[i].name, json_string(um_sql_text(row, texts[i].column)));
    set(job, "depth", json_integer(um_sql_int(row, 19)));
    return job;
}

/* ---- what a query means ---- */

static const char *condition_of(const char *word)
{
    for (size_t i = 0; i < UM_COUNT(conditions); i++)
        if (strcmp(conditions[i].word, word) == 0)
            return conditions[i].where;
    return NULL;
}

um_err list_where(struct um_sql_parts *p, const struct um_jobs_query *query, const char *id, const char *status)
{
    static const struct um_jobs_query everything;
    const struct um_jobs_query *f = query != NULL ? query : &everything;
    const struct { const char *column, *value; } texts[] = {
        { "scope", f->scope }, { "registration", f->registration }, { "object", f->object }, { "id", id },
    };

    if (f->status != NULL && *status == '\0' && (status = condition_of(f->status)) == NULL)
        return UM_EINVAL;
    um_sql_add(p, " WHERE ");
    um_sql_add_words(p, *status != '\0' ? status : "num > 0");
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        if (texts[i].value == NULL)
            continue;
        um_sql_add(p, " AND ");
        um_sql_add_words(p, texts[i].column);
        um_sql_add(p, " = ");
        um_sql_add_value(p, um_sql_word(texts[i].value));
    }
    if (f->since_ms > 0) {
        um_sql_add(p, " AND created_ms >= ");
        um_sql_add_value(p, UM_SQL_INT(f->since_ms));
    }
    return UM_OK;
}

/* ---- lists ---- */

struct page { json_t *rows; int64_t max_attempts; };

static um_err add_row(void *arg, const struct um_sql_row *row)
{
    struct page *p = arg;

    json_array_append_new(p->rows, list_row(row, p->max_attempts));
    return UM_OK;
}

static um_err put_number(void *arg, const struct um_sql_row *row)
{
    *(int64_t *)arg = um_sql_int(row, 0);
    return UM_OK;
}

um_err um_jobs_count(struct um_sql *q, const struct um_jobs_query *query, int64_t *n)
{
    struct um_sql_parts p = { 0 };
    um_err err;

    *n = 0;
    um_sql_add(&p, "SELECT count(*) FROM jobs");
    err = list_where(&p, query, NULL, "");
    if (err == UM_OK)
        err = um_sql_each_of(q, &p, put_number, n);
    um_sql_parts_free(&p);
    return err;
}

static um_err read_page(struct um_sql *q, const struct um_jobs_query *query, int64_t max_attempts, json_t *rows)
{
    struct page page = { rows, max_attempts };
    struct um_sql_parts p = { 0 };
    um_err err;

    um_sql_add(&p, "SELECT " LIST_COLUMNS " FROM jobs");
    err = list_where(&p, query, NULL, "");
    um_sql_add(&p, " ORDER BY num LIMIT ");
    um_sql_add_value(&p, UM_SQL_INT(query->max));
    um_sql_add(&p, " OFFSET ");
    um_sql_add_value(&p, UM_SQL_INT(query->start));
    if (err == UM_OK)
        err = um_sql_each_of(q, &p, add_row, &page);
    um_sql_parts_free(&p);
    return err;
}

um_err um_jobs_list(struct um_sql *q, const struct um_jobs_conf *cf, const struct um_jobs_query *query, json_t **page)
{
    json_t *rows;
    int64_t found;
    um_err err;

    *page = NULL;
    if (query->start < 0 || query->max < 1 || query->max > UM_JOBS_PAGE_MAX)
        return UM_EINVAL;
    rows = json_array();
    err = um_jobs_count(q, query, &found);
    if (err == UM_OK && query->start < found)
        err = read_page(q, query, cf->max_attempts, rows);
    if (err == UM_OK)
        *page = json_pack("{s:I, s:O}", "found", (json_int_t)found, "results", rows);
    json_decref(rows);
    return err;
}

um_err um_jobs_get(struct um_sql *q, const struct um_jobs_conf *cf, const char *scope, const char *id, json_t **job)
{
    struct um_jobs_query query = { .scope = scope };
    struct page page = { json_array(), cf->max_attempts };
    struct um_sql_parts p = { 0 };
    um_err err;

    um_sql_add(&p, "SELECT " LIST_COLUMNS " FROM jobs");
    err = list_where(&p, &query, id, "");
    if (err == UM_OK)
        err = um_sql_each_of(q, &p, add_row, &page);
    um_sql_parts_free(&p);
    *job = err == UM_OK ? json_incref(json_array_get(page.rows, 0)) : NULL;
    json_decref(page.rows);
    return err == UM_OK && *job == NULL ? UM_ENOTFOUND : err;
}

/* ---- all of it in numbers ---- */

static um_err add_worker(void *arg, const struct um_sql_row *row)
{
    json_array_append_new(arg, json_pack("{s:s, s:I, s:o*}", "id", um_sql_text(row, 0), "running", (json_int_t)um_sql_int(row, 1),
                                         "lastSeen", moment(row, 2)));
    return UM_OK;
}

static um_err add_paused(void *arg, const struct um_sql_row *row)
{
    json_array_append_new(arg, json_pack("{s:s, s:s}", "scope", um_sql_text(row, 0), "registration", um_sql_text(row, 1)));
    return UM_OK;
}

static um_err list_of(struct um_sql *q, json_t *out, const char *name, const char *words, const char *scope, const char *end,
                      um_sql_row_cb *add)
{
    struct um_sql_parts p = { 0 };
    json_t *list = json_array();
    um_err err;

    um_sql_add_words(&p, words);
    if (scope != NULL) {
        um_sql_add(&p, " AND scope = ");
        um_sql_add_value(&p, um_sql_word(scope));
    }
    um_sql_add_words(&p, end);
    err = um_sql_each_of(q, &p, add, list);
    um_sql_parts_free(&p);
    json_object_set_new(out, name, list);
    return err;
}

static um_err oldest(struct um_sql *q, const char *scope, json_t *out)
{
    struct um_jobs_query query = { .scope = scope };
    struct um_sql_parts p = { 0 };
    int64_t at_ms = um_sql_now_ms(q), now_ms = at_ms;
    um_err err;

    um_sql_add(&p, "SELECT created_ms FROM jobs");
    err = list_where(&p, &query, NULL, conditions[0].where);
    um_sql_add(&p, " ORDER BY num LIMIT 1");
    if (err == UM_OK)
        err = um_sql_each_of(q, &p, put_number, &at_ms);
    um_sql_parts_free(&p);
    json_object_set_new(out, "oldestWaitingMs", json_integer(UM_MAX(now_ms - at_ms, 0)));
    return err;
}

um_err um_jobs_summary(struct um_sql *q, const char *scope, json_t **summary)
{
    static const char *const names[] = { "waiting", "delayed", "processing", "errors" };
    json_t *out = json_object();
    um_err err = UM_OK;
    int64_t n;

    for (size_t i = 0; i < UM_COUNT(names) && err == UM_OK; i++) {
        err = um_jobs_count(q, &(struct um_jobs_query){ .scope = scope, .status = conditions[i].word }, &n);
        json_object_set_new(out, names[i], json_integer(n));
    }
    if (err == UM_OK)
        err = oldest(q, scope, out);
    if (err == UM_OK)
        err = list_of(q, out, "workers", "SELECT worker, count(*), max(seen_ms) FROM jobs WHERE status = 4", scope,
                      " GROUP BY worker ORDER BY worker", add_worker);
    if (err == UM_OK)
        err = list_of(q, out, "paused", "SELECT scope, registration FROM job_controls WHERE paused = 1", scope,
                      " ORDER BY scope, registration", add_paused);
    *summary = err == UM_OK ? json_incref(out) : NULL;
    json_decref(out);
    return err;
}
