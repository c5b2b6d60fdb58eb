/* What is in an update: inspect, stats, verify. */
#include "tool.h"
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_inspect.h>
#include <umbel/crdt_v2.h>

#define EXCERPT_BYTES 60u

typedef unsigned long long ull;

static void put_string(struct um_buf *out, struct um_span s)
{
    um_buf_puts(out, "\"");
    um_json_escape(out, s);
    um_buf_puts(out, "\"");
}

/* ---- inspect ------------------------------------------------------------------------------------------- */

struct lister {
    struct um_buf *out;
    bool full;
    size_t n_structs, n_ranges;       /* JSON: commas */
    uint64_t client;                  /* of the range before */
    struct um_buf content;
};

static um_err content_of(struct lister *l, const struct um_crdt_seen *s)
{
    um_buf_clear(&l->content);
    return um_crdt_seen_content(s, UM_CRDT_TAGGED, &l->content);
}

/* Cut at a character. */
static void put_excerpt(struct lister *l)
{
    size_t n = l->content.len;

    if (!l->full && n > EXCERPT_BYTES)
        for (n = EXCERPT_BYTES; n > 0 && (l->content.data[n] & 0xc0) == 0x80;)
            n--;
    um_buf_puts(l->out, " ");
    um_buf_put(l->out, l->content.data, n);
    if (n < l->content.len)
        um_buf_puts(l->out, "…");
}

static um_err line(void *arg, const struct um_crdt_seen *s)
{
    struct lister *l = arg;
    um_err err;

    if (s->kind == UM_CRDT_SEEN_RANGE) {
        um_buf_printf(l->out, "%llu:%u delete %u\n", (ull)s->client, s->clock, s->len);
        return UM_OK;
    }
    um_buf_printf(l->out, "%llu:%u %s %u", (ull)s->client, s->clock, um_crdt_seen_name(s->kind), s->len);
    if (s->has_origin)
        um_buf_printf(l->out, " origin=%llu:%u", (ull)s->origin.client, s->origin.clock);
    if (s->has_right)
        um_buf_printf(l->out, " right=%llu:%u", (ull)s->right.client, s->right.clock);
    if (s->parent == UM_CRDT_PARENT_ID)
        um_buf_printf(l->out, " parent=%llu:%u", (ull)s->parent_id.client, s->parent_id.clock);
    if (s->parent == UM_CRDT_PARENT_ROOT) {
        um_buf_puts(l->out, " parent=");
        put_string(l->out, s->root);
    }
    if (s->key.data != NULL) {
        um_buf_puts(l->out, " key=");
        put_string(l->out, s->key);
    }
    if ((err = content_of(l, s)) == UM_OK && s->kind != UM_CRDT_SEEN_GC && s->kind != UM_CRDT_SEEN_SKIP &&
        s->kind != UM_CRDT_SEEN_DELETED)
        put_excerpt(l);
    um_buf_puts(l->out, "\n");
    return err;
}

static void json_id(struct um_buf *out, const char *name, bool there, struct um_crdt_id id)
{
    if (there)
        um_buf_printf(out, ",\"%s\":[%llu,%u]", name, (ull)id.client, id.clock);
    else
        um_buf_printf(out, ",\"%s\":null", name);
}

/* {"kind":4,"str":…}: the name of the field tells the kind's content. */
static void json_content(struct lister *l, const struct um_crdt_seen *s)
{
    static const char *const field[] = {
        [UM_CRDT_SEEN_JSON] = "arr", [UM_CRDT_SEEN_BINARY] = "bytes", [UM_CRDT_SEEN_STRING] = "str",
        [UM_CRDT_SEEN_EMBED] = "embed", [UM_CRDT_SEEN_ANY] = "arr", [UM_CRDT_SEEN_DOC] = NULL
    };

    um_buf_printf(l->out, ",\"content\":{\"kind\":%d", (int)s->kind);
    if (s->kind == UM_CRDT_SEEN_DELETED) {
        um_buf_printf(l->out, ",\"len\":%u}}", s->len);
        return;
    }
    if (field[s->kind] != NULL)
        um_buf_printf(l->out, ",\"%s\":", field[s->kind]);
    else
        um_buf_puts(l->out, ",");
    if (field[s->kind] != NULL)
        um_buf_put(l->out, l->content.data, l->content.len);
    else                              /* an object: its fields, without its brackets */
        um_buf_put(l->out, l->content.data + 1, l->content.len - 2);
    um_buf_puts(l->out, "}}");
}

static void json_range(struct lister *l, const struct um_crdt_seen *s)
{
    bool same = l->n_ranges++ > 0 && l->client == s->client;

    if (l->n_ranges == 1)
        um_buf_puts(l->out, "],\"ds\":{");
    else if (!same)
        um_buf_puts(l->out, "],");
    if (!same)
        um_buf_printf(l->out, "\"%llu\":[", (ull)s->client);
    um_buf_printf(l->out, same ? ",[%u,%u]" : "[%u,%u]", s->clock, s->len);
    l->client = s->client;
}

/* As the vectors' `merge.decoded`. */
static um_err json_item(void *arg, const struct um_crdt_seen *s)
{
    struct lister *l = arg;
    um_err err;

    if (s->kind == UM_CRDT_SEEN_RANGE) {
        json_range(l, s);
        return UM_OK;
    }
    um_buf_printf(l->out, "%s\n{\"id\":[%llu,%u],\"len\":%u", l->n_structs++ == 0 ? "" : ",", (ull)s->client, s->clock,
                  s->len);
    if (s->kind == UM_CRDT_SEEN_GC || s->kind == UM_CRDT_SEEN_SKIP) {
        um_buf_printf(l->out, ",\"struct\":\"%s\"}", um_crdt_seen_name(s->kind));
        return UM_OK;
    }
    json_id(l->out, "origin", s->has_origin, s->origin);
    json_id(l->out, "rightOrigin", s->has_right, s->right);
    if (s->parent == UM_CRDT_PARENT_ROOT) {
        um_buf_puts(l->out, ",\"parent\":");
        put_string(l->out, s->root);
    } else {
        json_id(l->out, "parent", s->parent == UM_CRDT_PARENT_ID, s->parent_id);
    }
    um_buf_puts(l->out, ",\"parentSub\":");
    if (s->key.data != NULL)
        put_string(l->out, s->key);
    else
        um_buf_puts(l->out, "null");
    if ((err = content_of(l, s)) == UM_OK)
        json_content(l, s);
    return err;
}

enum status inspect_run(struct job *job)
{
    struct lister l = { .out = &job->out, .full = job->full };
    struct um_buf update = { 0 };
    enum status status = updates_joined(job, &update);
    um_err err = UM_OK;

    if (job->json)
        um_buf_puts(&job->out, "{\"structs\":[");
    if (status == DONE)
        err = um_crdt_inspect(&job->conf, UM_SPAN(update.data, update.len), job->json ? json_item : line, &l);
    if (job->json)
        um_buf_puts(&job->out, l.n_ranges > 0 ? "]}}\n" : "],\"ds\":{}}\n");
    um_buf_free(&update);
    um_buf_free(&l.content);
    return err == UM_OK ? status : refused(job, err, "the update");
}

/* ---- stats --------------------------------------------------------------------------------------------- */

#define KINDS_N (UM_CRDT_SEEN_RANGE + 1)
#define LARGEST 10u

struct tally {                        /* of one client */
    uint64_t client;
    size_t structs, units, bytes;
};
struct totals {
    struct tally *clients;
    size_t n;
    size_t count[KINDS_N], units[KINDS_N];
};

static um_err count(void *arg, const struct um_crdt_seen *s)
{
    struct totals *t = arg;
    struct tally *c;

    t->count[s->kind]++;
    t->units[s->kind] += s->len;
    if (s->kind == UM_CRDT_SEEN_RANGE)
        return UM_OK;
    if (t->n == 0 || t->clients[t->n - 1].client != s->client) {      /* sections are grouped by client */
        if ((t->n & (t->n + 1)) == 0)
            t->clients = um_xrealloc(t->clients, (2 * t->n + 1) * sizeof(*t->clients));
        t->clients[t->n++] = (struct tally){ .client = s->client };
    }
    c = &t->clients[t->n - 1];
    c->structs++;
    c->units += s->len;
    c->bytes += s->bytes;
    return UM_OK;
}

static int larger_first(const void *a, const void *b)
{
    const struct tally *x = a, *y = b;

    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return (x->client < y->client) - (x->client > y->client);
}

static void stats_json(struct job *job, const struct totals *t, size_t bytes, const struct um_crdt_stats *d)
{
    struct um_buf *out = &job->out;
    size_t structs = 0;

    for (int k = 0; k < UM_CRDT_SEEN_RANGE; k++)
        structs += t->count[k];
    um_buf_printf(out, "{\"bytes\":%zu,\"clients\":%zu,\"structs\":%zu,\"deletedUnits\":%zu,\"deleteRanges\":%zu,"
                  "\"roots\":%zu,\"memory\":%zu,\"pending\":{\"structs\":%zu,\"ranges\":%zu,\"bytes\":%zu},\"kinds\":{",
                  bytes, t->n, structs, t->units[UM_CRDT_SEEN_RANGE], t->count[UM_CRDT_SEEN_RANGE], d->roots,
                  d->memory_bytes, d->pending_structs, d->pending_ranges, d->pending_bytes);
    for (int k = 0, n = 0; k < UM_CRDT_SEEN_RANGE; k++)
        if (t->count[k] > 0)
            um_buf_printf(out, "%s\"%s\":{\"structs\":%zu,\"units\":%zu}", n++ == 0 ? "" : ",",
                          um_crdt_seen_name((enum um_crdt_seen_kind)k), t->count[k], t->units[k]);
    um_buf_puts(out, "},\"largest\":[");
    for (size_t i = 0; i < UM_MIN(t->n, LARGEST); i++)
        um_buf_printf(out, "%s{\"client\":%llu,\"structs\":%zu,\"units\":%zu,\"bytes\":%zu}", i == 0 ? "" : ",",
                      (ull)t->clients[i].client, t->clients[i].structs, t->clients[i].units, t->clients[i].bytes);
    um_buf_puts(out, "]}\n");
}

static void stats_lines(struct job *job, const struct totals *t, size_t bytes, const struct um_crdt_stats *d)
{
    struct um_buf *out = &job->out;
    size_t structs = 0;

    for (int k = 0; k < UM_CRDT_SEEN_RANGE; k++)
        structs += t->count[k];
    um_buf_printf(out, "bytes      %zu\nclients    %zu\nroots      %zu\nstructs    %zu\n", bytes, t->n, d->roots, structs);
    for (int k = 0; k < UM_CRDT_SEEN_RANGE; k++)
        if (t->count[k] > 0)
            um_buf_printf(out, "  %-9s%zu, %zu units\n", um_crdt_seen_name((enum um_crdt_seen_kind)k), t->count[k],
                          t->units[k]);
    um_buf_printf(out, "deleted    %zu units in %zu ranges\n", t->units[UM_CRDT_SEEN_RANGE], t->count[UM_CRDT_SEEN_RANGE]);
    um_buf_printf(out, "pending    %zu structs, %zu ranges, %zu bytes\n", d->pending_structs, d->pending_ranges,
                  d->pending_bytes);
    um_buf_printf(out, "memory     %zu bytes when loaded\nlargest clients\n", d->memory_bytes);
    for (size_t i = 0; i < UM_MIN(t->n, LARGEST); i++)
        um_buf_printf(out, "  %-16llu %zu structs, %zu units, %zu bytes\n", (ull)t->clients[i].client,
                      t->clients[i].structs, t->clients[i].units, t->clients[i].bytes);
}

enum status stats_run(struct job *job)
{
    struct totals t = { 0 };
    struct um_buf update = { 0 };
    struct um_crdt *doc = NULL;
    struct um_crdt_stats d = { 0 };
    enum status status = updates_joined(job, &update);
    um_err err = UM_OK;

    if (status == DONE)
        err = um_crdt_inspect(&job->conf, UM_SPAN(update.data, update.len), count, &t);
    if (status == DONE && err == UM_OK)
        status = document_load(job, &doc);
    if (status == DONE && err == UM_OK) {
        um_crdt_get_stats(doc, &d);
        if (t.n > 1)
            qsort(t.clients, t.n, sizeof(*t.clients), larger_first);
        (job->json ? stats_json : stats_lines)(job, &t, update.len, &d);
    }
    um_crdt_free(doc);
    free(t.clients);
    um_buf_free(&update);
    return err == UM_OK ? status : refused(job, err, "the update");
}

/* ---- verify -------------------------------------------------------------------------------------------- */

static void verdict_bad(struct job *job, const char *name, size_t number, um_err err, const struct um_crdt_fault *f)
{
    struct um_buf *out = &job->out;

    if (job->json) {
        um_buf_puts(out, "{\"file\":");
        put_string(out, UM_SPAN_STR(name));
        um_buf_printf(out, ",\"update\":%zu,\"ok\":false,\"error\":\"%s\",\"offset\":%zu,\"field\":\"%s\",\"why\":\"%s\"",
                      number, um_err_text(err), f->offset, f->field, f->why);
        if (f->in_struct)
            um_buf_printf(out, ",\"client\":%llu,\"clock\":%u", (ull)f->client, f->clock);
        um_buf_puts(out, "}\n");
        return;
    }
    um_buf_printf(out, "%s: update %zu: refused at byte %zu: %s: %s", name, number, f->offset, f->field, f->why);
    if (f->in_struct)
        um_buf_printf(out, " (struct %llu:%u)", (ull)f->client, f->clock);
    um_buf_printf(out, " [%s]\n", um_err_text(err));
}

static void verdict_good(struct job *job, const char *name, size_t number, const struct um_crdt_update_stats *s, size_t len)
{
    struct um_buf *out = &job->out;

    if (job->json) {
        um_buf_puts(out, "{\"file\":");
        put_string(out, UM_SPAN_STR(name));
        um_buf_printf(out, ",\"update\":%zu,\"ok\":true,\"bytes\":%zu,\"trailing\":%zu,\"structs\":%u,\"skips\":%u,"
                      "\"ranges\":%u,\"emptyStructs\":%s}\n", number, s->bytes, len - s->bytes, s->structs, s->skips,
                      s->ranges, s->empty_structs ? "true" : "false");
        return;
    }
    um_buf_printf(out, "%s: update %zu: ok, %zu bytes, %u structs, %u ranges", name, number, s->bytes, s->structs, s->ranges);
    if (len > s->bytes)
        um_buf_printf(out, "; %zu bytes behind its end", len - s->bytes);
    if (s->empty_structs)
        um_buf_puts(out, "; holds structs or ranges of length 0");
    um_buf_puts(out, "\n");
}

/* Of v2 it is known whether it is well, not where it is not: its fields stand in ten columns. */
static um_err verify_one(const struct job *job, struct um_span update, struct um_crdt_fault *fault,
                         struct um_crdt_update_stats *s)
{
    um_err err;

    *fault = (struct um_crdt_fault){ .field = "update", .why = "not an update of format v2, or over a limit" };
    if (job->v2)
        return um_crdt_validate_v2(&job->conf, update, s);
    err = um_crdt_verify(&job->conf, update, fault);
    return err == UM_OK ? um_crdt_validate(&job->conf, update, s) : err;
}

/* Limits are part of the verdict: those of a server unless --large. */
enum status verify_run(struct job *job)
{
    enum status status = DONE;

    if (!job->large)
        um_crdt_conf_init(&job->conf);
    for (size_t i = 0; i < job->n_inputs; i++) {
        const struct input *in = &job->inputs[i];

        for (size_t k = 0; k < in->n; k++) {
            struct um_span update = job->updates[in->first + k];
            struct um_crdt_update_stats s;
            struct um_crdt_fault fault;
            um_err err = verify_one(job, update, &fault, &s);

            if (err == UM_ENOMEM)
                return refused(job, err, in->name);
            if (err == UM_OK) {
                verdict_good(job, in->name, k + 1, &s, update.len);
            } else {
                verdict_bad(job, in->name, k + 1, err, &fault);
                status = REFUSED;
            }
        }
    }
    return status;
}
