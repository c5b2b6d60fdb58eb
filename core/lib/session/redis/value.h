/* Values of sessions as they stand in Redis (platform.md 10.3): JSON text is written; decimal numbers, JSON and the three JDK
 * forms that matter (Long, Integer, String) are read. Pure. */
#ifndef SESSION_VALUE_H
#define SESSION_VALUE_H
#include <umbel/bytes.h>

/* Appends TEXT as JSON: an object or array goes in as it is, anything else becomes a JSON string.
 *   UM_EINVAL  TEXT is not UTF-8 */
um_err session_value_write(struct um_buf *out, struct um_span text) UM_CHECK_RESULT;

/* Appends the text that VALUE stands for: a string's characters, a number in decimal, an object or array as JSON, "" for null.
 *   UM_EPROTO  none of the forms */
um_err session_value_read(struct um_buf *out, struct um_span value) UM_CHECK_RESULT;
/* The same for a whole number. */
bool session_value_read_int(struct um_span value, int64_t *out);

#endif
