/* Rights that a document has of its own, asked for outside, and what a service says to who joins it: the question's way there and
 * back. Who asked may be gone when the answer comes; the question then belongs to nobody, and the answer ends it. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

struct judging {
    struct um_list link;                 /* in hub->judging */
    struct hub *hub;
    char *document;
    bool joins;
    enum um_collab_right right;          /* which it has, when the service does not mind */
    char reason[64];
    struct um_collab_identity who;
    judged_fn *fn;
    void *subject;                       /* NULL: gone */
};

void identity_copy(struct um_collab_identity *to, const struct um_collab_identity *from)
{
    *to = *from;
    if (to->who != NULL)
        um_bytes_ref(to->who);
    if (to->context != NULL)
        um_bytes_ref(to->context);
    if (to->parameters != NULL)
        um_bytes_ref(to->parameters);
}

void identity_drop(struct um_collab_identity *who)
{
    um_bytes_unref(who->who);
    um_bytes_unref(who->context);
    um_bytes_unref(who->parameters);
    who->who = who->context = who->parameters = NULL;
}

static void judging_free(struct judging *j)
{
    um_list_remove(&j->link);
    identity_drop(&j->who);
    free(j->document);
    free(j);
}

static void end(struct judging *j, enum um_collab_right right)
{
    if (j->subject != NULL)
        j->fn(j->subject, right);
    judging_free(j);
}

static void on_service(void *arg, bool may, const char *reason, struct um_bytes *context)
{
    struct judging *j = arg;

    if (context != NULL)
        j->who.context = um_bytes_ref(context);
    strncpy(j->reason, reason, sizeof(j->reason) - 1);
    end(j, may ? j->right : *reason != '\0' ? UM_COLLAB_NONE : UM_COLLAB_UNKNOWN);
}

/* False: it is not asked. */
static bool ask_service(struct judging *j, enum um_collab_right right)
{
    const struct um_collab_service *s = j->hub->engine->hooks.service;

    j->right = right;
    return j->joins && s != NULL && s->join != NULL && s->join(s->ctx, j->hub->loop, j->document, &j->who, on_service, j);
}

static void on_answer(void *arg, enum um_collab_right right)
{
    struct judging *j = arg;

    if (j->subject == NULL || right < UM_COLLAB_READ || !ask_service(j, right))
        end(j, right);
}

struct judging *judge_ask(struct hub *h, struct um_span document, const struct um_collab_identity *who, bool joins, judged_fn *fn, void *subject)
{
    const struct um_collab_hooks *hooks = &h->engine->hooks;
    struct judging *j = um_xcalloc(1, sizeof(*j));

    j->hub = h;
    j->document = um_xstrndup((const char *)document.data, document.len);
    j->joins = joins;
    j->fn = fn;
    j->subject = subject;
    strcpy(j->reason, "permission-denied");
    identity_copy(&j->who, who);
    um_list_append(&h->judging, &j->link);
    if ((hooks->judge != NULL && hooks->judge(hooks->ctx, h->loop, j->document, &j->who, on_answer, j)) || ask_service(j, UM_COLLAB_WRITE))
        return j;
    judging_free(j);
    return NULL;
}

void judge_forget(struct judging *j)
{
    if (j != NULL)
        j->subject = NULL;
}

const struct um_collab_identity *judge_identity(const struct judging *j) { return &j->who; }
const char *judge_reason(const struct judging *j) { return j->reason; }

void judge_free_all(struct hub *h)
{
    UM_LIST_EACH_SAFE(it, &h->judging)
        judging_free(UM_CONTAINER(it, struct judging, link));
}
