/* Exports of searches. A job is what was asked for, as a row of the database, so that any core can answer it: the file is made
 * while it is read, page by page behind a cursor, with the rights that the reader has then. So a job is finished when it is there,
 * takes no memory, and has an error only when a reading of it was broken off. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "dates.h"
#include "search/csv.h"
#include "search/request.h"
#include "search/search.h"

enum {
    JOB_TTL_MS = 24 * 3600 * 1000,
    JOBS_MAX = 100,                          /* of one user that have not expired */
    JOB_REQUEST_MAX = 256 << 10,             /* bytes of a search as JSON */
    JOB_PAGE = 500,                          /* rows of a piece of the file */
    OLD_JOBS = 1000,                         /* that have expired, and are removed by who submits one */
};

static enum um_category category_of(const struct um_call *c)
{
    enum um_category k = UM_CATEGORY_DOCUMENT;
    const char *word = um_arg(c, "category");

    UM_ASSERT(word != NULL && um_category_of(word, &k));
    return k;
}

/* ---- submitting ---- */

static json_t *page_of(const json_t *request)
{
    static const char *const without[] = { "start", "max", "after", "aggregation" };
    json_t *page = json_copy((json_t *)request), *select = json_object_get(page, "selectClause");

    for (size_t i = 0; i < UM_COUNT(without); i++)
        json_object_del(page, without[i]);
    if (json_array_size(json_object_get(select, "fields")) == 0)
        json_object_set_new(page, "selectClause", json_pack("{s:[s,s,s,s,s,s,s]}", "fields", "id", "name", "classid", "status", "owner",
                                                            "creationDate", "lastUpdateDate"));
    json_object_set_new(page, "max", json_integer(JOB_PAGE));
    return page;
}

static um_err check_request(struct um_call *c, const json_t *page)
{
    struct search *s = um_xcalloc(1, sizeof(*s));
    um_err err = search_read(c, category_of(c), page, "", s);

    search_done(s);
    free(s);
    return err;
}

static um_err make_room(struct um_call *c)
{
    struct um_sql_row row;
    um_err err = um_sql_exec(c->q, "DELETE FROM search_jobs WHERE id IN (SELECT id FROM search_jobs WHERE expires_ms < ?1 LIMIT ?2)",
                             UM_SQL_ARGS(UM_SQL_INT(c->now_ms), UM_SQL_INT(OLD_JOBS)), NULL);

    if (err == UM_OK)
        err = um_sql_one(c->q, "SELECT CAST(count(*) AS BIGINT) FROM search_jobs WHERE scope = ?1 AND owner = ?2 AND expires_ms >= ?3",
                         UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), UM_SQL_INT(c->now_ms)), &row);
    if (err == UM_OK && um_sql_int(&row, 0) >= JOBS_MAX)
        return um_fail(c, UM_U00413, "a user has at most %d exports; they expire after a day", JOBS_MAX);
    return err;
}

static um_err insert(struct um_call *c, const char *id, const char *text)
{
    return um_sql_exec(c->q, "INSERT INTO search_jobs(id, scope, category, owner, request, locale, created_ms, expires_ms, error)"
                             " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                       UM_SQL_ARGS(um_sql_word(id), um_sql_word(c->scope), um_sql_word(um_arg(c, "category")), um_sql_word(c->who->user),
                                   um_sql_word(text), um_sql_word(um_arg(c, "locale") != NULL ? um_arg(c, "locale") : ""),
                                   UM_SQL_INT(c->now_ms), UM_SQL_INT(c->now_ms + JOB_TTL_MS), um_sql_word("")), NULL);
}

static um_err submit(struct um_call *c)
{
    char id[37], *text = NULL;
    json_t *page = NULL;
    um_err err = UM_OK;

    if (!json_is_object(c->body))
        return um_fail_at(c, UM_T00104, "", "a search is an object");
    page = page_of(c->body);
    err = check_request(c, page);
    if (err == UM_OK)
        err = make_room(c);
    text = json_dumps(page, JSON_COMPACT);
    if (err == UM_OK && (text == NULL || strlen(text) > JOB_REQUEST_MAX))
        err = um_fail(c, UM_U00413, "a search has at most %d bytes", JOB_REQUEST_MAX);
    um_random_uuid(id);
    if (err == UM_OK)
        err = insert(c, id, text);
    c->reply = json_pack("{s:s}", "jobId", id);
    free(text);
    json_decref(page);
    return err;
}

/* ---- reading ---- */

struct job { json_t *request; char locale[17], error[600]; int64_t created_ms, expires_ms; };

/* Another user's is not there. The caller decrefs the request. */
static um_err find(struct um_call *c, struct job *j)
{
    struct um_sql_row row;
    const char *id = um_arg(c, "jobId");
    um_err err = um_sql_one(c->q, "SELECT request, locale, error, created_ms, expires_ms FROM search_jobs WHERE id = ?1 AND scope = ?2"
                                  " AND category = ?3 AND owner = ?4 AND expires_ms >= ?5",
                            UM_SQL_ARGS(um_sql_word(id), um_sql_word(c->scope), um_sql_word(um_arg(c, "category")),
                                        um_sql_word(c->who->user), UM_SQL_INT(c->now_ms)), &row);

    *j = (struct job){ 0 };
    if (err == UM_ENOTFOUND)
        return um_fail(c, UM_U00404, "there is no export %s; exports expire after a day", id);
    if (err != UM_OK)
        return err;
    snprintf(j->locale, sizeof(j->locale), "%s", um_sql_text(&row, 1));
    snprintf(j->error, sizeof(j->error), "%s", um_sql_text(&row, 2));
    j->created_ms = um_sql_int(&row, 3);
    j->expires_ms = um_sql_int(&row, 4);
    j->request = json_loads(um_sql_text(&row, 0), 0, NULL);
    return j->request != NULL ? UM_OK : UM_ECORRUPT;
}

static um_err status(struct um_call *c)
{
    char created[UM_DATE_MAX], expires[UM_DATE_MAX];
    struct job j;
    um_err err = find(c, &j);

    um_date_text(j.created_ms, created);
    um_date_text(j.expires_ms, expires);
    if (err == UM_OK)
        c->reply = json_pack("{s:s, s:s, s:s, s:s}", "jobId", um_arg(c, "jobId"), "status", j.error[0] == '\0' ? "FINISHED" : "FAILED",
                             "creationDate", created, "expirationDate", expires);
    json_decref(j.request);
    return err;
}

static um_err error(struct um_call *c)
{
    struct job j;
    um_err err = find(c, &j);

    if (err == UM_OK)
        c->reply = json_pack("{s:s, s:s}", "jobId", um_arg(c, "jobId"), "error", j.error);
    json_decref(j.request);
    return err;
}

/* A piece of the file: {"text", "after"?}; the first has the titles. */
static um_err read_page(struct um_call *c)
{
    const char *after = um_arg(c, "after");
    struct um_buf text = { 0 };
    const json_t *fields;
    json_t *reply = NULL;
    struct job j;
    um_err err = find(c, &j);

    if (err == UM_OK && after != NULL)
        json_object_set_new(j.request, "after", json_string(after));
    if (err == UM_OK)
        err = search_run(c, category_of(c), j.request, "", false, &reply);
    if (err == UM_OK) {
        fields = json_object_get(json_object_get(j.request, "selectClause"), "fields");
        if (after == NULL)
            csv_header(c, &text, fields, j.locale[0] != '\0' ? j.locale : NULL);
        csv_rows(&text, fields, json_object_get(reply, "results"));
        c->reply = json_pack("{s:o, s:O*}", "text", json_stringn((const char *)text.data, text.len), "after", json_object_get(reply, "after"));
        err = text.failed ? UM_ENOMEM : UM_OK;
    }
    um_buf_free(&text);
    json_decref(reply);
    json_decref(j.request);
    return err;
}

/* A reading was broken off by what {"error"} says. */
static um_err fail(struct um_call *c)
{
    return um_sql_exec(c->q, "UPDATE search_jobs SET error = ?3 WHERE id = ?1 AND owner = ?2",
                       UM_SQL_ARGS(um_sql_word(um_arg(c, "jobId")), um_sql_word(c->who->user), um_sql_word(um_arg(c, "error"))), NULL);
}

const struct um_domain_call um_search_csv = { "search.csv", submit, UM_CALL_WRITES };
const struct um_domain_call um_search_job = { "search.job", status, 0 };
const struct um_domain_call um_search_job_error = { "search.job.error", error, 0 };
const struct um_domain_call um_search_job_page = { "search.job.page", read_page, 0 };
const struct um_domain_call um_search_job_fail = { "search.job.fail", fail, UM_CALL_WRITES };
