/* Two states, whatever they hold, are compared or refused: the result is JSON that can be printed, and a state is the
 * same as itself. Input: a mode; two updates, or two scripts of edits, the first as long as the next two bytes say. */
#include "copy_script.h"
#include <stdlib.h>
#include <umbel/history.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *user_of(void *arg, uint64_t client)
{
    (void)arg;
    return client % 3 == 0 ? NULL : client % 3 == 1 ? "ann" : "bob";
}

static bool is_changed(struct um_span old, struct um_span new)
{
    json_t *diff;
    um_err err = um_history_compare(old, new, user_of, NULL, &diff);
    bool changed;
    char *text;

    UM_ASSERT(err == UM_OK || err == UM_EPROTO || err == UM_ELIMIT);
    UM_ASSERT((diff != NULL) == (err == UM_OK));
    if (err != UM_OK)
        return true;
    text = json_dumps(diff, JSON_COMPACT);
    UM_ASSERT(text != NULL);
    free(text);
    changed = json_is_true(json_object_get(diff, "changed"));
    json_decref(diff);
    return changed;
}

static struct um_buf state_of(const struct um_crdt *doc)
{
    struct um_buf b = { 0 };

    UM_ASSERT(um_crdt_encode(doc, UM_SPAN(NULL, 0), &b) == UM_OK);
    return b;
}

static void scripts_compare(uint8_t mode, const uint8_t *data, size_t n, size_t size)
{
    struct um_crdt *a = script_doc(NULL), *b = script_doc(NULL);
    struct um_buf x, y;

    script_run(a, 1, (mode & 4) != 0, data, n);
    if ((mode & 2) != 0)
        script_copy(a, b);
    script_run(b, 2, (mode & 4) != 0, data + n, size - n);
    x = state_of(a);
    y = state_of(b);
    (void)is_changed(UM_SPAN(x.data, x.len), UM_SPAN(y.data, y.len));
    UM_ASSERT(!is_changed(UM_SPAN(x.data, x.len), UM_SPAN(x.data, x.len)));
    um_buf_free(&x);
    um_buf_free(&y);
    um_crdt_free(a);
    um_crdt_free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t n;

    if (size < 3)
        return 0;
    n = UM_MIN((size_t)(data[1] | data[2] << 8), size - 3);
    if ((data[0] & 1) != 0)
        (void)is_changed(UM_SPAN(data + 3, n), UM_SPAN(data + 3 + n, size - 3 - n));
    else
        scripts_compare(data[0], data + 3, n, size - 3);
    return 0;
}
