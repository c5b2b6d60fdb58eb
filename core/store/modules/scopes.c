/* BODY is the scope as JSON, in the form of the REST interface. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE scopes(id {TEXT} PRIMARY KEY NOT NULL, version {BIGINT} NOT NULL,"
                  " body {TEXT} NOT NULL, created_ms {BIGINT} NOT NULL, updated_ms {BIGINT} NOT NULL)" },
};

const struct store_migration store_module_scopes = { "scopes", 1, ddl, UM_COUNT(ddl) };
