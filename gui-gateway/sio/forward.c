/* See forward.h. A request that was sent on says so (X-Umbel-Hop), and goes no further: two gateways that disagree about members do
 * not play ball. The header needs no proof: who sends it himself is only told sooner that his session is unknown. */
#include "forward.h"

#include <proxy/exchange.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/log.h>

#include "engine_int.h"

enum { CONNECTIONS_MAX = 4096 };
#define HOP_HEADER "X-Umbel-Hop"

struct peer {
    char *url;
    const char *nodes[1];
    struct um_upstream_conf conf;
    struct um_upstream *up;
};
struct eio_forwards {
    struct um_loop *loop;
    const struct um_upstream_conf *conf;
    struct um_cluster *cluster;
    size_t max_answer;
    struct um_map peers;                  /* by address */
};
struct forwarding {
    struct um_http_req *rq;
    struct um_call *call;
    eio_forwarded *reply;
    void *arg;
};

struct eio_forwards *eio_forwards_new(struct um_loop *l, const struct um_sio_env *env)
{
    struct eio_forwards *f;

    if (env->cluster == NULL || env->upstream == NULL)
        return NULL;
    f = um_xcalloc(1, sizeof(*f));
    f->loop = l;
    f->conf = env->upstream;
    f->cluster = env->cluster;
    f->max_answer = (size_t)env->conf->max_queued * 2 + (size_t)env->conf->max_payload;      /* base64 */
    return f;
}

void eio_forwards_free(struct eio_forwards *f)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    if (f == NULL)
        return;
    while (um_map_next(&f->peers, &pos, &key, &value)) {
        struct peer *p = value;

        um_upstream_free(p->up);
        free(p->url);
        free(p);
    }
    um_map_free(&f->peers);
    free(f);
}

static struct um_upstream *upstream_to(struct eio_forwards *f, const char *address)
{
    struct peer *p = um_map_get(&f->peers, UM_SPAN_STR(address));

    if (p != NULL)
        return p->up;
    p = um_xcalloc(1, sizeof(*p));
    p->url = um_xasprintf("http://%s", address);
    p->nodes[0] = p->url;
    p->conf = *f->conf;
    p->conf.nodes = (struct um_conf_list){ 1, p->nodes };
    p->conf.max_connections = CONNECTIONS_MAX;        /* a waiting poll holds one */
    if (um_upstream_new(&p->up, f->loop, &p->conf, NULL) != UM_OK) {
        free(p->url);
        free(p);
        return NULL;
    }
    um_map_put(&f->peers, UM_SPAN_STR(address), p);
    return p->up;
}

static struct um_upstream *upstream_of(struct eio_forwards *f, uint16_t member)
{
    struct um_members *m = um_cluster_members(f->cluster);
    struct um_upstream *up = NULL;

    for (size_t i = 0; i < m->n && up == NULL; i++) {
        const struct um_member *one = &m->list[i];

        if (!one->is_self && strcmp(one->role, "gateway") == 0 && one->address[0] != '\0' && sio_id_member(one->id) == member)
            up = upstream_to(f, one->address);
    }
    um_members_unref(m);
    return up;
}

static void client_left(void *arg)
{
    struct forwarding *x = arg;

    um_call_cancel(x->call);              /* the other gateway sees that the client has gone */
    free(x);
}

static void answered(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    struct forwarding *x = arg;

    (void)retry_after;
    um_http_on_gone(x->rq, NULL, NULL);
    x->reply(x->arg, x->rq, err == UM_OK ? status : 0, body);
    free(x);
}

bool eio_forward(struct eio_forwards *f, struct um_http_req *rq, uint16_t member, int64_t timeout_ms, eio_forwarded *reply, void *arg)
{
    struct um_upstream *up = f != NULL && um_http_header(rq, HOP_HEADER) == NULL ? upstream_of(f, member) : NULL;
    const char *type = um_http_header(rq, "Content-Type");
    struct um_exchange_header headers[] = {
        { HOP_HEADER, "1" }, { "X-Request-Id", um_http_request_id(rq) }, { "Content-Type", type != NULL ? type : "text/plain;charset=UTF-8" },
    };
    struct um_exchange_request ask = { .method = um_http_method(rq), .target = um_http_raw_target(rq), .headers = headers, .n = UM_COUNT(headers),
                                       .timeout_ms = timeout_ms };
    struct forwarding *x;

    if (up == NULL)
        return false;
    x = um_xcalloc(1, sizeof(*x));
    *x = (struct forwarding){ rq, NULL, reply, arg };
    if ((x->call = um_call_start(up, &ask, um_http_body(rq), f->max_answer, answered, x)) == NULL) {
        free(x);
        return false;
    }
    sio_count(SIO_M_FORWARDED, 1);
    um_http_deadline(rq, timeout_ms + 1000);
    um_http_on_gone(rq, client_left, x);
    return true;
}
