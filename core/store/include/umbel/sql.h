/* SQL for the modules of the core: what a unit of work (store_work.h) does with its database, the same on both.
 *
 * A statement is a text and its values. The text is SELECT, INSERT, UPDATE, DELETE or WITH, in the words that SQLite 3.40 and
 * PostgreSQL 13 share, with ?1 ?2 ... where the values go. It holds no quotes, no comment and no semicolon, not even around a
 * constant: constant words are values too. So no value can end up in a text, nor a second statement behind it. Where the words
 * must differ, um_sql_is_postgres says which are wanted. Texts compare by their bytes; moments are milliseconds, truths 0 and 1;
 * what is computed is cast: CAST(sum(n) AS BIGINT).
 *
 * Each call is one round trip. Statements are prepared once per connection and kept, by their text: a text is better the same
 * for all lengths of a list.
 *
 * Errors
 *   UM_EINVAL     a text or a value is refused, the database does not understand it, or a column may not be so (NOT NULL, CHECK)
 *   UM_EEXIST     a key is taken
 *   UM_ECONFLICT  a foreign key; or other transactions are in the way: then the unit is run again, whatever it returns
 *   UM_ELIMIT     a limit below
 *   UM_EDENIED    the table is no module's, or an inspection wants to change something
 *   UM_ETIMEOUT   the unit has taken too long
 *   UM_EUNAVAIL, UM_EIO, UM_ENOMEM, UM_ECORRUPT   the database
 * The first of them ends the unit: all later calls answer the same, and nothing of the unit stays, whatever it returns. To go on
 * when a row is there already: ON CONFLICT. UM_ENOTFOUND of um_sql_one and what callbacks return are not among them. */
#ifndef UMBEL_SQL_H
#define UMBEL_SQL_H
#include <string.h>
#include <umbel/bytes.h>

struct um_sql;                        /* a connection inside a unit of work; borrowed, on its thread */

enum {
    UM_SQL_TEXT_MAX = 16 << 10,       /* bytes of a statement */
    UM_SQL_ARGS_MAX = 1000,           /* values of a statement */
    UM_SQL_COLUMNS_MAX = 100,         /* of a row */
    UM_SQL_VALUE_MAX = 16 << 20,      /* bytes of a value given */
    UM_SQL_UNIT_BYTES = 64 << 20,     /* values given and rows read, in one run of a unit */
};

/* ---- values ---- */

enum um_sql_type { UM_SQL_TYPE_INT, UM_SQL_TYPE_REAL, UM_SQL_TYPE_TEXT, UM_SQL_TYPE_BYTES };
struct um_sql_value {
    enum um_sql_type type;            /* of a NULL that was read it means nothing */
    bool is_null;
    union {
        int64_t number;
        double real;                  /* a number, and finite */
        struct um_span span;          /* text: UTF-8 without a NUL; borrowed */
    };
};
#define UM_SQL_INT(v)   ((struct um_sql_value){ .type = UM_SQL_TYPE_INT, .number = (v) })
#define UM_SQL_REAL(v)  ((struct um_sql_value){ .type = UM_SQL_TYPE_REAL, .real = (v) })
#define UM_SQL_TEXT(s)  ((struct um_sql_value){ .type = UM_SQL_TYPE_TEXT, .span = (s) })
#define UM_SQL_BYTES(s) ((struct um_sql_value){ .type = UM_SQL_TYPE_BYTES, .span = (s) })
#define UM_SQL_NULL(t)  ((struct um_sql_value){ .type = UM_SQL_TYPE_##t, .is_null = true })     /* UM_SQL_NULL(INT) */
static inline struct um_sql_value um_sql_word(const char *s)                                    /* NULL is NULL */
{
    return s != NULL ? UM_SQL_TEXT(UM_SPAN_STR(s)) : UM_SQL_NULL(TEXT);
}

/* The values of a call: UM_SQL_ARGS(um_sql_word(id), UM_SQL_INT(version)), or UM_SQL_NO_ARGS. */
#define UM_SQL_ARGS(...) \
    (const struct um_sql_value[]){ __VA_ARGS__ }, \
    sizeof((const struct um_sql_value[]){ __VA_ARGS__ }) / sizeof(struct um_sql_value)
#define UM_SQL_NO_ARGS NULL, 0

struct um_sql_row { const struct um_sql_value *columns; size_t n; };        /* texts have a NUL behind them */
int64_t um_sql_int(const struct um_sql_row *row, size_t column);            /* of NULL, or another type: 0, 0.0, "", no bytes */
double um_sql_real(const struct um_sql_row *row, size_t column);
const char *um_sql_text(const struct um_sql_row *row, size_t column);
struct um_span um_sql_span(const struct um_sql_row *row, size_t column);    /* of a text or bytes */
bool um_sql_is_null(const struct um_sql_row *row, size_t column);

/* ---- statements ---- */

/* Runs it; rows are passed over. CHANGED (may be NULL): how many rows were inserted, changed or removed. */
UM_CHECK_RESULT um_err um_sql_exec(struct um_sql *q, const char *text, const struct um_sql_value *args, size_t n,
                                   int64_t *changed);
/* CB for each row, which is borrowed until CB returns; no call on Q inside. What CB returns other than UM_OK ends the rows and
 * is the answer. PostgreSQL sends the others all the same: a LIMIT is better. */
typedef um_err um_sql_row_cb(void *arg, const struct um_sql_row *row);
UM_CHECK_RESULT um_err um_sql_each(struct um_sql *q, const char *text, const struct um_sql_value *args, size_t n,
                                   um_sql_row_cb *cb, void *arg);
/* The first row, borrowed until the next call on Q; UM_ENOTFOUND: there is none. */
UM_CHECK_RESULT um_err um_sql_one(struct um_sql *q, const char *text, const struct um_sql_value *args, size_t n,
                                  struct um_sql_row *row);

bool um_sql_is_postgres(const struct um_sql *q);
/* The moment of the unit by the database's clock, since 1970 UTC; the same throughout a run. 0 when the unit has ended by an error. */
int64_t um_sql_now_ms(struct um_sql *q);

/* ---- a statement in parts, for questions whose shape comes from outside ---- */

/* Zero-initialise it. Only constant words, names that are letters, digits, _ and . alone, and values get in. What is wrong with
 * a part is told by the call that runs it. */
struct um_sql_parts {
    struct um_buf text;
    struct um_sql_value *args;        /* what they point to is borrowed until the call */
    size_t n, cap;
    um_err err;
};
#define um_sql_add(p, words) um_sql_add_words((p), "" words "")      /* a literal */
void um_sql_add_words(struct um_sql_parts *p, const char *words);
void um_sql_add_name(struct um_sql_parts *p, const char *name);
void um_sql_add_value(struct um_sql_parts *p, struct um_sql_value v);       /* adds ?N */
void um_sql_parts_free(struct um_sql_parts *p);                      /* leaves it zeroed */
UM_CHECK_RESULT um_err um_sql_each_of(struct um_sql *q, struct um_sql_parts *p, um_sql_row_cb *cb, void *arg);
UM_CHECK_RESULT um_err um_sql_exec_of(struct um_sql *q, struct um_sql_parts *p, int64_t *changed);

#endif
