/* Files, codings, sequences of updates. */
#include "tool.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/crdt_v2.h>

#define READ_STEP 65536u

enum status complain(enum status status, const char *fmt, ...)
{
    va_list ap;

    fputs("umbel-crdt: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputs("\n", stderr);
    return status;
}

enum status refused(const struct job *job, um_err err, const char *what)
{
    if (err == UM_ENOMEM)
        return complain(TROUBLE, "%s: %s", job->command, um_err_text(err));
    return complain(REFUSED, "%s: %s: %s", job->command, what, um_err_text(err));
}

/* ---- reading ------------------------------------------------------------------------------------------- */

static enum status file_read(const char *name, struct um_buf *out)
{
    bool standard = strcmp(name, "-") == 0;
    FILE *f = standard ? stdin : fopen(name, "rb");
    enum status status = DONE;
    size_t n;

    if (f == NULL)
        return complain(TROUBLE, "%s: %s", name, strerror(errno));
    do {
        uint8_t *room = um_buf_room(out, READ_STEP);

        if (room == NULL) {
            status = complain(TROUBLE, "%s: %s", name, um_err_text(UM_ENOMEM));
            break;
        }
        n = fread(room, 1, READ_STEP, f);
        um_buf_advance(out, n);
    } while (n == READ_STEP);
    if (status == DONE && ferror(f))
        status = complain(TROUBLE, "%s: %s", name, strerror(errno));
    if (!standard)
        fclose(f);
    return status;
}

/* Text codings may be broken into lines. */
static void drop_blanks(struct um_buf *b)
{
    size_t n = 0;

    for (size_t i = 0; i < b->len; i++)
        if (strchr(" \t\r\n", b->data[i]) == NULL || b->data[i] == '\0')
            b->data[n++] = b->data[i];
    b->len = n;
}

static enum status input_decode(const struct job *job, struct input *in)
{
    struct um_buf decoded = { 0 };
    bool ok;

    if (job->coding == CODING_RAW)
        return DONE;
    drop_blanks(&in->bytes);
    ok = job->coding == CODING_HEX ? um_hex_decode(&decoded, UM_SPAN(in->bytes.data, in->bytes.len))
                                   : um_base64_decode(&decoded, UM_SPAN(in->bytes.data, in->bytes.len));
    um_buf_free(&in->bytes);
    in->bytes = decoded;
    if (decoded.failed)
        return complain(TROUBLE, "%s: %s", in->name, um_err_text(UM_ENOMEM));
    return ok ? DONE : complain(REFUSED, "%s: not %s", in->name, job->coding == CODING_HEX ? "hexadecimal" : "base64");
}

static void update_add(struct job *job, struct input *in, struct um_span update)
{
    if ((job->n_updates & (job->n_updates + 1)) == 0)     /* full at 0, 1, 3, 7, ... */
        job->updates = um_xrealloc(job->updates, (2 * job->n_updates + 1) * sizeof(*job->updates));
    job->updates[job->n_updates++] = update;
    in->n++;
}

/* A sequence: each update behind its length, a lib0 varUint. */
static enum status input_split(struct job *job, struct input *in)
{
    struct um_reader r = um_reader(UM_SPAN(in->bytes.data, in->bytes.len));

    in->first = job->n_updates;
    if (!job->sequence) {
        update_add(job, in, UM_SPAN(in->bytes.data, in->bytes.len));
        return DONE;
    }
    while (um_reader_left(&r) > 0) {
        const uint8_t *from = r.p;
        struct um_span update = um_read_varbytes(&r);

        if (r.failed)
            return complain(REFUSED, "%s: byte %zu: the sequence ends within an update", in->name,
                            (size_t)(from - in->bytes.data));
        update_add(job, in, update);
    }
    return DONE;
}

/* Everything but `verify` works on v1. */
static enum status updates_convert(struct job *job)
{
    if (!job->v2)
        return DONE;
    job->converted = um_xcalloc(job->n_updates, sizeof(*job->converted));
    for (size_t i = 0; i < job->n_inputs; i++)
        for (size_t k = job->inputs[i].first; k < job->inputs[i].first + job->inputs[i].n; k++) {
            struct um_buf *v1 = &job->converted[job->n_converted++];
            um_err err;

            if (job->state_vector && i == 1)
                continue;
            if ((err = um_crdt_v2_to_v1(&job->conf, job->updates[k], v1)) != UM_OK)
                return refused(job, err, job->inputs[i].name);
            job->updates[k] = UM_SPAN(v1->data, v1->len);
        }
    return DONE;
}

enum status inputs_read(struct job *job, char **names, size_t n)
{
    enum status status;
    size_t standard = 0;

    job->inputs = um_xcalloc(n, sizeof(*job->inputs));
    for (size_t i = 0; i < n; i++) {
        struct input *in = &job->inputs[job->n_inputs++];

        in->name = names[i];
        standard += strcmp(names[i], "-") == 0;
        if (standard > 1)
            return complain(TROUBLE, "standard input can be read once");
        if ((status = file_read(names[i], &in->bytes)) != DONE || (status = input_decode(job, in)) != DONE ||
            (status = input_split(job, in)) != DONE)
            return status;
    }
    return job->convert_inputs ? updates_convert(job) : DONE;
}

/* ---- writing ------------------------------------------------------------------------------------------- */

static void output_encode(struct job *job)
{
    struct um_buf text = { 0 };

    if (!job->binary || job->coding == CODING_RAW)
        return;
    if (job->coding == CODING_HEX)
        um_hex_encode(&text, UM_SPAN(job->out.data, job->out.len));
    else
        um_base64_encode(&text, UM_SPAN(job->out.data, job->out.len));
    um_buf_puts(&text, "\n");
    text.failed |= job->out.failed;
    um_buf_free(&job->out);
    job->out = text;
}

static enum status output_to_v2(struct job *job)
{
    struct um_buf v2 = { 0 };
    um_err err;

    if (!job->is_update || !job->v2 || job->out.failed)
        return DONE;
    err = um_crdt_v1_to_v2(&job->conf, UM_SPAN(job->out.data, job->out.len), &v2);
    um_buf_free(&job->out);
    job->out = v2;
    return err == UM_OK ? DONE : refused(job, err, "the result");
}

enum status output_write(struct job *job)
{
    const char *name = job->output != NULL ? job->output : "standard output";
    FILE *f;
    bool ok;

    if (output_to_v2(job) != DONE)
        return TROUBLE;
    output_encode(job);
    if (job->out.failed)
        return complain(TROUBLE, "%s", um_err_text(UM_ENOMEM));
    f = job->output != NULL ? fopen(job->output, "wb") : stdout;
    if (f == NULL)
        return complain(TROUBLE, "%s: %s", name, strerror(errno));
    errno = 0;
    ok = fwrite(job->out.data, 1, job->out.len, f) == job->out.len && fflush(f) == 0;
    ok = (f == stdout || fclose(f) == 0) && ok;
    return ok ? DONE : complain(TROUBLE, "%s: %s", name, strerror(errno));
}

void job_free(struct job *job)
{
    for (size_t i = 0; i < job->n_inputs; i++)
        um_buf_free(&job->inputs[i].bytes);
    for (size_t i = 0; i < job->n_converted; i++)
        um_buf_free(&job->converted[i]);
    free(job->converted);
    free(job->inputs);
    free(job->updates);
    free(job->roots);
    um_buf_free(&job->out);
}
