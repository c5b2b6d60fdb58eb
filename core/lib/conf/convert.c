/* Conversions with Spring's rules (durations in simple and ISO-8601 form, sizes, booleans, integers, words). */
#include "convert.h"
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <umbel/util.h>

typedef __int128 wide;                       /* nanoseconds of any duration that int64 seconds could hold */

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S  1000000000

static const wide wide_max = ((wide)INT64_MAX) * NS_PER_S;

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static struct um_span trim(const char *text)
{
    size_t n = strlen(text);

    while (n > 0 && is_space(text[n - 1]))
        n--;
    while (n > 0 && is_space(*text)) {
        text++;
        n--;
    }
    return UM_SPAN(text, n);
}

static bool refuse(const char **why, const char *reason)
{
    if (why != NULL)
        *why = reason;
    return false;
}

/* Digits at *P with an optional sign. false: no digit, or beyond the range of int64 (*HUGE is set). */
static bool read_number(const char **p, wide *out, bool *huge)
{
    const char *s = *p;
    bool minus = *s == '-';
    wide v = 0;

    *huge = false;
    if (*s == '-' || *s == '+')
        s++;
    if (!is_digit(*s))
        return false;
    for (; is_digit(*s); s++) {
        v = v * 10 + (*s - '0');
        if (v > (wide)INT64_MAX + 1) {
            *huge = true;
            return false;
        }
    }
    *out = minus ? -v : v;
    *p = s;
    *huge = *out > INT64_MAX;
    return !*huge;
}

/* ---- durations ---- */

static const struct { const char *name; wide ns; } units[] = {
    { "ns", 1 }, { "us", NS_PER_US }, { "ms", NS_PER_MS }, { "s", NS_PER_S },
    { "m", (wide)60 * NS_PER_S }, { "h", (wide)3600 * NS_PER_S }, { "d", (wide)86400 * NS_PER_S },
};

static bool add_scaled(wide *sum, wide n, wide ns, const char **why)
{
    wide limit = wide_max / ns;

    if (n > limit || n < -limit)
        return refuse(why, "duration too long");
    *sum += n * ns;
    return (*sum <= wide_max && *sum >= -wide_max) || refuse(why, "duration too long");
}

static bool parse_simple_duration(const char *text, wide default_ns, wide *out, const char **why)
{
    const char *p = text;
    bool huge;
    wide n;

    if (!read_number(&p, &n, &huge))
        return refuse(why, huge ? "duration too long" : "not a duration: digits and a unit, or ISO-8601, expected");
    *out = 0;
    if (*p == '\0')
        return add_scaled(out, n, default_ns, why);
    for (size_t i = 0; i < UM_COUNT(units); i++)
        if (um_ascii_ieq(p, units[i].name))
            return add_scaled(out, n, units[i].ns, why);
    return refuse(why, "unknown duration unit: ns, us, ms, s, m, h or d expected");
}

/* The fraction of a second after `.` or `,`: up to nine digits. */
static wide read_fraction(const char **p)
{
    wide ns = 0;
    int n = 0;

    for (; n < 9 && is_digit(**p); n++)
        ns = ns * 10 + (*(*p)++ - '0');
    for (; n < 9; n++)
        ns *= 10;
    return ns;
}

/* [+-] P [nD] [T [nH] [nM] [n[.f]S]], any case; each number may have a sign; at least one, and one after T. */
static bool parse_iso_duration(const char *p, wide *out, const char **why)
{
    static const char reason[] = "not an ISO-8601 duration: PnDTnHnMn.nS expected";
    static const char fields[] = "dhms";
    static const wide scale[] = { (wide)86400 * NS_PER_S, (wide)3600 * NS_PER_S, (wide)60 * NS_PER_S, NS_PER_S };
    bool minus = *p == '-', time = false, any = false, huge;
    size_t next = 0;
    wide sum = 0;

    if (*p == '-' || *p == '+')
        p++;
    for (p++; *p != '\0'; ) {
        if (!time && to_lower(*p) == 't') {
            time = true;
            any = false;
            next = 1;
            p++;
            continue;
        }
        bool negative = *p == '-';
        wide n, fraction = 0;
        if (!read_number(&p, &n, &huge))
            return refuse(why, huge ? "duration too long" : reason);
        bool has_fraction = *p == '.' || *p == ',';
        if (has_fraction) {
            p++;
            fraction = read_fraction(&p);
        }
        const char *field = *p != '\0' ? strchr(fields + next, to_lower(*p)) : NULL;
        size_t at = field != NULL ? (size_t)(field - fields) : 0;
        if (field == NULL || (at > 0) != time || (has_fraction && at != 3))
            return refuse(why, reason);
        if (!add_scaled(&sum, n, scale[at], why))
            return false;
        sum += negative ? -fraction : fraction;
        next = at + 1;
        any = true;
        p++;
    }
    *out = minus ? -sum : sum;
    return any || refuse(why, reason);
}

static bool parse_duration(const char *text, wide unit_ns, int64_t *out, const char **why)
{
    const char *p = *text == '+' || *text == '-' ? text + 1 : text;
    wide ns;

    if (to_lower(*p) == 'p' ? !parse_iso_duration(text, &ns, why) : !parse_simple_duration(text, unit_ns, &ns, why))
        return false;
    wide whole = ns / unit_ns;
    if (ns % unit_ns != 0)
        whole += ns > 0 ? 1 : -1;
    if (whole > INT64_MAX || whole < INT64_MIN)
        return refuse(why, "duration too long");
    *out = (int64_t)whole;
    return true;
}

/* ---- sizes, integers, booleans ---- */

static bool parse_size(const char *text, int64_t *out, const char **why)
{
    static const char *const names[] = { "B", "KB", "MB", "GB", "TB" };
    const char *p = text;
    bool huge;
    wide n;

    if (!read_number(&p, &n, &huge))
        return refuse(why, huge ? "size too large" : "not a size: digits and B, KB, MB, GB or TB expected");
    for (size_t i = 0; i < UM_COUNT(names); i++) {
        if (strcmp(p, *p == '\0' ? "" : names[i]) != 0)
            continue;
        wide bytes = n * ((wide)1 << (10 * i));
        if (bytes > INT64_MAX || bytes < INT64_MIN)
            return refuse(why, "size too large");
        *out = (int64_t)bytes;
        return true;
    }
    return refuse(why, "unknown size unit: B, KB, MB, GB or TB expected");
}

static bool parse_hex(const char *p, const char *end, bool minus, int64_t *out, const char **why)
{
    wide v = 0;

    if (p == end)
        return refuse(why, "not an integer");
    for (; p < end; p++) {
        char c = to_lower(*p);
        if (!is_digit(c) && !(c >= 'a' && c <= 'f'))
            return refuse(why, "not an integer");
        v = v * 16 + (is_digit(c) ? c - '0' : c - 'a' + 10);
        if (v > (wide)INT64_MAX + 1)
            return refuse(why, "integer too large");
    }
    v = minus ? -v : v;
    if (v > INT64_MAX)
        return refuse(why, "integer too large");
    *out = (int64_t)v;
    return true;
}

static bool parse_int(const char *text, int64_t *out, const char **why)
{
    struct um_span t = trim(text);
    const char *p = (const char *)t.data, *end = p + t.len, *s = p;
    bool minus = t.len > 0 && *p == '-', huge;
    wide v;

    if (t.len > 0 && (*s == '-' || *s == '+'))
        s++;
    if (s < end && *s == '#')
        return parse_hex(s + 1, end, minus, out, why);
    if (end - s > 2 && s[0] == '0' && to_lower(s[1]) == 'x')
        return parse_hex(s + 2, end, minus, out, why);
    if (t.len == 0 || !read_number(&p, &v, &huge))
        return refuse(why, t.len > 0 && huge ? "integer too large" : "not an integer");
    if (p != end)
        return refuse(why, "not an integer");
    *out = (int64_t)v;
    return true;
}

static bool parse_bool(const char *text, int64_t *out, const char **why)
{
    static const char *const words[] = { "true", "on", "yes", "1", "false", "off", "no", "0" };
    struct um_span t = trim(text);
    char word[8] = "";

    if (t.len < sizeof(word))
        memcpy(word, t.data, t.len);
    for (size_t i = 0; i < UM_COUNT(words); i++)
        if (um_ascii_ieq(word, words[i])) {
            *out = i < UM_COUNT(words) / 2;
            return true;
        }
    return refuse(why, "not a boolean: true, on, yes, 1 or false, off, no, 0 expected");
}

bool um_conf_parse(const char *text, enum um_conf_type type, int64_t *out, const char **why)
{
    if (*text == '\0')
        return refuse(why, "empty");
    switch (type) {
    case UM_CONF_BOOL:        return parse_bool(text, out, why);
    case UM_CONF_INT:         return parse_int(text, out, why);
    case UM_CONF_DURATION_MS: return parse_duration(text, NS_PER_MS, out, why);
    case UM_CONF_DURATION_S:  return parse_duration(text, NS_PER_S, out, why);
    case UM_CONF_SIZE:        return parse_size(text, out, why);
    default:                  return refuse(why, "not a number");
    }
}

/* ---- words and lists ---- */

static const char *skip_to_alnum(const char *p)
{
    while (*p != '\0' && !is_digit(*p) && !(to_lower(*p) >= 'a' && to_lower(*p) <= 'z') && (*p & 0x80) == 0)
        p++;
    return p;
}

static bool word_equal(const char *a, const char *b)
{
    for (;;) {
        a = skip_to_alnum(a);
        b = skip_to_alnum(b);
        if (to_lower(*a) != to_lower(*b))
            return false;
        if (*a == '\0')
            return true;
        a++;
        b++;
    }
}

int convert_word(const char *text, const char *const *words)
{
    if (*skip_to_alnum(text) == '\0')
        return -1;
    for (int i = 0; words[i] != NULL; i++)
        if (word_equal(text, words[i]))
            return i;
    return -1;
}

void convert_elements(const char *text, void (*put)(void *arg, const char *element, size_t len), void *arg)
{
    if (trim(text).len == 0)
        return;
    for (;;) {
        const char *comma = strchrnul(text, ',');
        const char *from = text, *to = comma;
        while (from < to && is_space(*from))
            from++;
        while (to > from && is_space(to[-1]))
            to--;
        put(arg, from, (size_t)(to - from));
        if (*comma == '\0')
            return;
        text = comma + 1;
    }
}

/* ---- for people ---- */

const char *convert_type_text(enum um_conf_type type)
{
    static const char *const names[] = {
        [UM_CONF_STR] = "text", [UM_CONF_BOOL] = "boolean", [UM_CONF_INT] = "integer",
        [UM_CONF_DURATION_MS] = "duration (ms)", [UM_CONF_DURATION_S] = "duration (s)", [UM_CONF_SIZE] = "size",
        [UM_CONF_ENUM] = "one of", [UM_CONF_LIST] = "list",
    };
    return names[type];
}

static void show_scaled(struct um_buf *out, int64_t value, const int64_t *scale, const char *const *names, size_t n)
{
    size_t at = 0;

    while (value != 0 && at + 1 < n && value % scale[at + 1] == 0)
        at++;
    um_buf_printf(out, "%" PRId64 "%s", value / scale[at], names[at]);
}

void convert_show(struct um_buf *out, enum um_conf_type type, int64_t value)
{
    static const int64_t ms[] = { 1, 1000, 60000, 3600000, 86400000 };
    static const int64_t bytes[] = { 1, 1 << 10, 1 << 20, 1 << 30, (int64_t)1 << 40 };
    static const char *const ms_names[] = { "ms", "s", "m", "h", "d" };
    static const char *const byte_names[] = { "B", "KB", "MB", "GB", "TB" };

    if (type == UM_CONF_DURATION_MS)
        show_scaled(out, value, ms, ms_names, UM_COUNT(ms));
    else if (type == UM_CONF_DURATION_S && value <= INT64_MAX / 1000 && value >= INT64_MIN / 1000)
        show_scaled(out, value * 1000, ms, ms_names, UM_COUNT(ms));
    else if (type == UM_CONF_SIZE)
        show_scaled(out, value, bytes, byte_names, UM_COUNT(bytes));
    else
        um_buf_printf(out, "%" PRId64, value);
}
