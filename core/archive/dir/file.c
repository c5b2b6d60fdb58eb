/* One object's file:
 *
 *   8 bytes "umbelar1" | 8 length of the object | 4 CRC-32C of the object | 4 CRC-32C of these 20 bytes | the object
 *
 * numbers with their low byte first. `tail -c +25` has the object. A file is written under a temporary name, flushed and
 * then renamed by the caller; while it is written its writer holds a lock on it, so that a second process that opens the archive
 * tells it from the leftover of a crash. */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "counters.h"
#include "dir_int.h"

#define MAGIC "umbelar1"
enum { ID_CHARS = 20 };

/* ---- the head ---- */

static void write_head(uint8_t head[DIR_HEAD_BYTES], struct um_span bytes)
{
    uint64_t len = htole64(bytes.len);
    uint32_t crc = htole32(um_crc32c(0, bytes.data, bytes.len));

    memcpy(head, MAGIC, 8);
    memcpy(head + 8, &len, 8);
    memcpy(head + 16, &crc, 4);
    crc = htole32(um_crc32c(0, head, 20));
    memcpy(head + 20, &crc, 4);
}

static bool parse_head(const uint8_t head[DIR_HEAD_BYTES], uint64_t *len, uint32_t *crc)
{
    uint32_t own;

    memcpy(len, head + 8, 8);
    memcpy(crc, head + 16, 4);
    memcpy(&own, head + 20, 4);
    *len = le64toh(*len);
    *crc = le32toh(*crc);
    return memcmp(head, MAGIC, 8) == 0 && le32toh(own) == um_crc32c(0, head, 20);
}

/* ---- writing ---- */

static bool write_all(int fd, struct um_span s)
{
    while (s.len > 0) {
        ssize_t n = write(fd, s.data, s.len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        s = UM_SPAN(s.data + n, s.len - (size_t)n);
    }
    return true;
}

/* A new file that is locked. Between its making and its locking somebody may clean it away: then another one. */
static int create_locked(int own, char name[DIR_NAME_SIZE])
{
    for (int tries = 0; tries < 8; tries++) {
        char id[ID_CHARS + 1];
        struct stat st;
        int fd;

        um_random_id(id, ID_CHARS);
        snprintf(name, DIR_NAME_SIZE, "%s.t", id);
        fd = openat(own, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
        if (fd < 0)
            return -1;
        if (flock(fd, LOCK_EX) == 0 && fstat(fd, &st) == 0 && st.st_nlink > 0)
            return fd;
        unlinkat(own, name, 0);
        close(fd);
        errno = EIO;
    }
    return -1;
}

um_err dir_write_temporary(int own, struct um_span bytes, int *out, char name[DIR_NAME_SIZE])
{
    uint8_t head[DIR_HEAD_BYTES];
    int fd = create_locked(own, name);
    um_err err;

    if (fd < 0)
        return dir_errno("create");
    write_head(head, bytes);
    if (write_all(fd, UM_SPAN(head, sizeof(head))) && write_all(fd, bytes) && fsync(fd) == 0) {
        *out = fd;
        return UM_OK;
    }
    err = dir_errno("write");
    unlinkat(own, name, 0);
    close(fd);
    return err;
}

/* ---- reading ---- */

/* UM_ECORRUPT also at an early end. */
static um_err read_all(int fd, uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read(fd, out, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return dir_errno("read");
        if (n == 0)
            return UM_ECORRUPT;
        out += n;
        len -= (size_t)n;
    }
    return UM_OK;
}

static um_err read_object(int fd, size_t max_bytes, struct um_bytes **out)
{
    uint8_t head[DIR_HEAD_BYTES];
    struct um_bytes *b;
    struct stat st;
    uint64_t len;
    uint32_t crc;
    um_err err;

    if (fstat(fd, &st) != 0)
        return dir_errno("stat");
    if (!S_ISREG(st.st_mode) || st.st_size < DIR_HEAD_BYTES)
        return UM_ECORRUPT;
    if ((err = read_all(fd, head, sizeof(head))) != UM_OK)
        return err;
    if (!parse_head(head, &len, &crc) || len != (uint64_t)st.st_size - DIR_HEAD_BYTES)
        return UM_ECORRUPT;
    if (len > max_bytes)
        return UM_ELIMIT;
    if ((b = um_bytes_new((size_t)len)) == NULL)
        return UM_ENOMEM;
    err = read_all(fd, b->data, b->len);
    if (err == UM_OK && um_crc32c(0, b->data, b->len) != crc)
        err = UM_ECORRUPT;
    if (err == UM_OK)
        *out = b;
    else
        um_bytes_unref(b);
    return err;
}

um_err dir_read_file(int folder, const char *name, size_t max_bytes, struct um_bytes **out)
{
    int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);     /* a FIFO would wait for a writer */
    um_err err;

    if (fd < 0)
        return dir_errno("open");
    err = read_object(fd, max_bytes, out);
    close(fd);
    return err;
}

/* ---- leftovers ---- */

static bool is_temporary(const char *name)
{
    size_t n = strlen(name);

    return n == ID_CHARS + 2 && strcmp(name + ID_CHARS, ".t") == 0;
}

static void clean_one(int own, const char *name)
{
    int fd = openat(own, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && unlinkat(own, name, 0) == 0)
        archive_count(M_LEFTOVERS, 1);
    close(fd);
}

void dir_clean(int own)
{
    int fd = fcntl(own, F_DUPFD_CLOEXEC, 0);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;

    if (d == NULL) {
        if (fd >= 0)
            close(fd);
        return;
    }
    rewinddir(d);
    while ((e = readdir(d)) != NULL)
        if (is_temporary(e->d_name))
            clean_one(own, e->d_name);
    closedir(d);
}
