/* Making a document show what another one shows, with few edits; and who wrote what is there.
 *
 *     err = um_crdt_load(past, state_of_a_version, NULL);
 *     err = um_crdt_begin(doc, my_client_id, NULL);
 *     err = um_crdt_become(doc, past);
 *     um_crdt_commit(doc, &out);                             out.event: relay and store it, like any edit's
 *
 * Editors take the event as a change like any other: their cursors, undo stacks and unsent edits stay. */
#ifndef UMBEL_CRDT_COPY_H
#define UMBEL_CRDT_COPY_H
#include <umbel/crdt_types.h>

/* ---- becoming ------------------------------------------------------------------------------------------ */

/* Edits DOC until each root shows what it shows in TARGET. What both have stays as it is: equal elements of lists,
 * equal words of texts, entries with equal values. Between them, nested types of the same kind and node name are
 * edited instead of replaced; formats change in place where the text is the same. What replaces another kind of
 * content, and what DOC lacks, is made anew. Documents that show the same are left alone: no event. Order of map keys
 * and the cutting of texts into runs do not count as a difference.
 *
 * A root that TARGET lacks is emptied. Roots that nobody declared are taken for what their content says; UM_EINVAL
 * when a root is a text in the one and something else in the other, or when it was declared as two kinds.
 *
 * Stands in a local transaction (else UM_ECLOSED) and must be its first change (else UM_EBUSY); more edits may
 * follow. Other than single edits it may bring more than `update_bytes`. UM_ELIMIT beyond `type_depth`, for a text
 * with more than 1,000 attributes active at once, and beyond the limits of documents. After an error the whole
 * transaction has changed nothing. Time is linear in both documents, but for short differences between long lists
 * or texts, which cost up to 4 million comparisons more. */
UM_CHECK_RESULT um_err um_crdt_become(struct um_crdt *doc, const struct um_crdt *target);

/* ---- who wrote what ------------------------------------------------------------------------------------ */

/* A stretch of a type's visible list that one client wrote in one go. Everything is borrowed for the callback. */
struct um_crdt_run {
    uint64_t client;
    uint32_t clock, units;            /* unit k has clock + k */
    struct um_crdt_value value;       /* texts: STRING, JSON (an embed), TYPE; others: any single value */
    /* Texts: the active formats as a JSON object with sorted keys, `{"bold":true}`; data NULL: none. */
    struct um_span attrs;
};

/* Calls CB for each stretch in order; its error ends the walk and is returned. Strings of texts are runs, with U+FFFD
 * for half a surrogate pair; in other lists each element is told alone. CB must not change DOC. UM_ELIMIT as above. */
typedef um_err um_crdt_run_cb(void *arg, const struct um_crdt_run *run);
UM_CHECK_RESULT um_err um_crdt_runs(const struct um_crdt *doc, const struct um_crdt_type *type, um_crdt_run_cb *cb,
                                    void *arg);

/* The client that set KEY's present value, and with which clock. UM_ENOTFOUND: no such key. */
UM_CHECK_RESULT um_err um_crdt_map_writer(const struct um_crdt *doc, const struct um_crdt_type *type,
                                          struct um_span key, uint64_t *client, uint32_t *clock);

#endif
