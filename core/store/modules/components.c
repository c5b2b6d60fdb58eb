/* Components. BODY is the component as the REST interface has it, and the truth; the columns beside it and the
 * rows of its tags are what is searched by, written with it. NUM is its name inside the database: short, never
 * reused. FIELD: scope, category and name of a tag as one number (core/domain/search/fields.h); VALUE: its
 * beginning; NUMBER: a value as number or moment, when the tag's class has such a type. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE components(num {ID}, scope {TEXT} NOT NULL, category {TEXT} NOT NULL,"
                  " id {TEXT} NOT NULL, class_id {TEXT} NOT NULL, name {TEXT} NOT NULL, acl {TEXT} NOT NULL,"
                  " owner {TEXT} NOT NULL, status {TEXT} NOT NULL, assignee {TEXT} NOT NULL,"
                  " version {BIGINT} NOT NULL, created_ms {BIGINT} NOT NULL, updated_ms {BIGINT} NOT NULL,"
                  " body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX components_by_id ON components(scope, category, id)" },
    { STORE_BOTH, "CREATE INDEX components_by_class ON components(scope, category, class_id, updated_ms, num,"
                  " acl)" },
    { STORE_BOTH, "CREATE TABLE component_tags(num {BIGINT} NOT NULL, field {BIGINT} NOT NULL,"
                  " position {BIGINT} NOT NULL, value {TEXT} NOT NULL, number {REAL}, PRIMARY KEY(num, field,"
                  " position)) {KEYED}" },
};

const struct store_migration store_module_components = { "components", 1, ddl, UM_COUNT(ddl) };
