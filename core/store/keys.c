/* The store's configuration keys. */
#include <umbel/conf.h>
#include <umbel/store.h>

#define AT(f) .at = offsetof(struct um_store_conf, f)
static const struct um_conf_key keys[] = {
    { "store.url", "spring.datasource.url", "sqlite:${umbel.data-dir:data}/umbel.db",
      "where documents are kept: sqlite:///path, a bare path, or memory: (lost at the end of the process)",
      UM_CONF_STR, 0, AT(url), .max = 4096 },
    { "store.commit-delay", NULL, "5ms", "how long an update waits for company before its transaction begins",
      UM_CONF_DURATION_MS, 0, AT(commit_delay_ms), .min = 0, .max = 1000 },
    { "store.commit-rows", NULL, "1024", "most updates in one transaction",
      UM_CONF_INT, 0, AT(commit_rows), .min = 1, .max = 100000 },
    { "store.max-waiting", NULL, "256MB", "most bytes that wait for their transaction; beyond it updates are not acknowledged",
      UM_CONF_SIZE, 0, AT(max_waiting_bytes), .min = 1 << 20, .max = (int64_t)1 << 40 },
    { "store.snapshots.keep", NULL, "0", "earlier states kept per document",
      UM_CONF_INT, 0, AT(snapshots_keep), .min = 0, .max = 10000 },
};
const struct um_conf_table um_store_conf_table = UM_CONF_TABLE("Store", keys);
