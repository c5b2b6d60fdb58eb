/* Contents in the database: rows of chunks. They are written together with the content's own row (upload.c), read one by one,
 * and removed a few at a time: a large one must not keep the database's writer from others. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include "internal.h"

enum { REMOVED_AT_ONCE = 8 };                /* chunks: 2 MB */

static void finish(void *arg, um_err err)
{
    struct content_io *io = arg;

    io->err = err;
    io->done(io);
}

/* ---- reading ---- */

static um_err read_chunk(void *arg, struct um_sql *q)
{
    struct content_io *io = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT bytes FROM content_chunks WHERE content = ?1 AND n = ?2",
                            UM_SQL_ARGS(um_sql_word(io->id), UM_SQL_INT(io->n)), &row);

    um_bytes_unref(io->bytes);               /* of a run before */
    io->bytes = NULL;
    if (err != UM_OK)
        return err;
    if (um_sql_span(&row, 0).len != io->len)
        return UM_ECORRUPT;
    io->bytes = um_bytes_dup(um_sql_span(&row, 0).data, io->len);
    return io->bytes != NULL ? UM_OK : UM_ENOMEM;
}

static void have_chunk(void *arg, um_err err)
{
    struct content_io *io = arg;

    if (err != UM_OK) {
        um_bytes_unref(io->bytes);
        io->bytes = NULL;
    }
    finish(io, err);
}

static void get(struct content_io *io)
{
    io->bytes = NULL;
    if (!io->content->stopped)
        um_store_inspect(io->content->store, io->loop, read_chunk, have_chunk, io);
}

/* ---- removing ---- */

static um_err remove_some(void *arg, struct um_sql *q)
{
    struct content_io *io = arg;

    return um_sql_exec(q, "DELETE FROM content_chunks WHERE content = ?1 AND n IN"
                       " (SELECT n FROM content_chunks WHERE content = ?1 ORDER BY n LIMIT ?2)",
                       UM_SQL_ARGS(um_sql_word(io->id), UM_SQL_INT(REMOVED_AT_ONCE)), &io->n);
}

static void removed_some(void *arg, um_err err)
{
    struct content_io *io = arg;

    if (err == UM_OK && io->n == REMOVED_AT_ONCE)
        content_transact(io->content, io->loop, remove_some, removed_some, io);
    else
        finish(io, err);
}

static void remove_all(struct content_io *io)
{
    content_transact(io->content, io->loop, remove_some, removed_some, io);
}

static um_err peek(struct um_content *c, struct um_sql *q, const char *id, size_t len, struct um_buf *out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT bytes FROM content_chunks WHERE content = ?1 AND n = 0", UM_SQL_ARGS(um_sql_word(id)), &row);

    (void)c;
    if (err != UM_OK)
        return err == UM_ENOTFOUND ? UM_ECORRUPT : err;
    if (um_sql_span(&row, 0).len < len)
        return UM_ECORRUPT;
    um_buf_put(out, um_sql_span(&row, 0).data, len);
    return UM_OK;
}

const struct content_place content_database = { .name = "database", .get = get, .remove = remove_all, .peek = peek };
