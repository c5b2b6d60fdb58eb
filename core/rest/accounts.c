/* Sessions of users whose accounts are over. What counts is that their tokens are worth nothing, which the database says; this
 * spares people a session in which nothing works. Without Redis no core hears of a gateway: there the web app, told 401, asks to
 * sign in. */
#include <umbel/ask.h>
#include <umbel/domain.h>
#include <umbel/log.h>
#include <umbel/node.h>
#include "internal.h"

enum { WAIT_MS = 3000 };

static void answered(void *arg, const struct um_ask_answer *answers, size_t n)
{
    (void)arg;
    for (size_t i = 0; i < n; i++)
        if (answers[i].state != UM_ASK_ANSWERED)
            um_log_limited(UM_WARN, "rest", "a gateway did not end the sessions of an account that is over", UM_S("member", answers[i].member));
}

void account_ended(struct um_rest *r, const struct um_domain_change *change)
{
    struct um_ask_question q = { .topic = UM_NODE_END_SESSIONS, .role = "gateway", .wait_ms = WAIT_MS };
    json_t *body;

    if (r->deps.redis == NULL)
        return;
    body = json_pack("{s:s, s:s, s:s}", "user", change->id, "scope", change->scope, "account", change->class_id);
    q.body = body;
    um_ask(um_node_ask(r->deps.node), r->deps.loop, &q, answered, NULL);
    json_decref(body);
}
