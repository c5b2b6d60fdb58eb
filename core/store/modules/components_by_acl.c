/* Whether an ACL is in use, and what is under one. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE INDEX components_by_acl ON components(scope, acl)" },
};

const struct store_migration store_module_components_by_acl = { "components by ACL", 1, ddl, UM_COUNT(ddl) };
