/* Writing a job (umbel/jobs.h). Nothing is read: see rows.h for who finds out whether its lane is free. */
#include <stdio.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "rows.h"

/* A number below 2^63 for some texts. Two that have the same one wait for each other without need, and no more happens. */
static int64_t name_of(const char *const *texts, size_t n)
{
    struct um_buf b = { 0 };
    int64_t name;

    for (size_t i = 0; i < n; i++)
        um_buf_put(&b, texts[i], strlen(texts[i]) + 1);
    name = (int64_t)(um_hash_stable(UM_SPAN(b.data, b.len)) >> 1);
    um_buf_free(&b);
    return name;
}

/* Version 7: a moment, then randomness, so that the index of ids grows at its end. */
static void make_id(char out[UM_JOB_ID_LEN + 1])
{
    uint64_t ms = (uint64_t)um_wall_ms(), r = um_random_u64(), s = um_random_u64();

    snprintf(out, UM_JOB_ID_LEN + 1, "%08x-%04x-7%03x-%04x-%012llx", (unsigned)(ms >> 16 & 0xffffffffu), (unsigned)(ms & 0xffff),
             (unsigned)(r & 0xfff), (unsigned)(0x8000 | (r >> 12 & 0x3fff)), (unsigned long long)(s & 0xffffffffffffull));
}

static const char *text_of(const char *s) { return s != NULL ? s : ""; }

static um_err check(const struct um_job_new *j)
{
    const struct { const char *text; size_t max; } texts[] = {
        { j->scope, UM_JOB_TEXT_MAX }, { j->registration, UM_JOB_TEXT_MAX }, { j->handler, UM_JOB_LONG_MAX }, { j->action, UM_JOB_TEXT_MAX },
        { j->phase, UM_JOB_TEXT_MAX }, { j->category, UM_JOB_TEXT_MAX }, { j->object, UM_JOB_LONG_MAX }, { j->user, UM_JOB_TEXT_MAX },
        { j->request, UM_JOB_TEXT_MAX },
    };

    if (*text_of(j->registration) == '\0' || *text_of(j->handler) == '\0' || j->payload.len == 0)
        return UM_EINVAL;
    for (size_t i = 0; i < UM_COUNT(texts); i++)
        if (strlen(text_of(texts[i].text)) > texts[i].max)
            return UM_ELIMIT;
    return j->payload.len <= UM_JOB_PAYLOAD_MAX ? UM_OK : UM_ELIMIT;
}

static int64_t lane_of(const struct um_job_new *j)
{
    const char *lane[] = { text_of(j->scope), text_of(j->registration), text_of(j->category), text_of(j->object) };

    return name_of(lane, UM_COUNT(lane));
}

um_err um_jobs_is_waiting(struct um_sql *q, const struct um_job_new *j, bool *is_waiting)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT num FROM jobs WHERE lane = ?1 AND status < 2 AND object = ?2 AND action = ?3 AND registration = ?4 LIMIT 1",
                            UM_SQL_ARGS(UM_SQL_INT(lane_of(j)), um_sql_word(text_of(j->object)), um_sql_word(text_of(j->action)),
                                        um_sql_word(text_of(j->registration))), &row);

    *is_waiting = err == UM_OK;
    return err == UM_ENOTFOUND ? UM_OK : err;
}

um_err um_jobs_add(struct um_sql *q, const struct um_job_new *j, char id[UM_JOB_ID_LEN + 1])
{
    const char *queue[] = { text_of(j->scope), text_of(j->registration), text_of(j->handler) };
    int64_t now_ms = um_sql_now_ms(q);
    um_err err = check(j);

    if (err != UM_OK)
        return err;
    make_id(id);
    return um_sql_exec(q, "INSERT INTO jobs(id, scope, registration, handler, action, phase, category, object, user_id, request, depth,"
                       " queue, lane, status, due_ms, behind, fence, attempts, created_ms, payload)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14, 0, 0, 0, ?14, ?15)",
                       UM_SQL_ARGS(um_sql_word(id), um_sql_word(queue[0]), um_sql_word(queue[1]), um_sql_word(queue[2]),
                                   um_sql_word(text_of(j->action)), um_sql_word(text_of(j->phase)), um_sql_word(text_of(j->category)),
                                   um_sql_word(text_of(j->object)),
                                   um_sql_word(text_of(j->user)), um_sql_word(text_of(j->request)), UM_SQL_INT(j->depth),
                                   UM_SQL_INT(name_of(queue, UM_COUNT(queue))), UM_SQL_INT(lane_of(j)),
                                   UM_SQL_INT(now_ms), UM_SQL_TEXT(j->payload)), NULL);
}
