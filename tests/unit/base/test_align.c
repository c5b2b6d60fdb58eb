/* Alignment: what is matched is equal and rising, the shortest within the bounds, usable beyond them. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <umbel/align.h>

#define LONGEST 40

static uint32_t matched(const uint64_t *a, uint32_t n, const uint64_t *b, uint32_t m, const uint32_t *match)
{
    uint32_t count = 0, next = 0;

    for (uint32_t i = 0; i < n; i++) {
        if (match[i] == UM_ALIGN_NONE)
            continue;
        assert_true(match[i] >= next && match[i] < m && a[i] == b[match[i]]);
        next = match[i] + 1;
        count++;
    }
    return count;
}

/* The length of the longest common subsequence, the slow way. */
static uint32_t longest(const uint64_t *a, uint32_t n, const uint64_t *b, uint32_t m)
{
    static uint32_t best[LONGEST + 1][LONGEST + 1];

    for (uint32_t i = 0; i <= n; i++)
        for (uint32_t j = 0; j <= m; j++)
            best[i][j] = i == 0 || j == 0 ? 0 : a[i - 1] == b[j - 1] ? best[i - 1][j - 1] + 1
                                                                      : UM_MAX(best[i - 1][j], best[i][j - 1]);
    return best[n][m];
}

static void sequences_make(uint64_t *a, uint32_t *n, uint64_t *b, uint32_t *m, unsigned kinds)
{
    *n = (uint32_t)(rand() % LONGEST);
    *m = (uint32_t)(rand() % LONGEST);
    for (uint32_t i = 0; i < LONGEST; i++) {
        a[i] = (unsigned)rand() % kinds;
        b[i] = (unsigned)rand() % kinds;
    }
}

static void within_the_bounds_the_difference_is_the_shortest(void **state)
{
    uint64_t a[LONGEST], b[LONGEST];
    uint32_t match[LONGEST], n, m;

    (void)state;
    srand(4);
    for (int k = 0; k < 3000; k++) {
        struct um_align al = { .max_edits = 100, .steps = 100000 };

        sequences_make(a, &n, b, &m, 2 + (unsigned)k % 20);
        assert_int_equal(um_align(&al, a, n, b, m, match), UM_OK);
        assert_false(al.coarse);
        assert_int_equal(matched(a, n, b, m, match), longest(a, n, b, m));
    }
}

static void beyond_them_it_is_still_right(void **state)
{
    uint64_t a[LONGEST], b[LONGEST];
    uint32_t match[LONGEST], n, m;

    (void)state;
    srand(5);
    for (int k = 0; k < 3000; k++) {
        struct um_align al = { .max_edits = 3, .steps = (uint64_t)k % 50 };

        sequences_make(a, &n, b, &m, 2 + (unsigned)k % 60);
        assert_int_equal(um_align(&al, a, n, b, m, match), UM_OK);
        matched(a, n, b, m, match);
    }
}

static void unique_elements_are_found_beyond_the_bounds(void **state)
{
    enum { N = 100000 };
    uint64_t *a = malloc(N * sizeof(*a)), *b = malloc(N * sizeof(*b));
    uint32_t *match = malloc(N * sizeof(*match));
    struct um_align al = { .max_edits = 50, .steps = 10 * N };

    (void)state;
    for (uint64_t i = 0; i < N; i++) {
        a[i] = i % 10 == 0 ? i + 1000000 : i;
        b[i] = i % 10 == 0 ? i + 2000000 : i;
    }
    assert_int_equal(um_align(&al, a, N, b, N, match), UM_OK);
    assert_true(al.coarse);
    assert_int_equal(matched(a, N, b, N, match), N - N / 10);
    free(a);
    free(b);
    free(match);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(within_the_bounds_the_difference_is_the_shortest),
        cmocka_unit_test(beyond_them_it_is_still_right),
        cmocka_unit_test(unique_elements_are_found_beyond_the_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
