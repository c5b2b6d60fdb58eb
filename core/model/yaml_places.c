#include <stdlib.h>
#include "yaml_places.h"

struct place_list {
    size_t n, cap;
    struct um_place *v;
};

void yaml_places_add(struct places *p, const json_t *container, struct um_place at)
{
    struct um_span key = UM_SPAN(&container, sizeof(container));
    struct place_list *l = um_map_get(&p->lists, key);

    if (l == NULL) {
        l = um_xcalloc(1, sizeof(*l));
        um_map_put(&p->lists, key, l);
    }
    if (l->n == l->cap) {
        l->cap = UM_MAX(4, l->cap * 2);
        l->v = um_xrealloc(l->v, l->cap * sizeof(*l->v));
    }
    l->v[l->n++] = at;
}

struct um_place yaml_places_get(const struct places *p, const json_t *container, size_t index)
{
    const struct place_list *l = um_map_get(&p->lists, UM_SPAN(&container, sizeof(container)));

    return l != NULL && index < l->n ? l->v[index] : (struct um_place){ 0, 0 };
}

void yaml_places_free(struct places *p)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(&p->lists, &pos, &key, &value)) {
        struct place_list *l = value;

        free(l->v);
        free(l);
    }
    um_map_free(&p->lists);
    *p = (struct places){ 0 };
}
