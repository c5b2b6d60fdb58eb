/* Taking back what integrating an update did, when placing its structs took too many steps.
 *
 * Integration only adds items, cuts others and deletes: in this order everything is undone, without memory. What
 * stays is invisible: a type may remember that it had marks. */
#include "posindex.h"

/* ---- new items ----------------------------------------------------------------------------------------- */

static void item_unlink(struct um_crdt *doc, const struct item *it)
{
    struct slot *slot = item_is_keyed(it) ? &doc->slots.v[it->parent] : NULL;
    struct type *t = &doc->types.v[slot != NULL ? slot->type : it->parent];

    if (it->left != NONE)
        item_at(doc, it->left)->right = it->right;
    else if (slot != NULL)
        slot->head = it->right;
    else
        t->start = it->right;
    if (it->right != NONE)
        item_at(doc, it->right)->left = it->left;
    else if (slot != NULL)
        slot->tail = it->left;
    if (slot == NULL)
        t->length -= item_width(it);
}

static void items_each(struct um_crdt *doc, struct client *c, uint32_t from, uint32_t to,
                       void (*visit)(struct um_crdt *, uint32_t))
{
    struct cursor at;

    if (from >= to)
        return;
    at = index_find(c, from);
    do {
        if (cursor_entry(at)->clock >= to)
            return;
        if (cursor_entry(at)->ref != REF_GC)
            visit(doc, cursor_entry(at)->ref);
    } while (cursor_next(&at));
}

static void visit_unlink(struct um_crdt *doc, uint32_t i)
{
    const struct item *it = item_at(doc, i);

    if (item_is_indexed(doc, it))
        posindex_drop(doc, it->parent);
    item_unlink(doc, it);
}

static void visit_free(struct um_crdt *doc, uint32_t i)
{
    const struct item *it = item_at(doc, i);

    if (it->kind == KIND_TYPE)
        type_free(doc, it->content);
    item_free(doc, i);
}

/* Types go only when all that was in them is out. */
static void new_items_remove(struct um_crdt *doc)
{
    for (uint32_t i = 0; i < doc->tx->touched.n; i++) {
        struct client *c = &doc->clients.v[doc->tx->touched.v[i]];

        items_each(doc, c, c->before, c->state, visit_unlink);
    }
    for (uint32_t i = 0; i < doc->tx->touched.n; i++) {
        struct client *c = &doc->clients.v[doc->tx->touched.v[i]];

        items_each(doc, c, c->before, c->state, visit_free);
        index_truncate(doc, c, c->before);
    }
    for (uint32_t t = 0; t < doc->types.n; t++)
        slots_drop_empty(doc, t);
}

/* ---- what was there before ----------------------------------------------------------------------------- */

static void visit_undelete(struct um_crdt *doc, uint32_t i)
{
    struct item *it = item_at(doc, i);

    if (item_is_indexed(doc, it))
        posindex_drop(doc, it->parent);
    it->flags &= ~(unsigned)F_DELETED & 0x3fu;
    if (!item_is_keyed(it))
        doc->types.v[it->parent].length += item_width(it);
}

static void deletions_take_back(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t k = 0; k < tx->deleted.n; k++) {
        const struct span32 *g = &tx->deleted.v[k];
        struct client *c = &doc->clients.v[g->client];

        items_each(doc, c, g->clock, UM_MIN(g->clock + g->len, c->state), visit_undelete);
    }
}

static void splits_take_back(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;

    for (uint32_t k = tx->splits.n; k > 0; k--) {
        const struct span32 *s = &tx->splits.v[k - 1];

        if (s->len > 0 && s->clock < doc->clients.v[s->client].state)
            item_unsplit(doc, s->client, s->clock);
    }
}

void tx_rollback(struct um_crdt *doc)
{
    offsets_drop(doc);
    new_items_remove(doc);
    deletions_take_back(doc);
    splits_take_back(doc);
    doc->content.n = doc->tx->content;
    doc->tx->deleted.n = doc->tx->splits.n = 0;
}
