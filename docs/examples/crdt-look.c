/* Updates without a document: what is in one, where a bad one is wrong, format v2, a snapshot's size. */
#include <stdio.h>
#include <umbel/crdt_inspect.h>
#include <umbel/crdt_snapshot.h>
#include <umbel/crdt_v2.h>

static um_err show(void *arg, const struct um_crdt_seen *s)
{
    struct um_buf *out = arg;

    um_buf_printf(out, "%s of %u at %llu:%u; ", um_crdt_seen_name(s->kind), s->len, (unsigned long long)s->client, s->clock);
    return um_crdt_seen_content(s, UM_CRDT_PLAIN, out);
}

int main(void)
{
    static const uint8_t hi[] = { 1, 1, 5, 0, 4, 1, 1, 't', 2, 'H', 'i', 0 };
    struct um_span update = UM_SPAN(hi, sizeof(hi)), cut = UM_SPAN(hi, sizeof(hi) - 2);
    struct um_buf text = { 0 }, v2 = { 0 }, again = { 0 };
    struct um_crdt_fault fault;
    um_err err = UM_OK;

    if ((err = um_crdt_inspect(NULL, update, show, &text)) != UM_OK || (err = um_crdt_v1_to_v2(NULL, update, &v2)) != UM_OK ||
        (err = um_crdt_v2_to_v1(NULL, UM_SPAN(v2.data, v2.len), &again)) != UM_OK)
        goto out;
    if (um_crdt_verify(NULL, cut, &fault) == UM_OK)
        err = UM_EPROTO;
    /* prints: String of 2 at 5:0; "Hi" (v2: 23 bytes, back: 12); cut: byte 8, content: longer than what is left of the update */
    printf("%s (v2: %zu bytes, back: %zu); cut: byte %zu, %s: %s\n", um_buf_cstr(&text), v2.len, again.len, fault.offset,
           fault.field, fault.why);
out:
    um_buf_free(&text);
    um_buf_free(&v2);
    um_buf_free(&again);
    return err == UM_OK ? 0 : 1;
}
