/* What a search shows of its rows, and how often values occur among them. */
#ifndef SEARCH_RESULTS_H
#define SEARCH_RESULTS_H
#include "search/hits.h"

enum {
    FACET_MATCHES_MAX = 100000,              /* matches that are counted; beyond them counts are lower bounds */
    FACET_VALUES_MAX = 1000,                 /* of one field, all levels above it together: the most frequent */
};

/* [{"id", "category", "fields": [{"name", "value", "values"?}]}] of the page. */
UM_CHECK_RESULT um_err results_read(struct search_sql *q, const struct hits *h, json_t **out);
/* {"field", "buckets": [{"value", "count", "nested"?}], "countsAreAtLeast"?}; NULL when none is asked for. */
UM_CHECK_RESULT um_err facets_read(struct search_sql *q, const struct hits *h, json_t **out);

#endif
