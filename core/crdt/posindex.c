/* The position index: one B+ tree per list, nodes of up to FAN references with the visible units below each.
 *
 * Invariants:
 *  1. The leaves, left to right, hold the items of the list in order; all leaves have the same depth.
 *  2. width[k] is the number of visible units below ref[k]; `marks` of a node counts the visible Format items below.
 *  3. A node knows its parent and its place there; `leaf_of` names the leaf of each item of an indexed list (of other
 *     items it says nothing).
 *  4. No node but a root is empty. Thin neighbours are joined, so the depth stays that of the number of items.
 *  5. The remembered leaf `near` has `near_start` units in front of it, and its place `near_slot` has `near_unit` more.
 *     Any change that may shift the leaf forgets it; places that move within it begin anew at 0. */
#include "posindex.h"

#define FAN 64u
#define FILL (FAN * 3 / 4)            /* of nodes in a new index, and at most of joined ones */
#define WALK_SHORT 32u                /* items that are walked before an index is made */
#define UNREAD_MIN 256u               /* places that are added without a look-up before an index is dropped */

struct pos_node {
    uint32_t parent, slot;            /* parent NONE: the root */
    uint32_t n, marks;
    bool leaf;
    uint32_t ref[FAN];                /* items of a leaf, else nodes */
    uint32_t width[FAN];
};

/* ---- nodes --------------------------------------------------------------------------------------------- */

static struct pos_node *node_at(const struct um_crdt *doc, uint32_t k) { return doc->pos.nodes.v[k].node; }

static uint32_t node_new(struct um_crdt *doc, bool leaf)
{
    struct posindex *x = &doc->pos;
    struct pos_node *node = mem_resize(&doc->mem, NULL, 0, sizeof(*node));
    uint32_t k = x->free_node;

    if (node == NULL)
        return NONE;
    if (k != NONE) {
        x->free_node = x->nodes.v[k].next_free;
    } else if (vec_room(&doc->mem, &x->nodes, 1)) {
        k = x->nodes.n++;
    } else {
        mem_free(&doc->mem, node, sizeof(*node));
        return NONE;
    }
    node->parent = NONE;
    node->slot = node->n = node->marks = 0;
    node->leaf = leaf;
    x->nodes.v[k].node = node;
    x->live++;
    return k;
}

static void node_free(struct um_crdt *doc, uint32_t k)
{
    struct posindex *x = &doc->pos;

    mem_free(&doc->mem, x->nodes.v[k].node, sizeof(struct pos_node));
    x->nodes.v[k] = (struct pos_ref){ NULL, x->free_node };
    x->free_node = k;
    if (x->near_leaf == k)
        x->near_leaf = NONE;
    if (--x->live == 0)
        posindex_destroy(doc);
}

void posindex_destroy(struct um_crdt *doc)
{
    struct posindex *x = &doc->pos;

    for (uint32_t k = 0; k < x->nodes.n; k++)
        mem_free(&doc->mem, x->nodes.v[k].node, sizeof(struct pos_node));
    vec_free(&doc->mem, &x->nodes);
    vec_free(&doc->mem, &x->leaf_of);
    x->free_node = x->near_leaf = NONE;
    x->live = 0;
}

/* Down to the leaves and back up without recursion: a node is freed when its last child has gone. */
void posindex_drop(struct um_crdt *doc, uint32_t type)
{
    uint32_t k = doc->types.v[type].pos;

    doc->types.v[type].pos = NONE;
    while (k != NONE) {
        struct pos_node *node = node_at(doc, k);
        uint32_t gone = k;

        if (!node->leaf && node->n > 0) {
            k = node->ref[--node->n];
            continue;
        }
        k = node->parent;
        node_free(doc, gone);
    }
}

static bool leaf_of_room(struct um_crdt *doc)
{
    struct posindex *x = &doc->pos;

    if (x->leaf_of.cap < doc->items.used &&
        !mem_vec_room(&doc->mem, &x->leaf_of.v, &x->leaf_of.cap, doc->items.used, sizeof(*x->leaf_of.v)))
        return false;
    x->leaf_of.n = x->leaf_of.cap;
    return true;
}

/* Says who is below NODE, number K, in its places from FROM on. */
static void node_own(struct um_crdt *doc, struct pos_node *node, uint32_t k, uint32_t from)
{
    for (uint32_t i = from; i < node->n; i++) {
        if (node->leaf) {
            doc->pos.leaf_of.v[node->ref[i]] = k;
        } else {
            node_at(doc, node->ref[i])->parent = k;
            node_at(doc, node->ref[i])->slot = i;
        }
    }
}

static uint32_t node_width(const struct pos_node *node)
{
    uint32_t sum = 0;

    for (uint32_t i = 0; i < node->n; i++)
        sum += node->width[i];
    return sum;
}

/* The part of `marks` that the N places from FROM on bring. */
static uint32_t node_marks(const struct um_crdt *doc, const struct pos_node *node, uint32_t from, uint32_t n)
{
    uint32_t sum = 0;

    if (node->marks == 0)
        return 0;
    for (uint32_t i = from; i < from + n; i++)
        sum += node->leaf ? item_is_mark(item_at(doc, node->ref[i])) : node_at(doc, node->ref[i])->marks;
    return sum;
}

/* The place of ITEM in leaf K. */
static uint32_t slot_of(const struct um_crdt *doc, uint32_t k, uint32_t item)
{
    const struct pos_node *leaf = node_at(doc, k);
    uint32_t i = doc->pos.near_slot;

    if (doc->pos.near_leaf == k && leaf->ref[i] == item)
        return i;
    for (i = 0; leaf->ref[i] != item;)
        i++;
    return i;
}

/* Places of leaf K have moved. */
static void near_restart(struct um_crdt *doc, uint32_t k)
{
    if (doc->pos.near_leaf == k)
        doc->pos.near_slot = doc->pos.near_unit = 0;
}

/* ---- sums ---------------------------------------------------------------------------------------------- */

static void width_add(struct um_crdt *doc, uint32_t k, uint32_t slot, uint32_t by)
{
    if (doc->pos.near_leaf != k)
        doc->pos.near_leaf = NONE;
    else if (slot < doc->pos.near_slot)
        doc->pos.near_unit += by;
    while (k != NONE) {
        struct pos_node *node = node_at(doc, k);

        node->width[slot] += by;
        slot = node->slot;
        k = node->parent;
    }
}

static void marks_add(struct um_crdt *doc, uint32_t k, uint32_t by)
{
    for (; k != NONE; k = node_at(doc, k)->parent)
        node_at(doc, k)->marks += by;
}

/* ---- changing the tree --------------------------------------------------------------------------------- */

/* Makes place at SLOT of node K, which is not full. */
static void node_insert(struct um_crdt *doc, uint32_t k, uint32_t slot, uint32_t ref, uint32_t width)
{
    struct pos_node *node = node_at(doc, k);

    memmove(node->ref + slot + 1, node->ref + slot, (node->n - slot) * sizeof(*node->ref));
    memmove(node->width + slot + 1, node->width + slot, (node->n - slot) * sizeof(*node->width));
    node->ref[slot] = ref;
    node->width[slot] = width;
    node->n++;
    near_restart(doc, k);
    if (node->leaf)
        doc->pos.leaf_of.v[ref] = k;
    else
        node_own(doc, node, k, slot);
}

static bool root_raise(struct um_crdt *doc, uint32_t type)
{
    uint32_t old = doc->types.v[type].pos, k = node_new(doc, false);
    struct pos_node *node;

    if (k == NONE)
        return false;
    node = node_at(doc, k);
    node->marks = node_at(doc, old)->marks;
    node_insert(doc, k, 0, old, node_width(node_at(doc, old)));
    doc->types.v[type].pos = k;
    return true;
}

/* Moves the upper half of node K, whose parent has room, into a new right neighbour. */
static bool node_halve(struct um_crdt *doc, uint32_t k)
{
    struct pos_node *l = node_at(doc, k), *r;
    uint32_t n = node_new(doc, l->leaf), half = l->n / 2;

    if (n == NONE)
        return false;
    r = node_at(doc, n);
    r->n = l->n - half;
    memcpy(r->ref, l->ref + half, r->n * sizeof(*r->ref));
    memcpy(r->width, l->width + half, r->n * sizeof(*r->width));
    r->marks = node_marks(doc, l, half, r->n);
    l->marks -= r->marks;
    l->n = half;
    node_own(doc, r, n, 0);
    node_at(doc, l->parent)->width[l->slot] -= node_width(r);
    node_insert(doc, l->parent, l->slot + 1, n, node_width(r));
    doc->pos.near_leaf = NONE;
    return true;
}

/* Room for one more below LEAF: halves full nodes from the top down, so that the tree is whole after each step. */
static bool leaf_make_room(struct um_crdt *doc, uint32_t type, uint32_t leaf)
{
    while (node_at(doc, leaf)->n == FAN) {
        uint32_t k = leaf, up;

        while ((up = node_at(doc, k)->parent) != NONE && node_at(doc, up)->n == FAN)
            k = up;
        if ((up == NONE && !root_raise(doc, type)) || !node_halve(doc, k))
            return false;
    }
    return true;
}

/* Takes place SLOT, of width 0 and without marks, out of node K. */
static void node_remove(struct um_crdt *doc, uint32_t k, uint32_t slot)
{
    struct pos_node *node = node_at(doc, k);

    node->n--;
    near_restart(doc, k);
    memmove(node->ref + slot, node->ref + slot + 1, (node->n - slot) * sizeof(*node->ref));
    memmove(node->width + slot, node->width + slot + 1, (node->n - slot) * sizeof(*node->width));
    if (!node->leaf)
        node_own(doc, node, k, slot);
}

/* Joins the child at SLOT + 1 of PARENT to the one at SLOT when both fit well; false otherwise. */
static bool children_join(struct um_crdt *doc, uint32_t parent, uint32_t slot)
{
    struct pos_node *up = node_at(doc, parent), *l, *r;
    uint32_t k;

    if (slot + 1 >= up->n)
        return false;
    k = up->ref[slot];
    l = node_at(doc, k);
    r = node_at(doc, up->ref[slot + 1]);
    if (l->n + r->n > FILL)
        return false;
    memcpy(l->ref + l->n, r->ref, r->n * sizeof(*r->ref));
    memcpy(l->width + l->n, r->width, r->n * sizeof(*r->width));
    l->n += r->n;
    l->marks += r->marks;
    node_own(doc, l, k, l->n - r->n);
    up->width[slot] += up->width[slot + 1];
    node_free(doc, up->ref[slot + 1]);
    node_remove(doc, parent, slot + 1);
    doc->pos.near_leaf = NONE;
    return true;
}

/* Node K has lost a place: keeps invariant 4 from there up. */
static void node_thin(struct um_crdt *doc, uint32_t type, uint32_t k)
{
    while (node_at(doc, k)->n < FAN / 4) {
        uint32_t up = node_at(doc, k)->parent, slot = node_at(doc, k)->slot;

        if (up == NONE)
            break;
        if (node_at(doc, k)->n == 0) {
            node_free(doc, k);
            node_remove(doc, up, slot);
            doc->pos.near_leaf = NONE;
        } else if (!children_join(doc, up, slot) && (slot == 0 || !children_join(doc, up, slot - 1))) {
            return;
        }
        k = up;
    }
    for (k = doc->types.v[type].pos; !node_at(doc, k)->leaf && node_at(doc, k)->n == 1; k = doc->types.v[type].pos) {
        uint32_t only = node_at(doc, k)->ref[0];

        doc->types.v[type].pos = only;
        node_at(doc, only)->parent = NONE;
        node_at(doc, only)->slot = 0;
        node_free(doc, k);
    }
}

/* ---- what changes tell it ------------------------------------------------------------------------------ */

static uint32_t leaf_first(const struct um_crdt *doc, uint32_t type)
{
    uint32_t k = doc->types.v[type].pos;

    while (!node_at(doc, k)->leaf)
        k = node_at(doc, k)->ref[0];
    return k;
}

/* So many places were added since the last look-up that making the index anew, if ever, costs less than going on. */
static bool is_stale(struct um_crdt *doc)
{
    return ++doc->pos.unread > UNREAD_MIN + doc->pos.live * (FILL / 4);
}

/* Behind LEFT (NONE: in front of all), with no units and no mark yet; the place in its leaf, NONE: better no index. */
static uint32_t item_insert(struct um_crdt *doc, uint32_t type, uint32_t left, uint32_t item)
{
    uint32_t k, slot;

    if (is_stale(doc) || !leaf_of_room(doc))
        return NONE;
    k = left == NONE ? leaf_first(doc, type) : doc->pos.leaf_of.v[left];
    if (node_at(doc, k)->n == FAN) {
        if (!leaf_make_room(doc, type, k))
            return NONE;
        k = left == NONE ? leaf_first(doc, type) : doc->pos.leaf_of.v[left];
    }
    slot = left == NONE ? 0 : slot_of(doc, k, left) + 1;
    node_insert(doc, k, slot, item, 0);
    return slot;
}

void posindex_add(struct um_crdt *doc, uint32_t i)
{
    const struct item *it = item_at(doc, i);
    uint32_t k, slot;

    if (!item_is_indexed(doc, it))
        return;
    if ((slot = item_insert(doc, it->parent, it->left, i)) == NONE) {
        posindex_drop(doc, it->parent);
        return;
    }
    k = doc->pos.leaf_of.v[i];
    if (item_width(it) > 0)
        width_add(doc, k, slot, it->len);
    if (item_is_mark(it))
        marks_add(doc, k, 1);
}

void posindex_resize(struct um_crdt *doc, uint32_t i, uint32_t by)
{
    const struct item *it = item_at(doc, i);
    uint32_t k;

    if (!item_is_indexed(doc, it))
        return;
    k = doc->pos.leaf_of.v[i];
    width_add(doc, k, slot_of(doc, k, i), by);
}

void posindex_unmark(struct um_crdt *doc, uint32_t i)
{
    if (item_is_indexed(doc, item_at(doc, i)))
        marks_add(doc, doc->pos.leaf_of.v[i], UINT32_MAX);
}

void posindex_cut(struct um_crdt *doc, uint32_t i)
{
    const struct item *it = item_at(doc, i), *r = item_at(doc, it->right);
    struct pos_node *leaf;
    uint32_t slot;

    if (!item_is_indexed(doc, it))
        return;
    if ((slot = item_insert(doc, it->parent, i, it->right)) == NONE) {
        posindex_drop(doc, it->parent);
        return;
    }
    if (item_width(r) == 0)
        return;
    leaf = node_at(doc, doc->pos.leaf_of.v[i]);       /* R was put into the same one */
    leaf->width[slot - 1] -= r->len;
    leaf->width[slot] = r->len;
}

void posindex_absorb(struct um_crdt *doc, uint32_t first, uint32_t i)
{
    const struct item *it = item_at(doc, i);
    uint32_t k, slot;

    if (!item_is_indexed(doc, it))
        return;
    k = doc->pos.leaf_of.v[i];
    slot = slot_of(doc, k, i);
    if (item_width(it) > 0) {
        uint32_t to = doc->pos.leaf_of.v[first];

        width_add(doc, k, slot, 0u - it->len);
        width_add(doc, to, slot_of(doc, to, first), it->len);
    }
    node_remove(doc, k, slot);
    node_thin(doc, it->parent, k);
}

/* ---- making it ----------------------------------------------------------------------------------------- */

/* A new node at the right end of the level whose last node is *LAST (NONE: the first one). The nodes of a level are
 * chained by `parent` until their parents are made; FIRST is the chain's beginning. */
static struct pos_node *level_extend(struct um_crdt *doc, bool leaf, uint32_t *first, uint32_t *last)
{
    uint32_t k = node_new(doc, leaf);

    if (k == NONE)
        return NULL;
    if (*last == NONE)
        *first = k;
    else
        node_at(doc, *last)->parent = k;
    *last = k;
    return node_at(doc, k);
}

static bool leaves_make(struct um_crdt *doc, uint32_t type, uint32_t *first)
{
    uint32_t last = NONE;
    struct pos_node *leaf = level_extend(doc, true, first, &last);

    for (uint32_t i = doc->types.v[type].start; i != NONE && leaf != NULL; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (leaf->n == FILL && (leaf = level_extend(doc, true, first, &last)) == NULL)
            break;
        leaf->ref[leaf->n] = i;
        leaf->width[leaf->n++] = item_width(it);
        leaf->marks += item_is_mark(it);
        doc->pos.leaf_of.v[i] = last;
    }
    return leaf != NULL;
}

/* One level on top of the chain from *FIRST on. False: *FIRST is the whole chain of what has no parent yet, what has
 * one hangs below DONE. */
static bool level_make(struct um_crdt *doc, uint32_t *first, uint32_t *done)
{
    uint32_t last = NONE, k = *first, next;
    struct pos_node *up = NULL;

    *done = NONE;
    for (; k != NONE; k = next) {
        struct pos_node *node = node_at(doc, k);

        next = node->parent;
        if ((up == NULL || up->n == FILL) && (up = level_extend(doc, false, done, &last)) == NULL) {
            *first = k;
            return false;
        }
        up->ref[up->n] = k;
        up->width[up->n] = node_width(node);
        up->marks += node->marks;
        node->parent = last;
        node->slot = up->n++;
    }
    *first = *done;
    return true;
}

static void chain_free(struct um_crdt *doc, uint32_t type, uint32_t k)
{
    while (k != NONE) {
        uint32_t next = node_at(doc, k)->parent;

        node_at(doc, k)->parent = NONE;
        doc->types.v[type].pos = k;
        posindex_drop(doc, type);
        k = next;
    }
}

bool posindex_make(struct um_crdt *doc, uint32_t type)
{
    uint32_t first = NONE, done = NONE;
    bool ok = leaf_of_room(doc) && leaves_make(doc, type, &first);

    while (ok && node_at(doc, first)->parent != NONE)
        ok = level_make(doc, &first, &done);
    if (!ok) {
        chain_free(doc, type, first);
        chain_free(doc, type, done);
        if (doc->pos.live == 0)
            posindex_destroy(doc);
        return false;
    }
    doc->types.v[type].pos = first;
    doc->pos.unread = 0;
    return true;
}

/* ---- look-ups ------------------------------------------------------------------------------------------ */

/* Walks from the list's beginning, at most STEPS items. */
static bool find_walking(const struct um_crdt *doc, uint32_t type, uint32_t unit, uint32_t steps, struct place_at *at)
{
    uint32_t i = doc->types.v[type].start;

    for (; i != NONE && steps > 0; i = item_at(doc, i)->right, steps--) {
        uint32_t width = item_width(item_at(doc, i));

        if (unit < width) {
            *at = (struct place_at){ i, unit };
            return true;
        }
        unit -= width;
    }
    return false;
}

/* In the remembered leaf, from the remembered place on when that is not too far. */
static struct place_at find_in_near(struct um_crdt *doc, uint32_t unit)
{
    struct posindex *x = &doc->pos;
    const struct pos_node *leaf = node_at(doc, x->near_leaf);
    uint32_t i = x->near_slot, start = x->near_unit;

    if (unit < start)
        i = start = 0;
    for (; unit - start >= leaf->width[i]; i++)
        start += leaf->width[i];
    x->near_slot = i;
    x->near_unit = start;
    return (struct place_at){ leaf->ref[i], unit - start };
}

static uint32_t leaf_width(const struct um_crdt *doc, const struct pos_node *leaf, uint32_t type)
{
    return leaf->parent == NONE ? doc->types.v[type].length : node_at(doc, leaf->parent)->width[leaf->slot];
}

struct place_at posindex_find(struct um_crdt *doc, uint32_t type, uint32_t unit)
{
    struct posindex *x = &doc->pos;
    struct place_at at = { NONE, 0 };
    uint32_t k, start = unit;

    UM_ASSERT(unit < doc->types.v[type].length);
    x->unread = 0;
    if (doc->types.v[type].pos == NONE && (find_walking(doc, type, unit, WALK_SHORT, &at) ||
        (!posindex_make(doc, type) && find_walking(doc, type, unit, NONE, &at))))
        return at;
    if (x->near_leaf != NONE && x->near_type == type && unit >= x->near_start &&
        unit - x->near_start < leaf_width(doc, node_at(doc, x->near_leaf), type))
        return find_in_near(doc, unit - x->near_start);
    for (k = doc->types.v[type].pos; !node_at(doc, k)->leaf;) {
        const struct pos_node *node = node_at(doc, k);
        uint32_t i = 0;

        while (unit >= node->width[i])
            unit -= node->width[i++];
        k = node->ref[i];
    }
    x->near_leaf = k;
    x->near_type = type;
    x->near_start = start - unit;
    x->near_slot = x->near_unit = 0;
    return find_in_near(doc, unit);
}

uint32_t posindex_of(struct um_crdt *doc, uint32_t item)
{
    const struct item *it = item_at(doc, item);
    uint32_t type = it->parent, sum = 0, steps = 0, slot, k;

    doc->pos.unread = 0;
    if (doc->types.v[type].pos == NONE) {
        uint32_t i = it->left;

        for (; i != NONE && steps < WALK_SHORT; i = item_at(doc, i)->left, steps++)
            sum += item_width(item_at(doc, i));
        if (i != NONE && !posindex_make(doc, type))
            for (; i != NONE; i = item_at(doc, i)->left)
                sum += item_width(item_at(doc, i));
        if (i == NONE)
            return sum;
    }
    k = doc->pos.leaf_of.v[item];
    slot = slot_of(doc, k, item);
    for (sum = 0; k != NONE; k = node_at(doc, k)->parent) {
        for (uint32_t i = 0; i < slot; i++)
            sum += node_at(doc, k)->width[i];
        slot = node_at(doc, k)->slot;
    }
    return sum;
}

/* ---- marks --------------------------------------------------------------------------------------------- */

struct mark_walk marks_before(struct um_crdt *doc, uint32_t type, uint32_t item)
{
    struct mark_walk w = { .type = type, .at = NONE };
    uint32_t k = doc->types.v[type].pos, slot;

    doc->pos.unread = 0;
    if (k == NONE) {
        for (uint32_t i = doc->types.v[type].start; i != NONE && i != item; i = item_at(doc, i)->right)
            w.left += item_is_mark(item_at(doc, i));
        return w;
    }
    if (item == NONE) {
        w.left = node_at(doc, k)->marks;
        return w;
    }
    k = doc->pos.leaf_of.v[item];
    for (slot = slot_of(doc, k, item); k != NONE; k = node_at(doc, k)->parent) {
        w.left += node_marks(doc, node_at(doc, k), 0, slot);
        slot = node_at(doc, k)->slot;
    }
    return w;
}

/* The first mark below node K at or right of SLOT, or right of node K. There is one. */
static uint32_t mark_from(const struct um_crdt *doc, uint32_t k, uint32_t slot)
{
    for (;;) {
        const struct pos_node *node = node_at(doc, k);

        for (; node->marks > 0 && slot < node->n; slot++) {
            if (node->leaf && item_is_mark(item_at(doc, node->ref[slot])))
                return node->ref[slot];
            if (!node->leaf && node_at(doc, node->ref[slot])->marks > 0)
                break;
        }
        if (!node->leaf && node->marks > 0 && slot < node->n) {
            k = node->ref[slot];
            slot = 0;
        } else {
            k = node->parent;
            slot = node->slot + 1;
        }
    }
}

uint32_t marks_next(const struct um_crdt *doc, struct mark_walk *w)
{
    uint32_t k = doc->types.v[w->type].pos;

    if (w->left == 0)
        return NONE;
    w->left--;
    if (k == NONE) {
        w->at = w->at == NONE ? doc->types.v[w->type].start : item_at(doc, w->at)->right;
        while (!item_is_mark(item_at(doc, w->at)))
            w->at = item_at(doc, w->at)->right;
    } else if (w->at == NONE) {
        w->at = mark_from(doc, k, 0);
    } else {
        k = doc->pos.leaf_of.v[w->at];
        w->at = mark_from(doc, k, slot_of(doc, k, w->at) + 1);
    }
    return w->at;
}

/* ---- checking ------------------------------------------------------------------------------------------ */

static bool leaf_is_sound(const struct um_crdt *doc, uint32_t k, uint32_t *item)
{
    const struct pos_node *leaf = node_at(doc, k);

    for (uint32_t i = 0; i < leaf->n; i++) {
        if (leaf->ref[i] != *item || doc->pos.leaf_of.v[*item] != k ||
            leaf->width[i] != item_width(item_at(doc, *item)))
            return false;
        *item = item_at(doc, *item)->right;
    }
    return leaf->marks == node_marks(doc, leaf, 0, leaf->marks > 0 ? leaf->n : 0);
}

static bool inner_is_sound(const struct um_crdt *doc, uint32_t k)
{
    const struct pos_node *node = node_at(doc, k);
    uint32_t marks = 0;

    for (uint32_t i = 0; i < node->n; i++) {
        const struct pos_node *below = node_at(doc, node->ref[i]);

        marks += below->marks;
        if (below->parent != k || below->slot != i || below->n == 0 || below->leaf != node_at(doc, node->ref[0])->leaf ||
            node->width[i] != node_width(below))
            return false;
    }
    return node->marks == marks;
}

bool posindex_is_sound(const struct um_crdt *doc, uint32_t type)
{
    uint32_t k = doc->types.v[type].pos, item = doc->types.v[type].start, slot = 0;

    if (k == NONE)
        return true;
    if (node_at(doc, k)->parent != NONE || node_width(node_at(doc, k)) != doc->types.v[type].length)
        return false;
    while (k != NONE) {                   /* a node is checked before its children */
        const struct pos_node *node = node_at(doc, k);

        if (slot == 0 && !(node->leaf ? leaf_is_sound(doc, k, &item) : inner_is_sound(doc, k)))
            return false;
        if (!node->leaf && slot < node->n) {
            k = node->ref[slot];
            slot = 0;
        } else {
            k = node->parent;
            slot = node->slot + 1;
        }
    }
    return item == NONE;
}
