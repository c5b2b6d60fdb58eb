/* Conditions of rule-based ACLs and of conditional tags: ${tags.X}==v, ${tags.X}!=v, ${data.classid}==C,
 * ${user.authorities}.contains("G"); a leading ! negates. */
#ifndef DOMAIN_CONDITIONS_H
#define DOMAIN_CONDITIONS_H
#include "acl.h"

/* What cannot be understood does not hold. WHO: NULL is nobody. */
bool condition_holds(const char *text, const struct principals *who, const struct acl_about *about);
/* The name of the tag that it looks at; no data: it looks at something else. False: it cannot be understood. */
bool condition_read(const char *text, struct um_span *tag);

#endif
