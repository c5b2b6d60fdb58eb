/* People of the scopes, who can log in (core/domain/users.h). BODY: what is told of one, as JSON; PROFILES: a JSON array of names;
 * WORDS: what one is found by; PASSWORD: its argon2id hash, or "". STAMP is another random number when tokens of before are
 * to be worth nothing. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE users(scope {TEXT} NOT NULL, id {TEXT} NOT NULL, version {BIGINT} NOT NULL, body {TEXT} NOT NULL,"
                  " profiles {TEXT} NOT NULL, words {TEXT} NOT NULL, password {TEXT} NOT NULL, stamp {BIGINT} NOT NULL,"
                  " enabled {BIGINT} NOT NULL, expired {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL, updated_ms {BIGINT} NOT NULL,"
                  " PRIMARY KEY(scope, id))" },
};

const struct store_migration store_module_users = { "users", 1, ddl, UM_COUNT(ddl) };
