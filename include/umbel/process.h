/* What every daemon of ours does around its reactors. */
#ifndef UMBEL_PROCESS_H
#define UMBEL_PROCESS_H
#include <stdio.h>
#include <umbel/base.h>

/* First thing in main: SIGPIPE ignored, descriptors up to the hard limit, SIGTERM and SIGINT blocked for um_process_serve. */
void um_process_init(void);
int64_t um_process_max_files(void);

/* Makes DIR and its parents (0750). */
um_err um_process_make_dir(const char *dir);
/* <dir>/<name>.port, whole or not at all. */
um_err um_process_write_port(const char *dir, const char *name, int port);
void um_process_remove_port(const char *dir, const char *name);

/* Tells systemd, if it asked, that the process serves, and as long as IS_ALIVE says so that it lives; waits for SIGTERM or SIGINT, and
 * tells that it stops. The signal. */
int um_process_serve(bool (*is_alive)(void *arg), void *arg);
/* From now on a second SIGTERM or SIGINT ends the process at once (status 1). */
void um_process_impatient(void);
/* Waits until *FLAG is set by another thread, at most MS; false when it was not. */
bool um_process_wait_flag(_Atomic bool *flag, int64_t ms);

/* --- from the command line to a checked configuration and an open log ------------------------------------ */
struct um_conf;
struct um_conf_flag;
struct um_conf_table;

/* A further option that prints something and leaves. */
struct um_process_print { const char *option, *about; bool (*print)(FILE *out); };

struct um_process_spec {
    const char *name;                    /* "umbel-core" */
    const char *app;                     /* "core": core.properties */
    const char *about;                   /* one sentence for --help */
    const struct um_conf_table *const *tables;
    size_t n_tables;
    const struct um_conf_flag *flags;    /* stock flags; NULL: none */
    size_t n_flags;
    const char *const *prefixes;         /* ours: an unknown key below is a warning; NULL-terminated */
    const struct um_process_print *prints;   /* ends with an empty row; NULL: none */
};

struct um_process_conf {
    const char *data_dir;
    int64_t reactors;                    /* 0: one per processor */
    int64_t stop_timeout_ms;
    const char *log_file;
    int64_t log_max_bytes, log_max_files;
    int log_level, log_format;           /* enum um_level, enum um_log_format */
};
extern const struct um_conf_table um_process_conf_table;

/* Answers --help, --version, --print-config, --print-sample, --print-manual and the program's own, and complains about a bad configuration.
 * True: go on with *CONF. False: leave with *STATUS (0 or 2). */
bool um_process_configure(struct um_conf **conf, const struct um_process_spec *spec, int argc, char **argv, int *status);
/* Opens the log with its levels and writes the configuration's warnings into it. */
um_err um_process_open_log(const struct um_conf *conf, const struct um_process_spec *spec, const struct um_process_conf *pc);

/* How many processors may we use? */
unsigned um_process_cpus(void);

#endif
