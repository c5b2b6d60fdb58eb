/* Failed logins per (user, address).
 *
 * An entry is a count of failures and the moment from which the next attempt is allowed. Entries stand in a ring in order
 * of last use: the head is the one that was quiet longest, and gives way when the table is full. */
#include <umbel/throttle.h>

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/bytes.h>
#include <umbel/list.h>
#include <umbel/map.h>

enum { PART_MAX = 256 };                       /* bytes of user and of address that tell entries apart */

struct entry {
    struct um_list by_use;
    int64_t failures;
    int64_t allowed_at_ms;
    int64_t used_at_ms;
    size_t key_len;
    uint8_t key[];                             /* user NUL address NUL */
};

struct um_throttle {
    pthread_mutex_t lock;
    struct um_throttle_conf cf;
    struct um_map entries;
    struct um_list by_use;
};

struct um_throttle *um_throttle_new(const struct um_throttle_conf *cf)
{
    struct um_throttle *t = um_xcalloc(1, sizeof(*t));

    UM_ASSERT(cf->max_entries > 0 && cf->first_wait_ms > 0);
    t->cf = *cf;
    pthread_mutex_init(&t->lock, NULL);
    um_list_init(&t->by_use);
    return t;
}

static void drop_entry(struct um_throttle *t, struct entry *e)
{
    um_map_remove(&t->entries, UM_SPAN(e->key, e->key_len));
    um_list_remove(&e->by_use);
    free(e);
}

void um_throttle_free(struct um_throttle *t)
{
    if (t == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &t->by_use)
        drop_entry(t, UM_CONTAINER(it, struct entry, by_use));
    um_map_free(&t->entries);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* user NUL address, each cut to PART_MAX: an overlong name shares its entry with its like, which is harmless. */
static struct um_span make_key(uint8_t key[2 * PART_MAX + 1], const char *user, const char *address)
{
    size_t u = strnlen(user, PART_MAX), a = strnlen(address, PART_MAX);

    memcpy(key, user, u);
    key[u] = 0;
    memcpy(key + u + 1, address, a);
    return UM_SPAN(key, u + 1 + a);
}

static struct entry *find_entry(struct um_throttle *t, const char *user, const char *address)
{
    uint8_t key[2 * PART_MAX + 1];
    return um_map_get(&t->entries, make_key(key, user, address));
}

static struct entry *add_entry(struct um_throttle *t, const char *user, const char *address)
{
    uint8_t text[2 * PART_MAX + 1];
    struct um_span key = make_key(text, user, address);
    struct entry *e;

    if (t->entries.n >= (size_t)t->cf.max_entries)
        drop_entry(t, UM_CONTAINER(t->by_use.next, struct entry, by_use));
    e = um_xcalloc(1, sizeof(*e) + key.len + 1);
    e->key_len = key.len;
    memcpy(e->key, key.data, key.len);
    um_list_append(&t->by_use, &e->by_use);
    um_map_put(&t->entries, key, e);
    return e;
}

static int64_t wait_after(const struct um_throttle_conf *cf, int64_t failures)
{
    int64_t wait = cf->first_wait_ms;

    if (failures < cf->free_attempts)
        return 0;
    for (int64_t i = cf->free_attempts; i < failures && wait < cf->max_wait_ms; i++)
        wait *= 2;
    return UM_MIN(wait, cf->max_wait_ms);
}

static int64_t take_locked(struct um_throttle *t, const char *user, const char *address, int64_t now_ms)
{
    struct entry *e = find_entry(t, user, address);

    if (e != NULL && now_ms - e->used_at_ms >= t->cf.forget_ms) {
        drop_entry(t, e);
        e = NULL;
    }
    if (e != NULL && now_ms < e->allowed_at_ms)
        return e->allowed_at_ms - now_ms;
    if (e == NULL)
        e = add_entry(t, user, address);
    e->failures++;
    e->used_at_ms = now_ms;
    e->allowed_at_ms = now_ms + wait_after(&t->cf, e->failures);
    um_list_remove(&e->by_use);
    um_list_append(&t->by_use, &e->by_use);
    return 0;
}

int64_t um_throttle_take(struct um_throttle *t, const char *user, const char *address, int64_t now_ms)
{
    int64_t wait;

    pthread_mutex_lock(&t->lock);
    wait = take_locked(t, user, address, now_ms);
    pthread_mutex_unlock(&t->lock);
    return wait;
}

void um_throttle_succeeded(struct um_throttle *t, const char *user, const char *address)
{
    struct entry *e;

    pthread_mutex_lock(&t->lock);
    if ((e = find_entry(t, user, address)) != NULL)
        drop_entry(t, e);
    pthread_mutex_unlock(&t->lock);
}

void um_throttle_undecided(struct um_throttle *t, const char *user, const char *address)
{
    struct entry *e;

    pthread_mutex_lock(&t->lock);
    if ((e = find_entry(t, user, address)) != NULL) {
        e->allowed_at_ms = e->used_at_ms;
        if (--e->failures <= 0)
            drop_entry(t, e);
    }
    pthread_mutex_unlock(&t->lock);
}

static const char *address_of(const struct entry *e)
{
    return (const char *)e->key + strlen((const char *)e->key) + 1;
}

size_t um_throttle_forget(struct um_throttle *t, const char *user)
{
    size_t len = strnlen(user, PART_MAX), n = 0;

    pthread_mutex_lock(&t->lock);
    UM_LIST_EACH_SAFE(it, &t->by_use) {
        struct entry *e = UM_CONTAINER(it, struct entry, by_use);
        if (strlen((const char *)e->key) != len || memcmp(e->key, user, len) != 0)
            continue;
        drop_entry(t, e);
        n++;
    }
    pthread_mutex_unlock(&t->lock);
    return n;
}

void um_throttle_each(struct um_throttle *t, int64_t now_ms, um_throttle_row *cb, void *arg)
{
    pthread_mutex_lock(&t->lock);
    UM_LIST_EACH(it, &t->by_use) {
        const struct entry *e = UM_CONTAINER(it, struct entry, by_use);
        if (now_ms - e->used_at_ms < t->cf.forget_ms)
            cb(arg, (const char *)e->key, address_of(e), e->failures, UM_MAX(e->allowed_at_ms - now_ms, 0));
    }
    pthread_mutex_unlock(&t->lock);
}

size_t um_throttle_entries(struct um_throttle *t)
{
    size_t n;

    pthread_mutex_lock(&t->lock);
    n = t->entries.n;
    pthread_mutex_unlock(&t->lock);
    return n;
}
