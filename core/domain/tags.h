/* The tags of a component: what its class lets them be. */
#ifndef DOMAIN_TAGS_H
#define DOMAIN_TAGS_H
#include "call.h"

enum {
    TAGS_VALUES_MAX = 1000,                  /* values of one component */
    TAGS_VALUE_MAX = 64 << 10,               /* bytes of a value */
    TAGS_MATCHES_MAX = 5000,                 /* values of one call that are held against patterns */
};

struct tags_ask {
    const char *path;                        /* of ASKED in the call's body: "/0/tags" */
    const json_t *references;                /* what a class has declared: tagReferences, or the reasons of an answer */
    const json_t *asked;                     /* NULL: none */
    const json_t *before;                    /* what the component has; NULL: it is new, and gets the defaults */
};
/* OUT: the tags as they are to be kept, each with name, value (a list of texts) and readOnly; the caller decrefs. Or what is
 * wrong, with its place: F00032 not declared, F00033 mandatory and empty, U00400 its values. */
UM_CHECK_RESULT um_err tags_make(struct um_call *c, const struct tags_ask *a, json_t **out);

/* What may be a tag class; a list of references to them. PATH: of the object, of the list. */
UM_CHECK_RESULT um_err tags_check_class(struct um_call *c, const json_t *tag_class, const char *path);
UM_CHECK_RESULT um_err tags_check_references(struct um_call *c, const json_t *references, const char *path);

const json_t *tags_find(const json_t *tags, const char *name);       /* the tag, or NULL */

#endif
