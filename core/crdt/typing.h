/* The short ways of the commonest edits: a string that goes on where its client's newest run ends, and units taken
 * from an end of a run beside which others of that run were taken before. Both leave at once what the general way (new item or
 * cut, collection, joining) would leave at the transaction's end, so nothing remains to be tidied. */
#ifndef UM_CRDT_TYPING_H
#define UM_CRDT_TYPING_H
#include "doc.h"

/* The newest struct of C when a string that C writes directly behind it would be joined to it and to nothing more:
 * it is a visible string of a list, what stands right of it is its right origin, and it would not itself be joined
 * to what is left of it. NONE otherwise. C has structs. */
uint32_t run_open(struct um_crdt *doc, struct client *c);
/* Puts TEXT behind the run I = run_open(C). False, and no change: there is no room, take the long way. */
bool run_grow(struct um_crdt *doc, struct client *c, uint32_t i, struct um_span text, uint32_t units);

/* In a local transaction of C that has changed nothing yet, in a list of type TYPE. False, and no change: take the
 * long way. What they change is not noted for observers and undo managers, so there must be none. */
bool type_on(struct um_crdt *doc, struct client *c, uint32_t type, uint32_t index, struct um_span text, uint32_t units);
bool take_back(struct um_crdt *doc, uint32_t type, uint32_t index, uint32_t n);

/* The event of a transaction that did nothing but one of these. */
um_err typed_event(struct um_crdt *doc, struct client *c, size_t bytes, struct um_buf *out);    /* BYTES typed */
um_err taken_event(struct um_crdt *doc, struct um_buf *out);

#endif
