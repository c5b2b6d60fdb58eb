/* Execution filters: a search, held against one component that need not be stored (platform reference 5.2).
 *
 * A filter is what a search for the same criteria finds (docs/search.md): the same fields, the same comparing by the types of tags,
 * the same cases. Of the search only filterClauses count. Beside the fields of a search it knows `workflow` and `data.<member>`;
 * full text (Content) it does not know, for the words of files are in the database alone. A value may be ${user.id}. */
#ifndef DOMAIN_FILTER_H
#define DOMAIN_FILTER_H
#include "model.h"

enum { FILTER_TEXT_MAX = 64 << 10, FILTER_WHY_MAX = 200 };

struct filter;                               /* compiled; immutable, any thread */

/* TEXT: a SearchRequest in JSON, or in XML of the namespace http://flower.com/docs/domain/search. Needs no model: tags are looked up
 * when it is used, so that a filter stays right when their types change. NULL: WHY says what is wrong, and where. */
struct filter *filter_new(const char *text, char why[FILTER_WHY_MAX]);
struct filter *filter_new_json(const json_t *request, char why[FILTER_WHY_MAX]);
void filter_free(struct filter *f);          /* NULL is fine */

/* What a filter is held against; all borrowed. Special cases of 5.2:
 *   ASSIGN    ID is who has the task from now on, ASSIGNEE_BEFORE who had it, with IS_ASSIGNMENT
 *   ANSWER    ID is who has the task
 *   contents of folders   ID is the class of the component that is added or removed
 *   SEARCH    REQUEST is the search: a criterion of the filter fits when one of the request on that field, in whatever clause and
 *             with whatever operator, has a fitting value; DIFFERENT fits when none has */
struct filter_subject {
    const struct um_model *model;            /* for types of tags; NULL: all are texts */
    const json_t *image;                     /* the component, or another object with an id; NULL: none */
    const char *category;                    /* "DOCUMENT"; NULL: what the image says */
    const char *user;                        /* ${user.id}; NULL: nobody, and equal to nothing */
    const char *id;                          /* instead of the image's; NULL: the image's */
    bool is_assignment;
    const char *assignee_before;             /* instead of the image's with IS_ASSIGNMENT; NULL: nobody */
    const json_t *request;                   /* instead of the image; NULL: none */
};
bool filter_matches(const struct filter *f, const struct filter_subject *s);

#endif
