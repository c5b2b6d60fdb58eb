/* The shared tables (store_shared.h) inside a unit of work. On PostgreSQL what these touch stays locked until the commit:
 * reservations are asked for first, by category and id, and caches raised last, by scope and name. */
#ifndef UMBEL_SQL_SHARED_H
#define UMBEL_SQL_SHARED_H
#include <umbel/sql.h>
#include <umbel/store_shared.h>

/* Raises the version of a cache; *VERSION (may be NULL) is true when the unit has been committed. Scope "" has names that only
 * the store raises ("reservations", "revocations"): UM_EINVAL. */
UM_CHECK_RESULT um_err um_sql_raise_cache(struct um_sql *q, const char *scope, const char *name, uint64_t *version);
/* Who holds a component: in a unit nobody takes, frees or breaks it before the unit has ended. Token 0 and user "" when it was
 * never reserved; strings until the next call on Q. */
UM_CHECK_RESULT um_err um_sql_reserved(struct um_sql *q, const char *category, const char *id, struct um_store_reserved *out);
/* Adds a row; at_ms is the unit's moment. */
UM_CHECK_RESULT um_err um_sql_audit(struct um_sql *q, const struct um_store_audit *row);

/* ---- documents that are parts of what modules keep ----
 *
 * Their names begin with UM_STORE_UNLISTED (else UM_EINVAL), and they come and go with their owner, in its unit. */

/* As um_store_delete: a tombstone stands under NAME, and a late editor cannot bring it back. ALWAYS: also where there is no
 * document yet, whose first change may be on its way. */
UM_CHECK_RESULT um_err um_sql_bury_document(struct um_sql *q, const char *name, const char *user, bool always);
/* Nothing stands under NAME any more, no tombstone either: a new owner begins with an empty document. */
UM_CHECK_RESULT um_err um_sql_clear_document(struct um_sql *q, const char *name);

#endif
