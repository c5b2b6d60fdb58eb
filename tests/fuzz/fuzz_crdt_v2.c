/* Any bytes as an update in format v2. What is accepted is valid v1, survives the way back, can be merged with itself
 * and cut, and makes the same document in both formats. */
#include <umbel/crdt_v2.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct um_span span_of(const struct um_buf *b) { return UM_SPAN(b->data, b->len); }

static struct um_crdt_conf conf_make(void)
{
    struct um_crdt_conf cf;

    um_crdt_conf_init(&cf);
    cf.limits.update_structs = 20000;     /* else bombs take all the time */
    return cf;
}

/* Both documents' states in V1 and V2 are the same. */
static void check_documents(const struct um_crdt_conf *cf, struct um_span v1, struct um_span v2)
{
    struct um_buf a = { 0 }, b = { 0 }, c = { 0 };
    struct um_crdt *x, *y, *z;
    um_err err;

    UM_ASSERT(um_crdt_new(cf, &x) == UM_OK && um_crdt_new(cf, &y) == UM_OK && um_crdt_new(cf, &z) == UM_OK);
    err = um_crdt_apply(x, v1, NULL);
    UM_ASSERT(um_crdt_apply_v2(y, v2, NULL) == err);
    if (err == UM_OK) {
        UM_ASSERT(um_crdt_encode(x, UM_SPAN(NULL, 0), &a) == UM_OK && um_crdt_encode(y, UM_SPAN(NULL, 0), &b) == UM_OK);
        UM_ASSERT(um_span_eq(span_of(&a), span_of(&b)));
        UM_ASSERT(um_crdt_encode_v2(x, UM_SPAN(NULL, 0), &c) == UM_OK);
        UM_ASSERT(um_crdt_load_v2(z, span_of(&c), NULL) == UM_OK);
    }
    um_buf_free(&a);
    um_buf_free(&b);
    um_buf_free(&c);
    um_crdt_free(x);
    um_crdt_free(y);
    um_crdt_free(z);
}

/* The first way back may sort and join deletions; from then on nothing changes. */
static void check_round(const struct um_crdt_conf *cf, struct um_span v1)
{
    struct um_buf v2 = { 0 }, back = { 0 }, again = { 0 };
    um_err err;

    UM_ASSERT(um_crdt_v1_to_v2(cf, v1, &v2) == UM_OK);
    err = um_crdt_v2_to_v1(cf, span_of(&v2), &back);
    UM_ASSERT(err == UM_OK || err == UM_ELIMIT);      /* shorter than the input, so its budget is smaller */
    if (err == UM_OK) {
        UM_ASSERT(um_crdt_v1_to_v2(cf, span_of(&back), &again) == UM_OK);
        UM_ASSERT(um_span_eq(span_of(&v2), span_of(&again)));
        check_documents(cf, v1, span_of(&v2));
    }
    um_buf_free(&v2);
    um_buf_free(&back);
    um_buf_free(&again);
}

/* Through the inner form. */
static void check_functions(const struct um_crdt_conf *cf, struct um_span v2)
{
    struct um_span twice[2] = { v2, v2 };
    struct um_buf merged = { 0 }, diff = { 0 };
    um_err err = um_crdt_merge_v2(cf, twice, 2, &merged);

    UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
    if (err == UM_OK) {
        err = um_crdt_validate_v2(cf, span_of(&merged), NULL);
        UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
    }
    UM_ASSERT(um_crdt_diff_v2(cf, v2, UM_SPAN("\1\1\3", 3), &diff) == UM_OK);
    err = um_crdt_validate_v2(cf, span_of(&diff), NULL);
    UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
    um_buf_free(&merged);
    um_buf_free(&diff);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_crdt_conf cf = conf_make();
    struct um_span v2 = UM_SPAN(data, size);
    struct um_buf v1 = { 0 };

    if (um_crdt_v2_to_v1(&cf, v2, &v1) == UM_OK) {
        UM_ASSERT(um_crdt_validate(&cf, span_of(&v1), NULL) == UM_OK);
        UM_ASSERT(um_crdt_validate_v2(&cf, v2, NULL) == UM_OK);
        check_round(&cf, span_of(&v1));
        check_functions(&cf, v2);
    }
    um_buf_free(&v1);
    return 0;
}
