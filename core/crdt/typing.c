/* Typing and taking back without items, cuts and joins. The conditions repeat yjs' rules of joining (split.c) for the
 * one neighbour that is concerned; whatever is out of the ordinary goes the long way. */
#include "typing.h"
#include "posindex.h"

/* ---- runs ---------------------------------------------------------------------------------------------- */

/* Is what stands right of RUN the item that it was written in front of? */
static bool right_is_origin(const struct um_crdt *doc, const struct item *run)
{
    const struct item *right;

    if (run->right == NONE || run->right_client == NONE)
        return run->right == NONE && run->right_client == NONE;
    right = item_at(doc, run->right);
    return right->clock == run->right_clock && right->client == run->right_client;
}

uint32_t run_open(struct um_crdt *doc, struct client *c)
{
    struct cursor at = cursor_last(c);
    uint32_t i = cursor_entry(at)->ref;
    const struct item *run;

    if (i == REF_GC)
        return NONE;
    run = item_at(doc, i);
    if (run->kind != KIND_STRING || (run->flags & ~(F_HEAD_HALF | F_KEEP)) != 0 ||
        !right_is_origin(doc, run) || !entry_stands_alone(doc, at))
        return NONE;
    return i;
}

bool run_grow(struct um_crdt *doc, struct client *c, uint32_t i, struct um_span text, uint32_t units)
{
    struct item *run = item_at(doc, i);

    if (c->run_item == i && run->content + run->bytes + text.len <= c->run_end) {
        doc->garbage -= (uint32_t)UM_MIN(doc->garbage, text.len);
    } else if (run->content + run->bytes == doc->content.n) {
        if (content_reserve(doc, text.len) != UM_OK)
            return false;
        doc->content.n += (uint32_t)text.len;
    } else {
        return false;
    }
    memcpy(doc->content.v + run->content + run->bytes, text.data, text.len);
    run->bytes += (uint32_t)text.len;
    run->len += units;
    c->state += units;
    doc->types.v[run->parent].length += units;
    posindex_resize(doc, i, units);
    return true;
}

/* ---- local edits --------------------------------------------------------------------------------------- */

bool type_on(struct um_crdt *doc, struct client *c, uint32_t type, uint32_t index, struct um_span text, uint32_t units)
{
    const struct item *run;
    struct place_at at;
    uint32_t i;

    if (c->state == 0 || index == 0 || units > UINT32_MAX - c->state || (i = run_open(doc, c)) == NONE)
        return false;
    run = item_at(doc, i);
    if (run->parent != type)
        return false;
    if (run->right != NONE) {             /* an insertion steps over these */
        const struct item *right = item_at(doc, run->right);

        if (item_is_deleted(right) || right->kind == KIND_FORMAT)
            return false;
    }
    at = posindex_find(doc, type, index - 1);
    return at.item == i && at.offset + 1 == run->len && run_grow(doc, c, i, text, units);
}

/* Bytes of the last N units of TEXT; 0 when the cut falls into a surrogate pair. */
static size_t tail_bytes(struct um_span text, uint32_t n)
{
    size_t at = text.len;

    while (n > 0) {
        do
            at--;
        while ((text.data[at] & 0xc0) == 0x80);
        if (text.data[at] < 0xf0)
            n--;
        else if (n > 1)
            n -= 2;
        else
            return 0;
    }
    return text.len - at;
}

/* The last N units of run I of C, BYTES bytes, leave it. */
static void run_shorten(struct um_crdt *doc, const struct client *c, uint32_t i, uint32_t n, size_t bytes)
{
    struct item *run = item_at(doc, i);

    if (c->run_item != i && run->content + run->bytes == doc->content.n)
        doc->content.n -= (uint32_t)bytes;
    else
        doc->garbage += (uint32_t)bytes;
    run->bytes -= (uint32_t)bytes;
    run->len -= n;
    doc->types.v[run->parent].length -= n;
    posindex_resize(doc, i, 0u - n);
}

static bool is_tombstone(const struct item *it) { return it->kind == KIND_DELETED && it->flags == F_DELETED; }

/* The tombstone right behind RUN, in the list as among its client's structs, that takes what RUN loses; false when
 * there is none, or when it would be joined to more. */
static bool tail_find(struct um_crdt *doc, const struct item *run, struct cursor *tail)
{
    struct client *c = &doc->clients.v[run->client];
    struct cursor next;
    const struct item *d;

    *tail = index_find(c, run->clock);
    if (!cursor_next(tail) || cursor_entry(*tail)->ref != run->right || run->right == NONE)
        return false;
    d = item_at(doc, run->right);
    if (!is_tombstone(d) || d->origin_client != run->client || d->origin_clock != d->clock - 1 ||
        d->right_client != run->right_client || (d->right_client != NONE && d->right_clock != run->right_clock))
        return false;
    next = *tail;
    return !cursor_next(&next) || entry_stands_alone(doc, next);
}

static bool shortens(const struct item *run)
{
    return run->kind == KIND_STRING && run->flags == 0;
}

static void entry_move(struct cursor at, uint32_t clock)
{
    cursor_entry(at)->clock = clock;
    if (at.i == 0)
        at.c->dir[at.d].clock = clock;
}

/* The last N units of run I, into the tombstone right of it. */
static bool take_tail(struct um_crdt *doc, uint32_t i, uint32_t n)
{
    struct item *run = item_at(doc, i), *d;
    struct cursor tail;
    size_t bytes;

    if (!tail_find(doc, run, &tail) || (bytes = tail_bytes(item_body(doc, run), n)) == 0)
        return false;
    run_shorten(doc, tail.c, i, n, bytes);
    d = item_at(doc, run->right);
    d->clock -= n;
    d->origin_clock -= n;
    d->len += n;
    entry_move(tail, d->clock);
    tx_record_delete(doc, run->client, d->clock, n);
    return true;
}

/* Is D, directly left of RUN, a tombstone that takes what RUN loses at its head? AT: entry of RUN. */
static bool head_fits(struct um_crdt *doc, const struct item *run, struct cursor at)
{
    struct cursor left = at, next = at;
    const struct item *d;

    if (run->left == NONE || !cursor_prev(&left) || cursor_entry(left)->ref != run->left ||
        run->origin_client != run->client || run->origin_clock != run->clock - 1)
        return false;
    d = item_at(doc, run->left);
    return is_tombstone(d) && d->right_client == run->right_client &&
           (d->right_client == NONE || d->right_clock == run->right_clock) && entry_stands_alone(doc, left) &&
           (!cursor_next(&next) || entry_stands_alone(doc, next));
}

/* The first N units of run I, into the tombstone left of it. */
static bool take_head(struct um_crdt *doc, uint32_t i, uint32_t n)
{
    struct item *run = item_at(doc, i);
    struct cursor at = index_find(&doc->clients.v[run->client], run->clock);
    bool half;
    size_t bytes;

    if (!head_fits(doc, run, at))
        return false;
    bytes = utf16_offset(item_body(doc, run), n, &half);
    if (half)
        return false;
    tx_record_delete(doc, run->client, run->clock, n);
    item_at(doc, run->left)->len += n;
    run->clock += n;
    run->origin_clock += n;
    entry_move(at, run->clock);
    run->content += (uint32_t)bytes;
    run->bytes -= (uint32_t)bytes;
    run->len -= n;
    doc->garbage += (uint32_t)bytes;
    doc->types.v[run->parent].length -= n;
    posindex_resize(doc, i, 0u - n);
    return true;
}

bool take_back(struct um_crdt *doc, uint32_t type, uint32_t index, uint32_t n)
{
    struct place_at at;
    const struct item *run;

    if (!doc->gc || doc->types.v[type].marks || n == 0 || index >= doc->types.v[type].length)
        return false;
    at = posindex_find(doc, type, index);
    run = item_at(doc, at.item);
    if (!shortens(run) || n > run->len - at.offset || n == run->len)
        return false;
    if (at.offset == 0)
        return take_head(doc, at.item, n);
    return at.offset + n == run->len && take_tail(doc, at.item, n);
}

/* ---- events -------------------------------------------------------------------------------------------- */

um_err typed_event(struct um_crdt *doc, struct client *c, size_t bytes, struct um_buf *out)
{
    const struct item *run = item_at(doc, cursor_entry(cursor_last(c))->ref);
    struct um_span text = UM_SPAN(doc->content.v + run->content + run->bytes - bytes, bytes);
    uint8_t *start = um_buf_room(out, 4 + 6 * LIB0_UINT_MAX_BYTES + text.len), *p = start;

    if (p == NULL)
        return UM_ENOMEM;
    *p++ = 1;
    *p++ = 1;
    p = wr_uint(wr_uint(p, c->id), c->before);
    *p++ = (uint8_t)(KIND_STRING | INFO_ORIGIN | (run->right_client != NONE ? INFO_RIGHT : 0));
    p = wr_uint(wr_uint(p, c->id), c->before - 1);
    if (run->right_client != NONE)
        p = wr_uint(wr_uint(p, doc->clients.v[run->right_client].id), run->right_clock);
    p = wr_bytes(wr_uint(p, text.len), text.data, text.len);
    *p++ = 0;
    um_buf_advance(out, (size_t)(p - start));
    return UM_OK;
}

um_err taken_event(struct um_crdt *doc, struct um_buf *out)
{
    const struct span32 *g = &doc->tx->deleted.v[0];
    uint8_t *start = um_buf_room(out, 3 + 3 * LIB0_UINT_MAX_BYTES), *p = start;

    if (p == NULL)
        return UM_ENOMEM;
    *p++ = 0;
    *p++ = 1;
    p = wr_uint(p, doc->clients.v[g->client].id);
    *p++ = 1;
    p = wr_uint(wr_uint(p, g->clock), g->len);
    um_buf_advance(out, (size_t)(p - start));
    return UM_OK;
}
