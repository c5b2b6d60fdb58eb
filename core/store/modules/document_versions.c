/* Documents as they were; DOCUMENT is a component's num. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE document_versions(num {ID}, document {BIGINT} NOT NULL, label {TEXT} NOT NULL,"
                  " author {TEXT} NOT NULL, created_ms {BIGINT} NOT NULL, body {TEXT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX document_versions_of ON document_versions(document, num)" },
};

const struct store_migration store_module_document_versions = { "versions of documents", 1, ddl, UM_COUNT(ddl) };
