/* See out.h. Two threads may make the polling form at the same time: one of the two is kept. */
#include "out.h"

#include <stdlib.h>
#include <string.h>
#include <umbel/ws.h>

#include "eio_packet.h"

struct eio_out *eio_out_adopt(struct um_bytes *frames)
{
    struct eio_out *o = frames != NULL ? malloc(sizeof(*o)) : NULL;

    if (o == NULL) {
        um_bytes_unref(frames);
        return NULL;
    }
    atomic_init(&o->refs, 1);
    atomic_init(&o->polling, NULL);
    o->frames = frames;
    return o;
}

struct eio_out *eio_out_text(const char *packet)
{
    return eio_out_adopt(um_ws_frame(UM_WS_TEXT, UM_SPAN_STR(packet)));
}

struct eio_out *eio_out_ref(struct eio_out *o)
{
    atomic_fetch_add_explicit(&o->refs, 1, memory_order_relaxed);
    return o;
}

void eio_out_unref(struct eio_out *o)
{
    if (o == NULL || atomic_fetch_sub_explicit(&o->refs, 1, memory_order_acq_rel) != 1)
        return;
    um_bytes_unref(o->frames);
    um_bytes_unref(atomic_load_explicit(&o->polling, memory_order_relaxed));
    free(o);
}

struct um_bytes *eio_out_polling(struct eio_out *o)
{
    struct um_bytes *have = atomic_load_explicit(&o->polling, memory_order_acquire), *mine;
    struct um_buf b = { 0 };

    if (have != NULL)
        return have;
    eio_payload_put_frames(&b, um_bytes_span(o->frames));
    mine = um_buf_to_bytes(&b);
    um_buf_free(&b);
    if (mine == NULL || atomic_compare_exchange_strong_explicit(&o->polling, &have, mine, memory_order_acq_rel, memory_order_acquire))
        return mine;
    um_bytes_unref(mine);
    return have;
}
