#include <umbel/failpoint.h>
#include "search/plan.h"

struct planner { struct um_call *c; const struct search *s; struct search_plan *best; };

static um_err take_count(void *arg, const struct um_sql_row *row)
{
    *(int64_t *)arg = um_sql_int(row, 0);
    return UM_OK;
}

/* How many candidates N has, up to LIMIT. */
static um_err count(struct planner *p, const struct search_node *n, int64_t limit, int64_t *out)
{
    struct search_sql q;
    um_err err;

    search_sql_init(&q, p->c, p->s, "[]");
    um_sql_add(&q.parts, "SELECT CAST(count(*) AS BIGINT) FROM (");
    search_sql_source(&q, n);
    um_sql_add(&q.parts, " LIMIT ");
    um_sql_add_value(&q.parts, UM_SQL_INT(limit));
    um_sql_add(&q.parts, ") n");
    err = um_sql_each_of(p->c->q, &q.parts, take_count, out);
    search_sql_clear(&q);
    return err;
}

static um_err consider(struct planner *p, const struct search_node *n)
{
    int64_t n_candidates = 0;
    um_err err = count(p, n, p->best->candidates, &n_candidates);

    if (err == UM_OK && n_candidates < p->best->candidates)
        *p->best = (struct search_plan){ .from = n, .candidates = n_candidates };
    return err;
}

/* Patterns read all values of their tag: only when nothing else is small. */
static um_err look(struct planner *p, const struct search_node *n, bool at_patterns)
{
    um_err err = UM_OK;

    if (n->kind == SEARCH_AND) {
        for (const struct search_node *i = n->first; i != NULL && err == UM_OK; i = i->next)
            err = look(p, i, at_patterns);
        return err;
    }
    if (!search_sql_has_source(p->s, n) || p->best->candidates == 0)
        return UM_OK;
    if (n->kind == SEARCH_CRITERION && (search_is_pattern(n->operator) && n->field.kind != FIELD_WORDS) != at_patterns)
        return UM_OK;
    return n->kind == SEARCH_OR && at_patterns ? UM_OK : consider(p, n);
}

um_err search_plan(struct um_call *c, const struct search *s, struct search_plan *out)
{
    struct planner p = { c, s, out };
    um_err err;

    *out = (struct search_plan){ .candidates = SEARCH_FEW };
    if (s->root == NULL || um_sql_is_postgres(c->q) || UM_FAILPOINT("search.walk"))
        return UM_OK;
    err = look(&p, s->root, false);
    if (err == UM_OK && out->from == NULL)
        err = look(&p, s->root, true);
    out->words_one_by_one = out->candidates < SEARCH_WORDS_ONE_BY_ONE;
    return err;
}
