#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "search/fold.h"
#include "search/sql.h"

#define ADD(q, words) um_sql_add(&(q)->parts, words)
static void add_value(struct search_sql *q, struct um_sql_value v) { um_sql_add_value(&q->parts, v); }

void search_sql_init(struct search_sql *q, struct um_call *c, const struct search *s, const char *acls)
{
    *q = (struct search_sql){ .c = c, .s = s, .acls = acls, .is_postgres = um_sql_is_postgres(c->q) };
    field_mark(c->scope, s->category, q->mark);
}

void search_sql_clear(struct search_sql *q)
{
    um_sql_parts_free(&q->parts);
    for (size_t i = 0; i < q->n_kept; i++)
        free(q->kept[i]);
    free(q->kept);
    q->kept = NULL;
    q->n_kept = 0;
}

const char *search_sql_keep(struct search_sql *q, char *text)
{
    q->kept = um_xrealloc(q->kept, (q->n_kept + 1) * sizeof(*q->kept));
    q->kept[q->n_kept++] = text;
    return text;
}

static const char *keep_buf(struct search_sql *q, struct um_buf *b)
{
    char *text = um_xstrdup(um_buf_cstr(b));

    um_buf_free(b);
    return search_sql_keep(q, text);
}

/* ---- lists ---- */

void search_sql_list(struct search_sql *q, const char *json, enum um_sql_type type)
{
    if (!q->is_postgres) {
        ADD(q, "(SELECT value FROM json_each(");
        add_value(q, um_sql_word(json));
        ADD(q, "))");
        return;
    }
    ADD(q, "(SELECT CAST(jsonb_array_elements_text(CAST(");
    add_value(q, um_sql_word(json));
    ADD(q, " AS jsonb)) AS ");
    um_sql_add_words(&q->parts, type == UM_SQL_TYPE_REAL ? "double precision)" : type == UM_SQL_TYPE_INT ? "bigint)" : "text)");
    ADD(q, " AS value)");
}

static const char *list_of(struct search_sql *q, const struct search_node *n)
{
    json_t *list = json_array();
    char *text;

    for (size_t i = 0; i < n->n_values; i++) {
        const struct um_sql_value *v = &n->values[i];

        json_array_append_new(list, v->type == UM_SQL_TYPE_INT ? json_integer(v->number) : v->type == UM_SQL_TYPE_REAL
                              ? json_real(v->real) : json_stringn((const char *)v->span.data, v->span.len));
    }
    text = json_dumps(list, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(list);
    return search_sql_keep(q, text != NULL ? text : um_xstrdup("[]"));
}

/* ---- comparing ---- */

struct operand { const char *of, *column; };             /* "t", "value" */

static void add_operand(struct search_sql *q, struct operand o)
{
    um_sql_add_name(&q->parts, o.of);
    ADD(q, ".");
    um_sql_add_name(&q->parts, o.column);
}

static void add_compare(struct search_sql *q, struct operand o, const char *sign, struct um_sql_value v)
{
    add_operand(q, o);
    um_sql_add_words(&q->parts, sign);
    add_value(q, v);
}

static bool is_sign(uint32_t c) { return c < 0x80 && !fold_is_word(c) && c != ' '; }

/* A character of a pattern: both cases of a letter as a class. GLOB takes any sign in a class but none escaped; POSIX the other
 * way round. */
static void put_character(struct um_buf *b, uint32_t c, bool is_posix)
{
    uint32_t lower = fold_lower(c), upper = fold_upper(c);

    if (lower != upper) {
        um_buf_put_u8(b, '[');
        fold_put(b, lower);
        fold_put(b, upper);
        um_buf_put_u8(b, ']');
    } else if (is_posix) {
        if (is_sign(c))
            um_buf_put_u8(b, '\\');
        fold_put(b, c);
    } else if (c == '*' || c == '?' || c == '[') {
        um_buf_printf(b, "[%c]", (char)c);
    } else {
        fold_put(b, c);
    }
}

/* Whether a text contains, begins or ends with another in any case: GLOB here, a regular expression there. */
static const char *pattern(struct search_sql *q, enum search_operator o, struct um_span text)
{
    struct um_buf b = { 0 };
    const char *p = (const char *)text.data, *end = p + text.len;

    um_buf_puts(&b, q->is_postgres ? (o == SEARCH_STARTS_WITH ? "^" : "") : (o == SEARCH_STARTS_WITH ? "" : "*"));
    while (p < end)
        put_character(&b, fold_next(&p, end), q->is_postgres);
    um_buf_puts(&b, q->is_postgres ? (o == SEARCH_ENDS_WITH ? "$" : "") : (o == SEARCH_ENDS_WITH ? "" : "*"));
    return keep_buf(q, &b);
}

static void add_pattern(struct search_sql *q, struct operand o, const struct search_node *n)
{
    ADD(q, "(");
    for (size_t i = 0; i < n->n_values; i++) {
        if (i > 0)
            ADD(q, " OR ");
        if (q->is_postgres)
            ADD(q, "textregexeq(");
        add_operand(q, o);
        um_sql_add_words(&q->parts, q->is_postgres ? ", " : " GLOB ");
        add_value(q, um_sql_word(pattern(q, n->operator, n->values[i].span)));
        if (q->is_postgres)
            ADD(q, ")");
    }
    ADD(q, ")");
}

/* One operand, and what N wants of it; DIFFERENT is said by who asks: none is EQUALS_TO. */
static void add_comparison(struct search_sql *q, struct operand o, const struct search_node *n)
{
    switch (n->operator) {
    case SEARCH_CONTAINS:
    case SEARCH_STARTS_WITH:
    case SEARCH_ENDS_WITH:
        add_pattern(q, o, n);
        break;
    case SEARCH_GREATER_THAN:
        add_compare(q, o, " > ", n->values[0]);
        break;
    case SEARCH_LESS_THAN:
        add_compare(q, o, " < ", n->values[0]);
        break;
    case SEARCH_BETWEEN:
        add_compare(q, o, " >= ", n->values[0]);
        ADD(q, " AND ");
        add_compare(q, o, " <= ", n->values[1]);
        break;
    default:
        if (n->n_values == 1) {
            add_compare(q, o, " = ", n->values[0]);
            break;
        }
        add_operand(q, o);
        ADD(q, " IN ");
        search_sql_list(q, list_of(q, n), n->values[0].type);
    }
}

/* " FROM component_tags t WHERE t.field = … AND t.value …" */
static void add_tag_rows(struct search_sql *q, const struct search_node *n, const char *also)
{
    bool is_text = n->field.kind == FIELD_TEXT || search_is_pattern(n->operator);

    ADD(q, " FROM component_tags t WHERE ");
    um_sql_add_words(&q->parts, also);
    ADD(q, "t.field = ");
    add_value(q, UM_SQL_INT(n->field.tag));
    ADD(q, " AND ");
    if (!is_text)
        ADD(q, "t.number IS NOT NULL AND ");
    add_comparison(q, (struct operand){ "t", is_text ? "value" : "number" }, n);
}

/* ---- full text ---- */

/* The alternatives of all values; "": no word was asked for. */
static const char *question(struct search_sql *q, const struct search_node *n)
{
    struct um_buf b = { 0 };

    for (size_t i = 0; i < n->n_values; i++) {
        if (n->words[i].n == 0)
            continue;
        if (b.len > 0)
            um_buf_puts(&b, q->is_postgres ? " | " : " OR ");
        (q->is_postgres ? words_as_tsquery : words_as_fts5)(&n->words[i], q->mark, &b);
    }
    return keep_buf(q, &b);
}

static void add_word_rows(struct search_sql *q, const struct search_node *n, const char *also)
{
    const char *asked = question(q, n);

    ADD(q, " FROM component_words w WHERE ");
    um_sql_add_words(&q->parts, also);
    if (*asked == '\0') {
        ADD(q, "1 = 0");
    } else if (q->is_postgres) {
        ADD(q, "w.words @@ CAST(");
        add_value(q, um_sql_word(asked));
        ADD(q, " AS tsquery)");
    } else {
        ADD(q, "component_words MATCH ");
        add_value(q, um_sql_word(asked));
    }
}

/* ---- conditions ---- */

static const char *num_of(const struct search_sql *q) { return q->plan.from != NULL ? "d.num" : "c.num"; }

static void add_node(struct search_sql *q, const struct search_node *n);

/* Of one candidate: FTS5 would begin at the first component of the word for each; the words themselves are read faster. */
static void add_word_of_text(struct search_sql *q, const struct word_asked *w)
{
    if (w->is_not)
        ADD(q, "NOT ");
    ADD(q, "EXISTS (SELECT 1 FROM component_text x WHERE x.num = ");
    um_sql_add_name(&q->parts, num_of(q));
    ADD(q, " AND instr(");
    add_value(q, um_sql_word(" "));
    ADD(q, " || x.text || ");
    add_value(q, um_sql_word(" "));
    ADD(q, ", ");
    add_value(q, um_sql_word(search_sql_keep(q, um_xasprintf(" %s ", w->word))));
    ADD(q, ") > 0)");
}

static void add_words_one_by_one(struct search_sql *q, const struct search_node *n)
{
    bool some = false;

    ADD(q, "(");
    for (size_t i = 0; i < n->n_values; i++)
        for (size_t k = 0; k < n->words[i].n; k++, some = true) {
            const struct word_asked *w = &n->words[i].words[k];

            um_sql_add_words(&q->parts, !some ? "" : w->begins ? " OR " : " AND ");
            add_word_of_text(q, w);
        }
    um_sql_add_words(&q->parts, some ? ")" : "1 = 0)");
}

static void add_words(struct search_sql *q, const struct search_node *n)
{
    if (q->is_postgres) {
        ADD(q, "EXISTS (SELECT 1");
        add_word_rows(q, n, "w.num = c.num AND ");
    } else if (q->plan.words_one_by_one) {
        add_words_one_by_one(q, n);
        return;
    } else {
        um_sql_add_name(&q->parts, num_of(q));
        ADD(q, " IN (SELECT w.rowid");
        add_word_rows(q, n, "");
    }
    ADD(q, ")");
}

static void add_criterion(struct search_sql *q, const struct search_node *n)
{
    if (n->operator == SEARCH_DIFFERENT)
        ADD(q, "NOT ");
    if (n->field.kind == FIELD_WORDS) {
        add_words(q, n);
    } else if (n->field.column != NULL) {
        ADD(q, "(");
        add_comparison(q, (struct operand){ "c", n->field.column }, n);
        ADD(q, ")");
    } else {
        ADD(q, "EXISTS (SELECT 1");
        add_tag_rows(q, n, q->plan.from != NULL ? "t.num = d.num AND " : "t.num = c.num AND ");
        ADD(q, ")");
    }
}

static void add_clause(struct search_sql *q, const struct search_node *n)
{
    ADD(q, "(");
    for (const struct search_node *i = n->first; i != NULL; i = i->next) {
        if (i != n->first)
            um_sql_add_words(&q->parts, n->kind == SEARCH_OR ? " OR " : " AND ");
        add_node(q, i);
    }
    ADD(q, ")");
}

static void add_node(struct search_sql *q, const struct search_node *n)
{
    if (n->kind != SEARCH_CRITERION)
        add_clause(q, n);
    else if (n == q->plan.from)
        ADD(q, "1 = 1");                     /* that is where the rows come from */
    else
        add_criterion(q, n);
}

/* ---- sources ---- */

static bool has_index(const char *column)
{
    static const char *const columns[] = { "id", "name", "class_id", "assignee", "created_ms", "updated_ms" };

    for (size_t i = 0; i < UM_COUNT(columns); i++)
        if (strcmp(columns[i], column) == 0)
            return true;
    return false;
}

bool search_sql_has_source(const struct search *s, const struct search_node *n)
{
    bool every = true, some = false;

    if (n->kind == SEARCH_CRITERION)
        return n->operator != SEARCH_DIFFERENT && (n->field.column == NULL || (has_index(n->field.column) && !search_is_pattern(n->operator)));
    for (const struct search_node *i = n->first; i != NULL; i = i->next) {
        bool has = search_sql_has_source(s, i);

        every = every && has;
        some = some || has;
    }
    return n->kind == SEARCH_OR ? every : some;
}

static void add_scope(struct search_sql *q)
{
    ADD(q, "c.scope = ");
    add_value(q, um_sql_word(q->c->scope));
    ADD(q, " AND c.category = ");
    add_value(q, um_sql_word(um_category_word(q->s->category)));
}

static void add_source(struct search_sql *q, const struct search_node *n)
{
    if (n->field.kind == FIELD_WORDS) {
        um_sql_add_words(&q->parts, q->is_postgres ? "SELECT w.num AS num" : "SELECT w.rowid AS num");
        add_word_rows(q, n, "");
    } else if (n->field.column != NULL) {
        ADD(q, "SELECT c.num AS num FROM components c WHERE ");
        add_scope(q);
        ADD(q, " AND ");
        add_comparison(q, (struct operand){ "c", n->field.column }, n);
    } else {
        ADD(q, "SELECT t.num AS num");
        add_tag_rows(q, n, "");
    }
}

bool search_sql_source(struct search_sql *q, const struct search_node *n)
{
    bool first = true;

    if (!search_sql_has_source(q->s, n))
        return false;
    if (n->kind == SEARCH_CRITERION) {
        add_source(q, n);
        return true;
    }
    for (const struct search_node *i = n->first; i != NULL; i = i->next) {
        if (!search_sql_has_source(q->s, i))
            continue;
        if (!first)
            ADD(q, " UNION ALL ");
        search_sql_source(q, i);
        first = false;
        if (n->kind == SEARCH_AND)           /* any of them will do */
            break;
    }
    return true;
}

/* The first value of each tag that is sorted by, as o0, o1, ... */
static void add_order_rows(struct search_sql *q)
{
    char name[24];

    for (size_t i = 0; i < q->s->n_orders; i++) {
        if (q->s->orders[i].field.column != NULL)
            continue;
        snprintf(name, sizeof(name), "o%zu", i);
        ADD(q, " LEFT JOIN component_tags ");
        um_sql_add_name(&q->parts, name);
        ADD(q, " ON ");
        add_compare(q, (struct operand){ name, "field" }, " = ", UM_SQL_INT(q->s->orders[i].field.tag));
        ADD(q, " AND ");
        add_compare(q, (struct operand){ name, "position" }, " = ", UM_SQL_INT(0));
        ADD(q, " AND c.num = ");
        add_operand(q, (struct operand){ name, "num" });
    }
}

void search_sql_from(struct search_sql *q, bool sorted)
{
    if (q->plan.nums != NULL) {
        ADD(q, " FROM (SELECT DISTINCT value AS num FROM ");
        search_sql_list(q, q->plan.nums, UM_SQL_TYPE_INT);
        ADD(q, ") d CROSS JOIN components c");
    } else if (q->plan.from != NULL) {
        ADD(q, " FROM (SELECT DISTINCT num FROM (");
        search_sql_source(q, q->plan.from);
        ADD(q, ")) d CROSS JOIN components c");
    } else {
        ADD(q, " FROM components c");
    }
    if (sorted)
        add_order_rows(q);
    um_sql_add_words(&q->parts, q->plan.from != NULL ? " WHERE c.num = d.num AND " : " WHERE ");
    add_scope(q);
    ADD(q, " AND c.acl IN ");
    search_sql_list(q, q->acls, UM_SQL_TYPE_TEXT);
    if (q->s->root != NULL) {
        ADD(q, " AND ");
        add_node(q, q->s->root);
    }
}
