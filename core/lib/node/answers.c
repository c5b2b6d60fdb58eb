/* What every member answers and does for an administrator, of either kind: the log's levels, its configuration, draining. What is
 * asked has been checked by who asks, but comes over Redis: it is looked at again. */
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "node_int.h"

/* ---- levels ---- */

static json_t *level_json(int level)
{
    return level == UM_LEVEL_NONE ? json_null() : json_string(um_log_level_text((enum um_level)level));
}

static void add_logger(void *arg, const char *category, int own)
{
    json_object_set_new(arg, category, json_pack("{s:o, s:s}", "configuredLevel", level_json(own), "effectiveLevel",
                                                 um_log_level_text(um_log_level_of(category))));
}

json_t *um_node_loggers_json(void)
{
    const char *root = um_log_level_text(um_log_level_of(NULL));
    json_t *all = json_object();

    um_log_each(add_logger, all);
    json_object_set_new(all, "ROOT", json_pack("{s:s, s:s}", "configuredLevel", root, "effectiveLevel", root));
    return all;
}

static void loggers(void *arg, struct um_asked *q, const json_t *body)
{
    (void)arg;
    (void)body;
    um_ask_answer(q, json_pack("{s:o}", "loggers", um_node_loggers_json()));
}

bool um_node_set_logger(const char *name, const char *level)
{
    const char *category = um_ascii_ieq(name, "ROOT") ? NULL : name;
    enum um_level l;

    if (strlen(name) > UM_NODE_LOGGER_MAX || (level != NULL && !um_log_parse_level(level, &l)))
        return false;
    if (level != NULL)
        um_log_set_level(category, l);
    else
        um_log_clear_level(category);
    return true;
}

static void set_logger(void *arg, struct um_asked *q, const json_t *body)
{
    const char *name = json_string_value(json_object_get(body, "name")), *level = json_string_value(json_object_get(body, "level"));
    const char *before;

    (void)arg;
    if (name == NULL) {
        um_ask_fail(q, "there is no name");
        return;
    }
    before = um_log_level_text(um_log_level_of(um_ascii_ieq(name, "ROOT") ? NULL : name));
    if (!um_node_set_logger(name, level))
        um_ask_fail(q, "there is no such level");
    else
        um_ask_answer(q, json_pack("{s:s, s:s}", "before", before, "after",
                                   um_log_level_text(um_log_level_of(um_ascii_ieq(name, "ROOT") ? NULL : name))));
}

/* ---- configuration ---- */

struct config { json_t *rows; const char *contains; };

static void add_row(void *arg, const struct um_conf_seen *s)
{
    struct config *c = arg;
    json_t *row;

    if (c->contains != NULL && strcasestr(s->name, c->contains) == NULL)
        return;
    row = json_pack("{s:s, s:s, s:s, s:s}", "name", s->name, "value", s->value, "origin", s->origin, "group", s->source);
    json_array_append_new(c->rows, row != NULL ? row : json_pack("{s:s, s:s, s:s, s:s}", "name", s->name, "value", "(no UTF-8)",
                                                                 "origin", s->origin, "group", s->source));
}

static void config(void *arg, struct um_asked *q, const json_t *body)
{
    struct um_node *n = arg;
    struct config c = { json_array(), json_string_value(json_object_get(body, "contains")) };

    if (n->setup.conf != NULL)
        um_conf_each_row(n->setup.conf, add_row, &c);
    um_ask_answer(q, json_pack("{s:o}", "rows", c.rows));
}

/* ---- draining ---- */

bool um_node_set_draining(struct um_node *n, bool draining)
{
    if (atomic_load(&n->ending) && !draining)
        return false;                         /* it stops: nothing brings it back */
    if (n->setup.on_drain != NULL)
        n->setup.on_drain(n->setup.arg, draining);
    um_cluster_set_draining(n->cluster, draining);
    return true;
}

static void drain(void *arg, struct um_asked *q, const json_t *body)
{
    const json_t *want = json_object_get(body, "draining");
    struct um_node *n = arg;
    bool before = n->is_draining;

    if (!json_is_boolean(want)) {
        um_ask_fail(q, "draining is true or false");
    } else if (!um_node_set_draining(n, json_is_true(want))) {
        um_ask_fail(q, "it is being stopped");
    } else {
        n->is_draining = json_is_true(want);
        um_log(UM_WARN, "node", n->is_draining ? "draining" : "serving again", UM_S("by", json_string_value(json_object_get(body, "by"))));
        um_ask_answer(q, json_pack("{s:b, s:b}", "before", (int)before, "after", (int)n->is_draining));
    }
}

void answers_serve(struct um_node *n)
{
    um_ask_serve(n->ask, UM_NODE_LOGGERS, loggers, n);
    um_ask_serve(n->ask, UM_NODE_LOGGER, set_logger, n);
    um_ask_serve(n->ask, UM_NODE_CONFIG, config, n);
    um_ask_serve(n->ask, UM_NODE_DRAIN, drain, n);
}
