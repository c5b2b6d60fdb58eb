/* The adapter of a process without others: nobody is asked, and sessions are kept in memory. Offsets are `<start of the process>-<number>`.
 * What is kept of a namespace: its newest events, as long as a client may be away, at most KEPT_MAX of them and KEPT_BYTES. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>

#include "server_int.h"

enum { KEPT_MAX = 100000, KEPT_BYTES = 64 * 1024 * 1024, SESSIONS_MAX = 100000, MISSED_MAX = 10000 };

struct kept {
    struct um_list link;
    uint64_t number;
    int64_t at_ms;
    char *nsp;
    struct um_sio_data *event;
    struct um_span *rooms;                /* one block with `except` */
    size_t n_rooms, n_except;
};
struct session {
    struct um_list link;                  /* oldest first among those that are gone */
    char *key, *sid, *pid;
    uint64_t since;                       /* the newest number at its connect */
    int64_t until_ms;                     /* 0: its connection lives */
    struct um_span *rooms;
    size_t n_rooms;
    struct um_bytes *data;
};

static struct {
    pthread_mutex_t lock;
    struct um_list kept, gone;
    struct um_map sessions;
    size_t n_kept, bytes;
    uint64_t number;
    int64_t start_ms, keep_ms;
    unsigned users;
} mem = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct um_span *copy_spans(const struct um_span *a, size_t n, const struct um_span *b, size_t m)
{
    size_t size = 0;
    struct um_span *all;
    uint8_t *at;

    for (size_t i = 0; i < n + m; i++)
        size += (i < n ? a[i] : b[i - n]).len;
    all = um_xmalloc((n + m) * sizeof(*all) + size + 1);
    at = (uint8_t *)(all + n + m);
    for (size_t i = 0; i < n + m; i++) {
        struct um_span s = i < n ? a[i] : b[i - n];

        if (s.len > 0)
            memcpy(at, s.data, s.len);
        all[i] = UM_SPAN(at, s.len);
        at += s.len;
    }
    return all;
}

static void drop_kept(struct kept *k)
{
    um_list_remove(&k->link);
    mem.n_kept--;
    mem.bytes -= k->event->json->len;
    um_sio_data_unref(k->event);
    free(k->rooms);
    free(k->nsp);
    free(k);
}

static void drop_session(struct session *x)
{
    um_list_remove(&x->link);
    um_map_remove(&mem.sessions, UM_SPAN_STR(x->key));
    um_bytes_unref(x->data);
    free(x->rooms);
    free(x->key);
    free(x->sid);
    free(x->pid);
    free(x);
}

static void trim(int64_t now)
{
    while (!um_list_is_empty(&mem.kept)) {
        struct kept *k = UM_CONTAINER(mem.kept.next, struct kept, link);

        if (mem.n_kept <= KEPT_MAX && mem.bytes <= KEPT_BYTES && k->at_ms + mem.keep_ms > now)
            break;
        drop_kept(k);
    }
    while (!um_list_is_empty(&mem.gone)) {
        struct session *x = UM_CONTAINER(mem.gone.next, struct session, link);

        if (x->until_ms > now && mem.sessions.n <= SESSIONS_MAX)
            break;
        drop_session(x);
    }
}

static um_err start(void *a, struct um_sio *s)
{
    (void)a;
    pthread_mutex_lock(&mem.lock);
    if (mem.users++ == 0) {
        um_list_init(&mem.kept);
        um_list_init(&mem.gone);
        mem.start_ms = um_wall_ms();
    }
    mem.keep_ms = s->conf->recovery_ms;
    pthread_mutex_unlock(&mem.lock);
    return UM_OK;
}

static void stop(void *a)
{
    struct um_span key;
    size_t pos = 0;
    void *x;

    (void)a;
    pthread_mutex_lock(&mem.lock);
    if (mem.users > 0 && --mem.users == 0) {
        while (!um_list_is_empty(&mem.kept))
            drop_kept(UM_CONTAINER(mem.kept.next, struct kept, link));
        while (um_map_next(&mem.sessions, &pos, &key, &x)) {
            drop_session(x);
            pos = 0;
        }
        um_map_free(&mem.sessions);
    }
    pthread_mutex_unlock(&mem.lock);
}

static void stamp(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, char offset[64])
{
    struct kept *k = um_xcalloc(1, sizeof(*k));

    (void)a;
    k->nsp = um_xstrdup(nsp);
    k->event = um_sio_data_ref(event);
    k->rooms = copy_spans(o->rooms, o->n_rooms, o->except, o->n_except);
    k->n_rooms = o->n_rooms;
    k->n_except = o->n_except;
    k->at_ms = um_now_ms();
    pthread_mutex_lock(&mem.lock);
    k->number = ++mem.number;
    um_list_append(&mem.kept, &k->link);
    mem.n_kept++;
    mem.bytes += event->json->len;
    trim(k->at_ms);
    snprintf(offset, 64, "%lld-%llu", (long long)mem.start_ms, (unsigned long long)mem.number);
    pthread_mutex_unlock(&mem.lock);
}

static char *key_of(const char *nsp, const char *pid) { return um_xasprintf("%s#%s", pid, nsp); }

static struct session *session_new(const char *nsp, const struct um_sio_session *s)
{
    struct session *x = um_xcalloc(1, sizeof(*x));

    um_list_init(&x->link);
    x->key = key_of(nsp, s->pid);
    x->sid = um_xstrdup(s->sid);
    x->pid = um_xstrdup(s->pid);
    x->since = mem.number;
    um_map_put(&mem.sessions, UM_SPAN_STR(x->key), x);
    return x;
}

static void save(void *a, const char *nsp, const struct um_sio_session *s, bool gone, int64_t max_ms)
{
    char *key = key_of(nsp, s->pid);
    struct session *x;

    (void)a;
    pthread_mutex_lock(&mem.lock);
    if ((x = um_map_get(&mem.sessions, UM_SPAN_STR(key))) == NULL)
        x = session_new(nsp, s);
    free(x->rooms);
    um_bytes_unref(x->data);
    x->rooms = copy_spans(s->rooms, s->n_rooms, NULL, 0);
    x->n_rooms = s->n_rooms;
    x->data = um_bytes_dup(s->data.data, s->data.len);
    x->until_ms = gone ? um_now_ms() + max_ms : 0;
    um_list_remove(&x->link);
    if (gone)
        um_list_append(&mem.gone, &x->link);
    trim(um_now_ms());
    pthread_mutex_unlock(&mem.lock);
    free(key);
}

static void forget(void *a, const char *nsp, const char *pid)
{
    char *key = key_of(nsp, pid);
    struct session *x;

    (void)a;
    pthread_mutex_lock(&mem.lock);
    if ((x = um_map_get(&mem.sessions, UM_SPAN_STR(key))) != NULL)
        drop_session(x);
    pthread_mutex_unlock(&mem.lock);
    free(key);
}

/* --- restoring ------------------------------------------------------------------------------------------------------------- */

static bool hits(const struct session *x, const struct um_span *rooms, size_t n)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < x->n_rooms; k++)
            if (um_span_eq(rooms[i], x->rooms[k]))
                return true;
    return false;
}

static bool was_meant(const struct session *x, const struct kept *k, const char *nsp)
{
    return strcmp(k->nsp, nsp) == 0 && (k->n_rooms == 0 || hits(x, k->rooms, k->n_rooms)) && !hits(x, k->rooms + k->n_rooms, k->n_except);
}

/* Do we still have everything after OFFSET? */
static bool read_offset(struct um_span offset, uint64_t since, uint64_t *number)
{
    uint64_t oldest = um_list_is_empty(&mem.kept) ? mem.number + 1 : UM_CONTAINER(mem.kept.next, struct kept, link)->number;
    char text[64] = "", prefix[32], *end;
    size_t n;

    *number = since;
    if (offset.len > 0) {
        n = (size_t)snprintf(prefix, sizeof(prefix), "%lld-", (long long)mem.start_ms);
        memcpy(text, offset.data, UM_MIN(offset.len, sizeof(text) - 1));
        if (strncmp(text, prefix, n) != 0)
            return false;
        *number = strtoull(text + n, &end, 10);
        if (*end != '\0' || end == text + n)
            return false;
    }
    return *number <= mem.number && *number + 1 >= oldest;
}

static size_t collect(const struct session *x, const char *nsp, uint64_t after, struct um_sio_missed **out)
{
    struct um_sio_missed *list = NULL;
    size_t n = 0, cap = 0;

    UM_LIST_EACH(it, &mem.kept) {
        struct kept *k = UM_CONTAINER(it, struct kept, link);

        if (k->number <= after || !was_meant(x, k, nsp))
            continue;
        if (n == MISSED_MAX) {
            n = SIZE_MAX;                 /* too much to make up for */
            break;
        }
        if (n == cap)
            list = um_xrealloc(list, (cap = cap == 0 ? 16 : cap * 2) * sizeof(*list));
        list[n++] = (struct um_sio_missed){ k->event, UM_SPAN(um_xasprintf("%lld-%llu", (long long)mem.start_ms, (unsigned long long)k->number), 0) };
        list[n - 1].offset.len = strlen((const char *)list[n - 1].offset.data);
    }
    *out = list;
    return n;
}

static void restore(void *a, const char *nsp, const char *pid, struct um_span offset, struct um_sio_restore *r)
{
    char *key = key_of(nsp, pid);
    struct um_sio_missed *missed = NULL;
    struct session *x;
    uint64_t after;
    size_t n = 0;

    (void)a;
    pthread_mutex_lock(&mem.lock);
    trim(um_now_ms());
    x = um_map_get(&mem.sessions, UM_SPAN_STR(key));
    if (x != NULL && read_offset(offset, x->since, &after) && (n = collect(x, nsp, after, &missed)) != SIZE_MAX) {
        struct um_sio_session s = { x->sid, x->pid, x->rooms, x->n_rooms, um_bytes_span(x->data) };

        um_sio_restored(r, &s, missed, n);
        drop_session(x);
    } else {
        um_sio_restored(r, NULL, NULL, 0);
        n = n == SIZE_MAX ? MISSED_MAX : 0;
    }
    pthread_mutex_unlock(&mem.lock);
    for (size_t i = 0; i < n; i++)
        free((void *)(uintptr_t)missed[i].offset.data);
    free(missed);
    free(key);
}

static void count_one(void *a, const char *nsp, struct um_loop *loop, void (*cb)(void *arg, unsigned n), void *arg)
{
    (void)a;
    (void)nsp;
    (void)loop;
    cb(arg, 1);
}

const struct um_sio_adapter um_sio_alone = {
    .name = "alone", .start = start, .free = stop, .server_count = count_one,
    .recovery = { stamp, save, forget, restore },
};
