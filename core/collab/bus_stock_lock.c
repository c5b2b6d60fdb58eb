/* The lock that stock servers take before they store a document: whoever has it stores, the others skip it for good. Ours is
 * taken for folds only, for the log has no need of it: a lock that is held makes a fold wait, and neither a lock nor an
 * absent Redis prevents one (the version that a fold names guards it).
 *
 *   prefix:document:lock = 32 hex digits, PX lock-timeout, in database 0 */
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "bus_stock.h"

#define RETRY_MS      100                    /* and up to so much again */
#define PATIENCE      10                     /* times the lock's life: a lock that is never extended is nobody's by then */
#define ANSWER_MS     1000

/* A script's SELECT is over with it. */
static struct um_redis_script acquire = UM_REDIS_SCRIPT(
    "redis.call('SELECT', 0)\n"
    "return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])");
static struct um_redis_script release = UM_REDIS_SCRIPT(
    "redis.call('SELECT', 0)\n"
    "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end\n"
    "return redis.call('DEL', KEYS[1])");
static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT, .deadline_ms = ANSWER_MS };

static struct um_span key_of(const struct stock_doc *sd, struct um_buf *out)
{
    stock_put_lock(out, sd->hub->prefix, UM_SPAN_STR(sd->doc->name));
    return UM_SPAN(out->data, out->len);
}

static void try_lock(void *arg);

static bool is_out_of_patience(struct stock_doc *sd)
{
    int64_t now = um_loop_now_ms(sd->hub->hub->loop);

    if (sd->locked_out_ms == 0)
        sd->locked_out_ms = now;
    return now - sd->locked_out_ms > PATIENCE * sd->hub->hub->engine->cf.redis_lock_timeout_ms;
}

static void tried(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct stock_doc *sd = arg;              /* stays: the fold counts as running */

    if (sd->hub->stopping)
        return;
    if (err == UM_OK && reply->kind == UM_REDIS_NIL && sd->doc->state != DOC_ENDING && !is_out_of_patience(sd)) {
        count(C_STOCK_LOCKED, 1);
        um_timer_set(sd->hub->hub->loop, &sd->lock_retry, RETRY_MS + (int64_t)um_random_below(RETRY_MS), try_lock, sd);
        return;
    }
    sd->is_locked = err == UM_OK && reply->kind != UM_REDIS_NIL;
    sd->locked_out_ms = 0;
    persist_fold_go(sd->doc);                /* SD may be gone */
}

static void try_lock(void *arg)
{
    struct stock_doc *sd = arg;
    uint8_t random[16];
    struct um_buf key = { 0 }, hex = { 0 };
    char life[24];

    um_random_bytes(random, sizeof(random));
    um_hex_encode(&hex, UM_SPAN(random, sizeof(random)));
    snprintf(sd->lock, sizeof(sd->lock), "%s", um_buf_cstr(&hex));
    snprintf(life, sizeof(life), "%lld", (long long)sd->hub->hub->engine->cf.redis_lock_timeout_ms);
    um_redis_eval(sd->hub->link, &at_once, &acquire, (struct um_span[]){ key_of(sd, &key), UM_SPAN_STR(sd->lock), UM_SPAN_STR(life) }, 1, 3,
                  tried, sd);
    um_buf_free(&key);
    um_buf_free(&hex);
}

bool stock_fold(struct doc *d)
{
    struct stock_doc *sd = stock_doc_of(d);

    if (sd == NULL || sd->hub->stopping || !um_redis_link_is_ready(sd->hub->link))
        return true;
    try_lock(sd);
    return false;
}

void stock_folded(struct doc *d)
{
    struct stock_doc *sd = stock_doc_of(d);
    struct um_buf key = { 0 };

    if (sd == NULL || !sd->is_locked || sd->hub->stopping)
        return;
    sd->is_locked = false;
    um_redis_eval(sd->hub->link, &at_once, &release, (struct um_span[]){ key_of(sd, &key), UM_SPAN_STR(sd->lock) }, 1, 2, NULL, NULL);
    um_buf_free(&key);
}
