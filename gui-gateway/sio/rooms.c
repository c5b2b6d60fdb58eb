/* Namespaces and rooms of one hub. A room is an array of its members, a socket an array of its places, so a broadcast walks memory in a
 * row and joining and leaving allocate nothing but growth. The room named by a socket's own id has no array: it is the map of sockets.
 *
 * Marks: a broadcast raises the namespace's mark; who has it has been told already, or is not to be. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

#include "server_int.h"

/* --- namespaces ------------------------------------------------------------------------------------------------------ */

struct sio_nsp *sio_nsp_find(struct sio_hub *h, struct um_span name)
{
    return um_map_get(&h->namespaces, name);
}

static const struct sio_row *row_of(const struct um_sio *s, struct um_span name)
{
    const struct sio_row *best = NULL;

    UM_LIST_EACH(it, &s->rows) {
        const struct sio_row *row = UM_CONTAINER(it, struct sio_row, link);
        size_t n = strlen(row->name);

        if (!row->is_prefix && um_span_eq(name, UM_SPAN(row->name, n)))
            return row;
        if (row->is_prefix && name.len >= n && memcmp(name.data, row->name, n) == 0)
            best = row;
    }
    return best;
}

/* The adapter hears of it before anybody is in it. False: there are too many. */
static bool open_once(struct um_sio *s, const char *name)
{
    struct um_span key = UM_SPAN_STR(name);
    bool ok = true;

    pthread_mutex_lock(&s->lock);
    if (um_map_get(&s->opened, key) == NULL) {
        ok = s->opened.n < SIO_NAMESPACES_MAX;
        if (ok) {
            um_map_put(&s->opened, key, s);
            if (s->adapter->open != NULL)
                s->adapter->open(s->adapter_state, name);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

struct sio_nsp *sio_nsp_need(struct sio_hub *h, struct um_span name)
{
    struct sio_nsp *n = sio_nsp_find(h, name);
    const struct sio_row *row;
    char *text;

    if (n != NULL)
        return n;
    if (name.len > SIO_NSP_NAME_MAX || memchr(name.data, '\0', name.len) != NULL || (row = row_of(h->sio, name)) == NULL)
        return NULL;
    text = um_xstrndup((const char *)name.data, name.len);
    if (!open_once(h->sio, text)) {
        um_log_limited(UM_WARN, "sio", "too many namespaces", UM_S("name", text));
        free(text);
        return NULL;
    }
    n = um_xcalloc(1, sizeof(*n));
    n->hub = h;
    n->name = text;
    n->row = row;
    um_list_init(&n->list);
    um_map_put(&h->namespaces, name, n);
    return n;
}

void sio_nsp_free(struct sio_nsp *n)
{
    um_map_free(&n->sockets);
    um_map_free(&n->rooms);
    free(n->name);
    free(n);
}

/* --- rooms -------------------------------------------------------------------------------------------------------------- */

static void tell_opened(const struct sio_nsp *n, struct um_span room)
{
    const struct um_sio *s = n->hub->sio;

    if (s->adapter->room_opened != NULL)
        s->adapter->room_opened(s->adapter_state, n->name, room, n->hub->index);
}

static void tell_closed(const struct sio_nsp *n, struct um_span room)
{
    const struct um_sio *s = n->hub->sio;

    if (s->adapter->room_closed != NULL)
        s->adapter->room_closed(s->adapter_state, n->name, room, n->hub->index);
}

void sio_nsp_enter(struct um_sio_socket *s)
{
    um_map_put(&s->nsp->sockets, UM_SPAN(s->id, SIO_ID_LEN), s);
    um_list_append(&s->nsp->list, &s->link);
    tell_opened(s->nsp, UM_SPAN(s->id, SIO_ID_LEN));
    sio_count(SIO_M_SOCKETS, 1);
}

static struct sio_room *need_room(struct sio_nsp *n, struct um_span name)
{
    struct sio_room *r = um_map_get(&n->rooms, name);
    uint8_t *text;

    if (r != NULL)
        return r;
    r = um_xcalloc(1, sizeof(*r) + name.len + 1);
    text = (uint8_t *)(r + 1);
    memcpy(text, name.data, name.len);
    r->name = UM_SPAN(text, name.len);
    um_map_put(&n->rooms, name, r);
    tell_opened(n, name);
    return r;
}

static void drop_room(struct sio_nsp *n, struct sio_room *r)
{
    um_map_remove(&n->rooms, r->name);
    tell_closed(n, r->name);
    free(r->member);
    free(r);
}

static struct sio_place *place_in(struct um_sio_socket *s, const struct sio_room *r)
{
    for (uint32_t i = 0; i < s->n_places; i++)
        if (s->place[i].room == r)
            return &s->place[i];
    return NULL;
}

static void enter_room(struct um_sio_socket *s, struct sio_room *r)
{
    if (r->n == r->cap) {
        r->cap = r->cap == 0 ? 4 : r->cap * 2;
        r->member = um_xrealloc(r->member, r->cap * sizeof(struct um_sio_socket *));
    }
    if (s->n_places == s->cap_places) {
        s->cap_places = s->cap_places == 0 ? 4 : s->cap_places * 2;
        s->place = um_xrealloc(s->place, s->cap_places * sizeof(*s->place));
    }
    s->place[s->n_places++] = (struct sio_place){ r, r->n };
    r->member[r->n++] = s;
}

/* The last member takes the empty place. */
static void exit_room(struct um_sio_socket *s, struct sio_place *p)
{
    struct sio_room *r = p->room;
    struct um_sio_socket *last = r->member[--r->n];

    if (last != s) {
        r->member[p->at] = last;
        place_in(last, r)->at = p->at;
    }
    *p = s->place[--s->n_places];
    if (r->n == 0)
        drop_room(s->nsp, r);
}

void um_sio_join(struct um_sio_socket *s, struct um_span room)
{
    struct sio_room *r;

    if (s->state != SIO_IS_CONNECTED || um_span_eq(room, UM_SPAN(s->id, SIO_ID_LEN)))
        return;
    r = um_map_get(&s->nsp->rooms, room);
    if (r != NULL && place_in(s, r) != NULL)
        return;
    enter_room(s, r != NULL ? r : need_room(s->nsp, room));
    sio_save_soon(s);
}

void um_sio_leave(struct um_sio_socket *s, struct um_span room)
{
    struct sio_room *r = um_map_get(&s->nsp->rooms, room);
    struct sio_place *p = r != NULL ? place_in(s, r) : NULL;

    if (p == NULL)
        return;
    exit_room(s, p);
    sio_save_soon(s);
}

size_t um_sio_room_count(const struct um_sio_socket *s) { return s->n_places; }

void sio_nsp_exit(struct um_sio_socket *s)
{
    while (s->n_places > 0)
        exit_room(s, &s->place[s->n_places - 1]);
    um_map_remove(&s->nsp->sockets, UM_SPAN(s->id, SIO_ID_LEN));
    um_list_remove(&s->link);
    tell_closed(s->nsp, UM_SPAN(s->id, SIO_ID_LEN));
    sio_count(SIO_M_SOCKETS, -1);
}

/* --- who is meant -------------------------------------------------------------------------------------------------------- */

typedef void target_fn(void *arg, struct um_sio_socket *s);
struct targets { uint64_t mark; target_fn *fn; void *arg; };

static void tell_once(const struct targets *t, struct um_sio_socket *s)
{
    if (s->mark == t->mark)
        return;
    s->mark = t->mark;
    t->fn(t->arg, s);
}

/* From the end: FN may make the member leave, and then the last one takes its place. */
static void each_in_room(struct sio_nsp *n, struct um_span name, const struct targets *t)
{
    struct um_sio_socket *own = name.len == SIO_ID_LEN ? um_map_get(&n->sockets, name) : NULL;
    struct sio_room *r;

    if (own != NULL)
        tell_once(t, own);
    r = um_map_get(&n->rooms, name);
    for (uint32_t i = r != NULL ? r->n : 0; i > 0; i--) {
        bool last = r->n == 1;

        tell_once(t, r->member[i - 1]);
        if (last)
            return;                       /* the room may be gone */
    }
}

static void only_mark(void *arg, struct um_sio_socket *s)
{
    (void)arg;
    (void)s;
}

void sio_each_target(struct sio_nsp *n, const struct um_sio_opts *o, target_fn *fn, void *arg)
{
    struct targets t = { ++n->mark, fn, arg }, left_out = { n->mark, only_mark, NULL };

    for (size_t i = 0; i < o->n_except; i++)
        each_in_room(n, o->except[i], &left_out);
    for (size_t i = 0; i < o->n_rooms; i++)
        each_in_room(n, o->rooms[i], &t);
    if (o->n_rooms == 0)
        UM_LIST_EACH_SAFE(it, &n->list)
            tell_once(&t, UM_CONTAINER(it, struct um_sio_socket, link));
}
