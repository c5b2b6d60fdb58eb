/* Any form: it says the same in one piece and in many, keeps its promises to the sink, and its limits.
 * Input: the Content-Type, a line feed, the form. How it is cut comes from its bytes. */
#include <stdlib.h>
#include <string.h>
#include <umbel/multipart.h>
#include <umbel/util.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard { struct um_buf text; size_t given; bool in_part; };

static void check(bool ok)
{
    if (!ok)
        abort();
}

static void note(struct heard *h, const char *s)
{
    check(s == NULL || um_utf8_is_valid(s, strlen(s)));
    um_buf_puts(&h->text, s != NULL ? s : "(none)");
    um_buf_put_u8(&h->text, 0);
}

static um_err begin(void *arg, const struct um_multipart_part *part)
{
    struct heard *h = arg;

    check(!h->in_part && part->name != NULL);
    check(part->filename == NULL || strpbrk(part->filename, "/\\") == NULL);
    h->in_part = true;
    note(h, part->name);
    note(h, part->filename);
    note(h, part->type);
    return UM_OK;
}

static um_err piece(void *arg, struct um_span bytes)
{
    struct heard *h = arg;

    check(h->in_part && bytes.len > 0);
    h->given += bytes.len;
    um_buf_put(&h->text, bytes.data, bytes.len);
    return UM_OK;
}

static um_err end(void *arg)
{
    struct heard *h = arg;

    check(h->in_part);
    h->in_part = false;
    um_buf_put_u8(&h->text, 0);
    return UM_OK;
}

static um_err read_form(struct heard *h, const char *type, struct um_span form, bool in_pieces)
{
    static const struct um_multipart_sink sink = { begin, piece, end };
    struct um_multipart *m;
    um_err err = um_multipart_new(&m, type, &sink, h);

    if (err != UM_OK)
        return err;
    for (size_t at = 0, n; err == UM_OK && at < form.len; at += n) {
        n = in_pieces ? UM_MIN(1 + (form.data[at] ^ at) % 7, form.len - at) : form.len;
        h->given = 0;
        err = um_multipart_feed(m, UM_SPAN(form.data + at, n));
        check(h->given <= n + UM_MULTIPART_HELD_MAX);
    }
    if (err == UM_OK)
        err = um_multipart_finish(m);
    check(err != UM_OK || !h->in_part);
    check(err == UM_OK || um_multipart_why(m)[0] != '\0');
    um_multipart_free(m);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size > 0 ? memchr(data, '\n', size) : NULL;
    struct heard whole = { 0 }, cut = { 0 };
    struct um_span form;
    char *type;
    um_err err;

    if (line == NULL)
        return 0;
    type = um_xstrndup((const char *)data, (size_t)(line - data));
    form = UM_SPAN(line + 1, size - (size_t)(line + 1 - data));
    err = read_form(&whole, type, form, false);
    check(read_form(&cut, type, form, true) == err);
    check(um_span_eq(UM_SPAN(whole.text.data, whole.text.len), UM_SPAN(cut.text.data, cut.text.len)));
    um_buf_free(&whole.text);
    um_buf_free(&cut.text);
    free(type);
    return 0;
}
