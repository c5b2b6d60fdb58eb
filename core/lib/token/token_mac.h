/* HMAC-SHA-256 of a text. */
#ifndef UMBEL_TOKEN_MAC_H
#define UMBEL_TOKEN_MAC_H
#include <umbel/base.h>

enum { TOKEN_MAC_BYTES = 32 };
um_err token_mac(struct um_span key, struct um_span text, uint8_t out[TOKEN_MAC_BYTES]) UM_CHECK_RESULT;

#endif
