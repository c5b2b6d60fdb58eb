/* Statements of modules in PostgreSQL: ?1 becomes $1, values and columns are binary. The types of the values are given when a
 * statement is prepared, so that none has to be guessed. One round trip each; a statement that is new is prepared in the same. */
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "pg_internal.h"

enum { NAME_SIZE = 32 };                         /* of a prepared statement's name */
enum { OID_BOOL = 16, OID_BYTEA = 17, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25,
       OID_FLOAT4 = 700, OID_FLOAT8 = 701, OID_BPCHAR = 1042, OID_VARCHAR = 1043 };

/* ---- errors ---- */

/* The longest row that SQLSTATE begins with counts; without one conn.c's word stands. AGAIN: when the transaction is made once
 * more it may not happen. IS_OF_TEXT: its words are for the log, and quote no value. */
static const struct meaning { const char *state; um_err err; bool again, is_of_text; } meanings[] = {
    { "0A", UM_EINVAL, false, true },            /* not supported */
    { "21", UM_EINVAL, false, true },
    { "22", UM_EINVAL, false, false },           /* data */
    { "23", UM_EINVAL, false, false },           /* constraints: NOT NULL, CHECK, */
    { "23503", UM_ECONFLICT, false, false },     /* foreign key, */
    { "23505", UM_EEXIST, false, false },        /* unique */
    { "25006", UM_EDENIED, false, true },        /* read-only */
    { "40", UM_ECONFLICT, true, false },         /* serialization, deadlock */
    { "42", UM_EINVAL, false, true },            /* syntax, names, types */
    { "54", UM_ELIMIT, false, false },
    { "55P03", UM_ECONFLICT, true, false },      /* a lock that was not to be had */
    { "57014", UM_ETIMEOUT, false, true },
};

static const struct meaning *meaning_of(const char *state)
{
    const struct meaning *best = NULL;

    for (size_t i = 0; i < UM_COUNT(meanings); i++) {
        size_t n = strlen(meanings[i].state);

        if (strncmp(state, meanings[i].state, n) == 0 && (best == NULL || n > strlen(best->state)))
            best = &meanings[i];
    }
    return best;
}

static um_err judge(struct pg_conn *c, const char *text)
{
    const struct meaning *m = c->err != UM_OK && c->db != NULL ? meaning_of(c->state) : NULL;
    um_err err = m != NULL ? m->err : c->err;

    c->again |= m != NULL && m->again;
    if (m != NULL && m->is_of_text)
        um_log_limited(UM_ERROR, "store", "statement_refused", UM_S("error", c->why), UM_S("statement", text));
    return err;
}

/* ---- what waits ---- */

void pg_sql_wait(struct pg_sql *s, enum pg_id id)
{
    UM_ASSERT(s->n_waiting < PG_WAITING_MAX);
    s->waiting[s->n_waiting++] = id;
}

bool pg_sql_forgo(struct pg_sql *s, enum pg_id id)
{
    if (s->n_waiting == 0 || s->waiting[s->n_waiting - 1] != id)
        return false;
    s->n_waiting--;
    return true;
}

void pg_sql_send_waiting(struct pg_sql *s)
{
    for (int i = 0; i < s->n_waiting; i++)
        pg_send(s->c, s->waiting[i], NULL);
}

void pg_sql_take_waiting(struct pg_sql *s)
{
    for (int i = 0; i < s->n_waiting; i++) {
        PGresult *r = pg_take(s->c);

        if (r != NULL && s->waiting[i] == PG_MOMENT) {
            s->now_ms = pg_int(r, 0, 0);
            s->knows_moment = true;
        }
        PQclear(r);
    }
    s->n_waiting = 0;
}

/* ---- kept statements ---- */

static void drop(struct pg_conn *c, struct store_statement *s) { store_statements_drop(c->units, s); }

void pg_sql_forget(struct pg_conn *c)
{
    if (c->units == NULL)
        return;
    while (!um_list_is_empty(&c->units->by_use))
        drop(c, UM_CONTAINER(c->units->by_use.next, struct store_statement, by_use));
    um_map_free(&c->units->by_key);
    free(c->units);
    c->units = NULL;
}

static void name_of(const struct store_statement *s, char out[NAME_SIZE])
{
    snprintf(out, NAME_SIZE, "um_q%llu", (unsigned long long)s->number);
}

/* Sends what lets the server forget a statement, when there are too many; true: an answer will come. */
static bool send_surplus(struct pg_conn *c)
{
    struct store_statement *s = c->units != NULL ? store_statements_surplus(c->units) : NULL;
    char name[NAME_SIZE], text[NAME_SIZE + 16];

    if (s == NULL)
        return false;
    name_of(s, name);
    snprintf(text, sizeof(text), "DEALLOCATE %s", name);
    drop(c, s);
    pg_send_text(c, text);
    return true;
}

static void send_prepare(struct pg_conn *c, const char *text, const char *name, const struct pg_values *v)
{
    char *own = um_xstrdup(text);

    for (char *p = own; *p != '\0'; p++)
        *p = *p == '?' ? '$' : *p;
    pg_send_prepare(c, name, own, v);
    free(own);
}

/* ---- values ---- */

struct values { struct pg_values v; uint64_t *numbers; void *block; };

static uint64_t wire_real(double d)
{
    uint64_t bits;

    memcpy(&bits, &d, sizeof(bits));
    return htobe64(bits);
}

static void put_value(struct values *all, int i, const struct um_sql_value *v)
{
    static const Oid types[] = { [UM_SQL_TYPE_INT] = OID_INT8, [UM_SQL_TYPE_REAL] = OID_FLOAT8, [UM_SQL_TYPE_TEXT] = OID_TEXT,
                                 [UM_SQL_TYPE_BYTES] = OID_BYTEA };
    bool is_number = v->type == UM_SQL_TYPE_INT || v->type == UM_SQL_TYPE_REAL;

    all->v.types[i] = types[v->type];
    all->v.binary[i] = 1;
    all->v.lengths[i] = 0;
    all->v.values[i] = NULL;
    if (v->is_null)
        return;
    all->numbers[i] = !is_number ? 0 : v->type == UM_SQL_TYPE_INT ? htobe64((uint64_t)v->number) : wire_real(v->real);
    all->v.lengths[i] = is_number ? 8 : (int)v->span.len;
    all->v.values[i] = is_number ? (const char *)&all->numbers[i] : v->span.data != NULL ? (const char *)v->span.data : "";
}

/* One block for all of its arrays. */
static struct values put_values(const struct store_sql_call *call)
{
    size_t n = call->n_args;
    struct values all = { .block = um_xcalloc(n + 1, sizeof(uint64_t) + sizeof(char *) + 2 * sizeof(int) + sizeof(Oid)) };

    all.numbers = all.block;
    all.v.n = (int)n;
    all.v.values = (const char **)(all.numbers + n);
    all.v.lengths = (int *)(all.v.values + n);
    all.v.binary = all.v.lengths + n;
    all.v.types = (Oid *)(all.v.binary + n);
    for (size_t i = 0; i < n; i++)
        put_value(&all, (int)i, &call->args[i]);
    return all;
}

static double real_of(const PGresult *r, int row, int column)
{
    uint64_t wide = (uint64_t)pg_int(r, row, column);
    uint32_t narrow = (uint32_t)wide;
    double d;
    float f;

    memcpy(&f, &narrow, sizeof(f));
    memcpy(&d, &wide, sizeof(d));
    return PQgetlength(r, row, column) == 4 ? (double)f : d;
}

/* False: a type that no table of ours has; a CAST makes it one. */
static bool take_column(const PGresult *r, int row, int i, struct um_sql_value *out)
{
    switch (PQftype(r, i)) {
    case OID_BOOL:
    case OID_INT4:
    case OID_INT8:
        *out = UM_SQL_INT(pg_int(r, row, i));
        break;
    case OID_INT2:
        *out = UM_SQL_INT((int16_t)pg_int(r, row, i));
        break;
    case OID_FLOAT4:
    case OID_FLOAT8:
        *out = UM_SQL_REAL(real_of(r, row, i));
        break;
    case OID_TEXT:
    case OID_NAME:
    case OID_BPCHAR:
    case OID_VARCHAR:
        *out = UM_SQL_TEXT(pg_bytes(r, row, i));
        break;
    case OID_BYTEA:
        *out = UM_SQL_BYTES(pg_bytes(r, row, i));
        break;
    default:
        return false;
    }
    out->is_null = PQgetisnull(r, row, i) != 0;
    return true;
}

/* ---- rows ---- */

static um_err give_row(struct pg_sql *s, struct store_sql_call *call, const PGresult *r)
{
    struct um_sql_value columns[UM_SQL_COLUMNS_MAX];
    int n = PQnfields(r);

    if (n > UM_SQL_COLUMNS_MAX)
        return UM_ELIMIT;
    for (int i = 0; i < n; i++)
        if (!take_column(r, 0, i, &columns[i])) {
            um_log_limited(UM_ERROR, "store", "statement_refused", UM_S("error", "a column of a type that must be cast"),
                           UM_S("column", PQfname(r, i)), UM_S("statement", call->text));
            return UM_EINVAL;
        }
    store_sql_row(&s->q, call, columns, (size_t)n);      /* all rows are taken, wanted or not */
    return UM_OK;
}

static um_err take_rows(struct pg_sql *s, struct store_sql_call *call)
{
    um_err err = UM_OK;
    PGresult *r;

    pg_stream(s->c);                             /* row by row: they are not in memory twice, nor all at once */
    while ((r = pg_next_row(s->c)) != NULL) {
        if (err == UM_OK)
            err = give_row(s, call, r);
        PQclear(r);
    }
    return err;
}

static void take_changes(struct pg_sql *s, struct store_sql_call *call)
{
    PGresult *r = pg_take(s->c);

    if (r != NULL && strncmp(PQcmdStatus(r), "SELECT", 6) != 0)
        call->changed = strtoll(PQcmdTuples(r), NULL, 10);
    PQclear(r);
}

/* ---- a statement ---- */

static struct store_statements *statements_of(struct pg_conn *c)
{
    if (c->units == NULL) {
        c->units = um_xmalloc(sizeof(*c->units));
        store_statements_init(c->units);
    }
    return c->units;
}

/* ST goes with the connection, whose end any step may be. */
static um_err exchange(struct pg_sql *s, struct store_sql_call *call, struct store_statement *st)
{
    struct pg_conn *c = s->c;
    struct values all = put_values(call);
    bool is_new = st->prepared == NULL, surplus;
    char name[NAME_SIZE];
    um_err err = UM_OK;

    name_of(st, name);
    pg_begin(c);
    pg_sql_send_waiting(s);
    surplus = send_surplus(c);
    if (is_new)
        send_prepare(c, call->text, name, &all.v);
    pg_send_named(c, name, &all.v);
    pg_sync(c);
    pg_sql_take_waiting(s);
    if (surplus)
        PQclear(pg_take(c));
    if (is_new)
        PQclear(pg_take(c));
    if (c->db != NULL && is_new && c->err == UM_OK)
        st->prepared = c;                        /* the server has it, whatever becomes of its first use */
    if (call->cb != NULL)
        err = take_rows(s, call);
    else
        take_changes(s, call);
    pg_end(c);
    free(all.block);
    if (c->db != NULL && st->prepared == NULL)
        drop(c, st);
    return c->err != UM_OK ? judge(c, call->text) : err;
}

static um_err run(struct um_sql *q, struct store_sql_call *call)
{
    struct pg_sql *s = UM_CONTAINER(q, struct pg_sql, q);
    struct store_statement *st;
    um_err err;

    if (s->c->db == NULL)
        return UM_EUNAVAIL;
    st = store_statements_get(statements_of(s->c), call, &err);
    return st != NULL ? exchange(s, call, st) : err;
}

/* Where it is not known yet, the transaction is opened to know it. */
static int64_t now_of(struct um_sql *q)
{
    struct pg_sql *s = UM_CONTAINER(q, struct pg_sql, q);

    if (!s->knows_moment) {
        pg_begin(s->c);
        pg_sql_send_waiting(s);
        pg_sync(s->c);
        pg_sql_take_waiting(s);
        if (pg_end(s->c) != UM_OK)
            q->err = judge(s->c, "BEGIN");
    }
    return s->knows_moment ? s->now_ms : 0;
}

const struct store_sql_driver pg_sql_driver = { .is_postgres = true, .run = run, .now_ms = now_of };
