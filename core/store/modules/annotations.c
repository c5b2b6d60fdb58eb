/* Marks on documents; DOCUMENT is a component's num. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE annotations(num {ID}, document {BIGINT} NOT NULL, id {TEXT} NOT NULL,"
                  " author {TEXT} NOT NULL, body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE UNIQUE INDEX annotations_by_id ON annotations(document, id)" },
};

const struct store_migration store_module_annotations = { "annotations", 1, ddl, UM_COUNT(ddl) };
