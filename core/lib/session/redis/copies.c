/* Local copies. One lock; each call holds it for less than a microsecond, copies_take for as long as there are uses to write.
 *
 * A use is written at once when the last one that Redis knows is at least write_every_ms old, otherwise when it becomes so:
 * Redis is never behind by more than that, and gets at most one write per session in that time. */
#include "copies.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/util.h>

struct copy {
    struct um_list by_use;                /* least recently used first */
    struct um_list unwritten;             /* of the uses that are to be written; unlinked: none */
    const struct um_session *session;
    int64_t verified_ms;
    int64_t written_ms;                   /* the last use that Redis knows */
    int64_t used_ms;                      /* the last one of ours */
};
struct copies {
    pthread_mutex_t lock;
    size_t max;
    int64_t write_every_ms;
    int64_t (*now_ms)(void);
    struct um_map by_id;
    struct um_list by_use, unwritten;
};

struct copies *copies_new(size_t max, int64_t write_every_ms, int64_t (*now_ms)(void))
{
    struct copies *c = um_xcalloc(1, sizeof(*c));

    pthread_mutex_init(&c->lock, NULL);
    c->max = max;
    c->write_every_ms = write_every_ms;
    c->now_ms = now_ms;
    um_list_init(&c->by_use);
    um_list_init(&c->unwritten);
    return c;
}

static void remove_copy(struct copies *c, struct copy *k)
{
    um_map_remove(&c->by_id, UM_SPAN(k->session->id, UM_SESSION_ID_LEN));
    um_list_remove(&k->by_use);
    um_list_remove(&k->unwritten);
    um_session_unref(k->session);
    free(k);
}

void copies_free(struct copies *c)
{
    if (c == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &c->by_use)
        remove_copy(c, UM_CONTAINER(it, struct copy, by_use));
    um_map_free(&c->by_id);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static struct copy *find(const struct copies *c, const char *id)
{
    return um_map_get(&c->by_id, UM_SPAN_STR(id));
}

static struct copy *add(struct copies *c, const char *id)
{
    struct copy *k = um_xcalloc(1, sizeof(*k));

    um_list_init(&k->by_use);
    um_list_init(&k->unwritten);
    um_map_put(&c->by_id, UM_SPAN_STR(id), k);
    return k;
}

void copies_put(struct copies *c, const struct um_session *s, int64_t idle_ms)
{
    struct copy *k;
    int64_t now;

    pthread_mutex_lock(&c->lock);
    now = c->now_ms();
    if ((k = find(c, s->id)) == NULL) {
        if (c->by_id.n >= c->max)
            remove_copy(c, UM_CONTAINER(c->by_use.next, struct copy, by_use));
        k = add(c, s->id);
        k->written_ms = now - idle_ms;
    }
    um_session_unref(k->session);
    k->session = um_session_ref(s);
    k->verified_ms = now;
    k->written_ms = UM_MAX(k->written_ms, now - idle_ms);
    um_list_remove(&k->by_use);
    um_list_append(&c->by_use, &k->by_use);
    pthread_mutex_unlock(&c->lock);
}

void copies_drop(struct copies *c, const char *id)
{
    struct copy *k;

    pthread_mutex_lock(&c->lock);
    if ((k = find(c, id)) != NULL)
        remove_copy(c, k);
    pthread_mutex_unlock(&c->lock);
}

const struct um_session *copies_get(struct copies *c, const char *id, int64_t grace_ms)
{
    const struct um_session *s = NULL;
    struct copy *k;

    pthread_mutex_lock(&c->lock);
    if ((k = find(c, id)) != NULL && c->now_ms() - k->verified_ms < grace_ms) {
        s = um_session_ref(k->session);
        um_list_remove(&k->by_use);
        um_list_append(&c->by_use, &k->by_use);
    }
    pthread_mutex_unlock(&c->lock);
    return s;
}

static void remember(struct copies *c, struct copy *k)
{
    if (um_list_is_empty(&k->unwritten))
        um_list_append(&c->unwritten, &k->unwritten);
}

bool copies_touch(struct copies *c, const char *id)
{
    bool now_or_never = true;             /* nothing is known of it: Redis judges */
    struct copy *k;

    pthread_mutex_lock(&c->lock);
    if ((k = find(c, id)) != NULL) {
        k->used_ms = c->now_ms();
        now_or_never = k->used_ms - k->written_ms >= c->write_every_ms;
        if (now_or_never) {
            k->written_ms = k->used_ms;
            um_list_remove(&k->unwritten);
        } else {
            remember(c, k);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return now_or_never;
}

void copies_retouch(struct copies *c, const char *id, int64_t age_ms)
{
    struct copy *k;

    pthread_mutex_lock(&c->lock);
    if ((k = find(c, id)) != NULL) {
        k->used_ms = UM_MAX(k->used_ms, c->now_ms() - age_ms);
        remember(c, k);
    }
    pthread_mutex_unlock(&c->lock);
}

size_t copies_take(struct copies *c, const char *user, struct copies_use *out, size_t n)
{
    size_t taken = 0;
    int64_t now;

    pthread_mutex_lock(&c->lock);
    now = c->now_ms();
    UM_LIST_EACH_SAFE(it, &c->unwritten) {
        struct copy *k = UM_CONTAINER(it, struct copy, unwritten);
        bool wanted = user != NULL ? strcmp(k->session->user, user) == 0 : now - k->written_ms >= c->write_every_ms;
        if (taken == n)
            break;
        if (!wanted)
            continue;
        memcpy(out[taken].id, k->session->id, sizeof(out[taken].id));
        out[taken++].age_ms = now - k->used_ms;
        k->written_ms = now;
        um_list_remove(&k->unwritten);
    }
    pthread_mutex_unlock(&c->lock);
    return taken;
}
