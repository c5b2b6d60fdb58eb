/* Hook calls that nobody waits for: revocations that could not be written at once, and what sessions held that ended by
 * themselves. A list, bounded; a few at a time; a revocation is tried until it stands, the rest once.
 *
 * On home, but for releases_add and releases_has. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

#include "store.h"

enum { RELEASES_MAX = 10000, AT_ONCE = 8, AGAIN_MS = 2000 };

struct release {
    struct um_list link;                  /* waiting, or on its way */
    struct releases *of;
    int64_t for_ms;
    char hash[UM_SESSION_HASH_LEN + 1];
};
struct releases {
    struct redis_sessions *rs;
    pthread_mutex_t lock;                 /* both lists and n */
    struct um_list waiting, sent;
    size_t n, n_sent;
    struct um_timer again;
    bool backs_off;                       /* one has failed: nothing is sent until the timer */
};

struct releases *releases_new(struct redis_sessions *rs)
{
    struct releases *r = um_xcalloc(1, sizeof(*r));

    r->rs = rs;
    pthread_mutex_init(&r->lock, NULL);
    um_list_init(&r->waiting);
    um_list_init(&r->sent);
    return r;
}

void releases_free(struct releases *r)
{
    if (r->n > 0)
        um_log(UM_WARN, "session", "ends without a revocation or release", UM_I("sessions", r->n));
    um_timer_stop(home_of(r->rs)->loop, &r->again);
    UM_LIST_EACH_SAFE(it, &r->waiting)
        free(UM_CONTAINER(it, struct release, link));
    UM_LIST_EACH_SAFE(it, &r->sent)
        free(UM_CONTAINER(it, struct release, link));
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static void go_on(void *arg);

static void done(void *arg, um_err err)
{
    struct release *one = arg;
    struct releases *r = one->of;
    struct um_revocation row = { one->hash, one->for_ms };
    bool again = err != UM_OK && one->for_ms > 0;

    if (err == UM_OK && one->for_ms > 0)
        err = um_revoked_add(r->rs->revoked, &row, 1);
    pthread_mutex_lock(&r->lock);
    um_list_remove(&one->link);
    r->n_sent--;
    if (again)
        um_list_append(&r->waiting, &one->link);
    else
        r->n--;
    pthread_mutex_unlock(&r->lock);
    if (!again)
        free(one);
    r->backs_off |= again;
    um_timer_set(home_of(r->rs)->loop, &r->again, r->backs_off ? AGAIN_MS : 0, go_on, r);
}

static struct release *next(struct releases *r)
{
    struct release *one = NULL;

    pthread_mutex_lock(&r->lock);
    if (!r->backs_off && r->n_sent < AT_ONCE && !um_list_is_empty(&r->waiting)) {
        one = UM_CONTAINER(r->waiting.next, struct release, link);
        um_list_remove(&one->link);
        um_list_append(&r->sent, &one->link);
        r->n_sent++;
    }
    pthread_mutex_unlock(&r->lock);
    return one;
}

static void send_some(void *arg)
{
    struct releases *r = arg;
    struct redis_sessions *rs = r->rs;
    struct release *one;

    while (!rs->closes && (one = next(r)) != NULL)
        rs->hooks.revoke(rs->hooks.ctx, home_of(rs)->loop, one->hash, one->for_ms, done, one);
}

static void go_on(void *arg)
{
    ((struct releases *)arg)->backs_off = false;
    send_some(arg);
}

/* With the lock. */
static struct release *find(const struct releases *r, const char *hash)
{
    const struct um_list *const lists[] = { &r->waiting, &r->sent };

    for (size_t i = 0; i < UM_COUNT(lists); i++)
        UM_LIST_EACH(it, (struct um_list *)lists[i]) {
            struct release *one = UM_CONTAINER(it, struct release, link);
            if (strcmp(one->hash, hash) == 0)
                return one;
        }
    return NULL;
}

void releases_add(struct releases *r, const char *hash, int64_t for_ms)
{
    struct release *one = NULL;

    if (r->rs->hooks.revoke == NULL)
        return;
    pthread_mutex_lock(&r->lock);
    if ((one = find(r, hash)) != NULL) {
        one->for_ms = UM_MAX(one->for_ms, for_ms);
    } else if (r->n < RELEASES_MAX) {
        one = um_xcalloc(1, sizeof(*one));
        one->of = r;
        one->for_ms = for_ms;
        memcpy(one->hash, hash, UM_SESSION_HASH_LEN);
        um_list_append(&r->waiting, &one->link);
        r->n++;
    }
    pthread_mutex_unlock(&r->lock);
    if (one != NULL)
        um_loop_call(home_of(r->rs)->loop, send_some, r);
    else
        um_log_limited(UM_ERROR, "session", "too many revocations wait to be written", UM_S("session", hash));
}

bool releases_has(struct releases *r, const char *hash)
{
    bool has;

    pthread_mutex_lock(&r->lock);
    has = find(r, hash) != NULL;
    pthread_mutex_unlock(&r->lock);
    return has;
}
