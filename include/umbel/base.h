/* The few macros that every file needs. */
#ifndef UMBEL_BASE_H
#define UMBEL_BASE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <umbel/err.h>

#define UM_COUNT(array)        (sizeof(array) / sizeof((array)[0]))
#define UM_CONTAINER(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))
#define UM_PRINTF(fmt, args)   __attribute__((format(printf, fmt, args)))
#define UM_CHECK_RESULT        __attribute__((warn_unused_result))
#define UM_MIN(a, b)           ((a) < (b) ? (a) : (b))
#define UM_MAX(a, b)           ((a) > (b) ? (a) : (b))

/* An invariant of ours, checked in release builds too. Never on what a peer sent. */
#define UM_ASSERT(cond) \
    ((cond) ? (void)0 : um_assert_failed(#cond, __FILE__, __LINE__, __func__))
_Noreturn void um_assert_failed(const char *cond, const char *file, int line, const char *func);

/* Small fixed allocations of our own: abort with a line on stderr when memory is gone. Anything
 * whose size a peer chooses uses malloc and an error path instead. */
void *um_xcalloc(size_t n, size_t size);
void *um_xmalloc(size_t size);
void *um_xrealloc(void *p, size_t size);
char *um_xstrdup(const char *s);
char *um_xstrndup(const char *s, size_t n);
char *um_xasprintf(const char *fmt, ...) UM_PRINTF(1, 2);

/* A borrowed run of bytes (not terminated). */
struct um_span {
    const uint8_t *data;
    size_t len;
};
#define UM_SPAN(d, n)  ((struct um_span){ (const uint8_t *)(d), (n) })
#define UM_SPAN_STR(s) UM_SPAN((s), strlen(s))
bool um_span_eq(struct um_span a, struct um_span b);

#endif
