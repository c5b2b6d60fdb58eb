/* Hints of jobs that are due, in Redis: what makes the database's queue quick, and nothing rests on.
 *
 *   <ns>:jobs        a stream, an entry for each job: id = the job's. Group "workers", a core's id is its consumer's name.
 *   <ns>:jobs:wake   a channel: "hints", entries were added; "any", something in the database has become due
 *
 * 1. An entry is removed (XACK, XDEL) when its row is final: gone, or in ERROR. Otherwise it stays with its consumer, and after
 *    a lease's time somebody looks at it again (XAUTOCLAIM), at a dead core's too. So an entry may outlive its row for that long,
 *    when another core than its reader did the job.
 * 2. No more than operation.async.max-waiting entries; further jobs are found in the database.
 * 3. Stream and group may vanish at any moment: they are made anew, and the sweep finds the rows.
 *
 * On the engine's loop. All functions take NULL: this process has no Redis. */
#ifndef JOBS_HINTS_H
#define JOBS_HINTS_H
#include <umbel/jobs.h>

struct hints;
struct hints_handler {
    size_t (*room)(void *arg);                /* how many jobs could begin now */
    void (*hint)(void *arg, const char *id);  /* a row to look at; hints_final when it is final or gone */
    void (*came)(void *arg);                  /* that were all of them for now */
    void (*any)(void *arg);                   /* something is due, nobody says what */
};
struct hints *hints_new(const struct um_jobs_env *env, const char *consumer, const struct um_jobs_conf *cf, const struct hints_handler *h,
                        void *arg);
void hints_free(struct hints *h);
/* At the end of this turn. False: Redis is not to be reached, nobody will hear of it. */
bool hints_offer(struct hints *h, const char *id);
bool hints_tell_any(struct hints *h);
void hints_final(struct hints *h, const char *id);
void hints_ask(struct hints *h);              /* there is room now: reads, when there may be more */
void hints_sweep(struct hints *h);            /* entries that somebody has had for too long */

#endif
