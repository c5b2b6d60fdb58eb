/* Named failure points (UMBEL_FAIL="edit.before_commit=kill*1;store.append=error%30").
 * Compiled in only with -DUMBEL_FAILPOINTS=ON; otherwise UM_FAILPOINT is the constant false.
 *
 *   action   kill | abort | error | sleep(ms) | off       error: the macro yields true and the caller fails
 *   %p       only with probability p percent              *n: at most n times
 *
 * Any thread. Names stand in core/lib/fault/names.h, so that a misspelt one does not compile. */
#ifndef UMBEL_FAILPOINT_H
#define UMBEL_FAILPOINT_H
#include <umbel/base.h>

#ifdef UMBEL_FAILPOINTS
#define UM_FAILPOINT(name) um_failpoint_hit(name)
#else
#define UM_FAILPOINT(name) false
#endif

bool um_failpoint_hit(const char *name);
/* Reads UMBEL_FAIL; UM_EINVAL with *bad naming the first order that is not understood. */
um_err um_failpoint_init_from_env(const char **bad);
um_err um_failpoint_set(const char *name, const char *action);

#endif
