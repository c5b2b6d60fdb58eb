/* See bus_tail.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "bus_tail.h"

struct speaker {                             /* one opening of one document by one hub */
    uint64_t origin, stored;
    size_t n;                                /* entries of it */
    struct um_buf key;                       /* origin and epoch, 8 bytes each, then the document */
};

struct entry {
    struct um_list link;
    unsigned stream;
    struct tail_id id;
    struct speaker *by;
    uint64_t number;
    int64_t came_ms;
    struct um_bytes *message;
};

enum { KEY_HEAD = 16 };

static struct um_span document_of(const struct entry *e) { return UM_SPAN(e->by->key.data + KEY_HEAD, e->by->key.len - KEY_HEAD); }
static bool is_durable(const struct entry *e) { return e->number <= e->by->stored; }
static size_t cost_of(const struct entry *e) { return sizeof(*e) + e->message->len; }
static int compare(struct tail_id a, struct tail_id b)
{
    return a.ms != b.ms ? (a.ms < b.ms ? -1 : 1) : a.seq != b.seq ? (a.seq < b.seq ? -1 : 1) : 0;
}

unsigned tail_stream_of(struct um_span document) { return (unsigned)(um_hash_stable(document) % TAIL_STREAMS); }

void tail_init(struct tail *t)
{
    memset(t, 0, sizeof(*t));
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        um_list_init(&t->entries[i]);
}

static void drop(struct tail *t, struct entry *e)
{
    struct speaker *by = e->by;

    t->n--;
    t->bytes -= cost_of(e);
    t->has_holes = t->has_holes && t->n > 0;
    um_list_remove(&e->link);
    um_bytes_unref(e->message);
    free(e);
    if (--by->n > 0)
        return;
    um_map_remove(&t->speakers, UM_SPAN(by->key.data, by->key.len));
    um_buf_free(&by->key);
    free(by);
}

void tail_free(struct tail *t)
{
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        UM_LIST_EACH_SAFE(it, &t->entries[i])
            drop(t, UM_CONTAINER(it, struct entry, link));
    um_map_free(&t->speakers);
}

bool tail_is_empty(const struct tail *t, unsigned stream) { return um_list_is_empty(&t->entries[stream]); }

/* ---- positions ---- */

bool tail_id_read(struct um_span text, struct tail_id *out)
{
    char copy[TAIL_ID_SIZE], *end;

    if (text.data == NULL || text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    out->ms = strtoull(copy, &end, 10);
    if (end == copy || *end != '-')
        return false;
    out->seq = strtoull(end + 1, &end, 10);
    return *end == '\0';
}

void tail_id_write(struct tail_id id, char out[TAIL_ID_SIZE])
{
    snprintf(out, TAIL_ID_SIZE, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
}

/* ---- what is heard ---- */

static struct um_buf key_of(uint64_t origin, const struct bus_at *at)
{
    struct um_buf key = { 0 };

    um_buf_put(&key, &origin, sizeof(origin));
    um_buf_put(&key, &at->epoch, sizeof(at->epoch));
    um_buf_put(&key, at->name.data, at->name.len);
    UM_ASSERT(!key.failed);
    return key;
}

static struct speaker *speaker_get(struct tail *t, uint64_t origin, const struct bus_at *at)
{
    struct um_buf key = key_of(origin, at);
    struct speaker *s = um_map_get(&t->speakers, UM_SPAN(key.data, key.len));

    if (s != NULL) {
        um_buf_free(&key);
        return s;
    }
    s = um_xcalloc(1, sizeof(*s));
    s->origin = origin;
    s->key = key;
    um_map_put(&t->speakers, UM_SPAN(key.data, key.len), s);
    return s;
}

/* Its place: nearly always the end. NULL: it is here already. */
static struct um_list *place_of(struct um_list *entries, struct tail_id id)
{
    struct um_list *it = entries->prev;

    for (; it != entries; it = it->prev) {
        int c = compare(UM_CONTAINER(it, struct entry, link)->id, id);
        if (c == 0)
            return NULL;
        if (c < 0)
            break;
    }
    return it->next;
}

static void make_room(struct tail *t, unsigned stream)
{
    while (t->bytes > TAIL_MAX_BYTES || t->n > TAIL_MAX_ENTRIES) {
        unsigned from = um_list_is_empty(&t->entries[stream]) ? 0 : stream;
        while (um_list_is_empty(&t->entries[from]))
            from++;
        drop(t, UM_CONTAINER(t->entries[from].next, struct entry, link));
        t->has_holes = t->n > 0;
    }
}

bool tail_add(struct tail *t, unsigned stream, struct tail_id id, struct um_span message, int64_t now_ms)
{
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;
    struct bus_at at;
    struct um_list *before;
    struct entry *e;

    if (!bus_read_head(message, &r, &kind, &origin) || kind != BUS_UPDATE)
        return false;
    at = bus_read_at(&r);
    if (r.failed || (before = place_of(&t->entries[stream], id)) == NULL)
        return false;
    e = um_xcalloc(1, sizeof(*e));
    *e = (struct entry){ .stream = stream, .id = id, .by = speaker_get(t, origin, &at), .number = at.number, .came_ms = now_ms,
                         .message = um_bytes_dup(message.data, message.len) };
    UM_ASSERT(e->message != NULL);
    e->by->stored = UM_MAX(e->by->stored, at.stored);
    e->by->n++;
    um_list_insert_before(before, &e->link);
    t->n++;
    t->bytes += cost_of(e);
    make_room(t, stream);
    return true;
}

static void raise_stored(struct tail *t, uint64_t origin, const struct bus_at *at)
{
    struct um_buf key = key_of(origin, at);
    struct speaker *s = um_map_get(&t->speakers, UM_SPAN(key.data, key.len));

    if (s != NULL)
        s->stored = UM_MAX(s->stored, at->stored);
    um_buf_free(&key);
}

void tail_hear(struct tail *t, struct um_span message)
{
    struct um_reader r;
    enum bus_kind kind;
    uint64_t origin;

    if (t->n == 0 || !bus_read_head(message, &r, &kind, &origin) || (kind != BUS_BEAT && kind != BUS_BYE && kind != BUS_UPDATE))
        return;
    do {
        struct bus_at at = bus_read_at(&r);
        if (!r.failed)
            raise_stored(t, origin, &at);
    } while (kind == BUS_BEAT && !r.failed && um_reader_left(&r) > 0);
}

/* ---- what it is for ---- */

size_t tail_replay(struct tail *t, struct um_span document, tail_replay_fn *fn, void *arg)
{
    size_t n = 0;

    UM_LIST_EACH(it, &t->entries[tail_stream_of(document)]) {
        struct entry *e = UM_CONTAINER(it, struct entry, link);
        if (!um_span_eq(document_of(e), document))
            continue;
        fn(arg, um_bytes_span(e->message), e->by->stored);
        n++;
    }
    return n;
}

void tail_orphans(struct tail *t, int64_t now_ms, int64_t age_ms, bool (*is_stored)(void *arg, struct um_span document, uint64_t origin),
                  void (*gone)(void *arg, unsigned stream, struct tail_id id), void *arg)
{
    for (unsigned i = 0; i < TAIL_STREAMS; i++)
        UM_LIST_EACH_SAFE(it, &t->entries[i]) {
            struct entry *e = UM_CONTAINER(it, struct entry, link);
            if (now_ms - e->came_ms < age_ms)
                break;
            if (is_durable(e) || !is_stored(arg, document_of(e), e->by->origin))
                continue;
            gone(arg, i, e->id);
            drop(t, e);
        }
}

bool tail_trim(struct tail *t, unsigned stream, int64_t now_ms, struct tail_id *upto)
{
    struct um_list *entries = &t->entries[stream];
    bool some = false;

    UM_LIST_EACH_SAFE(it, entries) {
        struct entry *e = UM_CONTAINER(it, struct entry, link);
        if (!is_durable(e) || now_ms - e->came_ms < TAIL_KEEP_MS)
            break;
        *upto = (struct tail_id){ e->id.ms, e->id.seq + 1 };
        some = true;
        drop(t, e);
    }
    return some;
}

void tail_forget(struct tail *t, unsigned stream, struct tail_id first)
{
    UM_LIST_EACH_SAFE(it, &t->entries[stream]) {
        struct entry *e = UM_CONTAINER(it, struct entry, link);
        if (compare(e->id, first) >= 0)
            break;
        drop(t, e);
    }
}
