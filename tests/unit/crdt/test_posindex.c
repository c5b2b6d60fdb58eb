/* The position index says what walking the list says, whatever happened to the list in between. */
#include "support.h"
#include <posindex.h>
#include <stdlib.h>

/* ---- comparing with the walk --------------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

static bool type_is_live(const struct um_crdt *doc, uint32_t type)
{
    for (uint32_t t = doc->free_type; t != NONE; t = doc->types.v[t].item)
        if (t == type)
            return false;
    return true;
}

/* Every item of TYPE: its position, what is found there, the marks before it. */
static void check_items(struct um_crdt *doc, uint32_t type)
{
    uint32_t units = 0, n_marks = 0, last = NONE;

    for (uint32_t i = doc->types.v[type].start; i != NONE; i = item_at(doc, i)->right) {
        uint32_t width = item_width(item_at(doc, i)), n = 0, mark = NONE, m;
        struct mark_walk w = marks_before(doc, type, i);

        assert_int_equal(posindex_of(doc, i), units);
        for (uint32_t k = 0; k < width; k += width > 2 ? width - 1 : 1) {
            struct place_at at = posindex_find(doc, type, units + k);

            assert_int_equal(at.item, i);
            assert_int_equal(at.offset, k);
        }
        for (; (m = marks_next(doc, &w)) != NONE; mark = m)
            n++;
        assert_int_equal(n, n_marks);
        assert_int_equal(mark, last);
        units += width;
        if (item_is_mark(item_at(doc, i))) {
            n_marks++;
            last = i;
        }
    }
    assert_int_equal(units, doc->types.v[type].length);
}

static void index_all(struct um_crdt *doc)
{
    for (uint32_t t = 0; t < doc->types.n; t++)
        if (doc->types.v[t].pos == NONE && type_is_live(doc, t))
            assert_true(posindex_make(doc, t));
}

static void check_sound(struct um_crdt *doc)
{
    for (uint32_t t = 0; t < doc->types.n; t++)
        if (type_is_live(doc, t))
            assert_true(posindex_is_sound(doc, t));
}

static void check_all(struct um_crdt *doc)
{
    for (uint32_t t = 0; t < doc->types.n; t++)
        if (type_is_live(doc, t))
            check_items(doc, t);
}

/* ---- the vectors' updates ------------------------------------------------------------------------------ */

static void check_vector(struct tally *t, const json_t *vector)
{
    const json_t *updates = json_object_get(vector, "updates_v1");
    struct um_crdt *doc;
    size_t i;
    const json_t *u;

    if (!json_is_array(updates))
        return;
    doc = doc_new(true);
    json_array_foreach((json_t *)updates, i, u) {
        struct um_buf bytes = b64(u);

        if (um_crdt_apply(doc, buf_span(&bytes), NULL) == UM_OK)
            t->checked++;
        um_buf_free(&bytes);
        check_sound(doc);
        index_all(doc);
        check_sound(doc);
    }
    check_all(doc);
    um_crdt_free(doc);
}

static void follows_the_updates_of_every_vector(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, check_vector);
    assert_true(t.checked > 1000);
}

/* ---- random changes in one long list ------------------------------------------------------------------- */

#define AUTHORS 5

struct author {
    uint32_t clock;
};

static void put_some_id(struct um_buf *b, const struct author *a, uint32_t *seed)
{
    uint32_t who;

    do
        who = next_random(seed) % AUTHORS;
    while (a[who].clock == 0);
    buf_put_uint(b, who + 1);
    buf_put_uint(b, next_random(seed) % a[who].clock);
}

static uint32_t put_content(struct um_buf *b, unsigned kind, uint32_t *seed)
{
    static const char *const words[] = { "a", "bc", "d\xf0\x9f\x98\x80", "efghij", "\xc3\xa9" };
    static const uint32_t units[] = { 1, 2, 3, 6, 1 };
    uint32_t n;

    switch (kind) {
    case KIND_STRING:
        n = next_random(seed) % UM_COUNT(words);
        buf_put_string(b, UM_SPAN_STR(words[n]));
        return units[n];
    case KIND_FORMAT:
        buf_put_string(b, UM_SPAN_STR("b"));
        n = next_random(seed) % 2;
        buf_put_string(b, n == 0 ? UM_SPAN_STR("true") : UM_SPAN_STR("null"));
        return 1;
    case KIND_DELETED:
        n = 1 + next_random(seed) % 4;
        buf_put_uint(b, n);
        return n;
    default:
        buf_put_string(b, UM_SPAN_STR("{}"));
        return 1;
    }
}

/* One struct of a random author with random neighbours, and now and then a deleted range. Half of the structs go
 * on where the author was, as typing does. */
static void random_update(struct um_buf *b, struct author *a, uint32_t *seed)
{
    static const uint8_t kinds[] = { KIND_STRING, KIND_STRING, KIND_STRING, KIND_FORMAT, KIND_DELETED, KIND_EMBED };
    uint32_t who = next_random(seed) % AUTHORS, ranges = next_random(seed) % 3 == 0, victim;
    unsigned kind = kinds[next_random(seed) % UM_COUNT(kinds)];
    bool first = a[0].clock == 0, types = !first && a[who].clock > 0 && next_random(seed) % 2 == 0;
    bool origin = types || (!first && next_random(seed) % 3 > 0), right = !types && !first && next_random(seed) % 2 == 0;

    if (first)
        who = 0;
    um_buf_clear(b);
    buf_put_uint(b, 1);
    buf_put_uint(b, 1);
    buf_put_uint(b, who + 1);
    buf_put_uint(b, a[who].clock);
    um_buf_put_u8(b, (uint8_t)(kind | (origin ? INFO_ORIGIN : 0u) | (right ? INFO_RIGHT : 0u)));
    if (types) {
        buf_put_uint(b, who + 1);
        buf_put_uint(b, a[who].clock - 1);
    } else if (origin) {
        put_some_id(b, a, seed);
    }
    if (right)
        put_some_id(b, a, seed);
    if (!origin && !right) {
        um_buf_put_u8(b, 1);
        buf_put_string(b, UM_SPAN_STR("t"));
    }
    a[who].clock += put_content(b, kind, seed);
    victim = next_random(seed) % AUTHORS;
    ranges = a[victim].clock == 0 ? 0 : ranges;
    buf_put_uint(b, ranges);
    if (ranges > 0) {
        uint32_t from = next_random(seed) % a[victim].clock, len = 1 + next_random(seed) % 30;

        buf_put_uint(b, victim + 1);
        buf_put_uint(b, 1);
        buf_put_uint(b, from);
        buf_put_uint(b, UM_MIN(len, a[victim].clock - from));
    }
}

static void follows_random_changes(void **state)
{
    (void)state;
    for (uint32_t run = 1; run <= 6; run++) {
        struct author a[AUTHORS] = { 0 };
        struct um_crdt *doc = doc_new(run % 3 != 0);
        struct um_buf b = { 0 };
        uint32_t seed = run * 7919, root;

        assert_int_equal(um_crdt_declare_root(doc, UM_SPAN_STR("t"), run % 2 ? UM_CRDT_TEXT : UM_CRDT_ARRAY), UM_OK);
        root = root_find(doc, UM_SPAN_STR("t"));
        for (unsigned n = 0; n < 2500; n++) {
            random_update(&b, a, &seed);
            assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
            if (doc->types.v[root].length > 0)
                posindex_find(doc, root, next_random(&seed) % doc->types.v[root].length);
            if (n % 16 == 0)
                assert_true(posindex_is_sound(doc, root));
            if (n % 500 == 499)
                check_items(doc, root);
        }
        assert_true(doc->types.v[root].pos != NONE);
        um_buf_free(&b);
        um_crdt_free(doc);
    }
}

/* Deleting everything leaves one item where thousands were. */
static void shrinks_with_the_list(void **state)
{
    struct author a[AUTHORS] = { 0 };
    struct um_crdt *doc = doc_new(true);
    struct um_buf b = { 0 };
    uint32_t seed = 3, root, nodes;

    (void)state;
    for (unsigned n = 0; n < 3000; n++) {
        random_update(&b, a, &seed);
        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    }
    root = root_find(doc, UM_SPAN_STR("t"));
    assert_true(posindex_make(doc, root));
    nodes = doc->pos.live;
    for (uint32_t who = 0; who < AUTHORS; who++) {
        um_buf_clear(&b);
        um_buf_put(&b, "\0\1", 2);
        buf_put_uint(&b, who + 1);
        buf_put_uint(&b, 1);
        buf_put_uint(&b, 0);
        buf_put_uint(&b, a[who].clock);
        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
        assert_true(posindex_is_sound(doc, root));
    }
    assert_true(doc->pos.live <= nodes);
    assert_int_equal(doc->types.v[root].length, 0);
    check_items(doc, root);
    um_buf_free(&b);
    um_crdt_free(doc);
}

static void an_index_that_nobody_looks_at_is_dropped(void **state)
{
    struct author a[AUTHORS] = { 0 };
    struct um_crdt *doc = doc_new(true);
    struct um_buf b = { 0 };
    uint32_t seed = 7, root, n;

    (void)state;
    random_update(&b, a, &seed);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    root = root_find(doc, UM_SPAN_STR("t"));
    for (n = 0; n < 3000; n++) {              /* somebody looks now and then */
        if (doc->types.v[root].pos == NONE)
            assert_true(n == 0 && posindex_make(doc, root));
        random_update(&b, a, &seed);
        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
        if (n % 32 == 0)
            posindex_find(doc, root, 0);
    }
    for (n = 0; n < 3000 && doc->types.v[root].pos != NONE; n++) {
        random_update(&b, a, &seed);
        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    }
    assert_true(n > 100 && n < 3000);
    assert_int_equal(doc->pos.live, 0);
    check_items(doc, root);
    um_buf_free(&b);
    um_crdt_free(doc);
}

/* ---- memory -------------------------------------------------------------------------------------------- */

struct meter {
    unsigned allowed;                 /* calls until memory is gone */
};

static void *meter_realloc(void *ctx, void *p, size_t size)
{
    struct meter *m = ctx;

    return m->allowed == 0 || m->allowed-- == 0 ? NULL : realloc(p, size);
}

static void meter_free(void *ctx, void *p)
{
    (void)ctx;
    free(p);
}

static void without_memory_lookups_walk(void **state)
{
    struct author a[AUTHORS] = { 0 };
    struct meter m = { UINT32_MAX };
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    struct um_buf b = { 0 };
    uint32_t seed = 11, root, made = 0;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ meter_realloc, meter_free, &m };
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    for (unsigned n = 0; n < 2000; n++) {
        random_update(&b, a, &seed);
        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    }
    root = root_find(doc, UM_SPAN_STR("t"));
    for (unsigned allowed = 0; allowed < 60; allowed++) {
        size_t used = doc->mem.used;

        m.allowed = allowed;
        check_items(doc, root);
        m.allowed = UINT32_MAX;
        made += doc->types.v[root].pos != NONE;
        posindex_drop(doc, root);
        assert_int_equal(doc->mem.used, used);
    }
    assert_true(made > 0 && made < 60);
    um_buf_free(&b);
    um_crdt_free(doc);
}

/* Changes that cannot extend the index drop it; look-ups go on. */
static void without_memory_a_change_drops_the_index(void **state)
{
    struct author a[AUTHORS] = { 0 };
    struct meter m = { UINT32_MAX };
    struct um_crdt_conf cf;
    struct um_crdt *doc;
    struct um_buf b = { 0 };
    uint32_t seed = 5, root, drops = 0;

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ meter_realloc, meter_free, &m };
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    random_update(&b, a, &seed);
    assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    root = root_find(doc, UM_SPAN_STR("t"));
    for (unsigned n = 0; n < 4000; n++) {
        struct author before[AUTHORS];

        memcpy(before, a, sizeof(a));
        random_update(&b, a, &seed);
        if (doc->types.v[root].pos == NONE)
            assert_true(posindex_make(doc, root));
        doc->pos.unread = 0;
        m.allowed = next_random(&seed) % 4;
        if (um_crdt_apply(doc, buf_span(&b), NULL) != UM_OK)
            memcpy(a, before, sizeof(a));
        m.allowed = UINT32_MAX;
        drops += doc->types.v[root].pos == NONE;
        if (n % 16 == 0)
            assert_true(posindex_is_sound(doc, root));
    }
    assert_true(drops > 0);
    check_items(doc, root);
    um_buf_free(&b);
    um_crdt_free(doc);
}

static void a_document_that_is_only_relayed_has_none(void **state)
{
    struct author a[AUTHORS] = { 0 };
    struct um_crdt *doc = doc_new(true);
    struct um_buf b = { 0 };
    uint32_t seed = 9;

    (void)state;
    for (unsigned n = 0; n < 1000; n++) {
        random_update(&b, a, &seed);
        assert_int_equal(um_crdt_apply(doc, buf_span(&b), NULL), UM_OK);
    }
    assert_int_equal(doc->pos.live, 0);
    assert_int_equal(doc->pos.leaf_of.cap, 0);
    um_buf_free(&b);
    um_crdt_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_updates_of_every_vector),
        cmocka_unit_test(follows_random_changes),
        cmocka_unit_test(shrinks_with_the_list),
        cmocka_unit_test(an_index_that_nobody_looks_at_is_dropped),
        cmocka_unit_test(without_memory_lookups_walk),
        cmocka_unit_test(without_memory_a_change_drops_the_index),
        cmocka_unit_test(a_document_that_is_only_relayed_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
