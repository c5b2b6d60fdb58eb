/* bench_search URL fill N          makes a scope with N documents (search_fill.h), by the calls that make any component
 * bench_search URL ask [RUNS]      how long searches take, one at a time: the quickest, the median, the slowest of RUNS
 * bench_search URL words           their statements, for EXPLAIN QUERY PLAN
 *
 * What is asked stands in searches[]. Times are those of the caller: parsing, planning, SQL, reading the results. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umbel/store_work.h>
#include <umbel/util.h>
#include "call.h"
#include "search/order.h"
#include "search/plan.h"
#include "search_fill.h"

enum { TOGETHER = 100, TURN_MS = 20, RUNS_MAX = 1000 };

#define IS(field, value) "{\"name\":\"" field "\",\"operator\":\"EQUALS_TO\",\"values\":[\"" value "\"]}"
#define ALL_OF(...) "{\"filterClauses\":[{\"criteria\":[" __VA_ARGS__ "]}],\"max\":20,\"selectClause\":{\"fields\":[\"name\",\"classid\",\"Status\"]}"
static const struct { const char *name, *request; } searches[] = {
    { "class, two tags, text", ALL_OF(IS("classid", "Invoice") "," IS("Customer", "C00003") "," IS("Year", "2022") "," IS("Content", "w3 customer")) "}" },
    { "class, two tags, two words", ALL_OF(IS("classid", "Invoice") "," IS("Customer", "C00123") "," IS("Year", "2022") "," IS("Content", "w105 w812")) "}" },
    { "class, two frequent tags, text", ALL_OF(IS("classid", "Invoice") "," IS("Status", "OPEN") "," IS("Year", "2022") "," IS("Content", "w105 w812")) "}" },
    { "class, two frequent tags, frequent word", ALL_OF(IS("classid", "Invoice") "," IS("Status", "OPEN") "," IS("Year", "2022") "," IS("Content", "w3")) "}" },
    { "two tags, no match", ALL_OF(IS("Customer", "C00123") "," IS("Status", "NONE")) "}" },
    { "class and two frequent tags", ALL_OF(IS("classid", "Invoice") "," IS("Status", "PAID") "," IS("Year", "2022")) "}" },
    { "one frequent tag", ALL_OF(IS("Status", "PAID")) "}" },
    { "class", ALL_OF(IS("classid", "Invoice")) "}" },
    { "class, by name", ALL_OF(IS("classid", "Invoice")) ",\"orderClauses\":[{\"name\":\"name\"}]}" },
    { "class, by a tag", ALL_OF(IS("classid", "Note")) ",\"orderClauses\":[{\"name\":\"Amount\"}]}" },
    { "everything", "{\"max\":20}" },
    { "one of two customers", "{\"filterClauses\":[{\"type\":\"OrClause\",\"criteria\":[" IS("Customer", "C00123") "," IS("Customer", "C01234") "]}],\"max\":20}" },
    { "part of a customer", "{\"filterClauses\":[{\"criteria\":[{\"name\":\"Customer\",\"operator\":\"CONTAINS\",\"values\":[\"c0012\"]}]}],\"max\":20}" },
    { "amount between", "{\"filterClauses\":[{\"criteria\":[{\"name\":\"Amount\",\"operator\":\"BETWEEN\",\"values\":[\"500\",\"501\"]}]}],\"max\":20}" },
    { "counts of two levels", ALL_OF(IS("Customer", "C00123")) ",\"aggregation\":{\"field\":\"Status\",\"nested\":[{\"field\":\"Year\"}]}}" },
    { "counts over everything", "{\"max\":0,\"aggregation\":{\"field\":\"Status\"}}" },
};

struct bench { struct um_store *st; struct um_domain *d; struct um_loop *loop; struct um_who who; bool open; um_err err; json_t *reply; };

static void hear(void *arg, const struct um_domain_answer *a)
{
    struct bench *b = arg;

    b->open = false;
    b->err = a->err;
    json_decref(b->reply);
    b->reply = json_incref(a->reply);
    if (a->err != UM_OK)
        fprintf(stderr, "%s: %s\n", a->problem->code, a->problem->message);
}

static um_err ask(struct bench *b, const struct um_domain_call *call, json_t *args, json_t *body)
{
    b->open = true;
    um_domain_run(b->d, b->loop, call, &b->who, args, body, hear, b);
    while (b->open)
        um_loop_turn(b->loop, TURN_MS);
    return b->err;
}

/* ---- fill ---- */

static um_err make_scope(struct bench *b)
{
    um_err err = ask(b, &um_scopes_create, NULL, json_pack("[{s:s}]", "id", "main"));

    if (err == UM_OK)
        err = ask(b, &um_objects_create, json_pack("{s:s}", "kind", "acl"),
                  json_pack("[{s:s, s:[{s:s, s:s, s:s}]}]", "id", "readers", "entries", "principal", "*", "permission", "*", "grant", "ALLOW"));
    if (err == UM_OK)
        err = ask(b, &um_objects_create, json_pack("{s:s}", "kind", "tagclass"), bench_model_tags());
    return err == UM_OK ? ask(b, &um_objects_create, json_pack("{s:s}", "kind", "documentclass"), bench_model_classes()) : err;
}

static um_err fill(struct bench *b, int64_t n)
{
    int64_t began = um_now_ms();
    um_err err = make_scope(b);

    for (int64_t i = 0; i < n && err == UM_OK; i += TOGETHER)
        err = ask(b, &bench_fill, json_pack("{s:s}", "category", "DOCUMENT"),
                  json_pack("{s:I, s:I}", "first", (json_int_t)i, "n", (json_int_t)UM_MIN(TOGETHER, n - i)));
    printf("{\"bench\":\"search\",\"case\":\"fill\",\"components\":%" PRId64 ",\"seconds\":%.1f}\n", n, (double)(um_now_ms() - began) / 1000);
    return err;
}

/* ---- ask ---- */

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static um_err measure(struct bench *b, size_t i, int64_t runs)
{
    int64_t us[RUNS_MAX];
    um_err err = UM_OK;
    json_t *found;

    for (int64_t n = 0; n < runs && err == UM_OK; n++) {
        us[n] = um_now_us();
        err = ask(b, &um_search, json_pack("{s:s}", "category", "DOCUMENT"), json_loads(searches[i].request, 0, NULL));
        us[n] = um_now_us() - us[n];
    }
    if (err != UM_OK)
        return err;
    qsort(us, (size_t)runs, sizeof(us[0]), compare);
    found = json_object_get(b->reply, "found");
    printf("{\"bench\":\"search\",\"case\":\"%s\",\"unit\":\"ms\",\"min\":%.2f,\"median\":%.2f,\"max\":%.2f,\"runs\":%" PRId64 ",\"found\":\"%s%" JSON_INTEGER_FORMAT "\"}\n",
           searches[i].name, (double)us[0] / 1000, (double)us[runs / 2] / 1000, (double)us[runs - 1] / 1000, runs,
           json_object_get(b->reply, "foundIsAtLeast") != NULL ? ">=" : "", json_integer_value(found));
    return UM_OK;
}

/* ---- words ---- */

static um_err show(struct um_call *c)
{
    for (size_t i = 0; i < UM_COUNT(searches); i++) {
        json_t *request = json_loads(searches[i].request, 0, NULL);
        struct search *s = um_xcalloc(1, sizeof(*s));
        struct search_sql q;
        struct order_keys keys;
        um_err err = search_read(c, UM_CATEGORY_DOCUMENT, request, "", s);

        search_sql_init(&q, c, s, "[]");
        if (err == UM_OK)
            err = search_plan(c, s, &q.plan);
        if (err != UM_OK)
            return err;
        order_keys_of(s, &keys);
        um_sql_add(&q.parts, "SELECT ");
        order_add_columns(&q, &keys);
        search_sql_from(&q, true);
        order_add_by(&q, &keys);
        printf("-- %s; %" PRId64 " candidates\nEXPLAIN QUERY PLAN %s LIMIT 21;\n", searches[i].name, q.plan.candidates, um_buf_cstr(&q.parts.text));
        search_sql_clear(&q);
        free(q.plan.nums);
        search_done(s);
        free(s);
        json_decref(request);
    }
    return UM_OK;
}
static const struct um_domain_call words = { "bench.words", show, 0 };

/* ---- */

static bool open_all(struct bench *b, const char *url)
{
    static const struct um_domain_conf conf = { .default_scope = "main" };
    static const char *const profiles[] = { "SYSTEM_ADMIN", "ADMIN" };
    struct um_store_conf cf = { .url = url, .commit_delay_ms = 0, .commit_rows = 1024, .unit_ms = 60000, .view_ms = 60000 };
    char why[256];

    b->loop = um_loop_new(0);
    b->who = (struct um_who){ .user = "bench", .scope = "main", .session = "", .request = "", .address = "", .profiles = { profiles, 2 } };
    if (um_store_open(&b->st, &cf, why) == UM_OK)
        return um_domain_new(&b->d, b->st, &conf) == UM_OK;
    fprintf(stderr, "%s\n", why);
    return false;
}

int main(int argc, char **argv)
{
    struct bench b = { 0 };
    int64_t n = argc > 3 ? atoll(argv[3]) : 20;
    um_err err = UM_OK;

    if (argc < 3) {
        fprintf(stderr, "usage: bench_search URL fill N | ask [RUNS] | words\n");
        return 2;
    }
    if (!open_all(&b, argv[1]))
        return 1;
    if (strcmp(argv[2], "fill") == 0)
        err = fill(&b, n);
    else if (strcmp(argv[2], "words") == 0)
        err = ask(&b, &words, NULL, NULL);
    for (size_t i = 0; strcmp(argv[2], "ask") == 0 && i < UM_COUNT(searches) && err == UM_OK; i++)
        err = measure(&b, i, UM_MAX(1, UM_MIN(n, RUNS_MAX)));
    json_decref(b.reply);
    um_store_close(b.st);
    um_domain_free(b.d);
    um_loop_turn(b.loop, 0);
    um_loop_free(b.loop);
    return err == UM_OK ? 0 : 1;
}
