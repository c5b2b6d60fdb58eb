/* Any bytes as MessagePack, and as JSON: no crash, and what was taken is the same value after a way there and back. */
#include <stdlib.h>
#include <string.h>
#include "mp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

/* What our own encoder wrote has to be read, and written to the same bytes. */
static void there_and_back(const struct um_buf *packed)
{
    struct um_reader r = um_reader(span_of(packed));
    struct mp_bins bins = { .n = 0 };
    struct um_buf text = { 0 }, again = { 0 };

    if (mp_to_json(&r, &text, &bins) != UM_OK || um_reader_left(&r) > 0)
        abort();
    if (mp_from_json(span_of(&text), bins.items, bins.n, &again) != UM_OK || !um_span_eq(span_of(&again), span_of(packed)))
        abort();
    um_buf_free(&text);
    um_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_buf text = { 0 }, packed = { 0 };
    struct um_reader r = um_reader(UM_SPAN(data, size));
    struct mp_bins bins = { .n = 0 };

    if (mp_to_json(&r, &text, &bins) == UM_OK) {
        if (mp_from_json(span_of(&text), bins.items, bins.n, &packed) != UM_OK)
            abort();
        there_and_back(&packed);
    }
    um_buf_clear(&packed);
    if (mp_from_json(UM_SPAN(data, size), NULL, 0, &packed) == UM_OK)
        there_and_back(&packed);
    um_buf_free(&text);
    um_buf_free(&packed);
    return 0;
}
