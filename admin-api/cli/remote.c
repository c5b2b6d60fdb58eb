#include "remote.h"
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <umbel/util.h>
#include "operations.h"
#include "request.h"
#include "show.h"

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
    (void)signal;
    ended = 1;
}

/* ---- again and again ---- */

static void home(void)
{
    if (isatty(STDOUT_FILENO))
        fputs("\033[H\033[2J", stdout);
}

static void pause_s(double s)
{
    struct timespec t = { (time_t)s, (long)((s - (double)(time_t)s) * 1e9) };

    fflush(stdout);
    nanosleep(&t, NULL);
}

static double seconds(const char *text)
{
    char *end;
    double s = strtod(text, &end);

    return *end == '\0' && s >= 0.1 && s <= 3600 ? s : 0;
}

/* watch [-n SECONDS] COMMAND: until it is interrupted. What goes wrong is shown, and tried again. */
static int watch(const struct server *s, int argc, char **argv, const struct looks *how)
{
    double every = 2;
    int status = 0;

    if (argc >= 2 && strcmp(argv[0], "-n") == 0) {
        every = seconds(argv[1]);
        argc -= 2;
        argv += 2;
    }
    if (every == 0 || argc == 0) {
        fputs("umbelctl watch [-n SECONDS] COMMAND\n", stderr);
        return 2;
    }
    for (; !ended && status != 2; pause_s(every)) {
        home();
        status = request_run(s, argc, argv, how);
    }
    return status == 2 ? 2 : 0;
}

/* ---- top ---- */

static void show_part(const struct server *s, const char *title, const char *path, const char *member)
{
    int status;
    json_t *v = request_get(s, path, &status);
    const json_t *part = member != NULL ? json_object_get(v, member) : v;

    if (part != NULL) {
        printf("%s\n", title);
        show(part, show_width(), stdout);
        putchar('\n');
    }
    json_decref(v);
}

static int top(const struct server *s, int argc, char **argv)
{
    double every = argc == 2 && strcmp(argv[0], "-n") == 0 ? seconds(argv[1]) : argc == 0 ? 2 : 0;
    bool once = argc == 1 && strcmp(argv[0], "--once") == 0;

    if (every == 0 && !once) {
        fputs("umbelctl top [-n SECONDS | --once]\n", stderr);
        return 2;
    }
    do {
        char now[32];

        um_wall_iso(um_wall_ms(), now);
        home();
        printf("%s  %s\n\n", s->url, now);
        show_part(s, "members", "/core/rest/admin/cluster", "members");
        show_part(s, "redis", "/core/rest/admin/cluster", "redis");
        show_part(s, "collaboration", "/core/rest/admin/collab", NULL);
        if (!once)
            pause_s(every);
    } while (!once && !ended);
    return 0;
}

/* ---- completion ---- */

static const char bash_script[] =
    "_umbelctl() {\n"
    "  local word=\"${COMP_WORDS[COMP_CWORD]}\"\n"
    "  COMPREPLY=($(compgen -W \"$(umbelctl __complete \"${COMP_WORDS[@]:1:COMP_CWORD-1}\" 2>/dev/null)\" -- \"$word\"))\n"
    "}\n"
    "complete -o default -F _umbelctl umbelctl\n";
static const char zsh_script[] =
    "#compdef umbelctl\n"
    "_umbelctl() {\n"
    "  local -a found\n"
    "  found=(${(f)\"$(umbelctl __complete ${words[2,CURRENT-1]} 2>/dev/null)\"})\n"
    "  compadd -a found\n"
    "}\n"
    "compdef _umbelctl umbelctl\n";

static int completion(int argc, char **argv)
{
    bool zsh = argc == 1 && strcmp(argv[0], "zsh") == 0;

    if (!zsh && (argc != 1 || strcmp(argv[0], "bash") != 0)) {
        fputs("umbelctl completion bash|zsh: put what it prints into your shell, e.g. source <(umbelctl completion bash)\n", stderr);
        return 2;
    }
    fputs(zsh ? zsh_script : bash_script, stdout);
    return 0;
}

/* ---- all ---- */

static const struct { const char *name, *help; } own[] = {
    { "login",      "login --url URL --user USER [--scope SCOPE] [--profile NAME]: asks for the password, keeps the token" },
    { "watch",      "watch [-n SECONDS] COMMAND: the same again and again" },
    { "top",        "top [-n SECONDS]: the cluster, live" },
    { "completion", "completion bash|zsh: words for the shell" },
};

void remote_usage(void)
{
    for (size_t i = 0; i < UM_COUNT(own); i++)
        printf("  %-15s %s\n", own[i].name, own[i].help);
    puts("\nCalls of the REST interface (--json for scripts, -o FILE for the bytes, --help for one call):\n");
    operations_list(0, NULL, stdout);
    operations_free();
    puts("\nWhere: --profile NAME, --url URL, --token TOKEN or --user USER, --scope SCOPE, --ca FILE, --insecure;"
         "\nUMBEL_URL, UMBEL_TOKEN, UMBEL_USER, UMBEL_PASSWORD, UMBEL_SCOPE, UMBEL_PROFILE; ~/.config/umbel/umbelctl.json."
         "\nExit status: 0 done, 1 refused, 2 not understood, 3 nobody answers, 4 the server failed.");
}

/* Takes --json and -o out of ARGV. */
static bool take_looks(struct looks *how, int *argc, char **argv, bool *help)
{
    int kept = 0;

    for (int i = 0; i < *argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            how->json = true;
        else if (strcmp(argv[i], "--help") == 0)
            *help = true;
        else if (strcmp(argv[i], "-o") == 0 && i + 1 < *argc)
            how->to_file = argv[++i];
        else
            argv[kept++] = argv[i];
    }
    *argc = kept;
    return true;
}

static int help_for(int argc, char **argv)
{
    int used;
    const struct operation *o = operations_find(argc, argv, &used);

    if (o != NULL)
        operation_help(o, stdout);
    else
        operations_list(argc, argv, stdout);
    operations_free();
    return 0;
}

static int speak(struct server *s, int argc, char **argv, const struct looks *how)
{
    const char *command = argv[0];
    int status, used;

    if (strcmp(command, "login") == 0)
        return server_login(s);
    if (strcmp(command, "watch") != 0 && strcmp(command, "top") != 0 && operations_find(argc, argv, &used) == NULL) {
        fprintf(stderr, "umbelctl: there is no command %s; umbelctl --help lists them\n", command);
        operations_list(1, argv, stderr);
        return 2;
    }
    status = server_ready(s);
    if (status != 0)
        return status;
    if (strcmp(command, "watch") == 0)
        return watch(s, argc - 1, argv + 1, how);
    return strcmp(command, "top") == 0 ? top(s, argc - 1, argv + 1) : request_run(s, argc, argv, how);
}

int remote_run(int argc, char **argv)
{
    struct server s = { 0 };
    struct looks how = { 0 };
    struct sigaction act = { .sa_handler = on_signal };
    bool help = false;
    int status = 2;

    if (strcmp(argv[0], "completion") == 0)
        return completion(argc - 1, argv + 1);
    if (strcmp(argv[0], "__complete") == 0) {
        operations_complete(argc - 1, argv + 1);
        operations_free();
        return 0;
    }
    if (!server_options(&s, &argc, argv) || !take_looks(&how, &argc, argv, &help) || argc == 0)
        return 2;
    if (help)
        return help_for(argc, argv);
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    status = speak(&s, argc, argv, &how);
    operations_free();
    server_free(&s);
    return status;
}
