/* A radix sort from the lowest digit up. A digit that is the same in all keys costs no pass, so small keys cost few. */
#include "sort.h"

#define DIGIT_MAX 11u                 /* bits */

struct digit {
    unsigned shift;
    uint32_t mask;
};

/* The bits in which keys differ; 0 as well when the keys are in order already. */
static uint32_t bits_to_sort(const uint64_t *v, uint32_t n)
{
    uint64_t bits = 0;
    bool sorted = true;

    for (uint32_t i = 1; i < n; i++) {
        sorted &= keyed_key(v[i - 1]) <= keyed_key(v[i]);
        bits |= v[i - 1] ^ v[i];
    }
    return sorted ? 0 : keyed_key(bits);
}

static uint32_t digit_of(uint64_t v, struct digit d) { return keyed_key(v) >> d.shift & d.mask; }

static void digit_sort(const uint64_t *v, uint64_t *to, uint32_t n, struct digit d)
{
    uint32_t at[1u << DIGIT_MAX] = { 0 }, sum = 0;

    for (uint32_t i = 0; i < n; i++)
        at[digit_of(v[i], d)]++;
    for (uint32_t k = 0; k <= d.mask; k++) {
        uint32_t count = at[k];

        at[k] = sum;
        sum += count;
    }
    for (uint32_t i = 0; i < n; i++)
        to[at[digit_of(v[i], d)]++] = v[i];
}

/* Of digits of one size, as few as possible: small ones are written to fewer places at a time. */
static unsigned digit_width(unsigned width)
{
    unsigned digits = (width + DIGIT_MAX - 1) / DIGIT_MAX;

    return (width + digits - 1) / digits;
}

bool keyed_sort(struct mem *m, uint64_t *v, uint32_t n)
{
    uint32_t bits = bits_to_sort(v, n);
    uint64_t *other, *from = v, *to;
    unsigned width, digit;

    if (bits == 0)
        return true;
    if ((other = mem_resize(m, NULL, 0, n * sizeof(*other))) == NULL)
        return false;
    to = other;
    width = 32 - (unsigned)__builtin_clz(bits);
    digit = digit_width(width);
    for (unsigned shift = 0; shift < width; shift += digit) {
        struct digit d = { shift, (1u << digit) - 1 };
        uint64_t *was = from;

        if ((bits >> shift & d.mask) == 0)
            continue;
        digit_sort(from, to, n, d);
        from = to;
        to = was;
    }
    if (from != v)
        memcpy(v, from, n * sizeof(*v));
    mem_free(m, other, n * sizeof(*other));
    return true;
}

/* By the lower half of the keys, then by the upper one: the first order stays where the second says nothing. */
bool numbers_sort(struct mem *m, uint32_t *v, uint32_t n, number_key *key, const void *ctx)
{
    uint64_t *halves = n < SORT_MANY ? NULL : mem_resize(m, NULL, 0, n * sizeof(*halves));
    bool done = halves != NULL;

    for (unsigned shift = 0; shift < 64 && done; shift += 32) {
        for (uint32_t i = 0; i < n; i++)
            halves[i] = keyed((uint32_t)(key(ctx, v[i]) >> shift), v[i]);
        done = keyed_sort(m, halves, n);
        for (uint32_t i = 0; i < n; i++)
            v[i] = keyed_value(halves[i]);
    }
    mem_free(m, halves, n * sizeof(*halves));
    return done;
}

bool uints_sort(struct mem *m, uint64_t *v, uint32_t n)
{
    bool done = n >= SORT_MANY;

    for (int half = 0; half < 2; half++) {        /* the lower one first; turned twice they are as before */
        for (uint32_t i = 0; i < n; i++)
            v[i] = v[i] << 32 | v[i] >> 32;
        done = done && keyed_sort(m, v, n);
    }
    return done;
}
