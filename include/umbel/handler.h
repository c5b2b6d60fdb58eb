/* Handlers of operations as shared objects: the whole interface. docs/handlers.md is the guide,
 * docs/examples/handler-stamp.c an example.
 *
 * A registration with the handler `libumbel:stamp` means the file stamp.so in the core's operation.handlers.dir. It
 * shows one symbol, `umbel_handler`, a table. It is loaded into a process of its own (umbel-handler), one for each
 * library and core, with limits of memory, processor time and open files; what it breaks there is its process, and
 * the call that it was busy with.
 *
 * Thread: all functions are called by one thread, one call at a time. Threads of the library's own are its own
 * affair; their stacks and heaps count against operation.handlers.memory.
 *
 * Life: init once, handle as often as there are operations, end once. The process may be ended without `end` at any
 * time: after a call that took longer than operation.handlers.timeout, with the core, when it breaks a limit. A
 * file that was replaced (by mv) is loaded in place of the old one before the next call.
 *
 * Repetition: an asynchronous operation is told at least once. The idempotence key is the same however often it is
 * told, on whichever core: a handler with effects outside keeps the keys that it has seen, or has effects that may
 * be repeated.
 *
 * Surroundings: standard output and standard error go to the core's log, by lines of at most 500 bytes, at a
 * limited rate. Standard input is empty, the environment too but for LANG, PATH and TZ, the working folder is "/".
 * Descriptors that the library did not open are not its own. A call is under way while handle runs: what it starts
 * and does not wait for may be ended with the process.
 *
 * Stability: every struct begins with its size as the side that made it knows it, and fields are only ever
 * appended. A reader looks at a field only when the size says that it is there (UMBEL_HAS); so a library works with
 * later cores as it is, and with earlier ones when it asks. UMBEL_HANDLER_ABI rises when that cannot be kept, and a
 * library of another ABI is not loaded. */
#ifndef UMBEL_HANDLER_H
#define UMBEL_HANDLER_H
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define UMBEL_HANDLER_ABI 1
#define UMBEL_HANDLER_CODE_SIZE 16           /* with the terminating zero */
#define UMBEL_HANDLER_MESSAGE_SIZE 501

/* Is FIELD there in what PTR points to? */
#define UMBEL_HAS(type, ptr, field) ((ptr)->size >= offsetof(type, field) + sizeof((ptr)->field))

/* What a library is told when it begins. Borrowed during init. */
struct umbel_handler_setup {
    size_t size;
    unsigned abi;                            /* of the core */
    const char *name;                        /* "stamp": what the registration says behind libumbel: */
    const char *dir;                         /* operation.handlers.dir: a place for its settings, beside the library */
};

/* What is done with what. Borrowed during handle. Texts are UTF-8, zero-terminated and never NULL; "" where there
 * is nothing to say. */
struct umbel_handler_operation {
    size_t size;
    const char *action;                      /* "CREATE", "UPDATE", ...: docs/operations.md */
    const char *phase;                       /* "BEFORE", "AFTER" */
    const char *object_type;                 /* "DOCUMENT", "FOLDER", "TASK", "VIRTUAL_FOLDER" */
    const char *scope;
    const char *user;                        /* who did it */
    const char *operation;                   /* its id, a UUID: the same for all handlers and attempts */
    const char *registration;                /* the id of the document that names this handler */
    const char *request;                     /* id of the HTTP request; log lines of the core have it too */
    const char *job;                         /* "" when the caller waits for the answer (synchronous) */
    const char *idempotence_key;             /* of a job, its id; else of operation and registration */
    unsigned attempt;                        /* from 1 */
    const char *json;                        /* the whole, an object: what handlers behind URLs get as their body */
    size_t json_size;                        /* without the zero; at most 16 MB */
};

/* The answer. The caller makes it, all zero but for the size.
 *
 *   code, message   of UMBEL_REFUSE. F and digits: the user's fault ("F00039": the message is shown to him); T and digits: not his;
 *                   "": T00000. The message is a sentence in UTF-8, of UMBEL_LATER as well
 *   json            of UMBEL_REPLACE, an object as text: from malloc(), the caller frees it, whatever the verdict; at most
 *                   operation.handlers.max-answer bytes */
struct umbel_handler_answer {
    size_t size;
    char code[UMBEL_HANDLER_CODE_SIZE];
    char message[UMBEL_HANDLER_MESSAGE_SIZE];
    char *json;
};

/* What handle returns. Anything else is a fault of the library.
 *
 *   GO_ON     done, or nothing to say
 *   REPLACE   before an operation, synchronous: {"component": {...}}; its name, tags, class, ACL, owner, status, assignee and
 *             workflow take the place of what was to be written, what is not named stays. Of a SEARCH: {"request": {...}}.
 *             Otherwise as GO_ON
 *   REFUSE    before an operation, synchronous, with StopOnException: it is not done. A job: F... ends it, T... is tried again.
 *             Otherwise it is counted and logged
 *   LATER     a job: tried again, as often as operation.async.max-attempts says. Synchronous: as REFUSE with T00754 */
enum umbel_handler_verdict {
    UMBEL_GO_ON = 0,
    UMBEL_REPLACE = 1,
    UMBEL_REFUSE = 2,
    UMBEL_LATER = 3
};

/* The table. SIZE and ABI first, in every version. */
struct umbel_handler {
    size_t size;                             /* sizeof(struct umbel_handler) */
    unsigned abi;                            /* UMBEL_HANDLER_ABI */
    const char *name;                        /* for the log: "stamp 1.2"; NULL: none */
    /* NULL: nothing to begin. 0: ready, *STATE goes to the others. Otherwise the library cannot work: calls fail, and it
     * is tried again after a while. */
    int (*init)(const struct umbel_handler_setup *setup, void **state);
    /* Returns an umbel_handler_verdict. */
    int (*handle)(void *state, const struct umbel_handler_operation *operation, struct umbel_handler_answer *answer);
    void (*end)(void *state);                /* NULL: nothing to end. It has two seconds */
};

#define UMBEL_HANDLER_EXPORT __attribute__((visibility("default")))
/* What the library defines. */
extern UMBEL_HANDLER_EXPORT const struct umbel_handler umbel_handler;

#ifdef __cplusplus
}
#endif
#endif
