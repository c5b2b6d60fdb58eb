/* See retention.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "body.h"
#include "dates.h"
#include "fact_row.h"
#include "retention.h"

enum { DAY_S = 24 * 3600 };

/* A unit is some days or some months; no retention is longer than a thousand years. */
static const struct unit { const char *word; int days, months; int64_t most; } units[] = {
    { "DAY", 1, 0, 365000 }, { "WEEK", 7, 0, 52000 }, { "MONTH", 0, 1, 12000 }, { "YEAR", 0, 12, 1000 },
};

static const struct unit *unit_of(const json_t *duration)
{
    const char *word = json_string_value(json_object_get(duration, "unit"));

    for (size_t i = 0; word != NULL && i < UM_COUNT(units); i++)
        if (strcmp(units[i].word, word) == 0)
            return &units[i];
    return NULL;
}

um_err retention_check_class(struct um_call *c, const json_t *class, const char *path)
{
    const json_t *duration = json_object_get(class, "RetentionDuration"), *value = json_object_get(duration, "value");
    const struct unit *unit = unit_of(duration);
    char at[80];

    if (duration == NULL || json_is_null(duration))
        return UM_OK;
    snprintf(at, sizeof(at), "%s/RetentionDuration/unit", path);
    if (unit == NULL)
        return um_fail_at(c, UM_U00400, at, "a retention is counted in DAY, WEEK, MONTH or YEAR");
    snprintf(at, sizeof(at), "%s/RetentionDuration/value", path);
    if (!json_is_integer(value) || json_integer_value(value) < 0 || json_integer_value(value) > unit->most)
        return um_fail_at(c, UM_U00400, at, "a whole number from 0 to %lld", (long long)unit->most);
    return UM_OK;
}

/* ---- when it ends ---- */

static int days_of_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 1 && leap ? 29 : days[month];
}

/* The same day so many months later, or the last of that month: 31 January, 28 February. */
static int64_t months_later(int64_t from_ms, int64_t months)
{
    int64_t ms = ((from_ms % 1000) + 1000) % 1000;
    time_t s = (time_t)((from_ms - ms) / 1000);
    struct tm tm;
    int64_t month;

    gmtime_r(&s, &tm);
    month = (int64_t)tm.tm_year * 12 + tm.tm_mon + months;
    tm.tm_year = (int)(month / 12);
    tm.tm_mon = (int)(month % 12);
    if (tm.tm_mon < 0) {                     /* before 1900 */
        tm.tm_mon += 12;
        tm.tm_year--;
    }
    if (tm.tm_mday > days_of_month(tm.tm_year + 1900, tm.tm_mon))
        tm.tm_mday = days_of_month(tm.tm_year + 1900, tm.tm_mon);
    return (int64_t)timegm(&tm) * 1000 + ms;
}

/* 0: a component of CLASS (NULL: it is no more) with BODY may go at any time. */
static int64_t end_of(const json_t *class, const json_t *body)
{
    const json_t *duration = json_object_get(class, "RetentionDuration");
    const struct unit *unit = unit_of(duration);
    int64_t value = json_integer_value(json_object_get(duration, "value")), from_ms;
    const char *created = um_body_data(body, "creationDate");

    if (unit == NULL || value <= 0 || value > unit->most || created == NULL || !um_date_read(created, &from_ms))
        return 0;
    return unit->days > 0 ? from_ms + value * unit->days * DAY_S * 1000 : months_later(from_ms, value * unit->months);
}

static um_err refuse(struct um_call *c, const struct component *m, int64_t end_ms, const char *what)
{
    char date[UM_DATE_MAX];

    um_date_text(end_ms, date);
    return um_fail_with(c, UM_U00411, json_pack("{s:s, s:s, s:s}", "category", um_category_word(m->category), "id", component_id(m),
                                                "retainedUntil", date),
                        "%s %s is retained until %s: %s", um_category_word(m->category), component_id(m), date, what);
}

/* ---- deleting ---- */

um_err retention_may_delete(struct um_call *c, const struct component *m, bool *forced)
{
    int64_t end_ms = end_of(component_class(c, m), m->body);

    *forced = false;
    if (end_ms <= c->now_ms)
        return UM_OK;
    *forced = um_arg_int(c, "force", 0) != 0 && um_has_role(c, "ADMIN");
    return *forced ? UM_OK : refuse(c, m, end_ms, "until then role ADMIN deletes it, with force=true");
}

um_err retention_override(struct um_call *c, struct component *m)
{
    char date[UM_DATE_MAX], fields[100];
    um_err err;

    um_date_text(end_of(component_class(c, m), m->body), date);
    snprintf(fields, sizeof(fields), "[{\"name\":\"retainedUntil\",\"value\":\"%s\"}]", date);
    err = component_remove_untold(c, m);
    return err == UM_OK ? fact_insert(c, um_category_word(m->category), component_id(m), "DELETE", true,
                                      "before the end of its retention, by force", fields, NULL) : err;
}

/* ---- leaving a class ---- */

um_err retention_may_change(struct um_call *c, const struct draft *d)
{
    int64_t end_ms;

    if (d->before == NULL)
        return UM_OK;
    end_ms = end_of(component_class(c, d->before), d->before->body);
    if (end_ms <= c->now_ms || end_of(d->class, d->before->body) >= end_ms)
        return UM_OK;
    return refuse(c, d->before, end_ms, "it cannot become one of a class that lets it go sooner");
}
