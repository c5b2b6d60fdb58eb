/* Registered rules (rules.h): what they change or refuse happens in the operation's own unit, and nobody is asked. Facts and tasks
 * that they make are written behind the component, in the same unit. */
#ifndef OPERATIONS_BY_RULES_H
#define OPERATIONS_BY_RULES_H
#include "filter.h"
#include "operations/operation.h"
#include "operations/registration.h"

extern const struct um_handler_kind operation_rules_kind;      /* the word `rules` */

/* Do they suit R, whose tags have been read? No: WHY. */
bool operation_rules_suit(const struct rules *rules, const struct registration *r, char why[300]);

/* R has rules, S is what its filter was held against. IMAGE may be another one afterwards. */
UM_CHECK_RESULT um_err operation_apply_rules(struct um_call *c, struct operation *o, const struct registration *r,
                                             const struct filter_subject *s, json_t **image);
/* IMAGE is written: what the rules of O make. Tasks are operations themselves, one deeper; nobody is asked for a right to make them. */
UM_CHECK_RESULT um_err operation_make(struct um_call *c, const struct operation *o, const json_t *image);

#endif
