/* Handlers worker:<queue>: their jobs are fetched over REST by workers outside (POST /core/rest/jobs/lease). */
#include <stdio.h>
#include <string.h>
#include "internal.h"

enum { QUEUE_MAX = 100 };

static bool check(void *env, const char *handler, char why[256])
{
    const char *queue = handler + strlen("worker:");
    size_t n = strlen(queue);

    (void)env;
    snprintf(why, 256, "the name of a queue has 1 to %d letters, digits, dots, dashes and underscores", QUEUE_MAX);
    return n > 0 && n <= QUEUE_MAX && strspn(queue, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == n;
}

struct um_handler_kind operations_worker = { .prefix = "worker:", .check = check, .is_async = true };
