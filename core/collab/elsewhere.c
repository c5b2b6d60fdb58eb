/* What other processes wrote to the same store: found by comparing numbers, read from the log, told to the readers.
 *
 *  1. A document's last_seq says: all rows of its log up to there are in it. Our own rows may get numbers beyond it, when
 *     others' stand in between; then the rows from last_seq on are read.
 *  2. Every resync interval each reactor asks for the heads of all its documents in one question, when others can write at
 *     all. News from a bus (when there is one) only makes it faster.
 *  3. A fold covers last_seq and no more, so a row that was not read is never trimmed by us.
 *  4. A stock server writes whole states and knows no log: what it writes may lack what we had folded. It is read, and our
 *     state, which holds both then, takes its place though no row is new. */
#include <stdlib.h>
#include <string.h>
#include <umbel/store.h>
#include "internal.h"

#define CATCH_UP_RETRY_MS 1000
#define HEADS_MAX 10000                      /* documents in one question, as the store allows */

/* ---- one document ---- */

static void caught_up(void *arg, um_err err, const struct um_store_loaded *doc);

static void ask(struct doc *d)
{
    d->catching_up = true;
    um_store_load_since(d->hub->engine->store, d->hub->loop, d->name, d->last_seq, caught_up, d);
}

static void ask_again(void *arg) { elsewhere_catch_up(arg); }

void elsewhere_catch_up(struct doc *d)
{
    if (d->catching_up || d->state == DOC_LOADING || d->state == DOC_ENDING)
        return;
    um_timer_stop(d->hub->loop, &d->catch_up_timer);
    ask(d);
}

/* The read that is under way may have begun too early. */
void elsewhere_look(struct doc *d)
{
    d->look_again = d->catching_up || d->state == DOC_LOADING;
    elsewhere_catch_up(d);
}

/* A row of ours came behind rows of others. Their changes come over the bus as a rule: no hurry then. */
void elsewhere_note_gap(struct doc *d)
{
    if (d->bus.n_peers == 0 || !d->hub->bus.ops->is_live(d->hub))
        elsewhere_catch_up(d);
    else if (!um_timer_is_set(&d->catch_up_timer) && !d->catching_up)
        um_timer_set(d->hub->loop, &d->catch_up_timer, CATCH_UP_RETRY_MS, ask_again, d);
}

static void caught_up(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct doc *d = arg;
    uint64_t had = d->last_seq;

    d->catching_up = false;
    if (d->state == DOC_ENDING) {
        doc_settle(d);
        return;
    }
    if (err == UM_OK && doc->deleted) {
        doc_end(d, "deleted", END_CLOSE, 4500);
        return;
    }
    if (err == UM_OK)
        err = persist_take(d, doc, true);
    if (err == UM_OK && (d->look_again || (d->own_seq > d->last_seq && d->last_seq > had))) {
        d->look_again = false;
        ask(d);                              /* there is more, or a row of ours was committed meanwhile */
        return;
    }
    if (err == UM_OK && d->own_seq > d->last_seq)        /* and is not to be seen yet: asking at once again would spin */
        err = UM_EUNAVAIL;
    if (err != UM_OK) {
        um_log_limited(UM_WARN, "collab", "changes from elsewhere cannot be read", UM_S("doc", d->name),
                       UM_S("reason", um_err_text(err)));
        um_timer_set(d->hub->loop, &d->catch_up_timer, CATCH_UP_RETRY_MS, ask_again, d);
        return;
    }
    if (d->last_seq > d->folded_seq)
        persist_changed(d);
    doc_settle(d);
}

/* ---- a state that a stock server wrote ---- */

static void foreign_came(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct doc *d = arg;

    d->catching_up = false;
    if (err == UM_OK && doc->deleted && d->state != DOC_ENDING) {
        doc_end(d, "deleted", END_CLOSE, 4500);
        return;
    }
    /* A fold that is under way finds the version changed, and reads the state itself. */
    if (err == UM_OK && d->state != DOC_ENDING && !d->fold_running)
        err = persist_take(d, doc, true);
    if (err == UM_OK && d->state != DOC_ENDING && !d->fold_running) {
        d->overwritten = true;
        persist_fold_now(d);
    }
    if (err != UM_OK)                        /* the next comparison tries again */
        um_log_limited(UM_WARN, "collab", "state of a foreign server cannot be read", UM_S("doc", d->name),
                       UM_S("reason", um_err_text(err)));
    doc_settle(d);
}

static void read_foreign(struct doc *d)
{
    if (d->catching_up || d->fold_running || d->overwritten)
        return;
    d->catching_up = true;
    um_store_load(d->hub->engine->store, d->hub->loop, d->name, foreign_came, d);
}

void elsewhere_free(struct doc *d) { um_timer_stop(d->hub->loop, &d->catch_up_timer); }

/* ---- all documents of a reactor ---- */

struct question {                            /* names are kept: a document may go before the answer comes */
    struct hub *hub;
    size_t n;
    char *names[];
};

static void question_free(struct question *q)
{
    for (size_t i = 0; i < q->n; i++)
        free(q->names[i]);
    free(q);
}

static void compare(struct doc *d, const struct um_store_head *head)
{
    if (d == NULL || d->state == DOC_LOADING || d->state == DOC_ENDING)
        return;
    if (head->deleted)
        doc_end(d, "deleted", END_CLOSE, 4500);
    else if (head->last_seq > d->last_seq)
        elsewhere_catch_up(d);
    else if (head->foreign && head->version != d->version)
        read_foreign(d);
}

static void heads_came(void *arg, um_err err, const struct um_store_head *heads, size_t n)
{
    struct question *q = arg;
    struct hub *h = q->hub;

    h->asking = false;
    for (size_t i = 0; i < n && err == UM_OK; i++)
        compare(doc_get(h, UM_SPAN_STR(q->names[i]), false), &heads[i]);
    question_free(q);
    hub_check_drained(h);
}

/* The documents behind the last ones that were asked about; from the beginning when the end was reached. */
static struct question *next_question(struct hub *h)
{
    size_t n = UM_MIN(h->docs.n, (size_t)HEADS_MAX), skip = h->asked_docs < h->docs.n ? h->asked_docs : 0, i = 0;
    struct question *q = um_xcalloc(1, sizeof(*q) + n * sizeof(*q->names));

    q->hub = h;
    UM_LIST_EACH(it, &h->all_docs) {
        if (i++ < skip)
            continue;
        if (q->n == n)
            break;
        q->names[q->n++] = um_xstrdup(UM_CONTAINER(it, struct doc, link)->name);
    }
    h->asked_docs = skip + q->n;
    return q;
}

static void compare_all(void *arg)
{
    struct hub *h = arg;
    struct question *q;

    um_timer_set(h->loop, &h->resync, h->engine->cf.resync_interval_ms, compare_all, h);
    if (h->asking || h->draining || h->docs.n == 0)
        return;
    q = next_question(h);
    h->asking = true;
    um_store_heads(h->engine->store, h->loop, (const char *const *)q->names, q->n, heads_came, q);
}

void elsewhere_start(struct hub *h)
{
    if (um_store_is_shared(h->engine->store))
        um_timer_set(h->loop, &h->resync, h->engine->cf.resync_interval_ms, compare_all, h);
}
