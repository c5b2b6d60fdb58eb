/* /core/rest/internal/sessions, /core/rest/internal/revocations: what gateways say about ends of sessions, and what every node
 * has to know of them (reliability.md S5, S7).
 *
 * The table of revocations is the truth. Each core holds a copy in memory, kept by the cache ("", "revocations"): news carries
 * "<hash> <ms>", and when anything was missed the table is read again. Tokens that name a revoked session are refused. */
#include <stdlib.h>
#include <string.h>
#include <umbel/cachegen.h>
#include <umbel/log.h>
#include <umbel/reserve.h>
#include <umbel/session.h>
#include <umbel/store_shared.h>
#include <umbel/util.h>
#include "internal.h"

#define AGAIN_MS 1000

struct revocations {
    struct um_rest *rest;
    struct um_loop *loop;
    struct um_revoked *set;
    struct um_timer again;
    uint64_t wanted;                         /* the newest version that we were told of */
    int64_t since_ms;                        /* when the reading under way began */
    bool is_reading;
};

/* ---- the copy ---- */

static void read_table(void *arg);

static void was_read(void *arg, um_err err, uint64_t version, const struct um_store_revocation *rows, size_t n)
{
    struct revocations *v = arg;
    struct um_revocation *list = err == UM_OK ? calloc(n + 1, sizeof(*list)) : NULL;

    v->is_reading = false;
    if (err == UM_OK && list == NULL)
        err = UM_ENOMEM;
    for (size_t i = 0; err == UM_OK && i < n; i++)
        list[i] = (struct um_revocation){ rows[i].hash, rows[i].left_ms };
    if (err == UM_OK)
        err = um_revoked_replace(v->set, list, n, v->since_ms);
    free(list);
    if (err != UM_OK)
        um_log_limited(UM_WARN, "rest", "revocations cannot be read", UM_S("reason", um_err_text(err)));
    else
        um_cachegen_applied(v->rest->deps.cachegen, "", UM_REVOKED_CACHE, version);
    if (err != UM_OK || version < v->wanted)
        um_timer_set(v->loop, &v->again, err != UM_OK ? AGAIN_MS : 0, read_table, v);
}

static void read_table(void *arg)
{
    struct revocations *v = arg;

    if (v->is_reading)
        return;
    v->is_reading = true;
    v->since_ms = um_now_ms();
    um_store_revocations(v->rest->deps.store, v->loop, was_read, v);
}

static void changed(void *arg, const char *scope, uint64_t version, struct um_span news)
{
    char hash[UM_REVOKED_HASH_LEN + 1];
    struct um_revocation row;
    struct revocations *v = arg;

    if (scope[0] != '\0')
        return;
    v->wanted = UM_MAX(v->wanted, version);
    if (um_revoked_read_news(news, hash, &row) && um_revoked_add(v->set, &row, 1) == UM_OK)
        um_cachegen_applied(v->rest->deps.cachegen, "", UM_REVOKED_CACHE, version);
    else
        read_table(v);
}

struct revocations *revocations_new(struct um_rest *r, struct um_loop *l)
{
    struct revocations *v = um_xcalloc(1, sizeof(*v));

    v->rest = r;
    v->loop = l;
    v->set = um_revoked_new();
    um_cachegen_listen(r->deps.cachegen, l, UM_REVOKED_CACHE, changed, v);
    return v;
}

void revocations_free(struct revocations *v)
{
    if (v == NULL)
        return;
    um_timer_stop(v->loop, &v->again);
    um_revoked_free(v->set);
    free(v);
}

bool revocations_have(const struct revocations *v, const char *sid)
{
    return v != NULL && sid != NULL && um_revoked_has(v->set, sid);
}

/* ---- POST /core/rest/internal/sessions/{hash}/end ---- */

struct ending {
    struct later *later;
    struct um_rest *rest;
    struct um_loop *loop;
    int64_t for_ms;
    char hash[UM_SESSION_HASH_LEN + 1];
};

/* The one place where everything goes that the session held. Its lease ends anyway when this does not work. */
static void release_held(struct ending *e)
{
    um_reserve_release_session(e->rest->deps.reserve, e->loop, e->hash, NULL, NULL);
    um_log(UM_DEBUG, "rest", "session ended", UM_S("session", e->hash), UM_I("for_ms", e->for_ms));
}

static void finish(struct ending *e, um_err err)
{
    struct um_http_req *rq = later_take(e->later);

    if (err == UM_OK)
        release_held(e);
    if (rq != NULL && err == UM_OK)
        um_http_reply(rq, 204, NULL, UM_SPAN("", 0));
    else if (rq != NULL)
        reply_store_error(rq, err);
    free(e);
}

static void revoked(void *arg, um_err err, uint64_t version)
{
    struct ending *e = arg;
    struct um_rest *r = e->rest;
    char news[UM_REVOKED_NEWS_MAX];

    if (err == UM_OK) {
        um_revoked_write_news(news, &(struct um_revocation){ e->hash, e->for_ms });
        um_cachegen_announce(r->deps.cachegen, e->loop, "", UM_REVOKED_CACHE, version, UM_SPAN_STR(news), NULL, NULL);
    }
    finish(e, err);
}

static bool is_hash(const char *s)
{
    return s != NULL && strlen(s) == UM_SESSION_HASH_LEN && strspn(s, "0123456789abcdef") == UM_SESSION_HASH_LEN;
}

void internal_session_end(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    const char *hash = um_http_param(rq, "hash"), *reason;
    json_t *body;
    json_int_t for_ms;
    struct ending *e;

    if (!is_hash(hash)) {
        um_http_reply_error(rq, 400, "U00400", "the path needs a session's hash");
        return;
    }
    body = um_api_body(r->api, rq);
    if (body == NULL)
        return;
    for_ms = json_integer_value(json_object_get(body, "forMs"));
    reason = json_string_value(json_object_get(body, "reason"));
    e = um_xcalloc(1, sizeof(*e));
    *e = (struct ending){ .later = later_new(rq, r, NULL), .rest = r, .loop = um_http_loop(rq), .for_ms = for_ms };
    memcpy(e->hash, hash, UM_SESSION_HASH_LEN);
    um_log(UM_INFO, "rest", for_ms > 0 ? "session revoked" : "session over", UM_S("session", hash), UM_S("reason", reason != NULL ? reason : ""));
    json_decref(body);
    if (for_ms > 0)
        um_store_revoke(r->deps.store, e->loop, e->hash, for_ms, revoked, e);
    else
        finish(e, UM_OK);
}

/* ---- GET /core/rest/internal/revocations ---- */

static void reply_list(void *arg, um_err err, uint64_t version, const struct um_store_revocation *rows, size_t n)
{
    struct um_http_req *rq = later_take(arg);
    json_t *list;

    if (rq == NULL)
        return;
    if (err != UM_OK) {
        reply_store_error(rq, err);
        return;
    }
    list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_pack("[s,I]", rows[i].hash, (json_int_t)rows[i].left_ms));
    um_http_reply_json(rq, 200, json_pack("{s:I, s:o}", "version", (json_int_t)version, "revocations", list));
}

void internal_revocations_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    struct later *l = later_new(rq, r, NULL);

    um_store_revocations(r->deps.store, l->loop, reply_list, l);       /* the database's: ours may be behind */
}
