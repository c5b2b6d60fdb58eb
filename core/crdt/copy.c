/* Becoming: roots, the stack of pairs of types, and taking everything back when something goes wrong. */
#include "cold.h"
#include "copy.h"
#include <umbel/util.h>

/* ---- taking back --------------------------------------------------------------------------------------- */

/* Deletions and cuts are noted as they happen, each once: there is always room for all that could follow. */
bool copy_room(struct um_crdt *doc, uint64_t n)
{
    uint64_t most = doc->items.used + n;

    return most < UINT32_MAX && vec_room(&doc->mem, &doc->tx->deleted, most) && vec_room(&doc->mem, &doc->tx->splits, most);
}

static void take_back(struct um_crdt *doc, struct names_mark mark, uint32_t n_twins)
{
    tx_rollback(doc);
    twins_truncate(doc, n_twins);
    doc->tx->notes.n = doc->tx->subdocs.n = 0;
    doc->tx->notes_lost = false;
    doc->tx->entered = NONE;
    names_rollback(doc, mark);
}

/* ---- roots --------------------------------------------------------------------------------------------- */

enum content { CONTENT_NONE, CONTENT_TYPES, CONTENT_LIST, CONTENT_TEXT };      /* types: a list or a text */

/* What a root's list shows. */
static enum content content_of(const struct um_crdt *doc, uint32_t type)
{
    enum content found = CONTENT_NONE;

    for (uint32_t i = doc->types.v[type].start; i != NONE; i = item_at(doc, i)->right) {
        const struct item *it = item_at(doc, i);

        if (!item_is_visible(it))
            continue;
        if (it->kind == KIND_STRING || it->kind == KIND_EMBED)
            return CONTENT_TEXT;
        found = UM_MAX(found, it->kind == KIND_TYPE ? CONTENT_TYPES : CONTENT_LIST);
    }
    return found;
}

/* The same, as the declaration says where there is one. */
static enum content content_meant(const struct um_crdt *doc, uint32_t type)
{
    enum content shown = content_of(doc, type);
    uint8_t kind = doc->types.v[type].kind;

    if (kind == UM_CRDT_UNTYPED)
        return shown;
    return kind_is_text(kind) ? CONTENT_TEXT : kind_has_list(kind) ? CONTENT_LIST : CONTENT_NONE;
}

static um_err root_empty(struct um_crdt *doc, uint32_t type)
{
    const struct type *t = &doc->types.v[type];

    if (!copy_room(doc, 0))
        return UM_ENOMEM;
    for (uint32_t i = t->start; i != NONE; i = item_at(doc, i)->right)
        item_delete(doc, i);
    for (uint32_t slot = t->first_slot; slot != NONE; slot = doc->slots.v[slot].next)
        if (doc->slots.v[slot].tail != NONE)
            item_delete(doc, doc->slots.v[slot].tail);
    return UM_OK;
}

/* Roots that nobody declared may have a list and entries; neither is left out. */
static um_err root_become(struct copy *c, uint32_t type, uint32_t target)
{
    uint8_t a = c->doc->types.v[type].kind, b = c->to.doc->types.v[target].kind;
    enum content x = content_meant(c->doc, type), y = content_meant(c->to.doc, target);
    uint8_t kind = a != UM_CRDT_UNTYPED ? a : b;
    um_err err = UM_OK;

    if (a != UM_CRDT_UNTYPED && b != UM_CRDT_UNTYPED && a != b)
        return UM_EINVAL;
    if (x >= CONTENT_LIST && y >= CONTENT_LIST && x != y)
        return UM_EINVAL;
    if (kind == UM_CRDT_UNTYPED || kind_has_list(kind)) {
        if (x == CONTENT_TEXT || y == CONTENT_TEXT)
            err = text_become(c, type, target);
        else
            err = list_become(c, type, target);
    }
    if (err == UM_OK && (kind == UM_CRDT_UNTYPED || kind_has_entries(kind)))
        err = entries_become(c, type, target);
    return err;
}

static bool root_shows(const struct um_crdt *doc, uint32_t type)
{
    if (content_of(doc, type) != CONTENT_NONE)
        return true;
    for (uint32_t slot = doc->types.v[type].first_slot; slot != NONE; slot = doc->slots.v[slot].next)
        if (slot_item(doc, slot) != NONE)
            return true;
    return false;
}

static um_err target_root(struct copy *c, uint32_t target)
{
    const struct um_crdt *to = c->to.doc;
    struct um_span name = name_text(to, to->types.v[target].name);
    uint32_t type = root_find(c->doc, name);
    um_err err = UM_OK;

    if (type == NONE && !root_shows(to, target))
        return UM_OK;
    if (type == NONE)
        err = root_intern(c->doc, name, &type);
    return err == UM_OK ? root_become(c, type, target) : err;
}

/* ---- types --------------------------------------------------------------------------------------------- */

um_err copy_push(struct copy *c, uint32_t type, uint32_t target)
{
    if (!vec_room(c->mem, &c->work, 1))
        return UM_ENOMEM;
    c->work.v[c->work.n++] = (struct type_pair){ type, target };
    return UM_OK;
}

/* Of the same kind. */
static um_err pair_become(struct copy *c, uint32_t type, uint32_t target)
{
    uint8_t kind = c->doc->types.v[type].kind;
    um_err err = UM_OK;

    if (kind_is_text(kind))
        err = text_become(c, type, target);
    else if (kind_has_list(kind))
        err = list_become(c, type, target);
    return err == UM_OK && kind_has_entries(kind) ? entries_become(c, type, target) : err;
}

static um_err work_off(struct copy *c)
{
    um_err err = UM_OK;

    while (c->work.n > 0 && err == UM_OK) {
        struct type_pair p = c->work.v[--c->work.n];

        err = pair_become(c, p.type, p.target);
    }
    return err;
}

static um_err become(struct copy *c)
{
    uint32_t n_roots = c->doc->roots.n;
    um_err err;

    if ((err = side_hash(c, &c->from)) != UM_OK || (err = side_hash(c, &c->to)) != UM_OK)
        return err;
    for (uint32_t i = 0; i < n_roots && err == UM_OK; i++) {
        uint32_t type = c->doc->roots.v[i];

        if (root_find(c->to.doc, name_text(c->doc, c->doc->types.v[type].name)) == NONE)
            err = root_empty(c->doc, type);
    }
    for (uint32_t i = 0; i < c->to.doc->roots.n && err == UM_OK; i++)
        if ((err = target_root(c, c->to.doc->roots.v[i])) == UM_OK)
            err = work_off(c);
    return err;
}

static um_err copy_run(struct um_crdt *doc, const struct um_crdt *target)
{
    struct copy c = { .doc = doc, .mem = &doc->mem, .from.doc = doc, .to.doc = target,
                      .align = { .max_edits = COPY_EDITS, .steps = COPY_STEPS } };
    um_err err;

    um_random_bytes(c.key, sizeof(c.key));
    err = become(&c);
    vec_free(c.mem, &c.from.hashes);
    vec_free(c.mem, &c.to.hashes);
    vec_free(c.mem, &c.work);
    um_buf_free(&c.bytes);
    um_buf_free(&c.more);
    value_room_free(&c.room);
    return err;
}

um_err um_crdt_become(struct um_crdt *doc, const struct um_crdt *target)
{
    uint32_t limit = doc->limits.update_bytes, n_twins;
    struct names_mark mark;
    um_err err;

    if (!edit_is_open(doc))
        return UM_ECLOSED;
    if (doc->edit->course == COURSE_TYPED || doc->edit->course == COURSE_TAKEN || tx_changed(doc) || doc->tx->splits.n > 0)
        return UM_EBUSY;
    if (target == doc)
        return UM_OK;
    if ((err = thaw(target)) != UM_OK)
        return err;
    doc->edit->course = COURSE_ANY;
    doc->edit->copying = true;
    doc->limits.update_bytes = UINT32_MAX;
    mark = names_mark(doc);
    n_twins = doc->edit->marks.twins.n;
    if ((err = copy_run(doc, target)) != UM_OK)
        take_back(doc, mark, n_twins);
    doc->limits.update_bytes = limit;
    doc->edit->copying = false;
    return err;
}
