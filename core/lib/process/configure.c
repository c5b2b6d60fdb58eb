/* The part of main that is the same everywhere: options that print and leave, the configuration, the log. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <umbel/conf.h>
#include <umbel/log.h>
#include <umbel/process.h>

#define AT(f) .at = offsetof(struct um_process_conf, f)
static const char *const format_words[] = { "text", "ecs", "logstash", NULL };
static const char *const level_words[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF", NULL };
static const struct um_conf_key keys[] = {
    { "umbel.data-dir", NULL, "data", "where the process keeps its files: the embedded store, its port file", UM_CONF_STR, 0, AT(data_dir), .min = 1, .max = 4000 },
    { "server.reactors", NULL, "0", "threads that serve; 0 = one per processor", UM_CONF_INT, 0, AT(reactors), .min = 0, .max = 256 },
    { "spring.lifecycle.timeout-per-shutdown-phase", NULL, "30s", "longest time from SIGTERM to the end of the process",
      UM_CONF_DURATION_MS, 0, AT(stop_timeout_ms), .min = 0, .max = 3600000 },
    { "logging.file.name", NULL, "", "file for the log; empty = standard error", UM_CONF_STR, 0, AT(log_file), .max = 4000 },
    { "logging.file.max-size", "logging.logback.rollingpolicy.max-file-size", "10MB", "at this size the file is put aside, its name followed by the time, and a new one "
      "begun; 0 = never, for those who have another program do that by copying and truncating", UM_CONF_SIZE, 0, AT(log_max_bytes), .min = 0, .max = INT64_C(1) << 40 },
    { "logging.file.max-history", "logging.logback.rollingpolicy.max-history", "0", "files put aside that are kept, the newest; 0 = all", UM_CONF_INT, 0, AT(log_max_files),
      .min = 0, .max = 100000 },
    { "logging.structured.format.console", "logging.structured.format.file", "text", "form of a log line: text, ecs or logstash (JSON)",
      UM_CONF_ENUM, 0, AT(log_format), .words = format_words },
    { "logging.level.root", NULL, "INFO", "level of everything", UM_CONF_ENUM, 0, AT(log_level), .words = level_words },
    { "logging.level.*", NULL, NULL, "level of one category, such as collab or http", UM_CONF_ENUM, UM_CONF_UNBOUND, .words = level_words },
};
const struct um_conf_table um_process_conf_table = UM_CONF_TABLE("Process and log", keys);

extern char **environ;

static void print_help(const struct um_process_spec *spec)
{
    printf("%s %s: %s\n\n"
           "  --KEY=VALUE        any property; see --print-sample\n"
           "  --print-config     each effective value with its origin, secrets masked\n"
           "  --print-sample     a commented %s.properties\n"
           "  --print-manual     the same as Markdown tables\n"
           "  --version, --help\n", spec->name, UMBEL_VERSION, spec->about, spec->app);
    for (const struct um_process_print *p = spec->prints; p != NULL && p->option != NULL; p++)
        printf("  %-18s %s\n", p->option, p->about);
    if (spec->n_flags > 0) {
        puts("\nFlags of stock Hocuspocus:");
        um_conf_usage(spec->flags, spec->n_flags, stdout);
    }
}

static const struct um_process_print *print_of(const struct um_process_spec *spec, const char *option)
{
    for (const struct um_process_print *p = spec->prints; p != NULL && p->option != NULL; p++)
        if (strcmp(p->option, option) == 0)
            return p;
    return NULL;
}

static bool is_option(const struct um_process_spec *spec, const char *arg)
{
    static const char *const options[] = { "--help", "--version", "--print-config", "--print-sample", "--print-manual" };

    for (size_t o = 0; o < UM_COUNT(options); o++)
        if (strcmp(arg, options[o]) == 0)
            return true;
    return print_of(spec, arg) != NULL;
}

/* Options that print and leave. They are taken out of the arguments that become properties. */
static const char *take_option(const struct um_process_spec *spec, int *argc, char **argv)
{
    for (int i = 1; i < *argc; i++)
        if (is_option(spec, argv[i])) {
            const char *option = argv[i];
            memmove(&argv[i], &argv[i + 1], (size_t)(*argc - i) * sizeof(char *));
            (*argc)--;
            return option;
        }
    return NULL;
}

static bool print_and_leave(const char *option, const struct um_process_spec *spec, int *status)
{
    if (option == NULL || strcmp(option, "--print-config") == 0)
        return false;
    if (strcmp(option, "--help") == 0)
        print_help(spec);
    else if (strcmp(option, "--version") == 0)
        printf("%s %s\n", spec->name, UMBEL_VERSION);
    else if (strcmp(option, "--print-sample") == 0)
        um_conf_sample(spec->tables, spec->n_tables, stdout);
    else if (strcmp(option, "--print-manual") == 0)
        um_conf_manual(spec->tables, spec->n_tables, stdout);
    else if (!print_of(spec, option)->print(stdout))
        *status = 2;
    return true;
}

bool um_process_configure(struct um_conf **conf, const struct um_process_spec *spec, int argc, char **argv, int *status)
{
    const char *option = take_option(spec, &argc, argv);
    struct um_conf_source source = {
        .app = spec->app, .argc = argc, .argv = argv, .environ = environ, .tables = spec->tables, .n_tables = spec->n_tables,
        .flags = spec->flags, .n_flags = spec->n_flags, .prefixes = spec->prefixes,
    };
    um_err err;

    *conf = NULL;
    *status = 0;
    if (print_and_leave(option, spec, status))
        return false;
    err = um_conf_load(conf, &source);
    if (err == UM_OK && option == NULL)
        return true;
    if (err == UM_OK)
        um_conf_print(*conf, stdout);
    else if (*conf != NULL)
        um_conf_report(*conf, stderr);
    *status = err == UM_OK ? 0 : 2;
    um_conf_free(*conf);
    *conf = NULL;
    return false;
}

static void set_levels(const struct um_conf *conf)
{
    const char *category, *text;
    enum um_level level;
    size_t pos = 0;

    while (um_conf_next(conf, "logging.level", &pos, &category, &text)) {
        bool is_root = strcmp(category, "root") == 0;
        if (um_log_parse_level(text, &level))
            um_log_set_level(is_root ? NULL : category, level);
    }
}

um_err um_process_open_log(const struct um_conf *conf, const struct um_process_spec *spec, const struct um_process_conf *pc)
{
    struct um_log_conf lc = { spec->name, (enum um_log_format)pc->log_format, pc->log_file, pc->log_max_bytes, pc->log_max_files };
    const struct um_conf_note *notes;
    size_t n = um_conf_notes(conf, &notes);
    um_err err = um_log_open(&lc);

    if (err != UM_OK) {
        fprintf(stderr, "%s: cannot write the log file %s\n", spec->name, pc->log_file);
        return err;
    }
    set_levels(conf);
    for (size_t i = 0; i < n; i++)
        um_log(notes[i].level == UM_CONF_NOTE_INFO ? UM_INFO : UM_WARN, "conf", notes[i].reason, UM_S("key", notes[i].key),
               UM_S("value", notes[i].value), UM_S("origin", notes[i].origin), UM_I("line", notes[i].line));
    return UM_OK;
}
