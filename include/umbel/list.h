/* Intrusive doubly linked ring. A head is an um_list that points to itself; an unlinked node too. */
#ifndef UMBEL_LIST_H
#define UMBEL_LIST_H
#include <umbel/base.h>

struct um_list { struct um_list *prev, *next; };

static inline void um_list_init(struct um_list *l) { l->prev = l->next = l; }
static inline bool um_list_is_empty(const struct um_list *l) { return l->next == l; }
static inline void um_list_insert_before(struct um_list *at, struct um_list *n)
{
    n->prev = at->prev; n->next = at; at->prev->next = n; at->prev = n;
}
static inline void um_list_append(struct um_list *head, struct um_list *n) { um_list_insert_before(head, n); }
static inline void um_list_remove(struct um_list *n)     /* leaves n unlinked; safe to repeat */
{
    n->prev->next = n->next; n->next->prev = n->prev; um_list_init(n);
}
/* Moves all of `from` to the end of `to`. */
static inline void um_list_splice(struct um_list *to, struct um_list *from)
{
    if (um_list_is_empty(from)) return;
    from->next->prev = to->prev; to->prev->next = from->next;
    from->prev->next = to; to->prev = from->prev;
    um_list_init(from);
}
#define UM_LIST_EACH(it, head) \
    for (struct um_list *it = (head)->next; it != (head); it = it->next)
/* `it` may be removed inside. */
#define UM_LIST_EACH_SAFE(it, head) \
    for (struct um_list *it = (head)->next, *it##_next = it->next; it != (head); it = it##_next, it##_next = it->next)

#endif
