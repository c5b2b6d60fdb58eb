/* See auth/act.h: POST /core/rest/internal/audit. */
#include <auth/act.h>
#include <auth/asker.h>
#include <stdlib.h>
#include <string.h>
#include <proxy/exchange.h>
#include <umbel/log.h>

#include "auth_int.h"

enum { TIMEOUT_MS = 3000, ANSWER_MAX = 16 * 1024 };

struct um_act {
    struct um_auth *a;
    const char *action, *type;
    char *id, *user, *from, *request, *scope;
    json_t *detail;
    char *text;                           /* the fact, once it is told */
    void (*done)(void *arg);
    void *arg;
};

struct um_act *um_act_new(struct um_auth *a, const struct um_http_req *rq, const char *action, const char *type, const char *id)
{
    const struct um_asker *who = um_auth_asker(rq);
    struct um_act *act = um_xcalloc(1, sizeof(*act));

    act->a = a;
    act->action = action;
    act->type = type;
    act->id = um_xstrdup(id);
    act->scope = um_xstrdup("");
    act->user = um_xstrdup(who != NULL ? who->user : "");
    act->from = um_xstrdup(who != NULL ? who->address : um_http_peer(rq));
    act->request = um_xstrdup(um_http_request_id(rq));
    act->detail = json_pack("{s:s, s:s}", "from", act->from, "request", act->request);
    return act;
}

void um_act_scope(struct um_act *act, const char *scope)
{
    free(act->scope);
    act->scope = um_xstrdup(scope);
}

void um_act_note(struct um_act *act, const char *key, json_t *value) { json_object_set_new(act->detail, key, value); }

void um_act_drop(struct um_act *act)
{
    if (act == NULL)
        return;
    json_decref(act->detail);
    free(act->id);
    free(act->user);
    free(act->from);
    free(act->request);
    free(act->scope);
    free(act->text);
    free(act);
}

static void told(void *arg, um_err err, unsigned status, const char *retry_after, struct um_span body)
{
    struct um_act *act = arg;

    (void)retry_after;
    (void)body;
    if (err != UM_OK || status / 100 != 2)
        um_log(UM_ERROR, "audit", "a fact could not be stored", UM_S("fact", act->text), UM_I("status", status),
               UM_S("error", err != UM_OK ? um_err_text(err) : "the core refuses it"));
    act->done(act->arg);
    um_act_drop(act);
}

static void told_nobody(void *arg) { told(arg, UM_EUNAVAIL, 0, NULL, UM_SPAN(NULL, 0)); }

static um_err tell(struct um_act *act)
{
    struct um_buf token = { 0 };
    um_err err = auth_mint_gateway(act->a, act->from, &token);

    if (err == UM_OK) {
        struct um_exchange_header headers[] = {
            { "Content-Type", "application/json" }, { "Accept", "application/json" }, { "token", um_buf_cstr(&token) },
            { "X-Request-Id", act->request },
        };
        struct um_exchange_request ex = { .method = "POST", .target = "/core/rest/internal/audit", .headers = headers, .n = UM_COUNT(headers),
                                          .timeout_ms = TIMEOUT_MS };
        err = um_call_start(act->a->env.upstream, &ex, UM_SPAN_STR(act->text), ANSWER_MAX, told, act) != NULL ? UM_OK : UM_ENOMEM;
    }
    um_buf_free(&token);
    return err;
}

void um_act_done(struct um_act *act, void (*done)(void *arg), void *arg)
{
    json_t *fact = json_pack("{s:s, s:s, s:s, s:s, s:s, s:O}", "scope", act->scope, "user", act->user, "action", act->action, "objectType", act->type, "objectId", act->id,
                             "detail", act->detail);

    act->done = done;
    act->arg = arg;
    act->text = fact != NULL ? json_dumps(fact, JSON_COMPACT) : NULL;      /* an id may be no UTF-8: then the core refuses what is here */
    json_decref(fact);
    if (act->text == NULL)
        act->text = um_xstrdup("{}");
    um_log(UM_INFO, "audit", act->action, UM_S("user", act->user), UM_S("type", act->type), UM_S("id", act->id), UM_S("from", act->from));
    if (tell(act) != UM_OK)
        um_loop_call(act->a->env.loop, told_nobody, act);
}
