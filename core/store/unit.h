/* A unit of work, as the drivers see it. sql.c checks and counts what a unit asks for; a driver runs it. */
#ifndef STORE_UNIT_H
#define STORE_UNIT_H
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/store_work.h>

struct store_sql_call {
    const char *text;
    const struct um_sql_value *args;
    size_t n_args;
    bool ours;                       /* the store's own: may change shared tables */
    um_sql_row_cb *cb;               /* NULL: rows are of no interest */
    void *arg;
    int64_t changed;                 /* set by the driver */
    um_err said;                     /* by the callback, or of a row; not UM_OK: no more rows */
    bool too_much;                   /* SAID is the unit's end: a limit */
};

struct store_sql_driver {
    bool is_postgres;
    /* The error of the statement; rows go through store_sql_row. */
    um_err (*run)(struct um_sql *q, struct store_sql_call *call);
    int64_t (*now_ms)(struct um_sql *q);
};

struct um_sql {
    const struct store_sql_driver *driver;
    bool writes;                     /* a unit, not an inspection */
    bool ours;                       /* for the calls of the store's own statements */
    bool documents;                  /* it has touched documents: whoever remembers any forgets them */
    bool in_row;                     /* a callback runs */
    um_err err;                      /* of the statement that ended the unit */
    int64_t until_ms;                /* monotonic */
    int64_t bytes;                   /* given and read so far */
    struct um_sql_value one[UM_SQL_COLUMNS_MAX];     /* the row of um_sql_one, its bytes */
    struct um_buf one_bytes;
};

/* A run of a unit begins and ends. The end: what DONE is to hear when WORK has returned ERR. */
void store_sql_begin(struct um_sql *q, const struct store_sql_driver *driver, bool writes, int64_t ms);
um_err store_sql_end(struct um_sql *q, um_err err);
/* Hands a row to the callback; false: no more of them. */
bool store_sql_row(struct um_sql *q, struct store_sql_call *call, const struct um_sql_value *columns, size_t n);
bool store_sql_is_late(const struct um_sql *q);

/* ---- the prepared statements of a connection, by text and types of the values ---- */

enum { STORE_STATEMENTS_MAX = 256 };         /* beyond it the one that was used longest ago goes */

struct store_statement {
    struct um_list by_use;
    uint64_t number;                 /* never used again on this connection */
    void *prepared;                  /* the driver's; NULL: not yet */
    size_t key_len;
    char key[];                      /* a letter per value, NUL, the text, NUL */
};
struct store_statements { struct um_map by_key; struct um_list by_use; size_t n; uint64_t last; };

void store_statements_init(struct store_statements *ss);
/* What CALL needs, from now on the one used last. NULL: *ERR says what is wrong with the text. */
struct store_statement *store_statements_get(struct store_statements *ss, const struct store_sql_call *call, um_err *err);
/* The one to be dropped for the others' sake, or NULL; the driver lets go of it and drops it. */
struct store_statement *store_statements_surplus(struct store_statements *ss);
void store_statements_drop(struct store_statements *ss, struct store_statement *s);
static inline const char *store_statement_text(const struct store_statement *s) { return s->key + strlen(s->key) + 1; }
static inline const char *store_statement_types(const struct store_statement *s) { return s->key; }

/* May this be the text of a statement with N values? (sql.h) */
bool store_sql_is_sound(const char *text, size_t n);
/* Are all tables that a sound text changes modules'? The others have keepers: SQLite's writer remembers documents, and the
 * shared tables have rules. */
bool store_sql_is_ours_to_change(const char *text);

#endif
