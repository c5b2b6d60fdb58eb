/* Valid updates of about 1 MB that were made to cost much: each must be applied or refused quickly and in little
 * memory. */
#include "crdt_bench.h"
#include <stdlib.h>
#include <string.h>

#define SIZE (1u << 20)

struct peak {
    size_t now, most;
};

/* Blocks carry their size in front. */
static void *peak_realloc(void *ctx, void *p, size_t size)
{
    struct peak *m = ctx;
    size_t *old = p == NULL ? NULL : (size_t *)p - 2, had = old == NULL ? 0 : *old;
    size_t *q = realloc(old, size + 2 * sizeof(size_t));

    if (q == NULL)
        return NULL;
    *q = size;
    m->now += size - had;
    m->most = UM_MAX(m->most, m->now);
    return q + 2;
}

static void peak_free(void *ctx, void *p)
{
    struct peak *m = ctx;

    if (p == NULL)
        return;
    m->now -= *((size_t *)p - 2);
    free((size_t *)p - 2);
}

/* ---- updates ------------------------------------------------------------------------------------------- */

static void section(struct um_buf *b, size_t n, uint64_t client, uint64_t clock)
{
    um_buf_put_varuint(b, n);
    um_buf_put_varuint(b, client);
    um_buf_put_varuint(b, clock);
}

/* One item of UNITS units in root "t", of client 9. */
enum shape { ASCII, WIDE, EMOJI, ANYS, NESTED, TOMBSTONE };

static void big_item(struct um_buf *b, enum shape shape, size_t units)
{
    static const struct { uint8_t info; const char *unit; size_t bytes, units; } shapes[] = {
        { 4, "x", 1, 1 }, { 4, "\xc3\xa9", 2, 1 }, { 4, "\xf0\x9f\x98\x80", 4, 2 }, { 8, "~", 1, 1 },
        { 8, "\x75\1\x75\1~", 5, 1 }, { 1, "", 0, 1 },
    };
    size_t n = units / shapes[shape].units;

    um_buf_put_u8(b, shapes[shape].info);
    um_buf_put(b, "\1\1t", 3);
    um_buf_put_varuint(b, shapes[shape].info == 4 ? n * shapes[shape].bytes : units);
    for (size_t i = 0; i < n && shapes[shape].bytes > 0; i++)
        um_buf_put(b, shapes[shape].unit, shapes[shape].bytes);
}

enum order { UP, DOWN, MIXED };

static uint32_t place(enum order order, uint32_t i, uint32_t n)
{
    return order == UP ? i : order == DOWN ? n - 1 - i : (uint32_t)((uint64_t)i * 2654435761u % n);
}

/* Every second unit is deleted. */
static void cut_by_ranges(struct um_buf *b, enum shape shape, enum order order)
{
    uint32_t units = 260000, n = units / 2 - 1;

    if (shape == EMOJI || shape == NESTED)
        units = 160000, n = units / 2 - 1;
    um_buf_put_u8(b, 1);
    section(b, 1, 9, 0);
    big_item(b, shape, units);
    um_buf_put(b, "\1\11", 2);
    um_buf_put_varuint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        um_buf_put_varuint(b, place(order, i, n) * 2 + 1);
        um_buf_put_u8(b, 1);
    }
}

/* Client 3 puts a letter into N gaps of one item of client 9. With right origins alone yjs' order of concurrent
 * inserts makes each walk from the list's beginning: quadratic by nature, so it is given up at a limit. */
static void cut_by_structs(struct um_buf *b, enum shape shape, enum order order, uint8_t flags, uint32_t n)
{

    um_buf_put_u8(b, 2);
    section(b, 1, 9, 0);
    big_item(b, shape, n + 2);
    section(b, n, 3, 0);
    for (uint32_t i = 0; i < n; i++) {
        um_buf_put_u8(b, 4 | flags);
        um_buf_put_u8(b, 9);
        um_buf_put_varuint(b, place(order, i, n) + 1);
        if (flags == 0xc0) {
            um_buf_put_u8(b, 9);
            um_buf_put_varuint(b, place(order, i, n) + 2);
        }
        um_buf_put(b, "\1x", 2);
    }
    um_buf_put_u8(b, 0);
}

/* Structs of WHAT, as many as fit. */
static void repeat(struct um_buf *b, const char *what, size_t len, const char *head, size_t head_len)
{
    size_t n = (SIZE - 64) / len;

    um_buf_put_u8(b, 1);
    section(b, n + (head_len > 0), 9, 0);
    um_buf_put(b, head, head_len);
    for (size_t i = 0; i < n; i++)
        um_buf_put(b, what, len);
    um_buf_put_u8(b, 0);
}

static void up_ascii(struct um_buf *b) { cut_by_ranges(b, ASCII, UP); }
static void down_ascii(struct um_buf *b) { cut_by_ranges(b, ASCII, DOWN); }
static void mixed_ascii(struct um_buf *b) { cut_by_ranges(b, ASCII, MIXED); }
static void mixed_wide(struct um_buf *b) { cut_by_ranges(b, WIDE, MIXED); }
static void mixed_emoji(struct um_buf *b) { cut_by_ranges(b, EMOJI, MIXED); }
static void mixed_any(struct um_buf *b) { cut_by_ranges(b, ANYS, MIXED); }
static void down_any(struct um_buf *b) { cut_by_ranges(b, ANYS, DOWN); }
static void mixed_nested(struct um_buf *b) { cut_by_ranges(b, NESTED, MIXED); }
static void mixed_tombstone(struct um_buf *b) { cut_by_ranges(b, TOMBSTONE, MIXED); }
static void rights_up(struct um_buf *b) { cut_by_structs(b, ASCII, UP, 0x40, 110000); }
static void origins_down(struct um_buf *b) { cut_by_structs(b, ASCII, DOWN, 0x80, 110000); }
static void both_wide(struct um_buf *b) { cut_by_structs(b, WIDE, MIXED, 0xc0, 80000); }
static void origins_mixed(struct um_buf *b) { cut_by_structs(b, ANYS, MIXED, 0x80, 110000); }
static void both_mixed(struct um_buf *b) { cut_by_structs(b, TOMBSTONE, MIXED, 0xc0, 90000); }
static void letters(struct um_buf *b) { repeat(b, "\4\1\1t\1x", 6, NULL, 0); }
static void chained(struct um_buf *b) { repeat(b, "\204\11\0\1x", 5, "\4\1\1t\1x", 6); }
static void marks(struct um_buf *b) { repeat(b, "\206\11\0\1b\4true", 10, "\4\1\1t\1x", 6); }
static void types(struct um_buf *b) { repeat(b, "\207\11\0\1", 4, "\7\1\1t\1", 5); }
static void keys(struct um_buf *b) { repeat(b, "\50\1\1t\1k\1~", 8, NULL, 0); }
static void runs(struct um_buf *b) { repeat(b, "\0\1", 2, NULL, 0); }
static void tombstones(struct um_buf *b) { repeat(b, "\201\11\0\1", 4, "\4\1\1t\1x", 6); }
static void empties(struct um_buf *b) { repeat(b, "\0\0", 2, NULL, 0); }
static void skips(struct um_buf *b) { repeat(b, "\12\1", 2, NULL, 0); }

/* Each struct is a letter that goes on behind the previous, but every second one is deleted. */
static void typed(struct um_buf *b)
{
    uint32_t n = 100000;

    um_buf_put_u8(b, 1);
    section(b, n, 9, 0);
    um_buf_put(b, "\4\1\1t\1x", 6);
    for (uint32_t i = 1; i < n; i++) {
        um_buf_put(b, "\204\11", 2);
        um_buf_put_varuint(b, i - 1);
        um_buf_put(b, "\1x", 2);
    }
    um_buf_put(b, "\1\11", 2);
    um_buf_put_varuint(b, n / 2);
    for (uint32_t i = 0; i < n / 2; i++) {
        um_buf_put_varuint(b, i * 2);
        um_buf_put_u8(b, 1);
    }
}

static void nested_types(struct um_buf *b)
{
    uint32_t n = 150000;

    um_buf_put_u8(b, 1);
    section(b, n, 9, 0);
    um_buf_put(b, "\7\1\1t\1", 5);
    for (uint32_t i = 1; i < n; i++) {
        um_buf_put(b, "\7\0\11", 3);
        um_buf_put_varuint(b, i - 1);
        um_buf_put_u8(b, 1);
    }
    um_buf_put_u8(b, 0);
}

static void many_sections(struct um_buf *b, uint32_t n, bool known, enum order order)
{
    um_buf_put_varuint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        section(b, 1, 1000 + place(order, i, n), known ? 0 : 7);
        um_buf_put(b, "\4\1\1t\1x", 6);
    }
    um_buf_put_u8(b, 0);
}
static void sections_known(struct um_buf *b) { many_sections(b, 80000, true, DOWN); }
static void sections_rising(struct um_buf *b) { many_sections(b, 80000, true, UP); }
static void sections_mixed(struct um_buf *b) { many_sections(b, 80000, true, MIXED); }
static void sections_waiting(struct um_buf *b) { many_sections(b, 80000, false, DOWN); }

/* Sections that wait for one another in a chain: each goes on when the next lower client has been read. */
static void sections_chained(struct um_buf *b)
{
    uint32_t n = 60000;

    um_buf_put_varuint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t me = 5000000 - i;

        section(b, 1, me, 0);
        if (i + 1 == n) {
            um_buf_put(b, "\4\1\1t\1x", 6);
        } else {
            um_buf_put_u8(b, 0x84);
            um_buf_put_varuint(b, me - 1);
            um_buf_put(b, "\0\1x", 3);
        }
    }
    um_buf_put_u8(b, 0);
}

static void ranges_of_strangers(struct um_buf *b)
{
    uint32_t n = 140000;

    um_buf_put(b, "\0", 1);
    um_buf_put_varuint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        um_buf_put_varuint(b, 1000 + i);
        um_buf_put(b, "\1\3\1", 3);
    }
}

static void deep_value(struct um_buf *b)
{
    um_buf_put_u8(b, 1);
    section(b, 1, 9, 0);
    um_buf_put(b, "\10\1\1t", 4);
    um_buf_put_varuint(b, 1000);
    for (int i = 0; i < 1000; i++) {
        for (int k = 0; k < 500; k++)
            um_buf_put(b, "\x75\1", 2);
        um_buf_put_u8(b, 0x7e);
    }
    um_buf_put_u8(b, 0);
}

static void deep_json(struct um_buf *b)
{
    um_buf_put_u8(b, 1);
    section(b, 1, 9, 0);
    um_buf_put(b, "\2\1\1t", 4);
    um_buf_put_varuint(b, 1000);
    for (int i = 0; i < 1000; i++) {
        um_buf_put_varuint(b, 1000);
        for (int k = 0; k < 500; k++)
            um_buf_put_u8(b, '[');
        for (int k = 0; k < 500; k++)
            um_buf_put_u8(b, ']');
    }
    um_buf_put_u8(b, 0);
}

static const struct hostile {
    const char *name;
    void (*write)(struct um_buf *b);
} hostiles[] = {
    { "ranges-up", up_ascii }, { "ranges-down", down_ascii }, { "ranges-mixed", mixed_ascii },
    { "ranges-mixed-wide", mixed_wide }, { "ranges-mixed-emoji", mixed_emoji }, { "ranges-mixed-any", mixed_any },
    { "ranges-down-any", down_any }, { "ranges-mixed-nested", mixed_nested },
    { "ranges-mixed-tombstone", mixed_tombstone }, { "right-origins", rights_up },
    { "origins-down", origins_down }, { "both-mixed-wide", both_wide },
    { "origins-mixed-any", origins_mixed }, { "both-mixed-tombstone", both_mixed }, { "letters", letters },
    { "chained", chained }, { "marks", marks }, { "types", types }, { "keys", keys }, { "runs", runs },
    { "tombstones", tombstones }, { "empties", empties }, { "skips", skips }, { "typed", typed },
    { "nested-types", nested_types }, { "sections", sections_known }, { "sections-rising", sections_rising },
    { "sections-mixed", sections_mixed },
    { "sections-waiting", sections_waiting }, { "sections-chained", sections_chained },
    { "ranges-of-strangers", ranges_of_strangers }, { "deep-value", deep_value }, { "deep-json", deep_json },
};

static um_err apply_measured(struct um_span update, double *ms, double *mb)
{
    struct peak m = { 0 };
    struct um_crdt_applied applied;
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    double start;
    um_err err;

    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ peak_realloc, peak_free, &m };
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT) == UM_OK);
    start = user_ms();
    err = um_crdt_apply(doc, update, &applied);
    *ms = user_ms() - start;
    *mb = (double)m.most / 1e6;
    um_crdt_free(doc);
    return err;
}

/* Bytes that are no update. Each is refused at its first lie. */
static void bench_garbage(void)
{
    double ms[RUNS], unused;
    uint64_t x = 1;
    struct um_buf b = { 0 };

    for (int k = 0; k < RUNS; k++) {
        um_buf_clear(&b);
        for (size_t i = 0; i < SIZE; i++) {
            x = x * 6364136223846793005u + 1442695040888963407u;
            um_buf_put_u8(&b, (uint8_t)(x >> 56));
        }
        UM_ASSERT(apply_measured(UM_SPAN(b.data, b.len), &ms[k], &unused) != UM_OK);
    }
    case_name = "garbage";
    print("apply", "user_cpu_per_mb", "ms", ms, RUNS);
    um_buf_free(&b);
}

void bench_hostile(void)
{
    double worst_ms[1] = { 0 }, worst_mb[1] = { 0 };

    bench_garbage();
    case_name = "hostile";
    for (size_t i = 0; i < UM_COUNT(hostiles); i++) {
        struct um_buf b = { 0 };
        double ms[RUNS], mb[RUNS];

        hostiles[i].write(&b);
        for (int k = 0; k < RUNS; k++) {
            um_err err = apply_measured(UM_SPAN(b.data, b.len), &ms[k], &mb[k]);

            UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
            ms[k] *= (double)SIZE / (double)UM_MAX(b.len, (size_t)SIZE / 2);
        }
        print(hostiles[i].name, "user_cpu_per_mb", "ms", ms, RUNS);
        worst_ms[0] = UM_MAX(worst_ms[0], ms[RUNS / 2]);
        worst_mb[0] = UM_MAX(worst_mb[0], mb[RUNS / 2]);
        um_buf_free(&b);
    }
    print("worst", "user_cpu_per_mb", "ms", worst_ms, 1);
    print("worst", "peak_memory", "MB", worst_mb, 1);
}
