/* See roles.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/sql_shared.h>
#include <umbel/util.h>
#include "body.h"
#include "principals.h"
#include "roles.h"
#include "search/words.h"

/* ADMIN of a scope may all that the others may. */
static const struct { const char *name; unsigned bits; } roles[] = {
    { "FUNCTIONAL_ADMIN", 1 }, { "SECURITY_ADMIN", 2 }, { "ADMIN", 4 | 2 | 1 }, { "SYSTEM_ADMIN", 8 | 4 | 2 | 1 },
};

unsigned roles_of(const struct um_model *m, const char *name, const json_t *profiles)
{
    struct principals *p = principals_new(m, name, profiles);
    unsigned bits = 0;

    for (size_t i = 0; i < UM_COUNT(roles); i++)
        bits |= principals_have_role(p, roles[i].name) ? roles[i].bits : 0;
    principals_free(p);
    return bits;
}

um_err roles_need(struct um_call *c, unsigned wanted)
{
    unsigned own = 0;

    for (size_t i = 0; i < UM_COUNT(roles); i++)
        own |= um_has_role(c, roles[i].name) ? roles[i].bits : 0;
    return (wanted & ~own) == 0 ? UM_OK : um_fail(c, UM_U00403, "whom this is about has, or would have, a role that you do not have");
}

/* ---- what may be one ---- */

static bool is_team(const struct um_model *m, const char *id)
{
    const json_t *teams = json_object_get(json_object_get(um_model_scope(m), "people"), "profiles");
    json_t *team;
    size_t i;

    json_array_foreach(teams, i, team) {
        const char *name = json_string_value(json_object_get(team, "id"));

        if (name != NULL && strcmp(name, id) == 0)
            return true;
    }
    return false;
}

static um_err find_user(struct um_call *c, const char *id, bool *is_there)
{
    struct um_sql_row row;
    um_err err = um_sql_one(c->q, "SELECT version FROM users WHERE scope = ?1 AND id = ?2", UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(id)), &row);

    *is_there = err == UM_OK;
    return err == UM_ENOTFOUND ? UM_OK : err;
}

um_err people_check_new(struct um_call *c, const char *id)
{
    bool is_user = false, is_role = false;
    um_err err;

    if (id == NULL || !um_is_id(id) || strcmp(id, "*") == 0)
        return um_fail_at(c, UM_U00400, "/id", "an id of 1 to %d bytes is needed", UM_DOMAIN_ID_MAX);
    for (size_t i = 0; i < UM_COUNT(roles); i++)
        is_role |= strcmp(roles[i].name, id) == 0;
    err = find_user(c, id, &is_user);
    if (err != UM_OK)
        return err;
    if (is_user || is_role || is_team(c->model, id) || um_model_find(c->model, UM_KIND_GROUP, id) != NULL)
        return um_fail_at(c, UM_U00410, "/id", "%s is there already, as a user, group, team or role", id);
    return UM_OK;
}

um_err people_check_profiles(struct um_call *c, const json_t *asked, const char *path)
{
    json_t *name;
    char at[160];
    size_t i;

    json_array_foreach(json_object_get(asked, "profiles"), i, name)
        if (json_is_string(name) && strcmp(json_string_value(name), "SYSTEM_ADMIN") == 0) {
            snprintf(at, sizeof(at), "%s/profiles/%zu", path, i);
            return um_fail_at(c, UM_U00403, at, "no scope gives SYSTEM_ADMIN: its accounts are the properties'");
        }
    return UM_OK;
}

/* ---- facts ---- */

static void add_differences(json_t *detail, const json_t *before, const json_t *after)
{
    json_t *was = json_object(), *is = json_object(), *v;
    const char *key;

    json_object_foreach((json_t *)before, key, v)
        if (!json_equal(v, json_object_get(after, key)))
            json_object_set(was, key, v);
    json_object_foreach((json_t *)after, key, v)
        if (!json_equal(v, json_object_get(before, key)))
            json_object_set(is, key, v);
    if (before != NULL)
        json_object_set(detail, "before", was);
    if (after != NULL)
        json_object_set(detail, "after", is);
    json_decref(was);
    json_decref(is);
}

um_err people_audit(struct um_call *c, const char *action, const char *type, const char *id, const json_t *before, const json_t *after)
{
    json_t *detail = json_pack("{s:s, s:s}", "from", c->who->address, "request", c->who->request);
    char *text;
    um_err err;

    add_differences(detail, before, after);
    text = json_dumps(detail, JSON_COMPACT);
    if (text == NULL || strlen(text) > UM_STORE_DETAIL_MAX) {
        free(text);
        json_object_del(detail, "before");
        json_object_del(detail, "after");
        json_object_set_new(detail, "tooLong", json_true());
        text = json_dumps(detail, JSON_COMPACT);
    }
    err = um_sql_audit(c->q, &(struct um_store_audit){ .user = c->who->user, .action = action, .object_type = type, .object_id = id,
                                                       .detail = text != NULL ? text : "{}", .scope = c->scope });
    free(text);
    json_decref(detail);
    return err;
}

/* ---- names as words ---- */

enum { WORDS_BYTES_MAX = 4000 };

char *people_words(const char *id, const json_t *body)
{
    static const char *const members[] = { "displayName", "firstname", "lastname" };
    struct words w = { .max = WORDS_BYTES_MAX };
    char *text;

    words_add(&w, UM_SPAN_STR(id));
    for (size_t i = 0; i < UM_COUNT(members); i++)
        if (json_is_string(json_object_get(body, members[i])))
            words_add(&w, UM_SPAN_STR(json_string_value(json_object_get(body, members[i]))));
    text = um_xasprintf(" %s ", um_buf_cstr(&w.text));
    words_free(&w);
    return text;
}

json_t *people_words_asked(const char *asked)
{
    struct words w = { .max = WORDS_BYTES_MAX };
    json_t *out = json_array();
    char *text, *rest, *word;

    words_add(&w, UM_SPAN_STR(asked));
    rest = text = um_xstrdup(um_buf_cstr(&w.text));
    while ((word = strsep(&rest, " ")) != NULL)
        if (*word != '\0' && json_array_size(out) < WORDS_ASKED_MAX)
            json_array_append_new(out, json_string(word));
    free(text);
    words_free(&w);
    return out;
}

bool people_words_fit(const char *words, const json_t *asked)
{
    struct um_buf part = { 0 };
    bool all = true;
    json_t *word;
    size_t i;

    json_array_foreach(asked, i, word) {
        um_buf_clear(&part);
        um_buf_printf(&part, " %s", json_string_value(word));
        all = all && strstr(words, um_buf_cstr(&part)) != NULL;
    }
    um_buf_free(&part);
    return all;
}
