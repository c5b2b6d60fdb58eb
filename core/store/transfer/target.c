/* The PostgreSQL database. Rows go in by COPY in its binary format: a header of 19 bytes; per row the number of columns in
 * two bytes, each column behind its length in four (-1: NULL); -1 at the end. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "transfer.h"

enum { CHUNK = 1 << 20, TIMEOUT_MS = 600000 };

#define MARK \
    "SELECT d.id, d.name || '|' || coalesce(d.title, '') || '|' || d.version || '|' || d.seq || '|' || coalesce(d.crc, -1)" \
    " || '|' || (d.deleted_at IS NOT NULL)::int || '|' || (SELECT count(*) || '|' || coalesce(max(u.seq), 0)"               \
    " FROM document_updates u WHERE u.document_id = d.id) || '|' || (SELECT count(*) || '|' || coalesce(max(s.seq), 0)"     \
    " || '|' || coalesce(sum(length(s.label)), 0) || '|' || count(s.archive_key) FROM document_snapshots s"                 \
    " WHERE s.document_id = d.id) || '|' || (SELECT count(*) FROM document_clients c WHERE c.document_id = d.id)"           \
    " || '|' || coalesce(d.contributors_seq, -1) FROM documents d"

static um_err run(struct transfer_target *t, const char *sql)
{
    pg_begin(&t->conn);
    return pg_exec(&t->conn, sql, NULL);
}

um_err target_open(struct transfer_target *t, const struct um_transfer_conf *cf, char why[256])
{
    um_err err;

    *t = (struct transfer_target){ .conf = { .user = cf->user != NULL ? cf->user : "",
        .password = cf->password != NULL ? cf->password : "", .connect_timeout_ms = 10000, .timeout_ms = TIMEOUT_MS } };
    if (strncmp(cf->to, "postgres", 8) != 0 && strncmp(cf->to, "jdbc:postgres", 13) != 0) {
        snprintf(why, 256, "the target must be postgresql://…");
        return UM_EINVAL;
    }
    if ((err = pg_target_parse(&t->to, cf->to, &t->conf, why)) != UM_OK)
        return err;
    pg_init(&t->conn, &t->to, &t->conf, PG_SCHEMA);
    if ((err = pg_ready(&t->conn)) != UM_OK) {
        snprintf(why, 256, "cannot use PostgreSQL at %.60s: %.160s", t->to.shown, t->conn.why);
        return err;
    }
    return pg_migrate(&t->conn, why);
}

void target_close(struct transfer_target *t)
{
    pg_close(&t->conn);
    pg_target_free(&t->to);
}

/* A database that others have filled is not overwritten, nor one that is in use since the final pass. */
um_err target_claim(struct transfer_target *t, const char *from, char why[256])
{
    const char *values[] = { from };
    bool ours, finished;
    PGresult *r;

    if (run(t, "CREATE TABLE IF NOT EXISTS umbel_transfer(source text PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),"
            " finished_at timestamptz)") != UM_OK) {
        snprintf(why, 256, "%.240s", t->conn.why);
        return t->conn.err;
    }
    r = PQexecParams(t->conn.db, "INSERT INTO umbel_transfer(source) SELECT $1::text WHERE NOT EXISTS (SELECT FROM documents)"
                     " ON CONFLICT DO NOTHING", 1, NULL, values, NULL, NULL, 0);
    PQclear(r);
    r = PQexecParams(t->conn.db, "SELECT finished_at FROM umbel_transfer WHERE source = $1::text", 1, NULL, values, NULL, NULL, 0);
    ours = PQntuples(r) == 1;
    finished = ours && !PQgetisnull(r, 0, 0);
    PQclear(r);
    if (ours && !finished)
        return UM_OK;
    snprintf(why, 256, finished ? "this source was moved here already; what the target has by now would be overwritten"
                                : "the target holds documents that did not come from this source: it must be empty at the first run");
    return UM_ECONFLICT;
}

um_err target_marks(struct transfer_target *t, int64_t after, int64_t upto, struct transfer_marks *out)
{
    char a[24], b[24];
    const char *values[] = { a, b };
    PGresult *r;
    um_err err = UM_OK;

    snprintf(a, sizeof(a), "%lld", (long long)after);
    snprintf(b, sizeof(b), "%lld", (long long)upto);
    *out = (struct transfer_marks){ 0 };
    r = PQexecParams(t->conn.db, MARK " WHERE d.id > $1::bigint AND d.id <= $2::bigint ORDER BY d.id", 2, NULL, values, NULL,
                     NULL, 0);
    if (PQresultStatus(r) == PGRES_TUPLES_OK) {
        out->rows = um_xcalloc((size_t)PQntuples(r) + 1, sizeof(*out->rows));
        for (int i = 0; i < PQntuples(r); i++)
            out->rows[out->n++] = (struct transfer_mark){ strtoll(PQgetvalue(r, i, 0), NULL, 10),
                um_xstrdup(PQgetvalue(r, i, 1)) };
    } else {
        err = UM_EIO;
    }
    PQclear(r);
    return err;
}

/* With all that belongs to it (a trigger). */
um_err target_remove(struct transfer_target *t, int64_t id)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "DELETE FROM documents WHERE id = %lld", (long long)id);
    return run(t, sql);
}

um_err target_empty(struct transfer_target *t, const struct transfer_table *table)
{
    char sql[80];

    snprintf(sql, sizeof(sql), "DELETE FROM %s", table->name);
    return run(t, sql);
}

um_err target_begin(struct transfer_target *t) { return run(t, "BEGIN"); }
um_err target_commit(struct transfer_target *t) { return run(t, "COMMIT"); }

static um_err raise_serial(struct transfer_target *t, const char *table, const char *column)
{
    char sql[300];

    snprintf(sql, sizeof(sql), "SELECT setval(pg_get_serial_sequence('%s', '%s'), greatest((SELECT max(%s) FROM %s), 1))", table,
             column, column, table);
    return run(t, sql);
}

um_err target_finish(struct transfer_target *t, bool final)
{
    static const struct { const char *table, *column; } serials[] = {
        { "documents", "id" }, { "audit", "id" },
#define TABLE(name, types, columns, order, serial) { #name, serial },
#include "modules/tables.inc"
#undef TABLE
    };
    um_err err = final ? run(t, "UPDATE umbel_transfer SET finished_at = now()") : UM_OK;

    for (size_t i = 0; i < UM_COUNT(serials) && err == UM_OK; i++)
        if (serials[i].column[0] != '\0')
            err = raise_serial(t, serials[i].table, serials[i].column);
    return err;
}

/* ---- copying ---- */

static void put_u32(struct um_buf *b, uint32_t v)
{
    v = htobe32(v);
    um_buf_put(b, &v, sizeof(v));
}

/* Behind its length. */
static void put_u64(struct um_buf *b, uint64_t v)
{
    v = htobe64(v);
    put_u32(b, sizeof(v));
    um_buf_put(b, &v, sizeof(v));
}

static uint64_t bits_of(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static void put_column(struct um_buf *b, sqlite3_stmt *s, int i, char type)
{
    if (sqlite3_column_type(s, i) == SQLITE_NULL) {
        put_u32(b, UINT32_MAX);
    } else if (type == 'i') {
        put_u64(b, (uint64_t)sqlite3_column_int64(s, i));
    } else if (type == 'r') {
        put_u64(b, bits_of(sqlite3_column_double(s, i)));
    } else {
        const void *data = type == 't' ? (const void *)sqlite3_column_text(s, i) : sqlite3_column_blob(s, i);
        int n = sqlite3_column_bytes(s, i);

        put_u32(b, (uint32_t)n);
        um_buf_put(b, data, (size_t)n);
    }
}

static void put_row(struct um_buf *b, sqlite3_stmt *s, const char *types)
{
    uint16_t n = htobe16((uint16_t)strlen(types));

    um_buf_put(b, &n, sizeof(n));
    for (int i = 0; types[i] != '\0'; i++)
        put_column(b, s, i, types[i]);
}

/* Blocks until the server has taken it: the connection is one that does not wait by itself. */
static bool give(PGconn *db, struct um_buf *b)
{
    bool ok = !b->failed && PQputCopyData(db, (const char *)b->data, (int)b->len) == 1;

    um_buf_clear(b);
    return ok;
}

static um_err end_copy(struct transfer_target *t, bool ok)
{
    PGresult *r;

    PQsetnonblocking(t->conn.db, 0);
    PQputCopyEnd(t->conn.db, ok ? NULL : "broken off");
    while ((r = PQgetResult(t->conn.db)) != NULL) {
        if (PQresultStatus(r) != PGRES_COMMAND_OK) {
            snprintf(t->conn.why, sizeof(t->conn.why), "%.190s", PQresultErrorMessage(r));
            ok = false;
        }
        PQclear(r);
    }
    return ok ? UM_OK : UM_EIO;
}

um_err target_copy(struct transfer_target *t, const struct transfer_table *table, sqlite3_stmt *s, int64_t *bytes)
{
    static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0";      /* signature, no flags, no extension: with the last NUL 19 bytes */
    struct um_buf b = { 0 };
    char sql[2048];
    bool ok = true;
    PGresult *r;
    um_err err;
    int rc;

    snprintf(sql, sizeof(sql), "COPY %s(%s) FROM STDIN (FORMAT binary)", table->name, table->columns);
    PQsetnonblocking(t->conn.db, 0);
    r = PQexec(t->conn.db, sql);
    if (PQresultStatus(r) != PGRES_COPY_IN) {
        snprintf(t->conn.why, sizeof(t->conn.why), "%.190s", PQresultErrorMessage(r));
        PQclear(r);
        return UM_EIO;
    }
    PQclear(r);
    um_buf_put(&b, head, sizeof(head));
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && ok) {
        size_t before = b.len;

        put_row(&b, s, table->types);
        *bytes += (int64_t)(b.len - before);
        if (b.len >= CHUNK)
            ok = give(t->conn.db, &b);
    }
    um_buf_put(&b, "\377\377", 2);
    ok = ok && rc == SQLITE_DONE && give(t->conn.db, &b);
    err = end_copy(t, ok);
    um_buf_free(&b);
    return err;
}

um_err target_set_head(struct transfer_target *t, int64_t id, const struct transfer_head *h)
{
    char numbers[3][24];
    const char *values[] = { numbers[0], numbers[1], numbers[2], h->author };
    PGresult *r;
    um_err err;

    snprintf(numbers[0], 24, "%lld", (long long)id);
    snprintf(numbers[1], 24, "%lld", (long long)h->last_seq);
    snprintf(numbers[2], 24, "%lld", (long long)h->at_ms);
    r = PQexecParams(t->conn.db, "UPDATE document_heads SET last_seq = $2::bigint, updated_at = $3::bigint,"
                     " updated_by = nullif($4::text, ''), deleted = (SELECT deleted_at IS NOT NULL FROM documents WHERE id = $1::bigint)"
                     " WHERE document_id = $1::bigint", 4, NULL, values, NULL, NULL, 0);
    err = PQresultStatus(r) == PGRES_COMMAND_OK ? UM_OK : UM_EIO;
    if (err != UM_OK)
        snprintf(t->conn.why, sizeof(t->conn.why), "%.190s", PQresultErrorMessage(r));
    PQclear(r);
    return err;
}

um_err target_ask(struct transfer_target *t, const struct transfer_table *table, int64_t id)
{
    char sql[2048], number[24];
    const char *values[] = { number };

    snprintf(number, sizeof(number), "%lld", (long long)id);
    snprintf(sql, sizeof(sql), "SELECT %s FROM %s WHERE %s = $1::bigint ORDER BY %s", table->columns, table->name, table->key,
             table->order);
    PQsetnonblocking(t->conn.db, 0);
    if (PQsendQueryParams(t->conn.db, sql, 1, NULL, values, NULL, NULL, 1) == 1 && PQsetSingleRowMode(t->conn.db) == 1)
        return UM_OK;
    snprintf(t->conn.why, sizeof(t->conn.why), "%.190s", PQerrorMessage(t->conn.db));
    return UM_EIO;
}

PGresult *target_next(struct transfer_target *t, um_err *err)
{
    PGresult *r;

    while ((r = PQgetResult(t->conn.db)) != NULL && PQresultStatus(r) != PGRES_SINGLE_TUPLE) {
        if (PQresultStatus(r) != PGRES_TUPLES_OK) {
            snprintf(t->conn.why, sizeof(t->conn.why), "%.190s", PQresultErrorMessage(r));
            *err = UM_EIO;
        }
        PQclear(r);
    }
    return r;
}
