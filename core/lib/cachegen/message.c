/* Writing and reading what is said about caches. What comes in was written by anybody who may publish there. */
#include "message.h"
#include <string.h>
#include <umbel/util.h>

enum { FORM = 1 };

void message_write(struct um_buf *out, const struct message *m)
{
    um_buf_put_u8(out, (uint8_t)m->kind);
    um_buf_put_u8(out, FORM);
    um_buf_put_varbytes(out, UM_SPAN_STR(m->who));
    um_buf_put_varbytes(out, UM_SPAN_STR(m->scope));
    um_buf_put_varbytes(out, UM_SPAN_STR(m->name));
    um_buf_put_varuint(out, m->version);
    um_buf_put_varbytes(out, m->news);
}

bool message_read(struct message *out, struct um_span bytes)
{
    struct um_reader r = um_reader(bytes);

    out->kind = (char)um_read_u8(&r);
    if (out->kind == '\0' || strchr("nwa", out->kind) == NULL || um_read_u8(&r) != FORM)
        return false;
    um_read_vartext(&r, out->who, out->kind == 'a' ? WHO_MAX : ORIGIN_LEN);
    um_read_vartext(&r, out->scope, UM_CACHEGEN_TEXT_MAX);
    um_read_vartext(&r, out->name, UM_CACHEGEN_TEXT_MAX);
    out->version = um_read_varuint(&r);
    out->news = um_read_varbytes(&r);
    return !r.failed && out->who[0] != '\0' && out->name[0] != '\0' && out->version > 0 && out->news.len <= UM_CACHEGEN_NEWS_MAX;
}
