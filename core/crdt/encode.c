/* Writing: state vectors, states and differences, the event of a transaction, pieces of a state. */
#include "cold.h"
#include "doc.h"

/* ---- structs ------------------------------------------------------------------------------------------- */

static void put_id(struct um_buf *out, uint64_t client, uint32_t clock)
{
    buf_put_uint(out, client);
    buf_put_uint(out, clock);
}

static void parent_write(const struct um_crdt *doc, const struct item *it, struct um_buf *out)
{
    const struct type *t = item_type(doc, it);

    if (t->item == NONE) {
        um_buf_put_u8(out, 1);
        buf_put_string(out, name_text(doc, t->name));
    } else {
        const struct item *holder = item_at(doc, t->item);

        um_buf_put_u8(out, 0);
        put_id(out, doc->clients.v[holder->client].id, holder->clock);
    }
    if (item_is_keyed(it))
        buf_put_string(out, name_text(doc, doc->slots.v[it->parent].key));
}

/* N units of IT's content from unit K on. */
static void item_content_write(const struct um_crdt *doc, const struct item *it, uint32_t k, uint32_t n,
                               struct um_buf *out)
{
    struct um_span body = item_body(doc, it);
    bool head = (it->flags & F_HEAD_HALF) != 0, tail = (it->flags & F_TAIL_HALF) != 0, half = false;

    if (it->kind == KIND_TYPE) {
        const struct type *t = &doc->types.v[it->content];

        type_write(out, t->kind, t->name == NONE ? UM_SPAN(NULL, 0) : name_text(doc, t->name));
        return;
    }
    if (k > 0) {
        size_t at = body_offset(it->kind, body, k - head, &half) + (half ? 4 : 0);

        body = UM_SPAN(body.data + at, body.len - at);
        head = half;
    }
    if (k + n < it->len) {
        body.len = body_offset(it->kind, body, n - head, &half);
        tail = half;
    }
    content_write(out, it->kind, n, body, head, tail);
}

static void item_write(const struct um_crdt *doc, const struct item *it, uint32_t k, uint32_t n, struct um_buf *out)
{
    bool origin = k > 0 || it->origin_client != NONE, right = it->right_client != NONE;
    uint8_t *p = um_buf_room(out, 1 + 5 * LIB0_UINT_MAX_BYTES), *start = p;

    if (p == NULL)
        return;
    *p++ = (uint8_t)(it->kind | (origin ? INFO_ORIGIN : 0) | (right ? INFO_RIGHT : 0) |
                     (item_is_keyed(it) ? INFO_KEY : 0));
    if (k > 0)
        p = wr_uint(wr_uint(p, doc->clients.v[it->client].id), it->clock + k - 1);
    else if (origin)
        p = wr_uint(wr_uint(p, doc->clients.v[it->origin_client].id), it->origin_clock);
    if (right)
        p = wr_uint(wr_uint(p, doc->clients.v[it->right_client].id), it->right_clock);
    if (it->kind == KIND_DELETED && (origin || right)) {      /* the most frequent ones */
        um_buf_advance(out, (size_t)(wr_uint(p, n) - start));
        return;
    }
    um_buf_advance(out, (size_t)(p - start));
    if (!origin && !right)
        parent_write(doc, it, out);
    item_content_write(doc, it, k, n, out);
}

/* The struct at AT from unit K on, cut where it passes clock TO. */
static void entry_write(const struct um_crdt *doc, struct cursor at, uint32_t k, uint32_t to, struct um_buf *out)
{
    const struct entry *e = cursor_entry(at);
    uint32_t n = UM_MIN(to, cursor_end(at)) - e->clock - k;

    if (e->ref != REF_GC) {
        item_write(doc, item_at(doc, e->ref), k, n, out);
        return;
    }
    um_buf_put_u8(out, KIND_GC);
    buf_put_uint(out, n);
}

void section_write(const struct um_crdt *doc, struct client *c, uint32_t from, uint32_t to, struct um_buf *out)
{
    struct cursor at = index_find(c, from), count = at;
    uint32_t n = 1, k = from - cursor_entry(at)->clock;

    if (to == c->state) {
        n = c->dir[at.d].n - at.i;
        for (uint32_t d = at.d + 1; d < c->n_dir; d++)
            n += c->dir[d].n;
    } else {
        while (cursor_next(&count) && cursor_entry(count)->clock < to)
            n++;
    }
    buf_put_uint(out, n);
    put_id(out, c->id, from);
    for (; n > 0; n--) {
        if (at.i + AHEAD < c->dir[at.d].n && cursor_entry(at)[AHEAD].ref != REF_GC)
            __builtin_prefetch(item_at(doc, cursor_entry(at)[AHEAD].ref));
        entry_write(doc, at, k, to, out);
        k = 0;
        cursor_next(&at);
    }
}

/* ---- deletions ----------------------------------------------------------------------------------------- */

void deletions_changed(struct um_crdt *doc)
{
    doc->ds_valid = false;
}

static bool entry_is_deleted(const struct um_crdt *doc, const struct entry *e)
{
    return e->ref == REF_GC || item_is_deleted(item_at(doc, e->ref));
}

/* The deleted ranges of C; returns how many. */
static uint32_t client_ranges_write(const struct um_crdt *doc, struct client *c, struct um_buf *out)
{
    uint32_t n = 0, from = 0;
    bool open = false;

    for (uint32_t d = 0; d < c->n_dir; d++) {
        for (uint32_t i = 0; i < c->dir[d].n; i++) {
            const struct entry *e = &c->dir[d].e[i];
            bool deleted = entry_is_deleted(doc, e);

            if (deleted && !open) {
                from = e->clock;
                n++;
            } else if (!deleted && open) {
                put_id(out, from, e->clock - from);
            }
            open = deleted;
        }
    }
    if (open)
        put_id(out, from, c->state - from);
    return n;
}

/* Sections are counted before they are known: written behind BUF's end first, then put in order. */
static void ds_write(struct um_crdt *doc, struct um_buf *out)
{
    struct um_buf ranges = { 0 }, all = { 0 };
    uint32_t n = 0;

    clients_sort(doc);
    for (uint32_t i = 0; i < doc->by_id.n; i++) {
        struct client *c = &doc->clients.v[doc->by_id.v[i]];
        uint32_t k;

        um_buf_clear(&ranges);
        if ((k = client_ranges_write(doc, c, &ranges)) == 0)
            continue;
        n++;
        buf_put_uint(&all, c->id);
        buf_put_uint(&all, k);
        um_buf_put(&all, ranges.data, ranges.len);
        all.failed |= ranges.failed;
    }
    buf_put_uint(out, n);
    um_buf_put(out, all.data, all.len);
    out->failed |= all.failed;
    um_buf_free(&ranges);
    um_buf_free(&all);
}

/* Kept encoded until something is deleted. */
um_err ds_encode(const struct um_crdt *cdoc, struct um_buf *out)
{
    struct um_crdt *doc = (struct um_crdt *)cdoc;     /* fills a cache: not a change that can be seen */

    if (!doc->ds_valid) {
        um_buf_clear(&doc->ds_cache);
        ds_write(doc, &doc->ds_cache);
        if (doc->ds_cache.failed) {
            um_buf_free(&doc->ds_cache);
            return UM_ENOMEM;
        }
        doc->ds_valid = true;
    }
    um_buf_put(out, doc->ds_cache.data, doc->ds_cache.len);
    return UM_OK;
}

/* ---- the state ----------------------------------------------------------------------------------------- */

um_err um_crdt_state_vector(const struct um_crdt *cdoc, struct um_buf *out)
{
    struct um_crdt *doc = (struct um_crdt *)cdoc;     /* sorts clients: not a change that can be seen */
    uint32_t n = 0;

    if (um_crdt_is_cold(doc))
        return cold_state_vector(doc, out);
    clients_sort(doc);
    for (uint32_t i = 0; i < doc->clients.n; i++)
        n += doc->clients.v[i].state > 0;
    buf_put_uint(out, n);
    for (uint32_t i = 0; i < doc->by_id.n; i++) {
        const struct client *c = &doc->clients.v[doc->by_id.v[i]];

        if (c->state > 0)
            put_id(out, c->id, c->state);
    }
    return out->failed ? UM_ENOMEM : UM_OK;
}

/* SV's clock for a client, both in descending order: K moves along. */
static uint64_t sv_walk(const sv_vec *sv, uint32_t *k, uint64_t client)
{
    while (*k < sv->n && sv->v[*k].client > client)
        (*k)++;
    return *k < sv->n && sv->v[*k].client == client ? sv->v[*k].clock : 0;
}

static um_err store_encode(const struct um_crdt *cdoc, const sv_vec *sv, struct um_buf *out)
{
    struct um_crdt *doc = (struct um_crdt *)cdoc;
    uint32_t n = 0, k = 0;

    clients_sort(doc);
    for (uint32_t i = 0; i < doc->by_id.n; i++) {
        const struct client *c = &doc->clients.v[doc->by_id.v[i]];

        n += c->state > sv_walk(sv, &k, c->id);
    }
    buf_put_uint(out, n);
    k = 0;
    for (uint32_t i = 0; i < doc->by_id.n; i++) {
        struct client *c = &doc->clients.v[doc->by_id.v[i]];
        uint64_t from = sv_walk(sv, &k, c->id);

        if (c->state > from)
            section_write(doc, c, (uint32_t)from, c->state, out);
    }
    return ds_encode(doc, out);
}

static void pending_ranges_write(const struct um_crdt *doc, struct um_buf *out)
{
    const struct pending *p = &doc->pending;
    uint32_t clients = 0, to;

    for (uint32_t i = 0; i < p->ranges.n; i++)
        clients += i == 0 || p->ranges.v[i].client != p->ranges.v[i - 1].client;
    um_buf_put_u8(out, 0);
    buf_put_uint(out, clients);
    for (uint32_t i = 0; i < p->ranges.n; i = to) {
        for (to = i; to < p->ranges.n && p->ranges.v[to].client == p->ranges.v[i].client;)
            to++;
        put_id(out, p->ranges.v[i].client, to - i);
        for (uint32_t r = i; r < to; r++)
            put_id(out, p->ranges.v[r].clock, p->ranges.v[r].len);
    }
}

/* What waits, as far as SV lacks it: one update. */
static um_err pending_encode(const struct um_crdt *doc, struct mem *m, const sv_vec *sv, struct um_buf *out)
{
    struct um_buf merged = { 0 }, diff = { 0 }, ranges = { 0 };
    struct um_span both[2];
    um_err err;

    pending_ranges_write(doc, &ranges);
    if ((err = pending_merged(doc, &merged)) == UM_OK &&
        (err = update_diff(m, UM_SPAN(merged.data, merged.len), sv, &diff)) == UM_OK && ranges.failed)
        err = UM_ENOMEM;
    both[0] = UM_SPAN(ranges.data, ranges.len);
    both[1] = UM_SPAN(diff.data, diff.len);
    if (err == UM_OK)
        err = updates_merge(m, both, 2, out);
    um_buf_free(&merged);
    um_buf_free(&diff);
    um_buf_free(&ranges);
    return err;
}

static bool has_pending(const struct um_crdt *doc) { return doc->pending.pieces.n + doc->pending.ranges.n > 0; }

static um_err state_encode(const struct um_crdt *doc, struct mem *m, const sv_vec *sv, struct um_buf *out)
{
    struct um_buf state = { 0 }, rest = { 0 };
    struct um_span both[2];
    um_err err;

    if (!has_pending(doc))
        return store_encode(doc, sv, out);
    if ((err = store_encode(doc, sv, &state)) == UM_OK && (err = pending_encode(doc, m, sv, &rest)) == UM_OK) {
        both[0] = UM_SPAN(state.data, state.len);
        both[1] = UM_SPAN(rest.data, rest.len);
        err = state.failed || rest.failed ? UM_ENOMEM : updates_merge(m, both, 2, out);
    }
    um_buf_free(&state);
    um_buf_free(&rest);
    return err;
}

um_err um_crdt_encode(const struct um_crdt *doc, struct um_span sv, struct um_buf *out)
{
    struct mem m;
    sv_vec known;
    um_err err;

    mem_init(&m, &doc->mem.alloc);
    if ((err = sv_read(&m, sv, &doc->limits, &known)) != UM_OK)
        return err;
    err = um_crdt_is_cold(doc) ? cold_encode(doc, &m, &known, out) : state_encode(doc, &m, &known, out);
    vec_free(&m, &known);
    return err == UM_OK && out->failed ? UM_ENOMEM : err;
}

/* ---- the event of a transaction ------------------------------------------------------------------------ */

static void client_ranges_put(const struct um_crdt *doc, uint32_t from, struct um_buf *out)
{
    const struct tx *tx = doc->tx;
    uint32_t v = tx->deleted.v[from].client, to = from;

    while (to < tx->deleted.n && tx->deleted.v[to].client == v)
        to++;
    put_id(out, doc->clients.v[v].id, to - from);
    for (; from < to; from++)
        put_id(out, tx->deleted.v[from].clock, tx->deleted.v[from].len);
}

/* Notes in ds_order where each client's ranges begin; how many clients there are. */
static uint32_t ranges_begin(struct um_crdt *doc)
{
    const struct tx *tx = doc->tx;
    uint32_t clients = 0;

    for (uint32_t i = 0; i < tx->deleted.n; i++) {
        if (i > 0 && tx->deleted.v[i].client == tx->deleted.v[i - 1].client)
            continue;
        clients++;
        doc->clients.v[tx->deleted.v[i].client].ds_order = i;
    }
    return clients;
}

/* The transaction's deletions, clients descending. */
static void tx_ds_write(struct um_crdt *doc, struct um_buf *out)
{
    const struct tx *tx = doc->tx;
    uint32_t clients = ranges_begin(doc);

    buf_put_uint(out, clients);
    if (clients == 1)
        client_ranges_put(doc, 0, out);
    if (clients < 2)
        return;
    clients_sort(doc);
    for (uint32_t k = 0; k < doc->by_id.n && clients > 0; k++) {
        uint32_t v = doc->by_id.v[k], from = doc->clients.v[v].ds_order;

        if (from >= tx->deleted.n || tx->deleted.v[from].client != v)
            continue;
        clients--;
        client_ranges_put(doc, from, out);
    }
}

static bool client_grew(const struct um_crdt *doc, const struct client *c)
{
    return c->epoch == doc->tx->epoch && c->state > c->before;
}

static void event_sections_write(struct um_crdt *doc, struct um_buf *out)
{
    const struct tx *tx = doc->tx;
    uint32_t n = 0;
    struct client *only = NULL;

    for (uint32_t i = 0; i < tx->touched.n; i++) {
        struct client *c = &doc->clients.v[tx->touched.v[i]];

        if (client_grew(doc, c)) {
            n++;
            only = c;
        }
    }
    buf_put_uint(out, n);
    if (n == 1) {
        section_write(doc, only, only->before, only->state, out);
        return;
    }
    clients_sort(doc);
    for (uint32_t k = 0; k < doc->by_id.n && n > 0; k++) {
        struct client *c = &doc->clients.v[doc->by_id.v[k]];

        if (client_grew(doc, c)) {
            n--;
            section_write(doc, c, c->before, c->state, out);
        }
    }
}

um_err event_encode(struct um_crdt *doc, struct um_buf *out)
{
    event_sections_write(doc, out);
    tx_ds_write(doc, out);
    return out->failed ? UM_ENOMEM : UM_OK;
}

/* Clients of the wire's set come in any order; here each must have exactly the transaction's ranges. */
bool event_has_ds(struct um_crdt *doc, struct um_span ds)
{
    const struct tx *tx = doc->tx;
    struct range_walk w = range_walk_make(ds);
    struct range g;
    uint32_t n = 0, k = 0, v = NONE;

    if (tx->deleted.n == 0)
        return w.clients_left == 0;
    ranges_begin(doc);
    while (range_next(&w, &g)) {
        if (v == NONE || doc->clients.v[v].id != g.client)
            v = client_find(doc, g.client);
        if (v == NONE || n++ == tx->deleted.n)
            return false;
        if (k >= tx->deleted.n || tx->deleted.v[k].client != v)
            k = doc->clients.v[v].ds_order;
        if (k >= tx->deleted.n || tx->deleted.v[k].client != v || tx->deleted.v[k].clock != g.clock || tx->deleted.v[k].len != g.len)
            return false;
        k++;
    }
    return n == tx->deleted.n;
}

/* ---- pieces -------------------------------------------------------------------------------------------- */

/* A piece being gathered: per client the structs [from, to). */
struct pieces {
    struct um_crdt *doc;
    uint32_t *from, *to;              /* per client */
    uint8_t *stacked;
    uint32_t *stack;
    size_t bytes, max_bytes;          /* estimate */
    um_crdt_piece_cb *cb;
    void *arg;
    struct um_buf buf;
};

static um_err piece_flush(struct pieces *p)
{
    struct um_crdt *doc = p->doc;
    uint32_t n = 0;
    um_err err;

    for (uint32_t k = 0; k < doc->clients.n; k++)
        n += p->to[k] > p->from[k];
    if (n == 0)
        return UM_OK;
    um_buf_clear(&p->buf);
    buf_put_uint(&p->buf, n);
    for (uint32_t i = 0; i < doc->by_id.n; i++) {
        uint32_t k = doc->by_id.v[i];

        if (p->to[k] > p->from[k])
            section_write(doc, &doc->clients.v[k], p->from[k], p->to[k], &p->buf);
        p->from[k] = p->to[k];
    }
    um_buf_put_u8(&p->buf, 0);
    p->bytes = 0;
    err = p->buf.failed ? UM_ENOMEM : p->cb(p->arg, UM_SPAN(p->buf.data, p->buf.len));
    return err;
}

/* The client that must go on before IT can: NONE when nothing is missing. */
static uint32_t piece_missing(const struct pieces *p, const struct item *it)
{
    const struct type *t = item_type(p->doc, it);

    if (it->origin_client != NONE && it->origin_client != it->client && p->to[it->origin_client] <= it->origin_clock)
        return it->origin_client;
    if (it->right_client != NONE && it->right_client != it->client && p->to[it->right_client] <= it->right_clock)
        return it->right_client;
    if (it->origin_client == NONE && it->right_client == NONE && t->item != NONE) {
        const struct item *holder = item_at(p->doc, t->item);

        if (holder->client != it->client && p->to[holder->client] <= holder->clock)
            return holder->client;
    }
    return NONE;
}

static um_err client_pieces(struct pieces *p, uint32_t k)
{
    struct um_crdt *doc = p->doc;
    uint32_t depth = 0;
    um_err err;

    for (;;) {
        struct client *c = &doc->clients.v[k];
        struct cursor at;
        const struct entry *e;
        uint32_t whom = NONE;

        if (p->to[k] >= c->state) {
            if (depth == 0)
                return UM_OK;
            p->stacked[k] = 0;
            k = p->stack[--depth];
            p->stacked[k] = 0;
            continue;
        }
        at = index_find(c, p->to[k]);
        e = cursor_entry(at);
        if (e->ref != REF_GC)
            whom = piece_missing(p, item_at(doc, e->ref));
        if (whom != NONE && !p->stacked[whom] && p->to[whom] < doc->clients.v[whom].state) {
            p->stacked[k] = 1;
            p->stack[depth++] = k;
            k = whom;
            continue;
        }
        p->bytes += 12 + (e->ref == REF_GC ? 0 : item_at(doc, e->ref)->bytes);
        p->to[k] = cursor_end(at);
        if (p->bytes >= p->max_bytes && (err = piece_flush(p)) != UM_OK)
            return err;
        if (depth > 0) {
            k = p->stack[--depth];
            p->stacked[k] = 0;
        }
    }
}

/* Deletions, and what is pending. They need everything else, so they come last. */
static um_err tail_pieces(struct pieces *p, struct mem *m, const sv_vec *sv)
{
    struct um_crdt *doc = p->doc;
    um_err err;

    um_buf_clear(&p->buf);
    um_buf_put_u8(&p->buf, 0);
    if ((err = ds_encode(doc, &p->buf)) != UM_OK || p->buf.failed)
        return UM_ENOMEM;
    if (p->buf.len > 2 && (err = p->cb(p->arg, UM_SPAN(p->buf.data, p->buf.len))) != UM_OK)
        return err;
    if (!has_pending(doc))
        return UM_OK;
    um_buf_clear(&p->buf);
    if ((err = pending_encode(doc, m, sv, &p->buf)) != UM_OK || p->buf.failed)
        return err != UM_OK ? err : UM_ENOMEM;
    return p->cb(p->arg, UM_SPAN(p->buf.data, p->buf.len));
}

/* A cold state that is one piece stays cold. */
static um_err cold_piece(const struct um_crdt *doc, struct um_span sv, size_t max_bytes, um_crdt_piece_cb *cb, void *arg,
                         bool *done)
{
    struct um_buf buf = { 0 };
    um_err err = um_crdt_encode(doc, sv, &buf);

    if (err == UM_OK && (*done = buf.len <= max_bytes))
        err = cb(arg, UM_SPAN(buf.data, buf.len));
    um_buf_free(&buf);
    return err;
}

um_err um_crdt_encode_pieces(const struct um_crdt *cdoc, struct um_span sv, size_t max_bytes, um_crdt_piece_cb *cb,
                             void *arg)
{
    struct um_crdt *doc = (struct um_crdt *)cdoc;
    struct pieces p = { .doc = doc, .max_bytes = max_bytes, .cb = cb, .arg = arg };
    bool done = false;
    size_t n, size;
    struct mem m;
    sv_vec known;
    um_err err;

    if (um_crdt_is_cold(doc) && ((err = cold_piece(doc, sv, max_bytes, cb, arg, &done)) != UM_OK || done))
        return err;
    if ((err = thaw(doc)) != UM_OK)
        return err;
    n = doc->clients.n;
    size = n * (3 * sizeof(uint32_t) + 1) + 1;
    mem_init(&m, &doc->mem.alloc);
    if ((err = sv_read(&m, sv, &doc->limits, &known)) != UM_OK)
        return err;
    if ((p.from = mem_resize(&m, NULL, 0, size)) == NULL) {
        vec_free(&m, &known);
        return UM_ENOMEM;
    }
    memset(p.from, 0, size);
    p.to = p.from + n;
    p.stack = p.to + n;
    p.stacked = (uint8_t *)(p.stack + n);
    clients_sort(doc);
    for (uint32_t k = 0; k < n; k++)
        p.from[k] = p.to[k] = (uint32_t)UM_MIN(sv_get(&known, doc->clients.v[k].id), doc->clients.v[k].state);
    for (uint32_t i = 0; i < n && err == UM_OK; i++)
        err = client_pieces(&p, doc->by_id.v[i]);
    if (err == UM_OK && (err = piece_flush(&p)) == UM_OK)
        err = tail_pieces(&p, &m, &known);
    um_buf_free(&p.buf);
    mem_free(&m, p.from, size);
    vec_free(&m, &known);
    return err;
}
