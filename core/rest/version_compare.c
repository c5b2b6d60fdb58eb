/* GET …/versions/{seq}/compare: what changed between two states, as docs/history.md describes it. The version with the lower
 * number is the old one; the present state is newer than any. */
#include <stdlib.h>
#include <string.h>
#include <umbel/history.h>
#include "versions_internal.h"

struct author { uint64_t client; char *user; };

struct compare {
    struct task task;
    bool with_present;
    uint64_t other_seq;
    struct um_bytes *other;
    struct author *authors;              /* by client, ascending */
    size_t n_authors;
    char *text;
    um_err err;
};

static struct compare *of(struct task *t) { return UM_CONTAINER(t, struct compare, task); }

static void end(struct task *t)
{
    struct compare *c = of(t);

    for (size_t i = 0; i < c->n_authors; i++)
        free(c->authors[i].user);
    free(c->authors);
    um_bytes_unref(c->other);
    free(c->text);
}

/* ---- on a worker ---- */

static int by_client(const void *a, const void *b)
{
    uint64_t x = ((const struct author *)a)->client, y = ((const struct author *)b)->client;

    return (x > y) - (x < y);
}

static const char *user_of(void *arg, uint64_t client)
{
    const struct compare *c = arg;
    struct author key = { .client = client };
    const struct author *found = c->n_authors > 0 ? bsearch(&key, c->authors, c->n_authors, sizeof(key), by_client) : NULL;

    return found != NULL ? found->user : NULL;
}

static void compute(struct um_work *w)
{
    struct compare *c = UM_CONTAINER(w, struct compare, task.work);
    bool newer = !c->with_present && c->other_seq < c->task.seq;
    struct um_bytes *past = newer ? c->other : c->task.state, *present = newer ? c->task.state : c->other;
    json_t *diff = NULL;

    if (c->n_authors > 0)
        qsort(c->authors, c->n_authors, sizeof(*c->authors), by_client);
    c->err = um_history_compare(um_bytes_span(past), um_bytes_span(present), user_of, c, &diff);
    if (c->err == UM_EPROTO)
        c->err = UM_ECORRUPT;
    if (c->err != UM_OK)
        return;
    c->text = json_dumps(diff, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(diff);
    if (c->text == NULL)
        c->err = UM_ENOMEM;
}

static void computed(struct um_work *w)
{
    struct compare *c = UM_CONTAINER(w, struct compare, task.work);
    char *text = c->text;
    struct um_http_req *rq;

    if (c->err != UM_OK) {
        task_fail(&c->task, c->err);
        return;
    }
    c->text = NULL;
    rq = task_finish(&c->task);
    if (rq != NULL) {
        um_http_add_header(rq, "Cache-Control", "no-store");
        um_http_reply(rq, 200, "application/json", UM_SPAN_STR(text));
    }
    free(text);
}

/* ---- what it needs ---- */

static void have_clients(void *arg, um_err err, const struct um_store_client *clients, size_t n)
{
    struct compare *c = arg;

    if (err != UM_OK) {
        task_fail(&c->task, err);
        return;
    }
    c->authors = n > 0 ? um_xcalloc(n, sizeof(*c->authors)) : NULL;
    for (c->n_authors = 0; c->n_authors < n; c->n_authors++)
        c->authors[c->n_authors] = (struct author){ clients[c->n_authors].client, um_xstrdup(clients[c->n_authors].user) };
    task_compute(&c->task, compute, computed);
}

static void have_other(struct compare *c, um_err err, struct um_bytes *state)
{
    if (err == UM_OK && state->len > REST_STATE_MAX)
        err = UM_ELIMIT;
    if (err != UM_OK) {
        task_fail(&c->task, err);
        return;
    }
    c->other = um_bytes_ref(state);
    um_store_clients(c->task.rest->deps.store, c->task.loop, c->task.document, have_clients, c);
}

static void have_present(void *arg, um_err err, struct um_bytes *state, uint64_t seq)
{
    (void)seq;
    have_other(arg, err, state);
}

static void have_version(void *arg, um_err err, const struct um_store_version *v, struct um_bytes *state)
{
    (void)v;
    have_other(arg, err, state);
}

static void have_first(struct task *t)
{
    struct compare *c = of(t);

    if (c->with_present)
        present_take(t->rest, t->loop, t->document, have_present, c);
    else
        um_versions_read(t->rest->deps.versions, t->loop, t->document, c->other_seq, REST_STATE_MAX,
                         have_version, c);
}

static bool read_seq(struct um_http_req *rq, const char *text, uint64_t *seq)
{
    int64_t n;

    if (text[strspn(text, "0123456789")] == '\0' && um_conf_parse(text, UM_CONF_INT, &n, NULL)) {
        *seq = (uint64_t)n;
        return true;
    }
    um_http_reply_error(rq, 400, "U00400", "a version is named by its number");
    return false;
}

void versions_compare(struct um_http_req *rq, void *ctx)
{
    const struct um_rest *r = ctx;
    const char *with = um_api_text(r->api, rq, "with");
    bool present = strcmp(with, "current") == 0;
    uint64_t other = 0;
    struct compare *c;

    if (!present && !read_seq(rq, with, &other))
        return;
    c = task_new(rq, ctx, sizeof(*c), end);
    if (c == NULL)
        return;
    c->with_present = present;
    c->other_seq = other;
    task_read(&c->task, have_first);
}
