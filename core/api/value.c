/* Parameters: text against its row, and the row as a schema. Each type is a row. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/util.h>
#include "internal.h"

typedef bool read_fn(const struct um_api_param *p, const char *text, int64_t *out, char message[160]);

static bool refuse(char message[160], const char *fmt, ...) UM_PRINTF(2, 3);
static bool refuse(char message[160], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, 160, fmt, ap);
    va_end(ap);
    return false;
}

static int64_t most(const struct um_api_param *p) { return p->type == UM_API_STRING && p->max == 0 ? UM_API_TEXT_MAX : p->max; }

static bool read_string(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    int64_t n = (int64_t)strlen(text);

    *out = 0;
    if (n < p->min || n > most(p))
        return refuse(message, "must have %" PRId64 " to %" PRId64 " bytes", p->min, most(p));
    return um_utf8_is_valid(text, (size_t)n) || refuse(message, "must be UTF-8");
}

/* Decimal digits with an optional minus; nothing else, as a schema has it. */
static bool parse_integer(const char *text, int64_t *out)
{
    const char *digits = text + (*text == '-');
    size_t n = strlen(digits);
    char *end;

    if (n == 0 || n > 19 || strspn(digits, "0123456789") != n)
        return false;
    *out = strtoll(text, &end, 10);
    return *out != INT64_MAX && *out != INT64_MIN;
}

static bool read_int(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    if (parse_integer(text, out) && *out >= p->min && *out <= p->max)
        return true;
    if (p->max >= INT64_MAX - 1)
        return refuse(message, "must be a number from %" PRId64 " on", p->min);
    return refuse(message, "must be a number from %" PRId64 " to %" PRId64, p->min, p->max);
}

static bool read_bool(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    (void)p;
    *out = um_ascii_ieq(text, "true");
    return *out || um_ascii_ieq(text, "false") || refuse(message, "must be true or false");
}

static bool read_duration(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    if (um_conf_parse(text, UM_CONF_DURATION_MS, out, NULL) && *out >= p->min && *out <= p->max)
        return true;
    return refuse(message, "must be a duration (10s, PT1M) of %" PRId64 " to %" PRId64 " ms", p->min, p->max);
}

static bool read_enum(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    size_t n = strlen(text);

    *out = 0;
    for (const char *v = p->values; *v != '\0';) {
        size_t len = strcspn(v, "|");
        if (len == n && memcmp(v, text, n) == 0)
            return true;
        v += len + (v[len] == '|');
    }
    return refuse(message, "must be one of: %s", p->values);
}

static bool read_ids(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    size_t n = 0;
    char **ids = api_split_ids(UM_SPAN_STR(text), p->in == UM_API_QUERY, (size_t)p->max, &n);

    *out = 0;
    free(ids);
    if (ids == NULL || (int64_t)n < p->min)
        return refuse(message, "must be %" PRId64 " to %" PRId64 " ids, separated by commas", p->min, p->max);
    return true;
}

/* ---- as a schema ---- */

static json_t *string_schema(const struct um_api_param *p)
{
    json_t *s = json_pack("{s:s}", "type", "string");

    if (p->min > 0)                          /* bytes here, characters there */
        json_object_set_new(s, "minLength", json_integer(1));
    json_object_set_new(s, "maxLength", json_integer(most(p)));
    if (p->min > 1)
        json_object_set_new(s, "x-min-bytes", json_integer(p->min));
    return s;
}

static json_t *int_schema(const struct um_api_param *p)
{
    json_t *s = json_pack("{s:s, s:I}", "type", "integer", "minimum", (json_int_t)p->min);

    if (p->max < INT64_MAX - 1)
        json_object_set_new(s, "maximum", json_integer(p->max));
    return s;
}

static json_t *bool_schema(const struct um_api_param *p)
{
    (void)p;
    return json_pack("{s:s}", "type", "boolean");
}

static json_t *duration_schema(const struct um_api_param *p)
{
    return json_pack("{s:s, s:[s, s], s:I, s:I}", "type", "string", "examples", "10s", "PT1M", "x-min-ms", (json_int_t)p->min, "x-max-ms",
                     (json_int_t)p->max);
}

static json_t *enum_schema(const struct um_api_param *p)
{
    json_t *values = json_array();

    for (const char *v = p->values; *v != '\0';) {
        size_t len = strcspn(v, "|");
        json_array_append_new(values, json_stringn(v, len));
        v += len + (v[len] == '|');
    }
    return json_pack("{s:s, s:o}", "type", "string", "enum", values);
}

static json_t *ids_schema(const struct um_api_param *p)
{
    return json_pack("{s:s, s:{s:s, s:i}, s:I, s:I}", "type", "array", "items", "type", "string", "minLength", 1, "minItems",
                     (json_int_t)p->min, "maxItems", (json_int_t)p->max);
}

static const struct { read_fn *read; json_t *(*schema)(const struct um_api_param *p); } types[UM_API_TYPES_N] = {
    [UM_API_STRING] = { read_string, string_schema }, [UM_API_INT] = { read_int, int_schema },
    [UM_API_BOOL] = { read_bool, bool_schema },       [UM_API_DURATION] = { read_duration, duration_schema },
    [UM_API_ENUM] = { read_enum, enum_schema },       [UM_API_IDS] = { read_ids, ids_schema },
};

bool api_value(const struct um_api_param *p, const char *text, int64_t *out, char message[160])
{
    return types[p->type].read(p, text, out, message);
}

static json_t *initial_value(const struct um_api_param *p)
{
    int64_t n = 0;
    char message[160];

    if (p->type != UM_API_INT && p->type != UM_API_BOOL)
        return json_string(p->initial);
    (void)api_value(p, p->initial, &n, message);
    return p->type == UM_API_INT ? json_integer(n) : json_boolean(n);
}

json_t *api_param_schema(const struct um_api_param *p)
{
    json_t *s = types[p->type].schema(p);

    if (p->initial != NULL)
        json_object_set_new(s, "default", initial_value(p));
    return s;
}

/* ---- comma lists ---- */

/* Appends ID, decoded and terminated. False: it is malformed. */
static bool put_id(struct um_buf *out, struct um_span id, bool plus)
{
    struct um_buf spaced = { 0 };
    size_t before = out->len;
    bool ok;

    for (size_t i = 0; i < id.len; i++)
        if (plus && id.data[i] == '+')
            um_buf_puts(&spaced, "%20");
        else
            um_buf_put_u8(&spaced, id.data[i]);
    ok = !spaced.failed && um_percent_decode(out, UM_SPAN(spaced.data, spaced.len)) && out->len > before &&
         out->len - before <= UM_API_TEXT_MAX && um_utf8_is_valid(out->data + before, out->len - before) &&
         memchr(out->data + before, '\0', out->len - before) == NULL;
    um_buf_free(&spaced);
    um_buf_put_u8(out, '\0');
    return ok && !out->failed;
}

/* The pointers and the texts in one block. */
static char **block_of(const struct um_buf *texts, size_t n)
{
    char **list = malloc((n + 1) * sizeof(*list) + texts->len), *at;

    if (list == NULL)
        return NULL;
    at = (char *)(list + n + 1);
    if (texts->len > 0)
        memcpy(at, texts->data, texts->len);
    for (size_t i = 0; i < n; i++, at += strlen(at) + 1)
        list[i] = at;
    list[n] = NULL;
    return list;
}

char **api_split_ids(struct um_span raw, bool plus, size_t max, size_t *n)
{
    struct um_buf texts = { 0 };
    const uint8_t *p = raw.data, *end = p + raw.len;
    char **list;
    bool ok = true;

    *n = 0;
    while (ok && p < end) {
        const uint8_t *stop = memchr(p, ',', (size_t)(end - p));

        if (stop == NULL)
            stop = end;
        ok = ++*n <= max && put_id(&texts, UM_SPAN(p, (size_t)(stop - p)), plus) && stop + 1 != end;
        p = stop + 1;
    }
    list = ok ? block_of(&texts, *n) : NULL;
    um_buf_free(&texts);
    return list;
}
