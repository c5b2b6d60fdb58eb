/* See realtime.h. */
#include "realtime.h"

#include <stdlib.h>
#include <umbel/log.h>

um_err realtime_new(struct gateway *gw)
{
    struct um_sio_env env = { .conf = &gw->sio_conf, .reactors = gw->reactors, .adapter = &um_sio_alone,
                              .member = um_cluster_self(gw->cluster, &(int64_t){ 0 }), .upstream = &gw->upstream,
                              .cluster = gw->redis != NULL ? gw->cluster : NULL };
    um_err err;

    if (!gw->sio_conf.enabled)
        return UM_OK;
    (void)um_sio_cluster_new(&env.adapter, &env.adapter_state, gw->redis, um_reactors_loop(gw->reactors, 0), &gw->sio_cluster_conf);
    if ((err = um_sio_new(&gw->sio, &env)) != UM_OK)
        return err;
    if (gw->sio_conf.conformance || gw->sio_conf.lab)
        um_log(UM_WARN, "sio", "test namespaces", UM_S("hint", "sio.conformance.enabled and sio.lab.enabled let everybody in"));
    return um_sio_open(gw->sio);
}

struct asking {
    um_sio_who_cb *cb;
    void *arg;
};

static void found(void *arg, um_err err, const struct um_session *s)
{
    struct asking *q = arg;
    struct um_sio_who who = { 0 };

    if (err == UM_OK)
        who = (struct um_sio_who){ .user = s->user, .scope = um_session_attr_str(s, "scope"), .session = s->id, .profiles = um_session_attr(s, "profiles"), .groups = um_session_attr(s, "groups") };
    if (err == UM_OK || err == UM_ENOTFOUND)
        q->cb(q->arg, UM_OK, &who, NULL);
    else
        q->cb(q->arg, err, NULL, "this origin may not use the session");
    free(q);
}

void realtime_ask(void *ctx, struct um_http_req *rq, um_sio_who_cb *cb, void *arg)
{
    struct asking *q = um_xcalloc(1, sizeof(*q));

    *q = (struct asking){ cb, arg };
    um_auth_find_caller(ctx, rq, found, q);
}
