/* Strict UTF-8 validation, whole or in pieces. The state of the incremental form packs what is still expected:
 * bits 0..1 continuation bytes to come, bits 8..15 lowest and bits 16..23 highest value of the next byte. */
#include <string.h>
#include <umbel/util.h>

#define EXPECT(n, low, high) ((uint32_t)(n) | (uint32_t)(low) << 8 | (uint32_t)(high) << 16)

static uint32_t first_byte(uint8_t c)
{
    if (c < 0x80) return 0;
    if (c < 0xc2) return UM_UTF8_BAD;
    if (c < 0xe0) return EXPECT(1, 0x80, 0xbf);
    if (c == 0xe0) return EXPECT(2, 0xa0, 0xbf);
    if (c == 0xed) return EXPECT(2, 0x80, 0x9f);     /* no surrogates */
    if (c < 0xf0) return EXPECT(2, 0x80, 0xbf);
    if (c == 0xf0) return EXPECT(3, 0x90, 0xbf);
    if (c < 0xf4) return EXPECT(3, 0x80, 0xbf);
    if (c == 0xf4) return EXPECT(3, 0x80, 0x8f);
    return UM_UTF8_BAD;
}

static uint32_t next_byte(uint32_t state, uint8_t c)
{
    if (c < ((state >> 8) & 0xff) || c > ((state >> 16) & 0xff))
        return UM_UTF8_BAD;
    return (state & 3) == 1 ? 0 : EXPECT((state & 3) - 1, 0x80, 0xbf);
}

uint32_t um_utf8_feed(uint32_t state, const void *data, size_t len)
{
    const uint8_t *p = data, *end = p + len;

    while (p < end && state != UM_UTF8_BAD) {
        if (state == 0) {
            uint64_t block;
            while (end - p >= 8 && (memcpy(&block, p, 8), (block & UINT64_C(0x8080808080808080)) == 0))
                p += 8;
            if (p == end)
                break;
        }
        state = state == 0 ? first_byte(*p) : next_byte(state, *p);
        p++;
    }
    return state;
}

bool um_utf8_is_valid(const void *data, size_t len)
{
    return um_utf8_feed(0, data, len) == 0;
}
