/* Who a caller is to an ACL: himself, his groups, the teams of the scope that have him or one of those, and "*". */
#ifndef DOMAIN_PRINCIPALS_H
#define DOMAIN_PRINCIPALS_H
#include "call.h"

struct principals;                           /* a set of names */

UM_CHECK_RESULT um_err principals_of(struct um_call *c, const struct principals **out);    /* kept in the call */
/* Those of the caller, and those that NAME has in this scope: he himself, and the teams that name him. The caller frees *OUT. */
UM_CHECK_RESULT um_err principals_beside(struct um_call *c, const char *name, struct principals **out);
bool principals_have(const struct principals *p, const char *name);
void principals_free(struct principals *p);  /* NULL is fine */

#endif
