/* Bodies of components that are edited together: what the caller may do with one, and the words by which it is found. */
#include <stdio.h>
#include <umbel/sql_shared.h>
#include "component.h"
#include "search/index_text.h"

/* ---- with the component ---- */

enum { NAME_MAX = sizeof(UM_STORE_UNLISTED) + UM_DOMAIN_SCOPE_MAX + 1 + UM_DOMAIN_ID_MAX };

static const char *name_of(const struct um_call *c, const struct component *m, char out[NAME_MAX + 1])
{
    snprintf(out, NAME_MAX + 1, UM_STORE_UNLISTED "%s/%s", c->scope, component_id(m));
    return out;
}

um_err component_body_begins(struct um_call *c, const struct component *m)
{
    char name[NAME_MAX + 1];

    return m->category == UM_CATEGORY_DOCUMENT ? um_sql_clear_document(c->q, name_of(c, m, name)) : UM_OK;
}

/* Its class may have been collaborative once: a document that is there goes in any case. */
um_err component_body_ends(struct um_call *c, const struct component *m)
{
    char name[NAME_MAX + 1];

    if (m->category != UM_CATEGORY_DOCUMENT)
        return UM_OK;
    return um_sql_bury_document(c->q, name_of(c, m, name), c->who->user, component_has_shared_body(c, m));
}

/* ---- who may do what ---- */

static um_err judge(struct um_call *c, const struct component *m, const char **word)
{
    static const enum um_permission asked[] = { UM_MAY_READ, UM_MAY_READ_CONTENT, UM_MAY_UPDATE_CONTENT };
    bool may[UM_COUNT(asked)] = { false };
    um_err err = UM_OK;

    for (size_t i = 0; i < UM_COUNT(asked) && err == UM_OK; i++)
        err = component_may(c, m, asked[i], &may[i]);
    *word = !may[0] || !may[1] ? "NONE" : may[2] ? "WRITE" : "READ";
    return err;
}

/* Nobody is told why not: what he may not read is as if it were not there. */
static um_err right(struct um_call *c)
{
    struct component m;
    const char *word = "NONE";
    um_err err = component_fetch(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), &m);

    if (err == UM_OK && component_has_shared_body(c, &m))
        err = judge(c, &m, &word);
    component_done(&m);
    if (err != UM_OK && err != UM_ENOTFOUND)
        return err;
    c->reply = json_pack("{s:s}", "right", word);
    return UM_OK;
}

/* The component may be gone, or of another class: then there is nothing to find. */
static um_err body_text(struct um_call *c)
{
    const char *text = um_arg(c, "text");
    struct component m;
    um_err err = component_fetch(c, UM_CATEGORY_DOCUMENT, um_arg(c, "id"), &m);

    if (err == UM_OK && component_has_shared_body(c, &m))
        err = index_text(c, m.num, "body", UM_SPAN_STR(text != NULL ? text : ""), NULL);
    component_done(&m);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

const struct um_domain_call um_components_body_text = { "components.bodyText", body_text, UM_CALL_WRITES };
const struct um_domain_call um_components_right = { "components.right", right, 0 };
