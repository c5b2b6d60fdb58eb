/* Equality of JSON texts as JavaScript sees their values. Without memory two values are different. */
#ifndef UM_CRDT_JSON_SAME_H
#define UM_CRDT_JSON_SAME_H
#include "doc.h"

static inline bool json_is_nested(struct um_span json) { return json.len > 0 && (json.data[0] == '{' || json.data[0] == '['); }

/* Scalars by value; an object or array is the same as itself only, so never. */
bool json_scalar_same(const struct um_crdt *doc, struct um_span a, struct um_span b);
/* Objects and arrays: one level is compared, as yjs' equalAttrs does. */
bool json_flat_same(const struct um_crdt *doc, struct um_span a, struct um_span b);
/* equalAttrs for the values of two marks: the very same one, or one of the above. Data NULL: no value. */
bool json_value_same(const struct um_crdt *doc, struct um_span a, struct um_span b);

#endif
