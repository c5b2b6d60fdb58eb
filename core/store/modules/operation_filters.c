/* Filters of registrations (core/domain/operations/registration.h): the text of a document's file `request`, beside it, so that a
 * scope's model is read without contents. NUM: the component's. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE operation_filters(num {BIGINT} PRIMARY KEY NOT NULL, body {TEXT} NOT NULL)" },
};

const struct store_migration store_module_operation_filters = { "filters of registrations", 1, ddl, UM_COUNT(ddl) };
