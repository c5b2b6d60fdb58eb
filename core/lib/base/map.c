/* Hash map with byte keys. Open addressing, linear probing; a removed slot stays marked until the next growth.
 * Hashes are keyed at random per process, because keys come from outside. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>

struct um_map_entry {
    uint64_t hash;
    uint8_t *key;                 /* NULL: free, or removed when `value` is REMOVED */
    size_t key_len;
    void *value;
};
static char removed_mark;
#define REMOVED ((void *)&removed_mark)

static uint64_t process_key[2];
static pthread_once_t process_key_once = PTHREAD_ONCE_INIT;
static void draw_process_key(void) { um_random_bytes(process_key, sizeof(process_key)); }

uint64_t um_hash(struct um_span key)
{
    pthread_once(&process_key_once, draw_process_key);
    return um_hash_keyed(process_key, key);
}

/* The slot that holds KEY, or NULL. */
static struct um_map_entry *find(const struct um_map *m, struct um_span key, uint64_t hash)
{
    if (m->cap == 0)
        return NULL;
    for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct um_map_entry *e = &m->slots[i];
        if (e->key == NULL && e->value == NULL)
            return NULL;
        if (e->key != NULL && e->hash == hash && um_span_eq(UM_SPAN(e->key, e->key_len), key))
            return e;
    }
}

static void place(struct um_map *m, struct um_map_entry entry)
{
    size_t i = entry.hash & (m->cap - 1);

    while (m->slots[i].key != NULL)
        i = (i + 1) & (m->cap - 1);
    m->slots[i] = entry;
}

static void grow(struct um_map *m)
{
    struct um_map_entry *old = m->slots;
    size_t old_cap = m->cap;

    m->cap = m->n * 4 < 8 ? 8 : m->cap;
    while (m->cap < m->n * 2 + 2)
        m->cap *= 2;
    m->slots = um_xcalloc(m->cap, sizeof(*m->slots));
    m->used = m->n;
    for (size_t i = 0; i < old_cap; i++)
        if (old[i].key != NULL)
            place(m, old[i]);
    free(old);
}

void *um_map_get(const struct um_map *m, struct um_span key)
{
    struct um_map_entry *e = m->n ? find(m, key, um_hash(key)) : NULL;
    return e ? e->value : NULL;
}

void *um_map_put(struct um_map *m, struct um_span key, void *value)
{
    uint64_t hash = um_hash(key);
    struct um_map_entry *e = find(m, key, hash);
    void *old;

    UM_ASSERT(value != NULL && value != REMOVED);
    if (e != NULL) {
        old = e->value;
        e->value = value;
        return old;
    }
    if ((m->used + 1) * 4 > m->cap * 3)
        grow(m);
    struct um_map_entry fresh = { hash, um_xmalloc(key.len), key.len, value };
    if (key.len > 0)
        memcpy(fresh.key, key.data, key.len);
    place(m, fresh);
    m->n++;
    m->used++;
    return NULL;
}

void *um_map_remove(struct um_map *m, struct um_span key)
{
    struct um_map_entry *e = m->n ? find(m, key, um_hash(key)) : NULL;
    void *value;

    if (e == NULL)
        return NULL;
    value = e->value;
    free(e->key);
    *e = (struct um_map_entry){ .value = REMOVED };
    m->n--;
    return value;
}

void um_map_free(struct um_map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        free(m->slots[i].key);
    free(m->slots);
    *m = (struct um_map){ 0 };
}

bool um_map_next(const struct um_map *m, size_t *pos, struct um_span *key, void **value)
{
    for (; *pos < m->cap; (*pos)++) {
        const struct um_map_entry *e = &m->slots[*pos];
        if (e->key == NULL)
            continue;
        if (key)
            *key = UM_SPAN(e->key, e->key_len);
        if (value)
            *value = e->value;
        (*pos)++;
        return true;
    }
    return false;
}
