/* Documents inside units (sql_shared.h). Rows that belong to a document go with it by the databases' triggers. A tombstone is
 * a row of its own with a new number: what waits for the old one finds it gone, or dead. */
#include <string.h>
#include <umbel/sql_shared.h>
#include "unit.h"
#include "store_internal.h"

/* The empty state, as both drivers write it. */
static const struct um_span empty_state = { (const uint8_t *)"\0\0", 2 };

static um_err begin(struct um_sql *q, const char *name)
{
    if (strncmp(name, UM_STORE_UNLISTED, strlen(UM_STORE_UNLISTED)) != 0 || !store_is_text(name, 1, STORE_NAME_MAX)) {
        q->err = q->err == UM_OK ? UM_EINVAL : q->err;
        return q->err;
    }
    q->ours = q->documents = true;           /* the writer's memory of documents is not to be trusted after this unit */
    return UM_OK;
}

static um_err put_tombstone(struct um_sql *q, const char *name, const char *user)
{
    int64_t now_ms = um_sql_now_ms(q);
    struct um_sql_row row;
    um_err err = um_sql_one(q, "INSERT INTO documents(name, created_at, updated_at, updated_by, version, deleted_at, data)"
                               " VALUES(?1, ?2, ?2, ?3, 1, ?2, ?4) RETURNING id",
                            UM_SQL_ARGS(um_sql_word(name), UM_SQL_INT(now_ms), um_sql_word(user), UM_SQL_BYTES(empty_state)), &row);

    if (err != UM_OK || !q->driver->is_postgres)
        return err;
    return um_sql_exec(q, "UPDATE document_heads SET deleted = true WHERE document_id = ?1",
                       UM_SQL_ARGS(UM_SQL_INT(um_sql_int(&row, 0))), NULL);
}

um_err um_sql_bury_document(struct um_sql *q, const char *name, const char *user, bool always)
{
    int64_t there = 0;
    um_err err = begin(q, name);

    if (err == UM_OK)
        err = um_sql_exec(q, "DELETE FROM documents WHERE name = ?1", UM_SQL_ARGS(um_sql_word(name)), &there);
    if (err == UM_OK && (there > 0 || always))
        err = put_tombstone(q, name, user);
    q->ours = false;
    return err;
}

um_err um_sql_clear_document(struct um_sql *q, const char *name)
{
    um_err err = begin(q, name);

    if (err == UM_OK)
        err = um_sql_exec(q, "DELETE FROM documents WHERE name = ?1", UM_SQL_ARGS(um_sql_word(name)), NULL);
    q->ours = false;
    return err;
}
