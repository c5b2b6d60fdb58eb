/* Any bytes from Redis as a message of each adapter: no crash, and what is understood can be said again and is understood then.
 * Input: byte 0 chooses how it came, the rest is the message. */
#include <stdlib.h>
#include <string.h>
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static um_err (*const readers[])(struct um_span bytes, struct wire_msg *m) = {
    wire_read_broadcast, wire_read_classic, wire_read_cluster, wire_read_entry,
};

static um_err say(unsigned how, struct um_buf *out, const struct wire_say *s)
{
    switch (how) {
    case 0: return wire_put_broadcast(out, s);
    case 1: return wire_put_request(out, s);
    case 2: return wire_put_cluster(out, s, WIRE_MSGPACK);
    default: return wire_put_entry(out, s);
    }
}

static void say_again(unsigned how, const struct wire_msg *m, struct um_sio_data *event)
{
    struct um_sio_opts o = wire_opts(m);
    struct wire_say s = { .uid = "node", .nsp = "/", .request_id = "asked", .type = how == 1 ? CLASSIC_BROADCAST : CLUSTER_BROADCAST, .o = &o,
                          .event = event };
    struct um_buf out = { 0 };
    struct wire_packet p = { 0 };
    struct wire_msg again;

    if (say(how, &out, &s) == UM_OK) {
        if (readers[how](UM_SPAN(out.data, out.len), &again) != UM_OK || again.target.n != m->target.n || again.except.n != m->except.n ||
            wire_read_packet(again.packet, &p) != UM_OK)
            abort();
        if (p.event->n_att > event->n_att)
            abort();
        um_sio_data_unref(p.event);
        wire_clear(&again);
    }
    um_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned how = size > 0 ? data[0] % UM_COUNT(readers) : 0;
    struct wire_packet p = { 0 };
    struct um_sio_data *value = NULL;
    struct wire_msg m;

    if (size < 1 || readers[how](UM_SPAN(data + 1, size - 1), &m) != UM_OK)
        return 0;
    if (m.packet.data != NULL && wire_read_packet(m.packet, &p) == UM_OK)
        say_again(how, &m, p.event);
    if (m.data.data != NULL && wire_read_event(m.data, &value) == UM_OK)
        um_sio_data_unref(value);
    (void)wire_stream_index(m.nsp, 4);
    um_sio_data_unref(p.event);
    wire_clear(&m);
    return 0;
}
