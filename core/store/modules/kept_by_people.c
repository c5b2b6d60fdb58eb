/* What people keep for themselves: components at hand, by their num, and searches; USERS: who may see one of
 * somebody else's. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE favorites(scope {TEXT} NOT NULL, user_id {TEXT} NOT NULL,"
                  " component {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL,"
                  " PRIMARY KEY(scope, user_id, component)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX favorites_component ON favorites(component)" },
    { STORE_BOTH, "CREATE TABLE stored_searches(num {ID}, scope {TEXT} NOT NULL, id {TEXT} NOT NULL,"
                  " owner {TEXT} NOT NULL, body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX stored_searches_by_id ON stored_searches(scope, id)" },
    { STORE_BOTH, "CREATE INDEX stored_searches_owner ON stored_searches(scope, owner)" },
    { STORE_BOTH, "CREATE TABLE stored_search_users(scope {TEXT} NOT NULL, name {TEXT} NOT NULL,"
                  " search {BIGINT} NOT NULL, PRIMARY KEY(scope, name, search)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX stored_search_users_search ON stored_search_users(search)" },
};

const struct store_migration store_module_kept_by_people = {
    "favourites and stored searches", 1, ddl, UM_COUNT(ddl)
};
