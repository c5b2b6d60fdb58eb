/* Numbers as JavaScript prints them. */
#ifndef UM_CRDT_NUMBER_H
#define UM_CRDT_NUMBER_H
#include <stddef.h>

/* String(v): the shortest digits that read back as V, of these the nearest; terminated. Returns the length. */
size_t js_number(double v, char out[32]);

#endif
