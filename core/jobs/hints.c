/* See hints.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/map.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "counters.h"
#include "hints.h"

enum {
    TOGETHER = 100,                               /* entries in one command */
    HELD_MAX = 20000,                             /* entries of ours that we remember; others are found again when they are old */
    HINT_ENTRY_SIZE = 48,                         /* of an entry's name, with its NUL */
};
#define GROUP UM_SPAN_STR("workers")

struct words { char (*list)[HINT_ENTRY_SIZE]; size_t n, cap; };

struct hints {
    struct um_loop *loop;
    struct um_jobs_conf conf;
    const struct hints_handler *handler;
    void *arg;
    struct um_redis_link *link;
    struct um_buf key, channel;
    char *consumer;
    struct words offers, removals;            /* of this turn */
    struct um_map held;                       /* id -> the name of its entry, which is ours */
    struct um_defer flush;
    bool may_have_more, is_reading, is_sweeping;
};

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }
static struct um_span key_of(const struct hints *h) { return span_of(&h->key); }

/* ---- lists of words ---- */

static void words_add(struct words *w, const char *s)
{
    if (w->n == w->cap) {
        w->cap = w->cap > 0 ? 2 * w->cap : 16;
        w->list = um_xrealloc(w->list, w->cap * sizeof(*w->list));
    }
    snprintf(w->list[w->n++], HINT_ENTRY_SIZE, "%s", s);
}

/* Calls FN with argv[0..N_FIRST) and up to TOGETHER words behind, until there are none. */
static void in_portions(struct hints *h, struct words *w, const struct um_span *first, size_t n_first,
                        void (*fn)(struct hints *h, const struct um_span *argv, size_t n))
{
    struct um_span argv[TOGETHER + 4];

    memcpy(argv, first, n_first * sizeof(*first));
    for (size_t from = 0; from < w->n; from += TOGETHER) {
        size_t n = UM_MIN(w->n - from, (size_t)TOGETHER);

        for (size_t i = 0; i < n; i++)
            argv[n_first + i] = UM_SPAN_STR(w->list[from + i]);
        fn(h, argv, n_first + n);
    }
}

/* ---- offering ---- */

static struct um_redis_script offer_script = UM_REDIS_SCRIPT(
    "local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])\n"
    "local n = math.min(room, #ARGV - 2)\n"
    "for i = 1, n do redis.call('XADD', KEYS[1], '*', 'id', ARGV[i + 2]) end\n"
    "if n > 0 then redis.call('PUBLISH', ARGV[2], 'hints') end\n"
    "return math.max(n, 0)");

struct offered { struct hints *h; size_t n; };

static void on_offered(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct offered *o = arg;
    int64_t added = err == UM_OK && reply->kind == UM_REDIS_INTEGER ? reply->integer : 0;

    if (err == UM_ECORRUPT)
        um_redis_quarantine(o->h->link, key_of(o->h));
    jobs_count(M_OFFERED, added);
    jobs_count(M_NOT_OFFERED, (int64_t)o->n - added);
    if (added < (int64_t)o->n)
        o->h->handler->any(o->h->arg);        /* we know of them at least */
    free(o);
}

static void offer_portion(struct hints *h, const struct um_span *argv, size_t n)
{
    struct offered *o = um_xcalloc(1, sizeof(*o));

    *o = (struct offered){ h, n - 3 };
    if (UM_FAILPOINT("job.before_offer"))
        on_offered(o, UM_EUNAVAIL, NULL);
    else
        um_redis_eval(h->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT, 0 }, &offer_script, argv, 1, n, on_offered, o);
}

static void remove_portion(struct hints *h, const struct um_span *argv, size_t n)
{
    struct um_span del[TOGETHER + 4];
    struct um_redis_opts opts = { UM_REDIS_NO_WAIT | UM_REDIS_IDEMPOTENT, 0 };

    um_redis_command(h->link, &opts, argv, n, NULL, NULL);
    del[0] = UM_SPAN_STR("XDEL");
    del[1] = key_of(h);
    memcpy(del + 2, argv + 3, (n - 3) * sizeof(*argv));
    um_redis_command(h->link, &opts, del, n - 1, NULL, NULL);
}

static void flush(void *arg)
{
    struct hints *h = arg;
    char max[24];

    snprintf(max, sizeof(max), "%lld", (long long)h->conf.max_waiting);
    in_portions(h, &h->offers, (struct um_span[]){ key_of(h), UM_SPAN_STR(max), span_of(&h->channel) }, 3, offer_portion);
    in_portions(h, &h->removals, (struct um_span[]){ UM_SPAN_STR("XACK"), key_of(h), GROUP }, 3, remove_portion);
    h->offers.n = h->removals.n = 0;
}

bool hints_offer(struct hints *h, const char *id)
{
    if (h == NULL || !um_redis_link_is_ready(h->link)) {
        jobs_count(M_NOT_OFFERED, h != NULL);
        return false;
    }
    words_add(&h->offers, id);
    um_loop_defer(h->loop, UM_PHASE_FLUSH_DOCS, &h->flush);
    return true;
}

bool hints_tell_any(struct hints *h)
{
    if (h == NULL || !um_redis_link_is_ready(h->link))
        return false;
    um_redis_command(h->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT, 0 },
                     (struct um_span[]){ UM_SPAN_STR("PUBLISH"), span_of(&h->channel), UM_SPAN_STR("any") }, 3, NULL, NULL);
    return true;
}

static void remove_entry(struct hints *h, const char *entry)
{
    if (!um_redis_link_is_ready(h->link))
        return;                               /* it is looked at again when it has lain there for a while */
    words_add(&h->removals, entry);
    um_loop_defer(h->loop, UM_PHASE_FLUSH_DOCS, &h->flush);
}

void hints_final(struct hints *h, const char *id)
{
    char *entry = h != NULL ? um_map_remove(&h->held, UM_SPAN_STR(id)) : NULL;

    if (entry != NULL)
        remove_entry(h, entry);
    free(entry);
}

/* ---- reading ---- */

static bool is_id(struct um_span s)
{
    char text[UM_JOB_ID_LEN + 1] = "";

    if (s.len != UM_JOB_ID_LEN)
        return false;
    memcpy(text, s.data, s.len);
    return strspn(text, "0123456789abcdef-") == UM_JOB_ID_LEN;
}

/* An entry: [name, [field, value, ...]]. What is none of ours is removed. */
static void take_entry(struct hints *h, const struct um_redis_reply *e)
{
    struct um_span name = um_redis_item(e, 0), id = { 0 };
    char entry[HINT_ENTRY_SIZE], text[UM_JOB_ID_LEN + 1];

    if (e->kind != UM_REDIS_ARRAY || e->n < 2 || name.data == NULL || name.len >= HINT_ENTRY_SIZE)
        return;
    snprintf(entry, sizeof(entry), "%.*s", (int)name.len, (const char *)name.data);
    if (e->items[1]->kind == UM_REDIS_ARRAY)
        id = um_redis_item(e->items[1], 1);
    if (!is_id(id)) {
        remove_entry(h, entry);
        return;
    }
    snprintf(text, sizeof(text), "%.*s", (int)id.len, (const char *)id.data);
    if (h->held.n < HELD_MAX)
        free(um_map_put(&h->held, id, um_xstrdup(entry)));
    h->handler->hint(h->arg, text);
}

static size_t take_entries(struct hints *h, const struct um_redis_reply *entries)
{
    if (entries->kind != UM_REDIS_ARRAY || entries->n == 0)
        return 0;
    for (size_t i = 0; i < entries->n; i++)
        take_entry(h, entries->items[i]);
    h->handler->came(h->arg);
    return entries->n;
}

static void make_group(struct hints *h);

/* Made by nobody yet, or lost. */
static bool lacks_group(um_err err, const struct um_redis_reply *reply)
{
    return err == UM_EINVAL && reply != NULL && reply->text.len >= 7 && memcmp(reply->text.data, "NOGROUP", 7) == 0;
}

static void on_trouble(struct hints *h, um_err err, const struct um_redis_reply *reply)
{
    if (lacks_group(err, reply))
        make_group(h);
    else if (err == UM_ECORRUPT)
        um_redis_quarantine(h->link, key_of(h));
}

/* [[key, [entry, ...]]]; nil: nothing is there */
static void on_read(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct hints *h = arg;
    bool some = err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n > 0 && reply->items[0]->kind == UM_REDIS_ARRAY &&
                reply->items[0]->n >= 2;

    h->is_reading = false;
    if (err != UM_OK)
        on_trouble(h, err, reply);
    else if (some && take_entries(h, reply->items[0]->items[1]) > 0)
        h->may_have_more = true;
}

void hints_ask(struct hints *h)
{
    size_t room = h != NULL ? h->handler->room(h->arg) : 0;
    char count[24];

    if (room == 0 || !h->may_have_more || h->is_reading || !um_redis_link_is_ready(h->link))
        return;
    h->is_reading = true;
    h->may_have_more = false;
    snprintf(count, sizeof(count), "%zu", room);
    um_redis_command(h->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT, 0 }, (struct um_span[]){ UM_SPAN_STR("XREADGROUP"), UM_SPAN_STR("GROUP"), GROUP,
                     UM_SPAN_STR(h->consumer), UM_SPAN_STR("COUNT"), UM_SPAN_STR(count), UM_SPAN_STR("STREAMS"), key_of(h), UM_SPAN_STR(">") }, 9,
                     on_read, h);
}

/* [next, [entry, ...], [deleted, ...]] */
static void on_swept(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct hints *h = arg;

    h->is_sweeping = false;
    if (err != UM_OK)
        on_trouble(h, err, reply);
    else if (reply->kind == UM_REDIS_ARRAY && reply->n >= 2)
        take_entries(h, reply->items[1]);
}

void hints_sweep(struct hints *h)
{
    char idle[24], count[24];

    if (h == NULL || h->is_sweeping || !um_redis_link_is_ready(h->link))
        return;
    h->is_sweeping = true;
    h->may_have_more = true;
    snprintf(idle, sizeof(idle), "%lld", (long long)h->conf.lease_ms);
    snprintf(count, sizeof(count), "%d", TOGETHER);
    um_redis_command(h->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT, 0 }, (struct um_span[]){ UM_SPAN_STR("XAUTOCLAIM"), key_of(h), GROUP,
                     UM_SPAN_STR(h->consumer), UM_SPAN_STR(idle), UM_SPAN_STR("0-0"), UM_SPAN_STR("COUNT"), UM_SPAN_STR(count) }, 8, on_swept, h);
    hints_ask(h);
}

static void on_group(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct hints *h = arg;
    bool is_there = err == UM_EINVAL && reply != NULL && reply->text.len >= 9 && memcmp(reply->text.data, "BUSYGROUP", 9) == 0;

    if (err == UM_ECORRUPT)
        um_redis_quarantine(h->link, key_of(h));
    if (err != UM_OK && !is_there)
        return;                               /* the next sweep tries again */
    h->may_have_more = true;
    hints_ask(h);
}

/* From the first entry on: those that came before the group are hints as well. */
static void make_group(struct hints *h)
{
    um_redis_command(h->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT, 0 }, (struct um_span[]){ UM_SPAN_STR("XGROUP"), UM_SPAN_STR("CREATE"), key_of(h),
                     GROUP, UM_SPAN_STR("0"), UM_SPAN_STR("MKSTREAM") }, 6, on_group, h);
}

/* ---- being told ---- */

static void on_message(void *arg, struct um_span channel, struct um_span payload)
{
    struct hints *h = arg;

    (void)channel;
    if (um_span_eq(payload, UM_SPAN_STR("any"))) {
        h->handler->any(h->arg);
        return;
    }
    h->may_have_more = true;
    if (h->handler->room(h->arg) == 0)
        h->handler->any(h->arg);              /* it is not read for now; its row is found when a job ends */
    hints_ask(h);
}

static void on_ready(void *arg, bool ready)
{
    struct hints *h = arg;

    h->is_reading = h->is_sweeping = false;
    if (ready && h->handler->room(h->arg) > 0)
        make_group(h);
}

/* ---- life ---- */

struct hints *hints_new(const struct um_jobs_env *env, const char *consumer, const struct um_jobs_conf *cf, const struct hints_handler *handler,
                        void *arg)
{
    static const struct um_redis_link_handler of_link = { .on_ready = on_ready };
    static const struct um_redis_sub_handler of_channel = { .on_message = on_message };
    struct hints *h;

    if (env->redis == NULL)
        return NULL;
    h = um_xcalloc(1, sizeof(*h));
    h->loop = env->loop;
    h->conf = *cf;
    h->handler = handler;
    h->arg = arg;
    h->consumer = um_xstrdup(consumer);
    um_redis_key(env->redis, &h->key, "jobs", NULL);
    um_redis_key(env->redis, &h->channel, "jobs", "wake", NULL);
    um_defer_init(&h->flush, flush, h);
    h->link = um_redis_link_new(env->redis, env->loop, "jobs", &of_link, h);
    if (env->works)
        um_redis_subscribe(h->link, span_of(&h->channel), false, &of_channel, h);
    return h;
}

void hints_free(struct hints *h)
{
    size_t pos = 0;
    void *entry;

    if (h == NULL)
        return;
    while (um_map_next(&h->held, &pos, &(struct um_span){ 0 }, &entry))
        free(entry);
    um_map_free(&h->held);
    um_defer_cancel(&h->flush);
    h->offers.n = 0;
    um_redis_link_free(h->link);
    um_buf_free(&h->key);
    um_buf_free(&h->channel);
    free(h->offers.list);
    free(h->removals.list);
    free(h->consumer);
    free(h);
}
