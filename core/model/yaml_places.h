/* Inside of a um_yaml: where the children of maps and lists were written, by their container. Containers are borrowed and must live. */
#ifndef YAML_PLACES_H
#define YAML_PLACES_H
#include <umbel/map.h>
#include <umbel/yaml.h>

struct places {                    /* zero-initialise */
    struct um_map lists;           /* pointer of the container -> struct place_list */
};

/* The place of the next child of CONTAINER. Aborts when memory is gone: readers bound the number of values. */
void yaml_places_add(struct places *p, const json_t *container, struct um_place at);
struct um_place yaml_places_get(const struct places *p, const json_t *container, size_t index);
void yaml_places_free(struct places *p);

/* What was read, of YAML or of XML that says the same. */
struct um_yaml {
    json_t *documents;             /* a list */
    struct places places;
};

#endif
