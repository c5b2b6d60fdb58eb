/* See by_rules.h. */
#include <stdio.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "body.h"
#include "draft.h"
#include "fact_row.h"
#include "operations/by_rules.h"
#include "operations/chain.h"
#include "operations/context.h"
#include "operations/counters.h"
#include "operations/replace.h"
#include "rules.h"

enum { DESCRIPTION_MAX = 4000 };             /* bytes of a fact's */

const struct um_handler_kind operation_rules_kind = { .prefix = "rules", .is_word = true };

bool operation_rules_suit(const struct rules *rules, const struct registration *r, char why[300])
{
    unsigned uses = rules_uses(rules);
    const char *wrong = NULL;

    if ((uses & RULES_REFUSE) != 0 && !r->stop)
        wrong = "rules that refuse need StopOnException";
    else if ((uses & RULES_CHANGE) != 0 && (r->action == UM_ACTION_SEARCH || !operation_is_replaceable(r->action, r->object)))
        wrong = "rules change nothing with this action";
    else if ((uses & RULES_MAKE) != 0 && (operation_only_reads(r->action) || !operation_is_component(r->object)))
        wrong = "rules make nothing with this action";
    snprintf(why, 300, "%s", wrong != NULL ? wrong : "");
    return wrong == NULL;
}

/* ---- before ---- */

static um_err failed(struct um_call *c, const struct registration *r, const struct rules_outcome *out)
{
    if (r->stop)
        return operation_refuse(c, r, out->code, out->message);
    operation_count(OPERATION_FAILED);
    um_log_limited(UM_WARN, "operation", "a handler failed", UM_S("registration", r->id), UM_S("code", out->code),
                   UM_S("message", out->message));
    return UM_OK;
}

static void note(struct um_call *c, struct operation *o, const struct registration *r, const struct rules_outcome *out)
{
    if (out->facts != NULL || out->tasks != NULL)
        json_array_append_new(chain_made(c->chain, &o->made), json_pack("{s:s, s:O*, s:O*}", "registration", r->id, "facts", out->facts,
                                                                        "tasks", out->tasks));
}

um_err operation_apply_rules(struct um_call *c, struct operation *o, const struct registration *r, const struct filter_subject *s,
                             json_t **image)
{
    int64_t began_us = um_now_us();
    struct rules_outcome out;
    json_t *reply = NULL;
    um_err err = UM_OK;

    rules_apply(r->rules, s, c->now_ms, &out);
    operation_timed(&(struct operation_timing){ operation_object_words[o->object], operation_action_words[o->action],
                                                operation_phase_word(r->phase), r->id, c->scope, out.code, um_now_us() - began_us });
    if (out.code != NULL) {
        err = failed(c, r, &out);
    } else {
        if (out.component != NULL)
            err = operation_replace(c, o, r, reply = json_pack("{s:O}", "component", out.component), image);
        note(c, o, r, &out);
    }
    json_decref(reply);
    rules_outcome_done(&out);
    return err;
}

/* ---- after ---- */

/* What was refused was not asked for by the caller. */
static um_err blame(struct um_call *c, const char *registration, const char *what)
{
    struct um_domain_answer answer = { 0 };
    char message[500];

    outcome_answer(c->outcome, &answer);
    snprintf(message, sizeof(message), "the rules of %.100s make %s that cannot be%s%.300s", registration, what,
             answer.problem != NULL ? ": " : "", answer.problem != NULL ? answer.problem->message : "");
    return um_fail_as(c, "T00000", 500, message);
}

static um_err make_fact(struct um_call *c, const struct operation *o, const json_t *image, const char *registration, const json_t *fact)
{
    const char *description = json_string_value(json_object_get(fact, "description"));

    if (description != NULL && strlen(description) > DESCRIPTION_MAX)
        return blame(c, registration, "a fact");
    return fact_insert(c, operation_object_words[o->object], um_body_id(image), json_string_value(json_object_get(fact, "action")), false,
                       description != NULL ? description : "", "[]", NULL);
}

static um_err make_task(struct um_call *c, const char *registration, const json_t *task)
{
    struct draft d = { .category = UM_CATEGORY_TASK, .asked = task, .id = chain_make_id(c->chain) };
    struct component m = { .category = UM_CATEGORY_TASK };
    um_err err;

    c->by_rules = true;
    err = draft_make(c, &d);
    c->by_rules = false;
    if (err == UM_OK) {
        m.body = um_body_next(c, d.body, NULL);
        err = component_insert(c, &m, "");
    }
    json_decref(d.body);
    component_done(&m);
    return err == UM_EINVAL && outcome_has_problem(c->outcome) ? blame(c, registration, "a task") : err;
}

static um_err make_all(struct um_call *c, const struct operation *o, const json_t *image, const json_t *of)
{
    const char *registration = json_string_value(json_object_get(of, "registration"));
    const json_t *facts = json_object_get(of, "facts"), *tasks = json_object_get(of, "tasks");
    um_err err = UM_OK;

    for (size_t i = 0; i < json_array_size(facts) && err == UM_OK; i++)
        err = make_fact(c, o, image, registration, json_array_get(facts, i));
    for (size_t i = 0; i < json_array_size(tasks) && err == UM_OK; i++)
        err = make_task(c, registration, json_array_get(tasks, i));
    return err;
}

um_err operation_make(struct um_call *c, const struct operation *o, const json_t *image)
{
    size_t which = o->made;
    const json_t *all = which != 0 ? chain_made(c->chain, &which) : NULL;
    um_err err = UM_OK;

    c->depth++;
    for (size_t i = 0; i < json_array_size(all) && err == UM_OK; i++)
        err = make_all(c, o, image, json_array_get(all, i));
    c->depth--;
    return err;
}
