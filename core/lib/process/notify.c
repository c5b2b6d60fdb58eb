/* The supervisor's protocol (sd_notify(3)): datagrams of "KEY=VALUE" to the socket that NOTIFY_SOCKET names, a path or, with '@' in front,
 * an abstract name. Without it nobody is told anything. */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <umbel/process.h>

enum { BEATS_PER_WATCH = 3 };            /* of the supervisor's patience: one sign of life may be late */

static void tell(const char *what)
{
    const char *name = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    size_t n = name != NULL ? strlen(name) : 0;
    int fd;

    if (n < 2 || n >= sizeof(to.sun_path) || (name[0] != '/' && name[0] != '@'))
        return;
    memcpy(to.sun_path, name, n);
    if (name[0] == '@')
        to.sun_path[0] = '\0';
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    (void)!sendto(fd, what, strlen(what), MSG_NOSIGNAL, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    close(fd);
}

/* How often a sign of life is due; 0: nobody waits for one. */
static int64_t watch_us(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    long long v = us != NULL ? atoll(us) : 0;

    return v > 0 && (pid == NULL || atoll(pid) == getpid()) ? v / BEATS_PER_WATCH + 1 : 0;
}

int um_process_serve(bool (*is_alive)(void *arg), void *arg)
{
    int64_t us = watch_us();
    struct timespec every = { us / 1000000, us % 1000000 * 1000 };
    sigset_t stop;
    int sig;

    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    tell("READY=1");
    while ((sig = us > 0 ? sigtimedwait(&stop, NULL, &every) : sigwaitinfo(&stop, NULL)) < 0)
        if (errno == EAGAIN && is_alive(arg))
            tell("WATCHDOG=1");
    tell("STOPPING=1");
    return sig;
}
