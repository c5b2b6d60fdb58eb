/* The streams adapter's two files: messages (streams.c), and what clients that come back have missed (streams_sessions.c). */
#ifndef SIO_STREAMS_H
#define SIO_STREAMS_H
#include "members.h"

enum { STREAM_ID = 48 };              /* "1795247454012-0", terminated */
struct stream {
    char *name;
    char last[STREAM_ID];             /* read up to here; "": not known yet */
};
struct streams {
    struct sio_cluster *c;
    struct um_redis_link *reader;     /* blocks: nothing else goes there */
    struct stream *list;
    size_t n;
    struct um_timer again;
    struct um_map since;              /* pid -> where its stream was when it connected: char * */
    bool ending;
};
/* The stream of N's messages. */
struct stream *streams_of(const struct nsp *n);
/* One field of an entry's list of names and values; data NULL: none. */
struct um_span streams_field(const struct um_redis_reply *fields, const char *name);
bool streams_is_id(struct um_span text);
void streams_run_stamp(struct order *o);

/* um_sio_recovery */
void streams_stamp(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, char offset[64]);
void streams_save(void *a, const char *nsp, const struct um_sio_session *s, bool gone, int64_t max_ms);
void streams_forget(void *a, const char *nsp, const char *pid);
void streams_restore(void *a, const char *nsp, const char *pid, struct um_span offset, struct um_sio_restore *r);

#endif
