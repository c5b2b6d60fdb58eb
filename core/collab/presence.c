/* See presence.h. An entry is accepted when its clock is higher than the known one, or equal with a null state while a
 * state is present; the known clock of an unknown id is 0. A forgotten id keeps its entry, so that a late echo of its old
 * state cannot revive it. */
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <umbel/util.h>
#include "bus_wire.h"
#include "presence.h"

static struct um_span key_of(const uint64_t *client) { return UM_SPAN(client, sizeof(*client)); }

void presence_init(struct presence *p)
{
    *p = (struct presence){ 0 };
    um_list_init(&p->all);
    um_list_init(&p->dirty);
    for (int i = 0; i < PRESENCE_EARS; i++)
        um_list_init(&p->news[i]);
    um_list_init(&p->contested);
}

void presence_free(struct presence *p)
{
    UM_LIST_EACH_SAFE(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        free(e->state);
        free(e->user);
        free(e);
    }
    um_map_free(&p->by_client);
}

static void mark_dirty(struct presence *p, struct presence_entry *e)
{
    if (um_list_is_empty(&e->dirty_link))
        um_list_append(&p->dirty, &e->dirty_link);
    for (int i = 0; i < PRESENCE_EARS && !e->is_remote; i++)
        if (um_list_is_empty(&e->news_link[i]))
            um_list_append(&p->news[i], &e->news_link[i]);
}

static void set_state(struct presence *p, struct presence_entry *e, struct um_span state, bool is_null)
{
    p->n_present -= e->state != NULL;
    free(e->state);
    e->state = NULL;
    e->state_len = 0;
    if (!is_null) {
        e->state = um_xmalloc(state.len);           /* bounded by the limit on a state */
        memcpy(e->state, state.data, state.len);
        e->state_len = state.len;
        p->n_present++;
    }
    mark_dirty(p, e);
}

static void contest(struct presence *p, struct presence_entry *e, uint64_t clock)
{
    e->contested_clock = UM_MAX(e->clock, clock);
    if (um_list_is_empty(&e->contested_link))
        um_list_append(&p->contested, &e->contested_link);
}

/* Its owner has left. Who else is connected under this id is asked, and comes back with a higher clock. */
static void set_gone(struct presence *p, struct presence_entry *e)
{
    e->owner = NULL;
    if (e->state == NULL)
        return;
    set_state(p, e, UM_SPAN(NULL, 0), true);
    if (e->claimant != NULL)
        contest(p, e, e->clock);
}

static struct presence_entry *entry_for(struct presence *p, uint64_t client)
{
    struct presence_entry *e = um_map_get(&p->by_client, key_of(&client));

    if (e == NULL) {
        e = um_xcalloc(1, sizeof(*e));
        e->client = client;
        um_list_init(&e->dirty_link);
        for (int i = 0; i < PRESENCE_EARS; i++)
            um_list_init(&e->news_link[i]);
        um_list_init(&e->contested_link);
        um_list_append(&p->all, &e->link);
        um_map_put(&p->by_client, key_of(&client), e);
        p->n_known++;
    }
    return e;
}

static bool is_null(struct um_span state)
{
    return state.len == 4 && memcmp(state.data, "null", 4) == 0;
}

/* JSON.parse takes \ud83d without its other half (a name that was cut in the middle of an emoji); jansson does not. In a
 * copy whose escapes name no surrogates any more, everything else is judged as before. */
static void hide_surrogates(char *text, size_t len)
{
    for (size_t i = 2; i < len; i++)
        if ((text[i] | 0x20) == 'd' && text[i - 1] == 'u' && text[i - 2] == '\\')
            text[i] = '1';
}

/* Any JSON value, as JSON.parse takes it. */
static bool is_json(struct um_span state)
{
    char *copy;
    json_t *v;

    if (is_null(state))
        return true;
    copy = um_xmalloc(state.len + 1);               /* bounded by the limit on a state */
    memcpy(copy, state.data, state.len);
    hide_surrogates(copy, state.len);
    v = json_loadb(copy, state.len, JSON_DECODE_ANY | JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
    free(copy);
    json_decref(v);
    return v != NULL;
}

/* ---- what somebody says ---- */

struct said {                                       /* entries one after the other, in either format */
    struct um_reader r;
    bool told;                                      /* by another core: each with its user, and no count before */
    uint64_t left;
};

static struct said said_from(struct um_span bytes, bool told)
{
    struct said s = { um_reader(bytes), told, 0 };

    if (!told)
        s.left = um_read_varuint(&s.r);
    return s;
}

static bool next_said(struct said *s, struct bus_presence *out)
{
    if (s->r.failed || (s->told ? um_reader_left(&s->r) == 0 : s->left-- == 0))
        return false;
    if (s->told) {
        *out = bus_read_presence(&s->r);
    } else {
        out->client = um_read_varuint(&s->r);
        out->clock = um_read_varuint(&s->r);
        out->state = um_read_varbytes(&s->r);
        out->user = UM_SPAN(NULL, 0);
    }
    return true;
}

static um_err check(struct presence *p, struct said s, const struct presence_limits *limits)
{
    struct bus_presence e;
    uint64_t n = 0;
    size_t fresh = 0;

    if (s.r.failed || s.left > um_reader_left(&s.r) / 3)
        return UM_EPROTO;
    if (s.left > (uint64_t)limits->ids_per_frame)
        return UM_ELIMIT;
    while (next_said(&s, &e)) {
        if (s.r.failed || !um_utf8_is_valid(e.state.data, e.state.len) || !um_utf8_is_valid(e.user.data, e.user.len))
            return UM_EPROTO;
        if (e.state.len > (size_t)limits->state_bytes || ++n > (uint64_t)limits->ids_per_frame)
            return UM_ELIMIT;
        if (!is_json(e.state))
            return UM_EPROTO;
        fresh += um_map_get(&p->by_client, key_of(&e.client)) == NULL;
    }
    return s.r.failed ? UM_EPROTO : p->n_known + fresh > (size_t)limits->ids ? UM_ELIMIT : UM_OK;
}

/* It has moved here from another core, whose word that it has gone is about the past. */
static bool is_moved_here(const struct presence_speaker *by, const struct presence_entry *e, bool gone)
{
    return by->is_remote && !e->is_remote && gone;
}

static bool may_speak_for(const struct presence_speaker *by, const struct presence_entry *e, bool gone)
{
    if (e->owner == NULL || e->owner == by->who)
        return true;
    if (is_moved_here(by, e, gone))
        return false;
    return by->user == NULL || e->user == NULL || strcmp(by->user, e->user) == 0;
}

static void set_owner(struct presence_entry *e, const struct presence_speaker *by, bool gone)
{
    if (e->user == NULL || by->user == NULL || strcmp(e->user, by->user) != 0) {
        free(e->user);
        e->user = by->user != NULL ? um_xstrdup(by->user) : NULL;
    }
    e->is_remote = by->is_remote;
    e->owner = gone ? NULL : by->who;
}

/* Nothing is new for readers, but the other cores hear whose it is now. */
static void take_over(struct presence *p, struct presence_entry *e, const struct presence_speaker *by)
{
    set_owner(e, by, false);
    e->claimant = NULL;
    for (int i = 0; i < PRESENCE_EARS; i++)
        if (um_list_is_empty(&e->news_link[i]))
            um_list_append(&p->news[i], &e->news_link[i]);
}

/* What was said did not win. Whoever said it may be there all the same. */
static void lost(struct presence *p, struct presence_entry *e, const struct bus_presence *said, const struct presence_speaker *by,
                 struct presence_result *out)
{
    if (by->is_vouched && e->state != NULL) {
        take_over(p, e, by);
        return;
    }
    if (e->state != NULL && e->owner != by->who && said->clock == e->clock) {
        if (!by->is_remote)
            out->claimed = e;
        else if (e->is_remote)
            e->owner = by->who;                     /* a core tells of its own people only */
    } else if (e->state == NULL && !by->is_remote) {
        out->needs_query = true;
        out->query_client = said->client;
        out->query_clock = e->clock;
    } else if (e->state == NULL && um_list_is_empty(&e->news_link[PRESENCE_CORES])) {
        um_list_append(&p->news[PRESENCE_CORES], &e->news_link[PRESENCE_CORES]);    /* the other core hears of it, and asks */
    }
}

static bool apply_entry(struct presence *p, const struct bus_presence *said, const struct presence_speaker *by, int64_t now_ms,
                        struct presence_result *out)
{
    struct presence_entry *e = um_map_get(&p->by_client, key_of(&said->client));
    uint64_t known = e ? e->clock : 0;
    bool gone = is_null(said->state), present = e && e->state;

    if (e)
        e->round = p->round;
    if (e && !may_speak_for(by, e, gone)) {
        if (is_moved_here(by, e, gone) && present && said->clock >= e->clock)
            contest(p, e, said->clock);
        return false;
    }
    if (said->clock > known || (said->clock == known && gone && present)) {
        e = entry_for(p, said->client);
        e->clock = said->clock;
        e->heard_at_ms = now_ms;
        e->round = p->round;
        set_owner(e, by, gone);
        if (gone)
            set_gone(p, e);
        else
            set_state(p, e, said->state, false);
        if (!gone)
            e->claimant = NULL;
        return true;
    }
    if (!gone && e)
        lost(p, e, said, by, out);
    return false;
}

/* A connection is one client: one that has an id of its own repeats what it heard of others. */
static bool owns_any(const struct presence *p, const void *owner)
{
    UM_LIST_EACH(it, &p->all)
        if (UM_CONTAINER(it, struct presence_entry, link)->owner == owner)
            return true;
    return false;
}

um_err presence_apply(struct presence *p, struct um_span update, const struct presence_speaker *by, int64_t now_ms,
                      const struct presence_limits *limits, struct presence_result *out)
{
    struct said s = said_from(update, false);
    struct bus_presence e;
    uint64_t n = s.left;
    um_err err = check(p, s, limits);

    *out = (struct presence_result){ 0 };
    while (err == UM_OK && next_said(&s, &e))
        *(apply_entry(p, &e, by, now_ms, out) ? &out->accepted : &out->ignored) += 1;
    out->needs_query = out->needs_query && n == 1;               /* with others it is an echo */
    if (out->claimed != NULL && n == 1 && !owns_any(p, by->who))
        out->claimed->claimant = by->who;
    return err;
}

/* CORE has told everybody it has: who was not named has gone. */
static void sweep(struct presence *p, const void *core, struct presence_result *out)
{
    UM_LIST_EACH(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->owner != core || e->round == p->round)
            continue;
        set_gone(p, e);
        out->accepted++;
    }
}

um_err presence_apply_told(struct presence *p, struct um_span told, bool is_all, const void *core, int64_t now_ms,
                           const struct presence_limits *limits, struct presence_result *out)
{
    struct said s = said_from(told, true);
    um_err err = check(p, s, limits);
    struct bus_presence e;

    *out = (struct presence_result){ 0 };
    p->round++;
    while (err == UM_OK && next_said(&s, &e)) {
        char *user = um_xstrndup(e.user.len > 0 ? (const char *)e.user.data : "", e.user.len);
        struct presence_speaker by = { core, user, true, false };
        *(apply_entry(p, &e, &by, now_ms, out) ? &out->accepted : &out->ignored) += 1;
        free(user);
    }
    if (err == UM_OK && is_all)
        sweep(p, core, out);
    return err;
}

void presence_owner_left(struct presence *p, const void *owner)
{
    UM_LIST_EACH(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->claimant == owner)
            e->claimant = NULL;
        if (e->owner == owner)
            set_gone(p, e);
    }
}

void presence_owner_moved(struct presence *p, const void *owner, int64_t heard_at_ms)
{
    UM_LIST_EACH(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->claimant == owner)
            e->claimant = NULL;
        if (e->owner != owner)
            continue;
        e->owner = NULL;
        e->is_remote = true;
        e->heard_at_ms = UM_MIN(e->heard_at_ms, heard_at_ms);
    }
}

bool presence_take_contested(struct presence *p, const void **seat, uint64_t *client, uint64_t *clock)
{
    struct presence_entry *e;

    if (um_list_is_empty(&p->contested))
        return false;
    e = UM_CONTAINER(p->contested.next, struct presence_entry, contested_link);
    um_list_remove(&e->contested_link);
    *seat = e->state != NULL && !e->is_remote ? e->owner : e->claimant;
    *client = e->client;
    *clock = e->contested_clock;
    return true;
}

bool presence_expire(struct presence *p, int64_t now_ms, int64_t age_ms)
{
    bool any = false;

    UM_LIST_EACH_SAFE(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->state != NULL && now_ms - e->heard_at_ms >= age_ms) {
            set_gone(p, e);
            any = true;
        } else if (e->state == NULL && um_list_is_empty(&e->dirty_link) && now_ms - e->heard_at_ms >= 10 * age_ms) {
            um_map_remove(&p->by_client, key_of(&e->client));       /* nobody can echo it any more */
            um_list_remove(&e->link);
            for (int i = 0; i < PRESENCE_EARS; i++)
                um_list_remove(&e->news_link[i]);
            um_list_remove(&e->contested_link);
            free(e->user);
            free(e);
            p->n_known--;
        }
    }
    return any;
}

static void put_entry(struct um_buf *out, const struct presence_entry *e)
{
    um_buf_put_varuint(out, e->client);
    um_buf_put_varuint(out, e->clock);
    um_buf_put_varuint(out, e->state ? e->state_len : 4);
    um_buf_put(out, e->state ? e->state : "null", e->state ? e->state_len : 4);
}

/* ---- for other cores ---- */

static void tell(struct um_buf *out, const struct presence_entry *e)
{
    struct um_span state = e->state ? UM_SPAN(e->state, e->state_len) : UM_SPAN_STR("null");

    bus_put_presence(out, &(struct bus_presence){ e->client, e->clock, state, UM_SPAN_STR(e->user ? e->user : "") });
}

bool presence_take_news(struct presence *p, struct um_buf *out)
{
    size_t before = out->len;

    UM_LIST_EACH_SAFE(it, &p->news[PRESENCE_CORES]) {
        tell(out, UM_CONTAINER(it, struct presence_entry, news_link[PRESENCE_CORES]));
        um_list_remove(it);
    }
    return !out->failed && out->len > before;
}

bool presence_put_own(const struct presence *p, struct um_buf *out)
{
    size_t before = out->len;

    UM_LIST_EACH(it, &p->all) {
        const struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->state != NULL && !e->is_remote)
            tell(out, e);
    }
    return !out->failed && out->len > before;
}

/* ---- for stock servers ---- */

bool presence_take_stock_news(struct presence *p, struct um_buf *out)
{
    size_t n = 0;

    UM_LIST_EACH(it, &p->news[PRESENCE_STOCK])
        n++;
    if (n == 0)
        return false;
    um_buf_put_varuint(out, n);
    UM_LIST_EACH_SAFE(it, &p->news[PRESENCE_STOCK]) {
        put_entry(out, UM_CONTAINER(it, struct presence_entry, news_link[PRESENCE_STOCK]));
        um_list_remove(it);
    }
    return !out->failed;
}

static bool is_own(const struct presence_entry *e) { return e->state != NULL && !e->is_remote; }

void presence_encode_own(const struct presence *p, struct um_buf *out)
{
    size_t n = 0;

    UM_LIST_EACH(it, &p->all)
        n += is_own(UM_CONTAINER(it, struct presence_entry, link));
    um_buf_put_varuint(out, n);
    UM_LIST_EACH(it, &p->all)
        if (is_own(UM_CONTAINER(it, struct presence_entry, link)))
            put_entry(out, UM_CONTAINER(it, struct presence_entry, link));
}

/* ---- for clients ---- */

bool presence_encode_all(const struct presence *p, struct um_buf *out)
{
    if (p->n_present == 0)
        return false;
    um_buf_put_varuint(out, p->n_present);
    UM_LIST_EACH(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->state != NULL)
            put_entry(out, e);
    }
    return !out->failed;
}

bool presence_encode_known(const struct presence *p, struct um_buf *out)
{
    if (p->n_known == 0)
        return false;
    um_buf_put_varuint(out, p->n_known);
    UM_LIST_EACH(it, &p->all)
        put_entry(out, UM_CONTAINER(it, struct presence_entry, link));
    return !out->failed;
}

bool presence_take_dirty(struct presence *p, struct um_buf *out, const void **owner)
{
    size_t n = 0;
    bool mixed = false;

    *owner = NULL;
    UM_LIST_EACH(it, &p->dirty) {
        const struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, dirty_link);
        mixed = mixed || (n > 0 && e->owner != *owner);
        *owner = e->owner;
        n++;
    }
    if (mixed)
        *owner = NULL;
    if (n == 0)
        return false;
    um_buf_put_varuint(out, n);
    UM_LIST_EACH_SAFE(it, &p->dirty) {
        put_entry(out, UM_CONTAINER(it, struct presence_entry, dirty_link));
        um_list_remove(it);
    }
    return !out->failed;
}
