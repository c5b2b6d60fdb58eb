/* Clients and the index of their structs: chunks of up to 128 (clock, item) pairs under a directory, so that an
 * append touches the last chunk only and a split moves at most a chunk. */
#include "doc.h"
#include "sort.h"
#include <stdlib.h>

#define SPARE_KEPT 2u
#define CHUNK_FILL (CHUNK * 3 / 4)       /* at most, when a full chunk is spread over several */

/* ---- client table -------------------------------------------------------------------------------------- */

static uint64_t id_hash(const struct um_crdt *doc, uint64_t id)
{
    uint64_t h = (id ^ doc->hash_key[0]) * 0x9e3779b97f4a7c15u;

    h = (h ^ h >> 32) * 0xd6e8feb86659fd93u;
    h = (h ^ (doc->hash_key[0] >> 7)) * 0xd6e8feb86659fd93u;
    return h ^ h >> 32;
}

static uint64_t client_hash(const void *ctx, uint32_t v)
{
    const struct um_crdt *doc = ctx;

    return id_hash(doc, doc->clients.v[v].id);
}

uint32_t client_find(const struct um_crdt *doc, uint64_t id)
{
    const struct table *t = &doc->client_table;

    if (t->cap == 0)
        return NONE;
    for (uint64_t h = id_hash(doc, id);; h++) {
        uint32_t v = t->v[h & (t->cap - 1)];

        if (v == NONE || doc->clients.v[v].id == id)
            return v;
    }
}

um_err client_intern(struct um_crdt *doc, uint64_t id, uint32_t *out)
{
    struct client *c;
    uint64_t h;

    if ((*out = client_find(doc, id)) != NONE)
        return UM_OK;
    if (doc->clients.n >= CLIENTS_MAX)
        return UM_ELIMIT;
    if (!vec_room(&doc->mem, &doc->clients, 1) || !vec_room(&doc->mem, &doc->by_id, 1) ||
        !table_room(&doc->mem, &doc->client_table, 1, client_hash, doc))
        return UM_ENOMEM;
    c = &doc->clients.v[doc->clients.n];
    memset(c, 0, sizeof(*c));
    c->id = id;
    c->run_item = NONE;
    *out = doc->clients.n++;
    for (h = id_hash(doc, id); doc->client_table.v[h & (doc->client_table.cap - 1)] != NONE;)
        h++;
    doc->client_table.v[h & (doc->client_table.cap - 1)] = *out;
    doc->client_table.n++;
    doc->by_id.v[doc->by_id.n++] = *out;
    return UM_OK;
}

static void client_drop_index(struct um_crdt *doc, struct client *c)
{
    for (uint32_t d = 0; d < c->n_dir; d++)
        mem_free(&doc->mem, c->dir[d].e, c->dir[d].cap * sizeof(struct entry));
    mem_free(&doc->mem, c->dir, c->cap_dir * sizeof(*c->dir));
    c->dir = NULL;
    c->n_dir = c->cap_dir = 0;
}

void clients_truncate(struct um_crdt *doc, uint32_t n)
{
    struct table *t = &doc->client_table;
    uint32_t kept = 0;

    if (n == doc->clients.n)
        return;
    for (uint32_t k = n; k < doc->clients.n; k++)
        client_drop_index(doc, &doc->clients.v[k]);
    doc->clients.n = n;
    for (uint32_t i = 0; i < doc->by_id.n; i++) {
        if (i == doc->n_sorted)
            doc->n_sorted = kept;
        if (doc->by_id.v[i] < n)
            doc->by_id.v[kept++] = doc->by_id.v[i];
    }
    doc->n_sorted = UM_MIN(doc->n_sorted, kept);
    doc->by_id.n = kept;
    memset(t->v, 0xff, t->cap * sizeof(*t->v));
    t->n = n;
    for (uint32_t k = 0; k < n; k++) {
        uint64_t h = client_hash(doc, k);

        while (t->v[h & (t->cap - 1)] != NONE)
            h++;
        t->v[h & (t->cap - 1)] = k;
    }
}

static int by_id_order(const void *a, const void *b, void *ctx)
{
    const struct um_crdt *doc = ctx;
    uint64_t x = doc->clients.v[*(const uint32_t *)a].id, y = doc->clients.v[*(const uint32_t *)b].id;

    return (x < y) - (x > y);
}

static uint64_t descending_id(const void *ctx, uint32_t v)
{
    const struct um_crdt *doc = ctx;

    return ~doc->clients.v[v].id;
}

/* The new ones alone, then among the others. False: no memory. */
static bool clients_merge(struct um_crdt *doc)
{
    uint32_t n = doc->by_id.n - doc->n_sorted, i = doc->n_sorted, to = doc->by_id.n;
    uint32_t *v = doc->by_id.v, *new = mem_resize(&doc->mem, NULL, 0, n * sizeof(*new));

    if (new == NULL)
        return false;
    if (!numbers_sort(&doc->mem, v + i, n, descending_id, doc))
        qsort_r(v + i, n, sizeof(*v), by_id_order, doc);
    memcpy(new, v + i, n * sizeof(*new));
    for (uint32_t k = n; k > 0;)
        v[--to] = i > 0 && doc->clients.v[v[i - 1]].id < doc->clients.v[new[k - 1]].id ? v[--i] : new[--k];
    mem_free(&doc->mem, new, n * sizeof(*new));
    return true;
}

/* Few new ones are put where they belong. */
void clients_sort(struct um_crdt *doc)
{
    uint32_t n_new = doc->by_id.n - doc->n_sorted;

    if (n_new > 8) {
        if (!clients_merge(doc))
            qsort_r(doc->by_id.v, doc->by_id.n, sizeof(*doc->by_id.v), by_id_order, doc);
        doc->n_sorted = doc->by_id.n;
    }
    for (; doc->n_sorted < doc->by_id.n; doc->n_sorted++) {
        uint32_t v = doc->by_id.v[doc->n_sorted], i = doc->n_sorted;

        for (; i > 0 && doc->clients.v[doc->by_id.v[i - 1]].id < doc->clients.v[v].id; i--)
            doc->by_id.v[i] = doc->by_id.v[i - 1];
        doc->by_id.v[i] = v;
    }
}

void clients_destroy(struct um_crdt *doc)
{
    for (uint32_t k = 0; k < doc->clients.n; k++)
        client_drop_index(doc, &doc->clients.v[k]);
    doc->need_spare = 0;
    while (doc->spare != NULL) {
        struct spare *s = doc->spare;

        doc->spare = s->next;
        mem_free(&doc->mem, s, CHUNK * sizeof(struct entry));
    }
    vec_free(&doc->mem, &doc->clients);
    vec_free(&doc->mem, &doc->by_id);
    mem_free(&doc->mem, doc->client_table.v, doc->client_table.cap * sizeof(uint32_t));
}

/* ---- reservation --------------------------------------------------------------------------------------- */

/* The only chunk of a small client may be smaller than CHUNK. */
static um_err small_chunk_grow(struct um_crdt *doc, struct client *c, uint64_t need)
{
    struct dir *d = &c->dir[0];
    uint32_t cap = d->cap == 0 ? 2 : d->cap;
    struct entry *e;

    while (cap < need && cap < CHUNK)
        cap *= 2;
    if (cap == d->cap)
        return UM_OK;
    if ((e = mem_resize(&doc->mem, d->e, d->cap * sizeof(*e), cap * sizeof(*e))) == NULL)
        return UM_ENOMEM;
    d->e = e;
    d->cap = (uint16_t)cap;
    return UM_OK;
}

um_err index_reserve(struct um_crdt *doc, struct client *c)
{
    uint64_t n = (uint64_t)c->appends + c->inserts, extra = 0;
    uint64_t held = c->n_dir == 0 ? 0 : c->dir[c->n_dir - 1].n;
    um_err err;

    if (n == 0)
        return UM_OK;
    if (c->cap_dir == 0) {
        if (!mem_vec_room(&doc->mem, &c->dir, &c->cap_dir, 1, sizeof(*c->dir)))
            return UM_ENOMEM;
    }
    if (c->n_dir == 0) {
        c->dir[0] = (struct dir){ 0 };
        c->n_dir = 1;
    }
    if (c->n_dir == 1 && c->dir[0].cap < CHUNK && (err = small_chunk_grow(doc, c, held + n)) != UM_OK)
        return err;
    if (c->n_dir > 1 || held + n > CHUNK)
        extra = c->appends / CHUNK + 1 +
                UM_MIN((uint64_t)c->inserts, c->n_dir + c->appends / CHUNK + 1 + c->inserts / (CHUNK / 2) + 1);
    doc->need_spare += (uint32_t)extra;
    if (c->n_dir + extra > c->cap_dir &&
        !mem_vec_room(&doc->mem, &c->dir, &c->cap_dir, c->n_dir + extra, sizeof(*c->dir)))
        return UM_ENOMEM;
    return UM_OK;
}

static void spare_put(struct um_crdt *doc, struct entry *e)
{
    struct spare *s = (struct spare *)(void *)e;

    s->next = doc->spare;
    doc->spare = s;
    doc->n_spare++;
}

static struct entry *spare_take(struct um_crdt *doc)
{
    struct spare *s = doc->spare;

    UM_ASSERT(s != NULL);
    doc->spare = s->next;
    doc->n_spare--;
    return (struct entry *)(void *)s;
}

um_err index_reserve_chunks(struct um_crdt *doc)
{
    while (doc->n_spare < doc->need_spare) {
        struct entry *e = mem_resize(&doc->mem, NULL, 0, CHUNK * sizeof(*e));

        if (e == NULL)
            return UM_ENOMEM;
        spare_put(doc, e);
    }
    return UM_OK;
}

void index_trim(struct um_crdt *doc)
{
    doc->need_spare = 0;
    while (doc->n_spare > SPARE_KEPT)
        mem_free(&doc->mem, spare_take(doc), CHUNK * sizeof(struct entry));
}

/* ---- cursors ------------------------------------------------------------------------------------------- */

/* The last of N entries at or before CLOCK; the first one is. Without branches that depend on what is compared. */
static uint32_t entry_find(const struct entry *e, uint32_t n, uint32_t clock)
{
    const struct entry *base = e;

    while (n > 1) {
        uint32_t half = n / 2;

        base = base[half].clock <= clock ? base + half : base;
        n -= half;
    }
    return (uint32_t)(base - e);
}

static uint32_t dir_find(const struct client *c, uint32_t clock)
{
    const struct dir *base = c->dir;
    uint32_t n = c->n_dir;

    if (base[n - 1].clock <= clock)
        return n - 1;
    while (n > 1) {
        uint32_t half = n / 2;

        base = base[half].clock <= clock ? base + half : base;
        n -= half;
    }
    return (uint32_t)(base - c->dir);
}

/* Look-ups come in clusters (the ranges of a delete set, structs at one place): the chunk of the last one first. */
static uint32_t dir_find_near(struct client *c, uint32_t clock)
{
    uint32_t d = c->near;

    if (d + 1 < c->n_dir && c->dir[d].clock <= clock) {
        if (clock < c->dir[d + 1].clock)
            return d;
        if (d + 2 < c->n_dir && clock < c->dir[d + 2].clock)
            return c->near = d + 1;
    } else if (d > 0 && d < c->n_dir && c->dir[d - 1].clock <= clock && clock < c->dir[d].clock) {
        return c->near = d - 1;
    }
    d = dir_find(c, clock);
    if (d + 1 < c->n_dir)
        c->near = d;
    return d;
}

struct cursor index_find(struct client *c, uint32_t clock)
{
    uint32_t d = dir_find_near(c, clock), n = c->dir[d].n;
    const struct entry *e = c->dir[d].e;

    if (e[n - 1].clock <= clock)
        return (struct cursor){ c, d, n - 1 };
    return (struct cursor){ c, d, entry_find(e, n, clock) };
}

bool cursor_prev(struct cursor *at)
{
    if (at->i > 0) {
        at->i--;
        return true;
    }
    if (at->d == 0)
        return false;
    at->d--;
    at->i = at->c->dir[at->d].n - 1u;
    return true;
}

struct cursor cursor_last(struct client *c)
{
    return (struct cursor){ c, c->n_dir - 1, c->dir[c->n_dir - 1].n - 1u };
}

/* ---- changing ------------------------------------------------------------------------------------------ */

static void dir_insert(struct client *c, uint32_t d, struct dir v)
{
    UM_ASSERT(c->n_dir < c->cap_dir);
    memmove(c->dir + d + 1, c->dir + d, (c->n_dir - d) * sizeof(*c->dir));
    c->dir[d] = v;
    c->n_dir++;
}

void index_append(struct um_crdt *doc, struct client *c, uint32_t ref, uint32_t len)
{
    struct dir *d = &c->dir[c->n_dir - 1];

    if (d->n == d->cap) {
        UM_ASSERT(d->cap == CHUNK);
        dir_insert(c, c->n_dir, (struct dir){ .clock = c->state, .cap = CHUNK, .e = spare_take(doc) });
        d = &c->dir[c->n_dir - 1];
    }
    if (d->n == 0)
        d->clock = c->state;
    d->e[d->n++] = (struct entry){ c->state, ref };
    c->state += len;
    doc->n_structs++;
}

/* Entries that are put into one or more chunks from the first on, each in turn. */
struct filling {
    struct client *c;
    uint32_t d, per, more;            /* chunk; entries per chunk, one more in the first MORE ones */
};

static void fill(struct filling *f, struct entry e)
{
    struct dir *d = &f->c->dir[f->d];

    if (d->n == f->per + (f->more > 0)) {
        f->more -= f->more > 0;
        d = &f->c->dir[++f->d];
    }
    if (d->n == 0)
        d->clock = e.clock;
    d->e[d->n++] = e;
}

/* Chunks for N more entries than chunk D, which is full then, holds; they are empty, as D is. Half full at least, so
 * that as many are used as index_reserve has counted with. */
static struct filling chunks_spread(struct um_crdt *doc, struct client *c, uint32_t d, uint32_t n)
{
    uint32_t all = c->dir[d].n + n, chunks = (all - 1) / CHUNK_FILL + 1;

    UM_ASSERT(c->dir[d].cap == CHUNK && c->n_dir + chunks - 1 <= c->cap_dir);
    memmove(c->dir + d + chunks, c->dir + d + 1, (c->n_dir - d - 1) * sizeof(*c->dir));
    for (uint32_t k = 1; k < chunks; k++)
        c->dir[d + k] = (struct dir){ .cap = CHUNK, .e = spare_take(doc) };
    c->dir[d].n = 0;
    c->n_dir += chunks - 1;
    return (struct filling){ c, d, all / chunks, all % chunks };
}

/* Where the chunk has no place for N more. */
static void chain_spread(struct um_crdt *doc, struct cursor at, uint32_t n)
{
    struct entry old[CHUNK];
    uint32_t held = at.c->dir[at.d].n, item = cursor_entry(at)->ref;
    struct filling f;

    memcpy(old, at.c->dir[at.d].e, held * sizeof(*old));
    f = chunks_spread(doc, at.c, at.d, n);
    for (uint32_t i = 0; i <= at.i; i++)
        fill(&f, old[i]);
    for (; n > 0; n--) {
        item = item_at(doc, item)->right;
        fill(&f, (struct entry){ item_at(doc, item)->clock, item });
    }
    for (uint32_t i = at.i + 1; i < held; i++)
        fill(&f, old[i]);
}

void index_insert_chain(struct um_crdt *doc, struct cursor at, uint32_t n)
{
    struct dir *d = &at.c->dir[at.d];
    struct entry *e = d->e + at.i + 1;
    uint32_t item = cursor_entry(at)->ref;

    doc->n_structs += n;
    if (n > (uint32_t)d->cap - d->n) {
        chain_spread(doc, at, n);
        return;
    }
    memmove(e + n, e, (d->n - at.i - 1) * sizeof(*e));
    d->n = (uint16_t)(d->n + n);
    for (; n > 0; n--) {
        item = item_at(doc, item)->right;
        *e++ = (struct entry){ item_at(doc, item)->clock, item };
    }
}

static void dir_remove(struct um_crdt *doc, struct client *c, uint32_t d)
{
    if (c->dir[d].cap == CHUNK)
        spare_put(doc, c->dir[d].e);
    else
        mem_free(&doc->mem, c->dir[d].e, c->dir[d].cap * sizeof(struct entry));
    memmove(c->dir + d, c->dir + d + 1, (c->n_dir - d - 1) * sizeof(*c->dir));
    c->n_dir--;
}

/* Joins a thinned chunk with its left or right neighbour when both fit well. */
static struct cursor chunk_join(struct um_crdt *doc, struct cursor at)
{
    struct client *c = at.c;
    uint32_t d = at.d + 1 < c->n_dir ? at.d : at.d > 0 ? at.d - 1 : NONE;
    struct dir *l;

    if (d == NONE)
        return at;
    l = &c->dir[d];
    if (l->n + l[1].n > CHUNK * 3 / 4 || l->cap < CHUNK)
        return at;
    if (at.d == d + 1)
        at = (struct cursor){ c, d, at.i + l->n };
    memcpy(l->e + l->n, l[1].e, l[1].n * sizeof(struct entry));
    l->n = (uint16_t)(l->n + l[1].n);
    dir_remove(doc, c, d + 1);
    return at;
}

void index_truncate(struct um_crdt *doc, struct client *c, uint32_t clock)
{
    while (c->n_dir > 0) {
        struct dir *d = &c->dir[c->n_dir - 1];

        while (d->n > 0 && d->e[d->n - 1u].clock >= clock) {
            d->n--;
            doc->n_structs--;
        }
        if (d->n > 0 || c->n_dir == 1)
            break;
        dir_remove(doc, c, c->n_dir - 1);
    }
    c->state = clock;
}

struct cursor index_remove_after(struct um_crdt *doc, struct cursor at, uint32_t n)
{
    struct client *c = at.c;
    struct dir *d = &c->dir[at.d];
    uint32_t here = UM_MIN(n, d->n - at.i - 1u);

    doc->n_structs -= n;
    memmove(d->e + at.i + 1, d->e + at.i + 1 + here, (d->n - at.i - 1 - here) * sizeof(struct entry));
    d->n = (uint16_t)(d->n - here);
    for (n -= here; n > 0;) {
        d = &c->dir[at.d + 1];
        if (n >= d->n) {
            n -= d->n;
            dir_remove(doc, c, at.d + 1);
            continue;
        }
        memmove(d->e, d->e + n, (d->n - n) * sizeof(struct entry));
        d->n = (uint16_t)(d->n - n);
        d->clock = d->e[0].clock;
        n = 0;
    }
    return c->dir[at.d].n < CHUNK / 4 ? chunk_join(doc, at) : at;
}
