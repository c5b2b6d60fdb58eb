/* See proxy/talk.h. The core judges a message again; here it is only found out where it belongs. */
#include <proxy/talk.h>

#include <string.h>
#include <umbel/util.h>

static enum um_talk_verdict read_type(struct um_reader r, struct um_talk *out)
{
    struct um_reader body;

    out->type = um_read_varuint(&r);
    if (r.failed)
        return UM_TALK_NO_TYPE;
    out->body = UM_SPAN(r.p, um_reader_left(&r));
    body = um_reader(out->body);
    out->kind = um_read_varuint(&body);
    if (body.failed)
        out->kind = UM_TALK_NO_KIND;
    else
        out->payload = UM_SPAN(body.p, um_reader_left(&body));
    return UM_TALK_OK;
}

enum um_talk_verdict um_talk_read(struct um_span message, bool bare, struct um_talk *out)
{
    struct um_reader r = um_reader(message);
    const uint8_t *nul;

    *out = (struct um_talk){ 0 };
    if (bare)
        return read_type(r, out);
    if (message.len == 1 && (message.data[0] == 0 || message.data[0] == 9 || message.data[0] == 10))
        return UM_TALK_KEEP_ALIVE;
    out->address = um_read_varbytes(&r);
    if (r.failed || !um_utf8_is_valid(out->address.data, out->address.len))
        return UM_TALK_BAD_ADDRESS;
    nul = out->address.len > 0 ? memchr(out->address.data, 0, out->address.len) : NULL;
    out->name = UM_SPAN(out->address.data, nul != NULL ? (size_t)(nul - out->address.data) : out->address.len);
    return read_type(r, out);
}

void um_talk_put(struct um_buf *out, struct um_span address, bool bare, uint64_t type, uint64_t kind, const struct um_span *payload)
{
    if (!bare)
        um_buf_put_varbytes(out, address);
    um_buf_put_varuint(out, type);
    if (kind != UM_TALK_NO_KIND)
        um_buf_put_varuint(out, kind);
    if (payload != NULL)
        um_buf_put_varbytes(out, *payload);
}

bool um_talk_presence(struct um_span body, uint64_t *client, struct um_span *update, bool *gone)
{
    struct um_reader r = um_reader(body), entry;
    struct um_span state;

    *update = um_read_varbytes(&r);
    entry = um_reader(*update);
    if (r.failed || um_read_varuint(&entry) != 1)
        return false;
    *client = um_read_varuint(&entry);
    um_read_varuint(&entry);
    state = um_read_varbytes(&entry);
    *gone = state.len == 4 && memcmp(state.data, "null", 4) == 0;
    return !entry.failed;
}
