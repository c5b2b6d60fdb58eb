/* Errors' texts, assertions, and the allocations that may not fail. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/base.h>
#include <umbel/util.h>

const char *um_err_text(um_err err)
{
    static const char *const text[UM_ERR_N] = {
#define X(name, words) [UM_##name] = words,
        UM_ERRS(X)
#undef X
    };
    return (unsigned)err < UM_ERR_N ? text[err] : "unknown error";
}

void um_assert_failed(const char *cond, const char *file, int line, const char *func)
{
    fprintf(stderr, "umbel: assertion failed: %s (%s:%d, %s)\n", cond, file, line, func);
    abort();
}

static void *or_die(void *p)
{
    if (p == NULL) {
        fputs("umbel: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *um_xcalloc(size_t n, size_t size) { return or_die(calloc(n ? n : 1, size ? size : 1)); }
void *um_xmalloc(size_t size) { return or_die(malloc(size ? size : 1)); }
void *um_xrealloc(void *p, size_t size) { return or_die(realloc(p, size ? size : 1)); }
char *um_xstrdup(const char *s) { return or_die(strdup(s)); }
char *um_xstrndup(const char *s, size_t n) { return or_die(strndup(s, n)); }

char *um_xasprintf(const char *fmt, ...)
{
    char *out = NULL;
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&out, fmt, ap) < 0)
        out = NULL;
    va_end(ap);
    return or_die(out);
}

bool um_span_eq(struct um_span a, struct um_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

bool um_ascii_ieq(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

bool um_const_time_eq(const void *a, const void *b, size_t len)
{
    const volatile unsigned char *x = a, *y = b;
    unsigned char diff = 0;

    for (size_t i = 0; i < len; i++)
        diff |= (unsigned char)(x[i] ^ y[i]);
    return diff == 0;
}

bool um_token_list_has(const char *list, const char *token)
{
    size_t want = strlen(token);

    while (list != NULL && *list != '\0') {
        list += strspn(list, " \t,");
        size_t n = strcspn(list, ",");
        size_t trimmed = n;
        while (trimmed > 0 && (list[trimmed - 1] == ' ' || list[trimmed - 1] == '\t'))
            trimmed--;
        if (trimmed == want && strncasecmp(list, token, want) == 0)
            return true;
        list += n;
    }
    return false;
}
