/* Running out of memory at every single allocation of a session: no crash, no leak, and a refused update leaves
 * the document as it was. */
#include "support.h"
#include <stdlib.h>

struct failing {
    unsigned countdown, live;
};

static void *failing_realloc(void *ctx, void *p, size_t size)
{
    struct failing *f = ctx;
    void *q;

    if (f->countdown > 0 && --f->countdown == 0)
        return NULL;
    q = realloc(p, size);
    f->live += p == NULL && q != NULL;
    return q;
}

static void failing_free(void *ctx, void *p)
{
    struct failing *f = ctx;

    f->live -= p != NULL;
    free(p);
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    assert_int_equal(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b), UM_OK);
    return b;
}

/* Allocation N of one apply fails. True while the update was refused for it. */
static bool apply_with_failure(struct um_crdt *doc, struct failing *f, struct um_span update, unsigned n)
{
    struct um_buf before = state_of(doc), after;
    struct um_crdt_applied applied;
    um_err err;

    f->countdown = n;
    err = um_crdt_apply(doc, update, &applied);
    f->countdown = 0;
    if (err != UM_OK) {
        assert_int_equal(err, UM_ENOMEM);
        after = state_of(doc);
        assert_true(um_span_eq(buf_span(&before), buf_span(&after)));
        um_buf_free(&after);
    }
    um_buf_free(&before);
    return err != UM_OK;
}

/* A replica with all memory, and without the clean-up, which may be left out. */
static struct um_crdt *doc_calm(void)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.cleanup = false;
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    return doc;
}

static struct um_crdt *doc_with(struct failing *f)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, f };
    assert_int_equal(um_crdt_new(&cf, &doc), UM_OK);
    return doc;
}

/* Each update is tried with its first allocation failing, then its second, until it goes through; the document
 * then continues from there. What an allocation that may fail leaves undone (joined runs, clean-up, collection)
 * must not be seen: another replica that had all memory shows the same. */
static void session_of(struct tally *t, const json_t *vector)
{
    struct failing f = { 0 };
    struct um_crdt *doc, *calm;
    json_t *u;
    size_t i;

    if (json_object_get(vector, "updates_v1") == NULL || json_array_size(json_object_get(vector, "updates_v1")) > 60)
        return;
    doc = doc_with(&f);
    calm = doc_calm();
    json_array_foreach(json_object_get(vector, "updates_v1"), i, u) {
        struct um_buf update = b64(u), a = { 0 }, b = { 0 };
        struct um_crdt_stats stats;
        bool known;

        for (unsigned n = 1; apply_with_failure(doc, &f, buf_span(&update), n); n++)
            t->checked++;
        assert_int_equal(um_crdt_apply(doc, buf_span(&update), NULL), UM_OK);    /* what waits gets its chance */
        assert_int_equal(um_crdt_apply(calm, buf_span(&update), NULL), UM_OK);
        assert_int_equal(um_crdt_state_vector(doc, &a), UM_OK);
        assert_int_equal(um_crdt_state_vector(calm, &b), UM_OK);
        check_bytes(t, buf_span(&a), buf_span(&b), "update %zu: state vector", i);
        um_buf_free(&a);
        um_buf_free(&b);
        a = state_of(calm);
        um_crdt_get_stats(calm, &stats);
        check(t, um_crdt_contains(doc, buf_span(&a), &known) == UM_OK, "update %zu", i);
        check(t, known || stats.pending_structs + stats.pending_ranges > 0, "update %zu: something is lost", i);
        um_buf_free(&a);
        um_buf_free(&update);
    }
    um_crdt_free(doc);
    um_crdt_free(calm);
    check(t, f.live == 0, "%u blocks leaked", f.live);
}

static void failing_allocations_leave_the_document_as_it_was(void **state)
{
    struct tally t = { 0 };

    (void)state;
    vectors_walk(&t, session_of);
}

/* The functions around a document. */
static um_err calls_of(struct um_crdt *doc, const struct um_crdt_conf *cf, struct um_span update, unsigned which)
{
    struct um_buf out = { 0 };
    struct um_span two[2] = { update, update };
    struct um_bytes *bytes = NULL, **tail;
    size_t n;
    um_err err = UM_OK;

    switch (which) {
    case 0: err = um_crdt_merge(cf, two, 2, &out); break;
    case 1: err = um_crdt_diff(cf, update, UM_SPAN("\1\1\1", 3), &out); break;
    case 2: err = um_crdt_encode(doc, UM_SPAN("\1\1\1", 3), &out); break;
    case 3: err = um_crdt_encode_shared(doc, &bytes); um_bytes_unref(bytes); break;
    case 4: err = um_crdt_state_parts(doc, &bytes, &tail, &n); break;
    default: err = um_crdt_validate(cf, update, NULL); break;
    }
    um_buf_free(&out);
    return err;
}

static void functions_report_lack_of_memory(void **state)
{
    json_t *j = vector_load("random-rich-0.json");
    struct um_buf update = b64(json_object_get(json_object_get(j, "untyped"), "state_v1"));
    struct failing f = { 0 };
    struct um_crdt_conf cf;
    struct um_crdt *doc = doc_with(&f);

    (void)state;
    um_crdt_conf_init(&cf);
    cf.alloc = (struct um_crdt_alloc){ failing_realloc, failing_free, &f };
    assert_int_equal(um_crdt_apply(doc, buf_span(&update), NULL), UM_OK);
    for (unsigned which = 0; which < 6; which++) {
        um_err err;
        unsigned n = 1;

        do {
            f.countdown = n++;
            err = calls_of(doc, &cf, buf_span(&update), which);
            assert_true(err == UM_OK || err == UM_ENOMEM);
        } while (err != UM_OK && n < 1000);
        f.countdown = 0;
        assert_int_equal(err, UM_OK);
    }
    um_crdt_free(doc);
    assert_int_equal(f.live, 0);
    um_buf_free(&update);
    json_decref(j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failing_allocations_leave_the_document_as_it_was),
        cmocka_unit_test(functions_report_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
