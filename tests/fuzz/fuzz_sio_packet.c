/* Any text as a Socket.IO packet: no crash; what is accepted is written and read again as the same. Its arguments can be walked. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(struct um_span json)
{
    struct um_span e;
    size_t pos = 0, num;
    char text[64];

    while (um_sio_each(json, &pos, &e)) {
        if (e.len == 0 || e.data < json.data || e.data + e.len > json.data + json.len)
            abort();
        (void)um_sio_is_binary(e, &num);
        (void)um_sio_string(e, text, sizeof(text));
    }
}

static void again(const struct sio_packet *p)
{
    char *nsp = um_xstrndup((const char *)p->nsp.data, p->nsp.len);
    struct sio_head head = { p->type, nsp, p->has_id, p->id };
    struct um_buf out = { 0 };
    struct sio_packet q;
    const char *why;

    sio_packet_put(&out, &head, p->data, p->n_att);
    if (strlen(nsp) == p->nsp.len &&
        (sio_packet_decode(UM_SPAN(out.data, out.len), &q, &why) != UM_OK || q.type != p->type || q.id != p->id || q.has_id != p->has_id ||
         q.n_att != p->n_att || !um_span_eq(q.nsp, p->nsp) || !um_span_eq(q.data, p->data)))
        abort();
    um_buf_free(&out);
    free(nsp);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sio_packet p;
    const char *why;

    if (!um_utf8_is_valid(data, size) || sio_packet_decode(UM_SPAN(data, size), &p, &why) != UM_OK)
        return 0;
    walk(p.data);
    again(&p);
    return 0;
}
