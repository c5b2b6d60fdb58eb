/* The request target for the next hop, written anew from its parts. Pure. */
#ifndef PROXY_TARGET_H
#define PROXY_TARGET_H
#include <umbel/bytes.h>

/* Writes RAW (path and query as the client sent them) in one canonical form: segments decoded, "." and ".." resolved, each
 * segment encoded again so that an encoded slash or comma stays one; the query goes on as it is. What our routes judged and what the
 * core will see is thereby the same path. UM_EPROTO: malformed, or it climbs above the root, or holds a control character. */
um_err um_target_rewrite(const char *raw, struct um_buf *out) UM_CHECK_RESULT;

#endif
