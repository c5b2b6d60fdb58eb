/* Caches: /core/rest/caches, those of the caller's scope, and /core/actuator/caches, all of them, in Spring Boot's shapes. Clearing one raises its version in
 * the database and tells all nodes of both kinds. Writes through the API do that by themselves; this is for what was
 * changed behind our back. */
#include <stdlib.h>
#include <string.h>
#include <umbel/actuator.h>
#include <umbel/cachegen.h>
#include <umbel/util.h>
#include "admin/admin.h"

/* ---- which there are ---- */

struct cache { char *scope, *name, *shown; uint64_t version, applied; };
struct caches { struct cache *rows; size_t n, cap; };

static void add_cache(void *arg, const char *scope, const char *name, uint64_t version, uint64_t applied)
{
    struct caches *all = arg;
    struct um_buf shown = { 0 };

    if (all->n == all->cap) {
        all->cap = all->cap == 0 ? 16 : all->cap * 2;
        all->rows = um_xrealloc(all->rows, all->cap * sizeof(*all->rows));
    }
    cache_name(&shown, scope, name);
    all->rows[all->n++] = (struct cache){ um_xstrdup(scope), um_xstrdup(name), um_xstrdup(um_buf_cstr(&shown)), version, applied };
    um_buf_free(&shown);
}

static int by_shown(const void *a, const void *b)
{
    return strcmp(((const struct cache *)a)->shown, ((const struct cache *)b)->shown);
}

static void drop_cache(struct cache *c)
{
    free(c->scope);
    free(c->name);
    free(c->shown);
}

static void caches_free(struct caches *all)
{
    for (size_t i = 0; i < all->n; i++)
        drop_cache(&all->rows[i]);
    free(all->rows);
}

static struct caches list_all(struct um_rest *r)
{
    struct caches all = { 0 };

    um_cachegen_each(r->deps.cachegen, add_cache, &all);
    if (all.n > 0)
        qsort(all.rows, all.n, sizeof(*all.rows), by_shown);
    return all;
}

/* Those of SCOPE that have ever changed: what nobody keeps anything of needs no clearing, and no version. Those of the whole
 * installation are in SCOPE_ALL alone. */
static struct caches list_used(struct um_rest *r, const char *scope)
{
    bool all_scopes = strcmp(scope, SCOPE_ALL) == 0;
    struct caches all = list_all(r);
    size_t kept = 0;

    for (size_t i = 0; i < all.n; i++) {
        if (all.rows[i].version > 0 && (all_scopes || strcmp(all.rows[i].scope, scope) == 0))
            all.rows[kept++] = all.rows[i];
        else
            drop_cache(&all.rows[i]);
    }
    all.n = kept;
    return all;
}

/* Keeps those that are shown as NAME, which is one, or none, or more when a scope or a name has a dash in it. */
static void keep_named(struct caches *all, const char *name)
{
    size_t kept = 0;

    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->rows[i].shown, name) == 0)
            all->rows[kept++] = all->rows[i];
        else
            drop_cache(&all->rows[i]);
    }
    all->n = kept;
}

/* ---- clearing ---- */

struct clearing {
    struct later *later;
    struct caches caches;
    size_t at;                               /* those before it have been raised */
    struct um_store_cache *raised;           /* strings are the caches' */
    announced_fn *reply;
};

static void clearing_free(struct clearing *c)
{
    caches_free(&c->caches);
    free(c->raised);
    free(c);
}

static void told(void *arg, struct um_http_req *rq, const json_t *nodes)
{
    struct clearing *c = arg;

    if (rq != NULL)
        c->reply(&c->caches, rq, nodes);
    clearing_free(c);
}

static void raise_more(struct clearing *c);

static void raised(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct clearing *c = arg;
    struct um_rest *r = c->later->rest;
    struct um_loop *l = c->later->loop;
    struct um_http_req *rq;

    for (size_t i = 0; i < n; i++)
        c->raised[c->at++].version = rows[i].version;
    if (err == UM_OK && c->at < c->caches.n) {
        raise_more(c);
        return;
    }
    rq = later_take(c->later);
    if (err != UM_OK && rq != NULL)
        reply_store_error(rq, err);
    if (err != UM_OK)
        clearing_free(c);                    /* what was raised before is found by comparing */
    else
        announce(r, l, rq, c->raised, c->at, UM_SPAN(NULL, 0), told, c);
}

static void raise_more(struct clearing *c)
{
    size_t n = UM_MIN(c->caches.n - c->at, (size_t)UM_STORE_REFS_MAX);

    um_store_raise_caches(c->later->rest->deps.store, c->later->loop, c->raised + c->at, n, raised, c);
}

static void clear(struct um_http_req *rq, struct um_rest *r, struct caches caches, announced_fn *reply)
{
    struct clearing *c = um_xcalloc(1, sizeof(*c));

    c->later = later_new(rq, r, NULL);
    c->caches = caches;
    c->reply = reply;
    c->raised = um_xcalloc(caches.n + 1, sizeof(*c->raised));
    for (size_t i = 0; i < caches.n; i++)
        c->raised[i] = (struct um_store_cache){ caches.rows[i].scope, caches.rows[i].name, 0 };
    if (caches.n > 0)
        raise_more(c);
    else
        raised(c, UM_OK, NULL, 0);
}

static void clear_as_fact(struct um_http_req *rq, struct um_rest *r, const char *scope, struct caches caches, announced_fn *reply)
{
    act_fact(rq, r, scope, "CLEAR", "CACHE", caches.n == 1 ? caches.rows[0].shown : "*");
    clear(rq, r, caches, reply);
}

/* ---- /core/rest/caches ---- */

static json_t *names_json(const struct caches *all)
{
    json_t *names = json_array();

    for (size_t i = 0; i < all->n; i++)
        json_array_append_new(names, json_string(all->rows[i].shown));
    return names;
}

void caches_list(struct um_http_req *rq, void *ctx)
{
    const char *scope = admin_scope(rq, ctx);
    struct caches all;

    if (scope == NULL)
        return;
    all = list_used(ctx, scope);
    um_http_reply_json(rq, 200, names_json(&all));
    caches_free(&all);
}

static void reply_cleared(void *arg, struct um_http_req *rq, const json_t *nodes)
{
    um_http_reply_json(rq, 200, json_pack("{s:o, s:O}", "cleared", names_json(arg), "nodes", nodes));
}

void caches_clear(struct um_http_req *rq, void *ctx)
{
    const char *scope = admin_scope(rq, ctx);

    if (scope != NULL)
        clear_as_fact(rq, ctx, scope, list_used(ctx, scope), reply_cleared);
}

/* ---- /core/rest/internal/caches: for gateways ---- */

static void reply_rows(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct um_http_req *rq = later_take(arg);
    json_t *list;

    if (rq == NULL)
        return;
    if (err != UM_OK) {
        reply_store_error(rq, err);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("{s:s, s:s, s:I}", "scope", rows[i].scope, "name", rows[i].name,
                                              "version", (json_int_t)rows[i].version));
    um_http_reply_json(rq, 200, list);
}

void internal_caches_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct later *l = later_new(rq, r, NULL);

    um_store_caches(r->deps.store, l->loop, reply_rows, l);      /* the database's: ours may be behind */
}

/* ---- /core/actuator/caches ---- */

void actuator_caches_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct caches all;
    json_t *names;

    if (!um_actuator_is_manager(r->actuator, rq))
        return;
    all = list_all(r);
    names = names_json(&all);
    um_actuator_caches(r->actuator, rq, names);
    json_decref(names);
    caches_free(&all);
}

/* The one of NAME. False: there is none or more than one, which has been replied. */
static bool find_named(struct um_http_req *rq, struct um_rest *r, const char *name, struct caches *out)
{
    *out = list_all(r);
    keep_named(out, name);
    if (out->n == 1)
        return true;
    if (out->n == 0)
        um_http_reply_error(rq, 404, "U00404", "there is no such cache");
    else
        um_http_reply_error(rq, 400, "U00400", "several caches have this name, in different scopes");
    caches_free(out);
    return false;
}

void actuator_cache_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct caches one;

    if (!um_actuator_is_manager(r->actuator, rq) || !find_named(rq, r, um_http_param(rq, "name"), &one))
        return;
    um_actuator_cache(r->actuator, rq, one.rows[0].shown, one.rows[0].version, one.rows[0].applied);
    caches_free(&one);
}

static void reply_nothing(void *arg, struct um_http_req *rq, const json_t *nodes)
{
    (void)arg;
    (void)nodes;
    um_http_reply(rq, 204, NULL, UM_SPAN(NULL, 0));
}

void actuator_caches_clear(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    if (um_actuator_is_manager(r->actuator, rq))
        clear_as_fact(rq, r, SCOPE_ALL, list_used(r, SCOPE_ALL), reply_nothing);
}

void actuator_cache_clear(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct caches one;

    if (um_actuator_is_manager(r->actuator, rq) && find_named(rq, r, um_http_param(rq, "name"), &one))
        clear_as_fact(rq, r, SCOPE_ALL, one, reply_nothing);
}

/* ---- DELETE /core/rest/internal/caches: a gateway was asked, and tells who by itself ---- */

void internal_caches_clear(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *name = um_api_text(r->api, rq, "name");
    struct caches one;

    if (name == NULL)
        clear(rq, r, list_used(r, SCOPE_ALL), reply_nothing);
    else if (find_named(rq, r, name, &one))
        clear(rq, r, one, reply_nothing);
}
