#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "dates.h"
#include "search/request.h"

enum { PATH_MAX_BYTES = 400, NAME_MAX_BYTES = 200 };
static const int64_t moment_max = INT64_C(1000000000000000);     /* the year 33658 */

/* Where the reader is: PATH is a JSON pointer, cut back by who has made it longer. */
struct reader {
    struct um_call *c;
    struct search *s;
    char path[PATH_MAX_BYTES];
};

static size_t enter(struct reader *r, const char *member)
{
    size_t n = strlen(r->path);

    snprintf(r->path + n, sizeof(r->path) - n, "/%s", member);
    return n;
}

static size_t enter_at(struct reader *r, size_t i)
{
    char number[24];

    snprintf(number, sizeof(number), "%zu", i);
    return enter(r, number);
}

static void leave(struct reader *r, size_t to) { r->path[to] = '\0'; }

#define WRONG(r, ...) um_fail_at((r)->c, UM_T00104, (r)->path, __VA_ARGS__)
#define WRONG_MEMBER(r, member, ...) (enter((r), (member)), WRONG((r), __VA_ARGS__))

/* A member that is an array, or absent: *OUT is NULL then. */
static um_err array_of(struct reader *r, const json_t *of, const char *member, size_t max, const json_t **out)
{
    const json_t *v = json_object_get(of, member);

    *out = NULL;
    if (v == NULL || json_is_null(v))
        return UM_OK;
    if (!json_is_array(v) || json_array_size(v) > max)
        return WRONG_MEMBER(r, member, "an array of at most %zu", max);
    *out = v;
    return UM_OK;
}

static um_err field_at(struct reader *r, const json_t *of, const char *member, struct field *out)
{
    const char *name = json_string_value(json_object_get(of, member));

    if (name == NULL || *name == '\0' || strlen(name) > NAME_MAX_BYTES)
        return WRONG_MEMBER(r, member, "the name of a field is needed");
    field_of(r->c, r->s->category, name, out);
    return UM_OK;
}

/* ---- values ---- */

static bool read_whole(const char *text, int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    return *text != '\0' && *end == '\0' && errno == 0 && strchr(" \t\n", *text) == NULL;
}

/* Moments are milliseconds, or a date as bodies have it. */
static bool read_moment(const json_t *v, double *number)
{
    const char *text = json_string_value(v);
    int64_t ms = 0;

    if (json_is_integer(v) || (text != NULL && read_whole(text, &ms))) {
        ms = json_is_integer(v) ? json_integer_value(v) : ms;
        *number = (double)ms;
        return ms >= -moment_max && ms <= moment_max;
    }
    return text != NULL && *text != '\0' && um_tag_read(UM_TAG_DATE, text, number);
}

static bool read_number(const struct field *f, const json_t *v, double *number)
{
    if (f->kind == FIELD_MOMENT || f->type == UM_TAG_DATE)
        return read_moment(v, number);
    if (json_is_number(v)) {
        *number = json_number_value(v);
        return true;
    }
    if (json_is_boolean(v) && f->type == UM_TAG_BOOLEAN) {
        *number = json_is_true(v);
        return true;
    }
    return json_is_string(v) && *json_string_value(v) != '\0' && um_tag_read(f->type, json_string_value(v), number);
}

static um_err read_text(struct reader *r, const struct search_node *n, const json_t *v, struct um_sql_value *out)
{
    const char *text = json_string_value(v);
    size_t max = search_is_pattern(n->operator) && n->field.kind != FIELD_WORDS ? SEARCH_PATTERN_MAX : FIELD_VALUE_MAX;

    if (text == NULL || strlen(text) > max)
        return WRONG(r, "a text of at most %zu bytes", max);
    *out = um_sql_word(text);
    return UM_OK;
}

static um_err read_value(struct reader *r, struct search_node *n, const json_t *v, size_t i)
{
    um_err err;
    double number;

    if (n->field.kind == FIELD_TEXT || n->field.kind == FIELD_WORDS || search_is_pattern(n->operator)) {
        err = read_text(r, n, v, &n->values[i]);
        if (err == UM_OK && n->field.kind == FIELD_WORDS && !words_ask(&n->words[i], n->values[i].span))
            err = WRONG(r, "at most %d words", WORDS_ASKED_MAX);
        return err;
    }
    if (!read_number(&n->field, v, &number))
        return WRONG(r, "%s", n->field.kind == FIELD_MOMENT ? "milliseconds since 1970, or a date" : um_tag_form(n->field.type));
    n->values[i] = n->field.kind == FIELD_MOMENT ? UM_SQL_INT((int64_t)number) : UM_SQL_REAL(number);
    return UM_OK;
}

static um_err read_values(struct reader *r, struct search_node *n, const json_t *criterion)
{
    const json_t *values;
    um_err err = array_of(r, criterion, "values", SEARCH_VALUES_MAX, &values);
    size_t exactly = n->operator == SEARCH_BETWEEN ? 2 : n->operator == SEARCH_GREATER_THAN || n->operator == SEARCH_LESS_THAN ? 1 : 0;
    size_t back = enter(r, "values");

    if (err != UM_OK)
        return err;
    if (json_array_size(values) == 0 || (exactly != 0 && json_array_size(values) != exactly))
        return WRONG(r, exactly == 2 ? "two values are needed" : exactly == 1 ? "one value is needed" : "a value is needed");
    n->n_values = json_array_size(values);
    n->values = um_xcalloc(n->n_values, sizeof(*n->values));
    if (n->field.kind == FIELD_WORDS)
        n->words = um_xcalloc(n->n_values, sizeof(*n->words));
    for (size_t i = 0; i < n->n_values && err == UM_OK; i++) {
        size_t at = enter_at(r, i);

        err = read_value(r, n, json_array_get(values, i), i);
        if (err == UM_OK)
            leave(r, at);
    }
    if (err == UM_OK)
        leave(r, back);
    return err;
}

/* ---- criteria ---- */

static const char *const operators[SEARCH_OPERATORS_N] = {
#define X(id) #id,
    SEARCH_OPERATORS(X)
#undef X
};

bool search_operator_of(const char *word, enum search_operator *out)
{
    for (size_t i = 0; word != NULL && i < SEARCH_OPERATORS_N; i++)
        if (strcmp(operators[i], word) == 0) {
            *out = (enum search_operator)i;
            return true;
        }
    return false;
}

/* What a tag is compared as is known from its class, so a criterion need not say it; what it says must be a type. */
static bool is_type(const json_t *type)
{
    const char *word = json_string_value(type);
    enum um_tag_type t;

    return type == NULL || json_is_null(type) || (word != NULL && (strcmp(word, "TIMESTAMP") == 0 || um_tag_type_of(word, &t)));
}

static struct search_node *add_node(struct reader *r, struct search_node *above, enum search_node_kind kind)
{
    struct search_node *n = &r->s->nodes[r->s->n_nodes++], **at = above != NULL ? &above->first : &r->s->root;

    n->kind = kind;
    while (*at != NULL)
        at = &(*at)->next;
    *at = n;
    return n;
}

static um_err read_criterion(struct reader *r, struct search_node *above, const json_t *criterion)
{
    struct search_node *n;
    um_err err;

    if (!json_is_object(criterion))
        return WRONG(r, "a criterion is an object");
    if (r->s->n_criteria == SEARCH_CRITERIA_MAX)
        return WRONG(r, "a search has at most %d criteria", SEARCH_CRITERIA_MAX);
    r->s->n_criteria++;
    n = add_node(r, above, SEARCH_CRITERION);
    if ((err = field_at(r, criterion, "name", &n->field)) != UM_OK)
        return err;
    if (!search_operator_of(json_string_value(json_object_get(criterion, "operator")), &n->operator))
        return WRONG_MEMBER(r, "operator", "EQUALS_TO, DIFFERENT, CONTAINS, STARTS_WITH, ENDS_WITH, GREATER_THAN, LESS_THAN or BETWEEN");
    if (!is_type(json_object_get(criterion, "type")))
        return WRONG_MEMBER(r, "type", "STRING, TIMESTAMP, or a type of tags");
    if (n->field.kind == FIELD_WORDS && n->operator > SEARCH_CONTAINS)
        return WRONG_MEMBER(r, "operator", "Content knows EQUALS_TO, CONTAINS and DIFFERENT");
    if (n->field.kind == FIELD_MOMENT && search_is_pattern(n->operator))
        return WRONG_MEMBER(r, "operator", "a moment has no text");
    return read_values(r, n, criterion);
}

/* ---- clauses ---- */

static um_err read_clause(struct reader *r, struct search_node *above, const json_t *clause, size_t depth);

static const char kind_prefix[] = "com.flower.docs.domain.search.";

/* `type` in the documentation, `@class` in what is sent. */
static const char *kind_member(const json_t *clause) { return json_object_get(clause, "type") != NULL ? "type" : "@class"; }

bool search_clause_kind(const json_t *clause, enum search_node_kind *out)
{
    const json_t *type = json_object_get(clause, kind_member(clause));
    const char *word = json_string_value(type);

    *out = SEARCH_AND;
    if (type == NULL || json_is_null(type))
        return true;
    if (word != NULL && strncmp(word, kind_prefix, sizeof(kind_prefix) - 1) == 0)
        word += sizeof(kind_prefix) - 1;
    if (word != NULL && strcmp(word, "OrClause") == 0)
        *out = SEARCH_OR;
    return word != NULL && (*out == SEARCH_OR || strcmp(word, "AndClause") == 0);
}

static um_err kind_of(struct reader *r, const json_t *clause, enum search_node_kind *out)
{
    return search_clause_kind(clause, out) ? UM_OK
                                           : WRONG_MEMBER(r, kind_member(clause), "%sAndClause or %sOrClause", kind_prefix, kind_prefix);
}

static um_err read_criteria(struct reader *r, struct search_node *n, const json_t *clause)
{
    const json_t *criteria;
    um_err err = array_of(r, clause, "criteria", SEARCH_CRITERIA_MAX, &criteria);
    size_t back = enter(r, "criteria");

    for (size_t i = 0; i < json_array_size(criteria) && err == UM_OK; i++) {
        size_t at = enter_at(r, i);

        err = read_criterion(r, n, json_array_get(criteria, i));
        if (err == UM_OK)
            leave(r, at);
    }
    if (err == UM_OK)
        leave(r, back);
    return err;
}

static um_err read_clauses(struct reader *r, struct search_node *n, const json_t *of, const char *member, size_t depth)
{
    const json_t *clauses;
    um_err err = array_of(r, of, member, SEARCH_CLAUSES_MAX, &clauses);
    size_t back = enter(r, member);

    for (size_t i = 0; i < json_array_size(clauses) && err == UM_OK; i++) {
        size_t at = enter_at(r, i);

        err = read_clause(r, n, json_array_get(clauses, i), depth);
        if (err == UM_OK)
            leave(r, at);
    }
    if (err == UM_OK)
        leave(r, back);
    return err;
}

static um_err read_clause(struct reader *r, struct search_node *above, const json_t *clause, size_t depth)
{
    struct search_node *n;
    enum search_node_kind kind;
    um_err err;

    if (!json_is_object(clause))
        return WRONG(r, "a clause is an object");
    if (depth > SEARCH_DEPTH_MAX)
        return WRONG(r, "clauses are at most %d deep", SEARCH_DEPTH_MAX);
    if (r->s->n_nodes - r->s->n_criteria > SEARCH_CLAUSES_MAX - 1)
        return WRONG(r, "a search has at most %d clauses", SEARCH_CLAUSES_MAX - 1);
    if ((err = kind_of(r, clause, &kind)) != UM_OK)
        return err;
    n = add_node(r, above, kind);
    err = read_criteria(r, n, clause);
    if (err == UM_OK)
        err = read_clauses(r, n, clause, "clauses", depth + 1);
    return err == UM_OK ? read_clauses(r, n, clause, "filterClauses", depth + 1) : err;
}

/* Clauses with nothing in them restrict nothing, wherever they stand. */
static void drop_empty(struct search_node **at)
{
    while (*at != NULL) {
        drop_empty(&(*at)->first);
        if ((*at)->kind != SEARCH_CRITERION && (*at)->first == NULL)
            *at = (*at)->next;
        else
            at = &(*at)->next;
    }
}

/* ---- the rest ---- */

static um_err read_fields(struct reader *r, const json_t *request)
{
    const json_t *select = json_object_get(request, "selectClause"), *fields;
    size_t back = enter(r, "selectClause");
    um_err err;

    r->s->all_fields = json_object_get(select, "fields") == NULL;
    if (select != NULL && !json_is_null(select) && !json_is_object(select))
        return WRONG(r, "an object with `fields`");
    err = array_of(r, select, "fields", SEARCH_FIELDS_MAX, &fields);
    enter(r, "fields");
    for (size_t i = 0; i < json_array_size(fields) && err == UM_OK; i++) {
        const char *name = json_string_value(json_array_get(fields, i));
        size_t at = enter_at(r, i);

        if (name == NULL || *name == '\0' || strlen(name) > NAME_MAX_BYTES)
            return WRONG(r, "the name of a field is needed");
        field_of(r->c, r->s->category, name, &r->s->fields[r->s->n_fields++]);
        leave(r, at);
    }
    if (err == UM_OK)
        leave(r, back);
    return err;
}

static um_err read_order(struct reader *r, const json_t *clause, struct search_order *o)
{
    const json_t *ascending = json_object_get(clause, "ascending");
    um_err err;

    if (!json_is_object(clause))
        return WRONG(r, "an order has a name, and says whether it is ascending");
    err = field_at(r, clause, "name", &o->field);
    if (err != UM_OK)
        return err;
    if (o->field.kind == FIELD_WORDS)
        return WRONG_MEMBER(r, "name", "nothing is sorted by its content");
    if (ascending != NULL && !json_is_boolean(ascending) && !json_is_null(ascending))
        return WRONG_MEMBER(r, "ascending", "true or false");
    o->descending = json_is_false(ascending);
    return UM_OK;
}

/* Newest change first, when nothing is said. */
static um_err read_orders(struct reader *r, const json_t *request)
{
    const json_t *orders;
    um_err err = array_of(r, request, "orderClauses", SEARCH_ORDERS_MAX, &orders);
    size_t back = enter(r, "orderClauses");

    for (size_t i = 0; i < json_array_size(orders) && err == UM_OK; i++) {
        size_t at = enter_at(r, i);

        err = read_order(r, json_array_get(orders, i), &r->s->orders[r->s->n_orders++]);
        if (err == UM_OK)
            leave(r, at);
    }
    if (err == UM_OK && r->s->n_orders == 0) {
        field_of(r->c, r->s->category, "lastUpdateDate", &r->s->orders[0].field);
        r->s->orders[0].descending = true;
        r->s->n_orders = 1;
    }
    if (err == UM_OK)
        leave(r, back);
    return err;
}

static um_err read_facet(struct reader *r, const json_t *facet, const struct search_facet *above, size_t depth)
{
    struct search_facet *f;
    const json_t *nested;
    um_err err;

    if (!json_is_object(facet))
        return WRONG(r, "an aggregation has a field");
    if (depth > SEARCH_FACET_DEPTH_MAX || r->s->n_facets == SEARCH_FACETS_MAX)
        return WRONG(r, "aggregations are at most %d deep, and %d together", SEARCH_FACET_DEPTH_MAX, SEARCH_FACETS_MAX);
    f = &r->s->facets[r->s->n_facets++];
    f->above = above;
    if ((err = field_at(r, facet, "field", &f->field)) != UM_OK)
        return err;
    if (f->field.kind == FIELD_MOMENT || f->field.kind == FIELD_WORDS)
        return WRONG_MEMBER(r, "field", "tags, and members that are no moment, can be counted");
    err = array_of(r, facet, "nested", SEARCH_FACETS_MAX, &nested);
    enter(r, "nested");
    for (size_t i = 0; i < json_array_size(nested) && err == UM_OK; i++) {
        size_t at = enter_at(r, i);

        err = read_facet(r, json_array_get(nested, i), f, depth + 1);
        if (err == UM_OK)
            leave(r, at);
    }
    return err;
}

static um_err read_facets(struct reader *r, const json_t *request)
{
    const json_t *facet = json_object_get(request, "aggregation");
    size_t back = enter(r, "aggregation");
    um_err err = facet != NULL && !json_is_null(facet) ? read_facet(r, facet, NULL, 1) : UM_OK;

    if (err == UM_OK)
        leave(r, back);
    return err;
}

static um_err read_count(struct reader *r, const json_t *request, const char *member, int64_t without, int64_t *out)
{
    const json_t *v = json_object_get(request, member);

    *out = json_is_integer(v) ? json_integer_value(v) : without;
    if ((v != NULL && !json_is_integer(v) && !json_is_null(v)) || *out < 0)
        return WRONG_MEMBER(r, member, "a whole number, not below 0");
    return UM_OK;
}

static um_err read_window(struct reader *r, const json_t *request)
{
    struct search *s = r->s;
    const json_t *after = json_object_get(request, "after");
    um_err err = read_count(r, request, "start", 0, &s->start);

    if (err == UM_OK)
        err = read_count(r, request, "max", SEARCH_PAGE, &s->max);
    if (err != UM_OK)
        return err;
    if (s->start > SEARCH_WINDOW_MAX || s->max > SEARCH_WINDOW_MAX - s->start)
        return WRONG_MEMBER(r, s->max > SEARCH_WINDOW_MAX ? "max" : "start", "start + max is at most %d: `after` of a reply leads beyond",
                            SEARCH_WINDOW_MAX);
    if (after == NULL || json_is_null(after))
        return UM_OK;
    if (!json_is_string(after) || json_string_length(after) > SEARCH_CURSOR_MAX)
        return WRONG_MEMBER(r, "after", "what an earlier reply had there");
    if (s->start != 0)
        return WRONG_MEMBER(r, "start", "it begins behind `after`");
    s->after = json_string_value(after);
    return UM_OK;
}

um_err search_read(struct um_call *c, enum um_category category, const json_t *request, const char *path, struct search *s)
{
    struct reader r = { .c = c, .s = s };
    struct search_node *root;
    um_err err;

    *s = (struct search){ .category = category };
    snprintf(r.path, sizeof(r.path), "%s", path);
    if (!json_is_object(request))
        return WRONG(&r, "a search is an object");
    root = add_node(&r, NULL, SEARCH_AND);
    err = read_clauses(&r, root, request, "filterClauses", 1);
    drop_empty(&s->root);
    if (err == UM_OK)
        err = read_fields(&r, request);
    if (err == UM_OK)
        err = read_orders(&r, request);
    if (err == UM_OK)
        err = read_facets(&r, request);
    return err == UM_OK ? read_window(&r, request) : err;
}

void search_done(struct search *s)
{
    for (size_t i = 0; i < s->n_nodes; i++) {
        struct search_node *n = &s->nodes[i];

        for (size_t k = 0; n->words != NULL && k < n->n_values; k++)
            words_asked_free(&n->words[k]);
        free(n->words);
        free(n->values);
    }
}
