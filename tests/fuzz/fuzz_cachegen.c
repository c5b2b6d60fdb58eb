/* Messages about caches from anybody who may publish. What is read is within its limits, and reads the same once written. */
#include <string.h>
#include "message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_within(const char *text, size_t min, size_t max) { return strlen(text) >= min && strlen(text) <= max; }

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct message m, again;
    struct um_buf out = { 0 };

    if (!message_read(&m, UM_SPAN(data, size)))
        return 0;
    UM_ASSERT(is_within(m.who, 1, m.kind == 'a' ? WHO_MAX : ORIGIN_LEN) && is_within(m.scope, 0, UM_CACHEGEN_TEXT_MAX) &&
              is_within(m.name, 1, UM_CACHEGEN_TEXT_MAX) && m.version > 0 && m.news.len <= UM_CACHEGEN_NEWS_MAX);
    message_write(&out, &m);
    UM_ASSERT(!out.failed && message_read(&again, UM_SPAN(out.data, out.len)));
    UM_ASSERT(again.kind == m.kind && again.version == m.version && strcmp(again.who, m.who) == 0 &&
              strcmp(again.scope, m.scope) == 0 && strcmp(again.name, m.name) == 0 && um_span_eq(again.news, m.news));
    um_buf_free(&out);
    return 0;
}
