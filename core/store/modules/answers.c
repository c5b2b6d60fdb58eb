/* Answers that are given again (core/domain/answers.h). PRINT: of what was asked; REPLY: JSON, NULL: none. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE answers(num {ID}, scope {TEXT} NOT NULL, user_id {TEXT} NOT NULL, key {TEXT} NOT NULL, print {TEXT} NOT NULL,"
                  " reply {TEXT}, version {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX answers_by_key ON answers(scope, user_id, key)" },
    { STORE_BOTH, "CREATE INDEX answers_by_age ON answers(created_ms)" },
};

const struct store_migration store_module_answers = { "answers that are given again", 1, ddl, UM_COUNT(ddl) };
