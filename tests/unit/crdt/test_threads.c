/* Documents of different threads share nothing: the thread sanitizer watches four threads at work. */
#include "support.h"
#include <pthread.h>
#include <string.h>
#include <umbel/crdt_inspect.h>

#define THREADS 4
#define ROUNDS  20

struct work {
    pthread_t thread;
    const struct um_span *updates;
    size_t n;
    struct um_buf state;
    um_err err;
};

static um_err document_once(struct work *w)
{
    struct um_crdt *doc = NULL;
    struct um_buf merged = { 0 }, json = { 0 };
    um_err err = um_crdt_new(NULL, &doc);

    for (size_t i = 0; i < w->n && err == UM_OK; i++)
        err = um_crdt_apply(doc, w->updates[i], NULL);
    um_buf_clear(&w->state);
    if (err == UM_OK)
        err = um_crdt_encode(doc, UM_SPAN(NULL, 0), &w->state);
    if (err == UM_OK)
        err = um_crdt_merge(NULL, w->updates, w->n, &merged);
    if (err == UM_OK && (err = um_crdt_declare_root(doc, UM_SPAN_STR("t"), UM_CRDT_TEXT)) == UM_OK)
        err = um_crdt_read_delta(doc, UM_SPAN_STR("t"), UM_CRDT_PLAIN, &json);
    um_crdt_free(doc);
    um_buf_free(&merged);
    um_buf_free(&json);
    return err;
}

static void *work(void *arg)
{
    struct work *w = arg;

    for (int i = 0; i < ROUNDS && w->err == UM_OK; i++)
        w->err = document_once(w);
    return NULL;
}

static void threads_on_documents_of_their_own_do_not_meet(void **state)
{
    json_t *v = vector_load("random-marks-0.json");
    const json_t *list = json_object_get(v, "updates_v1");
    struct um_buf bytes[64] = { 0 };
    struct um_span spans[64];
    struct work w[THREADS] = { 0 };
    size_t n = UM_MIN(json_array_size(list), UM_COUNT(bytes));

    (void)state;
    assert_true(n > 0);
    for (size_t i = 0; i < n; i++) {
        bytes[i] = b64(json_array_get(list, i));
        spans[i] = buf_span(&bytes[i]);
    }
    for (size_t i = 0; i < THREADS; i++) {
        w[i] = (struct work){ .updates = spans, .n = n };
        assert_int_equal(pthread_create(&w[i].thread, NULL, work, &w[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(w[i].thread, NULL), 0);
        assert_int_equal(w[i].err, UM_OK);
        assert_true(w[i].state.len > 2);
        assert_true(um_span_eq(buf_span(&w[i].state), buf_span(&w[0].state)));
    }
    for (size_t i = 0; i < THREADS; i++)
        um_buf_free(&w[i].state);
    for (size_t i = 0; i < n; i++)
        um_buf_free(&bytes[i]);
    json_decref(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_on_documents_of_their_own_do_not_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
