#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "body.h"
#include "dates.h"

bool um_is_id(const char *id)
{
    size_t n = strlen(id);

    if (n == 0 || n > UM_DOMAIN_ID_MAX || id[0] == ' ' || id[n - 1] == ' ' || !um_utf8_is_valid(id, n))
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)id[i] < 0x20 || id[i] == 0x7f)
            return false;
    return true;
}

const char *um_body_id(const json_t *body) { return json_string_value(json_object_get(body, "id")); }

const char *um_body_data(const json_t *body, const char *member)
{
    return json_string_value(json_object_get(json_object_get(body, "data"), member));
}

int64_t um_body_version(const json_t *body)
{
    return json_integer_value(json_object_get(json_object_get(body, "data"), "version"));
}

static void set_text(json_t *data, const char *member, const char *text)
{
    json_object_set_new(data, member, json_string(text));
}

json_t *um_body_next(const struct um_call *c, const json_t *asked, const json_t *before)
{
    json_t *body = json_copy((json_t *)asked), *given = json_object_get(asked, "data");
    json_t *data = json_is_object(given) ? json_copy(given) : json_object();     /* null is none */
    const char *created = um_body_data(before, "creationDate"), *owner = um_body_data(before, "owner");
    char now[UM_DATE_MAX];

    um_date_text(c->now_ms, now);
    if (um_body_data(asked, "owner") == NULL || before != NULL)
        set_text(data, "owner", owner != NULL ? owner : c->who->user);
    if (um_body_data(asked, "creationDate") == NULL || before != NULL)
        set_text(data, "creationDate", created != NULL ? created : now);
    set_text(data, "lastUpdateDate", now);
    json_object_set_new(data, "version", json_integer(um_body_version(before) + 1));
    json_object_set_new(body, "data", data);
    return body;
}

um_err um_body_text(struct um_call *c, const json_t *body, char **text)
{
    *text = json_dumps(body, JSON_COMPACT);
    if (*text == NULL)
        return um_fail(c, UM_U00400, "a text of the body is no text");
    if (strlen(*text) <= UM_DOMAIN_BODY_MAX)
        return UM_OK;
    free(*text);
    *text = NULL;
    return um_fail(c, UM_U00413, "an object has at most %d bytes", UM_DOMAIN_BODY_MAX);
}

/* If-Match: "3", or *. */
static bool matches(const char *tag, int64_t version)
{
    char own[32];

    snprintf(own, sizeof(own), "\"%lld\"", (long long)version);
    return strcmp(tag, "*") == 0 || strcmp(tag, own) == 0;
}

um_err um_body_check_version(struct um_call *c, const json_t *asked, const json_t *before, const char *path)
{
    const char *tag = um_arg(c, "If-Match");
    int64_t has = um_body_version(before), wants = um_body_version(asked);

    if (tag != NULL && um_arg_n(c, "ids") <= 1 && !matches(tag, has))
        return um_fail(c, UM_U00412, "its version is %lld", (long long)has);
    if (wants != 0 && wants != has)
        return um_fail_at(c, UM_U00409, path, "its version is %lld, not %lld", (long long)has, (long long)wants);
    return UM_OK;
}

um_err um_body_check_ids(struct um_call *c)
{
    if (json_array_size(c->body) != um_arg_n(c, "ids"))
        return um_fail(c, UM_U00400, "the path has %zu ids, the body %zu objects", um_arg_n(c, "ids"), json_array_size(c->body));
    for (size_t i = 0; i < um_arg_n(c, "ids"); i++) {
        const char *own = um_body_id(json_array_get(c->body, i));
        char path[32];

        snprintf(path, sizeof(path), "/%zu/id", i);
        if (own != NULL && strcmp(own, um_arg_id(c, "ids", i)) != 0)
            return um_fail_at(c, UM_U00400, path, "the path names another one here");
    }
    return UM_OK;
}
