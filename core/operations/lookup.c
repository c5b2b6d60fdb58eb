/* What a job's registration says now. A core that takes many jobs takes them together, so those of one registration that begin in one
 * turn of the loop share a question to the database. It is asked after all of them were taken: a changed registration counts for
 * whatever is taken after its answer. */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/util.h>
#include "internal.h"

struct lookup {
    struct um_list link;                      /* in um_operations.lookups until it is asked */
    struct um_list waits;
};

static struct lookup_wait *first_of(const struct lookup *k) { return UM_CONTAINER(k->waits.next, struct lookup_wait, link); }

static void lookup_free(struct lookup *k)
{
    um_list_remove(&k->link);
    free(k);
}

static void on_answer(void *arg, const struct um_domain_answer *a)
{
    struct lookup *k = arg;

    UM_LIST_EACH_SAFE(it, &k->waits) {
        struct lookup_wait *w = UM_CONTAINER(it, struct lookup_wait, link);

        um_list_remove(&w->link);
        w->answered(w, a);
    }
    lookup_free(k);
}

static void on_closed(void *arg)
{
    struct lookup *k = arg;

    UM_LIST_EACH_SAFE(it, &k->waits) {
        struct lookup_wait *w = UM_CONTAINER(it, struct lookup_wait, link);

        um_list_remove(&w->link);
        w->dropped(w);
    }
    lookup_free(k);
}

/* In no account's name: what was accepted is told, whatever has become of the user since. */
static void ask(struct um_operations *o, struct lookup *k)
{
    const struct lookup_wait *w = first_of(k);
    struct um_who platform = { .user = w->user, .scope = w->scope, .request = w->request };

    um_list_remove(&k->link);
    um_domain_run_or(o->env.domain, o->env.loop, &um_operations_registration, &platform, json_pack("{s:s}", "id", w->registration), NULL, on_answer,
                     on_closed, k);
}

static void ask_all(void *arg)
{
    struct um_operations *o = arg;

    UM_LIST_EACH_SAFE(it, &o->lookups)
        ask(o, UM_CONTAINER(it, struct lookup, link));
}

static bool is_of(const struct lookup *k, const struct lookup_wait *w)
{
    return strcmp(first_of(k)->registration, w->registration) == 0 && strcmp(first_of(k)->scope, w->scope) == 0;
}

void lookup_registration(struct um_operations *o, struct lookup_wait *w)
{
    struct lookup *k = NULL;

    UM_LIST_EACH(it, &o->lookups)
        if (is_of(UM_CONTAINER(it, struct lookup, link), w))
            k = UM_CONTAINER(it, struct lookup, link);
    if (k == NULL) {
        k = um_xcalloc(1, sizeof(*k));
        um_list_init(&k->waits);
        um_list_append(&o->lookups, &k->link);
    }
    um_list_append(&k->waits, &w->link);
    um_loop_defer(o->env.loop, UM_PHASE_FLUSH_DOCS, &o->ask);
}

void lookups_init(struct um_operations *o)
{
    um_list_init(&o->lookups);
    um_defer_init(&o->ask, ask_all, o);
}

void lookups_drop(struct um_operations *o)
{
    um_defer_cancel(&o->ask);
    UM_LIST_EACH_SAFE(it, &o->lookups)
        on_closed(UM_CONTAINER(it, struct lookup, link));
}
