/* Differences of sequences. Common ends first; then Myers' greedy algorithm, which keeps the furthest reach of each
 * diagonal for every number of edits, within bounds; beyond them the elements that are unique on both sides are
 * anchors (a longest rising run of them), and each stretch between two anchors is tried again by itself.
 *
 * Reach of D edits on diagonal k (x - y), k = -D, -D+2, .., D: reach[D * (D + 1) / 2 + (k + D) / 2]; -1: none. */
#include <umbel/align.h>
#include <stdlib.h>
#include <string.h>

struct pair_of {                      /* two sequences, or stretches of them */
    const uint64_t *a, *b;
    uint32_t n, m;
    uint32_t from_a, from_b;          /* where the stretch begins */
};

static void match_run(const struct pair_of *p, uint32_t *match, uint32_t x, uint32_t y, uint32_t len)
{
    for (uint32_t i = 0; i < len; i++)
        match[p->from_a + x + i] = p->from_b + y + i;
}

/* Matches what is common at both ends; P is what lies between. */
static struct pair_of ends_take(struct pair_of p, uint32_t *match)
{
    uint32_t head = 0, tail = 0, most = UM_MIN(p.n, p.m);

    while (head < most && p.a[head] == p.b[head])
        head++;
    match_run(&p, match, 0, 0, head);
    while (tail < most - head && p.a[p.n - 1 - tail] == p.b[p.m - 1 - tail])
        tail++;
    match_run(&p, match, p.n - tail, p.m - tail, tail);
    return (struct pair_of){ p.a + head, p.b + head, p.n - head - tail, p.m - head - tail, p.from_a + head, p.from_b + head };
}

/* ---- within the bounds --------------------------------------------------------------------------------- */

struct reach {
    int32_t *v;
    size_t cap;
};

static int32_t *reach_at(const struct reach *r, uint32_t d, int64_t k)
{
    return &r->v[(size_t)d * (d + 1) / 2 + (size_t)((k + d) / 2)];
}

static bool reach_room(struct reach *r, uint32_t d)
{
    size_t need = (size_t)(d + 1) * (d + 2) / 2, cap = r->cap == 0 ? 64 : r->cap;
    int32_t *v;

    if (need <= r->cap)
        return true;
    while (cap < need)
        cap *= 2;
    if ((v = realloc(r->v, cap * sizeof(*v))) == NULL)
        return false;
    r->v = v;
    r->cap = cap;
    return true;
}

/* Where D edits begin to run on diagonal K, and whether the last one took an element of B. -1: nowhere. */
static int32_t reach_begin(const struct reach *r, const struct pair_of *p, uint32_t d, int64_t k, bool *from_b)
{
    int32_t down = -1, right = -1;

    if (k < d && (down = *reach_at(r, d - 1, k + 1)) >= 0 && down - k > p->m)
        down = -1;
    if (k > -(int64_t)d && (right = *reach_at(r, d - 1, k - 1)) >= 0 && (uint32_t)++right > p->n)
        right = -1;
    *from_b = down > right;
    return UM_MAX(down, right);
}

static void reach_walk_back(const struct reach *r, const struct pair_of *p, uint32_t d, uint32_t *match)
{
    int64_t k = (int64_t)p->n - p->m;
    int32_t x = (int32_t)p->n;

    for (; d > 0; d--) {
        bool from_b;
        int32_t begin = reach_begin(r, p, d, k, &from_b);

        match_run(p, match, (uint32_t)begin, (uint32_t)(begin - k), (uint32_t)(x - begin));
        x = from_b ? begin : begin - 1;
        k += from_b ? 1 : -1;
    }
    match_run(p, match, 0, 0, (uint32_t)x);
}

/* *DONE: within the bounds. */
static um_err shortest(struct um_align *al, const struct pair_of *p, uint32_t *match, bool *done)
{
    struct reach r = { 0 };
    int64_t end = (int64_t)p->n - p->m;
    uint32_t most = (uint32_t)UM_MIN((uint64_t)p->n + p->m, al->max_edits);
    um_err err = UM_OK;

    *done = false;
    for (uint32_t d = 0; d <= most && !*done && al->steps > 0; d++) {
        if (!reach_room(&r, d)) {
            err = UM_ENOMEM;
            break;
        }
        for (int64_t k = -(int64_t)d; k <= d && !*done; k += 2) {
            bool from_b;
            int32_t x = d == 0 ? 0 : reach_begin(&r, p, d, k, &from_b), begin = x;

            while (x >= 0 && (uint32_t)x < p->n && x - k < p->m && p->a[x] == p->b[x - k])
                x++;
            *reach_at(&r, d, k) = x;
            al->steps -= UM_MIN(al->steps, (uint64_t)(x - begin) + 1);
            if (k == end && x == (int64_t)p->n) {
                reach_walk_back(&r, p, d, match);
                *done = true;
            }
        }
    }
    free(r.v);
    return err;
}

/* ---- beyond them --------------------------------------------------------------------------------------- */

struct occurrence {
    uint64_t value;
    uint32_t at;
    bool in_b;
};
struct anchor {
    uint32_t a, b, before;            /* before: the anchor in front of it in the best run, UM_ALIGN_NONE */
};

static int occurrence_order(const void *x, const void *y)
{
    const struct occurrence *a = x, *b = y;

    return (a->value > b->value) - (a->value < b->value);
}

static int anchor_order(const void *x, const void *y)
{
    const struct anchor *a = x, *b = y;

    return (a->a > b->a) - (a->a < b->a);
}

/* Values that occur once in each, in the order of A. ALL has N + M elements, ANCHORS at least the half. */
static uint32_t unique_find(const struct pair_of *p, struct occurrence *all, struct anchor *anchors)
{
    uint32_t total = p->n + p->m, found = 0;

    for (uint32_t i = 0; i < total; i++)
        all[i] = i < p->n ? (struct occurrence){ p->a[i], i, false } : (struct occurrence){ p->b[i - p->n], i - p->n, true };
    qsort(all, total, sizeof(*all), occurrence_order);
    for (uint32_t i = 0, end; i < total; i = end) {
        for (end = i + 1; end < total && all[end].value == all[i].value;)
            end++;
        if (end == i + 2 && all[i].in_b != all[i + 1].in_b)
            anchors[found++] = (struct anchor){ all[i + all[i].in_b].at, all[i + !all[i].in_b].at, UM_ALIGN_NONE };
    }
    qsort(anchors, found, sizeof(*anchors), anchor_order);
    return found;
}

/* Matches a longest run of anchors that rises in B as well. TOPS has room for FOUND numbers. */
static void rising_match(const struct pair_of *p, struct anchor *anchors, uint32_t found, uint32_t *tops, uint32_t *match)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < found; i++) {
        uint32_t lo = 0, hi = n;

        while (lo < hi) {
            uint32_t mid = (lo + hi) / 2;

            if (anchors[tops[mid]].b < anchors[i].b)
                lo = mid + 1;
            else
                hi = mid;
        }
        anchors[i].before = lo > 0 ? tops[lo - 1] : UM_ALIGN_NONE;
        tops[lo] = i;
        n = UM_MAX(n, lo + 1);
    }
    for (uint32_t i = n > 0 ? tops[n - 1] : UM_ALIGN_NONE; i != UM_ALIGN_NONE; i = anchors[i].before)
        match_run(p, match, anchors[i].a, anchors[i].b, 1);
}

static um_err anchors_match(const struct pair_of *p, uint32_t *match)
{
    size_t half = UM_MIN(p->n, p->m);
    struct occurrence *all = malloc(((size_t)p->n + p->m) * sizeof(*all));
    struct anchor *anchors = malloc(half * sizeof(*anchors));
    uint32_t *tops = malloc(half * sizeof(*tops));
    um_err err = UM_ENOMEM;

    if (all != NULL && anchors != NULL && tops != NULL) {
        rising_match(p, anchors, unique_find(p, all, anchors), tops, match);
        err = UM_OK;
    }
    free(all);
    free(anchors);
    free(tops);
    return err;
}

/* Each stretch between two matches: its ends, and the shortest difference where that is cheap. */
static um_err stretches_match(struct um_align *al, const struct pair_of *p, uint32_t *match)
{
    um_err err = UM_OK;
    bool done;

    for (uint32_t i = 0, j = 0, end; i < p->n && err == UM_OK; i = end + 1) {
        struct pair_of s;

        for (end = i; end < p->n && match[p->from_a + end] == UM_ALIGN_NONE;)
            end++;
        s = (struct pair_of){ p->a + i, p->b + j, end - i, (end < p->n ? match[p->from_a + end] - p->from_b : p->m) - j,
                              p->from_a + i, p->from_b + j };
        j += s.m + 1;
        s = ends_take(s, match);
        if (s.n > 0 && s.m > 0)
            err = shortest(al, &s, match, &done);
    }
    return err;
}

um_err um_align(struct um_align *al, const uint64_t *a, uint32_t n, const uint64_t *b, uint32_t m, uint32_t *match)
{
    struct pair_of p;
    bool done;
    um_err err;

    if (n > 0)
        memset(match, 0xff, n * sizeof(*match));
    p = ends_take((struct pair_of){ a, b, n, m, 0, 0 }, match);
    if (p.n == 0 || p.m == 0)
        return UM_OK;
    if (p.n > INT32_MAX - 1 || p.m > INT32_MAX - 1)
        return UM_ELIMIT;
    if ((err = shortest(al, &p, match, &done)) != UM_OK || done)
        return err;
    al->coarse = true;
    if ((err = anchors_match(&p, match)) != UM_OK)
        return err;
    return stretches_match(al, &p, match);
}
