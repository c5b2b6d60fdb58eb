/* See delegations.h. */
#include <string.h>
#include "body.h"
#include "delegations.h"
#include "principals.h"

enum { DELEGATORS_MAX = 100 };               /* of a delegate at a time */

#define BIT(p) (UINT32_C(1) << UM_MAY_##p)
static const uint32_t granted = BIT(READ) | BIT(APPROPRIATE) | BIT(APPROPRIATE_ALREADY_ASSIGNED) | BIT(APPLY_ANSWER);

static um_err add_name(void *arg, const struct um_sql_row *row)
{
    return json_array_append_new(arg, json_string(um_sql_text(row, 0))) == 0 ? UM_OK : UM_ENOMEM;
}

/* Who has delegated to the caller, and is in force now; once per call. */
static um_err delegators_of(struct um_call *c)
{
    if (c->delegators != NULL)
        return UM_OK;
    c->delegators = json_array();
    return um_sql_each(c->q, "SELECT DISTINCT delegator FROM delegations WHERE scope = ?1 AND delegate = ?2 AND start_ms <= ?3"
                             " AND (end_ms IS NULL OR end_ms > ?3) LIMIT ?4",
                       UM_SQL_ARGS(um_sql_word(c->scope), um_sql_word(c->who->user), UM_SQL_INT(c->now_ms), UM_SQL_INT(DELEGATORS_MAX)),
                       add_name, c->delegators);
}

um_err delegation_for(struct um_call *c, const struct component *m, const char **delegator)
{
    const char *name = json_string_value(json_object_get(m->body, "assignee"));
    um_err err;
    size_t i;
    json_t *one;

    *delegator = NULL;
    if (name != NULL && strcmp(name, c->who->user) == 0)
        name = json_string_value(json_object_get(m->body, "delegator"));
    if (name == NULL || *name == '\0')
        return UM_OK;
    err = delegators_of(c);
    json_array_foreach(c->delegators, i, one)
        if (strcmp(json_string_value(one), name) == 0)
            *delegator = json_string_value(one);
    return err;
}

um_err delegation_may(struct um_call *c, const struct component *m, const struct acl_about *about, enum um_permission p, bool *may)
{
    const struct acl *a = um_model_acl(c->model, um_body_data(m->body, "ACL"));
    struct principals *both = NULL;
    const char *delegator = NULL;
    um_err err = UM_OK;

    *may = false;
    if (a != NULL && (granted >> p & 1) != 0)
        err = delegation_for(c, m, &delegator);
    if (err != UM_OK || delegator == NULL)
        return err;
    err = principals_beside(c, delegator, &both);
    *may = err == UM_OK && acl_allows(a, c->model, both, about, p);
    principals_free(both);
    return err;
}
