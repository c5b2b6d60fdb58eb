/* A search as SQL, for both databases.
 *
 * The statement goes over components `c`. On SQLite it may start from a smaller set (plan.h), `d`; on PostgreSQL the planner finds
 * such sets by itself. What is asked of a tag is an EXISTS over its rows. */
#ifndef SEARCH_SQL_H
#define SEARCH_SQL_H
#include "search/request.h"

struct search_plan {
    const struct search_node *from;          /* the criterion or OR clause that the statement starts from; NULL: components */
    int64_t candidates;                      /* of it, about; or of what was looked at */
    char *nums;                              /* all of it as a JSON list, when looking for it again would be dear; ours */
    bool words_one_by_one;                   /* words are looked for in each candidate, not in the index */
};

/* What a statement is built with. Zero but C, S and ACLS at first. */
struct search_sql {
    struct um_call *c;
    const struct search *s;
    struct search_plan plan;
    const char *acls;                        /* JSON list of the ACLs whose components are looked at */
    char mark[FIELD_MARK_MAX];
    struct um_sql_parts parts;
    void **kept;                             /* texts that the parts point to */
    size_t n_kept;
    bool is_postgres;
};
void search_sql_init(struct search_sql *q, struct um_call *c, const struct search *s, const char *acls);
void search_sql_clear(struct search_sql *q);             /* for the next statement */
const char *search_sql_keep(struct search_sql *q, char *text_adopt);

/* " FROM … WHERE …": the components that fit, each once. SORTED: with the rows of search_sql_order. */
void search_sql_from(struct search_sql *q, bool sorted);
/* The nums that fit CRITERION as far as an index says, perhaps more than once: "SELECT t.num AS num FROM …". False: no index. */
bool search_sql_source(struct search_sql *q, const struct search_node *n);
/* Has this node a source? */
bool search_sql_has_source(const struct search *s, const struct search_node *n);
/* "(SELECT value …)" of a JSON list of texts. */
void search_sql_list(struct search_sql *q, const char *json, enum um_sql_type type);

#endif
