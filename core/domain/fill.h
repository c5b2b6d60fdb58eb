/* Texts with places to fill: ${user.id}, ${dayDate}, ${tags.Amount}. */
#ifndef DOMAIN_FILL_H
#define DOMAIN_FILL_H
#include "call.h"

/* TEXT with what is known in place of ${...}: user.id, dayDate (the unit's day: 2024-03-07), and tags.X of TAGS (NULL: none;
 * a tag's first value; one that is not there is empty). Other names stay as they are. The caller frees it. */
char *fill_text(const struct um_call *c, const char *text, const json_t *tags);

/* The same without a call. Beside those it knows component.id, component.name and component.classid of COMPONENT. */
struct fill {
    const char *user;                        /* NULL: nobody, an empty text */
    int64_t now_ms;
    const json_t *tags, *component;          /* NULL: their names stay as they are */
    size_t max;                              /* bytes of the outcome */
};
/* The caller frees it; NULL: it would be longer than MAX. */
char *fill_out(const struct fill *f, const char *text);

#endif
