/* Documents with changes that a webhook has yet to be told of (core/webhook/changes.c). TOLD_BY_MS: until then the core that made
 * the mark does it, afterwards any. NOTE: JSON, who changed it. */
#include "modules.h"

static const struct store_ddl ddl[] = {
    { STORE_BOTH, "CREATE TABLE webhook_marks(token {BIGINT} PRIMARY KEY NOT NULL, document {TEXT} NOT NULL, note {TEXT} NOT NULL,"
                  " told_by_ms {BIGINT} NOT NULL)" },
    { STORE_BOTH, "CREATE INDEX webhook_marks_due ON webhook_marks(told_by_ms)" },
};

const struct store_migration store_module_webhook_marks = { "changes that a webhook is told of", 1, ddl, UM_COUNT(ddl) };
