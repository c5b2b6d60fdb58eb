/* A compiled filter, and what reads it. */
#ifndef DOMAIN_FILTER_INT_H
#define DOMAIN_FILTER_INT_H
#include "filter.h"
#include "search/request.h"

struct filter_value {
    char *text;                              /* as JSON or XML had it */
    bool is_number, is_user;                 /* a number in JSON; ${user.id} */
    double number;
};

struct filter_node {
    enum search_node_kind kind;
    struct filter_node *first, *next;        /* children of a clause, which has at least one; and siblings */
    char *name;                              /* of a criterion: */
    enum search_operator operator;
    struct filter_value *values;
    size_t n_values;
};

struct filter { struct filter_node *root; };             /* NULL: it fits everything */

/* A value of a request or of a criterion as a text; false: an array, an object or null. The caller frees OUT's text. */
bool filter_value_of(const json_t *v, struct filter_value *out);

/* ---- filter_xml.c ---- */

enum { FILTER_XML_DEPTH = 32, FILTER_XML_ELEMENTS = 5000 };
/* TEXT as the same search in JSON; NULL: WHY says what is wrong. The caller decrefs. */
json_t *filter_read_xml(struct um_span text, char why[FILTER_WHY_MAX]);

#endif
