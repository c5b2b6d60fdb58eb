/* Expansion of placeholders. Recursion follows nesting and is bounded by PLACEHOLDER_MAX_DEPTH; the work is bounded by
 * PLACEHOLDER_MAX_SIZE, for every placeholder costs at least one byte of it. */
#include "placeholder.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>

static bool expand_text(struct expansion *x, const char *p, const char *end, unsigned level, struct um_buf *out);

static bool UM_PRINTF(2, 3) fail(struct expansion *x, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(x->reason, sizeof(x->reason), fmt, ap);
    va_end(ap);
    return false;
}

static bool spend(struct expansion *x, size_t n)
{
    if (n > PLACEHOLDER_MAX_SIZE - x->spent)
        return fail(x, "expands to more than 1MB (16MB for all values)");
    x->spent += n;
    return true;
}

static bool put(struct expansion *x, struct um_buf *out, const void *data, size_t n)
{
    if (!spend(x, n))
        return false;
    um_buf_put(out, data, n);
    return !out->failed || fail(x, "out of memory");
}

/* The brace that closes the placeholder whose inside begins at P; *COLON is the first colon at its own level. */
static const char *find_close(const char *p, const char *end, const char **colon)
{
    size_t open = 0;

    *colon = NULL;
    for (; p < end; p++) {
        if (*p == '{') {
            open++;
        } else if (*p == '}') {
            if (open == 0)
                return p;
            open--;
        } else if (*p == ':' && open == 0 && *colon == NULL) {
            *colon = p;
        }
    }
    return NULL;
}

static bool put_found(struct expansion *x, const struct placeholder_value *value, unsigned level, struct um_buf *out)
{
    unsigned depth = level + value->depth;

    if (depth > PLACEHOLDER_MAX_DEPTH)
        return fail(x, "placeholders nested deeper than %u", PLACEHOLDER_MAX_DEPTH);
    x->depth = UM_MAX(x->depth, depth);
    x->secret = x->secret || value->secret;
    return put(x, out, value->text, strlen(value->text));
}

/* FROM is its dollar sign, CLOSE its closing brace. */
static bool expand_one(struct expansion *x, const char *from, const char *colon, const char *close, unsigned level,
                       struct um_buf *out)
{
    struct placeholder_value value = { 0 };
    struct um_buf name = { 0 };
    bool ok = expand_text(x, from + 2, colon != NULL ? colon : close, level + 1, &name);

    if (!ok)
        goto out;
    switch (x->find(x->arg, um_buf_cstr(&name), level + 1, &value)) {
    case PLACEHOLDER_FOUND:
        ok = put_found(x, &value, level + 1, out);
        break;
    case PLACEHOLDER_FAILED:
        ok = fail(x, "%s", value.reason);
        break;
    case PLACEHOLDER_ABSENT:
        if (colon != NULL)
            ok = expand_text(x, colon + 1, close, level + 1, out);
        else if (x->keep_absent)
            ok = put(x, out, from, (size_t)(close + 1 - from));
        else
            ok = fail(x, "placeholder \"%.100s\" has neither a value nor a default", um_buf_cstr(&name));
        break;
    }
out:
    um_buf_free(&name);
    return ok;
}

static bool expand_text(struct expansion *x, const char *p, const char *end, unsigned level, struct um_buf *out)
{
    if (level > PLACEHOLDER_MAX_DEPTH)
        return fail(x, "placeholders nested deeper than %u", PLACEHOLDER_MAX_DEPTH);
    while (p < end) {
        const char *dollar = memmem(p, (size_t)(end - p), "${", 2), *colon, *close;
        if (dollar == NULL)
            return put(x, out, p, (size_t)(end - p));
        bool literal = dollar > p && dollar[-1] == '\\';
        if (!put(x, out, p, (size_t)(dollar - p) - literal))
            return false;
        p = dollar;
        if (literal) {
            if (!put(x, out, p, 2))
                return false;
            p += 2;
            continue;
        }
        close = find_close(p + 2, end, &colon);
        if (close == NULL)
            return x->keep_absent ? put(x, out, p, (size_t)(end - p)) : fail(x, "placeholder without closing brace");
        if (!spend(x, 1) || !expand_one(x, p, colon, close, level, out))
            return false;
        p = close + 1;
    }
    return true;
}

bool placeholder_expand(struct expansion *x, const char *text)
{
    return expand_text(x, text, text + strlen(text), 0, &x->out);
}

/* ---- random ---- */

static bool random_below(const char *range, bool is_int, struct um_buf *out)
{
    char *end;
    long long low = strtoll(range + 1, &end, 10), high;

    if (end == range + 1)
        return false;
    if (*end == ',') {
        const char *second = end + 1;
        high = strtoll(second, &end, 10);
        if (end == second)
            return false;
    } else {
        high = low;
        low = 0;
    }
    if (end[0] == '\0' || end[1] != '\0' || high <= low || (is_int && (low < INT32_MIN || high > INT32_MAX)))
        return false;
    uint64_t width = (uint64_t)high - (uint64_t)low;
    um_buf_printf(out, "%lld", (long long)((uint64_t)low + um_random_below(width)));
    return true;
}

bool placeholder_random(const char *name, struct um_buf *out)
{
    char uuid[37];
    uint8_t bytes[16];
    uint64_t r = um_random_u64();

    if (strncmp(name, "random.", 7) != 0)
        return false;
    name += 7;
    if (strcmp(name, "value") == 0) {
        um_random_bytes(bytes, sizeof(bytes));
        um_hex_encode(out, UM_SPAN(bytes, sizeof(bytes)));
    } else if (strcmp(name, "uuid") == 0) {
        um_random_uuid(uuid);
        um_buf_puts(out, uuid);
    } else if (strcmp(name, "int") == 0) {
        um_buf_printf(out, "%d", (int)(uint32_t)r);
    } else if (strcmp(name, "long") == 0) {
        um_buf_printf(out, "%lld", (long long)r);
    } else if (strncmp(name, "int", 3) == 0) {
        return random_below(name + 3, true, out);
    } else if (strncmp(name, "long", 4) == 0) {
        return random_below(name + 4, false, out);
    } else {
        return false;
    }
    return true;
}
