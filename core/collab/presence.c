/* See presence.h. An entry is accepted when its clock is higher than the known one, or equal with a null state while a
 * state is present; the known clock of an unknown id is 0. A forgotten id keeps its entry, so that a late echo of its old
 * state cannot revive it. */
#include <stdlib.h>
#include <string.h>
#include <jansson.h>
#include <umbel/util.h>
#include "presence.h"

static struct um_span key_of(const uint64_t *client) { return UM_SPAN(client, sizeof(*client)); }

void presence_init(struct presence *p)
{
    *p = (struct presence){ 0 };
    um_list_init(&p->all);
    um_list_init(&p->dirty);
}

void presence_free(struct presence *p)
{
    UM_LIST_EACH_SAFE(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        free(e->state);
        free(e);
    }
    um_map_free(&p->by_client);
}

static void mark_dirty(struct presence *p, struct presence_entry *e)
{
    if (um_list_is_empty(&e->dirty_link))
        um_list_append(&p->dirty, &e->dirty_link);
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

static struct presence_entry *entry_for(struct presence *p, uint64_t client)
{
    struct presence_entry *e = um_map_get(&p->by_client, key_of(&client));

    if (e == NULL) {
        e = um_xcalloc(1, sizeof(*e));
        e->client = client;
        um_list_init(&e->dirty_link);
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

static um_err check(struct presence *p, struct um_span update, const struct presence_limits *limits)
{
    struct um_reader r = um_reader(update);
    uint64_t n = um_read_varuint(&r);
    size_t fresh = 0;

    if (r.failed || n > um_reader_left(&r) / 3)
        return UM_EPROTO;
    if (n > (uint64_t)limits->ids_per_frame)
        return UM_ELIMIT;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t client = um_read_varuint(&r);
        um_read_varuint(&r);
        struct um_span state = um_read_varbytes(&r);
        if (r.failed || !um_utf8_is_valid(state.data, state.len))
            return UM_EPROTO;
        if (state.len > (size_t)limits->state_bytes)
            return UM_ELIMIT;
        if (!is_json(state))
            return UM_EPROTO;
        fresh += um_map_get(&p->by_client, key_of(&client)) == NULL;
    }
    return p->n_known + fresh > (size_t)limits->ids ? UM_ELIMIT : UM_OK;
}

static bool apply_entry(struct presence *p, uint64_t client, uint64_t clock, struct um_span state, const void *owner,
                        int64_t now_ms, bool (*may)(const void *, const void *), struct presence_result *out)
{
    struct presence_entry *e = um_map_get(&p->by_client, key_of(&client));
    uint64_t known = e ? e->clock : 0;
    bool gone = is_null(state), present = e && e->state;

    if (e && e->owner && e->owner != owner && !may(owner, e->owner))
        return false;
    if (clock > known || (clock == known && gone && present)) {
        e = entry_for(p, client);
        e->clock = clock;
        e->heard_at_ms = now_ms;
        if (present || !gone)
            set_state(p, e, state, gone);
        e->owner = gone ? NULL : owner;
        return true;
    }
    if (!gone && !present && e) {
        out->needs_query = true;
        out->query_client = client;
        out->query_clock = known;
    }
    return false;
}

um_err presence_apply(struct presence *p, struct um_span update, const void *owner, int64_t now_ms,
                      const struct presence_limits *limits, bool (*may)(const void *owner, const void *present_owner),
                      struct presence_result *out)
{
    struct um_reader r = um_reader(update);
    um_err err = check(p, update, limits);
    uint64_t n;

    *out = (struct presence_result){ 0 };
    if (err != UM_OK)
        return err;
    n = um_read_varuint(&r);
    for (uint64_t i = 0; i < n; i++) {
        uint64_t client = um_read_varuint(&r), clock = um_read_varuint(&r);
        struct um_span state = um_read_varbytes(&r);
        if (apply_entry(p, client, clock, state, owner, now_ms, may, out))
            out->accepted++;
        else
            out->ignored++;
    }
    out->needs_query = out->needs_query && n == 1;
    return UM_OK;
}

void presence_owner_left(struct presence *p, const void *owner)
{
    UM_LIST_EACH(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->owner != owner)
            continue;
        e->owner = NULL;
        if (e->state != NULL)
            set_state(p, e, UM_SPAN(NULL, 0), true);
    }
}

bool presence_expire(struct presence *p, int64_t now_ms, int64_t age_ms)
{
    bool any = false;

    UM_LIST_EACH_SAFE(it, &p->all) {
        struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->state != NULL && now_ms - e->heard_at_ms >= age_ms) {
            e->owner = NULL;
            set_state(p, e, UM_SPAN(NULL, 0), true);
            any = true;
        } else if (e->state == NULL && um_list_is_empty(&e->dirty_link) && now_ms - e->heard_at_ms >= 10 * age_ms) {
            um_map_remove(&p->by_client, key_of(&e->client));       /* nobody can echo it any more */
            um_list_remove(&e->link);
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
