/* Files, and the contents that they refer to (core/content/internal.h). Chunks have been compressed by whoever
 * wanted them to be. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE contents(id {TEXT} PRIMARY KEY NOT NULL, place {TEXT} NOT NULL,"
                  " size {BIGINT} NOT NULL, sha256 {TEXT} NOT NULL, chunk {BIGINT} NOT NULL,"
                  " created_ms {BIGINT} NOT NULL, due_ms {BIGINT})" },
    { STORE_BOTH, "CREATE INDEX contents_due ON contents(due_ms) WHERE due_ms IS NOT NULL" },
    { STORE_BOTH, "CREATE TABLE content_chunks(content {TEXT} NOT NULL, n {BIGINT} NOT NULL,"
                  " bytes {BLOB} NOT NULL, PRIMARY KEY(content, n))" },
    { STORE_POSTGRES, "ALTER TABLE content_chunks ALTER COLUMN bytes SET STORAGE EXTERNAL" },
    { STORE_BOTH, "CREATE TABLE content_files(owner {TEXT} NOT NULL, id {TEXT} NOT NULL, content {TEXT},"
                  " name {TEXT} NOT NULL, format {TEXT} NOT NULL, created_ms {BIGINT} NOT NULL,"
                  " expires_ms {BIGINT}, PRIMARY KEY(owner, id)) {KEYED}" },
    { STORE_BOTH, "CREATE INDEX content_files_content ON content_files(content)" },
    { STORE_BOTH, "CREATE INDEX content_files_expires ON content_files(expires_ms) WHERE expires_ms IS NOT NULL" },
};

const struct store_migration store_module_contents = { "files and their contents", 1, ddl, UM_COUNT(ddl) };
