/* A run of appends: one statement locks the heads of all their documents, raises them and adds the rows. And the
 * documents of a transaction, found by name. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "pg_internal.h"

/* ---- documents ---- */

struct pg_doc *pg_docs_get(struct pg_docs *docs, const char *name)
{
    uintptr_t at = (uintptr_t)um_map_get(&docs->by_name, UM_SPAN_STR(name));     /* from 1 */

    if (at != 0)
        return &docs->rows[at - 1];
    if (docs->n == docs->cap) {
        docs->cap = docs->cap == 0 ? 16 : docs->cap * 2;
        docs->rows = um_xrealloc(docs->rows, docs->cap * sizeof(*docs->rows));
    }
    docs->rows[docs->n] = (struct pg_doc){ .name = name };
    um_map_put(&docs->by_name, UM_SPAN_STR(name), (void *)(uintptr_t)++docs->n);
    return &docs->rows[docs->n - 1];
}

void pg_docs_free(struct pg_docs *docs)
{
    for (size_t i = 0; i < docs->n; i++)
        free(docs->rows[i].contributors);
    free(docs->rows);
    um_map_free(&docs->by_name);
    *docs = (struct pg_docs){ 0 };
}

/* ---- sending ---- */

/* Numbers documents and rows in the order of the ops. */
static void number(struct pg_run *run, struct pg_docs *docs)
{
    run->rows = um_xcalloc(run->n, sizeof(*run->rows));
    for (size_t i = 0; i < docs->n; i++)
        docs->rows[i].n = 0;
    for (size_t i = 0; i < run->n; i++) {
        struct pg_doc *d = pg_docs_get(docs, run->ops[i]->name);

        if (d->n++ == 0)
            d->place = ++run->n_docs;
        d->author = run->ops[i]->user;
        run->rows[i].place = d->place;
        run->rows[i].nth = d->n;
    }
}

static void put_docs(const struct pg_run *run, const struct pg_docs *docs, struct pg_args *a)
{
    int names = pg_arg_array(a, PG_TEXT, run->n_docs), counts = pg_arg_array(a, PG_INT8, run->n_docs);
    int authors = pg_arg_array(a, PG_TEXT, run->n_docs);
    const struct pg_doc **in_order = um_xcalloc(run->n_docs, sizeof(*in_order));

    for (size_t i = 0; i < docs->n; i++)
        if (docs->rows[i].n > 0)
            in_order[docs->rows[i].place - 1] = &docs->rows[i];
    for (size_t i = 0; i < run->n_docs; i++) {
        pg_put_span(a, names, UM_SPAN_STR(in_order[i]->name));
        pg_put_int(a, counts, (int64_t)in_order[i]->n);
        pg_put_span(a, authors, UM_SPAN_STR(in_order[i]->author));
    }
    free(in_order);
}

static void put_rows(const struct pg_run *run, struct pg_args *a)
{
    int places = pg_arg_array(a, PG_INT8, run->n), nths = pg_arg_array(a, PG_INT8, run->n);
    int authors = pg_arg_array(a, PG_TEXT, run->n), crcs = pg_arg_array(a, PG_INT8, run->n);
    int data = pg_arg_array(a, PG_BYTEA, run->n);

    for (size_t i = 0; i < run->n; i++) {
        struct um_span bytes = um_bytes_span(run->ops[i]->bytes);

        pg_put_int(a, places, (int64_t)run->rows[i].place);
        pg_put_int(a, nths, (int64_t)run->rows[i].nth);
        pg_put_span(a, authors, UM_SPAN_STR(run->ops[i]->user));
        pg_put_int(a, crcs, (int64_t)um_crc32c(0, bytes.data, bytes.len));
        pg_put_span(a, data, bytes);
    }
}

void pg_run_send(struct pg_run *run, struct pg_conn *c, struct pg_docs *docs)
{
    struct pg_args a = { 0 };

    number(run, docs);
    put_docs(run, docs, &a);
    put_rows(run, &a);
    pg_send(c, PG_APPEND, &a);
}

/* ---- the answer ---- */

void pg_run_take(struct pg_run *run, struct pg_conn *c)
{
    struct place { bool exists, deleted; uint64_t base; } *places;
    PGresult *r = pg_take(c);

    if (r == NULL)
        return;
    places = um_xcalloc(run->n_docs + 1, sizeof(*places));
    for (int i = 0; i < PQntuples(r); i++) {
        int64_t at = pg_int(r, i, 0);

        if (at >= 1 && at <= (int64_t)run->n_docs)
            places[at] = (struct place){ true, pg_int(r, i, 2) != 0, (uint64_t)pg_int(r, i, 1) };
    }
    PQclear(r);
    for (size_t i = 0; i < run->n; i++) {
        const struct place *p = &places[run->rows[i].place];

        run->ops[i]->err = !p->exists ? UM_ENOTFOUND : p->deleted ? UM_EDENIED : UM_OK;
        run->ops[i]->number = p->base + run->rows[i].nth;
    }
    free(places);
}

void pg_run_free(struct pg_run *run)
{
    free(run->rows);
    run->rows = NULL;
}
