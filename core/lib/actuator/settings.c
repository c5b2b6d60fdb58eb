/* env and configprops: what is set where, and what is in force. Values are ****** unless management.endpoint.env.show-values
 * allows them; secrets always are. */
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

#define MASK "******"

struct telling {
    json_t *list;                             /* propertySources, or beans */
    bool shows;
    const char *name;                         /* this one alone; NULL: all */
    json_t *winner;
};

static json_t *shown(const struct telling *t, const char *value)
{
    json_t *text = json_string(t->shows ? value : MASK);

    return text != NULL ? text : json_string("(no UTF-8)");
}

static json_t *source_of(struct telling *t, const char *name)
{
    json_t *last = json_array_size(t->list) > 0 ? json_array_get(t->list, json_array_size(t->list) - 1) : NULL;

    if (last == NULL || strcmp(json_string_value(json_object_get(last, "name")), name) != 0) {
        last = json_pack("{s:s, s:{}}", "name", name, "properties");
        json_array_append_new(t->list, last);
    }
    return json_object_get(last, "properties");
}

static void add_property(void *arg, const struct um_conf_seen *s)
{
    struct telling *t = arg;

    json_object_set_new(source_of(t, s->source), s->name, json_pack("{s:o, s:s}", "value", shown(t, s->value), "origin", s->origin));
}

/* Everything but what is only there to be seen by other programs: the variables that set nothing of ours are not told. */
void um_actuator_env(const struct um_actuator *a, struct um_http_req *rq)
{
    struct telling t = { .list = json_array(), .shows = actuator_shows(a, rq, a->s.conf->show_values) };
    struct um_conf_list profiles = { 0 };
    json_t *active = json_array();

    if (!um_actuator_exposes(a, rq, "env")) {
        json_decref(t.list);
        json_decref(active);
        return;
    }
    if (a->s.settings != NULL) {
        um_conf_each_source(a->s.settings, add_property, &t);
        profiles = um_conf_profiles(a->s.settings);
    }
    for (size_t i = 0; i < profiles.n; i++)
        if (strcmp(profiles.items[i], "default") != 0)
            json_array_append_new(active, json_string(profiles.items[i]));
    um_actuator_reply(a, rq, 200, json_pack("{s:o, s:[s], s:o}", "activeProfiles", active, "defaultProfiles", "default", "propertySources", t.list));
}

static void add_named(void *arg, const struct um_conf_seen *s)
{
    struct telling *t = arg;

    if (strcmp(s->name, t->name) != 0)
        return;
    json_array_append_new(t->list, json_pack("{s:s, s:{s:o, s:s}}", "name", s->source, "property", "value", shown(t, s->value), "origin",
                                             s->origin));
    if (s->wins && t->winner == NULL)
        t->winner = json_pack("{s:s, s:o}", "source", s->source, "value", shown(t, s->value));
}

void um_actuator_env_one(const struct um_actuator *a, struct um_http_req *rq, const char *name)
{
    struct telling t = { .list = json_array(), .shows = actuator_shows(a, rq, a->s.conf->show_values), .name = name };

    if (!um_actuator_exposes(a, rq, "env")) {
        json_decref(t.list);
        return;
    }
    if (a->s.settings != NULL)
        um_conf_each_source(a->s.settings, add_named, &t);
    if (json_array_size(t.list) == 0) {
        json_decref(t.list);
        actuator_not_there(rq, "nothing sets this property");
        return;
    }
    um_actuator_reply(a, rq, 200, json_pack("{s:o?, s:[], s:[s], s:o}", "property", t.winner, "activeProfiles", "defaultProfiles", "default",
                                         "propertySources", t.list));
}

static void add_bean(void *arg, const struct um_conf_seen *s)
{
    struct telling *t = arg;
    json_t *bean = json_object_get(t->list, s->source);

    if (bean == NULL) {
        bean = json_pack("{s:s, s:{}, s:{}}", "prefix", "", "properties", "inputs");
        json_object_set_new(t->list, s->source, bean);
    }
    json_object_set_new(json_object_get(bean, "properties"), s->name, shown(t, s->value));
    json_object_set_new(json_object_get(bean, "inputs"), s->name, json_pack("{s:o, s:s}", "value", shown(t, s->value), "origin", s->origin));
}

void um_actuator_configprops(const struct um_actuator *a, struct um_http_req *rq)
{
    struct telling t = { .list = json_object(), .shows = actuator_shows(a, rq, a->s.conf->show_values) };

    if (!um_actuator_exposes(a, rq, "configprops")) {
        json_decref(t.list);
        return;
    }
    if (a->s.settings != NULL)
        um_conf_each_row(a->s.settings, add_bean, &t);
    um_actuator_reply(a, rq, 200, json_pack("{s:{s:{s:o}}}", "contexts", a->s.app, "beans", t.list));
}
