/* Changes and ends of connections on their way into the queue.
 *
 * 1. The engine has a mark put into the table before it appends what the mark is for (collab/told.c), and takes it away in the unit
 *    that adds the job. So there is a mark, or a job, or everything is told.
 * 2. A mark whose core does not come to it (it has died) is made a job by any core, after the longest wait and a lease.
 * 3. A document with a change job that nobody has begun needs no second one: what is told is read when it is told.
 * 4. The end of a connection is put into the queue when it is there; a process that dies takes those with it that it has not put.
 *    They are tried again for a while when the database is away; so many wait at most. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum {
    SWEEP_MAX = 100,                         /* marks in one unit */
    LEAVING_MAX = 10000, LEAVING_TRIES = 60, LEAVING_RETRY_MS = 1000,
};

struct event {                               /* one on its way */
    struct errand errand;
    struct um_webhook *webhook;
    enum webhook_event event;
    char *document, *note;                   /* NOTE: what is told; JSON */
    char user[129];
    int64_t token;
    char job[UM_JOB_ID_LEN + 1];             /* "": none was needed */
    unsigned tries;
    struct um_timer retry;
    void (*cb)(void *arg, um_err err);
    void *arg;
};

static void drop_event(struct errand *errand)
{
    struct event *e = UM_CONTAINER(errand, struct event, errand);

    um_timer_stop(e->webhook->env.loop, &e->retry);
    free(e->document);
    free(e->note);
    free(e);
}

static void event_free(struct event *e)
{
    errand_end(e->webhook, &e->errand);
    drop_event(&e->errand);
}

static struct event *event_new(struct um_webhook *w, enum webhook_event event, const char *document, const struct um_collab_identity *who)
{
    struct event *e = um_xcalloc(1, sizeof(*e));
    json_t *payload = note_payload(event, document, who);

    e->webhook = w;
    e->event = event;
    e->document = um_xstrdup(document);
    e->note = json_dumps(payload, JSON_COMPACT);
    if (e->note == NULL)
        e->note = um_xstrdup("{}");
    snprintf(e->user, sizeof(e->user), "%s", who->user);
    json_decref(payload);
    errand_begin(w, &e->errand, drop_event);
    return e;
}

static void finish(struct event *e, um_err err)
{
    e->cb(e->arg, err);
    event_free(e);
}

/* ---- jobs ---- */

/* The scope is the component's, of which DOCUMENT is the body. */
static char *scope_of(const struct um_webhook *w, const char *document)
{
    const char *scope = document + strlen(UM_STORE_UNLISTED), *slash;

    if (strncmp(document, UM_STORE_UNLISTED, strlen(UM_STORE_UNLISTED)) == 0 && (slash = strchr(scope, '/')) != NULL &&
        (size_t)(slash - scope) <= UM_JOB_TEXT_MAX)
        return um_xstrndup(scope, (size_t)(slash - scope));
    return um_xstrdup(w->env.default_scope);
}

static um_err add_job(struct um_sql *q, const struct um_webhook *w, enum webhook_event event, const char *document, const char *user,
                      const char *note, char id[UM_JOB_ID_LEN + 1])
{
    char *scope = scope_of(w, document);
    struct um_job_new job = { .scope = scope, .registration = REGISTRATION, .handler = HANDLER, .action = webhook_events[event], .phase = "AFTER",
                              .category = "COLLAB", .object = document, .user = user, .payload = UM_SPAN_STR(note) };
    bool is_waiting = false;
    um_err err = event == EVENT_CHANGE ? um_jobs_is_waiting(q, &job, &is_waiting) : UM_OK;

    *id = '\0';
    if (err == UM_OK && !is_waiting)
        err = um_jobs_add(q, &job, id);
    free(scope);
    return err;
}

static void announce(struct um_webhook *w, const char *id)
{
    if (*id == '\0')
        return;
    webhook_count(W_NOTED);
    um_jobs_added(w->env.jobs, &id, 1);
}

/* ---- marks ---- */

static int64_t told_by_ms(const struct um_webhook *w, struct um_sql *q)
{
    return um_sql_now_ms(q) + w->env.conf->max_wait_ms + w->env.jobs_conf->lease_ms;
}

struct change_work {
    um_err (*unit)(void *arg, struct um_sql *q);
    void (*done)(void *arg, um_err err);
};

static void change_unit(struct um_webhook *w, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                        struct change_work work, void (*cb)(void *arg, um_err err), void *arg)
{
    struct event *e = event_new(w, EVENT_CHANGE, document, who);

    e->token = token;
    e->cb = cb;
    e->arg = arg;
    um_store_transact(w->env.store, l, work.unit, work.done, e);
}

/* An answer that got lost is asked for again, with the same token. */
static um_err mark(void *arg, struct um_sql *q)
{
    const struct event *e = arg;

    return um_sql_exec(q, "INSERT INTO webhook_marks(token, document, note, told_by_ms) VALUES(?1, ?2, ?3, ?4) ON CONFLICT (token) DO NOTHING",
                       UM_SQL_ARGS(UM_SQL_INT(e->token), um_sql_word(e->document), um_sql_word(e->note), UM_SQL_INT(told_by_ms(e->webhook, q))), NULL);
}

static void marked(void *arg, um_err err) { finish(arg, err); }

void change_mark(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                 void (*cb)(void *arg, um_err err), void *arg)
{
    change_unit(ctx, l, document, who, token, (struct change_work){ mark, marked }, cb, arg);
}

static um_err remove_mark(struct um_sql *q, int64_t token)
{
    return um_sql_exec(q, "DELETE FROM webhook_marks WHERE token = ?1", UM_SQL_ARGS(UM_SQL_INT(token)), NULL);
}

static um_err tell(void *arg, struct um_sql *q)
{
    struct event *e = arg;
    um_err err = remove_mark(q, e->token);

    return err == UM_OK ? add_job(q, e->webhook, e->event, e->document, e->user, e->note, e->job) : err;
}

static void told(void *arg, um_err err)
{
    struct event *e = arg;

    if (err == UM_OK)
        announce(e->webhook, e->job);
    finish(e, err);
}

void change_tell(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who, int64_t token,
                 void (*cb)(void *arg, um_err err), void *arg)
{
    change_unit(ctx, l, document, who, token, (struct change_work){ tell, told }, cb, arg);
}

/* ---- marks that their cores did not come to ---- */

struct sweep {
    struct errand errand;
    struct um_webhook *webhook;
    struct { int64_t token; char *document, *note; } marks[SWEEP_MAX];
    char jobs[SWEEP_MAX][UM_JOB_ID_LEN + 1];
    size_t n;
};

static void sweep_clear(struct sweep *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->marks[i].document);
        free(s->marks[i].note);
    }
    s->n = 0;
}

static void drop_sweep(struct errand *errand)
{
    struct sweep *s = UM_CONTAINER(errand, struct sweep, errand);

    sweep_clear(s);
    free(s);
}

static um_err take_mark(void *arg, const struct um_sql_row *row)
{
    struct sweep *s = arg;

    s->marks[s->n].token = um_sql_int(row, 0);
    s->marks[s->n].document = um_xstrdup(um_sql_text(row, 1));
    s->marks[s->n++].note = um_xstrdup(um_sql_text(row, 2));
    return UM_OK;
}

static um_err take_over(void *arg, struct um_sql *q)
{
    struct sweep *s = arg;
    um_err err;

    sweep_clear(s);
    err = um_sql_each(q, "SELECT token, document, note FROM webhook_marks WHERE told_by_ms <= ?1 ORDER BY told_by_ms, token LIMIT ?2",
                      UM_SQL_ARGS(UM_SQL_INT(um_sql_now_ms(q)), UM_SQL_INT(SWEEP_MAX)), take_mark, s);
    for (size_t i = 0; i < s->n && err == UM_OK; i++) {
        err = remove_mark(q, s->marks[i].token);
        if (err == UM_OK)
            err = add_job(q, s->webhook, EVENT_CHANGE, s->marks[i].document, "", s->marks[i].note, s->jobs[i]);
    }
    return err;
}

static void swept(void *arg, um_err err)
{
    struct sweep *s = arg;
    struct um_webhook *w = s->webhook;

    for (size_t i = 0; i < s->n && err == UM_OK; i++) {
        webhook_count(W_TAKEN);
        announce(w, s->jobs[i]);
    }
    um_timer_set(w->env.loop, &w->sweep, err == UM_OK && s->n == SWEEP_MAX ? 0 : w->env.jobs_conf->sweep_ms, change_sweep, w);
    errand_end(w, &s->errand);
    drop_sweep(&s->errand);
}

void change_sweep(void *arg)
{
    struct um_webhook *w = arg;
    struct sweep *s = um_xcalloc(1, sizeof(*s));

    s->webhook = w;
    errand_begin(w, &s->errand, drop_sweep);
    um_store_transact(w->env.store, w->env.loop, take_over, swept, s);
}

/* ---- ends of connections ---- */

static um_err leave(void *arg, struct um_sql *q)
{
    struct event *e = arg;

    return add_job(q, e->webhook, e->event, e->document, e->user, e->note, e->job);
}

static void try_leave(void *arg);

static void has_left(void *arg, um_err err)
{
    struct event *e = arg;
    struct um_webhook *w = e->webhook;

    if (err == UM_OK) {
        announce(w, e->job);
    } else if (++e->tries < LEAVING_TRIES) {
        um_timer_set(w->env.loop, &e->retry, LEAVING_RETRY_MS, try_leave, e);
        return;
    } else {
        webhook_count(W_LOST);
        um_log_limited(UM_ERROR, "webhook", "the end of a connection will not be told", UM_S("doc", e->document), UM_S("reason", um_err_text(err)));
    }
    atomic_fetch_sub(&w->n_leaving, 1);
    event_free(e);
}

static void try_leave(void *arg)
{
    struct event *e = arg;

    um_store_transact(e->webhook->env.store, e->webhook->env.loop, leave, has_left, e);
}

void connection_left(void *ctx, const char *document, const struct um_collab_identity *who)
{
    struct um_webhook *w = ctx;

    if (atomic_fetch_add(&w->n_leaving, 1) >= LEAVING_MAX) {
        atomic_fetch_sub(&w->n_leaving, 1);
        webhook_count(W_LOST);
        um_log_limited(UM_ERROR, "webhook", "the end of a connection will not be told", UM_S("doc", document), UM_S("reason", "too many wait"));
        return;
    }
    try_leave(event_new(w, EVENT_DISCONNECT, document, who));
}
