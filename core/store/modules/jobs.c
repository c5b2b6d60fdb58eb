/* Asynchronous operations (core/jobs/rows.h). STATUS: 0 new, 1 behind another of its lane, 2 ready, 3 delayed, 4 being done,
 * 5 failed for good. DUE_MS: when somebody is to look at it, be it that its lease has ended; NULL: only when something else
 * happens. QUEUE and LANE are short names of what runs together and what runs in order.
 * job_controls: scope and registration may be empty, which means all. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE jobs(num {ID}, id {TEXT} NOT NULL, scope {TEXT} NOT NULL, registration {TEXT} NOT NULL,"
                  " handler {TEXT} NOT NULL, action {TEXT} NOT NULL, phase {TEXT} NOT NULL, category {TEXT} NOT NULL,"
                  " object {TEXT} NOT NULL, user_id {TEXT} NOT NULL, request {TEXT} NOT NULL, depth {BIGINT} NOT NULL,"
                  " queue {BIGINT} NOT NULL, lane {BIGINT} NOT NULL, status {BIGINT} NOT NULL, due_ms {BIGINT},"
                  " behind {BIGINT} NOT NULL, fence {BIGINT} NOT NULL, attempts {BIGINT} NOT NULL,"
                  " created_ms {BIGINT} NOT NULL, started_ms {BIGINT}, seen_ms {BIGINT}, worker {TEXT}, error_code {TEXT},"
                  " error_message {TEXT}, error_ms {BIGINT}, payload {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX jobs_by_id ON jobs(id)" },
    { STORE_BOTH, "CREATE INDEX jobs_due ON jobs(queue, due_ms, num) WHERE due_ms IS NOT NULL" },
    { STORE_BOTH, "CREATE UNIQUE INDEX jobs_heads ON jobs(lane) WHERE status >= 2 AND status <= 4" },
    { STORE_BOTH, "CREATE INDEX jobs_lanes ON jobs(lane, num) WHERE status < 2" },
    { STORE_BOTH, "CREATE INDEX jobs_waiting ON jobs(scope, num) WHERE status < 3" },
    { STORE_BOTH, "CREATE INDEX jobs_delayed ON jobs(scope, num) WHERE status = 3" },
    { STORE_BOTH, "CREATE INDEX jobs_processing ON jobs(scope, num) WHERE status = 4" },
    { STORE_BOTH, "CREATE INDEX jobs_errors ON jobs(scope, num) WHERE status = 5" },
    /* A row is written some times and goes: what is left of it stands in the way of those who look for what is due. */
    { STORE_POSTGRES, "ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.05,"
                      " autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0)" },
    { STORE_BOTH, "CREATE TABLE job_controls(scope {TEXT} NOT NULL, registration {TEXT} NOT NULL, paused {BIGINT} NOT NULL,"
                  " rate {REAL} NOT NULL, tokens {REAL} NOT NULL, refilled_ms {BIGINT} NOT NULL,"
                  " PRIMARY KEY(scope, registration)) {KEYED}" },
};

const struct store_migration store_module_jobs = { "asynchronous operations", 1, ddl, UM_COUNT(ddl) };
