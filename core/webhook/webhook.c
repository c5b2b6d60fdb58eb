/* See umbel/webhook.h: the object, and its calls. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { THREADS = 1, WAITING_MAX = 1000, ATTEMPT_MAX = 12 };

const char *const webhook_events[EVENT_N] = { "change", "connect", "create", "disconnect" };

struct um_metric webhook_counters[W_N] = {
#define X(id, n, u, h) [W_##id] = { .name = n, .unit = u, .help = h, .kind = UM_COUNTER },
    WEBHOOK_COUNTERS(X)
#undef X
};

/* ---- calls ---- */

void webhook_send(const struct um_webhook *w, struct um_loop *l, struct um_span body, const char *key, unsigned attempt, int64_t timeout_ms,
                  um_outgoing_cb *cb, void *arg)
{
    const struct um_webhook_conf *cf = w->env.conf;
    bool signs = *cf->secret != '\0';
    char count[ATTEMPT_MAX];
    struct um_outgoing_header headers[] = { { "Content-Type", "application/json" }, { "Idempotency-Key", key },
                                            { "X-Operation-Attempt", count } };
    struct um_outgoing_call call = { .method = "POST", .url = cf->url, .headers = headers, .n_headers = UM_COUNT(headers), .body = body,
                                     .sign_secret = signs ? cf->secret : NULL, .sign_header = signs ? "X-Hocuspocus-Signature-256" : NULL,
                                     .read_ms = timeout_ms };

    snprintf(count, sizeof(count), "%u", attempt);
    um_outgoing_ask(w->env.outgoing, l, &call, cb, arg);
}

bool webhook_failed(const struct um_outgoing_answer *a, char why[UM_JOB_MESSAGE_MAX])
{
    if (a->err != UM_OK)
        snprintf(why, UM_JOB_MESSAGE_MAX, "%s", a->why);
    else
        snprintf(why, UM_JOB_MESSAGE_MAX, "the webhook answers %u", a->status);
    return a->err != UM_OK || a->status < 200 || a->status >= 300;
}

/* ---- errands ---- */

void errand_begin(struct um_webhook *w, struct errand *e, void (*free)(struct errand *e))
{
    e->free = free;
    pthread_mutex_lock(&w->lock);
    um_list_append(&w->errands, &e->link);
    pthread_mutex_unlock(&w->lock);
}

void errand_end(struct um_webhook *w, struct errand *e)
{
    pthread_mutex_lock(&w->lock);
    um_list_remove(&e->link);
    pthread_mutex_unlock(&w->lock);
}

/* ---- the object ---- */

static bool read_events(struct um_webhook *w, char why[256])
{
    const struct um_conf_list *list = &w->env.conf->events;

    for (size_t i = 0; i < list->n; i++) {
        size_t e = 0;

        while (e < EVENT_N && strcmp(list->items[i], webhook_events[e]) != 0)
            e++;
        if (e == EVENT_N) {
            snprintf(why, 256, "collab.webhook.events: there is no event %.100s", list->items[i]);
            return false;
        }
        w->wants[e] = true;
    }
    return true;
}

static struct um_collab_service service_of(struct um_webhook *w)
{
    struct um_collab_service s = { .ctx = w, .tell_after_ms = w->env.conf->debounce_ms, .tell_by_ms = w->env.conf->max_wait_ms };

    if (w->wants[EVENT_CHANGE]) {
        s.mark = change_mark;
        s.tell = change_tell;
    }
    s.join = w->wants[EVENT_CONNECT] ? ask_join : NULL;
    s.begin = w->wants[EVENT_CREATE] ? ask_begin : NULL;
    s.left = w->wants[EVENT_DISCONNECT] ? connection_left : NULL;
    return s;
}

um_err um_webhook_new(struct um_webhook **out, const struct um_webhook_env *env, char why[256])
{
    struct um_webhook *w;
    char reason[UM_OUTGOING_WHY_MAX];

    *out = NULL;
    if (*env->conf->url == '\0')
        return UM_OK;
    if (!um_outgoing_is_url(env->outgoing, env->conf->url, reason)) {
        snprintf(why, 256, "collab.webhook.url: %.200s", reason);
        return UM_EINVAL;
    }
    w = um_xcalloc(1, sizeof(*w));
    w->env = *env;
    um_list_init(&w->errands);
    if (!read_events(w, why)) {
        free(w);
        return UM_EINVAL;
    }
    pthread_mutex_init(&w->lock, NULL);
    um_metrics_register(webhook_counters, W_N);
    w->service = service_of(w);
    w->pool = um_pool_new(THREADS, WAITING_MAX);
    um_jobs_serve(env->jobs, HANDLER, deliver, w);
    *out = w;
    return UM_OK;
}

const struct um_collab_service *um_webhook_service(const struct um_webhook *w) { return w != NULL ? &w->service : NULL; }

void um_webhook_start(struct um_webhook *w)
{
    if (w != NULL)
        um_loop_call(w->env.loop, change_sweep, w);
}

void um_webhook_stop(struct um_webhook *w)
{
    if (w == NULL)
        return;
    um_pool_free(w->pool);
    w->pool = NULL;
}

void um_webhook_free(struct um_webhook *w)
{
    if (w == NULL)
        return;
    um_timer_stop(w->env.loop, &w->sweep);
    UM_LIST_EACH_SAFE(it, &w->errands) {
        struct errand *e = UM_CONTAINER(it, struct errand, link);
        e->free(e);
    }
    pthread_mutex_destroy(&w->lock);
    free(w);
}
