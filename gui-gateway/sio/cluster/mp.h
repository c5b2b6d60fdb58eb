/* MessagePack, as Socket.IO's Redis adapters write it (notepack 3 and @msgpack/msgpack 2.8), without building a tree.
 *
 * The transcoders go straight between what a client sends and reads (one JSON text and its attachments) and the bytes in Redis. A tree of
 * a library would be made of each message and thrown away; and notepack's extensions, undefined and integers that the rooms of an
 * application may be, are no library's. The unit test holds ours against the recorded bytes of both Node packages.
 *
 * Nothing is allocated for a length before its bytes are there. Pure: no clock, no globals; any thread. */
#ifndef SIO_MP_H
#define SIO_MP_H
#include <sio/data.h>

enum { MP_MAX_DEPTH = 64 };           /* arrays and maps in one another */

/* --- writing: the shortest form, as both packages do. Failure is sticky in OUT ---------------------------- */

void mp_put_nil(struct um_buf *out);
void mp_put_bool(struct um_buf *out, bool v);
void mp_put_int(struct um_buf *out, int64_t v);
/* A JavaScript number: whole ones below 2^53 as integers, any other as float64. */
void mp_put_number(struct um_buf *out, double v);
void mp_put_str(struct um_buf *out, struct um_span text);
void mp_put_bin(struct um_buf *out, struct um_span bytes);
void mp_put_array(struct um_buf *out, uint32_t n);
void mp_put_map(struct um_buf *out, uint32_t n);
/* Literals of a map: "type", 2. */
void mp_put_key(struct um_buf *out, const char *key);

/* --- reading ----------------------------------------------------------------------------------------------- */

enum mp_kind { MP_NIL, MP_UNDEFINED, MP_BOOL, MP_INT, MP_REAL, MP_STR, MP_BIN, MP_ARRAY, MP_MAP, MP_DATE };
struct mp_token {
    enum mp_kind kind;
    int64_t integer;                  /* INT (above INT64_MAX: REAL); BOOL; DATE: milliseconds, INT64_MIN when it is none */
    double real;
    struct um_span bytes;             /* STR, BIN: borrowed from the message */
    uint32_t n;                       /* ARRAY: items; MAP: pairs. Not more than bytes are left */
};
/* The next token; false, with R failed, at the end or for what neither package writes. */
bool mp_next(struct um_reader *r, struct mp_token *t);
/* One whole value, borrowed. False, with R failed, when it is not complete. */
bool mp_value(struct um_reader *r, struct um_span *raw);

/* --- to and from JSON ----------------------------------------------------------------------------------------- */

struct mp_bins {
    struct um_span items[UM_SIO_ATTACHMENTS_MAX];
    size_t n;
};
/* Appends one value as JSON to OUT. Binary becomes {"_placeholder":true,"num":k} and item k of BINS, in the order met, borrowed from the
 * message. BINS NULL: there may be none. Undefined members vanish, undefined items and not-a-number become null, dates texts,
 * as in JSON.stringify.
 *   UM_EPROTO  not MessagePack as above, or an object that would be taken for an attachment beside real ones
 *   UM_ELIMIT  deeper than MP_MAX_DEPTH, or more than UM_SIO_ATTACHMENTS_MAX */
um_err mp_to_json(struct um_reader *r, struct um_buf *out, struct mp_bins *bins) UM_CHECK_RESULT;

/* Appends the JSON value TEXT to OUT as MessagePack, objects with `"_placeholder":true` as the attachment that they name when there is any
 * (N_BINS > 0). Members named __proto__ are left out: @msgpack/msgpack refuses a whole message for one.
 *   UM_EPROTO  not JSON, or no such attachment          UM_ELIMIT  deeper than MP_MAX_DEPTH */
um_err mp_from_json(struct um_span text, const struct um_span *bins, size_t n_bins, struct um_buf *out) UM_CHECK_RESULT;

/* Both ends of the bounded fields of a message: the value of KEY in the map at R (which is not moved), false when there is none or
 * it is no map. With a key twice the last counts, as in JavaScript. */
bool mp_find(struct um_reader r, const char *key, struct um_reader *value);

#endif
