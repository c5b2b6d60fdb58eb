/* GET /core/rest/admin/check: every member tries its own parts (umbel/check.h); we compare what only several show: who answers at all,
 * under which key, how clocks differ, whether everybody sees everybody, and whether all are of one version. */
#include <stdlib.h>
#include <string.h>
#include <umbel/check.h>
#include <umbel/sql.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "admin.h"

#define SLOW_US 1000000

/* ---- our own database, as a part of the member's check ---- */

#define PROBE_NAME "(check)"                 /* a cache that nobody has: who shares our database reads the version that we raised */

struct asking { struct um_rest *rest; struct um_check *check; int64_t began_us, now_ms, wall_ms, wanted, version; };

static um_err ask_database(void *arg, struct um_sql *q)
{
    struct asking *a = arg;
    struct um_sql_row row;
    um_err err = um_sql_one(q, "SELECT version FROM cache_versions WHERE scope = ?1 AND name = ?2",
                            UM_SQL_ARGS(um_sql_word(""), um_sql_word(PROBE_NAME)), &row);

    a->version = err == UM_OK ? um_sql_int(&row, 0) : 0;
    a->wall_ms = um_wall_ms();
    a->now_ms = um_sql_now_ms(q);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static void have_database(void *arg, um_err err)
{
    struct asking *a = arg;
    int64_t us = um_now_us() - a->began_us, apart = a->now_ms - a->wall_ms;

    if (err != UM_OK) {
        um_check_say(a->check, "database", UM_CHECK_FAIL, us, "is the database up, and may this machine reach it? store.url says where it is sought; "
                     "the log says more, category store", "%s", um_err_text(err));
    } else {
        um_check_say(a->check, "database", us > SLOW_US ? UM_CHECK_WARN : UM_CHECK_OK, us, us > SLOW_US ?
                     "the database is slow: look at its load and its disk" : NULL, "it answers");
        um_check_say(a->check, "database.clock", um_check_clock(apart), -1, um_check_clock(apart) == UM_CHECK_OK ? NULL :
                     "keep the clocks of all machines together, by chrony or systemd-timesyncd",
                     "the clock of the database is %lld ms from ours", (long long)apart);
        if (a->wanted > 0)
            um_check_say(a->check, "database.shared", a->version >= a->wanted ? UM_CHECK_OK : UM_CHECK_FAIL, -1, a->version >= a->wanted ?
                         NULL : "cores that work together need one PostgreSQL: give all of them the same store.url",
                         a->version >= a->wanted ? "what another core wrote is there" : "it is another database than that of the core that asks");
    }
    if (!um_store_is_healthy(a->rest->deps.store))
        um_check_say(a->check, "database.writing", UM_CHECK_FAIL, -1, "edits wait unstored: look at the database's disk and rights",
                     "the store does not take changes");
    um_check_release(a->check);
    free(a);
}

static void check_database(void *arg, struct um_check *c)
{
    struct asking *a = um_xcalloc(1, sizeof(*a));
    struct um_rest *r = arg;

    *a = (struct asking){ .rest = r, .check = c, .began_us = um_now_us() };
    a->wanted = json_integer_value(json_object_get(um_check_question(c), "version"));
    um_check_hold(c);
    um_store_inspect(r->deps.store, r->deps.loop, ask_database, have_database, a);
}

void admin_check_serve(struct um_rest *r) { um_node_add_check(r->deps.node, check_database, r); }

/* ---- all of it ---- */

struct report {
    json_t *results;
    enum um_check_status worst;
    const struct um_ask_answer *answers;
    size_t n;
};

static void add(struct report *p, const char *member, const char *name, enum um_check_status s, int64_t us, const char *advice, const char *detail)
{
    json_t *row = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "member", member, "name", name, "status", um_check_status_text(s), "detail",
                            detail, "advice", advice);

    json_object_set_new(row, "ms", us >= 0 ? json_real((double)(us / 10) / 100) : json_null());
    json_array_append_new(p->results, row);
    p->worst = UM_MAX(p->worst, s);
}

/* The news came there and back: what cachegen and the cluster's channels need. */
static void add_reach(struct report *p, const struct um_ask_answer *a)
{
    if (a->state == UM_ASK_SILENT)
        add(p, a->member, "reach", UM_CHECK_FAIL, -1, "it says that it lives, but does not answer over Redis: look at its log, and whether it "
            "is overloaded", "no answer in time");
    else if (!a->is_self)
        add(p, a->member, "reach", UM_CHECK_OK, a->us, NULL, "it hears us, and we hear it");
}

static void add_key(struct report *p, const struct um_ask_answer *a)
{
    if (a->state == UM_ASK_SILENT || a->is_self)
        return;
    if (a->state == UM_ASK_STRANGER)
        add(p, a->member, "token.key", UM_CHECK_FAIL, -1, "give every member the same token.key", "it signs with another key than we");
    else if (a->by_previous)
        add(p, a->member, "token.key", UM_CHECK_WARN, -1, "end the change of keys: give it the new token.key too",
            "it signs with our previous key");
    else if (a->state == UM_ASK_FAILED)
        add(p, a->member, "token.key", UM_CHECK_FAIL, -1, "give every member the same token.key", a->error);
    else
        add(p, a->member, "token.key", UM_CHECK_OK, -1, NULL, "the same as ours");
}

static void add_clock(struct report *p, const struct um_ask_answer *a)
{
    int64_t apart;
    char text[96];

    if (a->is_self)
        return;
    apart = json_integer_value(json_object_get(a->body, "at")) - a->at_wall_ms;
    snprintf(text, sizeof(text), "its clock is %lld ms from ours", (long long)apart);
    add(p, a->member, "clock", um_check_clock(apart), -1, um_check_clock(apart) == UM_CHECK_OK ? NULL :
        "keep the clocks of all machines together, by chrony or systemd-timesyncd: tokens are refused beyond 30 s", text);
}

static void add_version(struct report *p, const struct um_ask_answer *a)
{
    char *text;

    if (strcmp(a->version, UMBEL_VERSION) == 0)
        return;
    text = um_xasprintf("it is %s, this core is " UMBEL_VERSION, a->version);
    add(p, a->member, "version", UM_CHECK_WARN, -1, "fine during an upgrade; afterwards all are to be of one version", text);
    free(text);
}

static bool sees(const json_t *members, const char *id)
{
    size_t i;
    const json_t *m;

    json_array_foreach(members, i, m)
        if (strcmp(json_string_value(m) != NULL ? json_string_value(m) : "", id) == 0)
            return true;
    return false;
}

static void add_view(struct report *p, const struct um_ask_answer *a)
{
    const json_t *members = json_object_get(a->body, "members");
    struct um_buf missing = { 0 };

    for (size_t i = 0; i < p->n; i++)
        if (!sees(members, p->answers[i].member))
            um_buf_printf(&missing, "%s%s", missing.len > 0 ? ", " : "it does not see ", p->answers[i].member);
    if (missing.len > 0)
        add(p, a->member, "members", UM_CHECK_WARN, -1, "check again in some seconds: it may have come just now. If it stays, its link to Redis "
            "is cut off: look at its log, category redis", um_buf_cstr(&missing));
    else
        add(p, a->member, "members", UM_CHECK_OK, -1, NULL, "it sees everybody");
    um_buf_free(&missing);
}

static enum um_check_status status_of(const json_t *row)
{
    const char *s = json_string_value(json_object_get(row, "status"));

    return s != NULL && strcmp(s, "ok") == 0 ? UM_CHECK_OK : s != NULL && strcmp(s, "warn") == 0 ? UM_CHECK_WARN : UM_CHECK_FAIL;
}

/* What it says of itself comes over Redis: what does not look like a result is left out. */
static void add_own(struct report *p, const struct um_ask_answer *a)
{
    const json_t *row, *ms;
    size_t i;

    json_array_foreach(json_object_get(a->body, "results"), i, row) {
        const char *name = json_string_value(json_object_get(row, "name")), *detail = json_string_value(json_object_get(row, "detail"));
        ms = json_object_get(row, "ms");
        if (name != NULL && detail != NULL)
            add(p, a->member, name, status_of(row), json_is_number(ms) ? (int64_t)(json_number_value(ms) * 1000) : -1,
                json_string_value(json_object_get(row, "advice")), detail);
    }
}

static void report(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    struct report p = { json_array(), UM_CHECK_OK, answers, n };
    char at[32];

    (void)arg;
    (void)r;
    for (size_t i = 0; i < n; i++) {
        add_reach(&p, &answers[i]);
        add_key(&p, &answers[i]);
        add_version(&p, &answers[i]);
        if (answers[i].state != UM_ASK_ANSWERED)
            continue;
        add_clock(&p, &answers[i]);
        add_view(&p, &answers[i]);
        add_own(&p, &answers[i]);
    }
    if (n == 0)
        add(&p, "", "members", UM_CHECK_FAIL, -1, "wait some seconds; then look at the log, category cluster", "this core is not admitted yet");
    um_wall_iso(um_wall_ms(), at);
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, json_pack("{s:s, s:s, s:I, s:o}", "status", um_check_status_text(p.worst), "at", at, "members",
                                          (json_int_t)n, "results", p.results));
}

/* Written first, so that everybody can look for it; that also shows that our database takes changes. */
static void probed(void *arg, um_err err, const struct um_store_cache *rows, size_t n)
{
    struct later *l = arg;
    struct um_rest *r = l->rest;
    struct um_http_req *rq = later_take(l);

    if (rq == NULL)
        return;
    admin_ask(rq, r, (struct um_ask_question){ .topic = UM_CHECK_TOPIC, .wait_ms = um_api_int(r->api, rq, "wait") },
              json_pack("{s:I}", "version", err == UM_OK && n == 1 ? (json_int_t)rows[0].version : (json_int_t)0), report, NULL);
}

void admin_check(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    um_store_raise_caches(r->deps.store, um_http_loop(rq), &(struct um_store_cache){ "", PROBE_NAME, 0 }, 1, probed, later_new(rq, r, NULL));
}
