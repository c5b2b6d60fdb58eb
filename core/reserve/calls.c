/* What callers ask for. A call travels to the loop of the reservations, is settled with the database there, and goes home.
 *
 *   TAKE     who edits? --nobody--> the database --granted--> copy, news --all know--> home
 *                | somebody             | others hold it
 *                +----------------------+--> wait and try again while there is time, else home with who it is
 *   RELEASE, RENEW, BREAK   the database, copy, news; then home with the state of the components
 *   STATE    the database */
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "answer.h"
#include "internal.h"

enum { RETRY_MS = 200, WAITING_MAX = 1000 };

enum kind { TAKE, RELEASE, RENEW, RELEASE_SESSION, BREAK, STATE };

struct call {
    struct um_list link;                      /* in um_reserve.calls, while it is here */
    struct um_reserve *r;
    enum kind kind;
    struct um_loop *home;
    um_reserve_cb *cb;
    void *arg;
    char *user, *session;
    char *scope, *id;                         /* BREAK: what it is on record as */
    struct um_reserve_opts opts;
    int64_t give_up_ms;                       /* um_now_ms */
    bool waits;
    struct um_timer retry;
    um_err err;
    struct answer answer;
    size_t n;
    struct um_store_ref refs[];               /* strings are ours */
};

static void call_free(struct call *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free((char *)c->refs[i].category);
        free((char *)c->refs[i].id);
    }
    answer_clear(&c->answer);
    free(c->user);
    free(c->session);
    free(c->scope);
    free(c->id);
    free(c);
}

static void deliver(void *arg)
{
    struct call *c = arg;
    struct um_reserve_answer a = { c->answer.rows, c->answer.n, c->answer.blockers, c->answer.n_blockers };

    if (c->cb != NULL)
        c->cb(c->arg, c->err, &a);
    call_free(c);
}

static void set_waiting(struct call *c, bool waits)
{
    if (c->waits == waits)
        return;
    c->waits = waits;
    c->r->waiting += waits ? 1 : (size_t)-1;
    reserve_count(M_WAITING, waits ? 1 : -1);
}

static void finish(struct call *c, um_err err)
{
    set_waiting(c, false);
    um_list_remove(&c->link);
    if (err == UM_ECONFLICT && c->kind == TAKE)
        reserve_count(M_CONFLICTS, 1);
    c->err = err;
    um_loop_call(c->home, deliver, c);
}

void calls_free(struct um_reserve *r)
{
    UM_LIST_EACH_SAFE(it, &r->calls) {
        struct call *c = UM_CONTAINER(it, struct call, link);

        set_waiting(c, false);
        um_list_remove(&c->link);
        um_timer_stop(r->env.loop, &c->retry);
        call_free(c);
    }
}

/* ---- news of what was done ---- */

static void all_know(void *arg, const struct um_cachegen_applied_by *by)
{
    (void)by;
    finish(arg, UM_OK);
}

/* Into the copy, and out to the others. DONE NULL: nobody waits for them. */
static void spread(struct um_reserve *r, uint64_t version, enum um_reserve_event event, const char *by,
                   const struct um_store_reserved *rows, size_t n, um_cachegen_done *done, void *arg)
{
    struct um_buf news = { 0 };

    reserve_report(r, version, event, by, rows, n);
    news_write(&news, event, by, rows, n);
    um_cachegen_announce(r->env.cachegen, r->env.loop, "", UM_RESERVE_CACHE, version, UM_SPAN(news.data, news.len), done, arg);
    um_buf_free(&news);
}

static void keep_rows(struct call *c, const struct um_store_reserved *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        answer_add_row(&c->answer, &rows[i]);
}

/* ---- TAKE ---- */

static void take(struct call *c);

static void retry_due(void *arg) { take(arg); }

/* False: its time is over, or too many wait. */
static bool wait_longer(struct call *c)
{
    int64_t left = c->give_up_ms - um_now_ms();

    if (left <= 0 || (!c->waits && c->r->waiting >= WAITING_MAX))
        return false;
    set_waiting(c, true);
    answer_clear(&c->answer);
    um_timer_set(c->r->env.loop, &c->retry, UM_MIN(left, RETRY_MS), retry_due, c);
    return true;
}

static bool is_others(const struct call *c, const struct um_store_reserved *row)
{
    return *row->session != '\0' && row->left_ms > 0 && strcmp(row->session, c->session) != 0;
}

static void add_holders(struct call *c, const struct um_store_reserved *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (is_others(c, &rows[i]))
            answer_add_blocker(&c->answer, &(struct um_reserve_blocker){ rows[i].category, rows[i].id, rows[i].user,
                                                                         rows[i].since_ms, false });
}

static void on_granted(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct call *c = arg;

    if (err == UM_ECONFLICT) {
        add_holders(c, rows, n);
        if (!wait_longer(c))
            finish(c, err);
        return;
    }
    if (err != UM_OK || UM_FAILPOINT("resv.after_token")) {
        finish(c, err != UM_OK ? err : UM_EUNAVAIL);
        return;
    }
    reserve_count(M_GRANTED, (int64_t)n);
    keep_rows(c, rows, n);
    if (UM_FAILPOINT("resv.before_redis"))
        finish(c, UM_OK);                     /* as if the news had been lost */
    else
        spread(c->r, version, UM_RESERVE_TAKEN, "", rows, n, all_know, c);
}

static void ask_database(struct call *c)
{
    if (c->r->stopped)
        return;
    um_store_reserve(c->r->env.store, c->r->env.loop, c->refs, c->n, c->user, c->session, c->r->conf.ttl_ms, on_granted, c);
}

/* Others edit: does somebody hold something too? Then that is told as well. */
static void on_held_beside(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct call *c = arg;

    (void)version;
    if (err == UM_OK)
        add_holders(c, rows, n);
    finish(c, UM_ECONFLICT);
}

static void on_editors(void *arg, um_err err, const struct um_reserve_blocker *who, size_t n)
{
    struct call *c = arg;

    if (err == UM_OK && n == 0) {
        ask_database(c);
        return;
    }
    if (err != UM_OK) {
        finish(c, err);
        return;
    }
    for (size_t i = 0; i < n; i++)
        answer_add_blocker(&c->answer, &who[i]);
    if (!wait_longer(c) && !c->r->stopped)
        um_store_reserved(c->r->env.store, c->r->env.loop, c->refs, c->n, on_held_beside, c);
}

/* Does it hold them all already, as far as the copy knows? Then who edits them does not matter. */
static bool has_all(const struct call *c)
{
    struct um_reserve_holder h;

    for (size_t i = 0; i < c->n; i++)
        if (um_reserve_holder(c->r, c->refs[i].category, c->refs[i].id, &h) != UM_RESERVE_HELD ||
            strcmp(h.session, c->session) != 0)
            return false;
    return true;
}

static bool others_hold_some(const struct call *c)
{
    struct um_reserve_holder h;

    for (size_t i = 0; i < c->n; i++)
        if (um_reserve_holder(c->r, c->refs[i].category, c->refs[i].id, &h) != UM_RESERVE_FREE &&
            strcmp(h.session, c->session) != 0)
            return true;
    return false;
}

static void take(struct call *c)
{
    struct um_reserve *r = c->r;

    if (!editing_is_reachable(r->editing))
        finish(c, UM_EUNAVAIL);               /* R6: nothing new while Redis is away */
    else if (has_all(c))
        ask_database(c);
    else if (!copy_has_room(&r->copy, c->session, c->refs, c->n, r->conf.max, r->conf.max_per_session))
        finish(c, UM_ELIMIT);
    else if (c->waits && others_hold_some(c) && wait_longer(c))
        return;                               /* the copy knows enough */
    else if (c->opts.break_shared)
        ask_database(c);
    else
        editing_ask(r->editing, c->refs, c->n, c->user, on_editors, c);
}

/* ---- RELEASE, RENEW ---- */

static void on_state(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct call *c = arg;

    if (err != UM_OK) {
        finish(c, err);
        return;
    }
    reserve_report(c->r, version, UM_RESERVE_RELEASED, "", rows, n);
    keep_rows(c, rows, n);
    if (c->kind == RENEW)
        add_holders(c, rows, n);
    finish(c, c->kind == RENEW ? UM_ECONFLICT : UM_OK);
}

static void ask_state(struct call *c)
{
    if (c->r->stopped)
        return;
    um_store_reserved(c->r->env.store, c->r->env.loop, c->refs, c->n, on_state, c);
}

static void on_released(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct call *c = arg;

    if (err == UM_OK && version != 0)
        spread(c->r, version, UM_RESERVE_RELEASED, "", rows, n, NULL, NULL);
    if (err != UM_OK) {
        finish(c, err);
    } else if (c->kind == RELEASE) {
        ask_state(c);
    } else {
        keep_rows(c, rows, n);
        finish(c, UM_OK);
    }
}

static void on_renewed(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct call *c = arg;

    if (err == UM_OK && version != 0)
        spread(c->r, version, UM_RESERVE_RELEASED, "", rows, n, NULL, NULL);
    if (err != UM_OK) {
        finish(c, err);
    } else if (n == c->n) {
        keep_rows(c, rows, n);
        finish(c, UM_OK);
    } else {
        ask_state(c);
    }
}

/* ---- BREAK ---- */

static void on_broken(void *arg, um_err err, uint64_t version, const struct um_store_reserved *rows, size_t n)
{
    struct call *c = arg;
    struct um_store_reserved after;

    if (err != UM_OK || n == 0 || *rows[0].session == '\0') {
        finish(c, err != UM_OK ? err : UM_ENOTFOUND);
        return;
    }
    reserve_count(M_BROKEN, 1);
    um_log(UM_INFO, "reserve", "broken", UM_S("category", rows[0].category), UM_S("id", rows[0].id), UM_S("user", rows[0].user),
           UM_S("by", c->user));
    keep_rows(c, rows, n);
    after = (struct um_store_reserved){ .category = rows[0].category, .id = rows[0].id, .user = "", .session = "",
                                        .token = rows[0].token + 1 };
    spread(c->r, version, UM_RESERVE_BROKEN, c->user, &after, 1, all_know, c);
}

/* ---- from the caller to the loop ---- */

static void begin(void *arg)
{
    struct call *c = arg;
    struct um_reserve_env *env = &c->r->env;
    int64_t ttl_ms = c->r->conf.ttl_ms;

    um_list_append(&c->r->calls, &c->link);
    if (c->r->stopped)
        return;                               /* um_reserve_free finds it */
    switch (c->kind) {
    case TAKE:
        take(c);
        break;
    case RELEASE:
    case RELEASE_SESSION:
        um_store_release(env->store, env->loop, c->refs, c->n, c->session, on_released, c);
        break;
    case RENEW:
        if (UM_FAILPOINT("resv.renew"))
            finish(c, UM_EUNAVAIL);
        else
            um_store_renew(env->store, env->loop, c->refs, c->n, c->session, ttl_ms, on_renewed, c);
        break;
    case BREAK:
        um_store_break(env->store, env->loop, c->refs[0], c->user, &(struct um_store_about){ c->scope, c->id }, on_broken, c);
        break;
    case STATE:
        ask_state(c);
        break;
    }
}

static bool is_text(const char *s, size_t max) { return s != NULL && *s != '\0' && strlen(s) <= max; }

static bool are_fit(const struct um_store_ref *refs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!um_store_is_category(refs[i].category) || !is_text(refs[i].id, UM_RESERVE_ID_MAX))
            return false;
    return true;
}

static um_err fault_of(enum kind kind, const struct um_store_ref *refs, size_t n, const char *user, const char *session)
{
    bool has_session = is_text(session, UM_RESERVE_SESSION_MAX), has_user = is_text(user, UM_RESERVE_USER_MAX);

    if (n > UM_RESERVE_REFS_MAX)
        return UM_ELIMIT;
    if ((n == 0 && kind != RELEASE_SESSION) || !are_fit(refs, n) || (kind != BREAK && kind != STATE && !has_session) ||
        ((kind == TAKE || kind == BREAK) && !has_user))
        return UM_EINVAL;
    return UM_OK;
}

/* NULL: it goes home with its fault. */
static struct call *call_new(struct um_reserve *r, enum kind kind, struct um_loop *home, const struct um_store_ref *refs, size_t n,
                             const char *user, const char *session, const struct um_reserve_opts *opts, um_reserve_cb *cb, void *arg)
{
    um_err fault = fault_of(kind, refs, n, user, session);
    struct call *c;

    if (fault != UM_OK)
        n = 0;
    c = um_xcalloc(1, sizeof(*c) + n * sizeof(c->refs[0]));
    *c = (struct call){ .r = r, .kind = kind, .home = home, .cb = cb, .arg = arg, .err = fault, .n = n };
    c->user = um_xstrdup(user != NULL ? user : "");
    c->session = um_xstrdup(session != NULL ? session : "");
    if (opts != NULL)
        c->opts = *opts;
    c->give_up_ms = um_now_ms() + UM_MIN(c->opts.wait_ms, UM_RESERVE_WAIT_MAX_MS);
    for (size_t i = 0; i < n; i++)
        c->refs[i] = (struct um_store_ref){ um_xstrdup(refs[i].category), um_xstrdup(refs[i].id), refs[i].token };
    if (fault == UM_OK)
        return c;
    um_loop_call(home, deliver, c);
    return NULL;
}

static void call_begin(struct um_reserve *r, enum kind kind, struct um_loop *home, const struct um_store_ref *refs, size_t n,
                       const char *user, const char *session, const struct um_reserve_opts *opts, um_reserve_cb *cb, void *arg)
{
    struct call *c = call_new(r, kind, home, refs, n, user, session, opts, cb, arg);

    if (c != NULL)
        um_loop_call(r->env.loop, begin, c);
}

void um_reserve_take(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n, const char *user,
                     const char *session, const struct um_reserve_opts *opts, um_reserve_cb *cb, void *arg)
{
    call_begin(r, TAKE, l, refs, n, user, session, opts, cb, arg);
}

void um_reserve_release(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                        const char *session, um_reserve_cb *cb, void *arg)
{
    call_begin(r, RELEASE, l, refs, n, NULL, session, NULL, cb, arg);
}

void um_reserve_renew(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n,
                      const char *session, um_reserve_cb *cb, void *arg)
{
    call_begin(r, RENEW, l, refs, n, NULL, session, NULL, cb, arg);
}

void um_reserve_release_session(struct um_reserve *r, struct um_loop *l, const char *session, um_reserve_cb *cb, void *arg)
{
    call_begin(r, RELEASE_SESSION, l, NULL, 0, NULL, session, NULL, cb, arg);
}

void um_reserve_break(struct um_reserve *r, struct um_loop *l, struct um_store_ref ref, const char *by,
                      const struct um_store_about *about, um_reserve_cb *cb, void *arg)
{
    struct call *c = call_new(r, BREAK, l, &ref, 1, by, NULL, NULL, cb, arg);

    if (c == NULL)
        return;
    c->scope = um_xstrdup(about->scope);
    c->id = um_xstrdup(about->id);
    um_loop_call(r->env.loop, begin, c);
}

void um_reserve_state(struct um_reserve *r, struct um_loop *l, const struct um_store_ref *refs, size_t n, um_reserve_cb *cb,
                      void *arg)
{
    call_begin(r, STATE, l, refs, n, NULL, NULL, NULL, cb, arg);
}

/* ---- from the engine ---- */

void um_reserve_wrote(struct um_reserve *r, const char *category, const char *id, const char *user)
{
    char session[UM_RESERVE_SESSION_MAX + 1];
    struct um_store_ref ref = { category, id, 0 };

    if (copy_wants_renewal(&r->copy, category, id, user, um_now_ms(), r->conf.ttl_ms / 6, session))
        um_reserve_renew(r, r->env.loop, &ref, 1, session, NULL, NULL);
}

struct noting { struct um_reserve *r; bool begins; char *category, *id, *user; };

static void note(void *arg)
{
    struct noting *n = arg;

    editing_note(n->r->editing, n->category, n->id, n->user, n->begins);
    free(n->category);
    free(n->id);
    free(n->user);
    free(n);
}

void um_reserve_editing(struct um_reserve *r, const char *category, const char *id, const char *user, bool begins)
{
    struct noting *n = um_xmalloc(sizeof(*n));

    *n = (struct noting){ r, begins, um_xstrdup(category), um_xstrdup(id), um_xstrdup(user) };
    um_loop_call(r->env.loop, note, n);
}
