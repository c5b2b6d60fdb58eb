/* Taking jobs that are due (rows.h). One unit, some statements for each queue that has any:
 *
 *   which queues have something due; what operators say of them; their first rows, locked, without waiting for those that others
 *   have locked; of NEW ones, where their lanes stand; and one statement each for those that are taken, that died too often, and
 *   that wait behind others. */
#include <string.h>
#include "controls.h"
#include "rows.h"

enum {
    QUEUES_MAX = 1000,                        /* looked at in one unit; the next one goes on behind them */
    LOOKED_AT_MAX = 1000,                     /* rows of one queue, in one unit, while most of them have to wait behind others */
    GROWTH = 4,
    PART = 4,                                 /* of the room, for what is due elsewhere, before those that follow others of their lanes */
};

struct candidate {
    int64_t num, lane, attempts, head, first;
    enum job_status status;
    bool is_settled;                          /* nothing more to be done about it in this unit */
    char *scope, *registration;
};
struct candidates { struct candidate *list; size_t n, cap; };

struct claiming {
    struct um_sql *q;
    struct job_claim *c;
    struct controls controls;
    struct candidates all;
    size_t n_rows;                            /* of the last question */
    size_t max;                               /* so many are taken for now */
    int64_t wait_ms;                          /* until one may begin that a rate holds back now; 0: none */
};

/* ---- candidates ---- */

static void clear_candidates(struct candidates *all)
{
    for (size_t i = 0; i < all->n; i++)
        free(all->list[i].scope);
    free(all->list);
    *all = (struct candidates){ 0 };
}

static um_err add_candidate(void *arg, const struct um_sql_row *row)
{
    struct claiming *w = arg;
    struct candidates *all = &w->all;
    const char *scope = um_sql_text(row, 4), *registration = um_sql_text(row, 5);
    struct candidate *k;

    w->n_rows++;
    if (!w->c->serves(w->c->arg, scope, um_sql_text(row, 6)) || controls_pause(&w->controls, scope, registration))
        return UM_OK;
    if (all->n == all->cap) {
        all->cap = all->cap > 0 ? 2 * all->cap : 32;
        all->list = um_xrealloc(all->list, all->cap * sizeof(*all->list));
    }
    k = &all->list[all->n++];
    *k = (struct candidate){ .num = um_sql_int(row, 0), .lane = um_sql_int(row, 1), .status = (enum job_status)um_sql_int(row, 2),
                             .attempts = um_sql_int(row, 3) };
    k->scope = um_xmalloc(strlen(scope) + strlen(registration) + 2);
    strcpy(k->scope, scope);
    k->registration = strcpy(k->scope + strlen(scope) + 1, registration);
    return UM_OK;
}

static bool has_room(const struct claiming *w, size_t more) { return w->c->n_taken + more < w->max; }

static bool may_begin(struct claiming *w, const struct candidate *k)
{
    int64_t ms;
    bool may = controls_take(&w->controls, k->scope, k->registration, &ms);

    if (!may)
        w->wait_ms = w->wait_ms > 0 ? UM_MIN(w->wait_ms, ms) : ms;
    return may;
}

/* ---- taking ---- */

static const char *put(char **at, struct um_span s)
{
    char *here = *at;

    memcpy(here, s.data, s.len);
    here[s.len] = '\0';
    *at += s.len + 1;
    return here;
}

/* The columns of TAKEN_COLUMNS that are texts, in their order; then numbers. */
#define TAKEN_COLUMNS "id, scope, registration, handler, action, phase, category, object, user_id, request, payload," \
    " num, attempts, depth, fence, created_ms"
enum { TEXTS = 11 };

static um_err add_taken(void *arg, const struct um_sql_row *row)
{
    struct job_claim *c = arg;
    struct job_taken *t;
    size_t size = sizeof(*t) + TEXTS;
    char *at;

    for (size_t i = 0; i < TEXTS; i++)
        size += um_sql_span(row, i).len;
    t = um_xmalloc(size);
    at = t->text;
    t->job = (struct um_job){ .attempt = (unsigned)um_sql_int(row, TEXTS + 1), .depth = (unsigned)um_sql_int(row, TEXTS + 2),
                              .fence = (uint64_t)um_sql_int(row, TEXTS + 3), .created_ms = um_sql_int(row, TEXTS + 4) };
    const char **texts[TEXTS] = { &t->job.id, &t->job.scope, &t->job.registration, &t->job.handler, &t->job.action, &t->job.phase,
                                  &t->job.category, &t->job.object, &t->job.user, &t->job.request, &t->job.payload };
    for (size_t i = 0; i < TEXTS; i++)
        *texts[i] = put(&at, um_sql_span(row, i));
    t->num = um_sql_int(row, TEXTS);
    c->taken = um_xrealloc(c->taken, (c->n_taken + 1) * sizeof(*c->taken));
    c->taken[c->n_taken++] = t;
    return UM_OK;
}

static um_err take(struct claiming *w, const struct nums *nums)
{
    struct job_claim *c = w->c;
    struct um_buf b = { 0 };
    um_err err = UM_OK;

    if (nums->n > 0)
        err = um_sql_each(w->q, JOBS_LISTED(w->q, "UPDATE jobs SET status = 4, worker = ?2, due_ms = ?3, started_ms = ?4, seen_ms = ?4,"
                                            " fence = fence + 1, attempts = attempts + 1 WHERE num", " RETURNING " TAKEN_COLUMNS),
                          UM_SQL_ARGS(nums_value(w->q, nums, &b), um_sql_word(c->worker), UM_SQL_INT(c->now_ms + c->lease_ms),
                                      UM_SQL_INT(c->now_ms)), add_taken, c);
    um_buf_free(&b);
    return err;
}

/* Their lease has ended once too often. */
static um_err bury(struct claiming *w, const struct nums *nums, const struct nums *lanes)
{
    struct um_buf b = { 0 };
    um_err err = UM_OK;

    if (nums->n > 0)
        err = um_sql_exec(w->q, JOBS_LISTED(w->q, "UPDATE jobs SET status = 5, due_ms = NULL, worker = NULL, error_code = ?2,"
                                            " error_message = ?3 || coalesce(worker, ?5), error_ms = ?4 WHERE num", ""),
                          UM_SQL_ARGS(nums_value(w->q, nums, &b), um_sql_word(JOB_CODE_DIED), um_sql_word("its worker died: "),
                                      UM_SQL_INT(w->c->now_ms), um_sql_word("")), NULL);
    w->c->n_died += nums->n;
    um_buf_free(&b);
    return err == UM_OK ? job_promote(w->q, lanes, &w->c->promoted) : err;
}

static um_err take_heads(struct claiming *w)
{
    struct nums take_these = { 0 }, dead = { 0 }, lanes = { 0 };
    um_err err;

    for (size_t i = 0; i < w->all.n; i++) {
        struct candidate *k = &w->all.list[i];
        bool expired = k->status == JOB_PROCESSING;

        if (k->status == JOB_NEW)
            continue;
        k->is_settled = true;
        if (expired && k->attempts >= w->c->max_attempts) {
            nums_add(&dead, k->num);
            nums_add(&lanes, k->lane);
        } else if (has_room(w, take_these.n) && may_begin(w, k)) {
            nums_add(&take_these, k->num);
            w->c->n_taken_over += expired;
        }
    }
    err = take(w, &take_these);
    if (err == UM_OK)
        err = bury(w, &dead, &lanes);
    nums_free(&take_these);
    nums_free(&dead);
    nums_free(&lanes);
    return err;
}

/* ---- new ones ---- */

static um_err add_place(void *arg, const struct um_sql_row *row)
{
    struct candidates *all = arg;

    for (size_t i = 0; i < all->n; i++)
        if (all->list[i].num == um_sql_int(row, 0)) {
            all->list[i].head = um_sql_int(row, 1);
            all->list[i].first = um_sql_int(row, 2);
            break;
        }
    return UM_OK;
}

#define CANDIDATES "SELECT num, lane, status, attempts, scope, registration, handler FROM jobs WHERE "
#define LOCKED " FOR UPDATE SKIP LOCKED"

static um_err look_at(struct claiming *w, const struct nums *nums)
{
    struct um_buf b = { 0 };
    um_err err = UM_OK;

    if (nums->n > 0)
        err = um_sql_each(w->q, JOBS_LISTED_LOCK(w->q, CANDIDATES "num", " AND due_ms <= ?2 ORDER BY num", LOCKED),
                          UM_SQL_ARGS(nums_value(w->q, nums, &b), UM_SQL_INT(w->c->now_ms)), add_candidate, w);
    um_buf_free(&b);
    return err;
}

/* The head of the lane of each, and the first of those that wait in it. False: none is left. */
static bool find_places(struct claiming *w, um_err *err)
{
    struct nums nums = { 0 };
    struct um_buf b = { 0 };

    for (size_t i = 0; i < w->all.n; i++)
        if (!w->all.list[i].is_settled)
            nums_add(&nums, w->all.list[i].num);
    if (nums.n > 0)
        *err = um_sql_each(w->q, JOBS_LISTED(w->q, "SELECT j.num, (SELECT h.num FROM jobs h WHERE h.lane = j.lane AND h.status >= 2 AND h.status <= 4),"
                                             " (SELECT min(f.num) FROM jobs f WHERE f.lane = j.lane AND f.status < 2)"
                                             " FROM jobs j WHERE j.num", ""), UM_SQL_ARGS(nums_value(w->q, &nums, &b)), add_place, &w->all);
    um_buf_free(&b);
    bool some = nums.n > 0;
    nums_free(&nums);
    return some && *err == UM_OK;
}

/* Is it its lane's turn? It is the head itself when one that died was before it. */
static bool is_next(const struct candidate *k) { return k->head == k->num || (k->head == 0 && k->first == k->num); }

static um_err take_free_lanes(struct claiming *w)
{
    struct nums nums = { 0 };
    um_err err;

    for (size_t i = 0; i < w->all.n; i++) {
        struct candidate *k = &w->all.list[i];

        if (k->is_settled || !is_next(k) || !has_room(w, nums.n) || !may_begin(w, k))
            continue;
        k->is_settled = true;
        nums_add(&nums, k->num);
    }
    err = take(w, &nums);
    nums_free(&nums);
    return err;
}

static um_err add_num(void *arg, const struct um_sql_row *row)
{
    nums_add(arg, um_sql_int(row, 0));
    return UM_OK;
}

#define HEADS " AND status >= 2 AND status <= 4"

/* Changes the heads, so that who ends one of them knows of those behind it. TOUCHED: without those that somebody else has locked. */
static um_err touch_heads(struct claiming *w, const struct nums *heads, struct nums *touched)
{
    const char *text = um_sql_is_postgres(w->q)
        ? "UPDATE jobs SET behind = behind + 1 WHERE num IN (SELECT num FROM jobs WHERE num" JOBS_IN_POSTGRES HEADS
          " FOR UPDATE SKIP LOCKED) RETURNING num"
        : "UPDATE jobs SET behind = behind + 1 WHERE num" JOBS_IN_SQLITE HEADS " RETURNING num";
    struct um_buf b = { 0 };
    um_err err = heads->n > 0 ? um_sql_each(w->q, text, UM_SQL_ARGS(nums_value(w->q, heads, &b)), add_num, touched) : UM_OK;

    um_buf_free(&b);
    return err;
}

static um_err put_behind(struct claiming *w)
{
    struct nums heads = { 0 }, touched = { 0 }, nums = { 0 };
    struct um_buf b = { 0 };
    um_err err;

    for (size_t i = 0; i < w->all.n; i++) {
        struct candidate *k = &w->all.list[i];

        k->is_settled |= is_next(k);          /* there was no room for it */
        if (!k->is_settled && k->head != 0 && !nums_has(&heads, k->head))
            nums_add(&heads, k->head);
    }
    err = touch_heads(w, &heads, &touched);
    for (size_t i = 0; i < w->all.n; i++)
        if (!w->all.list[i].is_settled && nums_has(&touched, w->all.list[i].head))
            nums_add(&nums, w->all.list[i].num);
    if (err == UM_OK && nums.n > 0)
        err = um_sql_exec(w->q, JOBS_LISTED(w->q, "UPDATE jobs SET status = 1, due_ms = NULL WHERE num", ""),
                          UM_SQL_ARGS(nums_value(w->q, &nums, &b)), NULL);
    w->c->n_sorted += nums.n;
    um_buf_free(&b);
    nums_free(&heads);
    nums_free(&touched);
    nums_free(&nums);
    return err;
}

/* An older one of a free lane may be due later: it was retried. It comes first all the same. */
static um_err find_elders(struct claiming *w)
{
    struct nums elders = { 0 };
    um_err err = UM_OK;

    for (size_t i = 0; i < w->all.n; i++) {
        const struct candidate *k = &w->all.list[i];
        bool is_one = !k->is_settled && k->head == 0 && k->first != 0 && k->first != k->num;

        for (size_t n = 0; n < w->all.n && is_one; n++)
            is_one = w->all.list[n].num != k->first;
        if (is_one && !nums_has(&elders, k->first))
            nums_add(&elders, k->first);
    }
    if (elders.n > 0 && (err = look_at(w, &elders)) == UM_OK)
        find_places(w, &err);
    nums_free(&elders);
    return err;
}

/* All candidates; they are forgotten. */
static um_err settle(struct claiming *w)
{
    um_err err = take_heads(w);

    if (err == UM_OK && find_places(w, &err)) {
        err = find_elders(w);
        if (err == UM_OK)
            err = take_free_lanes(w);
        if (err == UM_OK && find_places(w, &err))
            err = put_behind(w);
    }
    clear_candidates(&w->all);
    return err;
}

/* ---- some that are named ---- */

static um_err claim_nums(struct claiming *w, const struct nums *nums)
{
    um_err err = has_room(w, 0) ? look_at(w, nums) : UM_OK;

    return err == UM_OK ? settle(w) : err;
}

struct naming { struct job_claim *c; struct nums nums; };

static um_err add_named(void *arg, const struct um_sql_row *row)
{
    struct naming *n = arg;

    json_object_set_new(n->c->there, um_sql_text(row, 0), json_true());
    nums_add(&n->nums, um_sql_int(row, 1));
    return UM_OK;
}

#define NAMED "SELECT id, num FROM jobs WHERE id "

/* A JSON list of words without backslashes is an array but for its brackets. */
static char *array_of(const char *json)
{
    char *s = um_xstrdup(json);

    s[0] = '{';
    s[strlen(s) - 1] = '}';
    return s;
}

static um_err claim_ids(struct claiming *w)
{
    bool postgres = um_sql_is_postgres(w->q);
    char *list = postgres ? array_of(w->c->ids) : um_xstrdup(w->c->ids);
    struct naming n = { w->c, { 0 } };
    um_err err = um_sql_each(w->q, postgres ? NAMED "= ANY(CAST(?1 AS _text))" : NAMED "IN (SELECT value FROM json_each(?1))",
                             UM_SQL_ARGS(um_sql_word(list)), add_named, &n);

    free(list);
    if (err == UM_OK)
        err = claim_nums(w, &n.nums);
    nums_free(&n.nums);
    return err;
}

/* ---- whatever is due ---- */

struct queue { int64_t name; bool is_due; };
struct queues { struct claiming *w; struct queue *list; size_t n, n_due, n_seen; int64_t last, until; };

static um_err add_queue(void *arg, const struct um_sql_row *row)
{
    struct queues *all = arg;
    struct claiming *w = all->w;
    const char *scope = um_sql_text(row, 1);
    int64_t next_ms = um_sql_int(row, 5);
    bool is_due = um_sql_int(row, 4) <= w->c->now_ms;

    all->last = um_sql_int(row, 0);
    all->n_seen++;
    if (all->last > all->until || !w->c->serves(w->c->arg, scope, um_sql_text(row, 3)) ||
        controls_pause(&w->controls, scope, um_sql_text(row, 2)))
        return UM_OK;
    all->list = um_xrealloc(all->list, (all->n + 1) * sizeof(*all->list));
    all->list[all->n++] = (struct queue){ all->last, is_due };
    all->n_due += is_due;
    if (next_ms > 0 && (w->c->next_due_ms == 0 || next_ms < w->c->next_due_ms))
        w->c->next_due_ms = next_ms;
    return UM_OK;
}

/* Steps from one queue to the next through jobs_due, so that its cost is of the queues and not of the rows. With the first row of
 * each, and the moment of the first one that is not due yet. */
#define QUEUES \
    "WITH RECURSIVE r(queue) AS (SELECT min(queue) FROM jobs WHERE due_ms IS NOT NULL AND queue > ?1" \
    " UNION ALL SELECT (SELECT min(j.queue) FROM jobs j WHERE j.due_ms IS NOT NULL AND j.queue > r.queue) FROM r WHERE r.queue IS NOT NULL)" \
    " SELECT r.queue, f.scope, f.registration, f.handler, f.due_ms," \
    " (SELECT min(d.due_ms) FROM jobs d WHERE d.queue = r.queue AND d.due_ms > ?2) FROM r, jobs f WHERE r.queue IS NOT NULL AND f.num =" \
    " (SELECT x.num FROM jobs x WHERE x.queue = r.queue AND x.due_ms IS NOT NULL ORDER BY x.due_ms, x.num LIMIT 1) LIMIT ?3"

static um_err find_queues(struct queues *all, int64_t after, int64_t until)
{
    all->until = until;
    return um_sql_each(all->w->q, QUEUES, UM_SQL_ARGS(UM_SQL_INT(after), UM_SQL_INT(all->w->c->now_ms), UM_SQL_INT(QUEUES_MAX)),
                       add_queue, all);
}

static size_t progress(const struct job_claim *c) { return c->n_taken + c->n_sorted + c->n_died; }

/* SHARE jobs of one queue. Rows that have to wait behind others are put there on the way, some more each time. */
static um_err claim_queue(struct claiming *w, int64_t queue, size_t share)
{
    const char *text = um_sql_is_postgres(w->q) ? CANDIDATES "queue = ?1 AND due_ms <= ?2 ORDER BY due_ms, num LIMIT ?3" LOCKED
                                                : CANDIDATES "queue = ?1 AND due_ms <= ?2 ORDER BY due_ms, num LIMIT ?3";
    size_t until = w->c->n_taken + share, limit = share, looked_at = 0, before;
    um_err err;

    do {
        before = progress(w->c);
        w->n_rows = 0;
        err = um_sql_each(w->q, text, UM_SQL_ARGS(UM_SQL_INT(queue), UM_SQL_INT(w->c->now_ms), UM_SQL_INT(limit)), add_candidate, w);
        if (err == UM_OK)
            err = settle(w);
        if (err != UM_OK || w->n_rows < limit)
            return err;
        looked_at += w->n_rows;
        limit = UM_MIN(limit * GROWTH, LOOKED_AT_MAX);
    } while (progress(w->c) > before && w->c->n_taken < until && looked_at < LOOKED_AT_MAX);
    w->c->is_full |= progress(w->c) > before;
    return UM_OK;
}

static um_err claim_any(struct claiming *w)
{
    struct queues all = { .w = w };
    struct job_claim *c = w->c;
    um_err err = find_queues(&all, c->after_queue, INT64_MAX);
    size_t left;

    if (err == UM_OK && all.n_seen == QUEUES_MAX)
        c->last_queue = all.last;
    else if (err == UM_OK && c->after_queue >= 0)
        err = find_queues(&all, -1, c->after_queue);
    left = all.n_due;
    for (size_t i = 0; i < all.n && err == UM_OK; i++) {
        size_t room = c->max - UM_MIN(c->max, c->n_taken);

        if (!all.list[i].is_due)
            continue;
        c->is_full |= room == 0;
        if (room == 0)
            break;
        err = claim_queue(w, all.list[i].name, (room + left - 1) / left);
        c->last_queue = all.list[i].name;
        left--;
    }
    free(all.list);
    return err;
}

/* ---- all of it ---- */

/* Those that are the next of their lanes follow at once, so long lanes would keep all of the room for ever. In a unit that shares they have
 * it but for a part, and what the others leave of that. */
static um_err claim_all(struct claiming *w)
{
    struct job_claim *c = w->c;
    um_err err = UM_OK;

    w->max = c->max - (c->shares ? (c->max + PART - 1) / PART : 0);
    if (c->nums != NULL)
        err = claim_nums(w, c->nums);
    w->max = c->max;
    if (err == UM_OK && c->ids != NULL) {
        c->there = json_object();
        err = claim_ids(w);
    }
    if (err == UM_OK && c->any && c->max > 0)
        err = claim_any(w);
    if (err == UM_OK && c->shares && c->nums != NULL)
        err = claim_nums(w, c->nums);
    return err;
}

um_err job_claim(struct um_sql *q, struct job_claim *c)
{
    struct claiming w = { .q = q, .c = c };
    um_err err;

    job_claim_clear(c);
    c->now_ms = um_sql_now_ms(q);
    c->last_queue = c->after_queue;
    err = controls_read(q, &w.controls);
    if (err == UM_OK)
        err = claim_all(&w);
    if (err == UM_OK)
        err = controls_write(q, &w.controls);
    if (w.wait_ms > 0 && (c->next_due_ms == 0 || c->now_ms + w.wait_ms < c->next_due_ms))
        c->next_due_ms = c->now_ms + w.wait_ms;
    clear_candidates(&w.all);
    controls_free(&w.controls);
    return err;
}

void job_claim_clear(struct job_claim *c)
{
    for (size_t i = 0; i < c->n_taken; i++)
        free(c->taken[i]);                    /* those that somebody has adopted are NULL */
    free(c->taken);
    json_decref(c->there);
    nums_free(&c->promoted);
    c->taken = NULL;
    c->there = NULL;
    c->n_taken = c->n_sorted = c->n_taken_over = c->n_died = 0;
    c->next_due_ms = c->last_queue = c->now_ms = 0;
    c->is_full = false;
}
