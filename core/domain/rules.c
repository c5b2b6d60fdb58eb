/* See rules.h: the text becomes a list of actions behind filters. All that can be wrong without a component is told here. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include <umbel/yaml.h>
#include "rules_int.h"

enum { NAME_MAX_BYTES = 200, FACT_ACTION_MAX = 50 };

struct reader { size_t rule, action; const char *word; char *why; };       /* counted from 1; 0, NULL: none */

static bool wrong(const struct reader *r, const char *fmt, ...) UM_PRINTF(2, 3);
static bool wrong(const struct reader *r, const char *fmt, ...)
{
    size_t n = 0;
    va_list args;

    if (r->rule > 0)
        n += (size_t)snprintf(r->why + n, RULES_WHY_MAX - n, "rule %zu", r->rule);
    if (r->action > 0)
        n += (size_t)snprintf(r->why + n, RULES_WHY_MAX - n, ", action %zu", r->action);
    if (r->word != NULL)
        n += (size_t)snprintf(r->why + n, RULES_WHY_MAX - n, ", %s", r->word);
    if (n > 0)
        n += (size_t)snprintf(r->why + n, RULES_WHY_MAX - n, ": ");
    va_start(args, fmt);
    vsnprintf(r->why + n, RULES_WHY_MAX - n, fmt, args);
    va_end(args);
    return false;
}

/* ---- members ---- */

static bool only(const struct reader *r, const json_t *o, const char *const known[])
{
    const char *name;
    json_t *v;

    json_object_foreach((json_t *)o, name, v) {
        size_t i = 0;
        while (known[i] != NULL && strcmp(known[i], name) != 0)
            i++;
        if (known[i] == NULL)
            return wrong(r, "%.60s is not known here", name);
    }
    return true;
}

static bool is_text_of(const json_t *v, size_t max)
{
    return json_is_string(v) && json_string_length(v) > 0 && json_string_length(v) <= max;
}

static bool text_member(const struct reader *r, const json_t *o, const char *member, size_t max, bool needed)
{
    const json_t *v = json_object_get(o, member);

    if ((v == NULL && !needed) || is_text_of(v, max))
        return true;
    return wrong(r, "%s is a text of at most %zu bytes", member, max);
}

/* ---- arguments ---- */

static bool check_text(const struct reader *r, const json_t *arg)
{
    return is_text_of(arg, RULES_TEMPLATE_MAX) ? true : wrong(r, "a text of at most %d bytes is needed", RULES_TEMPLATE_MAX);
}

static bool check_id(const struct reader *r, const json_t *arg)
{
    return is_text_of(arg, NAME_MAX_BYTES) ? true : wrong(r, "an id is needed");
}

static bool check_value(const struct reader *r, const char *tag, const json_t *v)
{
    if (json_is_integer(v) || json_is_boolean(v) || (json_is_string(v) && json_string_length(v) <= RULES_TEMPLATE_MAX))
        return true;
    return wrong(r, "a value of %.60s is a text of at most %d bytes%s", tag, RULES_TEMPLATE_MAX, json_is_real(v) ? ": put it in quotes" : "");
}

static bool check_values(const struct reader *r, const char *tag, const json_t *v)
{
    if (!json_is_array(v))
        return check_value(r, tag, v);
    if (json_array_size(v) > RULES_VALUES_MAX)
        return wrong(r, "%.60s has at most %d values", tag, RULES_VALUES_MAX);
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!check_value(r, tag, json_array_get(v, i)))
            return false;
    return true;
}

/* {name: value or values} */
static bool check_tags(const struct reader *r, const json_t *arg)
{
    const char *name;
    json_t *v;

    if (!json_is_object(arg) || json_object_size(arg) == 0 || json_object_size(arg) > RULES_TAGS_MAX)
        return wrong(r, "a map from names of tags to their values is needed, at most %d", RULES_TAGS_MAX);
    json_object_foreach((json_t *)arg, name, v) {
        if (*name == '\0' || strlen(name) > NAME_MAX_BYTES)
            return wrong(r, "the name of a tag has 1 to %d bytes", NAME_MAX_BYTES);
        if (!check_values(r, name, v))
            return false;
    }
    return true;
}

static bool check_fact(const struct reader *r, const json_t *arg)
{
    static const char *const known[] = { "action", "description", NULL };

    if (!json_is_object(arg))
        return wrong(r, "a map with action and description is needed");
    return only(r, arg, known) && text_member(r, arg, "action", FACT_ACTION_MAX, true) &&
           text_member(r, arg, "description", RULES_TEMPLATE_MAX, false);
}

static bool check_task(const struct reader *r, const json_t *arg)
{
    static const char *const known[] = { "classId", "name", "assignee", "workflow", "status", "ACL", "tags", "attachTo", NULL };
    static const char *const ids[] = { "assignee", "workflow", "ACL", "attachTo" }, *const texts[] = { "name", "status" };
    const json_t *tags = json_object_get(arg, "tags");
    bool ok;

    if (!json_is_object(arg))
        return wrong(r, "a map with classId is needed");
    ok = only(r, arg, known) && text_member(r, arg, "classId", NAME_MAX_BYTES, true);
    for (size_t i = 0; ok && i < UM_COUNT(ids); i++)
        ok = text_member(r, arg, ids[i], NAME_MAX_BYTES, false);
    for (size_t i = 0; ok && i < UM_COUNT(texts); i++)
        ok = text_member(r, arg, texts[i], RULES_TEMPLATE_MAX, false);
    return ok && (tags == NULL || check_tags(r, tags));
}

static const struct { const char *word; bool (*check)(const struct reader *r, const json_t *arg); } actions[RULE_ACTIONS_N] = {
#define X(id, word, form) { word, check_##form },
    RULES_ACTIONS(X)
#undef X
};

/* ---- rules ---- */

static bool read_action(struct reader *r, const json_t *v, struct rule_action *out)
{
    const char *word = json_object_iter_key(json_object_iter((json_t *)v));

    if (!json_is_object(v) || json_object_size(v) != 1)
        return wrong(r, "an action is a map with one member");
    for (size_t i = 0; i < RULE_ACTIONS_N; i++)
        if (strcmp(actions[i].word, word) == 0) {
            *out = (struct rule_action){ (enum rule_action_kind)i, json_object_get(v, word) };
            r->word = actions[i].word;
            return actions[i].check(r, out->arg);
        }
    return wrong(r, "%.60s is none of setTag, addTag, setClass, setStatus, setACL, createFact, createTask, refuse", word);
}

/* A clause of a search, or a search. */
static bool read_when(const struct reader *r, const json_t *when, struct filter **out)
{
    char why[FILTER_WHY_MAX];
    json_t *request;

    if (when == NULL || json_is_null(when))
        return true;
    request = json_pack("{s:[O]}", "filterClauses", when);
    *out = filter_new_json(request, why);
    json_decref(request);
    return *out != NULL ? true : wrong(r, "when%s", why + (strncmp(why, "/filterClauses/0", 16) == 0 ? 16 : 0));
}

static bool read_rule(struct reader *r, const json_t *v, struct rule *out)
{
    static const char *const known[] = { "name", "when", "do", "last", NULL };
    const json_t *list = json_object_get(v, "do"), *last = json_object_get(v, "last");

    if (!json_is_object(v))
        return wrong(r, "a rule is a map");
    if (!only(r, v, known) || !text_member(r, v, "name", NAME_MAX_BYTES, false) || !read_when(r, json_object_get(v, "when"), &out->filter))
        return false;
    if (last != NULL && !json_is_boolean(last))
        return wrong(r, "last is true or false");
    out->is_last = json_is_true(last);
    if (!json_is_array(list) || json_array_size(list) == 0 || json_array_size(list) > RULES_ACTIONS_MAX)
        return wrong(r, "do is a list of 1 to %d actions", RULES_ACTIONS_MAX);
    out->actions = um_xcalloc(json_array_size(list), sizeof(*out->actions));
    for (size_t i = 0; i < json_array_size(list); i++, out->n_actions++) {
        r->action = i + 1;
        r->word = NULL;
        if (!read_action(r, json_array_get(list, i), &out->actions[i]))
            return false;
    }
    return true;
}

static bool read_rules(struct reader *r, struct rules *out)
{
    static const char *const known[] = { "rules", NULL };
    const json_t *list = json_is_object(out->text) ? json_object_get(out->text, "rules") : out->text;

    if (json_is_object(out->text) && !only(r, out->text, known))
        return false;
    if (!json_is_array(list) || json_array_size(list) > RULES_MAX)
        return wrong(r, "a list of at most %d rules is needed", RULES_MAX);
    out->list = um_xcalloc(json_array_size(list) + 1, sizeof(*out->list));
    for (size_t i = 0; i < json_array_size(list); i++) {
        r->rule = i + 1;
        r->action = 0;
        r->word = NULL;
        out->n = i + 1;
        if (!read_rule(r, json_array_get(list, i), &out->list[i]))
            return false;
    }
    return true;
}

/* ---- text ---- */

static json_t *read_yaml(const char *text, char why[RULES_WHY_MAX])
{
    struct um_model_error *e = um_xcalloc(1, sizeof(*e));
    struct um_yaml *y = NULL;
    json_t *value = NULL;

    if (um_yaml_read(UM_SPAN_STR(text), "", &y, e) != UM_OK)
        snprintf(why, RULES_WHY_MAX, "line %u: %.300s", e->at.line, e->what);
    else if (um_yaml_documents(y) != 1)
        snprintf(why, RULES_WHY_MAX, "one document is needed");
    else
        value = json_incref(um_yaml_peek(y, 0));
    um_yaml_free(y);
    free(e);
    return value;
}

/* JSON is YAML, but not all of it is to a YAML 1.1 library. */
static json_t *read_text(const char *text, char why[RULES_WHY_MAX])
{
    json_t *value;

    if (strlen(text) > RULES_TEXT_MAX) {
        snprintf(why, RULES_WHY_MAX, "at most %d KB", RULES_TEXT_MAX >> 10);
        return NULL;
    }
    value = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    return value != NULL ? value : read_yaml(text, why);
}

struct rules *rules_new(const char *text, char why[RULES_WHY_MAX])
{
    struct reader r = { .why = why };
    json_t *value = read_text(text, why);
    struct rules *out;

    if (value == NULL)
        return NULL;
    out = um_xcalloc(1, sizeof(*out));
    out->text = value;
    if (read_rules(&r, out))
        return out;
    rules_free(out);
    return NULL;
}

void rules_free(struct rules *r)
{
    if (r == NULL)
        return;
    for (size_t i = 0; i < r->n; i++) {
        filter_free(r->list[i].filter);
        free(r->list[i].actions);
    }
    free(r->list);
    json_decref(r->text);
    free(r);
}

size_t rules_count(const struct rules *r) { return r->n; }

unsigned rules_uses(const struct rules *r)
{
    unsigned uses = 0;

    for (size_t i = 0; i < r->n; i++)
        for (size_t k = 0; k < r->list[i].n_actions; k++) {
            enum rule_action_kind kind = r->list[i].actions[k].kind;

            uses |= kind == RULE_REFUSE ? RULES_REFUSE : kind == RULE_CREATE_FACT || kind == RULE_CREATE_TASK ? RULES_MAKE : RULES_CHANGE;
        }
    return uses;
}
