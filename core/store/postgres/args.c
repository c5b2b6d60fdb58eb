/* Parameters in PostgreSQL's binary form: integers of 8 bytes, bytes and texts as they are, arrays of one dimension
 * (number of dimensions, nulls?, type of the elements, length, lower bound; then each element with its length before it). */
#include <endian.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include "pg_internal.h"

static int next_arg(struct pg_args *a, const char *value, size_t len)
{
    UM_ASSERT(a->n < PG_ARGS_MAX);
    if (len > INT_MAX) {
        a->failed = true;
        len = 0;
    }
    a->values[a->n] = value;
    a->lengths[a->n] = (int)len;
    return a->n++;
}

void pg_arg_int(struct pg_args *a, int64_t v)
{
    UM_ASSERT(a->n < PG_ARGS_MAX);
    a->numbers[a->n] = htobe64((uint64_t)v);
    next_arg(a, (const char *)&a->numbers[a->n], sizeof(uint64_t));
}

void pg_arg_text(struct pg_args *a, const char *s) { next_arg(a, s, strlen(s)); }
void pg_arg_null(struct pg_args *a) { next_arg(a, NULL, 0); }

void pg_arg_bytes(struct pg_args *a, struct um_span b)
{
    next_arg(a, b.data != NULL ? (const char *)b.data : "", b.len);
}

static void put_u32(struct um_buf *b, uint32_t v)
{
    v = htobe32(v);
    um_buf_put(b, &v, sizeof(v));
}

int pg_arg_array(struct pg_args *a, enum pg_element of, size_t n)
{
    struct um_buf *b = um_xcalloc(1, sizeof(*b));
    const uint32_t head[] = { n > 0, 0, of, (uint32_t)n, 1 };

    for (size_t i = 0; i < (n > 0 ? UM_COUNT(head) : 3); i++)
        put_u32(b, head[i]);
    a->arrays[a->n] = b;
    return next_arg(a, NULL, 0);
}

void pg_put_int(struct pg_args *a, int array, int64_t v)
{
    uint64_t wire = htobe64((uint64_t)v);

    pg_put_span(a, array, UM_SPAN(&wire, sizeof(wire)));
}

void pg_put_span(struct pg_args *a, int array, struct um_span s)
{
    put_u32(a->arrays[array], (uint32_t)s.len);
    um_buf_put(a->arrays[array], s.data, s.len);
}

void pg_args_free(struct pg_args *a)
{
    for (int i = 0; i < a->n; i++)
        if (a->arrays[i] != NULL) {
            um_buf_free(a->arrays[i]);
            free(a->arrays[i]);
            a->arrays[i] = NULL;
        }
}
