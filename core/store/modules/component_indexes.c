/* Ways into them for searches. They end with what decides whether a row is a result, so that the row itself,
 * which has the body in it, is not read for that. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE INDEX components_by_update ON components(scope, category, updated_ms, num, acl)" },
    { STORE_BOTH, "CREATE INDEX components_by_creation ON components(scope, category, created_ms, num, acl)" },
    { STORE_BOTH, "CREATE INDEX components_by_name ON components(scope, category, name, num, acl)" },
    { STORE_BOTH, "CREATE INDEX components_by_assignee ON components(scope, category, assignee, num, acl)" },
    { STORE_BOTH, "CREATE INDEX component_tags_by_value ON component_tags(field, value, num)" },
    { STORE_BOTH, "CREATE INDEX component_tags_by_number ON component_tags(field, number,"
                  " num) WHERE number IS NOT NULL" },
};

const struct store_migration store_module_component_indexes = { "indexes of components", 1, ddl, UM_COUNT(ddl) };
