/* A whole small file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "conf_int.h"

#define STEP 16384u

char *path_full(struct um_conf *c, const char *path)
{
    if (*path == '/' || c->dir == NULL)
        return pool_str(&c->pool, path, strlen(path));
    return pool_printf(&c->pool, "%s/%s", c->dir, path);
}

static um_err read_all(int fd, size_t max, struct um_buf *out)
{
    for (;;) {
        uint8_t *room = um_buf_room(out, STEP);
        if (room == NULL)
            return UM_ENOMEM;
        ssize_t n = read(fd, room, STEP);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? UM_OK : UM_EIO;
        um_buf_advance(out, (size_t)n);
        if (out->len > max)
            return UM_ELIMIT;
    }
}

um_err slurp(const char *path, size_t max, struct um_buf *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? UM_ENOTFOUND : UM_EIO;
    um_err err = read_all(fd, max, out);
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}
