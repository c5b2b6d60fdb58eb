/* A document's life, its roots, its figures. */
#include "cold.h"
#include "edit.h"
#include "redone.h"
#include <umbel/util.h>

void um_crdt_conf_init(struct um_crdt_conf *conf)
{
    *conf = (struct um_crdt_conf){ .gc = true, .cleanup = true };
#define X(name, value, text) conf->limits.name = value;
    UM_CRDT_LIMITS(X)
#undef X
}

struct um_crdt_conf conf_of(const struct um_crdt_conf *conf)
{
    struct um_crdt_conf c;

    if (conf != NULL)
        return *conf;
    um_crdt_conf_init(&c);
    return c;
}

struct um_crdt_conf doc_conf(const struct um_crdt *doc)
{
    return (struct um_crdt_conf){ .gc = doc->gc, .cleanup = doc->cleanup, .eager_pending = doc->eager_pending,
                                  .limits = doc->limits, .alloc = doc->mem.alloc };
}

struct um_crdt_limits limits_of_store(const struct um_crdt *doc)
{
    struct um_crdt_limits limits = doc->limits;

    limits.update_bytes = limits.update_structs = limits.update_clients = limits.update_ranges = UINT32_MAX;
    limits.scan_steps = UINT32_MAX;
    return limits;
}

um_err um_crdt_new(const struct um_crdt_conf *conf, struct um_crdt **out)
{
    struct um_crdt_conf defaults;
    struct um_crdt *doc;
    struct mem m;

    *out = NULL;
    if (conf == NULL) {
        um_crdt_conf_init(&defaults);
        conf = &defaults;
    }
    mem_init(&m, &conf->alloc);
    if ((doc = mem_resize(&m, NULL, 0, sizeof(*doc))) == NULL)
        return UM_ENOMEM;
    memset(doc, 0, sizeof(*doc));
    doc->mem = m;
    doc->limits = conf->limits;
    doc->gc = conf->gc;
    doc->cleanup = conf->cleanup;
    doc->eager_pending = conf->eager_pending;
    um_random_bytes(doc->hash_key, sizeof(doc->hash_key));
    doc->items.free_head = doc->free_type = doc->free_slot = NONE;
    doc->pos.free_node = doc->pos.near_leaf = NONE;
    doc->tx = &doc->txs[0];
    *out = doc;
    return UM_OK;
}

void um_crdt_free(struct um_crdt *doc)
{
    struct mem m;

    if (doc == NULL)
        return;
    cold_drop(doc);
    UM_ASSERT(doc->undo == NULL);
    edit_destroy(doc);
    redone_destroy(doc);
    cache_drop(doc);
    vec_free(&doc->mem, &doc->cache.tail);
    pending_destroy(doc);
    tx_free(doc, &doc->txs[0]);
    tx_free(doc, &doc->txs[1]);
    items_destroy(doc);
    clients_destroy(doc);
    names_destroy(doc);
    um_buf_free(&doc->event);
    um_buf_free(&doc->more);
    um_buf_free(&doc->ds_cache);
    m = doc->mem;
    mem_free(&m, doc, sizeof(*doc));
}

um_err um_crdt_declare_root(struct um_crdt *doc, struct um_span name, enum um_crdt_kind kind)
{
    struct names_mark mark;
    struct type *t;
    uint32_t i;
    um_err err;

    if (name.len > doc->limits.root_name_bytes)
        return UM_ELIMIT;
    if (kind >= UM_CRDT_UNTYPED)
        return UM_EINVAL;
    if ((err = thaw(doc)) != UM_OK)
        return err;
    mark = names_mark(doc);
    if ((err = root_intern(doc, name, &i)) != UM_OK) {
        names_rollback(doc, mark);
        return err;
    }
    t = &doc->types.v[i];
    if (t->kind == kind)
        return UM_OK;
    if (t->kind != UM_CRDT_UNTYPED)
        return UM_ECONFLICT;
    t->kind = (uint8_t)kind;
    t->formatting = false;                /* as in yjs: only marks that arrive from now on count */
    return UM_OK;
}

bool um_crdt_roots(const struct um_crdt *doc, size_t *pos, struct um_span *name, enum um_crdt_kind *kind)
{
    const struct type *t;

    if (thaw(doc) != UM_OK || *pos >= doc->roots.n)
        return false;
    t = &doc->types.v[doc->roots.v[(*pos)++]];
    *name = name_text(doc, t->name);
    *kind = (enum um_crdt_kind)t->kind;
    return true;
}

void um_crdt_get_stats(const struct um_crdt *doc, struct um_crdt_stats *out)
{
    const struct pending *p = &doc->pending;
    size_t cache = doc->cache.tail_bytes + doc->cache.raw.cap + (doc->cache.blob == NULL ? 0 : doc->cache.blob->len);

    *out = (struct um_crdt_stats){
        .structs = doc->n_structs,
        .roots = doc->roots.n,
        .cache_bytes = cache,
        .memory_bytes = doc->mem.used + cache - doc->cache.raw.cap + doc->event.cap + doc->more.cap + doc->ds_cache.cap,
        .encoded_bytes = doc->content.n - UM_MIN(doc->garbage, doc->content.n) + 10 * (size_t)doc->n_structs +
                         8 * (size_t)doc->clients.n + p->bytes + 4,
        .pending_structs = p->structs,
        .pending_ranges = p->ranges.n,
        .pending_clients = p->sections,
        .pending_bytes = p->bytes + p->ranges.n * sizeof(struct range),
    };
    if (doc->cold.state != NULL) {
        out->structs = doc->cold.structs;
        out->clients = doc->cold.sv.n;
        out->encoded_bytes = doc->cold.state->len;
        out->memory_bytes += doc->cold.state->len;
    }
    for (uint32_t k = 0; k < doc->clients.n; k++)
        out->clients += doc->clients.v[k].state > 0;
}
