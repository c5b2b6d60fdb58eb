/* Where the actuator's rows are (management.endpoints.web.base-path), and groups of health that have a path of their own: rows like all
 * others, made at the start. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "actuator.h"
#include "routes/routes.h"

#define DEFAULT_BASE "/core/actuator"

struct mount {
    struct um_api_group actuator, probes;
    struct um_api_row *rows;                 /* of both */
    char **paths;                            /* of the moved rows */
    size_t n_paths;
    const struct um_api_group **groups;
};

static void probe(struct um_http_req *rq, void *ctx)
{
    um_actuator_probe(((struct um_rest *)ctx)->actuator, rq, um_http_matched_route(rq)->path);
}

static size_t count_probes(const struct um_actuator *a)
{
    const char *path;
    bool on_management;
    size_t pos = 0, n = 0;

    while (um_actuator_each_probe(a, &pos, &path, &on_management))
        n++;
    return n;
}

static void move_rows(struct mount *m, const struct um_actuator *a)
{
    const struct um_api_group *own = &rest_actuator;

    m->paths = um_xcalloc(own->n, sizeof(*m->paths));
    for (size_t i = 0; i < own->n; i++) {
        m->rows[i] = own->rows[i];
        m->paths[m->n_paths] = um_xasprintf("%s%s", um_actuator_base(a), own->rows[i].path + strlen(DEFAULT_BASE));
        m->rows[i].path = m->paths[m->n_paths++];
    }
    m->actuator = (struct um_api_group){ .tag = own->tag, .text = own->text, .rows = m->rows, .n = own->n };
}

static void add_probes(struct mount *m, const struct um_actuator *a)
{
    struct um_api_row *rows = m->rows + rest_actuator.n;
    const char *path;
    bool on_management;
    size_t pos = 0, n = 0;

    while (um_actuator_each_probe(a, &pos, &path, &on_management))
        rows[n++] = (struct um_api_row){ .method = "GET", .path = path, .handler = probe, .flags = UM_HTTP_PUBLIC, .any_query = true,
                                         .summary = "a group of health" };
    m->probes = (struct um_api_group){ .tag = "probes", .text = "Groups of health with paths of their own", .rows = rows, .n = n };
}

um_err mount_api(struct um_rest *r, char why[256])
{
    struct mount *m = r->mount = um_xcalloc(1, sizeof(*m));
    size_t n, n_probes = count_probes(r->actuator);
    const struct um_api_group *const *groups = rest_groups(&n);

    m->rows = um_xcalloc(rest_actuator.n + n_probes, sizeof(*m->rows));
    m->groups = um_xcalloc(n + 1, sizeof(const struct um_api_group *));
    move_rows(m, r->actuator);
    add_probes(m, r->actuator);
    for (size_t i = 0; i < n; i++)
        m->groups[i] = groups[i] == &rest_actuator ? &m->actuator : groups[i];
    m->groups[n] = &m->probes;
    return um_api_new(&r->api, m->groups, n + (n_probes > 0), why);
}

void mount_free(struct mount *m)
{
    if (m == NULL)
        return;
    for (size_t i = 0; i < m->n_paths; i++)
        free(m->paths[i]);
    free(m->paths);
    free(m->rows);
    free(m->groups);
    free(m);
}

/* ---- which of the two ports ---- */

static bool is_probe(const struct um_actuator *a, const char *given, bool *on_management)
{
    const char *path;
    size_t pos = 0;

    while (um_actuator_each_probe(a, &pos, &path, on_management))
        if (strcmp(path, given) == 0)
            return true;
    return false;
}

bool mount_is_here(struct um_http_req *rq, const struct um_http_route *route, const struct um_rest *r, bool management)
{
    bool actuator = um_actuator_has_path(r->actuator, route->path), on_management = false;

    if (is_probe(r->actuator, route->path, &on_management) ? on_management == management
        : management ? actuator : !actuator || r->deps.actuator->port == 0 || (route->flags & UM_HTTP_PUBLIC) != 0)
        return true;
    um_http_reply_error(rq, 404, "U00404", management ? "there is nothing here" : "this is on the actuator's own port (management.server.port)");
    return false;
}
