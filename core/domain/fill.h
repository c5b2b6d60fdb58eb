/* Texts with places to fill: ${user.id}, ${dayDate}, ${tags.Amount}. */
#ifndef DOMAIN_FILL_H
#define DOMAIN_FILL_H
#include "call.h"

/* TEXT with what is known in place of ${...}: user.id, dayDate (the unit's day: 2024-03-07), and tags.X of TAGS (NULL: none;
 * a tag's first value; one that is not there is empty). Other names stay as they are. The caller frees it. */
char *fill_text(const struct um_call *c, const char *text, const json_t *tags);

#endif
