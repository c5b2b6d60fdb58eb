/* See proxy/checks.h. A core has one question at a time; it has as long for the answer as there is until the next one. */
#include <proxy/checks.h>

#include <stdlib.h>
#include "upstream_int.h"

enum { PATIENCE_MAX_MS = 2000, STATUS_OK = 200, STATUS_NOT_FOUND = 404 };

struct um_checks {
    struct um_upstream *up;
    struct um_timer timer;
    struct um_list asked;
};
struct question {
    struct upstream_job job;
    struct um_list link;
    struct um_core *core;                 /* held */
};

static void free_question(struct question *q)
{
    upstream_drop(&q->job);
    um_list_remove(&q->link);
    um_core_release(q->core);
    free(q);
}

/* 404: its actuator is elsewhere, but it is there. */
static enum um_core_check verdict_of(CURL *easy, CURLcode code)
{
    long status = 0;

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK)
        return UM_CORE_SILENT;
    return status == STATUS_OK || status == STATUS_NOT_FOUND ? UM_CORE_READY : UM_CORE_NOT_READY;
}

static void answered(struct upstream_job *job, CURLcode code)
{
    struct question *q = UM_CONTAINER(job, struct question, job);

    um_core_checked(q->core, verdict_of(job->easy, code), um_loop_now_ms(um_upstream_loop(job->up)));
    free_question(q);
}

static void abandoned(struct upstream_job *job) { free_question(UM_CONTAINER(job, struct question, job)); }

static size_t pass_over(char *data, size_t size, size_t n, void *arg)
{
    (void)data;
    (void)arg;
    return size * n;
}

static bool is_asked(const struct um_checks *cs, const struct um_core *core)
{
    UM_LIST_EACH(it, &cs->asked)
        if (UM_CONTAINER(it, struct question, link)->core == core)
            return true;
    return false;
}

static void ask(void *arg, struct um_core *core)
{
    struct um_checks *cs = arg;
    const struct um_upstream_conf *cf = um_upstream_conf(cs->up);
    struct question *q;
    CURL *easy;

    if (is_asked(cs, core) || (easy = upstream_handle(cs->up, core, cf->check_path)) == NULL)
        return;
    q = um_xcalloc(1, sizeof(*q));
    q->job = (struct upstream_job){ .up = cs->up, .easy = easy, .done = answered, .abandon = abandoned };
    q->core = core;
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, pass_over);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)UM_MIN(cf->check_interval_ms, (int64_t)PATIENCE_MAX_MS));
    if (upstream_add(cs->up, &q->job) != UM_OK) {
        curl_easy_cleanup(easy);
        free(q);
        return;
    }
    um_core_hold(core);
    um_list_append(&cs->asked, &q->link);
}

static void round_due(void *arg)
{
    struct um_checks *cs = arg;
    struct um_loop *loop = um_upstream_loop(cs->up);

    um_timer_set(loop, &cs->timer, um_loop_next_ms(loop, um_upstream_conf(cs->up)->check_interval_ms), round_due, cs);
    um_cores_each_core(um_upstream_cores(cs->up), ask, cs);
}

struct um_checks *um_checks_new(struct um_upstream *up)
{
    struct um_checks *cs;

    if (um_upstream_conf(up)->check_interval_ms == 0)
        return NULL;
    cs = um_xcalloc(1, sizeof(*cs));
    cs->up = up;
    um_list_init(&cs->asked);
    um_timer_set(um_upstream_loop(up), &cs->timer, um_loop_next_ms(um_upstream_loop(up), um_upstream_conf(up)->check_interval_ms),
                 round_due, cs);
    return cs;
}

void um_checks_free(struct um_checks *cs)
{
    if (cs == NULL)
        return;
    um_timer_stop(um_upstream_loop(cs->up), &cs->timer);
    UM_LIST_EACH_SAFE(it, &cs->asked)
        free_question(UM_CONTAINER(it, struct question, link));
    free(cs);
}
