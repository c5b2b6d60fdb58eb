/* Annotations of documents (annotations.c). */
#ifndef DOMAIN_ANNOTATIONS_H
#define DOMAIN_ANNOTATIONS_H
#include "component.h"

/* The document M is about to go. */
UM_CHECK_RESULT um_err annotations_forget(struct um_call *c, const struct component *m);

#endif
