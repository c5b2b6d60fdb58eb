/* Rows: the queue of asynchronous operations, and the door of workers outside. */
#include <umbel/jobs.h>
#include "routes.h"

#define PARAM_SCOPE { .name = "scope", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_SCOPE_MAX, \
                      .text = "another scope, or * for all: role SYSTEM_ADMIN" }
#define PARAM_REGISTRATION { .name = "registration", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, \
                             .text = "of this registration alone" }
#define PARAM_OBJECT { .name = "objectId", .in = UM_API_QUERY, .type = UM_API_STRING, .min = 1, .max = UM_DOMAIN_ID_MAX, \
                       .text = "for this component alone" }
#define PARAM_DRY_RUN { .name = "dryRun", .in = UM_API_QUERY, .type = UM_API_BOOL, .text = "says how many, and does nothing" }
#define PARAM_JOB { .name = "id", .in = UM_API_PATH, .type = UM_API_STRING, .min = UM_JOB_ID_LEN, .max = UM_JOB_ID_LEN, .text = "the job's id" }

static const struct um_api_param list_params[] = {
    PARAM_SCOPE, PARAM_REGISTRATION, PARAM_OBJECT,
    { .name = "since", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = (INT64_C(1) << 53) - 1, .text = "made at this moment or later, ms since 1970" },
    { .name = "start", .in = UM_API_QUERY, .type = UM_API_INT, .min = 0, .max = INT32_MAX, .initial = "0", .text = "how many to pass over" },
    PARAM_PAGE_SIZE(UM_JOBS_PAGE_MAX), { 0 },
};
static const struct um_api_param count_params[] = { PARAM_SCOPE, PARAM_REGISTRATION, PARAM_OBJECT, { 0 } };
static const struct um_api_param change_params[] = { PARAM_SCOPE, PARAM_REGISTRATION, PARAM_OBJECT, PARAM_DRY_RUN, { 0 } };
static const struct um_api_param one_params[] = { PARAM_JOB, PARAM_SCOPE, { 0 } };
static const struct um_api_param his_params[] = { PARAM_JOB, { 0 } };
static const struct um_api_param pause_params[] = { PARAM_SCOPE, PARAM_REGISTRATION, { 0 } };
static const struct um_api_param scope_params[] = { PARAM_SCOPE, { 0 } };

#define LISTS(word, status_, what) \
    { .method = "GET", .path = "/core/rest/jobs/" word, .handler = platform_call, .role = ADMIN, .call = CALL_OF(um_job_list, "status", status_), \
      .id = "jobs." word, .summary = "jobs that " what, .params = list_params, .replies = { REPLY("JobPage", "oldest first") } }, \
    { .method = "GET", .path = "/core/rest/jobs/" word "/count", .handler = platform_call, .role = ADMIN, \
      .call = CALL_OF(um_job_count, "status", status_), .id = "jobs." word ".count", .summary = "how many jobs " what, .params = count_params, \
      .replies = { REPLY("JobCount", "a number") } }

static const struct um_api_row rows[] = {
    LISTS("waiting", "WAITING", "wait for a worker, or for one before them"),
    LISTS("delayed", "DELAYED", "have failed and will be tried again"),
    LISTS("processing", "PROCESSING", "a worker has"),
    LISTS("errors", "ERROR", "have failed for good"),
    { .method = "GET", .path = "/core/rest/jobs/summary", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_summary),
      .id = "jobs.summary", .summary = "the queue in numbers", .params = scope_params, .replies = { REPLY("JobSummary", "of now") } },
    { .method = "GET", .path = "/core/rest/jobs/registrations", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_registrations),
      .id = "jobs.registrations", .summary = "the queue by registration", .params = scope_params,
      .replies = { REPLY("JobRegistrations", "those with the most jobs first, 200 at most") } },
    { .method = "POST", .path = "/core/rest/jobs/retry", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_retry), .id = "jobs.retryAll",
      .summary = "tries jobs again that have failed for good", .params = change_params,
      .replies = { REPLY("JobsMeant", "with dryRun: how many"), REPLY_NOTHING("they wait") } },
    { .method = "POST", .path = "/core/rest/jobs/retry/{id}", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_retry), .id = "jobs.retry",
      .summary = "tries one again that has failed for good", .params = one_params, .replies = { REPLY_NOTHING("it waits") } },
    { .method = "DELETE", .path = "/core/rest/jobs/errors", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_purge), .id = "jobs.purge",
      .summary = "drops jobs that have failed for good; there is no way back", .params = change_params,
      .replies = { REPLY("JobsMeant", "with dryRun: how many"), REPLY_NOTHING("they are gone") } },
    { .method = "DELETE", .path = "/core/rest/jobs/errors/{id}", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_purge),
      .id = "jobs.purgeOne", .summary = "drops one that has failed for good", .params = one_params, .replies = { REPLY_NOTHING("it is gone") } },
    { .method = "POST", .path = "/core/rest/jobs/pause", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_pause), .id = "jobs.pause",
      .summary = "no job is begun, of a registration or of all", .params = pause_params, .replies = { REPLY_NOTHING("those under way go on") } },
    { .method = "POST", .path = "/core/rest/jobs/resume", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_resume), .id = "jobs.resume",
      .summary = "jobs are begun again", .params = pause_params, .replies = { REPLY_NOTHING("from now on") } },
    { .method = "POST", .path = "/core/rest/jobs/rate", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_rate), .id = "jobs.rate",
      .summary = "how many jobs begin in a second, on all cores together", .max_body = 4096, .body = "JobRate", .params = pause_params,
      .replies = { REPLY_NOTHING("from now on") } },
    { .method = "POST", .path = "/core/rest/jobs/lease", .handler = jobs_lease, .role = ADMIN, .call = CALL(um_job_lease), .id = "jobs.lease",
      .summary = "gives a worker outside jobs of handler worker:<queue>; waits for some", .max_body = 4096, .body = "JobLease",
      .replies = { REPLY("LeasedJobs", "none: there are none at the moment") } },
    { .method = "POST", .path = "/core/rest/jobs/{id}/end", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_end), .id = "jobs.end",
      .summary = "a worker outside has done a job, or failed", .max_body = 65536, .body = "JobEnd", .params = his_params,
      .replies = { REPLY_NOTHING("it is known") } },
    { .method = "POST", .path = "/core/rest/jobs/{id}/extend", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_extend),
      .id = "jobs.extend", .summary = "a worker outside goes on with a job", .max_body = 4096, .body = "JobExtend", .params = his_params,
      .replies = { REPLY_NOTHING("its lease begins anew") } },
    { .method = "GET", .path = "/core/rest/jobs/{id}", .handler = platform_call, .role = ADMIN, .call = CALL(um_job_get), .id = "jobs.get",
      .summary = "one job", .params = one_params, .replies = { REPLY("Job", "as it is now") } },
};
PLATFORM_GROUP(rest_jobs, "jobs", "The queue of asynchronous operations", rows);
