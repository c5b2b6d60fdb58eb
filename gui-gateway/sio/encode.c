/* A packet as frames: once for all its receivers, in one piece of memory of the right size. */
#include <stdlib.h>
#include <string.h>
#include <umbel/ws.h>

#include "server_int.h"

struct parts {
    struct um_span head, json, tail;      /* the text, in order: `4` and the packet's head; its data; what the offset adds */
    const struct um_sio_data *data;
};

static uint8_t *put(uint8_t *to, struct um_span s)
{
    if (s.len > 0)
        memcpy(to, s.data, s.len);
    return to + s.len;
}

static size_t text_len(const struct parts *p) { return p->head.len + p->json.len + p->tail.len; }

static size_t frames_len(const struct parts *p)
{
    uint8_t head[10];
    size_t n = um_ws_frame_header(head, UM_WS_TEXT, text_len(p)) + text_len(p);

    for (uint32_t i = 0; p->data != NULL && i < p->data->n_att; i++)
        n += um_ws_frame_header(head, UM_WS_BINARY, p->data->att[i]->len) + p->data->att[i]->len;
    return n;
}

static void put_frames(uint8_t *to, const struct parts *p)
{
    uint8_t head[10];

    to = put(to, UM_SPAN(head, um_ws_frame_header(head, UM_WS_TEXT, text_len(p))));
    to = put(put(put(to, p->head), p->json), p->tail);
    for (uint32_t i = 0; p->data != NULL && i < p->data->n_att; i++) {
        to = put(to, UM_SPAN(head, um_ws_frame_header(head, UM_WS_BINARY, p->data->att[i]->len)));
        to = put(to, um_bytes_span(p->data->att[i]));
    }
}

/* The offset becomes the last element of the array. */
static void put_tail(struct parts *p, struct um_span offset, uint8_t tail[72])
{
    uint8_t *at = tail;

    if (offset.len == 0 || offset.len > 63 || p->json.len < 3 || p->json.data[p->json.len - 1] != ']')
        return;
    p->json.len--;
    at = put(at, UM_SPAN(",\"", 2));
    at = put(at, offset);
    at = put(at, UM_SPAN("\"]", 2));
    p->tail = UM_SPAN(tail, (size_t)(at - tail));
}

struct eio_out *sio_encode(const struct sio_head *head, const struct um_sio_data *data, struct um_span offset)
{
    size_t size = strlen(head->nsp) + 1 + SIO_HEAD_MAX;
    struct parts p = { .data = data };
    char small[SIO_NSP_NAME_MAX + 1 + SIO_HEAD_MAX], *text = size <= sizeof(small) ? small : um_xmalloc(size);
    struct um_bytes *frames;
    uint8_t tail[72];

    text[0] = '4';
    p.head = UM_SPAN(text, 1 + sio_packet_head(text + 1, size - 1, head, data != NULL ? data->n_att : 0));
    if (data != NULL)
        p.json = um_bytes_span(data->json);
    put_tail(&p, offset, tail);
    if ((frames = um_bytes_new(frames_len(&p))) != NULL)
        put_frames(frames->data, &p);
    if (text != small)
        free(text);
    return eio_out_adopt(frames);
}
