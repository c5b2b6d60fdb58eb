/* See umbel/multipart.h. The frame is read here, a part's headers in multipart_part.c.
 *
 *   [anything CRLF] --boundary [blanks] CRLF headers CRLF CRLF body CRLF --boundary ... CRLF --boundary-- [anything]
 *
 *   START --delimiter--> TAIL --CRLF--> HEADERS --empty line--> BODY --delimiter--> TAIL --"--"--> END
 *
 * 1. The delimiter is CRLF, two dashes and the boundary. What stands before the first part is read as a body that nobody
 *    hears of, as if a CRLF had gone before.
 * 2. A CR is only the delimiter's first byte. So after a mismatch no shorter beginning of it can have matched, and bytes that
 *    were held back in earlier pieces are those of the delimiter itself.
 * 3. A body is handed on in runs as long as they lie in the piece. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "http_int.h"
#include "multipart_int.h"

enum state { START, TAIL, TAIL_DASH, TAIL_LF, HEADERS, BODY, END, FAILED };

struct um_multipart {
    struct um_multipart_sink sink;
    void *arg;
    enum state state;
    um_err err;                              /* FAILED */
    const char *why;
    char delimiter[UM_MULTIPART_HELD_MAX + 1];
    size_t length, matched;                  /* of the delimiter */
    size_t parts, skipped;                   /* bytes before the first part, and of blanks behind boundaries */
    struct um_buf headers;
};

static um_err fail(struct um_multipart *m, um_err err, const char *why)
{
    if (err == UM_ELIMIT)
        http_count(HTTP_M_MULTIPART, 1);
    m->state = FAILED;
    m->err = err;
    m->why = why;
    return err;
}

static um_err check_skipped(struct um_multipart *m, size_t n)
{
    m->skipped += n;
    return m->skipped <= UM_MULTIPART_HEADERS_MAX ? UM_OK
                                                  : fail(m, UM_ELIMIT, "there is too much beside the parts of the form");
}

/* ---- bodies ---- */

static um_err hand_on(struct um_multipart *m, const void *data, size_t n)
{
    if (n == 0)
        return UM_OK;
    if (m->state == START)
        return check_skipped(m, n);
    return m->sink.piece(m->arg, UM_SPAN(data, n));
}

/* Reads until the delimiter is complete or the piece ends; *AT is behind what was read. */
static um_err read_body(struct um_multipart *m, const uint8_t **at, const uint8_t *end)
{
    const uint8_t *p = *at, *from = p;       /* from: not handed on yet */
    size_t held = m->matched;                /* of the delimiter, in earlier pieces */
    um_err err = UM_OK;

    while (err == UM_OK && p < end && m->matched < m->length) {
        if (*p == (uint8_t)m->delimiter[m->matched]) {
            m->matched++;
            p++;
        } else if (m->matched > 0) {
            err = hand_on(m, m->delimiter, held);
            held = m->matched = 0;
        } else {
            p = memchr(p, '\r', (size_t)(end - p));
            p = p != NULL ? p : end;
        }
    }
    if (err == UM_OK)
        err = hand_on(m, from, (size_t)(p - from) - (m->matched - held));
    *at = p;
    return err;
}

static um_err end_body(struct um_multipart *m)
{
    um_err err = m->state == BODY ? m->sink.end(m->arg) : UM_OK;

    m->matched = 0;
    m->state = TAIL;
    return err;
}

/* ---- behind a boundary ---- */

static um_err read_tail(struct um_multipart *m, uint8_t c)
{
    if (m->state == TAIL && c == '-')
        m->state = TAIL_DASH;
    else if (m->state == TAIL && (c == ' ' || c == '\t'))
        return check_skipped(m, 1);
    else if (m->state == TAIL && c == '\r')
        m->state = TAIL_LF;
    else if (m->state == TAIL_DASH && c == '-')
        m->state = END;
    else if (m->state == TAIL_LF && c == '\n')
        m->state = HEADERS;
    else
        return fail(m, UM_EPROTO, "a boundary of the form is followed by something else");
    return UM_OK;
}

/* ---- headers ---- */

static um_err begin_part(struct um_multipart *m)
{
    struct multipart_part part;
    um_err err;

    if (++m->parts > UM_MULTIPART_PARTS_MAX)
        return fail(m, UM_ELIMIT, "the form has too many parts");
    err = multipart_part_parse(&part, &m->headers, &m->why);
    if (err != UM_OK)
        return fail(m, err, m->why);
    err = m->sink.begin(m->arg, &part.part);
    multipart_part_free(&part);
    um_buf_clear(&m->headers);
    m->state = BODY;
    return err;
}

/* A byte at a time: they are few. A part without any headers is malformed, which multipart_part_parse says. */
static um_err read_header(struct um_multipart *m, uint8_t c)
{
    const struct um_buf *h = &m->headers;

    um_buf_put_u8(&m->headers, c);
    if (h->failed)
        return fail(m, UM_ENOMEM, "there is no memory for the form");
    if (h->len > UM_MULTIPART_HEADERS_MAX)
        return fail(m, UM_ELIMIT, "the headers of a part are too long");
    if ((h->len == 2 && memcmp(h->data, "\r\n", 2) == 0) || (h->len >= 4 && memcmp(h->data + h->len - 4, "\r\n\r\n", 4) == 0))
        return begin_part(m);
    return UM_OK;
}

/* ---- public ---- */

um_err um_multipart_feed(struct um_multipart *m, struct um_span bytes)
{
    const uint8_t *p = bytes.data, *end = p + bytes.len;
    um_err err = m->state == FAILED ? m->err : UM_OK;

    while (err == UM_OK && p < end && m->state != END) {
        if (m->state == START || m->state == BODY) {
            err = read_body(m, &p, end);
            if (err == UM_OK && m->matched == m->length)
                err = end_body(m);
        } else if (m->state == HEADERS) {
            err = read_header(m, *p++);
        } else {
            err = read_tail(m, *p++);
        }
    }
    if (err != UM_OK && m->state != FAILED) {                        /* by the sink, which knows why */
        m->state = FAILED;
        m->err = err;
        m->why = "the form was refused";
    }
    return err;
}

um_err um_multipart_finish(struct um_multipart *m)
{
    if (m->state == FAILED)
        return m->err;
    return m->state == END ? UM_OK : fail(m, UM_EPROTO, "the form breaks off before its last boundary");
}

const char *um_multipart_why(const struct um_multipart *m)
{
    return m->why;
}

um_err um_multipart_new(struct um_multipart **out, const char *content_type, const struct um_multipart_sink *sink, void *arg)
{
    char boundary[UM_MULTIPART_BOUNDARY_MAX + 1];
    struct um_multipart *m;

    *out = NULL;
    if (!multipart_boundary(content_type, boundary))
        return UM_EPROTO;
    m = um_xcalloc(1, sizeof(*m));
    m->sink = *sink;
    m->arg = arg;
    m->length = (size_t)snprintf(m->delimiter, sizeof(m->delimiter), "\r\n--%s", boundary);
    m->matched = 2;                          /* the CRLF that went before */
    m->why = "";
    *out = m;
    return UM_OK;
}

void um_multipart_free(struct um_multipart *m)
{
    if (m == NULL)
        return;
    um_buf_free(&m->headers);
    free(m);
}
