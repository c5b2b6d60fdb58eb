/* Randomness from the kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <umbel/util.h>

void um_random_bytes(void *out, size_t len)
{
    uint8_t *p = out;

    while (len > 0) {
        ssize_t n = getrandom(p, len, 0);
        if (n < 0 && errno != EINTR) {
            perror("umbel: getrandom");
            abort();
        }
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
}

uint64_t um_random_u64(void)
{
    uint64_t v;

    um_random_bytes(&v, sizeof(v));
    return v;
}

uint64_t um_random_below(uint64_t n)
{
    uint64_t v, limit = n ? UINT64_MAX - UINT64_MAX % n : 0;

    if (n == 0)
        return 0;
    do
        v = um_random_u64();
    while (v >= limit);
    return v % n;
}

void um_random_id(char *out, size_t n_chars)
{
    static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz0123456789";

    for (size_t i = 0; i < n_chars; i++)
        out[i] = alphabet[um_random_below(36)];
    out[n_chars] = '\0';
}

void um_random_uuid(char out[37])
{
    uint8_t b[16];

    um_random_bytes(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);        /* version 4 */
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);        /* RFC 4122 variant */
    snprintf(out, 37, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
             b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}
