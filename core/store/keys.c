/* The store's configuration keys. */
#include <umbel/conf.h>
#include <umbel/store.h>

#define AT(f) .at = offsetof(struct um_store_conf, f)
static const struct um_conf_key keys[] = {
    { "store.url", "spring.datasource.url", "${DATABASE_URL:sqlite:${umbel.data-dir:data}/umbel.db}",
      "where documents are kept: postgresql://host/database (jdbc: before it is fine), sqlite:///path, a bare path, or memory:",
      UM_CONF_STR, 0, AT(url), .max = 4096 },
    { "store.commit-delay", NULL, "5ms", "how long an update waits for company before its transaction begins",
      UM_CONF_DURATION_MS, 0, AT(commit_delay_ms), .min = 0, .max = 1000 },
    { "store.commit-rows", NULL, "1024", "most updates in one transaction",
      UM_CONF_INT, 0, AT(commit_rows), .min = 1, .max = 100000 },
    { "store.max-waiting", NULL, "256MB", "most bytes that wait for their transaction; beyond it updates are not acknowledged",
      UM_CONF_SIZE, 0, AT(max_waiting_bytes), .min = 1 << 20, .max = (int64_t)1 << 40 },
    { "store.versions.every-changes", NULL, "500", "a version of a document is kept after so many changes by anybody; 0: not for that",
      UM_CONF_INT, 0, AT(versions_every_changes), .min = 0, .max = 1000000000 },
    { "store.versions.every", NULL, "10m", "and when something changed and the last version is so old; 0: not for that",
      UM_CONF_DURATION_MS, 0, AT(versions_every_ms), .min = 0, .max = (int64_t)366 * 86400000 },
    { "store.versions.keep", NULL, "100", "unnamed versions per document; the oldest give way; 0: none are kept",
      UM_CONF_INT, 0, AT(versions_keep), .min = 0, .max = 100000 },
    { "store.versions.max-age", NULL, "90d", "unnamed versions that are older are removed; 0: never",
      UM_CONF_DURATION_MS, 0, AT(versions_max_age_ms), .min = 0, .max = (int64_t)36600 * 86400000 },
    { "store.user", "spring.datasource.username", "", "user of the database, when the URL names none",
      UM_CONF_STR, 0, AT(user), .max = 256 },
    { "store.password", "spring.datasource.password", "", "its password",
      UM_CONF_STR, UM_CONF_SECRET, AT(password), .max = 1024 },
    { "store.connections", "spring.datasource.hikari.maximum-pool-size", "4", "connections to PostgreSQL that read; one more writes, one runs units of work",
      UM_CONF_INT, 0, AT(connections), .min = 1, .max = 64 },
    { "store.connect-timeout", "spring.datasource.hikari.connection-timeout", "5s", "longest attempt to connect to one host of PostgreSQL",
      UM_CONF_DURATION_MS, 0, AT(connect_timeout_ms), .min = 250, .max = 600000 },
    { "store.start-timeout", "spring.datasource.hikari.initialization-fail-timeout", "10s",
      "how long a start waits for PostgreSQL when it is away or starts itself; one that refuses us is not waited for",
      UM_CONF_DURATION_MS, 0, AT(start_timeout_ms), .min = 0, .max = 600000 },
    { "store.timeout", NULL, "10s", "longest statement; then the connection is given up and opened anew",
      UM_CONF_DURATION_MS, 0, AT(timeout_ms), .min = 100, .max = 600000 },
};
const struct um_conf_table um_store_conf_table = UM_CONF_TABLE("Store", keys);
