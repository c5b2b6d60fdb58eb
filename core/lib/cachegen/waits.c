/* Changes of ours that other members have to apply. Whoever applied a later version has applied this one too. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "cachegen_int.h"

struct wait {
    struct um_list link;
    struct um_cachegen *g;
    const struct entry *e;
    uint64_t version;
    struct um_members *asked;                /* NULL: nobody */
    bool *applied;                           /* by each of them */
    bool others_given_up;
    struct um_loop *loop;
    um_cachegen_done *done;
    void *arg;
    struct um_timer timer;
};

/* ---- the end ---- */

struct report { struct um_msg msg; struct um_cachegen *g; um_cachegen_done *done; void *arg; struct um_members *asked; bool *applied; };

static void run_report(struct um_msg *m)
{
    struct report *r = UM_CONTAINER(m, struct report, msg);
    size_t of = r->asked != NULL ? r->asked->n : 0;
    const char **ids = um_xcalloc(of + 1, sizeof(*ids));
    struct um_cachegen_applied_by by = { .ids = ids, .of = of };

    for (size_t i = 0; i < of; i++)
        if (r->applied[i])
            ids[by.n++] = r->asked->list[i].id;
    if (!atomic_load(&r->g->closed))
        r->done(r->arg, &by);
    cachegen_unref(r->g);
    um_members_unref(r->asked);
    free(r->applied);
    free(ids);
    free(r);
}

static void drop(struct wait *w)
{
    um_timer_stop(w->g->loop, &w->timer);
    um_list_remove(&w->link);
    w->g->n_waits--;
    free(w);
}

static void report(struct um_cachegen *g, struct um_loop *l, struct report what)
{
    struct report *r = um_xcalloc(1, sizeof(*r));

    cachegen_ref(g);
    *r = what;
    r->g = g;
    um_loop_post(l, &r->msg, run_report);
}

static void finish(void *arg)
{
    struct wait *w = arg;

    report(w->g, w->loop, (struct report){ .done = w->done, .arg = w->arg, .asked = w->asked, .applied = w->applied });
    drop(w);
}

void wait_for_nobody(struct um_cachegen *g, struct um_loop *l, um_cachegen_done *done, void *arg)
{
    report(g, l, (struct report){ .done = done, .arg = arg });
}

static bool is_complete(const struct wait *w)
{
    for (size_t i = 0; w->asked != NULL && i < w->asked->n; i++)
        if (!w->applied[i] && (w->asked->list[i].is_self || !w->others_given_up))
            return false;
    return w->e->applied >= w->version;      /* ours, also while we are no member yet */
}

/* ---- what happens meanwhile ---- */

static void note_member(struct wait *w, const char *member)
{
    for (size_t i = 0; w->asked != NULL && i < w->asked->n; i++)
        if (member == NULL ? w->asked->list[i].is_self : strcmp(w->asked->list[i].id, member) == 0)
            w->applied[i] = true;
}

void waits_take_applied(struct um_cachegen *g, const struct entry *e, const char *member, uint64_t version)
{
    UM_LIST_EACH_SAFE(it, &g->waits) {
        struct wait *w = UM_CONTAINER(it, struct wait, link);

        if (w->e != e || w->version > version)
            continue;
        note_member(w, member);
        if (is_complete(w))
            finish(w);
    }
}

void waits_give_up_others(struct um_cachegen *g, const struct entry *e, uint64_t version)
{
    UM_LIST_EACH_SAFE(it, &g->waits) {
        struct wait *w = UM_CONTAINER(it, struct wait, link);

        if (w->e != e || w->version > version)
            continue;
        w->others_given_up = true;
        if (is_complete(w))
            finish(w);
    }
}

/* ---- life ---- */

bool wait_begin(struct um_cachegen *g, const struct entry *e, uint64_t version, struct um_loop *l, um_cachegen_done *done,
                void *arg)
{
    struct wait *w;

    if (g->n_waits == WAITS_MAX) {
        wait_for_nobody(g, l, done, arg);
        return false;
    }
    w = um_xcalloc(1, sizeof(*w));
    w->g = g;
    w->e = e;
    w->version = version;
    w->asked = g->cluster != NULL ? um_cluster_members(g->cluster) : NULL;
    w->applied = um_xcalloc(w->asked != NULL ? w->asked->n + 1 : 1, sizeof(bool));
    w->loop = l;
    w->done = done;
    w->arg = arg;
    um_list_append(&g->waits, &w->link);
    g->n_waits++;
    um_timer_set(g->loop, &w->timer, g->conf.apply_wait_ms, finish, w);
    return true;
}

void waits_free(struct um_cachegen *g)
{
    UM_LIST_EACH_SAFE(it, &g->waits) {
        struct wait *w = UM_CONTAINER(it, struct wait, link);

        um_members_unref(w->asked);
        free(w->applied);
        drop(w);
    }
}
