/* Tokens and session cookies: any bytes are refused or read without a fault, and a token that verifies was signed by us.
 * The first byte chooses: 0 the bytes as a token, 1 as a header and payload (split at the first NUL) that get a right
 * signature, so that the code behind the signature is reached; 2 as a cookie. */
#include <stdlib.h>
#include <string.h>
#include <umbel/session.h>
#include <umbel/token.h>
#include <umbel/util.h>

#include "token_mac.h"

static const struct um_token_ring ring = { { (const uint8_t *)"0123456789abcdef0123456789abcdef", 32 },
                                           { (const uint8_t *)"fedcba9876543210fedcba9876543210", 32 } };

static void try_token(struct um_span text)
{
    struct um_token_claims c;

    if (um_token_verify(&ring, text, UM_TOKEN_USER, 1767322445, &c) == UM_OK)
        UM_ASSERT(c.sub != NULL && strcmp(c.use, UM_TOKEN_USER) == 0 && c.exp > c.iat);
    um_token_claims_free(&c);
}

static void try_signed(struct um_span in)
{
    const uint8_t *nul = memchr(in.data, 0, in.len);
    size_t split = nul != NULL ? (size_t)(nul - in.data) : 0;
    struct um_buf text = {0};
    uint8_t mac[TOKEN_MAC_BYTES];

    um_base64url_encode(&text, UM_SPAN(in.data, split));
    um_buf_put_u8(&text, '.');
    um_base64url_encode(&text, UM_SPAN(in.data + split, in.len - split));
    if (token_mac(ring.current, UM_SPAN(text.data, text.len), mac) == UM_OK) {
        um_buf_put_u8(&text, '.');
        um_base64url_encode(&text, UM_SPAN(mac, sizeof(mac)));
        try_token(UM_SPAN(text.data, text.len));
    }
    um_buf_free(&text);
}

static void try_cookie(struct um_span in)
{
    char id[UM_SESSION_ID_LEN + 1], again[UM_SESSION_COOKIE_LEN + 1];

    if (!um_session_cookie_decode(in, id))
        return;
    um_session_cookie_encode(id, again);
    UM_ASSERT(um_span_eq(UM_SPAN_STR(again), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_span in;

    if (size == 0)
        return 0;
    in = UM_SPAN(data + 1, size - 1);
    switch (data[0] % 3) {
    case 0: try_token(in); break;
    case 1: try_signed(in); break;
    default: try_cookie(in); break;
    }
    return 0;
}
