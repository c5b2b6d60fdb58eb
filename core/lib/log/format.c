/* Text: `time LEVEL category event key=value ...`, a value quoted when it holds a blank, a quote or an equals sign.
 * JSON: one object a line with the field names of the Elastic Common Schema or of logstash-logback-encoder. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <umbel/util.h>
#include "format.h"

#define VALUE_MAX 512                         /* a value from outside is cut here */

const char *um_level_name(enum um_level level)
{
    static const char *const names[] = { "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "OFF" };
    return names[level <= UM_OFF ? level : UM_OFF];
}

/* Characters that would let a value pretend to be something else: controls, and the bidi overrides. */
static size_t dangerous(const uint8_t *p, size_t left)
{
    if (*p < 0x20 || *p == 0x7f)
        return 1;
    if (left >= 2 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
        return 2;
    if (left >= 3 && p[0] == 0xe2 && ((p[1] == 0x80 && (p[2] == 0x8e || p[2] == 0x8f || (p[2] >= 0xa8 && p[2] <= 0xae))) ||
                                      (p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)))
        return 3;
    return 0;
}

static void put_clean(struct um_buf *out, struct um_span v)
{
    size_t end = UM_MIN(v.len, (size_t)VALUE_MAX);

    for (size_t i = 0; i < end;) {
        size_t bad = dangerous(v.data + i, end - i);
        for (size_t k = 0; k < bad; k++)
            um_buf_printf(out, "\\x%02x", v.data[i + k]);
        if (bad == 0 && (v.data[i] == '"' || v.data[i] == '\\'))
            um_buf_put_u8(out, '\\');
        if (bad == 0)
            um_buf_put_u8(out, v.data[i]);
        i += bad ? bad : 1;
    }
    if (end < v.len)
        um_buf_puts(out, "...");
}

static bool needs_quotes(struct um_span v)
{
    if (v.len == 0)
        return true;
    for (size_t i = 0; i < v.len && i < VALUE_MAX; i++)
        if (v.data[i] <= ' ' || v.data[i] == '"' || v.data[i] == '=')
            return true;
    return false;
}

static struct um_span text_of(const struct um_field *f, char number[32])
{
    switch (f->kind) {
    case UM_FIELD_STR: return f->s ? UM_SPAN_STR(f->s) : UM_SPAN("-", 1);
    case UM_FIELD_SPAN: return f->span;
    case UM_FIELD_INT: return UM_SPAN(number, (size_t)snprintf(number, 32, "%" PRId64, f->i));
    case UM_FIELD_REAL: return UM_SPAN(number, (size_t)snprintf(number, 32, "%.6g", f->d));
    default: return UM_SPAN("", 0);
    }
}

static void put_text(struct um_buf *out, const struct um_log_event *e, const char *time)
{
    char number[32];

    um_buf_printf(out, "%s %-5s %s %s", time, um_level_name(e->level), e->category, e->name);
    for (const struct um_field *f = e->fields; f->kind != UM_FIELD_END; f++) {
        struct um_span v = text_of(f, number);
        bool quote = needs_quotes(v);
        um_buf_printf(out, quote ? " %s=\"" : " %s=", f->key);
        put_clean(out, v);
        if (quote)
            um_buf_put_u8(out, '"');
    }
    if (e->suppressed > 0)
        um_buf_printf(out, " suppressed=%" PRIu64, e->suppressed);
}

static void put_member(struct um_buf *out, const char *key, struct um_span value)
{
    um_buf_printf(out, ",\"%s\":\"", key);
    um_json_escape(out, UM_SPAN(value.data, UM_MIN(value.len, (size_t)VALUE_MAX)));
    um_buf_put_u8(out, '"');
}

static void put_json(struct um_buf *out, const struct um_log_event *e, const char *time, bool ecs)
{
    char number[32];

    um_buf_printf(out, "{\"@timestamp\":\"%s\"", time);
    if (!ecs)
        um_buf_puts(out, ",\"@version\":\"1\"");
    put_member(out, ecs ? "log.level" : "level", UM_SPAN_STR(um_level_name(e->level)));
    put_member(out, ecs ? "log.logger" : "logger_name", UM_SPAN_STR(e->category));
    put_member(out, ecs ? "service.name" : "service", UM_SPAN_STR(e->service));
    put_member(out, "message", UM_SPAN_STR(e->name));
    for (const struct um_field *f = e->fields; f->kind != UM_FIELD_END; f++) {
        struct um_span v = text_of(f, number);
        if (f->kind == UM_FIELD_INT)
            um_buf_printf(out, ",\"%s\":%.*s", f->key, (int)v.len, (const char *)v.data);
        else
            put_member(out, f->key, v);
    }
    if (e->suppressed > 0)
        um_buf_printf(out, ",\"suppressed\":%" PRIu64, e->suppressed);
    um_buf_puts(out, ecs ? ",\"ecs.version\":\"8.11\"}" : "}");
}

void um_log_format(struct um_buf *out, enum um_log_format format, const struct um_log_event *e)
{
    char time[32];

    um_wall_iso(e->wall_ms, time);
    if (format == UM_LOG_TEXT)
        put_text(out, e, time);
    else
        put_json(out, e, time, format == UM_LOG_ECS);
    um_buf_put_u8(out, '\n');
}
