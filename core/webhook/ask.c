/* connect and create: asked at once, since somebody waits for what is answered.
 *
 * connect   2xx: the connection may come, and the object that is answered is its context; other answers refuse it ("Forbidden",
 *           as stock). No answer: it ends with 1013 and comes again, so that a service that is away keeps nobody out for good.
 * create    2xx: what the document begins with. Anything else, and the document stays empty, as stock; it is asked for again when
 *           it is opened the next time. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

enum { KEY_LEN = 36 };

static void ask(struct um_webhook *w, struct um_loop *l, enum webhook_event event, const char *document, const struct um_collab_identity *who,
                um_outgoing_cb *cb, void *arg)
{
    json_t *payload = note_payload(event, document, who);
    char *body = note_body(event, payload, UM_SPAN(NULL, 0)), key[KEY_LEN + 1];

    um_random_id(key, KEY_LEN);
    webhook_count(W_ASKED);
    webhook_send(w, l, UM_SPAN_STR(body != NULL ? body : "{}"), key, 1, w->env.conf->timeout_ms, cb, arg);
    free(body);
    json_decref(payload);
}

static bool is_json(const struct um_outgoing_answer *a)
{
    for (size_t i = 0; i < a->n_headers; i++)
        if (strcmp(a->headers[i].name, "content-type") == 0)
            return a->body.len > 0 && strcasestr(a->headers[i].value, "application/json") != NULL;
    return false;
}

static void note_failure(enum webhook_event event, const char *why)
{
    webhook_count(W_FAILED);
    um_log_limited(UM_WARN, "webhook", "no answer of use", UM_S("event", webhook_events[event]), UM_S("reason", why));
}

/* ---- connect ---- */

struct joining {
    void (*cb)(void *arg, bool may, const char *reason, struct um_bytes *context);
    void *arg;
};

/* An object, or NULL: what else is answered says nothing. */
static struct um_bytes *context_of(const struct um_outgoing_answer *a)
{
    json_t *said = is_json(a) ? json_loadb((const char *)a->body.data, a->body.len, 0, NULL) : NULL;
    struct um_bytes *context = json_is_object(said) ? um_bytes_dup(a->body.data, a->body.len) : NULL;

    json_decref(said);
    return context;
}

static void on_join(void *arg, const struct um_outgoing_answer *a)
{
    struct joining *j = arg;
    struct um_bytes *context = NULL;
    char why[UM_JOB_MESSAGE_MAX];
    bool failed = webhook_failed(a, why);

    if (a->err == UM_ECLOSED) {              /* the process ends, and whoever asked with it */
        free(j);
        return;
    }
    if (failed && a->err == UM_OK)
        webhook_count(W_REFUSED);
    if (!failed && a->body.len > UM_WEBHOOK_CONTEXT_MAX) {
        failed = true;
        snprintf(why, sizeof(why), "a context of %zu bytes", a->body.len);
    }
    if (failed)
        note_failure(EVENT_CONNECT, why);
    else
        context = context_of(a);
    j->cb(j->arg, !failed, a->err == UM_OK ? "Forbidden" : "", context);
    um_bytes_unref(context);
    free(j);
}

bool ask_join(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
              void (*cb)(void *arg, bool may, const char *reason, struct um_bytes *context), void *arg)
{
    struct joining *j = um_xmalloc(sizeof(*j));

    *j = (struct joining){ cb, arg };
    ask(ctx, l, EVENT_CONNECT, document, who, on_join, j);
    return true;
}

/* ---- create ---- */

struct beginning {
    struct um_work work;
    struct um_webhook *webhook;
    struct um_bytes *text, *state;
    um_err err;
    void (*cb)(void *arg, struct um_bytes *state);
    void *arg;
};

static void end(struct beginning *b)
{
    b->cb(b->arg, b->state);
    um_bytes_unref(b->text);
    um_bytes_unref(b->state);
    free(b);
}

static void compute(struct um_work *work)
{
    struct beginning *b = UM_CONTAINER(work, struct beginning, work);

    b->err = begin_state(um_bytes_span(b->text), &b->state);
}

static void computed(struct um_work *work)
{
    struct beginning *b = UM_CONTAINER(work, struct beginning, work);

    if (b->err != UM_OK)
        note_failure(EVENT_CREATE, um_err_text(b->err));
    end(b);
}

static void on_begin(void *arg, const struct um_outgoing_answer *a)
{
    struct beginning *b = arg;
    char why[UM_JOB_MESSAGE_MAX];

    if (a->err == UM_ECLOSED) {
        free(b);
        return;
    }
    if (webhook_failed(a, why))
        note_failure(EVENT_CREATE, why);
    else if (a->body.len > UM_WEBHOOK_CONTENT_MAX)
        note_failure(EVENT_CREATE, "its answer is too large");
    else if (is_json(a))
        b->text = um_bytes_dup(a->body.data, a->body.len);
    if (b->text == NULL || um_work_submit(b->webhook->pool, &b->work) != UM_OK)
        end(b);
}

bool ask_begin(void *ctx, struct um_loop *l, const char *document, const struct um_collab_identity *who,
               void (*cb)(void *arg, struct um_bytes *state), void *arg)
{
    struct beginning *b = um_xcalloc(1, sizeof(*b));

    *b = (struct beginning){ .work = { .loop = l, .fn = compute, .done = computed }, .webhook = ctx, .cb = cb, .arg = arg };
    ask(ctx, l, EVENT_CREATE, document, who, on_begin, b);
    return true;
}
