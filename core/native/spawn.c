/* Starts a process for a library. posix_spawn, never fork: this process has threads, and locks that they hold. The
 * new one has five descriptors: nothing, a pipe into our log, twice, the socket, the library; and an environment
 * without anything of ours. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <umbel/util.h>
#include "native_int.h"

enum { FD_SOCKET = 3, FD_LIBRARY = 4, FD_ABOVE = 10, NUMBER_MAX = 24 };

struct ends { int socket, output, library; };            /* the new process' */

/* Above the numbers that they get, so that none is written over before it was copied. */
static int lift(int fd)
{
    int lifted = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, FD_ABOVE) : -1;

    if (fd >= 0)
        close(fd);
    return lifted;
}

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static bool open_ends(struct spawned *ours, struct ends *theirs, int library_fd)
{
    int sockets[2] = { -1, -1 }, pipes[2] = { -1, -1 };

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0 || pipe2(pipes, O_CLOEXEC) != 0)
        for (int i = 0; i < 2; i++)
            close_one(&sockets[i]);
    ours->socket = sockets[0];
    ours->output = pipes[0];
    *theirs = (struct ends){ lift(sockets[1]), lift(pipes[1]), fcntl(library_fd, F_DUPFD_CLOEXEC, FD_ABOVE) };
    return ours->socket >= 0 && ours->output >= 0 && theirs->socket >= 0 && theirs->output >= 0 && theirs->library >= 0 &&
           fcntl(ours->socket, F_SETFL, O_NONBLOCK) == 0 && fcntl(ours->output, F_SETFL, O_NONBLOCK) == 0;
}

static bool plan(posix_spawn_file_actions_t *fa, posix_spawnattr_t *at, const struct ends *theirs)
{
    sigset_t none, all;

    sigemptyset(&none);
    sigfillset(&all);
    return posix_spawn_file_actions_addopen(fa, 0, "/dev/null", O_RDONLY, 0) == 0 &&
           posix_spawn_file_actions_adddup2(fa, theirs->output, 1) == 0 && posix_spawn_file_actions_adddup2(fa, theirs->output, 2) == 0 &&
           posix_spawn_file_actions_adddup2(fa, theirs->socket, FD_SOCKET) == 0 &&
           posix_spawn_file_actions_adddup2(fa, theirs->library, FD_LIBRARY) == 0 &&
           posix_spawn_file_actions_addclosefrom_np(fa, FD_LIBRARY + 1) == 0 && posix_spawn_file_actions_addchdir_np(fa, "/") == 0 &&
           posix_spawnattr_setsigmask(at, &none) == 0 && posix_spawnattr_setsigdefault(at, &all) == 0 &&
           posix_spawnattr_setflags(at, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID) == 0;
}

static int run(const struct um_native *n, const char *name, const struct ends *theirs, pid_t *pid)
{
    char parent[NUMBER_MAX], memory[NUMBER_MAX], files[NUMBER_MAX], seconds[NUMBER_MAX], answer[NUMBER_MAX], zone[256];
    const char *tz = getenv("TZ");
    const char *const args[] = { n->program, name, n->dir, parent, memory, files, seconds, answer, NULL };
    const char *const env[] = { "LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin", tz != NULL ? zone : NULL, NULL };
    posix_spawn_file_actions_t fa;
    posix_spawnattr_t at;
    int failed = ENOMEM;

    snprintf(parent, sizeof(parent), "%ld", (long)getpid());
    snprintf(memory, sizeof(memory), "%lld", (long long)n->cf.memory);
    snprintf(files, sizeof(files), "%lld", (long long)n->cf.files);
    snprintf(seconds, sizeof(seconds), "%lld", (long long)(n->cf.timeout_ms + 999) / 1000);
    snprintf(answer, sizeof(answer), "%lld", (long long)n->cf.max_answer);
    snprintf(zone, sizeof(zone), "TZ=%s", tz != NULL ? tz : "");
    if (posix_spawn_file_actions_init(&fa) != 0)
        return failed;
    if (posix_spawnattr_init(&at) == 0) {
        if (plan(&fa, &at, theirs))
            failed = posix_spawn(pid, n->program, &fa, &at, (char *const *)args, (char *const *)env);
        posix_spawnattr_destroy(&at);
    }
    posix_spawn_file_actions_destroy(&fa);
    return failed;
}

um_err spawn_worker(const struct um_native *n, const char *name, int library_fd, struct spawned *out)
{
    struct spawned s = { .pid = -1, .pidfd = -1, .socket = -1, .output = -1 };
    struct ends theirs = { -1, -1, -1 };
    um_err err = UM_EIO;

    if (open_ends(&s, &theirs, library_fd) && run(n, name, &theirs, &s.pid) == 0) {
        s.pidfd = (int)syscall(SYS_pidfd_open, s.pid, 0);
        if (s.pidfd >= 0) {
            err = UM_OK;
        } else {
            kill(s.pid, SIGKILL);
            waitpid(s.pid, NULL, 0);
        }
    }
    close_one(&theirs.socket);
    close_one(&theirs.output);
    close_one(&theirs.library);
    if (err != UM_OK) {
        close_one(&s.socket);
        close_one(&s.output);
        return err;
    }
    *out = s;
    return UM_OK;
}
