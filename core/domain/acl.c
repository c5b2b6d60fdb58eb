/* ACLs compiled: permissions are bits, and what an entry says of them is one comparison. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "acl.h"
#include "conditions.h"
#include "principals.h"

enum { ENTRIES_MAX = 1000, RULES_MAX = 100, CONDITIONS_MAX = 20 };
#define ALL_PERMISSIONS ((UINT64_C(1) << UM_PERMISSIONS_N) - 1)

static const char *const words[UM_PERMISSIONS_N] = {
#define X(id) #id,
    UM_PERMISSIONS(X)
#undef X
};

const char *um_permission_word(enum um_permission p) { return words[p]; }

bool um_permission_of(const char *word, enum um_permission *out)
{
    for (size_t i = 0; i < UM_PERMISSIONS_N; i++)
        if (strcmp(words[i], word) == 0) {
            *out = (enum um_permission)i;
            return true;
        }
    return false;
}

struct entry { const char *principal; uint64_t permissions; bool allows; };
struct acl {
    const char *id;                          /* texts are the body's, which the model keeps */
    const json_t *rules;                     /* NULL: entries decide */
    size_t n;
    struct entry entries[];
};

const char *acl_id(const struct acl *a) { return a->id; }
bool acl_has_rules(const struct acl *a) { return a->rules != NULL; }
void acl_free(struct acl *a) { free(a); }

/* ---- what may be one ---- */

/* "*" is every permission. False: a word that is none. */
static bool add_permission(const json_t *word, uint64_t *bits)
{
    enum um_permission p;

    if (!json_is_string(word))
        return false;
    if (strcmp(json_string_value(word), "*") == 0) {
        *bits = ALL_PERMISSIONS;
        return true;
    }
    if (!um_permission_of(json_string_value(word), &p))
        return false;
    *bits |= UINT64_C(1) << p;
    return true;
}

static bool read_permissions(const json_t *v, uint64_t *bits)
{
    size_t i;
    json_t *word;

    *bits = 0;
    if (!json_is_array(v))
        return add_permission(v, bits);
    json_array_foreach(v, i, word)
        if (!add_permission(word, bits))
            return false;
    return true;
}

static bool read_entry(const json_t *e, struct entry *out, const char **member, const char **why)
{
    const char *grant = json_string_value(json_object_get(e, "grant"));

    out->principal = json_string_value(json_object_get(e, "principal"));
    *member = "principal";
    *why = "a user, group or team, or *";
    if (out->principal == NULL || *out->principal == '\0')
        return false;
    *member = "permission";
    *why = "a permission, or an array of them";
    if (!read_permissions(json_object_get(e, "permission"), &out->permissions))
        return false;
    *member = "grant";
    *why = "ALLOW or DENY";
    out->allows = grant != NULL && strcmp(grant, "ALLOW") == 0;
    return grant != NULL && (out->allows || strcmp(grant, "DENY") == 0);
}

static bool rules_fault(const json_t *rules, char path[64], char why[200])
{
    size_t i, k;
    json_t *rule, *condition;

    json_array_foreach(rules, i, rule) {
        snprintf(path, 64, "/rules/%zu", i);
        snprintf(why, 200, "a rule has conditions (at most %d strings) and an aclId", CONDITIONS_MAX);
        if (!json_is_string(json_object_get(rule, "aclId")) || json_array_size(json_object_get(rule, "conditions")) > CONDITIONS_MAX)
            return true;
        json_array_foreach(json_object_get(rule, "conditions"), k, condition)
            if (!json_is_string(condition))
                return true;
    }
    return false;
}

bool acl_fault(const json_t *body, char path[64], char why[200])
{
    const json_t *entries = json_object_get(body, "entries"), *rules = json_object_get(body, "rules");
    const char *member, *text;
    struct entry e;
    size_t i;
    json_t *entry;

    snprintf(path, 64, "/entries");
    snprintf(why, 200, "at most %d entries, or %d rules", ENTRIES_MAX, RULES_MAX);
    if (json_array_size(entries) > ENTRIES_MAX || json_array_size(rules) > RULES_MAX)
        return true;
    json_array_foreach(entries, i, entry)
        if (!read_entry(entry, &e, &member, &text)) {
            snprintf(path, 64, "/entries/%zu/%s", i, member);
            snprintf(why, 200, "%s", text);
            return true;
        }
    return rules_fault(rules, path, why);
}

struct acl *acl_new(const json_t *body)
{
    const json_t *entries = json_object_get(body, "entries"), *rules = json_object_get(body, "rules");
    struct acl *a = um_xcalloc(1, sizeof(*a) + json_array_size(entries) * sizeof(a->entries[0]));
    const char *member, *why;

    a->id = json_string_value(json_object_get(body, "id"));
    a->rules = json_array_size(rules) > 0 ? rules : NULL;
    for (size_t i = 0; i < json_array_size(entries); i++)
        if (read_entry(json_array_get(entries, i), &a->entries[a->n], &member, &why))
            a->n++;
    return a;
}

/* ---- judging ---- */

static bool entries_allow(const struct acl *a, const struct principals *who, enum um_permission p)
{
    for (size_t i = 0; i < a->n; i++)
        if ((a->entries[i].permissions >> p & 1) != 0 && principals_have(who, a->entries[i].principal))
            return a->entries[i].allows;
    return false;
}

static const char *rule_acl(const struct acl *a, const struct principals *who, const struct acl_about *about)
{
    size_t i, k;
    json_t *rule, *condition;

    json_array_foreach(a->rules, i, rule) {
        bool all = true;

        json_array_foreach(json_object_get(rule, "conditions"), k, condition)
            all = all && condition_holds(json_string_value(condition), who, about);
        if (all)
            return json_string_value(json_object_get(rule, "aclId"));
    }
    return NULL;
}

bool acl_allows(const struct acl *a, const struct um_model *all, const struct principals *who, const struct acl_about *about,
                enum um_permission p)
{
    if (a->rules != NULL)
        a = um_model_acl(all, rule_acl(a, who, about));
    return a != NULL && a->rules == NULL && entries_allow(a, who, p);    /* one level: a rule points to entries */
}

/* ---- the caller ---- */

um_err um_may(struct um_call *c, const char *id, const struct acl_about *about, enum um_permission p, bool *may)
{
    const struct acl *a = um_model_acl(c->model, id);
    const struct principals *who;
    um_err err = principals_of(c, &who);

    *may = err == UM_OK && a != NULL && (c->by_rules || acl_allows(a, c->model, who, about, p));
    return err;
}

um_err um_need(struct um_call *c, const char *id, const struct acl_about *about, enum um_permission p, const char *what)
{
    bool may;
    um_err err = um_may(c, id, about, p, &may);

    if (err != UM_OK || may)
        return err;
    return um_fail(c, UM_U00403, "%s needs the permission %s", what, words[p]);
}

um_err um_acls_with(struct um_call *c, enum um_permission p, const char ***ids, size_t *n)
{
    const struct principals *who;
    um_err err = principals_of(c, &who);

    *n = 0;
    *ids = NULL;
    if (err != UM_OK)
        return err;
    *ids = um_xcalloc(um_model_acls(c->model) + 1, sizeof(**ids));
    for (size_t i = 0; i < um_model_acls(c->model); i++) {
        const struct acl *a = um_model_acl_at(c->model, i);

        if (a->rules == NULL && acl_allows(a, c->model, who, NULL, p))
            (*ids)[(*n)++] = a->id;
    }
    return UM_OK;
}
