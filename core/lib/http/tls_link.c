/* See tls_link.h.
 *
 * Two flows, each with a small rest that the other side did not take yet. TLS may want to write in order to read (a key update)
 * and to read in order to write, so what each descriptor is watched for is worked out anew after each step. */
#include "tls_link.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <umbel/bytes.h>
#include "http_int.h"

enum {
    PIECE = 16 * 1024, PIECES_PER_TURN = 8,
    GOODBYE_MS = 2000,                       /* for a client to end its side after ours */
    LAST_BYTES_MS = 30000,                   /* for a client to take what was said before our side ended */
};

struct flow {
    uint8_t *rest;                           /* PIECE bytes, made when they are needed */
    size_t from, to;                         /* of what is in it */
    bool ended;                              /* its source has said its last */
    bool passed_on;                          /* and its sink knows */
};
struct tls_link {
    struct um_list link;
    struct tls_links *all;
    SSL *ssl;
    struct um_io secure, plain;
    struct flow in, out;                     /* from the client, to the client */
    bool read_wants_write, write_wants_read; /* what TLS waits for */
    struct um_timer goodbye;                 /* from our side's end on */
    struct um_defer again;                   /* bytes that TLS has decrypted already wake nobody */
};

static void free_link(struct tls_link *k)
{
    int fd = k->secure.fd, plain = k->plain.fd;

    um_io_stop(k->all->loop, &k->secure);
    um_io_stop(k->all->loop, &k->plain);
    um_timer_stop(k->all->loop, &k->goodbye);
    um_defer_cancel(&k->again);
    um_list_remove(&k->link);
    SSL_free(k->ssl);
    ERR_clear_error();
    close(fd);
    close(plain);
    free(k->in.rest);
    free(k->out.rest);
    free(k);
}

static void end_link(void *arg) { free_link(arg); }

static uint8_t *room(struct flow *f)
{
    if (f->rest == NULL)
        f->rest = um_xmalloc(PIECE);
    return f->rest;
}

static bool is_empty(const struct flow *f) { return f->from == f->to; }

/* Idle connections keep no buffers. */
static void let_go(struct flow *f)
{
    if (is_empty(f)) {
        free(f->rest);
        f->rest = NULL;
    }
}

/* ---- single steps: more to do at once, nothing now, or the link has failed ---- */

enum step { STEP_MORE, STEP_WAIT, STEP_FAILED };

static enum step read_secure(struct tls_link *k)
{
    size_t n = 0;
    int why;

    ERR_clear_error();
    why = SSL_get_error(k->ssl, SSL_read_ex(k->ssl, room(&k->in), PIECE, &n));
    k->read_wants_write = why == SSL_ERROR_WANT_WRITE;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return STEP_WAIT;
    if (why != SSL_ERROR_NONE && why != SSL_ERROR_ZERO_RETURN)
        return STEP_FAILED;
    k->in.from = 0;
    k->in.to = n;
    k->in.ended = why == SSL_ERROR_ZERO_RETURN;
    return STEP_MORE;
}

static enum step write_secure(struct tls_link *k)
{
    size_t n = 0;
    int why;

    ERR_clear_error();
    why = SSL_get_error(k->ssl, SSL_write_ex(k->ssl, k->out.rest + k->out.from, k->out.to - k->out.from, &n));
    k->write_wants_read = why == SSL_ERROR_WANT_READ;
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
        return STEP_WAIT;
    k->out.from += n;
    return why == SSL_ERROR_NONE ? STEP_MORE : STEP_FAILED;
}

static enum step read_plain(struct tls_link *k)
{
    ssize_t n = recv(k->plain.fd, room(&k->out), PIECE, MSG_DONTWAIT);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? STEP_WAIT : STEP_FAILED;
    k->out.from = 0;
    k->out.to = (size_t)n;
    k->out.ended = n == 0;
    return STEP_MORE;
}

static enum step write_plain(struct tls_link *k)
{
    ssize_t n = send(k->plain.fd, k->in.rest + k->in.from, k->in.to - k->in.from, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? STEP_WAIT : STEP_FAILED;
    k->in.from += (size_t)n;
    return STEP_MORE;
}

/* ---- flows ---- */

static enum step step_in(struct tls_link *k)
{
    if (!is_empty(&k->in))
        return write_plain(k);
    if (!k->in.ended)
        return read_secure(k);
    if (!k->in.passed_on)
        shutdown(k->plain.fd, SHUT_WR);
    k->in.passed_on = true;
    return STEP_WAIT;
}

static enum step step_out(struct tls_link *k)
{
    if (!is_empty(&k->out))
        return write_secure(k);
    if (!k->out.ended)
        return read_plain(k);
    if (!k->out.passed_on) {
        ERR_clear_error();
        if (SSL_is_init_finished(k->ssl))
            (void)SSL_shutdown(k->ssl);      /* one attempt to say goodbye */
        shutdown(k->secure.fd, SHUT_WR);
        um_timer_set(k->all->loop, &k->goodbye, GOODBYE_MS, end_link, k);
    }
    k->out.passed_on = true;
    return STEP_WAIT;
}

static enum step run_flow(struct tls_link *k, enum step (*step)(struct tls_link *k))
{
    enum step s = STEP_MORE;

    for (int i = 0; i < PIECES_PER_TURN && s == STEP_MORE; i++)
        s = step(k);
    return s;
}

static void watch(struct tls_link *k)
{
    unsigned secure = 0, plain = 0;

    if (is_empty(&k->in))
        secure |= k->in.ended ? 0 : k->read_wants_write ? UM_WRITE : UM_READ;
    else
        plain |= UM_WRITE;
    if (is_empty(&k->out))
        plain |= k->out.ended ? 0 : UM_READ;
    else
        secure |= k->write_wants_read ? UM_READ : UM_WRITE;
    um_io_want(k->all->loop, &k->secure, secure);
    um_io_want(k->all->loop, &k->plain, plain);
}

static void run(void *arg)
{
    struct tls_link *k = arg;
    enum step in = run_flow(k, step_in), out = in == STEP_FAILED ? STEP_FAILED : run_flow(k, step_out);

    if (out == STEP_FAILED || (k->in.passed_on && k->out.passed_on)) {
        free_link(k);
        return;
    }
    if (k->out.ended && !um_timer_is_set(&k->goodbye))
        um_timer_set(k->all->loop, &k->goodbye, LAST_BYTES_MS, end_link, k);
    let_go(&k->in);
    let_go(&k->out);
    watch(k);
    if (in == STEP_MORE || out == STEP_MORE)
        um_loop_defer(k->all->loop, UM_PHASE_FLUSH, &k->again);
}

/* The client's connection is broken: nothing that is said to it arrives. */
static void on_secure(void *arg, unsigned events)
{
    struct tls_link *k = arg;

    if ((events & UM_HUP) && k->secure.events == 0)
        free_link(k);
    else
        run(k);
}

/* Our side has closed; what it has said before still waits to be read, when the client has taken what came before that. */
static void on_plain(void *arg, unsigned events)
{
    struct tls_link *k = arg;

    if ((events & UM_HUP) && k->plain.events == 0)
        um_io_stop(k->all->loop, &k->plain);
    else
        run(k);
}

/* ---- life ---- */

um_err tls_link_new(struct tls_links *all, struct http_tls *tls, int fd, int plain)
{
    struct tls_link *k = um_xcalloc(1, sizeof(*k));
    um_err err;

    k->all = all;
    um_list_append(&all->list, &k->link);
    um_defer_init(&k->again, run, k);
    k->secure.fd = fd;
    k->plain.fd = plain;
    if ((k->ssl = http_tls_accept(tls, fd)) == NULL)
        err = UM_ENOMEM;
    else if ((err = um_io_start(all->loop, &k->secure, fd, UM_READ, on_secure, k)) == UM_OK)
        err = um_io_start(all->loop, &k->plain, plain, UM_READ, on_plain, k);
    if (err != UM_OK)
        free_link(k);
    return err;
}

void tls_links_free(struct tls_links *all)
{
    UM_LIST_EACH_SAFE(it, &all->list)
        free_link(UM_CONTAINER(it, struct tls_link, link));
}
