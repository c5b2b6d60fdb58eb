/* The named formats of strings. */
#include <string.h>
#include <umbel/util.h>
#include "schema.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* S against PATTERN: '0' a digit, 'x' a hexadecimal one, anything else itself. */
static bool looks_like(const char *s, size_t n, const char *pattern)
{
    if (n < strlen(pattern))
        return false;
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        bool hex = is_digit(s[i]) || ((s[i] | 0x20) >= 'a' && (s[i] | 0x20) <= 'f');
        if (pattern[i] == '0' ? !is_digit(s[i]) : pattern[i] == 'x' ? !hex : s[i] != pattern[i])
            return false;
    }
    return true;
}

static int two(const char *s) { return (s[0] - '0') * 10 + (s[1] - '0'); }

static int days_in(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return days[month - 1] + (month == 2 && leap);
}

static bool starts_with_date(const char *s, size_t n)
{
    int month, day;

    if (!looks_like(s, n, "0000-00-00"))
        return false;
    month = two(s + 5);
    day = two(s + 8);
    return month >= 1 && month <= 12 && day >= 1 && day <= days_in(two(s) * 100 + two(s + 2), month);
}

static bool is_date(const char *s, size_t n) { return n == 10 && starts_with_date(s, n); }

static bool is_zone(const char *s, size_t n)
{
    if (n == 1)
        return *s == 'Z' || *s == 'z';
    return n == 6 && (*s == '+' || *s == '-') && looks_like(s + 1, n - 1, "00:00") && two(s + 1) <= 23 && two(s + 4) <= 59;
}

/* RFC 3339: 2026-01-31T12:00:00.000Z */
static bool is_date_time(const char *s, size_t n)
{
    size_t at = 19;

    if (!starts_with_date(s, n) || (s[10] != 'T' && s[10] != 't') || !looks_like(s + 11, n - 11, "00:00:00") ||
        two(s + 11) > 23 || two(s + 14) > 59 || two(s + 17) > 60)
        return false;
    if (at < n && s[at] == '.') {
        at++;
        if (at == n || !is_digit(s[at]))
            return false;
        while (at < n && is_digit(s[at]))
            at++;
    }
    return is_zone(s + at, n - at);
}

static bool is_uuid(const char *s, size_t n)
{
    return n == 36 && looks_like(s, n, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx");
}

static bool has_text(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strchr(" \t\r\n", s[i]) == NULL)
            return true;
    return false;
}

/* As um_scope_is_id of the platform has it. */
static bool is_scope_id(const char *s, size_t n)
{
    if (n == 0 || n > 64 || s[0] == ' ' || s[n - 1] == ' ')
        return false;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f || s[i] == '/')
            return false;
    return true;
}

static bool is_any(const char *s, size_t n)
{
    (void)s;
    (void)n;
    return true;
}

static const struct api_format formats[] = {
    { "date",      is_date,      "must be a date: 2026-01-31" },
    { "date-time", is_date_time, "must be a moment: 2026-01-31T12:00:00Z" },
    { "uuid",      is_uuid,      "must be a UUID" },
    { "not-blank", has_text,     "must not be blank" },
    { "scope-id",  is_scope_id,  "has 1 to 64 bytes without a slash, control characters, or a blank at its ends" },
    { "password",  is_any,       "" },               /* how it is shown */
    { "uri",       has_text,     "must be an address" },
    { "int64",     is_any,       "" },
};

const struct api_format *api_format_find(const char *name)
{
    for (size_t i = 0; i < UM_COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}
