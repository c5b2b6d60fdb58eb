/* Work of the server on a document: reading and editing it where it lives, beside its editors. */
#include <stdlib.h>
#include <string.h>
#include "internal.h"

struct work {
    struct um_list link;                 /* in doc->work, until it has run */
    struct hub *hub;
    struct um_loop *home;
    char *document;
    char user[129];
    um_collab_work *work;
    um_collab_done *done;
    void *arg;
    um_err err;
};

static void come_home(void *arg)
{
    struct work *w = arg;

    w->done(w->arg, w->err);
    free(w->document);
    free(w);
}

void work_finish(struct work *w, um_err err)
{
    w->err = err;
    um_loop_call(w->home, come_home, w);
}

const char *work_user(const struct work *w) { return w->user; }

/* An edit is told to the readers at once and to its author when it is durable, like anybody's. */
static void run_one(struct doc *d, struct work *w)
{
    struct um_crdt_applied a = { 0 };
    um_err err;

    if (!d->exists || !doc_takes_changes(d)) {
        work_finish(w, d->exists ? UM_EUNAVAIL : UM_ENOTFOUND);
        return;
    }
    err = w->work(w->arg, d->crdt, d->last_seq, &a);
    if (err != UM_OK || !a.changed) {
        work_finish(w, err);
        return;
    }
    outbox_applied(d, &a, NULL);
    persist_append_work(d, a.event, a.n_more == 0 ? w : NULL);
    for (size_t i = 0; i < a.n_more; i++)
        persist_append_work(d, a.more[i], i + 1 == a.n_more ? w : NULL);
}

void work_run(struct doc *d)
{
    while (!um_list_is_empty(&d->work)) {
        struct work *w = UM_CONTAINER(d->work.next, struct work, link);

        um_list_remove(&w->link);
        run_one(d, w);
    }
}

void work_give_up(struct doc *d, um_err err)
{
    UM_LIST_EACH_SAFE(it, &d->work) {
        struct work *w = UM_CONTAINER(it, struct work, link);

        um_list_remove(&w->link);
        work_finish(w, err);
    }
}

static void arrive(void *arg)
{
    struct work *w = arg;
    struct doc *d = w->hub->draining ? NULL : doc_get(w->hub, UM_SPAN_STR(w->document), true);

    if (d == NULL || d->state == DOC_ENDING) {
        work_finish(w, UM_EUNAVAIL);
        return;
    }
    um_list_append(&d->work, &w->link);
    if (d->state == DOC_LOADING)
        persist_load(d);
    else
        work_run(d);
}

void um_collab_work_on(struct um_collab *c, struct um_loop *l, const char *document, const char *user,
                       um_collab_work *work, um_collab_done *done, void *arg)
{
    struct work *w = um_xcalloc(1, sizeof(*w));

    w->hub = hub_of_document(c, UM_SPAN_STR(document));
    w->home = l;
    w->document = um_xstrdup(document);
    snprintf(w->user, sizeof(w->user), "%s", user != NULL ? user : "");
    w->work = work;
    w->done = done;
    w->arg = arg;
    um_loop_call(w->hub->loop, arrive, w);
}
