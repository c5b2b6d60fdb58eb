/* See bus_stock_wire.h. */
#include <string.h>
#include <umbel/util.h>
#include "bus_stock_wire.h"
#include "bus_wire.h"

static const char mark[] = { 'u', 'm', 'b', 'e', 'l' };

/* What a body has, by type. Others are not said between servers. */
static const struct { bool has_kind, has_payload; } shape[] = {
    [WIRE_SYNC] = { true, true }, [WIRE_SYNC_REPLY] = { true, true }, [WIRE_AWARENESS] = { false, true },
    [WIRE_BROADCAST_STATELESS] = { false, true },
};
#define HAS(m, what) ((m)->type < UM_COUNT(shape) && shape[(m)->type].what)

static struct um_span read_bytes(struct um_reader *r, size_t n)
{
    struct um_span s = { r->p, n };

    if (n > um_reader_left(r)) {
        r->failed = true;
        return UM_SPAN(NULL, 0);
    }
    r->p += n;
    return s;
}

static struct stock_tag read_tag(struct um_reader *r)
{
    struct stock_tag tag = { 0 };

    if (um_reader_left(r) < sizeof(mark) + 9 || memcmp(r->p, mark, sizeof(mark)) != 0)
        return tag;
    r->p += sizeof(mark);
    tag.is_umbel = true;
    tag.flags = um_read_u8(r);
    tag.hub = bus_read_origin(r);
    return tag;
}

bool stock_read(struct um_span bytes, struct stock_message *out)
{
    struct um_reader r = um_reader(bytes);

    *out = (struct stock_message){ .kind = NO_KIND };
    out->identifier = read_bytes(&r, um_read_u8(&r));
    out->name = um_read_varbytes(&r);
    out->type = um_read_varuint(&r);
    if (HAS(out, has_kind)) {
        uint64_t kind = um_read_varuint(&r);
        r.failed = r.failed || kind > SYNC_UPDATE;
        out->kind = (int)UM_MIN(kind, (uint64_t)SYNC_UPDATE);
    }
    if (HAS(out, has_payload))
        out->payload = um_read_varbytes(&r);
    if (r.failed || bytes.len > STOCK_MAX_MESSAGE || out->name.len == 0 || memchr(out->name.data, 0, out->name.len) != NULL ||
        !um_utf8_is_valid(out->name.data, out->name.len))
        return false;
    out->tag = read_tag(&r);
    return true;
}

void stock_put(struct um_buf *out, const struct stock_message *m)
{
    um_buf_put_u8(out, (uint8_t)m->identifier.len);
    um_buf_put(out, m->identifier.data, m->identifier.len);
    um_buf_put_varbytes(out, m->name);
    um_buf_put_varuint(out, m->type);
    if (HAS(m, has_kind))
        um_buf_put_varuint(out, (uint64_t)m->kind);
    if (HAS(m, has_payload))
        um_buf_put_varbytes(out, m->payload);
    if (!m->tag.is_umbel)
        return;
    um_buf_put(out, mark, sizeof(mark));
    um_buf_put_u8(out, (uint8_t)m->tag.flags);
    bus_put_origin(out, m->tag.hub);
}

static void put_name(struct um_buf *out, struct um_span prefix, const char *between, struct um_span rest)
{
    um_buf_put(out, prefix.data, prefix.len);
    um_buf_puts(out, between);
    um_buf_put(out, rest.data, rest.len);
}

void stock_put_channel(struct um_buf *out, struct um_span prefix, struct um_span document)
{
    put_name(out, prefix, ":", document);
}

void stock_put_reply_channel(struct um_buf *out, struct um_span prefix, struct um_span identifier)
{
    put_name(out, prefix, "#reply:", identifier);
}

void stock_put_lock(struct um_buf *out, struct um_span prefix, struct um_span document)
{
    put_name(out, prefix, ":", document);
    um_buf_puts(out, ":lock");
}
