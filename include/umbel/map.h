/* Hash map from bytes to a pointer: open addressing, SipHash-1-3 with a random key, because keys
 * come from outside. Keys are copied, values are the caller's. One thread. */
#ifndef UMBEL_MAP_H
#define UMBEL_MAP_H
#include <umbel/base.h>

struct um_map_entry;
struct um_map {                   /* zero-initialise */
    struct um_map_entry *slots;
    size_t n, used, cap;
};

void *um_map_get(const struct um_map *m, struct um_span key);            /* NULL when absent */
/* Sets KEY to VALUE (not NULL); returns the value that it replaced, or NULL. Aborts when memory is gone:
 * callers bound the number and size of keys before. */
void *um_map_put(struct um_map *m, struct um_span key, void *value);
void *um_map_remove(struct um_map *m, struct um_span key);               /* the value, or NULL */
void um_map_free(struct um_map *m);                                      /* frees keys, not values */
/* Walk: start with *pos = 0; false at the end. No put or remove inside. */
bool um_map_next(const struct um_map *m, size_t *pos, struct um_span *key, void **value);

uint64_t um_hash(struct um_span key);         /* keyed with this process' random key */
uint64_t um_hash_keyed(const uint64_t key[2], struct um_span s);
uint64_t um_hash_stable(struct um_span key);  /* the same in every process: for placing documents */

#endif
