/* What a key may be: a path that no place can take for another one, and that leads nowhere else. */
#include "key.h"
#include <string.h>
#include <umbel/util.h>

static bool has_control(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
            return true;
    return false;
}

static bool is_segment(const char *s, size_t n)
{
    bool is_dots = (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.');

    return n >= 1 && n <= ARCHIVE_SEGMENT_MAX && !is_dots;
}

static bool is_text(const char *s, size_t min)
{
    size_t n = strnlen(s, ARCHIVE_KEY_MAX + 1);

    return n >= min && n <= ARCHIVE_KEY_MAX && um_utf8_is_valid(s, n) && !has_control(s, n);
}

bool archive_key_is_valid(const char *key)
{
    int segments = 0;

    if (key == NULL || !is_text(key, 1))
        return false;
    for (const char *p = key;; p++) {
        size_t n = strcspn(p, "/");

        if (!is_segment(p, n) || ++segments > ARCHIVE_SEGMENTS_MAX)
            return false;
        p += n;
        if (*p == '\0')
            return true;
    }
}

bool archive_key_is_own(const char *key)
{
    size_t n = strlen(ARCHIVE_OWN);

    return strncmp(key, ARCHIVE_OWN, n) == 0 && (key[n] == '/' || key[n] == '\0');
}

bool archive_prefix_is_valid(const char *prefix)
{
    return prefix == NULL || is_text(prefix, 0);
}
