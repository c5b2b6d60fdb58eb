/* Any bytes as the body of a polling request: no crash; the walk ends; what was read stays inside what came. */
#include <stdlib.h>

#include "eio_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_buf scratch = { 0 };
    struct eio_packet p;
    size_t pos = 0, total = 0;
    um_err err;

    while ((err = eio_payload_next(UM_SPAN(data, size), &pos, &scratch, &p)) == UM_OK)
        total += p.data.len;
    if (total > size || (err == UM_ENOTFOUND && size == 0))
        abort();
    um_buf_free(&scratch);
    return 0;
}
