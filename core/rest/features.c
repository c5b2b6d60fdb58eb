/* /core/rest/features: what this installation has switched on, truths by name: those that we know, and those that its operator
 * invents for his clients, features.custom.<name>. They say what there is, and change nothing. */
#include <umbel/util.h>
#include "internal.h"

static bool always(const struct um_rest *r)
{
    (void)r;
    return true;
}
static bool has_archive(const struct um_rest *r) { return um_versions_has_archive(r->deps.versions); }
static bool is_clustered(const struct um_rest *r) { return r->deps.redis != NULL; }
static bool has_echo(const struct um_rest *r) { return r->deps.ws->echo_enabled; }
static bool has_free_documents(const struct um_rest *r) { return r->deps.own->free_documents; }
static bool has_directory(const struct um_rest *r)
{
    const char *dir = um_conf_get(r->deps.conf, "file.dir");

    return dir != NULL && *dir != '\0';
}

static const struct { const char *name; bool (*is_on)(const struct um_rest *r); } known[] = {
    { "archive", has_archive },              /* archive.url: old versions and large files lie outside of the database */
    { "clustered", is_clustered },           /* redis.enabled */
    { "collaboration", always },
    { "echo", has_echo },                    /* ws.echo.enabled */
    { "fileDirectory", has_directory },      /* file.dir */
    { "freeDocuments", has_free_documents }, /* collab.free-documents */
    { "fulltext", always },
};

static json_t *internal(const struct um_rest *r)
{
    json_t *all = json_object();

    for (size_t i = 0; i < UM_COUNT(known); i++)
        json_object_set_new(all, known[i].name, json_boolean(known[i].is_on(r)));
    return all;
}

/* The configuration has checked that each is a truth. */
static bool is_true(const char *text)
{
    static const char *const words[] = { "true", "on", "yes", "1" };

    for (size_t i = 0; i < UM_COUNT(words); i++)
        if (um_ascii_ieq(words[i], text))
            return true;
    return false;
}

static json_t *custom(const struct um_rest *r)
{
    json_t *all = json_object();
    const char *name, *text;
    size_t pos = 0;

    while (um_conf_next(r->deps.conf, "features.custom", &pos, &name, &text))
        json_object_set_new(all, name, json_boolean(is_true(text)));
    return all;
}

/* Nobody redefines one that we know. */
static json_t *everything(const struct um_rest *r)
{
    json_t *all = custom(r), *ours = internal(r);

    json_object_update(all, ours);
    json_decref(ours);
    return all;
}

static void reply(struct um_http_req *rq, json_t *adopted)
{
    um_http_add_header(rq, "Cache-Control", "no-cache");
    um_http_reply_json(rq, 200, adopted);
}

void features_list(struct um_http_req *rq, void *ctx) { reply(rq, everything(ctx)); }
void features_internal(struct um_http_req *rq, void *ctx) { reply(rq, internal(ctx)); }
void features_custom(struct um_http_req *rq, void *ctx) { reply(rq, custom(ctx)); }

void features_get(struct um_http_req *rq, void *ctx)
{
    struct um_rest *r = ctx;
    json_t *all = everything(r), *one = json_incref(json_object_get(all, um_api_text(r->api, rq, "name")));

    json_decref(all);
    if (one != NULL)
        reply(rq, one);
    else
        um_http_reply_error(rq, 404, "U00404", "there is no such feature");
}
