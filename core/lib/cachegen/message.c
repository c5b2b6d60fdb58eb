/* Writing and reading what is said about caches. What comes in was written by anybody who may publish there. */
#include "message.h"
#include <string.h>
#include <umbel/util.h>

enum { FORM = 1 };

static void put_bytes(struct um_buf *out, struct um_span s)
{
    um_buf_put_varuint(out, s.len);
    um_buf_put(out, s.data, s.len);
}

void message_write(struct um_buf *out, const struct message *m)
{
    um_buf_put_u8(out, (uint8_t)m->kind);
    um_buf_put_u8(out, FORM);
    put_bytes(out, UM_SPAN_STR(m->who));
    put_bytes(out, UM_SPAN_STR(m->scope));
    put_bytes(out, UM_SPAN_STR(m->name));
    um_buf_put_varuint(out, m->version);
    put_bytes(out, m->news);
}

static bool read_text(struct um_reader *r, char *out, size_t min, size_t max)
{
    struct um_span s = um_read_varbytes(r);

    if (r->failed || s.len < min || s.len > max || !um_utf8_is_valid(s.data, s.len) ||
        (s.len > 0 && memchr(s.data, 0, s.len) != NULL))
        return false;
    if (s.len > 0)
        memcpy(out, s.data, s.len);
    out[s.len] = '\0';
    return true;
}

bool message_read(struct message *out, struct um_span bytes)
{
    struct um_reader r = um_reader(bytes);

    out->kind = (char)um_read_u8(&r);
    if (out->kind == '\0' || strchr("nwa", out->kind) == NULL || um_read_u8(&r) != FORM)
        return false;
    if (!read_text(&r, out->who, 1, out->kind == 'a' ? WHO_MAX : ORIGIN_LEN) ||
        !read_text(&r, out->scope, 0, UM_CACHEGEN_TEXT_MAX) || !read_text(&r, out->name, 1, UM_CACHEGEN_TEXT_MAX))
        return false;
    out->version = um_read_varuint(&r);
    out->news = um_read_varbytes(&r);
    return !r.failed && out->version > 0 && out->news.len <= UM_CACHEGEN_NEWS_MAX;
}
