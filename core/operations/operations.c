/* See umbel/operations.h: which handlers there are. */
#include <stdlib.h>
#include <umbel/util.h>
#include "internal.h"

static const struct { struct um_handler_kind *kind; um_job_fn *job; bool is_native; } rows[] = {
    { &operations_http, operations_url_job, false },
    { &operations_https, operations_url_job, false },
    { &operations_log, operations_log_job, false },
    { &operations_fulltext, operations_fulltext_job, false },
    { &operations_worker, NULL, false },     /* done by others */
    { &operations_library, operations_library_job, true },       /* a core without libraries leaves their jobs to others */
};

static void on_jobs(void *arg, const char *const *ids, size_t n)
{
    const struct um_operations *o = arg;

    um_jobs_added(o->env.jobs, ids, n);
}

struct um_operations *um_operations_new(const struct um_operations_env *env)
{
    struct um_operations *o = um_xcalloc(1, sizeof(*o));

    o->env = *env;
    um_list_init(&o->reading);
    lookups_init(o);
    _Static_assert(UM_COUNT(rows) <= OPERATIONS_KINDS_MAX, "a place for each");
    for (size_t i = 0; i < UM_COUNT(rows); i++) {
        rows[i].kind->env = o;
        rows[i].kind->may_reserve = rows[i].job != NULL;
        um_domain_add_handlers(env->domain, rows[i].kind);
        if (rows[i].job == NULL || (rows[i].is_native && env->native == NULL))
            continue;
        o->served[i] = (struct operations_served){ o, rows[i].job };
        um_jobs_serve(env->jobs, rows[i].kind->prefix, operations_job, &o->served[i]);
    }
    um_domain_use_jobs(env->domain, env->jobs_conf, on_jobs, o);
    return o;
}

void um_operations_free(struct um_operations *o)
{
    if (o == NULL)
        return;
    operations_fulltext_drop(o);
    lookups_drop(o);
    free(o);
}
