/* What the links of a process share: target, TLS, threads for names, counters, names of keys. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "link_int.h"
#include "tls.h"

struct um_metric redis_rows[R_N] = {
    [R_UNANSWERED]    = { "redis.unanswered", "commands", "commands sent without asking for an answer", UM_COUNTER, 0 },
    [R_RETRIES]       = { "redis.retries", "commands", "sent again after a lost connection (idempotent ones)", UM_COUNTER, 0 },
    [R_CONNECTS]      = { "redis.connects", "connections", "links that became ready", UM_COUNTER, 0 },
    [R_RECONNECTS]    = { "redis.reconnects", "connections", "those of them that had worked before", UM_COUNTER, 0 },
    [R_LOSSES]        = { "redis.losses", "connections", "links that ceased to be ready", UM_COUNTER, 0 },
    [R_SWITCHES]      = { "redis.failovers", "events", "connections closed because sentinels announced a new master", UM_COUNTER, 0 },
    [R_EPOCHS]        = { "redis.epochs", "events", "another master, a restarted one, or another history", UM_COUNTER, 0 },
    [R_QUEUED]        = { "redis.queued", "commands", "commands without an answer yet", UM_GAUGE, 0 },
    [R_READY]         = { "redis.ready", "links", "links that work", UM_GAUGE, 0 },
    [R_SUBSCRIPTIONS] = { "redis.subscriptions", "channels", "channels and patterns that are wanted", UM_GAUGE, 0 },
    [R_MESSAGES]      = { "redis.messages", "messages", "messages of channels", UM_COUNTER, 0 },
    [R_RESUBSCRIBED]  = { "redis.resubscribed", "connections", "subscribing connections that were restored", UM_COUNTER, 0 },
    [R_QUARANTINED]   = { "redis.quarantined", "keys", "keys of a wrong type that were renamed away", UM_COUNTER, 0 },
    [R_E_UNAVAIL]     = { "redis.errors.unavailable", "commands", "not done: no link, or too many waiting", UM_COUNTER, 0 },
    [R_E_TIMEOUT]     = { "redis.errors.timeout", "commands", "sent and not answered", UM_COUNTER, 0 },
    [R_E_DENIED]      = { "redis.errors.denied", "commands", "refused: password or permissions", UM_COUNTER, 0 },
    [R_E_LIMIT]       = { "redis.errors.memory", "commands", "refused: Redis is out of memory", UM_COUNTER, 0 },
    [R_E_TYPE]        = { "redis.errors.type", "commands", "refused: a key of the wrong type", UM_COUNTER, 0 },
    [R_E_REDIRECT]    = { "redis.errors.readonly", "commands", "refused by a server that is no working master; sent again", UM_COUNTER, 0 },
    [R_E_NOSCRIPT]    = { "redis.errors.noscript", "commands", "scripts that the server did not know; sent whole", UM_COUNTER, 0 },
    [R_E_OTHER]       = { "redis.errors.other", "commands", "refused for another reason", UM_COUNTER, 0 },
};

struct um_histograms redis_commands = { .name = "redis.commands", .help = "commands that were answered, from sending to the answer" };

um_err um_redis_open(struct um_redis **out, const struct um_redis_conf *cf, char why[256])
{
    struct um_redis *r = um_xcalloc(1, sizeof(*r));
    struct um_buf ns = { 0 };
    um_err err;

    *out = NULL;
    why[0] = '\0';
    r->cf = cf;
    if ((err = redis_target_read(&r->target, cf, why)) != UM_OK ||
        (err = redis_tls_open(&r->tls, cf, r->target.tls, why)) != UM_OK) {
        um_redis_close(r);
        return err;
    }
    um_percent_encode(&ns, UM_SPAN_STR(cf->ns));
    r->ns = um_xstrdup(um_buf_cstr(&ns));
    um_buf_free(&ns);
    um_random_id(r->id, 12);
    r->pool = um_pool_new(2, 256);
    um_metrics_register(redis_rows, UM_COUNT(redis_rows));
    um_histograms_register(&redis_commands);
    r->commands = um_histogram_of(&redis_commands, NULL);
    *out = r;
    return UM_OK;
}

void um_redis_close(struct um_redis *r)
{
    if (r == NULL)
        return;
    um_pool_free(r->pool);
    redis_tls_close(r->tls);
    redis_target_free(&r->target);
    free(r->ns);
    free(r);
}

const struct um_redis_conf *um_redis_get_conf(const struct um_redis *r) { return r->cf; }

int64_t um_redis_database(const struct um_redis *r) { return r->target.database; }
bool um_redis_is_guarded(const struct um_redis *r) { return r->target.sentinel; }

struct um_redis_health um_redis_get_health(const struct um_redis *r)
{
    return (struct um_redis_health){ atomic_load(&r->links), atomic_load(&r->ready) };
}

/* ---- names ---- */

void um_redis_key_add(struct um_buf *out, struct um_span part)
{
    um_buf_put_u8(out, ':');
    um_percent_encode(out, part);
}

void um_redis_key(const struct um_redis *r, struct um_buf *out, ...)
{
    const char *part;
    va_list ap;

    um_buf_puts(out, r->ns);
    va_start(ap, out);
    while ((part = va_arg(ap, const char *)) != NULL)
        um_redis_key_add(out, UM_SPAN_STR(part));
    va_end(ap);
}

/* ---- keys of the wrong type ---- */

static void told_quarantine(void *arg, um_err err, const struct um_redis_reply *reply)
{
    (void)arg;
    (void)reply;
    if (err == UM_OK)
        redis_count(R_QUARANTINED, 1);
}

void um_redis_quarantine(struct um_redis_link *l, struct um_span key)
{
    struct um_buf to = { 0 };
    char id[13];

    um_random_id(id, 12);
    um_redis_key(l->redis, &to, "quarantine", id, NULL);
    um_redis_key_add(&to, key);
    um_log_limited(UM_WARN, "redis", "a key of the wrong type is renamed away", UM_B("key", key));
    um_redis_command(l, NULL, (struct um_span[]){ UM_SPAN("RENAME", 6), key, UM_SPAN(to.data, to.len) }, 3, told_quarantine, NULL);
    um_buf_free(&to);
}
