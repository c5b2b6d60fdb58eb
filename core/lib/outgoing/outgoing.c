/* The thread. A turn: take what was asked, give places to those whose turn it is, let curl work, collect what has ended, end those that
 * have waited too long; then sleep until something happens. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "outgoing_int.h"

enum { SLEEP_MAX_MS = 60000 };

/* ---- the thread's ---- */

static void finish(struct call *c, um_err err, const char *why)
{
    transfer_drop(c);
    if (c->route != NULL)
        route_leave(c);
    answer_send(c, err, why);
}

static void begin(struct call *c)
{
    um_err err;

    if (c->deadline_ms <= um_now_ms())
        finish(c, UM_EUNAVAIL, "it waited too long for a place");
    else if ((err = transfer_start(c)) != UM_OK)
        finish(c, err, um_err_text(err));
}

static void give_places(struct um_outgoing *o)
{
    struct call *c;

    while ((c = route_next(o)) != NULL)
        begin(c);
}

static bool take_inbox(struct um_outgoing *o)
{
    struct um_list fresh;
    bool closing;

    um_list_init(&fresh);
    pthread_mutex_lock(&o->lock);
    um_list_splice(&fresh, &o->inbox);
    closing = o->closing;
    pthread_mutex_unlock(&o->lock);
    UM_LIST_EACH_SAFE(it, &fresh) {
        um_list_remove(it);
        route_enter(UM_CONTAINER(it, struct call, link));
    }
    return !closing;
}

static void collect(struct um_outgoing *o)
{
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(o->multi, &left)) != NULL) {
        struct call *c = NULL;
        if (msg->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&c);
        transfer_end(c, msg->data.result);
        finish(c, c->err, c->why);
    }
}

static void give_up(struct call *c) { answer_send(c, UM_EUNAVAIL, "it waited too long for a place"); }

static void close_down(struct call *c) { answer_send(c, UM_ECLOSED, um_err_text(UM_ECLOSED)); }

static void end_all(struct um_outgoing *o)
{
    UM_LIST_EACH_SAFE(it, &o->active)
        finish(UM_CONTAINER(it, struct call, link), UM_ECLOSED, um_err_text(UM_ECLOSED));
    o->look_ms = 0;
    routes_expire(o, INT64_MAX / 2, close_down);     /* all that wait */
}

static void *run(void *arg)
{
    struct um_outgoing *o = arg;
    int running;

    pthread_setname_np(pthread_self(), "outgoing");
    while (take_inbox(o)) {
        int64_t now_ms = um_now_ms(), look_ms;
        give_places(o);
        curl_multi_perform(o->multi, &running);
        collect(o);
        look_ms = routes_expire(o, now_ms, give_up);
        give_places(o);
        curl_multi_poll(o->multi, NULL, 0, (int)UM_MIN(UM_MAX(look_ms - now_ms, 0), SLEEP_MAX_MS), NULL);
    }
    end_all(o);
    return NULL;
}

/* ---- for any thread ---- */

bool um_outgoing_is_url(const struct um_outgoing *o, const char *url, char why[UM_OUTGOING_WHY_MAX])
{
    const char *reason;
    struct url u;

    if (!url_parse(&u, url, &reason)) {
        snprintf(why, UM_OUTGOING_WHY_MAX, "%s", reason);
        return false;
    }
    return allow_lets_url(&o->allow, &u, why, UM_OUTGOING_WHY_MAX);
}

/* A place in the line, counted before it is taken: what many threads ask at once stays within the bounds. */
static bool reserve_waiting(struct call *c)
{
    struct um_outgoing *o = c->o;
    int64_t n = atomic_fetch_add(&o->n_waiting, 1) + 1;
    int64_t bytes = atomic_fetch_add(&o->waiting_bytes, (int64_t)c->body_len) + (int64_t)c->body_len;

    if (n <= o->cf.max_waiting && (bytes <= o->cf.max_waiting_bytes || n == 1)) {
        count(M_WAITING, 1);
        return true;
    }
    atomic_fetch_sub(&o->n_waiting, 1);
    atomic_fetch_sub(&o->waiting_bytes, (int64_t)c->body_len);
    return false;
}

void um_outgoing_ask(struct um_outgoing *o, struct um_loop *l, const struct um_outgoing_call *asked, um_outgoing_cb *cb, void *arg)
{
    struct call *c = call_new(o, asked);

    c->loop = l;
    c->cb = cb;
    c->arg = arg;
    if (c->err != UM_OK) {
        answer_send(c, c->err, c->why);
        return;
    }
    if (!reserve_waiting(c)) {
        answer_send(c, UM_EUNAVAIL, "too many calls wait");
        return;
    }
    pthread_mutex_lock(&o->lock);
    um_list_append(&o->inbox, &c->link);
    pthread_mutex_unlock(&o->lock);
    curl_multi_wakeup(o->multi);
}

/* ---- life ---- */

static um_err start_thread(struct um_outgoing *o)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    failed = pthread_create(&o->thread, NULL, run, o);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? UM_OK : UM_EUNAVAIL;
}

static void free_parts(struct um_outgoing *o)
{
    if (o->multi != NULL)
        curl_multi_cleanup(o->multi);
    um_map_free(&o->routes);
    allow_free(&o->allow);
    pthread_mutex_destroy(&o->lock);
    free(o->ca_file);
    free(o);
}

static um_err open_multi(struct um_outgoing *o)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (o->multi = curl_multi_init()) == NULL)
        return UM_ENOMEM;
    curl_multi_setopt(o->multi, CURLMOPT_MAXCONNECTS, (long)o->cf.max_total);
    curl_multi_setopt(o->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)o->cf.max_total);
    return UM_OK;
}

um_err um_outgoing_new(struct um_outgoing **out, const struct um_outgoing_conf *cf, char why[UM_OUTGOING_WHY_MAX])
{
    struct um_outgoing *o = um_xcalloc(1, sizeof(*o));
    char reason[UM_OUTGOING_WHY_MAX - 16] = "";
    um_err err;

    *out = NULL;
    um_metrics_register(outgoing_metrics, UM_COUNT(outgoing_metrics));
    o->cf = *cf;
    o->cf.allow = o->cf.ca_file = NULL;
    o->ca_file = um_xstrdup(cf->ca_file != NULL ? cf->ca_file : "");
    o->look_ms = INT64_MAX;
    pthread_mutex_init(&o->lock, NULL);
    um_list_init(&o->inbox);
    um_list_init(&o->active);
    um_list_init(&o->ready);
    if ((err = allow_parse(&o->allow, cf->allow, reason, sizeof(reason))) != UM_OK)
        snprintf(why, UM_OUTGOING_WHY_MAX, "outgoing.allow: %s", reason);
    else if ((err = open_multi(o)) != UM_OK || (err = start_thread(o)) != UM_OK)
        snprintf(why, UM_OUTGOING_WHY_MAX, "%s", um_err_text(err));
    if (err != UM_OK) {
        free_parts(o);
        return err;
    }
    *out = o;
    return UM_OK;
}

void um_outgoing_free(struct um_outgoing *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->lock);
    o->closing = true;
    pthread_mutex_unlock(&o->lock);
    curl_multi_wakeup(o->multi);
    pthread_join(o->thread, NULL);
    free_parts(o);
}
