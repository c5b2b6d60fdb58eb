/* See limits.h. */
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <errno.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "limits.h"

static bool set(int which, unsigned long long value)
{
    struct rlimit r = { value, value }, now;

    if (getrlimit(which, &now) == 0 && now.rlim_max != RLIM_INFINITY && now.rlim_max < value)
        r.rlim_cur = r.rlim_max = now.rlim_max;           /* it has less already */
    return setrlimit(which, &r) == 0;
}

void limits_begin_call(const struct limits *l)
{
    struct rusage used;
    struct rlimit r;
    unsigned long long us;

    if (getrusage(RUSAGE_SELF, &used) != 0 || getrlimit(RLIMIT_CPU, &r) != 0)
        return;
    us = (unsigned long long)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
    r.rlim_cur = (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) + (us + 999999) / 1000000 + l->call_s;
    if (r.rlim_max != RLIM_INFINITY && r.rlim_cur > r.rlim_max)
        r.rlim_cur = r.rlim_max;
    setrlimit(RLIMIT_CPU, &r);
}

bool limits_set(const struct limits *l, char *why, size_t size)
{
    mallopt(M_ARENA_MAX, 1);                  /* an arena for each thread would cost 64 MB of address space */
    umask(077);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || !set(RLIMIT_CORE, 0) ||
        !set(RLIMIT_NOFILE, l->files) || !set(RLIMIT_AS, l->memory)) {
        snprintf(why, size, "its limits cannot be set: %s", strerror(errno));
        return false;
    }
    limits_begin_call(l);                     /* loading is work as well */
    if (getppid() == l->parent)
        return true;
    snprintf(why, size, "its core has ended meanwhile");
    return false;
}
