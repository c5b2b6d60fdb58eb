#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <umbel/yaml.h>
#include "yaml_scalar.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_word(const char *s, size_t len, const char *const *words)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == len && memcmp(*words, s, len) == 0)
            return true;
    return false;
}

static size_t digits(const char *s, size_t len, size_t at)
{
    size_t n = 0;

    while (at + n < len && is_digit(s[at + n]))
        n++;
    return n;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)? : JSON's numbers, so that an article number 007 stays a text. */
static enum scalar_kind number_kind(const char *s, size_t len)
{
    enum scalar_kind kind = SCALAR_INTEGER;
    size_t at = len > 0 && s[0] == '-', n = digits(s, len, at);

    if (n == 0 || (n > 1 && s[at] == '0'))
        return SCALAR_TEXT;
    at += n;
    if (at < len && s[at] == '.') {
        n = digits(s, len, at + 1);
        if (n == 0)
            return SCALAR_TEXT;
        at += n + 1;
        kind = SCALAR_REAL;
    }
    if (at < len && (s[at] == 'e' || s[at] == 'E')) {
        at += 1 + (at + 1 < len && (s[at + 1] == '-' || s[at + 1] == '+'));
        n = digits(s, len, at);
        if (n == 0)
            return SCALAR_TEXT;
        at += n;
        kind = SCALAR_REAL;
    }
    return at == len ? kind : SCALAR_TEXT;
}

enum scalar_kind yaml_scalar_kind(const char *s, size_t len)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
    static const char *const bools[] = { "true", "True", "TRUE", "false", "False", "FALSE", NULL };
    static const char *const not_finite[] = { ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF",
                                              ".nan", ".NaN", ".NAN", NULL };

    if (is_word(s, len, nulls))
        return SCALAR_NULL;
    if (is_word(s, len, bools))
        return SCALAR_BOOL;
    return is_word(s, len, not_finite) ? SCALAR_NOT_FINITE : number_kind(s, len);
}

json_t *yaml_scalar_number(const char *s, size_t len, enum scalar_kind kind)
{
    char copy[YAML_NUMBER_BYTES + 1], *end;
    long long whole;
    double real;

    if (len > YAML_NUMBER_BYTES)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    errno = 0;
    if (kind == SCALAR_INTEGER) {
        whole = strtoll(copy, &end, 10);
        return errno != 0 || *end != '\0' ? NULL : json_integer(whole);
    }
    real = strtod(copy, &end);
    return *end != '\0' || !isfinite(real) ? NULL : json_real(real);
}

bool yaml_scalar_is_ambiguous(const char *s, size_t len)
{
    static const char *const words[] = { "null", "true", "false", "yes", "no", "on", "off", "y", "n", "~", "=", "<<", "...", NULL };
    size_t i;

    if (yaml_scalar_kind(s, len) != SCALAR_TEXT)
        return true;
    for (i = 0; words[i] != NULL; i++)
        if (strlen(words[i]) == len && strncasecmp(words[i], s, len) == 0)
            return true;
    /* Numbers of every base, dates, times: 007, 0x1F, 1_000, 1:30, 2024-03-07, .5, +1. */
    if (!is_digit(s[0]) && strchr("+-.", s[0]) == NULL)
        return false;
    for (i = 1; i < len; i++)
        if (strchr("0123456789abcdefABCDEFoOxXtTzZinINF_:.+- ", s[i]) == NULL)
            return false;
    return true;
}
