/* The directory as a place: what is acknowledged has been flushed, file and folders. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include "counters.h"
#include "dir_int.h"

enum { PUT_TRIES = 8 };                /* a folder may be pruned between its opening and the rename */

struct dir { int root, own; };

/* ---- life ---- */

static void dir_close(void *self)
{
    struct dir *d = self;

    if (d->own >= 0)
        close(d->own);
    if (d->root >= 0)
        close(d->root);
    free(d);
}

static um_err refuse(const char *path, char why[256])
{
    um_err err = errno == EACCES || errno == EPERM || errno == EROFS ? UM_EDENIED : UM_EIO;

    snprintf(why, 256, "archive.url: %.180s: %s", path, strerror(errno));
    return err;
}

static um_err dir_open(void **self, const struct archive_url *url, const struct um_archive_conf *cf, char why[256])
{
    struct dir *d = um_xcalloc(1, sizeof(*d));

    (void)cf;
    *d = (struct dir){ .root = -1, .own = -1 };
    *self = d;
    if (mkdir(url->path, 0750) != 0 && errno != EEXIST)
        return refuse(url->path, why);
    d->root = open(url->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->root < 0)
        return refuse(url->path, why);
    if (mkdirat(d->root, DIR_OWN, 0750) != 0 && errno != EEXIST)
        return refuse(url->path, why);
    d->own = openat(d->root, DIR_OWN, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (d->own < 0 || faccessat(d->root, DIR_OWN, W_OK | X_OK, 0) != 0 || faccessat(d->root, ".", W_OK | X_OK, 0) != 0 ||
        fsync(d->root) != 0)
        return refuse(url->path, why);
    dir_clean(d->own);
    return UM_OK;
}

static um_err dir_worker_open(void *self, struct archive_stop *stop, void **worker)
{
    (void)stop;
    *worker = self;
    return UM_OK;
}

static void dir_worker_close(void *worker)
{
    (void)worker;
}

/* ---- calls ---- */

/* UM_ENOTFOUND: the folder was pruned under our hands. */
static um_err rename_into_place(struct dir *d, const char *temporary, const char *key)
{
    char name[DIR_NAME_SIZE];
    um_err err = UM_OK;
    int folder;

    if ((err = dir_open_folder(d->root, key, true, &folder, name)) != UM_OK)
        return err;
    if (UM_FAILPOINT("file.before_rename"))
        err = UM_EIO;
    else if (renameat(d->own, temporary, folder, name) != 0)
        err = dir_errno("rename");
    else if (fsync(folder) != 0)
        err = UM_EIO;
    close(folder);
    return err;
}

static um_err dir_put(void *worker, const char *key, struct um_span bytes)
{
    struct dir *d = worker;
    char temporary[DIR_NAME_SIZE];
    um_err err;
    int fd;

    if ((err = dir_write_temporary(d->own, bytes, &fd, temporary)) != UM_OK)
        return err == UM_ENOTFOUND ? UM_EIO : err;     /* our own folder is gone */
    err = UM_ENOTFOUND;
    for (int tries = 0; tries < PUT_TRIES && err == UM_ENOTFOUND; tries++)
        err = rename_into_place(d, temporary, key);
    if (err != UM_OK)
        unlinkat(d->own, temporary, 0);
    close(fd);
    return err == UM_ENOTFOUND ? UM_EIO : err;
}

static um_err dir_get(void *worker, const char *key, size_t max_bytes, struct um_bytes **out)
{
    struct dir *d = worker;
    char name[DIR_NAME_SIZE];
    um_err err;
    int folder;

    if ((err = dir_open_folder(d->root, key, false, &folder, name)) != UM_OK)
        return err;
    err = dir_read_file(folder, name, max_bytes, out);
    close(folder);
    return err;
}

static um_err dir_remove(void *worker, const char *key)
{
    struct dir *d = worker;
    char name[DIR_NAME_SIZE];
    um_err err;
    int folder;

    if ((err = dir_open_folder(d->root, key, false, &folder, name)) != UM_OK)
        return err == UM_ENOTFOUND ? UM_OK : err;
    if (unlinkat(folder, name, 0) != 0)
        err = dir_errno("delete");
    else if (fsync(folder) != 0)
        err = UM_EIO;
    close(folder);
    if (err == UM_OK)
        dir_prune(d->root, key);
    return err == UM_ENOTFOUND ? UM_OK : err;
}

static um_err dir_list_keys(void *worker, const char *prefix, const char *after, struct archive_page *pg)
{
    return dir_list(((struct dir *)worker)->root, prefix, after, pg);
}

const struct archive_place archive_dir = {
    .name = "directory", .open = dir_open, .close = dir_close,
    .worker_open = dir_worker_open, .worker_close = dir_worker_close,
    .put = dir_put, .get = dir_get, .remove = dir_remove, .list = dir_list_keys,
};
