/* Undo managers: what undo.c (steps, watching) and undo_redo.c (making items anew) share. */
#ifndef UM_CRDT_UNDO_H
#define UM_CRDT_UNDO_H
#include <umbel/crdt_undo.h>
#include "doc.h"

/* Ids, grouped by client in order of appearance (which decides the order of what an undo makes); within a client
 * sorted and joined. */
struct id_group {
    uint32_t client, from, n;
};
struct id_set {
    VEC(struct span32) v;
    VEC(struct id_group) groups;
};
bool id_set_has(const struct id_set *s, uint32_t client, uint32_t clock);

struct step {
    struct id_set inserted, deleted;
    void *data;                       /* the caller's */
};
typedef VEC(struct step) step_vec;

enum undo_mode { UNDO_WATCHES, UNDO_UNDOES, UNDO_REDOES };

struct um_crdt_undo {
    struct um_crdt *doc;
    struct um_crdt_undo *next;        /* of the same document, in order of creation */
    struct um_crdt_undo_conf conf;
    VEC(struct um_crdt_type) scope;   /* none: the document */
    VEC(uint32_t) scope_types;        /* the same, as far as they are there: looked up for each transaction */
    VEC(const void *) origins;
    step_vec undo, redo;
    enum undo_mode mode;
    bool capturing;                   /* the newest step may grow: its last transaction was at */
    uint64_t last_ms;
    struct tx tx;                     /* of forgetting steps in another transaction's end */
    bool forgets;
    /* of the running undo: */
    VEC(uint32_t) to_delete, to_redo, redo_sorted, chain;    /* items */
};

/* undo.c: the running transaction, all changed but not yet collected; its end */
void undo_note(struct um_crdt *doc, const void *origin);
void undo_settle(struct um_crdt *doc);
void scope_find(struct um_crdt_undo *um);
bool item_in_scope(const struct um_crdt_undo *um, const struct item *it);
void item_keep(struct um_crdt *doc, uint32_t i, bool keep);       /* and what it lies in */

/* Visits the items of a range, cut at its borders; room for two cuts must be reserved. */
typedef void range_fn(struct um_crdt_undo *um, uint32_t item, const void *arg);
void range_visit(struct um_crdt_undo *um, const struct span32 *g, range_fn *fn, const void *arg);

/* undo_redo.c: takes back STEP, which is no longer on its stack, within an open local transaction. In two parts: the
 * first may fail, and changes nothing. */
um_err step_prepare(struct um_crdt_undo *um, const struct step *step);
bool step_take_back(struct um_crdt_undo *um, const struct step *step);    /* false: nothing was left to do */

#endif
