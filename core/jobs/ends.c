/* What becomes of an attempt (rows.h). */
#include <string.h>
#include <umbel/util.h>
#include "rows.h"

/* ---- the next of a lane ---- */

static um_err add_num(void *arg, const struct um_sql_row *row)
{
    nums_add(arg, um_sql_int(row, 0));
    return UM_OK;
}

#define FIRST_OF "UPDATE jobs SET status = 2, due_ms = ?2 WHERE status < 2 AND num IN" \
    " (SELECT (SELECT min(f.num) FROM jobs f WHERE f.lane = l.value AND f.status < 2) FROM "

um_err job_promote(struct um_sql *q, const struct nums *lanes, struct nums *promoted)
{
    const char *text = um_sql_is_postgres(q)
        ? FIRST_OF "(SELECT unnest(CAST(?1 AS _int8)) AS value) l) RETURNING num"
        : FIRST_OF "json_each(?1) l) RETURNING num";
    struct um_buf b = { 0 };
    um_err err = UM_OK;

    if (lanes->n > 0)
        err = um_sql_each(q, text, UM_SQL_ARGS(nums_value(q, lanes, &b), UM_SQL_INT(um_sql_now_ms(q))), add_num, promoted);
    um_buf_free(&b);
    return err;
}

/* ---- who holds what ---- */

struct looking { struct job_end *ends; size_t n; struct nums lanes; };       /* LANES: beside ENDS */

static um_err compare(void *arg, const struct um_sql_row *row)
{
    struct looking *l = arg;

    for (size_t i = 0; i < l->n; i++)
        if (l->ends[i].num == um_sql_int(row, 0)) {
            l->lanes.list[i] = um_sql_int(row, 1);
            l->ends[i].is_gone = false;
            l->ends[i].was_ours = um_sql_int(row, 2) == JOB_PROCESSING && (uint64_t)um_sql_int(row, 3) == l->ends[i].fence;
        }
    return UM_OK;
}

/* Locks the rows: what is found to be ours stays so until the transaction ends. */
static um_err look(struct um_sql *q, struct looking *l)
{
    struct nums nums = { 0 };
    struct um_buf b = { 0 };
    um_err err;

    for (size_t i = 0; i < l->n; i++) {
        l->ends[i].was_ours = false;
        l->ends[i].is_gone = true;
        nums_add(&nums, l->ends[i].num);
        nums_add(&l->lanes, 0);
    }
    err = um_sql_each(q, JOBS_LISTED_LOCK(q, "SELECT num, lane, status, fence FROM jobs WHERE num", " ORDER BY num", " FOR UPDATE"),
                      UM_SQL_ARGS(nums_value(q, &nums, &b)), compare, l);
    um_buf_free(&b);
    nums_free(&nums);
    return err;
}

um_err job_is_held(struct um_sql *q, int64_t num, uint64_t fence, bool *held)
{
    struct job_end end = { .num = num, .fence = fence };
    struct looking l = { &end, 1, { 0 } };
    um_err err = look(q, &l);

    nums_free(&l.lanes);
    *held = end.was_ours;
    return err;
}

/* ---- ends ---- */

static um_err end_listed(struct um_sql *q, enum job_how how, const struct nums *nums, int64_t lease_ms)
{
    int64_t now_ms = um_sql_now_ms(q);
    struct um_buf b = { 0 };
    struct um_sql_value list = nums_value(q, nums, &b);
    um_err err = UM_OK;

    if (nums->n == 0)
        err = UM_OK;
    else if (how == JOB_DONE)
        err = um_sql_exec(q, JOBS_LISTED(q, "DELETE FROM jobs WHERE num", ""), UM_SQL_ARGS(list), NULL);
    else if (how == JOB_HANDED_BACK)
        err = um_sql_exec(q, JOBS_LISTED(q, "UPDATE jobs SET status = 2, due_ms = ?2, attempts = attempts - 1, worker = NULL WHERE num", ""),
                          UM_SQL_ARGS(list, UM_SQL_INT(now_ms)), NULL);
    else
        err = um_sql_exec(q, JOBS_LISTED(q, "UPDATE jobs SET due_ms = ?2, seen_ms = ?3 WHERE num", ""),
                          UM_SQL_ARGS(list, UM_SQL_INT(now_ms + lease_ms), UM_SQL_INT(now_ms)), NULL);
    um_buf_free(&b);
    return err;
}

/* At most SIZE - 1 bytes of S, cut between characters. */
static const char *cut(const char *s, char *out, size_t size)
{
    size_t n = strnlen(s, size - 1);

    while (n > 0 && s[n] != '\0' && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    memcpy(out, s, n);
    out[n] = '\0';
    return um_utf8_is_valid(out, n) ? out : "?";
}

static um_err end_failed(struct um_sql *q, const struct job_end *e)
{
    bool again = e->how == JOB_AGAIN;
    int64_t now_ms = um_sql_now_ms(q);
    char code[UM_JOB_CODE_MAX + 1], message[UM_JOB_MESSAGE_MAX + 1];

    return um_sql_exec(q, "UPDATE jobs SET status = ?2, due_ms = ?3, worker = NULL, error_code = ?4, error_message = ?5, error_ms = ?6,"
                       " attempts = attempts - ?7 WHERE num = ?1",
                       UM_SQL_ARGS(UM_SQL_INT(e->num), UM_SQL_INT(again ? JOB_DELAYED : JOB_ERROR),
                                   again ? UM_SQL_INT(now_ms + e->delay_ms) : UM_SQL_NULL(INT),
                                   um_sql_word(cut(e->code, code, sizeof(code))),
                                   um_sql_word(cut(e->message, message, sizeof(message))), UM_SQL_INT(now_ms),
                                   UM_SQL_INT(again && e->is_uncounted)), NULL);
}

um_err job_ends(struct um_sql *q, struct job_end *ends, size_t n, int64_t lease_ms, struct nums *promoted)
{
    static const enum job_how listed[] = { JOB_DONE, JOB_HANDED_BACK, JOB_RENEWED };
    struct looking l = { ends, n, { 0 } };
    struct nums lanes = { 0 };
    um_err err = n > 0 ? look(q, &l) : UM_OK;

    for (size_t k = 0; k < UM_COUNT(listed) && err == UM_OK; k++) {
        struct nums of = { 0 };

        for (size_t i = 0; i < n; i++)
            if (ends[i].was_ours && ends[i].how == listed[k])
                nums_add(&of, ends[i].num);
        err = end_listed(q, listed[k], &of, lease_ms);
        nums_free(&of);
    }
    for (size_t i = 0; i < n && err == UM_OK; i++) {
        bool failed = ends[i].how == JOB_AGAIN || ends[i].how == JOB_GIVEN_UP;

        if (ends[i].was_ours && failed)
            err = end_failed(q, &ends[i]);
        if (ends[i].was_ours && (ends[i].how == JOB_DONE || ends[i].how == JOB_GIVEN_UP))
            nums_add(&lanes, l.lanes.list[i]);
    }
    if (err == UM_OK)
        err = job_promote(q, &lanes, promoted);
    nums_free(&lanes);
    nums_free(&l.lanes);
    return err;
}

um_err job_disown(struct um_sql *q, const char *worker, const struct job_mark *claims, size_t n)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < n && err == UM_OK; i++)
        err = um_sql_exec(q, "UPDATE jobs SET status = 2, due_ms = ?4, attempts = attempts - 1, worker = NULL"
                          " WHERE num = ?1 AND fence = ?2 AND status = 4 AND worker = ?3",
                          UM_SQL_ARGS(UM_SQL_INT(claims[i].num), UM_SQL_INT((int64_t)claims[i].fence), um_sql_word(worker),
                                      UM_SQL_INT(um_sql_now_ms(q))), NULL);
    return err;
}

/* ---- when ---- */

int64_t job_backoff_ms(const struct um_jobs_conf *cf, unsigned attempt)
{
    int64_t ms = cf->backoff_ms, fifth;

    for (unsigned i = 1; i < attempt && ms < cf->backoff_max_ms; i++)
        ms *= 2;
    ms = UM_MIN(ms, cf->backoff_max_ms);
    fifth = ms / 5;
    return ms - fifth + (int64_t)um_random_below((uint64_t)(2 * fifth + 1));
}

bool job_is_final(const char *code) { return code[0] == 'F'; }
