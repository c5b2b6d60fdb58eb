/* Where a core's versions of caches are: in its store. */
#ifndef CORE_CACHE_SOURCE_H
#define CORE_CACHE_SOURCE_H
#include <umbel/cachegen.h>
#include <umbel/store.h>

struct cache_source {
    struct um_store *store;                  /* set by the owner */
    um_cachegen_rows_cb *cb;                 /* of the question under way; cachegen asks one at a time */
    void *arg;
};
struct um_cachegen_source cache_source_of(struct cache_source *s);

#endif
