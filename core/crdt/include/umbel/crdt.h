/* Yjs documents: apply updates of any yjs 13.6 client, keep the state, encode it byte for byte as yjs would.
 *
 * Pure computation: no input or output, no clock, no globals. A document belongs to one owner (one thread at a
 * time); functions that take no document may run anywhere. Input is hostile by assumption: an update is checked
 * as a whole before the first change, and every function that fails leaves the document as it was.
 *
 * Errors, unless a function says more: UM_EPROTO malformed bytes, UM_ELIMIT a limit of `struct um_crdt_limits`,
 * UM_ENOMEM. A um_buf that receives a result is appended to; after an error its new bytes mean nothing.
 *
 * Wire format: update v1 of yjs 13.6 (docs/crdt.md). Lengths, clocks and positions count UTF-16 units. Clocks are
 * kept in 32 bits: an update beyond 2^32-1 is refused with UM_ELIMIT. */
#ifndef UMBEL_CRDT_H
#define UMBEL_CRDT_H
#include <umbel/base.h>
#include <umbel/bytes.h>

struct um_crdt;                       /* one document */

struct um_crdt_id {                   /* of one unit */
    uint64_t client;
    uint32_t clock;
};

/* ---- configuration ------------------------------------------------------------------------------------- */

/* Where documents get their memory (results in um_buf and um_bytes use the C library's). All NULL: the C library.
 * realloc(ctx, NULL, n) allocates, NULL means failure and leaves the old block; free(ctx, p) takes NULL. */
struct um_crdt_alloc {
    void *(*realloc)(void *ctx, void *p, size_t size);
    void (*free)(void *ctx, void *p);
    void *ctx;
};

#define UM_CRDT_LIMITS(X)                                                                    \
    X(update_bytes,        16u << 20, "bytes of one update")                                 \
    X(update_structs,      1000000,   "structs in one update")                               \
    X(update_clients,      100000,    "client sections in one update")                       \
    X(update_ranges,       1000000,   "delete ranges in one update")                         \
    X(scan_steps,          4000000,   "items passed to find the places of an update's structs") \
    X(value_depth,         1000,      "nesting of any and JSON values")                      \
    X(type_depth,          1000,      "nesting of shared types")                             \
    X(roots,               10000,     "root types of a document")                            \
    X(root_name_bytes,     1024,      "name of a root type")                                 \
    X(key_bytes,           65536,     "map key, attribute or format name")                   \
    X(pending_bytes,       4u << 20,  "bytes of what waits for missing updates")             \
    X(pending_structs,     10000,     "structs and delete ranges that wait")                 \
    X(pending_clients,     1000,      "clients of what waits")                               \
    X(structs,             5000000,   "structs of a document")                               \
    X(state_vector_entries, 1000000,  "entries of a state vector")

struct um_crdt_limits {
#define X(name, value, text) uint32_t name;
    UM_CRDT_LIMITS(X)
#undef X
};

struct um_crdt_conf {
    bool gc;                          /* collect deleted content (default true) */
    bool cleanup;                     /* remove redundant formatting marks as a Node server does (default true) */
    bool eager_pending;               /* what waits is tried again for each thing that it lacks (default false: for the
                                       * topmost only, as yjs does, which may leave it waiting longer than it must) */
    struct um_crdt_limits limits;
    struct um_crdt_alloc alloc;
};
void um_crdt_conf_init(struct um_crdt_conf *conf);     /* the defaults */

/* ---- a document's life --------------------------------------------------------------------------------- */

/* CONF is copied; NULL means the defaults. */
UM_CHECK_RESULT um_err um_crdt_new(const struct um_crdt_conf *conf, struct um_crdt **out);
void um_crdt_free(struct um_crdt *doc);                /* NULL is fine */

enum um_crdt_kind {                   /* the wire's numbers */
    UM_CRDT_ARRAY, UM_CRDT_MAP, UM_CRDT_TEXT, UM_CRDT_XML_ELEMENT, UM_CRDT_XML_FRAGMENT, UM_CRDT_XML_HOOK,
    UM_CRDT_XML_TEXT, UM_CRDT_UNTYPED /* a root that nobody declared */
};

/* Says what kind the root NAME is; creates it when missing. UM_ECONFLICT when it was declared as another kind.
 * Needed only for reading it and for the formatting clean-up of root texts; never changes what is encoded. */
UM_CHECK_RESULT um_err um_crdt_declare_root(struct um_crdt *doc, struct um_span name, enum um_crdt_kind kind);

/* Walks the roots in order of appearance: start with *pos = 0; false at the end. NAME is borrowed from DOC. */
bool um_crdt_roots(const struct um_crdt *doc, size_t *pos, struct um_span *name, enum um_crdt_kind *kind);

/* ---- applying ------------------------------------------------------------------------------------------ */

/* What one um_crdt_apply did. All spans are valid until the next call with this document (or until the
 * caller's own update goes away, when `verbatim`). */
struct um_crdt_applied {
    bool changed;                     /* structs or deletions were added; `event` tells which */
    bool pending;                     /* a part of the update (or all) waits for updates that are missing: keep
                                       * the incoming bytes in durable storage, but there is nothing to relay */
    bool verbatim;                    /* `event` is the caller's own memory: the incoming bytes up to their end
                                       * (trailing bytes left out) */
    struct um_span event;             /* v1 update to relay; empty when not `changed` */
    const struct um_span *more;       /* further updates that followed (formatting clean-up): relay and store */
    size_t n_more;
};

/* Applies a v1 update. UPDATE may be freed after the call unless `verbatim`. OUT may be NULL. A relayed event
 * never holds structs of length 0 or bytes behind the end. Parked parts that became applicable are applied in
 * the same step and are part of `event`. */
UM_CHECK_RESULT um_err um_crdt_apply(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out);

/* The same for bytes from the store: an update may be as large as the whole document, so the limits named update_*
 * do not hold; those of the document do. */
UM_CHECK_RESULT um_err um_crdt_load(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out);

/* Starts DOC, which must be empty (else UM_ECONFLICT), with STATE from the store, of which it keeps a reference. As
 * long as nothing is changed or read the document stays cold: it holds these bytes and no more, and serves state
 * vectors, states and differences from them; then it is integrated by itself. A state that leaves something waiting,
 * or with more than these bytes, is integrated at once. What a cold document encodes is STATE as it came. */
UM_CHECK_RESULT um_err um_crdt_open(struct um_crdt *doc, struct um_bytes *state);
bool um_crdt_is_cold(const struct um_crdt *doc);

/* Makes a quiet document cold again, to save memory: a quarter of it remains, roughly. UM_ECONFLICT when something
 * waits, a root was declared, or somebody listens. Names of roots and types taken before are void. */
UM_CHECK_RESULT um_err um_crdt_freeze(struct um_crdt *doc);

/* Would applying UPDATE change nothing (every struct and every deletion is known)? */
UM_CHECK_RESULT um_err um_crdt_contains(const struct um_crdt *doc, struct um_span update, bool *out);

/* ---- encoding ------------------------------------------------------------------------------------------ */

/* The state vector; what is pending is not covered by it. */
UM_CHECK_RESULT um_err um_crdt_state_vector(const struct um_crdt *doc, struct um_buf *out);

/* Everything that a peer with the state vector SV lacks (SV empty: the full state), with all deletions and
 * with what is pending: yjs' encodeStateAsUpdate. */
UM_CHECK_RESULT um_err um_crdt_encode(const struct um_crdt *doc, struct um_span sv, struct um_buf *out);

/* The full state as shared bytes, kept by the document until it changes: calling twice costs nothing.
 * The caller gets a reference of its own. */
UM_CHECK_RESULT um_err um_crdt_encode_shared(struct um_crdt *doc, struct um_bytes **out);

/* The full state as a shared blob plus the updates since it was made, oldest first: send BLOB and then each of
 * TAIL as updates. The blob is made anew when the tail would pass a quarter of it (and 64 KB), so a busy
 * document is not encoded for every reader. The arrays are borrowed until the next call with DOC; take
 * references to keep what they name. */
UM_CHECK_RESULT um_err um_crdt_state_parts(struct um_crdt *doc, struct um_bytes **blob, struct um_bytes ***tail,
                                           size_t *n_tail);

/* Passes on what a peer with SV lacks as several v1 updates of about MAX_BYTES each (a single struct may be
 * larger). No piece depends on a later one when that can be had; deletions come last. CB's error stops the
 * walk and is returned. PIECE is borrowed during the callback; DOC must not be changed in it. */
typedef um_err um_crdt_piece_cb(void *arg, struct um_span piece);
UM_CHECK_RESULT um_err um_crdt_encode_pieces(const struct um_crdt *doc, struct um_span sv, size_t max_bytes,
                                             um_crdt_piece_cb *cb, void *arg);

/* ---- updates without a document ------------------------------------------------------------------------ */
/* CONF (NULL: defaults) gives limits and memory; raise its update_* limits for what the store holds. */

struct um_crdt_update_stats {
    uint32_t sections, structs, skips, ranges;
    size_t bytes;                     /* of the update itself, without what trails it */
    bool empty_structs;               /* holds structs or ranges of length 0: do not relay as it is */
};

/* Checks UPDATE against all rules and limits. STATS may be NULL. */
UM_CHECK_RESULT um_err um_crdt_validate(const struct um_crdt_conf *conf, struct um_span update,
                                        struct um_crdt_update_stats *stats);

/* Merges N updates into one: yjs' mergeUpdates, but no input order loses data. */
UM_CHECK_RESULT um_err um_crdt_merge(const struct um_crdt_conf *conf, const struct um_span *updates, size_t n,
                                     struct um_buf *out);

/* What a peer with SV lacks of UPDATE. Deletions are copied whole. */
UM_CHECK_RESULT um_err um_crdt_diff(const struct um_crdt_conf *conf, struct um_span update, struct um_span sv,
                                    struct um_buf *out);

/* The state vector of a document that has exactly UPDATE. */
UM_CHECK_RESULT um_err um_crdt_sv_of_update(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out);

/* One call of CB per client of UPDATE: the first clock and the clock behind the last. */
typedef void um_crdt_meta_cb(void *arg, uint64_t client, uint32_t from, uint32_t to);
UM_CHECK_RESULT um_err um_crdt_update_meta(const struct um_crdt_conf *conf, struct um_span update, um_crdt_meta_cb *cb,
                                           void *arg);

/* State vectors: clock of CLIENT in SV (0 when absent); UM_EPROTO for malformed bytes. */
UM_CHECK_RESULT um_err um_crdt_sv_get(struct um_span sv, uint64_t client, uint64_t *clock);
UM_CHECK_RESULT um_err um_crdt_sv_validate(const struct um_crdt_conf *conf, struct um_span sv);

/* ---- reading ------------------------------------------------------------------------------------------- */

/* JSON cannot hold undefined, bytes, big integers, NaN, -0 and sub-documents. Plain form: undefined is null in
 * lists and left out of objects, bytes are base64 strings, big integers decimal strings, NaN and infinities
 * null, sub-documents {"guid":…}. Tagged form: objects with the key "$", as in tests/vectors/yjs/README.md. */
enum um_crdt_form { UM_CRDT_PLAIN, UM_CRDT_TAGGED };

/* All of them: UM_ENOTFOUND when there is no such root, UM_EINVAL when its kind has no such view. The output is
 * well-formed UTF-8. */
UM_CHECK_RESULT um_err um_crdt_read_json(const struct um_crdt *doc, struct um_span root, enum um_crdt_form form,
                                         struct um_buf *out);     /* toJSON() */
UM_CHECK_RESULT um_err um_crdt_read_text(const struct um_crdt *doc, struct um_span root, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_xml(const struct um_crdt *doc, struct um_span root, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_delta(const struct um_crdt *doc, struct um_span root, enum um_crdt_form form,
                                          struct um_buf *out);    /* toDelta() of texts */
/* Everything that can be seen of a root, as in the vectors' `content`; always tagged. For tests and tools. */
UM_CHECK_RESULT um_err um_crdt_read_dump(const struct um_crdt *doc, struct um_span root, struct um_buf *out);

/* ---- figures ------------------------------------------------------------------------------------------- */

struct um_crdt_stats {
    size_t structs;                   /* items and collected runs */
    size_t clients;
    size_t roots;
    size_t memory_bytes;              /* allocated by the document, caches included */
    size_t cache_bytes;               /* of these: encoded blob and tail */
    size_t encoded_bytes;             /* estimate of the full state's size, never encodes */
    size_t pending_structs, pending_ranges, pending_clients, pending_bytes;
};
void um_crdt_get_stats(const struct um_crdt *doc, struct um_crdt_stats *out);

#endif
