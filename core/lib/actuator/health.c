/* Health: components, the worst of which is the whole, or the group's. */
#include <string.h>
#include <umbel/util.h>
#include "internal.h"

const char *um_health_text(enum um_health h)
{
    static const char *const texts[UM_HEALTH_N] = { "DOWN", "OUT_OF_SERVICE", "UP", "UNKNOWN" };

    return texts[h];
}

static bool is_there(const struct um_actuator *a, const struct um_actuator_component *c)
{
    return c->is_there == NULL || c->is_there(a->s.arg);
}

/* G NULL: all. */
static bool is_in(const struct um_actuator *a, const struct group *g, const struct um_actuator_component *c)
{
    return is_there(a, c) && (g == NULL || group_has(g, c->name));
}

static enum um_health worst_of(const struct um_actuator *a, const struct group *g)
{
    enum um_health worst = UM_HEALTH_UP;

    for (size_t i = 0; i < a->s.n_components; i++)
        if (is_in(a, g, &a->s.components[i]))
            worst = UM_MIN(worst, a->s.components[i].judge(a->s.arg));
    return worst;
}

static unsigned code_of(enum um_health h) { return h <= UM_HEALTH_OUT_OF_SERVICE ? 503 : 200; }
static json_t *state_json(enum um_health h) { return json_pack("{s:s}", "status", um_health_text(h)); }

static json_t *component_json(const struct um_actuator *a, const struct um_actuator_component *c, bool detailed)
{
    json_t *o = state_json(c->judge(a->s.arg));

    if (detailed && c->details != NULL)
        json_object_set_new(o, "details", c->details(a->s.arg));
    return o;
}

/* ---- who sees what ---- */

static bool shows_details(const struct um_actuator *a, const struct um_http_req *rq, const struct group *g)
{
    return actuator_shows(a, rq, g != NULL && g->show_details >= 0 ? g->show_details : a->s.conf->show_details);
}

static bool shows_components(const struct um_actuator *a, const struct um_http_req *rq, const struct group *g)
{
    int show = a->s.conf->show_components;

    if (g != NULL && g->show_components >= 0)
        show = g->show_components;
    else if (g != NULL && g->show_details >= 0)
        show = g->show_details;
    else if (show < 0)
        show = g == NULL && a->s.open_components ? UM_ACTUATOR_ALWAYS : a->s.conf->show_details;
    return actuator_shows(a, rq, show);
}

/* ---- replies ---- */

static json_t *names_json(const struct um_actuator *a)
{
    json_t *names = json_array();

    for (size_t i = 0; i < a->n_groups; i++)
        json_array_append_new(names, json_string(a->groups[i].name));
    return names;
}

static void reply_group(const struct um_actuator *a, struct um_http_req *rq, const struct group *g)
{
    bool detailed = shows_details(a, rq, g);
    enum um_health worst = worst_of(a, g);
    json_t *body = state_json(worst), *parts;

    if (shows_components(a, rq, g)) {
        parts = json_object();
        for (size_t i = 0; i < a->s.n_components; i++)
            if (is_in(a, g, &a->s.components[i]))
                json_object_set_new(parts, a->s.components[i].name, component_json(a, &a->s.components[i], detailed));
        json_object_set_new(body, "components", parts);
    }
    if (g == NULL)
        json_object_set_new(body, "groups", names_json(a));
    um_actuator_reply(a, rq, code_of(worst), body);
}

/* Of a group without a word of its own, what the whole shows. */
static bool shows_component(const struct um_actuator *a, const struct um_http_req *rq, const struct group *g)
{
    bool has_word = g != NULL && (g->show_components >= 0 || g->show_details >= 0);

    return shows_components(a, rq, has_word ? g : NULL);
}

static void reply_component(const struct um_actuator *a, struct um_http_req *rq, const struct group *g, const char *name)
{
    for (size_t i = 0; i < a->s.n_components; i++) {
        const struct um_actuator_component *c = &a->s.components[i];

        if (strcmp(c->name, name) != 0 || !is_in(a, g, c) || !shows_component(a, rq, g))
            continue;
        um_actuator_reply(a, rq, code_of(c->judge(a->s.arg)), component_json(a, c, shows_details(a, rq, g)));
        return;
    }
    actuator_not_there(rq, "there is no such component");
}

void um_actuator_health(const struct um_actuator *a, struct um_http_req *rq, const char *path)
{
    const char *slash = path != NULL ? strchr(path, '/') : NULL;
    const struct group *g = NULL;
    char name[128];

    if (!um_actuator_exposes(a, rq, "health"))
        return;
    if (path == NULL || *path == '\0') {
        reply_group(a, rq, NULL);
        return;
    }
    if (slash != NULL && (size_t)(slash - path) < sizeof(name)) {
        memcpy(name, path, (size_t)(slash - path));
        name[slash - path] = '\0';
        g = group_find(a, name);
        if (g == NULL)
            actuator_not_there(rq, "there is no such group");
        else
            reply_component(a, rq, g, slash + 1);
    } else if ((g = group_find(a, path)) != NULL) {
        reply_group(a, rq, g);
    } else {
        reply_component(a, rq, NULL, path);
    }
}

void um_actuator_probe(const struct um_actuator *a, struct um_http_req *rq, const char *path)
{
    for (size_t i = 0; i < a->n_groups; i++)
        if (a->groups[i].probe != NULL && strcmp(a->groups[i].probe, path) == 0) {
            reply_group(a, rq, &a->groups[i]);
            return;
        }
    actuator_not_there(rq, "there is nothing here");
}

/* A balancer's check: what others need (Redis, a core) has no say, or all would go at once. */
static bool is_up(const struct um_actuator *a)
{
    const struct um_actuator_component *c;
    bool up = true;

    for (size_t i = 0; i < a->s.n_components; i++)
        if ((c = &a->s.components[i])->group != NULL && is_there(a, c))
            up = up && c->judge(a->s.arg) == UM_HEALTH_UP;
    return up;
}

void um_actuator_status(const struct um_actuator *a, struct um_http_req *rq)
{
    const char *accept = um_http_header(rq, "Accept");
    bool up;

    if (!um_actuator_exposes(a, rq, "status"))
        return;
    up = is_up(a);
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (accept != NULL && um_token_list_has(accept, "text/plain") && strstr(accept, "json") == NULL)
        um_http_reply(rq, up ? 200 : 503, "text/plain", up ? UM_SPAN("UP", 2) : UM_SPAN("DOWN", 4));
    else
        um_http_reply_json(rq, up ? 200 : 503, state_json(up ? UM_HEALTH_UP : UM_HEALTH_DOWN));
}
