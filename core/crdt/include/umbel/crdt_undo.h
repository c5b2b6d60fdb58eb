/* Undo and redo of local edits: yjs' UndoManager.
 *
 *     struct um_crdt_undo_conf cf;
 *     um_crdt_undo_conf_init(&cf);
 *     cf.now_ms = my_clock;                                  steps that follow within 500 ms become one
 *     um_crdt_undo_new(doc, &cf, &undo);
 *     um_crdt_undo_scope(undo, &text);                       without: the whole document
 *     ... edits between um_crdt_begin(doc, me, NULL) and um_crdt_commit ...
 *     um_crdt_undo(undo, me, &done, &out);                   out.event: relay and store it, like any edit's
 *
 * A manager watches the transactions of its document whose origin it tracks and that change a type of its scope, and
 * keeps each as a step: what was inserted, what was deleted. Undoing deletes the one and makes the other anew; others'
 * work stays. What a step deleted is kept from garbage collection until the step is cleared. Transactions that change
 * nothing are no steps (in yjs they are, where the scope is the document).
 *
 * Steps live in memory only. A manager belongs to its document's thread and is freed before the document, which
 * cannot be frozen meanwhile. Errors: as in umbel/crdt.h. */
#ifndef UMBEL_CRDT_UNDO_H
#define UMBEL_CRDT_UNDO_H
#include <umbel/crdt_types.h>

struct um_crdt_undo;

/* An item that undoing is about to delete. */
struct um_crdt_undo_item {
    uint64_t client;
    uint32_t clock, len;
    bool is_type;                     /* it holds the type (client, clock) */
    struct um_crdt_type parent;
    struct um_span key;               /* data NULL: in the parent's list */
};

enum um_crdt_undo_event {
    UM_CRDT_STEP_ADDED,               /* a new step; DATA is NULL and may be set */
    UM_CRDT_STEP_GREW,                /* another transaction joined the newest step */
    UM_CRDT_STEP_UNDONE,              /* it was undone (or, from the redo stack, redone) and goes away */
    UM_CRDT_STEP_DROPPED              /* it goes away without */
};

struct um_crdt_undo_conf {
    uint32_t capture_ms;              /* a transaction this soon after the last one joins its step (500) */
    uint32_t max_steps;               /* per stack; the oldest give way (1,000) */
    bool ignore_remote_map_changes;   /* undo sets a key back even where others have set it since (false) */
    /* The time, from any fixed moment; NULL: it stands still, and only um_crdt_undo_stop_capturing ends a step. */
    uint64_t (*now_ms)(void *arg);
    /* May ITEM be deleted? NULL: yes. */
    bool (*may_delete)(void *arg, const struct um_crdt_undo_item *item);
    /* Tells what becomes of steps. *DATA is the caller's, one per step, for cursors and the like. Must not change
     * the document. */
    void (*on_step)(void *arg, enum um_crdt_undo_event event, bool of_redo_stack, void **data);
    void *arg;
};
void um_crdt_undo_conf_init(struct um_crdt_undo_conf *conf);

/* CONF NULL: the defaults. Tracks the origin NULL and its own undoing. */
UM_CHECK_RESULT um_err um_crdt_undo_new(struct um_crdt *doc, const struct um_crdt_undo_conf *conf,
                                        struct um_crdt_undo **out);
void um_crdt_undo_free(struct um_crdt_undo *undo);     /* NULL is fine. What it kept stays, as in yjs */

/* Narrows the scope to the types that were given. UM_ENOTFOUND: no such type. */
UM_CHECK_RESULT um_err um_crdt_undo_scope(struct um_crdt_undo *undo, const struct um_crdt_type *type);

/* Transactions begun with ORIGIN (a pointer that is compared, never followed) are steps, or no longer. Updates that
 * are applied are steps only with an origin that was set (um_crdt_set_origin) and is tracked. */
UM_CHECK_RESULT um_err um_crdt_undo_track(struct um_crdt_undo *undo, const void *origin);
void um_crdt_undo_untrack(struct um_crdt_undo *undo, const void *origin);

void um_crdt_undo_stop_capturing(struct um_crdt_undo *undo);       /* the next transaction is a step of its own */

/* Takes back the newest step, as CLIENT. DONE: something changed or was there already; steps of which nothing is left
 * to do are passed over. OUT as in um_crdt_apply; may be NULL. UM_EBUSY within a transaction. After an error the
 * newest step is still there. */
UM_CHECK_RESULT um_err um_crdt_undo(struct um_crdt_undo *undo, uint64_t client, bool *done,
                                    struct um_crdt_applied *out);
UM_CHECK_RESULT um_err um_crdt_redo(struct um_crdt_undo *undo, uint64_t client, bool *done,
                                    struct um_crdt_applied *out);

uint32_t um_crdt_undo_steps(const struct um_crdt_undo *undo);      /* 0: nothing to undo */
uint32_t um_crdt_redo_steps(const struct um_crdt_undo *undo);

/* Forgets steps; what they deleted may be collected from now on. UM_EBUSY within a transaction. */
UM_CHECK_RESULT um_err um_crdt_undo_clear(struct um_crdt_undo *undo, bool undo_stack, bool redo_stack);

#endif
