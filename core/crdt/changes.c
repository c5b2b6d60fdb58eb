/* Telling an observer what a transaction changed. While somebody listens, integration and deletion note (type, key)
 * and sub-documents; when the transaction has ended, before anything is collected, the notes become a list of
 * changes in the order in which yjs calls deep observers. Values and deltas are computed when they are asked for.
 *
 * Notes are best effort: lack of memory loses some and says so (`incomplete`), the document is never affected. */
#include "changes.h"
#include "snapshot.h"
#include <stdlib.h>

/* ---- noting, within the transaction -------------------------------------------------------------------- */

/* Only types that were there before and have not been deleted meanwhile: what is within new ones is new anyway. */
void change_note(struct um_crdt *doc, const struct item *it)
{
    uint32_t slot = item_is_keyed(it) ? it->parent : NONE, type = slot != NONE ? doc->slots.v[slot].type : it->parent;
    const struct type *t = &doc->types.v[type];
    struct tx *tx = doc->tx;

    if (t->item != NONE) {
        const struct item *holder = item_at(doc, t->item);

        if (item_is_deleted(holder) || holder->clock >= client_before(doc, holder->client))
            return;
    }
    if (tx->notes.n > 0 && tx->notes.v[tx->notes.n - 1].type == type && tx->notes.v[tx->notes.n - 1].slot == slot)
        return;
    if (vec_room(&doc->mem, &tx->notes, 1))
        tx->notes.v[tx->notes.n++] = (struct note){ type, slot, tx->notes.n };
    else
        tx->notes_lost = true;
}

void subdoc_note(struct um_crdt *doc, uint32_t item, bool removed)
{
    struct tx *tx = doc->tx;

    if (vec_room(&doc->mem, &tx->subdocs, 1))
        tx->subdocs.v[tx->subdocs.n++] = (struct subdoc_note){ item, removed };
    else
        tx->notes_lost = true;
}

/* ---- the transaction's deletions ----------------------------------------------------------------------- */

static int span_order(const void *a, const void *b)
{
    const struct span32 *x = a, *y = b;

    if (x->client != y->client)
        return x->client < y->client ? -1 : 1;
    return (x->clock > y->clock) - (x->clock < y->clock);
}

static um_err deleted_take(struct tx_changes *ch)
{
    const struct tx *tx = ch->doc->tx;

    if (tx->deleted.n == 0)
        return UM_OK;
    if (!vec_room(&ch->mem, &ch->deleted, tx->deleted.n))
        return UM_ENOMEM;
    ch->deleted.n = tx->deleted.n;
    memcpy(ch->deleted.v, tx->deleted.v, tx->deleted.n * sizeof(*ch->deleted.v));
    qsort(ch->deleted.v, ch->deleted.n, sizeof(*ch->deleted.v), span_order);
    return UM_OK;
}

bool was_deleted(const struct tx_changes *ch, const struct item *it)
{
    uint32_t lo = 0, hi = ch->deleted.n;
    const struct span32 key = { it->client, it->clock, 0 };

    if (!item_is_deleted(it))
        return false;
    while (lo < hi) {                     /* the last span that does not begin behind it */
        uint32_t mid = lo + (hi - lo) / 2;

        if (span_order(&ch->deleted.v[mid], &key) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && ch->deleted.v[lo - 1].client == it->client &&
           it->clock - ch->deleted.v[lo - 1].clock < ch->deleted.v[lo - 1].len;
}

/* ---- notes to changes ---------------------------------------------------------------------------------- */

static int note_order(const void *a, const void *b)
{
    const struct note *x = a, *y = b;

    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    if (x->slot != y->slot)
        return x->slot < y->slot ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static um_err notes_take(struct tx_changes *ch)
{
    const struct tx *tx = ch->doc->tx;
    uint32_t n = 0;

    if (tx->notes.n == 0)
        return UM_OK;
    if (!vec_room(&ch->mem, &ch->notes, tx->notes.n))
        return UM_ENOMEM;
    memcpy(ch->notes.v, tx->notes.v, tx->notes.n * sizeof(*ch->notes.v));
    qsort(ch->notes.v, tx->notes.n, sizeof(*ch->notes.v), note_order);
    for (uint32_t i = 0; i < tx->notes.n; i++) {
        const struct note *last = n > 0 ? &ch->notes.v[n - 1] : NULL;

        if (last == NULL || last->type != ch->notes.v[i].type || last->slot != ch->notes.v[i].slot)
            ch->notes.v[n++] = ch->notes.v[i];
    }
    ch->notes.n = n;
    return UM_OK;
}

static um_err change_add(struct tx_changes *ch, uint32_t first, uint32_t n)
{
    struct change c = { .type = ch->notes.v[first].type, .first = first, .n = n, .seq = NONE };
    uint32_t item = ch->doc->types.v[c.type].item, *root_seq;
    um_err err;

    if (item != NONE && item_is_deleted(item_at(ch->doc, item)))
        return UM_OK;
    if ((err = places_add(ch, c.type, &c.place)) != UM_OK)
        return err;
    for (uint32_t i = first; i < first + n; i++)
        c.seq = UM_MIN(c.seq, ch->notes.v[i].seq);
    root_seq = &ch->places.v[ch->places.v[c.place].root].seq;
    *root_seq = UM_MIN(*root_seq, c.seq);
    if (!vec_room(&ch->mem, &ch->v, 1))
        return UM_ENOMEM;
    ch->v.v[ch->v.n++] = c;
    return UM_OK;
}

static int change_order(const void *a, const void *b, void *ctx)
{
    const struct change *x = a, *y = b;
    const struct tx_changes *ch = ctx;
    uint32_t i = ch->places.v[ch->places.v[x->place].root].seq, k = ch->places.v[ch->places.v[y->place].root].seq;

    if (i != k)
        return i < k ? -1 : 1;
    i = ch->doc->types.v[x->type].depth;
    k = ch->doc->types.v[y->type].depth;
    if (i != k)
        return i < k ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

static struct um_crdt_change change_shown(const struct tx_changes *ch, const struct change *c)
{
    const struct um_crdt *doc = ch->doc;
    const struct place *root = &ch->places.v[ch->places.v[c->place].root];
    bool list = ch->notes.v[c->first + c->n - 1].slot == NONE;

    return (struct um_crdt_change){
        .type = type_named(doc, c->type),
        .kind = (enum um_crdt_kind)doc->types.v[c->type].kind,
        .root = name_text(doc, doc->types.v[root->type].name),
        .list = list,
        .keys = c->n > list,
    };
}

static um_err changes_collect(struct tx_changes *ch)
{
    um_err err;

    if ((err = deleted_take(ch)) != UM_OK || (err = notes_take(ch)) != UM_OK)
        return err;
    for (uint32_t from = 0, to; from < ch->notes.n && err == UM_OK; from = to) {
        for (to = from; to < ch->notes.n && ch->notes.v[to].type == ch->notes.v[from].type;)
            to++;
        err = change_add(ch, from, to - from);
    }
    if (err != UM_OK)
        return err;
    if (ch->v.n > 0)
        qsort_r(ch->v.v, ch->v.n, sizeof(*ch->v.v), change_order, ch);
    if (ch->v.n > 0 && !vec_room(&ch->mem, &ch->shown_v, ch->v.n))
        return UM_ENOMEM;
    for (uint32_t i = 0; i < ch->v.n; i++)
        ch->shown_v.v[i] = change_shown(ch, &ch->v.v[i]);
    return UM_OK;
}

/* ---- sub-documents ------------------------------------------------------------------------------------- */

/* One that came and went is in none of the sets; but who asked to have it loaded is told so, as in yjs. */
static bool subdoc_is(const struct tx_changes *ch, const struct subdoc_note *note, enum um_crdt_subdoc_action action)
{
    const struct item *it = item_at(ch->doc, note->item);

    switch (action) {
    case UM_CRDT_SUBDOC_LOADED:  return !note->removed && sub_document_loads(item_body(ch->doc, it));
    case UM_CRDT_SUBDOC_ADDED:   return !note->removed && !item_is_deleted(it);
    case UM_CRDT_SUBDOC_REMOVED: return note->removed && !was_added(ch, it);
    }
    return false;
}

static um_err subdocs_collect(struct tx_changes *ch)
{
    const struct tx *tx = ch->doc->tx;

    for (enum um_crdt_subdoc_action a = UM_CRDT_SUBDOC_LOADED; a <= UM_CRDT_SUBDOC_REMOVED; a++) {
        for (uint32_t i = 0; i < tx->subdocs.n; i++) {
            uint32_t item = tx->subdocs.v[i].item;
            struct rd body = rd_make(item_body(ch->doc, item_at(ch->doc, item)));

            if (!subdoc_is(ch, &tx->subdocs.v[i], a))
                continue;
            if (!vec_room(&ch->mem, &ch->subdocs, 1) || !vec_room(&ch->mem, &ch->subdoc_items, 1))
                return UM_ENOMEM;
            ch->subdocs.v[ch->subdocs.n++] = (struct um_crdt_subdoc_change){ a, rd_bytes(&body) };
            ch->subdoc_items.v[ch->subdoc_items.n++] = item;
        }
    }
    return UM_OK;
}

/* ---- telling ------------------------------------------------------------------------------------------- */

static void changes_free(struct tx_changes *ch)
{
    vec_free(&ch->mem, &ch->notes);
    vec_free(&ch->mem, &ch->v);
    vec_free(&ch->mem, &ch->shown_v);
    vec_free(&ch->mem, &ch->subdocs);
    vec_free(&ch->mem, &ch->subdoc_items);
    vec_free(&ch->mem, &ch->deleted);
    places_free(ch);
}

void changes_tell(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;
    bool cleanup = tx == &doc->txs[1], lost = tx->notes_lost || tx->lost;
    struct tx_changes ch = { .doc = doc };

    if (tx->notes.n + tx->subdocs.n == 0 && !lost)
        return;
    mem_init(&ch.mem, &doc->mem.alloc);
    if (changes_collect(&ch) != UM_OK || subdocs_collect(&ch) != UM_OK) {
        ch.v.n = ch.subdocs.n = 0;        /* half of them in no order is worth nothing */
        lost = true;
    }
    ch.shown = (struct um_crdt_changes){
        .origin = cleanup ? NULL : doc->origin, .local = tx->local, .incomplete = lost,
        .n = ch.v.n, .v = ch.shown_v.v, .n_subdocs = ch.subdocs.n, .subdocs = ch.subdocs.v, .inside = &ch,
    };
    if (ch.v.n + ch.subdocs.n > 0 || lost) {
        doc->telling = true;
        doc->observer(doc->observer_arg, &ch.shown);
        doc->telling = false;
    }
    changes_free(&ch);
}

void um_crdt_observe(struct um_crdt *doc, um_crdt_observer *cb, void *arg)
{
    UM_ASSERT(!doc->telling);
    doc->observer = cb;
    doc->observer_arg = arg;
}

void um_crdt_set_origin(struct um_crdt *doc, const void *origin)
{
    doc->origin = origin;
}

/* ---- asking, within the callback ----------------------------------------------------------------------- */

um_err um_crdt_change_path(const struct um_crdt_changes *changes, size_t i, struct um_buf *out)
{
    struct tx_changes *ch = changes->inside;
    struct reader r;

    if (i >= ch->v.n)
        return UM_EINVAL;
    reader_begin(&r, ch->doc, UM_CRDT_PLAIN, out);
    r.err = path_emit(&r, ch, ch->v.v[i].place);
    return reader_end(&r);
}

um_err um_crdt_change_delta(const struct um_crdt_changes *changes, size_t i, enum um_crdt_form form,
                            struct um_buf *out)
{
    struct tx_changes *ch = changes->inside;
    struct reader r;

    if (i >= ch->v.n)
        return UM_EINVAL;
    reader_begin(&r, ch->doc, form, out);
    if (changes->v[i].list)
        delta_emit(&r, ch, ch->v.v[i].type);
    else
        emit_text(&r, "[]");
    return reader_end(&r);
}

um_err um_crdt_change_keys(const struct um_crdt_changes *changes, size_t i, enum um_crdt_form form, struct um_buf *out)
{
    struct tx_changes *ch = changes->inside;
    struct reader r;

    if (i >= ch->v.n)
        return UM_EINVAL;
    reader_begin(&r, ch->doc, form, out);
    keys_emit(&r, ch, &ch->v.v[i]);
    return reader_end(&r);
}

static void change_json(struct reader *r, struct tx_changes *ch, uint32_t i)
{
    const struct um_crdt_change *shown = &ch->shown_v.v[i];
    um_err err;

    emit_text(r, i > 0 ? ",{\"root\":" : "{\"root\":");
    emit_json_string(r, shown->root);
    emit_text(r, ",\"path\":");
    if ((err = path_emit(r, ch, ch->v.v[i].place)) != UM_OK)
        r->err = err;
    emit_text(r, ",\"kind\":\"");
    emit_text(r, kind_name(shown->kind));
    emit_text(r, "\"");
    if (shown->list) {
        emit_text(r, ",\"delta\":");
        delta_emit(r, ch, ch->v.v[i].type);
    }
    if (shown->keys) {
        emit_text(r, ",\"keys\":");
        keys_emit(r, ch, &ch->v.v[i]);
    }
    emit_text(r, "}");
}

static void subdocs_json(struct reader *r, const struct tx_changes *ch)
{
    static const char *const label[] = { "\"loaded\":[", "],\"added\":[", "],\"removed\":[" };
    uint32_t i = 0;

    emit_text(r, ",\"subdocs\":{");
    for (unsigned a = 0; a < UM_COUNT(label); a++) {
        emit_text(r, label[a]);
        for (bool begun = false; i < ch->subdocs.n && (unsigned)ch->subdocs.v[i].action == a; i++, begun = true) {
            emit_text(r, begun ? "," : "");
            emit_sub_document(r, item_body(ch->doc, item_at(ch->doc, ch->subdoc_items.v[i])));
        }
    }
    emit_text(r, "]}");
}

um_err um_crdt_changes_json(const struct um_crdt_changes *changes, enum um_crdt_form form, struct um_buf *out)
{
    struct tx_changes *ch = changes->inside;
    struct reader r;

    reader_begin(&r, ch->doc, form, out);
    emit_text(&r, changes->local ? "{\"local\":true" : "{\"local\":false");
    emit_text(&r, changes->incomplete ? ",\"incomplete\":true,\"changes\":[" : ",\"changes\":[");
    for (uint32_t i = 0; i < ch->v.n && r.err == UM_OK; i++)
        change_json(&r, ch, i);
    emit_text(&r, "]");
    if (ch->subdocs.n > 0)
        subdocs_json(&r, ch);
    emit_text(&r, "}");
    return reader_end(&r);
}
