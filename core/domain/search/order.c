#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>
#include "search/order.h"

#define ADD(q, words) um_sql_add(&(q)->parts, words)

static bool is_tag(const struct order_key *k) { return k->order != NULL && k->order->field.column == NULL; }
static bool is_number(const struct order_key *k) { return is_tag(k) && k->order->field.kind == FIELD_NUMBER; }

void order_keys_of(const struct search *s, struct order_keys *out)
{
    *out = (struct order_keys){ 0 };
    for (size_t i = 0; i < s->n_orders; i++) {
        const struct search_order *o = &s->orders[i];

        if (o->field.column == NULL)
            out->keys[out->n++] = (struct order_key){ o, i, true, false };
        out->keys[out->n++] = (struct order_key){ o, i, false, o->descending };
    }
    out->keys[out->n++] = (struct order_key){ NULL, 0, false, s->orders[0].descending };
}

static void add_key(struct search_sql *q, const struct order_key *k)
{
    char name[32];

    if (k->order == NULL) {
        ADD(q, "c.num");
        return;
    }
    if (!is_tag(k)) {
        ADD(q, "c.");
        um_sql_add_name(&q->parts, k->order->field.column);
        return;
    }
    snprintf(name, sizeof(name), "o%zu.%s", k->i, is_number(k) ? "number" : "value");
    um_sql_add_words(&q->parts, k->is_missing ? "CASE WHEN " : "COALESCE(");
    um_sql_add_name(&q->parts, name);
    if (k->is_missing) {
        ADD(q, " IS NULL THEN 1 ELSE 0 END");
        return;
    }
    ADD(q, ", ");
    um_sql_add_value(&q->parts, is_number(k) ? UM_SQL_REAL(0) : um_sql_word(""));
    ADD(q, ")");
}

void order_add_columns(struct search_sql *q, const struct order_keys *k)
{
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            ADD(q, ", ");
        add_key(q, &k->keys[i]);
    }
}

json_t *order_keys_read(const struct order_keys *k, const struct um_sql_row *row)
{
    json_t *keys = json_array();

    for (size_t i = 0; i < k->n; i++) {
        const struct um_sql_value *v = &row->columns[i];

        json_array_append_new(keys, v->type == UM_SQL_TYPE_INT ? json_integer(v->number) : v->type == UM_SQL_TYPE_REAL
                              ? json_real(v->real) : json_stringn((const char *)v->span.data, v->span.len));
    }
    return keys;
}

int64_t order_num(const struct order_keys *k, const struct um_sql_row *row) { return um_sql_int(row, k->n - 1); }

void order_add_by(struct search_sql *q, const struct order_keys *k)
{
    char place[24];

    ADD(q, " ORDER BY ");
    for (size_t i = 0; i < k->n; i++) {
        snprintf(place, sizeof(place), "%zu", i + 1);
        if (i > 0)
            ADD(q, ", ");
        um_sql_add_words(&q->parts, place);
        if (k->keys[i].descending)
            ADD(q, " DESC");
    }
}

/* ---- behind a row ---- */

static struct um_sql_value value_of(const json_t *key)
{
    return json_is_integer(key) ? UM_SQL_INT(json_integer_value(key)) : json_is_real(key) ? UM_SQL_REAL(json_real_value(key))
         : UM_SQL_TEXT(UM_SPAN(json_string_value(key), json_string_length(key)));
}

static bool all_alike(const struct order_keys *k)
{
    for (size_t i = 1; i < k->n; i++)
        if (k->keys[i].descending != k->keys[0].descending)
            return false;
    return true;
}

/* (a, b, num) > (…): what an index can begin at. */
static void add_rows(struct search_sql *q, const struct order_keys *k, const json_t *keys)
{
    ADD(q, "(");
    order_add_columns(q, k);
    um_sql_add_words(&q->parts, k->keys[0].descending ? ") < (" : ") > (");
    for (size_t i = 0; i < k->n; i++) {
        if (i > 0)
            ADD(q, ", ");
        um_sql_add_value(&q->parts, value_of(json_array_get(keys, i)));
    }
    ADD(q, ")");
}

/* a > … OR (a = … AND (b < … OR (…))) */
static void add_steps(struct search_sql *q, const struct order_keys *k, const json_t *keys)
{
    for (size_t i = 0; i < k->n; i++) {
        add_key(q, &k->keys[i]);
        um_sql_add_words(&q->parts, k->keys[i].descending ? " < " : " > ");
        um_sql_add_value(&q->parts, value_of(json_array_get(keys, i)));
        if (i + 1 == k->n)
            break;
        ADD(q, " OR (");
        add_key(q, &k->keys[i]);
        ADD(q, " = ");
        um_sql_add_value(&q->parts, value_of(json_array_get(keys, i)));
        ADD(q, " AND (");
    }
    for (size_t i = 0; i + 1 < k->n; i++)
        ADD(q, "))");
}

void order_add_after(struct search_sql *q, const struct order_keys *k, const json_t *keys)
{
    ADD(q, " AND (");
    if (all_alike(k))
        add_rows(q, k, keys);
    else
        add_steps(q, k, keys);
    ADD(q, ")");
}

/* ---- cursors ---- */

/* Of what decides which rows come in which order. */
static json_int_t digest(const struct um_call *c, const struct search *s, const json_t *request)
{
    json_t *all = json_pack("{s:s, s:s, s:O?, s:O?}", "scope", c->scope, "category", um_category_word(s->category), "clauses",
                            json_object_get(request, "filterClauses"), "orders", json_object_get(request, "orderClauses"));
    char *text = json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS);
    json_int_t n = (json_int_t)(um_hash_stable(text != NULL ? UM_SPAN_STR(text) : UM_SPAN(NULL, 0)) >> 16);

    free(text);
    json_decref(all);
    return n;
}

char *cursor_write(const struct um_call *c, const struct search *s, const json_t *request, const json_t *keys)
{
    json_t *all = json_pack("[I, O]", digest(c, s, request), keys);
    char *text = json_dumps(all, JSON_COMPACT | JSON_REAL_PRECISION(17)), *out;
    struct um_buf b = { 0 };

    um_base64url_encode(&b, text != NULL ? UM_SPAN_STR(text) : UM_SPAN(NULL, 0));
    out = um_xstrdup(um_buf_cstr(&b));
    um_buf_free(&b);
    free(text);
    json_decref(all);
    return out;
}

static bool fits(const struct order_key *k, const json_t *key)
{
    if (k->order == NULL || k->is_missing || k->order->field.kind == FIELD_MOMENT)
        return json_is_integer(key);
    return is_number(k) ? json_is_real(key) : json_is_string(key) && strlen(json_string_value(key)) == json_string_length(key);
}

json_t *cursor_read(const struct um_call *c, const struct search *s, const json_t *request, const struct order_keys *k)
{
    struct um_buf b = { 0 };
    json_t *all = um_base64url_decode(&b, UM_SPAN_STR(s->after)) ? json_loadb((const char *)b.data, b.len, 0, NULL) : NULL;
    json_t *keys = json_array_get(all, 1);
    bool good = json_is_integer(json_array_get(all, 0)) && json_integer_value(json_array_get(all, 0)) == digest(c, s, request) &&
                json_array_size(keys) == k->n;

    for (size_t i = 0; i < k->n && good; i++)
        good = fits(&k->keys[i], json_array_get(keys, i));
    keys = good ? json_incref(keys) : NULL;
    json_decref(all);
    um_buf_free(&b);
    return keys;
}
