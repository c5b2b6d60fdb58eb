/* RESP2: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n` out, status, error, integer, bulk string, array and nil in.
 *
 * hiredis parses; the objects are ours, so that sizes a server names are held to limits before memory is taken, and the
 * same source serves hiredis 0.14 (Debian 12) and 1.x, whose tables of functions differ. */
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "resp.h"

/* ---- out ---- */

static void put_size(struct um_buf *out, char kind, size_t n)
{
    char text[24], *at = text + sizeof(text);

    *--at = '\n';
    *--at = '\r';
    do
        *--at = (char)('0' + n % 10);
    while ((n /= 10) > 0);
    *--at = kind;
    um_buf_put(out, at, (size_t)(text + sizeof(text) - at));
}

void resp_put_head(struct um_buf *out, size_t n)
{
    put_size(out, '*', n);
}

void resp_put_arg(struct um_buf *out, struct um_span arg)
{
    put_size(out, '$', arg.len);
    um_buf_put(out, arg.data, arg.len);
    um_buf_put(out, "\r\n", 2);
}

void resp_put_command(struct um_buf *out, const struct um_span *argv, size_t n)
{
    resp_put_head(out, n);
    for (size_t i = 0; i < n; i++)
        resp_put_arg(out, argv[i]);
}

void resp_put_words(struct um_buf *out, ...)
{
    struct um_span argv[8];
    const char *word;
    size_t n = 0;
    va_list ap;

    va_start(ap, out);
    while ((word = va_arg(ap, const char *)) != NULL) {
        UM_ASSERT(n < UM_COUNT(argv));
        argv[n++] = UM_SPAN_STR(word);
    }
    va_end(ap);
    resp_put_command(out, argv, n);
}

/* ---- the tree ---- */

struct resp_reader {
    redisReader *parser;
    size_t held;                              /* bytes fed since the last whole reply */
    size_t elements;                          /* of the reply that is being read */
    bool over_limit;
};

static enum um_redis_kind kind_of(int type)
{
    switch (type) {
    case REDIS_REPLY_STATUS: return UM_REDIS_STATUS;
    case REDIS_REPLY_ERROR: return UM_REDIS_ERROR;
    default: return UM_REDIS_STRING;
    }
}

/* Puts O in its place in the array above it. */
static void *attach(const redisReadTask *task, struct um_redis_reply *o)
{
    if (o != NULL && task->parent != NULL) {
        struct um_redis_reply *parent = task->parent->obj;
        ((struct um_redis_reply **)parent->items)[task->idx] = o;
    }
    return o;
}

static void *make(const redisReadTask *task, enum um_redis_kind kind, int64_t integer)
{
    struct um_redis_reply *o = calloc(1, sizeof(*o));

    if (o == NULL)
        return NULL;
    o->kind = kind;
    o->integer = integer;
    return attach(task, o);
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
    struct um_redis_reply *o = malloc(sizeof(*o) + len + 1);
    uint8_t *copy;

    if (o == NULL)
        return NULL;
    copy = (uint8_t *)(o + 1);
    memcpy(copy, text, len);
    copy[len] = '\0';
    *o = (struct um_redis_reply){ .kind = kind_of(task->type), .text = UM_SPAN(copy, len) };
    return attach(task, o);
}

/* hiredis 1.x has no bound of its own. */
static bool is_too_deep(const redisReadTask *task)
{
    int depth = 1;

    while ((task = task->parent) != NULL)
        depth++;
    return depth > UM_REDIS_MAX_DEPTH;
}

static void *make_items(const redisReadTask *task, size_t n)
{
    struct resp_reader *r = task->privdata;
    struct um_redis_reply *o;

    if (is_too_deep(task) || n > UM_REDIS_MAX_ELEMENTS || r->elements + n > UM_REDIS_MAX_ELEMENTS) {
        r->over_limit = true;
        return NULL;                          /* the parser stops: out of memory */
    }
    r->elements += n;
    o = calloc(1, sizeof(*o) + n * sizeof(o->items[0]));
    if (o == NULL)
        return NULL;
    o->kind = UM_REDIS_ARRAY;
    o->n = n;
    o->items = (struct um_redis_reply **)(o + 1);
    return attach(task, o);
}

static void *make_integer(const redisReadTask *task, long long value)
{
    return make(task, UM_REDIS_INTEGER, value);
}

static void *make_nil(const redisReadTask *task)
{
    return make(task, UM_REDIS_NIL, 0);
}

static void free_object(void *object)
{
    resp_reply_free(object);
}

#if HIREDIS_MAJOR >= 1
static void *make_array(const redisReadTask *task, size_t n) { return make_items(task, n); }
/* RESP3 is never asked for; whoever sends it is read as the nearest thing of RESP2. */
static void *make_double(const redisReadTask *task, double value, char *text, size_t len)
{
    (void)value;
    return make_string(task, text, len);
}
static void *make_bool(const redisReadTask *task, int value) { return make(task, UM_REDIS_INTEGER, value); }
static redisReplyObjectFunctions functions = {
    .createString = make_string, .createArray = make_array, .createInteger = make_integer, .createNil = make_nil,
    .createDouble = make_double, .createBool = make_bool, .freeObject = free_object,
};
#else
static void *make_array(const redisReadTask *task, int n) { return make_items(task, n < 0 ? 0 : (size_t)n); }
static redisReplyObjectFunctions functions = {
    .createString = make_string, .createArray = make_array, .createInteger = make_integer, .createNil = make_nil,
    .freeObject = free_object,
};
#endif

void resp_reply_free(struct um_redis_reply *reply)
{
    if (reply == NULL)
        return;
    for (size_t i = 0; i < reply->n; i++)     /* UM_REDIS_MAX_DEPTH */
        resp_reply_free(reply->items[i]);
    free(reply);
}

/* ---- in ---- */

struct resp_reader *resp_reader_new(void)
{
    struct resp_reader *r = calloc(1, sizeof(*r));

    if (r == NULL || (r->parser = redisReaderCreateWithFunctions(&functions)) == NULL) {
        free(r);
        return NULL;
    }
    r->parser->privdata = r;
    return r;
}

void resp_reader_free(struct resp_reader *r)
{
    if (r == NULL)
        return;
    redisReaderFree(r->parser);
    free(r);
}

um_err resp_reader_feed(struct resp_reader *r, const void *data, size_t len)
{
    r->held += len;
    if (redisReaderFeed(r->parser, data, len) == REDIS_OK)
        return UM_OK;
    return r->parser->err == REDIS_ERR_OOM ? UM_ENOMEM : UM_EPROTO;
}

um_err resp_reader_next(struct resp_reader *r, struct um_redis_reply **reply)
{
    void *object = NULL;

    *reply = NULL;
    if (redisReaderGetReply(r->parser, &object) != REDIS_OK)
        return r->over_limit ? UM_ELIMIT : r->parser->err == REDIS_ERR_OOM ? UM_ENOMEM : UM_EPROTO;
    if (object == NULL)
        return r->held > UM_REDIS_MAX_REPLY ? UM_ELIMIT : UM_OK;
    r->held = r->parser->len - r->parser->pos;
    r->elements = 0;
    *reply = object;
    return UM_OK;
}

/* ---- looking into replies ---- */

struct um_span um_redis_item(const struct um_redis_reply *reply, size_t i)
{
    if (reply == NULL || reply->kind != UM_REDIS_ARRAY || i >= reply->n)
        return UM_SPAN(NULL, 0);
    return reply->items[i]->text;
}

bool resp_is(const struct um_redis_reply *reply, enum um_redis_kind kind, const char *text)
{
    return reply != NULL && reply->kind == kind && um_span_eq(reply->text, UM_SPAN_STR(text));
}

bool resp_is_error(const struct um_redis_reply *reply, const char *code)
{
    size_t len = strlen(code);

    return reply != NULL && reply->kind == UM_REDIS_ERROR && reply->text.len >= len &&
           memcmp(reply->text.data, code, len) == 0 && (reply->text.len == len || reply->text.data[len] == ' ');
}

struct um_span resp_field(const struct um_redis_reply *reply, const char *name)
{
    for (size_t i = 0; reply != NULL && i + 1 < reply->n; i += 2)
        if (um_span_eq(um_redis_item(reply, i), UM_SPAN_STR(name)))
            return um_redis_item(reply, i + 1);
    return UM_SPAN(NULL, 0);
}

bool resp_int(struct um_span text, int64_t *out)
{
    int64_t n = 0;

    if (text.len == 0 || text.len > 18)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        n = n * 10 + (text.data[i] - '0');
    }
    *out = n;
    return true;
}

struct um_span resp_info(struct um_span info, const char *name)
{
    size_t len = strlen(name);
    const uint8_t *p = info.data, *end = info.data + info.len;

    while (p < end) {
        const uint8_t *eol = memchr(p, '\n', (size_t)(end - p));
        const uint8_t *stop = eol != NULL ? eol : end;
        if ((size_t)(stop - p) > len && memcmp(p, name, len) == 0 && p[len] == ':') {
            const uint8_t *value = p + len + 1;
            while (stop > value && stop[-1] == '\r')
                stop--;
            return UM_SPAN(value, (size_t)(stop - value));
        }
        p = stop + 1;
    }
    return UM_SPAN(NULL, 0);
}
