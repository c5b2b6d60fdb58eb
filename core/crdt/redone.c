/* The links of redone.h: a table under open addressing, by item. An item that is split shares its link; one that is
 * freed takes it along. */
#include "redone.h"

static uint32_t home(const struct um_crdt *doc, uint32_t item)
{
    return (uint32_t)((item * (uint64_t)0x9e3779b97f4a7c15u) >> 32) & (doc->redone.cap - 1);
}

static uint32_t place_of(const struct um_crdt *doc, uint32_t item)
{
    uint32_t at = home(doc, item);

    while (doc->redone.v[at].item != NONE && doc->redone.v[at].item != item)
        at = (at + 1) & (doc->redone.cap - 1);
    return at;
}

bool redone_room(struct um_crdt *doc, uint64_t extra)
{
    struct redone old = doc->redone;
    uint64_t cap = UM_MAX(old.cap, 16u);

    while (cap < 2 * (old.n + extra))
        cap *= 2;
    if (cap == old.cap)
        return true;
    if (cap > UINT32_MAX / 2 ||
        (doc->redone.v = mem_resize(&doc->mem, NULL, 0, cap * sizeof(*old.v))) == NULL) {
        doc->redone = old;
        return false;
    }
    doc->redone.cap = (uint32_t)cap;
    for (uint32_t i = 0; i < cap; i++)
        doc->redone.v[i].item = NONE;
    for (uint32_t i = 0; i < old.cap; i++)
        if (old.v[i].item != NONE)
            doc->redone.v[place_of(doc, old.v[i].item)] = old.v[i];
    mem_free(&doc->mem, old.v, old.cap * sizeof(*old.v));
    return true;
}

void redone_set(struct um_crdt *doc, uint32_t item, uint32_t client, uint32_t clock)
{
    uint32_t at = place_of(doc, item);

    doc->redone.n += doc->redone.v[at].item == NONE;
    UM_ASSERT(doc->redone.n < doc->redone.cap);
    doc->redone.v[at] = (struct redone_entry){ item, client, clock };
    item_at(doc, item)->flags |= F_REDONE;
}

const struct redone_entry *redone_get(const struct um_crdt *doc, uint32_t item)
{
    return item_is_redone(item_at(doc, item)) ? &doc->redone.v[place_of(doc, item)] : NULL;
}

void redone_split(struct um_crdt *doc, uint32_t left, uint32_t right, uint32_t k)
{
    const struct redone_entry *e = redone_get(doc, left);

    redone_set(doc, right, e->client, e->clock + k);
}

/* Entries behind the gap move up, unless that would put them before their home. */
void redone_forget(struct um_crdt *doc, uint32_t item)
{
    uint32_t mask = doc->redone.cap - 1, gap = place_of(doc, item);

    item_at(doc, item)->flags &= ~F_REDONE & 0x3fu;
    doc->redone.n--;
    for (uint32_t at = (gap + 1) & mask; doc->redone.v[at].item != NONE; at = (at + 1) & mask) {
        uint32_t h = home(doc, doc->redone.v[at].item);

        if (((at - h) & mask) >= ((at - gap) & mask)) {
            doc->redone.v[gap] = doc->redone.v[at];
            gap = at;
        }
    }
    doc->redone.v[gap].item = NONE;
}

void redone_destroy(struct um_crdt *doc)
{
    mem_free(&doc->mem, doc->redone.v, doc->redone.cap * sizeof(*doc->redone.v));
    memset(&doc->redone, 0, sizeof(doc->redone));
}

uint32_t redone_follow(const struct um_crdt *doc, uint32_t client, uint32_t clock, uint32_t *offset)
{
    for (;;) {
        uint32_t i = item_holding(doc, client, clock);
        const struct redone_entry *e;

        if (i == NONE)
            return NONE;
        *offset = clock - item_at(doc, i)->clock;
        if ((e = redone_get(doc, i)) == NULL)
            return i;
        client = e->client;
        clock = e->clock + *offset;
    }
}
