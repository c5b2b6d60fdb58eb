/* Any bytes as what a library's process says: no crash; a frame that is read is written back as it was, however the
 * bytes arrive; an answer is done, or has a code and a message that may be handed on. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "native_int.h"

enum { MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* The texts end where they say they do, and inside of the bytes. */
static void check_frame(const struct frame *f, const uint8_t *data, size_t n)
{
    uint8_t *back = um_xmalloc(n);

    must(f->n <= FRAME_TEXTS_MAX && frame_size(f) == n);
    for (size_t i = 0; i < f->n; i++)
        must(f->texts[i].text[f->texts[i].len] == '\0');
    frame_write(f, back);
    must(memcmp(back, data, n) == 0);
    free(back);
}

static void check_answer(const struct frame *f)
{
    struct call c = { 0 };

    answer_read(&c, f);
    if (c.is_done) {
        must(c.reply == NULL || json_is_object(c.reply));
    } else {
        must((c.code[0] == 'F' || c.code[0] == 'T') && strspn(c.code + 1, "0123456789") == strlen(c.code) - 1 && c.code[1] != '\0');
        must(c.message[0] != '\0' && um_utf8_is_valid(c.message, strlen(c.message)) && c.again == (c.code[0] != 'F'));
    }
    json_decref(c.reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct frame f;
    ssize_t n;

    while ((n = frame_read(data, size, MAX, &f)) > 0) {
        check_frame(&f, data, (size_t)n);
        if (f.kind == FRAME_ANSWER)
            check_answer(&f);
        for (size_t cut = (size_t)n > 64 ? (size_t)n - 64 : 0; cut < (size_t)n; cut++)
            must(frame_read(data, cut, MAX, &f) == 0);
        data += n;
        size -= (size_t)n;
    }
    return 0;
}
