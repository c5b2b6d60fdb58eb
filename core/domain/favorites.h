/* Favourites of users (favorites.c). */
#ifndef DOMAIN_FAVORITES_H
#define DOMAIN_FAVORITES_H
#include "component.h"

/* M is about to go: it is nobody's favourite any more. */
UM_CHECK_RESULT um_err favorites_forget(struct um_call *c, const struct component *m);

#endif
