/* Writing and reading a sign of life. What comes in was written by anybody who may publish there. */
#include <inttypes.h>
#include <string.h>
#include <umbel/util.h>
#include "sign.h"

void sign_write(struct um_buf *out, const struct sign *s)
{
    const char *const texts[] = { s->id, s->role, s->address, s->version, s->serves };

    um_buf_printf(out, "%s 1 %c %" PRId64 " %" PRId64 " %d", s->incarnation, s->kind, s->started_at_ms, s->load, s->draining);
    for (size_t i = 0; i < UM_COUNT(texts); i++) {
        um_buf_puts(out, " =");
        um_percent_encode(out, UM_SPAN_STR(texts[i]));
    }
}

static struct um_span next_word(struct um_span *rest)
{
    const uint8_t *blank = rest->len > 0 ? memchr(rest->data, ' ', rest->len) : NULL;
    struct um_span w = UM_SPAN(rest->data, blank != NULL ? (size_t)(blank - rest->data) : rest->len);
    size_t used = w.len + (blank != NULL);

    *rest = UM_SPAN(rest->data + used, rest->len - used);
    return w;
}

static bool read_number(struct um_span *rest, int64_t *out)
{
    struct um_span w = next_word(rest);
    int64_t n = 0;

    if (w.len == 0 || w.len > 18)
        return false;
    for (size_t i = 0; i < w.len; i++) {
        if (w.data[i] < '0' || w.data[i] > '9')
            return false;
        n = n * 10 + (w.data[i] - '0');
    }
    *out = n;
    return true;
}

static bool read_text(struct um_span *rest, char out[UM_MEMBER_TEXT_MAX + 1])
{
    struct um_span w = next_word(rest);
    struct um_buf b = { 0 };
    bool ok = w.len > 0 && w.data[0] == '=' && um_percent_decode(&b, UM_SPAN(w.data + 1, w.len - 1)) && b.len <= UM_MEMBER_TEXT_MAX &&
              um_utf8_is_valid(b.data, b.len) && (b.len == 0 || memchr(b.data, '\0', b.len) == NULL);

    if (ok) {
        if (b.len > 0)
            memcpy(out, b.data, b.len);
        out[b.len] = '\0';
    }
    um_buf_free(&b);
    return ok;
}

bool sign_read(struct sign *s, struct um_span text)
{
    struct um_span rest = text, w;
    int64_t draining;

    if (text.len > SIGN_MAX_BYTES)
        return false;
    w = next_word(&rest);
    if (w.len != INCARNATION_LEN || !um_utf8_is_valid(w.data, w.len) || memchr(w.data, '\0', w.len) != NULL)
        return false;
    memcpy(s->incarnation, w.data, w.len);
    s->incarnation[w.len] = '\0';
    if (!um_span_eq(next_word(&rest), UM_SPAN("1", 1)))
        return false;
    w = next_word(&rest);
    if (w.len != 1 || memchr("abw", w.data[0], 3) == NULL)
        return false;
    s->kind = (char)w.data[0];
    if (!read_number(&rest, &s->started_at_ms) || !read_number(&rest, &s->load) || !read_number(&rest, &draining))
        return false;
    s->draining = draining != 0;
    s->serves[0] = '\0';
    return read_text(&rest, s->id) && read_text(&rest, s->role) && read_text(&rest, s->address) && read_text(&rest, s->version) &&
           (rest.len == 0 || read_text(&rest, s->serves)) && *s->id != '\0';
}
