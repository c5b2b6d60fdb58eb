/* Rules of registrations (core/domain/rules.h): the text of a document's file `rules`, as operation_filters has the one of `request`. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE operation_rules(num {BIGINT} PRIMARY KEY NOT NULL, body {TEXT} NOT NULL)" },
};

const struct store_migration store_module_operation_rules = { "rules of registrations", 1, ddl, UM_COUNT(ddl) };
