/* The adapters by which this gateway is one node of a cluster of Socket.IO servers in Redis, Node.js servers among them.
 * docs/socketio.md is the operators' side. */
#ifndef SIO_CLUSTER_H
#define SIO_CLUSTER_H
#include <sio/adapter.h>
#include <umbel/conf.h>
#include <umbel/redis.h>

enum { UM_SIO_CLASSIC, UM_SIO_SHARDED, UM_SIO_STREAMS, UM_SIO_NONE };
enum { UM_SIO_DYNAMIC, UM_SIO_DYNAMIC_PRIVATE, UM_SIO_STATIC };
struct um_sio_cluster_conf {
    int adapter;                      /* UM_SIO_CLASSIC, ... */
    const char *key;
    int64_t requests_timeout_ms;
    bool answers_privately;
    int subscription_mode;            /* UM_SIO_DYNAMIC, ...; of sharded */
    const char *stream_name, *session_prefix;                   /* of streams, as the rest */
    int64_t stream_count, stream_length, read_count;
};
extern const struct um_conf_table um_sio_cluster_conf_table;

/* The adapter that CF (borrowed for the life of the result) names: *OPS and its state *A, which lives on LOOP. False, and nothing is
 * set: REDIS is NULL, or the adapter is `none`; then um_sio_alone serves. */
bool um_sio_cluster_new(const struct um_sio_adapter **ops, void **a, struct um_redis *redis, struct um_loop *loop,
                        const struct um_sio_cluster_conf *cf);

#endif
