/* What only PostgreSQL can do or suffer: several cores, stock statements, other programs' schemas, servers that die, fall
 * silent, turn others away. One server for the program, a database for each test. */
#include <libpq-fe.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/metrics.h>
#include <umbel/util.h>
#include "modules.h"
#include "pg_server.h"
#include "rig.h"

static struct pg_server server;
static int n_databases;

struct test { struct rig r; char db[24]; };

/* ---- life ---- */

static int start_server(void **state)
{
    (void)state;
    return pg_server_init(&server) && pg_server_start(&server, NULL) ? 0 : -1;
}

static int stop_server(void **state)
{
    (void)state;
    pg_server_free(&server);
    return 0;
}

static void use(struct rig *r, const char *db)
{
    char url[128];

    pg_server_url(&server, db, url, sizeof(url));
    rig_init(r, url);
    r->conf.connections = 1;
    r->conf.connect_timeout_ms = 10000;
}

static int setup(void **state)
{
    struct test *t = um_xcalloc(1, sizeof(*t));
    char sql[64];

    snprintf(t->db, sizeof(t->db), "t%d", ++n_databases);
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", t->db);
    if (!pg_server_ask(&server, "postgres", sql, NULL, 0))
        return -1;
    use(&t->r, t->db);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    struct test *t = *state;

    rig_free(&t->r);
    free(t);
    return 0;
}

static void run(const struct test *t, const char *sql)
{
    if (!pg_server_ask(&server, t->db, sql, NULL, 0))
        fail_msg("%s", sql);
}

/* The first column of the first row. */
static const char *ask(const struct test *t, const char *sql)
{
    static char out[256];

    if (!pg_server_ask(&server, t->db, sql, out, sizeof(out)))
        fail_msg("%s", sql);
    return out;
}

static um_err try_open(struct rig *r, char why[256])
{
    um_err err = um_store_open(&r->st, &r->conf, why);

    um_store_close(r->st);
    r->st = NULL;
    return err;
}

static void wait_for_health(struct rig *r)
{
    for (int i = 0; i < 3000 && !um_store_is_healthy(r->st); i++)
        um_loop_turn(r->loop, 10);
    assert_true(um_store_is_healthy(r->st));
}

/* ---- several cores ---- */

enum { DOCS = 50, ROUNDS = 20, CORES = 2, ALL = ROUNDS * CORES };
struct crowd { struct { bool seen[ALL + 1]; uint64_t last[CORES]; } docs[DOCS]; int calls[CORES]; bool wrong; };
struct one { struct crowd *crowd; int doc, core; };

static void note_seq(void *arg, um_err err, uint64_t seq)
{
    struct one *o = arg;

    o->crowd->calls[o->core]++;
    if (err != UM_OK || seq < 1 || seq > ALL || o->crowd->docs[o->doc].seen[seq] ||
        seq <= o->crowd->docs[o->doc].last[o->core])
        o->crowd->wrong = true;
    else
        o->crowd->docs[o->doc].seen[seq] = true;
    o->crowd->docs[o->doc].last[o->core] = seq;
}

static void two_cores_number_the_same_documents_without_gap_or_loss(void **state)
{
    struct test *t = *state;
    struct rig other, *cores[CORES] = { &t->r, &other };
    struct crowd *crowd = um_xcalloc(1, sizeof(*crowd));
    struct one *ones = um_xcalloc(DOCS * CORES, sizeof(*ones));
    struct um_bytes *b = text_bytes("u");
    struct got got;
    char name[16];

    use(&other, t->db);
    for (int c = 0; c < CORES; c++)
        rig_open(cores[c]);
    for (int k = 0; k < ROUNDS; k++) {
        for (int i = 0; i < DOCS * CORES; i++) {
            int core = i % CORES, doc = core == 0 ? i / CORES : DOCS - 1 - i / CORES;     /* in opposite orders */

            ones[core * DOCS + doc] = (struct one){ crowd, doc, core };
            snprintf(name, sizeof(name), "d%d", doc);
            um_store_append(cores[core]->st, cores[core]->loop, name, b, core == 0 ? "ann" : "bob", note_seq,
                            &ones[core * DOCS + doc]);
        }
        for (int c = 0; c < CORES; c++)
            um_loop_turn(cores[c]->loop, 1);
    }
    um_bytes_unref(b);
    for (int c = 0; c < CORES; c++)
        rig_turn_until(cores[c], &crowd->calls[c], DOCS * ROUNDS);
    assert_false(crowd->wrong);
    for (int i = 0; i < DOCS; i++) {
        snprintf(name, sizeof(name), "d%d", i);
        for (int c = 0; c < CORES; c++) {
            assert_int_equal(rig_load(cores[c], name, &got), UM_OK);
            assert_int_equal(got.n_updates, ALL);
            assert_int_equal(got.last_seq, ALL);
        }
    }
    rig_free(&other);
    free(ones);
    free(crowd);
}

static void one_core_sees_what_another_stored(void **state)
{
    struct test *t = *state;
    struct rig other;
    struct got got;
    static const char *const names[] = { "d" };

    use(&other, t->db);
    rig_open(&t->r);
    rig_open(&other);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    assert_int_equal(rig_append(&other, "d", "b", &got), UM_OK);
    assert_int_equal(got.number, 2);
    assert_int_equal(rig_since(&t->r, "d", 1, &got), UM_OK);
    assert_string_equal(got.updates, "b");
    assert_int_equal(rig_fold(&other, "d", "AB", 2, 0, NULL), UM_OK);
    assert_int_equal(rig_fold(&t->r, "d", "AB", 2, 0, NULL), UM_ECONFLICT);
    assert_int_equal(rig_heads(&t->r, names, 1, &got), UM_OK);
    assert_int_equal(got.heads[0].version, 1);
    assert_int_equal(rig_delete(&other, "d", NULL), UM_OK);
    assert_int_equal(rig_append(&t->r, "d", "c", NULL), UM_EDENIED);
    rig_free(&other);
}

struct order { int calls; um_err errs[16]; };
static void order_number(void *arg, um_err err, uint64_t n)
{
    struct order *o = arg;

    (void)n;
    o->errs[o->calls++] = err;
}
static void order_entry(void *arg, um_err err, const struct um_store_entry *e)
{
    (void)e;
    order_number(arg, err, 0);
}

static void a_transaction_of_many_kinds_keeps_the_order_of_its_calls(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct order o = { 0 };
    struct um_bytes *b = text_bytes("u");
    struct got got;
    static const um_err want[] = { UM_OK, UM_ENOTFOUND, UM_ECONFLICT, UM_OK, UM_EEXIST, UM_OK, UM_OK, UM_OK, UM_EDENIED,
                                   UM_ENOTFOUND, UM_EEXIST };

    r->conf.commit_delay_ms = 300;                /* all of them come while the first waits */
    rig_open(r);
    um_store_delete(r->st, r->loop, "d", "ann", order_entry, &o);
    um_store_set_title(r->st, r->loop, "d", "none", "ann", order_entry, &o);
    um_store_fold(r->st, r->loop, "d", b, 1, 1, order_number, &o);
    um_store_append(r->st, r->loop, "d", b, "ann", order_number, &o);
    um_store_create(r->st, r->loop, "d", "late", "ann", order_entry, &o);
    um_store_set_title(r->st, r->loop, "d", "title", "ann", order_entry, &o);
    um_store_append(r->st, r->loop, "d", b, "bob", order_number, &o);
    um_store_delete(r->st, r->loop, "d", "ann", order_entry, &o);
    um_store_append(r->st, r->loop, "d", b, "ann", order_number, &o);
    um_store_set_title(r->st, r->loop, "d", "none", "ann", order_entry, &o);
    um_store_create(r->st, r->loop, "d", "late", "ann", order_entry, &o);
    um_bytes_unref(b);
    rig_turn_until(r, &o.calls, UM_COUNT(want));
    for (size_t i = 0; i < UM_COUNT(want); i++)
        if (o.errs[i] != want[i])
            fail_msg("call %zu: %s, not %s", i, um_err_text(o.errs[i]), um_err_text(want[i]));
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_true(got.deleted);
    assert_string_equal(ask(t, "SELECT count(*) FROM document_updates"), "0");
}

/* ---- schema ---- */

/* N processes open the store at once; how many of them could. */
static int open_at_once(struct rig *r, int n)
{
    int go[2], good = 0, status;

    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < n; i++)
        if (fork() == 0) {
            char why[256] = "", c;

            close(go[1]);
            if (read(go[0], &c, 1) != 0)         /* all at the same moment: when the pipe ends */
                _exit(99);
            if (try_open(r, why) != UM_OK) {
                fprintf(stderr, "%s\n", why);
                _exit(1);
            }
            _exit(0);
        }
    close(go[0]);
    close(go[1]);
    for (int i = 0; i < n; i++)
        if (wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
            good++;
    return good;
}

static const char downgrade[] =                   /* what a database of schema 1 lacks */
    "DROP TABLE document_snapshots, document_clients, cache_versions, revocations, reservations, audit"
#define TABLE(table, ...) ", " #table
#include "modules/tables.inc"
    STORE_MODULE_DERIVED(TABLE)
#undef TABLE
    ";"
    "DROP FUNCTION component_text_follow;"
    "ALTER TABLE documents DROP COLUMN contributors, DROP COLUMN contributors_seq;"
    "DELETE FROM umbel_schema WHERE version > 1";

/* How many there are; each once, without a gap. */
static int count_versions(const struct test *t)
{
    assert_string_equal(ask(t, "SELECT count(*) = max(version) AND min(version) = 1 FROM umbel_schema"), "t");
    return atoi(ask(t, "SELECT max(version) FROM umbel_schema"));
}

static void ten_cores_that_start_together_migrate_once(void **state)
{
    struct test *t = *state;
    struct got got;

    assert_int_equal(open_at_once(&t->r, 10), 10);
    assert_int_equal(count_versions(t), STORE_SCHEMA);
    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "kept", NULL), UM_OK);
    rig_close(&t->r);
    run(t, downgrade);
    assert_int_equal(open_at_once(&t->r, 10), 10);
    assert_int_equal(count_versions(t), STORE_SCHEMA);
    rig_open(&t->r);
    assert_int_equal(rig_load(&t->r, "d", &got), UM_OK);
    assert_string_equal(got.updates, "kept");
}

static void a_newer_schema_that_does_not_fit_is_refused_with_a_reason(void **state)
{
    struct test *t = *state;
    char why[256];

    rig_open(&t->r);
    rig_close(&t->r);
    run(t, "INSERT INTO umbel_schema(version, compatible_from, applied_at, program) VALUES(99, 98, 0, 'later')");
    assert_int_equal(try_open(&t->r, why), UM_ECONFLICT);
    assert_non_null(strstr(why, "99"));
    assert_non_null(strstr(why, "98"));
}

static void a_program_goes_on_beside_the_next_one(void **state)
{
    struct test *t = *state;
    struct got got;

    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    run(t, "BEGIN; ALTER TABLE documents ADD COLUMN colour text NOT NULL DEFAULT 'red';"
           "ALTER TABLE document_updates ADD COLUMN origin text;"
           "INSERT INTO umbel_schema(version, compatible_from, applied_at, program)"
           " SELECT max(version) + 1, max(version), 0, 'later' FROM umbel_schema; COMMIT");
    assert_int_equal(rig_append(&t->r, "d", "b", NULL), UM_OK);      /* the one that runs */
    assert_int_equal(rig_fold(&t->r, "d", "AB", 2, 0, NULL), UM_OK);
    rig_close(&t->r);
    rig_open(&t->r);                                                    /* and one that starts */
    assert_int_equal(rig_append(&t->r, "e", "c", NULL), UM_OK);
    assert_int_equal(rig_load(&t->r, "d", &got), UM_OK);
    assert_string_equal(got.state, "AB");
}

static void a_program_that_runs_leaves_a_schema_that_stopped_fitting(void **state)
{
    struct test *t = *state;

    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    run(t, "INSERT INTO umbel_schema(version, compatible_from, applied_at, program) VALUES(999, 999, 0, 'later');"
           "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'");
    assert_int_equal(rig_append(&t->r, "d", "b", NULL), UM_EUNAVAIL);
    run(t, "DELETE FROM umbel_schema WHERE version = 999");
    wait_for_health(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "c", NULL), UM_OK);
}

static void a_strange_table_of_that_name_is_left_alone(void **state)
{
    struct test *t = *state;
    char why[256];

    run(t, "CREATE TABLE documents(name text, data bytea, secret text); INSERT INTO documents VALUES('a', 'b', 'c')");
    assert_int_equal(try_open(&t->r, why), UM_EINVAL);
    assert_non_null(strstr(why, "documents"));
    assert_string_equal(ask(t, "SELECT secret FROM documents"), "c");
    assert_string_equal(ask(t, "SELECT to_regclass('umbel_schema') IS NULL"), "t");
}

/* ---- stock statements ---- */

#define STOCK_TABLE "CREATE TABLE documents(name varchar(255) NOT NULL, data bytea NOT NULL, UNIQUE(name))"
#define STOCK_UPSERT(name, data) \
    "INSERT INTO documents(name, data) VALUES('" name "', '" data "') ON CONFLICT(name) DO UPDATE SET data = EXCLUDED.data"

static void a_stock_table_is_adopted_with_its_documents_and_rights(void **state)
{
    struct test *t = *state;
    struct got got;

    run(t, STOCK_TABLE);
    run(t, STOCK_UPSERT("one", "ONE"));
    run(t, STOCK_UPSERT("two", "TWO"));
    run(t, "DROP ROLE IF EXISTS stock");
    run(t, "CREATE ROLE stock LOGIN; GRANT SELECT, INSERT, UPDATE ON documents TO stock");
    rig_open(&t->r);
    assert_int_equal(rig_load(&t->r, "one", &got), UM_OK);
    assert_string_equal(got.state, "ONE");
    assert_int_equal(got.version, 1);
    assert_int_equal(rig_append(&t->r, "two", "+", &got), UM_OK);
    assert_int_equal(got.number, 1);
    assert_int_equal(rig_list(&t->r, NULL, 10, NULL, &got), UM_OK);
    assert_int_equal(got.found, 2);
    assert_string_equal(ask(t, "SELECT has_table_privilege('stock', 'documents', 'UPDATE')"), "t");
    run(t, "DROP OWNED BY stock; DROP ROLE stock");
}

static void a_foreign_write_beside_us_is_the_truth(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct got got;

    rig_open(r);
    rig_append(r, "d", "a", NULL);
    rig_append(r, "d", "b", NULL);
    assert_int_equal(rig_fold(r, "d", "A", 1, 0, NULL), UM_OK);
    assert_string_equal(ask(t, "SELECT convert_from(data, 'UTF8') FROM documents WHERE name = 'd'"), "A");
    run(t, "SET search_path = pg_catalog; " "INSERT INTO public.documents(name, data) VALUES('d', 'FOREIGN')"
           " ON CONFLICT(name) DO UPDATE SET data = EXCLUDED.data");
    assert_int_equal(rig_fold(r, "d", "AB", 2, 1, NULL), UM_ECONFLICT);
    assert_int_equal(rig_load(r, "d", &got), UM_OK);
    assert_string_equal(got.state, "FOREIGN");
    assert_string_equal(got.updates, "b");        /* our log is kept: loading merges both */
    assert_int_equal(got.version, 2);
    assert_int_equal(rig_fold(r, "d", "FOREIGN+B", 2, 2, &got), UM_OK);
    assert_int_equal(got.number, 3);
    run(t, "SET search_path = pg_catalog; INSERT INTO public.documents(name, data) VALUES('new', 'NEW')");
    assert_int_equal(rig_load(r, "new", &got), UM_OK);
    assert_string_equal(got.state, "NEW");
    assert_int_equal(got.version, 1);
    assert_int_equal(rig_append(r, "new", "x", &got), UM_OK);
    assert_int_equal(got.number, 1);
}

static void an_unfolded_document_can_be_read_by_a_stock_server(void **state)
{
    struct test *t = *state;

    rig_open(&t->r);
    rig_append(&t->r, "unfolded", "a", NULL);
    assert_string_equal(ask(t, "SELECT encode(data, 'hex') FROM documents"), "0000");     /* empty bytes would break its load */
}

static void a_row_removed_by_a_foreign_hand_is_not_remembered(void **state)
{
    struct test *t = *state;
    struct got got;

    rig_open(&t->r);
    rig_append(&t->r, "d", "a", NULL);
    run(t, "SET search_path = pg_catalog; DELETE FROM public.documents WHERE name = 'd'");
    assert_string_equal(ask(t, "SELECT (SELECT count(*) FROM document_updates) + (SELECT count(*) FROM document_heads)"), "0");
    assert_int_equal(rig_append(&t->r, "d", "b", &got), UM_OK);
    assert_int_equal(got.number, 1);
    assert_int_equal(rig_load(&t->r, "d", &got), UM_OK);
    assert_string_equal(got.updates, "b");
}

static void a_large_state_comes_back_and_small_ones_after_it(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct got got = { 0 };
    struct um_bytes *b = um_bytes_new((size_t)70 << 20);

    memset(b->data, 'x', b->len);
    r->conf.max_waiting_bytes = (int64_t)256 << 20;
    rig_open(r);
    um_store_fold(r->st, r->loop, "large", b, 0, 0, got_number, &got);
    um_bytes_unref(b);
    rig_turn_until(r, &got.calls, 1);
    assert_int_equal(got.err, UM_OK);
    assert_int_equal(rig_append(r, "large", "+", NULL), UM_OK);
    assert_int_equal(rig_get(r, "large", &got), UM_OK);
    assert_int_equal(got.bytes, (70 << 20) + 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(rig_load(r, "large", &got), UM_OK);     /* its checksum was compared */
        assert_int_equal(strspn(got.state, "x"), sizeof(got.state) - 1);
        assert_string_equal(got.updates, "+");
        assert_int_equal(rig_load(r, "none", NULL), UM_OK);
    }
}

/* ---- damage ---- */

static void damaged_bytes_and_gaps_are_told_and_left_alone(void **state)
{
    static const char *const damages[] = {
        "UPDATE documents SET data = 'XYZ', version = version + 1 WHERE name = 'd'",     /* not a foreign write */
        "UPDATE document_updates SET data = 'X' WHERE seq = 3",
        "DELETE FROM document_updates WHERE seq = 2",                                       /* at the beginning */
        "DELETE FROM document_updates WHERE seq = 3",                                       /* in the middle */
        "DELETE FROM document_updates WHERE seq = 4",                                       /* at the end */
    };
    static const char dump[] = "SELECT md5(string_agg(x, '|')) FROM (SELECT data::text AS x FROM documents UNION ALL"
                               " SELECT data::text FROM document_updates) s";
    struct test *t = *state;
    char before[64];

    for (size_t i = 0; i < UM_COUNT(damages); i++) {
        rig_open(&t->r);
        for (int k = 0; k < 4; k++)
            rig_append(&t->r, "d", "abcd", NULL);
        rig_fold(&t->r, "d", "STATE", 1, 0, NULL);
        rig_append(&t->r, "other", "fine", NULL);
        run(t, damages[i]);
        snprintf(before, sizeof(before), "%s", ask(t, dump));
        assert_int_equal(rig_load(&t->r, "d", NULL), UM_ECORRUPT);
        assert_int_equal(rig_load(&t->r, "other", NULL), UM_OK);
        assert_string_equal(ask(t, dump), before);
        rig_close(&t->r);
        run(t, "DELETE FROM documents");
    }
}

static void one_document_that_cannot_be_stored_holds_up_no_other(void **state)
{
    enum { N = 6 };
    struct test *t = *state;
    struct rig *r = &t->r;
    struct got good = { 0 }, bad = { 0 }, made = { 0 }, got;
    struct um_bytes *b = text_bytes("x");

    r->conf.commit_delay_ms = 200;
    rig_open(r);
    rig_append(r, "bad", "a", NULL);
    run(t, "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'damaged'; END $$;"
           "CREATE TRIGGER broken BEFORE INSERT ON document_updates FOR EACH ROW WHEN (NEW.document_id = 1)"
           " EXECUTE FUNCTION refuse()");
    assert_string_equal(ask(t, "SELECT id FROM documents WHERE name = 'bad'"), "1");
    for (int round = 0; round < 2; round++) {     /* among other kinds of calls, and among appends alone */
        if (round == 0)
            um_store_create(r->st, r->loop, "new", "New", "ann", got_entry, &made);
        for (int i = 0; i < N; i++) {
            um_store_append(r->st, r->loop, "good", b, "ann", got_number, &good);
            if (i % 3 == 1)
                um_store_append(r->st, r->loop, "bad", b, "ann", got_number, &bad);
        }
        rig_turn_until(r, &good.calls, N * (round + 1));
        rig_turn_until(r, &bad.calls, 2 * (round + 1));
        assert_int_equal(good.err, UM_OK);
        assert_int_equal(good.number, N * (round + 1));
        assert_int_equal(bad.err, UM_EIO);
    }
    um_bytes_unref(b);
    assert_int_equal(made.err, UM_OK);
    assert_string_equal(made.title, "New");
    assert_true(um_store_is_healthy(r->st));
    assert_int_equal(rig_load(r, "bad", &got), UM_OK);
    assert_string_equal(got.updates, "a");
}

/* ---- servers that die, fall silent, turn away ---- */

struct typing { struct rig *r; struct um_bytes *b; int in_flight, failed; uint64_t acknowledged, last; bool stop; };

static void type_more(struct typing *y);

static void typed(void *arg, um_err err, uint64_t seq)
{
    struct typing *y = arg;

    y->in_flight--;
    if (err == UM_OK) {
        y->acknowledged++;
        y->last = UM_MAX(y->last, seq);
    } else {
        assert_true(err == UM_EUNAVAIL || err == UM_EIO);
        y->failed++;
    }
}

static void type_more(struct typing *y)
{
    while (!y->stop && y->in_flight < 20) {
        y->in_flight++;
        um_store_append(y->r->st, y->r->loop, "typed", y->b, "ann", typed, y);
    }
}

static void type_until(struct typing *y, const int *what, int n)
{
    for (int i = 0; i < 30000 && *what < n; i++) {
        type_more(y);
        um_loop_turn(y->r->loop, 1);
    }
    assert_true(*what >= n);
}

static void die_and_return(struct test *t, int signal)
{
    struct typing y = { .r = &t->r, .b = text_bytes("u") };
    struct got got;
    int acknowledged = 0;

    rig_open(&t->r);
    while (acknowledged < 200) {
        type_more(&y);
        um_loop_turn(t->r.loop, 1);
        acknowledged = (int)y.acknowledged;
    }
    pg_server_stop(&server, signal);              /* in the middle of it */
    type_until(&y, &y.failed, 20);
    assert_false(um_store_is_healthy(t->r.st));
    assert_int_equal(rig_load(&t->r, "typed", NULL), UM_EUNAVAIL);
    assert_true(pg_server_start(&server, NULL));
    wait_for_health(&t->r);                       /* though nobody asks for anything */
    y.stop = true;
    for (int i = 0; i < 3000 && y.in_flight > 0; i++)
        um_loop_turn(t->r.loop, 10);
    assert_int_equal(y.in_flight, 0);
    assert_int_equal(rig_append(&t->r, "typed", "z", NULL), UM_OK);
    um_bytes_unref(y.b);
    {
        char n[64];

        /* everything acknowledged is there; what failed may be, too */
        snprintf(n, sizeof(n), "%s", ask(t, "SELECT count(*) FROM document_updates"));
        assert_true(strtoull(n, NULL, 10) >= y.acknowledged + 1);
        snprintf(n, sizeof(n), "%s", ask(t, "SELECT max(seq) = count(*) FROM document_updates"));
        assert_string_equal(n, "t");
    }
    assert_int_equal(rig_load(&t->r, "typed", &got), UM_OK);
    assert_true(got.last_seq > y.last);
}

static void nothing_acknowledged_is_lost_when_the_server_is_killed(void **state) { die_and_return(*state, SIGKILL); }
static void nothing_acknowledged_is_lost_when_the_server_stops_at_once(void **state) { die_and_return(*state, SIGQUIT); }

static void a_server_that_restarted_while_nobody_asked_is_not_noticed(void **state)
{
    struct test *t = *state;

    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    assert_int_equal(rig_load(&t->r, "d", NULL), UM_OK);
    pg_server_stop(&server, SIGINT);
    assert_true(pg_server_start(&server, NULL));
    assert_int_equal(rig_append(&t->r, "d", "b", NULL), UM_OK);
    assert_int_equal(rig_load(&t->r, "d", NULL), UM_OK);
    assert_true(um_store_is_healthy(t->r.st));
}

static void a_killed_backend_is_replaced(void **state)
{
    struct test *t = *state;
    struct got got;

    rig_open(&t->r);
    for (uint64_t i = 1; i <= 5; i++) {
        assert_int_equal(rig_append(&t->r, "d", "a", &got), UM_OK);
        assert_int_equal(got.number, i);
        assert_int_equal(rig_load(&t->r, "d", NULL), UM_OK);
        run(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'umbel-core'");
    }
}

/* A foreign session in the middle of a transaction. */
static PGconn *foreign(const struct test *t)
{
    char url[128];
    PGconn *c;

    pg_server_url(&server, t->db, url, sizeof(url));
    c = PQconnectdb(url);
    assert_int_equal(PQstatus(c), CONNECTION_OK);
    return c;
}

static void foreign_run(PGconn *c, const char *sql)
{
    PGresult *r = PQexec(c, sql);

    if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(c));
    PQclear(r);
}

static void wait_until_we_wait_for_a_lock(const struct test *t)
{
    for (int i = 0; i < 3000; i++) {
        um_loop_turn(t->r.loop, 1);
        if (strcmp(ask(t, "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND"
                          " application_name = 'umbel-core' AND datname = current_database()"), "1") == 0)
            return;
    }
    fail_msg("nobody waits");
}

#define HEAD_OF(name) "UPDATE document_heads SET updated_by = 'x' WHERE document_id =" \
    " (SELECT id FROM documents WHERE name = '" name "')"

static void a_deadlock_with_a_foreign_hand_is_survived(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct um_bytes *b = text_bytes("u");
    struct got got = { 0 };
    PGconn *c;

    run(t, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET deadlock_timeout = ''1s''', current_database()); END $$");
    r->conf.commit_delay_ms = 100;
    r->conf.timeout_ms = 60000;
    rig_open(r);
    rig_append(r, "a", "1", NULL);
    rig_append(r, "b", "1", NULL);
    c = foreign(t);
    foreign_run(c, "SET deadlock_timeout = '1h'");       /* the store's session finds it, and is the victim */
    foreign_run(c, "BEGIN");
    foreign_run(c, HEAD_OF("b"));
    um_store_append(r->st, r->loop, "a", b, "ann", got_number, &got);
    um_store_append(r->st, r->loop, "b", b, "ann", got_number, &got);
    um_bytes_unref(b);
    wait_until_we_wait_for_a_lock(t);
    foreign_run(c, HEAD_OF("a"));                        /* returns when the store has let go */
    foreign_run(c, "COMMIT");
    PQfinish(c);
    rig_turn_until(r, &got.calls, 2);
    assert_int_equal(got.err, UM_OK);
    assert_int_equal(got.number, 2);
    assert_int_equal(rig_load(r, "a", &got), UM_OK);
    assert_int_equal(got.n_updates, 2);
    assert_true(um_store_is_healthy(r->st));
}

static void a_lock_held_for_too_long_is_not_waited_for(void **state)
{
    struct test *t = *state;
    PGconn *c;

    t->r.conf.timeout_ms = 1000;
    rig_open(&t->r);
    rig_append(&t->r, "a", "1", NULL);
    c = foreign(t);
    foreign_run(c, "BEGIN");
    foreign_run(c, HEAD_OF("a"));
    assert_int_equal(rig_append(&t->r, "a", "2", NULL), UM_EUNAVAIL);
    foreign_run(c, "COMMIT");
    PQfinish(c);
    wait_for_health(&t->r);
    assert_int_equal(rig_append(&t->r, "a", "2", NULL), UM_OK);
}

static void signal_backends(int signal)
{
    char path[64], line[256];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%ld/task/%ld/children", (long)server.pid, (long)server.pid);
    f = fopen(path, "re");
    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    fclose(f);
    for (char *p = strtok(line, " "); p != NULL; p = strtok(NULL, " "))
        kill((pid_t)atoi(p), signal);
}

static void a_silent_server_is_given_up_and_found_again(void **state)
{
    struct test *t = *state;
    um_err err;

    t->r.conf.timeout_ms = 500;
    t->r.conf.connect_timeout_ms = 500;
    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    kill(server.pid, SIGSTOP);
    signal_backends(SIGSTOP);
    err = rig_append(&t->r, "d", "b", NULL);
    assert_int_equal(rig_load(&t->r, "d", NULL), UM_EUNAVAIL);
    assert_false(um_store_is_healthy(t->r.st));
    signal_backends(SIGCONT);
    kill(server.pid, SIGCONT);
    assert_int_equal(err, UM_EUNAVAIL);
    wait_for_health(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "c", NULL), UM_OK);
    assert_int_equal(rig_load(&t->r, "d", NULL), UM_OK);
}

static void a_server_that_falls_silent_in_a_large_write_is_given_up(void **state)
{
    struct test *t = *state;
    struct um_bytes *b = um_bytes_new((size_t)8 << 20);
    struct got got = { 0 };

    memset(b->data, 'x', b->len);
    t->r.conf.timeout_ms = 500;
    t->r.conf.max_waiting_bytes = (int64_t)64 << 20;
    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    signal_backends(SIGSTOP);
    um_store_append(t->r.st, t->r.loop, "d", b, "ann", got_number, &got);
    um_bytes_unref(b);
    rig_turn_until(&t->r, &got.calls, 1);
    signal_backends(SIGCONT);
    assert_int_equal(got.err, UM_EUNAVAIL);
    wait_for_health(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "c", NULL), UM_OK);
    assert_int_equal(rig_load(&t->r, "d", NULL), UM_OK);
}

static void a_database_that_takes_no_writes_is_still_read(void **state)
{
    struct test *t = *state;
    struct got got;

    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    run(t, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$;");
    run(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'");
    assert_int_equal(rig_append(&t->r, "d", "b", NULL), UM_EUNAVAIL);
    assert_int_equal(rig_load(&t->r, "d", &got), UM_OK);
    assert_string_equal(got.updates, "a");
    run(t, "BEGIN READ WRITE; DO $$ BEGIN"
           " EXECUTE format('ALTER DATABASE %I RESET default_transaction_read_only', current_database()); END $$; COMMIT");
    wait_for_health(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "c", NULL), UM_OK);
}

static void a_primary_that_became_a_standby_is_left(void **state)
{
    struct test *t = *state;
    char backend[32];

    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    snprintf(backend, sizeof(backend), "%s", ask(t, "SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'"
                                                    " AND datname = current_database()"));
    run(t, "CREATE FUNCTION standby() RETURNS trigger LANGUAGE plpgsql AS"      /* what it answers, from the same server */
           " $$ BEGIN RAISE EXCEPTION 'cannot execute INSERT in a read-only transaction' USING ERRCODE = '25006'; END $$;"
           "CREATE TRIGGER standby BEFORE INSERT ON document_updates FOR EACH STATEMENT EXECUTE FUNCTION standby()");
    assert_int_equal(rig_append(&t->r, "d", "b", NULL), UM_EUNAVAIL);
    run(t, "DROP TRIGGER standby ON document_updates");
    wait_for_health(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "c", NULL), UM_OK);
    assert_string_not_equal(ask(t, "SELECT max(pid) FROM pg_stat_activity WHERE application_name = 'umbel-core'"
                                   " AND datname = current_database()"), backend);
}

static void of_several_hosts_the_one_that_takes_writes_is_used(void **state)
{
    struct test *t = *state;
    struct pg_server readonly;
    char sql[64];

    assert_true(pg_server_init(&readonly));
    assert_true(pg_server_start(&readonly, NULL));
    snprintf(sql, sizeof(sql), "CREATE DATABASE %s", t->db);
    assert_true(pg_server_ask(&readonly, "postgres", sql, NULL, 0));
    pg_server_stop(&readonly, SIGINT);
    assert_true(pg_server_start(&readonly, "default_transaction_read_only=on"));
    snprintf(t->r.url, sizeof(t->r.url), "postgres:///%s?host=/nonexistent,%s,%s&port=1,%d,%d&user=umbel", t->db, readonly.dir,
             server.dir, readonly.port, server.port);
    rig_open(&t->r);
    assert_int_equal(rig_append(&t->r, "d", "a", NULL), UM_OK);
    pg_server_free(&readonly);
    assert_string_equal(ask(t, "SELECT count(*) FROM document_updates"), "1");
}

static void a_server_that_is_not_there_is_named_without_the_password(void **state)
{
    struct test *t = *state;
    char why[256];

    t->r.conf.url = "postgresql://ann:geheim@127.0.0.1:1/db?password=geheim";
    t->r.conf.connect_timeout_ms = 2000;
    assert_int_equal(try_open(&t->r, why), UM_EUNAVAIL);
    assert_non_null(strstr(why, "127.0.0.1:1/db"));
    assert_null(strstr(why, "geheim"));
}

/* ---- the list's shortcut ---- */

static void a_change_that_only_the_head_knows_counts_in_the_list(void **state)
{
    struct test *t = *state;
    struct rig *r = &t->r;
    struct got got;
    char after[128];

    rig_open(r);
    for (int i = 0; i < 6; i++) {
        char name[8];

        snprintf(name, sizeof(name), "d%d", i);
        rig_append(r, name, "a", NULL);
    }
    run(t, "UPDATE documents SET updated_at = 100000 + substr(name, 2)::int * 10000;"
           "UPDATE document_heads SET updated_at = 5;"
           "UPDATE document_heads SET updated_at = 159999 WHERE document_id = (SELECT id FROM documents WHERE name = 'd0')");
    assert_int_equal(rig_list(r, NULL, 2, NULL, &got), UM_OK);
    assert_string_equal(got.names, "d0 d5 ");     /* 159999, 150000 */
    assert_int_equal(got.updated_at_ms, 159999);
    memcpy(after, got.after, sizeof(after));
    assert_int_equal(rig_list(r, NULL, 3, after, &got), UM_OK);
    assert_string_equal(got.names, "d4 d3 d2 ");
}

static void updated_at_never_lags_by_more_than_the_list_relies_on(void **state)
{
    struct test *t = *state;

    rig_open(&t->r);
    rig_append(&t->r, "d", "a", NULL);
    run(t, "UPDATE documents SET updated_at = updated_at - 70000");
    rig_append(&t->r, "d", "b", NULL);
    assert_string_equal(ask(t, "SELECT h.updated_at - d.updated_at <= 60000 FROM documents d JOIN document_heads h"
                               " ON h.document_id = d.id"), "t");
}

static void raising_a_number_touches_no_index(void **state)
{
    enum { N = 200 };
    struct test *t = *state;

    rig_open(&t->r);
    for (int i = 0; i < N; i++)
        rig_append(&t->r, "d", "a", NULL);
    rig_close(&t->r);                             /* its session tells the statistics at its end */
    for (int i = 0; i < 500 && strcmp(ask(t, "SELECT n_tup_upd >= 200 FROM pg_stat_user_tables WHERE relname = 'document_heads'"),
                                      "t") != 0; i++)
        usleep(10000);
    assert_string_equal(ask(t, "SELECT n_tup_hot_upd >= n_tup_upd - 5 FROM pg_stat_user_tables"
                               " WHERE relname = 'document_heads'"), "t");
    assert_string_equal(ask(t, "SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'documents'"), "0");
}

/* ---- failure points ---- */

#ifdef UMBEL_FAILPOINTS
static void a_migration_that_fails_leaves_the_database_as_it_was(void **state)
{
    struct test *t = *state;
    struct got got;
    char why[256];

    run(t, STOCK_TABLE);
    run(t, STOCK_UPSERT("one", "ONE"));
    um_failpoint_set("startup.migrate", "error");
    assert_int_not_equal(try_open(&t->r, why), UM_OK);
    um_failpoint_set("startup.migrate", "off");
    assert_string_equal(ask(t, "SELECT count(*) FROM information_schema.columns WHERE table_name = 'documents'"), "2");
    assert_string_equal(ask(t, "SELECT to_regclass('umbel_schema') IS NULL"), "t");
    rig_open(&t->r);
    assert_int_equal(rig_load(&t->r, "one", &got), UM_OK);
    assert_string_equal(got.state, "ONE");
}

static void a_failure_at_any_point_of_a_transaction_loses_nothing(void **state)
{
    static const char *const points[] = { "edit.before_append", "edit.after_append", "edit.before_commit",
                                          "edit.after_commit", "snapshot.before_write", "snapshot.after_write",
                                          "trim.before", "trim.after" };
    struct test *t = *state;
    struct rig *r = &t->r;
    struct got got;

    rig_open(r);
    for (size_t i = 0; i < UM_COUNT(points); i++) {
        rig_append(r, "d", "a", NULL);
        rig_load(r, "d", &got);
        um_failpoint_set(points[i], "error*1");
        if (i < 4)
            assert_int_not_equal(rig_append(r, "d", "b", NULL), UM_OK);
        else
            assert_int_not_equal(rig_fold(r, "d", "S", got.last_seq, got.version, NULL), UM_OK);
        um_failpoint_set(points[i], "off");
        wait_for_health(r);
        assert_int_equal(rig_append(r, "d", "z", NULL), UM_OK);
        assert_int_equal(rig_load(r, "d", &got), UM_OK);
        assert_int_equal(got.updates[strlen(got.updates) - 1], 'z');
        assert_int_equal(got.version, 0);
    }
    um_failpoint_set("load.error", "error*1");
    assert_int_equal(rig_load(r, "d", NULL), UM_EIO);
    um_failpoint_set("load.error", "off");
}
#endif

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        T(two_cores_number_the_same_documents_without_gap_or_loss),
        T(one_core_sees_what_another_stored),
        T(a_transaction_of_many_kinds_keeps_the_order_of_its_calls),
        T(ten_cores_that_start_together_migrate_once),
        T(a_newer_schema_that_does_not_fit_is_refused_with_a_reason),
        T(a_program_goes_on_beside_the_next_one),
        T(a_program_that_runs_leaves_a_schema_that_stopped_fitting),
        T(a_strange_table_of_that_name_is_left_alone),
        T(a_stock_table_is_adopted_with_its_documents_and_rights),
        T(a_foreign_write_beside_us_is_the_truth),
        T(an_unfolded_document_can_be_read_by_a_stock_server),
        T(a_row_removed_by_a_foreign_hand_is_not_remembered),
        T(a_large_state_comes_back_and_small_ones_after_it),
        T(damaged_bytes_and_gaps_are_told_and_left_alone),
        T(one_document_that_cannot_be_stored_holds_up_no_other),
        T(nothing_acknowledged_is_lost_when_the_server_is_killed),
        T(nothing_acknowledged_is_lost_when_the_server_stops_at_once),
        T(a_server_that_restarted_while_nobody_asked_is_not_noticed),
        T(a_killed_backend_is_replaced),
        T(a_deadlock_with_a_foreign_hand_is_survived),
        T(a_lock_held_for_too_long_is_not_waited_for),
        T(a_silent_server_is_given_up_and_found_again),
        T(a_server_that_falls_silent_in_a_large_write_is_given_up),
        T(a_database_that_takes_no_writes_is_still_read),
        T(a_primary_that_became_a_standby_is_left),
        T(of_several_hosts_the_one_that_takes_writes_is_used),
        T(a_server_that_is_not_there_is_named_without_the_password),
        T(a_change_that_only_the_head_knows_counts_in_the_list),
        T(updated_at_never_lags_by_more_than_the_list_relies_on),
        T(raising_a_number_touches_no_index),
#ifdef UMBEL_FAILPOINTS
        T(a_migration_that_fails_leaves_the_database_as_it_was),
        T(a_failure_at_any_point_of_a_transaction_loses_nothing),
#endif
    };

    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, start_server, stop_server);
}
