/* See folder.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/failpoint.h>
#include <umbel/redis.h>
#include <umbel/util.h>
#include "folder.h"
#include "internal.h"

#define MAX_LEN   "100000"                   /* offers, about; there is no worker when it comes to that */
#define LOOK_MS   500
#define SWEEP_MS  5000                       /* for offers that somebody has had for too long */
#define ENTRY_SIZE 44
#define GROUP UM_SPAN_STR("workers")

struct folder {
    struct hub *hub;
    struct um_redis_link *link;
    struct um_buf key;
    char consumer[300];
    struct um_timer look;
    int64_t swept_ms;
    unsigned n;                              /* of FOLDER_AT_ONCE */
    bool is_reading, may_have_more;
};

struct fold {                                /* one document */
    struct folder *f;
    char entry[ENTRY_SIZE], *name;
    struct um_bytes *state;
    unsigned tries;
};

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

static void command(struct folder *f, const struct um_span *argv, size_t n, um_redis_cb *cb, void *arg)
{
    um_redis_command(f->link, &(struct um_redis_opts){ UM_REDIS_NO_WAIT, 0 }, argv, n, cb, arg);
}

/* ---- offering ---- */

bool folder_offer(struct folder *f, const char *document)
{
    if (f == NULL || !um_redis_link_is_ready(f->link))
        return false;
    command(f, (struct um_span[]){ UM_SPAN_STR("XADD"), span_of(&f->key), UM_SPAN_STR("MAXLEN"), UM_SPAN_STR("~"), UM_SPAN_STR(MAX_LEN), UM_SPAN_STR("*"),
                                   UM_SPAN_STR("document"), UM_SPAN_STR(document) }, 8, NULL, NULL);
    count(C_FOLDS_OFFERED, 1);
    return true;
}

/* ---- folding ---- */

static void look(struct folder *f);

static void remove_entry(struct folder *f, struct um_span entry)
{
    command(f, (struct um_span[]){ UM_SPAN_STR("XACK"), span_of(&f->key), GROUP, entry }, 4, NULL, NULL);
    command(f, (struct um_span[]){ UM_SPAN_STR("XDEL"), span_of(&f->key), entry }, 3, NULL, NULL);
}

/* IS_OVER: else somebody takes it over. */
static void end(struct fold *x, bool is_over)
{
    struct folder *f = x->f;

    if (is_over)
        remove_entry(f, UM_SPAN_STR(x->entry));
    um_bytes_unref(x->state);
    free(x->name);
    free(x);
    f->n--;
    look(f);
    hub_check_drained(f->hub);
}

static void load(struct fold *x);

static void folded(void *arg, um_err err, uint64_t version)
{
    struct fold *x = arg;
    const struct um_collab_hooks *hooks = &x->f->hub->engine->hooks;

    (void)version;
    if (err == UM_OK) {
        count(C_FOLDS, 1);
        if (hooks->folded != NULL)
            hooks->folded(hooks->ctx, x->f->hub->loop, x->name, x->state);
    }
    if (err == UM_ECONFLICT && ++x->tries < FOLDER_TRIES) {
        count(C_FOLD_CONFLICTS, 1);
        load(x);
        return;
    }
    end(x, err == UM_OK || err == UM_EDENIED || err == UM_ENOTFOUND);
}

static um_err merge(const struct um_store_loaded *doc, struct um_bytes **state)
{
    struct um_crdt_conf conf;
    struct um_crdt *crdt;
    struct um_crdt_applied a;
    um_err err;

    um_crdt_conf_init(&conf);
    if ((err = um_crdt_new(&conf, &crdt)) != UM_OK)
        return err;
    if (doc->state != NULL && um_bytes_span(doc->state).len > 0)
        err = um_crdt_open(crdt, doc->state);
    for (size_t i = 0; err == UM_OK && i < doc->n_updates; i++)
        if (doc->updates[i].bytes.len > 0)
            err = um_crdt_load(crdt, doc->updates[i].bytes, &a);
    if (err == UM_OK)
        err = um_crdt_encode_shared(crdt, state);
    um_crdt_free(crdt);
    return err;
}

static void loaded(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct fold *x = arg;
    struct hub *h = x->f->hub;

    if (err != UM_OK || doc->deleted || !doc->exists || doc->last_seq == doc->folded_seq) {
        end(x, err == UM_OK);
        return;
    }
    um_bytes_unref(x->state);
    x->state = NULL;
    if ((err = merge(doc, &x->state)) != UM_OK) {
        um_log_limited(UM_ERROR, "collab", "fold failed", UM_S("doc", x->name), UM_S("reason", um_err_text(err)));
        end(x, err != UM_ENOMEM);            /* damaged: who opens it hears of it */
        return;
    }
    um_store_fold(h->engine->store, h->loop, x->name, x->state, doc->last_seq, doc->version, folded, x);
}

static void load(struct fold *x)
{
    um_store_load(x->f->hub->engine->store, x->f->hub->loop, x->name, loaded, x);
}

/* ---- reading offers ---- */

/* [id, [document, NAME]] */
static void take_entry(struct folder *f, const struct um_redis_reply *e)
{
    struct um_span entry = um_redis_item(e, 0), name = { 0 };
    struct fold *x;

    if (e->kind != UM_REDIS_ARRAY || e->n < 2 || entry.data == NULL || entry.len >= ENTRY_SIZE)
        return;
    if (e->items[1]->kind == UM_REDIS_ARRAY)
        name = um_redis_item(e->items[1], 1);
    if (name.len == 0 || name.len > BUS_MAX_NAME || memchr(name.data, '\0', name.len) != NULL || !um_utf8_is_valid(name.data, name.len)) {
        remove_entry(f, entry);
        return;
    }
    x = um_xcalloc(1, sizeof(*x));
    x->f = f;
    x->name = um_xstrndup((const char *)name.data, name.len);
    memcpy(x->entry, entry.data, entry.len);
    f->n++;
    (void)UM_FAILPOINT("fold.taken");
    load(x);
}

static void take_entries(struct folder *f, const struct um_redis_reply *entries)
{
    f->may_have_more = entries->kind == UM_REDIS_ARRAY && entries->n > 0;
    for (size_t i = 0; entries->kind == UM_REDIS_ARRAY && i < entries->n; i++)
        take_entry(f, entries->items[i]);
}

static void on_trouble(struct folder *f, um_err err, const struct um_redis_reply *reply)
{
    if (err == UM_ECORRUPT)
        um_redis_quarantine(f->link, span_of(&f->key));
    else if (err == UM_EINVAL && reply != NULL && reply->text.len >= 7 && memcmp(reply->text.data, "NOGROUP", 7) == 0)
        command(f, (struct um_span[]){ UM_SPAN_STR("XGROUP"), UM_SPAN_STR("CREATE"), span_of(&f->key), GROUP, UM_SPAN_STR("0"), UM_SPAN_STR("MKSTREAM") }, 6, NULL, NULL);
}

/* [[key, [entry, ...]]]; nil: nothing is there */
static void have_read(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct folder *f = arg;

    f->is_reading = f->may_have_more = false;
    if (err != UM_OK)
        on_trouble(f, err, reply);
    else if (reply->kind == UM_REDIS_ARRAY && reply->n > 0 && reply->items[0]->kind == UM_REDIS_ARRAY && reply->items[0]->n >= 2)
        take_entries(f, reply->items[0]->items[1]);
}

/* [next, [entry, ...], [deleted, ...]] */
static void have_swept(void *arg, um_err err, const struct um_redis_reply *reply)
{
    struct folder *f = arg;

    f->is_reading = false;
    if (err != UM_OK)
        on_trouble(f, err, reply);
    else if (reply->kind == UM_REDIS_ARRAY && reply->n >= 2)
        take_entries(f, reply->items[1]);
}

static void sweep(struct folder *f, const char *room)
{
    char idle[24];

    snprintf(idle, sizeof(idle), "%d", FOLDER_IDLE_MS);
    f->swept_ms = um_loop_now_ms(f->hub->loop);
    command(f, (struct um_span[]){ UM_SPAN_STR("XAUTOCLAIM"), span_of(&f->key), GROUP, UM_SPAN_STR(f->consumer), UM_SPAN_STR(idle), UM_SPAN_STR("0-0"), UM_SPAN_STR("COUNT"),
                                   UM_SPAN_STR(room) }, 8, have_swept, f);
}

static void look(struct folder *f)
{
    char room[24];

    if (f->is_reading || f->n >= FOLDER_AT_ONCE || f->hub->draining || !um_redis_link_is_ready(f->link))
        return;
    snprintf(room, sizeof(room), "%u", FOLDER_AT_ONCE - f->n);
    f->is_reading = true;
    if (um_loop_now_ms(f->hub->loop) - f->swept_ms >= SWEEP_MS)
        sweep(f, room);
    else
        command(f, (struct um_span[]){ UM_SPAN_STR("XREADGROUP"), UM_SPAN_STR("GROUP"), GROUP, UM_SPAN_STR(f->consumer), UM_SPAN_STR("COUNT"), UM_SPAN_STR(room),
                                       UM_SPAN_STR("STREAMS"), span_of(&f->key), UM_SPAN_STR(">") }, 9, have_read, f);
}

static void look_due(void *arg)
{
    struct folder *f = arg;

    um_timer_set(f->hub->loop, &f->look, um_loop_next_ms(f->hub->loop, LOOK_MS), look_due, f);
    look(f);
}

/* ---- life ---- */

static void on_ready(void *arg, bool ready)
{
    (void)ready;
    ((struct folder *)arg)->is_reading = false;
}
static const struct um_redis_link_handler watch = { .on_ready = on_ready };

struct folder *folder_new(struct hub *h)
{
    const struct um_collab *c = h->engine;
    struct folder *f;

    if (c->redis == NULL || c->cf.transport != UM_COLLAB_STREAMS)
        return NULL;
    f = um_xcalloc(1, sizeof(*f));
    f->hub = h;
    um_redis_key(c->redis, &f->key, "collab", "folds", NULL);
    snprintf(f->consumer, sizeof(f->consumer), "%s-%u", c->member, (unsigned)(h->bus.origin & 0xffff));
    f->link = um_redis_link_new(c->redis, h->loop, "folds", &watch, f);
    if (c->cf.works)
        um_timer_set(h->loop, &f->look, LOOK_MS, look_due, f);
    return f;
}

void folder_free(struct folder *f)
{
    if (f == NULL)
        return;
    um_timer_stop(f->hub->loop, &f->look);
    um_redis_link_free(f->link);
    um_buf_free(&f->key);
    free(f);
}

bool folder_is_idle(const struct folder *f) { return f == NULL || f->n == 0; }
