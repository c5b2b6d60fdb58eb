/* Strings that live as long as the configuration: single blocks, so that sanitizers see overruns. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conf_int.h"

struct pool_block {
    struct pool_block *next;
    max_align_t data[];
};

void *pool_alloc(struct pool *p, size_t n)
{
    struct pool_block *b = um_xcalloc(1, sizeof(*b) + n);

    b->next = p->blocks;
    p->blocks = b;
    return b->data;
}

char *pool_str(struct pool *p, const void *data, size_t len)
{
    char *s = pool_alloc(p, len + 1);

    if (len > 0)
        memcpy(s, data, len);
    return s;
}

char *pool_printf(struct pool *p, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;

    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    UM_ASSERT(n >= 0);
    char *s = pool_str(p, text, (size_t)n);
    free(text);
    return s;
}

void pool_free(struct pool *p)
{
    while (p->blocks != NULL) {
        struct pool_block *b = p->blocks;
        p->blocks = b->next;
        free(b);
    }
}
