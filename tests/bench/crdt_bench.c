/* What the CRDT library costs: on updates that real yjs produced, and on what crdt_many.c and crdt_hostile.c make.
 *
 *   bench_crdt FILE [CASE [PART]]     FILE: per update its length as lib0's uint, then the bytes (crdt_inputs.mjs
 *                                     writes such files); CASE names the work, B4 by default; PART: only this one
 *
 * Prints one JSON object per line: user CPU time of this process, medians of RUNS. */
#include "crdt_bench.h"
#include <umbel/crdt_v2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define CACHED_TIMES 1000

const char *case_name = "B4";
static const char *updates_path;

double user_ms(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec * 1000.0 + (double)u.ru_utime.tv_usec / 1000.0;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void print(const char *what, const char *metric, const char *unit, double *values, int n)
{
    qsort(values, (size_t)n, sizeof(*values), by_value);
    printf("{\"bench\":\"crdt\",\"case\":\"%s-%s\",\"subject\":\"umbel\",\"metric\":\"%s\",\"unit\":\"%s\",\"value\":%.4f,"
           "\"runs\":%d,\"versions\":{\"umbel\":\"%s\"}}\n",
           case_name, what, metric, unit, values[n / 2], n, UMBEL_VERSION);
}

static struct um_span file_load(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data;
    long size;

    if (f == NULL)
        return UM_SPAN(NULL, 0);
    if (fseek(f, 0, SEEK_END) != 0 || (size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET) != 0) {
        perror(path);
        exit(2);
    }
    data = um_xmalloc((size_t)size + 1);
    if (fread(data, 1, (size_t)size, f) != (size_t)size) {
        perror(path);
        exit(2);
    }
    fclose(f);
    return UM_SPAN(data, (size_t)size);
}

struct um_span input_load(const char *name)
{
    const char *end = strrchr(updates_path, '/');
    char path[4096];

    snprintf(path, sizeof(path), "%.*s%s", end == NULL ? 0 : (int)(end + 1 - updates_path), updates_path, name);
    return file_load(path);
}

static void updates_load(struct updates *u)
{
    struct um_span all = file_load(updates_path);
    struct um_reader r = um_reader(all);
    size_t cap = 0;

    if (all.data == NULL) {
        perror(updates_path);
        exit(2);
    }
    u->data = (uint8_t *)all.data;
    while (um_reader_left(&r) > 0 && !r.failed) {
        if (u->n == cap) {
            cap = cap * 2 + 1024;
            u->v = um_xrealloc(u->v, cap * sizeof(*u->v));
        }
        u->v[u->n++] = um_read_varbytes(&r);
    }
}

static struct um_crdt *doc_new(void)
{
    struct um_crdt *doc;

    UM_ASSERT(um_crdt_new(NULL, &doc) == UM_OK);
    return doc;
}

/* All updates one by one, each with its event. */
static struct um_crdt *apply_all(const struct updates *u, double *ms, size_t *event_bytes)
{
    struct um_crdt *doc = doc_new();
    double start = user_ms();

    *event_bytes = 0;
    for (size_t i = 0; i < u->n; i++) {
        struct um_crdt_applied applied;

        UM_ASSERT(um_crdt_apply(doc, u->v[i], &applied) == UM_OK);
        *event_bytes += applied.event.len;
    }
    *ms = user_ms() - start;
    return doc;
}

static void bench_apply(const struct updates *u)
{
    double ms[RUNS], us[RUNS], memory[1];
    struct um_crdt_stats stats;
    size_t events;

    for (int i = 0; i < RUNS; i++) {
        struct um_crdt *doc = apply_all(u, &ms[i], &events);

        us[i] = ms[i] * 1000.0 / (double)u->n;
        um_crdt_get_stats(doc, &stats);
        um_crdt_free(doc);
    }
    memory[0] = (double)stats.memory_bytes / 1e6;
    print("apply", "user_cpu", "ms", ms, RUNS);
    print("relay", "user_cpu_per_update", "us", us, RUNS);
    print("memory", "allocated", "MB", memory, 1);
}

static void bench_state(const struct updates *u)
{
    double parse[RUNS], encode[RUNS], cached[RUNS], memory[1], unused;
    struct um_crdt_stats stats;
    struct um_buf state = { 0 };
    size_t events;
    struct um_crdt *doc = apply_all(u, &unused, &events);

    UM_ASSERT(um_crdt_encode(doc, UM_SPAN(NULL, 0), &state) == UM_OK);
    um_crdt_free(doc);
    for (int i = 0; i < RUNS; i++) {
        struct um_buf out = { 0 };
        double start = user_ms();

        for (int k = 0; k < 10; k++) {        /* one takes less than the clock tells apart */
            doc = doc_new();
            UM_ASSERT(um_crdt_apply(doc, UM_SPAN(state.data, state.len), NULL) == UM_OK);
            if (k < 9)
                um_crdt_free(doc);
        }
        parse[i] = (user_ms() - start) / 10;
        start = user_ms();
        for (int k = 0; k < 100; k++) {
            um_buf_free(&out);
            UM_ASSERT(um_crdt_encode(doc, UM_SPAN(NULL, 0), &out) == UM_OK);
        }
        encode[i] = (user_ms() - start) / 100;
        UM_ASSERT(out.len == state.len);
        start = user_ms();
        for (int k = 0; k < CACHED_TIMES; k++) {
            struct um_bytes *shared;

            UM_ASSERT(um_crdt_encode_shared(doc, &shared) == UM_OK);
            um_bytes_unref(shared);
        }
        cached[i] = (user_ms() - start) * 1000.0 / CACHED_TIMES;
        um_crdt_get_stats(doc, &stats);
        memory[0] = (double)(stats.memory_bytes - stats.cache_bytes) / 1e6;
        um_buf_free(&out);
        um_crdt_free(doc);
    }
    print("parse", "user_cpu", "ms", parse, RUNS);
    print("encode", "user_cpu", "ms", encode, RUNS);
    print("encode-cached", "user_cpu", "us", cached, RUNS);
    print("memory-loaded", "allocated", "MB", memory, 1);
    um_buf_free(&state);
}

static void bench_state_v2(const struct updates *u)
{
    double parse[RUNS], encode[RUNS], unused;
    struct um_buf state = { 0 };
    size_t events;
    struct um_crdt *doc = apply_all(u, &unused, &events);

    UM_ASSERT(um_crdt_encode_v2(doc, UM_SPAN(NULL, 0), &state) == UM_OK);
    for (int i = 0; i < RUNS; i++) {
        double start = user_ms();

        for (int k = 0; k < 10; k++) {
            struct um_crdt *copy = doc_new();

            UM_ASSERT(um_crdt_apply_v2(copy, UM_SPAN(state.data, state.len), NULL) == UM_OK);
            um_crdt_free(copy);
        }
        parse[i] = (user_ms() - start) / 10;
        start = user_ms();
        for (int k = 0; k < 20; k++) {
            struct um_buf out = { 0 };

            UM_ASSERT(um_crdt_encode_v2(doc, UM_SPAN(NULL, 0), &out) == UM_OK);
            um_buf_free(&out);
        }
        encode[i] = (user_ms() - start) / 20;
    }
    print("parse-v2", "user_cpu", "ms", parse, RUNS);
    print("encode-v2", "user_cpu", "ms", encode, RUNS);
    um_buf_free(&state);
    um_crdt_free(doc);
}

static void bench_merge(const struct updates *u)
{
    size_t n = UM_MIN(u->n, 5000u);
    double ms[RUNS];

    for (int i = 0; i < RUNS; i++) {
        struct um_buf out = { 0 };
        double start = user_ms();

        UM_ASSERT(um_crdt_merge(NULL, u->v, n, &out) == UM_OK);
        ms[i] = user_ms() - start;
        um_buf_free(&out);
    }
    print("merge-5000", "user_cpu", "ms", ms, RUNS);
}

static void bench_small(void)
{
    static const uint8_t hello[] = { 1, 1, 1, 0, 4, 1, 1, 't', 5, 'h', 'e', 'l', 'l', 'o', 0 };
    struct um_crdt *doc = doc_new();
    struct um_crdt_stats stats;
    double kb[1];

    UM_ASSERT(um_crdt_apply(doc, UM_SPAN(hello, sizeof(hello)), NULL) == UM_OK);
    um_crdt_get_stats(doc, &stats);
    kb[0] = (double)stats.memory_bytes / 1e3;
    case_name = "small";
    print("memory", "allocated", "KB", kb, 1);
    um_crdt_free(doc);
}

static const struct part {
    const char *name;
    void (*run)(const struct updates *u);     /* on the updates of FILE */
    void (*run_made)(void);                   /* on inputs of its own */
} parts[] = {
    { "edits", bench_edits, NULL }, { "concurrent", NULL, bench_concurrent }, { "relay", bench_apply, NULL }, { "state", bench_state, NULL }, { "state-v2", bench_state_v2, NULL },
    { "merge", bench_merge, NULL },
    { "small", NULL, bench_small }, { "many", NULL, bench_many }, { "hostile", NULL, bench_hostile },
};

int main(int argc, char **argv)
{
    struct updates u = { 0 };

    if (argc < 2) {
        fprintf(stderr, "usage: bench_crdt FILE [CASE [PART]]\n");
        return 2;
    }
    updates_path = argv[1];
    updates_load(&u);
    for (size_t i = 0; i < UM_COUNT(parts); i++) {
        if (argc > 3 && strcmp(argv[3], parts[i].name) != 0)
            continue;
        case_name = argc > 2 ? argv[2] : "B4";
        if (parts[i].run != NULL)
            parts[i].run(&u);
        else
            parts[i].run_made();
    }
    free(u.v);
    free(u.data);
    return 0;
}
