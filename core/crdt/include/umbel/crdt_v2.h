/* Update format v2 of yjs 13.6: the columnar form that some stores and tools use. Documents think in v1; v2 is
 * translated on its way in and out, so everything of crdt.h holds here too.
 *
 *   um_crdt_load_v2(doc, stored, NULL);                   // Y.applyUpdateV2
 *   um_crdt_encode_v2(doc, UM_SPAN(NULL, 0), &out);       // Y.encodeStateAsUpdateV2
 *   um_crdt_v2_to_v1(NULL, update, &out);                 // Y.convertUpdateFormatV2ToV1
 *
 * Errors, results, CONF: as in crdt.h. State vectors are the same in both formats. Embeds and values of formatting
 * marks are any values in v2 and JSON in v1: what JSON cannot hold becomes what JSON.stringify makes of it (a big
 * integer, where that throws: a string of digits; undefined: null). Halves of surrogate pairs in strings become
 * U+FFFD each.
 *
 * Columns can claim millions of structs in a few bytes. An update of N bytes may hold UM_CRDT_V2_FREE_STRUCTS +
 * N / UM_CRDT_V2_BYTES_PER_STRUCT of them, and the limits `update_*` hold for what it is in v1; else UM_ELIMIT. */
#ifndef UMBEL_CRDT_V2_H
#define UMBEL_CRDT_V2_H
#include <umbel/crdt.h>

#define UM_CRDT_V2_FREE_STRUCTS     65536
#define UM_CRDT_V2_BYTES_PER_STRUCT 2

/* Struct by struct, sections in order as read; the deletions sorted by client, and for v2 by clock. */
UM_CHECK_RESULT um_err um_crdt_v1_to_v2(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_v2_to_v1(const struct um_crdt_conf *conf, struct um_span update, struct um_buf *out);

/* um_crdt_apply and um_crdt_load; events are v1 all the same, and never `verbatim`. Only the document's limits hold
 * for what is loaded: trust the store. */
UM_CHECK_RESULT um_err um_crdt_apply_v2(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out);
UM_CHECK_RESULT um_err um_crdt_load_v2(struct um_crdt *doc, struct um_span update, struct um_crdt_applied *out);

UM_CHECK_RESULT um_err um_crdt_encode_v2(const struct um_crdt *doc, struct um_span sv, struct um_buf *out);

/* ---- updates without a document: as their namesakes in crdt.h --------------------------------------------- */

UM_CHECK_RESULT um_err um_crdt_validate_v2(const struct um_crdt_conf *conf, struct um_span update,
                                           struct um_crdt_update_stats *stats);
/* One update comes out as it is, as in yjs. The budget of structs is that of all updates together. */
UM_CHECK_RESULT um_err um_crdt_merge_v2(const struct um_crdt_conf *conf, const struct um_span *updates, size_t n,
                                        struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_diff_v2(const struct um_crdt_conf *conf, struct um_span update, struct um_span sv,
                                       struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_sv_of_update_v2(const struct um_crdt_conf *conf, struct um_span update,
                                               struct um_buf *out);
UM_CHECK_RESULT um_err um_crdt_update_meta_v2(const struct um_crdt_conf *conf, struct um_span update,
                                              um_crdt_meta_cb *cb, void *arg);

#endif
