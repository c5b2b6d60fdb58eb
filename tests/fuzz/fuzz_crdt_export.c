/* Whatever a document holds, its HTML is balanced and escaped, and all three views are UTF-8. Input: an update; its
 * roots are read as what they look like. */
#include "html_check.h"
#include <umbel/crdt_export.h>
#include <umbel/crdt_inspect.h>
#include <umbel/util.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void root_check(struct um_crdt *doc, struct um_span name)
{
    um_err (*const views[])(const struct um_crdt *, struct um_span, struct um_buf *) = {
        um_crdt_read_html, um_crdt_read_markdown, um_crdt_read_plain
    };

    for (size_t i = 0; i < UM_COUNT(views); i++) {
        struct um_buf out = { 0 };
        um_err err = views[i](doc, name, &out);

        UM_ASSERT(err == UM_OK || err == UM_EINVAL || err == UM_ELIMIT);
        if (err == UM_OK)
            UM_ASSERT(um_utf8_is_valid(out.data, out.len) && (i > 0 || html_is_balanced(UM_SPAN(out.data, out.len))));
        um_buf_free(&out);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct um_crdt *doc;
    struct um_span name;
    enum um_crdt_kind kind;

    if (um_crdt_new(NULL, &doc) != UM_OK)
        return 0;
    if (um_crdt_apply(doc, UM_SPAN(data, size), NULL) == UM_OK)
        for (size_t pos = 0; um_crdt_roots(doc, &pos, &name, &kind);)
            if (um_crdt_guess_root(doc, name, &kind) == UM_OK && um_crdt_declare_root(doc, name, kind) == UM_OK)
                root_check(doc, name);
    um_crdt_free(doc);
    return 0;
}
