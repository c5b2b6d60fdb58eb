/* Lists of numbers, and how a statement is told of them: as one text, so that its own is the same for all lengths. */
#ifndef JOBS_NUMS_H
#define JOBS_NUMS_H
#include <stdlib.h>
#include <umbel/bytes.h>
#include <umbel/sql.h>

struct nums { int64_t *list; size_t n, cap; };           /* zero-initialise */

static inline void nums_add(struct nums *s, int64_t num)
{
    if (s->n == s->cap) {
        s->cap = s->cap > 0 ? 2 * s->cap : 16;
        s->list = um_xrealloc(s->list, s->cap * sizeof(*s->list));
    }
    s->list[s->n++] = num;
}
static inline bool nums_has(const struct nums *s, int64_t num)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->list[i] == num)
            return true;
    return false;
}
static inline void nums_free(struct nums *s)
{
    free(s->list);
    *s = (struct nums){ 0 };
}

/* Appends the list as JOBS_IN_... want it; the value lives as long as OUT. */
static inline struct um_sql_value nums_value(const struct um_sql *q, const struct nums *s, struct um_buf *out)
{
    bool postgres = um_sql_is_postgres(q);

    um_buf_puts(out, postgres ? "{" : "[");
    for (size_t i = 0; i < s->n; i++)
        um_buf_printf(out, i > 0 ? ",%lld" : "%lld", (long long)s->list[i]);
    um_buf_puts(out, postgres ? "}" : "]");
    return um_sql_word(um_buf_cstr(out));
}

/* Statements about a list, which is ?1. An array is what PostgreSQL's planner expects to be short; of elements of JSON it expects a hundred, and
 * reads the whole table instead while that is small. */
#define JOBS_IN_POSTGRES " = ANY(CAST(?1 AS _int8))"
#define JOBS_IN_SQLITE " IN (SELECT value FROM json_each(?1))"
/* BEFORE ends with the name of the column. */
#define JOBS_LISTED(q, before, after) JOBS_LISTED_LOCK(q, before, after, "")
/* LOCK: what only PostgreSQL needs at the end. */
#define JOBS_LISTED_LOCK(q, before, after, lock) \
    (um_sql_is_postgres(q) ? before JOBS_IN_POSTGRES after lock : before JOBS_IN_SQLITE after)

#endif
