/* See principals.h. */
#include <stdlib.h>
#include <string.h>
#include <umbel/map.h>
#include "principals.h"

struct principals {
    struct um_map names;                     /* name -> kind_marks[] */
    const char **groups;                     /* names that may be members of groups, in the order in which they came; borrowed */
    size_t n, cap;
};

static const char kind_marks[] = { PRINCIPAL_SELF, PRINCIPAL_GROUP, PRINCIPAL_TEAM };

static void add(struct principals *p, const char *name, enum principal_kind kind)
{
    if (name == NULL || *name == '\0' || um_map_get(&p->names, UM_SPAN_STR(name)) != NULL)
        return;
    um_map_put(&p->names, UM_SPAN_STR(name), (void *)&kind_marks[kind]);
    if (kind == PRINCIPAL_TEAM)
        return;
    if (p->n == p->cap) {
        p->cap = p->cap == 0 ? 8 : 2 * p->cap;
        p->groups = um_xrealloc(p->groups, p->cap * sizeof(p->groups[0]));
    }
    p->groups[p->n++] = name;
}

static bool is_of(const struct principals *p, const char *name, enum principal_kind kind)
{
    const char *mark = um_map_get(&p->names, UM_SPAN_STR(name));

    return mark != NULL && *mark == (char)kind;
}

bool principals_have(const struct principals *p, const char *name)
{
    return strcmp(name, "*") == 0 || um_map_get(&p->names, UM_SPAN_STR(name)) != NULL;
}

bool principals_have_role(const struct principals *p, const char *role)
{
    return strcmp(role, "SYSTEM_ADMIN") != 0 && is_of(p, role, PRINCIPAL_TEAM);
}

void principals_free(struct principals *p)
{
    if (p == NULL)
        return;
    um_map_free(&p->names);
    free(p->groups);
    free(p);
}

static int by_text(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

json_t *principals_list(const struct principals *p, enum principal_kind kind)
{
    const char **names = um_xcalloc(p->names.n + 1, sizeof(*names));
    json_t *out = json_array();
    struct um_span key;
    size_t pos = 0, n = 0;
    void *mark;

    while (um_map_next(&p->names, &pos, &key, &mark))
        if (*(const char *)mark == (char)kind)
            names[n++] = um_xstrndup((const char *)key.data, key.len);
    qsort(names, n, sizeof(*names), by_text);
    for (size_t i = 0; i < n; i++) {
        json_array_append_new(out, json_string(names[i]));
        free((char *)names[i]);
    }
    free(names);
    return out;
}

/* ---- groups ---- */

static void add_profiles(struct principals *p, const json_t *profiles)
{
    json_t *name;
    size_t i;

    json_array_foreach(profiles, i, name)
        add(p, json_string_value(name), PRINCIPAL_TEAM);
}

/* P->groups grows while it is walked: groups of groups are behind the groups. */
static void add_groups(struct principals *p, const struct um_model *m)
{
    for (size_t at = 0; at < p->n; at++) {
        size_t n;
        const json_t *const *groups = um_model_groups_of(m, p->groups[at], &n);
        const json_t *own = um_model_find(m, UM_KIND_GROUP, p->groups[at]);

        if (own != NULL && is_of(p, p->groups[at], PRINCIPAL_GROUP))
            add_profiles(p, json_object_get(own, "profiles"));
        for (size_t i = 0; i < n; i++)
            add(p, json_string_value(json_object_get(groups[i], "id")), PRINCIPAL_GROUP);
    }
}

/* ---- teams ---- */

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
            add(p, id, PRINCIPAL_TEAM);
            grew = true;
        }
    }
}

static void add_derived(struct principals *p, const struct um_model *m)
{
    if (m == NULL)
        return;
    add_groups(p, m);
    add_teams(p, json_object_get(json_object_get(um_model_scope(m), "people"), "profiles"));
}

/* ---- somebody ---- */

struct principals *principals_new(const struct um_model *m, const char *name, const json_t *profiles)
{
    struct principals *p = um_xcalloc(1, sizeof(*p));

    add(p, name, um_model_find(m, UM_KIND_GROUP, name) != NULL ? PRINCIPAL_GROUP : PRINCIPAL_SELF);
    add_profiles(p, profiles);
    add_derived(p, m);
    return p;
}

/* Of an account nothing is taken from the token: what it says was true at the login. */
um_err principals_of(struct um_call *c, const struct principals **out)
{
    struct principals *p = c->principals;

    if (p == NULL) {
        p = c->principals = um_xcalloc(1, sizeof(*p));
        add(p, c->who->user, PRINCIPAL_SELF);
        for (size_t i = 0; c->who->account == NULL && i < c->who->groups.n; i++)
            add(p, c->who->groups.items[i], PRINCIPAL_GROUP);
        for (size_t i = 0; c->who->account == NULL && i < c->who->profiles.n; i++)
            add(p, c->who->profiles.items[i], PRINCIPAL_TEAM);
        add_profiles(p, c->account.profiles);
        add_derived(p, c->model);
    }
    *out = p;
    return UM_OK;
}

static um_err read_profiles(struct um_call *c, const char *name, json_t **out)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT profiles FROM users WHERE scope = ?1 AND id = ?2", UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(name)),
                            &row);

    *out = err == UM_OK ? json_loads(um_sql_text(&row, 0), 0, NULL) : NULL;
    return err == UM_ENOTFOUND ? UM_OK : err;
}

um_err principals_beside(struct um_call *c, const char *name, struct principals **out)
{
    const struct principals *own;
    struct um_span key;
    json_t *profiles;
    size_t pos = 0;
    void *mark;
    um_err err = principals_of(c, &own);

    *out = um_xcalloc(1, sizeof(**out));
    while (err == UM_OK && um_map_next(&own->names, &pos, &key, &mark))
        um_map_put(&(*out)->names, key, mark);
    if (err == UM_OK)
        err = read_profiles(c, name, &profiles);
    if (err != UM_OK)
        return err;
    add(*out, name, PRINCIPAL_SELF);
    add_profiles(*out, profiles);
    json_decref(profiles);
    add_derived(*out, c->model);
    return UM_OK;
}
