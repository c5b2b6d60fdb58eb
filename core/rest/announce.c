/* Telling all nodes of a change before the reply to it.
 *
 * The change is committed: whoever reads from now on gets it. The reply waits at most cache.apply-wait for the nodes to have
 * dropped what they kept, and says which have:
 *
 *   X-Cluster-Version: GEC-DocumentClass=7, user=3
 *   X-Cluster-Applied: core-1,core-2,gateway-1 */
#include <stdlib.h>
#include <string.h>
#include <umbel/cachegen.h>
#include <umbel/node.h>
#include <umbel/util.h>
#include "internal.h"

struct announcing {
    struct um_rest *rest;
    struct um_http_req *rq;                  /* NULL: the client has left */
    announced_fn *then;
    void *arg;
    size_t waiting;                          /* caches that not everybody has applied yet */
    json_t *applied;                         /* ids that have applied all so far; NULL: none has been reported */
    struct um_buf versions;
};

void cache_name(struct um_buf *out, const char *scope, const char *name)
{
    um_buf_puts(out, scope);
    um_buf_puts(out, scope[0] != '\0' ? "-" : "");
    um_buf_puts(out, name);
}

static void client_left(void *arg) { ((struct announcing *)arg)->rq = NULL; }

static json_t *ids_of(const struct um_cachegen_applied_by *by, const json_t *among)
{
    json_t *ids = json_object();

    for (size_t i = 0; i < by->n; i++)
        if (among == NULL || json_object_get(among, by->ids[i]) != NULL)
            json_object_set_new(ids, by->ids[i], json_true());
    return ids;
}

/* [{"id","ok"}] of all members, sorted by id; who has gone meanwhile is left out. */
static json_t *nodes_json(const struct announcing *a)
{
    json_t *members = um_node_members_json(a->rest->deps.cluster), *nodes = json_array(), *m;
    size_t i;

    json_array_foreach(members, i, m) {
        const char *id = json_string_value(json_object_get(m, "id"));
        bool ok = a->applied != NULL && json_object_get(a->applied, id) != NULL;

        json_array_append_new(nodes, json_pack("{s:s, s:b}", "id", id, "ok", ok));
    }
    json_decref(members);
    return nodes;
}

static void add_headers(struct announcing *a, const json_t *nodes)
{
    struct um_buf ids = { 0 };
    const json_t *node;
    size_t i;

    json_array_foreach(nodes, i, node)
        if (json_is_true(json_object_get(node, "ok"))) {
            um_buf_puts(&ids, ids.len > 0 ? "," : "");
            um_percent_encode(&ids, UM_SPAN_STR(json_string_value(json_object_get(node, "id"))));
        }
    um_http_add_header(a->rq, "X-Cluster-Version", um_buf_cstr(&a->versions));
    um_http_add_header(a->rq, "X-Cluster-Applied", um_buf_cstr(&ids));
    um_buf_free(&ids);
}

static void finish(struct announcing *a)
{
    json_t *nodes = nodes_json(a);

    if (a->rq != NULL) {
        um_http_on_gone(a->rq, NULL, NULL);
        add_headers(a, nodes);
    }
    a->then(a->arg, a->rq, nodes);
    json_decref(nodes);
    json_decref(a->applied);
    um_buf_free(&a->versions);
    free(a);
}

static void on_done(void *arg, const struct um_cachegen_applied_by *by)
{
    struct announcing *a = arg;
    json_t *ids = ids_of(by, a->applied);

    json_decref(a->applied);
    a->applied = ids;
    if (--a->waiting == 0)
        finish(a);
}

static void put_version(struct um_buf *out, const struct um_store_cache *row)
{
    struct um_buf name = { 0 };

    cache_name(&name, row->scope, row->name);
    um_buf_puts(out, out->len > 0 ? ", " : "");
    um_percent_encode(out, UM_SPAN(name.data, name.len));
    um_buf_printf(out, "=%llu", (unsigned long long)row->version);
    um_buf_free(&name);
}

enum { VERSIONS_MAX = 4096 };                /* bytes of the header; a change of very many caches names the first */

void announce(struct um_rest *r, struct um_loop *l, struct um_http_req *rq, const struct um_store_cache *rows, size_t n,
              struct um_span news, announced_fn *then, void *arg)
{
    struct announcing *a = um_xcalloc(1, sizeof(*a));

    a->rest = r;
    a->rq = rq;
    a->then = then;
    a->arg = arg;
    a->waiting = n;
    if (rq != NULL)
        um_http_on_gone(rq, client_left, a);
    for (size_t i = 0; i < n; i++) {
        if (a->versions.len < VERSIONS_MAX)
            put_version(&a->versions, &rows[i]);
        um_cachegen_announce(r->deps.cachegen, l, rows[i].scope, rows[i].name, rows[i].version, news, on_done, a);
    }
    if (n == 0)
        finish(a);
}
