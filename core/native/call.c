/* What was asked: checked, copied as the frame that its library will read, and on its way back answered and
 * forgotten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "native_int.h"

enum { KEY_MAX = 512, NUMBER_MAX = 12 };

static struct frame_text text(const char *s)
{
    return s != NULL ? (struct frame_text){ s, strlen(s) } : (struct frame_text){ "", 0 };
}

static void write_frame(struct call *c, const struct um_native_call *a)
{
    char key[KEY_MAX], attempt[NUMBER_MAX];
    struct frame f = { FRAME_CALL, 0, CALL_N, {
        [CALL_ACTION] = text(a->action), [CALL_PHASE] = text(a->phase), [CALL_OBJECT_TYPE] = text(a->object_type),
        [CALL_SCOPE] = text(a->scope), [CALL_USER] = text(a->user), [CALL_OPERATION] = text(a->operation),
        [CALL_REGISTRATION] = text(a->registration), [CALL_REQUEST] = text(a->request), [CALL_JOB] = text(a->job),
        [CALL_JSON] = { (const char *)a->json.data, a->json.len },
    } };

    snprintf(key, sizeof(key), "%s/%s", f.texts[CALL_OPERATION].text, f.texts[CALL_REGISTRATION].text);
    snprintf(attempt, sizeof(attempt), "%u", a->attempt);
    f.texts[CALL_KEY] = c->is_job ? f.texts[CALL_JOB] : text(key);
    f.texts[CALL_ATTEMPT] = text(attempt);
    c->frame_len = frame_size(&f);
    c->frame = c->frame_len > 0 ? malloc(c->frame_len) : NULL;
    if (c->frame != NULL)
        frame_write(&f, c->frame);
    else
        c->frame_len = 0;
}

struct call *native_call_new(struct um_native *n, const struct um_native_call *asked)
{
    struct call *c = um_xcalloc(1, sizeof(*c));

    c->n = n;
    c->is_job = asked->job != NULL && *asked->job != '\0';
    um_list_init(&c->link);
    c->begun_us = um_now_us();
    c->wait_until_ms = um_now_ms() + n->cf.timeout_ms;
    snprintf(c->library, sizeof(c->library), "%s", asked->library);
    if (asked->json.len <= UM_NATIVE_JSON_MAX)
        write_frame(c, asked);
    return c;
}

/* The number of the call: the last word of a frame's head. */
void native_call_number(struct call *c, uint32_t number)
{
    for (int i = 0; i < 4; i++)
        c->frame[FRAME_HEAD - 4 + i] = (uint8_t)(number >> (8 * i));
}

static void deliver(struct um_msg *m)
{
    struct call *c = UM_CONTAINER(m, struct call, msg);

    c->cb(c->arg, &(struct um_native_answer){ c->is_done, c->reply, c->code, c->message, c->again });
    json_decref(c->reply);
    free(c);
}

void native_call_answer(struct call *c)
{
    um_list_remove(&c->link);
    count_call(c, um_now_us() - c->begun_us);
    count(M_WAITING, -1);
    atomic_fetch_sub(&c->n->n_waiting, 1);
    atomic_fetch_sub(&c->n->waiting_bytes, (int64_t)c->frame_len);
    free(c->frame);
    c->frame = NULL;
    um_loop_post(c->loop, &c->msg, deliver);
}

void native_call_fail(struct call *c, const char *code, const char *message)
{
    c->is_done = false;
    c->again = code[0] != 'F';
    snprintf(c->code, sizeof(c->code), "%s", code);
    snprintf(c->message, sizeof(c->message), "%s", message);
    native_call_answer(c);
}
