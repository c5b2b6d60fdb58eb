/* Items in segments of fixed size (numbers stay, segments never move except the first while it is small), and
 * the bytes of their contents in one growing arena. */
#include "redone.h"

#define SEGMENT_FIRST 8u
#define GARBAGE_MIN 1024u             /* below this compacting is not worth a pass */

/* ---- items --------------------------------------------------------------------------------------------- */

static size_t segment_size(const struct items *s, uint32_t k)
{
    return (size_t)(k == 0 ? s->first_cap : ITEM_SEGMENT) * sizeof(struct item);
}

static uint32_t items_room(const struct items *s)
{
    return s->n_seg == 0 ? 0 : s->first_cap + (s->n_seg - 1) * ITEM_SEGMENT;
}

static um_err first_segment_grow(struct um_crdt *doc, uint64_t need)
{
    struct items *s = &doc->items;
    uint32_t cap = s->first_cap == 0 ? SEGMENT_FIRST : s->first_cap;
    struct item *seg;

    while (cap < need && cap < ITEM_SEGMENT)
        cap *= 2;
    if (cap == s->first_cap)
        return UM_OK;
    seg = mem_resize(&doc->mem, s->n_seg > 0 ? s->seg[0] : NULL, segment_size(s, 0) * (s->n_seg > 0),
                     cap * sizeof(struct item));
    if (seg == NULL)
        return UM_ENOMEM;
    s->seg[0] = seg;
    s->first_cap = cap;
    s->n_seg = UM_MAX(s->n_seg, 1);
    return UM_OK;
}

static um_err segment_add(struct um_crdt *doc)
{
    struct items *s = &doc->items;
    struct item *seg = mem_resize(&doc->mem, NULL, 0, ITEM_SEGMENT * sizeof(struct item));

    if (seg == NULL)
        return UM_ENOMEM;
    s->seg[s->n_seg++] = seg;
    return UM_OK;
}

um_err items_reserve(struct um_crdt *doc, uint64_t n)
{
    struct items *s = &doc->items;
    uint64_t need;
    um_err err;

    if (doc->redone.n > 0 && !redone_room(doc, n))     /* each new item may be a part of one */
        return UM_ENOMEM;
    if (n <= (uint64_t)s->n_free + items_room(s) - s->used)
        return UM_OK;
    need = s->used + (n - s->n_free);
    if (need >= REF_GC)
        return UM_ELIMIT;
    if (need / ITEM_SEGMENT + 1 > s->cap_seg &&
        !mem_vec_room(&doc->mem, &s->seg, &s->cap_seg, need / ITEM_SEGMENT + 1, sizeof(*s->seg)))
        return UM_ENOMEM;
    if (s->first_cap < ITEM_SEGMENT && (err = first_segment_grow(doc, need)) != UM_OK)
        return err;
    while (items_room(s) < need)
        if ((err = segment_add(doc)) != UM_OK)
            return err;
    return UM_OK;
}

void items_trim(struct um_crdt *doc)
{
    struct items *s = &doc->items;

    while (s->n_seg > 1 && items_room(s) - s->used >= 2 * ITEM_SEGMENT) {
        s->n_seg--;
        mem_free(&doc->mem, s->seg[s->n_seg], ITEM_SEGMENT * sizeof(struct item));
    }
}

uint32_t item_new(struct um_crdt *doc)
{
    struct items *s = &doc->items;
    uint32_t i = s->free_head;

    if (i != NONE) {
        s->free_head = item_at(doc, i)->right;
        s->n_free--;
        return i;
    }
    UM_ASSERT(s->used < items_room(s));
    return s->used++;
}

void item_free(struct um_crdt *doc, uint32_t i)
{
    struct item *it = item_at(doc, i);
    struct client *c = &doc->clients.v[it->client];

    if (c->run_item == i)
        c->run_item = NONE;
    if (item_is_redone(it))
        redone_forget(doc, i);
    it->right = doc->items.free_head;
    doc->items.free_head = i;
    doc->items.n_free++;
}

void items_destroy(struct um_crdt *doc)
{
    struct items *s = &doc->items;

    for (uint32_t k = 0; k < s->n_seg; k++)
        mem_free(&doc->mem, s->seg[k], segment_size(s, k));
    mem_free(&doc->mem, s->seg, s->cap_seg * sizeof(*s->seg));
    offsets_drop(doc);
    vec_free(&doc->mem, &doc->regions);
    vec_free(&doc->mem, &doc->content);
    vec_free(&doc->mem, &doc->marks);
}

/* ---- content bytes ------------------------------------------------------------------------------------- */

um_err content_reserve(struct um_crdt *doc, size_t n)
{
    size_t need = doc->content.n + n;

    if (need <= doc->content.cap)
        return UM_OK;
    if (need >= UINT32_MAX)
        return UM_ELIMIT;
    need = UM_MAX(need, doc->content.cap + (size_t)doc->content.cap / 4 + 32);
    if (!mem_vec_room(&doc->mem, &doc->content.v, &doc->content.cap, need, 1))
        return UM_ENOMEM;
    return UM_OK;
}

uint32_t content_put(struct um_crdt *doc, struct um_span body)
{
    uint32_t at = doc->content.n;

    UM_ASSERT(body.len <= doc->content.cap - at);
    if (body.len > 0)
        memcpy(doc->content.v + at, body.data, body.len);
    doc->content.n += (uint32_t)body.len;
    return at;
}

void content_drop(struct um_crdt *doc, struct item *it)
{
    struct client *c = &doc->clients.v[it->client];

    if (it->kind == KIND_TYPE || it->bytes == 0)
        return;
    if (it->content + it->bytes == doc->content.n)
        doc->content.n -= it->bytes;
    else
        doc->garbage += it->bytes;
    if (c->run_item != NONE && item_at(doc, c->run_item) == it)
        c->run_item = NONE;
    it->bytes = 0;
}

/* In index order, so that neighbours in a client's list are neighbours here and join without copying. */
static void content_move(struct um_crdt *doc, uint8_t *to)
{
    uint32_t n = 0;

    for (uint32_t k = 0; k < doc->clients.n; k++) {
        struct client *c = &doc->clients.v[k];

        c->run_item = NONE;
        for (uint32_t d = 0; d < c->n_dir; d++) {
            for (uint32_t i = 0; i < c->dir[d].n; i++) {
                uint32_t ref = c->dir[d].e[i].ref;
                struct item *it;

                if (ref == REF_GC)
                    continue;
                it = item_at(doc, ref);
                if (it->kind == KIND_TYPE || it->bytes == 0)
                    continue;
                memcpy(to + n, doc->content.v + it->content, it->bytes);
                it->content = n;
                n += it->bytes;
            }
        }
    }
    doc->content.n = n;
}

void content_tidy(struct um_crdt *doc)
{
    size_t live = doc->content.n - UM_MIN(doc->garbage, doc->content.n);
    size_t cap = live + live / 8 + 32;
    bool dirty = doc->garbage > GARBAGE_MIN && doc->garbage > doc->content.n / 2;
    uint8_t *to;

    if (dirty && (to = mem_resize(&doc->mem, NULL, 0, cap)) != NULL) {
        content_move(doc, to);
        mem_free(&doc->mem, doc->content.v, doc->content.cap);
        doc->content.v = to;
        doc->content.cap = (uint32_t)cap;
        doc->garbage = 0;
    } else if (doc->content.cap > 4096 && doc->content.cap - doc->content.n > doc->content.cap / 3) {
        cap = doc->content.n + doc->content.n / 8 + 32;
        if ((to = mem_resize(&doc->mem, doc->content.v, doc->content.cap, cap)) != NULL) {
            doc->content.v = to;
            doc->content.cap = (uint32_t)cap;
        }
    }
}
