/* A process of a library, as this side sees it; native_int.h draws its states. Its end is told by its pidfd, and
 * what it was busy with is answered then, so that the answer can say how it ended. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <umbel/log.h>
#include <umbel/util.h>
#include "native_int.h"

enum {
    PIECE = 64 << 10, PIECES = 16,           /* bytes read at once; and how often before others get their turn */
    SAY_MAX = 4096,                          /* bytes of an answer beside its JSON, and of what is said while loading */
    GRACE_MS = 2000,                         /* for `end` */
    DEATH_MS = 5000,                         /* for the kernel, after SIGKILL */
};

static void set_state(struct worker *w, enum worker_state to, int64_t ms);

/* ---- the end ---- */

static void describe(const struct worker *w, int status, char why[UM_NATIVE_WHY_MAX])
{
    if (*w->why != '\0')
        snprintf(why, UM_NATIVE_WHY_MAX, "%s", w->why);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
        snprintf(why, UM_NATIVE_WHY_MAX, "its processor time is used up");
    else if (WIFSIGNALED(status))
        snprintf(why, UM_NATIVE_WHY_MAX, "its process ended with signal %d", WTERMSIG(status));
    else
        snprintf(why, UM_NATIVE_WHY_MAX, "its process ended with status %d", WEXITSTATUS(status));
}

static void blame(const struct worker *w, const char *why)
{
    static const struct { const char *code; int counter; const char *event; } rows[] = {
        { UM_NATIVE_UNLOADABLE, M_UNLOADABLE, "a library cannot be loaded" },
        { UM_NATIVE_LATE, M_LATE, "a library does not answer: its process is ended" },
        { UM_NATIVE_ENDED, M_ENDED, "a library's process has ended" },
    };

    for (size_t i = 0; i < UM_COUNT(rows); i++)
        if (strcmp(rows[i].code, w->code) == 0) {
            count(rows[i].counter, 1);
            um_log_limited(UM_WARN, "handler", rows[i].event, UM_S("library", w->name), UM_I("pid", w->process.pid),
                           UM_S("why", why));
        }
}

/* Who waits for it hears of its end. STATUS: as waitpid has it. */
static void conclude(struct worker *w, int status)
{
    struct library *l = w->library;
    char why[UM_NATIVE_WHY_MAX], message[UM_NATIVE_MESSAGE_MAX + 1];
    bool loading;

    if (w->code == NULL)
        return;                              /* it was to end */
    loading = strcmp(w->code, UM_NATIVE_UNLOADABLE) == 0;
    describe(w, status, why);
    blame(w, why);
    snprintf(message, sizeof(message), "the handler %s failed: %s", w->name, why);
    if (w->call != NULL)
        native_call_fail(w->call, w->code, message);
    w->call = NULL;
    w->library = NULL;
    w->code = NULL;
    if (l != NULL)
        library_failed(l, loading, message);
}

void worker_kill(struct worker *w, const char *code, const char *why)
{
    if (w->state == WORKER_DYING)
        return;
    um_io_stop(w->n->loop, &w->socket);
    w->code = w->state == WORKER_ENDING ? NULL : w->state == WORKER_LOADING ? UM_NATIVE_UNLOADABLE : code;
    snprintf(w->why, sizeof(w->why), "%s", why);
    kill(w->process.pid, SIGKILL);
    set_state(w, WORKER_DYING, DEATH_MS);
}

void worker_retire(struct worker *w)
{
    UM_ASSERT(w->state == WORKER_LOADING || w->state == WORKER_READY);
    um_io_stop(w->n->loop, &w->socket);
    shutdown(w->process.socket, SHUT_RDWR);
    w->library->worker = NULL;
    w->library = NULL;
    set_state(w, WORKER_ENDING, GRACE_MS);
}

void worker_free(struct worker *w)
{
    um_timer_stop(w->n->loop, &w->timer);
    um_io_stop(w->n->loop, &w->socket);
    um_io_stop(w->n->loop, &w->output);
    um_io_stop(w->n->loop, &w->end);
    close(w->process.socket);
    close(w->process.output);
    close(w->process.pidfd);
    um_buf_free(&w->in);
    um_buf_free(&w->line);
    um_list_remove(&w->link);
    count(M_PROCESSES, -1);
    free(w);
}

/* ---- what it says ---- */

static void nonsense(struct worker *w) { worker_kill(w, UM_NATIVE_ENDED, "what it says is no answer"); }

static void take_answer(struct worker *w, const struct frame *f)
{
    struct call *c = w->call;

    w->call = NULL;
    set_state(w, WORKER_READY, 0);
    w->library->failures = 0;
    answer_read(c, f);
    native_call_answer(c);
}

static void take_ready(struct worker *w, const struct frame *f)
{
    um_log_limited(UM_INFO, "handler", "a library is loaded", UM_S("library", w->name), UM_S("says", f->texts[0].text),
                   UM_I("pid", w->process.pid));
    set_state(w, WORKER_READY, 0);
}

static void take_failed(struct worker *w, const struct frame *f)
{
    const char *why = f->texts[0].text;

    worker_kill(w, UM_NATIVE_UNLOADABLE, um_utf8_is_valid(why, strlen(why)) ? why : "it cannot be loaded");
}

static void take_frame(struct worker *w, const struct frame *f)
{
    if (w->state == WORKER_LOADING && f->kind == FRAME_READY && f->n >= 1)
        take_ready(w, f);
    else if (w->state == WORKER_LOADING && f->kind == FRAME_FAILED && f->n >= 1)
        take_failed(w, f);
    else if (w->state == WORKER_BUSY && f->kind == FRAME_ANSWER && f->call == w->number &&
             w->written == w->call->frame_len)
        take_answer(w, f);
    else
        nonsense(w);
}

static void read_frames(struct worker *w)
{
    size_t max = SAY_MAX + (w->state == WORKER_BUSY ? (size_t)w->n->cf.max_answer : 0);
    struct frame f;
    ssize_t n;

    while (w->state != WORKER_DYING && w->in.len > 0 && (n = frame_read(w->in.data, w->in.len, max, &f)) != 0) {
        if (n < 0) {
            nonsense(w);
            return;
        }
        take_frame(w, &f);
        um_buf_consume(&w->in, (size_t)n);
    }
    if (w->state == WORKER_READY && w->in.len > 0)
        nonsense(w);                         /* nobody has asked */
}

/* How much came; 0: nothing for now; -1: no more will come. */
static ssize_t read_piece(struct worker *w)
{
    uint8_t *room = um_buf_room(&w->in, PIECE);
    ssize_t n = room != NULL ? recv(w->process.socket, room, PIECE, 0) : -1;

    if (room == NULL)
        return -1;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    if (n <= 0)
        return -1;
    um_buf_advance(&w->in, (size_t)n);
    return n;
}

static void read_socket(struct worker *w)
{
    for (int i = 0; i < PIECES && w->state != WORKER_DYING; i++) {
        ssize_t n = read_piece(w);

        if (n < 0)
            worker_kill(w, UM_NATIVE_ENDED, "");
        if (n <= 0)
            return;
        read_frames(w);
    }
}

/* ---- what it is told ---- */

static void write_socket(struct worker *w)
{
    const struct call *c = w->call;

    while (w->written < c->frame_len) {
        ssize_t n = send(w->process.socket, c->frame + w->written, c->frame_len - w->written, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0 && errno != EINTR) {
            worker_kill(w, UM_NATIVE_ENDED, "");
            return;
        }
        w->written += n > 0 ? (size_t)n : 0;
    }
    um_io_want(w->n->loop, &w->socket, UM_READ | (w->written < c->frame_len ? UM_WRITE : 0));
}

void worker_give(struct worker *w, struct call *c)
{
    UM_ASSERT(w->state == WORKER_READY);
    um_list_remove(&c->link);
    w->call = c;
    w->written = 0;
    native_call_number(c, ++w->number);
    set_state(w, WORKER_BUSY, w->n->cf.timeout_ms);
    write_socket(w);
}

/* ---- events ---- */

static void on_socket(void *arg, unsigned events)
{
    struct worker *w = arg;

    if ((events & UM_WRITE) != 0 && w->state == WORKER_BUSY)
        write_socket(w);
    if ((events & (UM_READ | UM_HUP)) != 0)
        read_socket(w);
    if (w->state == WORKER_READY && w->library != NULL)
        library_step(w->library);
}

/* What it has said before it ended still counts. */
static void on_end(void *arg, unsigned events)
{
    struct worker *w = arg;
    struct um_native *n = w->n;
    int status = 0;

    (void)events;
    if (waitpid(w->process.pid, &status, WNOHANG) != w->process.pid)
        return;
    if (w->state != WORKER_DYING && w->state != WORKER_ENDING)
        read_socket(w);
    if (w->state != WORKER_DYING && w->state != WORKER_ENDING)
        worker_kill(w, UM_NATIVE_ENDED, "");
    output_end(w);
    conclude(w, status);
    worker_free(w);
    native_maybe_closed(n);
}

static void on_timer(void *arg)
{
    struct worker *w = arg;
    char why[64];

    snprintf(why, sizeof(why), "no answer within %lld ms", (long long)w->n->cf.timeout_ms);
    if (w->state == WORKER_DYING)
        conclude(w, SIGKILL);
    else
        worker_kill(w, UM_NATIVE_LATE, w->state == WORKER_LOADING ? "it does not begin in time" : why);
}

#define TO(s) (1u << WORKER_##s)
static const uint8_t may_go[] = {
    [WORKER_LOADING] = TO(READY) | TO(ENDING) | TO(DYING),
    [WORKER_READY]   = TO(BUSY) | TO(ENDING) | TO(DYING),
    [WORKER_BUSY]    = TO(READY) | TO(DYING),
    [WORKER_ENDING]  = TO(DYING),
    [WORKER_DYING]   = 0,
};

/* MS: how long it may stay; 0: for ever. */
static void set_state(struct worker *w, enum worker_state to, int64_t ms)
{
    UM_ASSERT(may_go[w->state] & (1u << to));
    w->state = to;
    if (ms > 0)
        um_timer_set(w->n->loop, &w->timer, ms, on_timer, w);
    else
        um_timer_stop(w->n->loop, &w->timer);
}

static bool watch(struct worker *w)
{
    struct um_loop *l = w->n->loop;

    return um_io_start(l, &w->socket, w->process.socket, UM_READ, on_socket, w) == UM_OK && output_start(w) &&
           um_io_start(l, &w->end, w->process.pidfd, UM_READ, on_end, w) == UM_OK;
}

struct worker *worker_start(struct library *l, int library_fd)
{
    struct worker *w = um_xcalloc(1, sizeof(*w));

    w->n = l->n;
    w->library = l;
    w->state = WORKER_LOADING;
    snprintf(w->name, sizeof(w->name), "%s", l->name);
    if (spawn_worker(l->n, l->name, library_fd, &w->process) != UM_OK) {
        free(w);
        return NULL;
    }
    um_list_append(&l->n->workers, &w->link);
    count(M_PROCESSES, 1);
    um_timer_set(l->n->loop, &w->timer, l->n->cf.timeout_ms, on_timer, w);
    if (watch(w))
        return w;
    kill(w->process.pid, SIGKILL);
    waitpid(w->process.pid, NULL, 0);
    worker_free(w);
    return NULL;
}
