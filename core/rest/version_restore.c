/* POST …/versions/{seq}/restore: the document becomes what the version shows, by a change like any other.
 *
 *   read the version, take the present state      both in memory, at most REST_STATE_MAX each
 *   work out the change                           on a worker, in a copy of the present state
 *   keep the present state as a version           durable before anything is changed
 *   apply the change where the document lives     editors get it like any edit's; done when it is durable
 *
 * What others write meanwhile is concurrent to the change and stays, like edits of two people at the same time. The
 * change's Yjs client is new; with an Idempotency-Key it follows from the key, so that a repeated request finds it in the
 * document and does nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <umbel/crdt_copy.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "reservations.h"
#include "versions_internal.h"

struct restore {
    struct task task;
    char *user, *key;                    /* key: NULL, or the request's */
    struct um_bytes *present;
    uint64_t client;
    struct um_bytes *change;             /* NULL: the document shows the version already */
    um_err err;
    uint64_t kept;                       /* seq of the version that holds what was before */
};

static struct restore *of(struct task *t) { return UM_CONTAINER(t, struct restore, task); }

static void end(struct task *t)
{
    struct restore *r = of(t);

    free(r->user);
    free(r->key);
    um_bytes_unref(r->present);
    um_bytes_unref(r->change);
}

/* 32 bits, as yjs draws them. */
static uint64_t choose_client(const struct restore *r)
{
    struct um_buf text = { 0 };
    uint64_t h;

    if (r->key == NULL)
        return um_random_below((uint64_t)1 << 32);
    um_buf_printf(&text, "restore\n%s\n%s\n%s\n%llu", r->user, r->key, r->task.document, (unsigned long long)r->task.seq);
    h = um_hash_stable(UM_SPAN(text.data, text.len));
    um_buf_free(&text);
    return h >> 32;
}

/* ---- the answer ---- */

static void answer(struct restore *r, uint64_t seq)
{
    json_t *body = json_pack("{s:I, s:b, s:I}", "restored", (json_int_t)r->task.seq, "changed", r->change != NULL, "seq",
                             (json_int_t)seq);
    struct um_http_req *rq;

    if (r->change != NULL)
        json_object_set_new(body, "before", json_integer((json_int_t)r->kept));
    rq = task_finish(&r->task);
    if (rq != NULL)
        um_http_reply_json(rq, 200, body);
    else
        json_decref(body);
}

static void have_head(void *arg, um_err err, const struct um_store_head *heads, size_t n)
{
    struct restore *r = arg;

    answer(r, err == UM_OK && n == 1 ? heads[0].last_seq : 0);       /* what matters is done */
}

static void ask_head(struct restore *r)
{
    const char *name = r->task.document;

    um_store_heads(r->task.rest->deps.store, r->task.loop, &name, 1, have_head, r);
}

/* ---- the change ---- */

static um_err apply(void *arg, struct um_crdt *crdt, uint64_t seq, struct um_crdt_applied *applied)
{
    struct restore *r = arg;
    int64_t until_ms;
    um_err err;

    (void)seq;
    if (!reservation_may_change(r->task.rest, r->task.document, r->user, &until_ms))
        return UM_ECONFLICT;                 /* reserved by somebody else meanwhile */
    err = um_crdt_load(crdt, um_bytes_span(r->change), applied);
    return err == UM_OK && applied->pending ? UM_EUNAVAIL : err;     /* it builds on what was there */
}

static void applied(void *arg, um_err err)
{
    struct restore *r = arg;

    if (err == UM_OK)
        ask_head(r);
    else
        task_fail(&r->task, err);
}

static void before_kept(void *arg, um_err err, const struct um_store_version *v)
{
    struct restore *r = arg;

    if (UM_FAILPOINT("restore.before_change"))
        err = UM_EIO;
    if (err != UM_OK) {
        task_fail(&r->task, err);
        return;
    }
    r->kept = v->seq;
    um_log(UM_INFO, "rest", "restore version", UM_S("doc", r->task.document), UM_I("seq", r->task.seq), UM_S("user", r->user));
    um_store_note_client(r->task.rest->deps.store, r->task.document, r->client, r->user);
    um_collab_work_on(r->task.rest->collab, r->task.loop, r->task.document, r->user, apply, applied, r);
}

static void keep_before(struct restore *r)
{
    time_t seconds = (time_t)(r->task.at_ms / 1000);
    struct tm utc;
    char label[64] = "";

    gmtime_r(&seconds, &utc);
    strftime(label, sizeof(label), "before restoring %Y-%m-%d %H:%M:%S UTC", &utc);
    present_keep(r->task.rest, r->task.loop, &(struct present_order){ r->task.document, label, r->user, false }, before_kept, r);
}

static um_err become(struct restore *r, struct um_crdt *present, const struct um_crdt *past)
{
    struct um_crdt_applied out = { 0 };
    struct um_buf merged = { 0 };
    struct um_span *all;
    um_err err = um_crdt_begin(present, r->client, NULL);

    if (err != UM_OK)
        return err;
    err = um_crdt_become(present, past);
    um_crdt_commit(present, &out);
    if (err != UM_OK || !out.changed)
        return err;
    all = um_xcalloc(out.n_more + 1, sizeof(*all));
    all[0] = out.event;
    for (size_t i = 0; i < out.n_more; i++)
        all[i + 1] = out.more[i];
    err = out.event.len == 0 ? UM_ENOMEM : um_crdt_merge(NULL, all, out.n_more + 1, &merged);
    if (err == UM_OK)
        r->change = um_buf_to_bytes(&merged);
    um_buf_free(&merged);
    free(all);
    return err == UM_OK && r->change == NULL ? UM_ENOMEM : err;
}

static um_err was_done(const struct restore *r, const struct um_crdt *present, bool *done)
{
    struct um_buf sv = { 0 };
    uint64_t clock = 0;
    um_err err = um_crdt_state_vector(present, &sv);

    if (err == UM_OK)
        err = um_crdt_sv_get(UM_SPAN(sv.data, sv.len), r->client, &clock);
    *done = clock > 0;
    um_buf_free(&sv);
    return err;
}

static um_err work_out(struct restore *r, struct um_crdt *present, struct um_crdt *past)
{
    bool done = false;
    um_err err;

    if ((err = um_crdt_load(past, um_bytes_span(r->task.state), NULL)) != UM_OK)
        return err == UM_EPROTO ? UM_ECORRUPT : err;
    if ((err = um_crdt_load(present, um_bytes_span(r->present), NULL)) != UM_OK ||
        (err = was_done(r, present, &done)) != UM_OK || done)
        return err;
    return become(r, present, past);
}

static void compute(struct um_work *w)
{
    struct restore *r = UM_CONTAINER(w, struct restore, task.work);
    struct um_crdt *present = NULL, *past = NULL;

    if ((r->err = um_crdt_new(NULL, &present)) == UM_OK && (r->err = um_crdt_new(NULL, &past)) == UM_OK)
        r->err = work_out(r, present, past);
    um_crdt_free(present);
    um_crdt_free(past);
}

static void computed(struct um_work *w)
{
    struct restore *r = UM_CONTAINER(w, struct restore, task.work);

    if (r->err == UM_EINVAL) {                           /* a root is a text in the one and something else in the other */
        struct um_http_req *rq = task_finish(&r->task);
        if (rq != NULL)
            um_http_reply_error(rq, 422, "U00422", "the document is of another kind today: it cannot become this version");
    } else if (r->err != UM_OK) {
        task_fail(&r->task, r->err);
    } else if (r->change == NULL) {
        ask_head(r);
    } else {
        keep_before(r);
    }
}

/* ---- the states ---- */

static void have_present(void *arg, um_err err, struct um_bytes *state, uint64_t seq)
{
    struct restore *r = arg;

    (void)seq;
    if (err == UM_OK && state->len > REST_STATE_MAX)
        err = UM_ELIMIT;
    if (err != UM_OK) {
        task_fail(&r->task, err);
        return;
    }
    r->present = um_bytes_ref(state);
    r->client = choose_client(r);
    task_compute(&r->task, compute, computed);
}

static void have_version(struct task *t)
{
    present_take(t->rest, t->loop, t->document, have_present, of(t));
}

static void restore_now(struct um_http_req *rq, void *ctx)
{
    const struct um_token_claims *claims = &caller_of(rq)->claims;
    const char *key = um_api_text(((struct um_rest *)ctx)->api, rq, "Idempotency-Key");
    struct restore *r;

    if (claims->access != NULL && strcmp(claims->access, "readonly") == 0) {
        um_http_reply_error(rq, 403, "U00403", "this token may only read");
        return;
    }
    r = task_new(rq, ctx, sizeof(*r), end);
    if (r == NULL)
        return;
    r->user = um_xstrdup(claims->sub);
    r->key = key != NULL ? um_xstrdup(key) : NULL;
    task_read(&r->task, have_version);
}

void versions_restore(struct um_http_req *rq, void *ctx)
{
    reservation_guard(rq, ctx, um_http_param(rq, "name"), restore_now);
}
