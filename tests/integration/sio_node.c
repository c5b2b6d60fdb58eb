/* One node of a Socket.IO cluster without a server: the Redis adapter of the gateway between a test and real Node.js servers. Sockets are
 * names; what would go to their clients is told. Commands are JSON lines on standard input, answers and events JSON lines on standard
 * output; the end of the input ends it. Configuration by --key=value.
 *
 *   {"id":1,"op":"open","nsp":"/"}                     every command may name its namespace; "/" otherwise
 *   {"op":"socket","sid":"a"}  {"op":"gone","sid":"a"}  {"op":"enter","sid":"a","room":"r"}  {"op":"exit",...}
 *   {"id":2,"op":"broadcast","rooms":[],"except":[],"event":["x"]}            "bin": hex texts of the placeholders
 *   "ack" (timeout)  "fetch"  "rooms"  "serverEmit"  "serverAsk"  "count"     {"id":2,"values":[...],"missing":0,"silent":""}
 *   "stamp" (as broadcast)  "save" (sid, pid, names, gone, ms)  "restore" (pid, offset)     {"id":3,"found":true,"sid":..,"rooms":[..],"missed":[..]}
 *   "join" "leave" (names)  "disconnect" (close)  "stats"
 *   {"event":"to","sids":["a"],"nsp":"/","data":[...],"bin":[...]}  {"event":"server","data":[...]}  {"event":"ended","sid":"a","close":false} */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <jansson.h>
#include <sio/cluster.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/process.h>
#include <umbel/util.h>

enum { SOCKETS = 64, ROOMS = 64, LINE_MAX_BYTES = 1 << 22, NAMES = 2000 };
extern char **environ;

struct fake {
    char sid[64], nsp[64], room[ROOMS][128];
    size_t n_rooms;
};
struct um_sio_gather {
    int id;
    json_t *values;
};
struct um_sio_restore { int id; };

static struct um_loop *loop;
static const struct um_sio_adapter *ops;
static void *adapter;
static struct fake fakes[SOCKETS];
static char line[LINE_MAX_BYTES];
static size_t line_len;

static void say(json_t *o)
{
    char *text = json_dumps(o, JSON_COMPACT);

    UM_ASSERT(text != NULL && write(1, text, strlen(text)) == (ssize_t)strlen(text) && write(1, "\n", 1) == 1);
    free(text);
    json_decref(o);
}

static json_t *as_json(const struct um_sio_data *d)
{
    json_t *v = json_loadb((const char *)d->json->data, d->json->len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    UM_ASSERT(v != NULL);
    return v;
}

static json_t *as_bins(const struct um_sio_data *d)
{
    json_t *all = json_array();

    for (uint32_t i = 0; i < d->n_att; i++) {
        struct um_buf hex = { 0 };
        um_hex_encode(&hex, um_bytes_span(d->att[i]));
        json_array_append_new(all, json_string(um_buf_cstr(&hex)));
        um_buf_free(&hex);
    }
    return all;
}

static struct um_sio_data *as_data(const json_t *value, const json_t *bins)
{
    struct um_bytes *att[UM_SIO_ATTACHMENTS_MAX];
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    struct um_sio_data *d;
    size_t n = json_array_size(bins);

    for (size_t i = 0; i < n; i++) {
        struct um_buf raw = { 0 };
        UM_ASSERT(um_hex_decode(&raw, UM_SPAN_STR(json_string_value(json_array_get(bins, i)))));
        att[i] = um_bytes_dup(raw.data, raw.len);
        um_buf_free(&raw);
    }
    d = um_sio_data_new(um_bytes_dup(text, strlen(text)), att, n);
    free(text);
    return d;
}

/* --- the server that is not there ---------------------------------------------------------------------------------- */

static bool is_in(const struct fake *f, struct um_span room)
{
    for (size_t i = 0; i < f->n_rooms; i++)
        if (um_span_eq(UM_SPAN_STR(f->room[i]), room))
            return true;
    return false;
}

static bool is_meant(const struct fake *f, const char *nsp, const struct um_sio_opts *o)
{
    bool in = o->n_rooms == 0;

    if (f->sid[0] == '\0' || strcmp(f->nsp, nsp) != 0)
        return false;
    for (size_t i = 0; i < o->n_rooms && !in; i++)
        in = is_in(f, o->rooms[i]);
    for (size_t i = 0; i < o->n_except; i++)
        in = in && !is_in(f, o->except[i]);
    return in;
}

static bool anybody_in(const char *nsp, struct um_span room)
{
    for (size_t i = 0; i < SOCKETS; i++)
        if (fakes[i].sid[0] != '\0' && strcmp(fakes[i].nsp, nsp) == 0 && is_in(&fakes[i], room))
            return true;
    return false;
}

static void enter(struct fake *f, struct um_span room)
{
    bool first = !anybody_in(f->nsp, room);

    if (is_in(f, room))
        return;
    UM_ASSERT(f->n_rooms < ROOMS);
    snprintf(f->room[f->n_rooms++], sizeof(f->room[0]), "%.*s", (int)room.len, (const char *)room.data);
    if (first)
        ops->room_opened(adapter, f->nsp, room, 0);
}

static void leave(struct fake *f, struct um_span room)
{
    char name[128];

    snprintf(name, sizeof(name), "%.*s", (int)room.len, (const char *)room.data);
    for (size_t i = 0; i < f->n_rooms; i++)
        if (strcmp(f->room[i], name) == 0) {
            memmove(f->room[i], f->room[i + 1], (f->n_rooms - i - 1) * sizeof(f->room[0]));
            f->n_rooms--;
            if (!anybody_in(f->nsp, UM_SPAN_STR(name)))
                ops->room_closed(adapter, f->nsp, UM_SPAN_STR(name), 0);
            return;
        }
}

static void leave_all(struct fake *f)
{
    while (f->n_rooms > 0)
        leave(f, UM_SPAN_STR(f->room[f->n_rooms - 1]));
    f->sid[0] = '\0';
}

#define EACH_MEANT(f, nsp, o) for (struct fake *f = fakes; f < fakes + SOCKETS; f++) if (is_meant(f, nsp, o))

static json_t *told(const char *nsp, const struct um_sio_data *event, const struct um_sio_opts *o)
{
    json_t *sids = json_array();

    EACH_MEANT(f, nsp, o)
        json_array_append_new(sids, json_string(f->sid));
    say(json_pack("{s:s,s:O,s:s,s:o,s:o,s:i,s:s%}", "event", "to", "sids", sids, "nsp", nsp, "data", as_json(event), "bin", as_bins(event),
                  "flags", (int)o->flags, "offset", o->offset.len > 0 ? (const char *)o->offset.data : "", o->offset.len));
    return sids;
}

void um_sio_local_broadcast(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o)
{
    (void)s;
    json_decref(told(nsp, event, o));
}

void um_sio_local_broadcast_ack(struct um_sio *s, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o,
                                const struct um_sio_ack_sink *sink)
{
    json_t *sids = told(nsp, event, o), *sid;
    size_t i;

    (void)s;
    sink->clients(sink->arg, (unsigned)json_array_size(sids));
    json_array_foreach(sids, i, sid) {
        json_t *text = json_sprintf("ack of %s", json_string_value(sid));
        struct um_sio_data *d = as_data(text, NULL);
        sink->ack(sink->arg, d);
        um_sio_data_unref(d);
        json_decref(text);
    }
    sink->done(sink->arg);
    json_decref(sids);
}

void um_sio_local_join(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    (void)s;
    EACH_MEANT(f, nsp, o)
        for (size_t i = 0; i < n; i++)
            enter(f, rooms[i]);
}

void um_sio_local_leave(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, const struct um_span *rooms, size_t n)
{
    (void)s;
    EACH_MEANT(f, nsp, o)
        for (size_t i = 0; i < n; i++)
            leave(f, rooms[i]);
}

void um_sio_local_disconnect(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, bool close)
{
    (void)s;
    EACH_MEANT(f, nsp, o) {
        say(json_pack("{s:s,s:s,s:b}", "event", "ended", "sid", f->sid, "close", close));
        leave_all(f);
    }
}

static void give(json_t *list, um_sio_values_cb *cb, void *arg)
{
    struct um_sio_data *values[NAMES];
    size_t n = json_array_size(list);

    UM_ASSERT(n <= NAMES);
    for (size_t i = 0; i < n; i++)
        values[i] = as_data(json_array_get(list, i), NULL);
    cb(arg, values, n);
    for (size_t i = 0; i < n; i++)
        um_sio_data_unref(values[i]);
    json_decref(list);
}

void um_sio_local_fetch(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *l, um_sio_values_cb *cb, void *arg)
{
    json_t *list = json_array();

    (void)s;
    (void)l;
    EACH_MEANT(f, nsp, o) {
        json_t *rooms = json_array();
        for (size_t i = 0; i < f->n_rooms; i++)
            json_array_append_new(rooms, json_string(f->room[i]));
        json_array_append_new(list, json_pack("{s:s,s:{},s:o,s:{s:s}}", "id", f->sid, "handshake", "rooms", rooms, "data", "of", "umbel"));
    }
    give(list, cb, arg);
}

void um_sio_local_rooms(struct um_sio *s, const char *nsp, const struct um_sio_opts *o, struct um_loop *l, um_sio_values_cb *cb, void *arg)
{
    json_t *list = json_array();

    (void)s;
    (void)l;
    EACH_MEANT(f, nsp, o)
        for (size_t i = 0; i < f->n_rooms; i++)
            json_array_append_new(list, json_string(f->room[i]));
    give(list, cb, arg);
}

void um_sio_local_server_emit(struct um_sio *s, const char *nsp, struct um_sio_data *event, struct um_loop *l,
                              void (*cb)(void *arg, struct um_sio_data *value), void *arg)
{
    struct um_sio_data *d = um_sio_data_text("\"heard by umbel\"");

    (void)s;
    (void)l;
    say(json_pack("{s:s,s:s,s:o,s:o}", "event", "server", "nsp", nsp, "data", as_json(event), "bin", as_bins(event)));
    if (cb != NULL)
        cb(arg, d);
    um_sio_data_unref(d);
}

void um_sio_gather_answer(struct um_sio_gather *g, struct um_sio_data *value)
{
    json_array_append_new(g->values, as_json(value));
}

void um_sio_gather_done(struct um_sio_gather *g, unsigned n_missing, const char *silent)
{
    say(json_pack("{s:i,s:o,s:i,s:s}", "id", g->id, "values", g->values, "missing", (int)n_missing, "silent", silent != NULL ? silent : ""));
    free(g);
}

void um_sio_restored(struct um_sio_restore *r, const struct um_sio_session *session, const struct um_sio_missed *missed, size_t n_missed)
{
    json_t *rooms = json_array(), *events = json_array();

    for (size_t i = 0; session != NULL && i < session->n_rooms; i++)
        json_array_append_new(rooms, json_stringn((const char *)session->rooms[i].data, session->rooms[i].len));
    for (size_t i = 0; i < n_missed; i++) {
        json_t *e = as_json(missed[i].event);
        json_array_append_new(e, json_stringn((const char *)missed[i].offset.data, missed[i].offset.len));
        json_array_append_new(events, e);
    }
    say(json_pack("{s:i,s:b,s:s,s:o,s:o}", "id", r->id, "found", session != NULL, "sid", session != NULL ? session->sid : "", "rooms", rooms,
                  "missed", events));
    free(r);
}

/* --- commands ------------------------------------------------------------------------------------------------------------ */

static const char *text_at(const json_t *c, const char *key, const char *otherwise)
{
    const char *s = json_string_value(json_object_get(c, key));

    return s != NULL ? s : otherwise;
}

static size_t spans_at(const json_t *c, const char *key, struct um_span *out)
{
    json_t *list = json_object_get(c, key), *item;
    size_t i;

    UM_ASSERT(json_array_size(list) <= NAMES);
    json_array_foreach(list, i, item)
        out[i] = UM_SPAN(json_string_value(item), json_string_length(item));
    return json_array_size(list);
}

static struct um_sio_gather *gather_new(const json_t *c)
{
    struct um_sio_gather *g = um_xcalloc(1, sizeof(*g));

    g->id = (int)json_integer_value(json_object_get(c, "id"));
    g->values = json_array();
    return g;
}

static void counted(void *arg, unsigned n)
{
    say(json_pack("{s:i,s:i}", "id", (int)(intptr_t)arg, "n", (int)n));
}

static void put_metric(void *arg, const struct um_metric *m)
{
    json_object_set_new(arg, m->name, json_integer(um_metric_value(m)));
}

static struct fake *fake_of(const char *sid)
{
    for (size_t i = 0; i < SOCKETS; i++)
        if (strcmp(fakes[i].sid, sid) == 0)
            return &fakes[i];
    UM_ASSERT(false);
    return NULL;
}

/* What concerns the sockets here alone. */
static bool run_here(const json_t *c, const char *op, const char *nsp)
{
    const char *sid = text_at(c, "sid", ""), *room = text_at(c, "room", "");

    if (strcmp(op, "open") == 0) {
        ops->open(adapter, nsp);
    } else if (strcmp(op, "socket") == 0) {
        struct fake *f = fake_of("");
        snprintf(f->sid, sizeof(f->sid), "%s", sid);
        snprintf(f->nsp, sizeof(f->nsp), "%s", nsp);
        enter(f, UM_SPAN_STR(sid));
    } else if (strcmp(op, "gone") == 0) {
        leave_all(fake_of(sid));
    } else if (strcmp(op, "enter") == 0) {
        enter(fake_of(sid), UM_SPAN_STR(room));
    } else if (strcmp(op, "exit") == 0) {
        leave(fake_of(sid), UM_SPAN_STR(room));
    } else if (strcmp(op, "stats") == 0) {
        json_t *all = json_pack("{s:O}", "id", json_object_get(c, "id"));
        um_metrics_each(put_metric, all);
        say(all);
    } else {
        return false;
    }
    return true;
}

/* Recovery. */
static bool run_recovery(const json_t *c, const char *op, const char *nsp, struct um_sio_data *event, const struct um_sio_opts *o,
                         const struct um_span *names, size_t n)
{
    const char *pid = text_at(c, "pid", "");
    char offset[64];

    if (strcmp(op, "stamp") == 0) {
        ops->recovery.stamp(adapter, nsp, event, o, offset);
        ops->broadcast(adapter, nsp, event, o);
    } else if (strcmp(op, "save") == 0) {
        ops->recovery.save(adapter, nsp, &(struct um_sio_session){ text_at(c, "sid", ""), pid, names, n, UM_SPAN("{\"u\":1}", 7) },
                           json_is_true(json_object_get(c, "gone")), 60000);
    } else if (strcmp(op, "forget") == 0) {
        ops->recovery.forget(adapter, nsp, pid);
    } else if (strcmp(op, "restore") == 0) {
        struct um_sio_restore *r = um_xcalloc(1, sizeof(*r));
        r->id = (int)json_integer_value(json_object_get(c, "id"));
        ops->recovery.restore(adapter, nsp, pid, UM_SPAN_STR(text_at(c, "offset", "")), r);
    } else {
        return false;
    }
    return true;
}

static void run(const json_t *c)
{
    static struct um_span rooms[NAMES], except[NAMES], names[NAMES];
    const char *op = text_at(c, "op", ""), *nsp = text_at(c, "nsp", "/");
    struct um_sio_data *event = json_object_get(c, "event") != NULL ? as_data(json_object_get(c, "event"), json_object_get(c, "bin")) : NULL;
    struct um_sio_opts o = { .rooms = rooms, .n_rooms = spans_at(c, "rooms", rooms), .except = except, .n_except = spans_at(c, "except", except),
                             .flags = (unsigned)json_integer_value(json_object_get(c, "flags")),
                             .timeout_ms = (int64_t)json_integer_value(json_object_get(c, "timeout")) };
    size_t n = spans_at(c, "names", names);

    if (run_here(c, op, nsp) || run_recovery(c, op, nsp, event, &o, names, n))
        ;
    else if (strcmp(op, "broadcast") == 0)
        ops->broadcast(adapter, nsp, event, &o);
    else if (strcmp(op, "ack") == 0)
        ops->broadcast_ack(adapter, nsp, event, &o, gather_new(c));
    else if (strcmp(op, "join") == 0)
        ops->join(adapter, nsp, &o, names, n);
    else if (strcmp(op, "leave") == 0)
        ops->leave(adapter, nsp, &o, names, n);
    else if (strcmp(op, "disconnect") == 0)
        ops->disconnect(adapter, nsp, &o, json_is_true(json_object_get(c, "close")));
    else if (strcmp(op, "fetch") == 0)
        ops->fetch(adapter, nsp, &o, gather_new(c));
    else if (strcmp(op, "rooms") == 0)
        ops->rooms(adapter, nsp, &o, gather_new(c));
    else if (strcmp(op, "serverEmit") == 0)
        ops->server_emit(adapter, nsp, event);
    else if (strcmp(op, "serverAsk") == 0)
        ops->server_emit_ack(adapter, nsp, event, gather_new(c));
    else if (strcmp(op, "count") == 0)
        ops->server_count(adapter, nsp, loop, counted, (void *)(intptr_t)json_integer_value(json_object_get(c, "id")));
    else
        UM_ASSERT(false);
    um_sio_data_unref(event);
}

static void on_input(void *arg, unsigned events)
{
    ssize_t n = read(0, line + line_len, sizeof(line) - line_len);
    char *end, *begin = line;

    (void)arg;
    (void)events;
    if (n <= 0) {
        um_loop_stop(loop);
        return;
    }
    line_len += (size_t)n;
    while ((end = memchr(begin, '\n', (size_t)(line + line_len - begin))) != NULL) {
        json_t *c = json_loadb(begin, (size_t)(end - begin), JSON_ALLOW_NUL, NULL);
        UM_ASSERT(c != NULL);
        run(c);
        json_decref(c);
        begin = end + 1;
    }
    line_len -= (size_t)(begin - line);
    memmove(line, begin, line_len);
    UM_ASSERT(line_len < sizeof(line));
}

int main(int argc, char **argv)
{
    const struct um_conf_table *tables[] = { &um_redis_conf_table, &um_sio_cluster_conf_table };
    struct um_conf_source source = { .app = "gui-gateway", .dir = "/nonexistent", .argc = argc, .argv = argv, .environ = environ,
                                     .tables = tables, .n_tables = UM_COUNT(tables) };
    struct um_sio_cluster_conf cluster_conf;
    struct um_redis_conf redis_conf;
    struct um_redis *redis = NULL;
    struct um_io input = { 0 };
    struct um_conf *conf;
    char why[256] = "";

    um_process_init();
    if (um_conf_load(&conf, &source) != UM_OK || um_conf_bind(conf, tables[0]->keys, tables[0]->n, &redis_conf) != UM_OK ||
        um_conf_bind(conf, tables[1]->keys, tables[1]->n, &cluster_conf) != UM_OK || um_redis_open(&redis, &redis_conf, why) != UM_OK) {
        um_conf_report(conf, stderr);
        fprintf(stderr, "%s\n", why);
        um_conf_free(conf);
        return 2;
    }
    loop = um_loop_new(0);
    UM_ASSERT(um_sio_cluster_new(&ops, &adapter, redis, loop, &cluster_conf) && ops->start(adapter, NULL) == UM_OK);
    UM_ASSERT(um_io_start(loop, &input, 0, UM_READ, on_input, NULL) == UM_OK);
    um_loop_run(loop);
    um_io_stop(loop, &input);
    ops->free(adapter);
    um_redis_close(redis);
    um_loop_free(loop);
    um_conf_free(conf);
    return 0;
}
