/* What a call knows of handlers over all the runs of its unit: the answers that it has got, the one that it waits for, and what
 * is to be asked after the commit. docs/states/operation.md
 *
 *   RUNNING --needs an answer--> ASKING --answered--> RUNNING --committed--> AFTER --all asked--> answered
 *
 * A run numbers its operations from 0. Runs of one call do the same operations in the same order unless others have changed
 * something in between; an answer counts only for the same operation on the same image. */
#ifndef OPERATIONS_CHAIN_H
#define OPERATIONS_CHAIN_H
#include "operations/operation.h"
#include "operations/registration.h"

enum { CHAIN_ASKED_MAX = 100 };              /* handlers that one call asks */

struct chain;
struct chain *chain_new(void);
void chain_free(struct chain *ch);           /* NULL is fine */
void chain_begin_run(struct chain *ch);
void chain_committed(struct chain *ch);      /* what the run noted for later is to be done */

/* ---- in a run ---- */

size_t chain_next(struct chain *ch);                                             /* the number of an operation */
/* An id for something new: the N-th of a run is the same in all runs. Good until the chain ends or is committed. */
const char *chain_make_id(struct chain *ch);
/* A UUID of operation I, the same in all runs. */
const char *chain_uuid(struct chain *ch, size_t i);

struct chain_answer {
    bool is_done;
    json_t *reply;                           /* NULL: nothing */
    char code[UM_HANDLER_CODE_MAX + 1], message[UM_HANDLER_MESSAGE_MAX + 1];
};
/* What REGISTRATION said to operation I on what has this ESSENCE; NULL: it was not asked. */
const struct chain_answer *chain_find(const struct chain *ch, size_t i, const char *registration, const json_t *essence);
/* It must be: the run ends now. ESSENCE and CONTEXT are adopted. False: this call has asked too many. */
bool chain_want(struct chain *ch, size_t i, const struct registration *r, json_t *essence, json_t *context);
/* To be asked after the commit. CONTEXT is adopted. */
void chain_note_after(struct chain *ch, size_t i, const struct registration *r, json_t *context);
void chain_note_job(struct chain *ch, const char id[37]);
/* What rules make beside an operation: a list of the chain's for this run. *WHICH is its name: 0, it is a new one. */
json_t *chain_made(struct chain *ch, size_t *which);
void chain_note_jobs(struct chain *ch);      /* some that are not known may be due */

/* This run has something to write, and its unit only reads: it ends now, and the next ones are units that write. */
void chain_want_writing(struct chain *ch);
bool chain_writes(const struct chain *ch);   /* they are */

/* ---- between runs, and after the last: on the loop of the call ---- */

bool chain_wants(const struct chain *ch);
bool chain_begin_writing(struct chain *ch);  /* the run has ended for that: chain_writes from now on */
bool chain_has_after(const struct chain *ch);
/* FN (may be NULL) hears of the jobs that are committed, once. */
void chain_tell_jobs(struct chain *ch, um_domain_jobs_fn *fn, void *arg);
typedef void chain_fn(void *arg);
/* Asks what is wanted, and THEN: the next run. */
void chain_ask(struct chain *ch, struct um_loop *l, const struct um_who *who, const char *scope, chain_fn *then, void *arg);
/* Asks what was noted, one after the other, and THEN. What fails is logged and counted: the operation stands. */
void chain_ask_after(struct chain *ch, struct um_loop *l, const struct um_who *who, const char *scope, chain_fn *then, void *arg);

#endif
