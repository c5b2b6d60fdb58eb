/* bench_jobs URL fill N [SCOPE REGISTRATION HANDLER OBJECTS] | drain SECONDS [CORES [REDIS]] | steady SECONDS
 *   [CORES [REDIS]] | latency N [CORES [REDIS]]
 *
 * The queue end to end, with a handler that does nothing, on a store that is ours alone. fill: N jobs that wait, each in a lane of its own,
 * in four registrations; or for OBJECTS, one after the other, as if each had been renamed again and again, for a core that runs on the
 * same store. drain: jobs done per second while those wait. steady: 64 operations on their way, each a unit of its own
 * that adds a job; the next one begins when a handler has ended. latency: one at a time, of a registration of its own, from the answer to
 * the handler. Lines of JSON; the time of our own processor is of this process, so with SQLite it is all of it. CORES: engines with stores
 * of their own, in one process. REDIS: a port; without it they hear of jobs within the process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <umbel/jobs.h>
#include <umbel/log.h>
#include <umbel/metrics.h>
#include <umbel/redis.h>
#include <umbel/store.h>
#include <umbel/util.h>
#include "um_test_redis.h"

enum { FRESH = 100000000,        /* numbers from here on are of the registration "fresh" */
       TOGETHER = 64, PORTION = 500, REGISTRATIONS = 4, CORES_MAX = 4, WORKERS = 64, TURN_MS = 20, WAIT_MS = 600000 };

struct bench {
    struct um_loop *loop;
    struct um_store *st[CORES_MAX];
    struct um_jobs *j[CORES_MAX];
    struct um_redis_conf redis_conf;
    struct um_redis *redis;                   /* NULL: none */
    struct um_jobs_conf conf;
    int cores;
    int64_t added, fresh, filled, wanted, open, failed;
    int64_t until_us, answered_us, began_us;
    bool adds;
    char *const *as;                          /* fill: scope, registration, handler, objects; NULL: the four */
};

static struct um_metric *done_counter(void) { return um_metrics_find("operation.queue.done"); }

static int64_t cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (int64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static um_err add_one(struct um_sql *q, int64_t n, char id[UM_JOB_ID_LEN + 1])
{
    char registration[16], object[32];
    struct um_job_new j = { .scope = "main", .registration = registration, .handler = "bench", .action = "UPDATE", .phase = "AFTER",
        .category = "DOCUMENT", .object = object, .user = "ann",
        .payload = UM_SPAN_STR("{\"component\":{\"id\":\"invoice\",\"name\":\"a body of some hundred bytes, as a component's is\"}}") };

    if (n >= FRESH)
        snprintf(registration, sizeof(registration), "fresh");
    else
        snprintf(registration, sizeof(registration), "r%lld", (long long)(n % REGISTRATIONS));
    snprintf(object, sizeof(object), "o%lld", (long long)n);
    return um_jobs_add(q, &j, id);
}

/* ---- filling ---- */

/* What a handler is told of an operation (core/domain/operations/context.c). The name is what the object was given by its K-th. */
static um_err add_named(const struct bench *b, struct um_sql *q, int64_t n)
{
    int64_t objects = atoll(b->as[3]), k = n / objects + 1;
    char object[32], payload[600], id[UM_JOB_ID_LEN + 1];
    struct um_job_new j = { .scope = b->as[0], .registration = b->as[1], .handler = b->as[2], .action = "UPDATE", .phase = "AFTER",
        .category = "DOCUMENT", .object = object, .user = "ann" };

    snprintf(object, sizeof(object), "o%lld", (long long)(n % objects));
    snprintf(payload, sizeof(payload), "{\"id\":\"%lld\",\"user\":\"ann\",\"requestId\":\"fill\",\"registration\":\"%s\","
             "\"component\":{\"id\":\"%s\",\"name\":\"%lld\"},\"previous\":{\"name\":\"%lld\"}}", (long long)n, b->as[1], object,
             (long long)k, (long long)k - 1);
    j.payload = UM_SPAN_STR(payload);
    return um_jobs_add(q, &j, id);
}

static um_err add_portion(void *arg, struct um_sql *q)
{
    const struct bench *b = arg;
    char id[UM_JOB_ID_LEN + 1];
    um_err err = UM_OK;

    for (int64_t n = b->filled; n < UM_MIN(b->filled + PORTION, b->wanted) && err == UM_OK; n++)
        err = b->as != NULL ? add_named(b, q, n) : add_one(q, n, id);
    return err;
}

static void portion_added(void *arg, um_err err)
{
    struct bench *b = arg;

    b->failed += err != UM_OK;
    b->filled += PORTION;
    b->open--;
}

static void fill(struct bench *b, int64_t n)
{
    b->wanted = n;
    while (b->filled < n) {
        b->open = 1;
        um_store_transact(b->st[0], b->loop, add_portion, portion_added, b);
        while (b->open > 0)
            um_loop_turn(b->loop, TURN_MS);
    }
}

/* ---- doing ---- */

static void start_adding(struct bench *b);

static void do_nothing(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct bench *b = arg;

    if (strcmp(job->registration, "fresh") == 0) {
        b->fresh++;
        b->began_us = um_now_us();
    }
    um_job_finish(run);
    if (b->adds && um_now_us() < b->until_us)
        start_adding(b);
}

static void start_engines(struct bench *b)
{
    static const char *const names[] = { "core-1", "core-2", "core-3", "core-4" };

    for (int i = 0; i < b->cores; i++) {
        struct um_jobs_env env = { .loop = b->loop, .store = b->st[i], .redis = b->redis, .worker = names[i], .conf = &b->conf, .works = true };

        if (um_jobs_new(&b->j[i], &env) != UM_OK)
            exit(1);
        um_jobs_serve(b->j[i], "bench", do_nothing, b);
        um_jobs_start(b->j[i]);
    }
}

/* An operation under way. */
struct operation { struct bench *b; int64_t n; char id[UM_JOB_ID_LEN + 1]; };

static um_err add_work(void *arg, struct um_sql *q)
{
    struct operation *o = arg;

    return add_one(q, FRESH + o->n, o->id);
}

static void added(void *arg, um_err err)
{
    struct operation *o = arg;
    struct bench *b = o->b;

    b->answered_us = um_now_us();
    b->failed += err != UM_OK;
    b->open--;
    um_jobs_added(b->j[o->n % b->cores], (const char *[]){ o->id }, 1);
    free(o);
}

static void start_adding(struct bench *b)
{
    struct operation *o = um_xcalloc(1, sizeof(*o));

    *o = (struct operation){ .b = b, .n = ++b->added };
    b->open++;
    um_store_transact(b->st[o->n % b->cores], b->loop, add_work, added, o);
}

static void say(const struct bench *b, const char *what, const char *metric, const char *unit, double value)
{
    printf("{\"bench\":\"jobs\",\"case\":\"%s\",\"subject\":\"umbel\",\"cores\":%d,\"metric\":\"%s\",\"unit\":\"%s\",\"value\":%.1f}\n", what, b->cores,
           metric, unit, value);
}

static void measure(struct bench *b, const char *what, int64_t seconds, bool adds)
{
    int64_t began_us = um_now_us(), began_cpu_us = cpu_us(), done, us;

    b->until_us = began_us + seconds * 1000000;
    b->adds = adds;
    for (int i = 0; adds && i < TOGETHER; i++)
        start_adding(b);
    while (um_now_us() < b->until_us)
        um_loop_turn(b->loop, TURN_MS);
    done = um_metric_value(done_counter());
    us = um_now_us() - began_us;
    say(b, what, "jobs", "", (double)done);
    say(b, what, "throughput", "jobs/s", (double)done * 1e6 / (double)us);
    say(b, what, "cpu", "us/job", (double)(cpu_us() - began_cpu_us) / (double)UM_MAX(done, 1));
    if (b->failed > 0 || um_metric_value(um_metrics_find("operation.queue.troubles")) > 0)
        printf("{\"bench\":\"jobs\",\"case\":\"%s\",\"failed\":%lld,\"troubles\":%lld}\n", what, (long long)b->failed,
               (long long)um_metric_value(um_metrics_find("operation.queue.troubles")));
    while (b->open > 0)
        um_loop_turn(b->loop, TURN_MS);
}

static int by_value(const void *a, const void *b) { return (*(const int64_t *)a > *(const int64_t *)b) - (*(const int64_t *)a < *(const int64_t *)b); }

static void latency(struct bench *b, int64_t n)
{
    int64_t *all = um_xcalloc((size_t)n, sizeof(*all)), end_ms = um_now_ms() + WAIT_MS;

    b->adds = false;
    for (int64_t i = 0; i < n && um_now_ms() < end_ms; i++) {
        int64_t before = b->fresh;

        start_adding(b);
        while ((b->fresh == before || b->open > 0) && um_now_ms() < end_ms)
            um_loop_turn(b->loop, TURN_MS);
        all[i] = UM_MAX(b->began_us - b->answered_us, 0);
    }
    qsort(all, (size_t)n, sizeof(*all), by_value);
    say(b, "latency", "median", "us", (double)all[n / 2]);
    say(b, "latency", "p99", "us", (double)all[n * 99 / 100]);
    free(all);
}

/* ---- life ---- */

static bool open_redis(struct bench *b, int port)
{
    char why[256];

    b->redis_conf = test_redis_conf("bench", port);
    b->redis_conf.queue_max = 10000;
    b->redis_conf.queue_bytes = 16 << 20;
    return port == 0 || um_redis_open(&b->redis, &b->redis_conf, why) == UM_OK;
}

static bool open_all(struct bench *b, const char *url)
{
    struct um_store_conf cf = { .url = url, .commit_delay_ms = 2, .commit_rows = 1024, .max_waiting_bytes = 256 << 20, .user = "", .password = "",
                                .connections = 2, .connect_timeout_ms = 5000, .timeout_ms = 10000 };
    char why[256];

    for (int i = 0; i < b->cores; i++)
        if (um_store_open(&b->st[i], &cf, why) != UM_OK) {
            fprintf(stderr, "%s\n", why);
            return false;
        }
    return true;
}

static void drained(void *arg) { ((struct bench *)arg)->open--; }

/* Nothing stays under a lease for the next run to wait for. */
static void close_all(struct bench *b)
{
    for (int i = 0; i < b->cores && b->j[i] != NULL; i++) {
        b->open++;
        um_jobs_drain(b->j[i], drained, b);
    }
    while (b->open > 0)
        um_loop_turn(b->loop, TURN_MS);
    for (int i = 0; i < b->cores; i++)
        um_jobs_stop(b->j[i]);
    for (int i = 0; i < b->cores; i++)
        um_store_close(b->st[i]);
    um_loop_turn(b->loop, 0);
    for (int i = 0; i < b->cores; i++)
        um_jobs_free(b->j[i]);
    um_redis_close(b->redis);
    um_loop_free(b->loop);
}

int main(int argc, char **argv)
{
    struct bench b = { .conf = { .lease_ms = 60000, .shutdown_ms = 10000, .max_attempts = 5, .max_waiting = 100000, .backoff_ms = 1000,
                                 .backoff_max_ms = 300000, .workers = WORKERS, .sweep_ms = 5000 } };
    const char *mode = argc > 3 ? argv[2] : "";
    int64_t n = argc > 3 ? atoll(argv[3]) : 0;

    um_log_set_level(NULL, UM_WARN);
    b.loop = um_loop_new(0);
    b.as = argc == 8 ? argv + 4 : NULL;
    b.cores = argc == 5 || argc == 6 ? atoi(argv[4]) : 1;
    if (n < 1 || b.cores < 1 || b.cores > CORES_MAX || !open_redis(&b, argc == 6 ? atoi(argv[5]) : 0) || !open_all(&b, argv[1]))
        return 2;
    if (strcmp(mode, "fill") != 0)
        start_engines(&b);
    if (strcmp(mode, "fill") == 0)
        fill(&b, n);
    else if (strcmp(mode, "latency") == 0)
        latency(&b, n);
    else
        measure(&b, mode, n, strcmp(mode, "steady") == 0);
    close_all(&b);
    return b.failed > 0;
}
