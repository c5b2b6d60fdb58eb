#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include "principals.h"

struct principals { struct um_map names; };

static void add(struct principals *p, const char *name)
{
    if (name != NULL && *name != '\0')
        um_map_put(&p->names, UM_SPAN_STR(name), p);
}

bool principals_have(const struct principals *p, const char *name)
{
    return strcmp(name, "*") == 0 || um_map_get(&p->names, UM_SPAN_STR(name)) != NULL;
}

void principals_free(struct principals *p)
{
    if (p != NULL)
        um_map_free(&p->names);
    free(p);
}

static bool is_in(const struct principals *p, const json_t *team)
{
    const json_t *list = json_object_get(team, "principals");
    size_t i;
    json_t *name;

    json_array_foreach(list, i, name)
        if (json_is_string(name) && principals_have(p, json_string_value(name)))
            return true;
    return false;
}

/* A team may be a principal of another one: as many rounds as it takes, at most one for each team. */
static void add_teams(struct principals *p, const json_t *teams)
{
    bool grew = true;
    size_t i;
    json_t *team;

    for (size_t round = 0; grew && round <= json_array_size(teams); round++) {
        grew = false;
        json_array_foreach(teams, i, team) {
            const char *id = json_string_value(json_object_get(team, "id"));

            if (id == NULL || principals_have(p, id) || !is_in(p, team))
                continue;
            add(p, id);
            grew = true;
        }
    }
}

um_err principals_of(struct um_call *c, const struct principals **out)
{
    if (c->principals == NULL) {
        c->principals = um_xcalloc(1, sizeof(*c->principals));
        add(c->principals, c->who->user);
        for (size_t i = 0; i < c->who->groups.n; i++)
            add(c->principals, c->who->groups.items[i]);
        for (size_t i = 0; i < c->who->profiles.n; i++)
            add(c->principals, c->who->profiles.items[i]);
        if (c->model != NULL)
            add_teams(c->principals, json_object_get(json_object_get(um_model_scope(c->model), "people"), "profiles"));
    }
    *out = c->principals;
    return UM_OK;
}

um_err principals_beside(struct um_call *c, const char *name, struct principals **out)
{
    const struct principals *own;
    struct um_span key;
    size_t pos = 0;
    void *value;
    um_err err = principals_of(c, &own);

    *out = um_xcalloc(1, sizeof(**out));
    while (err == UM_OK && um_map_next(&own->names, &pos, &key, &value))
        um_map_put(&(*out)->names, key, *out);
    add(*out, name);
    if (c->model != NULL)
        add_teams(*out, json_object_get(json_object_get(um_model_scope(c->model), "people"), "profiles"));
    return err;
}
