/* A session as Redis has it, made into the picture that callers get. Values that nobody can read are left out and counted:
 * they are somebody else's, or broken. */
#include <stdlib.h>
#include <string.h>
#include <umbel/log.h>
#include <umbel/util.h>

#include "store.h"
#include "value.h"

#define COPY_MAX_BYTES (16 * 1024)        /* larger sessions are not kept: 10000 of them would be gigabytes */

struct draft {
    struct um_session_attr *attrs;
    struct um_buf *values;                /* as many */
    size_t n;
    struct um_buf user;
    int64_t created, last, interval;
    unsigned times;                       /* bits: which of the three are there */
    bool failed;
};

static bool starts_with(struct um_span s, const char *head)
{
    return s.len >= strlen(head) && memcmp(s.data, head, strlen(head)) == 0;
}

static void bad_value(struct um_span field)
{
    um_count(&session_rows[SESSION_M_BAD_VALUES], 1);
    um_log_limited(UM_WARN, "session", "a value in Redis cannot be read", UM_B("field", field));
}

static void take_attr(struct draft *d, struct um_span field, struct um_span value)
{
    const char *name = (const char *)field.data + strlen(ATTR_FIELD);
    struct um_buf text = {0};
    um_err err = session_value_read(&text, value);

    if (err != UM_OK) {
        d->failed |= err == UM_ENOMEM;
        bad_value(field);
        um_buf_free(&text);
    } else if (strcmp(name, PRINCIPAL_INDEX) == 0) {
        um_buf_free(&d->user);
        d->user = text;
    } else {
        d->values[d->n] = text;
        d->attrs[d->n] = (struct um_session_attr){ name, UM_SPAN(text.data, text.len) };
        d->n++;
    }
}

static void take_field(struct draft *d, struct um_span field, struct um_span value)
{
    const struct { const char *name; int64_t *to; } times[] = {
        { "creationTime", &d->created }, { "lastAccessedTime", &d->last }, { "maxInactiveInterval", &d->interval },
    };

    if (starts_with(field, ATTR_FIELD)) {
        take_attr(d, field, value);
        return;
    }
    for (size_t i = 0; i < UM_COUNT(times); i++)
        if (um_span_eq(field, UM_SPAN_STR(times[i].name)) && session_value_read_int(value, times[i].to))
            d->times |= 1u << i;
}

static um_err finish(const struct draft *d, const char *id, struct um_session **out)
{
    struct um_session *s;

    if (d->failed)
        return UM_ENOMEM;
    if (d->times != 7 || d->user.len == 0 || memchr(d->user.data, 0, d->user.len) != NULL)
        return UM_ECORRUPT;
    s = session_picture(id, (const char *)d->user.data, d->attrs, d->n);
    if (s == NULL)
        return UM_ENOMEM;
    s->created_at_ms = d->created;
    s->last_accessed_at_ms = d->last;
    s->max_inactive_s = d->interval;
    *out = s;
    return UM_OK;
}

um_err picture_read(int64_t now, const struct um_redis_reply *fields, const char *id, struct um_session **out, int64_t *idle_ms)
{
    struct draft d = {0};
    um_err err;

    if (fields->kind != UM_REDIS_ARRAY)
        return UM_ECORRUPT;
    d.attrs = calloc(fields->n / 2 + 1, sizeof(*d.attrs));
    d.values = calloc(fields->n / 2 + 1, sizeof(*d.values));
    d.failed = d.attrs == NULL || d.values == NULL;
    for (size_t i = 0; i + 1 < fields->n && !d.failed; i += 2)
        if (um_redis_item(fields, i).data != NULL && um_redis_item(fields, i + 1).data != NULL)
            take_field(&d, um_redis_item(fields, i), um_redis_item(fields, i + 1));
    um_buf_put_u8(&d.user, 0);
    d.user.len -= d.user.len > 0;
    d.failed |= d.user.failed;
    err = finish(&d, id, out);
    *idle_ms = err == UM_OK ? UM_MAX(now - d.last, 0) : 0;
    for (size_t i = 0; i < d.n; i++)
        um_buf_free(&d.values[i]);
    um_buf_free(&d.user);
    free(d.attrs);
    free(d.values);
    return err;
}

void picture_keep(struct redis_sessions *rs, const struct um_session *s, int64_t idle_ms)
{
    size_t bytes = 0;

    for (size_t i = 0; i < s->n_attrs; i++)
        bytes += s->attrs[i].value.len;
    if (bytes <= COPY_MAX_BYTES)
        copies_put(rs->copies, s, idle_ms);
}

um_err picture_take(struct redis_sessions *rs, const struct um_redis_reply *reply, const char *id, const struct um_session **out)
{
    struct um_session *s = NULL;
    int64_t idle_ms = 0;
    um_err err;

    if (reply->kind != UM_REDIS_ARRAY || reply->n < 2)
        return UM_ENOTFOUND;
    if ((err = picture_read(reply->items[0]->integer, reply->items[1], id, &s, &idle_ms)) != UM_OK)
        return err == UM_ECORRUPT ? UM_ENOTFOUND : err;
    picture_keep(rs, s, idle_ms);
    *out = s;
    return UM_OK;
}
