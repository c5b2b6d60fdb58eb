/* What is open, for administrators: documents and sockets as JSON rows. A question visits the reactors one after the other, and
 * keeps the first MAX rows by name (or id) on its way, so that it costs little however much is open. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

#define DOCUMENTS_OF_SOCKET_MAX 50           /* named in a row */
#define PRESENT_MAX 200

struct rows {                                /* sorted by key; at most MAX */
    struct row { char *key; json_t *json; } *list;
    size_t n, max, found;
};

struct visit {
    struct um_collab *engine;
    unsigned next;                           /* hub */
    struct um_loop *home;
    void (*look)(struct visit *v, struct hub *h);
    char *contains, *after, *document, *user, *under;
    bool or_free;
    uint64_t id;                             /* of the socket that is to be closed */
    char reason[124];
    struct rows rows;
    um_collab_rows_fn *done;
    void *arg;
};

/* ---- rows ---- */

static size_t place_of(const struct rows *r, const char *key)
{
    size_t low = 0, high = r->n;

    while (low < high) {
        size_t mid = (low + high) / 2;
        if (strcmp(r->list[mid].key, key) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* NULL: it is beyond the last one that is wanted. Else where the row's JSON goes. */
static json_t **add_row(struct rows *r, const char *key)
{
    size_t at = place_of(r, key);

    r->found++;
    if (at >= r->max)
        return NULL;
    if (r->list == NULL)
        r->list = um_xcalloc(r->max + 1, sizeof(*r->list));
    memmove(&r->list[at + 1], &r->list[at], (r->n - at) * sizeof(*r->list));
    r->list[at] = (struct row){ um_xstrdup(key), NULL };
    if (++r->n > r->max) {
        free(r->list[--r->n].key);
        json_decref(r->list[r->n].json);
    }
    return &r->list[at].json;
}

/* ---- the visit ---- */

static void come_home(void *arg)
{
    struct visit *v = arg;
    json_t *list = json_array();

    for (size_t i = 0; i < v->rows.n; i++) {
        json_array_append_new(list, v->rows.list[i].json);
        free(v->rows.list[i].key);
    }
    v->done(v->arg, list, v->rows.found);
    free(v->rows.list);
    free(v->contains);
    free(v->after);
    free(v->document);
    free(v->user);
    free(v->under);
    free(v);
}

static void visit_hub(void *arg)
{
    struct visit *v = arg;

    v->look(v, &v->engine->hubs[v->next++]);
    if (v->next < v->engine->n_hubs)
        um_loop_call(v->engine->hubs[v->next].loop, visit_hub, v);
    else
        um_loop_call(v->home, come_home, v);
}

static char *copy(const char *text) { return text != NULL && *text != '\0' ? um_xstrdup(text) : NULL; }

static struct visit *visit_new(struct um_collab *c, struct um_loop *l, const struct um_collab_filter *f, um_collab_rows_fn *done, void *arg)
{
    struct visit *v = um_xcalloc(1, sizeof(*v));

    v->engine = c;
    v->home = l;
    v->contains = copy(f->contains);
    v->after = copy(f->after);
    v->document = copy(f->document);
    v->user = copy(f->user);
    v->under = copy(f->under);
    v->or_free = f->or_free;
    v->rows.max = UM_MIN(f->max, (size_t)UM_COLLAB_ROWS_MAX);
    v->done = done;
    v->arg = arg;
    return v;
}

static void set_out(struct visit *v) { um_loop_call(v->engine->hubs[0].loop, visit_hub, v); }

static bool begins_with(struct um_span name, const char *prefix)
{
    return name.len >= strlen(prefix) && memcmp(name.data, prefix, strlen(prefix)) == 0;
}

static bool is_under(const struct visit *v, struct um_span name)
{
    return v->under == NULL || begins_with(name, v->under) || (v->or_free && !begins_with(name, UM_STORE_UNLISTED));
}

static json_t *age(const struct hub *h, int64_t at_ms) { return json_integer(UM_MAX(um_loop_now_ms(h->loop) - at_ms, 0)); }

/* ---- documents ---- */

static json_t *presence_json(const struct doc *d)
{
    json_t *list = json_array();

    UM_LIST_EACH(it, &d->presence.all) {
        const struct presence_entry *e = UM_CONTAINER(it, struct presence_entry, link);
        if (e->state != NULL && json_array_size(list) < PRESENT_MAX)
            json_array_append_new(list, json_pack("{s:I, s:s?, s:b}", "client", (json_int_t)e->client, "user", e->user, "elsewhere",
                                                  (int)e->is_remote));
    }
    return list;
}

static json_t *document_json(const struct doc *d, bool whole)
{
    struct um_crdt_stats s;
    json_t *o;

    um_crdt_get_stats(d->crdt, &s);
    o = json_pack("{s:s, s:s, s:i, s:i, s:i, s:I, s:i, s:I, s:I, s:I, s:I, s:I, s:b, s:b}", "name", d->name, "state",
                  doc_state_name(d->state), "connections", (int)d->n_seats, "present", (int)d->presence.n_present, "otherCores",
                  (int)d->bus.n_peers, "unstoredBytes", (json_int_t)d->unstored_bytes, "reactor", (int)um_loop_index(d->hub->loop),
                  "bytes", (json_int_t)s.encoded_bytes, "memoryBytes", (json_int_t)s.memory_bytes, "logRows", (json_int_t)d->log_rows,
                  "logBytes", (json_int_t)d->log_bytes, "lastSeq", (json_int_t)d->last_seq, "readOnly", (int)!doc_takes_changes(d),
                  "resting", (int)um_crdt_is_cold(d->crdt));
    if (o == NULL)
        return json_object();                /* a name that is no UTF-8 */
    json_object_set_new(o, "stateForMs", age(d->hub, d->since_ms));
    json_object_set_new(o, "unchangedForMs", d->last_change_ms > 0 ? age(d->hub, d->last_change_ms) : json_null());
    if (whole) {
        json_object_set_new(o, "version", json_integer((json_int_t)d->version));
        json_object_set_new(o, "foldedSeq", json_integer((json_int_t)d->folded_seq));
        json_object_set_new(o, "structs", json_integer((json_int_t)s.structs));
        json_object_set_new(o, "clients", json_integer((json_int_t)s.clients));
        json_object_set_new(o, "roots", json_integer((json_int_t)s.roots));
        json_object_set_new(o, "pendingBytes", json_integer((json_int_t)s.pending_bytes));
        json_object_set_new(o, "inDoubt", json_integer(d->bus.n_doubts));
        json_object_set_new(o, "presence", presence_json(d));
    }
    return o;
}

static void look_at_documents(struct visit *v, struct hub *h)
{
    UM_LIST_EACH(it, &h->all_docs) {
        const struct doc *d = UM_CONTAINER(it, struct doc, link);
        json_t **row;

        if ((v->document != NULL && strcmp(d->name, v->document) != 0) || (v->after != NULL && strcmp(d->name, v->after) <= 0) ||
            (v->contains != NULL && strcasestr(d->name, v->contains) == NULL) || !is_under(v, UM_SPAN_STR(d->name)))
            continue;
        row = add_row(&v->rows, d->name);
        if (row != NULL)
            *row = document_json(d, v->document != NULL);
    }
}

void um_collab_list_documents(struct um_collab *c, struct um_loop *l, const struct um_collab_filter *f, um_collab_rows_fn *done, void *arg)
{
    struct visit *v = visit_new(c, l, f, done, arg);

    v->look = look_at_documents;
    set_out(v);
}

/* ---- sockets ---- */

static bool is_of(const struct conn *c, const struct visit *v)
{
    bool document = v->document == NULL && v->under == NULL, user = v->user == NULL;

    UM_LIST_EACH(it, &c->seats) {
        const struct seat *s = UM_CONTAINER(it, struct seat, in_conn);
        if (!is_under(v, um_bytes_span(s->name)))
            continue;
        document |= v->document == NULL;
        document |= v->document != NULL && um_span_eq(um_bytes_span(s->name), UM_SPAN_STR(v->document));
        user |= v->user != NULL && strcmp(s->who.user, v->user) == 0;
    }
    return document && (user || (v->user != NULL && c->identity != NULL && strcmp(c->identity->user, v->user) == 0));
}

/* Of the documents that are asked for; *N: how many it has of them, *USER: of the first. */
static json_t *seats_json(const struct visit *v, const struct conn *c, size_t *n, const char **user)
{
    json_t *list = json_array();

    *n = 0;
    *user = c->identity != NULL ? c->identity->user : "";
    UM_LIST_EACH(it, &c->seats) {
        const struct seat *s = UM_CONTAINER(it, struct seat, in_conn);
        if (!is_under(v, um_bytes_span(s->name)))
            continue;
        if ((*n)++ == 0)
            *user = s->who.user;
        if (*n <= DOCUMENTS_OF_SOCKET_MAX)
            json_array_append_new(list, json_pack("{s:o, s:s, s:b}", "name",
                                                  json_stringn((const char *)s->name->data, s->name->len), "user", s->who.user, "readOnly",
                                                  (int)s->who.read_only));
    }
    return list;
}

static json_t *socket_json(const struct visit *v, const struct hub *h, const struct conn *c, const char *id)
{
    struct um_ws_stats s = um_ws_stats(c->ws);
    const char *user;
    size_t n;
    json_t *documents = seats_json(v, c, &n, &user), *o;

    o = json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:b}", "id", id, "user", user, "address", c->address,
                          "protocol", c->bare ? "y-websocket" : "hocuspocus", "reactor", (int)um_loop_index(h->loop), "bytesIn",
                          (json_int_t)s.bytes_in, "bytesOut", (json_int_t)s.bytes_out, "messagesIn", (json_int_t)s.messages_in,
                          "messagesOut", (json_int_t)s.messages_out, "queuedBytes", (json_int_t)um_ws_queued(c->ws), "behind",
                          (int)c->congested);

    if (o == NULL) {
        json_decref(documents);
        return json_object();
    }
    json_object_set_new(o, "ageMs", age(h, s.opened_at_ms));
    json_object_set_new(o, "silentMs", age(h, um_ws_last_heard_ms(c->ws)));
    json_object_set_new(o, "documentCount", json_integer((json_int_t)n));
    json_object_set_new(o, "documents", documents);
    return o;
}

static void look_at_sockets(struct visit *v, struct hub *h)
{
    char key[24];

    UM_LIST_EACH(it, &h->conns) {
        const struct conn *c = UM_CONTAINER(it, struct conn, link);
        json_t **row;

        snprintf(key, sizeof(key), "%012" PRIu64, c->id);
        if (c->ws == NULL || !is_of(c, v) || (v->after != NULL && strcmp(key, v->after) <= 0))
            continue;
        row = add_row(&v->rows, key);
        if (row != NULL)
            *row = socket_json(v, h, c, key);
    }
}

void um_collab_list_sockets(struct um_collab *c, struct um_loop *l, const struct um_collab_filter *f, um_collab_rows_fn *done, void *arg)
{
    struct visit *v = visit_new(c, l, f, done, arg);

    v->look = look_at_sockets;
    set_out(v);
}

static void look_for_socket(struct visit *v, struct hub *h)
{
    UM_LIST_EACH(it, &h->conns) {
        struct conn *c = UM_CONTAINER(it, struct conn, link);
        if (c->id != v->id || c->ws == NULL || !is_of(c, v))
            continue;
        um_ws_close(c->ws, 4205, v->reason);
        v->rows.found++;
        return;
    }
}

void um_collab_close_socket(struct um_collab *c, struct um_loop *l, uint64_t id, const struct um_collab_filter *f, const char *reason,
                            um_collab_rows_fn *done, void *arg)
{
    struct visit *v = visit_new(c, l, f, done, arg);

    v->look = look_for_socket;
    v->id = id;
    strncat(v->reason, reason, sizeof(v->reason) - 1);
    set_out(v);
}
