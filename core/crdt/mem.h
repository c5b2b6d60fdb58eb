/* Memory of a document: the caller's allocator with a running total. Every block's size is known to its owner,
 * which passes it back; so the total needs no headers. */
#ifndef UM_CRDT_MEM_H
#define UM_CRDT_MEM_H
#include <string.h>
#include <umbel/crdt.h>

struct mem {
    struct um_crdt_alloc alloc;
    size_t used;
};

void mem_init(struct mem *m, const struct um_crdt_alloc *alloc);    /* NULL: the C library */
void *mem_resize(struct mem *m, void *p, size_t old_size, size_t size);   /* NULL on failure: P stays */
void mem_free(struct mem *m, void *p, size_t size);

/* A growable array: struct { type *v; uint32_t n, cap; }. vec_room makes place for EXTRA more elements; false
 * when memory is gone. */
#define VEC(type) struct { type *v; uint32_t n, cap; }
bool mem_vec_room(struct mem *m, void *vec_v, uint32_t *cap, size_t need, size_t elem);
#define vec_room(m, vec, extra) \
    ((vec)->n + (size_t)(extra) <= (vec)->cap || \
     mem_vec_room((m), &(vec)->v, &(vec)->cap, (vec)->n + (size_t)(extra), sizeof(*(vec)->v)))
#define vec_free(m, vec) \
    (mem_free((m), (vec)->v, (size_t)(vec)->cap * sizeof(*(vec)->v)), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

#endif
