/* What an observer is told, while it is told. */
#ifndef UM_CRDT_CHANGES_H
#define UM_CRDT_CHANGES_H
#include "reader.h"
#include <umbel/crdt_events.h>

struct change {                       /* beside the public one, at the same place */
    uint32_t type;
    uint32_t first, n;                /* its notes, sorted by slot: NONE (the list) comes last */
    uint32_t seq;                     /* of its first note */
    uint32_t place;
};
/* A changed type or one above such a type. */
struct place {
    uint32_t type, up;                /* UP: the place of what holds it; NONE for a root */
    uint32_t root;                    /* place of its root */
    uint32_t seq;                     /* roots: of the first change below */
    uint32_t index;                   /* in its parent's list, once places_locate ran */
    bool in_list, holds;              /* stands in its parent's list; such a one stands in its list */
};
typedef VEC(struct place) place_vec;

struct tx_changes {
    struct um_crdt_changes shown;
    struct um_crdt *doc;
    struct mem mem;
    VEC(struct note) notes;           /* sorted by type and slot, once each */
    VEC(struct change) v;
    VEC(struct um_crdt_change) shown_v;
    VEC(struct um_crdt_subdoc_change) subdocs;
    VEC(uint32_t) subdoc_items;       /* at the same place */
    VEC(struct span32) deleted;       /* of the transaction, sorted by client and clock */
    place_vec places;
    struct table by_type;             /* of places */
    bool located;
};

/* changes.c */
bool was_deleted(const struct tx_changes *ch, const struct item *it);    /* in this transaction */
static inline bool was_added(const struct tx_changes *ch, const struct item *it)
{
    return it->clock >= client_before(ch->doc, it->client);
}

/* places.c: ancestors of what changed */
um_err places_add(struct tx_changes *ch, uint32_t type, uint32_t *out);
um_err path_emit(struct reader *r, struct tx_changes *ch, uint32_t place);
void places_free(struct tx_changes *ch);

/* changes_delta.c, changes_keys.c: R runs what it pushes before they return */
void delta_emit(struct reader *r, const struct tx_changes *ch, uint32_t type);
void keys_emit(struct reader *r, const struct tx_changes *ch, const struct change *c);

#endif
