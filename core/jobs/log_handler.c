/* The handler `log`. */
#include <umbel/log.h>
#include "internal.h"

static void write_line(void *arg, struct um_job_run *run, const struct um_job *job)
{
    (void)arg;
    um_log_limited(UM_INFO, "jobs", "operation", UM_S("job", job->id), UM_S("scope", job->scope), UM_S("registration", job->registration),
                   UM_S("action", job->action), UM_S("phase", job->phase), UM_S("category", job->category), UM_S("object", job->object),
                   UM_S("user", job->user), UM_S("request", job->request), UM_I("attempt", job->attempt));
    um_job_finish(run);
}

void um_jobs_serve_log(struct um_jobs *j) { um_jobs_serve(j, "log", write_line, NULL); }
