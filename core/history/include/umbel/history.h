/* What changed between two states of a Yjs document, as JSON for people: blocks and words, keys, who wrote it.
 * docs/history.md describes the result.
 *
 *     err = um_history_compare(old_state, new_state, user_of, table, &diff);
 *     text = json_dumps(diff, JSON_COMPACT);
 *
 * Pure computation, any thread; it may take seconds for large documents: not on a loop. */
#ifndef UMBEL_HISTORY_H
#define UMBEL_HISTORY_H
#include <jansson.h>
#include <umbel/base.h>

#define HISTORY_STATE_BYTES   (64u << 20)   /* of each state */
#define HISTORY_BLOCKS_SHOWN  2000u         /* entries of `blocks` in all */
#define HISTORY_VALUES_SHOWN  2000u         /* entries of `values` and `attributes` in all */
#define HISTORY_TEXT_BYTES    (4u << 20)    /* of text in `parts` in all */
#define HISTORY_VALUE_BYTES   (16u << 10)   /* JSON of one value */
#define HISTORY_JSON_BYTES    (4u << 20)    /* JSON of all values */
#define HISTORY_WORD_EDITS    1000u         /* words that differ in one block */
#define HISTORY_BLOCK_EDITS   1000u         /* blocks or elements that differ at one place */
#define HISTORY_STEPS         50000000u     /* comparisons in all */
#define HISTORY_DEPTH         100u          /* maps and arrays within one another */
#define HISTORY_USERS         1000u         /* entries of `users` */
#define HISTORY_CLIENTS       100u          /* clients named per user */

/* The user behind a Yjs client; NULL: unknown. Borrowed until the next call. */
typedef const char *um_history_user_fn(void *arg, uint64_t client);

/* Compares two states (v1 updates that stand by themselves; empty: an empty document). USER may be NULL. *OUT is the
 * caller's. UM_EPROTO: a state is malformed; UM_ELIMIT: too large, or beyond the limits of umbel/crdt.h; UM_ENOMEM. */
UM_CHECK_RESULT um_err um_history_compare(struct um_span old_state, struct um_span new_state,
                                          um_history_user_fn *user, void *arg, json_t **out);

#endif
