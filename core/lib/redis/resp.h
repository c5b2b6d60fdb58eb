/* RESP, the bytes on the wire: commands out, replies in. hiredis reads, we write and keep the tree. */
#ifndef REDIS_RESP_H
#define REDIS_RESP_H
#include <umbel/redis.h>

/* Appends `*n` and then each argument as a bulk string. */
void resp_put_head(struct um_buf *out, size_t n);
void resp_put_arg(struct um_buf *out, struct um_span arg);
void resp_put_command(struct um_buf *out, const struct um_span *argv, size_t n);
/* Words without blanks: resp_put_words(out, "SELECT", "3", NULL). */
void resp_put_words(struct um_buf *out, ...) __attribute__((sentinel));

struct resp_reader;
struct resp_reader *resp_reader_new(void);              /* NULL when memory is gone */
void resp_reader_free(struct resp_reader *r);           /* NULL is fine */
/* UM_EPROTO, UM_ENOMEM: the stream cannot be read any further. */
um_err resp_reader_feed(struct resp_reader *r, const void *data, size_t len) UM_CHECK_RESULT;
/* *REPLY is the next whole reply (free it), or NULL when more bytes are needed.
 * UM_EPROTO: no RESP; UM_ELIMIT: more than UM_REDIS_MAX_REPLY, _ELEMENTS or _DEPTH. Final. */
um_err resp_reader_next(struct resp_reader *r, struct um_redis_reply **reply) UM_CHECK_RESULT;
void resp_reply_free(struct um_redis_reply *reply);     /* NULL is fine */

bool resp_is(const struct um_redis_reply *reply, enum um_redis_kind kind, const char *text);   /* the whole text */
/* Does the error begin with the word CODE? */
bool resp_is_error(const struct um_redis_reply *reply, const char *code);
/* Text of NAME in a flat array of names and values; an empty span when it is absent. */
struct um_span resp_field(const struct um_redis_reply *reply, const char *name);
bool resp_int(struct um_span text, int64_t *out);       /* decimal, at most 18 digits */
/* `name:value` of an INFO reply; an empty span (data NULL) when it is absent. */
struct um_span resp_info(struct um_span info, const char *name);

#endif
