/* 1. Without rules the database does it all: one statement for the page, one for the count.
 * 2. With rules, up to SEARCH_JUDGED_MAX matches are read in their order, and those with such an ACL are judged by their bodies:
 *    page and count are of what remains. When matches are left over, the count is a lower bound, and the cursor goes on behind
 *    the last one that was looked at. */
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "acl.h"
#include "principals.h"
#include "search/hits.h"

#define ADD(q, words) um_sql_add(&(q)->parts, words)
enum { BODIES_AT_ONCE = 200 };

/* ---- rights ---- */

um_err search_rights_of(struct um_call *c, struct search_rights *out)
{
    um_err err = um_acls_with(c, UM_MAY_READ, &out->readable, &out->n_readable);

    out->list = json_array();
    out->ruled = json_array();
    for (size_t i = 0; i < out->n_readable; i++)
        json_array_append_new(out->list, json_string(out->readable[i]));
    for (size_t i = 0; err == UM_OK && i < um_model_acls(c->model); i++)
        if (acl_has_rules(um_model_acl_at(c->model, i)))
            json_array_append_new(out->ruled, json_string(acl_id(um_model_acl_at(c->model, i))));
    json_array_extend(out->list, out->ruled);
    return err;
}

void search_rights_done(struct search_rights *r)
{
    free(r->readable);
    json_decref(r->list);
    json_decref(r->ruled);
}

/* ---- reading ---- */

struct reading { struct hits *h; const struct order_keys *k; };

static um_err take_hit(void *arg, const struct um_sql_row *row)
{
    struct reading *r = arg;
    struct hits *h = r->h;

    if (h->n == h->cap) {
        h->cap = h->cap == 0 ? 32 : 2 * h->cap;
        h->rows = um_xrealloc(h->rows, h->cap * sizeof(h->rows[0]));
    }
    h->rows[h->n++] = (struct hit){ order_num(r->k, row), order_keys_read(r->k, row) };
    return UM_OK;
}

static um_err read_rows(struct search_sql *q, const struct order_keys *k, const json_t *after, int64_t start, int64_t max, struct hits *h)
{
    struct reading r = { h, k };
    um_err err;

    ADD(q, "SELECT ");
    order_add_columns(q, k);
    search_sql_from(q, true);
    if (after != NULL)
        order_add_after(q, k, after);
    order_add_by(q, k);
    ADD(q, " LIMIT ");
    um_sql_add_value(&q->parts, UM_SQL_INT(max));
    ADD(q, " OFFSET ");
    um_sql_add_value(&q->parts, UM_SQL_INT(start));
    err = um_sql_each_of(q->c->q, &q->parts, take_hit, &r);
    search_sql_clear(q);
    return err;
}

static um_err take_count(void *arg, const struct um_sql_row *row)
{
    *(int64_t *)arg = um_sql_int(row, 0);
    return UM_OK;
}

static um_err count_rows(struct search_sql *q, struct hits *h)
{
    um_err err;

    ADD(q, "SELECT CAST(count(*) AS BIGINT) FROM (SELECT c.num");
    search_sql_from(q, false);
    ADD(q, " LIMIT ");
    um_sql_add_value(&q->parts, UM_SQL_INT(SEARCH_FOUND_MAX + 1));
    ADD(q, ") n");
    err = um_sql_each_of(q->c->q, &q->parts, take_count, &h->found);
    search_sql_clear(q);
    h->at_least = h->found > SEARCH_FOUND_MAX;
    h->found = UM_MIN(h->found, SEARCH_FOUND_MAX);
    return err;
}

/* One row more than the page tells whether there is a next page, and often how many there are. */
static um_err read_page(struct search_sql *q, const struct order_keys *k, const json_t *after, bool count, struct hits *h)
{
    const struct search *s = q->s;
    um_err err = s->max > 0 ? read_rows(q, k, after, s->start, s->max + 1, h) : UM_OK;
    bool is_last = s->max > 0 && (int64_t)h->n <= s->max && (h->n > 0 || s->start == 0);

    h->end = UM_MIN(h->n, (size_t)s->max);
    if (err == UM_OK && h->n > h->end)
        h->last = h->rows[h->end - 1].keys;
    if (err != UM_OK || !count)
        return err;
    if (!is_last)
        return count_rows(q, h);
    h->found = UM_MIN(s->start + (int64_t)h->n, SEARCH_FOUND_MAX);
    return UM_OK;
}

/* ---- rules ---- */

struct judging { struct search_sql *q; const struct principals *who; struct um_map refused; };

static um_err judge(void *arg, const struct um_sql_row *row)
{
    struct judging *j = arg;
    const struct um_model *m = j->q->c->model;
    json_t *body = json_loadb((const char *)um_sql_span(row, 3).data, um_sql_span(row, 3).len, 0, NULL);
    struct acl_about about = { um_sql_text(row, 2), json_object_get(body, "tags") };
    int64_t num = um_sql_int(row, 0);
    const struct acl *a = um_model_acl(m, um_sql_text(row, 1));

    if (body == NULL || a == NULL || !acl_allows(a, m, j->who, &about, UM_MAY_READ))
        um_map_put(&j->refused, UM_SPAN(&num, sizeof(num)), j);
    json_decref(body);
    return body != NULL ? UM_OK : UM_ECORRUPT;
}

static um_err judge_some(struct judging *j, const struct hits *h, size_t first, size_t end, const char *ruled)
{
    struct search_sql *q = j->q;
    um_err err;

    ADD(q, "SELECT b.num, b.acl, b.class_id, b.body FROM components b WHERE b.num IN ");
    search_sql_list(q, search_sql_keep(q, hits_nums(h, first, end)), UM_SQL_TYPE_INT);
    ADD(q, " AND b.acl IN ");
    search_sql_list(q, ruled, UM_SQL_TYPE_TEXT);
    err = um_sql_each_of(q->c->q, &q->parts, judge, j);
    search_sql_clear(q);
    return err;
}

static void drop_refused(struct hits *h, const struct um_map *refused)
{
    size_t n = 0;

    for (size_t i = 0; i < h->n; i++) {
        if (um_map_get(refused, UM_SPAN(&h->rows[i].num, sizeof(h->rows[i].num))) == NULL)
            h->rows[n++] = h->rows[i];
        else
            json_decref(h->rows[i].keys);
    }
    h->n = n;
}

static um_err judge_all(struct search_sql *q, struct hits *h, const json_t *ruled)
{
    struct judging j = { .q = q };
    char *list = json_dumps(ruled, JSON_COMPACT);
    um_err err = principals_of(q->c, &j.who);

    for (size_t i = 0; i < h->n && err == UM_OK; i += BODIES_AT_ONCE)
        err = judge_some(&j, h, i, UM_MIN(i + BODIES_AT_ONCE, h->n), list != NULL ? list : "[]");
    if (err == UM_OK)
        drop_refused(h, &j.refused);
    um_map_free(&j.refused);
    free(list);
    return err;
}

static um_err read_judged(struct search_sql *q, const struct order_keys *k, const json_t *after, const json_t *ruled, struct hits *h)
{
    const struct search *s = q->s;
    um_err err = read_rows(q, k, after, 0, SEARCH_JUDGED_MAX, h);
    json_t *last = h->n == SEARCH_JUDGED_MAX ? json_incref(h->rows[h->n - 1].keys) : NULL;

    if (err == UM_OK)
        err = judge_all(q, h, ruled);
    h->judged = true;
    h->found = (int64_t)h->n;
    h->at_least = last != NULL;
    h->first = UM_MIN(h->n, (size_t)s->start);
    h->end = UM_MIN(h->n, h->first + (size_t)s->max);
    if (h->end < h->n && h->end > 0)
        h->last = h->rows[h->end - 1].keys;
    else if (last != NULL)
        h->last = h->left_over = json_incref(last);
    json_decref(last);
    return err;
}

/* ---- */

um_err hits_read(struct search_sql *q, const struct search_rights *rights, const struct order_keys *k, const json_t *after,
                 bool count, struct hits *out)
{
    um_err err;

    *out = (struct hits){ .found = -1 };
    err = json_array_size(rights->ruled) > 0 ? read_judged(q, k, after, rights->ruled, out) : read_page(q, k, after, count, out);
    if (!count)
        out->found = -1;
    if (q->s->max == 0)
        out->last = NULL;
    return err;
}

void hits_done(struct hits *h)
{
    for (size_t i = 0; i < h->n; i++)
        json_decref(h->rows[i].keys);
    free(h->rows);
    json_decref(h->left_over);
}

char *hits_nums(const struct hits *h, size_t first, size_t end)
{
    struct um_buf b = { 0 };
    char *text;

    um_buf_puts(&b, "[");
    for (size_t i = first; i < end; i++)
        um_buf_printf(&b, "%s%lld", i > first ? "," : "", (long long)h->rows[i].num);
    um_buf_puts(&b, "]");
    text = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    return text;
}
