/* bench_store_units URL [SECONDS [CORES]]: units of work and inspections per second of a store, which gets rows of its own.
 *
 * A unit is what a change of a component costs at least: two questions, a change that expects a version, a new row, a cache that
 * is raised. An inspection asks the two questions. One at a time: the next is asked for when the last was answered; then with
 * 64 on their way. CORES stores on one database, each with units on rows of its own (but the cache is everybody's), or, in the
 * last line, all on the same row. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/sql_shared.h>
#include <umbel/store_work.h>
#include <umbel/util.h>

enum { MANY = 64, CORES_MAX = 4, TURN_MS = 20 };

struct core { struct um_store *st; struct bench *bench; int number; char row[32]; };
struct bench {
    struct um_loop *loop;
    struct core cores[CORES_MAX];
    int n_cores;
    bool writes, contended;
    int64_t until_us;
    int64_t done, failed, open, n_rows;
};
struct job { struct core *core; int64_t n; };

static const char *row_of(const struct core *c) { return c->bench->contended ? "bench" : c->row; }

static um_err ask(struct um_sql *q, const char *id, int64_t *version)
{
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT version, body FROM scopes WHERE id = ?1", UM_SQL_ARGS(um_sql_word(id)), &row);

    if (err == UM_OK)
        *version = um_sql_int(&row, 0);
    return err;
}

static um_err look(void *arg, struct um_sql *q)
{
    const struct job *j = arg;
    int64_t version = 0;
    um_err err = ask(q, row_of(j->core), &version);

    return err == UM_OK ? ask(q, j->core->row, &version) : err;
}

static um_err put(struct um_sql *q, const char *id)
{
    return um_sql_exec(q, "INSERT INTO scopes(id, version, body, created_ms, updated_ms) VALUES(?1, 1, ?2, ?3, ?3)"
                       " ON CONFLICT (id) DO NOTHING",
                       UM_SQL_ARGS(um_sql_word(id), um_sql_word("{\"a\":\"body of some hundred bytes\"}"), UM_SQL_INT(0)), NULL);
}

static um_err change(void *arg, struct um_sql *q)
{
    const struct job *j = arg;
    const char *row = row_of(j->core);
    int64_t version = 0, other = 0, changed = 0;
    char id[64];
    um_err err;

    snprintf(id, sizeof(id), "bench-%d-%lld", j->core->number, (long long)j->n);
    if ((err = ask(q, row, &version)) != UM_OK || (err = ask(q, j->core->row, &other)) != UM_OK ||
        (err = um_sql_exec(q, "UPDATE scopes SET version = version + 1 WHERE id = ?1 AND version = ?2",
                           UM_SQL_ARGS(um_sql_word(row), UM_SQL_INT(version)), &changed)) != UM_OK)
        return err;
    if (changed != 1)
        return UM_ECONFLICT;
    if ((err = put(q, id)) != UM_OK)
        return err;
    return um_sql_raise_cache(q, "bench", j->core->bench->contended ? "all" : row, NULL);
}

static um_err prepare(void *arg, struct um_sql *q)
{
    const struct core *c = arg;
    um_err err = um_sql_exec(q, "DELETE FROM scopes WHERE id >= ?1 AND id < ?2",
                             UM_SQL_ARGS(um_sql_word("bench"), um_sql_word("benci")), NULL);

    for (int i = 0; i < c->bench->n_cores && err == UM_OK; i++)
        err = put(q, c->bench->cores[i].row);
    return err == UM_OK ? put(q, "bench") : err;
}

static void start(struct core *c);

static void done(void *arg, um_err err)
{
    struct job *j = arg;
    struct bench *b = j->core->bench;

    b->open--;
    b->done += err == UM_OK;
    b->failed += err != UM_OK;
    if (um_now_us() < b->until_us)
        start(j->core);
    free(j);
}

static void start(struct core *c)
{
    struct bench *b = c->bench;
    struct job *j = um_xcalloc(1, sizeof(*j));

    *j = (struct job){ c, b->n_rows++ };
    b->open++;
    if (b->writes)
        um_store_transact(c->st, b->loop, change, done, j);
    else
        um_store_inspect(c->st, b->loop, look, done, j);
}

static void prepared(void *arg, um_err err)
{
    struct core *c = arg;

    c->bench->open--;
    c->bench->failed += err != UM_OK;
}

static void measure(struct bench *b, const char *what, int together, int64_t seconds)
{
    int64_t began_us = um_now_us();

    b->done = b->failed = 0;
    b->until_us = began_us + seconds * 1000000;
    for (int i = 0; i < b->n_cores; i++)
        for (int k = 0; k < together; k++)
            start(&b->cores[i]);
    while (b->open > 0)
        um_loop_turn(b->loop, TURN_MS);
    printf("%-22s %2d at a time: %8.0f/s  %6lld given up\n", what, together,
           (double)b->done * 1e6 / (double)(um_now_us() - began_us), (long long)b->failed);
}

static bool open_all(struct bench *b, const char *url)
{
    struct um_store_conf cf = { .url = url, .commit_delay_ms = 5, .commit_rows = 1024 };
    char why[256];

    for (int i = 0; i < b->n_cores; i++) {
        struct core *c = &b->cores[i];

        c->bench = b;
        c->number = i;
        snprintf(c->row, sizeof(c->row), "bench%d", i);
        if (um_store_open(&c->st, &cf, why) != UM_OK) {
            fprintf(stderr, "%s\n", why);
            return false;
        }
    }
    b->open = 1;
    um_store_transact(b->cores[0].st, b->loop, prepare, prepared, &b->cores[0]);
    while (b->open > 0)
        um_loop_turn(b->loop, TURN_MS);
    return b->failed == 0;
}

int main(int argc, char **argv)
{
    struct bench b = { .loop = um_loop_new(0), .n_cores = argc > 3 ? UM_MIN(UM_MAX(atoi(argv[3]), 1), CORES_MAX) : 1 };
    int64_t seconds = argc > 2 ? atoi(argv[2]) : 3;

    if (argc < 2) {
        fprintf(stderr, "usage: bench_store_units URL [SECONDS [CORES]]\n");
        return 2;
    }
    if (open_all(&b, argv[1])) {
        measure(&b, "inspections", 1, seconds);
        measure(&b, "inspections", MANY, seconds);
        b.writes = true;
        measure(&b, "units", 1, seconds);
        measure(&b, "units", MANY, seconds);
        b.contended = true;
        measure(&b, "units on one row", MANY, seconds);
    }
    for (int i = 0; i < b.n_cores; i++)
        um_store_close(b.cores[i].st);
    um_loop_turn(b.loop, 0);
    um_loop_free(b.loop);
    return 0;
}
