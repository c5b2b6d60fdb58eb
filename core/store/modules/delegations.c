/* Who does whose tasks meanwhile; END_MS NULL: until it is ended. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE delegations(scope {TEXT} NOT NULL, id {TEXT} NOT NULL, creator {TEXT} NOT NULL,"
                  " delegator {TEXT} NOT NULL, delegate {TEXT} NOT NULL, description {TEXT} NOT NULL,"
                  " start_ms {BIGINT} NOT NULL, end_ms {BIGINT}, created_ms {BIGINT} NOT NULL,"
                  " PRIMARY KEY(scope, id)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX delegations_delegator ON delegations(scope, delegator)" },
    { STORE_BOTH, "CREATE INDEX delegations_delegate ON delegations(scope, delegate)" },
};

const struct store_migration store_module_delegations = { "delegations", 1, ddl, UM_COUNT(ddl) };
