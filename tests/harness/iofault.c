/* Files that go wrong on command: preloaded into a server (LD_PRELOAD), it reads its orders from the file that IOFAULT_CTL
 * names, anew at every call, so that a test can switch them while the server runs:
 *
 *   PREFIX MODE [ARG]        files whose path begins with PREFIX
 *     off                    nothing (as does an empty file)
 *     enospc                 a file cannot grow; bytes that it has can be written over
 *     eio                    writes and syncs fail
 *     fsyncfail              syncs fail
 *     slow MS                syncs take so much longer
 *     torn                   the next write puts half of its bytes down and kills the process
 *
 * Calls of its own go to the kernel directly: a sanitizer's wrappers may stand on either side. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(ret, name, ...)                                       \
    static ret (*real)(__VA_ARGS__);                               \
    if (real == NULL)                                              \
        real = (ret (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

struct order { char prefix[PATH_MAX], mode[16]; long arg; };

static bool read_order(struct order *o)
{
    char line[PATH_MAX + 64];
    const char *control = getenv("IOFAULT_CTL");
    long fd = control != NULL ? syscall(SYS_openat, AT_FDCWD, control, O_RDONLY | O_CLOEXEC) : -1, n;

    if (fd < 0)
        return false;
    n = syscall(SYS_read, fd, line, sizeof(line) - 1);
    syscall(SYS_close, fd);
    line[n > 0 ? n : 0] = '\0';
    o->arg = 0;
    return sscanf(line, "%4000s %15s %ld", o->prefix, o->mode, &o->arg) >= 2;
}

/* The order for FD's file; mode "off" when there is none. */
static struct order order_for(int fd)
{
    struct order o = { .mode = "off" };
    char link[48], path[PATH_MAX];
    int saved = errno;
    long n;

    if (read_order(&o)) {
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        n = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof(path) - 1);
        path[n > 0 ? n : 0] = '\0';
        if (strncmp(path, o.prefix, strlen(o.prefix)) != 0)
            strcpy(o.mode, "off");
    }
    errno = saved;
    return o;
}

static bool is(const struct order *o, const char *mode) { return strcmp(o->mode, mode) == 0; }

static bool would_grow(int fd, off_t at, size_t n)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && at + (off_t)n > st.st_size;
}

/* May N bytes be written at AT? False with errno set. *TORN: half of them, as the last deed. */
static bool may_write(int fd, off_t at, size_t n, bool *torn)
{
    struct order o = order_for(fd);

    *torn = is(&o, "torn");
    if (is(&o, "eio"))
        return errno = EIO, false;
    if (is(&o, "enospc") && would_grow(fd, at, n))
        return errno = ENOSPC, false;
    return true;
}

static void die(void) { syscall(SYS_kill, getpid(), SIGKILL); }

ssize_t write(int fd, const void *data, size_t n)
{
    REAL(ssize_t, write, int, const void *, size_t);
    bool torn;
    ssize_t done;

    if (!may_write(fd, lseek(fd, 0, SEEK_CUR), n, &torn))
        return -1;
    done = real(fd, data, torn ? n / 2 : n);
    if (torn)
        die();
    return done;
}

ssize_t pwrite64(int fd, const void *data, size_t n, off64_t at)
{
    REAL(ssize_t, pwrite64, int, const void *, size_t, off64_t);
    bool torn;
    ssize_t done;

    if (!may_write(fd, at, n, &torn))
        return -1;
    done = real(fd, data, torn ? n / 2 : n, at);
    if (torn)
        die();
    return done;
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) { return pwrite64(fd, data, n, at); }

ssize_t pwritev64(int fd, const struct iovec *v, int count, off64_t at)
{
    REAL(ssize_t, pwritev64, int, const struct iovec *, int, off64_t);
    size_t n = 0;
    bool torn;

    for (int i = 0; i < count; i++)
        n += v[i].iov_len;
    if (!may_write(fd, at, n, &torn))
        return -1;
    return torn ? pwrite64(fd, v[0].iov_base, v[0].iov_len, at) : real(fd, v, count, at);
}

ssize_t pwritev(int fd, const struct iovec *v, int count, off_t at) { return pwritev64(fd, v, count, at); }

int posix_fallocate64(int fd, off64_t at, off64_t n)
{
    REAL(int, posix_fallocate64, int, off64_t, off64_t);
    bool torn;

    return may_write(fd, at, (size_t)n, &torn) ? real(fd, at, n) : errno;
}

int posix_fallocate(int fd, off_t at, off_t n) { return posix_fallocate64(fd, at, n); }

static int sync_with(int (*real)(int), int fd)
{
    struct order o = order_for(fd);
    struct timespec wait = { o.arg / 1000, o.arg % 1000 * 1000000 };

    if (is(&o, "eio") || is(&o, "fsyncfail"))
        return errno = EIO, -1;
    if (is(&o, "slow"))
        nanosleep(&wait, NULL);
    return real(fd);
}

int fsync(int fd)
{
    REAL(int, fsync, int);
    return sync_with(real, fd);
}

int fdatasync(int fd)
{
    REAL(int, fdatasync, int);
    return sync_with(real, fd);
}
