/* Values between JSON texts and lib0's `any`, as a JavaScript program carries them over. Any thread.
 *
 *   {"b":1,"a":0.5}   <->   76 02 01 62 7d 01 01 61 7c 3f 00 00 00      (hexadecimal)
 *
 * Objects come out with their keys in JavaScript's order (array indices ascending, then first come first), the last
 * of equal keys giving the value. Results are appended; after an error the new bytes mean nothing. */
#ifndef UM_CRDT_VALUE_H
#define UM_CRDT_VALUE_H
#include "lib0.h"
#include "mem.h"

/* JSON.parse, then lib0's writeAny. JSON is UTF-8; escapes of half a surrogate pair become U+FFFD. UM_EPROTO when it
 * is not JSON, UM_ELIMIT for nesting beyond MAX_DEPTH (or 1,024), UM_ENOMEM. */
UM_CHECK_RESULT um_err json_to_any(struct um_span json, uint32_t max_depth, struct um_buf *out);

/* JSON.stringify of one valid value: undefined is left out of objects and null elsewhere, NaN and infinities are
 * null, -0 is 0, bytes are {"0":1,"1":2,…}. A big integer, where JSON.stringify throws, is a string of decimal
 * digits; an object's key `__proto__`, which JavaScript takes for something else, is left out. *LOSSY: JSON.parse
 * would not give the same value back. UM_ELIMIT for nesting beyond 1,024, UM_ENOMEM. */
UM_CHECK_RESULT um_err any_to_json(struct um_span any, struct um_buf *out, bool *lossy);

/* The same for many values in turn: ROOM, zeros at first, keeps what working on containers takes. It holds about 24
 * bytes per value of the largest container, from the C library. */
struct value_room {
    struct mem mem;
    VEC(struct value_node) nodes;
    VEC(struct value_entry) entries;
    struct um_buf keys;               /* those with escapes */
    uint64_t hash_key[2];             /* drawn when the first table is made */
};
UM_CHECK_RESULT um_err json_to_any_in(struct value_room *room, struct um_span json, uint32_t max_depth,
                                      struct um_buf *out);
UM_CHECK_RESULT um_err any_to_json_in(struct value_room *room, struct um_span any, struct um_buf *out, bool *lossy);
void value_room_free(struct value_room *room);

/* One number, string, as lib0 writes it: integer, float32 or float64. */
void any_put_number(struct um_buf *out, double v);
void any_put_string(struct um_buf *out, struct um_span s);        /* valid UTF-8 */

/* JSON.stringify of valid UTF-8: a string in quotes; what stands between them. */
void json_put_string(struct um_buf *out, struct um_span s);
void json_escape(struct um_buf *out, struct um_span s);
/* The text of a JSON string, well-formed and in its quotes. Half a surrogate pair becomes U+FFFD. */
void json_unescape(struct um_buf *out, struct um_span quoted);

#endif
