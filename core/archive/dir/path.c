/* Folders of a key. Every step opens one folder by its name below the one before, without following links: as a checked key
 * has no segment `..`, nothing outside the root can be reached, whoever plants links in the archive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/log.h>
#include "dir_int.h"

um_err dir_errno(const char *what)
{
    int e = errno;

    if (e == ENOENT)
        return UM_ENOTFOUND;
    um_log_limited(UM_WARN, "archive", "file error", UM_S("at", what), UM_S("error", strerror(e)));
    switch (e) {
    case EACCES: case EPERM: case EROFS: case ELOOP: case ENOTDIR:
        return UM_EDENIED;           /* the last two: a link or a file where a folder of ours should be */
    case ENOMEM:
        return UM_ENOMEM;
    default:
        return UM_EIO;
    }
}

static int open_step(int at, const char *name)
{
    return openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* Flushes AT even when the folder was there: another thread may have made it a moment ago and not have flushed yet. That
 * costs next to nothing when there is nothing to flush. */
static int make_step(int at, const char *name)
{
    if (mkdirat(at, name, 0750) != 0 && errno != EEXIST)
        return -1;
    return fsync(at) == 0 ? open_step(at, name) : -1;
}

um_err dir_open_folder(int root, const char *key, bool make, int *out, char name[DIR_NAME_SIZE])
{
    int at = fcntl(root, F_DUPFD_CLOEXEC, 0);
    size_t n;

    for (const char *p = key; at >= 0; p += n + 1) {
        int below;

        n = strcspn(p, "/");
        UM_ASSERT(n <= ARCHIVE_SEGMENT_MAX);
        snprintf(name, DIR_NAME_SIZE, "%.*s%s", (int)n, p, p[n] == '/' ? ".d" : ".o");
        if (p[n] == '\0') {
            *out = at;
            return UM_OK;
        }
        below = make ? make_step(at, name) : open_step(at, name);
        close(at);
        at = below;
    }
    return dir_errno("folder");
}

void dir_prune(int root, const char *key)
{
    char path[ARCHIVE_KEY_MAX + 1], name[DIR_NAME_SIZE];
    char *slash;
    int fd;

    snprintf(path, sizeof(path), "%s", key);
    while ((slash = strrchr(path, '/')) != NULL && !archive_key_is_own(path)) {
        *slash = '\0';
        if (dir_open_folder(root, path, false, &fd, name) != UM_OK)
            return;
        name[strlen(name) - 1] = 'd';
        if (unlinkat(fd, name, AT_REMOVEDIR) != 0)
            path[0] = '\0';          /* not empty: neither are those above */
        close(fd);
    }
}
