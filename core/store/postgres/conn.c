/* A connection: asynchronous from its first byte, so that no server can hold a thread for longer than it may.
 *
 * 1. Every wait has a deadline: store.connect-timeout for one host, store.timeout without a byte of progress for an answer.
 *    What does not answer is closed; the server itself cancels a statement a little earlier.
 * 2. Hosts are tried from the one that answered last. The writer takes only a server that accepts writes, readers only
 *    one that is no standby; SQLSTATE 25006 means that the roles have changed, and the hosts are tried anew.
 * 3. All statements are prepared in one round trip when a connection is made, and asked for by name from then on.
 * 4. After a failure the next attempt waits 100 ms x 2^n with jitter, up to a second; until then calls fail at once. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "pg_internal.h"

#define BULK_BYTES ((size_t)1 << 20)         /* so much at once is sent blocking (see watch.c) */
#define HEAVY_BYTES ((size_t)64 << 20)       /* after so much at once a connection is made anew, for its memory */

enum {
    RETRY_FIRST_MS = 100, RETRY_LAST_MS = 1000,      /* the writer is woken every second while it is unhealthy */
    SCHEMA_TIMEOUT_MS = 3600 * 1000,                 /* a migration may rewrite a large table, or wait for one that does */
};

const char *const pg_statements[PG_N] = {
#define X(name, sql) [PG_##name] = sql,
    PG_STATEMENTS(X)
#undef X
};
static const char *const statement_names[PG_N] = {
#define X(name, sql) [PG_##name] = "um_" #name,
    PG_STATEMENTS(X)
#undef X
};

/* ---- errors ---- */

/* The longest row that SQLSTATE begins with counts. OF_A_ROW: refused for what was written. AGAIN: once more may help. */
static const struct meaning { const char *state; um_err err; bool of_a_row, again, closes; } meanings[] = {
    { "08", UM_EUNAVAIL, false, false, true },       /* connection */
    { "21", UM_EIO, true, false, false },
    { "22", UM_EIO, true, false, false },            /* data */
    { "23", UM_EIO, true, false, false },            /* constraint */
    { "25006", UM_EUNAVAIL, false, false, true },    /* read-only */
    { "25P03", UM_EUNAVAIL, false, false, true },    /* stood still in a transaction */
    { "26000", UM_EUNAVAIL, false, false, true },    /* statement name unknown: another server behind a pooler */
    { "40001", UM_EUNAVAIL, false, true, false },    /* serialization */
    { "40P01", UM_EUNAVAIL, false, true, false },    /* deadlock */
    { "53", UM_EIO, false, false, false },           /* disk full, too many connections */
    { "53200", UM_ENOMEM, false, false, false },
    { "54", UM_EIO, true, false, false },            /* too large */
    { "55P03", UM_EUNAVAIL, false, false, false },   /* lock not available */
    { "57014", UM_EUNAVAIL, false, false, false },   /* timeout */
    { "57P", UM_EUNAVAIL, false, false, true },      /* shutdown, startup */
    { "P0", UM_EIO, true, false, false },            /* raised by a foreign trigger */
    { "XX001", UM_ECORRUPT, true, false, false }, { "XX002", UM_ECORRUPT, true, false, false },
};

static struct meaning meaning_of(const char *state)
{
    struct meaning best = { "", UM_EIO, false, false, false };

    for (size_t i = 0; i < UM_COUNT(meanings); i++)
        if (strncmp(state, meanings[i].state, strlen(meanings[i].state)) == 0 &&
            strlen(meanings[i].state) > strlen(best.state))
            best = meanings[i];
    return best;
}

/* One line of it. */
static void keep_why(struct pg_conn *c, const char *text)
{
    size_t n;

    snprintf(c->why, sizeof(c->why), "%s", text);
    for (char *p = c->why; *p != '\0'; p++)
        *p = *p == '\n' || *p == '\t' ? ' ' : *p;
    for (n = strlen(c->why); n > 0 && c->why[n - 1] == ' '; n--)
        c->why[n - 1] = '\0';
}

void pg_fail(struct pg_conn *c, um_err err, const char *why)
{
    if (c->err != UM_OK)
        return;
    c->err = err;
    keep_why(c, why);
}

static void fail_closed(struct pg_conn *c, const char *why)
{
    pg_fail(c, UM_EUNAVAIL, why);
    pg_close(c);
}

/* A reader's transactions are read-only, whatever the server is: somebody wanted to change something in one. */
static bool is_of_inspection(const struct pg_conn *c)
{
    return c->use == PG_READER && strcmp(c->state, "25006") == 0;
}

static void fail_by_result(struct pg_conn *c, const PGresult *r)
{
    const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE), *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    struct meaning m = meaning_of(state != NULL ? state : "");
    char why[sizeof(c->why)];

    if (c->err != UM_OK)
        return;
    snprintf(c->state, sizeof(c->state), "%s", state != NULL ? state : "");
    if (PQstatus(c->db) == CONNECTION_BAD) {
        fail_closed(c, text != NULL ? text : PQerrorMessage(c->db));
        return;
    }
    snprintf(why, sizeof(why), "%s (%s)", text != NULL ? text : PQresStatus(PQresultStatus(r)), state != NULL ? state : "-");
    pg_fail(c, m.err, why);
    c->of_a_row = m.of_a_row;
    c->again = m.again;
    if (m.closes && !is_of_inspection(c)) {
        c->host = state != NULL && strncmp(state, "25006", 5) == 0 ? (c->host + 1) % c->to->n_hosts : c->host;
        pg_close(c);
    }
}

/* ---- waiting ---- */

static int64_t patience_ms(const struct pg_conn *c)
{
    return c->use == PG_SCHEMA ? SCHEMA_TIMEOUT_MS : c->cf->timeout_ms;
}

static int poll_until(int fd, short events, int64_t until_ms)
{
    for (;;) {
        struct pollfd p = { .fd = fd, .events = events };
        int64_t left_ms = until_ms - um_now_ms();
        int rc = left_ms > 0 ? poll(&p, 1, (int)UM_MIN(left_ms, 60000)) : 0;

        if (rc > 0)
            return p.revents;
        if (rc < 0 && errno != EINTR)
            return -1;
        if (left_ms <= 0)
            return 0;
    }
}

/* Sends what waits and reads what came; any progress moves the deadline. */
static bool pump(struct pg_conn *c, int64_t *until_ms)
{
    int more = PQflush(c->db), events;

    if (more < 0) {
        /* The server may have said why before it closed. */
        if (PQconsumeInput(c->db) == 0 || PQisBusy(c->db))
            fail_closed(c, PQerrorMessage(c->db));
        return c->db != NULL;
    }
    events = poll_until(PQsocket(c->db), (short)(POLLIN | (more > 0 ? POLLOUT : 0)), *until_ms);
    if (events <= 0) {
        fail_closed(c, "no answer within store.timeout");
        return false;
    }
    if ((events & ~POLLOUT) != 0 && PQconsumeInput(c->db) == 0) {
        fail_closed(c, PQerrorMessage(c->db));
        return false;
    }
    *until_ms = um_now_ms() + patience_ms(c);
    return true;
}

/* NULL: the end of one statement's results, or failed. */
static PGresult *get_result(struct pg_conn *c)
{
    int64_t until_ms = um_now_ms() + patience_ms(c);
    PGresult *r;

    if (c->db == NULL)
        return NULL;
    while (PQisBusy(c->db))
        if (!pump(c, &until_ms))
            return NULL;
    r = PQgetResult(c->db);
    c->heavy |= PQresultMemorySize(r) > HEAVY_BYTES;
    return r;
}

/* ---- a turn ---- */

void pg_begin(struct pg_conn *c)
{
    c->err = UM_OK;
    c->of_a_row = c->again = false;
    c->why[0] = c->state[0] = '\0';
}

/* Sends what waits, so that the connection may block. */
static struct pg_watch *begin_bulk(struct pg_conn *c, size_t bytes)
{
    int64_t until_ms = um_now_ms() + patience_ms(c);
    struct pg_watch *w;

    while (PQflush(c->db) == 1)
        if (!pump(c, &until_ms))
            return NULL;
    if (PQsetnonblocking(c->db, 0) != 0) {
        fail_closed(c, PQerrorMessage(c->db));
        return NULL;
    }
    if ((w = pg_watch_start(PQsocket(c->db), c->cf->timeout_ms + pg_patience_ms(bytes))) == NULL)
        fail_closed(c, "no thread for a large write");
    return w;
}

/* The socket must outlive the watch. */
static void end_bulk(struct pg_conn *c, struct pg_watch *w)
{
    bool sent = PQsetnonblocking(c->db, 1) == 0;     /* when the last byte has been sent */

    pg_watch_stop(w);
    if (c->err == UM_OK && !sent)
        pg_fail(c, UM_EUNAVAIL, PQerrorMessage(c->db));
    if (c->err != UM_OK)
        pg_close(c);
}

static bool may_send(struct pg_conn *c)
{
    if (c->err == UM_OK && c->db == NULL)
        pg_fail(c, UM_EUNAVAIL, "not connected");
    return c->err == UM_OK;
}

void pg_send_named(struct pg_conn *c, const char *name, const struct pg_values *v)
{
    struct pg_watch *w = NULL;
    bool unsent = false;
    size_t bytes = 0;

    for (int i = 0; i < v->n; i++)
        bytes += (size_t)v->lengths[i];
    c->heavy |= bytes > HEAVY_BYTES;
    if (may_send(c) && bytes > BULK_BYTES)
        w = begin_bulk(c, bytes);
    if (c->err == UM_OK &&
        PQsendQueryPrepared(c->db, name, v->n, (const char *const *)v->values, v->lengths, v->binary, 1) == 0)
        unsent = true;
    if (unsent)
        pg_fail(c, UM_EUNAVAIL, PQerrorMessage(c->db));
    if (w != NULL)
        end_bulk(c, w);
    else if (unsent)
        pg_close(c);
}

void pg_send_prepare(struct pg_conn *c, const char *name, const char *text, const struct pg_values *v)
{
    if (may_send(c) && PQsendPrepare(c->db, name, text, v->n, v->types) == 0)
        fail_closed(c, PQerrorMessage(c->db));
}

void pg_send_text(struct pg_conn *c, const char *text)
{
    if (may_send(c) && PQsendQueryParams(c->db, text, 0, NULL, NULL, NULL, NULL, 1) == 0)
        fail_closed(c, PQerrorMessage(c->db));
}

void pg_send(struct pg_conn *c, enum pg_id id, struct pg_args *args)
{
    static int binary[PG_ARGS_MAX] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    struct pg_args none = { 0 };

    args = args != NULL ? args : &none;
    for (int i = 0; i < args->n; i++)
        if (args->arrays[i] != NULL) {
            args->values[i] = (const char *)args->arrays[i]->data;
            args->lengths[i] = (int)args->arrays[i]->len;
            args->failed |= args->arrays[i]->failed || args->arrays[i]->len > INT32_MAX;
        }
    if (args->failed)
        pg_fail(c, UM_ENOMEM, "out of memory");
    pg_send_named(c, statement_names[id], &(struct pg_values){ args->n, args->values, args->lengths, binary, NULL });
    pg_args_free(args);
}

void pg_sync(struct pg_conn *c)
{
    if (c->db != NULL && PQpipelineSync(c->db) == 0)
        fail_closed(c, PQerrorMessage(c->db));
}

static bool is_good(const PGresult *r)
{
    ExecStatusType s = PQresultStatus(r);

    return s == PGRES_COMMAND_OK || s == PGRES_TUPLES_OK || s == PGRES_SINGLE_TUPLE;
}

PGresult *pg_take(struct pg_conn *c)
{
    PGresult *r = c->err == UM_OK ? get_result(c) : NULL, *more;

    if (r == NULL || !is_good(r)) {
        if (r != NULL)
            fail_by_result(c, r);
        else
            pg_fail(c, UM_EUNAVAIL, "the connection ended");
        PQclear(r);
        return NULL;
    }
    while ((more = get_result(c)) != NULL)       /* the end of this statement */
        PQclear(more);
    if (c->err == UM_OK)
        return r;
    PQclear(r);
    return NULL;
}

um_err pg_end(struct pg_conn *c)
{
    bool ended = false, nothing = false;

    while (c->db != NULL && !ended) {
        PGresult *r = get_result(c);

        if (r == NULL) {
            if (nothing)
                fail_closed(c, "answers out of step");
            nothing = true;
            continue;
        }
        nothing = false;
        ended = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
        if (!ended && !is_good(r) && PQresultStatus(r) != PGRES_PIPELINE_ABORTED)
            fail_by_result(c, r);
        PQclear(r);
    }
    return c->err;
}

void pg_stream(struct pg_conn *c)
{
    if (c->err == UM_OK && c->db != NULL && PQsetSingleRowMode(c->db) == 0)
        pg_fail(c, UM_EIO, "rows cannot come one by one");
}

PGresult *pg_next_row(struct pg_conn *c)
{
    PGresult *r = c->err == UM_OK ? get_result(c) : NULL;

    if (r == NULL || PQresultStatus(r) == PGRES_SINGLE_TUPLE)
        return r;
    if (!is_good(r))
        fail_by_result(c, r);
    PQclear(r);
    while (c->err == UM_OK && (r = get_result(c)) != NULL)
        PQclear(r);
    return NULL;
}

void pg_roll_back(struct pg_conn *c)
{
    struct pg_conn before = *c;

    if (c->db == NULL || PQtransactionStatus(c->db) == PQTRANS_IDLE)
        return;
    pg_begin(c);
    pg_send(c, PG_ROLLBACK, NULL);
    pg_sync(c);
    PQclear(pg_take(c));
    if (pg_end(c) != UM_OK)
        pg_close(c);
    c->err = before.err;                         /* what was wrong first is what counts */
    c->of_a_row = before.of_a_row;
    c->again = before.again;
    memcpy(c->state, before.state, sizeof(c->state));
    memcpy(c->why, before.why, sizeof(c->why));
}

um_err pg_exec(struct pg_conn *c, const char *sql, PGresult **out)
{
    PGresult *r, *last = NULL;

    if (c->err == UM_OK && c->db != NULL && PQsendQuery(c->db, sql) == 0)
        fail_closed(c, PQerrorMessage(c->db));
    while (c->err == UM_OK && (r = get_result(c)) != NULL) {
        PQclear(last);
        last = r;
        if (!is_good(r))
            fail_by_result(c, r);
    }
    while (c->db != NULL && (r = get_result(c)) != NULL)
        PQclear(r);
    if (out != NULL && c->err == UM_OK)
        *out = last;
    else
        PQclear(last);
    return c->err;
}

/* ---- connecting ---- */

struct params { const char *keys[PG_PARAMS_MAX + 16], *values[PG_PARAMS_MAX + 16]; size_t n; };

static void add_param(struct params *p, const char *key, const char *value)
{
    p->keys[p->n] = key;
    p->values[p->n++] = value;
}

static void add_default(struct params *p, const struct pg_target *to, const char *key, const char *value)
{
    if (pg_target_param(to, key) == NULL)
        add_param(p, key, value);
}

static PGconn *dial(const struct pg_conn *c, const struct pg_host *h)
{
    struct params p = { 0 };
    char timeout[24];

    snprintf(timeout, sizeof(timeout), "%lld", (long long)c->cf->timeout_ms);
    for (size_t i = 0; i < c->to->n_params; i++)
        add_param(&p, c->to->params[i].key, c->to->params[i].value);
    if (h->host[0] != '\0')
        add_param(&p, "host", h->host);
    if (h->port[0] != '\0')
        add_param(&p, "port", h->port);
    add_param(&p, "target_session_attrs", c->use == PG_READER ? "primary" : "read-write");
    add_param(&p, "client_encoding", "UTF8");
    add_default(&p, c->to, "application_name", "umbel-core");
    add_default(&p, c->to, "keepalives_idle", "10");
    add_default(&p, c->to, "keepalives_interval", "5");
    add_default(&p, c->to, "keepalives_count", "3");
    add_default(&p, c->to, "tcp_user_timeout", timeout);
    add_param(&p, NULL, NULL);
    return PQconnectStartParams(p.keys, p.values, 0);
}

static bool finish_dialling(struct pg_conn *c)
{
    int64_t until_ms = um_now_ms() + c->to->connect_timeout_ms;
    PostgresPollingStatusType s = PGRES_POLLING_WRITING;

    while (s != PGRES_POLLING_OK) {
        short events = s == PGRES_POLLING_READING ? POLLIN : POLLOUT;

        if (s == PGRES_POLLING_FAILED || PQstatus(c->db) == CONNECTION_BAD) {
            fail_closed(c, PQerrorMessage(c->db));
            return false;
        }
        if (poll_until(PQsocket(c->db), events, until_ms) <= 0) {
            fail_closed(c, "no connection within store.connect-timeout");
            return false;
        }
        s = PQconnectPoll(c->db);
    }
    return true;
}

/* What a session of ours insists on, whatever the role's settings are: an acknowledgement is durable; locks and transactions
 * of a process that stands still go away; plans use the indexes though the statistics of a young table know nothing. */
static const char settings[] =
    "SELECT set_config('statement_timeout', $1, false), set_config('lock_timeout', $2, false),"
    " set_config('idle_in_transaction_session_timeout', $3, false),"
    " set_config('search_path', coalesce($4, current_setting('search_path')), false),"
    " set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on'"
    " ELSE current_setting('synchronous_commit') END, false), set_config('jit', 'off', false),"
    " set_config('enable_seqscan', $5, false), set_config('plan_cache_mode', $6, false)";

static const char newest_schema[] = "SELECT version, compatible_from FROM umbel_schema ORDER BY version DESC LIMIT 1";

static void send_settings(struct pg_conn *c)
{
    bool schema = c->use == PG_SCHEMA, writer = c->use == PG_WRITER, units = c->use == PG_UNITS;
    char statement[24], lock[24], idle[24];
    const char *const values[] = { statement, lock, idle, c->to->search_path, writer || units ? "off" : "on",
                                   writer ? "force_generic_plan" : "auto" };
    int64_t ms = c->cf->timeout_ms - c->cf->timeout_ms / 10, lock_ms = c->cf->timeout_ms / 2;

    if (units) {
        ms = UM_MIN(ms, c->cf->unit_ms);
        lock_ms = UM_MAX(ms / 4, 1);             /* there is time to begin anew */
    }
    snprintf(statement, sizeof(statement), "%lld", schema ? 0 : (long long)ms);
    snprintf(lock, sizeof(lock), "%lld", schema ? 0 : (long long)lock_ms);
    snprintf(idle, sizeof(idle), "%lld", schema ? 0 : (long long)PG_IDLE_MS);
    if (PQsendQueryParams(c->db, settings, UM_COUNT(values), NULL, values, NULL, NULL, 0) == 0)
        fail_closed(c, PQerrorMessage(c->db));
}

/* Readers never write; the writer needs a reader's rows for its answers; units bring their own statements. */
static bool is_for(enum pg_use use, enum pg_id id)
{
    bool ends = id == PG_COMMIT || id == PG_ROLLBACK, units = id >= PG_BEGIN_UNITS && id <= PG_RELEASE;

    if (use == PG_UNITS)
        return ends || units || id == PG_MOMENT;
    if (use == PG_WRITER)
        return !units;
    return ends || id >= PG_MOMENT || id == PG_BEGIN_READ;
}

static void check_schema(struct pg_conn *c, const PGresult *r)
{
    int64_t version = r != NULL && PQntuples(r) > 0 ? strtoll(PQgetvalue(r, 0, 0), NULL, 10) : 0;
    int64_t from = version > 0 ? strtoll(PQgetvalue(r, 0, 1), NULL, 10) : 0;

    if (r != NULL && !pg_schema_fits(version, from))
        fail_closed(c, "the database's schema has become one that this program does not know: run the newer release");
}

/* Settings, schema and statements in one round trip. */
static void prepare_all(struct pg_conn *c)
{
    PGresult *r;
    int n = 0;

    send_settings(c);
    if (c->err == UM_OK && PQsendQueryParams(c->db, newest_schema, 0, NULL, NULL, NULL, NULL, 0) == 0)
        fail_closed(c, PQerrorMessage(c->db));
    for (enum pg_id id = 0; id < PG_N && c->err == UM_OK; id++)
        if (is_for(c->use, id)) {
            n++;
            if (PQsendPrepare(c->db, statement_names[id], pg_statements[id], 0, NULL) == 0)
                fail_closed(c, PQerrorMessage(c->db));
        }
    pg_sync(c);
    PQclear(pg_take(c));
    check_schema(c, r = pg_take(c));
    PQclear(r);
    while (n-- > 0 && c->err == UM_OK)
        PQclear(pg_take(c));
    pg_end(c);
}

static void hear_nothing(void *arg, const PGresult *notice)
{
    (void)arg;
    (void)notice;
}

static void connect_to(struct pg_conn *c, const struct pg_host *h)
{
    PGresult *r = NULL;

    pg_begin(c);
    c->db = dial(c, h);
    if (c->db == NULL) {
        pg_fail(c, UM_ENOMEM, "out of memory");
        return;
    }
    PQsetNoticeReceiver(c->db, hear_nothing, NULL);
    if (!finish_dialling(c))
        return;
    if (PQsetnonblocking(c->db, 1) != 0)
        fail_closed(c, PQerrorMessage(c->db));
    if (c->use == PG_SCHEMA) {
        if (c->err == UM_OK)
            send_settings(c);
        while (c->db != NULL && (r = get_result(c)) != NULL) {
            if (!is_good(r))
                fail_by_result(c, r);
            PQclear(r);
        }
    } else if (c->err == UM_OK && PQenterPipelineMode(c->db) != 1) {
        fail_closed(c, PQerrorMessage(c->db));
    } else {
        prepare_all(c);
    }
    if (c->err != UM_OK)
        pg_close(c);
}

static void note_failure(struct pg_conn *c)
{
    int64_t wait_ms = UM_MIN((int64_t)RETRY_FIRST_MS << UM_MIN(c->failures, 10u), RETRY_LAST_MS);

    c->failures++;
    c->retry_at_ms = um_now_ms() + wait_ms / 2 + (int64_t)um_random_below((uint64_t)wait_ms / 2 + 1);
    um_log_limited(UM_ERROR, "store", "connect_failed", UM_S("database", c->to->shown), UM_S("error", c->why),
                   UM_I("attempt", c->failures));
}

static void note_success(struct pg_conn *c)
{
    if (c->lost) {
        store_count(M_REOPENED, 1);
        um_log(UM_WARN, "store", "reconnected", UM_S("database", c->to->shown), UM_S("host", PQhost(c->db)));
    }
    c->failures = 0;
    c->lost = true;
}

/* A server that went away while nobody asked has closed the socket: better to see it before something is at stake. */
static void look_alive(struct pg_conn *c)
{
    for (int i = 0; i < 4 && c->db != NULL; i++) {
        struct pollfd p = { .fd = PQsocket(c->db), .events = POLLIN };

        if (poll(&p, 1, 0) <= 0)
            return;
        if (PQconsumeInput(c->db) == 0 || PQstatus(c->db) != CONNECTION_OK)
            pg_close(c);
    }
}

um_err pg_ready(struct pg_conn *c)
{
    if (c->db != NULL && c->heavy) {
        pg_close(c);
        c->lost = false;
    }
    look_alive(c);
    if (c->db != NULL)
        return UM_OK;
    c->of_a_row = c->again = false;
    if (c->failures > 0 && um_now_ms() < c->retry_at_ms)
        return UM_EUNAVAIL;
    for (size_t i = 0; i < c->to->n_hosts && c->db == NULL; i++) {
        size_t host = (c->host + i) % c->to->n_hosts;

        connect_to(c, &c->to->hosts[host]);
        if (c->db != NULL)
            c->host = host;
    }
    if (c->db != NULL) {
        note_success(c);
        return UM_OK;
    }
    note_failure(c);
    return c->err == UM_ENOMEM ? UM_ENOMEM : UM_EUNAVAIL;
}

void pg_init(struct pg_conn *c, const struct pg_target *to, const struct um_store_conf *cf, enum pg_use use)
{
    *c = (struct pg_conn){ .to = to, .cf = cf, .use = use };
}

void pg_close(struct pg_conn *c)
{
    c->heavy = false;
    pg_sql_forget(c);
    PQfinish(c->db);
    c->db = NULL;
}

/* ---- values ---- */

int64_t pg_int(const PGresult *r, int row, int column)
{
    const uint8_t *p = (const uint8_t *)PQgetvalue(r, row, column);
    int n = PQgetlength(r, row, column);
    uint64_t v = 0;

    for (int i = 0; i < n; i++)
        v = v << 8 | p[i];
    return n == 4 ? (int32_t)v : (int64_t)v;
}

struct um_span pg_bytes(const PGresult *r, int row, int column)
{
    return UM_SPAN(PQgetvalue(r, row, column), (size_t)PQgetlength(r, row, column));
}
