/* What a download says of itself: ranges (RFC 9110 14) and the name of the file (RFC 6266). */
#ifndef UMBEL_HTTP_FILE_H
#define UMBEL_HTTP_FILE_H
#include <umbel/bytes.h>

/* WHOLE: no range is asked for, or one that we need not understand: several, another unit. */
enum um_http_ranged { UM_HTTP_WHOLE, UM_HTTP_RANGE, UM_HTTP_NO_RANGE };        /* 200, 206, 416 */
/* HEADER: Range, or NULL. Of SIZE bytes LENGTH from FIRST are wanted; both are set in any case. */
enum um_http_ranged um_http_range(const char *header, int64_t size, int64_t *first, int64_t *length);

/* KIND ("attachment", "inline") with NAME: UTF-8, as plain ASCII too for those who know nothing else. */
void um_http_put_disposition(struct um_buf *out, const char *kind, const char *name);

#endif
