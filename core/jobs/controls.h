/* What operators have said of registrations: paused, or a rate (a bucket of tokens, one second's worth of them, which all cores draw
 * from: whoever begins jobs of a limited registration holds its row until his unit is committed). */
#ifndef JOBS_CONTROLS_H
#define JOBS_CONTROLS_H
#include <umbel/sql.h>

struct control;
struct controls { struct control *list; size_t n; int64_t now_ms; };     /* zero-initialise */

UM_CHECK_RESULT um_err controls_read(struct um_sql *q, struct controls *all);
UM_CHECK_RESULT um_err controls_write(struct um_sql *q, const struct controls *all);      /* the tokens that were taken */
void controls_free(struct controls *all);

bool controls_pause(const struct controls *all, const char *scope, const char *registration);
bool controls_limit(const struct controls *all, const char *scope, const char *registration);
/* May one more begin now? Takes a token when it may; otherwise *WAIT_MS is how long until there is one. */
bool controls_take(struct controls *all, const char *scope, const char *registration, int64_t *wait_ms);

#endif
