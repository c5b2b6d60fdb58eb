/* What the files of this module share.
 *
 *   add.c, claim.c, ends.c     a job's row, inside units (rows.h)        controls.c  pauses and rates, likewise
 *   list.c, by_registration.c, operate.c, lease.c: what operators and external workers ask   figures.c   how many there are
 *   engine.c   the object: what it is told, timers, the end              handlers.c  who does what
 *   cycle.c    one unit at a time: ends, renewals and claims together     hints.c     Redis, which tells who has time */
#ifndef JOBS_INTERNAL_H
#define JOBS_INTERNAL_H
#include <stdatomic.h>
#include <umbel/list.h>
#include "counters.h"
#include "hints.h"
#include "rows.h"

/* A job at this core.
 *
 *   RUNNING --its handler ends it--> ENDED --a unit has noted that--> gone
 *      |  \--um_job_finish_with--> WITH (a unit of its own) --done--> gone; --not done--> ENDED, a failed attempt
 *      \--the core stops--> ENDED (handed back) --a unit has noted that--> LEFT --its handler ends it--> gone */
enum run_state { RUN_RUNNING, RUN_WITH, RUN_ENDED, RUN_LEFT };

struct um_job_run {
    struct um_list link;                      /* in um_jobs.runs */
    struct um_jobs *j;
    struct job_taken *taken;
    enum run_state state;
    unsigned refs;                            /* the list's, and the unit's that is under way */
    struct job_end end;                       /* of ENDED; how, code, message: set by who ends it, before it is posted */
    char *code, *message;
    bool is_final;
    int64_t put_off_ms;                       /* 0: it is not put off */
    void (*on_end)(void *arg, bool is_over);  /* NULL: nobody asks */
    void *on_end_arg;
    bool is_over;                             /* the row is gone, or in ERROR */
    bool is_left;                             /* handed back while its handler still has it */
    bool is_unsure;                           /* a unit that ended it may have been committed */
    _Atomic bool lost;
    int64_t sure_until_ms;                    /* um_now_ms: end of the lease as far as we know */
    int64_t began_us;                         /* um_now_us */
    /* WITH */
    um_store_work *work;
    void *arg;
    void (*done)(void *arg, um_err err);
    bool was_held;
    struct nums promoted;
};

enum { UNSURE_MAX = 1000 };                   /* beyond: they come back with the end of their lease */

struct handler { const char *prefix; um_job_fn *fn; void *arg; };

struct cycle {                                /* a unit under way; the store's until it answers */
    struct um_jobs *j;
    struct um_job_run **runs;                 /* one for each end */
    struct job_end *ends;
    size_t n_ends;
    struct nums promoted;
    const struct job_mark *disowned;          /* um_jobs.unsure: it does not change meanwhile */
    size_t n_disowned;
    json_t *hinted;                           /* ids of rows that are to be looked at; NULL: none */
    char *ids;                                /* the same as text */
    struct job_claim claim;
    int64_t began_ms;                         /* um_now_ms */
};

struct um_jobs {
    struct um_jobs_env env;
    struct um_jobs_conf conf;
    char *worker;
    struct handler *handlers;
    size_t n_handlers;
    struct um_list runs;
    size_t n_runs;                            /* of them, not LEFT */
    struct cycle cycle;
    bool in_unit, is_started, is_draining;
    bool is_stopped;                          /* the store is not to be asked any more */
    bool wants;                               /* something may be due */
    bool has_backlog;                         /* more was due than we had room for */
    int64_t share_ms;                         /* um_now_ms: from then on a unit shares its room among queues */
    bool renews;
    struct job_mark unsure[UNSURE_MAX];       /* claims that may have been committed, of units whose answer was lost; none was begun */
    size_t n_unsure;
    int64_t after_queue;
    unsigned n_troubles;                      /* one after another */
    struct um_timer sweep, due, renew, retry, drain;
    void (*drained)(void *arg);
    void *drained_arg;
    struct figures *figures;
    struct hints *redis;                      /* NULL: none */
    json_t *hinted;                           /* ids that came, for the next unit */
    _Atomic bool is_healthy;
};

/* cycle.c; on the loop */
void cycle_maybe(struct um_jobs *j);          /* begins a unit when there is something to do and none is under way */
void cycle_free(struct cycle *c);

/* engine.c; on the loop */
void jobs_note_due(struct um_jobs *j, int64_t in_ms);          /* something will be due then */
void jobs_check_drained(struct um_jobs *j);
size_t jobs_room(const struct um_jobs *j);    /* how many jobs could begin now */

/* handlers.c */
bool handlers_serve(const struct um_jobs *j, const char *handler);
void run_begin(struct um_jobs *j, struct job_taken *taken, int64_t sure_until_ms);      /* TAKEN is its from now on */
void run_unref(struct um_job_run *r);
void run_close(struct um_job_run *r);         /* leaves the list */
void run_leave(struct um_job_run *r);         /* RUNNING: to be handed back */

/* figures.c */
struct figures *figures_new(struct um_jobs *j);
void figures_look(struct figures *f);         /* counts anew, when that is due */
void figures_free(struct figures *f);

#endif
