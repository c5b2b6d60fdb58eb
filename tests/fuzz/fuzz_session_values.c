/* Values of sessions as anybody may have left them in Redis. What is read, written and read again is the
 * same text. */
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = um_xmalloc(size + 1);         /* of its own, so that reading past it shows */
    struct um_buf text = { 0 }, value = { 0 }, again = { 0 };
    int64_t number;
    um_err err;

    memcpy(copy, data, size);
    err = session_value_read(&text, UM_SPAN(copy, size));
    if (session_value_read_int(UM_SPAN(copy, size), &number) && size >= 81)
        UM_ASSERT(err == UM_OK);
    if (err == UM_OK && text.len > 0) {
        UM_ASSERT(um_utf8_is_valid(text.data, text.len));
        UM_ASSERT(session_value_write(&value, UM_SPAN(text.data, text.len)) == UM_OK);
        UM_ASSERT(session_value_read(&again, UM_SPAN(value.data, value.len)) == UM_OK);
        UM_ASSERT(um_span_eq(UM_SPAN(again.data, again.len), UM_SPAN(text.data, text.len)));
    }
    um_buf_free(&text);
    um_buf_free(&value);
    um_buf_free(&again);
    free(copy);
    return 0;
}
