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

static bool starts(struct um_span name, const char *with)
{
    return name.len > strlen(with) && memcmp(name.data, with, strlen(with)) == 0;
}

static bool put_component(struct um_buf *out, const json_t *component, struct um_span name)
{
    const char *text;

    if (is(name, "component.id") || is(name, "component.name"))
        text = json_string_value(json_object_get(component, is(name, "component.id") ? "id" : "name"));
    else if (is(name, "component.classid"))
        text = json_string_value(json_object_get(json_object_get(component, "data"), "classId"));
    else
        return false;
    um_buf_puts(out, text != NULL ? text : "");
    return true;
}

static bool put(struct um_buf *out, const struct fill *f, struct um_span name)
{
    char day[UM_DATE_MAX];

    if (is(name, "user.id")) {
        um_buf_puts(out, f->user != NULL ? f->user : "");
    } else if (is(name, "dayDate")) {
        um_date_text(f->now_ms, day);
        day[strlen("2024-03-07")] = '\0';
        um_buf_puts(out, day);
    } else if (f->tags != NULL && starts(name, "tags.")) {
        put_tag(out, UM_SPAN(name.data + 5, name.len - 5), f->tags);
    } else {
        return f->component != NULL && put_component(out, f->component, name);
    }
    return true;
}

char *fill_out(const struct fill *f, const char *text)
{
    struct um_buf out = { 0 };
    char *filled;

    while (*text != '\0' && out.len <= f->max) {
        const char *end = text[0] == '$' && text[1] == '{' ? strchr(text, '}') : NULL;

        if (end != NULL && put(&out, f, UM_SPAN((const uint8_t *)text + 2, (size_t)(end - text) - 2)))
            text = end + 1;
        else
            um_buf_put_u8(&out, (uint8_t)*text++);
    }
    filled = out.len <= f->max ? um_xstrdup(um_buf_cstr(&out)) : NULL;
    um_buf_free(&out);
    return filled;
}

char *fill_text(const struct um_call *c, const char *text, const json_t *tags)
{
    return fill_out(&(struct fill){ .user = c->who->user, .now_ms = c->now_ms, .tags = tags, .max = SIZE_MAX }, text);
}
