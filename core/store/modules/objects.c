/* Configuration objects of the scopes: classes, tags, ACLs (core/domain/objects.h); BODY as in the REST
 * interface. A scope's STAMP is another random number after every change of them (core/domain/model.h). */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE objects(scope {TEXT} NOT NULL, kind {TEXT} NOT NULL, id {TEXT} NOT NULL,"
                  " version {BIGINT} NOT NULL, body {TEXT} NOT NULL, updated_ms {BIGINT} NOT NULL,"
                  " PRIMARY KEY(scope, kind, id))" },
    { STORE_BOTH, "CREATE TABLE models(scope {TEXT} PRIMARY KEY NOT NULL, stamp {BIGINT} NOT NULL)" },
};

const struct store_migration store_module_objects = { "configuration objects", 1, ddl, UM_COUNT(ddl) };
