/* One document becomes another: whatever the two hold, it ends with the same content or an error that changes nothing,
 * a mirror that hears the event agrees, and a second time changes nothing. Input: a mode; then two scripts of edits or
 * two updates, the first as long as the next two bytes say. */
#include "copy_script.h"
#include <umbel/crdt_copy.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b) == UM_OK);
    return b;
}

static um_err become(struct um_crdt *doc, const struct um_crdt *target, struct um_crdt_applied *out)
{
    um_err err;

    UM_ASSERT(um_crdt_begin(doc, 77, NULL) == UM_OK);
    err = um_crdt_become(doc, target);
    UM_ASSERT(um_crdt_commit(doc, out) == UM_OK);
    return err;
}

static um_err run_pass(void *arg, const struct um_crdt_run *run)
{
    *(uint64_t *)arg += run->units;
    return UM_OK;
}

static void writers_check(const struct um_crdt *doc)
{
    struct um_crdt_type t = { 0 };

    for (t.root = 1;; t.root++) {
        uint64_t units = 0;
        um_err err = um_crdt_runs(doc, &t, run_pass, &units);

        if (err == UM_ENOTFOUND)
            return;
        UM_ASSERT(err == UM_OK || err == UM_ELIMIT);
    }
}

static void pair_check(struct um_crdt *doc, const struct um_crdt *target, struct um_crdt *mirror, bool pairs)
{
    struct um_crdt_applied out;
    struct um_buf before = state_of(doc), after;
    um_err err = become(doc, target, &out);

    if (err == UM_OK) {
        if (out.changed)
            UM_ASSERT(um_crdt_load(mirror, out.event, NULL) == UM_OK);
        UM_ASSERT(become(doc, target, &out) == UM_OK && !out.changed);
        UM_ASSERT(become(mirror, target, &out) == UM_OK && (!out.changed || pairs));
        writers_check(doc);
    } else {
        UM_ASSERT(err == UM_EINVAL || err == UM_ELIMIT);
        after = state_of(doc);
        UM_ASSERT(!out.changed && um_span_eq(UM_SPAN(before.data, before.len), UM_SPAN(after.data, after.len)));
        um_buf_free(&after);
    }
    um_buf_free(&before);
}

static struct um_crdt *doc_of(uint8_t mode, uint64_t client, const struct um_crdt *past, const uint8_t *data, size_t size)
{
    struct um_crdt_conf cf;
    struct um_crdt *doc;

    um_crdt_conf_init(&cf);
    cf.cleanup = false;
    cf.gc = (mode & 4) == 0;
    UM_ASSERT(um_crdt_new(&cf, &doc) == UM_OK);
    if (past != NULL)
        script_copy(past, doc);
    if ((mode & 1) != 0) {
        (void)!um_crdt_apply(doc, UM_SPAN(data, size), NULL);
        return doc;
    }
    for (int i = 0; i < SCRIPT_ROOTS; i++)
        UM_ASSERT(um_crdt_declare_root(doc, UM_SPAN_STR(script_roots[i].name), script_roots[i].kind) == UM_OK);
    script_run(doc, client, (mode & 8) != 0, data, size);
    return doc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_crdt *a, *b, *mirror;
    size_t n;

    if (size < 3)
        return 0;
    n = UM_MIN((size_t)(data[1] | data[2] << 8), size - 3);
    a = doc_of(data[0], 1, NULL, data + 3, n);
    b = doc_of(data[0], 2, (data[0] & 2) != 0 ? a : NULL, data + 3 + n, size - 3 - n);
    UM_ASSERT(um_crdt_new(NULL, &mirror) == UM_OK);
    script_copy(a, mirror);
    pair_check(a, b, mirror, (data[0] & 8) != 0);
    um_crdt_free(a);
    um_crdt_free(b);
    um_crdt_free(mirror);
    return 0;
}
