/* One document of a client, and the core that it stands on. docs/states/leg.md has the same diagram with what ends each wait.
 *
 *   SEEKING --line open, nothing was said before--> OPENING --first Step2--> LIVE
 *      | ^                                             |                      |
 *      | +----------------- the core is lost, or a better one is there -------+
 *      |
 *      +--line open, said again--> REPLAYING --the core's Step1--> BRIDGING --the client's Step2--> LIVE
 *                                    |   ^
 *                                    +-- denied: ASKING, a fresh token --+
 *
 * Invariants
 * 1. WAY is where the client's words go; while it is there (the core drains, or a better one has come) nothing is missed before the
 *    bridge. Where it is gone, changes of the client are counted and dropped: its Step2 on the bridge holds them.
 * 2. The bridge has two lanes. The new core's Step1 goes to the client, who answers with all that this core lacks. And the Step1 that
 *    we say in the client's name asks for all that the client may lack: from its mark on, or, without one, from the beginning.
 * 3. What the client waits to have acknowledged is told only when the Step2 of the bridge, or what came behind it, is stored (acks.c).
 * 4. A Step1 that the old core had said may still be under way: its answer is not the bridge's (SKIP). */
#include "guest_int.h"

#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>

enum { BACK_OFF_MIN_MS = 50, BACK_OFF_MAX_MS = 1000, STAY_MS = 5000 };

static const char *const state_name[LEG_N] = {
#define X(s) #s,
    LEG_STATES(X)
#undef X
};
#define TO(s) (1u << LEG_##s)
static const uint8_t may_go[LEG_N] = {
    [LEG_SEEKING]   = TO(OPENING) | TO(REPLAYING) | TO(LIVE) | TO(ENDED),
    [LEG_OPENING]   = TO(LIVE) | TO(SEEKING) | TO(ENDED),
    [LEG_LIVE]      = TO(SEEKING) | TO(OPENING) | TO(ENDED),
    [LEG_REPLAYING] = TO(BRIDGING) | TO(SEEKING) | TO(ASKING) | TO(LIVE) | TO(OPENING) | TO(ENDED),
    [LEG_ASKING]    = TO(SEEKING) | TO(REPLAYING) | TO(ENDED),
    [LEG_BRIDGING]  = TO(LIVE) | TO(SEEKING) | TO(ASKING) | TO(OPENING) | TO(ENDED),
};

static void go(struct leg *l, enum leg_state to, const char *why)
{
    UM_ASSERT(may_go[l->state] & (1u << to));
    um_log(UM_DEBUG, "gateway.leg", "state", UM_B("doc", UM_SPAN(l->address->data, l->name_len)), UM_S("from", state_name[l->state]),
           UM_S("to", state_name[to]), UM_S("why", why));
    l->state = to;
    um_timer_stop(l->guest->loop, &l->timer);
}

struct um_span leg_key(const struct leg *l) { return UM_SPAN(l->address->data, l->name_len); }
static struct um_span address_of(const struct leg *l) { return um_bytes_span(l->address); }
static int64_t now_ms(const struct leg *l) { return um_loop_now_ms(l->guest->loop); }
static bool is_crossing(const struct leg *l) { return l->state == LEG_REPLAYING || l->state == LEG_BRIDGING; }

/* ---- words of our own ---- */

static struct um_buf word(const struct leg *l, uint64_t type, uint64_t kind, const struct um_span *payload)
{
    struct um_buf b = { 0 };

    um_talk_put(&b, address_of(l), l->guest->bare, type, kind, payload);
    return b;
}

static void say_core(const struct leg *l, struct way *w, uint64_t type, uint64_t kind, const struct um_span *payload)
{
    struct um_buf b = word(l, type, kind, payload);

    if (!b.failed)
        way_say(w, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

static void say_client(const struct leg *l, uint64_t type, uint64_t kind, const struct um_span *payload)
{
    struct um_buf b = word(l, type, kind, payload);

    if (!b.failed)
        guest_say(l->guest, UM_SPAN(b.data, b.len));
    um_buf_free(&b);
}

/* ---- standing on a core ---- */

static void stand_on(struct way **at, struct way *w)
{
    struct way *before = *at;

    *at = w;
    if (w != NULL)
        way_use(w, 1);
    if (before != NULL)
        way_use(before, -1);
}

static void set_moving(struct leg *l, bool moving)
{
    if (l->moving != moving)
        l->guest->gs->n_moving += moving ? 1 : (size_t)-1;
    l->moving = moving;
}

static void keep(struct um_bytes **at, struct um_span bytes)
{
    um_bytes_unref(*at);
    *at = um_bytes_dup(bytes.data, bytes.len);
}

static void forget(struct um_bytes **at)
{
    um_bytes_unref(*at);
    *at = NULL;
}

void leg_free(struct leg *l)
{
    struct um_guest *g = l->guest;

    set_moving(l, false);
    um_timer_stop(g->loop, &l->timer);
    um_list_remove(&l->link);
    g->n_legs--;
    guest_count(G_LEGS, -1);
    stand_on(&l->next, NULL);
    stand_on(&l->way, NULL);
    um_tries_end(&l->tries);
    um_bytes_unref(l->address);
    um_bytes_unref(l->auth);
    um_bytes_unref(l->claim);
    um_bytes_unref(l->mark);
    um_buf_free(&l->held);
    free(l);
}

static void end(struct leg *l, const char *why)
{
    go(l, LEG_ENDED, why);
    leg_free(l);
}

/* ---- looking for a core ---- */

static void seek(struct leg *l);

static void give_up(struct leg *l)
{
    struct um_guest *g = l->guest;

    guest_count(G_GIVEN_UP, 1);
    um_log_limited(UM_WARN, "gateway.leg", "given-up", UM_B("doc", leg_key(l)), UM_S("state", state_name[l->state]));
    um_guest_close(g, l->fresh ? CLOSE_LATER : CLOSE_RESTART, "no core answers");
}

/* The move is off: the client stays where it is. */
static void stay(struct leg *l, const char *why)
{
    set_moving(l, false);
    um_tries_end(&l->tries);
    l->stay_until_ms = now_ms(l) + STAY_MS;
    go(l, LEG_LIVE, why);
    stand_on(&l->next, NULL);
}

static void timer_due(void *arg)
{
    struct leg *l = arg;
    bool late = now_ms(l) >= l->until_ms;

    if (l->state == LEG_BRIDGING && l->way == NULL)
        return;                               /* the client may be asleep: it is waited for as long as it is there */
    if (l->state == LEG_ASKING) {
        give_up(l);
    } else if (late && l->way != NULL) {
        stay(l, "no other core takes it");
    } else if (late) {
        give_up(l);
    } else if (l->state == LEG_REPLAYING) {
        go(l, LEG_SEEKING, "the core does not answer");
        stand_on(&l->next, NULL);
        seek(l);
    } else {
        seek(l);
    }
}

static void set_timer(struct leg *l, int64_t ms)
{
    um_timer_set(l->guest->loop, &l->timer, UM_MAX(UM_MIN(ms, l->until_ms - now_ms(l)), 0), timer_due, l);
}

static void back_off(struct leg *l)
{
    um_tries_end(&l->tries);
    l->back_off_ms = l->back_off_ms == 0 ? BACK_OFF_MIN_MS : UM_MIN(l->back_off_ms * 2, BACK_OFF_MAX_MS);
    set_timer(l, l->back_off_ms);
}

/* The next core that is worth an attempt; one is being asked, or the timer is set, when this returns, or the leg is gone. */
static void seek(struct leg *l)
{
    struct um_guest *g = l->guest;
    struct um_core *core = um_cores_next(um_upstream_cores(g->gs->lines.up), &l->tries, leg_key(l), now_ms(l));
    struct way *w;

    if (l->way != NULL && core == l->way->core) {
        stay(l, "no better core is there");
        return;
    }
    w = core != NULL ? way_to(g, core) : NULL;
    if (g->ending)
        return;
    if (w == NULL) {
        back_off(l);
        return;
    }
    stand_on(&l->next, w);
    set_timer(l, INT32_MAX);
    if (w->open)
        leg_way_open(l, w);
}

static void begin_seeking(struct leg *l, const char *why)
{
    if (l->state != LEG_SEEKING)
        go(l, LEG_SEEKING, why);
    um_tries_end(&l->tries);
    l->back_off_ms = 0;
    l->until_ms = now_ms(l) + l->guest->gs->handover_timeout_ms;
    seek(l);
}

struct leg *leg_new(struct um_guest *g, struct um_span address, size_t name_len, struct way *w)
{
    struct leg *l = um_xcalloc(1, sizeof(*l));

    l->guest = g;
    l->state = LEG_SEEKING;
    l->fresh = true;
    l->tries.needs = "collab";
    l->address = um_bytes_dup(address.data, address.len);
    l->name_len = name_len;
    um_list_append(&g->legs, &l->link);
    g->n_legs++;
    guest_count(G_LEGS, 1);
    if (l->address == NULL) {
        um_guest_close(g, CLOSE_LATER, "out of memory");
        return NULL;
    }
    if (w != NULL) {
        stand_on(&l->next, w);
        leg_way_open(l, w);
        return l;
    }
    begin_seeking(l, "new");
    return g->ending ? NULL : l;
}

bool leg_may_move(const struct leg *l)
{
    return l->state == LEG_LIVE && l->closing == 0 && l->asked == 0 && now_ms(l) >= l->stay_until_ms && !l->too_long;
}

void leg_move(struct leg *l)
{
    set_moving(l, true);
    begin_seeking(l, "a better core is there");
}

/* ---- saying it again ---- */

static void hold(struct leg *l, struct um_span message, size_t max)
{
    if (l->held.len + message.len > max && l->held.len > 0) {
        guest_count(G_HELD_DROPPED, 1);
        return;
    }
    um_buf_put_varbytes(&l->held, message);
    if (l->held.len > GUEST_HELD_MAX)
        guest_balance(l->guest);
}

static void say_held(struct leg *l, struct way *w)
{
    struct um_reader r = um_reader(UM_SPAN(l->held.data, l->held.len));

    while (um_reader_left(&r) > 0)
        way_say(w, um_read_varbytes(&r));
    um_buf_free(&l->held);
    guest_balance(l->guest);
}

static void arrive(struct leg *l, enum leg_state state, const char *why)
{
    struct way *w = l->next;

    set_moving(l, false);
    um_tries_end(&l->tries);
    go(l, state, why);
    l->next = NULL;
    if (l->way != NULL)
        way_use(l->way, -1);
    l->way = w;
}

/* A core that is asked anew gets what is needed to let the client in, then the question in its name, then its presence. */
static void replay(struct leg *l)
{
    static const uint8_t nothing[] = { 0 };
    struct um_span mark = l->mark != NULL ? um_bytes_span(l->mark) : UM_SPAN(nothing, 1);
    struct um_span claim = l->claim != NULL ? um_bytes_span(l->claim) : UM_SPAN(NULL, 0);
    struct way *w = l->next;

    if (l->auth != NULL)
        way_say(w, um_bytes_span(l->auth));
    if (l->stepped)
        say_core(l, w, UM_TALK_SYNC, UM_TALK_STEP1, &mark);
    if (l->claim != NULL && !l->claim_is_null)
        say_core(l, w, UM_TALK_LEG, UM_TALK_CLAIM, &claim);
    if (l->stepped) {
        go(l, LEG_REPLAYING, "said again");
        set_timer(l, l->guest->gs->handover_timeout_ms / 3);
    } else {
        um_acks_lost(&l->acks);
        arrive(l, LEG_OPENING, "said again");
    }
    say_held(l, w);
}

void leg_way_open(struct leg *l, struct way *w)
{
    if (l->state != LEG_SEEKING || l->next != w)
        return;
    if (!l->fresh) {
        replay(l);
        return;
    }
    l->fresh = false;
    arrive(l, LEG_OPENING, "a core is there");
    say_held(l, w);
}

void leg_way_failed(struct leg *l, struct way *w)
{
    if (l->state != LEG_SEEKING || l->next != w)
        return;
    stand_on(&l->next, NULL);
    seek(l);
}

void leg_way_lost(struct leg *l, struct way *w)
{
    if (l->next == w) {
        if (l->state == LEG_ASKING) {
            stand_on(&l->next, NULL);          /* the fresh token finds another core */
            return;
        }
        go(l, LEG_SEEKING, "the next core was lost");
        stand_on(&l->next, NULL);
        seek(l);
        return;
    }
    guest_count(G_LOST, 1);
    um_acks_lost(&l->acks);
    stand_on(&l->way, NULL);
    set_moving(l, false);
    l->lost_at_ms = now_ms(l);
    if (l->closing > 0) {
        struct um_span reason = UM_SPAN_STR("provider_initiated");
        say_client(l, UM_TALK_CLOSE, UM_TALK_NO_KIND, &reason);
        end(l, "closed by the client, and the core is lost");
    } else if (l->too_long) {
        um_guest_close(l->guest, CLOSE_RESTART, "service restart");
    } else if (l->state == LEG_LIVE || l->state == LEG_OPENING) {
        begin_seeking(l, "the core was lost");
    }
}

/* ---- what the client says ---- */

static void note_token(struct leg *l, const struct um_talk *t, struct um_span message)
{
    struct um_reader r = um_reader(t->payload);

    um_read_varbytes(&r);
    l->speaks_4x = !r.failed && um_reader_left(&r) > 0;
    l->too_long = message.len > LEG_AUTH_MAX;
    if (l->too_long)
        forget(&l->auth);
    else
        keep(&l->auth, message);
}

/* The first client that it speaks for alone is itself: it begins with its own presence. */
static void note_presence(struct leg *l, const struct um_talk *t)
{
    struct um_span update;
    uint64_t client;
    bool gone;

    if (!um_talk_presence(t->body, &client, &update, &gone) || (l->has_client && client != l->client))
        return;
    l->has_client = true;
    l->client = client;
    l->claim_is_null = gone;
    if (update.len > LEG_CLAIM_MAX)
        forget(&l->claim);
    else
        keep(&l->claim, update);
}

/* Where the client's words go now: the core that it is on, or, across the bridge, the new one; NULL: nowhere. */
static struct way *ear_of(const struct leg *l)
{
    return l->way != NULL ? l->way : is_crossing(l) ? l->next : NULL;
}

static void pass(struct leg *l, struct way *w, struct um_span message)
{
    if (w != NULL)
        way_say(w, message);
    else
        hold(l, message, l->fresh ? SIZE_MAX : LEG_KEPT_HELD_MAX);
}

static void cross(struct leg *l, struct um_span message)
{
    static const char *const why[] = { "the core was lost", "moved" };
    struct way *w = l->next;
    bool moved = l->way != NULL;

    if (moved) {
        say_core(l, l->way, UM_TALK_LEG, UM_TALK_MOVED, NULL);
        if (!l->guest->bare)
            say_core(l, l->way, UM_TALK_CLOSE, UM_TALK_NO_KIND, NULL);
        guest_count(G_MOVED, 1);
    }
    guest_count(G_HANDED_OVER, 1);
    um_log(UM_DEBUG, "gateway.leg", "handed-over", UM_B("doc", leg_key(l)), UM_S("to", um_core_host(w->core)), UM_S("why", why[moved]),
           UM_I("ms", moved ? 0 : now_ms(l) - l->lost_at_ms), UM_I("waiting", l->acks.waiting), UM_I("marked", l->mark != NULL));
    um_acks_lost(&l->acks);
    um_acks_step2(&l->acks);
    l->asked_token = false;
    way_say(w, message);
    arrive(l, LEG_LIVE, "the client has answered");
}

static void client_step2(struct leg *l, struct um_span message)
{
    if (l->asked > 0)
        l->asked--;
    if (l->state == LEG_BRIDGING && l->skip == 0) {
        cross(l, message);
        return;
    }
    if (l->state == LEG_BRIDGING)
        l->skip--;
    if (l->fresh) {
        um_acks_step2(&l->acks);
        pass(l, NULL, message);
    } else if (l->way != NULL) {
        um_acks_step2(&l->acks);
        way_say(l->way, message);
    }
}

static void client_sync(struct leg *l, const struct um_talk *t, struct um_span message)
{
    switch (t->kind) {
    case UM_TALK_STEP1:
        l->stepped = true;
        um_acks_step1(&l->acks);
        if (l->fresh || (l->way != NULL && l->state != LEG_BRIDGING))
            pass(l, l->way, message);         /* elsewhere the bridge answers it */
        return;
    case UM_TALK_STEP2:
        client_step2(l, message);
        return;
    case UM_TALK_UPDATE:
        um_acks_update(&l->acks, l->fresh || l->way != NULL);
        if (l->fresh || l->way != NULL)
            pass(l, l->way, message);
        return;
    default:
        pass(l, ear_of(l), message);          /* the core has a word for it */
    }
}

static void client_token(struct leg *l, const struct um_talk *t, struct um_span message)
{
    note_token(l, t, message);
    if (l->state == LEG_ASKING) {
        if (l->next != NULL && l->next->open)
            replay(l);
        else
            begin_seeking(l, "a fresh token");
        return;
    }
    if (l->way != NULL || l->fresh)
        pass(l, l->way, message);
    if (is_crossing(l))
        way_say(l->next, message);
}

/* It may be let in again behind its own Close: the core has everything anew. */
static void begin_anew(struct leg *l)
{
    if (l->state == LEG_LIVE)
        go(l, LEG_OPENING, "closed by the client");
    forget(&l->auth);
    forget(&l->mark);
    forget(&l->claim);
    l->acks = (struct um_acks){ 0 };
    l->stepped = l->asked_token = l->has_client = false;
    l->asked = l->skip = 0;
    l->scope = 0;
}

static void client_close(struct leg *l, struct um_span message)
{
    struct um_span reason = UM_SPAN_STR("provider_initiated");

    if (l->state == LEG_LIVE || l->state == LEG_OPENING) {
        l->closing++;
        begin_anew(l);
        way_say(l->way, message);
        return;
    }
    if (l->way != NULL)
        way_say(l->way, message);
    if (is_crossing(l))
        way_say(l->next, message);
    say_client(l, UM_TALK_CLOSE, UM_TALK_NO_KIND, &reason);
    end(l, "closed by the client");
}

void leg_hears_client(struct leg *l, const struct um_talk *t, struct um_span message)
{
    struct um_guest *g = l->guest;

    if (t->type == UM_TALK_SYNC) {
        client_sync(l, t, message);
    } else if (t->type == UM_TALK_AUTH && t->kind == UM_TALK_TOKEN && !g->bare) {
        client_token(l, t, message);
    } else if (t->type == UM_TALK_CLOSE && !g->bare) {
        client_close(l, message);
    } else if (t->type == UM_TALK_AWARENESS) {
        note_presence(l, t);
        if (is_crossing(l))
            way_say(l->next, message);        /* who has its claim speaks for it */
        else if (l->way != NULL || l->fresh)
            pass(l, l->way, message);
    } else {
        pass(l, ear_of(l), message);
    }
}

/* ---- what a core says ---- */

/* The core that we have come to does not let the client in as it was let in before. */
static void denied(struct leg *l, struct um_span message)
{
    struct um_guest *g = l->guest;

    guest_count(G_REPLAY_DENIED, 1);
    if (l->way != NULL) {
        stay(l, "the other core denies it");
    } else if (l->auth == NULL || l->asked_token) {
        guest_say(g, message);
        end(l, "denied");
    } else if (l->speaks_4x) {
        l->asked_token = true;
        go(l, LEG_ASKING, "denied");
        l->until_ms = now_ms(l) + LEG_ASK_MS;
        set_timer(l, LEG_ASK_MS);
        say_client(l, UM_TALK_AUTH, UM_TALK_TOKEN, NULL);
    } else if (g->n_legs == 1) {              /* a 2.x provider has no word for it: it comes back by itself */
        um_guest_close(g, CLOSE_RESET, "Reset Connection");
    } else {
        struct um_span reason = UM_SPAN_STR("Reset Connection");
        say_client(l, UM_TALK_CLOSE, UM_TALK_NO_KIND, &reason);
        say_client(l, UM_TALK_AUTH, UM_TALK_TOKEN, NULL);
        end(l, "denied");
    }
}

static void core_auth(struct leg *l, bool is_new, const struct um_talk *t, struct um_span message)
{
    if (l->guest->bare || t->kind == UM_TALK_TOKEN) {
        guest_say(l->guest, message);
    } else if (t->kind == UM_TALK_DENIED && is_new) {
        denied(l, message);
    } else if (t->kind == UM_TALK_DENIED) {
        guest_say(l->guest, message);
        end(l, "denied");
    } else {
        uint8_t scope = (uint8_t)UM_MIN(t->payload.len, 255u);
        if (!is_new || scope != l->scope)     /* nothing has changed for the client otherwise */
            guest_say(l->guest, message);
        l->scope = scope;
    }
}

static void core_close(struct leg *l, struct way *w, struct um_span message)
{
    if (w == l->next) {
        denied(l, message);
        return;
    }
    guest_say(l->guest, message);
    if (l->closing == 0) {
        end(l, "closed by the core");
    } else {
        l->closing--;
        if (l->closing == 0 && !l->stepped && l->auth == NULL)
            end(l, "closed by the client");
    }
}

static void core_sync(struct leg *l, bool is_new, const struct um_talk *t, struct um_span message)
{
    if (t->kind == UM_TALK_STEP1) {
        if (l->state == LEG_REPLAYING && is_new) {
            l->skip = l->asked;
            go(l, LEG_BRIDGING, "the core has answered");
            if (l->way != NULL)
                set_timer(l, INT32_MAX);
        }
        l->asked++;
    }
    guest_say(l->guest, message);
    if (t->kind == UM_TALK_STEP2 && l->state == LEG_OPENING && l->closing == 0)
        go(l, LEG_LIVE, "the first sync is done");
}

static void core_status(struct leg *l, bool is_new, const struct um_talk *t, struct um_span message)
{
    uint32_t n = is_new ? 0 : um_acks_status(&l->acks, t->kind == 1);

    if (t->kind != 1)
        guest_say(l->guest, message);
    for (; n > 0; n--)
        guest_say(l->guest, message);
}

static void core_leg(struct leg *l, const struct um_talk *t)
{
    struct um_reader r = um_reader(t->payload);
    struct um_span sv = um_read_varbytes(&r);

    if (t->kind != UM_TALK_MARK || r.failed)
        return;
    if (sv.len > LEG_MARK_MAX)
        forget(&l->mark);
    else
        keep(&l->mark, sv);
}

void leg_hears_core(struct leg *l, struct way *w, const struct um_talk *t, struct um_span message)
{
    bool is_new = w == l->next;

    switch (t->type) {
    case UM_TALK_LEG:
        core_leg(l, t);
        break;
    case UM_TALK_SYNC:
        core_sync(l, is_new, t, message);
        break;
    case UM_TALK_AUTH:
        core_auth(l, is_new, t, message);
        break;
    case UM_TALK_SYNC_STATUS:
        core_status(l, is_new, t, message);
        break;
    case UM_TALK_CLOSE:
        if (l->guest->bare)
            guest_say(l->guest, message);
        else
            core_close(l, w, message);
        break;
    default:
        guest_say(l->guest, message);
    }
}
