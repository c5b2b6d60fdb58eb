/* What somebody else holds is not changed: reservations as a unit sees them, each locked until it has ended. */
#include <stdlib.h>
#include <string.h>
#include <umbel/sql_shared.h>
#include <umbel/util.h>
#include "operations/operation.h"

struct asked { const char *id; int64_t token; };

static int by_id(const void *a, const void *b)
{
    const struct asked *x = a, *y = b;

    return strcmp(x->id, y->id);
}

static bool is_in_the_way(const struct um_call *c, const struct um_store_reserved *r, int64_t token)
{
    bool is_ours = r->session[0] != '\0' && c->who->session != NULL && strcmp(r->session, c->who->session) == 0;

    return (r->left_ms > 0 && !is_ours) || (token != 0 && (uint64_t)token != r->token);
}

static json_t *blocker(const struct um_call *c, enum um_category k, const char *id, const struct um_store_reserved *r)
{
    char since[32];
    json_t *o = json_pack("{s:s, s:s}", "category", um_category_word(k), "id", id);

    (void)c;
    if (r->left_ms > 0) {
        um_wall_iso(r->since_ms, since);
        json_object_set_new(o, "user", json_string(r->user));
        json_object_set_new(o, "since", json_string(since));
    }
    return o;
}

/* On PostgreSQL rows are locked in the order of their ids, as all others do. */
um_err component_check_free(struct um_call *c, enum um_category k, const char *const ids[], const int64_t tokens[], size_t n)
{
    struct asked *list = um_xcalloc(n + 1, sizeof(*list));
    json_t *blockers = json_array();
    um_err err = UM_OK;

    for (size_t i = 0; i < n; i++)
        list[i] = (struct asked){ ids[i], tokens != NULL ? tokens[i] : 0 };
    qsort(list, n, sizeof(*list), by_id);
    for (size_t i = 0; i < n && err == UM_OK; i++) {
        char name[UM_DOMAIN_SHARED_MAX + 1];
        struct um_store_reserved r;

        if (strlen(list[i].id) > UM_DOMAIN_ID_MAX || !um_domain_shared_id(c->domain, c->scope, list[i].id, name))
            continue;                        /* there is no such component */
        err = um_sql_reserved(c->q, um_category_word(k), name, &r);
        if (err == UM_OK && is_in_the_way(c, &r, list[i].token))
            json_array_append_new(blockers, blocker(c, k, list[i].id, &r));
    }
    free(list);
    if (err == UM_OK && json_array_size(blockers) > 0)
        return um_fail_with(c, UM_U00423, json_pack("{s:o}", "reservations", blockers),
                            "somebody else has reserved it, or the reservation that was named is over");
    json_decref(blockers);
    return err;
}

um_err component_check_one_free(struct um_call *c, enum um_category k, const char *id)
{
    int64_t token = um_arg_int(c, "X-Reservation-Token", 0);

    return component_check_free(c, k, &id, &token, 1);
}

/* ---- may he reserve it? ---- */

static um_err judge(struct um_call *c, const struct component *m, const char **word)
{
    bool reads, updates = false;
    um_err err = component_may(c, m, UM_MAY_READ, &reads);

    if (err == UM_OK && reads)
        err = component_may(c, m, UM_MAY_UPDATE, &updates);
    if (err == UM_OK && reads && !updates && component_has_shared_body(c, m))
        err = component_may(c, m, UM_MAY_UPDATE_CONTENT, &updates);      /* who edits the body with others */
    *word = !reads ? "NONE" : updates ? "WRITE" : "READ";
    return err;
}

/* ---- handlers of that ---- */

static bool is_about(const struct um_call *c, size_t i) { return json_is_true(json_array_get(json_object_get(c->args, "those"), i)); }

static struct operation operation_of(const struct um_call *c, const struct component *m)
{
    bool unlocks = strcmp(um_arg(c, "action"), "UNLOCK") == 0;

    return (struct operation){ .action = unlocks ? UM_ACTION_UNLOCK : UM_ACTION_LOCK, .object = m->category };
}

/* Of what he may have, if it is to be: LOCK needs WRITE. */
static um_err ask_handlers(struct um_call *c, struct component *m, const char *word, bool *followed)
{
    struct operation o = operation_of(c, m);

    if (strcmp(word, "NONE") == 0 || (o.action == UM_ACTION_LOCK && strcmp(word, "WRITE") != 0))
        return UM_OK;
    *followed = *followed || operation_is_followed(c, &o);
    return operation_before(c, &o, &m->body);
}

static um_err judge_one(struct um_call *c, size_t i, json_t *words, bool *followed)
{
    const json_t *reference = json_array_get(c->body, i);
    struct component m = { 0 };
    const char *word = "ABSENT";
    enum um_category k;
    um_err err = UM_ENOTFOUND;

    UM_ASSERT(um_category_of(json_string_value(json_object_get(reference, "category")), &k));
    if (c->model != NULL)
        err = component_fetch(c, k, json_string_value(json_object_get(reference, "id")), &m);
    if (err == UM_OK)
        err = judge(c, &m, &word);
    if (err == UM_OK && is_about(c, i))
        err = ask_handlers(c, &m, word, followed);
    component_done(&m);
    if (err != UM_OK && err != UM_ENOTFOUND)
        return err;
    json_array_append_new(words, json_string(word));
    return UM_OK;
}

/* Where there is no scope there are no components, but perhaps documents of free names. */
static um_err find_model(struct um_call *c)
{
    um_err err = c->model == NULL ? um_model_get(c->domain, c->q, c->scope, &c->model) : UM_OK;

    return err == UM_ENOTFOUND ? UM_OK : err;
}

static um_err rights(struct um_call *c)
{
    um_err err = find_model(c);
    json_t *words = json_array();
    bool followed = false;

    for (size_t i = 0; i < json_array_size(c->body) && err == UM_OK; i++)
        err = judge_one(c, i, words, &followed);
    c->reply = json_pack("{s:o, s:b}", "rights", words, "followed", followed);
    return err;
}

/* What is no more has nothing to tell. */
static um_err tell_one(struct um_call *c, const json_t *reference)
{
    struct component m = { 0 };
    struct operation o;
    enum um_category k;
    um_err err;

    UM_ASSERT(um_category_of(json_string_value(json_object_get(reference, "category")), &k));
    err = component_fetch(c, k, json_string_value(json_object_get(reference, "id")), &m);
    if (err == UM_OK) {
        o = operation_of(c, &m);
        err = operation_after(c, &o, m.body);
    }
    component_done(&m);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static um_err held(struct um_call *c)
{
    um_err err = find_model(c);

    for (size_t i = 0; c->model != NULL && i < json_array_size(c->body) && err == UM_OK; i++)
        if (is_about(c, i))
            err = tell_one(c, json_array_get(c->body, i));
    return err;
}

const struct um_domain_call um_components_rights = { "components.rights", rights, UM_CALL_ANY_SCOPE };
const struct um_domain_call um_components_held = { "components.held", held, UM_CALL_ANY_SCOPE };
