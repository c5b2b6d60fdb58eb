/* Inputs made here: documents with many past clients, merges of many clients, many inserts at one place. */
#include "crdt_bench.h"
#include <stdlib.h>

#define RELAYED 30000u
#define LETTERS 10000u
#define INFO_ORIGIN 0x80
#define INFO_RIGHT  0x40
#define STRING 4

/* ---- writing updates ----------------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static uint64_t client_id(uint32_t k) { return 1000u + (uint64_t)k * 2654435761u % 4000000000u; }

struct id {
    uint32_t client, clock;           /* client UINT32_MAX: none */
};
static const struct id none = { UINT32_MAX, 0 };

static void put_id(struct um_buf *b, struct id id)
{
    um_buf_put_varuint(b, client_id(id.client));
    um_buf_put_varuint(b, id.clock);
}

/* An update of one insert of one letter into the text "t". */
static void insert_write(struct um_buf *b, struct id id, struct id left, struct id right)
{
    um_buf_put(b, "\1\1", 2);
    put_id(b, id);
    um_buf_put_u8(b, (uint8_t)(STRING | (left.client != UINT32_MAX ? INFO_ORIGIN : 0) |
                               (right.client != UINT32_MAX ? INFO_RIGHT : 0)));
    if (left.client != UINT32_MAX)
        put_id(b, left);
    if (right.client != UINT32_MAX)
        put_id(b, right);
    if (left.client == UINT32_MAX && right.client == UINT32_MAX)
        um_buf_put(b, "\1\1t", 3);
    um_buf_put(b, "\1x", 2);
    um_buf_put_u8(b, 0);
}

static void delete_write(struct um_buf *b, struct id id)
{
    um_buf_put(b, "\0\1", 2);
    um_buf_put_varuint(b, client_id(id.client));
    um_buf_put_u8(b, 1);
    um_buf_put_varuint(b, id.clock);
    um_buf_put_u8(b, 1);
}

struct list {                         /* updates in one buffer */
    struct um_buf bytes;
    size_t *at;                       /* n + 1 offsets */
    size_t n, cap;
};

static struct um_buf *list_add(struct list *l)
{
    if (l->n + 2 > l->cap) {
        l->cap = l->cap * 2 + 64;
        l->at = um_xrealloc(l->at, l->cap * sizeof(*l->at));
    }
    l->at[l->n++] = l->bytes.len;
    return &l->bytes;
}

static struct um_span list_get(const struct list *l, size_t i)
{
    size_t end = i + 1 < l->n ? l->at[i + 1] : l->bytes.len;

    return UM_SPAN(l->bytes.data + l->at[i], end - l->at[i]);
}

static void list_free(struct list *l)
{
    um_buf_free(&l->bytes);
    free(l->at);
}

static void list_apply(struct um_crdt *doc, const struct list *l)
{
    struct um_crdt_applied applied;

    for (size_t i = 0; i < l->n; i++)
        UM_ASSERT(um_crdt_apply(doc, list_get(l, i), &applied) == UM_OK);
}

static struct um_crdt *doc_new(void)
{
    struct um_crdt *doc;

    UM_ASSERT(um_crdt_new(NULL, &doc) == UM_OK);
    return doc;
}

/* ---- cases --------------------------------------------------------------------------------------------- */

/* A text of LETTERS by N clients in turns, one each. */
static struct id letter(uint32_t i, uint32_t n) { return (struct id){ i % n, i / n }; }

static void past_write(struct list *l, uint32_t letters, uint32_t n)
{
    for (uint32_t i = 0; i < letters; i++)
        insert_write(list_add(l), letter(i, n), i == 0 ? none : letter(i - 1, n), none);
}

/* Two clients who write words somewhere in that text, and take letters back. */
static void present_write(struct list *l, uint32_t n)
{
    uint32_t clock[2] = { 0 }, at[2] = { 0 }, seed = 1;

    for (uint32_t i = 0; i < RELAYED; i++) {
        uint32_t who = i / 8 % 2, word = i % 8;
        struct id me = { n + who, clock[who] };

        if (word == 0)
            at[who] = next_random(&seed) % (LETTERS - 1);
        if (word == 4) {
            delete_write(list_add(l), (struct id){ n + who, clock[who] - 1 });
            continue;
        }
        insert_write(list_add(l), me, word == 0 ? letter(at[who], n) : (struct id){ n + who, clock[who] - 1 },
                     letter(at[who] + 1, n));
        clock[who]++;
    }
}

static void bench_past(uint32_t n, const char *what)
{
    struct list past = { 0 }, present = { 0 };
    double us[RUNS];

    past_write(&past, LETTERS, n);
    present_write(&present, n);
    for (int i = 0; i < RUNS; i++) {
        struct um_crdt *doc = doc_new();
        double start;

        list_apply(doc, &past);
        start = user_ms();
        list_apply(doc, &present);
        us[i] = (user_ms() - start) * 1000.0 / (double)present.n;
        um_crdt_free(doc);
    }
    print(what, "user_cpu_per_update", "us", us, RUNS);
    list_free(&past);
    list_free(&present);
}

static void bench_merge_clients(uint32_t n)
{
    struct list l = { 0 };
    struct um_span *spans = um_xmalloc(n * sizeof(*spans));
    double ms[RUNS];

    past_write(&l, n, n);
    for (uint32_t i = 0; i < n; i++)
        spans[i] = list_get(&l, i);
    for (int i = 0; i < RUNS; i++) {
        double start = user_ms();

        for (int k = 0; k < 10; k++) {
            struct um_buf out = { 0 };

            UM_ASSERT(um_crdt_merge(NULL, spans, n, &out) == UM_OK);
            um_buf_free(&out);
        }
        ms[i] = (user_ms() - start) / 10;
    }
    print("merge-4000", "user_cpu", "ms", ms, RUNS);
    free(spans);
    list_free(&l);
}

/* N clients who did not know of one another insert at the beginning of an empty text. */
static void bench_same_place(uint32_t n, const char *what)
{
    struct list l = { 0 };
    double ms[RUNS];

    for (uint32_t k = 0; k < n; k++)
        insert_write(list_add(&l), (struct id){ k, 0 }, none, none);
    for (int i = 0; i < RUNS; i++) {
        struct um_crdt *doc = doc_new();
        double start = user_ms();

        list_apply(doc, &l);
        ms[i] = user_ms() - start;
        um_crdt_free(doc);
    }
    print(what, "user_cpu", "ms", ms, RUNS);
    list_free(&l);
}

void bench_many(void)
{
    case_name = "clients";
    bench_past(10, "relay-10");
    bench_past(100, "relay-100");
    bench_past(1000, "relay-1000");
    bench_past(10000, "relay-10000");
    bench_merge_clients(4000);
    bench_same_place(10000, "same-place-10000");
    case_name = "B3.5";
    bench_same_place(20 * 77, "apply");
}
