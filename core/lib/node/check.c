/* See umbel/check.h: what every member tries, of either kind: its way to Redis, each sentinel, the clock there, its disk. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <umbel/check.h>
#include <umbel/util.h>
#include "node_int.h"

enum { SLOW_US = 200000 };
#define DISK_FAIL_BYTES ((int64_t)10 << 20)   /* what Spring's health calls too little */
#define DISK_WARN_BYTES ((int64_t)1 << 30)

struct um_check {
    struct um_node *node;
    struct um_asked *asked;
    json_t *question;
    json_t *results;
    unsigned held;
    int64_t began_us;                         /* of the question to Redis */
};

const char *um_check_status_text(enum um_check_status s)
{
    static const char *const texts[] = { [UM_CHECK_OK] = "ok", [UM_CHECK_WARN] = "warn", [UM_CHECK_FAIL] = "fail" };

    return texts[s];
}

enum um_check_status um_check_clock(int64_t apart_ms)
{
    int64_t far = apart_ms < 0 ? -apart_ms : apart_ms;

    return far >= UM_CHECK_CLOCK_FAIL_MS ? UM_CHECK_FAIL : far >= UM_CHECK_CLOCK_WARN_MS ? UM_CHECK_WARN : UM_CHECK_OK;
}

void um_check_say(struct um_check *c, const char *name, enum um_check_status status, int64_t us, const char *advice, const char *fmt, ...)
{
    char detail[512];
    va_list ap;
    json_t *row;

    va_start(ap, fmt);
    vsnprintf(detail, sizeof(detail), fmt, ap);
    va_end(ap);
    row = json_pack("{s:s, s:s, s:s}", "name", name, "status", um_check_status_text(status), "detail", detail);
    UM_ASSERT(row != NULL);                   /* all of it is ours, or was checked */
    json_object_set_new(row, "advice", advice != NULL ? json_string(advice) : json_null());
    json_object_set_new(row, "ms", us >= 0 ? json_real((double)(us / 10) / 100) : json_null());
    json_array_append_new(c->results, row);
}

const json_t *um_check_question(const struct um_check *c) { return c->question; }

void um_check_hold(struct um_check *c) { c->held++; }

void um_check_release(struct um_check *c)
{
    json_t *ids;
    struct um_members *members;

    if (--c->held > 0)
        return;
    ids = json_array();
    members = um_cluster_members(c->node->cluster);
    for (size_t i = 0; i < members->n; i++)
        json_array_append_new(ids, json_string(members->list[i].id));
    um_members_unref(members);
    um_ask_answer(c->asked, json_pack("{s:I, s:o, s:o}", "at", (json_int_t)um_wall_ms(), "members", ids, "results", c->results));
    json_decref(c->question);
    free(c);
}

/* ---- Redis ---- */

static void have_time(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_check *c = arg;
    int64_t apart, half = (um_now_us() - c->began_us) / 2000;

    if (err == UM_OK) {
        apart = strtoll((const char *)um_redis_item(reply, 0).data, NULL, 10) * 1000 +
                strtoll((const char *)um_redis_item(reply, 1).data, NULL, 10) / 1000 + half - um_wall_ms();
        um_check_say(c, "redis.clock", um_check_clock(apart), -1, um_check_clock(apart) == UM_CHECK_OK ? NULL :
                     "keep the clocks of all machines together, by chrony or systemd-timesyncd",
                     "the clock of Redis is %lld ms from ours", (long long)apart);
    }
    um_check_release(c);
}

static void have_role(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_check *c = arg;
    struct um_span role = err == UM_OK ? um_redis_item(reply, 0) : UM_SPAN("", 0);
    bool master = role.len == 6 && memcmp(role.data, "master", 6) == 0;

    if (err == UM_EDENIED || err == UM_EINVAL)
        um_check_say(c, "redis.role", UM_CHECK_WARN, -1, "let our user of Redis run ROLE", "ROLE is not allowed");
    else if (err == UM_OK)
        um_check_say(c, "redis.role", master ? UM_CHECK_OK : UM_CHECK_FAIL, -1, master ? NULL :
                     "this address is a replica: name the sentinels (spring.data.redis.sentinel.*), or the master's own address",
                     "the server says that it is a %.*s", (int)role.len, (const char *)role.data);
    um_check_release(c);
}

static void have_pong(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_check *c = arg;
    struct um_redis_link_stats link = { 0 };
    int64_t us = um_now_us() - c->began_us;

    (void)reply;
    um_cluster_get_link(c->node->cluster, &link);
    if (err != UM_OK)
        um_check_say(c, "redis", UM_CHECK_FAIL, us, "is Redis up, and may this machine reach it? spring.data.redis.* says where it is sought",
                     "%s; the link is %s: %s", um_err_text(err), link.state, link.last_loss);
    else
        um_check_say(c, "redis", us > SLOW_US ? UM_CHECK_WARN : UM_CHECK_OK, us, us > SLOW_US ?
                     "a round trip takes long: look at SLOWLOG, and at the network between" : NULL, "%s answers", link.address);
    um_check_release(c);
}

static void check_redis(struct um_check *c)
{
    static const struct um_redis_opts opts = { .flags = UM_REDIS_IDEMPOTENT | UM_REDIS_NO_WAIT, .deadline_ms = 1500 };
    static const struct { const char *word; um_redis_cb *cb; } asked[] = { { "PING", have_pong }, { "ROLE", have_role }, { "TIME", have_time } };
    struct um_redis_link *l = um_ask_link(c->node->ask);
    struct um_redis_health h = um_redis_get_health(c->node->redis);

    um_check_say(c, "redis.links", h.ready == h.links ? UM_CHECK_OK : UM_CHECK_FAIL, -1, h.ready == h.links ? NULL :
                 "those that are not ready say why in the log, category redis", "%d of %d links are ready", h.ready, h.links);
    c->began_us = um_now_us();
    for (size_t i = 0; i < UM_COUNT(asked); i++) {
        um_check_hold(c);
        um_redis_command(l, &opts, (struct um_span[]){ UM_SPAN_STR(asked[i].word) }, 1, asked[i].cb, c);
    }
}

/* ---- sentinels ---- */

static void say_sentinel(struct um_check *c, const struct um_redis_sentinel_said *s, const char *master)
{
    char *name = um_xasprintf("sentinel %s:%d", s->host, s->port);
    bool agrees = s->answered && strcmp(s->master, master) == 0;

    if (!s->answered)
        um_check_say(c, name, UM_CHECK_FAIL, s->us, "is this sentinel up, and may this machine reach it? With fewer than a majority of them no "
                     "failover happens", "%s", s->why);
    else
        um_check_say(c, name, agrees ? UM_CHECK_OK : UM_CHECK_WARN, s->us, agrees ? NULL :
                     "the sentinels disagree, or a failover is under way: check again in half a minute, then look at SENTINEL CKQUORUM",
                     "it names %s, we use %s", s->master, *master != '\0' ? master : "none");
    free(name);
}

static void have_sentinels(void *arg, const struct um_redis_sentinel_said *list, size_t n)
{
    struct um_check *c = arg;
    struct um_redis_link_stats link = { 0 };

    um_cluster_get_link(c->node->cluster, &link);
    for (size_t i = 0; i < n; i++)
        say_sentinel(c, &list[i], link.address);
    um_check_release(c);
}

/* ---- disk ---- */

static void check_disk(struct um_check *c)
{
    struct statvfs fs;
    int64_t free_bytes;
    enum um_check_status s;

    if (c->node->setup.data_dir == NULL)
        return;
    if (statvfs(c->node->setup.data_dir, &fs) != 0) {
        um_check_say(c, "disk", UM_CHECK_FAIL, -1, "umbel.data-dir must be a folder of ours", "%s cannot be looked at", c->node->setup.data_dir);
        return;
    }
    free_bytes = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    s = free_bytes < DISK_FAIL_BYTES ? UM_CHECK_FAIL : free_bytes < DISK_WARN_BYTES ? UM_CHECK_WARN : UM_CHECK_OK;
    um_check_say(c, "disk", s, -1, s == UM_CHECK_OK ? NULL : "make room, or move umbel.data-dir", "%lld MB of %lld MB are free at %s",
                 (long long)(free_bytes >> 20), (long long)(((int64_t)fs.f_blocks * (int64_t)fs.f_frsize) >> 20), c->node->setup.data_dir);
}

/* ---- the whole ---- */

static void check(void *arg, struct um_asked *q, const json_t *body)
{
    struct um_node *n = arg;
    struct um_check *c = um_xcalloc(1, sizeof(*c));

    *c = (struct um_check){ .node = n, .asked = q, .question = json_deep_copy(body), .results = json_array(), .held = 1 };
    check_disk(c);
    if (n->redis != NULL) {
        check_redis(c);
        um_check_hold(c);
        um_redis_ask_sentinels(n->redis, n->setup.loop, have_sentinels, c);
    }
    for (size_t i = 0; i < n->n_parts; i++)
        n->parts[i].fn(n->parts[i].arg, c);
    um_check_release(c);
}

void check_serve(struct um_node *n) { um_ask_serve(n->ask, UM_CHECK_TOPIC, check, n); }

void um_node_add_check(struct um_node *n, um_check_part *part, void *arg)
{
    UM_ASSERT(n->n_parts < UM_COUNT(n->parts));
    n->parts[n->n_parts].fn = part;
    n->parts[n->n_parts++].arg = arg;
}
