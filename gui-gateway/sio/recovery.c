/* Connection state recovery: what a socket is, told to the adapter as it changes; and a client that comes back, restored. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "server_int.h"

enum { OFFSET_MAX = 63 };

bool sio_recovers(const struct um_sio *s)
{
    return s->conf->recovery_ms > 0 && s->adapter->recovery.stamp != NULL;
}

/* --- telling ---------------------------------------------------------------------------------------------------------------- */

static void save(struct um_sio_socket *s, bool gone)
{
    struct um_sio *sio = s->nsp->hub->sio;
    struct um_span *rooms = um_xcalloc(s->n_places + 1, sizeof(*rooms));
    struct um_sio_session session = { s->id, s->pid, rooms, s->n_places + 1, s->data != NULL ? um_bytes_span(s->data) : UM_SPAN("{}", 2) };

    rooms[0] = UM_SPAN(s->id, SIO_ID_LEN);
    for (uint32_t i = 0; i < s->n_places; i++)
        rooms[i + 1] = s->place[i].room->name;
    sio->adapter->recovery.save(sio->adapter_state, s->nsp->name, &session, gone, sio->conf->recovery_ms);
    free(rooms);
}

static void save_dirty(void *arg)
{
    struct sio_hub *h = arg;

    while (!um_list_is_empty(&h->dirty)) {
        struct um_sio_socket *s = UM_CONTAINER(h->dirty.next, struct um_sio_socket, dirty);

        um_list_remove(&s->dirty);
        save(s, false);
    }
}

/* Once for all changes of a turn. */
void sio_save_soon(struct um_sio_socket *s)
{
    struct sio_hub *h = s->nsp->hub;

    if (s->state != SIO_IS_CONNECTED || s->pid[0] == '\0')
        return;
    if (h->save.cb == NULL)
        um_defer_init(&h->save, save_dirty, h);
    um_list_remove(&s->dirty);
    um_list_append(&h->dirty, &s->dirty);
    um_loop_defer(h->loop, UM_PHASE_FLUSH_DOCS, &h->save);
}

void sio_save_gone(struct um_sio_socket *s, bool may_come_back)
{
    struct um_sio *sio = s->nsp->hub->sio;

    if (s->pid[0] == '\0')
        return;
    if (may_come_back)
        save(s, true);
    else
        sio->adapter->recovery.forget(sio->adapter_state, s->nsp->name, s->pid);
}

/* --- restoring -------------------------------------------------------------------------------------------------------------- */

struct um_sio_restore {
    struct um_msg msg;
    struct um_sio *sio;
    struct um_loop *loop;
    struct um_sio_socket *socket;         /* NULL: it has left meanwhile; its hub's alone */
    bool found;
    char sid[SIO_ID_LEN + 1], pid[SIO_ID_LEN + 1];
    json_t *rooms;
    struct um_bytes *data;
    struct um_sio_missed *missed;
    size_t n_missed;
};

/* The connection that had the session, if it is still there: it will not be heard of any more. */
static void supersede_one(void *arg, struct um_sio_socket *s)
{
    (void)arg;
    s->pid[0] = '\0';
    eio_close(s->client->session, "transport close");
}

static void run_supersede(struct sio_job *j, struct sio_hub *h)
{
    struct sio_nsp *n = sio_nsp_find(h, UM_SPAN_STR(j->nsp));

    if (n != NULL)
        sio_each_target(n, &j->opts, supersede_one, NULL);
}

static void supersede(struct um_sio *s, const char *nsp, const char *sid)
{
    struct um_span own = UM_SPAN(sid, SIO_ID_LEN);
    struct um_sio_opts o = { .rooms = &own, .n_rooms = 1 };
    struct sio_job *j = sio_job_new(s, nsp, &o, NULL, 0);

    j->run = run_supersede;
    sio_job_run(j);
}

static void send_missed(struct um_sio_socket *s, const struct um_sio_restore *r)
{
    struct sio_head head = { SIO_EVENT, s->nsp->name, false, 0 };

    for (size_t i = 0; i < r->n_missed; i++) {
        struct eio_out *o = sio_encode(&head, r->missed[i].event, r->missed[i].offset);

        if (o != NULL)
            eio_send(s->client->session, o, 0);
        eio_out_unref(o);
    }
}

static void revive(struct um_sio_socket *s, struct um_sio_restore *r)
{
    json_t *room;
    size_t i;

    supersede(r->sio, s->nsp->name, r->sid);
    memcpy(s->id, r->sid, sizeof(s->id));
    memcpy(s->pid, r->pid, sizeof(s->pid));
    s->data = r->data;
    r->data = NULL;
    s->recovered = true;
    sio_count(SIO_M_RECOVERED, 1);
    send_missed(s, r);
    if (s->state == SIO_IS_CONNECTING)    /* not closed by what it has missed */
        um_sio_admit(s);
    json_array_foreach(r->rooms, i, room)
        um_sio_join(s, UM_SPAN(json_string_value(room), json_string_length(room)));
}

static void restore_free(struct um_sio_restore *r)
{
    for (size_t i = 0; i < r->n_missed; i++) {
        um_sio_data_unref(r->missed[i].event);
        free((void *)(uintptr_t)r->missed[i].offset.data);
    }
    free(r->missed);
    json_decref(r->rooms);
    um_bytes_unref(r->data);
    free(r);
}

static void come_back(struct um_msg *m)
{
    struct um_sio_restore *r = UM_CONTAINER(m, struct um_sio_restore, msg);
    struct um_sio_socket *s = r->socket;

    if (s != NULL) {
        s->restoring = NULL;
        if (r->found)
            revive(s, r);
        else
            sio_socket_start(s);
    }
    restore_free(r);
}

static void keep_missed(struct um_sio_restore *r, const struct um_sio_missed *missed, size_t n)
{
    r->missed = um_xcalloc(n + 1, sizeof(*r->missed));
    r->n_missed = n;
    for (size_t i = 0; i < n; i++) {
        r->missed[i].event = um_sio_data_ref(missed[i].event);
        r->missed[i].offset = UM_SPAN(um_xstrndup((const char *)missed[i].offset.data, missed[i].offset.len), missed[i].offset.len);
    }
}

void um_sio_restored(struct um_sio_restore *r, const struct um_sio_session *session, const struct um_sio_missed *missed, size_t n_missed)
{
    if (session != NULL && strlen(session->sid) == SIO_ID_LEN && strlen(session->pid) == SIO_ID_LEN) {
        r->found = true;
        memcpy(r->sid, session->sid, sizeof(r->sid));
        memcpy(r->pid, session->pid, sizeof(r->pid));
        r->rooms = json_array();
        for (size_t i = 0; i < session->n_rooms; i++)
            json_array_append_new(r->rooms, json_stringn((const char *)session->rooms[i].data, session->rooms[i].len));
        r->data = um_bytes_dup(session->data.data, session->data.len);
        keep_missed(r, missed, n_missed);
    }
    if (r->sio->ended)
        come_back(&r->msg);
    else
        um_loop_post(r->loop, &r->msg, come_back);
}

bool sio_restore_begin(struct um_sio_socket *s)
{
    struct um_sio *sio = s->nsp->hub->sio;
    struct um_span auth = s->auth != NULL ? um_bytes_span(s->auth->json) : UM_SPAN("", 0);
    json_t *j = sio_recovers(sio) && !s->asked ? json_loadb((const char *)auth.data, auth.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const char *pid = json_string_value(json_object_get(j, "pid")), *offset = json_string_value(json_object_get(j, "offset"));
    bool asks = pid != NULL && strlen(pid) == SIO_ID_LEN && (offset == NULL || strlen(offset) <= OFFSET_MAX);

    s->asked = true;
    if (asks) {
        s->restoring = um_xcalloc(1, sizeof(*s->restoring));
        s->restoring->sio = sio;
        s->restoring->loop = s->nsp->hub->loop;
        s->restoring->socket = s;
        sio->adapter->recovery.restore(sio->adapter_state, s->nsp->name, pid, offset != NULL ? UM_SPAN_STR(offset) : UM_SPAN("", 0), s->restoring);
    }
    json_decref(j);
    return asks;
}

void sio_restore_cancel(struct um_sio_socket *s)
{
    if (s->restoring != NULL)
        s->restoring->socket = NULL;
    s->restoring = NULL;
}
