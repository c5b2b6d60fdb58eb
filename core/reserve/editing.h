/* Shared reservations: who can write to what, on this core and, by way of Redis, on the others.
 *
 *   hash `<ns>:resv:editing:<core id>`   field CATEGORY:id -> ["ann","bob"]    expires after 10 s, renewed every 3 s
 *
 * One hash per core, so that a core renews with one command however many documents it has open, and so that what a dead core
 * had said lapses as a whole. Everything here is a courtesy: nothing is lost or let in wrongly when it lags. On one loop. */
#ifndef RESERVE_EDITING_H
#define RESERVE_EDITING_H
#include <umbel/reserve.h>

struct editing;

struct editing *editing_new(const struct um_reserve_env *env);
void editing_free(struct editing *e);         /* no callback runs any more; NULL is fine */
void editing_note(struct editing *e, const char *category, const char *id, const char *user, bool begins);
bool editing_is_reachable(const struct editing *e);      /* Redis answers, or there is none to ask */
/* Who but USER edits any of REFS. CB runs once, perhaps inside the call, unless E is freed before; REFS stay until then.
 * UM_EUNAVAIL: Redis did not answer. */
typedef void editing_cb(void *arg, um_err err, const struct um_reserve_blocker *who, size_t n);
void editing_ask(struct editing *e, const struct um_store_ref *refs, size_t n, const char *user, editing_cb *cb, void *arg);

#endif
