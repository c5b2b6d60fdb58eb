/* The shortest decimal of a double, by Raffaello Giulietti's method (Schubfach, 2020): the double and the borders
 * of what rounds to it are scaled by a power of ten with 128 bits, rounded to odd so that comparing stays exact, and
 * the shorter of the candidates inside is taken. Time does not depend on the number: values come from peers. */
#include "number.h"
#include "number_powers.h"
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/base.h>

#define EXACT 9007199254740992.0      /* integers up to here are doubles */
#define HIDDEN ((uint64_t)1 << 52)

struct decimal {
    uint64_t digits;
    int exp;                          /* times 10^exp */
};

__extension__ typedef unsigned __int128 uint128;

static int log10_of_pow2(int e, bool uneven) { return (e * 1262611 - (uneven ? 524031 : 0)) >> 22; }
static int log2_of_pow10(int e) { return (e * 1741647) >> 19; }

/* The upper part of G * C; what is cut off shows in the lowest bit. */
static uint64_t scale(const struct power *g, uint64_t c)
{
    uint128 x = (uint128)g->low * c, y = (uint128)g->high * c + (uint64_t)(x >> 64);

    return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* V is finite and above 0. */
static struct decimal decimal_of(double v)
{
    union { double f; uint64_t u; } bits = { .f = v };
    uint64_t fraction = bits.u & (HIDDEN - 1), s, mid;
    int biased = (int)(bits.u >> 52), q = (biased == 0 ? 1 : biased) - 1075;
    uint64_t c = biased == 0 ? fraction : fraction | HIDDEN;
    bool uneven = fraction == 0 && biased > 1;        /* the neighbour below is closer */
    int k = log10_of_pow2(q, uneven), h = q + log2_of_pow10(-k) + 1;
    const struct power *g = &powers[-k - POWER_MIN];
    uint64_t low = scale(g, (4 * c - 2 + uneven) << h) + (c & 1), at = scale(g, 4 * c << h);
    uint64_t high = scale(g, (4 * c + 2) << h) - (c & 1);
    bool down, up;

    s = at / 4;
    if (s >= 10) {
        down = low <= s / 10 * 40;
        up = s / 10 * 40 + 40 <= high;
        if (down != up)
            return (struct decimal){ s / 10 + up, k + 1 };
    }
    down = low <= 4 * s;
    up = 4 * s + 4 <= high;
    if (down != up)
        return (struct decimal){ s + up, k };
    mid = 4 * s + 2;
    return (struct decimal){ s + (at > mid || (at == mid && (s & 1) != 0)), k };
}

/* Digits without zeros at the end; returns how many. *EXP: 0.DIGITS x 10^*EXP. */
static int digits_write(char digits[20], struct decimal d, int *exp)
{
    char text[20], *end = text + sizeof(text), *p = end;
    int n;

    for (; d.digits > 0; d.digits /= 10)
        *--p = (char)('0' + d.digits % 10);
    n = (int)(end - p);
    *exp = n + d.exp;
    memcpy(digits, p, (size_t)n);
    while (n > 1 && digits[n - 1] == '0')
        n--;
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
    char digits[20], *p = out;
    int n, exp;

    if (isnan(v) || isinf(v))
        return (size_t)sprintf(out, "%s", isnan(v) ? "NaN" : v > 0 ? "Infinity" : "-Infinity");
    if (fabs(v) <= EXACT && !(floor(v) < v))
        return (size_t)sprintf(out, "%lld", (long long)v);
    n = digits_write(digits, decimal_of(fabs(v)), &exp);
    if (v < 0)
        *p++ = '-';
    p = number_write(p, digits, n, exp);
    *p = '\0';
    return (size_t)(p - out);
}
