/* ENC(...): a value that only the master secret opens.
 * base64( version 1 | salt 16 | nonce 12 | AES-256-GCM ciphertext | tag 16 ), key = PBKDF2-HMAC-SHA-256(secret, salt). */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/conf.h>
#include <umbel/util.h>

#define ENC_VERSION 1
#define ENC_ROUNDS  310000
#define ENC_SALT    16
#define ENC_NONCE   12
#define ENC_TAG     16
#define ENC_HEAD    (1 + ENC_SALT + ENC_NONCE)
#define ENC_MAX     (1024u * 1024u)      /* of plain text */

static bool derive_key(const char *secret, const uint8_t *salt, uint8_t key[32])
{
    size_t n = strlen(secret);

    return n > 0 && n <= INT_MAX &&
           PKCS5_PBKDF2_HMAC(secret, (int)n, salt, ENC_SALT, ENC_ROUNDS, EVP_sha256(), 32, key) == 1;
}

/* RAW holds the head; PLAIN goes behind it, then the tag. */
static bool seal(const uint8_t key[32], uint8_t *raw, struct um_span plain)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t *text = raw + ENC_HEAD;
    int n;
    bool ok = ctx != NULL && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, raw + 1 + ENC_SALT) == 1 &&
              EVP_EncryptUpdate(ctx, text, &n, plain.data, (int)plain.len) == 1 &&
              EVP_EncryptFinal_ex(ctx, text + plain.len, &n) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, ENC_TAG, text + plain.len) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

static bool open_sealed(const uint8_t key[32], struct um_span raw, uint8_t *plain)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const uint8_t *text = raw.data + ENC_HEAD;
    int len = (int)(raw.len - ENC_HEAD - ENC_TAG), n;
    bool ok = ctx != NULL && EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, raw.data + 1 + ENC_SALT) == 1 &&
              EVP_DecryptUpdate(ctx, plain, &n, text, len) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, ENC_TAG, (void *)(uintptr_t)(text + len)) == 1 &&
              EVP_DecryptFinal_ex(ctx, plain + len, &n) == 1;

    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

um_err um_conf_encrypt(const char *secret, struct um_span plain, struct um_buf *out)
{
    size_t n = ENC_HEAD + plain.len + ENC_TAG;
    uint8_t key[32], *raw;
    um_err err = UM_EINVAL;

    if (plain.len > ENC_MAX)
        return UM_ELIMIT;
    if ((raw = malloc(n)) == NULL)
        return UM_ENOMEM;
    raw[0] = ENC_VERSION;
    um_random_bytes(raw + 1, ENC_SALT + ENC_NONCE);
    if (derive_key(secret, raw + 1, key) && seal(key, raw, plain)) {
        um_buf_puts(out, "ENC(");
        um_base64_encode(out, UM_SPAN(raw, n));
        um_buf_puts(out, ")");
        err = out->failed ? UM_ENOMEM : UM_OK;
    }
    OPENSSL_cleanse(key, sizeof(key));
    free(raw);
    return err;
}

static um_err open_raw(const char *secret, struct um_span raw, struct um_buf *out)
{
    uint8_t key[32], *plain;
    um_err err = UM_EDENIED;

    if (raw.len < ENC_HEAD + ENC_TAG || raw.len > ENC_HEAD + ENC_MAX + ENC_TAG || raw.data[0] != ENC_VERSION)
        return UM_EPROTO;
    size_t len = raw.len - ENC_HEAD - ENC_TAG;
    if ((plain = um_buf_room(out, len + 1)) == NULL)
        return UM_ENOMEM;
    if (derive_key(secret, raw.data + 1, key) && open_sealed(key, raw, plain)) {
        um_buf_advance(out, len);
        err = UM_OK;
    } else {
        OPENSSL_cleanse(plain, len);
    }
    OPENSSL_cleanse(key, sizeof(key));
    return err;
}

um_err um_conf_decrypt(const char *secret, struct um_span text, struct um_buf *out)
{
    struct um_buf raw = { 0 };
    um_err err = UM_EPROTO;

    if (text.len > 5 && memcmp(text.data, "ENC(", 4) == 0 && text.data[text.len - 1] == ')' &&
        um_base64_decode(&raw, UM_SPAN(text.data + 4, text.len - 5)))
        err = open_raw(secret, UM_SPAN(raw.data, raw.len), out);
    um_buf_free(&raw);
    return err;
}
