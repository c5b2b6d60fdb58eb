/* The table of functions that the store calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/util.h>
#include "pg_internal.h"

#define START_PAUSE_US 100000

static void close_store(void *self)
{
    struct pg_store *st = self;

    if (st == NULL)
        return;
    pg_close(&st->conn);
    pg_target_free(&st->target);
    free(st->trims);
    free(st);
}

/* Is it only away? A server that says no will say no again. */
static bool may_pass(const char *why)
{
    static const char *const passing[] = { "starting up", "shutting down", "recovery", "too many" };

    for (size_t i = 0; i < UM_COUNT(passing); i++)
        if (strstr(why, passing[i]) != NULL)
            return true;
    return strstr(why, "FATAL") == NULL;
}

static um_err ready_at_start(const struct pg_store *st, struct pg_conn *c, char why[256])
{
    int64_t until_ms = um_now_ms() + st->conf->start_timeout_ms;
    um_err err;

    while ((err = pg_ready(c)) == UM_EUNAVAIL && may_pass(c->why) && um_now_ms() < until_ms)
        usleep(START_PAUSE_US);
    if (err != UM_OK)
        snprintf(why, 256, "cannot use PostgreSQL at %.60s: %.160s", st->target.shown, c->why);
    return err;
}

static um_err prepare_schema(struct pg_store *st, char why[256])
{
    struct pg_conn c;
    um_err err;

    pg_init(&c, &st->target, st->conf, PG_SCHEMA);
    err = ready_at_start(st, &c, why);
    if (err == UM_OK)
        err = pg_migrate(&c, why);
    pg_close(&c);
    return err;
}

static um_err open_store(void **self, const struct um_store_conf *cf, const char *location, char why[256])
{
    struct pg_store *st = um_xcalloc(1, sizeof(*st));
    um_err err;

    st->conf = cf;
    if ((err = pg_target_parse(&st->target, location, cf, why)) == UM_OK && (err = prepare_schema(st, why)) == UM_OK) {
        pg_init(&st->conn, &st->target, cf, PG_WRITER);
        err = ready_at_start(st, &st->conn, why);
    }
    if (err == UM_OK) {
        *self = st;
        st = NULL;
    }
    close_store(st);
    return err;
}

static um_err open_reader(void *self, void **reader)
{
    struct pg_reader *r = um_xcalloc(1, sizeof(*r));

    r->st = self;
    pg_init(&r->conn, &r->st->target, r->st->conf, PG_READER);
    *reader = r;
    return UM_OK;                                /* connects at its first call, and again after an error */
}

static void close_reader(void *reader)
{
    struct pg_reader *r = reader;

    pg_close(&r->conn);
    free(r);
}

static const char *describe(const void *self) { return ((const struct pg_store *)self)->target.shown; }

const struct um_store_driver store_postgres = {
    .name = "postgresql", .is_shared = true, .readers = STORE_READERS_BY_CONF, .open = open_store, .close = close_store,
    .write = pg_write,
    .has_backlog = pg_has_backlog, .reader_open = open_reader, .reader_close = close_reader, .read = pg_read,
    .units_open = pg_units_open, .units_close = pg_units_close, .units_write = pg_units_write,
    .describe = describe,
};
