/* Snapshots of a document, reading and restoring it at one, and delete sets as values.
 *
 * A snapshot says what a document was: its delete set and its state vector, a few bytes that are kept beside the
 * document. With garbage collection off the document can be read, and written out, as it was then:
 *
 *     um_crdt_snapshot(doc, 1, &then);
 *     ...                                                   the document changes
 *     um_crdt_read_json_at(doc, &type, UM_SPAN(then.data, then.len), UM_CRDT_PLAIN, &json);
 *     um_crdt_from_snapshot(doc, UM_SPAN(then.data, then.len), NULL, &old);
 *
 * Snapshots and delete sets are hostile input like updates: they are checked before use, within the limits
 * update_bytes, update_ranges and state_vector_entries. Functions take the v1 form unless they say otherwise; bytes
 * behind the end are ignored, as in yjs. Threads, errors and results: as in umbel/crdt.h. */
#ifndef UMBEL_CRDT_SNAPSHOT_H
#define UMBEL_CRDT_SNAPSHOT_H
#include <umbel/crdt.h>
#include <umbel/crdt_position.h>

/* ---- snapshots ----------------------------------------------------------------------------------------- */

/* The present state, as yjs' encodeSnapshot (VERSION 1) or encodeSnapshotV2 (2). What is pending is not in it. */
UM_CHECK_RESULT um_err um_crdt_snapshot(const struct um_crdt *doc, int version, struct um_buf *out);

/* From one form to the other, sorted and joined as yjs writes it. */
UM_CHECK_RESULT um_err um_crdt_snapshot_to_v2(const struct um_crdt_conf *conf, struct um_span snapshot,
                                              struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_snapshot_from_v2(const struct um_crdt_conf *conf, struct um_span snapshot,
                                                struct um_buf *out);

UM_CHECK_RESULT um_err um_crdt_snapshot_validate(const struct um_crdt_conf *conf, struct um_span snapshot);

/* Do A and B show the same? Order, overlapping ranges and clocks of 0 do not matter. */
UM_CHECK_RESULT um_err um_crdt_snapshot_equal(const struct um_crdt_conf *conf, struct um_span a, struct um_span b,
                                              bool *out);

/* Was all of UPDATE known at SNAPSHOT? Skips count as structs, as in yjs. */
UM_CHECK_RESULT um_err um_crdt_snapshot_contains_update(const struct um_crdt_conf *conf, struct um_span snapshot,
                                                        struct um_span update, bool *out);

/* The v1 update that makes an empty document what DOC was at SNAPSHOT: yjs' createDocFromSnapshot.
 * UM_ECONFLICT when DOC collects garbage, UM_EINVAL when SNAPSHOT knows more than DOC. */
UM_CHECK_RESULT um_err um_crdt_snapshot_update(const struct um_crdt *doc, struct um_span snapshot,
                                               struct um_buf *out);

/* A new document with that state; CONF as in um_crdt_new. It has no declared roots. */
UM_CHECK_RESULT um_err um_crdt_from_snapshot(const struct um_crdt *doc, struct um_span snapshot,
                                             const struct um_crdt_conf *conf, struct um_crdt **out);

/* ---- reading at a snapshot ----------------------------------------------------------------------------- */
/* All of them leave DOC as it is and show nested types as they were then, too. A document that collects garbage
 * shows what it still has. UM_ENOTFOUND: there is no such type (now); UM_EINVAL: it has no such view. */

UM_CHECK_RESULT um_err um_crdt_read_json_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                            struct um_span snapshot, enum um_crdt_form form, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_text_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                            struct um_span snapshot, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_xml_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                           struct um_span snapshot, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_dump_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                            struct um_span snapshot, struct um_buf *out);

/* The elements of any type's list as a JSON array (typeListToArraySnapshot), its entries or attributes as an
 * object (typeMapGetAllSnapshot, getAttributes), and one of them (typeMapGetSnapshot; UM_ENOTFOUND: not there). */
UM_CHECK_RESULT um_err um_crdt_read_list_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                            struct um_span snapshot, enum um_crdt_form form, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_entries_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                               struct um_span snapshot, enum um_crdt_form form, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_read_entry_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                             struct um_span key,
                                             struct um_span snapshot, enum um_crdt_form form, struct um_buf *out);

/* The delta of a text at SNAPSHOT, with what changed since BEFORE: operations as yjs' toDelta(snapshot, before).
 * Both may be NULL: SNAPSHOT for the present, BEFORE for no comparison. With BEFORE, text that is in one of the two
 * only has the attribute `ychange`: {"type":"added"} or {"type":"removed"}; every such item is an operation of its
 * own. WITH_CLIENT adds "user", the number of the client that wrote the text, and neighbours of the same client
 * become one operation. */
UM_CHECK_RESULT um_err um_crdt_read_delta_at(const struct um_crdt *doc, const struct um_crdt_type *type,
                                             const struct um_span *snapshot, const struct um_span *before,
                                             bool with_client, enum um_crdt_form form, struct um_buf *out);

/* ---- delete sets --------------------------------------------------------------------------------------- */
/* Ranges of deleted clocks per client, v1 form: what an update ends with, what a snapshot begins with, and what
 * applications keep to say who deleted what (PermanentUserData: users > NAME > ds). */

UM_CHECK_RESULT um_err um_crdt_ds(const struct um_crdt *doc, struct um_buf *out);     /* the document's */
/* The part of UPDATE that is its delete set; borrowed from UPDATE. */
UM_CHECK_RESULT um_err um_crdt_ds_of_update(const struct um_crdt_conf *conf, struct um_span update,
                                            struct um_span *out);
/* The union of N sets, in the order and form in which yjs writes it. N = 1 puts a set in order, N = 0 gives none. */
UM_CHECK_RESULT um_err um_crdt_ds_merge(const struct um_crdt_conf *conf, const struct um_span *sets, size_t n,
                                        struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_ds_equal(const struct um_crdt_conf *conf, struct um_span a, struct um_span b,
                                        bool *out);
/* Is clock CLOCK of CLIENT in SET? */
UM_CHECK_RESULT um_err um_crdt_ds_has(const struct um_crdt_conf *conf, struct um_span set, uint64_t client,
                                      uint32_t clock, bool *out);
/* Is all of B in A? */
UM_CHECK_RESULT um_err um_crdt_ds_includes(const struct um_crdt_conf *conf, struct um_span a, struct um_span b,
                                           bool *out);
/* One call of CB per range, sorted: clients descending, clocks ascending. */
typedef void um_crdt_ds_cb(void *arg, uint64_t client, uint32_t clock, uint32_t len);
UM_CHECK_RESULT um_err um_crdt_ds_each(const struct um_crdt_conf *conf, struct um_span set, um_crdt_ds_cb *cb,
                                       void *arg);

#endif
