/* Relative positions: places in a list or text that stay where they are while it changes, such as cursors.
 *
 * A position names the unit it stands before (assoc >= 0) or behind (assoc < 0), or the type alone, at whose end or
 * beginning it stands. Bytes and JSON are those of yjs; y-protocols' awareness carries the JSON.
 *
 *     um_crdt_position_make(doc, &text, 5, 0, &pos);                         between "Hello" and the rest
 *     um_crdt_position_encode(&pos, &bytes);                                to keep or to send
 *     ...
 *     um_crdt_position_resolve(doc, &pos, &type, &index);                   wherever that is now
 *
 * Decoding is for hostile input: UM_EPROTO for malformed bytes or texts, UM_ELIMIT for clocks beyond 2^32-1. */
#ifndef UMBEL_CRDT_POSITION_H
#define UMBEL_CRDT_POSITION_H
#include <umbel/crdt_types.h>

struct um_crdt_position {
    bool has_item, has_root, has_type;
    struct um_crdt_id item;           /* the unit */
    struct um_span root;              /* name; borrowed from the document or from what was decoded */
    struct um_crdt_id type;           /* of the item that holds a nested type */
    int64_t assoc;
};

/* The position at INDEX of TYPE's list; beyond the end it is the end. The root's name is borrowed from DOC.
 * UM_ENOTFOUND: no such type. */
UM_CHECK_RESULT um_err um_crdt_position_make(const struct um_crdt *doc, const struct um_crdt_type *type,
                                             uint32_t index, int64_t assoc, struct um_crdt_position *out);

/* Where POS is now. UM_ENOTFOUND: not here (not yet known, or collected). INDEX is 0 in a deleted type. What an undo
 * in this document made anew counts as what it replaced; other replicas cannot know that. */
UM_CHECK_RESULT um_err um_crdt_position_resolve(const struct um_crdt *doc, const struct um_crdt_position *pos,
                                                struct um_crdt_type *type, uint32_t *index);

/* Bytes carry the item, else the root, else the type: not all that JSON carries. UM_EINVAL: POS has none. */
UM_CHECK_RESULT um_err um_crdt_position_encode(const struct um_crdt_position *pos, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_position_decode(struct um_span bytes, struct um_crdt_position *out);

/* {"type":…,"tname":…,"item":…,"assoc":…}. A root whose name is empty is told too (yjs leaves it out). */
UM_CHECK_RESULT um_err um_crdt_position_to_json(const struct um_crdt_position *pos, struct um_buf *out);
/* NAME receives the root's name, which OUT borrows. Unknown members are ignored. */
UM_CHECK_RESULT um_err um_crdt_position_from_json(struct um_span json, struct um_buf *name,
                                                  struct um_crdt_position *out);

bool um_crdt_position_equal(const struct um_crdt_position *a, const struct um_crdt_position *b);

#endif
