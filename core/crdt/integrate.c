/* Placing one struct into the document: YATA as yjs does it. plan.c has made sure that everything it needs is
 * here and that nothing below can run out of memory. */
#include "posindex.h"

#define SCAN_SHORT 8u                 /* up to here "seen before" is found by walking back */

static void collected_append(struct um_crdt *doc, uint32_t client, uint32_t len)
{
    doc->ds_valid = false;
    index_append(doc, &doc->clients.v[client], REF_GC, len);
}

static bool same_origin(const struct item *a, const struct item *b)
{
    return a->origin_client == b->origin_client && (a->origin_client == NONE || a->origin_clock == b->origin_clock);
}

static bool same_right(const struct item *a, const struct item *b)
{
    return a->right_client == b->right_client && (a->right_client == NONE || a->right_clock == b->right_clock);
}

/* ---- the conflict scan --------------------------------------------------------------------------------- */

/* The scanned items: N of them, from FIRST to the right. Those that were asked about are numbered in doc->marks,
 * upwards from BASE; the others when somebody asks, which is seldom: neighbours mostly have the same origin. Without
 * memory for marks the walk is repeated. */
struct scan_state {
    uint32_t first, n;
    uint32_t base, marked, next;      /* MARKED of them have a number, NEXT is the first that has none */
};

static bool marks_ready(struct um_crdt *doc)
{
    uint32_t old = doc->marks.cap;

    if (doc->marks.cap < doc->items.used) {
        if (!mem_vec_room(&doc->mem, &doc->marks.v, &doc->marks.cap, doc->items.used, sizeof(*doc->marks.v)))
            return false;
        memset(doc->marks.v + old, 0, (doc->marks.cap - old) * sizeof(*doc->marks.v));
    }
    return true;
}

static bool scan_mark(struct um_crdt *doc, struct scan_state *s)
{
    if (s->marked == 0) {
        if (!marks_ready(doc))
            return false;
        if (doc->mark > UINT32_MAX - doc->items.used - 1) {
            memset(doc->marks.v, 0, doc->marks.cap * sizeof(*doc->marks.v));
            doc->mark = 0;
        }
        s->base = doc->mark + 1;
        s->next = s->first;
    }
    for (; s->marked < s->n; s->marked++, s->next = item_at(doc, s->next)->right)
        doc->marks.v[s->next] = s->base + s->marked;
    doc->mark = s->base + s->n;
    return true;
}

/* Which of the scanned items X is; NONE: none of them. */
static uint32_t scan_place(struct um_crdt *doc, struct scan_state *s, uint32_t x)
{
    uint32_t i = s->first;

    if (s->n >= SCAN_SHORT && scan_mark(doc, s))
        return doc->marks.v[x] >= s->base ? doc->marks.v[x] - s->base : NONE;
    for (uint32_t k = 0; k < s->n; k++, i = item_at(doc, i)->right)
        if (i == x)
            return k;
    return NONE;
}

/* The item after which IT belongs, between its LEFT (NONE: head O) and its RIGHT. */
static uint32_t conflict_scan(struct um_crdt *doc, const struct item *it, uint32_t left, uint32_t o,
                              uint32_t right)
{
    struct scan_state s = { .first = o };
    uint32_t conflicts_from = 0;              /* items before this place do not conflict any more */

    while (o != NONE && o != right) {
        const struct item *other = item_at(doc, o);
        uint32_t place = NONE;

        s.n++;
        if (same_origin(it, other)) {
            if (other->client != it->client && doc->clients.v[other->client].id < doc->clients.v[it->client].id) {
                left = o;
                conflicts_from = s.n;
            } else if (same_right(it, other)) {
                break;
            }
        } else {
            if (other->origin_client != NONE) {
                const struct item *l = other->left == NONE ? NULL : item_at(doc, other->left);
                uint32_t x;

                if (l != NULL && l->client == other->origin_client && l->clock <= other->origin_clock &&
                    other->origin_clock - l->clock < l->len)
                    x = other->left;
                else
                    x = item_holding(doc, other->origin_client, other->origin_clock);
                if (x != NONE)
                    place = scan_place(doc, &s, x);
            }
            if (place == NONE)
                break;
            if (place < conflicts_from) {
                left = o;
                conflicts_from = s.n;
            }
        }
        o = other->right;
    }
    doc->tx->scanned += s.n;
    return left;
}

/* ---- linking ------------------------------------------------------------------------------------------- */

static uint32_t list_head(const struct um_crdt *doc, const struct item *it)
{
    return item_is_keyed(it) ? doc->slots.v[it->parent].head : doc->types.v[it->parent].start;
}

static void item_link(struct um_crdt *doc, uint32_t i, uint32_t left)
{
    struct item *it = item_at(doc, i);
    uint32_t right = left != NONE ? item_at(doc, left)->right : list_head(doc, it);

    it->left = left;
    it->right = right;
    if (left != NONE)
        item_at(doc, left)->right = i;
    else if (item_is_keyed(it))
        doc->slots.v[it->parent].head = i;
    else
        doc->types.v[it->parent].start = i;
    if (right != NONE) {
        item_at(doc, right)->left = i;
    } else if (item_is_keyed(it)) {
        doc->slots.v[it->parent].tail = i;
        if (left != NONE)
            item_delete(doc, left);
    }
    posindex_add(doc, i);
}

static void content_take(struct um_crdt *doc, uint32_t i, const struct wire *w)
{
    struct item *it = item_at(doc, i);

    it->kind = w->kind & 0xfu;
    it->len = w->len;
    it->flags |= w->half ? F_HEAD_HALF : 0;
    if (w->kind == KIND_TYPE) {
        uint32_t name = w->name.data != NULL ? name_find(doc, w->name) : NONE;

        it->content = type_new(doc, w->type_ref, name, i);
        it->bytes = 0;
    } else if (w->kind == KIND_DOC) {
        it->content = doc->content.n;
        it->bytes = (uint32_t)doc_body_normalise(doc->content.v + doc->content.n, w->body);
        doc->content.n += it->bytes;
        if (it->bytes != w->body.len)
            doc->tx->odd = true;
    } else {
        it->content = content_put(doc, w->body);
        it->bytes = (uint32_t)w->body.len;
    }
}

static void content_integrate(struct um_crdt *doc, uint32_t i, uint32_t type)
{
    struct item *it = item_at(doc, i);

    if (it->kind == KIND_DELETED) {
        it->flags |= F_DELETED;
        tx_record_delete(doc, it->client, it->clock, it->len);
    } else if (it->kind == KIND_FORMAT) {
        doc->types.v[type].formatting = doc->types.v[type].marks = true;
    } else if (it->kind == KIND_TYPE) {
        struct type *t = &doc->types.v[it->content];

        t->depth = (uint16_t)UM_MIN(doc->types.v[type].depth + 1u, UINT16_MAX);
        doc->max_depth = UM_MAX(doc->max_depth, t->depth);
    }
}

void item_enter(struct um_crdt *doc, uint32_t i, uint32_t left, uint32_t type)
{
    struct item *it = item_at(doc, i);
    const struct type *t;

    doc->tx->entered = i;
    item_link(doc, i, left);
    if (item_is_visible(it) && !item_is_keyed(it))
        doc->types.v[type].length += it->len;
    index_append(doc, &doc->clients.v[it->client], i, it->len);
    content_integrate(doc, i, type);
    tx_note_change(doc, type);
    if (doc->observer != NULL) {
        change_note(doc, it);
        if (it->kind == KIND_DOC)
            subdoc_note(doc, i, false);
    }
    t = &doc->types.v[type];
    if ((t->item != NONE && item_is_deleted(item_at(doc, t->item))) || (item_is_keyed(it) && it->right != NONE))
        item_delete(doc, i);
}

/* Whoever inserts again and again at one place, each time in front of the last (a list that grows at its head), need
 * not scan: RIGHT entered just before with the same origin, so IT would pass the same items and stop in front of it. */
static bool enters_before_last(const struct um_crdt *doc, const struct item *it, uint32_t right)
{
    return right != NONE && right == doc->tx->entered && item_at(doc, right)->client == it->client &&
           same_origin(it, item_at(doc, right));
}

void item_enter_between(struct um_crdt *doc, uint32_t i, uint32_t left, uint32_t right, uint32_t type)
{
    const struct item *it = item_at(doc, i);
    bool is_free = left != NONE ? item_at(doc, left)->right == right
                                : right != NONE && item_at(doc, right)->left == NONE;

    if (enters_before_last(doc, it, right))
        left = item_at(doc, right)->left;
    else if (!is_free)
        left = conflict_scan(doc, it, left, left != NONE ? item_at(doc, left)->right : list_head(doc, it), right);
    item_enter(doc, i, left, type);
}

/* ---- finding the neighbours ---------------------------------------------------------------------------- */

struct place {
    bool collected;                   /* it becomes a collected run */
    uint32_t left, right;             /* items; NONE */
    uint32_t type, slot;              /* slot NONE: list */
};

static void place_copy_parent(const struct um_crdt *doc, const struct item *it, struct place *p)
{
    p->slot = item_is_keyed(it) ? it->parent : NONE;
    p->type = item_is_keyed(it) ? doc->slots.v[it->parent].type : it->parent;
}

static void place_by_id(struct um_crdt *doc, const struct wire *w, struct place *p)
{
    uint32_t holder = item_holding(doc, client_find(doc, w->parent.client), w->parent.clock);

    if (holder == NONE || item_at(doc, holder)->kind != KIND_TYPE)
        p->collected = true;
    else
        p->type = item_at(doc, holder)->content;
}

/* The neighbour of LEFT when it is the right one of IT, as it mostly is; NONE: look it up. */
static uint32_t right_beside(const struct um_crdt *doc, uint32_t left, const struct item *it)
{
    uint32_t i = left == NONE ? NONE : item_at(doc, left)->right;
    const struct item *r;

    if (i == NONE)
        return NONE;
    r = item_at(doc, i);
    return r->clock == it->right_clock && r->client == it->right_client ? i : NONE;
}

static void place_find(struct um_crdt *doc, uint32_t client, const struct wire *w, struct item *it,
                       struct place *p)
{
    *p = (struct place){ .left = NONE, .right = NONE, .type = NONE, .slot = NONE };
    it->origin_client = it->right_client = NONE;
    it->origin_clock = it->right_clock = 0;
    if ((w->info & INFO_ORIGIN) != 0) {
        it->origin_client = w->origin.client == doc->clients.v[client].id ? client : client_find(doc,
                                                                                                 w->origin.client);
        it->origin_clock = w->origin.clock;
        p->left = item_ending(doc, it->origin_client, it->origin_clock);
        p->collected |= p->left == NONE;
    }
    if ((w->info & INFO_RIGHT) != 0) {
        it->right_client = w->right.client == doc->clients.v[client].id ? client : client_find(doc,
                                                                                               w->right.client);
        it->right_clock = w->right.clock;
        p->right = right_beside(doc, p->left, it);
        if (p->right == NONE)
            p->right = item_starting(doc, it->right_client, it->right_clock);
        p->collected |= p->right == NONE;
    }
    if (p->collected)
        return;
    if (p->left != NONE)
        place_copy_parent(doc, item_at(doc, p->left), p);
    else if (p->right != NONE)
        place_copy_parent(doc, item_at(doc, p->right), p);
    else if (w->parent_form == PARENT_ROOT)
        p->type = root_find(doc, w->root);
    else
        place_by_id(doc, w, p);
    if (!p->collected && w->parent_form != PARENT_COPIED && w->key.data != NULL)
        p->slot = slot_get(doc, p->type, name_find(doc, w->key));
}

/* Is IT in the list that P is about? */
static bool place_has(const struct um_crdt *doc, const struct place *p, const struct item *it)
{
    struct place at;

    place_copy_parent(doc, it, &at);
    return at.type == p->type && at.slot == p->slot;
}

/* The offset of an update that overlaps: only the rest is new, and it follows what is there. Neighbours are
 * looked up for the whole struct first, as yjs does: that decides about the parent. Whoever gives out the same clocks
 * twice may have put the known part into another list: then the rest has no place. */
static void place_cut(struct um_crdt *doc, uint32_t client, struct wire *w, uint32_t offset, struct item *it,
                      struct place *p)
{
    wire_cut(w, doc->clients.v[client].id, offset);
    doc->tx->odd = true;
    it->origin_client = client;
    it->origin_clock = w->clock - 1;
    if (p->collected)
        return;
    p->left = item_ending(doc, client, w->clock - 1);
    p->collected = p->left == NONE || !place_has(doc, p, item_at(doc, p->left));
}

void integrate(struct um_crdt *doc, uint32_t client, struct wire *w, uint32_t offset)
{
    struct place p;
    uint32_t i;
    struct item *it;

    if (w->kind == KIND_GC) {
        doc->tx->odd |= offset > 0;
        collected_append(doc, client, w->len - offset);
        return;
    }
    i = item_new(doc);
    it = item_at(doc, i);
    *it = (struct item){ .client = client & (CLIENTS_MAX - 1), .left = NONE, .right = NONE };
    place_find(doc, client, w, it, &p);
    if (offset > 0)
        place_cut(doc, client, w, offset, it, &p);
    if (p.collected) {
        doc->tx->odd = true;
        item_free(doc, i);
        collected_append(doc, client, w->len);
        return;
    }
    it->clock = w->clock;
    it->parent = p.slot != NONE ? p.slot : p.type;
    it->flags = p.slot != NONE ? F_KEYED : 0;
    if (((w->info & INFO_KEY) != 0) != (p.slot != NONE))
        doc->tx->odd = true;
    content_take(doc, i, w);
    item_enter_between(doc, i, p.left, p.right, p.type);
}
