/* See umbel/password.h. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <umbel/password.h>

#define OPS crypto_pwhash_OPSLIMIT_INTERACTIVE
#define MEM crypto_pwhash_MEMLIMIT_INTERACTIVE
_Static_assert(UM_PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "a hash fits");

/* With the cost above, of random bytes that nobody has. */
static const char nobodys[] =
    "$argon2id$v=19$m=65536,t=2,p=1$OE+qqaO4WUoBH3U6HqnqJw"
    "$yEX8WbC6clcO1nqSxi+QkEI0Y97/a58oottx0KjI6Rs";

bool um_password_is_hash(const char *text) { return strncmp(text, "$argon2", 7) == 0; }

bool um_password_hash(const char *text, char out[UM_PASSWORD_HASH_SIZE])
{
    return sodium_init() >= 0 && crypto_pwhash_str_alg(out, text, strlen(text), OPS, MEM, crypto_pwhash_ALG_ARGON2ID13) == 0;
}

/* $argon2id$v=19$m=65536,t=2,p=1$SALT$HASH: the costs are what whoever made it chose. */
static bool is_fair(const char *hash)
{
    unsigned long mem = 0, ops = 0;
    int end = 0;

    if (sscanf(hash, "$argon2id$v=19$m=%9lu,t=%9lu,p=1$%n", &mem, &ops, &end) != 2 || end == 0)
        return false;
    return mem >= 8 && mem <= UM_PASSWORD_MEM_MAX_KB && ops >= 1 && ops <= UM_PASSWORD_OPS_MAX && strlen(hash) < crypto_pwhash_STRBYTES &&
           strspn(hash + end, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/$") == strlen(hash + end) &&
           crypto_pwhash_str_needs_rehash(hash, ops, (size_t)mem << 10) == 0;
}

const char *um_password_fault(const char *text)
{
    size_t n = strlen(text);

    if (um_password_is_hash(text))
        return is_fair(text) ? NULL : "this is no argon2id hash of a fair cost";
    return n < UM_PASSWORD_MIN || n > UM_PASSWORD_MAX ? "a password has 8 to 1024 bytes" : NULL;
}

um_err um_password_take(const char *text, char out[UM_PASSWORD_HASH_SIZE])
{
    if (um_password_fault(text) != NULL)
        return UM_EINVAL;
    if (!um_password_is_hash(text))
        return um_password_hash(text, out) ? UM_OK : UM_ENOMEM;
    memcpy(out, text, strlen(text) + 1);
    return UM_OK;
}

bool um_password_check(const char *hash, const char *text)
{
    bool is_one = hash != NULL && *hash != '\0';

    return sodium_init() >= 0 && crypto_pwhash_str_verify(is_one ? hash : nobodys, text, strlen(text)) == 0 && is_one;
}
