/* The parts of native, as they see one another. file: what may be loaded; spawn: a process for it; call: what was
 * asked, and its way back; answer: what a library says; worker: a process and what it says; library: whose turn it
 * is; native: the thread, and the face for any thread.
 *
 * A call belongs to whom it was handed: the thread's inbox, then its library's line, then the worker that is busy
 * with it, then the loop of who asked, which frees it. */
#ifndef NATIVE_INT_H
#define NATIVE_INT_H
#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <time.h>
#include <umbel/list.h>
#include <umbel/map.h>
#include <umbel/metrics.h>
#include <umbel/native.h>
#include "frame.h"

struct um_native {
    struct um_native_conf cf;
    char *dir, *program;
    struct um_loop *loop;
    pthread_t thread;
    _Atomic int64_t n_waiting, waiting_bytes;    /* calls without an answer, and what they say */
    struct um_map libraries;                 /* the thread's own from here on: name -> struct library */
    size_t n_libraries;
    struct um_list workers;                  /* all that are not reaped */
    bool closing;
    struct um_timer closed;
    _Atomic bool stopped;
};

/* native.c */
void native_maybe_closed(struct um_native *n);           /* a worker is gone */

/* ---- file.c ---- */

struct file_id { dev_t dev; ino_t ino; off_t size; struct timespec changed; };
bool file_same(const struct file_id *a, const struct file_id *b);
/* The directory is one that may be trusted. */
bool file_check_dir(const char *dir, char why[UM_NATIVE_WHY_MAX]);
/* FD: the library's, open; FD -1 and WHY: it may not be loaded, or is not there. */
int file_open(const char *dir, const char *name, struct file_id *id, char why[UM_NATIVE_WHY_MAX]);

/* ---- spawn.c ---- */

struct spawned { pid_t pid; int pidfd, socket, output; };    /* ours to close */
um_err spawn_worker(const struct um_native *n, const char *name, int library_fd, struct spawned *out) UM_CHECK_RESULT;

/* ---- call.c ---- */

struct call {
    struct um_msg msg;
    struct um_list link;
    struct um_native *n;
    struct um_loop *loop;
    um_native_cb *cb;
    void *arg;
    char library[UM_NATIVE_NAME_MAX + 1];
    bool is_job;                             /* nobody waits for the answer */
    int64_t begun_us, wait_until_ms;         /* monotonic */
    uint8_t *frame;                          /* as it is written; its number is set when its turn comes */
    size_t frame_len;
    bool is_done, again;
    json_t *reply;
    char code[UM_NATIVE_CODE_MAX + 1], message[UM_NATIVE_MESSAGE_MAX + 1];
};
/* Without a frame when it cannot be told. */
struct call *native_call_new(struct um_native *n, const struct um_native_call *asked);
void native_call_number(struct call *c, uint32_t number);
void native_call_fail(struct call *c, const char *code, const char *message);      /* and answer: C is gone */
void native_call_answer(struct call *c);

/* ---- answer.c ---- */

/* Sets the answer of C from what a library says. */
void answer_read(struct call *c, const struct frame *f);

/* ---- worker.c ---- */

/*   LOADING --READY--> READY --call--> BUSY --ANSWER--> READY
 *      |                 | \--replaced, end--> ENDING --2 s--> DYING
 *      +-- FAILED, EOF, late, nonsense --------> DYING --reaped--> gone                */
enum worker_state { WORKER_LOADING, WORKER_READY, WORKER_BUSY, WORKER_ENDING, WORKER_DYING };
struct library;
struct worker {
    struct um_list link;
    struct um_native *n;
    struct library *library;                 /* NULL: it has another worker by now */
    char name[UM_NATIVE_NAME_MAX + 1];
    enum worker_state state;
    struct spawned process;
    struct um_io socket, output, end;
    struct um_timer timer;                   /* of the state */
    struct um_buf in, line;
    size_t written;                          /* of the call's frame */
    uint32_t number;
    struct call *call;
    const char *code;                        /* while dying: why */
    char why[UM_NATIVE_WHY_MAX];
};
struct worker *worker_start(struct library *l, int library_fd);      /* NULL: the system refuses */
void worker_give(struct worker *w, struct call *c);          /* READY */
void worker_retire(struct worker *w);        /* LOADING, READY: it ends, and its library forgets it */
void worker_kill(struct worker *w, const char *code, const char *why);
void worker_free(struct worker *w);          /* it is reaped, or given up */

/* ---- output.c ---- */

bool output_start(struct worker *w);
void output_end(struct worker *w);           /* what is left of it is logged */

/* ---- library.c ---- */

struct library {
    struct um_native *n;
    char name[UM_NATIVE_NAME_MAX + 1];
    struct um_list waiting, jobs;            /* jobs: behind the others, and as long as it takes */
    struct worker *worker;                   /* NULL: none, or only ones that end */
    struct file_id file;                     /* of the worker, or of the last attempt */
    bool knows_file;
    unsigned failures;                       /* ends of processes, one after the other */
    int64_t retry_at_ms;
    char broken[UM_NATIVE_MESSAGE_MAX + 1];  /* it could not be loaded: why */
    struct um_timer look;
};
struct library *library_of(struct um_native *n, const char *name);      /* NULL: there are too many */
void library_ask(struct library *l, struct call *c);
void library_step(struct library *l);        /* after anything has changed */
void library_failed(struct library *l, bool loading, const char *why);  /* its worker is dying */
void library_close(struct library *l);

/* ---- counters.c ---- */

enum { M_PROCESSES, M_WAITING, M_ENDED, M_LATE, M_UNLOADABLE, M_REFUSED, M_N };
extern struct um_metric native_metrics[M_N];
static inline void count(int which, int64_t n) { um_count(&native_metrics[which], n); }
void count_call(const struct call *c, int64_t us);

#endif
