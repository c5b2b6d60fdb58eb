/* Calls on their way: asked on any thread, worked on by the store, answered on the loop of who asked. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/domain_handlers.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "answers.h"
#include "call.h"
#include "facts.h"
#include "internal.h"
#include "operations/chain.h"
#include "operations/counters.h"
#include "principals.h"
#include "timers.h"

#define AT(field) offsetof(struct um_domain_conf, field)
static const struct um_conf_key keys[] = {
    { "scope.default", NULL, "main", "scope of who names none", UM_CONF_STR, 0, AT(default_scope), .min = 1, .max = UM_DOMAIN_SCOPE_MAX },
    { "operation.max-depth", NULL, "8", "operations that cause one another by handlers; beyond it no handler is asked", UM_CONF_INT, 0, AT(max_depth), .min = 1, .max = 100 },
    { "fact.registrations.document", NULL, "create,update,delete,version,revert", "what the history of documents has", UM_CONF_STR, 0, AT(facts[0]), .max = 500 },
    { "fact.registrations.folder", NULL, "create,update,add_content,delete_content,delete", "what the history of folders has", UM_CONF_STR, 0, AT(facts[1]), .max = 500 },
    { "fact.registrations.task", NULL, "create,update,delete,answer,assign,add_content,delete_content", "what the history of tasks has", UM_CONF_STR, 0, AT(facts[2]), .max = 500 },
    { "fact.registrations.virtual.folder", NULL, "create,update,delete", "what the history of virtual folders has", UM_CONF_STR, 0, AT(facts[3]), .max = 500 },
};
const struct um_conf_table um_domain_conf_table = UM_CONF_TABLE("Platform", keys);

struct asked {
    struct um_list link;
    struct um_domain *d;
    const struct um_domain_call *call;
    struct um_who who;                       /* texts are ours */
    const char **profiles, **groups;
    json_t *args, *body;
    um_domain_cb *cb;
    um_domain_drop *drop;                    /* may be NULL */
    void *arg;
    um_err err;                              /* of the last unit */
    json_t *reply;                           /* of the last run */
    int64_t version;
    bool again;
    bool no_scope;                           /* of the last run: its scope does not exist */
    int64_t began_us;
    struct um_loop *loop;
    struct outcome *outcome;
    struct chain *chain;
};

/* ---- the process' object ---- */

static bool read_facts(struct um_domain *d, const struct um_domain_conf *cf)
{
    _Static_assert(UM_COUNT(cf->facts) == UM_CATEGORIES_N && UM_COUNT(d->facts) == UM_CATEGORIES_N, "a list for each category");
    char word[64];

    for (size_t k = 0; k < UM_CATEGORIES_N; k++)
        if (cf->facts[k] != NULL && !facts_read_actions(cf->facts[k], &d->facts[k], word, sizeof(word))) {
            um_log(UM_ERROR, "domain", "fact.registrations has a word that is no action", UM_S("category", um_category_word((enum um_category)k)),
                   UM_S("word", word));
            return false;
        }
    return true;
}

um_err um_domain_new(struct um_domain **out, struct um_store *st, const struct um_domain_conf *cf)
{
    struct um_domain *d = um_xcalloc(1, sizeof(*d));

    *out = NULL;
    if (!read_facts(d, cf)) {
        free(d);
        return UM_EINVAL;
    }
    timers_start();
    operation_counters_register();
    d->store = st;
    d->conf = *cf;
    d->models = models_new();
    um_list_init(&d->asked);
    pthread_mutex_init(&d->lock, NULL);
    *out = d;
    return UM_OK;
}

static const char **copy_list(const struct um_token_list *from, struct um_token_list *to)
{
    const char **items = um_xcalloc(from->n + 1, sizeof(*items));

    for (size_t i = 0; i < from->n; i++)
        items[i] = um_xstrdup(from->items[i]);
    *to = (struct um_token_list){ items, from->n };
    return items;
}

static void free_list(const char **items, size_t n)
{
    for (size_t i = 0; i < n; i++)
        free((char *)items[i]);
    free(items);
}

static const char *copy(const char *s) { return um_xstrdup(s != NULL ? s : ""); }

static void copy_who(struct asked *a, const struct um_who *who)
{
    const char *scope = who->scope != NULL && *who->scope != '\0' ? who->scope : a->d->conf.default_scope;

    a->who = (struct um_who){ .user = copy(who->user), .scope = copy(scope), .session = copy(who->session), .request = copy(who->request),
                              .address = copy(who->address), .read_only = who->read_only,
                              .account = who->account != NULL ? um_xstrdup(who->account) : NULL,
                              .role = who->role != NULL ? um_xstrdup(who->role) : NULL,
                              .depth = who->depth, .idempotency_key = copy(who->idempotency_key) };
    a->profiles = copy_list(&who->profiles, &a->who.profiles);
    a->groups = copy_list(&who->groups, &a->who.groups);
}

static void asked_free(struct asked *a)
{
    pthread_mutex_lock(&a->d->lock);
    um_list_remove(&a->link);
    pthread_mutex_unlock(&a->d->lock);
    free_list(a->profiles, a->who.profiles.n);
    free_list(a->groups, a->who.groups.n);
    free((char *)a->who.user);
    free((char *)a->who.scope);
    free((char *)a->who.session);
    free((char *)a->who.request);
    free((char *)a->who.address);
    free((char *)a->who.account);
    free((char *)a->who.role);
    free((char *)a->who.idempotency_key);
    json_decref(a->args);
    json_decref(a->body);
    json_decref(a->reply);
    outcome_free(a->outcome);
    chain_free(a->chain);
    free(a);
}

void um_domain_free(struct um_domain *d)
{
    if (d == NULL)
        return;
    UM_LIST_EACH_SAFE(it, &d->asked) {
        struct asked *a = UM_CONTAINER(it, struct asked, link);

        if (a->drop != NULL)
            a->drop(a->arg);
        asked_free(a);
    }
    models_free(d->models);
    pthread_mutex_destroy(&d->lock);
    free(d);
}

void um_domain_on_change(struct um_domain *d, um_domain_change_fn *fn, void *arg)
{
    d->on_change = fn;
    d->on_change_arg = arg;
}

void um_domain_use_jobs(struct um_domain *d, const struct um_jobs_conf *conf, um_domain_jobs_fn *fn, void *arg)
{
    d->jobs = conf;
    d->on_jobs = fn;
    d->on_jobs_arg = arg;
}

void um_domain_add_handlers(struct um_domain *d, const struct um_handler_kind *kind)
{
    UM_ASSERT(d->n_handlers < DOMAIN_HANDLERS_MAX);
    d->handlers[d->n_handlers++] = kind;
}

void um_domain_use_content(struct um_domain *d, struct um_content *content) { d->content = content; }

const char *um_domain_default_scope(const struct um_domain *d) { return d->conf.default_scope; }

bool um_domain_shared_id(const struct um_domain *d, const char *scope, const char *id, char out[UM_DOMAIN_SHARED_MAX + 1])
{
    _Static_assert(sizeof(UM_STORE_UNLISTED) + UM_DOMAIN_SCOPE_MAX + UM_DOMAIN_ID_MAX < UM_DOMAIN_SHARED_MAX, "there is room");
    const char *in = *scope != '\0' ? scope : d->conf.default_scope;
    bool alone = strcmp(in, d->conf.default_scope) == 0 && strncmp(id, UM_STORE_UNLISTED, strlen(UM_STORE_UNLISTED)) != 0;
    int n;

    if (strlen(id) > (size_t)(alone ? UM_DOMAIN_SHARED_MAX : UM_DOMAIN_ID_MAX) || strlen(in) > UM_DOMAIN_SCOPE_MAX)
        return false;
    n = snprintf(out, UM_DOMAIN_SHARED_MAX + 1, "%s%s%s%s", alone ? "" : UM_STORE_UNLISTED, alone ? "" : in, alone ? "" : "/", id);
    return n <= UM_DOMAIN_SHARED_MAX;
}

bool um_domain_shared_parts(const struct um_domain *d, const char *shared, char scope[UM_DOMAIN_SCOPE_MAX + 1], const char **id)
{
    const char *in = d->conf.default_scope, *slash;
    size_t n = strlen(in);

    *id = shared;
    if (strncmp(shared, UM_STORE_UNLISTED, strlen(UM_STORE_UNLISTED)) == 0) {
        in = shared + strlen(UM_STORE_UNLISTED);
        slash = strchr(in, '/');
        n = slash != NULL ? (size_t)(slash - in) : 0;
        if (n == 0 || n > UM_DOMAIN_SCOPE_MAX || slash[1] == '\0' || strlen(slash + 1) > UM_DOMAIN_ID_MAX)
            return false;
        *id = slash + 1;
    }
    memcpy(scope, in, n);
    scope[n] = '\0';
    return true;
}

/* ---- a call ---- */

void um_call_done(struct um_call *c)
{
    principals_free(c->principals);
    um_account_drop(&c->account);
    json_decref(c->delegators);
    um_model_unref(c->model);
}

/* A user of the scope: is he still who his token says, and has he the role? */
static um_err check_account(struct um_call *c)
{
    char stamp[32];

    snprintf(stamp, sizeof(stamp), "%lld", (long long)c->account.stamp);
    if (!c->account.is_there || !c->account.enabled || strcmp(stamp, c->who->account) != 0)
        return um_fail(c, UM_U00401, "the token is not valid (any more)");
    if (c->who->role != NULL && !um_has_role(c, c->who->role))
        return um_fail(c, UM_U00403, "this needs another role");
    return UM_OK;
}

static um_err prepare(struct um_call *c, bool *no_scope)
{
    bool has_account = c->who->account != NULL;
    um_err err;

    if ((c->call->flags & UM_CALL_WRITES) != 0 && c->who->read_only)
        return um_fail(c, UM_U00403, "this token may only read");
    if ((c->call->flags & UM_CALL_ANY_SCOPE) != 0 && !has_account)
        return UM_OK;
    err = has_account ? um_model_get_for(c->domain, c->q, c->scope, c->who->user, &c->account, &c->model)
                      : um_model_get(c->domain, c->q, c->scope, &c->model);
    *no_scope = err == UM_ENOTFOUND;
    if (*no_scope && has_account)
        return um_fail(c, UM_U00401, "the token is not valid (any more)");
    if (*no_scope)
        return um_fail(c, UM_U00404, "there is no scope %s", c->scope);
    return err == UM_OK && has_account ? check_account(c) : err;
}

/* What was done under this key before is not done again. Of work in several units the last one keeps the answer. */
static um_err do_once(struct um_call *c)
{
    bool known;
    um_err err = answers_find(c, &known);

    if (err != UM_OK || known)
        return err;
    err = c->call->work(c);
    return err == UM_OK && !c->again ? answers_keep(c) : err;
}

static um_err work(void *arg, struct um_sql *q)
{
    struct asked *a = arg;
    bool once = (a->call->flags & UM_CALL_WRITES) != 0 && *a->who.idempotency_key != '\0';
    struct um_call c = { .domain = a->d, .q = q, .call = a->call, .who = &a->who, .scope = a->who.scope, .args = a->args,
                         .body = a->body, .outcome = a->outcome, .chain = a->chain, .now_ms = um_sql_now_ms(q) };
    um_err err;

    outcome_reset(a->outcome);
    chain_begin_run(a->chain);
    a->no_scope = false;
    err = prepare(&c, &a->no_scope);
    if (err == UM_OK)
        err = once ? do_once(&c) : a->call->work(&c);
    if (err == UM_OK)
        err = outcome_raise_all(&c);
    json_decref(a->reply);
    a->reply = c.reply;
    a->version = c.version;
    a->again = c.again;
    um_call_done(&c);
    return err;
}

static void tell_changes(struct um_domain *d, const struct um_domain_answer *answer)
{
    for (size_t i = 0; d->on_change != NULL && i < answer->n_changes; i++)
        d->on_change(d->on_change_arg, &answer->changes[i]);
}

static void start(struct asked *a);
static void run_again(void *arg) { start(arg); }

static void finish(void *arg)
{
    struct asked *a = arg;
    struct um_domain_answer answer = { .err = a->err };

    if (a->err == UM_OK) {
        answer.reply = a->reply;
        answer.version = a->version;
    }
    chain_tell_jobs(a->chain, a->d->on_jobs, a->d->on_jobs_arg);
    outcome_answer(a->outcome, &answer);
    timers_note(a->call, a->args, a->no_scope ? NULL : a->who.scope, answer.problem != NULL ? answer.problem->code : NULL,
                um_now_us() - a->began_us);
    a->cb(a->arg, &answer);
    asked_free(a);
}

/* Handlers hear of what is committed before its caller does; what they do is not undone when they fail. */
static void committed(struct asked *a)
{
    struct um_domain_answer answer = { .err = UM_OK };

    outcome_answer(a->outcome, &answer);
    tell_changes(a->d, &answer);
    chain_committed(a->chain);
    if (a->again)
        start(a);
    else if (chain_has_after(a->chain))
        chain_ask_after(a->chain, a->loop, &a->who, a->who.scope, finish, a);
    else
        finish(a);
}

static void done(void *arg, um_err err)
{
    struct asked *a = arg;

    if (chain_wants(a->chain)) {
        chain_ask(a->chain, a->loop, &a->who, a->who.scope, run_again, a);
        return;
    }
    if (chain_begin_writing(a->chain)) {
        start(a);
        return;
    }
    if (err == UM_OK && (a->call->flags & UM_CALL_WRITES) != 0 && UM_FAILPOINT("operation.after_commit"))
        err = UM_EIO;                        /* as if the answer had been lost */
    a->err = err;
    if (err == UM_OK) {
        committed(a);
        return;
    }
    if (err != UM_EINVAL || !outcome_has_problem(a->outcome)) {
        if (err == UM_EINVAL || err == UM_ECORRUPT || err == UM_ENOTFOUND || err == UM_EDENIED)
            um_log_limited(UM_ERROR, "domain", "a call failed", UM_S("call", a->call->name), UM_S("error", um_err_text(err)));
        outcome_set_error(a->outcome, err);
    }
    finish(a);
}

static void start(struct asked *a)
{
    if ((a->call->flags & UM_CALL_LOOSE) != 0)
        um_store_transact_loosely(a->d->store, a->loop, work, done, a);
    else if ((a->call->flags & UM_CALL_WRITES) != 0 || chain_writes(a->chain))
        um_store_transact(a->d->store, a->loop, work, done, a);
    else
        um_store_inspect(a->d->store, a->loop, work, done, a);
}

void um_domain_run(struct um_domain *d, struct um_loop *l, const struct um_domain_call *call, const struct um_who *who,
                   json_t *args, json_t *body, um_domain_cb *cb, void *arg)
{
    um_domain_run_or(d, l, call, who, args, body, cb, NULL, arg);
}

void um_domain_run_or(struct um_domain *d, struct um_loop *l, const struct um_domain_call *call, const struct um_who *who,
                      json_t *args, json_t *body, um_domain_cb *cb, um_domain_drop *drop, void *arg)
{
    struct asked *a = um_xcalloc(1, sizeof(*a));

    a->d = d;
    a->began_us = um_now_us();
    a->call = call;
    a->loop = l;
    copy_who(a, who);
    a->args = args;
    a->body = body;
    a->cb = cb;
    a->drop = drop;
    a->arg = arg;
    a->outcome = outcome_new();
    a->chain = chain_new();
    pthread_mutex_lock(&d->lock);
    um_list_append(&d->asked, &a->link);
    pthread_mutex_unlock(&d->lock);
    start(a);
}
