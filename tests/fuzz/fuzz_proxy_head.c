/* Any beginning of a connection: a head is never longer than what came, never asks for more than its limit, and says the same
 * whatever follows it. */
#include <stdlib.h>
#include <string.h>
#include "proxy_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_proxy_head whole, exact;
    enum http_proxy_verdict v = http_proxy_read(UM_SPAN(data, size), &whole);

    if (v == HTTP_PROXY_MORE && size >= HTTP_PROXY_HEAD_MAX)
        abort();
    if (v != HTTP_PROXY_DONE)
        return 0;
    if (whole.bytes > size || http_proxy_read(UM_SPAN(data, whole.bytes), &exact) != HTTP_PROXY_DONE ||
        memcmp(&whole, &exact, sizeof(whole)) != 0)
        abort();
    if (http_proxy_read(UM_SPAN(data, whole.bytes - 1), &exact) != HTTP_PROXY_MORE)
        abort();
    return 0;
}
