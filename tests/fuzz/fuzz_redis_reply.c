/* Replies of a hostile server. The first byte is the size of the pieces in which the rest arrives. What is read must be
 * the same however it is cut, and every tree must be whole. */
#include <stdlib.h>
#include <string.h>
#include <umbel/redis.h>
#include "resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);

/* A head that names a million elements is within the limit: 8 MB, freed by the thousand. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=16";
}

static void walk(const struct um_redis_reply *r, struct um_buf *out)
{
    int64_t n;

    UM_ASSERT(r != NULL);
    um_buf_put_u8(out, (uint8_t)r->kind);
    um_buf_put(out, &r->integer, sizeof(r->integer));
    um_buf_put(out, r->text.data, r->text.len);
    if (r->text.data != NULL)
        UM_ASSERT(r->text.data[r->text.len] == 0);
    resp_int(r->text, &n);
    resp_info(r->text, "run_id");
    resp_field(r, "config-epoch");
    resp_is_error(r, "READONLY");
    for (size_t i = 0; i < r->n; i++)
        walk(r->items[i], out);
}

static um_err read_all(const uint8_t *data, size_t size, size_t step, struct um_buf *out)
{
    struct resp_reader *r = resp_reader_new();
    struct um_redis_reply *reply;
    um_err err = UM_OK;

    for (size_t i = 0; i < size && err == UM_OK; i += step) {
        uint8_t *piece = um_xmalloc(step);    /* of its own, so that reading past it shows */
        size_t len = UM_MIN(step, size - i);
        memcpy(piece, data + i, len);
        err = resp_reader_feed(r, piece, len);
        free(piece);
        while (err == UM_OK && (err = resp_reader_next(r, &reply)) == UM_OK && reply != NULL) {
            walk(reply, out);
            resp_reply_free(reply);
        }
    }
    resp_reader_free(r);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_buf pieces = { 0 }, whole = { 0 };

    if (size < 2)
        return 0;
    um_err one = read_all(data + 1, size - 1, data[0] % 61 + 1, &pieces);
    um_err two = read_all(data + 1, size - 1, size - 1, &whole);
    UM_ASSERT((one == UM_OK) == (two == UM_OK));
    UM_ASSERT(pieces.len == whole.len && (pieces.len == 0 || memcmp(pieces.data, whole.data, pieces.len) == 0));
    um_buf_free(&pieces);
    um_buf_free(&whole);
    return 0;
}
