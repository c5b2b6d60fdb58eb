/* /core/rest/admin/drain, /loggers, /config: what administrators do to members, and read of them. */
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "admin.h"

/* The member of the query or the body; without one this core. */
static const char *member_or_self(struct um_rest *r, const char *member)
{
    int64_t since;

    return member != NULL ? member : um_cluster_self(r->deps.cluster, &since);
}

/* ---- draining ---- */

static void drained(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    if (act_was_refused(a, answers, n))
        return;
    act_note(a, "before", json_incref(json_object_get(answers[0].body, "before")));
    act_note(a, "after", json_incref(json_object_get(answers[0].body, "after")));
    act_done(a, 200, json_pack("{s:s, s:O}", "member", answers[0].member, "draining", json_object_get(answers[0].body, "after")));
}

void admin_drain(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    const char *member;
    struct act *a;

    if (body == NULL)
        return;
    member = member_or_self(r, json_string_value(json_object_get(body, "member")));
    a = act_new(rq, r, "DRAIN", "MEMBER", member);
    act_ask(a, (struct um_ask_question){ .topic = UM_NODE_DRAIN, .member = member, .wait_ms = ADMIN_WAIT_MS },
            json_pack("{s:O, s:s}", "draining", json_object_get(body, "draining"), "by", act_user(a)), drained);
    json_decref(body);
}

/* ---- levels ---- */

static void reply_loggers(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    json_t *members = json_object();

    (void)arg;
    (void)r;
    for (size_t i = 0; i < n; i++)
        if (answers[i].state == UM_ASK_ANSWERED)
            json_object_set(members, answers[i].member, json_object_get(answers[i].body, "loggers"));
    um_http_add_header(rq, "Cache-Control", "no-store");
    um_http_reply_json(rq, 200, json_pack("{s:[s,s,s,s,s,s], s:o, s:o}", "levels", "OFF", "ERROR", "WARN", "INFO", "DEBUG", "TRACE",
                                          "loggers", members, "members", admin_members_json(answers, n)));
}

void admin_loggers_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    admin_ask(rq, r, (struct um_ask_question){ .topic = UM_NODE_LOGGERS, .member = um_api_text(r->api, rq, "member"), .wait_ms = ADMIN_WAIT_MS },
              NULL, reply_loggers, NULL);
}

/* Each for itself: one that does not answer keeps what it has. */
static void level_set(struct act *a, const struct um_ask_answer *answers, size_t n)
{
    json_t *before = json_object(), *members = admin_members_json(answers, n);

    if (n == 0) {
        json_decref(before);
        json_decref(members);
        act_failed(a, 404, "U00404", "there is no such member");
        return;
    }
    for (size_t i = 0; i < n; i++)
        if (answers[i].state == UM_ASK_ANSWERED)
            json_object_set(before, answers[i].member, json_object_get(answers[i].body, "before"));
    act_note(a, "before", before);
    act_done(a, 200, json_pack("{s:o}", "members", members));
}

void admin_loggers_set(struct um_http_req *rq, void *ctx)
{
    const char *name = um_http_param(rq, "name"), *level;
    struct um_rest *r = ctx;
    json_t *body = um_api_body(r->api, rq);
    struct act *a;

    if (body == NULL)
        return;
    level = json_string_value(json_object_get(body, "level"));
    a = act_new(rq, r, "LOG_LEVEL", "LOGGER", name);
    act_note(a, "after", level != NULL ? json_string(level) : json_null());
    act_ask(a, (struct um_ask_question){ .topic = UM_NODE_LOGGER, .member = json_string_value(json_object_get(body, "member")),
                                         .wait_ms = ADMIN_WAIT_MS },
            json_pack("{s:s, s:s?}", "name", name, "level", level), level_set);
    json_decref(body);
}

/* ---- configuration ---- */

static void reply_config(void *arg, struct um_rest *r, struct um_http_req *rq, const struct um_ask_answer *answers, size_t n)
{
    (void)arg;
    (void)r;
    if (n == 0) {
        um_http_reply_error(rq, 404, "U00404", "there is no such member");
    } else if (answers[0].state != UM_ASK_ANSWERED) {
        um_http_reply_error(rq, 503, "U00503", "the member does not answer");
    } else {
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply_json(rq, 200, json_pack("{s:s, s:O}", "member", answers[0].member, "results", json_object_get(answers[0].body, "rows")));
    }
}

void admin_config_list(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;

    admin_ask(rq, r, (struct um_ask_question){ .topic = UM_NODE_CONFIG, .member = member_or_self(r, um_api_text(r->api, rq, "member")),
                                               .wait_ms = ADMIN_WAIT_MS },
              json_pack("{s:s?}", "contains", um_api_text(r->api, rq, "contains")), reply_config, NULL);
}
