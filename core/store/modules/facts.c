/* What was done with components. FIELDS: those that have changed, as JSON. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE facts(num {ID}, scope {TEXT} NOT NULL, category {TEXT} NOT NULL,"
                  " object {TEXT} NOT NULL, action {TEXT} NOT NULL, user_id {TEXT} NOT NULL,"
                  " request {TEXT} NOT NULL, technical {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL,"
                  " description {TEXT} NOT NULL, fields {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX facts_of_object ON facts(scope, category, object, num)" },
    { STORE_BOTH, "CREATE INDEX facts_of_scope ON facts(scope, num)" },
};

const struct store_migration store_module_facts = { "facts", 1, ddl, UM_COUNT(ddl) };
