/* Recovery by the streams adapter: a client that comes back, to whichever node, gets what it has missed.
 *
 *   SET <prefix><pid> base64(MessagePack {sid, pid, rooms, data, since}) PX ms
 *
 * as Node writes it when a connection is lost; `since` is ours: where the stream was at the connect, for clients that have had no event.
 * It is written from the connect on, and after each change, so that it survives the death of this process; then it is kept for a day,
 * and for the server's time once the connection is known to be lost. A session is restored once (GETDEL). What needed an
 * acknowledgement, and volatile events, are not sent again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "streams.h"

enum { CONNECTED_MS = 24 * 3600 * 1000, MISSED_MAX = 10000, NAME_MAX_LEN = 64, ROOMS_MAX = 10000 };
/* The words of an order, in its opts.rooms. */
enum { SAVE_SID, SAVE_PID, SAVE_DATA, SAVE_N };
enum { RESTORE_PID, RESTORE_OFFSET, RESTORE_N };

static struct streams *own(const struct sio_cluster *c) { return c->own; }
static struct nsp *nsp_of(const struct order *o) { return um_map_get(&o->c->nsps, UM_SPAN_STR(o->nsp)); }

static struct um_span session_key(const struct sio_cluster *c, struct um_buf *out, struct um_span pid)
{
    um_buf_puts(out, c->conf->session_prefix);
    um_buf_put(out, pid.data, pid.len);
    return UM_SPAN(out->data, out->len);
}

/* Every client's session is saved when it connects, before it can have an event. */
static void note_recovery(struct sio_cluster *c)
{
    atomic_store_explicit(&c->recovers, true, memory_order_relaxed);
}

/* --- saving ------------------------------------------------------------------------------------------------------------- */

static void put_text(struct um_buf *out, struct um_span s)
{
    um_buf_put_u8(out, '"');
    um_json_escape(out, s);
    um_buf_put_u8(out, '"');
}

/* Where N's stream was when PID was first heard of. */
static const char *since_of(struct nsp *n, struct um_span pid)
{
    struct streams *s = own(n->c);
    char *at = um_map_get(&s->since, pid);

    if (at == NULL)
        um_map_put(&s->since, pid, at = um_xstrdup(streams_of(n)->last));
    return at;
}

static void forget_since(struct streams *s, struct um_span pid)
{
    free(um_map_remove(&s->since, pid));
}

static void put_session(struct um_buf *out, const struct order *o, const char *since)
{
    const struct um_span *w = o->opts.rooms;
    struct um_buf text = { 0 }, packed = { 0 };

    um_buf_puts(&text, "{\"sid\":");
    put_text(&text, w[SAVE_SID]);
    um_buf_puts(&text, ",\"pid\":");
    put_text(&text, w[SAVE_PID]);
    um_buf_puts(&text, ",\"rooms\":[");
    for (size_t i = 0; i < o->n_rooms; i++) {
        um_buf_puts(&text, i > 0 ? "," : "");
        put_text(&text, o->rooms[i]);
    }
    um_buf_puts(&text, "],\"data\":");
    um_buf_put(&text, w[SAVE_DATA].data, w[SAVE_DATA].len);
    um_buf_printf(&text, ",\"since\":\"%s\"}", since);
    if (!text.failed && mp_from_json(UM_SPAN(text.data, text.len), NULL, 0, &packed) == UM_OK)
        um_base64_encode(out, UM_SPAN(packed.data, packed.len));
    um_buf_free(&text);
    um_buf_free(&packed);
}

static void run_save(struct order *o)
{
    static const struct um_redis_opts unanswered = { .flags = UM_REDIS_NO_ANSWER };
    struct nsp *n = nsp_of(o);
    struct um_buf key = { 0 }, value = { 0 };
    struct um_span pid = o->opts.rooms[SAVE_PID];
    char ms[24];

    if (n == NULL)
        return;
    put_session(&value, o, since_of(n, pid));
    if (o->flag)
        forget_since(own(o->c), pid);
    snprintf(ms, sizeof(ms), "%lld", o->flag ? (long long)o->opts.timeout_ms : CONNECTED_MS);
    if (value.len > 0 && um_redis_link_is_ready(o->c->link))
        um_redis_command(o->c->link, &unanswered, (struct um_span[]){ UM_SPAN_STR("SET"), session_key(o->c, &key, pid),
                         UM_SPAN(value.data, value.len), UM_SPAN_STR("PX"), UM_SPAN_STR(ms) }, 5, NULL, NULL);
    else
        cluster_count(C_UNSAID, 1);
    um_buf_free(&key);
    um_buf_free(&value);
}

void streams_save(void *a, const char *nsp, const struct um_sio_session *s, bool gone, int64_t max_ms)
{
    const struct um_span words[SAVE_N] = { [SAVE_SID] = UM_SPAN_STR(s->sid), [SAVE_PID] = UM_SPAN_STR(s->pid), [SAVE_DATA] = s->data };

    note_recovery(a);
    order_give(a, run_save, &(struct order){ .nsp = nsp, .opts = { .rooms = words, .n_rooms = SAVE_N, .timeout_ms = max_ms }, .rooms = s->rooms,
                                             .n_rooms = s->n_rooms, .flag = gone });
}

static void run_forget(struct order *o)
{
    static const struct um_redis_opts unanswered = { .flags = UM_REDIS_NO_ANSWER };
    struct um_buf key = { 0 };

    forget_since(own(o->c), o->rooms[0]);
    um_redis_command(o->c->link, &unanswered, (struct um_span[]){ UM_SPAN_STR("DEL"), session_key(o->c, &key, o->rooms[0]) }, 2, NULL, NULL);
    um_buf_free(&key);
}

void streams_forget(void *a, const char *nsp, const char *pid)
{
    order_give(a, run_forget, &(struct order){ .nsp = nsp, .rooms = &UM_SPAN_STR(pid), .n_rooms = 1 });
}

/* --- restoring: is the offset known, the session, what came since --------------------------------------------------------------- */

struct restoring {
    struct nsp *n;
    struct um_sio_restore *r;
    char pid[NAME_MAX_LEN + 1], sid[NAME_MAX_LEN + 1], offset[STREAM_ID];
    struct um_span *rooms; size_t n_rooms;          /* into packed */
    struct um_buf packed, data;
    struct um_sio_missed *missed; size_t n_missed;
};

static void restore_end(struct restoring *x, bool found)
{
    struct um_sio_session s = { x->sid, x->pid, x->rooms, x->n_rooms, UM_SPAN(x->data.data, x->data.len) };

    um_sio_restored(x->r, found ? &s : NULL, x->missed, x->n_missed);
    for (size_t i = 0; i < x->n_missed; i++)
        um_sio_data_unref(x->missed[i].event);
    free(x->missed);
    free(x->rooms);
    um_buf_free(&x->packed);
    um_buf_free(&x->data);
    free(x);
}

static bool is_any(struct um_span name, const struct um_span *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (um_span_eq(name, list[i]))
            return true;
    return false;
}

static bool was_meant(const struct restoring *x, const struct wire_msg *m)
{
    bool in = m->target.n == 0;

    for (size_t i = 0; i < x->n_rooms; i++) {
        if (is_any(x->rooms[i], m->except.items, m->except.n))
            return false;
        in = in || is_any(x->rooms[i], m->target.items, m->target.n);
    }
    return in;
}

static void take_missed(struct restoring *x, const struct um_redis_reply *e)
{
    struct wire_packet p = { 0 };
    struct wire_msg m;

    if (e->kind != UM_REDIS_ARRAY || e->n != 2 || !um_span_eq(streams_field(e->items[1], "nsp"), UM_SPAN_STR(x->n->name)) ||
        !um_span_eq(streams_field(e->items[1], "type"), UM_SPAN("3", 1)) || wire_read_entry(streams_field(e->items[1], "data"), &m) != UM_OK)
        return;
    if (m.request_id.data == NULL && !(m.flags & UM_SIO_VOLATILE) && was_meant(x, &m) && wire_read_packet(m.packet, &p) == UM_OK) {
        if (p.has_id)
            um_sio_data_unref(p.event);
        else
            x->missed[x->n_missed++] = (struct um_sio_missed){ p.event, um_redis_item(e, 0) };
    }
    wire_clear(&m);
}

static void take_range(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct restoring *x = arg;
    bool whole = err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n <= MISSED_MAX;

    if (whole)
        x->missed = um_xcalloc(reply->n + 1, sizeof(*x->missed));
    for (size_t i = 0; whole && i < reply->n; i++)
        take_missed(x, reply->items[i]);
    restore_end(x, whole);                          /* offsets are borrowed from the reply */
}

static void read_range(struct restoring *x)
{
    char from[STREAM_ID + 1], most[16];

    snprintf(from, sizeof(from), "(%s", x->offset);
    snprintf(most, sizeof(most), "%d", MISSED_MAX + 1);
    um_redis_command(x->n->c->link, NULL, (struct um_span[]){ UM_SPAN_STR("XRANGE"), UM_SPAN_STR(streams_of(x->n)->name), UM_SPAN_STR(from),
                     UM_SPAN("+", 1), UM_SPAN_STR("COUNT"), UM_SPAN_STR(most) }, 6, take_range, x);
}

/* ---- the session ---- */

static bool read_word(struct um_reader session, const char *key, char *out, size_t size)
{
    struct um_reader r;
    struct mp_token t;

    if (!mp_find(session, key, &r) || !mp_next(&r, &t) || t.kind != MP_STR || t.bytes.len >= size)
        return false;
    snprintf(out, size, "%.*s", (int)t.bytes.len, (const char *)t.bytes.data);
    return true;
}

static bool read_rooms(struct restoring *x, struct um_reader session)
{
    struct um_reader r;
    struct mp_token t;
    uint32_t n;

    if (!mp_find(session, "rooms", &r) || !mp_next(&r, &t) || t.kind != MP_ARRAY || t.n > ROOMS_MAX)
        return false;
    n = t.n;
    x->rooms = um_xcalloc(n + 1, sizeof(*x->rooms));
    for (uint32_t i = 0; i < n; i++) {
        if (!mp_next(&r, &t) || t.kind != MP_STR)
            return false;
        x->rooms[x->n_rooms++] = t.bytes;
    }
    return true;
}

static bool read_session(struct restoring *x, struct um_span text)
{
    char pid[NAME_MAX_LEN + 1], since[STREAM_ID] = "";
    struct um_reader session, data;

    if (!um_base64_decode(&x->packed, text))
        return false;
    session = um_reader(UM_SPAN(x->packed.data, x->packed.len));
    if (!read_word(session, "sid", x->sid, sizeof(x->sid)) || !read_word(session, "pid", pid, sizeof(pid)) || strcmp(pid, x->pid) != 0 ||
        !read_rooms(x, session))
        return false;
    if (!mp_find(session, "data", &data) || mp_to_json(&data, &x->data, NULL) != UM_OK) {
        um_buf_clear(&x->data);
        um_buf_puts(&x->data, "{}");
    }
    if (x->offset[0] == '\0' && read_word(session, "since", since, sizeof(since)) && streams_is_id(UM_SPAN_STR(since)))
        memcpy(x->offset, since, sizeof(since));
    return x->offset[0] != '\0';
}

static void take_session(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct restoring *x = arg;

    if (err == UM_OK && reply->kind == UM_REDIS_STRING && read_session(x, reply->text))
        read_range(x);
    else
        restore_end(x, false);
}

static void get_session(struct restoring *x)
{
    struct um_buf key = { 0 };

    um_redis_command(x->n->c->link, NULL, (struct um_span[]){ UM_SPAN_STR("GETDEL"), session_key(x->n->c, &key, UM_SPAN_STR(x->pid)) }, 2,
                     take_session, x);
    um_buf_free(&key);
}

static void take_offset(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct restoring *x = arg;

    if (err == UM_OK && reply->kind == UM_REDIS_ARRAY && reply->n == 1)
        get_session(x);
    else
        restore_end(x, false);                      /* the stream has forgotten it: what was missed is not known */
}

static void run_restore(struct order *o)
{
    struct um_span pid = o->opts.rooms[RESTORE_PID], offset = o->opts.rooms[RESTORE_OFFSET];
    struct nsp *n = nsp_of(o);
    struct restoring *x;

    if (n == NULL || pid.len == 0 || pid.len > NAME_MAX_LEN || (offset.len > 0 && !streams_is_id(offset))) {
        um_sio_restored(o->arg, NULL, NULL, 0);
        return;
    }
    x = um_xcalloc(1, sizeof(*x));
    x->n = n;
    x->r = o->arg;
    memcpy(x->pid, pid.data, pid.len);
    if (offset.len == 0) {
        get_session(x);
        return;
    }
    memcpy(x->offset, offset.data, offset.len);
    um_redis_command(n->c->link, NULL, (struct um_span[]){ UM_SPAN_STR("XRANGE"), UM_SPAN_STR(streams_of(n)->name), offset, offset }, 4, take_offset, x);
}

void streams_restore(void *a, const char *nsp, const char *pid, struct um_span offset, struct um_sio_restore *r)
{
    const struct um_span words[RESTORE_N] = { [RESTORE_PID] = UM_SPAN_STR(pid), [RESTORE_OFFSET] = offset };

    order_give(a, run_restore, &(struct order){ .nsp = nsp, .opts = { .rooms = words, .n_rooms = RESTORE_N }, .arg = r });
}

void streams_stamp(void *a, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o, char offset[64])
{
    offset[0] = '\0';                               /* Redis says it later */
    note_recovery(a);
    order_give(a, streams_run_stamp, &(struct order){ .nsp = nsp, .verb = SAY_BROADCAST, .event = event, .opts = *o });
}
