/* Moving old versions to the archive. For each: read its bytes from the store, put them into the archive, then tell the
 * store that they are there, which lets go of its own. A crash between any two steps leaves a version in the store, and at
 * worst an object that the next run puts again. */
#include "versions_int.h"
#include <stdlib.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>

enum { SLOTS = 2, FAILURES_MAX = 5 };        /* versions at the same time; the place is away: enough for this time */

struct slot {
    struct versions_run *run;
    const struct um_versions_item *item;     /* NULL: idle */
    char key[VERSIONS_KEY_MAX];
};

struct versions_run {
    struct um_versions *v;
    struct um_loop *loop;
    um_versions_run_cb *cb;
    void *arg;
    struct um_versions_report report;
    struct um_versions_item *items;
    size_t next, busy;
    struct slot slots[SLOTS];
};

void versions_run_free(struct versions_run *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->report.n; i++)
        free(r->items[i].document);
    free(r->items);
    free(r);
}

static void finish(struct versions_run *r, um_err err)
{
    r->report.items = r->items;
    r->cb(r->arg, err, &r->report);
    versions_run_free(r);
}

static void feed(struct versions_run *r);

static void item_done(struct slot *s, um_err err)
{
    struct versions_run *r = s->run;

    if (err == UM_OK) {
        r->report.moved++;
        r->report.moved_bytes += s->item->bytes;
        versions_count(VERSIONS_C_MOVED, 1);
        versions_count(VERSIONS_C_BYTES, s->item->bytes);
    } else if (err != UM_ENOTFOUND) {        /* one that has gone meanwhile is nobody's failure */
        r->report.failed++;
        versions_count(VERSIONS_C_FAILED, 1);
        um_log_limited(UM_WARN, "versions", "a version stays in the database", UM_S("doc", s->item->document),
                       UM_I("seq", s->item->seq), UM_S("reason", um_err_text(err)));
    }
    s->item = NULL;
    r->busy--;
    feed(r);
}

static void let_go(void *arg, um_err err, const struct um_store_version *row, struct um_bytes *state)
{
    struct slot *s = arg;

    (void)row;
    (void)state;
    if (UM_FAILPOINT("version.after_archived"))
        err = UM_EIO;
    if (err == UM_ENOTFOUND)                 /* deleted or pruned meanwhile: its object goes with it */
        um_archive_delete(s->run->v->archive, s->run->loop, s->key, versions_nobody, NULL);
    item_done(s, err);
}

static void put(void *arg, um_err err)
{
    struct slot *s = arg;

    if (UM_FAILPOINT("version.after_put"))
        err = UM_EIO;
    if (err == UM_OK)
        um_store_archive_version(s->run->v->store, s->run->loop, s->item->document, s->item->seq, s->key, let_go, s);
    else
        item_done(s, err);
}

static void read_one(void *arg, um_err err, const struct um_store_version *row, struct um_bytes *state)
{
    struct slot *s = arg;

    (void)row;
    if (err != UM_OK || state == NULL) {     /* without bytes: another process was faster */
        item_done(s, err != UM_OK ? err : UM_ENOTFOUND);
        return;
    }
    if (UM_FAILPOINT("version.before_put")) {
        item_done(s, UM_EIO);
        return;
    }
    versions_key(s->item->document, s->item->seq, s->key);
    um_archive_put(s->run->v->archive, s->run->loop, s->key, state, put, s);
}

static void feed(struct versions_run *r)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct slot *s = &r->slots[i];

        if (s->item != NULL || r->next == r->report.n || r->report.failed >= FAILURES_MAX)
            continue;
        s->item = &r->items[r->next++];
        r->busy++;
        um_store_version(r->v->store, r->loop, s->item->document, s->item->seq, read_one, s);
    }
    if (r->busy == 0)
        finish(r, UM_OK);
}

static void listed(void *arg, um_err err, const struct um_store_versions *page)
{
    struct versions_run *r = arg;

    if (err != UM_OK) {
        finish(r, err);
        return;
    }
    r->items = um_xcalloc(page->n + 1, sizeof(*r->items));
    for (size_t i = 0; i < page->n; i++)
        r->items[i] = (struct um_versions_item){ um_xstrdup(page->rows[i].document), page->rows[i].seq, page->rows[i].at_ms,
                                                 page->rows[i].bytes };
    r->report.n = page->n;
    r->report.more = page->more;
    if (!r->report.dry && r->v->archive == NULL)
        finish(r, UM_ECLOSED);
    else if (r->report.dry)
        finish(r, UM_OK);
    else
        feed(r);
}

struct versions_run *versions_run_begin(struct um_versions *v, struct um_loop *l, bool dry, um_versions_run_cb *cb, void *arg)
{
    struct versions_run *r = um_xcalloc(1, sizeof(*r));

    r->v = v;
    r->loop = l;
    r->cb = cb;
    r->arg = arg;
    r->report.dry = dry;
    r->report.before_ms = v->cf->archive_after_ms > 0 ? um_wall_ms() - v->cf->archive_after_ms : 0;
    for (size_t i = 0; i < SLOTS; i++)
        r->slots[i].run = r;
    um_store_versions_before(v->store, l, r->report.before_ms, UM_VERSIONS_RUN, listed, r);
    return r;
}

void um_versions_run(struct um_versions *v, struct um_loop *l, bool dry, um_versions_run_cb *cb, void *arg)
{
    versions_run_begin(v, l, dry, cb, arg);
}
