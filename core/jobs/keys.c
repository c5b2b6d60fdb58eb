/* Configuration of asynchronous operations. */
#include <umbel/conf.h>
#include <umbel/jobs.h>

#define AT(f) .at = offsetof(struct um_jobs_conf, f)
static const struct um_conf_key keys[] = {
    { "operation.async.workers", NULL, "16", "jobs that this core does at a time", UM_CONF_INT, 0, AT(workers), .min = 1, .max = 1000 },
    { "operation.async.lease", NULL, "60s", "so long a worker may be silent before another one takes its job; the same on every core",
      UM_CONF_DURATION_MS, 0, AT(lease_ms), .min = 1000, .max = 86400000 },
    { "operation.async.shutdown-timeout", NULL, "20s", "how long a core that stops waits for its jobs; then it hands them back",
      UM_CONF_DURATION_MS, 0, AT(shutdown_ms), .min = 0, .max = 3600000 },
    { "operation.async.max-attempts", NULL, "5", "attempts before a job is given up", UM_CONF_INT, 0, AT(max_attempts), .min = 1, .max = 1000 },
    { "operation.async.backoff", NULL, "1s", "wait before the second attempt; twice as long each time", UM_CONF_DURATION_MS, 0,
      AT(backoff_ms), .min = 1, .max = 86400000 },
    { "operation.async.backoff-max", NULL, "5m", "longest wait between attempts", UM_CONF_DURATION_MS, 0, AT(backoff_max_ms), .min = 1,
      .max = 7 * 86400000 },
    { "operation.async.max-waiting", NULL, "100000", "hints of waiting jobs in Redis; what is more waits in the database alone", UM_CONF_INT, 0,
      AT(max_waiting), .min = 0, .max = 10000000 },
    { "operation.async.sweep", NULL, "5s", "how often a core looks for jobs that nobody told it of", UM_CONF_DURATION_MS, 0, AT(sweep_ms),
      .min = 100, .max = 30000 },
};
const struct um_conf_table um_jobs_conf_table = UM_CONF_TABLE("Asynchronous operations", keys);
