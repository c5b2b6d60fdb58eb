/* See registration.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "filter.h"
#include "internal.h"
#include "operations/by_rules.h"
#include "operations/registration.h"
#include "tags.h"

static const char *const phases[OPERATION_PHASES_N] = { "BEFORE", "AFTER" };
/* The vendor's names of what we do, by their ends. */
static const struct { const char *end, *ours; } aliases[] = {
    { ".FullTextOperationHandler", "fulltext" },
    { ".LoggingOperationHandler", "log" },
};

const char *operation_phase_word(enum operation_phase p) { return phases[p]; }

struct reading {
    const struct um_domain *d;
    const json_t *tags;
    struct registration *r;
    char *where, *why;                       /* 64 and RULES_WHY_MAX bytes */
};

static bool refuse_at(struct reading *in, const char *where, const char *why)
{
    snprintf(in->where, 64, "%s", where);
    snprintf(in->why, RULES_WHY_MAX, "%s", why);
    return false;
}

static bool refuse(struct reading *in, const char *tag, const char *why)
{
    char where[64];

    snprintf(where, sizeof(where), "/tags/%s", tag);
    return refuse_at(in, where, why);
}

/* NULL: it is absent or empty. */
static const char *value(const struct reading *in, const char *tag)
{
    const char *text = json_string_value(json_array_get(json_object_get(tags_find(in->tags, tag), "value"), 0));

    return text != NULL && *text != '\0' ? text : NULL;
}

static bool truth(const struct reading *in, const char *tag)
{
    const char *text = value(in, tag);

    return text != NULL && um_ascii_ieq(text, "true");
}

static bool read_word(struct reading *in, const char *tag, const char *const *words, size_t n, unsigned *out)
{
    const char *text = value(in, tag);
    char why[300];

    for (size_t i = 0; i < n; i++)
        if (text != NULL && strcmp(words[i], text) == 0) {
            *out = (unsigned)i;
            return true;
        }
    snprintf(why, sizeof(why), "%.100s is none of those that are known", text != NULL ? text : "(nothing)");
    return refuse(in, tag, why);
}

/* ---- the handler ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), k = strlen(end);

    return n > k && strcmp(text + n - k, end) == 0;
}

static const char *own_name(const char *handler)
{
    for (size_t i = 0; i < UM_COUNT(aliases); i++)
        if (ends_with(handler, aliases[i].end))
            return aliases[i].ours;
    return handler;
}

static const struct um_handler_kind *find_kind(const struct um_domain *d, const char *handler)
{
    if (strcmp(handler, operation_rules_kind.prefix) == 0)
        return &operation_rules_kind;
    for (size_t i = 0; i < d->n_handlers; i++) {
        const struct um_handler_kind *k = d->handlers[i];

        if (k->is_word ? strcmp(handler, k->prefix) == 0 : strncmp(handler, k->prefix, strlen(k->prefix)) == 0)
            return k;
    }
    return NULL;
}

static bool read_handler(struct reading *in)
{
    const char *name = value(in, "OperationHandler");
    char why[256] = "";

    if (name == NULL || strlen(name) > UM_HANDLER_NAME_MAX)
        return refuse(in, "OperationHandler", "a registration names its handler");
    in->r->handler = um_xstrdup(own_name(name));
    in->r->kind = find_kind(in->d, in->r->handler);
    if (in->r->kind == NULL)
        return refuse(in, "OperationHandler", "there is no such handler here");
    if (in->r->kind->check != NULL && !in->r->kind->check(in->r->kind->env, in->r->handler, why))
        return refuse(in, "OperationHandler", why);
    if (in->r->kind == &operation_rules_kind)
        return in->r->asynchronous ? refuse(in, "Asynchronous", "rules are applied at once") : true;
    if (!(in->r->asynchronous ? in->r->kind->is_async : in->r->kind->run != NULL))
        return refuse(in, "Asynchronous", in->r->asynchronous ? "this handler answers at once" : "this handler works asynchronously only");
    return true;
}

/* ---- the rest ---- */

/* Sent as it is, so it must not be more than one line. */
static bool read_authorization(struct reading *in)
{
    const char *text = value(in, "Authorization");

    if (text == NULL)
        return true;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return refuse(in, "Authorization", "no control characters");
    in->r->authorization = um_xstrdup(text);
    return true;
}

static bool read_order(struct reading *in)
{
    const char *text = value(in, "RegistrationOrder");
    char *end;

    if (text == NULL)
        return true;
    errno = 0;
    in->r->order = strtoll(text, &end, 10);
    return errno == 0 && *end == '\0' ? true : refuse(in, "RegistrationOrder", "an integer");
}

static bool read_filter(struct reading *in, const char *text)
{
    char why[200];

    if (text == NULL)
        return true;
    in->r->filter = filter_new(text, why);
    return in->r->filter != NULL ? true : refuse_at(in, "/files/request", why);
}

/* Something that is never reserved is told now. */
static bool read_reserves(struct reading *in)
{
    const char *wrong = NULL;

    in->r->reserves = truth(in, "ReserveComponentsAsynchronous");
    if (!in->r->reserves)
        return true;
    if (!in->r->asynchronous)
        wrong = "only asynchronous handlers reserve components";
    else if (!in->r->kind->may_reserve)
        wrong = "this handler reserves nothing: who does its jobs does";
    else if (!operation_is_component(in->r->object) || in->r->action == UM_ACTION_SEARCH || in->r->action == UM_ACTION_DELETE)
        wrong = "with this action there is no component to reserve";
    return wrong == NULL ? true : refuse(in, "ReserveComponentsAsynchronous", wrong);
}

static bool read_rules(struct reading *in, const char *text)
{
    char why[RULES_WHY_MAX];

    if (in->r->kind != &operation_rules_kind)
        return true;
    if (in->r->phase != OPERATION_BEFORE)
        return refuse(in, "ExecutionPhase", "rules are applied BEFORE; what they make comes after");
    if (text == NULL)
        return refuse_at(in, "/files", "rules are in a file of the document, whose name is rules");
    in->r->rules = rules_new(text, why);
    return in->r->rules != NULL && operation_rules_suit(in->r->rules, in->r, why) ? true : refuse_at(in, "/files/rules", why);
}

static bool read_all(struct reading *in, const char *const texts[])
{
    struct registration *r = in->r;
    const char *action = value(in, "Action");
    unsigned phase = 0, what = UM_ACTION_VERSION;
    bool promotes = action != NULL && strcmp(action, "PROMOTE") == 0;          /* another word for VERSION */

    r->asynchronous = truth(in, "Asynchronous");
    r->enabled = truth(in, "Enabled");
    r->stop = truth(in, "StopOnException");
    r->inject_token = truth(in, "InjectToken");
    if (!read_handler(in) || !read_word(in, "ExecutionPhase", phases, UM_COUNT(phases), &phase) ||
        (!promotes && !read_word(in, "Action", operation_action_words, UM_ALL_ACTIONS_N, &what)) ||
        !read_word(in, "ObjectType", operation_object_words, OPERATION_OBJECTS_N, &r->object))
        return false;
    r->phase = (enum operation_phase)phase;
    r->action = (enum um_action)what;
    if (!operation_happens(r->action, r->object))
        return refuse(in, "Action", "this is never done with objects of this type");
    return read_reserves(in) && read_order(in) && read_authorization(in) && read_filter(in, texts[REGISTRATION_REQUEST]) && read_rules(in, texts[REGISTRATION_RULES]);
}

bool registration_has_rules(const json_t *body)
{
    struct reading in = { .tags = json_object_get(body, "tags") };
    const char *name = value(&in, "OperationHandler");

    return name != NULL && strcmp(name, operation_rules_kind.prefix) == 0;
}

bool registration_new(const struct um_domain *d, const json_t *body, const char *const texts[REGISTRATION_TEXTS_N],
                      struct registration **out, char where[64], char why[RULES_WHY_MAX])
{
    struct registration *r = um_xcalloc(1, sizeof(*r));
    struct reading in = { d, json_object_get(body, "tags"), r, where, why };

    *out = r;
    r->id = um_xstrdup(um_body_id(body) != NULL ? um_body_id(body) : "");
    if (read_all(&in, texts))
        return true;
    registration_free(r);
    *out = NULL;
    return false;
}

void registration_free(struct registration *r)
{
    if (r == NULL)
        return;
    free(r->id);
    free(r->handler);
    free(r->authorization);
    filter_free(r->filter);
    rules_free(r->rules);
    free(r);
}
