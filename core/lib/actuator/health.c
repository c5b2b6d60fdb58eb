/* Health: components, the worst of which is the whole; the groups are the components that name them. */
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

/* GROUP NULL: all. *ANY: is there one? */
static enum um_health worst_of(const struct um_actuator *a, const char *group, bool *any)
{
    enum um_health worst = UM_HEALTH_UP;

    *any = false;
    for (size_t i = 0; i < a->s.n_components; i++) {
        const struct um_actuator_component *c = &a->s.components[i];
        if (!is_there(a, c) || (group != NULL && (c->group == NULL || strcmp(c->group, group) != 0)))
            continue;
        worst = UM_MIN(worst, c->judge(a->s.arg));
        *any = true;
    }
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

static int show_components(const struct um_actuator *a)
{
    int show = a->s.conf->show_components;

    return show >= 0 ? show : a->s.open_components ? UM_ACTUATOR_ALWAYS : a->s.conf->show_details;
}

static void reply_all(const struct um_actuator *a, struct um_http_req *rq)
{
    bool any, detailed = actuator_shows(a, rq, a->s.conf->show_details);
    enum um_health worst = worst_of(a, NULL, &any);
    json_t *body = state_json(worst), *parts;

    if (actuator_shows(a, rq, show_components(a))) {
        parts = json_object();
        for (size_t i = 0; i < a->s.n_components; i++)
            if (is_there(a, &a->s.components[i]))
                json_object_set_new(parts, a->s.components[i].name, component_json(a, &a->s.components[i], detailed));
        json_object_set_new(body, "components", parts);
    }
    json_object_set_new(body, "groups", json_pack("[s, s]", "liveness", "readiness"));
    um_actuator_reply(rq, code_of(worst), body);
}

void um_actuator_health(const struct um_actuator *a, struct um_http_req *rq, const char *path)
{
    enum um_health worst;
    bool is_group;

    if (!um_actuator_exposes(a, rq, "health"))
        return;
    if (path == NULL || *path == '\0') {
        reply_all(a, rq);
        return;
    }
    worst = worst_of(a, path, &is_group);
    if (is_group) {
        um_actuator_reply(rq, code_of(worst), state_json(worst));
        return;
    }
    for (size_t i = 0; i < a->s.n_components; i++) {
        const struct um_actuator_component *c = &a->s.components[i];
        if (strcmp(c->name, path) != 0 || !is_there(a, c) || !actuator_shows(a, rq, show_components(a)))
            continue;
        um_actuator_reply(rq, code_of(c->judge(a->s.arg)), component_json(a, c, actuator_shows(a, rq, a->s.conf->show_details)));
        return;
    }
    actuator_not_there(rq, "there is no such component");
}

/* A balancer's check: what others need (Redis, a core) has no say, or all would go at once. */
void um_actuator_status(const struct um_actuator *a, struct um_http_req *rq)
{
    const char *accept = um_http_header(rq, "Accept");
    bool any, up;

    if (!um_actuator_exposes(a, rq, "status"))
        return;
    up = UM_MIN(worst_of(a, "liveness", &any), worst_of(a, "readiness", &any)) == UM_HEALTH_UP;
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (accept != NULL && um_token_list_has(accept, "text/plain") && strstr(accept, "json") == NULL)
        um_http_reply(rq, up ? 200 : 503, "text/plain", up ? UM_SPAN("UP", 2) : UM_SPAN("DOWN", 4));
    else
        um_http_reply_json(rq, up ? 200 : 503, state_json(up ? UM_HEALTH_UP : UM_HEALTH_DOWN));
}
