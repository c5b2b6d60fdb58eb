/* Time, randomness, text encodings: the leaves. */
#ifndef UMBEL_UTIL_H
#define UMBEL_UTIL_H
#include <umbel/bytes.h>

/* Time. Monotonic for timers and leases, wall clock for display, log and token claims only. */
int64_t um_now_ms(void);                       /* CLOCK_MONOTONIC */
int64_t um_now_us(void);
int64_t um_wall_ms(void);                      /* since 1970 UTC */
void um_wall_iso(int64_t wall_ms, char out[32]);   /* 2026-01-02T03:04:05.678Z */

/* Randomness: getrandom(2); aborts if the kernel has none. */
void um_random_bytes(void *out, size_t len);
uint64_t um_random_u64(void);
uint64_t um_random_below(uint64_t n);
void um_random_id(char *out, size_t n_chars);  /* lower case letters and digits, terminated: out has n_chars + 1 */
void um_random_uuid(char out[37]);             /* version 4 */

/* UTF-8: strict (no overlong forms, no surrogates, at most U+10FFFF). */
bool um_utf8_is_valid(const void *data, size_t len);
/* Incremental form for fragmented text: start with state 0; a returned UM_UTF8_BAD is final; the text is
 * complete when the state is 0 at its end. */
#define UM_UTF8_BAD UINT32_MAX
uint32_t um_utf8_feed(uint32_t state, const void *data, size_t len);

/* Encodings. Decoders return false on any character outside the alphabet or a wrong length. */
void um_base64_encode(struct um_buf *out, struct um_span in);        /* standard, padded */
bool um_base64_decode(struct um_buf *out, struct um_span in);
void um_base64url_encode(struct um_buf *out, struct um_span in);     /* URL alphabet, no padding */
bool um_base64url_decode(struct um_buf *out, struct um_span in);
void um_hex_encode(struct um_buf *out, struct um_span in);
bool um_hex_decode(struct um_buf *out, struct um_span in);
/* Percent-encoding of one path segment or query value: everything but unreserved characters. */
void um_percent_encode(struct um_buf *out, struct um_span in);
bool um_percent_decode(struct um_buf *out, struct um_span in);       /* false on malformed %xx */
/* JSON string body (without quotes), control characters escaped, invalid UTF-8 replaced. */
void um_json_escape(struct um_buf *out, struct um_span in);

uint32_t um_crc32c(uint32_t crc, const void *data, size_t len);      /* start with 0 */

bool um_ascii_ieq(const char *a, const char *b);
bool um_const_time_eq(const void *a, const void *b, size_t len);
/* Does the comma list LIST hold TOKEN (any case, blanks ignored)? For Connection, Upgrade, ... */
bool um_token_list_has(const char *list, const char *token);

#endif
