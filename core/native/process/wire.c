/* See wire.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "frame.h"
#include "wire.h"

static uint8_t *bytes;                       /* of the call under way */

static bool write_all(int fd, const uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = send(fd, p, n, MSG_NOSIGNAL);

        if (done < 0 && errno != EINTR)
            return false;
        p += done > 0 ? done : 0;
        n -= (size_t)(done > 0 ? done : 0);
    }
    return true;
}

static bool read_all(int fd, uint8_t *p, size_t n)
{
    while (n > 0) {
        ssize_t done = recv(fd, p, n, 0);

        if (done == 0 || (done < 0 && errno != EINTR))
            return false;
        p += done > 0 ? done : 0;
        n -= (size_t)(done > 0 ? done : 0);
    }
    return true;
}

static bool send_frame(int fd, const struct frame *f)
{
    size_t size = frame_size(f);
    uint8_t *out = size > 0 ? malloc(size) : NULL;
    bool sent;

    if (out == NULL)
        return false;
    frame_write(f, out);
    sent = write_all(fd, out, size);
    free(out);
    return sent;
}

static struct frame_text text(const char *s) { return (struct frame_text){ s, strlen(s) }; }

bool wire_ready(int fd, const char *name) { return send_frame(fd, &(struct frame){ FRAME_READY, 0, 1, { text(name) } }); }
bool wire_failed(int fd, const char *why) { return send_frame(fd, &(struct frame){ FRAME_FAILED, 0, 1, { text(why) } }); }

bool wire_answer(int fd, uint32_t call, int verdict, const struct umbel_handler_answer *a)
{
    char word[16];

    snprintf(word, sizeof(word), "%d", verdict);
    return send_frame(fd, &(struct frame){ FRAME_ANSWER, call, ANSWER_N, {
        [ANSWER_VERDICT] = text(word), [ANSWER_CODE] = text(a->code), [ANSWER_MESSAGE] = text(a->message),
        [ANSWER_JSON] = text(verdict == UMBEL_REPLACE && a->json != NULL ? a->json : ""),
    } });
}

void wire_forget(void)
{
    free(bytes);
    bytes = NULL;
}

static void tell(const struct frame *f, struct umbel_handler_operation *o)
{
    const struct frame_text *t = f->texts;

    *o = (struct umbel_handler_operation){
        .size = sizeof(*o), .action = t[CALL_ACTION].text, .phase = t[CALL_PHASE].text, .object_type = t[CALL_OBJECT_TYPE].text,
        .scope = t[CALL_SCOPE].text, .user = t[CALL_USER].text, .operation = t[CALL_OPERATION].text,
        .registration = t[CALL_REGISTRATION].text, .request = t[CALL_REQUEST].text, .job = t[CALL_JOB].text,
        .idempotence_key = t[CALL_KEY].text, .attempt = (unsigned)strtoul(t[CALL_ATTEMPT].text, NULL, 10),
        .json = t[CALL_JSON].text, .json_size = t[CALL_JSON].len,
    };
}

bool wire_next(int fd, struct umbel_handler_operation *o, uint32_t *call)
{
    uint8_t head[FRAME_HEAD];
    size_t size;
    struct frame f;

    if (!read_all(fd, head, sizeof(head)))
        return false;
    size = frame_body(head);
    bytes = malloc(sizeof(head) + size);      /* the core keeps within its own bounds */
    if (bytes == NULL) {
        fprintf(stderr, "there is no memory for a call of %zu bytes\n", size);
        return false;
    }
    memcpy(bytes, head, sizeof(head));
    if (!read_all(fd, bytes + sizeof(head), size) || frame_read(bytes, sizeof(head) + size, size, &f) <= 0 ||
        f.kind != FRAME_CALL || f.n < CALL_N)
        return false;
    tell(&f, o);
    *call = f.call;
    return true;
}
