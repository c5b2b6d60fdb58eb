/* Everything that reads a v1 update without a document, over any bytes: the checker, the one that tells where an update
 * is wrong, and the inspector judge alike; what passes can be walked, printed and brought into v2 and back. */
#include <umbel/crdt_inspect.h>
#include <umbel/crdt_v2.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct walk {
    size_t at;                        /* where the last struct ended */
    uint32_t structs, skips, ranges;
    struct um_buf json;
};

static um_err look(void *arg, const struct um_crdt_seen *s)
{
    struct walk *w = arg;

    if (s->kind == UM_CRDT_SEEN_RANGE) {
        w->ranges++;
        return UM_OK;
    }
    UM_ASSERT(s->offset >= w->at && s->len <= UINT32_MAX - s->clock);
    w->at = s->offset + s->bytes;
    w->structs++;
    w->skips += s->kind == UM_CRDT_SEEN_SKIP;
    um_buf_clear(&w->json);
    UM_ASSERT(um_crdt_seen_content(s, UM_CRDT_TAGGED, &w->json) == UM_OK);
    return UM_OK;
}

/* v2 sorts the deletions and drops what says nothing; a second round changes nothing more. */
static void there_and_back(struct um_span update)
{
    struct um_buf v2 = { 0 }, v1 = { 0 }, again = { 0 };

    if (um_crdt_v1_to_v2(NULL, update, &v2) == UM_OK && um_crdt_v2_to_v1(NULL, UM_SPAN(v2.data, v2.len), &v1) == UM_OK) {
        UM_ASSERT(um_crdt_validate(NULL, UM_SPAN(v1.data, v1.len), NULL) == UM_OK);
        um_buf_clear(&v2);
        UM_ASSERT(um_crdt_v1_to_v2(NULL, UM_SPAN(v1.data, v1.len), &v2) == UM_OK);
        UM_ASSERT(um_crdt_v2_to_v1(NULL, UM_SPAN(v2.data, v2.len), &again) == UM_OK);
        UM_ASSERT(um_span_eq(UM_SPAN(v1.data, v1.len), UM_SPAN(again.data, again.len)));
    }
    um_buf_free(&v2);
    um_buf_free(&v1);
    um_buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_span update = UM_SPAN(data, size);
    struct um_crdt_update_stats stats = { 0 };
    struct um_crdt_fault fault = { 0 };
    struct walk walk = { 0 };
    um_err err = um_crdt_validate(NULL, update, &stats);

    UM_ASSERT(um_crdt_verify(NULL, update, &fault) == err);
    UM_ASSERT(um_crdt_inspect(NULL, update, look, &walk) == err);
    if (err != UM_OK) {
        UM_ASSERT(fault.offset <= size && fault.why != NULL);
    } else {
        UM_ASSERT(walk.structs == stats.structs && walk.skips == stats.skips && walk.ranges <= stats.ranges);
        there_and_back(UM_SPAN(data, stats.bytes));
    }
    um_buf_free(&walk.json);
    return 0;
}
