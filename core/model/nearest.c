/* The name that was probably meant: the one with the fewest changed letters, if they are few. Case does not count. */
#include <ctype.h>
#include <string.h>
#include "shape.h"

enum { NAME_MAX_LEN = 40 };

static size_t least(size_t a, size_t b, size_t c) { return UM_MIN(UM_MIN(a, b), c); }

static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
    size_t row[NAME_MAX_LEN + 1], i, j;

    for (j = 0; j <= m; j++)
        row[j] = j;
    for (i = 1; i <= n; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (j = 1; j <= m; j++) {
            bool same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            size_t above = row[j];

            row[j] = least(row[j] + 1, row[j - 1] + 1, diagonal + !same);
            diagonal = above;
        }
    }
    return row[m];
}

const char *model_nearest(const char *word, size_t len, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t least_so_far = SIZE_MAX, i;

    for (i = 0; i < n && len <= NAME_MAX_LEN; i++) {
        size_t m = strlen(names[i]), d;

        if (m > NAME_MAX_LEN)
            continue;
        d = distance(word, len, names[i], m);
        if (d < least_so_far && d <= UM_MAX(len, m) / 3 + (UM_MAX(len, m) > 3)) {
            least_so_far = d;
            best = names[i];
        }
    }
    return best;
}
