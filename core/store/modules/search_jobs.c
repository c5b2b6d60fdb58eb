/* Exports of searches (core/domain/search/jobs.c). */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE search_jobs(id {TEXT} PRIMARY KEY NOT NULL, scope {TEXT} NOT NULL,"
                  " category {TEXT} NOT NULL, owner {TEXT} NOT NULL, request {TEXT} NOT NULL,"
                  " locale {TEXT} NOT NULL, created_ms {BIGINT} NOT NULL, expires_ms {BIGINT} NOT NULL,"
                  " error {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX search_jobs_expires ON search_jobs(expires_ms)" },
    { STORE_BOTH, "CREATE INDEX search_jobs_owner ON search_jobs(scope, owner)" },
};

const struct store_migration store_module_search_jobs = { "exports of searches", 1, ddl, UM_COUNT(ddl) };
