/* umbelctl migrate-store. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <umbel/store_transfer.h>
#include <umbel/util.h>
#include "commands.h"

enum { DONE = 0, FAILED = 1, USAGE = 2, AGAIN = 3, BAR = 30, SHOW_MS = 100 };

static const char help[] =
    "umbelctl migrate-store --from sqlite:///path/umbel.db --to postgresql://host/database [--verify]\n\n"
    "Copies all documents, their logs, versions and clients, and compares every byte afterwards. It can be broken off and\n"
    "repeated: what is there already is only compared. The core may run meanwhile; then stop it, run this once more, and start\n"
    "the core with store.url set to the target. --verify only compares.\n"
    "The password is taken from the URL, PGPASSWORD or the password file.\n\n"
    "Exit status: 0 finished; 3 copied, but the core was running: stop it and repeat; 1 failed; 2 wrong usage.\n";

struct shown { bool is_terminal; int64_t at_ms; };

static void show(void *arg, const struct um_transfer_state *s)
{
    struct shown *shown = arg;
    int64_t now = um_now_ms();
    int full = s->documents > 0 ? (int)(s->done * BAR / s->documents) : BAR;

    if (!shown->is_terminal || (now - shown->at_ms < SHOW_MS && s->done < s->documents))
        return;
    shown->at_ms = now;
    full = full > BAR ? BAR : full;
    fprintf(stderr, "\r%-9s [%.*s%*s] %lld of %lld documents, %.1f MB ", s->phase == UM_TRANSFER_COPYING ? "copying" : "verifying",
            full, "##############################", BAR - full, "", (long long)s->done, (long long)s->documents,
            (double)s->bytes / 1e6);
    if (s->done >= s->documents)
        fputc('\n', stderr);
}

static const char *option(int argc, char **argv, int *i, const char *name)
{
    size_t n = strlen(name);

    if (strncmp(argv[*i], name, n) != 0)
        return NULL;
    if (argv[*i][n] == '=')
        return argv[*i] + n + 1;
    return argv[*i][n] == '\0' && *i + 1 < argc ? argv[++*i] : NULL;
}

static bool read_options(int argc, char **argv, struct um_transfer_conf *cf)
{
    for (int i = 0; i < argc; i++) {
        const char *value;

        if ((value = option(argc, argv, &i, "--from")) != NULL)
            cf->from = value;
        else if ((value = option(argc, argv, &i, "--to")) != NULL)
            cf->to = value;
        else if (strcmp(argv[i], "--verify") == 0)
            cf->verify_only = true;
        else
            return false;
    }
    return cf->from != NULL && cf->to != NULL;
}

static int report(const struct um_transfer_state *s, bool verify_only)
{
    printf("%lld documents, %lld copied, %lld removed, %lld different\n", (long long)s->documents, (long long)s->copied,
           (long long)s->removed, (long long)s->different);
    if (s->final && s->different == 0) {
        puts(verify_only ? "both are equal" : "finished: start the core with store.url set to the target");
        return DONE;
    }
    if (s->final) {
        puts("the target differs from the source: run it again");
        return FAILED;
    }
    puts("the core was running: stop it and run this once more");
    return AGAIN;
}

int migrate_store(int argc, char **argv)
{
    struct shown shown = { isatty(STDERR_FILENO) != 0, 0 };
    struct um_transfer_conf cf = { .progress = show, .arg = &shown };
    struct um_transfer_state state;
    char why[256];

    if (argc > 0 && strcmp(argv[0], "--help") == 0) {
        fputs(help, stdout);
        return DONE;
    }
    if (!read_options(argc, argv, &cf)) {
        fputs(help, stderr);
        return USAGE;
    }
    if (um_store_transfer(&cf, &state, why) != UM_OK) {
        fprintf(stderr, "umbelctl: %s\n", why);
        return FAILED;
    }
    return report(&state, cf.verify_only);
}
