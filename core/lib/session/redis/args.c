/* Arguments of scripts, and names of keys. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

#include "store.h"
#include "value.h"

void redis_key_of(const struct redis_sessions *rs, struct um_buf *out, const char *kind, const char *rest)
{
    um_buf_printf(out, "%s:%s%s", rs->base.cf.redis_ns, kind, rest);
}

void args_put(struct args *a, struct um_span s)
{
    if (a->n == a->cap) {
        a->cap = a->cap > 0 ? a->cap * 2 : 16;
        a->items = um_xrealloc(a->items, a->cap * sizeof(*a->items));
    }
    a->items[a->n++] = s;
}

void args_put_text(struct args *a, const char *s)
{
    args_put(a, UM_SPAN_STR(s));
}

void args_put_int(struct args *a, int64_t v)
{
    UM_ASSERT(a->n_numbers < UM_COUNT(a->numbers));
    char *text = a->numbers[a->n_numbers++];

    snprintf(text, sizeof(a->numbers[0]), "%" PRId64, v);
    args_put(a, UM_SPAN_STR(text));
}

void args_adopt(struct args *a, struct um_buf *b)
{
    a->failed |= b->failed;
    a->owned = um_xrealloc(a->owned, (a->n_owned + 1) * sizeof(*a->owned));
    a->owned[a->n_owned++] = *b;
    args_put(a, UM_SPAN(b->data, b->len));
    *b = (struct um_buf){0};
}

void args_begin(struct args *a, struct redis_sessions *rs, const char *id)
{
    struct um_buf key = {0};

    *a = (struct args){ .rs = rs };
    redis_key_of(rs, &key, "sessions:", id);
    args_adopt(a, &key);
    if (rs->base.cf.now_ms != NULL)
        args_put_int(a, rs->base.cf.now_ms());
    else
        args_put_text(a, "");
    args_put_text(a, rs->base.cf.redis_ns);
    args_put_text(a, rs->max_age);
    args_put(a, UM_SPAN(rs->channel.data, rs->channel.len));
    args_put(a, UM_SPAN(rs->live.data, rs->live.len));
    args_put_text(a, rs->base.cf.redis_quote ? "\"" : "");
    args_put_text(a, rs->origin);
}

um_err args_put_field(struct args *a, const char *name, struct um_span text)
{
    struct um_buf field = {0}, value = {0};
    um_err err = text.len > 0 ? session_value_write(&value, text) : UM_OK;

    um_buf_printf(&field, ATTR_FIELD "%s", name);
    args_adopt(a, &field);
    args_adopt(a, &value);
    return err;
}

um_err args_put_fields(struct args *a, const struct um_session *s)
{
    um_err err = args_put_field(a, PRINCIPAL_INDEX, UM_SPAN_STR(s->user));

    for (size_t i = 0; i < s->n_attrs && err == UM_OK; i++)
        err = args_put_field(a, s->attrs[i].name, s->attrs[i].value);
    return a->failed ? UM_ENOMEM : err;
}

void args_send(struct args *a, struct um_redis_link *link, unsigned flags, struct um_redis_script *script, um_redis_cb *cb, void *arg)
{
    struct um_redis_opts opts = { .flags = flags };

    if (script != NULL)
        um_redis_eval(link, &opts, script, a->items, 1, a->n, cb, arg);
    for (size_t i = 0; i < a->n_owned; i++)
        um_buf_free(&a->owned[i]);
    free(a->owned);
    free(a->items);
    *a = (struct args){0};
}
