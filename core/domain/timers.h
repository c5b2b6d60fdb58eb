/* How long calls take, under the names that administrators of such platforms chart: createDocuments, searchTasks, answerTasks …,
 * by scope and exception. A name is there from its first call on. */
#ifndef DOMAIN_TIMERS_H
#define DOMAIN_TIMERS_H
#include <jansson.h>
#include <umbel/domain_calls.h>

enum { TIMERS_SCOPES_MAX = 50 };             /* those that come later count as "other" */

void timers_start(void);                     /* registers them; twice is once */
/* CALL with ARGS took US. SCOPE: NULL: one that does not exist. EXCEPTION: the code of the refusal; NULL: it went well. Any thread;
 * calls without a name of their own are passed over. */
void timers_note(const struct um_domain_call *call, const json_t *args, const char *scope, const char *exception, int64_t us);

/* SCOPE as a label of figures: itself, or "other". Any thread. */
const char *timers_scope(const char *scope);

#endif
