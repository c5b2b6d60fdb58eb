/* What the writer remembers of documents, so that an append is one insert. It is dropped when a transaction failed and
 * when another program wrote to the file. */
#include <stdlib.h>
#include <string.h>
#include "counters.h"
#include "sqlite_internal.h"

enum { DOCS_MAX = 16384 };                   /* remembered at once; then all are forgotten */

int sq_docs_check(struct sq_store *st)
{
    int64_t version = 0;
    int rc;

    if (st->path != NULL && (rc = sq_int(&st->conn, SQ_DATA_VERSION, 0, &version)) != SQLITE_OK)
        return rc;                           /* in memory nobody else writes */
    if (version != st->data_version) {
        if (st->data_version != 0)
            store_count(M_FOREIGN, 1);
        sq_docs_forget(st);
        st->data_version = version;
    } else if (st->docs.n >= DOCS_MAX) {
        sq_docs_forget(st);
    }
    return SQLITE_OK;
}

struct sq_doc *sq_docs_add(struct sq_store *st, const char *name, struct sq_doc doc)
{
    struct sq_doc *d = um_xmalloc(sizeof(*d));

    *d = doc;
    free(um_map_put(&st->docs, UM_SPAN_STR(name), d));
    return d;
}

int sq_docs_find(struct sq_store *st, const char *name, struct sq_doc **out)
{
    sqlite3_stmt *s;
    int rc;

    *out = um_map_get(&st->docs, UM_SPAN_STR(name));
    if (*out != NULL)
        return SQLITE_OK;
    s = sq_query(&st->conn, SQ_FIND, "t", name);
    if (s == NULL)
        return sqlite3_extended_errcode(st->conn.db);
    rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        struct sq_doc d = {
            .id = sqlite3_column_int64(s, 0),
            .version = (uint64_t)sqlite3_column_int64(s, 1),
            .seq = (uint64_t)sqlite3_column_int64(s, 2),
            .touched_ms = sqlite3_column_int64(s, 3),
            .deleted = sqlite3_column_int(s, 4) != 0,
            .last_seq = (uint64_t)sqlite3_column_int64(s, 5),
        };

        d.last_seq = UM_MAX(d.last_seq, d.seq);      /* the log may be empty */
        *out = sq_docs_add(st, name, d);
    }
    sq_end(s);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void sq_docs_forget(struct sq_store *st)
{
    struct um_span name;
    void *doc;
    size_t pos = 0;

    while (um_map_next(&st->docs, &pos, &name, &doc))
        free(doc);
    um_map_free(&st->docs);
    st->docs = (struct um_map){ 0 };
}
