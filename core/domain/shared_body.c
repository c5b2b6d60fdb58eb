/* Bodies of components that are edited together: what the caller may do with one, and the words by which it is found. */
#include "component.h"
#include "search/index_text.h"

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
