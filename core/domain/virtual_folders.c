/* Virtual folders hold nothing: what is in one are the results of its class's searches, with the folder's tags and the caller
 * filled into them. */
#include <stdlib.h>
#include <string.h>
#include "body.h"
#include "fill.h"
#include "parts.h"
#include "search/search.h"
#include "tags.h"

/* "${tags.X}" and nothing else: all values of the tag, where a list is. */
static const json_t *whole_tag(const json_t *text, const json_t *tags)
{
    const char *p = json_string_value(text);
    char name[UM_DOMAIN_ID_MAX + 1];
    size_t n = p != NULL ? strlen(p) : 0;

    if (n < strlen("${tags.}") || strncmp(p, "${tags.", 7) != 0 || strchr(p, '}') != p + n - 1 || n - 8 > UM_DOMAIN_ID_MAX)
        return NULL;
    memcpy(name, p + 7, n - 8);
    name[n - 8] = '\0';
    return json_object_get(tags_find(tags, name), "value");
}

/* As deep as the body of a class may be. */
static json_t *filled(const struct um_call *c, const json_t *v, const json_t *tags)
{
    json_t *out, *part;
    const char *key;
    size_t i;
    char *text;

    if (json_is_string(v)) {
        text = fill_text(c, json_string_value(v), tags);
        out = json_string(text);
        free(text);
        return out;
    }
    if (json_is_array(v)) {
        out = json_array();
        json_array_foreach(v, i, part) {
            const json_t *values = whole_tag(part, tags);

            if (json_array_size(values) > 1)
                json_array_extend(out, (json_t *)values);
            else
                json_array_append_new(out, filled(c, part, tags));
        }
        return out;
    }
    if (!json_is_object(v))
        return json_incref((json_t *)v);
    out = json_object();
    json_object_foreach((json_t *)v, key, part)
        json_object_set_new(out, key, filled(c, part, tags));
    return out;
}

json_t *virtual_folder_searches(const struct um_call *c, const struct component *m)
{
    const json_t *tags = json_object_get(m->body, "tags");
    json_t *out = json_array(), *search;
    size_t i;

    json_array_foreach(json_object_get(component_class(c, m), "searches"), i, search) {
        json_t *one = json_copy(search), *request = json_object_get(search, "request");

        if (request != NULL)
            json_object_set_new(one, "request", filled(c, request, tags));
        json_array_append_new(out, one);
    }
    return out;
}

static um_err searches(struct um_call *c)
{
    struct component m;
    um_err err = component_find(c, UM_CATEGORY_VIRTUAL_FOLDER, um_arg_id(c, "ids", 0), &m);

    if (err == UM_OK)
        c->reply = virtual_folder_searches(c, &m);
    component_done(&m);
    return err;
}

/* ---- contents ---- */

enum { SEARCHES_MAX = 20 };                  /* of a class, run by one call */

/* A page of what ONE finds: where it begins is the caller's business, what else it counts nobody's here. */
static json_t *page_of(const struct um_call *c, const json_t *one)
{
    static const char *const without[] = { "start", "after", "aggregation" };
    json_t *page = json_copy(json_object_get(one, "request"));

    if (page == NULL)
        page = json_object();
    for (size_t i = 0; i < UM_COUNT(without); i++)
        json_object_del(page, without[i]);
    json_object_set_new(page, "max", json_integer(um_arg_int(c, "max", 100)));
    json_object_set_new(page, "start", json_integer(um_arg_int(c, "start", 0)));
    if (um_arg(c, "after") != NULL)
        json_object_set_new(page, "after", json_string(um_arg(c, "after")));
    return page;
}

static um_err run_one(struct um_call *c, const json_t *one)
{
    static const char *const about[] = { "id", "category", "displayNames" };
    const char *word = json_string_value(json_object_get(one, "category"));
    enum um_category k = UM_CATEGORY_DOCUMENT;
    json_t *page, *found = NULL;
    um_err err;

    if (word != NULL && !um_category_of(word, &k))
        return um_fail(c, UM_T00104, "the search %s is for no category of components", um_body_id(one) != NULL ? um_body_id(one) : "");
    page = page_of(c, one);
    err = search_run(c, k, page, "", true, &found);
    json_decref(page);
    if (err != UM_OK)
        return err;
    for (size_t i = 0; i < UM_COUNT(about); i++)
        if (json_object_get(one, about[i]) != NULL)
            json_object_set(found, about[i], json_object_get(one, about[i]));
    json_array_append_new(c->reply, found);
    return UM_OK;
}

static bool is_wanted(const struct um_call *c, const json_t *one)
{
    const char *wanted = um_arg(c, "search"), *id = um_body_id(one);

    return wanted == NULL || (id != NULL && strcmp(wanted, id) == 0);
}

static um_err run_all(struct um_call *c, const json_t *all)
{
    um_err err = UM_OK;
    size_t i;
    json_t *one;

    json_array_foreach(all, i, one) {
        if (err != UM_OK || !is_wanted(c, one))
            continue;
        err = json_array_size(c->reply) < SEARCHES_MAX
                  ? run_one(c, one) : um_fail(c, UM_U00413, "its class has more than %d searches: name one", SEARCHES_MAX);
    }
    if (err == UM_OK && um_arg(c, "search") != NULL && json_array_size(c->reply) == 0)
        err = um_fail(c, UM_U00404, "its class has no search %s", um_arg(c, "search"));
    return err;
}

static um_err contents(struct um_call *c)
{
    struct component m;
    json_t *all = NULL;
    um_err err = component_find(c, UM_CATEGORY_VIRTUAL_FOLDER, um_arg_id(c, "ids", 0), &m);

    c->reply = json_array();
    if (err == UM_OK && um_arg(c, "after") != NULL && um_arg(c, "search") == NULL)
        err = um_fail(c, UM_U00400, "after is of one search: name it");
    if (err == UM_OK) {
        all = virtual_folder_searches(c, &m);
        err = run_all(c, all);
    }
    json_decref(all);
    component_done(&m);
    return err;
}

const struct um_domain_call um_virtual_folders_contents = { "virtualFolder.contents", contents, 0 };
const struct um_domain_call um_virtual_folders_searches = { "virtualFolder.searches", searches, 0 };
