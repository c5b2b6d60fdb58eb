/* What may be loaded: regular files of one directory; both belong to root or to us, and nobody else may write them.
 * A link may stand for a file as long as it leads to one inside. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "native_int.h"

bool um_native_is_name(const char *name, char why[UM_NATIVE_WHY_MAX])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    size_t n = strlen(name);

    snprintf(why, UM_NATIVE_WHY_MAX,
             "the name of a library has 1 to %d letters, digits, dots, dashes and underscores, and no dot at its begin", UM_NATIVE_NAME_MAX);
    return n > 0 && n <= UM_NATIVE_NAME_MAX && strspn(name, letters) == n && name[0] != '.';
}

bool file_same(const struct file_id *a, const struct file_id *b)
{
    return a->dev == b->dev && a->ino == b->ino && a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
           a->changed.tv_nsec == b->changed.tv_nsec;
}

static bool is_ours_alone(const struct stat *s, const char *what, char why[UM_NATIVE_WHY_MAX])
{
    const char *bad = NULL;

    if (s->st_uid != 0 && s->st_uid != geteuid())
        bad = "belongs to somebody else";
    else if ((s->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        bad = "may be written by others";
    if (bad != NULL)
        snprintf(why, UM_NATIVE_WHY_MAX, "%s %s", what, bad);
    return bad == NULL;
}

static int open_dir(const char *dir, char why[UM_NATIVE_WHY_MAX])
{
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct stat s;

    if (fd < 0 || fstat(fd, &s) != 0)
        snprintf(why, UM_NATIVE_WHY_MAX, "the directory of handlers: %s", strerror(errno));
    else if (is_ours_alone(&s, "the directory of handlers", why))
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

bool file_check_dir(const char *dir, char why[UM_NATIVE_WHY_MAX])
{
    int fd = open_dir(dir, why);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* Where there is no openat2, links are not followed at all. O_NONBLOCK: a pipe does not hold us up. */
static int open_beneath(int dir, const char *file)
{
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    struct open_how how = { .flags = (uint64_t)flags, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, dir, file, &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        fd = openat(dir, file, flags | O_NOFOLLOW);
    return fd;
}

static bool check(int fd, const char *name, struct file_id *id, char why[UM_NATIVE_WHY_MAX])
{
    char what[UM_NATIVE_NAME_MAX + 16];
    struct stat s;

    snprintf(what, sizeof(what), "%s.so", name);
    if (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
        snprintf(why, UM_NATIVE_WHY_MAX, "%s is no regular file", what);
        return false;
    }
    *id = (struct file_id){ s.st_dev, s.st_ino, s.st_size, s.st_ctim };
    return is_ours_alone(&s, what, why);
}

int file_open(const char *dir, const char *name, struct file_id *id, char why[UM_NATIVE_WHY_MAX])
{
    char file[UM_NATIVE_NAME_MAX + 4];
    int d, fd;

    if (!um_native_is_name(name, why) || (d = open_dir(dir, why)) < 0)
        return -1;
    snprintf(file, sizeof(file), "%s.so", name);
    fd = open_beneath(d, file);
    if (fd < 0)
        snprintf(why, UM_NATIVE_WHY_MAX, "%s: %s", file,
                 errno == EXDEV || errno == ELOOP ? "a link that leads out of the directory of handlers" : strerror(errno));
    close(d);
    if (fd >= 0 && !check(fd, name, id, why)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool um_native_has(const struct um_native *n, const char *name, char why[UM_NATIVE_WHY_MAX])
{
    struct file_id id;
    int fd = file_open(n->dir, name, &id, why);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}
