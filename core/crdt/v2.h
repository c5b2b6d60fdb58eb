/* Update format v2: columns on the wire, and nowhere else. What arrives becomes a v1 update, what leaves is made of
 * one, struct by struct with the same segmentation and order of sections.
 *
 *   update := uint feature flag, buf keyClock, client, leftClock, rightClock, info, string, parentInfo, typeRef, len,
 *             then to the end: all other fields in the order of v1, the delete set last
 *
 * docs/crdt.md says which field is in which column. */
#ifndef UM_CRDT_V2_H
#define UM_CRDT_V2_H
#include "mem.h"
#include "wire.h"

/* Between two steps in v2 (merging, differences) a v1 update may be in its inner form, which no one else gets to see:
 * a lone half of a surrogate pair is three bytes (as if UTF-8 had them), a value that JSON cannot hold is a zero byte
 * and then the `any`. So nothing is lost that yjs would keep. */

/* One or more translations to v1, and what they may grow to: columns claim any number of structs, keys repeat, JSON
 * is longer than any. */
struct v2_reading {
    uint32_t structs;                 /* each takes its part off */
    size_t bytes;                     /* of v1; the same */
    bool inner;                       /* the inner form is wanted */
    /* results of the last one: */
    bool is_inner;                    /* it made a difference */
    size_t used;                      /* bytes of the v2 update without what trails it */
};
/* For an update of LEN bytes that a peer sent. */
struct v2_reading v2_reading_of(size_t len, const struct um_crdt_limits *limits);

/* Translates UPDATE to v1, appended. What comes out still has to be checked as any v1 update, against the same
 * LIMITS (the outer form has to, when it `is_inner`). UM_EPROTO, UM_ELIMIT, UM_ENOMEM. */
UM_CHECK_RESULT um_err update_from_v2(struct mem *m, struct um_span update, const struct um_crdt_limits *limits,
                                      struct v2_reading *how, struct um_buf *out);

/* Translates a checked v1 UPDATE in either form, appended. BARE_KEYS: the key flag goes where the key itself is not on the wire, as
 * in all updates that yjs writes without a document. UM_ENOMEM; UM_ELIMIT for JSON nested deeper than 1,024. */
UM_CHECK_RESULT um_err update_to_v2(struct mem *m, struct um_span update, bool bare_keys, struct um_buf *out);

/* Delete sets. RD stands at one in v2 form and is moved behind it; OUT gets the v1 form, sections by client
 * descending. The other way ranges are sorted, joined where they overlap, and empty ones left out, for v2 cannot
 * say it otherwise. DS is a checked v1 delete set. */
UM_CHECK_RESULT um_err ds_from_v2(struct mem *m, struct rd *rd, const struct um_crdt_limits *limits, struct um_buf *out);
UM_CHECK_RESULT um_err ds_to_v2(struct mem *m, struct um_span ds, struct um_buf *out);

#endif
