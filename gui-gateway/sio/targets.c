/* Joins, leaves and disconnects of all who are meant: here, and in the cluster. */
#include <string.h>

#include "server_int.h"

static void join_one(void *arg, struct um_sio_socket *s)
{
    const struct sio_job *j = arg;

    for (size_t i = 0; i < j->n_names; i++)
        um_sio_join(s, j->names[i]);
}

static void leave_one(void *arg, struct um_sio_socket *s)
{
    const struct sio_job *j = arg;

    for (size_t i = 0; i < j->n_names; i++)
        um_sio_leave(s, j->names[i]);
}

static void disconnect_one(void *arg, struct um_sio_socket *s)
{
    um_sio_disconnect(s, ((const struct sio_job *)arg)->flag);
}

static void each(struct sio_job *j, struct sio_hub *h, void (*fn)(void *arg, struct um_sio_socket *s))
{
    struct sio_nsp *n = sio_nsp_find(h, UM_SPAN_STR(j->nsp));

    if (n != NULL)
        sio_each_target(n, &j->opts, fn, j);
}

static void run_join(struct sio_job *j, struct sio_hub *h) { each(j, h, join_one); }
static void run_leave(struct sio_job *j, struct sio_hub *h) { each(j, h, leave_one); }
static void run_disconnect(struct sio_job *j, struct sio_hub *h) { each(j, h, disconnect_one); }

static void everywhere(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n, bool flag,
                       void (*run)(struct sio_job *j, struct sio_hub *h))
{
    struct sio_job *j = sio_job_new(s, nsp, o, rooms, n);

    j->run = run;
    j->flag = flag;
    sio_job_run(j);
}

void um_sio_local_join(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    everywhere(s, nsp, o, rooms, n, false, run_join);
}

void um_sio_local_leave(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    everywhere(s, nsp, o, rooms, n, false, run_leave);
}

void um_sio_local_disconnect(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, bool close)
{
    everywhere(s, nsp, o, NULL, 0, close, run_disconnect);
}

static bool goes_out(const struct um_sio_opts *o) { return !(o->flags & UM_SIO_LOCAL); }

void um_sio_sockets_join(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    um_sio_local_join(s, nsp, o, rooms, n);
    if (goes_out(o) && s->adapter->join != NULL)
        s->adapter->join(s->adapter_state, nsp, o, rooms, n);
}

void um_sio_sockets_leave(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    um_sio_local_leave(s, nsp, o, rooms, n);
    if (goes_out(o) && s->adapter->leave != NULL)
        s->adapter->leave(s->adapter_state, nsp, o, rooms, n);
}

void um_sio_sockets_disconnect(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, bool close)
{
    um_sio_local_disconnect(s, nsp, o, close);
    if (goes_out(o) && s->adapter->disconnect != NULL)
        s->adapter->disconnect(s->adapter_state, nsp, o, close);
}
