/* Reservations, for the other handlers and for the engine. */
#ifndef REST_RESERVATIONS_H
#define REST_RESERVATIONS_H
#include <umbel/reserve.h>
#include "internal.h"

/* reservation_lists.c: one as it is shown to who has SESSION: the token is for the holder alone. AMONG: of which scope the list
 * is; its rows say theirs when it is SCOPE_ALL. NULL: no list. */
json_t *reservation_json(const struct um_rest *r, const struct um_store_reserved *row, const char *session, const char *among);
json_t *reservation_blocker_json(const struct um_rest *r, const struct um_reserve_blocker *b);
void reservation_refused(struct um_http_req *rq, um_err err);        /* replies */

/* The session in whose name the caller reserves. */
void caller_session(const struct caller *c, char out[UM_RESERVE_SESSION_MAX + 1]);
/* Runs THEN when the caller may change DOCUMENT, as the database has it now; otherwise replies 423. With X-Reservation-Token
 * (a parameter of the row) the reservation must be the caller's session's, and of that token. */
void reservation_guard(struct um_http_req *rq, struct um_rest *r, const char *document, um_http_handler *then);
void reservation_listen(struct um_rest *r);              /* before threads start */

/* Hooks of the engine; CTX is the um_rest. */
bool reservation_may_change(void *ctx, const char *document, const char *user, int64_t *until_ms);
void reservation_changed(void *ctx, const char *document, const char *user);
void reservation_editing(void *ctx, const char *document, const char *user, bool begins);

#endif
