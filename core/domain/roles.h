/* Roles that may not be given by who does not have them: what a user or group has, through groups and teams, as bits. */
#ifndef DOMAIN_ROLES_H
#define DOMAIN_ROLES_H
#include "call.h"

#define ROLE_ADMINS "ADMIN|SECURITY_ADMIN"   /* who changes users and groups */

/* The roles of NAME, a user or group, with these teams of his own (may be NULL). */
unsigned roles_of(const struct um_model *m, const char *name, const json_t *profiles);
/* U00403 when ROLES has one that the caller has not. */
UM_CHECK_RESULT um_err roles_need(struct um_call *c, unsigned roles);

/* What a user and a group have in common. An id that nobody else of the scope has: users, groups, teams and roles are one
 * space of names to ACLs. And PROFILES without SYSTEM_ADMIN, which is the platform's. */
UM_CHECK_RESULT um_err people_check_new(struct um_call *c, const char *id);
UM_CHECK_RESULT um_err people_check_profiles(struct um_call *c, const json_t *asked, const char *path);

/* A fact for the audit: ACTION on a USER or GROUP of the caller's scope, with what differs. BEFORE, AFTER: may be NULL. */
UM_CHECK_RESULT um_err people_audit(struct um_call *c, const char *action, const char *type, const char *id, const json_t *before,
                                    const json_t *after);

/* Searches by name. ID, and members of BODY, as words for the one side; ASKED for the other: "an ma" -> ["an", "ma"]. */
char *people_words(const char *id, const json_t *body);              /* " ann martin "; the caller frees it */
json_t *people_words_asked(const char *asked);                       /* the caller decrefs */
bool people_words_fit(const char *words, const json_t *asked);

#endif
