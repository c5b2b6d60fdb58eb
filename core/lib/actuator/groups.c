/* Groups of health's components: liveness and readiness, which the components' rows name, and those of
 * management.endpoint.health.group.<name>.*, which may say anew what is in these two. A group may have a path of its own, such as /livez. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

#define PREFIX "management.endpoint.health.group"
enum { GROUPS_MAX = 32, WORDS_MAX = 64, NAME_MAX_BYTES = 64 };

/* ---- lists of words ---- */

static char **words_of(const char *text)
{
    char **words = um_xcalloc(WORDS_MAX + 1, sizeof(*words)), *copy = um_xstrdup(text != NULL ? text : ""), *save;
    size_t n = 0;

    for (char *p = copy; n < WORDS_MAX && (p = strtok_r(p, ", \t", &save)) != NULL; p = NULL)
        words[n++] = um_xstrdup(p);
    free(copy);
    return words;
}

static void words_free(char **words)
{
    for (size_t i = 0; words != NULL && words[i] != NULL; i++)
        free(words[i]);
    free(words);
}

static bool lists(char *const *words, const char *name)
{
    for (size_t i = 0; words[i] != NULL; i++)
        if (strcmp(words[i], "*") == 0 || um_ascii_ieq(words[i], name))
            return true;
    return false;
}

bool group_has(const struct group *g, const char *component) { return lists(g->include, component) && !lists(g->exclude, component); }

const struct group *group_find(const struct um_actuator *a, const char *name)
{
    for (size_t i = 0; i < a->n_groups; i++)
        if (um_ascii_ieq(a->groups[i].name, name))
            return &a->groups[i];
    return NULL;
}

/* ---- making them ---- */

static struct group *add(struct um_actuator *a, const char *name, size_t len)
{
    size_t at = 0;

    for (; at < a->n_groups; at++) {
        int by = strncasecmp(a->groups[at].name, name, len);
        if (by == 0 && a->groups[at].name[len] == '\0')
            return &a->groups[at];
        if (by > 0)
            break;
    }
    if (a->n_groups == GROUPS_MAX || len == 0 || len > NAME_MAX_BYTES)
        return NULL;
    memmove(&a->groups[at + 1], &a->groups[at], (a->n_groups++ - at) * sizeof(a->groups[0]));
    a->groups[at] = (struct group){ .name = um_xstrndup(name, len), .include = words_of(""), .exclude = words_of(""), .show_details = -1,
                                    .show_components = -1 };
    return &a->groups[at];
}

/* What the rows of the components say. */
static void add_own(struct um_actuator *a)
{
    for (size_t i = 0; i < a->s.n_components; i++) {
        const char *name = a->s.components[i].group;
        struct group *g = name != NULL ? add(a, name, strlen(name)) : NULL;
        size_t n = 0;

        if (g == NULL)
            continue;
        while (g->include[n] != NULL)
            n++;
        if (n < WORDS_MAX)
            g->include[n] = um_xstrdup(a->s.components[i].name);
    }
}

static const char *value_of(const struct um_actuator *a, const struct group *g, const char *what)
{
    return um_conf_getf(a->s.settings, PREFIX ".%s.%s", g->name, what);
}

static bool knows(const struct um_actuator *a, char *const *words)
{
    for (size_t i = 0, k; words[i] != NULL; i++) {
        for (k = 0; k < a->s.n_components && !um_ascii_ieq(a->s.components[k].name, words[i]); )
            k++;
        if (k == a->s.n_components && strcmp(words[i], "*") != 0)
            return actuator_fail(PREFIX ".<name>.include", words[i], "there is no such component");
    }
    return true;
}

static bool read_words(const struct um_actuator *a, const struct group *g, const char *what, char ***out)
{
    const char *text = value_of(a, g, what);

    if (text == NULL)
        return true;
    words_free(*out);
    *out = words_of(text);
    return knows(a, *out);
}

static bool read_show(const struct um_actuator *a, const struct group *g, const char *what, int *out)
{
    const char *text = value_of(a, g, what);

    if (text == NULL)
        return true;
    *out = actuator_word(text, actuator_shows_words);
    return *out >= 0 || actuator_fail(PREFIX ".<name>.show-…", text, "expected never, when-authorized or always");
}

/* server:/healthz, management:/healthz: one segment. */
static bool read_probe(const struct um_actuator *a, struct group *g)
{
    const char *text = value_of(a, g, "additional-path"), *path = text != NULL ? strchr(text, ':') : NULL;
    bool on_management = path != NULL && strncmp(text, "management:", 11) == 0;

    if (text == NULL)
        return true;
    if (path == NULL || (!on_management && strncmp(text, "server:", 7) != 0) || path[1] != '/' || path[2] == '\0' ||
        path[2 + strspn(path + 2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")] != '\0')
        return actuator_fail(PREFIX ".<name>.additional-path", text, "expected server:/name or management:/name");
    free(g->probe);
    g->probe = um_xstrdup(path + 1);
    g->on_management = on_management && a->s.conf->port > 0;
    return true;
}

static bool read_group(const struct um_actuator *a, struct group *g)
{
    return read_words(a, g, "include", &g->include) && read_words(a, g, "exclude", &g->exclude) &&
           read_show(a, g, "show-details", &g->show_details) && read_show(a, g, "show-components", &g->show_components) && read_probe(a, g);
}

static bool add_configured(struct um_actuator *a)
{
    const char *rest, *value;
    size_t pos = 0;

    while (um_conf_next(a->s.settings, PREFIX, &pos, &rest, &value)) {
        size_t n = strcspn(rest, ".");
        if (rest[n] != '.' || add(a, rest, n) == NULL)
            return actuator_fail(PREFIX, rest, "expected <name>.include, at most 32 names");
    }
    for (size_t i = 0; i < a->n_groups; i++)
        if (!read_group(a, &a->groups[i]))
            return false;
    return true;
}

static void set_probe(struct um_actuator *a, const char *name, const char *path)
{
    for (size_t i = 0; i < a->n_groups; i++)
        if (strcmp(a->groups[i].name, name) == 0 && a->groups[i].probe == NULL)
            a->groups[i].probe = um_xstrdup(path);
}

bool groups_open(struct um_actuator *a)
{
    a->groups = um_xcalloc(GROUPS_MAX, sizeof(*a->groups));
    add_own(a);
    if (a->s.settings != NULL && !add_configured(a))
        return false;
    if (a->s.conf->add_probes) {
        set_probe(a, "liveness", "/livez");
        set_probe(a, "readiness", "/readyz");
    }
    return true;
}

void groups_close(struct um_actuator *a)
{
    for (size_t i = 0; i < a->n_groups; i++) {
        free(a->groups[i].name);
        words_free(a->groups[i].include);
        words_free(a->groups[i].exclude);
        free(a->groups[i].probe);
    }
    free(a->groups);
}

/* ---- paths of their own ---- */

bool um_actuator_each_probe(const struct um_actuator *a, size_t *pos, const char **path, bool *on_management)
{
    for (; *pos < a->n_groups; (*pos)++)
        if (a->groups[*pos].probe != NULL) {
            *path = a->groups[*pos].probe;
            *on_management = a->groups[(*pos)++].on_management;
            return true;
        }
    return false;
}
