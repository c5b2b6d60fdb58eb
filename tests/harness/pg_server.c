#include "pg_server.h"
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <grp.h>
#include <libpq-fe.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { START_S = 60 };

/* ---- programs ---- */

static bool find_program(const char *name, char out[256])
{
    char pattern[128];
    glob_t g = { 0 };
    bool found;

    snprintf(pattern, sizeof(pattern), "/usr/lib/postgresql/*/bin/%s", name);
    found = glob(pattern, 0, NULL, &g) == 0 && g.gl_pathc > 0;
    if (found)
        snprintf(out, 256, "%s", g.gl_pathv[g.gl_pathc - 1]);
    else
        fprintf(stderr, "no %s in /usr/lib/postgresql: install the package postgresql\n", name);
    globfree(&g);
    return found;
}

/* In the child: not root any more. */
static void become_postgres(void)
{
    struct passwd *pw = geteuid() == 0 ? getpwnam("postgres") : NULL;

    if (pw == NULL)
        return;
    if (setgid(pw->pw_gid) != 0 || initgroups(pw->pw_name, pw->pw_gid) != 0 || setuid(pw->pw_uid) != 0)
        _exit(126);
}

static pid_t spawn(const struct pg_server *s, char *const argv[], const char *log_name, int death_signal)
{
    pid_t parent = getpid(), pid = fork();
    char log[128];

    if (pid != 0)
        return pid;
    become_postgres();
    prctl(PR_SET_PDEATHSIG, death_signal);
    if (getppid() != parent)
        _exit(125);
    snprintf(log, sizeof(log), "%s/%s", s->dir, log_name);
    if (freopen(log, "ae", stdout) == NULL || dup2(fileno(stdout), STDERR_FILENO) < 0 || chdir(s->dir) != 0 ||
        freopen("/dev/null", "re", stdin) == NULL)
        _exit(124);
    dup2(fileno(stdin), STDIN_FILENO);
    execv(argv[0], argv);
    _exit(127);
}

/* ---- life ---- */

static int free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        port = ntohs(at.sin_port);
    close(fd);
    return port;
}

bool pg_server_init(struct pg_server *s)
{
    char program[256], data[96];
    char *argv[] = { program, "-D", data, "-A", "trust", "-U", "umbel", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync",
                     "--no-instructions", NULL };
    struct passwd *pw = geteuid() == 0 ? getpwnam("postgres") : NULL;
    int status = 0;
    pid_t pid;

    memset(s, 0, sizeof(*s));
    if (!find_program("initdb", program))
        return false;
    snprintf(s->dir, sizeof(s->dir), "/tmp/umbel-pg-XXXXXX");
    if (mkdtemp(s->dir) == NULL || chmod(s->dir, 0755) != 0 || (pw != NULL && chown(s->dir, pw->pw_uid, pw->pw_gid) != 0)) {
        perror("pg_server: folder");
        return false;
    }
    snprintf(data, sizeof(data), "%s/data", s->dir);
    pid = spawn(s, argv, "initdb.log", SIGKILL);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "initdb failed (%d): see %s/initdb.log\n", status, s->dir);
        return false;
    }
    s->port = free_port();
    return true;
}

static bool answers(const struct pg_server *s)
{
    char port[12];
    const char *const keys[] = { "host", "port", "dbname", "user", NULL };
    const char *const values[] = { s->dir, port, "postgres", "umbel", NULL };

    snprintf(port, sizeof(port), "%d", s->port);
    return PQpingParams(keys, values, 0) == PQPING_OK;
}

bool pg_server_start(struct pg_server *s, const char *option)
{
    char program[256], data[96], port[12];
    char *argv[] = { program, "-D", data, "-k", s->dir, "-p", port, "-h", s->tcp ? "127.0.0.1" : "", "-F",
                     "-c", "max_connections=200", "-c", "log_min_messages=fatal", "-c", "deadlock_timeout=100ms",
                     option != NULL ? "-c" : NULL, (char *)option, NULL };
    int status;

    if (!find_program("postgres", program))
        return false;
    snprintf(data, sizeof(data), "%s/data", s->dir);
    snprintf(port, sizeof(port), "%d", s->port);
    s->pid = spawn(s, argv, "server.log", SIGQUIT);
    for (int i = 0; i < START_S * 50; i++) {
        struct timespec ts = { 0, 20000000 };

        if (answers(s))
            return true;
        if (waitpid(s->pid, &status, WNOHANG) == s->pid) {
            s->pid = 0;
            break;
        }
        nanosleep(&ts, NULL);
    }
    fprintf(stderr, "the server did not start: see %s/server.log\n", s->dir);
    return false;
}

void pg_server_stop(struct pg_server *s, int signal)
{
    int status;

    if (s->pid <= 0)
        return;
    kill(s->pid, signal);
    if (signal != SIGINT)
        kill(s->pid, SIGCONT);       /* one that a test had stopped */
    while (waitpid(s->pid, &status, 0) < 0 && errno == EINTR)
        ;
    s->pid = 0;
}

static int remove_one(const char *path, const struct stat *sb, int type, struct FTW *at)
{
    (void)sb;
    (void)type;
    (void)at;
    return remove(path);
}

void pg_server_free(struct pg_server *s)
{
    pg_server_stop(s, SIGQUIT);
    if (s->dir[0] != '\0')
        nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    s->dir[0] = '\0';
}

/* ---- talking to it ---- */

void pg_server_url(const struct pg_server *s, const char *database, char *out, size_t size)
{
    snprintf(out, size, "postgresql:///%s?host=%s&port=%d&user=umbel", database, s->dir, s->port);
}

bool pg_server_ask(const struct pg_server *s, const char *database, const char *sql, char *out, size_t size)
{
    char info[256];
    PGconn *c;
    PGresult *r;
    bool ok;

    snprintf(info, sizeof(info), "host=%s port=%d dbname=%s user=umbel client_encoding=UTF8", s->dir, s->port, database);
    c = PQconnectdb(info);
    r = PQexec(c, sql);
    ok = PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK;
    if (!ok)
        fprintf(stderr, "%s: %s\n", sql, PQerrorMessage(c));
    if (out != NULL)
        snprintf(out, size, "%s", ok && PQntuples(r) > 0 ? PQgetvalue(r, 0, 0) : "");
    PQclear(r);
    PQfinish(c);
    return ok;
}
