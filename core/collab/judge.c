/* Rights that a document has of its own, asked for outside: the question's way there and back. Who asked may be gone when the
 * answer comes; the question then belongs to nobody, and the answer ends it. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

struct judging {
    struct um_list link;                 /* in hub->judging */
    struct um_collab_identity who;
    judged_fn *fn;
    void *subject;                       /* NULL: gone */
};

void identity_copy(struct um_collab_identity *to, const struct um_collab_identity *from)
{
    *to = *from;
    if (to->who != NULL)
        um_bytes_ref(to->who);
}

void identity_drop(struct um_collab_identity *who)
{
    um_bytes_unref(who->who);
    who->who = NULL;
}

static void judging_free(struct judging *j)
{
    um_list_remove(&j->link);
    identity_drop(&j->who);
    free(j);
}

static void on_answer(void *arg, enum um_collab_right right)
{
    struct judging *j = arg;

    if (j->subject != NULL)
        j->fn(j->subject, right);
    judging_free(j);
}

struct judging *judge_ask(struct hub *h, struct um_span document, const struct um_collab_identity *who, judged_fn *fn, void *subject)
{
    const struct um_collab_hooks *hooks = &h->engine->hooks;
    struct judging *j;
    char *name;

    if (hooks->judge == NULL)
        return NULL;
    j = um_xcalloc(1, sizeof(*j));
    j->fn = fn;
    j->subject = subject;
    identity_copy(&j->who, who);
    um_list_append(&h->judging, &j->link);
    name = um_xstrndup((const char *)document.data, document.len);
    if (!hooks->judge(hooks->ctx, h->loop, name, &j->who, on_answer, j)) {
        judging_free(j);
        j = NULL;
    }
    free(name);
    return j;
}

void judge_forget(struct judging *j)
{
    if (j != NULL)
        j->subject = NULL;
}

const struct um_collab_identity *judge_identity(const struct judging *j) { return &j->who; }

void judge_free_all(struct hub *h)
{
    UM_LIST_EACH_SAFE(it, &h->judging)
        judging_free(UM_CONTAINER(it, struct judging, link));
}
