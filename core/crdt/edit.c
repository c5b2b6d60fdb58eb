/* Local transactions: their beginning and end, references to types, reservation, new items. */
#include "cold.h"
#include "copy.h"
#include "typing.h"
#include "undo.h"
#include <stdlib.h>

/* ---- references ---------------------------------------------------------------------------------------- */

um_err type_open(const struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t kinds, uint32_t *type)
{
    uint32_t holder;

    if ((*type = type_find(doc, ref)) == NONE)
        return UM_ENOTFOUND;
    if ((holder = doc->types.v[*type].item) != NONE && item_is_deleted(item_at(doc, holder)))
        return UM_ENOTFOUND;
    return (KINDS(doc->types.v[*type].kind) & kinds) != 0 ? UM_OK : UM_EINVAL;
}

/* ---- beginning and end --------------------------------------------------------------------------------- */

static um_err edit_make(struct um_crdt *doc)
{
    if (doc->edit != NULL)
        return UM_OK;
    if ((doc->edit = mem_resize(&doc->mem, NULL, 0, sizeof(*doc->edit))) == NULL)
        return UM_ENOMEM;
    memset(doc->edit, 0, sizeof(*doc->edit));
    return UM_OK;
}

um_err um_crdt_begin(struct um_crdt *doc, uint64_t client, const void *origin)
{
    struct edit *e;
    uint32_t n_clients;
    um_err err;

    if (edit_is_open(doc))
        return UM_EBUSY;
    if (client > LIB0_MAX_INT)
        return UM_EINVAL;
    if ((err = thaw(doc)) != UM_OK || (err = edit_make(doc)) != UM_OK)
        return err;
    n_clients = doc->clients.n;
    tx_scratch_trim(doc);
    tx_begin(doc, &doc->txs[0], true);
    e = doc->edit;
    if (e->author < n_clients && doc->clients.v[e->author].id == client)
        err = UM_OK;                      /* as last time */
    else
        err = client_intern(doc, client, &e->author);
    if (err != UM_OK || (err = tx_touch(doc, e->author)) != UM_OK) {
        clients_truncate(doc, n_clients);
        return err;
    }
    e->n_clients = n_clients;
    e->origin = origin;
    e->course = COURSE_NOTHING;
    e->open = true;
    return UM_OK;
}

/* Memory of the calls is kept for the next transaction, unless it was unusually large. */
static void edit_trim(struct um_crdt *doc)
{
    struct edit *e = doc->edit;

    twins_sweep(doc);
    if (e->text.cap > 4096)
        um_buf_free(&e->text);
    if (e->fresh.cap > 16)
        vec_free(&doc->mem, &e->fresh);
    if (e->ops.cap > 16)
        vec_free(&doc->mem, &e->ops);
    if (e->cuts.cap > 64)
        vec_free(&doc->mem, &e->cuts);
}

static void observer_tell(struct um_crdt *doc)
{
    const void *origin = doc->origin;

    if (doc->observer == NULL)
        return;
    doc->origin = doc->edit->origin;
    changes_tell(doc);
    doc->origin = origin;
}

/* After a short way nothing is left to be joined or collected, and the event is known. */
static void commit_short(struct um_crdt *doc, bool want_event, struct um_crdt_applied *out)
{
    const struct edit *e = doc->edit;
    um_err err;

    out->changed = true;
    if (!want_event || doc->tx->lost)
        return;
    um_buf_clear(&doc->event);
    if (e->course == COURSE_TYPED)
        err = typed_event(doc, &doc->clients.v[e->author], e->typed, &doc->event);
    else
        err = taken_event(doc, &doc->event);
    if (err == UM_OK)
        out->event = UM_SPAN(doc->event.data, doc->event.len);
}

static void commit_any(struct um_crdt *doc, bool want_event, struct um_crdt_applied *out)
{
    tx_sort_deleted(doc);
    observer_tell(doc);
    if (doc->undo != NULL)
        undo_note(doc, doc->edit->origin);
    tx_tidy(doc);
    if ((out->changed = tx_changed(doc)) && want_event && !doc->tx->lost) {
        um_buf_clear(&doc->event);
        if (event_encode(doc, &doc->event) == UM_OK)
            out->event = UM_SPAN(doc->event.data, doc->event.len);
    }
    if (doc->undo != NULL)
        undo_settle(doc);
}

um_err um_crdt_commit(struct um_crdt *doc, struct um_crdt_applied *out)
{
    bool want_event = out != NULL || doc->cache.blob != NULL;
    struct um_crdt_applied ignored;

    if (!edit_is_open(doc))
        return UM_ECLOSED;
    if (out == NULL)
        out = &ignored;
    memset(out, 0, sizeof(*out));
    if ((doc->edit->course == COURSE_TYPED || doc->edit->course == COURSE_TAKEN) && !somebody_watches(doc))
        commit_short(doc, want_event, out);
    else
        commit_any(doc, want_event, out);
    tx_settle(doc, out);
    doc->edit->open = false;
    if (doc->clients.v[doc->edit->author].state == 0)
        clients_truncate(doc, doc->edit->n_clients);
    edit_trim(doc);
    return UM_OK;
}

void edit_destroy(struct um_crdt *doc)
{
    struct edit *e = doc->edit;

    if (e == NULL)
        return;
    um_buf_free(&e->text);
    vec_free(&doc->mem, &e->fresh);
    vec_free(&doc->mem, &e->ops);
    vec_free(&doc->mem, &e->cuts);
    marks_destroy(doc);
    mem_free(&doc->mem, e, sizeof(*e));
    doc->edit = NULL;
}

/* ---- one call ------------------------------------------------------------------------------------------ */

um_err edit_start(struct um_crdt *doc, const struct um_crdt_type *ref, uint32_t kinds, uint32_t *type)
{
    struct edit *e = doc->edit;

    if (!edit_is_open(doc))
        return UM_ECLOSED;
    e->course = COURSE_ANY;
    e->cuts.n = e->fresh.n = e->ops.n = 0;
    um_buf_clear(&e->text);
    e->names = names_mark(doc);
    return type_open(doc, ref, kinds, type);
}

um_err edit_end(struct um_crdt *doc, um_err err)
{
    if (err != UM_OK && edit_is_open(doc))
        names_rollback(doc, doc->edit->names);
    return err;
}

um_err edit_cut_note(struct um_crdt *doc, uint32_t item)
{
    struct edit *e = doc->edit;

    if (!vec_room(&doc->mem, &e->cuts, 1))
        return UM_ENOMEM;
    e->cuts.v[e->cuts.n++] = item_at(doc, item)->client;
    return UM_OK;
}

void need_add(struct need *need, const struct fresh *f)
{
    need->items++;
    need->units += f->len;
    need->content += f->to - f->from;
    need->types += f->kind == KIND_TYPE;
    need->slots += f->holder != NONE && f->key != NONE;
}

static int client_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

/* Index entries: for each client as many as it has cuts, for the author the new items as well. */
static um_err entries_reserve(struct um_crdt *doc, const struct need *need)
{
    struct edit *e = doc->edit;
    struct client *author = &doc->clients.v[e->author];
    um_err err = UM_OK;

    doc->need_spare = 0;
    if (e->cuts.n > 1)
        qsort(e->cuts.v, e->cuts.n, sizeof(*e->cuts.v), client_order);
    author->appends = (uint32_t)need->items;
    author->inserts = 0;
    for (uint32_t from = 0, to; from < e->cuts.n && err == UM_OK; from = to) {
        struct client *c = &doc->clients.v[e->cuts.v[from]];

        for (to = from; to < e->cuts.n && e->cuts.v[to] == e->cuts.v[from];)
            to++;
        c->inserts = to - from;
        if (c != author) {
            c->appends = 0;
            err = index_reserve(doc, c);
        }
    }
    if (err == UM_OK && (err = index_reserve(doc, author)) == UM_OK)
        err = index_reserve_chunks(doc);
    return err;
}

um_err edit_reserve(struct um_crdt *doc, const struct need *need)
{
    struct edit *e = doc->edit;
    um_err err;

    if (need->content > doc->limits.update_bytes || doc->n_structs + need->items > doc->limits.structs ||
        need->units > UINT32_MAX - doc->clients.v[e->author].state)
        return UM_ELIMIT;
    if (e->copying && !copy_room(doc, need->items + e->cuts.n))
        return UM_ENOMEM;
    if ((err = entries_reserve(doc, need)) != UM_OK || (err = items_reserve(doc, need->items + e->cuts.n)) != UM_OK ||
        (err = content_reserve(doc, need->content)) != UM_OK)
        return err;
    return types_reserve(doc, need->types, need->slots);
}

/* ---- new items ----------------------------------------------------------------------------------------- */

static uint32_t item_make(struct um_crdt *doc, uint32_t parent, bool keyed, uint32_t left, uint32_t right)
{
    struct edit *e = doc->edit;
    uint32_t i = item_new(doc);
    struct item *it = item_at(doc, i);

    *it = (struct item){ .client = e->author & (CLIENTS_MAX - 1), .clock = doc->clients.v[e->author].state,
                         .parent = parent, .left = NONE, .right = NONE, .origin_client = NONE, .right_client = NONE };
    if (keyed)
        it->flags = F_KEYED;
    if (left != NONE) {
        const struct item *l = item_at(doc, left);

        it->origin_client = l->client;
        it->origin_clock = l->clock + l->len - 1;
    }
    if (right != NONE) {
        const struct item *r = item_at(doc, right);

        it->right_client = r->client;
        it->right_clock = r->clock;
    }
    return i;
}

uint32_t item_place_at(struct um_crdt *doc, uint32_t type, uint32_t left, enum kind kind, uint32_t len,
                       uint32_t content)
{
    uint32_t right = left == NONE ? doc->types.v[type].start : item_at(doc, left)->right;
    uint32_t i = item_make(doc, type, false, left, right);
    struct item *it = item_at(doc, i);

    it->kind = kind & 0xfu;
    it->len = len;
    it->content = content;
    it->bytes = doc->content.n - content;
    item_enter(doc, i, left, type);
    return i;
}

uint32_t item_place(struct um_crdt *doc, uint32_t type, uint32_t slot, uint32_t left, struct fresh *f)
{
    uint32_t right = slot != NONE ? NONE : left == NONE ? doc->types.v[type].start : item_at(doc, left)->right;
    uint32_t i = item_make(doc, slot != NONE ? slot : type, slot != NONE, left, right);
    struct item *it = item_at(doc, i);

    it->kind = f->kind & 0xfu;
    it->len = f->len;
    if (f->kind == KIND_TYPE) {
        it->content = type_new(doc, f->type_kind, f->name, i);
        f->value->ref = type_named(doc, it->content);
        f->made = it->content;
        f->last = NONE;
    } else {
        it->bytes = (uint32_t)(f->to - f->from);
        it->content = content_put(doc, UM_SPAN(doc->edit->text.data + f->from, it->bytes));
    }
    item_enter(doc, i, left, type);
    return i;
}

uint32_t nested_place(struct um_crdt *doc, uint32_t i)
{
    struct edit *e = doc->edit;

    for (; i < e->fresh.n && e->fresh.v[i].holder != NONE; i++) {
        struct fresh *f = &e->fresh.v[i], *holder = &e->fresh.v[f->holder];

        if (f->key != NONE) {
            uint32_t slot = slot_get(doc, holder->made, f->key);

            item_place(doc, holder->made, slot, doc->slots.v[slot].tail, f);
        } else {
            holder->last = item_place(doc, holder->made, NONE, holder->last, f);
        }
    }
    return i;
}
