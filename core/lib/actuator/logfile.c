/* logfile: the file of logging.file.name, or a range of it. It is read piece by piece as it goes out, and no loop waits for a disk: what is
 * not in memory is asked for, and looked at again a little later. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <umbel/http_file.h>
#include <umbel/util.h>
#include "internal.h"

enum { AGAIN_MS = 2, AHEAD = 256 * 1024 };

struct sending {
    struct um_http_req *rq;
    struct um_loop *loop;
    struct um_timer again;
    int fd;
    int64_t at, end;
};

static void look_again(void *arg) { um_http_wake(((struct sending *)arg)->rq); }

static ptrdiff_t read_piece(void *arg, uint8_t *out, size_t room)
{
    struct sending *s = arg;
    struct iovec iov = { out, (size_t)UM_MIN((int64_t)room, s->end - s->at) };
    ssize_t n;

    if (s->at == s->end)
        return -1;
    n = preadv2(s->fd, &iov, 1, s->at, RWF_NOWAIT);
    if (n < 0 && errno == EAGAIN) {
        (void)posix_fadvise(s->fd, s->at, AHEAD, POSIX_FADV_WILLNEED);
        um_timer_set(s->loop, &s->again, um_loop_next_ms(s->loop, AGAIN_MS), look_again, s);
        return 0;
    }
    if (n < 0 && errno == EOPNOTSUPP)         /* a file system in memory has nothing to wait for */
        n = preadv2(s->fd, &iov, 1, s->at, 0);
    if (n <= 0)
        return -2;                            /* it was cut meanwhile */
    s->at += n;
    return n;
}

static void close_file(void *arg)
{
    struct sending *s = arg;

    um_timer_stop(s->loop, &s->again);
    close(s->fd);
    free(s);
}

static void send_file(struct um_http_req *rq, int fd, int64_t size)
{
    static const unsigned statuses[] = { [UM_HTTP_WHOLE] = 200, [UM_HTTP_RANGE] = 206, [UM_HTTP_NO_RANGE] = 416 };
    struct sending *s = um_xcalloc(1, sizeof(*s));
    enum um_http_ranged ranged;
    int64_t length;
    char text[96];

    ranged = um_http_range(um_http_header(rq, "Range"), size, &s->at, &length);
    s->rq = rq;
    s->loop = um_http_loop(rq);
    s->fd = fd;
    s->end = s->at + length;
    um_http_add_header(rq, "Accept-Ranges", "bytes");
    um_http_add_header(rq, "Cache-Control", "no-store");
    if (ranged == UM_HTTP_RANGE)
        snprintf(text, sizeof(text), "bytes %lld-%lld/%lld", (long long)s->at, (long long)s->end - 1, (long long)size);
    else
        snprintf(text, sizeof(text), "bytes */%lld", (long long)size);
    if (ranged != UM_HTTP_WHOLE)
        um_http_add_header(rq, "Content-Range", text);
    if (ranged != UM_HTTP_NO_RANGE) {
        um_http_reply_stream(rq, statuses[ranged], "text/plain;charset=UTF-8", length, (struct um_http_source){ read_piece, close_file, s });
        return;
    }
    um_http_reply_error(rq, 416, "U00400", "the log is not as long as that");
    close_file(s);
}

void um_actuator_logfile(const struct um_actuator *a, struct um_http_req *rq)
{
    const char *path = a->s.settings != NULL ? um_conf_get(a->s.settings, "logging.file.name") : NULL;
    struct stat st;
    int fd;

    if (!um_actuator_exposes(a, rq, "logfile"))
        return;
    fd = path != NULL && *path != '\0' ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        send_file(rq, fd, st.st_size);
        return;
    }
    if (fd >= 0)
        close(fd);
    actuator_not_there(rq, "there is no such file (logging.file.name)");
}
