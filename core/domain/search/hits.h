/* The rows that a search finds: their nums and places, those that the caller may read. */
#ifndef SEARCH_HITS_H
#define SEARCH_HITS_H
#include "search/order.h"

enum {
    SEARCH_FOUND_MAX = 10000,                /* matches that are counted; beyond it there are at least so many */
    SEARCH_JUDGED_MAX = 10000,               /* matches that are looked at one by one, where an ACL has rules */
};

struct hit { int64_t num; json_t *keys; };
struct hits {
    struct hit *rows;
    size_t n, cap;
    size_t first, end;                       /* the page */
    const json_t *last;                      /* keys of the last row that was looked at; NULL: it was all */
    json_t *left_over;                       /* LAST, when its row is not among ROWS */
    int64_t found;                           /* -1: not counted */
    bool at_least;
    bool judged;                             /* ROWS are all that was found, by rules too */
};

/* READABLE: the ACLs that are as good as a yes; RULED: those whose rules look at the component. */
struct search_rights { const char **readable; size_t n_readable; json_t *list, *ruled; };
UM_CHECK_RESULT um_err search_rights_of(struct um_call *c, struct search_rights *out);
void search_rights_done(struct search_rights *r);

/* Q is initialised and planned. COUNT: found is wanted. The caller ends OUT with hits_done, also after an error. */
UM_CHECK_RESULT um_err hits_read(struct search_sql *q, const struct search_rights *rights, const struct order_keys *k,
                                 const json_t *after, bool count, struct hits *out);
void hits_done(struct hits *h);
/* A JSON list of the nums of rows FIRST to END. The caller frees it. */
char *hits_nums(const struct hits *h, size_t first, size_t end);

#endif
