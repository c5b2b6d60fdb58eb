/* Handlers of operations that are shared objects (umbel/handler.h is what such a library sees, docs/handlers.md the
 * users' side).
 *
 * Libraries are files NAME.so of one directory, which belong to root or to us and which nobody else may write. Each
 * runs in a process of its own, umbel-handler, which is started when it is first asked, with limits; it is asked
 * one call at a time, the others wait, bounded in number, bytes and time. Whatever ends a process (a crash, a hang,
 * a limit, nonsense on the socket) costs the call that it was busy with. The next one gets a new process, at once
 * after the first such end, after 100 ms, 200 ms ... 30 s when one follows upon another without an answer between
 * them. A library that cannot be loaded fails all that asks for it, and is tried again after such a while, or when
 * its file is another one.
 *
 * One per process of ours, with a thread of its own. */
#ifndef UMBEL_NATIVE_H
#define UMBEL_NATIVE_H
#include <jansson.h>
#include <umbel/bytes.h>
#include <umbel/loop.h>

struct um_conf_table;
struct um_native;

enum {
    UM_NATIVE_NAME_MAX = 64,                  /* bytes of a library's name */
    UM_NATIVE_LIBRARIES_MAX = 64,             /* that are asked in a process' life */
    UM_NATIVE_JSON_MAX = 16 << 20,            /* bytes of what is told */
    UM_NATIVE_CODE_MAX = 15,
    UM_NATIVE_MESSAGE_MAX = 500,
    UM_NATIVE_WHY_MAX = 256,
};

/* Codes of failures that are not the library's own refusals. */
#define UM_NATIVE_UNLOADABLE "T00750"         /* no such file, not to be trusted, another ABI, its init fails */
#define UM_NATIVE_ENDED "T00751"              /* its process ended, or its answer is none */
#define UM_NATIVE_LATE "T00752"               /* no answer in operation.handlers.timeout */
#define UM_NATIVE_BUSY "T00753"               /* too many wait, or this one has waited too long */
#define UM_NATIVE_LATER "T00754"              /* it asks to be asked later */

struct um_native_conf {
    const char *dir;                          /* operation.handlers.dir; "": none */
    const char *program;                      /* operation.handlers.program; "": umbel-handler beside the running program */
    int64_t timeout_ms;                       /* operation.handlers.timeout: of a call, of loading, of waiting for a turn */
    int64_t memory, files;                    /* operation.handlers.memory, .files: of a process */
    int64_t max_answer;                       /* operation.handlers.max-answer: bytes */
    int64_t max_waiting, max_waiting_bytes;   /* operation.handlers.max-waiting, .max-waiting-bytes: calls without an answer */
};
extern const struct um_conf_table um_native_conf_table;

/* Starts the thread, no process yet. UM_EINVAL: the directory or the program cannot be used, WHY says why. CF is
 * not needed afterwards. */
um_err um_native_new(struct um_native **out, const struct um_native_conf *cf, char why[UM_NATIVE_WHY_MAX]) UM_CHECK_RESULT;
/* Ends the processes and the thread, within 8 s; calls without an answer fail, and later ones at once. The loops
 * that asked are still there, since it posts to them. NULL is fine, here and below. */
void um_native_stop(struct um_native *n);
void um_native_free(struct um_native *n);     /* nobody asks any more */

/* Can NAME be a library's? Letters, digits, dots, dashes, underscores, no dot at its begin. WHY: for who registers
 * it. */
bool um_native_is_name(const char *name, char why[UM_NATIVE_WHY_MAX]);
/* Is there such a file, and may it be loaded? Looks into the directory. Any thread that may block. */
bool um_native_has(const struct um_native *n, const char *name, char why[UM_NATIVE_WHY_MAX]);

struct um_native_call {                       /* copied; NULL: "" */
    const char *library;
    const char *action, *phase, *object_type, *scope, *user, *operation, *registration, *request;
    const char *job;                          /* NULL: somebody waits for the answer; he goes before jobs, which may wait for ever */
    unsigned attempt;
    struct um_span json;                      /* an object in UTF-8 */
};
struct um_native_answer {                     /* borrowed during the callback */
    bool is_done;
    const json_t *reply;                      /* of what is to be replaced; NULL: nothing */
    const char *code, *message;               /* when not done: one of the above, or what the library refuses with */
    bool again;                               /* another time it may do better */
};
typedef void um_native_cb(void *arg, const struct um_native_answer *a);
/* Any thread. CB runs exactly once, on L, never inside the call: whatever ARG owns can be freed there. */
void um_native_ask(struct um_native *n, struct um_loop *l, const struct um_native_call *call, um_native_cb *cb, void *arg);

#endif
