#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "dates.h"

enum { YEAR_MIN = 1 };

void um_date_text(int64_t wall_ms, char out[UM_DATE_MAX])
{
    int64_t ms = wall_ms % 1000;
    time_t s;
    struct tm tm;

    if (ms < 0)
        ms += 1000;
    s = (time_t)((wall_ms - ms) / 1000);
    gmtime_r(&s, &tm);
    snprintf(out, UM_DATE_MAX, "%04d-%02d-%02d %02d:%02d:%02d.%03d +0000", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
             tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
}

/* The digits of N, or -1. */
static int digits(const char **p, size_t n)
{
    int v = 0;

    for (; n > 0; n--, (*p)++) {
        if (**p < '0' || **p > '9')
            return -1;
        v = v * 10 + (**p - '0');
    }
    return v;
}

static bool literal(const char **p, char c)
{
    return *(*p)++ == c;
}

bool um_date_read(const char *text, int64_t *wall_ms)
{
    static const char layout[] = "4-2-2 2:2:2.3 ";      /* so many digits, or this character */
    int v[7], n = 0, hours, minutes;
    const char *p = text;
    struct tm tm, back;
    time_t s;
    bool west;

    for (const char *l = layout; *l != '\0'; l++) {
        if (*l < '0' || *l > '9') {
            if (!literal(&p, *l))
                return false;
        } else if ((v[n++] = digits(&p, (size_t)(*l - '0'))) < 0) {
            return false;
        }
    }
    west = *p == '-';
    if (!west && *p != '+')
        return false;
    p++;
    if ((hours = digits(&p, 2)) < 0 || (minutes = digits(&p, 2)) < 0 || *p != '\0' || hours > 18 || minutes > 59 || v[0] < YEAR_MIN)
        return false;
    tm = (struct tm){ .tm_year = v[0] - 1900, .tm_mon = v[1] - 1, .tm_mday = v[2], .tm_hour = v[3], .tm_min = v[4], .tm_sec = v[5] };
    back = tm;
    s = timegm(&back);
    if (back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour ||
        back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
        return false;                        /* 30 February */
    *wall_ms = (int64_t)s * 1000 + v[6] - (west ? -1 : 1) * (int64_t)(hours * 60 + minutes) * 60000;
    return true;
}
