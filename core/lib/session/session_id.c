/* Ids of sessions: UUID version 4 as text; in the cookie base64 of that text (platform.md 10.4). */
#include <openssl/evp.h>
#include <string.h>
#include <umbel/session.h>
#include <umbel/util.h>

void um_session_cookie_encode(const char *id, char out[UM_SESSION_COOKIE_LEN + 1])
{
    struct um_buf b = {0};

    um_base64_encode(&b, UM_SPAN(id, UM_SESSION_ID_LEN));
    UM_ASSERT(!b.failed && b.len == UM_SESSION_COOKIE_LEN);
    memcpy(out, um_buf_cstr(&b), UM_SESSION_COOKIE_LEN + 1);
    um_buf_free(&b);
}

static bool is_uuid(const uint8_t *s)
{
    for (size_t i = 0; i < UM_SESSION_ID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        bool hex = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f');
        if (dash ? s[i] != '-' : !hex)
            return false;
    }
    return true;
}

bool um_session_cookie_decode(struct um_span value, char id[UM_SESSION_ID_LEN + 1])
{
    struct um_buf b = {0};
    bool ok;

    if (value.len != UM_SESSION_COOKIE_LEN)
        return false;
    ok = um_base64_decode(&b, value) && !b.failed && b.len == UM_SESSION_ID_LEN && is_uuid(b.data);
    if (ok) {
        memcpy(id, b.data, UM_SESSION_ID_LEN);
        id[UM_SESSION_ID_LEN] = '\0';
    }
    um_buf_free(&b);
    return ok;
}

void um_session_hash(const char *id, char out[UM_SESSION_HASH_LEN + 1])
{
    uint8_t digest[32];
    unsigned n = 0;
    struct um_buf hex = {0};

    UM_ASSERT(EVP_Digest(id, strlen(id), digest, &n, EVP_sha256(), NULL) && n == sizeof(digest));
    um_hex_encode(&hex, UM_SPAN(digest, UM_SESSION_HASH_LEN / 2));
    UM_ASSERT(!hex.failed && hex.len == UM_SESSION_HASH_LEN);
    memcpy(out, um_buf_cstr(&hex), UM_SESSION_HASH_LEN + 1);
    um_buf_free(&hex);
}
