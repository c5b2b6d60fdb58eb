/* Taking back a step: what it inserted is deleted, what it deleted is made anew.
 *
 * An item made anew is an ordinary item of the author's with a copy of the content, put where the old one stands, and
 * linked to it (redone.h). When the type around it is gone as well, that comes first, if the same step deleted it. All
 * follows yjs' redoItem, so that the update is the same.
 *
 * Everything is reserved before the first change. Cuts: at the borders of the step's ranges, and wherever a link of
 * a redone item leads into the middle of an item; a cut in a redone item makes a link to such a place, which is
 * followed in turn. */
#include "undo.h"
#include <stdlib.h>
#include "edit.h"
#include "redone.h"

/* ---- before the change: what it takes ------------------------------------------------------------------ */

/* A cut may be made in front of CLOCK, and then where the redone items lead from there. */
static um_err cut_survey(struct um_crdt *doc, uint32_t client, uint32_t clock)
{
    for (;;) {
        const struct redone_entry *e;
        uint32_t i;
        um_err err;

        if (clock >= doc->clients.v[client].state || (i = item_holding(doc, client, clock)) == NONE ||
            item_at(doc, i)->clock == clock)
            return UM_OK;
        if ((err = edit_cut_note(doc, i)) != UM_OK || (e = redone_get(doc, i)) == NULL)
            return err;
        clock = e->clock + (clock - item_at(doc, i)->clock);
        client = e->client;
    }
}

static um_err links_survey(struct um_crdt *doc)
{
    um_err err = UM_OK;

    for (uint32_t i = 0; i < doc->redone.cap && doc->redone.n > 0 && err == UM_OK; i++)
        if (doc->redone.v[i].item != NONE)
            err = cut_survey(doc, doc->redone.v[i].client, doc->redone.v[i].clock);
    return err;
}

/* Counts the items of a set; NEED: and what copies of them take. */
static um_err set_survey(struct um_crdt *doc, const struct id_set *s, uint64_t *items, struct need *need)
{
    um_err err = UM_OK;

    for (uint32_t k = 0; k < s->v.n && err == UM_OK; k++) {
        const struct span32 *g = &s->v.v[k];
        struct cursor at;

        if (g->clock >= doc->clients.v[g->client].state)
            continue;
        if ((err = cut_survey(doc, g->client, g->clock)) != UM_OK ||
            (err = cut_survey(doc, g->client, g->clock + g->len)) != UM_OK)
            return err;
        at = index_find(&doc->clients.v[g->client], g->clock);
        do {
            const struct entry *e = cursor_entry(at);
            const struct item *it;

            if (e->clock >= g->clock + g->len)
                break;
            if (e->ref == REF_GC)
                continue;
            it = item_at(doc, e->ref);
            (*items)++;
            need->items++;
            need->units += it->len;
            need->content += it->kind == KIND_TYPE ? 0 : it->bytes;
            need->types += it->kind == KIND_TYPE;
            need->slots += item_is_keyed(it);
        } while (cursor_next(&at));
    }
    return err;
}

um_err step_prepare(struct um_crdt_undo *um, const struct step *step)
{
    struct um_crdt *doc = um->doc;
    struct need need = { 0 }, ignored = { 0 };
    uint64_t n_delete = 0, n_redo = 0;
    um_err err;

    doc->edit->cuts.n = 0;
    if ((err = set_survey(doc, &step->inserted, &n_delete, &ignored)) != UM_OK ||
        (err = set_survey(doc, &step->deleted, &n_redo, &need)) != UM_OK || (err = links_survey(doc)) != UM_OK)
        return err;
    um->to_delete.n = um->to_redo.n = um->redo_sorted.n = um->chain.n = 0;
    if ((n_delete > 0 && !vec_room(&doc->mem, &um->to_delete, n_delete)) ||
        (n_redo > 0 && (!vec_room(&doc->mem, &um->to_redo, n_redo) || !vec_room(&doc->mem, &um->redo_sorted,
                                                                                n_redo))) ||
        !vec_room(&doc->mem, &um->chain, n_redo + 1) || !redone_room(doc, n_redo + doc->edit->cuts.n))
        return UM_ENOMEM;
    return edit_reserve(doc, &need);
}

/* ---- what is to be done -------------------------------------------------------------------------------- */

static void delete_visit(struct um_crdt_undo *um, uint32_t item, const void *arg)
{
    struct um_crdt *doc = um->doc;
    const struct item *it = item_at(doc, item);
    uint32_t offset;

    (void)arg;
    if (item_is_redone(it)) {
        if ((item = redone_follow(doc, it->client, it->clock, &offset)) == NONE)
            return;
        it = item_at(doc, item);
        if (offset > 0)
            item = item_starting(doc, it->client, it->clock + offset);
        it = item_at(doc, item);
    }
    if (!item_is_deleted(it) && item_in_scope(um, it))
        um->to_delete.v[um->to_delete.n++] = item;
}

/* Not what the step itself had inserted before. */
static void redo_visit(struct um_crdt_undo *um, uint32_t item, const void *arg)
{
    const struct step *step = arg;
    const struct item *it = item_at(um->doc, item);

    if (item_in_scope(um, it) && !id_set_has(&step->inserted, it->client, it->clock))
        um->to_redo.v[um->to_redo.n++] = item;
}

static int item_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static bool is_to_be_redone(const struct um_crdt_undo *um, uint32_t item)
{
    return um->redo_sorted.n > 0 &&
           bsearch(&item, um->redo_sorted.v, um->redo_sorted.n, sizeof(item), item_order) != NULL;
}

/* ---- one item ------------------------------------------------------------------------------------------ */

/* The item that begins where I's link leads; NONE: no link, or collected. */
static uint32_t link_next(struct um_crdt *doc, uint32_t i)
{
    const struct redone_entry *e = redone_get(doc, i);

    return e == NULL ? NONE : item_starting(doc, e->client, e->clock);
}

static uint32_t holder_of(const struct um_crdt *doc, uint32_t i) { return item_type(doc, item_at(doc, i))->item; }

/* The type that the copy of I goes into: I's own, or what was made of it. False: it is gone. */
static bool parent_find(struct um_crdt *doc, uint32_t i, uint32_t *holder, uint32_t *type)
{
    *holder = holder_of(doc, i);
    if (*holder == NONE || !item_is_deleted(item_at(doc, *holder))) {
        *type = (uint32_t)(item_type(doc, item_at(doc, i)) - doc->types.v);
        return true;
    }
    while (item_is_redone(item_at(doc, *holder)))
        if ((*holder = link_next(doc, *holder)) == NONE)
            return false;
    *type = item_at(doc, *holder)->content;
    return item_at(doc, *holder)->kind == KIND_TYPE;
}

/* I, or what was made of it, in the type that HOLDER holds; NONE. */
static uint32_t trace(struct um_crdt *doc, uint32_t i, uint32_t holder)
{
    while (i != NONE && holder_of(doc, i) != holder)
        i = link_next(doc, i);
    return i;
}

struct redo_place {
    uint32_t holder, type, slot;      /* slot NONE: the list */
    uint32_t left, right;
};

static void list_place(struct um_crdt *doc, uint32_t i, struct redo_place *p)
{
    uint32_t at;

    for (at = item_at(doc, i)->left; at != NONE; at = item_at(doc, at)->left)
        if ((p->left = trace(doc, at, p->holder)) != NONE)
            break;
    for (at = i; at != NONE; at = item_at(doc, at)->right)
        if ((p->right = trace(doc, at, p->holder)) != NONE)
            break;
}

/* May I's value take the place of the item I, which stands further right under the same key? */
static bool may_replace(const struct um_crdt_undo *um, const struct step *step, uint32_t i)
{
    const struct item *it = item_at(um->doc, i);

    if (item_is_redone(it) || id_set_has(&step->inserted, it->client, it->clock))
        return true;
    for (uint32_t k = 0; k < um->undo.n; k++)
        if (id_set_has(&um->undo.v[k].deleted, it->client, it->clock))
            return true;
    for (uint32_t k = 0; k < um->redo.n; k++)
        if (id_set_has(&um->redo.v[k].deleted, it->client, it->clock))
            return true;
    return false;
}

/* False: somebody else has set the key since. */
static bool key_place(struct um_crdt_undo *um, const struct step *step, uint32_t i, struct redo_place *p)
{
    struct um_crdt *doc = um->doc;
    uint32_t left = i;

    p->slot = slot_get(doc, p->type, doc->slots.v[item_at(doc, i)->parent].key);
    if (item_at(doc, i)->right == NONE || um->conf.ignore_remote_map_changes) {
        left = doc->slots.v[p->slot].tail;
    } else {
        while (item_at(doc, left)->right != NONE && may_replace(um, step, item_at(doc, left)->right)) {
            left = item_at(doc, left)->right;
            while (item_is_redone(item_at(doc, left)))
                if ((left = link_next(doc, left)) == NONE)
                    return false;
        }
        if (item_at(doc, left)->right != NONE)
            return false;
    }
    if (left != NONE && holder_of(doc, left) != p->holder)
        left = doc->slots.v[p->slot].tail;
    p->left = left;
    return true;
}

/* A copy of I's content in a new item of the author's. */
static uint32_t item_copy(struct um_crdt *doc, uint32_t i, const struct redo_place *p)
{
    uint32_t n = item_new(doc), author = doc->edit->author;
    struct item *it = item_at(doc, n);
    const struct item *old = item_at(doc, i);

    *it = (struct item){ .client = author & (CLIENTS_MAX - 1), .clock = doc->clients.v[author].state,
                         .kind = old->kind, .len = old->len,
                         .flags = old->flags & (F_KEYED | F_HEAD_HALF | F_TAIL_HALF),
                         .parent = p->slot != NONE ? p->slot : p->type, .left = NONE, .right = NONE,
                         .origin_client = NONE, .right_client = NONE };
    if (p->left != NONE) {
        it->origin_client = item_at(doc, p->left)->client;
        it->origin_clock = item_at(doc, p->left)->clock + item_at(doc, p->left)->len - 1;
    }
    if (p->right != NONE) {
        it->right_client = item_at(doc, p->right)->client;
        it->right_clock = item_at(doc, p->right)->clock;
    }
    if (old->kind == KIND_TYPE) {
        const struct type *t = &doc->types.v[old->content];

        it->content = type_new(doc, t->kind, t->name, n);
    } else {
        it->content = content_put(doc, item_body(doc, old));
        it->bytes = old->bytes;
    }
    return n;
}

/* Makes I anew; what holds it has been. False: its place is gone. */
static bool item_redo(struct um_crdt_undo *um, const struct step *step, uint32_t i)
{
    struct um_crdt *doc = um->doc;
    struct redo_place p = { .slot = NONE, .left = NONE, .right = NONE };
    const struct item *it;
    uint32_t n;

    if (!parent_find(doc, i, &p.holder, &p.type))
        return false;
    if (!item_is_keyed(item_at(doc, i)))
        list_place(doc, i, &p);
    else if (!key_place(um, step, i, &p))
        return false;
    n = item_copy(doc, i, &p);
    it = item_at(doc, n);
    redone_set(doc, i, it->client, it->clock);
    item_keep(doc, n, true);
    item_enter_between(doc, n, p.left, p.right, p.type);
    return true;
}

/* Makes I anew, after the deleted items that it lies in as far as the step deleted them, outermost first. */
static bool redo(struct um_crdt_undo *um, const struct step *step, uint32_t i)
{
    struct um_crdt *doc = um->doc;

    if (item_is_redone(item_at(doc, i)))
        return true;
    um->chain.n = 0;
    for (;;) {
        um->chain.v[um->chain.n++] = i;
        i = holder_of(doc, i);
        if (i == NONE || !item_is_deleted(item_at(doc, i)) || item_is_redone(item_at(doc, i)))
            break;
        if (!is_to_be_redone(um, i))
            return false;
    }
    while (um->chain.n > 0)
        if (!item_redo(um, step, um->chain.v[--um->chain.n]))
            return false;
    return true;
}

/* ---- one step ------------------------------------------------------------------------------------------ */

static bool may_delete(const struct um_crdt_undo *um, uint32_t i)
{
    const struct um_crdt *doc = um->doc;
    const struct item *it = item_at(doc, i);
    struct um_crdt_undo_item shown = { .client = doc->clients.v[it->client].id, .clock = it->clock, .len = it->len,
                                       .is_type = it->kind == KIND_TYPE };

    if (um->conf.may_delete == NULL)
        return true;
    shown.parent = type_named(doc, (uint32_t)(item_type(doc, it) - doc->types.v));
    if (item_is_keyed(it))
        shown.key = name_text(doc, doc->slots.v[it->parent].key);
    return um->conf.may_delete(um->conf.arg, &shown);
}

bool step_take_back(struct um_crdt_undo *um, const struct step *step)
{
    bool done = false;

    for (uint32_t k = 0; k < step->inserted.v.n; k++)
        range_visit(um, &step->inserted.v.v[k], delete_visit, NULL);
    for (uint32_t k = 0; k < step->deleted.v.n; k++)
        range_visit(um, &step->deleted.v.v[k], redo_visit, step);
    if (um->to_redo.n > 0) {
        memcpy(um->redo_sorted.v, um->to_redo.v, um->to_redo.n * sizeof(uint32_t));
        um->redo_sorted.n = um->to_redo.n;
        qsort(um->redo_sorted.v, um->redo_sorted.n, sizeof(uint32_t), item_order);
    }
    for (uint32_t k = 0; k < um->to_redo.n; k++)
        done |= redo(um, step, um->to_redo.v[k]);
    for (uint32_t k = um->to_delete.n; k > 0; k--) {     /* children before what holds them */
        if (!may_delete(um, um->to_delete.v[k - 1]))
            continue;
        item_delete(um->doc, um->to_delete.v[k - 1]);
        done = true;
    }
    return done;
}
