/* Counts of values. Every facet is one statement over the matches: its own field and those above it, grouped; its rows then
 * find their places under the buckets of the level above. A component with two values counts for each of them. */
#include <stdio.h>
#include <string.h>
#include "search/results.h"

#define ADD(q, words) um_sql_add(&(q)->parts, words)

struct facet_path { const struct search_facet *at[SEARCH_FACET_DEPTH_MAX]; size_t n; };      /* from the top */

static struct facet_path path_of(const struct search_facet *f)
{
    struct facet_path p = { .n = 0 };

    for (const struct search_facet *i = f; i != NULL; i = i->above)
        p.n++;
    for (size_t i = p.n; i > 0; i--, f = f->above)
        p.at[i - 1] = f;
    return p;
}

/* ---- the statement ---- */

static void add_column(struct search_sql *q, const struct facet_path *p, size_t i, const char *of_tag)
{
    char name[32];
    const char *column = p->at[i]->field.column;

    snprintf(name, sizeof(name), "f%zu.%s", i, column == NULL || strcmp(of_tag, "value") != 0 ? of_tag : column);
    um_sql_add_name(&q->parts, name);
}

static void add_matches(struct search_sql *q, const struct hits *h)
{
    if (h->judged) {
        ADD(q, "SELECT n.value AS num FROM ");
        search_sql_list(q, search_sql_keep(q, hits_nums(h, 0, h->n)), UM_SQL_TYPE_INT);
        ADD(q, " n");
        return;
    }
    ADD(q, "SELECT c.num AS num");
    search_sql_from(q, false);
    ADD(q, " LIMIT ");
    um_sql_add_value(&q->parts, UM_SQL_INT(FACET_MATCHES_MAX));
}

static void add_tables(struct search_sql *q, const struct facet_path *p)
{
    char name[24];

    ADD(q, " FROM m");
    for (size_t i = 0; i < p->n; i++) {
        snprintf(name, sizeof(name), "f%zu", i);
        um_sql_add_words(&q->parts, p->at[i]->field.column != NULL ? " CROSS JOIN components " : " CROSS JOIN component_tags ");
        um_sql_add_name(&q->parts, name);
    }
    ADD(q, " WHERE 1 = 1");
    for (size_t i = 0; i < p->n; i++) {
        ADD(q, " AND ");
        add_column(q, p, i, "num");
        ADD(q, " = m.num");
        if (p->at[i]->field.column != NULL)
            continue;
        ADD(q, " AND ");
        add_column(q, p, i, "field");
        ADD(q, " = ");
        um_sql_add_value(&q->parts, UM_SQL_INT(p->at[i]->field.tag));
    }
}

static void add_statement(struct search_sql *q, const struct facet_path *p, const struct hits *h)
{
    static const char *const groups[] = { " GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ", " GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ",
                                          " GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT " };

    ADD(q, "WITH m AS MATERIALIZED (");
    add_matches(q, h);
    ADD(q, ") SELECT ");
    for (size_t i = 0; i < p->n; i++) {
        add_column(q, p, i, "value");
        ADD(q, ", ");
    }
    ADD(q, "CAST(count(DISTINCT m.num) AS BIGINT)");
    add_tables(q, p);
    um_sql_add_words(&q->parts, groups[p->n - 1]);
    um_sql_add_value(&q->parts, UM_SQL_INT(FACET_VALUES_MAX));
}

/* ---- where counts go ---- */

/* The member VALUE of an array of objects, or NULL. */
static json_t *find(const json_t *list, const char *member, const char *value)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one)
        if (strcmp(json_string_value(json_object_get(one, member)), value) == 0)
            return one;
    return NULL;
}

static json_t *new_facet(const struct search_facet *f)
{
    return json_pack("{s:s, s:[]}", "field", f->field.name, "buckets");
}

struct placing { const struct facet_path *p; json_t *top; };

/* The buckets for the row's values above its last one; NULL: one of them is not among the most frequent. */
static json_t *buckets_for(const struct placing *t, const struct um_sql_row *row)
{
    json_t *facet = t->top;

    for (size_t i = 0; i + 1 < t->p->n && facet != NULL; i++) {
        json_t *bucket = find(json_object_get(facet, "buckets"), "value", um_sql_text(row, i)), *nested;

        if (bucket == NULL)
            return NULL;
        nested = json_object_get(bucket, "nested");
        if (nested == NULL)
            json_object_set_new(bucket, "nested", nested = json_array());
        facet = find(nested, "field", t->p->at[i + 1]->field.name);
        if (facet == NULL)
            json_array_append_new(nested, facet = new_facet(t->p->at[i + 1]));
    }
    return json_object_get(facet, "buckets");
}

static um_err take(void *arg, const struct um_sql_row *row)
{
    const struct placing *t = arg;
    json_t *buckets = buckets_for(t, row);

    if (buckets != NULL)
        json_array_append_new(buckets, json_pack("{s:s, s:I}", "value", um_sql_text(row, t->p->n - 1), "count",
                                                 (json_int_t)um_sql_int(row, t->p->n)));
    return UM_OK;
}

static um_err take_number(void *arg, const struct um_sql_row *row)
{
    *(int64_t *)arg = um_sql_int(row, 0);
    return UM_OK;
}

/* Are there more matches than are counted? */
static um_err is_cut(struct search_sql *q, const struct hits *h, bool *cut)
{
    int64_t n = 0;
    um_err err = UM_OK;

    *cut = h->judged && h->at_least;
    if (h->judged || (h->found >= 0 && !h->at_least))
        return UM_OK;
    ADD(q, "SELECT CAST(count(*) AS BIGINT) FROM (SELECT c.num");
    search_sql_from(q, false);
    ADD(q, " LIMIT ");
    um_sql_add_value(&q->parts, UM_SQL_INT(FACET_MATCHES_MAX + 1));
    ADD(q, ") n");
    err = um_sql_each_of(q->c->q, &q->parts, take_number, &n);
    search_sql_clear(q);
    *cut = n > FACET_MATCHES_MAX;
    return err;
}

um_err facets_read(struct search_sql *q, const struct hits *h, json_t **out)
{
    bool cut = false;
    um_err err;

    *out = NULL;
    if (q->s->n_facets == 0)
        return UM_OK;
    *out = new_facet(&q->s->facets[0]);
    err = is_cut(q, h, &cut);
    if (cut)
        json_object_set_new(*out, "countsAreAtLeast", json_true());
    for (size_t i = 0; i < q->s->n_facets && err == UM_OK; i++) {
        struct facet_path p = path_of(&q->s->facets[i]);
        struct placing t = { &p, *out };

        add_statement(q, &p, h);
        err = um_sql_each_of(q->c->q, &q->parts, take, &t);
        search_sql_clear(q);
    }
    return err;
}
