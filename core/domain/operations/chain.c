/* See chain.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "operations/chain.h"
#include "operations/counters.h"

/* What is left of a registration when its run has ended. */
struct to_ask {
    size_t operation;
    const struct um_handler_kind *kind;
    char *handler, *registration, *authorization;
    bool inject_token, stop;
    const char *object;                      /* "DOCUMENT" */
    json_t *context;                         /* ours */
};
struct told {                                /* an answer that was got */
    size_t operation;
    char *registration;
    json_t *essence;                         /* of the image that it is about */
    struct chain_answer answer;
};
struct after { struct to_ask *rows; size_t n; };

struct uuids { char **rows; size_t n; };

struct chain {
    size_t next, next_id;                    /* numbers of the run's next operation, and the next thing that it makes */
    struct uuids operations, made;
    struct told *told;
    size_t n_told, n_asked;
    bool wants;
    struct to_ask wanted;
    json_t *wanted_essence;
    struct after noted, after;               /* of this run; of those that are committed */
    struct uuids noted_jobs, jobs;           /* likewise */
    bool noted_some, some;                   /* jobs without a name */
    json_t *rules_made;                      /* lists, of this run */
    bool stopped;                            /* a handler ended those behind it */
    bool wants_writing, writes;
    /* while one is asked: */
    struct um_loop *loop;
    int64_t asked_us;
    const struct um_who *who;
    const char *scope;
    size_t at;
    chain_fn *then;
    void *arg;
};

struct chain *chain_new(void) { return um_xcalloc(1, sizeof(struct chain)); }

static void to_ask_free(struct to_ask *t)
{
    free(t->handler);
    free(t->registration);
    free(t->authorization);
    json_decref(t->context);
    *t = (struct to_ask){ 0 };
}

static void uuids_free(struct uuids *u)
{
    for (size_t i = 0; i < u->n; i++)
        free(u->rows[i]);
    free(u->rows);
    *u = (struct uuids){ 0 };
}

static char *uuids_add(struct uuids *u, const char *text)
{
    u->rows = um_xrealloc(u->rows, (u->n + 1) * sizeof(u->rows[0]));
    return u->rows[u->n++] = um_xstrdup(text);
}

static const char *uuid_at(struct uuids *u, size_t i)
{
    char made[37];

    while (u->n <= i) {
        um_random_uuid(made);
        uuids_add(u, made);
    }
    return u->rows[i];
}

static void after_free(struct after *a)
{
    for (size_t i = 0; i < a->n; i++)
        to_ask_free(&a->rows[i]);
    free(a->rows);
    *a = (struct after){ 0 };
}

static void forget_wanted(struct chain *ch)
{
    to_ask_free(&ch->wanted);
    json_decref(ch->wanted_essence);
    ch->wanted_essence = NULL;
    ch->wants = false;
}

void chain_free(struct chain *ch)
{
    if (ch == NULL)
        return;
    for (size_t i = 0; i < ch->n_told; i++) {
        free(ch->told[i].registration);
        json_decref(ch->told[i].essence);
        json_decref(ch->told[i].answer.reply);
    }
    free(ch->told);
    uuids_free(&ch->operations);
    uuids_free(&ch->made);
    forget_wanted(ch);
    after_free(&ch->noted);
    after_free(&ch->after);
    uuids_free(&ch->noted_jobs);
    uuids_free(&ch->jobs);
    json_decref(ch->rules_made);
    free(ch);
}

void chain_begin_run(struct chain *ch)
{
    ch->next = ch->next_id = 0;
    forget_wanted(ch);
    after_free(&ch->noted);
    uuids_free(&ch->noted_jobs);
    ch->noted_some = false;
    json_decref(ch->rules_made);
    ch->rules_made = NULL;
}

void chain_committed(struct chain *ch)
{
    ch->after.rows = um_xrealloc(ch->after.rows, (ch->after.n + ch->noted.n + 1) * sizeof(ch->after.rows[0]));
    for (size_t i = 0; i < ch->noted.n; i++)
        ch->after.rows[ch->after.n++] = ch->noted.rows[i];
    free(ch->noted.rows);
    ch->noted = (struct after){ 0 };
    for (size_t i = 0; i < ch->noted_jobs.n; i++)
        uuids_add(&ch->jobs, ch->noted_jobs.rows[i]);
    uuids_free(&ch->noted_jobs);
    ch->some = ch->some || ch->noted_some;
    uuids_free(&ch->operations);             /* what comes now are other operations */
    uuids_free(&ch->made);
}

/* ---- in a run ---- */

size_t chain_next(struct chain *ch) { return ch->next++; }

const char *chain_make_id(struct chain *ch) { return uuid_at(&ch->made, ch->next_id++); }
const char *chain_uuid(struct chain *ch, size_t i) { return uuid_at(&ch->operations, i); }

const struct chain_answer *chain_find(const struct chain *ch, size_t i, const char *registration, const json_t *essence)
{
    const struct chain_answer *found = NULL;

    for (size_t k = 0; k < ch->n_told && found == NULL; k++) {
        const struct told *t = &ch->told[k];

        if (t->operation == i && strcmp(t->registration, registration) == 0 && json_equal(t->essence, essence))
            found = &t->answer;
    }
    return found;
}

static struct to_ask to_ask_of(size_t i, const struct registration *r, json_t *context)
{
    return (struct to_ask){ i, r->kind, um_xstrdup(r->handler), um_xstrdup(r->id),
                            r->authorization != NULL ? um_xstrdup(r->authorization) : NULL, r->inject_token, r->stop,
                            operation_object_words[r->object], context };
}

bool chain_want(struct chain *ch, size_t i, const struct registration *r, json_t *essence, json_t *context)
{
    forget_wanted(ch);
    if (ch->n_asked == CHAIN_ASKED_MAX) {
        json_decref(essence);
        json_decref(context);
        return false;
    }
    ch->wanted = to_ask_of(i, r, context);
    ch->wanted_essence = essence;
    ch->wants = true;
    return true;
}

void chain_note_after(struct chain *ch, size_t i, const struct registration *r, json_t *context)
{
    ch->noted.rows = um_xrealloc(ch->noted.rows, (ch->noted.n + 1) * sizeof(ch->noted.rows[0]));
    ch->noted.rows[ch->noted.n++] = to_ask_of(i, r, context);
}

json_t *chain_made(struct chain *ch, size_t *which)
{
    if (ch->rules_made == NULL)
        ch->rules_made = json_array();
    if (*which == 0) {
        json_array_append_new(ch->rules_made, json_array());
        *which = json_array_size(ch->rules_made);
    }
    return json_array_get(ch->rules_made, *which - 1);
}

void chain_want_writing(struct chain *ch) { ch->wants_writing = true; }
bool chain_writes(const struct chain *ch) { return ch->writes; }

void chain_note_jobs(struct chain *ch) { ch->noted_some = true; }
void chain_note_job(struct chain *ch, const char id[37]) { uuids_add(&ch->noted_jobs, id); }

/* ---- between runs ---- */

bool chain_wants(const struct chain *ch) { return ch->wants; }

bool chain_begin_writing(struct chain *ch)
{
    bool begins = ch->wants_writing && !ch->writes;

    ch->writes = ch->writes || begins;
    return begins;
}

bool chain_has_after(const struct chain *ch) { return ch->after.n > 0; }

void chain_tell_jobs(struct chain *ch, um_domain_jobs_fn *fn, void *arg)
{
    if (fn != NULL && (ch->jobs.n > 0 || ch->some))
        fn(arg, (const char *const *)ch->jobs.rows, ch->some ? 0 : ch->jobs.n);
    ch->some = false;
    uuids_free(&ch->jobs);
}

static void begin(struct chain *ch, struct um_loop *l, const struct um_who *who, const char *scope, chain_fn *then, void *arg)
{
    ch->loop = l;
    ch->who = who;
    ch->scope = scope;
    ch->then = then;
    ch->arg = arg;
}

static void ask(struct chain *ch, const struct to_ask *t, um_handler_answered *cb)
{
    const char *operation = json_string_value(json_object_get(t->context, "id"));
    struct um_handler_ask a = { t->handler, t->registration, t->authorization, t->inject_token, ch->who, ch->scope,
                                t->object, operation, 1,
                                (unsigned)json_integer_value(json_object_get(t->context, "depth")), t->context };

    ch->n_asked++;
    ch->asked_us = um_now_us();
    t->kind->run(t->kind->env, ch->loop, &a, cb, ch);
}

static void note_answer(const struct chain *ch, const struct to_ask *t, const struct um_handler_answer *a)
{
#define SAID(member) json_string_value(json_object_get(t->context, member))
    operation_timed(&(struct operation_timing){ SAID("objectType"), SAID("action"), SAID("phase"), t->registration, SAID("scope"),
                                                a->is_done ? NULL : a->code != NULL ? a->code : "T00000", um_now_us() - ch->asked_us });
#undef SAID
    if (a->is_done)
        return;
    operation_count(OPERATION_FAILED);
    um_log_limited(UM_WARN, "operation", "a handler failed", UM_S("registration", t->registration), UM_S("code", a->code),
                   UM_S("message", a->message));
}

/* ---- before the operation ---- */

static void answered(void *arg, const struct um_handler_answer *a)
{
    struct chain *ch = arg;
    struct told t = { .operation = ch->wanted.operation, .registration = um_xstrdup(ch->wanted.registration),
                      .essence = json_incref(ch->wanted_essence),
                      .answer = { .is_done = a->is_done, .reply = a->reply != NULL ? json_deep_copy(a->reply) : NULL } };

    snprintf(t.answer.code, sizeof(t.answer.code), "%s", a->code != NULL ? a->code : "T00000");
    snprintf(t.answer.message, sizeof(t.answer.message), "%s", a->message != NULL ? a->message : "");
    note_answer(ch, &ch->wanted, a);
    ch->told = um_xrealloc(ch->told, (ch->n_told + 1) * sizeof(ch->told[0]));
    ch->told[ch->n_told++] = t;
    forget_wanted(ch);
    ch->then(ch->arg);
}

void chain_ask(struct chain *ch, struct um_loop *l, const struct um_who *who, const char *scope, chain_fn *then, void *arg)
{
    begin(ch, l, who, scope, then, arg);
    ask(ch, &ch->wanted, answered);
}

/* ---- after it ---- */

static void after_answered(void *arg, const struct um_handler_answer *a);

/* The next that is not behind one that stopped its operation. */
static void step(struct chain *ch)
{
    while (ch->at < ch->after.n && ch->stopped && ch->after.rows[ch->at].operation == ch->after.rows[ch->at - 1].operation)
        ch->at++;
    if (ch->at < ch->after.n) {
        ch->stopped = false;
        ask(ch, &ch->after.rows[ch->at], after_answered);
        return;
    }
    after_free(&ch->after);
    ch->then(ch->arg);
}

static void after_answered(void *arg, const struct um_handler_answer *a)
{
    struct chain *ch = arg;
    const struct to_ask *t = &ch->after.rows[ch->at];

    note_answer(ch, t, a);
    ch->stopped = !a->is_done && t->stop;
    ch->at++;
    step(ch);
}

void chain_ask_after(struct chain *ch, struct um_loop *l, const struct um_who *who, const char *scope, chain_fn *then, void *arg)
{
    begin(ch, l, who, scope, then, arg);
    ch->at = 0;
    ch->stopped = false;
    step(ch);
}
