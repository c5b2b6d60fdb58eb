/* The keys of static caches. */
#include <umbel/cachegen.h>
#include <umbel/conf.h>

#define AT(f) .at = offsetof(struct um_cachegen_conf, f)
static const struct um_conf_key keys[] = {
    { "cache.compare-interval", NULL, "10s", "how often the versions of caches are compared with the database (every 4 s while Redis is away); "
      "at most half of cache.max-stale counts", UM_CONF_DURATION_MS, 0, AT(compare_interval_ms), .min = 100, .max = 3600000 },
    { "cache.max-stale", NULL, "30s", "without a comparison for so long nothing is served from a cache any more",
      UM_CONF_DURATION_MS, 0, AT(max_stale_ms), .min = 1000, .max = 3600000 },
    { "cache.apply-wait", NULL, "300ms", "how long the reply to a change waits for the nodes to have applied it",
      UM_CONF_DURATION_MS, 0, AT(apply_wait_ms), .min = 0, .max = 60000 },
};
const struct um_conf_table um_cachegen_conf_table = UM_CONF_TABLE("Caches", keys);
