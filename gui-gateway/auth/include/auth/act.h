/* An act of an administrator at this gateway. A core keeps the fact of it, as it does of those that it does itself: who, from where, by
 * which request, what, before and after. On the loop of the um_auth. */
#ifndef AUTH_ACT_H
#define AUTH_ACT_H
#include <auth/auth.h>
#include <jansson.h>

struct um_act;
/* RQ is behind um_auth_judge and only looked at here: its client may leave. ACTION, TYPE: literals; ID is copied. */
struct um_act *um_act_new(struct um_auth *a, const struct um_http_req *rq, const char *action, const char *type, const char *id);
void um_act_scope(struct um_act *act, const char *scope);        /* it is about this one; without it about the installation */
void um_act_note(struct um_act *act, const char *key, json_t *value_adopt);       /* into the fact: "before", "after" */
/* It was done. DONE runs once, later: the fact is durable, or no core could keep it and the log has it whole. */
void um_act_done(struct um_act *act, void (*done)(void *arg), void *arg);
void um_act_drop(struct um_act *act);     /* nothing was done; NULL is fine */

/* Clears the cache NAME of all nodes (NULL: all), by way of a core. DONE runs once, later; UM_ENOTFOUND: there is none of that name. */
void um_act_clear_caches(struct um_auth *a, const char *name, void (*done)(void *arg, um_err err), void *arg);

#endif
