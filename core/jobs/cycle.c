/* One unit at a time, with everything that is to be noted and taken: what has ended, what is still done here, what comes next.
 * So a core's many small jobs share their transactions, and nothing of ours is in its own way. */
#include <stdlib.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum {
    RETRY_MS = 100, RETRY_MAX_MS = 2000,
    SHARED_PART = 4,                          /* a unit that shares may have to look past many rows: so many times as long the others do not */
};

/* ---- what is to be done ---- */

static bool is_to_be_renewed(const struct um_job_run *r)
{
    return r->j->renews && (r->state == RUN_RUNNING || r->state == RUN_WITH);
}

static void add_end(struct cycle *c, struct um_job_run *r)
{
    c->runs = um_xrealloc(c->runs, (c->n_ends + 1) * sizeof(*c->runs));
    c->ends = um_xrealloc(c->ends, (c->n_ends + 1) * sizeof(*c->ends));
    c->runs[c->n_ends] = r;
    c->ends[c->n_ends] = r->end;
    if (r->state != RUN_ENDED)
        c->ends[c->n_ends].how = JOB_RENEWED;
    c->n_ends++;
    r->refs++;
}

/* How many jobs there is room for once C is committed. */
static size_t room_after(const struct um_jobs *j, const struct cycle *c)
{
    size_t ended = 0;

    for (size_t i = 0; i < c->n_ends; i++)
        ended += c->ends[i].how != JOB_RENEWED;
    return (size_t)j->conf.workers - UM_MIN((size_t)j->conf.workers, j->n_runs - ended);
}

static bool serves(void *arg, const char *scope, const char *handler)
{
    (void)scope;
    return handlers_serve(arg, handler);
}

static void take_hints(struct um_jobs *j, struct cycle *c)
{
    if (json_array_size(j->hinted) == 0)
        return;
    c->hinted = j->hinted;
    c->ids = json_dumps(c->hinted, JSON_COMPACT);
    j->hinted = json_array();
}

static bool gather(struct um_jobs *j)
{
    struct cycle *c = &j->cycle;
    bool takes = j->env.works && j->is_started && !j->is_draining && j->n_handlers > 0;

    UM_LIST_EACH(it, &j->runs) {
        struct um_job_run *r = UM_CONTAINER(it, struct um_job_run, link);

        if (r->state == RUN_ENDED || is_to_be_renewed(r))
            add_end(c, r);
    }
    c->claim = (struct job_claim){ .worker = j->worker, .lease_ms = j->conf.lease_ms, .max_attempts = j->conf.max_attempts,
                                   .serves = serves, .arg = j, .max = takes ? room_after(j, c) : 0, .after_queue = j->after_queue };
    c->claim.any = c->claim.max > 0 && (j->wants || j->has_backlog);
    c->claim.shares = c->claim.any && um_now_ms() >= j->share_ms;
    if (c->claim.max > 0)
        take_hints(j, c);
    c->claim.ids = c->ids;
    c->disowned = j->unsure;
    c->n_disowned = j->n_unsure;
    return c->n_ends > 0 || c->claim.any || c->ids != NULL;
}

void cycle_free(struct cycle *c)
{
    for (size_t i = 0; i < c->n_ends; i++)
        run_unref(c->runs[i]);
    free(c->runs);
    free(c->ends);
    json_decref(c->hinted);
    free(c->ids);
    c->hinted = NULL;
    c->ids = NULL;
    nums_free(&c->promoted);
    job_claim_clear(&c->claim);
    c->runs = NULL;
    c->ends = NULL;
    c->n_ends = 0;
}

/* ---- the unit ---- */

static um_err work(void *arg, struct um_sql *q)
{
    struct cycle *c = arg;
    um_err err = job_disown(q, c->claim.worker, c->disowned, c->n_disowned);

    c->promoted.n = 0;
    if (err == UM_OK)
        err = job_ends(q, c->ends, c->n_ends, c->claim.lease_ms, &c->promoted);
    c->claim.nums = &c->promoted;
    if (err == UM_OK && (c->claim.any || c->ids != NULL || (c->claim.max > 0 && c->promoted.n > 0)))
        err = job_claim(q, &c->claim);
    return err;
}

/* ---- what came of it ---- */

static void count_end(const struct job_end *e)
{
    static const enum jobs_counter counters[] = { [JOB_DONE] = M_DONE, [JOB_AGAIN] = M_RETRIES, [JOB_GIVEN_UP] = M_DEAD,
                                                  [JOB_HANDED_BACK] = M_HANDED_BACK };

    jobs_count(counters[e->how], 1);
}

static void take_renewal(struct um_job_run *r, const struct job_end *e, int64_t sure_until_ms)
{
    if (e->was_ours)
        r->sure_until_ms = sure_until_ms;
    else if (r->state == RUN_RUNNING)
        atomic_store(&r->lost, true);
}

static void take_end(struct um_job_run *r, const struct job_end *e)
{
    if (e->was_ours && !e->is_uncounted)
        count_end(e);
    else if (!e->is_gone || !r->is_unsure)
        jobs_count(M_REFUSED, 1);
    if (e->was_ours && e->how == JOB_AGAIN)
        jobs_note_due(r->j, e->delay_ms);
    r->is_over = e->is_gone || (e->was_ours && (e->how == JOB_DONE || e->how == JOB_GIVEN_UP));
    if (r->is_over)
        hints_final(r->j->redis, r->taken->job.id);
    if (e->was_ours && e->how == JOB_HANDED_BACK)
        hints_offer(r->j->redis, r->taken->job.id);
    if (r->is_left) {
        r->state = RUN_LEFT;
        r->j->n_runs--;
        jobs_count(M_RUNNING, -1);
        return;
    }
    run_close(r);
}

static void take_ends(struct cycle *c)
{
    for (size_t i = 0; i < c->n_ends; i++) {
        if (c->ends[i].how == JOB_RENEWED)
            take_renewal(c->runs[i], &c->ends[i], c->began_ms + c->j->conf.lease_ms);
        else
            take_end(c->runs[i], &c->ends[i]);
    }
}

static void begin_taken(struct um_jobs *j, struct cycle *c)
{
    struct job_claim *claim = &c->claim;

    jobs_count(M_EXPIRED, (int64_t)(claim->n_taken_over + claim->n_died));
    jobs_count(M_DEAD, (int64_t)claim->n_died);
    if (claim->shares)
        j->share_ms = um_now_ms() + SHARED_PART * (um_now_ms() - c->began_ms);
    if (claim->any) {
        j->has_backlog = claim->is_full;
        j->after_queue = claim->last_queue;
    }
    if (claim->any && claim->next_due_ms > 0)
        jobs_note_due(j, claim->next_due_ms - claim->now_ms);
    j->wants |= claim->promoted.n > 0;
    for (size_t i = 0; i < claim->n_taken; i++) {
        run_begin(j, claim->taken[i], c->began_ms + j->conf.lease_ms);
        claim->taken[i] = NULL;
    }
}

/* Of rows that are gone. The others stay until theirs are. */
static void remove_useless_hints(struct um_jobs *j, const struct cycle *c)
{
    json_t *id;
    size_t i;

    json_array_foreach(c->hinted, i, id)
        if (json_object_get(c->claim.there, json_string_value(id)) == NULL)
            hints_final(j->redis, json_string_value(id));
}

/* Of what was promoted some may be others' to do, or there was no room: another look. */
static bool left_some(const struct cycle *c) { return c->promoted.n > c->claim.n_taken; }

static void retry_due(void *arg) { cycle_maybe(arg); }

static void note_unsure(struct um_jobs *j, const struct job_claim *claim)
{
    for (size_t i = 0; i < claim->n_taken && j->n_unsure < UNSURE_MAX; i++)
        j->unsure[j->n_unsure++] = (struct job_mark){ claim->taken[i]->num, claim->taken[i]->job.fence };
}

static void on_trouble(struct um_jobs *j, um_err err)
{
    struct cycle *c = &j->cycle;

    jobs_count(M_TROUBLES, 1);
    um_log_limited(UM_WARN, "jobs", "the queue's unit was not done", UM_S("reason", um_err_text(err)));
    atomic_store(&j->is_healthy, err == UM_EBUSY || err == UM_EEXIST);
    j->wants |= c->claim.any || c->ids != NULL;
    for (size_t i = 0; i < c->n_ends; i++)
        j->renews |= c->ends[i].how == JOB_RENEWED;
    if (err == UM_EUNAVAIL || err == UM_EIO) {
        note_unsure(j, &c->claim);
        for (size_t i = 0; i < c->n_ends; i++)
            c->runs[i]->is_unsure = true;
    }
    cycle_free(c);
    j->n_troubles++;
    um_timer_set(j->env.loop, &j->retry, UM_MIN(RETRY_MS << UM_MIN(j->n_troubles, 5u), RETRY_MAX_MS), retry_due, j);
}

static void done(void *arg, um_err err)
{
    struct cycle *c = arg;
    struct um_jobs *j = c->j;

    j->in_unit = false;
    if (err != UM_OK) {
        on_trouble(j, err);
        return;
    }
    atomic_store(&j->is_healthy, true);
    j->n_troubles = 0;
    j->n_unsure = 0;
    j->wants |= left_some(c);
    take_ends(c);
    remove_useless_hints(j, c);
    begin_taken(j, c);
    cycle_free(c);
    hints_ask(j->redis);
    cycle_maybe(j);
    jobs_check_drained(j);
}

static bool acknowledges(const struct cycle *c)
{
    for (size_t i = 0; i < c->n_ends; i++)
        if (c->ends[i].how == JOB_DONE)
            return true;
    return false;
}

void cycle_maybe(struct um_jobs *j)
{
    struct cycle *c = &j->cycle;

    if (j->in_unit || j->is_stopped || um_timer_is_set(&j->retry))
        return;
    if (!gather(j)) {
        cycle_free(c);
        j->renews = false;
        return;
    }
    if (acknowledges(c) && UM_FAILPOINT("job.before_ack")) {
        on_trouble(j, UM_EBUSY);
        return;
    }
    c->j = j;
    c->began_ms = um_now_ms();
    j->in_unit = true;
    j->renews = false;
    if (c->claim.any)
        j->wants = false;
    um_store_transact_loosely(j->env.store, j->env.loop, work, done, c);
}
