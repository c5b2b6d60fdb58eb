/* A model into a scope: compares what is kept with what was read, and makes one of the other by calls of the platform.
 *
 * Up to IMPORT_UNIT_CHANGES changes are one unit of work: all or nothing. More are several units in an order in which each
 * leaves a model that is whole; when one of them is refused, those before it stay, and the report says how many. What others
 * change meanwhile is never overwritten: the comparison is made anew, IMPORT_TRIES times, and after the first unit refused. */
#ifndef UMBEL_IMPORT_H
#define UMBEL_IMPORT_H
#include <stdatomic.h>
#include <umbel/conf.h>
#include <umbel/domain.h>
#include <umbel/model.h>

#define IMPORT_UNIT_CHANGES 500u
#define IMPORT_TRIES        3u

struct um_api;
struct um_conf_table;
struct um_pool;

enum um_import_mode {
    UM_IMPORT_MERGE,                   /* adds and changes, never deletes */
    UM_IMPORT_REPLACE,                 /* what the model does not have goes; the scope itself stays */
    UM_IMPORT_NEW,                     /* only into a scope that does not exist; else nothing is done */
};

struct um_import {
    struct um_domain *domain;
    struct um_loop *loop;              /* where DONE runs */
    struct um_pool *pool;              /* compares; NULL: on the loop */
    const struct um_who *who;          /* copied; its scope is the one that is changed */
    struct um_model_list *list;        /* finished; the import's from now on */
    enum um_import_mode mode;
    bool dry_run;                      /* only compares */
    bool may_create;                   /* a scope that does not exist */
    const _Atomic bool *stopping;      /* no further step is begun when it is true; NULL: never */
};

struct um_import_report {              /* borrowed during the callback */
    const struct um_problem *problem;  /* NULL: all was done */
    const json_t *diff;                /* um_model_diff of what was, or would be, done; NULL when it came to a problem before */
    size_t changes, applied, units;    /* APPLIED: durable */
    bool existed;                      /* the scope was there before */
    const struct um_store_cache *caches;   /* raised: to be announced */
    size_t n_caches;
};
/* Once, on the loop, not inside the call; never when the store is closed before. */
typedef void um_import_cb(void *arg, const struct um_import_report *report);

void um_import_run(const struct um_import *what, um_import_cb *cb, void *arg);

/* The scope that a finished list describes; NULL: none. */
const struct um_model_item *um_import_scope(const struct um_model_list *l);

/* Tells FN of all that the schemas of the REST interface do not let through, and of kinds that a scope does not keep. POINTER: into
 * the object. Any thread. */
typedef void um_import_fault_fn(void *arg, const struct um_model_item *item, const char *pointer, const char *message);
void um_import_judge(const struct um_api *api, const struct um_model_list *l, um_import_fault_fn *fn, void *arg);

/* ---- at the start ---- */

struct um_import_conf { struct um_conf_list paths; };      /* model.import */
extern const struct um_conf_table um_import_conf_table;
/* Reads the models of PATHS, relative ones in FOLDER, with CONF's model.variables (NULL: none), and makes the scopes that do not exist yet; others are left alone. Blocks,
 * on a loop of its own. False: WHY says what is wrong, and where. */
bool um_import_at_start(const struct um_import_conf *cf, const struct um_conf *conf, const char *folder, struct um_domain *d, const struct um_api *api, char why[1024]);

#endif
