/* umbel-crdt: a job is one command with its options and inputs. main.c reads the inputs, the command appends to
 * `out`, main.c writes that; so a command that fails has written nothing. */
#ifndef UMBEL_CRDT_TOOL_H
#define UMBEL_CRDT_TOOL_H
#include <umbel/crdt.h>
#include <umbel/util.h>

enum status { DONE = 0, REFUSED = 1, TROUBLE = 2 };       /* exit codes: done; the data; usage, files, memory */
enum coding { CODING_RAW, CODING_BASE64, CODING_HEX };

struct input {
    const char *name;                 /* "-" for standard input */
    struct um_buf bytes;              /* decoded */
    size_t first, n;                  /* its updates in job.updates */
};

struct job {
    const char *command;
    enum coding coding;
    bool sequence, json, tagged, state_vector, large, full, v2;
    bool convert_inputs;              /* --v2: before the command runs */
    const char *output;               /* NULL: standard output */
    const char **roots;               /* NAME or NAME=KIND */
    size_t n_roots;
    struct input *inputs;
    size_t n_inputs;
    struct um_span *updates;          /* of all inputs, in order */
    size_t n_updates;                 /* v1; those of --v2 were converted and are in `converted` */
    struct um_buf *converted;
    size_t n_converted;
    struct um_crdt_conf conf;         /* limits for data at rest; `verify` sets its own */
    bool binary;                      /* `out` is bytes, to be written in `coding` ... */
    bool is_update;                   /* ... and a v1 update: --v2 wants it back in v2 */
    struct um_buf out;
};

/* io.c */
enum status complain(enum status status, const char *fmt, ...) UM_PRINTF(2, 3);
enum status inputs_read(struct job *job, char **names, size_t n);
enum status output_write(struct job *job);
void job_free(struct job *job);

/* The commands. */
enum status inspect_run(struct job *job);                 /* show.c */
enum status stats_run(struct job *job);
enum status verify_run(struct job *job);
enum status merge_run(struct job *job);                   /* update.c */
enum status diff_run(struct job *job);
enum status sv_run(struct job *job);
enum status convert_run(struct job *job);
enum status updates_joined(struct job *job, struct um_buf *out);  /* all inputs as one update */
enum status text_run(struct job *job);                    /* read.c */
enum status json_run(struct job *job);
enum status xml_run(struct job *job);
enum status delta_run(struct job *job);
enum status html_run(struct job *job);
enum status markdown_run(struct job *job);
enum status plain_run(struct job *job);
enum status document_load(struct job *job, struct um_crdt **out); /* every update, in order */

enum status refused(const struct job *job, um_err err, const char *what);

#endif
