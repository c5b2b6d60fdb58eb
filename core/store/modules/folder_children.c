/* What lies in folders; both are a component's num. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE folder_children(folder {BIGINT} NOT NULL, child {BIGINT} NOT NULL,"
                  " position {BIGINT} NOT NULL, PRIMARY KEY(folder, child)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX folder_children_child ON folder_children(child)" },
};

const struct store_migration store_module_folder_children = { "children of folders", 1, ddl, UM_COUNT(ddl) };
