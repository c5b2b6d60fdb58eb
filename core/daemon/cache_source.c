/* The store's rows, as cachegen takes them. */
#include "cache_source.h"
#include <stdlib.h>
#include <umbel/store_shared.h>

static void take_rows(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct cache_source *s = arg;
    struct um_cachegen_row *out = um_xcalloc(n + 1, sizeof(*out));

    for (size_t i = 0; i < n; i++)
        out[i] = (struct um_cachegen_row){ rows[i].scope, rows[i].name, rows[i].version };
    s->cb(s->arg, err, out, n);
    free(out);
}

static void read_rows(void *ctx, struct um_loop *l, um_cachegen_rows_cb *cb, void *arg)
{
    struct cache_source *s = ctx;

    s->cb = cb;
    s->arg = arg;
    um_store_caches(s->store, l, take_rows, s);
}

struct um_cachegen_source cache_source_of(struct cache_source *s)
{
    return (struct um_cachegen_source){ read_rows, s };
}
