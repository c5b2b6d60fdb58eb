/* See seal.h. The first line of what is hashed keeps our seals apart from the signatures of tokens under the same key. */
#include <string.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <umbel/util.h>
#include "seal.h"

enum { MAC_BYTES = 32, MAC_CHARS = 2 * MAC_BYTES };
#define PURPOSE "umbel: ask\n"

static void mac_of(struct um_span key, struct um_span text, struct um_buf *hex)
{
    struct um_buf all = { 0 };
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    um_buf_puts(&all, PURPOSE);
    um_buf_put(&all, text.data, text.len);
    UM_ASSERT(!all.failed && HMAC(EVP_sha256(), key.data, (int)key.len, all.data, all.len, mac, &n) != NULL && n == MAC_BYTES);
    um_hex_encode(hex, UM_SPAN(mac, n));
    um_buf_free(&all);
}

void seal(struct um_buf *out, struct um_span key, struct um_span text)
{
    mac_of(key, text, out);
    um_buf_put_u8(out, ' ');
    um_buf_put(out, text.data, text.len);
}

static bool is_sealed_by(struct um_span key, struct um_span sealed, struct um_span text)
{
    struct um_buf hex = { 0 };
    bool is;

    if (key.len == 0)
        return false;
    mac_of(key, text, &hex);
    is = um_const_time_eq(hex.data, sealed.data, MAC_CHARS);
    um_buf_free(&hex);
    return is;
}

bool seal_open(struct um_span sealed, struct um_span key, struct um_span previous, struct um_span *text, enum seal_by *by)
{
    if (sealed.len <= MAC_CHARS || sealed.data[MAC_CHARS] != ' ')
        return false;
    *text = UM_SPAN(sealed.data + MAC_CHARS + 1, sealed.len - MAC_CHARS - 1);
    *by = is_sealed_by(key, sealed, *text) ? SEAL_CURRENT : is_sealed_by(previous, sealed, *text) ? SEAL_PREVIOUS : SEAL_OTHER;
    return true;
}
