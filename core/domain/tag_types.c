#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/util.h>
#include "dates.h"
#include "tag_types.h"

enum { NUMBER_MAX = 40, USER_MAX = 200 };    /* bytes of a number, of a user's id */

typedef bool form_fn(const char *value, double *number);

static bool is_text(const char *value, double *number)
{
    (void)value, (void)number;
    return true;
}

static bool is_user(const char *value, double *number)
{
    (void)number;
    return strlen(value) <= USER_MAX;
}

/* [-+]digits, and for FRACTION > 0 perhaps a point and at most so many digits. */
static bool is_number(const char *value, size_t fraction, double *number)
{
    const char *p = value + (*value == '-' || *value == '+');
    size_t whole = strspn(p, "0123456789"), after = 0;

    p += whole;
    if (fraction > 0 && *p == '.') {
        after = strspn(p + 1, "0123456789");
        if (after == 0 || after > fraction)
            return false;
        p += 1 + after;
    }
    if (whole == 0 || *p != '\0' || p - value > NUMBER_MAX)
        return false;
    *number = strtod(value, NULL);
    return isfinite(*number);
}

static bool is_decimal(const char *value, double *number) { return is_number(value, NUMBER_MAX, number); }
static bool is_money(const char *value, double *number) { return is_number(value, 2, number); }

static bool is_whole(const char *value, double *number)
{
    errno = 0;
    return is_number(value, 0, number) && (strtoll(value, NULL, 10), errno == 0);
}

/* With its time and zone, or a day alone: its first moment in UTC. */
static bool is_moment(const char *value, double *number)
{
    char whole[UM_DATE_MAX];
    int64_t ms;

    if (strlen(value) == strlen("2024-03-07")) {
        snprintf(whole, sizeof(whole), "%s 00:00:00.000 +0000", value);
        value = whole;
    }
    if (!um_date_read(value, &ms))
        return false;
    *number = (double)ms;
    return true;
}

static bool is_truth(const char *value, double *number)
{
    *number = um_ascii_ieq(value, "true");
    return *number != 0 || um_ascii_ieq(value, "false");
}

static const char text_form[] = "a text", user_form[] = "the id of a user", decimal_form[] = "a number such as 12.5",
                  money_form[] = "a number with at most two digits behind the point", whole_form[] = "a whole number",
                  moment_form[] = "a date such as 2024-03-07 or 2024-03-07 13:59:54.854 +0100", truth_form[] = "true or false";

static const struct { const char *word, *form; form_fn *is_form; bool is_number, is_chosen; } types[UM_TAG_TYPES_N] = {
#define X(id, form, is_number, is_chosen) { #id, form##_form, is_##form, is_number, is_chosen },
    UM_TAG_TYPES(X)
#undef X
};

const char *um_tag_type_word(enum um_tag_type t) { return types[t].word; }
const char *um_tag_form(enum um_tag_type t) { return types[t].form; }
bool um_tag_is_number(enum um_tag_type t) { return types[t].is_number; }
bool um_tag_is_chosen(enum um_tag_type t) { return types[t].is_chosen; }

bool um_tag_type_of(const char *word, enum um_tag_type *out)
{
    for (size_t i = 0; i < UM_TAG_TYPES_N; i++)
        if (strcmp(types[i].word, word) == 0) {
            *out = (enum um_tag_type)i;
            return true;
        }
    return false;
}

enum um_tag_type um_tag_type(const json_t *tag_class)
{
    const char *word = json_string_value(json_object_get(tag_class, "type"));
    enum um_tag_type t;

    return word != NULL && um_tag_type_of(word, &t) ? t : UM_TAG_STRING;
}

bool um_tag_read(enum um_tag_type t, const char *value, double *number)
{
    double n = 0;
    bool is_one = *value == '\0' || types[t].is_form(value, &n);

    if (number != NULL)
        *number = n;
    return is_one;
}
