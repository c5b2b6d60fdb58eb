/* A component: one row, whose body is the truth. What all four categories have in common, and what calls about a single part of
 * one (children, answers, versions) use to find it, judge it and keep it. */
#ifndef DOMAIN_COMPONENT_H
#define DOMAIN_COMPONENT_H
#include "acl.h"

/* What is done with a component, as the history names it; what listeners are told. */
#define UM_ACTIONS(X) \
    X(CREATE, CREATED) X(UPDATE, UPDATED) X(DELETE, DELETED) X(ADD_CONTENT, CONTENT) X(DELETE_CONTENT, CONTENT) \
    X(UPDATE_CONTENT, CONTENT) X(ANSWER, UPDATED) X(ASSIGN, UPDATED) X(VERSION, UPDATED) X(REVERT, UPDATED)
/* What changes nothing: handlers hear of it, the history does not. */
#define UM_QUIET_ACTIONS(X) X(READ) X(SEARCH) X(GET_CONTENT) X(LOCK) X(UNLOCK)
enum um_action {
#define X(id, change) UM_ACTION_##id,
    UM_ACTIONS(X)
#undef X
    UM_ACTIONS_N,
    UM_ACTION_LAST_TOLD = UM_ACTIONS_N - 1,
#define X(id) UM_ACTION_##id,
    UM_QUIET_ACTIONS(X)
#undef X
    UM_ALL_ACTIONS_N
};

struct component {                           /* zeroed: none */
    enum um_category category;
    int64_t num;                             /* its name inside the database */
    json_t *body;                            /* ours */
    json_t *told;                            /* more fields for the history of its next change, [{"name","value"}], or NULL; ours */
    json_t *moved;                           /* children that its next change puts in or takes out, for handlers, or NULL; ours */
};
void component_done(struct component *m);

const char *component_id(const struct component *m);
const char *component_class_id(const struct component *m);
const json_t *component_class(const struct um_call *c, const struct component *m);   /* NULL: it is no more */

/* A document of a collaborative class (none, when there is no model): its body is edited together, as the document "component/<scope>/<id>". */
bool component_has_shared_body(const struct um_call *c, const struct component *m);
/* shared_body.c: a body begins empty, whatever an earlier component of this id has left; and it goes with its component. */
UM_CHECK_RESULT um_err component_body_begins(struct um_call *c, const struct component *m);
UM_CHECK_RESULT um_err component_body_ends(struct um_call *c, const struct component *m);

/* ---- finding ---- */

/* The component as the caller may see it: one that he may not READ is as absent as one that is not there: F00012, T00103 for
 * tasks. The caller ends OUT with component_done, also after an error. */
UM_CHECK_RESULT um_err component_find(struct um_call *c, enum um_category k, const char *id, struct component *out);
/* The same, for who has rights of his own reasons to it: UM_ENOTFOUND when there is none. */
UM_CHECK_RESULT um_err component_fetch(struct um_call *c, enum um_category k, const char *id, struct component *out);
/* The category of the call's args. */
enum um_category component_category(const struct um_call *c);

/* ---- judging ---- */

UM_CHECK_RESULT um_err component_may(struct um_call *c, const struct component *m, enum um_permission p, bool *may);
UM_CHECK_RESULT um_err component_need(struct um_call *c, const struct component *m, enum um_permission p);     /* or U00403 */

/* Nobody else holds these N components: else U00423, with who. TOKENS (may be NULL; 0: none): fencing tokens that the caller
 * knows; one that is not the newest is refused. Asked before the unit reads what it wants to change: nobody takes one then
 * before the unit has ended. */
UM_CHECK_RESULT um_err component_check_free(struct um_call *c, enum um_category k, const char *const ids[],
                                            const int64_t tokens[], size_t n);
/* The same of one, with the call's X-Reservation-Token. */
UM_CHECK_RESULT um_err component_check_one_free(struct um_call *c, enum um_category k, const char *id);

/* ---- keeping ---- */

/* A new row; T00108 at PATH when its id is taken. Sets M's num. */
UM_CHECK_RESULT um_err component_insert(struct um_call *c, struct component *m, const char *path);
/* BODY (adopted) comes after M's, with the next version and date; M has it then, and its history a fact of A. */
UM_CHECK_RESULT um_err component_save_as(struct um_call *c, struct component *m, json_t *body, enum um_action a);
/* The same, as an update of the component, or of its content. */
UM_CHECK_RESULT um_err component_save(struct um_call *c, struct component *m, json_t *body, enum um_change_kind kind);
UM_CHECK_RESULT um_err component_remove(struct um_call *c, struct component *m);
UM_CHECK_RESULT um_err component_remove_untold(struct um_call *c, struct component *m);      /* without a fact */

/* ---- all of a class, an ACL, a scope ---- */

/* Is there none whose class or ACL is ID? U00409 when there is one. */
UM_CHECK_RESULT um_err component_check_none(struct um_call *c, enum um_kind k, const char *id);
/* Removes some of those of SCOPE and of their facts, at most as many as a unit should; *LEFT: there may be more. */
UM_CHECK_RESULT um_err component_remove_some(struct um_call *c, const char *scope, bool *left);
UM_CHECK_RESULT um_err component_any(struct um_call *c, const char *scope, bool *any);

#endif
