/* Where a gateway's versions of caches are: with a core, GET /core/rest/internal/caches. On the loop of its upstream. */
#ifndef GATEWAY_CACHE_SOURCE_H
#define GATEWAY_CACHE_SOURCE_H
#include <proxy/upstream.h>
#include <umbel/cachegen.h>
#include <umbel/token.h>

struct cache_source;
struct cache_source *cache_source_new(struct um_upstream *up, struct um_loop *l, const struct um_token_ring *ring);
struct um_cachegen_source cache_source_of(struct cache_source *s);
void cache_source_free(struct cache_source *s);      /* answers nothing more; NULL is fine */

#endif
