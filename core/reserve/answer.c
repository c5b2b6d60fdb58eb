#include <stdlib.h>
#include "answer.h"

static void *room(void *at, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return at;
    *cap = *cap == 0 ? 4 : *cap * 2;
    return um_xrealloc(at, *cap * size);
}

void answer_add_row(struct answer *a, const struct um_store_reserved *row)
{
    struct um_store_reserved *r;

    a->rows = room(a->rows, a->n, &a->cap, sizeof(*a->rows));
    r = &a->rows[a->n++];
    *r = *row;
    r->category = um_xstrdup(row->category);
    r->id = um_xstrdup(row->id);
    r->user = um_xstrdup(row->user);
    r->session = um_xstrdup(row->session);
}

void answer_add_blocker(struct answer *a, const struct um_reserve_blocker *b)
{
    struct um_reserve_blocker *to;

    if (a->n_blockers == BLOCKERS_MAX)
        return;
    a->blockers = room(a->blockers, a->n_blockers, &a->cap_blockers, sizeof(*a->blockers));
    to = &a->blockers[a->n_blockers++];
    *to = *b;
    to->category = um_xstrdup(b->category);
    to->id = um_xstrdup(b->id);
    to->user = um_xstrdup(b->user);
}

void answer_clear(struct answer *a)
{
    for (size_t i = 0; i < a->n; i++) {
        free((char *)a->rows[i].category);
        free((char *)a->rows[i].id);
        free((char *)a->rows[i].user);
        free((char *)a->rows[i].session);
    }
    for (size_t i = 0; i < a->n_blockers; i++) {
        free((char *)a->blockers[i].category);
        free((char *)a->blockers[i].id);
        free((char *)a->blockers[i].user);
    }
    free(a->rows);
    free(a->blockers);
    *a = (struct answer){ 0 };
}
