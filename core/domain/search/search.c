#include <stdlib.h>
#include "operations/operation.h"
#include "search/plan.h"
#include "search/results.h"
#include "search/search.h"

struct run {
    struct um_call *c;
    const json_t *request;
    struct search s;
    struct search_sql q;
    struct search_rights rights;
    struct order_keys keys;
    struct hits hits;
    json_t *after;
    char *acls;
};

static um_err prepare(struct run *r, enum um_category category, const char *path)
{
    um_err err = search_read(r->c, category, r->request, path, &r->s);
    char at[64];

    if (err != UM_OK)
        return err;
    order_keys_of(&r->s, &r->keys);
    snprintf(at, sizeof(at), "%s/after", path);
    if (r->s.after != NULL && (r->after = cursor_read(r->c, &r->s, r->request, &r->keys)) == NULL)
        return um_fail_at(r->c, UM_T00104, at, "it is not of an earlier page of this search");
    err = search_rights_of(r->c, &r->rights);
    if (err != UM_OK)
        return err;
    r->acls = json_dumps(r->rights.list, JSON_COMPACT);
    search_sql_init(&r->q, r->c, &r->s, r->acls != NULL ? r->acls : "[]");
    return search_plan(r->c, &r->s, &r->q.plan);
}

static um_err make_reply(struct run *r, json_t **reply)
{
    json_t *results = NULL, *facets = NULL;
    um_err err = results_read(&r->q, &r->hits, &results);

    if (err == UM_OK)
        err = facets_read(&r->q, &r->hits, &facets);
    *reply = json_object();
    if (r->hits.found >= 0)
        json_object_set_new(*reply, "found", json_integer(r->hits.found));
    if (r->hits.found >= 0 && r->hits.at_least)
        json_object_set_new(*reply, "foundIsAtLeast", json_true());
    json_object_set_new(*reply, "results", results);
    if (facets != NULL)
        json_object_set_new(*reply, "aggregation", facets);
    if (r->hits.last != NULL) {
        char *after = cursor_write(r->c, &r->s, r->request, r->hits.last);

        json_object_set_new(*reply, "after", json_string(after));
        free(after);
    }
    return err;
}

static um_err run_it(struct um_call *c, enum um_category category, const json_t *request, const char *path, bool count, json_t **reply)
{
    struct run *r = um_xcalloc(1, sizeof(*r));
    um_err err;

    *reply = NULL;
    r->c = c;
    r->request = request;
    err = prepare(r, category, path);
    if (err == UM_OK)
        err = hits_read(&r->q, &r->rights, &r->keys, r->after, count && r->after == NULL, &r->hits);
    if (err == UM_OK)
        err = make_reply(r, reply);
    if (err != UM_OK) {
        json_decref(*reply);
        *reply = NULL;
    }
    search_sql_clear(&r->q);
    free(r->q.plan.nums);
    hits_done(&r->hits);
    search_rights_done(&r->rights);
    search_done(&r->s);
    json_decref(r->after);
    free(r->acls);
    free(r);
    return err;
}

um_err search_run(struct um_call *c, enum um_category category, const json_t *request, const char *path, bool count, json_t **reply)
{
    struct operation o = { .action = UM_ACTION_SEARCH, .object = category };
    json_t *asked = json_incref((json_t *)request);
    um_err err = operation_before(c, &o, &asked);

    *reply = NULL;
    if (err == UM_OK)
        err = run_it(c, category, asked, path, count, reply);
    o.response = *reply;
    if (err == UM_OK)
        err = operation_after(c, &o, asked);
    if (err != UM_OK) {
        json_decref(*reply);
        *reply = NULL;
    }
    json_decref(asked);
    return err;
}

static um_err search(struct um_call *c)
{
    enum um_category category = UM_CATEGORY_DOCUMENT;
    const char *word = um_arg(c, "category");

    UM_ASSERT(word != NULL && um_category_of(word, &category));
    return search_run(c, category, c->body, "", true, &c->reply);
}
const struct um_domain_call um_search = { "search", search, 0 };
