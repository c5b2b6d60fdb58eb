/* Cold documents (cold.c). Every public function that looks into a document's insides calls thaw first; the rest is
 * served by the functions here. */
#ifndef UM_CRDT_COLD_H
#define UM_CRDT_COLD_H
#include "doc.h"

um_err cold_integrate(struct um_crdt *doc);

/* The document with its insides: integrates a cold one. An error leaves it cold. Reading thaws too: that is not a
 * change that can be seen. */
static inline um_err thaw(const struct um_crdt *doc)
{
    return doc->cold.state == NULL ? UM_OK : cold_integrate((struct um_crdt *)doc);
}

/* Does a checked update bring nothing new, as the answer of a client that has the same state? False: perhaps. */
bool cold_knows(const struct um_crdt *doc, struct um_span update, const struct scan *scan);
void cold_drop(struct um_crdt *doc);
um_err cold_state_vector(const struct um_crdt *doc, struct um_buf *out);
um_err cold_encode(const struct um_crdt *doc, struct mem *m, const sv_vec *sv, struct um_buf *out);
struct um_bytes *cold_shared(const struct um_crdt *doc);      /* a reference for the caller */

#endif
