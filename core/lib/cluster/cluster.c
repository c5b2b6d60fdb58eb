/* Membership over Redis.
 *
 *   TRYING --the claim is ours--> MEMBER --um_cluster_leave--> LEFT
 *     |                             |
 *     +--another holds it, 5 s------+--another holds it and started earlier--> REFUSED
 *
 * Every 750 ms a script looks at the claim, renews it for 3 s and publishes our sign of life: one round trip. The claim
 * keeps ids apart and nothing else; who is there is what is heard on the channel, judged by our own monotonic clock, and
 * only while our own signs come in: when Redis stands still, nobody is given up. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/cluster.h>
#include <umbel/list.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "sign.h"

#define BEAT_MS        750
#define SWEEP_MS       250
#define GONE_MS        1900                   /* two signs missed, while our own came in: known within 2.9 s */
#define CLAIM_MS       "3000"
#define TRY_MS         5000
#define PAUSE_MS       500                    /* so late a timer: we stood still, and have heard nobody */
#define MEMBERS_MAX    4096

enum { M_MEMBERS, M_BAD_SIGNS, M_GONE };
static struct um_metric rows[] = {
    [M_MEMBERS]   = { "cluster.members", "processes", "members that this process knows, itself included", UM_GAUGE, 0 },
    [M_BAD_SIGNS] = { "cluster.bad-signs", "messages", "signs of life that could not be read, or were one too many", UM_COUNTER, 0 },
    [M_GONE]      = { "cluster.gone", "events", "members that fell silent without a farewell", UM_COUNTER, 0 },
};

static struct um_redis_script live = UM_REDIS_SCRIPT(
    "local held = redis.call('GET', KEYS[1])\n"
    "if held and string.sub(held, 1, 16) ~= ARGV[1] and ARGV[5] ~= 'mine' then return held end\n"
    "redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])\n"
    "redis.call('PUBLISH', ARGV[4], ARGV[2])\n"
    "return 1\n");
static struct um_redis_script say_farewell = UM_REDIS_SCRIPT(
    "local held = redis.call('GET', KEYS[1])\n"
    "if held and string.sub(held, 1, 16) == ARGV[1] then redis.call('DEL', KEYS[1]) end\n"
    "redis.call('PUBLISH', ARGV[3], ARGV[2])\n"
    "return 1\n");

enum state { TRYING, MEMBER, REFUSED, LEFT };

struct other {
    struct um_list link;
    struct sign sign;
    int64_t heard_at_ms;
};

struct um_cluster {
    struct um_loop *loop;
    const struct um_cluster_handler *h;
    void *arg;
    struct um_redis_link *link;               /* NULL: alone */
    struct um_redis_sub *sub;
    struct um_buf claim, channel;
    struct sign self;
    enum state state;
    _Atomic bool admitted;
    _Atomic int64_t load;
    int64_t held_since_ms;                    /* TRYING: the claim is another's; 0: not */
    int64_t swept_at_ms;
    int64_t echo_at_ms;                       /* our own sign came in by way of Redis */
    bool waits;                               /* a sign is on its way */
    struct um_list others;
    size_t n_others;
    struct um_timer beat, sweep;
    void (*left)(void *arg);
    void *left_arg;
    pthread_mutex_t lock;
    struct um_members *view;
    struct um_redis_link_stats link_stats;    /* of the last sweep; behind the lock too */
};

/* ---- the view ---- */

static void renew_view(struct um_cluster *c, bool tell)
{
    const struct sign **signs = um_xcalloc(c->n_others + 1, sizeof(*signs));
    struct um_members *old, *fresh;
    size_t n = 0;

    if (c->state == MEMBER)
        signs[n++] = &c->self;
    UM_LIST_EACH(it, &c->others)
        signs[n++] = &UM_CONTAINER(it, struct other, link)->sign;
    fresh = view_new(signs, n, c->self.incarnation);
    free(signs);
    pthread_mutex_lock(&c->lock);
    old = c->view;
    c->view = fresh;
    pthread_mutex_unlock(&c->lock);
    um_count(&rows[M_MEMBERS], (int64_t)n - (old != NULL ? (int64_t)old->n : 0));
    um_members_unref(old);
    if (tell && c->h->on_change != NULL)
        c->h->on_change(c->arg);
}

struct um_members *um_cluster_members(struct um_cluster *c)
{
    struct um_members *m;

    pthread_mutex_lock(&c->lock);
    m = c->view;
    atomic_fetch_add(&m->refs, 1);
    pthread_mutex_unlock(&c->lock);
    return m;
}

bool um_cluster_get_link(struct um_cluster *c, struct um_redis_link_stats *out)
{
    if (c->link == NULL)
        return false;
    pthread_mutex_lock(&c->lock);
    *out = c->link_stats;
    pthread_mutex_unlock(&c->lock);
    return true;
}

static void note_link(struct um_cluster *c)
{
    struct um_redis_link_stats now = um_redis_link_get_stats(c->link);

    pthread_mutex_lock(&c->lock);
    c->link_stats = now;
    pthread_mutex_unlock(&c->lock);
}

/* ---- the others ---- */

static struct other *find(struct um_cluster *c, const char *id)
{
    UM_LIST_EACH(it, &c->others) {
        struct other *o = UM_CONTAINER(it, struct other, link);
        if (strcmp(o->sign.id, id) == 0)
            return o;
    }
    return NULL;
}

static void drop(struct um_cluster *c, struct other *o)
{
    um_list_remove(&o->link);
    c->n_others--;
    free(o);
}

static bool differs(const struct sign *a, const struct sign *b)
{
    return strcmp(a->incarnation, b->incarnation) != 0 || strcmp(a->role, b->role) != 0 || strcmp(a->address, b->address) != 0 ||
           strcmp(a->version, b->version) != 0 || strcmp(a->serves, b->serves) != 0 || a->draining != b->draining;
}

static void take_alive(struct um_cluster *c, const struct sign *s)
{
    struct other *o = find(c, s->id);
    bool changed = o == NULL || differs(&o->sign, s);

    if (strcmp(s->id, c->self.id) == 0)
        return;                               /* a rival for our id: the claim decides */
    if (o == NULL) {
        if (c->n_others >= MEMBERS_MAX) {
            um_count(&rows[M_BAD_SIGNS], 1);
            return;
        }
        o = um_xcalloc(1, sizeof(*o));
        um_list_append(&c->others, &o->link);
        c->n_others++;
        um_log(UM_INFO, "cluster", "member", UM_S("id", s->id), UM_S("role", s->role), UM_S("address", s->address),
               UM_S("version", s->version));
    }
    o->sign = *s;
    o->heard_at_ms = um_loop_now_ms(c->loop);
    renew_view(c, changed);
}

static void take_bye(struct um_cluster *c, const struct sign *s)
{
    struct other *o = find(c, s->id);

    if (o == NULL || strcmp(o->sign.incarnation, s->incarnation) != 0)
        return;
    um_log(UM_INFO, "cluster", "member left", UM_S("id", s->id));
    drop(c, o);
    renew_view(c, true);
}

/* While Redis is away nobody is heard and nobody is given up. */
static void hear_everybody(struct um_cluster *c)
{
    UM_LIST_EACH(it, &c->others)
        UM_CONTAINER(it, struct other, link)->heard_at_ms = um_loop_now_ms(c->loop);
}

static void sweep(void *arg)
{
    struct um_cluster *c = arg;
    int64_t now = um_loop_now_ms(c->loop), proof = c->state == MEMBER ? c->echo_at_ms : now - BEAT_MS;
    size_t before = c->n_others;

    if (now - c->swept_at_ms > SWEEP_MS + PAUSE_MS || !um_redis_link_is_ready(c->link))
        hear_everybody(c);
    c->swept_at_ms = now;
    UM_LIST_EACH_SAFE(it, &c->others) {
        struct other *o = UM_CONTAINER(it, struct other, link);
        if (proof - o->heard_at_ms < GONE_MS)
            continue;
        um_log(UM_WARN, "cluster", "member gone", UM_S("id", o->sign.id), UM_S("address", o->sign.address));
        um_count(&rows[M_GONE], 1);
        drop(c, o);
    }
    um_timer_set(c->loop, &c->sweep, um_loop_next_ms(c->loop, SWEEP_MS), sweep, c);
    note_link(c);
    if (c->n_others != before)
        renew_view(c, true);
}

/* ---- ourselves ---- */

static void beat(void *arg);

static void admit(struct um_cluster *c)
{
    c->held_since_ms = 0;
    if (c->state != TRYING)
        return;
    c->state = MEMBER;
    atomic_store(&c->admitted, true);
    renew_view(c, true);
}

static void refuse(struct um_cluster *c, const char *address)
{
    c->state = REFUSED;
    atomic_store(&c->admitted, false);
    um_timer_stop(c->loop, &c->beat);
    um_log(UM_ERROR, "cluster", "another process has our id", UM_S("id", c->self.id), UM_S("address", address));
    renew_view(c, true);
    if (c->h->on_refused != NULL)
        c->h->on_refused(c->arg, address);
}

static bool started_before(const struct sign *a, const struct sign *b)
{
    return a->started_at_ms != b->started_at_ms ? a->started_at_ms < b->started_at_ms : strcmp(a->incarnation, b->incarnation) < 0;
}

static void send_sign(struct um_cluster *c, const char *claim);

/* The claim is HELD's. */
static void contest(struct um_cluster *c, const struct um_redis_reply *held)
{
    struct sign rival = { 0 };
    bool readable = held->kind == UM_REDIS_STRING && sign_read(&rival, held->text);
    int64_t now = um_loop_now_ms(c->loop);

    if (c->state == MEMBER && (!readable || started_before(&c->self, &rival))) {
        send_sign(c, "mine");
    } else if (c->state == MEMBER) {
        refuse(c, rival.address);
    } else if (c->held_since_ms == 0) {
        c->held_since_ms = now;
    } else if (now - c->held_since_ms >= TRY_MS) {
        refuse(c, rival.address);
    }
}

static void take_answer(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_cluster *c = arg;

    c->waits = false;
    if (c->state != TRYING && c->state != MEMBER)
        return;
    if (err == UM_OK && reply->kind == UM_REDIS_INTEGER)
        admit(c);
    else if (err == UM_OK)
        contest(c, reply);
    else if (err == UM_ECORRUPT)
        um_redis_quarantine(c->link, UM_SPAN(c->claim.data, c->claim.len));
}

static void send_sign(struct um_cluster *c, const char *claim)
{
    static const struct um_redis_opts opts = { .flags = UM_REDIS_IDEMPOTENT | UM_REDIS_NO_WAIT, .deadline_ms = BEAT_MS };
    struct um_buf text = { 0 };

    c->self.kind = 'a';
    c->self.load = atomic_load(&c->load);
    sign_write(&text, &c->self);
    struct um_span argv[] = { UM_SPAN(c->claim.data, c->claim.len), UM_SPAN_STR(c->self.incarnation), UM_SPAN(text.data, text.len),
                              UM_SPAN_STR(CLAIM_MS), UM_SPAN(c->channel.data, c->channel.len), UM_SPAN_STR(claim) };
    c->waits = true;
    um_redis_eval(c->link, &opts, &live, argv, 1, UM_COUNT(argv), take_answer, c);
    um_buf_free(&text);
}

static void beat(void *arg)
{
    struct um_cluster *c = arg;

    um_timer_set(c->loop, &c->beat, um_loop_next_ms(c->loop, BEAT_MS), beat, c);
    if (!c->waits)
        send_sign(c, "");
}

static void beat_soon(struct um_cluster *c)
{
    if (c->state == TRYING || c->state == MEMBER)
        um_timer_set(c->loop, &c->beat, (int64_t)um_random_below(50), beat, c);
}

/* ---- the channel ---- */

static void on_message(void *arg, struct um_span channel, struct um_span payload)
{
    struct um_cluster *c = arg;
    struct sign s;

    (void)channel;
    if (!sign_read(&s, payload)) {
        um_count(&rows[M_BAD_SIGNS], 1);
        um_log_limited(UM_WARN, "cluster", "a sign of life cannot be read", UM_B("text", payload));
        return;
    }
    if (strcmp(s.incarnation, c->self.incarnation) == 0) {
        c->echo_at_ms = um_loop_now_ms(c->loop);
        return;
    }
    if (s.kind == 'a')
        take_alive(c, &s);
    else if (s.kind == 'b')
        take_bye(c, &s);
    else
        beat_soon(c);
}

static void ask_who(void *arg, bool again)
{
    struct um_cluster *c = arg;
    struct um_buf text = { 0 };
    struct sign s = c->self;

    (void)again;
    hear_everybody(c);
    s.kind = 'w';
    sign_write(&text, &s);
    um_redis_command(c->link, NULL, (struct um_span[]){ UM_SPAN("PUBLISH", 7), UM_SPAN(c->channel.data, c->channel.len),
                                                        UM_SPAN(text.data, text.len) }, 3, NULL, NULL);
    um_buf_free(&text);
    beat_soon(c);
}

static const struct um_redis_sub_handler sub_handler = { on_message, ask_who };

static void on_ready(void *arg, bool ready)
{
    struct um_cluster *c = arg;

    hear_everybody(c);
    note_link(c);
    if (ready)
        beat_soon(c);
}

static const struct um_redis_link_handler link_handler = { .on_ready = on_ready };

/* ---- what changes about us, and leaving ---- */

static bool copy_text(char out[UM_MEMBER_TEXT_MAX + 1], const char *text, bool may_be_empty)
{
    size_t len = strlen(text);

    if (len > UM_MEMBER_TEXT_MAX || (len == 0 && !may_be_empty) || !um_utf8_is_valid(text, len))
        return false;
    memcpy(out, text, len + 1);
    return true;
}

void um_cluster_set_load(struct um_cluster *c, int64_t load)
{
    atomic_store(&c->load, load < 0 ? 0 : load);
}

const char *um_cluster_self(const struct um_cluster *c, int64_t *started_at_ms)
{
    *started_at_ms = c->self.started_at_ms;
    return c->self.id;
}

bool um_cluster_is_admitted(struct um_cluster *c)
{
    return atomic_load(&c->admitted);
}

void um_cluster_set_address(struct um_cluster *c, const char *address)
{
    if (!copy_text(c->self.address, address, true))
        return;
    renew_view(c, false);
    if (c->link != NULL && c->state == MEMBER)
        send_sign(c, "");
}

void um_cluster_set_draining(struct um_cluster *c, bool draining)
{
    c->self.draining = draining;
    renew_view(c, false);
    if (c->link != NULL && c->state == MEMBER)
        send_sign(c, "");
}

static void has_left(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct um_cluster *c = arg;

    (void)err;
    (void)reply;
    if (c->left != NULL)
        c->left(c->left_arg);
    c->left = NULL;
}

static void left_alone(void *arg)
{
    has_left(arg, UM_OK, NULL);
}

void um_cluster_leave(struct um_cluster *c, void (*done)(void *arg), void *arg)
{
    static const struct um_redis_opts opts = { .flags = UM_REDIS_NO_WAIT, .deadline_ms = BEAT_MS };
    struct um_buf text = { 0 };

    c->left = done;
    c->left_arg = arg;
    um_timer_stop(c->loop, &c->beat);
    if (c->link == NULL || c->state != MEMBER) {
        c->state = LEFT;
        um_timer_set(c->loop, &c->beat, 0, left_alone, c);
    } else {
        c->state = LEFT;
        c->self.kind = 'b';
        sign_write(&text, &c->self);
        struct um_span argv[] = { UM_SPAN(c->claim.data, c->claim.len), UM_SPAN_STR(c->self.incarnation),
                                  UM_SPAN(text.data, text.len), UM_SPAN(c->channel.data, c->channel.len) };
        um_redis_eval(c->link, &opts, &say_farewell, argv, 1, UM_COUNT(argv), has_left, c);
        um_buf_free(&text);
    }
    atomic_store(&c->admitted, false);
    renew_view(c, false);
}

/* ---- life ---- */

static void admit_alone(void *arg)
{
    admit(arg);
}

um_err um_cluster_new(struct um_cluster **out, struct um_redis *redis, struct um_loop *loop, const struct um_member *self,
                      const struct um_cluster_handler *h, void *arg)
{
    struct um_cluster *c = um_xcalloc(1, sizeof(*c));

    *out = NULL;
    if (!copy_text(c->self.id, self->id, false) || !copy_text(c->self.role, self->role, false) ||
        !copy_text(c->self.address, self->address, true) || !copy_text(c->self.version, self->version, false) ||
        !copy_text(c->self.serves, self->serves != NULL ? self->serves : "", true)) {
        free(c);
        return UM_EINVAL;
    }
    c->loop = loop;
    c->h = h;
    c->arg = arg;
    c->self.started_at_ms = UM_MAX(self->started_at_ms, 0);
    um_random_id(c->self.incarnation, INCARNATION_LEN);
    um_cluster_set_load(c, self->load);
    um_list_init(&c->others);
    pthread_mutex_init(&c->lock, NULL);
    um_metrics_register(rows, UM_COUNT(rows));
    renew_view(c, false);
    *out = c;
    if (redis == NULL) {
        um_timer_set(loop, &c->beat, 0, admit_alone, c);
        return UM_OK;
    }
    um_redis_key(redis, &c->claim, "member", c->self.id, NULL);
    um_redis_key(redis, &c->channel, "members", NULL);
    c->link = um_redis_link_new(redis, loop, "cluster", &link_handler, c);
    c->sub = um_redis_subscribe(c->link, UM_SPAN(c->channel.data, c->channel.len), false, &sub_handler, c);
    c->swept_at_ms = um_loop_now_ms(loop);
    note_link(c);
    um_timer_set(loop, &c->sweep, SWEEP_MS, sweep, c);
    return UM_OK;
}

void um_cluster_free(struct um_cluster *c)
{
    if (c == NULL)
        return;
    c->state = LEFT;
    um_timer_stop(c->loop, &c->beat);
    um_timer_stop(c->loop, &c->sweep);
    um_redis_link_free(c->link);
    UM_LIST_EACH_SAFE(it, &c->others)
        drop(c, UM_CONTAINER(it, struct other, link));
    um_count(&rows[M_MEMBERS], -(int64_t)c->view->n);
    um_members_unref(c->view);
    um_buf_free(&c->claim);
    um_buf_free(&c->channel);
    pthread_mutex_destroy(&c->lock);
    free(c);
}
