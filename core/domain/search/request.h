/* A search as it was asked for, checked: a tree of clauses, an order, what is to be shown and counted.
 *
 * What cannot be run is T00104 with a JSON pointer to what is wrong. Texts are borrowed from the request. */
#ifndef SEARCH_REQUEST_H
#define SEARCH_REQUEST_H
#include "search/fields.h"
#include "search/words.h"

enum {
    SEARCH_CRITERIA_MAX = 20, SEARCH_CLAUSES_MAX = 40, SEARCH_DEPTH_MAX = 8,
    SEARCH_VALUES_MAX = 100,                 /* of a criterion, of FIELD_VALUE_MAX bytes */
    SEARCH_PATTERN_MAX = 200,                /* bytes of a value of CONTAINS, STARTS_WITH, ENDS_WITH */
    SEARCH_ORDERS_MAX = 5, SEARCH_FIELDS_MAX = 100,
    SEARCH_FACETS_MAX = 10, SEARCH_FACET_DEPTH_MAX = 3,
    SEARCH_WINDOW_MAX = 10000,               /* start + max; beyond it a cursor leads on */
    SEARCH_PAGE = 10,                        /* results without `max` */
    SEARCH_CURSOR_MAX = 16 << 10,
};

#define SEARCH_OPERATORS(X) \
    X(EQUALS_TO) X(DIFFERENT) X(CONTAINS) X(STARTS_WITH) X(ENDS_WITH) X(GREATER_THAN) X(LESS_THAN) X(BETWEEN)
enum search_operator {
#define X(id) SEARCH_##id,
    SEARCH_OPERATORS(X)
#undef X
    SEARCH_OPERATORS_N
};
static inline bool search_is_pattern(enum search_operator o)
{
    return o == SEARCH_CONTAINS || o == SEARCH_STARTS_WITH || o == SEARCH_ENDS_WITH;
}

enum search_node_kind { SEARCH_AND, SEARCH_OR, SEARCH_CRITERION };

bool search_operator_of(const char *word, enum search_operator *out);            /* WORD may be NULL */
/* SEARCH_AND or SEARCH_OR; false: what the clause says it is, is neither. */
bool search_clause_kind(const json_t *clause, enum search_node_kind *out);

struct search_node {
    enum search_node_kind kind;
    struct search_node *first, *next;        /* children of a clause, which has at least one; and siblings */
    /* a criterion: */
    struct field field;
    enum search_operator operator;
    struct um_sql_value *values;             /* ours; of the type that the field is compared by */
    size_t n_values;
    struct words_asked *words;               /* of FIELD_WORDS, one per value */
};

struct search_order { struct field field; bool descending; };
struct search_facet { struct field field; const struct search_facet *above; };       /* in the order of the request, parents first */

struct search {
    enum um_category category;
    struct search_node nodes[SEARCH_CRITERIA_MAX + SEARCH_CLAUSES_MAX], *root;      /* ROOT NULL: everything */
    size_t n_nodes, n_criteria;
    struct search_order orders[SEARCH_ORDERS_MAX];
    size_t n_orders;
    struct field fields[SEARCH_FIELDS_MAX];  /* to be shown */
    size_t n_fields;
    bool all_fields;                         /* nobody said which */
    struct search_facet facets[SEARCH_FACETS_MAX];
    size_t n_facets;
    int64_t start, max;
    const char *after;                       /* cursor, or NULL */
};

/* PATH: where REQUEST stands in the body, "" for the whole. The caller ends S with search_done, also after an error. */
UM_CHECK_RESULT um_err search_read(struct um_call *c, enum um_category category, const json_t *request, const char *path,
                                   struct search *s);
void search_done(struct search *s);

#endif
