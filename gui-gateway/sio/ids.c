#include "ids.h"

#include <string.h>
#include <umbel/map.h>
#include <umbel/util.h>

enum { RANDOM = 12, WHOLE = 15 };

static void encode(char out[SIO_ID_LEN + 1], const uint8_t raw[WHOLE])
{
    struct um_buf b = { 0 };

    um_base64url_encode(&b, UM_SPAN(raw, WHOLE));
    UM_ASSERT(!b.failed && b.len == SIO_ID_LEN);
    memcpy(out, b.data, SIO_ID_LEN);
    out[SIO_ID_LEN] = '\0';
    um_buf_free(&b);
}

void sio_id_make(char out[SIO_ID_LEN + 1], struct sio_owner owner)
{
    uint8_t raw[WHOLE];

    um_random_bytes(raw, RANDOM);
    raw[12] = (uint8_t)(owner.member >> 8);
    raw[13] = (uint8_t)owner.member;
    raw[14] = owner.reactor;
    encode(out, raw);
}

void sio_id_random(char out[SIO_ID_LEN + 1])
{
    uint8_t raw[WHOLE];

    um_random_bytes(raw, WHOLE);
    encode(out, raw);
}

bool sio_id_owner(const char *id, struct sio_owner *out)
{
    struct um_buf b = { 0 };
    bool ok = strlen(id) == SIO_ID_LEN && um_base64url_decode(&b, UM_SPAN(id, SIO_ID_LEN)) && b.len == WHOLE;

    if (ok)
        *out = (struct sio_owner){ (uint16_t)(b.data[12] << 8 | b.data[13]), b.data[14] };
    um_buf_free(&b);
    return ok;
}

uint16_t sio_id_member(const char *name)
{
    return (uint16_t)um_hash_stable(UM_SPAN_STR(name));
}
