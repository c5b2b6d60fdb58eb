/* A database with jobs and calls that look synchronous. UMBEL_STORE_URL (an empty PostgreSQL database) makes the tests run over
 * that, each process of it with a store of its own; otherwise one store in memory is everybody's. */
#ifndef JOBS_RIG_H
#define JOBS_RIG_H
#include "um_test.h"
#include <umbel/util.h>
#include "rows.h"

enum { RIG_STORES = 2 };

struct jobs_rig {
    struct um_loop *loop;
    struct um_store *st[RIG_STORES];          /* the same one twice without PostgreSQL */
    struct um_jobs_conf conf;
};

#define UNTIL(r, cond)                                     \
    do {                                                   \
        int64_t end_ = um_now_ms() + 20000;                \
        while (!(cond) && um_now_ms() < end_)              \
            um_loop_turn((r)->loop, 5);                    \
        if (!(cond))                                       \
            fail_msg("never came true: %s", #cond);        \
    } while (0)

void jobs_rig_open(void **state);
int jobs_rig_setup(void **state);             /* state: a new rig, no rows */
int jobs_rig_teardown(void **state);

um_err rig_unit(struct jobs_rig *r, size_t store, um_store_work *work, void *arg);       /* a loose one */
um_err rig_view(struct jobs_rig *r, um_store_work *work, void *arg);
um_err rig_sql(struct jobs_rig *r, const char *text);

/* Of handler "test", payload {}. */
um_err rig_add(struct jobs_rig *r, const char *registration, const char *object, char id[UM_JOB_ID_LEN + 1]);
um_err rig_add_for(struct jobs_rig *r, const char *registration, const char *object, const char *handler, char id[UM_JOB_ID_LEN + 1]);
/* Up to MAX of everything that is due. C is set, and cleared by the caller. */
void rig_claim(struct jobs_rig *r, size_t store, const char *worker, size_t max, struct job_claim *c);
/* How END went for the job that was taken. */
bool rig_end(struct jobs_rig *r, const struct job_taken *t, enum job_how how, int64_t delay_ms);
bool rig_end_as(struct jobs_rig *r, int64_t num, uint64_t fence, enum job_how how, int64_t delay_ms);
json_t *rig_get(struct jobs_rig *r, const char *id);       /* NULL: no such job; the caller decrefs it */
void rig_expect(struct jobs_rig *r, const char *id, const char *status, int attempts);   /* NULL: it is gone */
int64_t rig_count(struct jobs_rig *r, const char *status);

#endif
