/* See filter.h: a search in JSON becomes a tree. The limits are those of searches. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "filter_int.h"

enum { PATH_MAX_BYTES = 100, NAME_MAX_BYTES = 200 };

/* Where the reader is: PATH is a JSON pointer, cut back by who has made it longer. */
struct reader {
    size_t n_criteria, n_clauses;
    char path[PATH_MAX_BYTES];
    char *why;
};

static bool wrong(struct reader *r, const char *fmt, ...) UM_PRINTF(2, 3);
static bool wrong(struct reader *r, const char *fmt, ...)
{
    char text[FILTER_WHY_MAX - PATH_MAX_BYTES - 2];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    snprintf(r->why, FILTER_WHY_MAX, "%s%s%s", r->path, *r->path != '\0' ? ": " : "", text);
    return false;
}

static size_t enter(struct reader *r, const char *member, size_t i)
{
    size_t n = strlen(r->path);

    snprintf(r->path + n, sizeof(r->path) - n, "/%s/%zu", member, i);
    return n;
}

static void leave(struct reader *r, size_t to) { r->path[to] = '\0'; }

static bool array_of(struct reader *r, const json_t *of, const char *member, size_t max, const json_t **out)
{
    const json_t *v = json_object_get(of, member);

    *out = json_is_array(v) ? v : NULL;
    if (v == NULL || json_is_null(v) || (*out != NULL && json_array_size(v) <= max))
        return true;
    return wrong(r, "%s: an array of at most %zu", member, max);
}

static struct filter_node *add_node(struct filter_node **first, enum search_node_kind kind)
{
    struct filter_node *n = um_xcalloc(1, sizeof(*n));

    n->kind = kind;
    while (*first != NULL)
        first = &(*first)->next;
    *first = n;
    return n;
}

static void free_nodes(struct filter_node *n)
{
    for (struct filter_node *next; n != NULL; n = next) {
        next = n->next;
        free_nodes(n->first);
        for (size_t i = 0; i < n->n_values; i++)
            free(n->values[i].text);
        free(n->values);
        free(n->name);
        free(n);
    }
}

/* ---- values ---- */

bool filter_value_of(const json_t *v, struct filter_value *out)
{
    *out = (struct filter_value){ .is_number = json_is_number(v), .number = json_number_value(v) };
    if (json_is_string(v))
        out->text = um_xstrdup(json_string_value(v));
    else if (json_is_integer(v))
        out->text = um_xasprintf("%lld", (long long)json_integer_value(v));
    else if (json_is_real(v))
        out->text = um_xasprintf("%.17g", json_real_value(v));
    else if (json_is_boolean(v))
        out->text = um_xstrdup(json_is_true(v) ? "true" : "false");
    return out->text != NULL;
}

static bool read_values(struct reader *r, struct filter_node *n, const json_t *criterion)
{
    size_t exactly = n->operator == SEARCH_BETWEEN ? 2 : n->operator == SEARCH_GREATER_THAN || n->operator == SEARCH_LESS_THAN ? 1 : 0;
    size_t max = search_is_pattern(n->operator) ? SEARCH_PATTERN_MAX : FIELD_VALUE_MAX;
    const json_t *values;

    if (!array_of(r, criterion, "values", SEARCH_VALUES_MAX, &values))
        return false;
    if (json_array_size(values) == 0 || (exactly != 0 && json_array_size(values) != exactly))
        return wrong(r, "values: %s", exactly == 2 ? "two are needed" : exactly == 1 ? "one is needed" : "one is needed, or more");
    n->values = um_xcalloc(json_array_size(values), sizeof(*n->values));
    for (size_t i = 0; i < json_array_size(values); i++) {
        struct filter_value *v = &n->values[i];
        if (!filter_value_of(json_array_get(values, i), v) || n->n_values++ != i || strlen(v->text) > max)
            return wrong(r, "values/%zu: a text of at most %zu bytes", i, max);
        v->is_user = strcmp(v->text, "${user.id}") == 0;
    }
    return true;
}

/* ---- clauses ---- */

static bool is_type(const json_t *type)
{
    const char *word = json_string_value(type);
    enum um_tag_type t;

    return type == NULL || json_is_null(type) || (word != NULL && (strcmp(word, "TIMESTAMP") == 0 || um_tag_type_of(word, &t)));
}

static bool read_criterion(struct reader *r, struct filter_node **into, const json_t *criterion)
{
    const char *name = json_string_value(json_object_get(criterion, "name"));
    struct filter_node *n;

    if (r->n_criteria++ == SEARCH_CRITERIA_MAX)
        return wrong(r, "at most %d criteria", SEARCH_CRITERIA_MAX);
    if (name == NULL || *name == '\0' || strlen(name) > NAME_MAX_BYTES)
        return wrong(r, "name: the name of a field is needed");
    if (um_ascii_ieq(name, "Content"))
        return wrong(r, "name: nothing is filtered by full text");
    n = add_node(into, SEARCH_CRITERION);
    n->name = um_xstrdup(name);
    if (!search_operator_of(json_string_value(json_object_get(criterion, "operator")), &n->operator))
        return wrong(r, "operator: EQUALS_TO, DIFFERENT, CONTAINS, STARTS_WITH, ENDS_WITH, GREATER_THAN, LESS_THAN or BETWEEN");
    if (!is_type(json_object_get(criterion, "type")))
        return wrong(r, "type: STRING, TIMESTAMP, or a type of tags");
    return read_values(r, n, criterion);
}

static bool read_clause(struct reader *r, struct filter_node **into, const json_t *clause, size_t depth);

typedef bool read_fn(struct reader *r, struct filter_node **into, const json_t *one, size_t depth);

static bool read_one_criterion(struct reader *r, struct filter_node **into, const json_t *one, size_t depth)
{
    (void)depth;
    return json_is_object(one) ? read_criterion(r, into, one) : wrong(r, "a criterion is an object");
}

static bool read_each(struct reader *r, struct filter_node **into, const json_t *of, const char *member, size_t max, size_t depth, read_fn *read)
{
    const json_t *all;
    bool ok = array_of(r, of, member, max, &all);

    for (size_t i = 0; ok && i < json_array_size(all); i++) {
        size_t at = enter(r, member, i);
        ok = read(r, into, json_array_get(all, i), depth);
        if (ok)
            leave(r, at);
    }
    return ok;
}

static bool read_clause(struct reader *r, struct filter_node **into, const json_t *clause, size_t depth)
{
    struct filter_node *n;
    enum search_node_kind kind;

    if (!json_is_object(clause))
        return wrong(r, "a clause is an object");
    if (depth > SEARCH_DEPTH_MAX)
        return wrong(r, "clauses are at most %d deep", SEARCH_DEPTH_MAX);
    if (r->n_clauses++ == SEARCH_CLAUSES_MAX - 1)
        return wrong(r, "at most %d clauses", SEARCH_CLAUSES_MAX - 1);
    if (!search_clause_kind(clause, &kind))
        return wrong(r, "type: AndClause or OrClause");
    n = add_node(into, kind);
    return read_each(r, &n->first, clause, "criteria", SEARCH_CRITERIA_MAX, 0, read_one_criterion) &&
           read_each(r, &n->first, clause, "clauses", SEARCH_CLAUSES_MAX, depth + 1, read_clause) &&
           read_each(r, &n->first, clause, "filterClauses", SEARCH_CLAUSES_MAX, depth + 1, read_clause);
}

/* Clauses with nothing in them restrict nothing, wherever they stand. */
static void drop_empty(struct filter_node **at)
{
    while (*at != NULL) {
        drop_empty(&(*at)->first);
        if ((*at)->kind != SEARCH_CRITERION && (*at)->first == NULL) {
            struct filter_node *empty = *at;
            *at = empty->next;
            free(empty);
        } else {
            at = &(*at)->next;
        }
    }
}

/* ---- */

static json_t *read_json(const char *text, char why[FILTER_WHY_MAX])
{
    json_error_t e;
    json_t *all = json_loads(text, JSON_REJECT_DUPLICATES, &e);

    if (all == NULL)
        snprintf(why, FILTER_WHY_MAX, "neither XML nor JSON: line %d, %.100s", e.line, e.text);
    return all;
}

static json_t *read_text(const char *text, char why[FILTER_WHY_MAX])
{
    size_t n = strlen(text);
    const char *p = strncmp(text, "\xef\xbb\xbf", 3) == 0 ? text + 3 : text;

    if (n > FILTER_TEXT_MAX) {
        snprintf(why, FILTER_WHY_MAX, "at most %d KB", FILTER_TEXT_MAX >> 10);
        return NULL;
    }
    p += strspn(p, " \t\r\n");
    return *p == '<' ? filter_read_xml(UM_SPAN(text, n), why) : read_json(p, why);
}

struct filter *filter_new_json(const json_t *request, char why[FILTER_WHY_MAX])
{
    struct filter *f = um_xcalloc(1, sizeof(*f));
    struct reader r = { .why = why };
    bool ok;

    add_node(&f->root, SEARCH_AND);
    ok = json_is_object(request) ? read_each(&r, &f->root->first, request, "filterClauses", SEARCH_CLAUSES_MAX, 1, read_clause)
                                 : wrong(&r, "a search is an object");
    if (ok) {
        drop_empty(&f->root);
        return f;
    }
    filter_free(f);
    return NULL;
}

struct filter *filter_new(const char *text, char why[FILTER_WHY_MAX])
{
    json_t *request = read_text(text, why);
    struct filter *f = request != NULL ? filter_new_json(request, why) : NULL;

    json_decref(request);
    return f;
}

void filter_free(struct filter *f)
{
    if (f == NULL)
        return;
    free_nodes(f->root);
    free(f);
}
