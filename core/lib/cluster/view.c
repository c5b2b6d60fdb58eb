/* The list of members as others see it: one block, immutable, counted. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "sign.h"

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct um_member *)a)->id, ((const struct um_member *)b)->id);
}

static const char *put(char **at, const char *text)
{
    size_t len = strlen(text) + 1;
    char *place = memcpy(*at, text, len);

    *at += len;
    return place;
}

struct um_members *view_new(const struct sign *const *signs, size_t n, const char *self)
{
    size_t texts = 0;

    for (size_t i = 0; i < n; i++)
        texts += strlen(signs[i]->id) + strlen(signs[i]->role) + strlen(signs[i]->address) + strlen(signs[i]->version) +
                 strlen(signs[i]->serves) + 5;
    struct um_members *m = um_xcalloc(1, sizeof(*m) + n * sizeof(struct um_member) + texts);
    struct um_member *list = (struct um_member *)(m + 1);
    char *at = (char *)(list + n);
    for (size_t i = 0; i < n; i++) {
        const struct sign *s = signs[i];
        list[i] = (struct um_member){ .started_at_ms = s->started_at_ms, .load = s->load, .draining = s->draining,
                                      .is_self = strcmp(s->incarnation, self) == 0 };
        list[i].id = put(&at, s->id);
        list[i].role = put(&at, s->role);
        list[i].address = put(&at, s->address);
        list[i].version = put(&at, s->version);
        list[i].serves = put(&at, s->serves);
    }
    if (n > 1)
        qsort(list, n, sizeof(*list), by_id);
    m->refs = 1;
    m->n = n;
    m->list = list;
    return m;
}

void um_members_unref(struct um_members *m)
{
    if (m != NULL && atomic_fetch_sub(&m->refs, 1) == 1)
        free(m);
}
