/* Cutting items in two and joining neighbours again. Only what yjs joins is joined, in its order, so that the
 * encoded state is equal to the byte. */
#include "posindex.h"
#include "redone.h"

#define FLAGS_SHARED (F_DELETED | F_KEYED | F_KEEP | F_REDONE)

static const uint8_t replacement[3] = { 0xef, 0xbf, 0xbd };

/* ---- cutting ------------------------------------------------------------------------------------------- */

/* Shares the bytes of IT between IT and its new right part R: no copying. */
static void content_split(struct um_crdt *doc, struct item *it, struct item *r, uint32_t k, offset_fn *offset)
{
    bool half, head = (it->flags & F_HEAD_HALF) != 0;
    size_t at;

    if (it->bytes == 0 && (it->flags & (F_HEAD_HALF | F_TAIL_HALF)) == 0)
        return;
    at = offset(doc, it, k - head, &half);
    r->flags = (it->flags & FLAGS_SHARED) | (it->flags & F_TAIL_HALF) | (half ? F_HEAD_HALF : 0);
    it->flags = (it->flags & FLAGS_SHARED) | (it->flags & F_HEAD_HALF) | (half ? F_TAIL_HALF : 0);
    r->content = it->content + (uint32_t)at + (half ? 4 : 0);
    r->bytes = it->bytes - (uint32_t)at - (half ? 4 : 0);
    it->bytes = (uint32_t)at;
    if (half)
        doc->garbage += 4;
}

uint32_t item_part(struct um_crdt *doc, uint32_t i, uint32_t k, offset_fn *offset)
{
    uint32_t n = item_new(doc);
    struct item *it = item_at(doc, i), *r = item_at(doc, n);
    struct client *c = &doc->clients.v[it->client];

    *r = *it;
    content_split(doc, it, r, k, offset);
    r->clock = it->clock + k;
    r->len = it->len - k;
    it->len = k;
    r->origin_client = it->client;
    r->origin_clock = r->clock - 1;
    r->left = i;
    it->right = n;
    if (r->right != NONE)
        item_at(doc, r->right)->left = n;
    else if (item_is_keyed(it))
        doc->slots.v[it->parent].tail = n;
    if (c->run_item == i)
        c->run_item = r->kind == KIND_TYPE ? NONE : n;
    posindex_cut(doc, i);
    if (item_is_redone(it))
        redone_split(doc, i, n, k);
    return n;
}

void cut_note(struct um_crdt *doc, uint32_t i)
{
    const struct item *it = item_at(doc, i);

    tx_note_split(doc, it->client, it->clock, it->len);
    if (it->clock > client_before(doc, it->client))
        doc->tx->odd = true;
}

uint32_t item_split(struct um_crdt *doc, struct cursor at, uint32_t k)
{
    uint32_t n = item_part(doc, cursor_entry(at)->ref, k, content_offset);

    index_insert_chain(doc, at, 1);
    cut_note(doc, n);
    return n;
}

uint32_t item_holding(const struct um_crdt *doc, uint32_t client, uint32_t clock)
{
    uint32_t ref = cursor_entry(index_find(&doc->clients.v[client], clock))->ref;

    return ref == REF_GC ? NONE : ref;
}

uint32_t item_ending(struct um_crdt *doc, uint32_t client, uint32_t clock)
{
    struct cursor at = index_find(&doc->clients.v[client], clock);
    uint32_t i = cursor_entry(at)->ref;
    struct item *it;

    if (i == REF_GC)
        return NONE;
    it = item_at(doc, i);
    if (it->clock + it->len - 1 != clock)
        item_split(doc, at, clock - it->clock + 1);
    return i;
}

uint32_t item_starting(struct um_crdt *doc, uint32_t client, uint32_t clock)
{
    struct cursor at = index_find(&doc->clients.v[client], clock);
    uint32_t i = cursor_entry(at)->ref;

    if (i == REF_GC)
        return NONE;
    return item_at(doc, i)->clock == clock ? i : item_split(doc, at, clock - item_at(doc, i)->clock);
}

/* ---- joining ------------------------------------------------------------------------------------------- */

static bool items_may_join(const struct um_crdt *doc, uint32_t l, uint32_t r)
{
    const struct item *a = item_at(doc, l), *b = item_at(doc, r);

    return a->kind == b->kind && (KINDS(a->kind) & KINDS_MERGEABLE) != 0 && a->right == r &&
           item_is_deleted(a) == item_is_deleted(b) && !item_is_redone(a) && !item_is_redone(b) &&
           b->origin_client == b->client && b->origin_clock == b->clock - 1 &&
           a->right_client == b->right_client && (a->right_client == NONE || a->right_clock == b->right_clock);
}

/* The opposite of item_split, before anything else was done with the parts: not even a pair that was torn is lost. */
void item_unsplit(struct um_crdt *doc, uint32_t client, uint32_t clock)
{
    struct cursor at = index_find(&doc->clients.v[client], clock);
    uint32_t n = cursor_entry(at)->ref, i;
    struct item *it, *r = item_at(doc, n);

    cursor_prev(&at);
    i = cursor_entry(at)->ref;
    it = item_at(doc, i);
    posindex_absorb(doc, i, n);
    if ((r->flags & F_HEAD_HALF) != 0)
        doc->garbage -= 4;
    it->flags = (it->flags & ~(unsigned)F_TAIL_HALF & 0x3fu) | (r->flags & F_TAIL_HALF);
    if (it->kind != KIND_TYPE && it->kind != KIND_DELETED)
        it->bytes = r->content + r->bytes - it->content;
    it->len += r->len;
    it->right = r->right;
    if (r->right != NONE)
        item_at(doc, r->right)->left = i;
    else if (item_is_keyed(it))
        doc->slots.v[it->parent].tail = i;
    if (at.c->run_item == n)
        at.c->run_item = i;
    item_free(doc, n);
    index_remove_after(doc, at, 1);
}

bool entry_stands_alone(const struct um_crdt *doc, struct cursor at)
{
    const struct entry *e = cursor_entry(at), *l = e - 1;

    if (at.i == 0) {
        if (at.d == 0)
            return true;
        l = &at.c->dir[at.d - 1].e[at.c->dir[at.d - 1].n - 1u];
    }
    if (l->ref == REF_GC || e->ref == REF_GC)
        return l->ref != e->ref;
    return !items_may_join(doc, l->ref, e->ref);
}

static bool entries_may_join(const struct um_crdt *doc, struct cursor l, struct cursor r)
{
    uint32_t a = cursor_entry(l)->ref, b = cursor_entry(r)->ref;

    if (a == REF_GC || b == REF_GC)
        return a == b;
    return items_may_join(doc, a, b);
}

static uint8_t *body_copy(const struct um_crdt *doc, uint8_t *p, const struct item *it, bool head, bool tail)
{
    if (head && (it->flags & F_HEAD_HALF) != 0)
        p = wr_bytes(p, replacement, 3);
    p = wr_bytes(p, doc->content.v + it->content, it->bytes);
    if (tail && (it->flags & F_TAIL_HALF) != 0)
        p = wr_bytes(p, replacement, 3);
    return p;
}

/* What joining the chain FIRST..LAST (by `right`) of items needs. */
struct join {
    uint32_t first, last;
    size_t bytes;                     /* of the whole */
    bool adjacent;                    /* already one run in the arena */
};

static struct join join_measure(const struct um_crdt *doc, uint32_t first, uint32_t last)
{
    const struct item *a = item_at(doc, first);
    struct join j = { first, last, a->bytes, true };

    for (uint32_t i = first; i != last;) {
        const struct item *l = item_at(doc, i), *r = item_at(doc, l->right);
        size_t halves = 3 * ((size_t)((l->flags & F_TAIL_HALF) != 0) + ((r->flags & F_HEAD_HALF) != 0));

        j.bytes += r->bytes + halves;
        j.adjacent &= halves == 0 && (l->content + l->bytes == r->content || r->bytes == 0 || l->bytes == 0);
        i = l->right;
    }
    return j;
}

/* May FIRST take the rest behind its own bytes, without moving? */
static bool join_fits(const struct um_crdt *doc, const struct join *j)
{
    const struct item *a = item_at(doc, j->first);
    const struct client *c = &doc->clients.v[a->client];

    if ((a->flags & F_TAIL_HALF) != 0)
        return false;
    if (c->run_item == j->first)
        return a->content + j->bytes <= c->run_end;
    return false;
}

/* The chain's bytes as one run. When the bytes behind FIRST leave room they go there, else all moves to the
 * arena's end, with room to grow for a run that is being typed. False: no memory, nothing has changed. */
static bool content_join(struct um_crdt *doc, const struct join *j)
{
    struct item *a = item_at(doc, j->first);
    struct client *c = &doc->clients.v[a->client];
    struct item *b = item_at(doc, j->last);
    bool grows = a->clock + a->len == b->clock && b->clock + b->len == c->state && a->kind == KIND_STRING;
    size_t slack = grows ? j->bytes / 2 + 8 : 0;
    uint8_t *p;
    uint32_t to;

    if (join_fits(doc, j)) {
        p = doc->content.v + a->content + a->bytes;
        for (uint32_t i = a->right;; i = item_at(doc, i)->right) {
            struct item *it = item_at(doc, i);

            p = body_copy(doc, p, it, true, i != j->last);
            content_drop(doc, it);
            if (i == j->last)
                break;
        }
        doc->garbage -= (uint32_t)UM_MIN(doc->garbage, j->bytes - a->bytes);
        a->bytes = (uint32_t)j->bytes;
        return true;
    }
    if (content_reserve(doc, j->bytes + slack) != UM_OK)
        return false;
    to = doc->content.n;
    p = doc->content.v + to;
    for (uint32_t i = j->first;; i = item_at(doc, i)->right) {
        struct item *it = item_at(doc, i);

        p = body_copy(doc, p, it, i != j->first, i != j->last);
        doc->garbage += it->bytes;
        if (i == j->last)
            break;
    }
    doc->content.n += (uint32_t)(j->bytes + slack);
    doc->garbage += (uint32_t)slack;
    a->content = to;
    a->bytes = (uint32_t)j->bytes;
    if (grows) {
        c->run_item = j->first;
        c->run_end = doc->content.n;
    }
    return true;
}

/* Joins the items FIRST..LAST of one client into FIRST. */
static bool items_join(struct um_crdt *doc, uint32_t first, uint32_t last)
{
    struct join j = join_measure(doc, first, last);
    struct item *a = item_at(doc, first), *b = item_at(doc, last);
    uint32_t i = a->right, end = b->right;
    struct client *c = &doc->clients.v[a->client];

    if (a->kind != KIND_DELETED) {
        bool at_run = c->run_item == last;

        if (j.adjacent) {
            if (a->bytes == 0)
                for (uint32_t k = i; a->bytes == 0 && k != end; k = item_at(doc, k)->right)
                    a->content = item_at(doc, k)->bytes > 0 ? item_at(doc, k)->content : a->content,
                    a->bytes = item_at(doc, k)->bytes;
            a->bytes = (uint32_t)j.bytes;
            if (at_run)
                c->run_item = first;
        } else if (!content_join(doc, &j)) {
            return false;
        }
    }
    a->flags = (a->flags & ~F_TAIL_HALF) | (b->flags & F_TAIL_HALF);
    a->len = b->clock + b->len - a->clock;
    while (i != end) {
        uint32_t next = item_at(doc, i)->right;

        posindex_absorb(doc, first, i);
        a->flags |= item_at(doc, i)->flags & F_KEEP;
        item_free(doc, i);
        i = next;
    }
    a->right = end;
    if (end != NONE)
        item_at(doc, end)->left = first;
    else if (item_is_keyed(a))
        doc->slots.v[a->parent].tail = first;
    return true;
}

uint32_t merge_lefts(struct um_crdt *doc, struct cursor *at)
{
    struct cursor lo = *at, left = lo;
    uint32_t n = 0, last = cursor_entry(*at)->ref, first;

    while (cursor_prev(&left) && entries_may_join(doc, left, lo)) {
        lo = left;
        n++;
    }
    if (n == 0)
        return 0;
    first = cursor_entry(lo)->ref;
    if (cursor_entry(*at)->clock > client_before(doc, (uint32_t)(at->c - doc->clients.v)))
        doc->tx->odd = true;              /* new structs became one: the event differs from what came */
    if (first != REF_GC && !items_join(doc, first, last))
        return 0;
    *at = index_remove_after(doc, lo, n);
    return n;
}
