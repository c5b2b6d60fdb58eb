/* with_postgres COMMAND...: runs it beside a PostgreSQL server of its own, with UMBEL_STORE_URL naming an empty database,
 * UMBEL_PG_PID and UMBEL_PG_DIR; ends with its exit status. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "pg_server.h"

static void set_number(const char *name, long n)
{
    char text[24];

    snprintf(text, sizeof(text), "%ld", n);
    setenv(name, text, 1);
}

int main(int argc, char **argv)
{
    struct pg_server s;
    char url[256];
    int status = 1 << 8;
    pid_t pid;

    if (argc < 2)
        return 2;
    if (pg_server_init(&s) && pg_server_start(&s, NULL) && pg_server_ask(&s, "postgres", "CREATE DATABASE umbel", NULL, 0)) {
        pg_server_url(&s, "umbel", url, sizeof(url));
        setenv("UMBEL_STORE_URL", url, 1);
        setenv("UMBEL_PG_DIR", s.dir, 1);
        set_number("UMBEL_PG_PID", s.pid);
        pid = fork();
        if (pid == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            execvp(argv[1], argv + 1);
            _exit(127);
        }
        waitpid(pid, &status, 0);
    }
    pg_server_free(&s);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
