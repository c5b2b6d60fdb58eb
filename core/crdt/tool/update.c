/* Updates without a document: merge, diff, state vector. */
#include "tool.h"
#include <string.h>
#include <umbel/crdt_v2.h>

enum status updates_joined(struct job *job, struct um_buf *out)
{
    um_err err = um_crdt_merge(&job->conf, job->updates, job->n_updates, out);

    return err == UM_OK ? DONE : refused(job, err, job->n_updates == 1 ? "the update" : "one of the updates");
}

enum status merge_run(struct job *job)
{
    job->binary = job->is_update = true;
    return updates_joined(job, &job->out);
}

static um_err merge_input(struct job *job, const struct input *in, struct um_buf *out)
{
    return um_crdt_merge(&job->conf, job->updates + in->first, in->n, out);
}

/* What the first input has and the second lacks. */
enum status diff_run(struct job *job)
{
    struct um_buf a = { 0 }, b = { 0 }, sv = { 0 };
    const char *what = job->inputs[0].name;
    um_err err;

    job->binary = job->is_update = true;
    if ((err = merge_input(job, &job->inputs[0], &a)) == UM_OK) {
        what = job->inputs[1].name;
        if (job->state_vector)
            um_buf_put(&sv, job->inputs[1].bytes.data, job->inputs[1].bytes.len);
        else if ((err = merge_input(job, &job->inputs[1], &b)) == UM_OK)
            err = um_crdt_sv_of_update(&job->conf, UM_SPAN(b.data, b.len), &sv);
    }
    if (err == UM_OK)
        err = um_crdt_diff(&job->conf, UM_SPAN(a.data, a.len), UM_SPAN(sv.data, sv.len), &job->out);
    um_buf_free(&a);
    um_buf_free(&b);
    um_buf_free(&sv);
    return err == UM_OK ? DONE : refused(job, err, what);
}

/* To the other format, struct by struct; several updates are merged on the way. */
enum status convert_run(struct job *job)
{
    struct um_buf v1 = { 0 };
    enum status status = updates_joined(job, &v1);
    um_err err;

    job->binary = true;
    if (status == DONE && job->v2) {
        um_buf_put(&job->out, v1.data, v1.len);
    } else if (status == DONE && (err = um_crdt_v1_to_v2(&job->conf, UM_SPAN(v1.data, v1.len), &job->out)) != UM_OK) {
        status = refused(job, err, "the update");
    }
    um_buf_free(&v1);
    return status;
}

static void sv_json(struct job *job, struct um_span sv)
{
    struct um_reader r = um_reader(sv);
    uint64_t n = um_read_varuint(&r);

    um_buf_puts(&job->out, "{");
    for (uint64_t i = 0; i < n && !r.failed; i++) {
        uint64_t client = um_read_varuint(&r), clock = um_read_varuint(&r);

        um_buf_printf(&job->out, "%s\"%llu\":%llu", i == 0 ? "" : ",", (unsigned long long)client,
                      (unsigned long long)clock);
    }
    um_buf_puts(&job->out, "}\n");
}

enum status sv_run(struct job *job)
{
    struct um_buf update = { 0 }, sv = { 0 };
    enum status status = updates_joined(job, &update);

    if (status == DONE) {
        um_err err = um_crdt_sv_of_update(&job->conf, UM_SPAN(update.data, update.len), &sv);

        if (err != UM_OK)
            status = refused(job, err, "the update");
    }
    job->binary = !job->json;
    if (status == DONE && job->json)
        sv_json(job, UM_SPAN(sv.data, sv.len));
    else if (status == DONE)
        um_buf_put(&job->out, sv.data, sv.len);
    um_buf_free(&update);
    um_buf_free(&sv);
    return status;
}
