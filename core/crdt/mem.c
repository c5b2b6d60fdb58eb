#include "mem.h"
#include <stdlib.h>

static void *libc_realloc(void *ctx, void *p, size_t size)
{
    (void)ctx;
    return realloc(p, size);
}

static void libc_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

void mem_init(struct mem *m, const struct um_crdt_alloc *alloc)
{
    m->used = 0;
    if (alloc != NULL && alloc->realloc != NULL)
        m->alloc = *alloc;
    else
        m->alloc = (struct um_crdt_alloc){ libc_realloc, libc_free, NULL };
}

void *mem_resize(struct mem *m, void *p, size_t old_size, size_t size)
{
    void *q = m->alloc.realloc(m->alloc.ctx, p, size);

    if (q != NULL)
        m->used += size - old_size;
    return q;
}

void mem_free(struct mem *m, void *p, size_t size)
{
    if (p == NULL)
        return;
    m->used -= size;
    m->alloc.free(m->alloc.ctx, p);
}

bool mem_vec_room(struct mem *m, void *vec_v, uint32_t *cap, size_t need, size_t elem)
{
    void **v = vec_v;
    size_t want = need <= 4 ? 4 : UM_MAX(need, (size_t)*cap + *cap / 2);
    void *q;

    if (want > UINT32_MAX || want > SIZE_MAX / elem)
        return false;
    if ((q = mem_resize(m, *v, (size_t)*cap * elem, want * elem)) == NULL)
        return false;
    *v = q;
    *cap = (uint32_t)want;
    return true;
}
