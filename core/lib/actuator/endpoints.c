/* Which endpoints there are for whom: exposure, access (management.endpoint.<id>.access), and replies that are kept for a while
 * (management.endpoint.<id>.cache.time-to-live): of the endpoint as a whole, without parameters, apart for who sees more and who less. */
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { KEEP_MAX_MS = 3600 * 1000 };

static bool lists(const struct um_conf_list *list, const char *id)
{
    for (size_t i = 0; i < list->n; i++)
        if (strcmp(list->items[i], "*") == 0 || um_ascii_ieq(list->items[i], id))
            return true;
    return false;
}

/* What Spring Boot 3.3 and before calls it. */
static int enabled_access(const char *text)
{
    int64_t on;

    if (text == NULL || !um_conf_parse(text, UM_CONF_BOOL, &on, NULL))
        return -1;
    return on ? UM_ACTUATOR_UNRESTRICTED : UM_ACTUATOR_NO_ACCESS;
}

static bool read_access(const struct um_actuator *a, const char *id, int *out)
{
    const char *own = um_conf_getf(a->s.settings, "management.endpoint.%s.access", id);
    const char *enabled = um_conf_getf(a->s.settings, "management.endpoint.%s.enabled", id);

    *out = strcmp(id, "shutdown") == 0 ? UM_ACTUATOR_NO_ACCESS : UM_ACTUATOR_UNRESTRICTED;
    if (a->s.conf->access >= 0)
        *out = a->s.conf->access;
    if (enabled != NULL && (*out = enabled_access(enabled)) < 0)
        return actuator_fail("management.endpoint.<id>.enabled", enabled, "expected true or false");
    if (own != NULL && (*out = actuator_word(own, actuator_access_words)) < 0)
        return actuator_fail("management.endpoint.<id>.access", own, "expected none, read-only or unrestricted");
    *out = UM_MIN(*out, a->s.conf->max_access);
    return true;
}

static bool read_keep(const struct um_actuator *a, const char *id, int64_t *out)
{
    const char *text = um_conf_getf(a->s.settings, "management.endpoint.%s.cache.time-to-live", id), *why = NULL;

    *out = 0;
    if (text == NULL || *text == '\0')
        return true;
    if (!um_conf_parse(text, UM_CONF_DURATION_MS, out, &why))
        return actuator_fail("management.endpoint.<id>.cache.time-to-live", text, why);
    return (*out >= 0 && *out <= KEEP_MAX_MS) || actuator_fail("management.endpoint.<id>.cache.time-to-live", text, "expected 0s to 1h");
}

/* ---- keys that say nothing ---- */

static bool is_same(const char *a, const char *b, size_t n_b)
{
    const char *end = b + n_b;

    for (;; a++, b++) {
        while (*a == '-' || *a == '_')
            a++;
        while (b < end && (*b == '-' || *b == '_'))
            b++;
        if (*a == '\0' || b == end)
            return *a == '\0' && b == end;
        if ((*a | 0x20) != (*b | 0x20))
            return false;
    }
}

static bool is_one_of(const char *const *words, const char *what)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (is_same(words[i], what, strlen(what)))
            return true;
    return false;
}

/* ID has N bytes. */
static bool is_known(const struct um_actuator *a, const char *id, size_t n, const char *what)
{
    static const char *const all[] = { "access", "enabled", "cache.time-to-live", NULL }, *const values[] = { "show-values", NULL },
        *const health[] = { "show-details", "show-components", "roles", "probes.add-additional-paths", NULL };

    if (is_same("health", id, n) && (strncmp(what, "group.", 6) == 0 || is_one_of(health, what)))
        return true;
    if ((is_same("env", id, n) || is_same("configprops", id, n)) && is_one_of(values, what))
        return true;
    for (size_t i = 0; i < a->n_endpoints; i++)
        if (is_same(a->s.endpoints[i], id, n))
            return is_one_of(all, what);
    return false;
}

/* The pattern of their row takes every name below management.endpoint. Once: a gateway has an actuator for each reactor. */
static void tell_unknown(const struct um_actuator *a)
{
    static _Atomic bool told;
    const char *rest, *value;
    size_t pos = 0, n;

    if (atomic_exchange(&told, true))
        return;
    while (um_conf_next(a->s.settings, "management.endpoint", &pos, &rest, &value)) {
        n = strcspn(rest, ".");
        if (rest[n] != '.' || !is_known(a, rest, n, rest + n + 1))
            um_log(UM_WARN, "actuator", "unknown key", UM_S("key", "management.endpoint.*"), UM_S("rest", rest));
    }
}

/* ---- life ---- */

bool endpoints_open(struct um_actuator *a)
{
    while (a->s.endpoints[a->n_endpoints] != NULL)
        a->n_endpoints++;
    a->endpoints = um_xcalloc(a->n_endpoints, sizeof(*a->endpoints));
    for (size_t i = 0; i < a->n_endpoints; i++) {
        const char *id = a->s.endpoints[i];
        struct endpoint *e = &a->endpoints[i];

        e->exposed = lists(&a->s.conf->include, id) && !lists(&a->s.conf->exclude, id);
        e->access = UM_ACTUATOR_UNRESTRICTED;
        if (a->s.settings != NULL && (!read_access(a, id, &e->access) || !read_keep(a, id, &e->keep_ms)))
            return false;
    }
    if (a->s.settings != NULL)
        tell_unknown(a);
    return true;
}

void endpoints_close(struct um_actuator *a)
{
    for (size_t i = 0; i < a->n_endpoints; i++)
        for (size_t k = 0; k < KEPT_MAX; k++)
            json_decref(a->endpoints[i].kept[k].body);
    free(a->endpoints);
}

static struct endpoint *find(const struct um_actuator *a, const char *id)
{
    for (size_t i = 0; i < a->n_endpoints; i++)
        if (strcmp(a->s.endpoints[i], id) == 0)
            return &a->endpoints[i];
    return NULL;
}

bool endpoint_is_exposed(const struct um_actuator *a, const char *id)
{
    const struct endpoint *e = find(a, id);

    return e != NULL && e->exposed && e->access != UM_ACTUATOR_NO_ACCESS;
}

/* ---- kept replies ---- */

static bool reads(const struct um_http_req *rq)
{
    return strcmp(um_http_method(rq), "GET") == 0 || strcmp(um_http_method(rq), "HEAD") == 0;
}

struct endpoint *endpoint_kept(struct um_actuator *a, const struct um_http_req *rq, size_t *slot)
{
    const char *path = um_http_path(rq);
    size_t n = strlen(a->base);
    struct endpoint *e;

    if (!reads(rq) || strncmp(path, a->base, n) != 0 || path[n] != '/' || strchr(um_http_raw_target(rq), '?') != NULL)
        return NULL;
    e = find(a, path + n + 1);
    if (e == NULL || e->keep_ms == 0)
        return NULL;
    *slot = (size_t)actuator_shows(a, rq, a->s.conf->show_details) | (size_t)actuator_shows(a, rq, a->s.conf->show_components) << 1 |
            (size_t)actuator_shows(a, rq, a->s.conf->show_values) << 2;
    return e;
}

static bool reply_kept(struct um_actuator *a, struct um_http_req *rq)
{
    size_t slot;
    struct endpoint *e = endpoint_kept(a, rq, &slot);
    json_t *body = NULL;
    unsigned status = 0;

    if (e == NULL)
        return false;
    pthread_mutex_lock(&a->lock);
    if (e->kept[slot].until_ms > um_now_ms()) {
        body = json_deep_copy(e->kept[slot].body);
        status = e->kept[slot].status;
    }
    pthread_mutex_unlock(&a->lock);
    if (body == NULL)
        return false;
    um_actuator_reply(NULL, rq, status, body);
    return true;
}

/* ---- the question of every handler ---- */

bool um_actuator_exposes(const struct um_actuator *a, struct um_http_req *rq, const char *id)
{
    const struct endpoint *e = find(a, id);

    if (!endpoint_is_exposed(a, id)) {
        actuator_not_there(rq, "this endpoint is not exposed (management.endpoints.web.exposure.include, management.endpoint.<id>.access)");
        return false;
    }
    if (e->access == UM_ACTUATOR_READ_ONLY && !reads(rq)) {
        um_http_reply_error(rq, 405, "U00400", "this endpoint may only be read (management.endpoint.<id>.access)");
        return false;
    }
    return !reply_kept((struct um_actuator *)(uintptr_t)a, rq);
}
