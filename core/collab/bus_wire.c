/* See bus_wire.h. */
#include "bus_wire.h"

void bus_put_origin(struct um_buf *out, uint64_t origin)
{
    for (int i = 0; i < 8; i++)
        um_buf_put_u8(out, (uint8_t)(origin >> (8 * i)));
}

uint64_t bus_read_origin(struct um_reader *r)
{
    uint64_t origin = 0;

    for (int i = 0; i < 8; i++)
        origin |= (uint64_t)um_read_u8(r) << (8 * i);
    return origin;
}

void bus_put_head(struct um_buf *out, enum bus_kind kind, uint64_t origin)
{
    um_buf_put_u8(out, BUS_VERSION);
    um_buf_put_u8(out, (uint8_t)kind);
    bus_put_origin(out, origin);
}

void bus_put_ident(struct um_buf *out, const struct bus_ident *id)
{
    um_buf_put_varbytes(out, id->member);
    um_buf_put_varuint(out, id->started_ms);
    um_buf_put_varuint(out, id->hubs);
}

void bus_put_at(struct um_buf *out, const struct bus_at *at)
{
    um_buf_put_varbytes(out, at->name);
    um_buf_put_varuint(out, at->epoch);
    um_buf_put_varuint(out, at->number);
    um_buf_put_varuint(out, at->stored);
}

void bus_put_presence(struct um_buf *out, const struct bus_presence *p)
{
    um_buf_put_varuint(out, p->client);
    um_buf_put_varuint(out, p->clock);
    um_buf_put_varbytes(out, p->state);
    um_buf_put_varbytes(out, p->user);
}

bool bus_read_head(struct um_span message, struct um_reader *r, enum bus_kind *kind, uint64_t *origin)
{
    uint8_t version, k;

    *r = um_reader(message);
    version = um_read_u8(r);
    k = um_read_u8(r);
    *origin = bus_read_origin(r);
    *kind = (enum bus_kind)k;
    return !r->failed && message.len <= BUS_MAX_MESSAGE && version == BUS_VERSION && k >= BUS_HELLO && k <= BUS_ORDER;
}

struct bus_ident bus_read_ident(struct um_reader *r)
{
    struct bus_ident id = { 0 };

    id.member = um_read_varbytes(r);
    id.started_ms = um_read_varuint(r);
    id.hubs = um_read_varuint(r);
    if (id.member.len == 0 || id.member.len > BUS_MAX_MEMBER || id.hubs == 0 || id.hubs > BUS_MAX_HUBS)
        r->failed = true;
    return id;
}

struct bus_at bus_read_at(struct um_reader *r)
{
    struct bus_at at = { 0 };

    at.name = um_read_varbytes(r);
    at.epoch = um_read_varuint(r);
    at.number = um_read_varuint(r);
    at.stored = um_read_varuint(r);
    if (at.name.len == 0 || at.name.len > BUS_MAX_NAME || at.stored > at.number)
        r->failed = true;
    return at;
}

struct bus_doubt bus_read_doubt(struct um_reader *r)
{
    struct bus_doubt d = { 0 };

    d.origin = bus_read_origin(r);
    d.epoch = um_read_varuint(r);
    d.number = um_read_varuint(r);
    return d;
}

struct bus_state bus_read_state(struct um_reader *r)
{
    struct bus_state s = { 0 };

    s.flags = um_read_u8(r);
    s.at = bus_read_at(r);
    s.sv = um_read_varbytes(r);
    s.update = um_read_varbytes(r);
    s.presence = um_read_varbytes(r);
    s.n_doubts = um_read_varuint(r);
    s.doubts = *r;
    if (s.n_doubts > BUS_MAX_DOUBTS)
        r->failed = true;
    for (uint64_t i = 0; i < s.n_doubts && !r->failed; i++)
        bus_read_doubt(r);
    return s;
}

struct bus_presence bus_read_presence(struct um_reader *r)
{
    struct bus_presence p = { 0 };

    p.client = um_read_varuint(r);
    p.clock = um_read_varuint(r);
    p.state = um_read_varbytes(r);
    p.user = um_read_varbytes(r);
    return p;
}
