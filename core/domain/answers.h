/* Answers that are given again: a call that changes something and was asked with an idempotency key is done once, whoever asks
 * it again, on whichever core, within ANSWERS_KEPT_MS. The answer is kept in the call's own unit, so a call whose commit was lost
 * has none, and a twin on its way waits for the database and hears the same. */
#ifndef DOMAIN_ANSWERS_H
#define DOMAIN_ANSWERS_H
#include "call.h"

#define ANSWERS_KEPT_MS ((int64_t)24 * 3600 * 1000)

/* Is there an answer for C's key? Then it is C's reply and version, and *KNOWN. U00409: the key was used for something else. */
UM_CHECK_RESULT um_err answers_find(struct um_call *c, bool *known);
/* C is done: keeps its answer. */
UM_CHECK_RESULT um_err answers_keep(struct um_call *c);

#endif
