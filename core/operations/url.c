/* Handlers behind URLs: the wire contract of the platform reference, 5.3.
 *
 *   POST <URL>/<scope>/documents/        (folder/, virtual_folders/, tasks/: the vendor's words)
 *   Content-Type, X-Request-Id, X-Operation-Id, X-Operation-Attempt, X-Operation-Chain; Idempotency-Key of a job; and
 *   Authorization as it is registered, or token
 *
 * 2xx: done; other answers refuse, with the headers `code` and `message`. X-Operation-Chain is a token of ours: a handler that
 * writes sends it along, so that operations that cause one another end somewhere; so does `token`. Of a job that has reserved its
 * component both say so: what is written with them is written by its holder. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/domain_calls.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/outgoing.h>
#include <umbel/util.h>
#include "internal.h"

enum { TOKEN_LIFE_S = 300, CHAIN_LIFE_S = 3600, HEADERS_MAX = 12, ATTEMPT_MAX = 12 };

struct told {                                /* what goes with a call; texts are ours */
    struct um_buf url, body, token, chain;
    char attempt[ATTEMPT_MAX];
    struct um_outgoing_header headers[HEADERS_MAX];
    size_t n;
};

struct what {                                /* the same for both ways of being asked */
    const char *url, *scope, *category, *authorization, *request, *operation, *job;
    unsigned attempt, depth;
    const struct um_who *who;                /* whose token goes with it; NULL: nobody's */
    const char *session;                     /* that holds the component; NULL: none does */
};

static const char *path_of(const char *category)
{
    static const struct { const char *category, *path; } rows[] = {
        { "DOCUMENT", "documents" }, { "FOLDER", "folder" }, { "VIRTUAL_FOLDER", "virtual_folders" }, { "TASK", "tasks" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (strcmp(rows[i].category, category) == 0)
            return rows[i].path;
    return "objects";
}

static void told_free(struct told *t)
{
    um_buf_free(&t->url);
    um_buf_free(&t->body);
    um_buf_free(&t->token);
    um_buf_free(&t->chain);
}

static void add(struct told *t, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        t->headers[t->n++] = (struct um_outgoing_header){ name, value };
}

/* The URL up to its query, the path of the contract, and the query. */
static void write_url(struct um_buf *b, const struct what *w)
{
    size_t n = strcspn(w->url, "?#"), end = n;

    while (end > 0 && w->url[end - 1] == '/')
        end--;
    um_buf_put(b, (const uint8_t *)w->url, end);
    um_buf_puts(b, "/");
    um_percent_encode(b, UM_SPAN_STR(w->scope));
    um_buf_puts(b, "/");
    um_buf_puts(b, path_of(w->category));
    um_buf_puts(b, "/");
    if (w->url[n] == '?')
        um_buf_put(b, (const uint8_t *)w->url + n, strcspn(w->url + n, "#"));
}

static bool sign(const struct um_operations *o, const struct what *w, const char *use, int64_t life_s, struct um_buf *out)
{
    int64_t now = um_wall_ms() / 1000;
    struct um_token_claims c = { .sub = w->operation, .use = use, .scope = w->scope, .depth = w->depth + 1, .sid = w->session,
                                 .iat = now, .exp = now + life_s };

    if (strcmp(use, UM_TOKEN_USER) == 0) {
        c.sub = w->who->user;
        c.profiles = w->who->profiles;
        c.groups = w->who->groups;
        c.account = w->who->account;
        c.access = w->who->read_only ? "readonly" : NULL;
    }
    return um_token_sign(o->env.ring, &c, out) == UM_OK;
}

static bool write_told(const struct um_operations *o, const struct what *w, struct told *t)
{
    bool ok = sign(o, w, UM_TOKEN_OPERATION, CHAIN_LIFE_S, &t->chain);

    if (w->who != NULL)
        ok = sign(o, w, UM_TOKEN_USER, TOKEN_LIFE_S, &t->token) && ok;
    write_url(&t->url, w);
    snprintf(t->attempt, sizeof(t->attempt), "%u", w->attempt);
    add(t, "Content-Type", "application/json");
    add(t, "X-Request-Id", w->request);
    add(t, "X-Operation-Id", w->operation);
    add(t, "X-Operation-Attempt", t->attempt);
    add(t, "X-Operation-Chain", um_buf_cstr(&t->chain));
    add(t, "Idempotency-Key", w->job);
    if (w->who != NULL)
        add(t, "token", um_buf_cstr(&t->token));
    else
        add(t, "Authorization", w->authorization);
    return ok;
}

static void send(const struct um_operations *o, struct um_loop *l, const struct what *w, struct um_span body, um_outgoing_cb *cb, void *arg)
{
    struct told t = { 0 };
    struct um_outgoing_call call = { .method = "POST", .body = body };

    if (!write_told(o, w, &t))
        um_log_limited(UM_ERROR, "operation", "a handler is asked without a token", UM_S("operation", w->operation));
    call.url = um_buf_cstr(&t.url);
    call.headers = t.headers;
    call.n_headers = t.n;
    um_outgoing_ask(o->env.outgoing, l, &call, cb, arg);
    told_free(&t);
}

/* ---- answers ---- */

static const char *header(const struct um_outgoing_answer *a, const char *name)
{
    for (size_t i = 0; i < a->n_headers; i++)
        if (strcmp(a->headers[i].name, name) == 0)
            return a->headers[i].value;
    return NULL;
}

/* A code of a letter and digits; F: the caller's fault. */
static bool is_code(const char *s)
{
    size_t n = s != NULL ? strlen(s) : 0;

    return n >= 2 && n <= UM_HANDLER_CODE_MAX && strchr("FTU", s[0]) != NULL && strspn(s + 1, "0123456789") == n - 1;
}

static void fail(struct url_answer *out, const char *code, const char *message)
{
    snprintf(out->code, sizeof(out->code), "%s", is_code(code) ? code : "T00000");
    snprintf(out->message, sizeof(out->message), "%s", message);
}

void url_answer_read(const struct um_outgoing_answer *a, struct url_answer *out)
{
    const char *message = header(a, "message");
    char text[64];

    *out = (struct url_answer){ .is_done = a->err == UM_OK && a->status >= 200 && a->status < 300 };
    if (out->is_done) {
        out->reply = a->body.len > 0 ? json_loadb((const char *)a->body.data, a->body.len, JSON_REJECT_DUPLICATES, NULL) : NULL;
        return;
    }
    snprintf(text, sizeof(text), "the handler answers %u", a->status);
    out->again = a->err != UM_EINVAL && a->err != UM_EDENIED;
    if (a->err != UM_OK)
        fail(out, "T00000", a->why);
    else
        fail(out, header(a, "code"), message != NULL && *message != '\0' && um_utf8_is_valid(message, strlen(message)) ? message : text);
    out->again = out->again && out->code[0] != 'F';
}

/* ---- asked by the platform ---- */

struct asking { um_handler_answered *cb; void *arg; };

static void on_answer(void *arg, const struct um_outgoing_answer *a)
{
    struct asking *asking = arg;
    struct url_answer said;

    url_answer_read(a, &said);
    asking->cb(asking->arg, &(struct um_handler_answer){ said.is_done, said.reply, said.code, said.message });
    json_decref(said.reply);
    free(asking);
}

static void run(void *env, struct um_loop *l, const struct um_handler_ask *ask, um_handler_answered *cb, void *arg)
{
    struct what w = { .url = ask->handler, .scope = ask->scope, .category = ask->category, .authorization = ask->authorization,
                      .request = ask->who->request, .operation = ask->operation, .attempt = ask->attempt, .depth = ask->depth,
                      .who = ask->inject_token ? ask->who : NULL };
    struct asking *asking = um_xcalloc(1, sizeof(*asking));
    char *body = json_dumps(ask->context, JSON_COMPACT);

    *asking = (struct asking){ cb, arg };
    send(env, l, &w, UM_SPAN_STR(body != NULL ? body : "{}"), on_answer, asking);
    free(body);
}

static bool check(void *env, const char *handler, char why[256])
{
    const struct um_operations *o = env;

    return um_outgoing_is_url(o->env.outgoing, handler, why);
}

struct um_handler_kind operations_http = { .prefix = "http://", .check = check, .run = run, .is_async = true };
struct um_handler_kind operations_https = { .prefix = "https://", .check = check, .run = run, .is_async = true };

/* ---- asked by the queue ---- */

struct doing {                               /* a job */
    struct um_operations *o;
    struct um_job_run *run;
    struct lookup_wait wait;
    struct um_who who;                       /* strings are the payload's and ours */
    const char **profiles, **groups;
    char *url, *scope, *registration, *category, *id;
    unsigned attempt, depth;
    json_t *context;
    char session[OPERATIONS_SESSION_SIZE];   /* "": it has not reserved anything */
};

static const char **read_list(const json_t *list, struct um_token_list *out)
{
    const char **items = um_xcalloc(json_array_size(list) + 1, sizeof(*items));
    size_t i;
    json_t *v;

    json_array_foreach(list, i, v)
        items[i] = json_is_string(v) ? json_string_value(v) : "";
    *out = (struct um_token_list){ items, json_array_size(list) };
    return items;
}

static void doing_free(struct doing *d)
{
    free(d->profiles);
    free(d->groups);
    free(d->url);
    free(d->scope);
    free(d->registration);
    free(d->category);
    free(d->id);
    json_decref(d->context);
    free(d);
}

static void end_failed(struct doing *d, const char *code, const char *message, bool final)
{
    um_job_fail(d->run, code, message, final);
    doing_free(d);
}

static void on_job_answer(void *arg, const struct um_outgoing_answer *a)
{
    struct doing *d = arg;
    struct url_answer said;

    url_answer_read(a, &said);
    json_decref(said.reply);
    UM_FAILPOINT("job.after_effect");
    if (!said.is_done) {
        end_failed(d, said.code, said.message, !said.again);
        return;
    }
    um_job_finish(d->run);
    doing_free(d);
}

/* What is told is the operation's; how often, this attempt's. */
static void tell(struct doing *d, const json_t *registration)
{
    const char *authorization = json_string_value(json_object_get(registration, "authorization"));
    struct what w = { .url = d->url, .scope = d->scope, .category = d->category, .authorization = authorization, .request = d->who.request,
                      .operation = json_string_value(json_object_get(d->context, "id")), .job = d->id, .attempt = d->attempt,
                      .depth = d->depth, .session = d->session[0] != '\0' ? d->session : NULL,
                      .who = json_is_true(json_object_get(registration, "injectToken")) ? &d->who : NULL };
    json_t *told = json_copy(d->context);
    char *body;

    json_object_del(told, "caller");
    json_object_del(told, "reserve");
    json_object_set_new(told, "attempt", json_integer(d->attempt));
    body = json_dumps(told, JSON_COMPACT);
    UM_FAILPOINT("job.before_effect");
    send(d->o, d->o->env.loop, &w, UM_SPAN_STR(body != NULL ? body : "{}"), on_job_answer, d);
    free(body);
    json_decref(told);
}

static void on_registration(struct lookup_wait *w, const struct um_domain_answer *a)
{
    struct doing *d = UM_CONTAINER(w, struct doing, wait);

    if (a->err == UM_OK)
        tell(d, a->reply);
    else
        end_failed(d, a->problem->code, a->problem->message, a->problem->status == 404);
}

static void on_dropped(struct lookup_wait *w) { doing_free(UM_CONTAINER(w, struct doing, wait)); }

void operations_url_job(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct doing *d = um_xcalloc(1, sizeof(*d));
    const json_t *caller;

    *d = (struct doing){ .o = arg, .run = run, .url = um_xstrdup(job->handler), .scope = um_xstrdup(job->scope),
                         .registration = um_xstrdup(job->registration), .category = um_xstrdup(job->category), .id = um_xstrdup(job->id),
                         .attempt = job->attempt, .depth = job->depth, .context = json_loads(job->payload, 0, NULL) };
    if (json_is_true(json_object_get(d->context, "reserve")))
        operations_session(d->id, d->session);
    caller = json_object_get(d->context, "caller");
    d->profiles = read_list(json_object_get(caller, "profiles"), &d->who.profiles);
    d->groups = read_list(json_object_get(caller, "groups"), &d->who.groups);
    d->who.account = json_string_value(json_object_get(caller, "account"));
    d->who.user = json_string_value(json_object_get(d->context, "user"));
    d->who.request = json_string_value(json_object_get(d->context, "requestId"));
    d->who.scope = d->scope;
    d->who.depth = job->depth;
    if (d->who.user == NULL) {
        end_failed(d, "T00000", "the job's payload cannot be read", true);
        return;
    }
    d->wait = (struct lookup_wait){ .scope = d->scope, .registration = d->registration, .user = d->who.user, .request = d->who.request,
                                    .answered = on_registration, .dropped = on_dropped };
    lookup_registration(d->o, &d->wait);
}
