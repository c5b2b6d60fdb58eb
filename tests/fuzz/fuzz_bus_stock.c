/* Messages of stock servers, from anybody who may publish. What is read lies within the message, and reads the same once
 * written. */
#include <umbel/util.h>
#include "bus_stock_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool lies_within(struct um_span part, const uint8_t *data, size_t size)
{
    return part.len == 0 || (part.data >= data && part.data + part.len <= data + size);
}

static bool is_same(const struct stock_message *a, const struct stock_message *b)
{
    return um_span_eq(a->identifier, b->identifier) && um_span_eq(a->name, b->name) && a->type == b->type && a->kind == b->kind &&
           um_span_eq(a->payload, b->payload) && a->tag.is_umbel == b->tag.is_umbel && a->tag.flags == b->tag.flags &&
           a->tag.hub == b->tag.hub;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stock_message m, again;
    struct um_buf out = { 0 };

    if (!stock_read(UM_SPAN(data, size), &m))
        return 0;
    UM_ASSERT(lies_within(m.identifier, data, size) && lies_within(m.name, data, size) && lies_within(m.payload, data, size));
    UM_ASSERT(m.name.len > 0 && um_utf8_is_valid(m.name.data, m.name.len) && m.kind <= SYNC_UPDATE);
    stock_put(&out, &m);
    UM_ASSERT(!out.failed && stock_read(UM_SPAN(out.data, out.len), &again) && is_same(&m, &again));
    um_buf_free(&out);
    return 0;
}
