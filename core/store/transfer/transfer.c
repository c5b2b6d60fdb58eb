/* One pass over both sides, in the order of the documents' ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "transfer.h"

#define X(name, types, select, columns, key, order) { #name, types, select, columns, key, order },
static const struct transfer_table of_documents[] = { TRANSFER_TABLES(X) };
#define TABLE(name, types, columns, order, serial) \
    { #name, types, "SELECT " columns " FROM " #name " WHERE ?1 = 0 ORDER BY " order, columns, "0", order },
static const struct transfer_table shared[] = {
    TRANSFER_SHARED(X)
#include "modules/tables.inc"
};
#undef TABLE
#undef X
const struct transfer_list transfer_of_documents = { of_documents, UM_COUNT(of_documents) };
const struct transfer_list transfer_shared = { shared, UM_COUNT(shared) };

struct pass {
    const struct um_transfer_conf *cf;
    struct transfer_source source;
    struct transfer_target target;
    struct um_transfer_state state;
    unsigned open;                       /* documents in the transaction under way */
};

enum { TOGETHER = 64 };                  /* documents of one transaction */

void transfer_marks_free(struct transfer_marks *m)
{
    for (size_t i = 0; i < m->n; i++)
        free(m->rows[i].text);
    free(m->rows);
    *m = (struct transfer_marks){ 0 };
}

static void tell(const struct pass *p)
{
    if (p->cf->progress != NULL)
        p->cf->progress(p->cf->arg, &p->state);
}

/* ---- copying ---- */

static um_err copy_table(struct pass *p, const struct transfer_table *table, int64_t id)
{
    sqlite3_stmt *rows = source_rows(&p->source, table, id);
    um_err err = rows != NULL ? target_copy(&p->target, table, rows, &p->state.bytes) : UM_EIO;

    sqlite3_finalize(rows);
    return err;
}

static um_err copy_rows(struct pass *p, int64_t id)
{
    struct transfer_head head = { 0 };
    um_err err = UM_OK;

    for (size_t i = 0; i < transfer_of_documents.n && err == UM_OK; i++)
        err = copy_table(p, &transfer_of_documents.tables[i], id);
    if (err == UM_OK && (err = source_head(&p->source, id, &head)) == UM_OK)
        err = target_set_head(&p->target, id, &head);
    free(head.author);
    return err;
}

static um_err open_both(struct pass *p)
{
    um_err err = p->open > 0 ? UM_OK : source_begin(&p->source);

    if (err == UM_OK && p->open == 0)
        err = target_begin(&p->target);
    p->open++;
    return err;
}

static um_err close_both(struct pass *p)
{
    if (p->open == 0)
        return UM_OK;
    p->open = 0;
    source_end(&p->source);
    return target_commit(&p->target);
}

/* Whole; what was there of it goes. */
static um_err copy_document(struct pass *p, int64_t id)
{
    um_err err = open_both(p);

    if (err == UM_OK && (err = target_remove(&p->target, id)) == UM_OK)
        err = copy_rows(p, id);
    p->state.copied += err == UM_OK;
    return err == UM_OK && p->open >= TOGETHER ? close_both(p) : err;
}

/* Both lists ascend. What only the target has was removed from the source since the last pass. */
static um_err copy_page(struct pass *p, const struct transfer_marks *here, const struct transfer_marks *there)
{
    size_t k = 0;
    um_err err = UM_OK;

    for (size_t i = 0; i < here->n && err == UM_OK; i++) {
        const struct transfer_mark *m = &here->rows[i];

        for (; k < there->n && there->rows[k].id < m->id && err == UM_OK; k++, p->state.removed++)
            err = target_remove(&p->target, there->rows[k].id);
        if (err == UM_OK && (k == there->n || there->rows[k].id != m->id || strcmp(there->rows[k].text, m->text) != 0))
            err = copy_document(p, m->id);
        k += k < there->n && there->rows[k].id == m->id;
        p->state.done++;
        tell(p);
    }
    for (; k < there->n && err == UM_OK; k++, p->state.removed++)
        err = target_remove(&p->target, there->rows[k].id);
    return err == UM_OK ? close_both(p) : err;
}

/* Whole, in every pass. A table may refer to those before it: they are emptied from the last one on. */
static um_err copy_shared(struct pass *p)
{
    um_err err = open_both(p);

    for (size_t i = transfer_shared.n; i > 0 && err == UM_OK; i--)
        err = target_empty(&p->target, &transfer_shared.tables[i - 1]);
    for (size_t i = 0; i < transfer_shared.n && err == UM_OK; i++)
        err = copy_table(p, &transfer_shared.tables[i], 0);
    return err == UM_OK ? close_both(p) : err;
}

/* ---- verifying ---- */

static bool is_same(const PGresult *r, int column, sqlite3_stmt *s, char type)
{
    bool is_null = PQgetisnull(r, 0, column) != 0;
    const void *data;
    double real;

    if (is_null || sqlite3_column_type(s, column) == SQLITE_NULL)
        return is_null && sqlite3_column_type(s, column) == SQLITE_NULL;
    if (type == 'i')
        return pg_int(r, 0, column) == sqlite3_column_int64(s, column);
    if (type == 'r') {
        uint64_t bits = (uint64_t)pg_int(r, 0, column);

        memcpy(&real, &bits, sizeof(real));
        return real == sqlite3_column_double(s, column);
    }
    data = type == 't' ? (const void *)sqlite3_column_text(s, column) : sqlite3_column_blob(s, column);
    return um_span_eq(UM_SPAN(data, (size_t)sqlite3_column_bytes(s, column)), pg_bytes(r, 0, column));
}

/* Column by column, byte by byte. THERE: NULL when there is no such row. */
static bool compare_row(struct pass *p, const struct transfer_table *table, const PGresult *there, sqlite3_stmt *here)
{
    bool same = there != NULL;

    for (int i = 0; same && table->types[i] != '\0'; i++) {
        same = is_same(there, i, here, table->types[i]);
        p->state.bytes += sqlite3_column_bytes(here, i);
    }
    return same;
}

/* Row by row, neither side as a whole in memory. */
static um_err compare_table(struct pass *p, const struct transfer_table *table, int64_t id, bool *same)
{
    sqlite3_stmt *here = source_rows(&p->source, table, id);
    um_err err = here != NULL ? target_ask(&p->target, table, id) : UM_EIO;
    PGresult *there;
    int rc = SQLITE_ERROR;

    while (err == UM_OK && (rc = sqlite3_step(here)) == SQLITE_ROW) {
        there = target_next(&p->target, &err);
        *same = compare_row(p, table, there, here) && *same;
        PQclear(there);
    }
    while ((there = target_next(&p->target, &err)) != NULL) {
        *same = false;
        PQclear(there);
    }
    sqlite3_finalize(here);
    return err == UM_OK && rc != SQLITE_DONE ? UM_EIO : err;
}

/* Of a document, or of what belongs to none (0). */
static um_err verify_tables(struct pass *p, struct transfer_list list, int64_t id)
{
    bool same = true;
    um_err err = source_begin(&p->source);

    for (size_t i = 0; i < list.n && err == UM_OK; i++)
        err = compare_table(p, &list.tables[i], id, &same);
    source_end(&p->source);
    p->state.different += !same;
    return err;
}

static um_err verify_page(struct pass *p, const struct transfer_marks *here, const struct transfer_marks *there)
{
    um_err err = UM_OK;

    if (there->n > here->n)
        p->state.different += (int64_t)(there->n - here->n);
    for (size_t i = 0; i < here->n && err == UM_OK; i++) {
        err = verify_tables(p, transfer_of_documents, here->rows[i].id);
        p->state.done++;
        tell(p);
    }
    return err;
}

/* ---- a pass ---- */

static um_err walk(struct pass *p, enum um_transfer_phase phase,
                   um_err (*page)(struct pass *, const struct transfer_marks *, const struct transfer_marks *))
{
    int64_t after = INT64_MIN;
    bool more = true;
    um_err err = source_count(&p->source, &p->state.documents);

    p->state.phase = phase;
    p->state.done = p->state.bytes = 0;
    while (more && err == UM_OK) {
        struct transfer_marks here, there = { 0 };
        int64_t upto = INT64_MAX;

        err = source_marks(&p->source, after, &here);
        more = here.n > 0;
        if (more)
            upto = here.rows[here.n - 1].id;
        if (err == UM_OK && (err = target_marks(&p->target, after, upto, &there)) == UM_OK)
            err = page(p, &here, &there);
        after = upto;
        transfer_marks_free(&here);
        transfer_marks_free(&there);
    }
    return err;
}

static um_err run(struct pass *p, char why[256])
{
    um_err err = UM_OK;

    if (!p->cf->verify_only && (err = target_claim(&p->target, p->source.path, why)) == UM_OK)
        err = walk(p, UM_TRANSFER_COPYING, copy_page);
    if (err == UM_OK && !p->cf->verify_only)
        err = copy_shared(p);
    if (err == UM_OK && (err = walk(p, UM_TRANSFER_VERIFYING, verify_page)) == UM_OK)
        err = verify_tables(p, transfer_shared, 0);
    if (err == UM_OK && !p->cf->verify_only)
        err = target_finish(&p->target, p->state.final && p->state.different == 0);
    if (err != UM_OK && why[0] == '\0')
        snprintf(why, 256, "broken off: %.200s", p->target.conn.why[0] != '\0' ? p->target.conn.why : "the source cannot be read");
    return err;
}

um_err um_store_transfer(const struct um_transfer_conf *cf, struct um_transfer_state *out, char why[256])
{
    struct pass p = { .cf = cf, .source = { .lock_fd = -1 } };
    um_err err;

    why[0] = '\0';
    if ((err = source_open(&p.source, cf->from, why)) == UM_OK) {
        p.state.final = p.source.locked;
        if ((err = target_open(&p.target, cf, why)) == UM_OK)
            err = run(&p, why);
        target_close(&p.target);
    }
    source_close(&p.source);
    *out = p.state;
    return err;
}
