/* Which item was made anew by which: links from a deleted item to the item that an undo put in its place. Most
 * documents have none. */
#ifndef UM_CRDT_REDONE_H
#define UM_CRDT_REDONE_H
#include "doc.h"

struct redone_entry {
    uint32_t item;                    /* NONE: free */
    uint32_t client, clock;           /* the first id of what replaces it */
};

bool redone_room(struct um_crdt *doc, uint64_t extra);    /* makes place for EXTRA more; false: no memory */
void redone_set(struct um_crdt *doc, uint32_t item, uint32_t client, uint32_t clock);      /* from the reserve */
const struct redone_entry *redone_get(const struct um_crdt *doc, uint32_t item);      /* NULL: not made anew */
void redone_split(struct um_crdt *doc, uint32_t left, uint32_t right, uint32_t k);    /* from the reserve */
void redone_forget(struct um_crdt *doc, uint32_t item);
void redone_destroy(struct um_crdt *doc);

/* Where unit CLOCK of CLIENT is now: *OFFSET units into the item that is returned. NONE: collected. */
uint32_t redone_follow(const struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t *offset);

static inline bool item_is_redone(const struct item *it) { return (it->flags & F_REDONE) != 0; }

#endif
