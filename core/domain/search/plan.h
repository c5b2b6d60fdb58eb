/* Where a search starts on SQLite, which knows nothing of how often a value occurs: candidates are counted, each up to a bound,
 * and the smallest set wins. When all are large, the statement walks the components in the order asked for and stops when the
 * page is full: then most of what it looks at fits. PostgreSQL has statistics, and is left alone. */
#ifndef SEARCH_PLAN_H
#define SEARCH_PLAN_H
#include "search/sql.h"

enum {
    SEARCH_FEW = 20000,                      /* candidates: fewer are a place to start from; */
    SEARCH_VERY_FEW = 500,                   /* fewer still are looked for first, which costs less */
    SEARCH_WORDS_ONE_BY_ONE = 5000,          /* candidates: for fewer full text is looked at one by one */
};

/* The caller frees OUT's nums, also after an error. */
UM_CHECK_RESULT um_err search_plan(struct um_call *c, const struct search *s, struct search_plan *out);

#endif
