#include "number.h"
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/base.h>

#define EXACT 9007199254740992.0      /* integers up to here are doubles */

/* V's first N digits and "e", an exponent; says whether they read back as V. */
static bool digits_try(char digits[32], int n, double v)
{
    double back;

    snprintf(digits, 32, "%.*e", n - 1, v);
    back = strtod(digits, NULL);
    return !(back < v) && !(back > v);
}

/* Below a power of two doubles lie twice as dense, so the nearest 16 digits may belong to the neighbour while the
 * next ones above still are V's. */
static bool digits_try_above(char digits[32], double v)
{
    int exp;
    double back;
    char *p;

    if (frexp(v, &exp) > 0.5)
        return false;
    for (p = strchr(digits, 'e') - 1; p > digits && (*p < '0' || *p == '9'); p--)
        *p = *p == '9' ? '0' : *p;
    if (*p == '9')
        return false;
    (*p)++;
    back = strtod(digits, NULL);
    return !(back < v) && !(back > v);
}

/* Fifteen digits are found again in any normal double; among those beyond, fewer digits may do. */
static int digits_find(char digits[32], double v)
{
    int n = v < DBL_MIN ? 1 : 15;

    while (n < 17 && !digits_try(digits, n, v) && !(n == 16 && digits_try_above(digits, v)))
        n++;
    if (n == 17)
        digits_try(digits, n, v);
    return n;
}

static char *put(char *p, const char *s, int n)
{
    memcpy(p, s, (size_t)n);
    return p + n;
}

static char *put_zeros(char *p, int n)
{
    for (; n > 0; n--)
        *p++ = '0';
    return p;
}

/* 0.DIGITS x 10^EXP in JavaScript's notation. */
static char *number_write(char *p, const char *digits, int n, int exp)
{
    if (exp > 0 && exp <= 21) {
        if (n <= exp)
            return put_zeros(put(p, digits, n), exp - n);
        p = put(p, digits, exp);
        *p++ = '.';
        return put(p, digits + exp, n - exp);
    }
    if (exp > -6 && exp <= 0)
        return put(put_zeros(put(p, "0.", 2), -exp), digits, n);
    *p++ = digits[0];
    if (n > 1) {
        *p++ = '.';
        p = put(p, digits + 1, n - 1);
    }
    return p + sprintf(p, "e%c%d", exp > 0 ? '+' : '-', abs(exp - 1));
}

size_t js_number(double v, char out[32])
{
    char digits[32], *p = out;
    int n, exp;

    if (isnan(v) || isinf(v))
        return (size_t)sprintf(out, "%s", isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
    if (fabs(v) <= EXACT && !(floor(v) < v))
        return (size_t)sprintf(out, "%lld", (long long)v);
    n = digits_find(digits, fabs(v));
    exp = atoi(strchr(digits, 'e') + 1) + 1;
    if (n > 1)
        memmove(digits + 1, digits + 2, (size_t)(n - 1));     /* whatever the decimal point is */
    while (n > 1 && digits[n - 1] == '0')
        n--;
    if (v < 0)
        *p++ = '-';
    p = number_write(p, digits, n, exp);
    *p = '\0';
    return (size_t)(p - out);
}
