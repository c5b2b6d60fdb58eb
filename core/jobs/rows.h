/* The rows of jobs, inside units of work. Everything here blocks, and may be run again.
 *
 *   status      due_ms              is
 *   NEW         since it was added  nobody has looked yet whether its lane is free: adding reads nothing
 *   BEHIND      NULL                another one of its lane comes first
 *   READY       since when          the head of its lane
 *   DELAYED     when                the head of its lane, after a failed attempt
 *   PROCESSING  end of its lease    the head of its lane, with WORKER; beyond the lease anybody may take it
 *   ERROR       NULL                has left its lane
 *
 * 1. A lane has one head at most (index jobs_heads), whatever the isolation.
 * 2. A lane with BEHIND rows has a head. So who puts a row behind a head changes the head's row (its column `behind`) in the same
 *    transaction: whoever ends the head at that time sees the row, or is run again.
 * 3. Nobody waits for a lock while he holds one that another of us may want: claims skip what is locked; ends lock rows that
 *    are theirs by the lease, in order.
 * 4. Moments are the database's. */
#ifndef JOBS_ROWS_H
#define JOBS_ROWS_H
#include <umbel/jobs.h>
#include "nums.h"

enum job_status { JOB_NEW, JOB_BEHIND, JOB_READY, JOB_DELAYED, JOB_PROCESSING, JOB_ERROR };

#define JOB_CODE_DIED "T00000"

/* ---- the ends of attempts ---- */

enum job_how { JOB_DONE, JOB_AGAIN, JOB_GIVEN_UP, JOB_HANDED_BACK, JOB_RENEWED };
struct job_end {
    int64_t num;
    uint64_t fence;
    enum job_how how;
    int64_t delay_ms;                         /* JOB_AGAIN */
    bool is_uncounted;                        /* JOB_AGAIN: it was no attempt */
    const char *code, *message;               /* JOB_AGAIN, JOB_GIVEN_UP; borrowed, UTF-8 */
    bool was_ours, is_gone;                   /* set: the lease was held and the end took place; there is no such row any more */
};
/* PROMOTED gets those that became the heads of their lanes, in addition to what it has. */
UM_CHECK_RESULT um_err job_ends(struct um_sql *q, struct job_end *ends, size_t n, int64_t lease_ms, struct nums *promoted);
/* Is the lease held? Locks the row. */
UM_CHECK_RESULT um_err job_is_held(struct um_sql *q, int64_t num, uint64_t fence, bool *held);
/* A claim. What an earlier process of the same name claimed has another fence. */
struct job_mark { int64_t num; uint64_t fence; };
/* Gives back those of CLAIMS that WORKER holds: nobody has begun them. */
UM_CHECK_RESULT um_err job_disown(struct um_sql *q, const char *worker, const struct job_mark *claims, size_t n);
UM_CHECK_RESULT um_err job_promote(struct um_sql *q, const struct nums *lanes, struct nums *promoted);

int64_t job_backoff_ms(const struct um_jobs_conf *cf, unsigned attempt);       /* with its jitter */
bool job_is_final(const char *code);                                           /* F... */

/* ---- claiming ---- */

struct job_taken {                            /* one block */
    int64_t num;
    struct um_job job;
    char text[];
};

struct job_claim {
    const char *worker;
    int64_t lease_ms, max_attempts;
    bool (*serves)(void *arg, const char *scope, const char *handler);
    void *arg;
    size_t max;                               /* so many at most */
    const struct nums *nums;                  /* of these; may be NULL */
    const char *ids;                          /* and of these, a JSON list; NULL: none */
    bool any;                                 /* and of all, queue by queue, the first one behind AFTER_QUEUE */
    bool shares;                              /* ANY: a part of MAX is for those, before NUMS have it all */
    int64_t after_queue;
    /* What came of it; set anew by each run. job_claim_clear frees it. */
    struct job_taken **taken;
    size_t n_taken, n_sorted, n_taken_over, n_died;
    json_t *there;                            /* of IDS: those that have a row, as a set */
    struct nums promoted;                     /* in the lanes of those that died */
    int64_t last_queue, now_ms;
    int64_t next_due_ms;                      /* of ANY: when the next one is due; 0: none */
    bool is_full;                             /* of ANY: there may be more that is due now */
};
UM_CHECK_RESULT um_err job_claim(struct um_sql *q, struct job_claim *c);
void job_claim_clear(struct job_claim *c);

#endif
