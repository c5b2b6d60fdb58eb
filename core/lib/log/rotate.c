/* See rotate.h.
 *
 * 1. The descriptor keeps its number: the new file is laid over it by dup3, so a line of another thread goes whole to the old file or
 *    to the new one.
 * 2. Files put aside are NAME.20261122T030405678Z: in order of their names the oldest is first.
 * 3. What cannot be done (a full disk, a folder that is not ours) is tried again after as many bytes; lines go on to the old file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <umbel/util.h>
#include "rotate.h"

#define STAMP_LEN 19                          /* 20261122T030405678Z */

static struct {
    char *path;                               /* NULL: standard error */
    int64_t max_bytes, max_files;
    _Atomic int64_t bytes;                    /* of the present file */
    pthread_mutex_t lock;                     /* one puts it aside */
} file = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int open_new(void) { return open(file.path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640); }

um_err rotate_open(const struct um_log_conf *cf, int *fd)
{
    struct stat st;

    free(file.path);
    file.path = NULL;
    *fd = STDERR_FILENO;
    if (cf->file == NULL || *cf->file == '\0')
        return UM_OK;
    file.path = um_xstrdup(cf->file);
    file.max_bytes = cf->max_bytes;
    file.max_files = cf->max_files;
    *fd = open_new();
    if (*fd < 0) {
        free(file.path);
        file.path = NULL;
        return UM_EIO;
    }
    atomic_store(&file.bytes, fstat(*fd, &st) == 0 ? st.st_size : 0);
    return UM_OK;
}

/* ---- those put aside ---- */

static bool is_aside(const char *entry, const char *name)
{
    size_t n = strlen(name);

    return strncmp(entry, name, n) == 0 && entry[n] == '.' && strlen(entry) == n + 1 + STAMP_LEN &&
           entry[n + 1 + strspn(entry + n + 1, "0123456789TZ")] == '\0';
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void remove_oldest(int dir, char **names, size_t n)
{
    if (n > 0)
        qsort(names, n, sizeof(*names), by_name);
    for (size_t i = 0; i < n; i++) {
        if ((int64_t)(n - i) > file.max_files)
            (void)unlinkat(dir, names[i], 0);
        free(names[i]);
    }
    free(names);
}

static void forget_old(void)
{
    const char *slash = strrchr(file.path, '/'), *name = slash != NULL ? slash + 1 : file.path;
    char *folder = slash != NULL ? um_xstrndup(file.path, (size_t)(slash - file.path) + 1) : um_xstrdup("."), **names = NULL;
    const struct dirent *entry;
    DIR *d = opendir(folder);
    size_t n = 0;

    free(folder);
    if (d == NULL)
        return;
    while ((entry = readdir(d)) != NULL)
        if (is_aside(entry->d_name, name)) {
            names = um_xrealloc(names, (n + 1) * sizeof(*names));
            names[n++] = um_xstrdup(entry->d_name);
        }
    remove_oldest(dirfd(d), names, n);
    closedir(d);
}

/* ---- the change ---- */

static char *name_aside(void)
{
    int64_t now = um_wall_ms();
    time_t s = (time_t)(now / 1000);
    char stamp[32];
    struct tm tm;

    gmtime_r(&s, &tm);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm);
    return um_xasprintf("%s.%s%03dZ", file.path, stamp, (int)(now % 1000));
}

static bool begin_new(int fd)
{
    char *aside = name_aside();
    bool ok = access(aside, F_OK) != 0 && (rename(file.path, aside) == 0 || errno == ENOENT);     /* somebody took it away */
    int fresh = ok ? open_new() : -1;

    if (ok && fresh < 0)
        (void)rename(aside, file.path);       /* lines still go there */
    free(aside);
    if (fresh < 0)
        return false;
    ok = dup3(fresh, fd, O_CLOEXEC) == fd;
    close(fresh);
    return ok;
}

void rotate_wrote(int fd, size_t n)
{
    if (file.path == NULL || file.max_bytes == 0 || atomic_fetch_add(&file.bytes, (int64_t)n) + (int64_t)n < file.max_bytes)
        return;
    if (pthread_mutex_trylock(&file.lock) != 0)
        return;                               /* another thread is at it */
    if (atomic_load(&file.bytes) >= file.max_bytes) {
        if (begin_new(fd) && file.max_files > 0)
            forget_old();
        atomic_store(&file.bytes, 0);
    }
    pthread_mutex_unlock(&file.lock);
}
