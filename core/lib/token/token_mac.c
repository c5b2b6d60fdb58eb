/* HMAC-SHA-256 by EVP_MAC: the algorithm is fetched once per process and a context lives per thread, because fetching
 * costs several times what the hashing of a token does. */
#include "token_mac.h"

#include <pthread.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

static pthread_once_t mac_once = PTHREAD_ONCE_INIT;
static EVP_MAC *mac_hmac;
static pthread_key_t mac_of_thread;            /* only to free the context when a thread ends */

static void free_context(void *ctx)
{
    EVP_MAC_CTX_free(ctx);
}

static void fetch_mac(void)
{
    mac_hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    UM_ASSERT(mac_hmac != NULL);
    UM_ASSERT(pthread_key_create(&mac_of_thread, free_context) == 0);
}

static EVP_MAC_CTX *context_of_thread(void)
{
    EVP_MAC_CTX *ctx;

    pthread_once(&mac_once, fetch_mac);
    ctx = pthread_getspecific(mac_of_thread);
    if (ctx == NULL && (ctx = EVP_MAC_CTX_new(mac_hmac)) != NULL && pthread_setspecific(mac_of_thread, ctx) != 0) {
        EVP_MAC_CTX_free(ctx);
        ctx = NULL;
    }
    return ctx;
}

um_err token_mac(struct um_span key, struct um_span text, uint8_t out[TOKEN_MAC_BYTES])
{
    EVP_MAC_CTX *ctx = context_of_thread();
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){ "SHA256" }, 0),
        OSSL_PARAM_construct_end(),
    };
    size_t n;

    if (ctx == NULL || !EVP_MAC_init(ctx, key.data, key.len, params) || !EVP_MAC_update(ctx, text.data, text.len) ||
        !EVP_MAC_final(ctx, out, &n, TOKEN_MAC_BYTES))
        return UM_ENOMEM;
    UM_ASSERT(n == TOKEN_MAC_BYTES);
    return UM_OK;
}
