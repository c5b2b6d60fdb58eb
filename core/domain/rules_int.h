/* Compiled rules. */
#ifndef DOMAIN_RULES_INT_H
#define DOMAIN_RULES_INT_H
#include "rules.h"

/* Word; what its argument is (rules.c). */
#define RULES_ACTIONS(X) \
    X(SET_TAG, "setTag", tags) X(ADD_TAG, "addTag", tags) X(SET_CLASS, "setClass", id) X(SET_STATUS, "setStatus", text) \
    X(SET_ACL, "setACL", id) X(CREATE_FACT, "createFact", fact) X(CREATE_TASK, "createTask", task) X(REFUSE, "refuse", text)
enum rule_action_kind {
#define X(id, word, form) RULE_##id,
    RULES_ACTIONS(X)
#undef X
    RULE_ACTIONS_N
};

struct rule_action { enum rule_action_kind kind; const json_t *arg; };       /* ARG: of the rules' text */
struct rule {
    struct filter *filter;                   /* NULL: always */
    struct rule_action *actions;
    size_t n_actions;
    bool is_last;                            /* those behind are not tried when this one was done */
};
struct rules { json_t *text; struct rule *list; size_t n; };

#endif
