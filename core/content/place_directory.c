/* Contents in a directory: DIR/xx/<id>, a file each, where xx are the first two characters of the id, which is ours. The directory
 * may be one of a network: nothing is expected of it but that what was flushed is there for others too.
 *
 * No way leads out of it, however it has been tampered with (openat2, RESOLVE_BENEATH, no links); on kernels and in sandboxes
 * without that call, links are refused step by step. A worker's thread waits for the disk. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <umbel/failpoint.h>
#include <umbel/log.h>
#include "internal.h"

enum { FOLDER_CHARS = 2, PATH_SIZE = FOLDER_CHARS + 1 + UM_CONTENT_ID_SIZE };

static um_err from_errno(const char *what)
{
    int e = errno;

    if (e == ENOENT)
        return UM_ENOTFOUND;
    um_log_limited(UM_ERROR, "content", "directory", UM_S("call", what), UM_S("error", strerror(e)));
    return e == ENOMEM || e == EMFILE || e == ENFILE ? UM_ENOMEM : e == EACCES || e == EPERM ? UM_EDENIED : UM_EIO;
}

/* ---- names ---- */

static void split(const char *id, char folder[FOLDER_CHARS + 1], char path[PATH_SIZE])
{
    snprintf(folder, FOLDER_CHARS + 1, "%s", id);
    snprintf(path, PATH_SIZE, "%s/%s", folder, id);
}

/* Without openat2: each step alone. PATH has one slash, or none. */
static int open_step_by_step(int dir, const char *path, int flags)
{
    const char *slash = strchr(path, '/');
    char folder[FOLDER_CHARS + 1];
    int fd, e, below;

    if (slash == NULL)
        return openat(dir, path, flags | O_NOFOLLOW | O_CLOEXEC, 0640);
    snprintf(folder, sizeof(folder), "%s", path);
    below = openat(dir, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (below < 0)
        return -1;
    fd = openat(below, slash + 1, flags | O_NOFOLLOW | O_CLOEXEC, 0640);
    e = errno;
    close(below);
    errno = e;
    return fd;
}

static int open_beneath(int dir, const char *path, int flags)
{
    struct open_how how = { .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC), .mode = flags & O_CREAT ? 0640 : 0,
                            .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
    long fd = syscall(SYS_openat2, dir, path, &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_step_by_step(dir, path, flags);
    return (int)fd;
}

static bool is_regular(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/* A FIFO would wait for its other end, a device do anything. */
static um_err open_file(const struct content_io *io, int flags, int *out)
{
    char folder[FOLDER_CHARS + 1], path[PATH_SIZE];
    int dir = io->content->dir.fd, fd;

    split(io->id, folder, path);
    fd = open_beneath(dir, path, flags | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT && (flags & O_CREAT)) {
        if (mkdirat(dir, folder, 0750) != 0 && errno != EEXIST)
            return from_errno("mkdir");
        fd = open_beneath(dir, path, flags | O_NONBLOCK);
    }
    if (fd < 0)
        return from_errno("open");
    if (!is_regular(fd)) {
        close(fd);
        um_log_limited(UM_ERROR, "content", "not a file", UM_S("path", path));
        return UM_EIO;
    }
    *out = fd;
    return UM_OK;
}

/* ---- on a worker ---- */

static bool write_at(int fd, struct um_span s, int64_t at)
{
    while (s.len > 0) {
        ssize_t n = pwrite(fd, s.data, s.len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return false;
        }
        s = UM_SPAN(s.data + n, s.len - (size_t)n);
        at += n;
    }
    return true;
}

/* Only the first chunk makes the file: one that was swept away meanwhile must not come back without a row. */
static void put_chunk(struct content_io *io)
{
    int fd;

    if ((io->err = open_file(io, O_WRONLY | (io->n == 0 ? O_CREAT | O_EXCL : 0), &fd)) != UM_OK)
        return;
    if (!write_at(fd, um_bytes_span(io->bytes), io->n * io->chunk))
        io->err = from_errno("write");
    close(fd);
}

static um_err flush_folder(const struct content_io *io, const char *folder)
{
    int fd = open_beneath(io->content->dir.fd, folder, O_RDONLY | O_DIRECTORY);
    um_err err;

    if (fd < 0)
        return from_errno("open");
    err = fsync(fd) == 0 ? UM_OK : from_errno("fsync");
    close(fd);
    return err;
}

/* The file, its name in the folder, and the folder's in the directory. */
static void flush(struct content_io *io)
{
    char folder[FOLDER_CHARS + 1], path[PATH_SIZE];
    int fd;

    split(io->id, folder, path);
    if ((io->err = open_file(io, O_WRONLY, &fd)) != UM_OK)
        return;
    if (UM_FAILPOINT("file.before_sync") || fsync(fd) != 0)
        io->err = from_errno("fsync");
    close(fd);
    if (io->err == UM_OK)
        io->err = flush_folder(io, folder);
    if (io->err == UM_OK && fsync(io->content->dir.fd) != 0)
        io->err = from_errno("fsync");
}

static um_err read_at(int fd, uint8_t *out, size_t len, int64_t at)
{
    while (len > 0) {
        ssize_t n = pread(fd, out, len, at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return from_errno("read");
        if (n == 0)
            return UM_ECORRUPT;
        out += n;
        len -= (size_t)n;
        at += n;
    }
    return UM_OK;
}

static void get_chunk(struct content_io *io)
{
    int fd;

    if ((io->err = open_file(io, O_RDONLY, &fd)) != UM_OK)
        return;
    io->bytes = um_bytes_new(io->len);
    io->err = io->bytes == NULL ? UM_ENOMEM : read_at(fd, io->bytes->data, io->len, io->n * io->chunk);
    close(fd);
    if (io->err == UM_OK)
        return;
    um_bytes_unref(io->bytes);
    io->bytes = NULL;
}

static void remove_file(struct content_io *io)
{
    char folder[FOLDER_CHARS + 1], path[PATH_SIZE];
    int fd;

    split(io->id, folder, path);
    fd = open_beneath(io->content->dir.fd, folder, O_RDONLY | O_DIRECTORY);
    if (fd < 0 && errno == ENOENT)
        return;
    if (fd < 0 || (unlinkat(fd, io->id, 0) != 0 && errno != ENOENT) || fsync(fd) != 0)
        io->err = from_errno("remove");
    if (fd >= 0)
        close(fd);
}

/* ---- to a worker and back ---- */

static void work(struct um_work *w)
{
    struct content_io *io = UM_CONTAINER(w, struct content_io, work);

    io->run(io);
}

static void worked(struct um_work *w)
{
    struct content_io *io = UM_CONTAINER(w, struct content_io, work);

    io->done(io);
}

static void refuse(void *arg)
{
    struct content_io *io = arg;

    io->err = UM_EUNAVAIL;
    io->done(io);
}

static void submit(struct content_io *io, void (*run)(struct content_io *io))
{
    struct um_pool *pool = io->content->pool;

    io->err = UM_OK;
    io->run = run;
    io->work = (struct um_work){ .loop = io->loop, .fn = work, .done = worked };
    if (pool == NULL || um_work_submit(pool, &io->work) != UM_OK)
        um_loop_call(io->loop, refuse, io);
}

static void put(struct content_io *io) { submit(io, put_chunk); }
static void finish(struct content_io *io) { submit(io, flush); }
static void get(struct content_io *io) { io->bytes = NULL; submit(io, get_chunk); }
static void remove_all(struct content_io *io) { submit(io, remove_file); }

static um_err peek(struct um_content *c, struct um_sql *q, const char *id, size_t len, struct um_buf *out)
{
    struct content_io io = { .content = c, .id = id, .len = len };

    (void)q;
    get_chunk(&io);
    if (io.err == UM_OK)
        um_buf_put(out, io.bytes->data, len);
    um_bytes_unref(io.bytes);
    return io.err == UM_ENOTFOUND ? UM_ECORRUPT : io.err;
}

const struct content_place content_directory = {
    .name = "directory", .put = put, .finish = finish, .get = get, .remove = remove_all, .peek = peek,
};

/* ---- the directory ---- */

static um_err refuse_dir(const char *path, char why[256])
{
    snprintf(why, 256, "file.dir: %.180s: %s", path, strerror(errno));
    return UM_EINVAL;
}

/* Made when only its last part misses: what is misspelt is no place for people's files. */
um_err content_dir_open(struct content_dir *d, const char *path, char why[256])
{
    if (mkdir(path, 0750) != 0 && errno != EEXIST)
        return refuse_dir(path, why);
    d->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0 || faccessat(d->fd, ".", W_OK | X_OK, 0) != 0)
        return refuse_dir(path, why);
    d->path = um_xstrdup(path);
    return UM_OK;
}

void content_dir_close(struct content_dir *d)
{
    if (d->fd >= 0)
        close(d->fd);
    free(d->path);
    *d = (struct content_dir){ .fd = -1 };
}
