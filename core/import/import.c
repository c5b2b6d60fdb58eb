/* See umbel/import.h.
 *
 *   read what is kept --> compare (pool) --> apply a unit --> ... --> report
 *        ^                                     |
 *        +---- somebody has changed it (no unit was applied yet) */
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/loop.h>
#include <umbel/util.h>
#include "changes.h"

enum { CACHES_MAX = 32 };

struct job {
    struct um_import in;
    struct um_who who;                       /* texts and lists are ours */
    um_import_cb *cb;
    void *arg;
    struct um_work work;
    um_err err;                              /* of the comparison */
    json_t *kept, *diff, *changes;
    size_t next, units;
    unsigned tries;
    bool existed;
    struct um_store_cache caches[CACHES_MAX];
    size_t n_caches;
};

/* ---- life ---- */

static struct um_token_list copy_list(const struct um_token_list *from)
{
    const char **items = um_xcalloc(from->n + 1, sizeof(*items));

    for (size_t i = 0; i < from->n; i++)
        items[i] = um_xstrdup(from->items[i]);
    return (struct um_token_list){ items, from->n };
}

static void free_list(struct um_token_list *l)
{
    for (size_t i = 0; i < l->n; i++)
        free((char *)l->items[i]);
    free((void *)l->items);
}

static const char *copy(const char *s) { return um_xstrdup(s != NULL ? s : ""); }

static void job_free(struct job *j)
{
    for (size_t i = 0; i < j->n_caches; i++) {
        free((char *)j->caches[i].scope);
        free((char *)j->caches[i].name);
    }
    free((char *)j->who.user);
    free((char *)j->who.scope);
    free((char *)j->who.session);
    free((char *)j->who.request);
    free((char *)j->who.address);
    free((char *)j->who.account);
    free((char *)j->who.role);
    free_list(&j->who.profiles);
    free_list(&j->who.groups);
    json_decref(j->kept);
    json_decref(j->diff);
    json_decref(j->changes);
    um_model_list_free(j->in.list);
    free(j);
}

static void finish(struct job *j, const struct um_problem *problem)
{
    struct um_import_report report = {
        .problem = problem, .diff = j->diff, .changes = json_array_size(j->changes), .applied = j->in.dry_run ? 0 : j->next,
        .units = j->units, .existed = j->existed, .caches = j->caches, .n_caches = j->n_caches,
    };

    j->cb(j->arg, &report);
    job_free(j);
}

static void give_up(struct job *j, unsigned status, const char *code, const char *message)
{
    const struct um_problem problem = { .code = code, .status = status, .message = message };

    finish(j, &problem);
}

/* The newest version of each cache is the one to announce. */
static void remember_caches(struct job *j, const struct um_domain_answer *a)
{
    for (size_t i = 0; i < a->n_caches; i++) {
        size_t k = 0;

        while (k < j->n_caches && (strcmp(j->caches[k].scope, a->caches[i].scope) != 0 || strcmp(j->caches[k].name, a->caches[i].name) != 0))
            k++;
        if (k < j->n_caches)
            j->caches[k].version = a->caches[i].version;
        else if (k < CACHES_MAX)
            j->caches[j->n_caches++] = (struct um_store_cache){ um_xstrdup(a->caches[i].scope), um_xstrdup(a->caches[i].name), a->caches[i].version };
    }
}

/* ---- applying ---- */

static void read_kept(struct job *j);
static void apply_next(struct job *j);

static json_t *slice(const json_t *all, size_t from, size_t n)
{
    json_t *out = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append(out, json_array_get(all, from + i));
    return out;
}

static size_t unit_size(const struct job *j) { return UM_MIN(json_array_size(j->changes) - j->next, IMPORT_UNIT_CHANGES); }

static void on_applied(void *arg, const struct um_domain_answer *a)
{
    struct job *j = arg;

    if (a->err != UM_OK && strcmp(a->problem->code, "U00412") == 0) {
        if (j->next == 0 && ++j->tries < IMPORT_TRIES)
            read_kept(j);
        else
            give_up(j, 409, "U00409", "somebody else changes the model at the same time");
        return;
    }
    if (a->err != UM_OK) {
        finish(j, a->problem);
        return;
    }
    remember_caches(j, a);
    j->next += unit_size(j);
    j->units++;
    apply_next(j);
}

/* The store may be closed soon: nothing is asked of it any more. */
static bool stops(struct job *j)
{
    if (j->in.stopping == NULL || !atomic_load(j->in.stopping))
        return false;
    give_up(j, 503, "U00503", "this core is being drained; what was done stays");
    return true;
}

static void apply_next(struct job *j)
{
    if (j->next == json_array_size(j->changes)) {
        finish(j, NULL);
        return;
    }
    if (stops(j))
        return;
    um_domain_run(j->in.domain, j->in.loop, &um_models_apply, &j->who, NULL, slice(j->changes, j->next, unit_size(j)), on_applied, j);
}

/* ---- comparing ---- */

static void compare(struct um_work *w)
{
    struct job *j = UM_CONTAINER(w, struct job, work);

    json_decref(j->diff);
    json_decref(j->changes);
    j->diff = j->changes = NULL;
    j->err = import_passwords(j->kept, j->in.list, j->in.dry_run);
    if (j->err == UM_OK)
        j->err = import_changes_of(j->kept, j->in.list, j->in.mode, &j->diff, &j->changes);
}

static void compared(struct um_work *w)
{
    struct job *j = UM_CONTAINER(w, struct job, work);

    if (j->err != UM_OK)
        give_up(j, 500, "T00000", j->err == UM_ENOMEM ? "out of memory" : "what is kept is no model");
    else if (j->in.dry_run || (j->in.mode == UM_IMPORT_NEW && j->existed))
        finish(j, NULL);
    else
        apply_next(j);
}

static void on_kept(void *arg, const struct um_domain_answer *a)
{
    struct job *j = arg;
    bool is_missing = a->err != UM_OK && strcmp(a->problem->code, "U00404") == 0;

    if (a->err != UM_OK && !(is_missing && j->in.may_create)) {
        finish(j, a->problem);
        return;
    }
    json_decref(j->kept);
    j->kept = json_incref(a->reply);
    j->existed = !is_missing;
    j->work = (struct um_work){ .loop = j->in.loop, .fn = compare, .done = compared };
    if (j->in.pool == NULL) {
        compare(&j->work);
        compared(&j->work);
    } else if (um_work_submit(j->in.pool, &j->work) != UM_OK) {
        give_up(j, 503, "U00503", "too many such requests at once");
    }
}

static void read_kept(struct job *j)
{
    if (stops(j))
        return;
    um_domain_run(j->in.domain, j->in.loop, &um_models_read, &j->who, json_pack("{s:o}", "users", import_users(j->in.list)), NULL, on_kept, j);
}

void um_import_run(const struct um_import *what, um_import_cb *cb, void *arg)
{
    struct job *j = um_xcalloc(1, sizeof(*j));
    const struct um_who *who = what->who;

    j->in = *what;
    j->who = (struct um_who){ .user = copy(who->user), .scope = copy(who->scope), .session = copy(who->session), .request = copy(who->request),
                              .address = copy(who->address), .profiles = copy_list(&who->profiles), .groups = copy_list(&who->groups),
                              .account = who->account != NULL ? um_xstrdup(who->account) : NULL,
                              .role = who->role != NULL ? um_xstrdup(who->role) : NULL, .read_only = who->read_only, .depth = who->depth };
    j->cb = cb;
    j->arg = arg;
    read_kept(j);
}
