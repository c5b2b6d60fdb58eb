/* What Redis carries: news to everybody on one channel, answers to the announcer on its own. Nothing here is relied on: what is
 * lost is found by the next comparison, and every loss that can be noticed brings one about. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "cachegen_int.h"

static const struct um_redis_opts at_once = { .flags = UM_REDIS_NO_WAIT };

/* ---- saying ---- */

struct sent { struct um_cachegen *g; struct entry *e; uint64_t version; };

/* Nobody, or perhaps nobody, has heard it: it is said again when Redis is there. Meanwhile the others compare. */
static void on_published(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct sent *s = arg;

    (void)reply;
    if (err != UM_OK && !atomic_load(&s->g->closed)) {
        s->e->unsaid = true;
        waits_give_up_others(s->g, s->e, s->version);
    }
    free(s);
}

static void publish(struct um_cachegen *g, struct um_span channel, const struct message *m, um_redis_cb *cb, void *arg)
{
    struct um_buf text = { 0 };

    message_write(&text, m);
    um_redis_command(g->link, &at_once, (struct um_span[]){ UM_SPAN("PUBLISH", 7), channel, UM_SPAN(text.data, text.len) }, 3,
                     cb, arg);
    um_buf_free(&text);
}

static struct message message_about(char kind, const char *who, const struct entry *e, uint64_t version)
{
    struct message m = { .kind = kind, .version = version };

    memcpy(m.who, who, strlen(who) + 1);
    memcpy(m.scope, e->scope, strlen(e->scope) + 1);
    memcpy(m.name, e->name, strlen(e->name) + 1);
    return m;
}

void bus_say(struct um_cachegen *g, struct entry *e, uint64_t version, struct um_span news, bool waits)
{
    struct message m = message_about(waits ? 'w' : 'n', g->origin, e, version);
    struct sent *s;

    if (g->link == NULL)
        return;
    m.news = news;
    s = um_xcalloc(1, sizeof(*s));
    *s = (struct sent){ g, e, version };
    publish(g, UM_SPAN(g->channel.data, g->channel.len), &m, on_published, s);
}

/* As a member: who is none, or none yet, is not asked. */
void bus_answer(struct um_cachegen *g, const struct entry *e, const struct owed *to)
{
    struct um_members *members = g->cluster != NULL ? um_cluster_members(g->cluster) : NULL;
    struct um_buf channel = { 0 };

    um_redis_key(g->redis, &channel, "cache", "applied", to->origin, NULL);
    for (size_t i = 0; members != NULL && i < members->n; i++)
        if (members->list[i].is_self) {
            struct message m = message_about('a', members->list[i].id, e, to->version);

            publish(g, UM_SPAN(channel.data, channel.len), &m, NULL, NULL);
        }
    um_buf_free(&channel);
    um_members_unref(members);
}

void bus_say_unsaid(struct um_cachegen *g)
{
    struct um_span key;
    size_t pos = 0;
    void *value;

    while (um_map_next(&g->entries, &pos, &key, &value)) {
        struct entry *e = value;

        if (e->unsaid) {
            e->unsaid = false;
            bus_say(g, e, e->heard, UM_SPAN(NULL, 0), false);
        }
    }
}

/* ---- hearing ---- */

static bool read_message(struct message *m, const char *kinds, struct um_span payload)
{
    if (message_read(m, payload) && strchr(kinds, m->kind) != NULL)
        return true;
    count(M_BAD, 1);
    um_log_limited(UM_WARN, "cachegen", "a message cannot be read", UM_I("bytes", payload.len));
    return false;
}

static void on_news(void *arg, struct um_span channel, struct um_span payload)
{
    struct um_cachegen *g = arg;
    struct message m;
    struct entry *e;

    (void)channel;
    if (!read_message(&m, "nw", payload) || strcmp(m.who, g->origin) == 0 || (e = entry_get(g, m.scope, m.name)) == NULL)
        return;
    entry_take_news(g, e, m.version, m.news);
    if (m.kind == 'w')
        entry_owe(g, e, m.who, m.version);
}

static void on_answer(void *arg, struct um_span channel, struct um_span payload)
{
    struct um_cachegen *g = arg;
    struct message m;
    struct entry *e;

    (void)channel;
    if (read_message(&m, "a", payload) && (e = entry_find(g, m.scope, m.name)) != NULL)
        waits_take_applied(g, e, m.who, m.version);
}

/* The connection that subscribes was made anew: news may have passed by. */
static void on_live(void *arg, bool again)
{
    if (again)
        compare_now(arg);
}

static const struct um_redis_sub_handler news_handler = { on_news, on_live };
static const struct um_redis_sub_handler answers_handler = { on_answer, NULL };

static void on_epoch(void *arg, uint64_t epoch)
{
    (void)epoch;
    compare_now(arg);
}

static void on_ready(void *arg, bool ready)
{
    struct um_cachegen *g = arg;

    g->live = ready;
    if (ready) {
        bus_say_unsaid(g);
        compare_now(g);
    } else {
        compare_later(g);
    }
}

static const struct um_redis_link_handler link_handler = { on_epoch, on_ready };

/* ---- life ---- */

void bus_open(struct um_cachegen *g, struct um_redis *redis)
{
    struct um_buf own = { 0 };

    g->redis = redis;
    um_random_id(g->origin, ORIGIN_LEN);
    um_redis_key(redis, &g->channel, "cache", NULL);
    um_redis_key(redis, &own, "cache", "applied", g->origin, NULL);
    g->link = um_redis_link_new(redis, g->loop, "cachegen", &link_handler, g);
    g->news = um_redis_subscribe(g->link, UM_SPAN(g->channel.data, g->channel.len), false, &news_handler, g);
    g->answers = um_redis_subscribe(g->link, UM_SPAN(own.data, own.len), false, &answers_handler, g);
    um_buf_free(&own);
}

void bus_close(struct um_cachegen *g)
{
    um_redis_link_free(g->link);             /* and its subscriptions */
    um_buf_free(&g->channel);
}
