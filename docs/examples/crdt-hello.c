/* Two updates of Yjs clients, in one document; what another client lacks of it. Build it with
 *   cc crdt-hello.c $(pkg-config --cflags --libs umbel-crdt) */
#include <stdio.h>
#include <umbel/crdt.h>

int main(void)
{
    /* client 5 writes "Hi" into the text "t", client 6 adds "!" behind it: updates as a provider sends them */
    static const uint8_t hi[] = { 1, 1, 5, 0, 4, 1, 1, 't', 2, 'H', 'i', 0 };
    static const uint8_t mark[] = { 1, 1, 6, 0, 0x84, 5, 1, 1, '!', 0 };
    struct um_span root = UM_SPAN("t", 1);
    struct um_buf text = { 0 }, sv = { 0 }, missing = { 0 };
    struct um_crdt *doc = NULL;
    um_err err;

    if ((err = um_crdt_new(NULL, &doc)) != UM_OK)
        goto out;
    if ((err = um_crdt_declare_root(doc, root, UM_CRDT_TEXT)) != UM_OK ||
        (err = um_crdt_apply(doc, UM_SPAN(hi, sizeof(hi)), NULL)) != UM_OK ||
        (err = um_crdt_state_vector(doc, &sv)) != UM_OK ||            /* a client that knows this much ... */
        (err = um_crdt_apply(doc, UM_SPAN(mark, sizeof(mark)), NULL)) != UM_OK ||
        (err = um_crdt_encode(doc, UM_SPAN(sv.data, sv.len), &missing)) != UM_OK ||     /* ... lacks this */
        (err = um_crdt_read_text(doc, root, &text)) != UM_OK)
        goto out;
    /* prints: Hi! (10 bytes to send) */
    printf("%s (%zu bytes to send)\n", um_buf_cstr(&text), missing.len);
out:
    if (err != UM_OK)
        fprintf(stderr, "crdt-hello: %s\n", um_err_text(err));
    um_buf_free(&text);
    um_buf_free(&sv);
    um_buf_free(&missing);
    um_crdt_free(doc);
    return err == UM_OK ? 0 : 1;
}
