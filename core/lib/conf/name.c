/* Names are compared element by element, after lower-casing and without dashes and underscores (Spring's relaxed
 * binding). Dots are significant; an index stays in brackets; any other text in brackets is one element that keeps
 * its case, unless it could have been written as a plain one. */
#include "name.h"
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_lower_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static char to_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

static bool all_of(const char *s, size_t n, bool (*is)(char))
{
    for (size_t i = 0; i < n; i++)
        if (!is(s[i]))
            return false;
    return n > 0;
}

/* A bracketed element from its [ on; returns what follows its ]. */
static const char *put_brackets(struct um_buf *out, const char *open, const char *close)
{
    const char *text = open + 1;
    size_t n = (size_t)(close - text);

    if (!all_of(text, n, is_digit) && all_of(text, n, is_lower_alnum)) {
        if (out->len > 0)
            um_buf_put_u8(out, '.');
        um_buf_put(out, text, n);
    } else {
        um_buf_put(out, open, n + 2);
    }
    return close + 1;
}

void name_canonical(struct um_buf *out, const char *name)
{
    while (*name != '\0') {
        const char *close = *name == '[' ? strchr(name, ']') : NULL;
        if (close != NULL) {
            name = put_brackets(out, name, close);
            continue;
        }
        if (*name != '-' && *name != '_')
            um_buf_put_u8(out, (uint8_t)to_lower(*name));
        name++;
    }
}

bool name_equal(const char *a, const char *b)
{
    struct um_buf x = { 0 }, y = { 0 };

    name_canonical(&x, a);
    name_canonical(&y, b);
    bool equal = strcmp(um_buf_cstr(&x), um_buf_cstr(&y)) == 0;
    um_buf_free(&x);
    um_buf_free(&y);
    return equal;
}

bool name_is_pattern(const char *name)
{
    size_t n = strlen(name);

    return strstr(name, "[N]") != NULL || (n > 2 && strcmp(name + n - 2, ".*") == 0);
}

static const char *skip_index(const char *p)
{
    if (*p != '[' || !is_digit(p[1]))
        return NULL;
    for (p++; is_digit(*p); p++)
        ;
    return *p == ']' ? p + 1 : NULL;
}

bool name_matches(const char *pattern, const char *name)
{
    while (*pattern != '\0') {
        if (strcmp(pattern, ".*") == 0)
            return (*name == '.' && name[1] != '\0') || *name == '[';
        if (strncmp(pattern, "[N]", 3) == 0) {
            if ((name = skip_index(name)) == NULL)
                return false;
            pattern += 3;
        } else if (*pattern++ != *name++) {
            return false;
        }
    }
    return *name == '\0';
}

size_t name_list_base(const char *canonical)
{
    for (const char *p = canonical; (p = strchr(p, '[')) != NULL; p++)
        if (skip_index(p) != NULL)
            return (size_t)(p - canonical);
    return 0;
}

void name_env_form(struct um_buf *out, const char *name, int form)
{
    bool keep_dash = (form & 1) != 0, upper = form < 2;

    for (; *name != '\0'; name++) {
        if (*name == ']' || (*name == '-' && !keep_dash))
            continue;
        bool to_underscore = *name == '.' || *name == '[' || *name == '-';
        um_buf_put_u8(out, (uint8_t)(to_underscore ? '_' : upper ? to_upper(*name) : to_lower(*name)));
    }
}

size_t name_distance(const char *a, const char *b, size_t limit)
{
    uint16_t row[NAME_MAX_BYTES + 1];
    size_t n = strlen(a), m = strlen(b);

    if (n > NAME_MAX_BYTES || m > NAME_MAX_BYTES || (n > m ? n - m : m - n) > limit)
        return limit + 1;
    for (size_t j = 0; j <= m; j++)
        row[j] = (uint16_t)j;
    for (size_t i = 1; i <= n; i++) {
        uint16_t diagonal = row[0], least = row[0] = (uint16_t)i;
        for (size_t j = 1; j <= m; j++) {
            uint16_t change = (uint16_t)(diagonal + (a[i - 1] != b[j - 1]));
            diagonal = row[j];
            uint16_t shift = (uint16_t)(UM_MIN(row[j], row[j - 1]) + 1);
            row[j] = UM_MIN(change, shift);
            least = UM_MIN(least, row[j]);
        }
        if (least > limit)
            return limit + 1;
    }
    return row[m];
}
