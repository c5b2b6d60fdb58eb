/* Versions: when one is kept, and who contributed to it. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include "store_internal.h"

enum { CONTRIBUTORS_MAX = 1000 };            /* users that are told apart between two versions; others count as "" */

bool store_version_is_due(const struct um_store_conf *cf, uint64_t last_seq, int64_t last_ms, uint64_t seq, int64_t now_ms)
{
    if (cf->versions_keep == 0 || seq <= last_seq)
        return false;
    if (cf->versions_every_changes > 0 && seq - last_seq >= (uint64_t)cf->versions_every_changes)
        return true;
    return cf->versions_every_ms > 0 && now_ms - last_ms >= cf->versions_every_ms;
}

static json_t *entry_of(json_t *list, const char *user)
{
    json_t *entry;
    size_t i;

    json_array_foreach(list, i, entry) {
        const char *name = json_string_value(json_object_get(entry, "user"));

        if (name != NULL && strcmp(name, user) == 0)
            return entry;
    }
    if (json_array_size(list) >= CONTRIBUTORS_MAX && user[0] != '\0')
        return entry_of(list, "");
    entry = json_pack("{s:s, s:i}", "user", user, "changes", 0);
    json_array_append_new(list, entry);
    return entry;
}

char *store_contributors_add(const char *json, const char *user, int64_t n)
{
    json_t *list = json_loads(json, 0, NULL), *entry;
    char *text;

    if (!json_is_array(list)) {
        json_decref(list);
        list = json_array();
    }
    entry = entry_of(list, user);
    json_object_set_new(entry, "changes", json_integer(json_integer_value(json_object_get(entry, "changes")) + n));
    text = json_dumps(list, JSON_COMPACT);
    json_decref(list);
    return text != NULL ? text : um_xstrdup("[]");
}
