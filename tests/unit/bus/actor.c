/* A person with a provider: keeps a document, says what it writes, counts what it is told, and believes no acknowledgement
 * that the store does not bear out. */
#include <stdio.h>
#include <umbel/crdt_types.h>
#include "world_internal.h"

struct said {                                /* what waits for its acknowledgement, as an update */
    struct um_list link;
    struct um_bytes *update;
};

static struct um_span address_of(const struct actor *a) { return UM_SPAN_STR(a->document); }

struct actor *actor_new(struct world *w, const char *document)
{
    struct actor *a = um_xcalloc(1, sizeof(*a));

    assert_true(w->n_actors < ACTORS_MAX);
    a->index = w->n_actors;
    w->actors[w->n_actors++] = a;
    a->world = w;
    a->document = document;
    a->client = 1000 + a->index;
    snprintf(a->user, sizeof(a->user), "user:u%u", a->index);
    um_list_init(&a->unacked);
    assert_int_equal(um_crdt_new(NULL, &a->doc), UM_OK);
    assert_int_equal(um_crdt_declare_root(a->doc, UM_SPAN_STR("t"), UM_CRDT_TEXT), UM_OK);
    return a;
}

static void forget_unacked(struct actor *a)
{
    UM_LIST_EACH_SAFE(it, &a->unacked) {
        struct said *s = UM_CONTAINER(it, struct said, link);
        um_bytes_unref(s->update);
        free(s);
    }
    um_list_init(&a->unacked);
}

void actor_free(struct actor *a)
{
    forget_unacked(a);
    um_crdt_free(a->doc);
    free(a);
}

/* ---- speaking ---- */

/* A Step2 stands for all that its sender has, though it leaves out what the core has shown to have. */
static struct um_bytes *meant_by(struct actor *a, int kind, struct um_span update)
{
    struct um_buf whole = { 0 };
    struct um_bytes *out;

    if (kind != SYNC_STEP2)
        return um_bytes_dup(update.data, update.len);
    assert_int_equal(um_crdt_encode(a->doc, NOTHING, &whole), UM_OK);
    out = um_buf_to_bytes(&whole);
    um_buf_free(&whole);
    return out;
}

static void say_update(struct actor *a, int kind, struct um_span update)
{
    struct said *s;

    if (a->core == NULL)
        return;                              /* the Step2 of the next connection has it */
    s = um_xcalloc(1, sizeof(*s));
    s->update = meant_by(a, kind, update);
    um_list_append(&a->unacked, &s->link);
    peer_say(&a->peer, address_of(a), WIRE_SYNC, kind, update);
}

static void say_step1(struct actor *a)
{
    struct um_buf sv = { 0 };

    assert_int_equal(um_crdt_state_vector(a->doc, &sv), UM_OK);
    peer_say(&a->peer, address_of(a), WIRE_SYNC, SYNC_STEP1, UM_SPAN(sv.data, sv.len));
    um_buf_free(&sv);
}

void actor_say_whole(struct actor *a)
{
    struct um_buf state = { 0 };

    assert_int_equal(um_crdt_encode(a->doc, NOTHING, &state), UM_OK);
    say_update(a, SYNC_UPDATE, UM_SPAN(state.data, state.len));
    um_buf_free(&state);
}

void actor_show(struct actor *a)
{
    struct um_buf out = { 0 };

    if (a->core == NULL)
        return;
    a->clock++;
    peer_say(&a->peer, address_of(a), WIRE_AWARENESS, NO_KIND, presence_of(&out, a->client, a->clock, "{\"here\":1}"));
    um_buf_free(&out);
}

static void edit(struct actor *a, uint32_t at, uint32_t remove, const char *text)
{
    struct um_crdt_applied out = { 0 };
    struct um_crdt_type t;

    assert_int_equal(um_crdt_root(a->doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &t), UM_OK);
    assert_int_equal(um_crdt_begin(a->doc, a->client, NULL), UM_OK);
    if (remove > 0)
        assert_int_equal(um_crdt_text_delete(a->doc, &t, at, remove), UM_OK);
    else
        assert_int_equal(um_crdt_text_insert(a->doc, &t, at, UM_SPAN_STR(text), NOTHING), UM_OK);
    assert_int_equal(um_crdt_commit(a->doc, &out), UM_OK);
    if (out.changed)
        say_update(a, SYNC_UPDATE, out.event);
}

static uint32_t length(struct actor *a)
{
    struct um_crdt_type t;
    uint32_t n;

    assert_int_equal(um_crdt_root(a->doc, UM_SPAN_STR("t"), UM_CRDT_TEXT, &t), UM_OK);
    assert_int_equal(um_crdt_length(a->doc, &t, &n), UM_OK);
    return n;
}

void actor_type(struct actor *a, const char *text) { edit(a, length(a), 0, text); }

void actor_erase(struct actor *a) { edit(a, 0, length(a), NULL); }

void actor_scribble(struct actor *a)
{
    struct world *w = a->world;
    uint32_t n = length(a);
    char text[4] = { (char)('a' + a->index), (char)('0' + world_random(w, 10)), 0 };

    if (n > 0 && world_chance(w, n > 60 ? 60 : 25))
        edit(a, (uint32_t)world_random(w, n), 1, NULL);
    else
        edit(a, (uint32_t)world_random(w, n + 1), 0, text);
}

/* ---- hearing ---- */

static void take_sync(struct actor *a, struct um_span body)
{
    struct um_reader r = um_reader(body);
    uint64_t kind = um_read_varuint(&r);
    struct um_span payload = um_read_varbytes(&r);
    struct um_buf missing = { 0 };

    if (kind == SYNC_STEP1) {
        assert_int_equal(um_crdt_encode(a->doc, payload, &missing), UM_OK);
        say_update(a, SYNC_STEP2, UM_SPAN(missing.data, missing.len));
        um_buf_free(&missing);
        return;
    }
    assert_int_equal(um_crdt_apply(a->doc, payload, NULL), UM_OK);
    a->synced = a->synced || kind == SYNC_STEP2;
}

static void take_status(struct actor *a, struct um_span body)
{
    struct um_reader r = um_reader(body);
    struct said *s = UM_CONTAINER(a->unacked.next, struct said, link);

    assert_int_equal(um_read_varuint(&r), 1);
    assert_false(um_list_is_empty(&a->unacked));
    if (!store_has(a->world, a->document, um_bytes_span(s->update)))
        fail_msg("seed %llu: acknowledged to %s by %s, and not in the store", (unsigned long long)a->world->seed, a->user, a->core->member);
    um_list_remove(&s->link);
    um_bytes_unref(s->update);
    free(s);
    a->acks++;
    a->world->acks++;
}

static void take_presence(struct actor *a, struct um_span body)
{
    struct um_reader r = um_reader(body);
    struct um_reader in = um_reader(um_read_varbytes(&r));

    for (uint64_t n = um_read_varuint(&in); n > 0; n--) {
        uint64_t client = um_read_varuint(&in), clock = um_read_varuint(&in);
        bool present = !um_span_eq(um_read_varbytes(&in), UM_SPAN_STR("null"));
        assert_false(in.failed);
        if (client < 1000 || client >= 1000 + ACTORS_MAX)
            continue;
        uint64_t known = a->seen[client - 1000].clock;
        if (clock > known || (clock == known && !present)) {
            a->seen[client - 1000].clock = clock;
            a->seen[client - 1000].present = present;
        }
    }
}

static void take(struct actor *a, struct um_span message)
{
    struct wire_frame f;

    assert_int_equal(msg_read(message, &f), WIRE_OK);
    if (f.type == WIRE_SYNC)
        take_sync(a, f.body);
    else if (f.type == WIRE_SYNC_STATUS)
        take_status(a, f.body);
    else if (f.type == WIRE_AWARENESS)
        take_presence(a, f.body);
    else if (f.type == WIRE_QUERY_AWARENESS)
        actor_show(a);
}

void actor_hear(struct actor *a)
{
    while (a->core != NULL && peer_has_message(&a->peer)) {
        a->peer.has_message = false;
        take(a, UM_SPAN(a->peer.message.data, a->peer.message.len));
    }
    if (a->core != NULL && (a->peer.ended || a->peer.code != 0))
        actor_leave(a);
}

/* ---- coming and going ---- */

void actor_leave(struct actor *a)
{
    if (a->core == NULL)
        return;
    a->core = NULL;
    a->synced = false;
    forget_unacked(a);
    peer_close(&a->peer);
}

void actor_connect(struct actor *a, struct core *c)
{
    actor_leave(a);
    peer_open(&c->bench, &a->peer);
    a->core = c;
    memset(a->seen, 0, sizeof(a->seen));
    peer_token(&a->peer, address_of(a), a->user, "4.8.0");
    say_step1(a);
    actor_show(a);
}

bool actor_text_is(struct actor *a, const char *text)
{
    struct um_buf has = { 0 };
    bool same;

    (void)!um_crdt_read_text(a->doc, UM_SPAN_STR("t"), &has);
    same = um_span_eq(UM_SPAN(has.data, has.len), UM_SPAN_STR(text));
    um_buf_free(&has);
    return same;
}

bool actor_sees(const struct actor *a, const struct actor *other) { return a->seen[other->index].present; }
