/* What one node tells the others of a change, beside the version of the cache. Pure. Bytes:
 *
 *   u8 1 (format)  u8 event  varbytes by  varuint n  n x row
 *   row = varbytes category, id, user, session  varuint token, since_ms, left_ms
 *
 * A receiver takes the rows as hints of the same kind as rows of the database; bytes that are not of this form are dropped, and
 * the table is read. */
#ifndef RESERVE_NEWS_H
#define RESERVE_NEWS_H
#include <umbel/bytes.h>
#include <umbel/reserve.h>

enum { NEWS_MAX_BYTES = 60 * 1024 };          /* more is told without rows, and read from the database */

struct news_head { enum um_reserve_event event; char by[UM_RESERVE_USER_MAX + 1]; };

/* Leaves OUT empty when it would grow beyond NEWS_MAX_BYTES. */
void news_write(struct um_buf *out, enum um_reserve_event event, const char *by, const struct um_store_reserved *rows, size_t n);
/* Calls CB for each row; strings are good during the call. False: malformed; rows before the fault have been told. */
bool news_read(struct um_span bytes, void (*cb)(void *arg, const struct news_head *head, const struct um_store_reserved *row),
               void *arg);

#endif
