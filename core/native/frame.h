/* What a core and a worker process say to each other, over a stream socket: frames of texts. Plain C alone, for the
 * worker has nothing else of ours in it.
 *
 *   u32 size of what follows the head | u8 kind | u8 number of texts | u16 zero | u32 number of the call
 *   texts, each: u32 length without the zero | bytes | zero                        numbers are little endian
 *
 *   READY    worker   name                                         the library is loaded
 *   FAILED   worker   why                                          it cannot be; the process ends
 *   CALL     core     as enum frame_call                           one at a time
 *   ANSWER   worker   as enum frame_answer                         with the number of the call */
#ifndef NATIVE_FRAME_H
#define NATIVE_FRAME_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { FRAME_HEAD = 12, FRAME_TEXTS_MAX = 16 };
enum frame_kind { FRAME_READY = 1, FRAME_FAILED, FRAME_CALL, FRAME_ANSWER, FRAME_KINDS_N };
enum frame_call {
    CALL_ACTION, CALL_PHASE, CALL_OBJECT_TYPE, CALL_SCOPE, CALL_USER, CALL_OPERATION, CALL_REGISTRATION, CALL_REQUEST,
    CALL_JOB, CALL_KEY, CALL_ATTEMPT, CALL_JSON, CALL_N,
};
enum frame_answer { ANSWER_VERDICT, ANSWER_CODE, ANSWER_MESSAGE, ANSWER_JSON, ANSWER_N };

struct frame_text { const char *text; size_t len; };        /* zero-terminated; there may be zeros in it */
struct frame {
    enum frame_kind kind;
    uint32_t call;
    size_t n;
    struct frame_text texts[FRAME_TEXTS_MAX];
};

/* Reads the frame at the start of DATA; its texts lie in DATA. How many bytes it has; 0: not all of them are there
 * yet; -1: no frame, or one that has more than MAX bytes behind its head. */
ssize_t frame_read(const void *data, size_t len, size_t max, struct frame *out);
size_t frame_body(const void *head);                        /* bytes behind a head of FRAME_HEAD bytes, as it says */
/* Bytes that F takes; 0: it is too large for a frame. */
size_t frame_size(const struct frame *f);
void frame_write(const struct frame *f, void *out);         /* frame_size bytes */

#endif
