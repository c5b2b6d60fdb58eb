#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include "search/plan.h"

struct planner { struct um_call *c; const struct search *s; struct search_plan *best; };

/* Candidates are counted, or listed. */
struct taking { int64_t n; bool lists; struct um_buf list; };

static um_err take(void *arg, const struct um_sql_row *row)
{
    struct taking *t = arg;

    if (t->lists)
        um_buf_printf(&t->list, "%s%lld", t->n++ > 0 ? "," : "[", (long long)um_sql_int(row, 0));
    else
        t->n = um_sql_int(row, 0);
    return UM_OK;
}

/* How many candidates N has, up to LIMIT. */
static um_err ask(struct planner *p, const struct search_node *n, int64_t limit, struct taking *t)
{
    struct search_sql q;
    um_err err;

    search_sql_init(&q, p->c, p->s, "[]");
    um_sql_add_words(&q.parts, t->lists ? "SELECT DISTINCT num FROM (" : "SELECT CAST(count(*) AS BIGINT) FROM (");
    search_sql_source(&q, n);
    um_sql_add_words(&q.parts, t->lists ? ") n LIMIT " : " LIMIT ");       /* a list that is cut must not look like a whole one */
    um_sql_add_value(&q.parts, UM_SQL_INT(limit));
    um_sql_add_words(&q.parts, t->lists ? "" : ") n");
    err = um_sql_each_of(p->c->q, &q.parts, take, t);
    search_sql_clear(&q);
    return err;
}

static void take_plan(struct planner *p, const struct search_node *n, struct taking *t)
{
    free(p->best->nums);
    *p->best = (struct search_plan){ .from = n, .candidates = t->n };
    if (t->lists) {
        um_buf_puts(&t->list, t->n > 0 ? "]" : "[]");
        p->best->nums = um_xstrdup(um_buf_cstr(&t->list));
    }
}

static um_err consider(struct planner *p, const struct search_node *n, bool lists)
{
    struct taking t = { .lists = lists };
    um_err err = ask(p, n, p->best->candidates, &t);

    if (err == UM_OK && t.n < p->best->candidates)
        take_plan(p, n, &t);
    um_buf_free(&t.list);
    return err;
}

/* A class has an index that is in order of changes too: components are walked along it, unless there are very few of them.
 * Patterns read all values of their tag: only when nothing else is small. */
static bool is_for(const struct search_node *n, const struct planner *p, bool at_patterns)
{
    if (n->kind != SEARCH_CRITERION)
        return !at_patterns;
    if (n->field.column != NULL && strcmp(n->field.column, "class_id") == 0)
        return p->best->candidates <= SEARCH_VERY_FEW;
    return (search_is_pattern(n->operator) && n->field.kind != FIELD_WORDS) == at_patterns;
}

static um_err look(struct planner *p, const struct search_node *n, bool at_patterns)
{
    um_err err = UM_OK;

    if (n->kind == SEARCH_AND) {
        for (const struct search_node *i = n->first; i != NULL && err == UM_OK; i = i->next)
            err = look(p, i, at_patterns);
        return err;
    }
    if (p->best->candidates == 0 || !search_sql_has_source(p->s, n) || !is_for(n, p, at_patterns))
        return UM_OK;
    return consider(p, n, at_patterns);
}

um_err search_plan(struct um_call *c, const struct search *s, struct search_plan *out)
{
    static const struct { int64_t below; bool at_patterns; } rounds[] = {
        { SEARCH_VERY_FEW, false }, { SEARCH_FEW, false }, { SEARCH_FEW, true },
    };
    struct planner p = { c, s, out };
    um_err err = UM_OK;

    *out = (struct search_plan){ .candidates = SEARCH_FEW };
    if (s->root == NULL || um_sql_is_postgres(c->q) || UM_FAILPOINT("search.walk"))
        return UM_OK;
    for (size_t i = 0; i < UM_COUNT(rounds) && err == UM_OK && out->from == NULL; i++) {
        out->candidates = rounds[i].below;
        err = look(&p, s->root, rounds[i].at_patterns);
    }
    out->words_one_by_one = out->candidates < SEARCH_WORDS_ONE_BY_ONE;
    return err;
}
