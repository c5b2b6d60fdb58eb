/* Facts: what was done with a component, by whom, in the same unit as it was done. They stay when the component is gone. */
#ifndef DOMAIN_FACTS_H
#define DOMAIN_FACTS_H
#include "component.h"

/* "create,update": a bit per action. False: WORD (of SIZE bytes) is none. */
bool facts_read_actions(const char *list, uint32_t *bits, char *word, size_t size);

/* M has been changed by A, if such facts are wanted of its category. BEFORE: its body before; NULL: no fields are told. */
UM_CHECK_RESULT um_err facts_record(struct um_call *c, const struct component *m, enum um_action a, const json_t *before);
/* Removes some of SCOPE's; *LEFT: there may be more. */
UM_CHECK_RESULT um_err facts_remove_some(struct um_call *c, const char *scope, bool *left);

#endif
