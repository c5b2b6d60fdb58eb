/* Who somebody is to an ACL: himself; his groups, and the groups that they are in; his teams: those of his account and of his
 * groups, and the teams of the scope that name one of all these; and "*".
 *
 * Circles of groups or teams are harmless: every name is looked at once. */
#ifndef DOMAIN_PRINCIPALS_H
#define DOMAIN_PRINCIPALS_H
#include "call.h"

enum principal_kind { PRINCIPAL_SELF, PRINCIPAL_GROUP, PRINCIPAL_TEAM };

struct principals;                           /* a set of names */

UM_CHECK_RESULT um_err principals_of(struct um_call *c, const struct principals **out);    /* the caller; kept in the call */
/* Those of the caller, and those that NAME has in this scope. The caller frees *OUT. */
UM_CHECK_RESULT um_err principals_beside(struct um_call *c, const char *name, struct principals **out);
/* Somebody else, a user or group of the scope of M with the teams PROFILES (may be NULL). The caller frees it. */
struct principals *principals_new(const struct um_model *m, const char *name, const json_t *profiles);
bool principals_have(const struct principals *p, const char *name);
/* A role is a team of its name; SYSTEM_ADMIN is none that a scope can give. */
bool principals_have_role(const struct principals *p, const char *role);
/* All names of this kind, sorted; the caller decrefs. */
json_t *principals_list(const struct principals *p, enum principal_kind kind);
void principals_free(struct principals *p);  /* NULL is fine */

#endif
