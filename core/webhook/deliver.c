/* Jobs of the queue: the body is made, and told. What a change says of its document is read from the store now, so it is never older
 * than the change, and an attempt never older than the one before. */
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_export.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "internal.h"

struct delivery {
    struct errand errand;
    struct um_work work;
    struct um_webhook *webhook;
    struct um_job_run *run;
    enum webhook_event event;
    char id[UM_JOB_ID_LEN + 1];
    unsigned attempt;
    json_t *payload;
    struct um_bytes **parts;                 /* of the document: a state, and updates */
    size_t n_parts;
    struct um_buf document;                  /* as JSON */
    um_err err;
};

static void drop_delivery(struct errand *errand)
{
    struct delivery *d = UM_CONTAINER(errand, struct delivery, errand);

    for (size_t i = 0; i < d->n_parts; i++)
        um_bytes_unref(d->parts[i]);
    free(d->parts);
    um_buf_free(&d->document);
    json_decref(d->payload);
    free(d);
}

static void delivery_free(struct delivery *d)
{
    errand_end(d->webhook, &d->errand);
    drop_delivery(&d->errand);
}

static void fail(struct delivery *d, const char *message, bool final)
{
    um_job_fail(d->run, "T00000", message, final);
    delivery_free(d);
}

static void finish(struct delivery *d)
{
    um_job_finish(d->run);
    delivery_free(d);
}

/* ---- the call ---- */

static void on_answer(void *arg, const struct um_outgoing_answer *a)
{
    struct delivery *d = arg;
    char why[UM_JOB_MESSAGE_MAX];

    UM_FAILPOINT("job.after_effect");
    if (webhook_failed(a, why))
        fail(d, why, a->err == UM_EINVAL || a->err == UM_EDENIED);
    else
        finish(d);
}

static void send(struct delivery *d)
{
    char *body = note_body(d->event, d->payload, UM_SPAN(d->document.data, d->document.len));

    if (body == NULL) {
        fail(d, "out of memory", false);
        return;
    }
    UM_FAILPOINT("job.before_effect");
    webhook_send(d->webhook, d->webhook->env.loop, UM_SPAN_STR(body), d->id, d->attempt, 0, on_answer, d);
    free(body);
}

/* ---- the document ---- */

static um_err read_document(struct delivery *d, struct um_crdt *crdt)
{
    um_err err = UM_OK;

    for (size_t i = 0; i < d->n_parts && err == UM_OK; i++)
        err = um_crdt_load(crdt, um_bytes_span(d->parts[i]), NULL);
    return err == UM_OK ? um_crdt_read_prosemirror(crdt, &d->document) : err;
}

/* On a worker. */
static void compute(struct um_work *work)
{
    struct delivery *d = UM_CONTAINER(work, struct delivery, work);
    struct um_crdt *crdt;

    d->err = um_crdt_new(NULL, &crdt);
    if (d->err != UM_OK)
        return;
    d->err = read_document(d, crdt);
    um_crdt_free(crdt);
}

/* A document that is larger than a call may be is left out: who needs it fetches it. */
static void computed(struct um_work *work)
{
    struct delivery *d = UM_CONTAINER(work, struct delivery, work);

    if (d->webhook->pool == NULL) {
        fail(d, "the process ends", false);
        return;
    }
    if (d->err != UM_OK) {
        fail(d, um_err_text(d->err), false);
        return;
    }
    if (d->document.len > UM_OUTGOING_BODY_MAX - UM_JOB_PAYLOAD_MAX) {
        um_buf_free(&d->document);
        json_object_set_new(d->payload, "omitted", json_pack("[s]", "document"));
    }
    send(d);
}

static bool keep(struct delivery *d, struct um_bytes *part)
{
    if (part != NULL)
        d->parts[d->n_parts++] = part;
    return part != NULL;
}

static bool keep_all(struct delivery *d, const struct um_store_loaded *doc)
{
    d->parts = um_xcalloc(doc->n_updates + 1, sizeof(struct um_bytes *));
    if (doc->state != NULL)
        keep(d, um_bytes_ref(doc->state));
    for (size_t i = 0; i < doc->n_updates; i++)
        if (!keep(d, um_bytes_dup(doc->updates[i].bytes.data, doc->updates[i].bytes.len)))
            return false;
    return true;
}

/* Of a document that is gone there is nothing to tell. */
static void loaded(void *arg, um_err err, const struct um_store_loaded *doc)
{
    struct delivery *d = arg;

    if (err != UM_OK)
        fail(d, um_err_text(err), false);
    else if (doc->deleted || !doc->exists)
        finish(d);
    else if (!keep_all(d, doc))
        fail(d, "out of memory", false);
    else if (d->webhook->pool == NULL || um_work_submit(d->webhook->pool, &d->work) != UM_OK)
        fail(d, "too many documents wait to be read", false);
}

/* ---- the job ---- */

static enum webhook_event event_of(const char *action)
{
    enum webhook_event e = EVENT_CHANGE;

    while (e < EVENT_N && strcmp(action, webhook_events[e]) != 0)
        e++;
    return e;
}

void deliver(void *arg, struct um_job_run *run, const struct um_job *job)
{
    struct delivery *d = um_xcalloc(1, sizeof(*d));
    struct um_webhook *w = arg;

    *d = (struct delivery){ .work = { .loop = w->env.loop, .fn = compute, .done = computed }, .webhook = w, .run = run,
                            .event = event_of(job->action), .attempt = job->attempt, .payload = json_loads(job->payload, 0, NULL) };
    strcpy(d->id, job->id);
    errand_begin(w, &d->errand, drop_delivery);
    if (d->event == EVENT_N || d->payload == NULL)
        fail(d, "the job's payload cannot be read", true);
    else if (d->event == EVENT_CHANGE)
        um_store_load(w->env.store, w->env.loop, job->object, loaded, d);
    else
        send(d);
}
