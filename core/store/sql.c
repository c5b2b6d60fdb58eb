/* What every unit may ask of its database, whichever that is: checks, limits, and the error that ends a unit.
 *
 * 1. The first error of a statement is kept; from then on nothing reaches the driver.
 * 2. Sizes are counted before a value is given to the driver, and before a row is given to the callback. */
#include <math.h>
#include <stdlib.h>
#include <umbel/util.h>
#include "unit.h"

/* ---- a run ---- */

void store_sql_begin(struct um_sql *q, const struct store_sql_driver *driver, bool writes, int64_t ms)
{
    *q = (struct um_sql){ .driver = driver, .writes = writes, .until_ms = um_now_ms() + ms };
}

um_err store_sql_end(struct um_sql *q, um_err err)
{
    um_buf_free(&q->one_bytes);
    return err == UM_OK ? q->err : err;
}

bool store_sql_is_late(const struct um_sql *q) { return um_now_ms() > q->until_ms; }

bool um_sql_is_postgres(const struct um_sql *q) { return q->driver->is_postgres; }

int64_t um_sql_now_ms(struct um_sql *q) { return q->err == UM_OK ? q->driver->now_ms(q) : 0; }

/* ---- checks ---- */

static um_err check_value(const struct um_sql_value *v)
{
    bool has_bytes = v->type == UM_SQL_TYPE_TEXT || v->type == UM_SQL_TYPE_BYTES;

    if (v->is_null)
        return UM_OK;
    if (v->type == UM_SQL_TYPE_REAL)
        return isfinite(v->real) ? UM_OK : UM_EINVAL;
    if (has_bytes && v->span.len > UM_SQL_VALUE_MAX)
        return UM_ELIMIT;
    if (v->type != UM_SQL_TYPE_TEXT || v->span.len == 0)
        return UM_OK;
    return memchr(v->span.data, 0, v->span.len) == NULL && um_utf8_is_valid(v->span.data, v->span.len) ? UM_OK : UM_EINVAL;
}

static int64_t bytes_of(const struct um_sql_value *v, size_t n)
{
    int64_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        if (!v[i].is_null)
            bytes += v[i].type == UM_SQL_TYPE_TEXT || v[i].type == UM_SQL_TYPE_BYTES ? (int64_t)v[i].span.len : 8;
    return bytes;
}

static um_err spend(struct um_sql *q, int64_t bytes)
{
    q->bytes += bytes;
    return q->bytes <= UM_SQL_UNIT_BYTES ? UM_OK : UM_ELIMIT;
}

static um_err check_call(struct um_sql *q, const struct store_sql_call *call)
{
    um_err err = UM_OK;

    if (q->in_row)
        return UM_EINVAL;
    if (call->n_args > UM_SQL_ARGS_MAX || strnlen(call->text, UM_SQL_TEXT_MAX + 1) > UM_SQL_TEXT_MAX)
        return UM_ELIMIT;
    for (size_t i = 0; i < call->n_args && err == UM_OK; i++)
        err = check_value(&call->args[i]);
    if (err == UM_OK)
        err = spend(q, bytes_of(call->args, call->n_args));
    return err == UM_OK && store_sql_is_late(q) ? UM_ETIMEOUT : err;
}

/* ---- running ---- */

bool store_sql_row(struct um_sql *q, struct store_sql_call *call, const struct um_sql_value *columns, size_t n)
{
    struct um_sql_row row = { columns, n };

    if (call->cb == NULL || call->said != UM_OK)
        return false;
    call->said = spend(q, bytes_of(columns, n));
    call->too_much = call->said != UM_OK;
    if (!call->too_much) {
        q->in_row = true;
        call->said = call->cb(call->arg, &row);
        q->in_row = false;
    }
    return call->said == UM_OK;
}

static um_err run(struct um_sql *q, struct store_sql_call *call)
{
    um_err err = q->err != UM_OK ? q->err : check_call(q, call);

    call->ours = q->ours;
    if (err == UM_OK)
        err = q->driver->run(q, call);
    if (err == UM_OK && call->too_much)
        err = call->said;
    if (err == UM_OK)
        return q->err != UM_OK ? q->err : call->said;    /* a call inside the callback has ended the unit */
    q->err = q->err == UM_OK ? err : q->err;
    return err;
}

um_err um_sql_exec(struct um_sql *q, const char *text, const struct um_sql_value *args, size_t n, int64_t *changed)
{
    struct store_sql_call call = { .text = text, .args = args, .n_args = n };
    um_err err = run(q, &call);

    if (err == UM_OK && changed != NULL)
        *changed = call.changed;
    return err;
}

um_err um_sql_each(struct um_sql *q, const char *text, const struct um_sql_value *args, size_t n, um_sql_row_cb *cb, void *arg)
{
    struct store_sql_call call = { .text = text, .args = args, .n_args = n, .cb = cb, .arg = arg };

    return run(q, &call);
}

/* ---- one row ---- */

struct first { struct um_sql *q; size_t n; bool found; };

static um_err keep_first(void *arg, const struct um_sql_row *row)
{
    struct first *f = arg;
    struct um_buf *b = &f->q->one_bytes;

    um_buf_clear(b);
    for (size_t i = 0; i < row->n; i++)
        if (row->columns[i].type >= UM_SQL_TYPE_TEXT && !row->columns[i].is_null) {
            um_buf_put(b, row->columns[i].span.data, row->columns[i].span.len);
            um_buf_put_u8(b, 0);
        }
    f->n = row->n;
    memcpy(f->q->one, row->columns, row->n * sizeof(*row->columns));
    f->found = !b->failed;
    return b->failed ? UM_ENOMEM : UM_EEXIST;            /* either ends the rows */
}

/* The buffer does not move any more. */
static void point_into_buffer(struct um_sql *q, size_t n)
{
    const uint8_t *at = q->one_bytes.data;

    for (size_t i = 0; i < n; i++)
        if (q->one[i].type >= UM_SQL_TYPE_TEXT && !q->one[i].is_null) {
            q->one[i].span.data = at;
            at += q->one[i].span.len + 1;
        }
}

um_err um_sql_one(struct um_sql *q, const char *text, const struct um_sql_value *args, size_t n, struct um_sql_row *row)
{
    struct first f = { .q = q };
    um_err err = um_sql_each(q, text, args, n, keep_first, &f);

    *row = (struct um_sql_row){ q->one, 0 };
    if (q->err != UM_OK || (err != UM_OK && !f.found))
        return err;
    if (!f.found)
        return UM_ENOTFOUND;
    point_into_buffer(q, f.n);
    row->n = f.n;
    return UM_OK;
}

/* ---- columns ---- */

static const struct um_sql_value *value_at(const struct um_sql_row *row, size_t column, enum um_sql_type type)
{
    static const struct um_sql_value nothing = { .is_null = true };

    UM_ASSERT(column < row->n);
    return !row->columns[column].is_null && row->columns[column].type == type ? &row->columns[column] : &nothing;
}

bool um_sql_is_null(const struct um_sql_row *row, size_t column)
{
    UM_ASSERT(column < row->n);
    return row->columns[column].is_null;
}

int64_t um_sql_int(const struct um_sql_row *row, size_t column) { return value_at(row, column, UM_SQL_TYPE_INT)->number; }
double um_sql_real(const struct um_sql_row *row, size_t column) { return value_at(row, column, UM_SQL_TYPE_REAL)->real; }

const char *um_sql_text(const struct um_sql_row *row, size_t column)
{
    const struct um_sql_value *v = value_at(row, column, UM_SQL_TYPE_TEXT);

    return v->is_null ? "" : (const char *)v->span.data;
}

struct um_span um_sql_span(const struct um_sql_row *row, size_t column)
{
    const struct um_sql_value *v = value_at(row, column, UM_SQL_TYPE_TEXT);

    return v->is_null ? value_at(row, column, UM_SQL_TYPE_BYTES)->span : v->span;
}

/* ---- statements in parts ---- */

static void note(struct um_sql_parts *p, um_err err) { p->err = p->err == UM_OK ? err : p->err; }

void um_sql_add_words(struct um_sql_parts *p, const char *words)
{
    if (p->text.len + strlen(words) > UM_SQL_TEXT_MAX)
        note(p, UM_ELIMIT);
    else
        um_buf_puts(&p->text, words);
}

void um_sql_add_name(struct um_sql_parts *p, const char *name)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.";

    if (name[0] == '\0' || name[strspn(name, allowed)] != '\0')
        note(p, UM_EINVAL);
    else
        um_sql_add_words(p, name);
}

void um_sql_add_value(struct um_sql_parts *p, struct um_sql_value v)
{
    if (p->n == UM_SQL_ARGS_MAX) {
        note(p, UM_ELIMIT);
        return;
    }
    if (p->n == p->cap) {
        p->cap = p->cap == 0 ? 16 : p->cap * 2;
        p->args = um_xrealloc(p->args, p->cap * sizeof(*p->args));
    }
    p->args[p->n++] = v;
    um_buf_printf(&p->text, "?%zu", p->n);
}

void um_sql_parts_free(struct um_sql_parts *p)
{
    um_buf_free(&p->text);
    free(p->args);
    *p = (struct um_sql_parts){ 0 };
}

static um_err run_parts(struct um_sql *q, struct um_sql_parts *p, struct store_sql_call call, int64_t *changed)
{
    um_err err;

    note(p, p->text.failed ? UM_ENOMEM : UM_OK);
    if (p->err != UM_OK) {
        q->err = q->err == UM_OK ? p->err : q->err;
        return q->err;
    }
    call.text = um_buf_cstr(&p->text);
    call.args = p->args;
    call.n_args = p->n;
    err = run(q, &call);
    if (err == UM_OK && changed != NULL)
        *changed = call.changed;
    return err;
}

um_err um_sql_each_of(struct um_sql *q, struct um_sql_parts *p, um_sql_row_cb *cb, void *arg)
{
    return run_parts(q, p, (struct store_sql_call){ .cb = cb, .arg = arg }, NULL);
}

um_err um_sql_exec_of(struct um_sql *q, struct um_sql_parts *p, int64_t *changed)
{
    return run_parts(q, p, (struct store_sql_call){ 0 }, changed);
}
