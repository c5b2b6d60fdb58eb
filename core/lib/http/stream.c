/* Replies that are produced while they go out: libmicrohttpd asks for the next piece; a source that has none yet suspends
 * the connection until it is woken. */
#include <stdlib.h>
#include "http_int.h"

enum { BLOCK = 32 * 1024 };

struct stream {
    struct um_http_req *rq;         /* alive whenever libmicrohttpd reads */
    struct um_http_source src;
};

static ssize_t read_source(void *cls, uint64_t pos, char *out, size_t room)
{
    struct stream *s = cls;
    ptrdiff_t n;

    (void)pos;
    if (s->rq->gone)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    n = s->src.read(s->src.arg, (uint8_t *)out, room);
    if (n == 0)
        http_suspend(s->rq);        /* returning nothing without it makes libmicrohttpd spin */
    if (n == -1)
        return MHD_CONTENT_READER_END_OF_STREAM;
    return n < 0 ? MHD_CONTENT_READER_END_WITH_ERROR : n;
}

static void close_source(void *cls)
{
    struct stream *s = cls;

    if (s->src.close != NULL)
        s->src.close(s->src.arg);
    free(s);
}

void um_http_reply_stream(struct um_http_req *rq, unsigned status, const char *content_type, int64_t length,
                          struct um_http_source src)
{
    struct stream *s = um_xcalloc(1, sizeof(*s));

    s->rq = rq;
    s->src = src;
    if (rq->state == HTTP_DONE) {
        close_source(s);
        return;
    }
    if (content_type != NULL)
        um_http_add_header(rq, "Content-Type", content_type);
    rq->streaming = true;
    http_finish(rq, status, MHD_create_response_from_callback(length >= 0 ? (uint64_t)length : MHD_SIZE_UNKNOWN, BLOCK,
                                                              read_source, s, close_source));
}

void um_http_wake(struct um_http_req *rq)
{
    if (rq->streaming)
        http_resume(rq);
}
