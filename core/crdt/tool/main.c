/* umbel-crdt COMMAND: for people who have Yjs data on disk. Commands and options are rows. */
#include "tool.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ------------------------------------------------------------------------------------------- */

enum option {
    OPT_OUTPUT = 1, OPT_BASE64 = 2, OPT_HEX = 4, OPT_SEQUENCE = 8, OPT_JSON = 16, OPT_TAGGED = 32, OPT_ROOT = 64,
    OPT_SV = 128, OPT_LARGE = 256, OPT_FULL = 512, OPT_V2 = 1024
};
#define OPT_INPUT (OPT_OUTPUT | OPT_BASE64 | OPT_HEX | OPT_SEQUENCE | OPT_V2)

static const struct {
    const char *name, *value;         /* value: what it takes, NULL for nothing */
    enum option option;
    const char *help;
} options[] = {
    { "-o",       "FILE", OPT_OUTPUT,   "write to FILE; nothing is written when the command fails" },
    { "--base64", NULL,   OPT_BASE64,   "input is base64, and so is a result of bytes" },
    { "--hex",    NULL,   OPT_HEX,      "input is hexadecimal, and so is a result of bytes" },
    { "--v2",     NULL,   OPT_V2,       "updates are of format v2, and so is a result that is an update" },
    { "--seq",    NULL,   OPT_SEQUENCE, "a file holds several updates, each behind its length (lib0 varUint)" },
    { "--json",   NULL,   OPT_JSON,     "print JSON" },
    { "--tagged", NULL,   OPT_TAGGED,   "keep undefined, bytes, bigint, NaN apart: objects with the key \"$\"" },
    { "--root",   "NAME", OPT_ROOT,     "root type, or NAME=KIND: array, map, text, xml, xmlelement, xmltext" },
    { "--sv",     NULL,   OPT_SV,       "the second file is a state vector" },
    { "--large",  NULL,   OPT_LARGE,    "lift the limits that a server puts on a single update" },
    { "--full",   NULL,   OPT_FULL,     "do not cut long contents" },
};

static const struct command {
    const char *name;
    enum status (*run)(struct job *job);
    size_t min, max;                  /* files */
    unsigned options;
    const char *args, *help;
} commands[] = {
    { "inspect", inspect_run, 1, SIZE_MAX, OPT_INPUT | OPT_JSON | OPT_FULL, "FILE...",
      "one line per struct and deleted range: client:clock, kind, length, origins, parent, key, content" },
    { "stats",   stats_run,   1, SIZE_MAX, OPT_INPUT | OPT_JSON, "FILE...",
      "clients, structs, bytes, deletions, what waits for missing updates, the largest clients" },
    { "verify",  verify_run,  1, SIZE_MAX, OPT_INPUT | OPT_JSON | OPT_LARGE, "FILE...",
      "checks each update; says at which byte and why one is refused" },
    { "merge",   merge_run,   1, SIZE_MAX, OPT_INPUT, "FILE...", "all updates as one" },
    { "diff",    diff_run,    2, 2,        OPT_INPUT | OPT_SV, "HAVE KNOWN",
      "what HAVE holds that KNOWN (an update, or a state vector) lacks" },
    { "convert", convert_run, 1, SIZE_MAX, OPT_INPUT, "FILE...", "the update in the other format: v2, or v1 with --v2" },
    { "sv",      sv_run,      1, SIZE_MAX, OPT_INPUT | OPT_JSON, "FILE...", "the state vector" },
    { "json",    json_run,    1, SIZE_MAX, OPT_INPUT | OPT_ROOT | OPT_TAGGED, "FILE...", "root types as JSON" },
    { "text",    text_run,    1, SIZE_MAX, OPT_INPUT | OPT_ROOT, "FILE...", "the characters of a text" },
    { "delta",   delta_run,   1, SIZE_MAX, OPT_INPUT | OPT_ROOT | OPT_TAGGED, "FILE...", "a text with its formatting" },
    { "xml",     xml_run,     1, SIZE_MAX, OPT_INPUT | OPT_ROOT, "FILE...", "an XML root, as toString() of yjs" },
    { "html",    html_run,    1, SIZE_MAX, OPT_INPUT | OPT_ROOT, "FILE...", "a Tiptap or ProseMirror document as HTML" },
    { "markdown", markdown_run, 1, SIZE_MAX, OPT_INPUT | OPT_ROOT, "FILE...", "a Tiptap or ProseMirror document as Markdown" },
    { "plain",   plain_run,   1, SIZE_MAX, OPT_INPUT | OPT_ROOT, "FILE...", "the text of such a document, a line per block" },
};

static void option_set(struct job *job, enum option option, const char *value)
{
    switch (option) {
    case OPT_OUTPUT:   job->output = value; return;
    case OPT_BASE64:   job->coding = CODING_BASE64; return;
    case OPT_HEX:      job->coding = CODING_HEX; return;
    case OPT_SEQUENCE: job->sequence = true; return;
    case OPT_JSON:     job->json = true; return;
    case OPT_TAGGED:   job->tagged = true; return;
    case OPT_SV:       job->state_vector = true; return;
    case OPT_LARGE:    job->large = true; return;
    case OPT_FULL:     job->full = true; return;
    case OPT_V2:       job->v2 = true; return;
    case OPT_ROOT:
        job->roots = um_xrealloc(job->roots, (job->n_roots + 1) * sizeof(*job->roots));
        job->roots[job->n_roots++] = value;
        return;
    }
}

/* ---- help ---------------------------------------------------------------------------------------------- */

static enum status usage(FILE *f, enum status status)
{
    fputs("usage: umbel-crdt COMMAND [options] FILE...\n\n"
          "FILE holds one Yjs update; - is standard input.\n\n", f);
    for (size_t i = 0; i < UM_COUNT(commands); i++)
        fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].help);
    fputs("\numbel-crdt COMMAND --help shows a command's options. Exit status: 0 done; 1 the data is refused, or what\n"
          "was asked for is not in it; 2 wrong usage, files, memory.\n", f);
    return fflush(f) == 0 ? status : TROUBLE;
}

static enum status command_help(const struct command *c)
{
    printf("usage: umbel-crdt %s [options] %s\n\n%s\n\n", c->name, c->args, c->help);
    for (size_t i = 0; i < UM_COUNT(options); i++)
        if ((c->options & options[i].option) != 0)
            printf("  %-8s %-5s %s\n", options[i].name, options[i].value == NULL ? "" : options[i].value, options[i].help);
    return fflush(stdout) == 0 ? DONE : TROUBLE;
}

/* ---- one run ------------------------------------------------------------------------------------------- */

/* Data at rest may be a whole document: only what guards this process stays. */
static void limits_of_files(struct um_crdt_conf *conf)
{
    struct um_crdt_limits *l;

    um_crdt_conf_init(conf);
    l = &conf->limits;
    l->update_bytes = l->update_structs = l->update_clients = l->update_ranges = UINT32_MAX;
    l->pending_bytes = l->pending_structs = l->pending_clients = UINT32_MAX;
    l->structs = l->state_vector_entries = 1u << 30;
}

/* Takes options out of ARGV; what stays are files. */
static enum status options_take(struct job *job, const struct command *c, char **argv, size_t *n)
{
    size_t files = 0;
    bool only_files = false;

    for (size_t i = 0; i < *n; i++) {
        const char *arg = argv[i];
        size_t o = 0;

        if (only_files || arg[0] != '-' || arg[1] == '\0') {
            argv[files++] = argv[i];
            continue;
        }
        if (strcmp(arg, "--") == 0) {
            only_files = true;
            continue;
        }
        while (o < UM_COUNT(options) && (strcmp(options[o].name, arg) != 0 || (c->options & options[o].option) == 0))
            o++;
        if (o == UM_COUNT(options))
            return complain(TROUBLE, "%s has no option %s; see umbel-crdt %s --help", c->name, arg, c->name);
        if (options[o].value != NULL && i + 1 == *n)
            return complain(TROUBLE, "%s needs %s", arg, options[o].value);
        option_set(job, options[o].option, options[o].value != NULL ? argv[++i] : NULL);
    }
    *n = files;
    if (files >= c->min && files <= c->max)
        return DONE;
    return complain(TROUBLE, "usage: umbel-crdt %s [options] %s", c->name, c->args);
}

static enum status command_run(const struct command *c, char **argv, size_t n)
{
    struct job job = { .command = c->name, .convert_inputs = c->run != verify_run };
    enum status status;

    limits_of_files(&job.conf);
    for (size_t i = 0; i < n; i++)
        if (strcmp(argv[i], "--help") == 0)
            return command_help(c);
    if ((status = options_take(&job, c, argv, &n)) == DONE && (status = inputs_read(&job, argv, n)) == DONE) {
        status = c->run(&job);
        if ((status == DONE || c->run == verify_run) && output_write(&job) != DONE)
            status = TROUBLE;
    }
    job_free(&job);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return usage(stderr, TROUBLE);
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)
        return usage(stdout, DONE);
    if (strcmp(argv[1], "--version") == 0)
        return printf("umbel-crdt %s\n", UMBEL_VERSION) > 0 && fflush(stdout) == 0 ? DONE : TROUBLE;
    for (size_t i = 0; i < UM_COUNT(commands); i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return command_run(&commands[i], argv + 2, (size_t)argc - 2);
    complain(TROUBLE, "no command %s", argv[1]);
    return usage(stderr, TROUBLE);
}
