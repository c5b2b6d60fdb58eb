/* What every sentinel says now, asked for an administrator on connections of its own; the links and what they believe are left
 * alone. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "conn.h"

struct asking {
    struct probe *of;
    struct redis_conn conn;
    struct um_redis_sentinel_said said;
    char host[256], master[320], why[128];
    bool ended;
};

struct probe {
    struct um_redis *redis;
    struct um_loop *loop;
    um_redis_sentinels_cb *cb;
    void *arg;
    struct conn_login login;
    struct um_timer timer;
    struct um_defer tell;
    size_t n, n_open;
    struct asking list[];
};

static void tell(void *arg)
{
    struct probe *p = arg;
    struct um_redis_sentinel_said *said = um_xcalloc(p->n + 1, sizeof(*said));

    um_timer_stop(p->loop, &p->timer);
    for (size_t i = 0; i < p->n; i++)
        said[i] = p->list[i].said;
    p->cb(p->arg, said, p->n);
    free(said);
    for (size_t i = 0; i < p->n; i++)
        conn_close(&p->list[i].conn);
    free(p);
}

static void end_one(struct asking *a, const char *why)
{
    if (a->ended)
        return;
    a->ended = true;
    a->said.us = um_now_us() - a->said.us;
    snprintf(a->why, sizeof(a->why), "%s", why);
    if (--a->of->n_open == 0)
        um_loop_defer(a->of->loop, UM_PHASE_REAP, &a->of->tell);
}

static void on_stage(void *arg, enum conn_stage stage)
{
    struct asking *a = arg;

    if (stage != CONN_UP)
        return;
    resp_put_words(&a->conn.out, "SENTINEL", "get-master-addr-by-name", a->of->redis->cf->sentinel_master, NULL);
    conn_flush_later(&a->conn);
}

static void on_reply(void *arg, const struct um_redis_reply *reply)
{
    struct asking *a = arg;
    struct um_span host = um_redis_item(reply, 0), port = um_redis_item(reply, 1);

    if (host.len > 0 && host.len < 256 && port.len > 0 && port.len < 8) {
        snprintf(a->master, sizeof(a->master), "%.*s:%.*s", (int)host.len, (const char *)host.data, (int)port.len, (const char *)port.data);
        a->said.answered = true;
        end_one(a, "");
    } else {
        end_one(a, "it does not know this master");
    }
}

static void on_down(void *arg, um_err err, const char *why)
{
    (void)err;
    end_one(arg, why);
}

static const struct conn_handler handler = { on_stage, on_reply, on_down };

static void too_late(void *arg)
{
    struct probe *p = arg;

    for (size_t i = 0; i < p->n; i++)
        end_one(&p->list[i], "no answer in time");
}

void um_redis_ask_sentinels(struct um_redis *r, struct um_loop *l, um_redis_sentinels_cb *cb, void *arg)
{
    size_t n = r->target.sentinel ? r->target.n_sentinels : 0;
    struct probe *p = um_xcalloc(1, sizeof(*p) + n * sizeof(p->list[0]));

    *p = (struct probe){ .redis = r, .loop = l, .cb = cb, .arg = arg, .n = n, .n_open = n };
    p->login = (struct conn_login){ r->cf->sentinel_username, r->cf->sentinel_password, -1, "check" };
    um_defer_init(&p->tell, tell, p);
    um_timer_set(l, &p->timer, r->cf->timeout_ms, too_late, p);
    for (size_t i = 0; i < n; i++) {
        struct asking *a = &p->list[i];
        a->of = p;
        snprintf(a->host, sizeof(a->host), "%s", r->target.sentinels[i].host);
        a->said = (struct um_redis_sentinel_said){ .host = a->host, .port = r->target.sentinels[i].port, .master = a->master, .why = a->why,
                                                   .us = um_now_us() };
        conn_init(&a->conn, r, l, &p->login, &handler, a);
        conn_open(&a->conn, a->host, a->said.port);
    }
    if (n == 0)
        um_loop_defer(l, UM_PHASE_REAP, &p->tell);
}
