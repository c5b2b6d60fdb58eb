/* Edits from C, the update that goes to the others, an observer, and the document as HTML and Markdown. */
#include <stdio.h>
#include <string.h>
#include <umbel/crdt_events.h>
#include <umbel/crdt_export.h>
#include <umbel/crdt_types.h>

static void heard(void *arg, const struct um_crdt_changes *changes)
{
    *(size_t *)arg += changes->n;
}

static um_err write_paragraph(struct um_crdt *doc, const struct um_crdt_type *root)
{
    struct um_crdt_value text = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_TEXT };
    struct um_crdt_value p = { .kind = UM_CRDT_V_TYPE, .type = UM_CRDT_XML_ELEMENT, .name = UM_SPAN("paragraph", 9) };
    um_err err;

    if ((err = um_crdt_list_insert(doc, root, 0, &p, 1)) != UM_OK ||
        (err = um_crdt_list_insert(doc, &p.ref, 0, &text, 1)) != UM_OK ||
        (err = um_crdt_text_insert(doc, &text.ref, 0, UM_SPAN("Hello world", 11), UM_SPAN(NULL, 0))) != UM_OK)
        return err;
    return um_crdt_text_format(doc, &text.ref, 6, 5, UM_SPAN("{\"bold\":{}}", 11));
}

int main(void)
{
    struct um_buf html = { 0 }, markdown = { 0 };
    struct um_crdt_applied applied = { 0 };
    struct um_span name = UM_SPAN("default", 7);
    struct um_crdt_type root;
    struct um_crdt *doc = NULL;
    size_t changes = 0;
    um_err err;

    if ((err = um_crdt_new(NULL, &doc)) != UM_OK)
        goto out;
    um_crdt_observe(doc, heard, &changes);
    if ((err = um_crdt_root(doc, name, UM_CRDT_XML_FRAGMENT, &root)) != UM_OK ||
        (err = um_crdt_begin(doc, 1, NULL)) != UM_OK)
        goto out;
    err = write_paragraph(doc, &root);
    if (um_crdt_commit(doc, &applied) != UM_OK || err != UM_OK)       /* applied.event: to relay and to store */
        goto out;
    if ((err = um_crdt_read_html(doc, name, &html)) != UM_OK || (err = um_crdt_read_markdown(doc, name, &markdown)) != UM_OK)
        goto out;
    /* prints: <p>Hello <strong>world</strong></p> = Hello **world** (1 change, an update: yes) */
    markdown.data[--markdown.len] = '\0';
    printf("%s = %s (%zu change, an update: %s)\n", um_buf_cstr(&html), um_buf_cstr(&markdown), changes,
           applied.event.len > 0 ? "yes" : "no");
out:
    um_buf_free(&html);
    um_buf_free(&markdown);
    um_crdt_free(doc);
    return err == UM_OK ? 0 : 1;
}
