#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "dates.h"
#include "fill.h"

static bool is(struct um_span name, const char *word)
{
    return name.len == strlen(word) && memcmp(name.data, word, name.len) == 0;
}

static void put_tag(struct um_buf *out, struct um_span name, const json_t *tags)
{
    size_t i;
    json_t *tag;

    json_array_foreach(tags, i, tag) {
        const char *own = json_string_value(json_object_get(tag, "name"));
        const char *value = json_string_value(json_array_get(json_object_get(tag, "value"), 0));

        if (own != NULL && is(name, own) && value != NULL)
            um_buf_puts(out, value);
    }
}

static bool put(struct um_buf *out, const struct um_call *c, struct um_span name, const json_t *tags)
{
    char day[UM_DATE_MAX];

    if (is(name, "user.id")) {
        um_buf_puts(out, c->who->user);
    } else if (is(name, "dayDate")) {
        um_date_text(c->now_ms, day);
        day[strlen("2024-03-07")] = '\0';
        um_buf_puts(out, day);
    } else if (tags != NULL && name.len > 5 && memcmp(name.data, "tags.", 5) == 0) {
        put_tag(out, UM_SPAN(name.data + 5, name.len - 5), tags);
    } else {
        return false;
    }
    return true;
}

char *fill_text(const struct um_call *c, const char *text, const json_t *tags)
{
    struct um_buf out = { 0 };
    char *filled;

    while (*text != '\0') {
        const char *end = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL;

        if (end != NULL && put(&out, c, UM_SPAN((const uint8_t *)text + 2, (size_t)(end - text) - 2), tags))
            text = end + 1;
        else
            um_buf_put_u8(&out, (uint8_t)*text++);
    }
    filled = um_xstrdup(um_buf_cstr(&out));
    um_buf_free(&out);
    return filled;
}
